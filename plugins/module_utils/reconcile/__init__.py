# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the same for every resource: plans of steps, the driver, and the report. Other files are imported when needed."""

from .plan import THIS, Changes, IdOf, LeftOut, New, Outrun, Plan, Step, replace
from .progress import Progress
from .report import Report
from .run import Found, Part, Planned, Resource, Task, no_lookups, run_all

__all__ = [
    "THIS",
    "Changes",
    "Found",
    "IdOf",
    "LeftOut",
    "New",
    "Outrun",
    "Part",
    "Plan",
    "Planned",
    "Progress",
    "Report",
    "Resource",
    "Step",
    "Task",
    "no_lookups",
    "replace",
    "run_all",
]

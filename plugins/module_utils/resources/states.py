# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of virtual machines. Imports nothing else, as an inventory from a cache uses it."""

from __future__ import annotations

# All states of CloudStack 3.0.5 and 4.23. Source: its code (`VirtualMachine.State`).
STATES = (
    "Starting",
    "Running",
    "Stopping",
    "Stopped",
    "Destroyed",
    "Expunging",
    "Migrating",
    "Error",
    "Unknown",
    "Shutdown",
    "Shutdowned",
    "Restoring",
)

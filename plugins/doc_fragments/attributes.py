# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode, diff mode and the action group of the modules."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
notes:
  - A failed task returns what is known of the failure. These are C(command), C(http_status), C(error_code),
    C(error_text) and C(job_id). C(error_code) and C(error_text) are as the service gave them.
attributes:
  check_mode:
    support: full
    description: Returns what the task would do and changes nothing. The actions and the diff are the same as those of
      the run.
  diff_mode:
    support: full
    description: Returns the state before and after of everything that the options manage. In check mode the state
      after is the one that the run would lead to.
  action_group:
    support: full
    membership:
      - cloudn.compute.cloudn
    description: Use C(group/cloudn.compute.cloudn) in C(module_defaults) to set the connection options for all modules.
"""

    # For modules that only read.
    INFO = r"""
options: {}
notes:
  - A failed task returns what is known of the failure. These are C(command), C(http_status), C(error_code),
    C(error_text) and C(job_id). C(error_code) and C(error_text) are as the service gave them.
attributes:
  check_mode:
    support: full
    description: Only reads. Check mode makes no difference.
  diff_mode:
    support: N/A
    description: Changes nothing.
  action_group:
    support: full
    membership:
      - cloudn.compute.cloudn
    description: Use C(group/cloudn.compute.cloudn) in C(module_defaults) to set the connection options for all modules.
"""

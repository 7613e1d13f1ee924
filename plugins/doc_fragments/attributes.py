# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules support of Ansible's ways of running."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
notes:
  - A failed task returns what is known of the failure, C(command), C(http_status), C(error_code), C(error_text) (the
    last two as the service gave them) and C(job_id).
attributes:
  check_mode:
    support: full
    description: Can tell what would be done without changing anything. It tells the same actions and the same diff as
      the run.
  diff_mode:
    support: full
    description: Returns what was and what is (or, in check mode, would be) of everything that the options manage.
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
  - A failed task returns what is known of the failure, C(command), C(http_status), C(error_code), C(error_text) (the
    last two as the service gave them) and C(job_id).
attributes:
  check_mode:
    support: full
    description: Reads only, in check mode as well.
  diff_mode:
    support: N/A
    description: Changes nothing.
  action_group:
    support: full
    membership:
      - cloudn.compute.cloudn
    description: Use C(group/cloudn.compute.cloudn) in C(module_defaults) to set the connection options for all modules.
"""

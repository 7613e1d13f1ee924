#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_vm_password: resets the password of a virtual machine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_vm_password
short_description: Reset the password of a virtual machine
version_added: 0.1.0
description:
  - Has the service make a new password for a virtual machine, and returns it. That is done each time the task runs.
  - The machine takes the new password when it starts the next time, by a script of its template.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Virtual machine by id, host name or display name. It must be stopped, see O(allow_restart), and made from a template
        that takes passwords from the service.
      - One that was made stopped must have been started once.
    type: str
    required: true
  zone:
    description:
      - Zone by name or id in which it is looked for.
    type: str
  allow_restart:
    description:
      - Whether a running machine may be stopped for it. It is started again afterwards, also when resetting fails.
      - Likewise whether a machine that has never been started may be started for it. It is stopped again before its password is
        reset, and stays so.
    type: bool
    default: false
  force_stop:
    description:
      - Whether to stop without waiting for the machine to shut down.
    type: bool
    default: false
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - With O(wait=false) the password is in what M(cloudn.compute.cloudn_job) returns of the job.
seealso:
  - module: cloudn.compute.cloudn_vm
  - module: cloudn.compute.cloudn_job
"""

EXAMPLES = r"""
- name: A new password for a machine, which is stopped and started again
  cloudn.compute.cloudn_vm_password:
    name: web1
    allow_restart: true
  register: result
  no_log: true # the result holds the password
"""

RETURN = r"""
vm:
  description: The virtual machine, and its new password.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 7285508a-b8a6-4a2e-93c9-6e2f2627eeba
    name:
      description: Host name.
      type: str
      sample: web1
    state:
      description: State at the service.
      type: str
      sample: Running
    password:
      description:
        - The password that was just made. It is not shown again; set C(no_log) on the task where the result must not be logged.
        - Where a machine was started for the first time and its password could not be reset, the one of its first start.
      type: str
      returned: unless in check mode
      sample: wS4nifujs
vms:
  description: A list with RV(vm) alone.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: dict
actions:
  description: The steps that the task took. In check mode, the steps that it would take. After a failure, the steps
    that were planned.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: str
  sample: ["web1: stop", "web1: reset password", "web1: start"]
diff:
  description: The state before and after of everything that the options manage. In check mode the state after is the
    one that the run would lead to.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    before:
      description: The state before, by name. Empty if it did not exist.
      type: dict
      sample: {web1: {password: (old)}}
    after:
      description: The state after, by name.
      type: dict
      sample: {web1: {password: (new)}}
jobs:
  description: Ids of jobs that the task did not wait for.
  returned: when there are any (O(wait=false))
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.module import WAIT, run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import vm_password

SPEC = {
    "name": {"type": "str", "required": True},
    "zone": {"type": "str"},
    "allow_restart": {"type": "bool", "default": False},
    "force_stop": {"type": "bool", "default": False},
    **WAIT,
}


def main() -> None:
    run(SPEC, vm_password.ensure, plural="vms", singular="vm")


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_vm_password: resets the password of a virtual machine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_vm_password
short_description: Reset the password of a virtual machine
version_added: 1.0.0
description:
  - Lets the service create a new password for a virtual machine (VM) and returns it. This happens each time that the
    task runs.
  - A script of the VM's template sets the new password the next time that the VM starts.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Id, host name or display name of the VM. The VM must be stopped (see O(allow_restart)). Its template must take
        passwords from the service.
      - A VM that was created stopped must have been started once.
    type: str
    required: true
  zone:
    description:
      - Name or id of the zone of the VM. It is needed if VMs in several zones have the name.
    type: str
  allow_restart:
    description:
      - Whether to stop a running VM for it. The VM is started again afterwards. It is also started again if the reset
        fails.
      - Also whether to start a VM that has never been started. It is stopped again before its password is reset and
        stays stopped.
    type: bool
    default: false
  force_stop:
    description:
      - Whether to stop without waiting for the VM to shut down. This is like pulling its plug. What the VM has not
        written to its disks is lost.
      - It has no effect if the task stops no VM.
    type: bool
    default: false
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - With O(wait=false) the password is in the job that M(cloudn.compute.cloudn_job) returns.
seealso:
  - module: cloudn.compute.cloudn_vm
  - module: cloudn.compute.cloudn_job
"""

EXAMPLES = r"""
- name: Create a new password for a VM, which is stopped and started again
  cloudn.compute.cloudn_vm_password:
    name: web1
    allow_restart: true
  register: result
  no_log: true # the result holds the password

- name: Create a new password for a VM in one zone that does not shut down by itself
  cloudn.compute.cloudn_vm_password:
    name: web1
    zone: jp-e1a
    allow_restart: true
    force_stop: true
  no_log: true # the result holds the password
"""

RETURN = r"""
vm:
  description: The VM with its new password.
  returned: always, unless the task fails before it changes anything
  type: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 7285508a-b8a6-4a2e-93c9-6e2f2627eeba
    planned:
      description: V(true) if check mode has planned it. This task or an earlier one of the run would create it.
      returned: in check mode, for what does not exist yet
      type: bool
      sample: true
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
        - The password that was just created. It is not shown again. Set C(no_log) on the task if the result must not
          be logged.
        - This is the password of the first start if the VM was started for the first time and its password could not
          be reset.
      type: str
      returned: not in check mode
      sample: wS4nifujs
vms:
  description: A list that has only RV(vm).
  returned: always, unless the task fails before it changes anything
  type: list
  elements: dict
actions:
  description: The steps that the task took. In check mode these are the steps that it would take. After a failure
    these are the planned steps.
  returned: always, unless the task fails before it changes anything
  type: list
  elements: str
  sample: ["web1: stop", "web1: reset password", "web1: start"]
diff:
  description: The state before and after of everything that the options manage. In check mode the state after is the
    one that the run would lead to.
  returned: always, unless the task fails before it changes anything
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
  returned: with O(wait=false). Empty if there are none
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.spec import WAIT
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm.password import RESOURCE

SPEC = {
    "name": {"type": "str", "required": True},
    "zone": {"type": "str"},
    "allow_restart": {"type": "bool", "default": False},
    "force_stop": {"type": "bool", "default": False},
    **WAIT,
}

DEFINITION = Definition(SPEC, RESOURCE.ensure, plural="vms", singular="vm")


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

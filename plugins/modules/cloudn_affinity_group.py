#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_affinity_group: affinity groups, which decide what VMs run on one host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_affinity_group
short_description: Create and delete affinity groups
version_added: 1.0.0
description:
  - Creates and deletes affinity groups. The VMs of a group run on different hosts or on one, as its type says.
    M(cloudn.compute.cloudn_vm) puts VMs into groups with O(cloudn.compute.cloudn_vm#module:affinity_groups).
  - Requires CloudStack 4. CloudStack 3.0 has no affinity groups.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Name of the group, or id of an existing one. Case matters.
    type: str
    required: true
  state:
    description:
      - With V(present) the group exists. With V(absent) it does not.
    type: str
    choices: [present, absent]
    default: present
  type:
    description:
      - Type of the group. The service's words are for example V(host anti-affinity) and V(host affinity). A service may
        have others.
      - It cannot be changed. The default for a new group is V(host anti-affinity).
    type: str
    default: host anti-affinity
  description:
    description:
      - Description of a new group. It cannot be changed later. See O(on_immutable_drift).
    type: str
  force:
    description:
      - Whether to delete a group that has VMs. The service takes the VMs out of it. Without this option the task fails
        and names these VMs. Destroyed VMs do not count.
    type: bool
    default: false
  on_immutable_drift:
    description:
      - What to do if an existing group differs in O(type) or O(description). V(fail) is an error, V(warn) a warning.
        V(ignore) leaves the group as it is without a message.
    type: str
    choices: [fail, warn, ignore]
    default: fail
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - A task that changes nothing costs one request. The module lists the VMs before it deletes a group that has some. It
    does not do so with O(force=true).
  - Another run may put a VM into the group between that list and the deletion. The task does not see this VM.
seealso:
  - module: cloudn.compute.cloudn_affinity_group_info
  - module: cloudn.compute.cloudn_vm
"""

EXAMPLES = r"""
- name: Create a group whose VMs never run on one host
  cloudn.compute.cloudn_affinity_group:
    name: databases-apart
    type: host anti-affinity
    description: Databases never run on one host

- name: Accept the group as it is if it exists with another type or description
  cloudn.compute.cloudn_affinity_group:
    name: databases-apart
    description: Databases
    on_immutable_drift: ignore

- name: Create two databases in it
  cloudn.compute.cloudn_vm:
    name: [db1, db2]
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v4
    affinity_groups: [databases-apart]
  no_log: true # the result of a new VM may hold its password

- name: Delete the group with VMs in it
  cloudn.compute.cloudn_affinity_group:
    name: databases-apart
    state: absent
    force: true
"""

RETURN = r"""
affinity_group:
  description: The group. Every key is always there. A value is null if it does not apply or is not known.
  returned: always, unless the task fails before it changes anything
  type: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 8b0d3482-e563-48d9-9a4d-f27aef429438
    planned:
      description: V(true) if check mode has planned it. This task or an earlier one of the run would create it.
      returned: in check mode, for what does not exist yet
      type: bool
      sample: true
    name:
      description: Name.
      type: str
      sample: apart
    description:
      description: Description.
      type: str
      sample: never on one host
    type:
      description: Type in the service's words.
      type: str
      sample: host anti-affinity
    vm_ids:
      description: Ids of the VMs in the group.
      type: list
      elements: str
      sample: [2e44b667-ace4-4867-a3b7-1ad53e1dfdea]
    account:
      description: Account that owns it.
      type: str
      sample: flatuser
    domain:
      description: Name of the account's domain.
      type: str
      sample: ROOT
    domain_id:
      description: Id of that domain.
      type: str
      sample: '1'
    state:
      description: V(present) or V(absent).
      type: str
      sample: present
affinity_groups:
  description: A list that has only RV(affinity_group) in the form of M(cloudn.compute.cloudn_affinity_group_info).
  returned: always, unless the task fails before it changes anything
  type: list
  elements: dict
actions:
  description: The steps that the task took. In check mode these are the steps that it would take. After a failure
    these are the planned steps.
  returned: always, unless the task fails before it changes anything
  type: list
  elements: str
  sample: ["apart: create"]
diff:
  description: The state before and after of everything that the options manage. In check mode the state after is the
    one that the run would lead to.
  returned: always, unless the task fails before it changes anything
  type: dict
  contains:
    before:
      description: The state before, by name of the group. Empty if it did not exist.
      type: dict
      sample: {}
    after:
      description: The state after, by name of the group.
      type: dict
      sample: {apart: {state: present, type: host anti-affinity, description: never on one host}}
jobs:
  description: Ids of jobs that the task did not wait for.
  returned: with O(wait=false). Empty if there are none
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.affinity_group import DEFAULT_TYPE, RESOURCE
from ansible_collections.cloudn.compute.plugins.module_utils.resources.spec import WAIT

SPEC = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "type": {"type": "str", "default": DEFAULT_TYPE},
    "description": {"type": "str"},
    "force": {"type": "bool", "default": False},
    "on_immutable_drift": {"type": "str", "default": "fail", "choices": ["fail", "warn", "ignore"]},
    **WAIT,
}

DEFINITION = Definition(SPEC, RESOURCE.ensure, plural="affinity_groups", singular="affinity_group")


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_affinity_group_info: affinity groups, listed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_affinity_group_info
short_description: List affinity groups
version_added: 1.0.0
description:
  - Lists affinity groups. The list is empty if nothing is found.
  - If several options are given, only affinity groups that fit all of them are listed.
  - Requires CloudStack 4. CloudStack 3.0 has no affinity groups.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Only the affinity group with this name. Case matters.
    type: str
  id:
    description:
      - Only the affinity group with this id.
    type: str
  type:
    description:
      - Only affinity groups of this type, for example V(host anti-affinity).
    type: str
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes.info
notes:
  - The module sends one request for fewer than 500 affinity groups.
seealso:
  - module: cloudn.compute.cloudn_affinity_group
  - module: cloudn.compute.cloudn_vm
"""

EXAMPLES = r"""
- name: List all affinity groups
  cloudn.compute.cloudn_affinity_group_info:
  register: result

- name: List groups that keep VMs apart
  cloudn.compute.cloudn_affinity_group_info:
    type: host anti-affinity

- name: Check whether a group exists
  cloudn.compute.cloudn_affinity_group_info:
    name: databases-apart

- name: Show the group with an id
  cloudn.compute.cloudn_affinity_group_info:
    id: 8b0d3482-e563-48d9-9a4d-f27aef429438
"""

RETURN = r"""
affinity_groups:
  description: The groups. Every key is always there. A value is null if the service does not return it.
  returned: success
  type: list
  elements: dict
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
      description: V(present).
      type: str
      sample: present
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import affinity_group

SPEC = {
    "name": {"type": "str"},
    "id": {"type": "str"},
    "type": {"type": "str"},
}

DEFINITION = Definition(
    SPEC,
    lambda client, options, _check: {
        "affinity_groups": [affinity_group.to_result(item) for item in affinity_group.select(client, options)]
    },
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

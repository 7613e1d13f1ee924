#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_zone_info: zones, listed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_zone_info
short_description: List zones
version_added: 1.0.0
description:
  - Lists all zones or those that the options select. The list is empty if nothing is found.
  - If several options are given, only zones that fit all of them are listed.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Only the zone with exactly this name.
    type: str
  id:
    description:
      - Only the zone with this id.
    type: str
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes.info
notes:
  - The module sends one request.
seealso:
  - module: cloudn.compute.cloudn_vm
"""

EXAMPLES = r"""
- name: List all zones
  cloudn.compute.cloudn_zone_info:
  register: result

- name: List one zone
  cloudn.compute.cloudn_zone_info:
    name: jp-e1a

- name: Show their names
  ansible.builtin.debug:
    msg: "{{ result.zones | map(attribute='name') }}"

- name: Show the zone with an id
  cloudn.compute.cloudn_zone_info:
    id: 1b02e74c-6c21-4aa3-b96c-51042de8fccd
"""

RETURN = r"""
zones:
  description: The zones.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 1b02e74c-6c21-4aa3-b96c-51042de8fccd
    name:
      description: Name.
      type: str
      sample: jp-e1a
    description:
      description: Description.
      type: str
      sample: East Japan, zone a
    network_type:
      description: Kind of network.
      type: str
      sample: Basic
    security_groups_enabled:
      description: Whether there are security groups.
      type: bool
      sample: true
    allocation_state:
      description: Whether the zone takes new VMs, V(Enabled) or V(Disabled).
      type: str
      sample: Enabled
    local_storage_enabled:
      description: Whether VMs may have their disks on their own host.
      type: bool
      sample: false
    dhcp_provider:
      description: Provider of the addresses.
      type: str
      sample: VirtualRouter
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import zone

SPEC = {
    "name": {"type": "str"},
    "id": {"type": "str"},
}

DEFINITION = Definition(
    SPEC,
    lambda client, options, _check: {
        "zones": [zone.to_result(item) for item in zone.search(client, options["name"], options["id"])]
    },
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

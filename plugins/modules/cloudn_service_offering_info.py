#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_service_offering_info: service offerings, listed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_service_offering_info
short_description: List service offerings
version_added: 1.0.0
description:
  - Lists all service offerings or those that the options select. The list is empty if nothing is found.
  - If several options are given, only service offerings that fit all of them are listed.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Only the service offering with exactly this name.
    type: str
  id:
    description:
      - Only the service offering with this id.
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
- name: List all service offerings (plans)
  cloudn.compute.cloudn_service_offering_info:
  register: result

- name: List one service offering
  cloudn.compute.cloudn_service_offering_info:
    name: v1

- name: Show those with at least 4 GiB of memory
  ansible.builtin.debug:
    msg: "{{ result.service_offerings | selectattr('memory', 'ge', 4096) | map(attribute='name') }}"

- name: Show the service offering with an id
  cloudn.compute.cloudn_service_offering_info:
    id: 88ce379e-a686-4ae4-946f-dc3358275276
"""

RETURN = r"""
service_offerings:
  description: The service offerings.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 88ce379e-a686-4ae4-946f-dc3358275276
    name:
      description: Name.
      type: str
      sample: v1
    display_text:
      description: Description.
      type: str
      sample: 1 processor, 2 GB
    cpu_number:
      description: Number of processors.
      type: int
      sample: 1
    cpu_speed:
      description: Speed of each processor in MHz.
      type: int
      sample: 1000
    memory:
      description: Memory in MiB.
      type: int
      sample: 2048
    ha:
      description: Whether VMs with it can have high availability.
      type: bool
      sample: false
    limit_cpu_use:
      description: Whether a VM gets no more than its share of a processor.
      type: bool
      sample: false
    storage_type:
      description: Where root disks are.
      type: str
      sample: shared
    created:
      description: Time of creation.
      type: str
      sample: '2026-11-23T14:30:59+0000'
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.offerings import SERVICE

SPEC = {
    "name": {"type": "str"},
    "id": {"type": "str"},
}

DEFINITION = Definition(
    SPEC,
    lambda client, options, _check: {
        "service_offerings": [
            SERVICE.to_result(item) for item in SERVICE.select(client, options["name"], options["id"])
        ]
    },
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_disk_offering_info: disk offerings, listed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_disk_offering_info
short_description: List disk offerings
version_added: 1.0.0
description:
  - Lists all disk offerings or those that the options select. The list is empty if nothing is found.
  - If several options are given, only disk offerings that fit all of them are listed.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Only the disk offering with exactly this name.
    type: str
  id:
    description:
      - Only the disk offering with this id.
    type: str
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes.info
notes:
  - The module sends one request.
seealso:
  - module: cloudn.compute.cloudn_vm
  - module: cloudn.compute.cloudn_volume
"""

EXAMPLES = r"""
- name: List all disk offerings
  cloudn.compute.cloudn_disk_offering_info:
  register: result

- name: List one disk offering
  cloudn.compute.cloudn_disk_offering_info:
    name: Medium

- name: Show the disk offering with an id
  cloudn.compute.cloudn_disk_offering_info:
    id: 4f2f6a0e-5d0c-4c53-8d1b-9a3b3e6f0020
"""

RETURN = r"""
disk_offerings:
  description: The disk offerings.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      type: str
      sample: d484bea2-f986-418e-a13a-3f458b2a32cb
    name:
      description: Name.
      type: str
      sample: Medium
    display_text:
      description: Description.
      type: str
      sample: Medium Disk, 20 GB
    size_gb:
      description: Size in GiB. V(0) if the size is chosen for each disk.
      type: int
      sample: 20
    customized:
      description: Whether the size is chosen for each disk.
      type: bool
      sample: false
    storage_type:
      description: Where the disks are.
      type: str
      sample: shared
    created:
      description: Time of creation.
      type: str
      sample: '2026-11-23T14:30:59+0000'
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.offerings import DISK

SPEC = {
    "name": {"type": "str"},
    "id": {"type": "str"},
}

DEFINITION = Definition(
    SPEC,
    lambda client, options, _check: {
        "disk_offerings": [DISK.to_result(item) for item in DISK.select(client, options["name"], options["id"])]
    },
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

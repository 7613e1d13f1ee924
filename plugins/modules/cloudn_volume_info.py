#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_volume_info: volumes, listed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_volume_info
short_description: List volumes
version_added: 1.0.0
description:
  - Lists volumes. They are the root disks of VMs, and data disks that are attached or not. The list is empty if nothing is found.
  - If several options are given, only volumes that fit all of them are listed.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Only volumes with exactly this name. Names are not unique.
    type: str
  id:
    description:
      - Only the volume with this id.
    type: str
  vm:
    description:
      - Only volumes attached to this VM, given by id, host name or display name.
    type: str
  zone:
    description:
      - Only volumes in this zone, given by name or id. An unknown zone is an error.
    type: str
  type:
    description:
      - V(ROOT) for only root disks, V(DATADISK) for only data disks.
    type: str
    choices: [ROOT, DATADISK]
  tags:
    description:
      - Only volumes with all of these tags, given as keys and values. Case, accents and blanks at the end of a key do not
        count.
    type: dict
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes.info
notes:
  - The root disk of a destroyed VM is not shown. CloudStack 4 lists it until the VM is expunged.
  - The module sends one request for fewer than 500 volumes. For more volumes it sends about one for every 450.
    O(zone) and O(vm) cost one more each.
seealso:
  - module: cloudn.compute.cloudn_volume
"""

EXAMPLES = r"""
- name: List all volumes
  cloudn.compute.cloudn_volume_info:
  register: result

- name: List the data disks of one VM
  cloudn.compute.cloudn_volume_info:
    vm: web1
    type: DATADISK

- name: List the volumes to back up
  cloudn.compute.cloudn_volume_info:
    tags:
      backup: nightly

- name: Find all volumes of this name in one zone
  cloudn.compute.cloudn_volume_info:
    name: db1-data
    zone: jp-e1a

- name: Show the volume with an id
  cloudn.compute.cloudn_volume_info:
    id: 109157b8-60df-4c7e-9a37-f429554e5497
"""

RETURN = r"""
volumes:
  description: The volumes. Every key is always there. A value is null if it does not apply or is not known.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 109157b8-60df-4c7e-9a37-f429554e5497
    planned:
      description: V(true) if check mode has planned it. This task or an earlier one of the run would create it.
      returned: in check mode, for what does not exist yet
      type: bool
      sample: true
    name:
      description: Name. Several volumes may have it.
      type: str
      sample: db1-data
    zone:
      description: Name of the zone.
      type: str
      sample: jp-e1a
    zone_id:
      description: Id of the zone.
      type: str
      sample: 1b02e74c-6c21-4aa3-b96c-51042de8fccd
    type:
      description: V(ROOT) for the disk that a VM starts from, otherwise V(DATADISK).
      type: str
      sample: DATADISK
    state:
      description: State at the service. V(Allocated) for a volume that was never attached, then V(Ready). For an
        upload V(Uploading), V(Uploaded) or V(UploadError).
      type: str
      sample: Ready
    status:
      description: How far an upload has come or why it failed.
      type: str
      sample: 50% Uploaded
    size_gb:
      description: Size in GiB, rounded up.
      type: int
      sample: 20
    size_bytes:
      description: Size in bytes.
      type: int
      sample: 21474836480
    vm:
      description: Host name of the VM that it is attached to.
      type: str
      sample: db1
    vm_id:
      description: Id of that VM.
      type: str
      sample: 2e44b667-ace4-4867-a3b7-1ad53e1dfdea
    vm_state:
      description: State of that VM.
      type: str
      sample: Running
    device_id:
      description: Device number at that VM. The root disk has 0.
      type: int
      sample: 1
    attached:
      description: Time when it was attached if that was a separate command.
      type: str
      sample: '2026-11-23T15:00:03+0000'
    disk_offering:
      description: Disk offering. A volume from a snapshot always shows the offering of the snapshot's volume. On
        CloudStack 4 it may show none.
      type: str
      sample: Medium
    disk_offering_id:
      description: Id of that offering.
      type: str
      sample: 4f2f6a0e-5d0c-4c53-8d1b-9a3b3e6f0020
    service_offering:
      description: For a root disk, the service offering of its VM.
      type: str
      sample: v1
    service_offering_id:
      description: Id of that offering. CloudStack 4 does not show it.
      type: str
      sample: 88ce379e-a686-4ae4-946f-dc3358275276
    storage_type:
      description: V(shared) or V(local).
      type: str
      sample: shared
    extractable:
      description: Whether it may be downloaded.
      type: bool
      sample: true
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
    created:
      description: Time of creation.
      type: str
      sample: '2026-11-23T15:00:01+0000'
    tags:
      description: Tags.
      type: dict
      sample: {backup: nightly}
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.volume import view as volume

SPEC = {
    "name": {"type": "str"},
    "id": {"type": "str"},
    "vm": {"type": "str"},
    "zone": {"type": "str"},
    "type": {"type": "str", "choices": ["ROOT", "DATADISK"]},
    "tags": {"type": "dict"},
}

DEFINITION = Definition(
    SPEC,
    lambda client, options, _check: {"volumes": [volume.to_result(item) for item in volume.select(client, options)]},
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

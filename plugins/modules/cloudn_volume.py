#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_volume: one volume in the state that is asked for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_volume
short_description: Make, attach, detach, extract or delete a volume
version_added: 0.1.0
description:
  - Brings one volume to the state that is asked for. It is made, if it does not exist, of a disk offering, from a snapshot,
    or from an image that the service downloads.
  - Names of volumes are not unique. Where several volumes have the name (in the O(zone), if it is given), the task fails
    and tells their ids, zones and machines; O(id) chooses one.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Name, or the id of an existing volume.
      - This or O(id) is needed.
    type: str
  id:
    description:
      - Id of an existing volume. With it, another O(name) is a difference that can't be changed.
    type: str
  state:
    description:
      - V(present) makes it, wherever it is attached.
      - V(attached) makes it and attaches it to O(vm).
      - V(detached) detaches it, from O(vm) where that is given, else from any. One that does not exist is not made.
      - V(extracted) makes an address to download it from, or uploads it (O(extract_mode)); that is done each time. It must
        have been attached once.
      - V(absent) deletes it.
    type: str
    choices: [present, attached, detached, extracted, absent]
    default: present
  zone:
    description:
      - Zone by name or id. Needed for a new volume, where there are several and no O(vm) tells. Limits where O(name) is
        looked for.
    type: str
  disk_offering:
    description:
      - Disk offering by name or id, for a new volume.
      - It can't be changed. A volume that was made from a snapshot shows a foreign one; that is no difference.
    type: str
  size_gb:
    description:
      - Size in GiB, for a disk offering that leaves it open. It can't be changed.
    type: int
  snapshot:
    description:
      - Snapshot by name or id that a new volume is made from. Existing volumes don't tell theirs, so it is not compared.
    type: str
  url:
    description:
      - Address (http or https, port 80 or 443) from which the service downloads a new volume. Not compared.
    type: str
  format:
    description:
      - Format of what is at O(url).
    type: str
    choices: [VHD, QCOW2, OVA, RAW]
  checksum:
    description:
      - MD5 sum of what is at O(url).
    type: str
  vm:
    description:
      - Virtual machine by id, host name or display name that the volume is attached to or detached from. It must be
        running or stopped; one that is starting or stopping is waited for.
      - The service attaches volumes to machines of their own zone only.
    type: str
  device_id:
    description:
      - Number of the device that the volume becomes; the service takes the first free one where it is not given.
    type: int
  force:
    description:
      - Whether a volume that is attached may be detached for what is asked, with O(state=attached) to another machine or
        device, and with O(state=absent). Whoever uses it there loses it.
    type: bool
    default: false
  extract_mode:
    description:
      - How to extract it.
    type: str
    choices: [http_download, ftp_upload]
    default: http_download
  extract_url:
    description:
      - Address (ftp) to upload it to.
    type: str
  on_immutable_drift:
    description:
      - What to do when an existing volume differs in what can't be changed, O(disk_offering), O(size_gb), and where
        O(id) is given O(name) and O(zone).
    type: str
    choices: [fail, warn, ignore]
    default: fail
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.tags
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - A task that changes nothing costs one request. It costs one more where O(vm) is given by its display name, and where
    nothing is found and a O(zone) is given.
  - Making one costs three requests more, which see to it that there is one also where other runs make the same, or answers are
    lost. With O(wait=false) it is not seen whether another run has made the same at the same time.
  - The service extracts a volume only after it was attached once, and while no running machine has it. A root disk is
    extracted only if its template is extractable; a volume that is made of its snapshot always is.
seealso:
  - module: cloudn.compute.cloudn_volume_info
  - module: cloudn.compute.cloudn_snapshot
  - module: cloudn.compute.cloudn_vm
"""

EXAMPLES = r"""
- name: A data disk of 5 GiB, attached to the database
  cloudn.compute.cloudn_volume:
    name: db1-data
    state: attached
    vm: db1
    disk_offering: Small
    tags:
      backup: nightly

- name: A disk of a size of one's own
  cloudn.compute.cloudn_volume:
    name: scratch
    zone: jp-e1a
    disk_offering: Custom
    size_gb: 12

- name: A disk that the service downloads
  cloudn.compute.cloudn_volume:
    name: dataset
    zone: jp-e1a
    url: https://images.example.com/dataset.vhd
    format: VHD

- name: Move it to another machine, whatever has it now
  cloudn.compute.cloudn_volume:
    name: db1-data
    state: attached
    vm: db2
    force: true

- name: Take it off
  cloudn.compute.cloudn_volume:
    name: db1-data
    state: detached

- name: An address to download it from
  cloudn.compute.cloudn_volume:
    name: db1-data
    state: extracted
  register: result

- name: Delete it
  cloudn.compute.cloudn_volume:
    name: db1-data
    state: absent
"""

RETURN = r"""
volume:
  description:
    - The volume, as it is now or, in check mode, as far as it can be told. RV(volume.state) is V(absent) for one that is
      not there.
    - Every key is always there. A value is null if it does not apply or is not known.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 109157b8-60df-4c7e-9a37-f429554e5497
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
      description: V(DATADISK), or V(ROOT) for the disk that a virtual machine starts from.
      type: str
      sample: DATADISK
    state:
      description: State at the service, V(Allocated) for one that was never attached, then V(Ready); for an upload V(Uploading),
        V(Uploaded) or V(UploadError).
      type: str
      sample: Ready
    status:
      description: How far an upload is, or why it failed.
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
      description: Host name of the virtual machine that it is attached to.
      type: str
      sample: db1
    vm_id:
      description: Id of that machine.
      type: str
      sample: 2e44b667-ace4-4867-a3b7-1ad53e1dfdea
    vm_state:
      description: State of that machine.
      type: str
      sample: Running
    device_id:
      description: Number of the device that it is there, 0 for the root disk.
      type: int
      sample: 1
    attached:
      description: When it was attached, where that was done by itself.
      type: str
      sample: '2026-11-23T15:00:03+0000'
    disk_offering:
      description: Disk offering. A volume made from a snapshot shows that of the snapshot's volume, whatever it is.
      type: str
      sample: Medium
    disk_offering_id:
      description: Id of that offering.
      type: str
      sample: 4f2f6a0e-5d0c-4c53-8d1b-9a3b3e6f0020
    service_offering:
      description: Service offering of the machine, of a root disk.
      type: str
      sample: v1
    service_offering_id:
      description: Id of that offering.
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
    extraction:
      description: Where the extracted copy is.
      returned: with O(state=extracted), unless in check mode
      type: dict
      contains:
        id:
          description: Id of the extraction.
          type: str
          sample: fd074139-031e-4c95-9b4f-7e11b28c9374
        mode:
          description: V(HTTP_DOWNLOAD) or V(FTP_UPLOAD).
          type: str
          sample: HTTP_DOWNLOAD
        state:
          description: How far it is.
          type: str
          sample: DOWNLOAD_URL_CREATED
        url:
          description: Address to download it from, which the service closes after a while, or the one that it was uploaded to.
            It is shown without a user and a password.
          type: str
          sample: https://download.example.com/userdata/fbd80c01-2210-43f3-9ac7-d7ee79b40905.vhd
        upload_percentage:
          description: How much of it is uploaded.
          type: int
          sample: 100
volumes:
  description: A list with RV(volume) alone, of the form that M(cloudn.compute.cloudn_volume_info) returns.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: dict
actions:
  description: The steps that the task took. In check mode, the steps that it would take. After a failure, the steps
    that were planned.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: str
  sample: ["db1-data: detach from db1", "db1-data: attach to db2"]
diff:
  description: The state before and after of everything that the options manage. In check mode the state after is the
    one that the run would lead to.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    before:
      description: The state before, by name. Empty if it did not exist.
      type: dict
      sample: {db1-data: {state: present, vm: db1}}
    after:
      description: The state after, by name.
      type: dict
      sample: {db1-data: {state: present, vm: db2}}
jobs:
  description: Ids of jobs that the task did not wait for.
  returned: when there are any (O(wait=false))
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.module import TAGS, WAIT, run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import extraction, volume_ensure

SPEC = {
    "name": {"type": "str"},
    "id": {"type": "str"},
    "state": {
        "type": "str",
        "default": "present",
        "choices": ["present", "attached", "detached", "extracted", "absent"],
    },
    "zone": {"type": "str"},
    "disk_offering": {"type": "str"},
    "size_gb": {"type": "int"},
    "snapshot": {"type": "str"},
    "url": {"type": "str"},
    "format": {"type": "str", "choices": ["VHD", "QCOW2", "OVA", "RAW"]},
    "checksum": {"type": "str"},
    "vm": {"type": "str"},
    "device_id": {"type": "int"},
    "force": {"type": "bool", "default": False},
    "extract_mode": {"type": "str", "default": "http_download", "choices": list(extraction.MODES)},
    "extract_url": {"type": "str", "no_log": True},
    "on_immutable_drift": {"type": "str", "default": "fail", "choices": ["fail", "warn", "ignore"]},
    **TAGS,
    **WAIT,
}


def main() -> None:
    run(
        SPEC,
        volume_ensure.ensure,
        plural="volumes",
        singular="volume",
        required_one_of=[("name", "id")],
        required_if=[("state", "attached", ("vm",))],
        required_by={"size_gb": "disk_offering", "url": "format", "checksum": "url"},
        mutually_exclusive=[("disk_offering", "snapshot", "url")],
    )


if __name__ == "__main__":
    main()

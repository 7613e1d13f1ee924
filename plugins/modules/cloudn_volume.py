#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_volume: one volume in the state that is asked for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_volume
short_description: Create, attach, detach, extract or delete a volume
version_added: 1.0.0
description:
  - Brings one volume to the requested state. If it does not exist, the module creates it from a disk offering, a
    snapshot or an image that the service downloads.
  - Names of volumes are not unique. If several volumes have the name, the task fails and shows their ids, zones and
    VMs. With O(zone) only that zone counts. O(id) selects one.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Name of the volume or id of an existing one.
      - Required without O(id).
    type: str
  id:
    description:
      - Id of an existing volume. Another O(name) is then a difference that cannot be changed.
      - An id that does not exist is an error, except with O(state=absent) and O(state=detached).
    type: str
  state:
    description:
      - With V(present) the module creates the volume. It does not matter where the volume is attached.
      - With V(attached) the module creates it and attaches it to O(vm).
      - With V(detached) the module detaches it from O(vm). Without O(vm) it detaches the volume from any VM. It does
        not create a volume that does not exist.
      - With V(extracted) the module creates an address to download the volume from or uploads it (O(extract_mode)).
        It does that each time. The volume must have been attached once.
      - With V(absent) the module deletes it.
    type: str
    choices: [present, attached, detached, extracted, absent]
    default: present
  zone:
    description:
      - Name or id of the zone. Required for a new volume if there are several zones and O(vm) does not give one.
        O(name) is looked up in this zone only.
      - With O(state=absent) or O(state=detached) a volume of this name in another zone is left alone. A warning says
        where it is.
    type: str
  disk_offering:
    description:
      - Name or id of the disk offering of a new volume. A new volume requires exactly one of O(disk_offering),
        O(snapshot) and O(url).
      - It cannot be changed. A volume from a snapshot shows the offering of another volume. That is no difference.
    type: str
  size_gb:
    description:
      - Size in GiB, a whole number from 1. A new volume requires it if the disk offering has no fixed size.
      - CloudStack 4 makes an existing volume larger. This applies to root disks and to disks of a fixed size too. It
        does the same right after it has created a volume that its disk offering or its snapshot makes smaller. The
        file system in it stays as it is. See also O(shrink).
      - CloudStack 3.0 cannot change the size. See O(on_immutable_drift).
    type: int
  shrink:
    description:
      - Whether a data disk may get smaller if O(size_gb) says so. The service cuts off its end with the data there.
        Make the file system smaller first.
      - The service does not make a root disk smaller.
    type: bool
    default: false
  snapshot:
    description:
      - Name or id of the snapshot that a new volume is created from. The service does not return the snapshot of an
        existing volume. So it is not compared.
    type: str
  url:
    description:
      - Address (http or https, port 80 or 443) from which the service downloads a new volume. It is not compared.
    type: str
  format:
    description:
      - Format of the image at O(url). Required with O(url), and not possible without it.
    type: str
    choices: [VHD, QCOW2, OVA, RAW]
  checksum:
    description:
      - MD5 sum of the image at O(url). Requires O(url).
    type: str
  vm:
    description:
      - Id, host name or display name of the VM that the volume is attached to or detached from. Required with
        O(state=attached), possible with O(state=detached), and an error with the other states.
      - The VM must be running or stopped. The module waits for a VM that is starting or stopping.
      - The service attaches volumes only to VMs of their own zone.
    type: str
  device_id:
    description:
      - Device number of the volume at its VM. O(state=attached) only. The numbers 0 (root disk) and 3 (CD drive) cannot be
        taken. Without it the service takes the first free number.
      - A volume that is attached to O(vm) as another device is detached and attached again only with O(force).
    type: int
  force:
    description:
      - Whether to detach a volume that is attached elsewhere. This applies to O(state=attached) with another VM or
        device. It also applies to O(state=absent). Whoever uses the volume there loses it.
    type: bool
    default: false
  extract_mode:
    description:
      - How to extract it. O(state=extracted) only.
      - With V(http_download) the service creates an address to download from, in RV(volume.extraction.url). With
        V(ftp_upload) it uploads to O(extract_url).
    type: str
    choices: [http_download, ftp_upload]
    default: http_download
  extract_url:
    description:
      - Address that begins with C(ftp://), to upload it to. It may have a user and a password. Ansible keeps it out of logs.
      - Required with O(extract_mode=ftp_upload), and an error with O(extract_mode=http_download).
    type: str
  on_immutable_drift:
    description:
      - What to do if an existing volume differs in what cannot be changed. V(fail) is an error, V(warn) a warning.
        V(ignore) leaves the volume as it is without a message. The differences are those in O(disk_offering). With O(id) it is
        also O(name) and O(zone). It is O(size_gb) if the service cannot change it or the volume is larger and O(shrink)
        is not set.
    type: str
    choices: [fail, warn, ignore]
    default: fail
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.tags
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - A task that changes nothing costs one request. It costs one more if O(vm) is a display name. It also costs one
    more if nothing is found and O(zone) is given.
  - A new volume costs three more requests. They ensure that there is only one volume even if other runs create the
    same one or answers are lost. With O(wait=false) the module does not check whether another run has created the
    same volume at the same time.
  - The service extracts a volume only after it was attached once. No running VM may have it. It extracts a root disk
    only if its template is extractable. It always extracts a volume that is created from a snapshot of that disk.
seealso:
  - module: cloudn.compute.cloudn_volume_info
  - module: cloudn.compute.cloudn_snapshot
  - module: cloudn.compute.cloudn_vm
  - module: cloudn.compute.cloudn_disk_offering_info
  - module: cloudn.compute.cloudn_snapshot_policy
"""

EXAMPLES = r"""
- name: Create a data disk of 5 GiB and attach it to the database
  cloudn.compute.cloudn_volume:
    name: db1-data
    state: attached
    vm: db1
    disk_offering: Small
    tags:
      backup: nightly

- name: Create a disk with a size of your choice
  cloudn.compute.cloudn_volume:
    name: scratch
    zone: jp-e1a
    disk_offering: Custom
    size_gb: 12

- name: Create a disk that the service downloads
  cloudn.compute.cloudn_volume:
    name: dataset
    zone: jp-e1a
    url: https://images.example.com/dataset.vhd
    format: VHD
    checksum: 905cec879afd9c9d22ecc8036131a180

- name: Attach a disk as the device with the number 4
  cloudn.compute.cloudn_volume:
    name: scratch
    state: attached
    vm: db1
    device_id: 4

- name: Take a snapshot of it
  cloudn.compute.cloudn_snapshot:
    volume: scratch
  register: taken

- name: Create a disk from the snapshot
  cloudn.compute.cloudn_volume:
    name: scratch-copy
    zone: jp-e1a
    snapshot: "{{ taken.snapshot.id }}"
  register: copy

- name: Delete the volume with an id
  cloudn.compute.cloudn_volume:
    id: "{{ copy.volume.id }}"
    state: absent

- name: Ensure that a disk exists, and do not mind that it has another disk offering
  cloudn.compute.cloudn_volume:
    name: db1-data
    disk_offering: Medium
    on_immutable_drift: ignore

- name: Make a disk larger (CloudStack 4)
  cloudn.compute.cloudn_volume:
    name: db1-data
    size_gb: 10

- name: Make a disk smaller, after its file system was made smaller (CloudStack 4)
  cloudn.compute.cloudn_volume:
    name: db1-data
    size_gb: 8
    shrink: true

- name: Move the disk to another VM, wherever it is attached now
  cloudn.compute.cloudn_volume:
    name: db1-data
    state: attached
    vm: db2
    force: true

- name: Detach the disk
  cloudn.compute.cloudn_volume:
    name: db1-data
    state: detached

- name: Create an address to download it from
  cloudn.compute.cloudn_volume:
    name: db1-data
    state: extracted
  register: result

- name: Upload it to an FTP server
  cloudn.compute.cloudn_volume:
    name: db1-data
    state: extracted
    extract_mode: ftp_upload
    extract_url: ftp://{{ ftp_user | default('me') }}:{{ ftp_password | default('secret') }}@ftp.example.com/db1.vhd

- name: Delete the volume
  cloudn.compute.cloudn_volume:
    name: db1-data
    state: absent
"""

RETURN = r"""
volume:
  description:
    - The volume as it is now. In check mode it is shown as far as it is known. RV(volume.state) is V(absent) if there
      is none.
    - Every key is always there. A value is null if it does not apply or is not known.
  returned: always, unless the task fails before it changes anything
  type: dict
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
    extraction:
      description: Where the extracted copy is.
      returned: with O(state=extracted), but not in check mode
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
          description: Address to download it from, or the address that it was uploaded to. The service closes a
            download address after a while. The address is shown without a user and a password.
          type: str
          sample: https://download.example.com/userdata/fbd80c01-2210-43f3-9ac7-d7ee79b40905.vhd
        upload_percentage:
          description: How much of it is uploaded.
          type: int
          sample: 100
volumes:
  description: A list that has only RV(volume) in the form of M(cloudn.compute.cloudn_volume_info).
  returned: always, unless the task fails before it changes anything
  type: list
  elements: dict
actions:
  description: The steps that the task took. In check mode these are the steps that it would take. After a failure
    these are the planned steps.
  returned: always, unless the task fails before it changes anything
  type: list
  elements: str
  sample: ["db1-data: detach from db1", "db1-data: attach to db2"]
diff:
  description: The state before and after of everything that the options manage. In check mode the state after is the
    one that the run would lead to.
  returned: always, unless the task fails before it changes anything
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
  returned: with O(wait=false). Empty if there are none
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.volume.lookup import RESOURCE
from ansible_collections.cloudn.compute.plugins.module_utils.resources.volume.spec import CONSTRAINTS, SPEC

DEFINITION = Definition(SPEC, RESOURCE.ensure, plural="volumes", singular="volume", constraints=CONSTRAINTS)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_template: one template in the state that is asked for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_template
short_description: Create, copy, share, extract or delete a template
version_added: 1.0.0
description:
  - Brings one template of the account to the requested state. If it does not exist, the module creates it from the
    disk of a VM, a volume, a snapshot, or an image that the service downloads. Then it copies the template to other
    zones. It waits until all of them can use it.
  - Names of templates are not unique. If several of the account's own templates have the name, the task fails and
    shows their ids and zones. With O(zone) only that zone counts. O(id) selects one.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Name of the template or id of an existing one. Only the account's own templates count.
      - Required without O(id).
      - The name of a template from a disk or a snapshot has at most 32 characters.
    type: str
  id:
    description:
      - Id of an existing template of the account. With it O(name) is the new name.
    type: str
  state:
    description:
      - With V(present) the module creates the template and changes what can be changed.
      - With V(extracted) the module creates an address to download the template from or uploads it (O(extract_mode)).
        It does that each time.
      - With V(absent) the module deletes it in the O(zone). Without O(zone) it deletes the template everywhere.
    type: str
    choices: [present, extracted, absent]
    default: present
  zone:
    description:
      - Name or id of the zone. Required for a new template with O(url) if there are several zones. O(name), O(vm) and
        O(volume) are looked up in this zone only.
      - With O(state=absent) a template of this name in another zone is left alone. A warning says where it is.
      - A template of a disk is created in the disk's zone. Another zone is refused here. O(zones) is for the zones to
        copy it to.
    type: str
  zones:
    description:
      - Names or ids of the zones that the template must be in. It is copied to all zones that lack it at the same
        time. It is not removed from other zones.
    type: list
    elements: str
  vm:
    description:
      - Id, host name or display name of the VM whose root disk a new template is created from. The VM must be stopped
        (see O(allow_restart)). It must have been started once.
      - A new template requires exactly one of O(vm), O(volume), O(snapshot) and O(url). They have no effect on an
        existing template.
    type: str
  volume:
    description:
      - Name or id of the volume that a new template is created from. A VM that has the volume must be stopped (see
        O(allow_restart)).
      - The service refuses a data disk that is not attached to a VM. Use O(snapshot) with a snapshot of it instead.
    type: str
  snapshot:
    description:
      - Name or id of the snapshot that a new template is created from.
    type: str
  url:
    description:
      - Address (http or https, port 80 or 443) from which the service downloads a new template.
    type: str
  format:
    description:
      - Format of the image at O(url). A new template with O(url) requires it. It cannot be changed.
    type: str
    choices: [VHD, QCOW2, OVA, RAW]
  checksum:
    description:
      - MD5 sum of the image at O(url). Requires O(url).
    type: str
  hypervisor:
    description:
      - Hypervisor of the image at O(url), for example V(XenServer). A new template with O(url) requires it. It cannot be
        changed.
      - The module refuses a hypervisor that no host of the zone runs if the account has C(listHypervisors). The
        service would accept it but never list the template. So each run would register another one.
    type: str
  os_type:
    description:
      - Description or id of the OS type, for example V(CentOS 6.0 (64-bit)). It can be changed.
      - Required for a new template unless a VM has the disk. The default is then the VM's OS type.
    type: str
  display_text:
    description:
      - Description. It can be changed. The default for a new template is the name.
    type: str
  password_enabled:
    description:
      - Whether VMs from it get a password from the service. The template must have the service's script for that. It
        can be changed.
    type: bool
  requires_hvm:
    description:
      - Whether it needs hardware virtualisation. Only for a new template. The service does not return it.
    type: bool
  bits:
    description:
      - Word size of its system. Only for a new template. The service does not return it.
    type: int
    choices: [32, 64]
  public:
    description:
      - Whether everybody may use it. It can be changed.
    type: bool
  featured:
    description:
      - Whether it is one of the featured templates, which are shown first. Everybody sees a featured template that is
        O(public). It can be changed.
    type: bool
  extractable:
    description:
      - Whether it may be downloaded.
      - A new template with O(url) may have either value. The default is then false.
      - On CloudStack 3.0 only an administrator can change it. A new template of a root disk is extractable there if the
        template of that disk is extractable. The same holds for a snapshot of a root disk. A new template of a data
        disk is not extractable. A value that is not possible is refused before anything is changed.
      - On CloudStack 4 every account can change it. A new template of a disk or a snapshot is not extractable at first.
      - It is still possible to download what a disk holds. Use M(cloudn.compute.cloudn_volume) with
        O(state=extracted) on a volume that was created from a snapshot.
    type: bool
  accounts:
    description:
      - Names of all other accounts that may create VMs from it. An empty list takes the right from all of them.
      - The module uses the EC2-compatible API if the account lacks the native commands for that. It must know the
        address of that API (O(ec2_url)). That API may not show who has the right either. Then accounts that had the
        right keep it and an empty list is refused. Each run of the task then gives the right again and is changed. A
        warning says so.
    type: list
    elements: str
  allow_restart:
    description:
      - Whether to stop a running VM to create a template of its disk. Without this option a running VM is an error. The
        VM is started again when the template is created. It is also started again when that fails.
    type: bool
    default: false
  force_stop:
    description:
      - Whether to stop the VM without waiting for it to shut down. This is like pulling its plug. What the VM has not
        written to its disks is lost, and is not in the template.
      - It has no effect if the task stops no VM.
    type: bool
    default: false
  extract_mode:
    description:
      - How to extract it. O(state=extracted) only.
      - With V(http_download) the service creates an address to download from, in RV(template.extraction.url). With
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
      - What to do if an existing template differs in O(format) or O(hypervisor). They cannot be changed. V(fail) is an
        error, V(warn) a warning. V(ignore) leaves the template as it is without a message.
    type: str
    choices: [fail, warn, ignore]
    default: fail
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.tags
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - A task that changes nothing costs one request. O(accounts) costs one or two more. O(os_type) costs one more if the
    template shows it under another name. O(zone) costs one more if nothing is found there. A task that would change
    O(extractable) costs one more, which asks whether the account is an administrator's.
  - The service does not list a template of a disk before it is created. So while the service creates one for this
    account, under any name, the module does not begin another one. O(wait_timeout) includes that time.
  - With O(wait=false) the module does not check whether another run has created the same template at the same time.
  - The source of a template is not compared, because the service does not return it. To renew a template, create one
    with another name or delete the old one first.
seealso:
  - module: cloudn.compute.cloudn_template_info
  - module: cloudn.compute.cloudn_snapshot
  - module: cloudn.compute.cloudn_vm
  - module: cloudn.compute.cloudn_volume
"""

EXAMPLES = r"""
- name: Create a template of a VM, which is stopped for it and started again
  cloudn.compute.cloudn_template:
    name: web-2026-11
    vm: web1
    display_text: Web server, November 2026
    allow_restart: true
    tags:
      made_of: web1

- name: Copy it to both zones
  cloudn.compute.cloudn_template:
    name: web-2026-11
    zones: [jp-e1a, jp-e1b]

- name: Create a template from an address
  cloudn.compute.cloudn_template:
    name: appliance
    zone: jp-e1a
    url: https://images.example.com/appliance.vhd
    format: VHD
    hypervisor: XenServer
    os_type: CentOS 6.0 (64-bit)
    checksum: 905cec879afd9c9d22ecc8036131a180
    password_enabled: true
    requires_hvm: true
    bits: 64

- name: Take a snapshot of the VM's root disk, without stopping the VM
  cloudn.compute.cloudn_snapshot:
    vm: web1
  register: taken

- name: Create a template from the snapshot
  cloudn.compute.cloudn_template:
    name: web-from-snapshot
    snapshot: "{{ taken.snapshot.id }}"
    os_type: CentOS 6.0 (64-bit)
  register: made

- name: Give it another name
  cloudn.compute.cloudn_template:
    id: "{{ made.template.id }}"
    name: web-copy

- name: Let everybody use it, and show it among the featured templates
  cloudn.compute.cloudn_template:
    name: web-copy
    public: true
    featured: true

- name: List the root disk of the VM
  cloudn.compute.cloudn_volume_info:
    vm: web1
    type: ROOT
  register: disks

- name: Create a template from a volume, whose VM is stopped by force for it and started again
  cloudn.compute.cloudn_template:
    name: web-from-volume
    volume: "{{ disks.volumes[0].id }}"
    allow_restart: true
    force_stop: true

- name: Ensure that a template exists, and do not mind that it has another format
  cloudn.compute.cloudn_template:
    name: appliance
    format: QCOW2
    on_immutable_drift: ignore

- name: Let another account use it, and let it be downloaded
  cloudn.compute.cloudn_template:
    name: web-2026-11
    accounts: [admin]
    extractable: true

- name: Create an address to download it from
  cloudn.compute.cloudn_template:
    name: web-2026-11
    state: extracted
  register: result

- name: Upload it to an FTP server
  cloudn.compute.cloudn_template:
    name: web-2026-11
    state: extracted
    extract_mode: ftp_upload
    extract_url: ftp://{{ ftp_user | default('me') }}:{{ ftp_password | default('secret') }}@ftp.example.com/web.vhd

- name: Delete it in one zone
  cloudn.compute.cloudn_template:
    name: web-2026-11
    zone: jp-e1b
    state: absent

- name: Delete it in all zones
  cloudn.compute.cloudn_template:
    name: web-2026-11
    state: absent
"""

RETURN = r"""
template:
  description:
    - The template as it is now. In check mode it is shown as far as it is known. If it is in several zones, the
      values are from one of them.
    - Every key is always there. A value is null if it does not apply or is not known.
  returned: always, unless the task fails before it changes anything
  type: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 90ddbb8d-8652-4356-9fb7-ed3696cf4c3a
    planned:
      description: V(true) if check mode has planned it. This task or an earlier one of the run would create it.
      returned: in check mode, for what does not exist yet
      type: bool
      sample: true
    name:
      description: Name. Several templates may have it.
      type: str
      sample: CentOS 6.2 64bit
    display_text:
      description: Description.
      type: str
      sample: CentOS 6.2 64bit
    zone:
      description: Name of the zone.
      type: str
      sample: jp-e1a
    zone_id:
      description: Id of the zone.
      type: str
      sample: 1b02e74c-6c21-4aa3-b96c-51042de8fccd
    ready:
      description: Whether it can be used.
      type: bool
      sample: true
    status:
      description: How far it has come, if the service returns it.
      type: str
      sample: Download Complete
    public:
      description: Whether everybody may use it.
      type: bool
      sample: true
    featured:
      description: Whether it is shown first.
      type: bool
      sample: true
    extractable:
      description: Whether it may be downloaded.
      type: bool
      sample: true
    cross_zones:
      description: Whether it is in every zone.
      type: bool
      sample: false
    password_enabled:
      description: Whether VMs from it get a password from the service.
      type: bool
      sample: true
    format:
      description: Format of its disk.
      type: str
      sample: VHD
    hypervisor:
      description: Hypervisor.
      type: str
      sample: XenServer
    os_type:
      description: OS type.
      type: str
      sample: CentOS 6.0 (64-bit)
    os_type_id:
      description: Id of the OS type.
      type: str
      sample: '144'
    type:
      description: V(USER), V(BUILTIN) or V(SYSTEM).
      type: str
      sample: USER
    size_bytes:
      description: Size in bytes.
      type: int
      sample: 1000000000
    checksum:
      description: Checksum, if there is one.
      type: str
      sample: 905cec879afd9c9d22ecc8036131a180
    source_template_id:
      description: Id of the template of the disk that it was created from.
      type: str
      sample: 90ddbb8d-8652-4356-9fb7-ed3696cf4c3a
    account:
      description: Account that owns it.
      type: str
      sample: admin
    domain:
      description: Name of the account's domain.
      type: str
      sample: ROOT
    created:
      description: Time of creation.
      type: str
      sample: '2026-11-23T14:39:07+0000'
    tags:
      description: Tags.
      type: dict
      sample: {}
    zones:
      description: Names of all zones that it is in.
      type: list
      elements: str
      sample: [jp-e1a, jp-e1b]
    accounts:
      description: Names of the other accounts that may create VMs from it. Only with O(accounts).
      type: list
      elements: str
      sample: [admin]
    state:
      description: V(present) or V(absent).
      type: str
      sample: present
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
templates:
  description: A list that has only RV(template) in the form of M(cloudn.compute.cloudn_template_info).
  returned: always, unless the task fails before it changes anything
  type: list
  elements: dict
actions:
  description: The steps that the task took. In check mode these are the steps that it would take. After a failure
    these are the planned steps.
  returned: always, unless the task fails before it changes anything
  type: list
  elements: str
  sample: ["web1: stop", "web-2026-11: create from the disk ROOT-12 of web1", "web1: start"]
diff:
  description: The state before and after of everything that the options manage. In check mode the state after is the
    one that the run would lead to.
  returned: always, unless the task fails before it changes anything
  type: dict
  contains:
    before:
      description: The state before, by name. Empty if it did not exist.
      type: dict
      sample: {web-2026-11: {}}
    after:
      description: The state after, by name.
      type: dict
      sample: {web-2026-11: {state: present, zone: jp-e1a}}
jobs:
  description: Ids of jobs that the task did not wait for.
  returned: with O(wait=false). Empty if there are none
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import extraction
from ansible_collections.cloudn.compute.plugins.module_utils.resources.spec import TAGS, WAIT
from ansible_collections.cloudn.compute.plugins.module_utils.resources.template.lookup import RESOURCE

SPEC = {
    "name": {"type": "str"},
    "id": {"type": "str"},
    "state": {"type": "str", "default": "present", "choices": ["present", "extracted", "absent"]},
    "zone": {"type": "str"},
    "zones": {"type": "list", "elements": "str"},
    "vm": {"type": "str"},
    "volume": {"type": "str"},
    "snapshot": {"type": "str"},
    "url": {"type": "str"},
    "format": {"type": "str", "choices": ["VHD", "QCOW2", "OVA", "RAW"]},
    "checksum": {"type": "str"},
    "hypervisor": {"type": "str"},
    "os_type": {"type": "str"},
    "display_text": {"type": "str"},
    "password_enabled": {"type": "bool", "no_log": False},
    "requires_hvm": {"type": "bool"},
    "bits": {"type": "int", "choices": [32, 64]},
    "public": {"type": "bool"},
    "featured": {"type": "bool"},
    "extractable": {"type": "bool"},
    "accounts": {"type": "list", "elements": "str"},
    "allow_restart": {"type": "bool", "default": False},
    "force_stop": {"type": "bool", "default": False},
    "extract_mode": {"type": "str", "default": "http_download", "choices": list(extraction.MODES)},
    "extract_url": {"type": "str", "no_log": True},
    "on_immutable_drift": {"type": "str", "default": "fail", "choices": ["fail", "warn", "ignore"]},
    **TAGS,
    **WAIT,
}

DEFINITION = Definition(
    SPEC,
    RESOURCE.ensure,
    plural="templates",
    singular="template",
    constraints={
        "required_one_of": [("name", "id")],
        "required_by": {"checksum": "url"},
        "mutually_exclusive": [("vm", "volume", "snapshot", "url")],
    },
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

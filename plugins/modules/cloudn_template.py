#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_template: one template in the state that is asked for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_template
short_description: Make, copy, share, extract or delete a template
version_added: 0.1.0
description:
  - Brings one template of the account to the state that is asked for. It is made, if it does not exist, of the disk of a
    virtual machine, of a volume, of a snapshot, or of an image that the service downloads; then copied to other zones; and
    waited for until it can be used in all of them.
  - Names of templates are not unique. Where several of the account's own have the name (in the O(zone), if it is given),
    the task fails and tells their ids and zones; O(id) chooses one.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Name, or the id of an existing template.
      - This or O(id) is needed.
      - The name of a template that is made of a disk or a snapshot has at most 32 characters.
    type: str
  id:
    description:
      - Id of an existing template. With it, O(name) is the name that it shall have.
    type: str
  state:
    description:
      - V(present) makes it and changes what can be changed.
      - V(extracted) makes an address to download it from, or uploads it (O(extract_mode)); that is done each time.
      - V(absent) deletes it, in the O(zone) if one is given, else everywhere.
    type: str
    choices: [present, extracted, absent]
    default: present
  zone:
    description:
      - Zone by name or id. Needed for a new one with O(url), where there are several. Limits where O(name), O(vm) and
        O(volume) are looked for.
      - A template of a disk is made in the disk's zone; another one is refused here. O(zones) has those to copy it to.
    type: str
  zones:
    description:
      - Zones by name or id in which the template shall be. It is copied to those that lack it, to all at once; it is not
        removed from others.
    type: list
    elements: str
  vm:
    description:
      - Virtual machine by id, host name or display name whose root disk a new template is made from. It must be stopped,
        see O(allow_restart), and have been started once.
    type: str
  volume:
    description:
      - Volume by name or id that a new template is made from. A machine that it is attached to must be stopped, see
        O(allow_restart).
      - The service refuses a data disk that is attached to no machine. Give a snapshot of it as O(snapshot) instead.
    type: str
  snapshot:
    description:
      - Snapshot by name or id that a new template is made from.
    type: str
  url:
    description:
      - Address (http or https, port 80 or 443) from which the service downloads a new template.
    type: str
  format:
    description:
      - Format of what is at O(url). It can't be changed.
    type: str
    choices: [VHD, QCOW2, OVA, RAW]
  checksum:
    description:
      - MD5 sum of what is at O(url).
    type: str
  hypervisor:
    description:
      - Kind of hypervisor that what is at O(url) is for, for example V(XenServer). It can't be changed.
      - One that no host of the zone runs is refused here, where the account has C(listHypervisors). The service would take
        it, but never list the template, so that each run would register another one.
    type: str
  os_type:
    description:
      - OS type by description or id. For a new one it may be left out where a machine has the disk; it is then the
        machine's.
    type: str
  display_text:
    description:
      - Description. For a new one, the name where it is not given.
    type: str
  password_enabled:
    description:
      - Whether machines made from it get a password from the service, for which it must have the service's script.
    type: bool
  requires_hvm:
    description:
      - Whether it needs hardware virtualisation. Only for a new one; the service does not tell it.
    type: bool
  bits:
    description:
      - Word size of its system. Only for a new one; the service does not tell it.
    type: int
    choices: [32, 64]
  public:
    description:
      - Whether everybody may use it.
    type: bool
  featured:
    description:
      - Whether it is one of the featured templates, which are shown first. Everybody sees a featured template that is
        O(public).
    type: bool
  extractable:
    description:
      - Whether it may be downloaded.
      - Only an administrator can change it. For any other account, a new template with O(url) may be either, and is not
        extractable where nothing is said. A new template of a root disk, or of a snapshot of one, is extractable if the
        template of that disk is; one of a data disk is not. What can't be is refused before anything is changed.
      - What a disk holds can be downloaded all the same, by M(cloudn.compute.cloudn_volume) with O(state=extracted), from a
        volume that is made of a snapshot.
    type: bool
  accounts:
    description:
      - Names of the other accounts that may make machines from it, no more and no fewer. An empty list takes the right
        from all.
      - Where the account lacks the native commands for that, they are given the right by the EC2-compatible API, if it is
        known where that is (O(ec2_url)). Where that API does not tell who has the right either, accounts that had it
        before keep it, an empty list is refused, and each run of the task gives the right anew and is changed; a warning
        says so.
    type: list
    elements: str
  allow_restart:
    description:
      - Whether a running machine may be stopped for it. It is started again when the template is taken, and also when that
        fails.
    type: bool
    default: false
  force_stop:
    description:
      - Whether the machine is stopped by force, as by pulling its plug.
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
      - What to do when an existing template differs in what can't be changed, O(format) and O(hypervisor).
    type: str
    choices: [fail, warn, ignore]
    default: fail
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.tags
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - A task that changes nothing costs one request; one or two more with O(accounts), and one with an O(os_type) that is given by
    another name than the template shows, or where O(zone) is given and nothing found there. One that would change O(extractable)
    costs one more, which asks whether the account is an administrator's.
  - A template that is made of a disk is not listed before it is there. So while the service makes one for this account, whatever its
    name, another one is not begun; waiting for that counts for O(wait_timeout).
  - With O(wait=false) it is not seen whether another run has made the same template at the same time.
  - What a template was made from is not compared; the service does not tell it. To renew one, make one of another name, or
    delete it first.
seealso:
  - module: cloudn.compute.cloudn_template_info
  - module: cloudn.compute.cloudn_snapshot
  - module: cloudn.compute.cloudn_vm
"""

EXAMPLES = r"""
- name: A template of a machine, which is stopped for it and started again
  cloudn.compute.cloudn_template:
    name: web-2026-11
    vm: web1
    display_text: Web server, November 2026
    allow_restart: true
    tags:
      made_of: web1

- name: In both zones
  cloudn.compute.cloudn_template:
    name: web-2026-11
    zones: [jp-e1a, jp-e1b]

- name: From an address
  cloudn.compute.cloudn_template:
    name: appliance
    zone: jp-e1a
    url: https://images.example.com/appliance.vhd
    format: VHD
    hypervisor: XenServer
    os_type: CentOS 6.0 (64-bit)

- name: Another account may use it
  cloudn.compute.cloudn_template:
    name: web-2026-11
    accounts: [admin]

- name: An address to download it from
  cloudn.compute.cloudn_template:
    name: web-2026-11
    state: extracted
  register: result

- name: Delete it everywhere
  cloudn.compute.cloudn_template:
    name: web-2026-11
    state: absent
"""

RETURN = r"""
template:
  description:
    - The template, as it is now or, in check mode, as far as it can be told; of one in several zones, as it is in one.
    - Every key is always there. A value is null if it does not apply or is not known.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 90ddbb8d-8652-4356-9fb7-ed3696cf4c3a
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
      description: How far it has come, where the service tells.
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
      description: Whether machines made from it get a password from the service.
      type: bool
      sample: true
    format:
      description: Format of its disk.
      type: str
      sample: VHD
    hypervisor:
      description: Kind of hypervisor that it is for.
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
      description: Checksum, where there is one.
      type: str
      sample: 905cec879afd9c9d22ecc8036131a180
    source_template_id:
      description: Id of the template of the disk that it was made from.
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
      description: Names of the other accounts that may make machines from it, where O(accounts) is given.
      type: list
      elements: str
      sample: [admin]
    state:
      description: V(present) or V(absent).
      type: str
      sample: present
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
templates:
  description: A list with RV(template) alone, of the form that M(cloudn.compute.cloudn_template_info) returns.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: dict
actions:
  description: The steps that the task took. In check mode, the steps that it would take. After a failure, the steps
    that were planned.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: str
  sample: ["web1: stop", "web-2026-11: create from the disk ROOT-12 of web1", "web1: start"]
diff:
  description: The state before and after of everything that the options manage. In check mode the state after is the
    one that the run would lead to.
  returned: always, except where the task fails before anything is changed
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
  returned: when there are any (O(wait=false))
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.module import TAGS, WAIT, run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import extraction, template_ensure

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


def main() -> None:
    run(
        SPEC,
        template_ensure.ensure,
        plural="templates",
        singular="template",
        required_one_of=[("name", "id")],
        required_by={"checksum": "url"},
        mutually_exclusive=[("vm", "volume", "snapshot", "url")],
    )


if __name__ == "__main__":
    main()

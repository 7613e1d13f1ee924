#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_template_info: templates, listed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_template_info
short_description: List templates
version_added: 1.0.0
description:
  - Lists templates with one entry for each zone of a template. The list is empty if nothing is found.
  - If several options are given, only templates that fit all of them are listed.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Only templates with exactly this name. Names are not unique.
    type: str
  id:
    description:
      - Only the template with this id.
    type: str
  zone:
    description:
      - Only templates in this zone, given by name or id. An unknown zone is an error.
    type: str
  template_filter:
    description:
      - The set of templates to list.
      - V(executable) has the public templates and the account's own, V(featured) the public ones that the service shows
        first, and V(community) the other public ones. V(self) has all of the account's own templates, V(selfexecutable)
        those of them that are ready. V(sharedexecutable) has those that other accounts share with the account.
    type: str
    choices: [executable, featured, self, selfexecutable, sharedexecutable, community]
    default: executable
  tags:
    description:
      - Only templates with all of these tags, given as keys and values. Case, accents and blanks at the end of a key do not
        count.
    type: dict
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes.info
notes:
  - The module sends one request for fewer than 500 templates, and one more with O(zone). The service returns a longer
    list in another order each time. So the module reads its pages again until it has seen all templates. 600
    templates take about ten requests.
seealso:
  - module: cloudn.compute.cloudn_vm
  - module: cloudn.compute.cloudn_template
"""

EXAMPLES = r"""
- name: List the templates for new VMs in one zone
  cloudn.compute.cloudn_template_info:
    zone: jp-e1a
  register: result

- name: Find the id of one of them by its name
  cloudn.compute.cloudn_template_info:
    name: CentOS 6.2 64bit
    zone: jp-e1a

- name: List the account's own templates
  cloudn.compute.cloudn_template_info:
    template_filter: self

- name: List the templates with a tag
  cloudn.compute.cloudn_template_info:
    tags:
      made_of: web1

- name: Show the template with an id
  cloudn.compute.cloudn_template_info:
    id: 90ddbb8d-8652-4356-9fb7-ed3696cf4c3a
"""

RETURN = r"""
templates:
  description: The templates. Every key is always there. A value is null if the service does not return it.
  returned: success
  type: list
  elements: dict
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
      description: Null here. M(cloudn.compute.cloudn_template) returns the accounts if they are given.
      type: list
      elements: str
      sample: []
    state:
      description: V(present).
      type: str
      sample: present
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.lookup import TEMPLATE_FILTERS
from ansible_collections.cloudn.compute.plugins.module_utils.resources.template import view as template

SPEC = {
    "name": {"type": "str"},
    "id": {"type": "str"},
    "zone": {"type": "str"},
    "template_filter": {"type": "str", "default": "executable", "choices": list(TEMPLATE_FILTERS)},
    "tags": {"type": "dict"},
}

DEFINITION = Definition(
    SPEC,
    lambda client, options, _check: {
        "templates": [template.to_result(item) for item in template.select(client, options)]
    },
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_security_group_info: security groups, listed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_security_group_info
short_description: List security groups
version_added: 1.0.0
description:
  - Lists security groups with their rules. Lists all groups or those that the options select. The list is empty if
    nothing is found.
  - If several options are given, only groups that fit all of them are listed.
  - Each group has the same form as in M(cloudn.compute.cloudn_security_group).
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Only the security group with this name. Case, accents and blanks at the end do not count.
    type: str
  id:
    description:
      - Only the group with this id.
    type: str
  vm:
    description:
      - Only groups of this VM, given by host name, id or display name.
    type: str
  tags:
    description:
      - Only security groups with all of these tags, given as keys and values. Case, accents and blanks at the end
        of a key do not count.
    type: dict
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes.info
notes:
  - The module sends one request for fewer than 500 groups. For more groups it sends about one for every 450. O(vm)
    costs one more. The service itself applies O(name), O(id) and O(tags), to keep its lists short. Without these it
    applies O(vm).
  - The tags of all groups that were found cost one more request. The service does not show tags when it lists groups.
seealso:
  - module: cloudn.compute.cloudn_security_group
  - module: cloudn.compute.cloudn_vm_info
"""

EXAMPLES = r"""
- name: Show what may reach the web servers
  cloudn.compute.cloudn_security_group_info:
    name: web
  register: web

- name: List groups with a tag
  cloudn.compute.cloudn_security_group_info:
    tags:
      tier: front

- name: List the groups of one VM
  cloudn.compute.cloudn_security_group_info:
    vm: web1

- name: Show the group with an id
  cloudn.compute.cloudn_security_group_info:
    id: 67e9b4de-505e-41f0-9020-0f60bb0ac983
"""

RETURN = r"""
security_groups:
  description: The security groups. Every key is always there. A value is null if it does not apply or is not known.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 67e9b4de-505e-41f0-9020-0f60bb0ac983
    planned:
      description: V(true) if check mode has planned it. This task or an earlier one of the run would create it.
      returned: in check mode, for what does not exist yet
      type: bool
      sample: true
    name:
      description: Name.
      type: str
      sample: web
    description:
      description: Description.
      type: str
      sample: Web servers
    ingress:
      description: Rules for inbound traffic. Each network or group on the other side is one rule.
      type: list
      elements: dict
      contains:
        id:
          description: Id of the rule.
          type: str
          sample: 6b51bff3-697f-4d70-9cb3-0aba8786f94f
        protocol:
          description: Protocol.
          type: str
          sample: tcp
        ports:
          description: Port or range of ports for V(tcp) and V(udp).
          type: str
          sample: 8000-8100
        icmp_type:
          description: Type of the ICMP message for V(icmp). V(-1) is any type.
          type: int
          sample: 8
        icmp_code:
          description: Code of the ICMP message for V(icmp). V(-1) is any code.
          type: int
          sample: 0
        cidr:
          description: Network on the other side as the service keeps it. Null if the other side is a group.
          type: str
          sample: 192.0.2.0/24
        group:
          description: Security group on the other side. Null if the other side is a network.
          type: dict
          contains:
            name:
              description: Name.
              type: str
              sample: web
            account:
              description: Account that owns it.
              type: str
              sample: flatuser
    egress:
      description: Rules for outbound traffic in the same form.
      type: list
      elements: dict
      contains:
        id:
          description: Id of the rule.
          type: str
          sample: 6b51bff3-697f-4d70-9cb3-0aba8786f94f
        protocol:
          description: Protocol.
          type: str
          sample: tcp
        ports:
          description: Port or range of ports for V(tcp) and V(udp).
          type: str
          sample: 8000-8100
        icmp_type:
          description: Type of the ICMP message for V(icmp). V(-1) is any type.
          type: int
          sample: 8
        icmp_code:
          description: Code of the ICMP message for V(icmp). V(-1) is any code.
          type: int
          sample: 0
        cidr:
          description: Network on the other side as the service keeps it. Null if the other side is a group.
          type: str
          sample: 192.0.2.0/24
        group:
          description: Security group on the other side. Null if the other side is a network.
          type: dict
          contains:
            name:
              description: Name.
              type: str
              sample: web
            account:
              description: Account that owns it.
              type: str
              sample: flatuser
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
    tags:
      description: Tags.
      type: dict
      sample: {tier: front}
    state:
      description: V(present).
      type: str
      sample: present
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.security_group import view as security_group

SPEC = {
    "name": {"type": "str"},
    "id": {"type": "str"},
    "vm": {"type": "str"},
    "tags": {"type": "dict"},
}

DEFINITION = Definition(
    SPEC,
    lambda client, options, _check: {
        "security_groups": [security_group.to_result(group) for group in security_group.select(client, options)]
    },
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

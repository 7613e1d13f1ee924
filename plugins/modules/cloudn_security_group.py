#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_security_group: a security group and its rules."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_security_group
short_description: Make, change and delete security groups and their rules
version_added: 0.1.0
description:
  - Brings a security group, its rules and its tags to the state that is asked for.
  - Rules are a set. A rule that is replaced is added in its new form before the old one is removed.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Security group, by name or id. Names are unique in an account.
      - Names are compared as the service does it, here and wherever a security group is named. Case, accents and blanks at
        the end do not count, so V(web) is the group C(Web) where that exists.
    type: str
    required: true
  state:
    description:
      - V(present), it exists. V(absent), it does not.
      - A group that a virtual machine uses, or that a rule of another group names, can't be deleted. That is an error which
        names them, and in check mode a warning.
      - A group with rules that name the group itself can't be deleted either, so these rules are revoked first, unless a
        virtual machine or a rule of another group holds it too.
      - A destroyed virtual machine uses its groups until the service has expunged it, by default a day later. See
        O(wait_for_expunge) for what becomes of such a group.
    type: str
    choices: [present, absent]
    default: present
  description:
    description:
      - Description of a new group. The service can't change it later.
    type: str
  ingress:
    description:
      - Rules for what may come in. Their order does not matter.
      - Where it is not given, these rules are left as they are. An empty list removes them all.
    type: list
    elements: dict
    suboptions:
      protocol:
        description:
          - Protocol.
        type: str
        choices: [tcp, udp, icmp, all]
        default: tcp
      ports:
        description:
          - Port (V(22)) or range of ports (V(8000-8100)). Needed with V(tcp) and V(udp). V(0-65535) are all of them.
          - V(0) alone is refused, as the service takes it for all ports.
        type: str
      icmp_type:
        description:
          - Type of ICMP message, V(0) to V(255). V(-1) is any type, and so is no value.
        type: int
      icmp_code:
        description:
          - Code of ICMP message, V(0) to V(255). Needed with a type; an echo request (type V(8)) has the code V(0).
          - V(-1) is any code, and so is no value. The service takes that only for messages of any type.
        type: int
      cidrs:
        description:
          - Networks or addresses on the other side (IPv4). V(0.0.0.0/0) is every address.
          - V(192.0.2.1/24) is taken as V(192.0.2.0/24), with a warning. The service keeps the two as two rules, so a rule
            that another client made may be of either form. Both let the same pass, so either is enough, and where several
            such rules are there, the others are removed (see O(purge_rules)).
          - An address with the prefix 0 that is not V(0.0.0.0/0) is refused.
        type: list
        elements: str
      groups:
        description:
          - Security groups on the other side.
        type: list
        elements: dict
        suboptions:
          name:
            description:
              - Name of the group.
            type: str
            required: true
          account:
            description:
              - Account that owns the group; this account where it is not given.
            type: str
  egress:
    description:
      - Rules for what may go out. Their order does not matter.
      - Where it is not given, these rules are left as they are. An empty list removes them all.
    type: list
    elements: dict
    suboptions:
      protocol:
        description:
          - Protocol.
        type: str
        choices: [tcp, udp, icmp, all]
        default: tcp
      ports:
        description:
          - Port (V(22)) or range of ports (V(8000-8100)). Needed with V(tcp) and V(udp). V(0-65535) are all of them.
          - V(0) alone is refused, as the service takes it for all ports.
        type: str
      icmp_type:
        description:
          - Type of ICMP message, V(0) to V(255). V(-1) is any type, and so is no value.
        type: int
      icmp_code:
        description:
          - Code of ICMP message, V(0) to V(255). Needed with a type; an echo request (type V(8)) has the code V(0).
          - V(-1) is any code, and so is no value. The service takes that only for messages of any type.
        type: int
      cidrs:
        description:
          - Networks or addresses on the other side (IPv4). V(0.0.0.0/0) is every address.
          - V(192.0.2.1/24) is taken as V(192.0.2.0/24), with a warning. The service keeps the two as two rules, so a rule
            that another client made may be of either form. Both let the same pass, so either is enough, and where several
            such rules are there, the others are removed (see O(purge_rules)).
          - An address with the prefix 0 that is not V(0.0.0.0/0) is refused.
        type: list
        elements: str
      groups:
        description:
          - Security groups on the other side.
        type: list
        elements: dict
        suboptions:
          name:
            description:
              - Name of the group.
            type: str
            required: true
          account:
            description:
              - Account that owns the group; this account where it is not given.
            type: str
  purge_rules:
    description:
      - Whether rules that are not given are removed, in the directions that are given.
    type: bool
    default: true
  on_immutable_drift:
    description:
      - What to do when an existing group has another description than O(description).
    type: str
    choices: [fail, warn, ignore]
    default: fail
  wait_for_expunge:
    description:
      - What to do with O(state=absent) when the service refuses to delete the group, and no virtual machine and no rule that
        it lists holds it. Then a destroyed virtual machine must hold it, or a rule in a group of another account.
      - V(false), the task ends well, with a warning, and RV(left) tells of the group. It can't be used for anything that
        is there, so its rules that name groups are revoked, as they would keep those groups from being deleted. Run the task
        again later.
      - V(true), it is tried again, with growing pauses, until the group is deleted or O(wait_timeout) is over, which is
        an error. This does not depend on O(wait).
    type: bool
    default: false
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.tags
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - A task that changes nothing costs one request; one more with O(tags). The service does not show the tags of a group
    where it lists groups, so they are asked for apart, and only there.
  - All networks of one protocol and range of ports are added by one request.
  - Who holds a group that shall go is looked up where the service refuses to delete it, in check mode, and where the group has
    rules that name itself. That costs a listing of all groups and one of all virtual machines.
  - Rules of a group change one after the other, which takes about 0.1 seconds for each request. The service locks the
    group for each change, and a change that finds it locked sleeps for 5 seconds.
  - With O(wait=false), rules whose ends nothing else waits for are sent at once, and the service may take a minute for
    many of them. Where old rules are to go too, only their removals are sent so, after the new ones are there. Where tags
    are to change too, all rules change one after the other before.
  - The service may take two groups of one name when two runs make them at the same moment. So a task that has made a
    group lists it once more before it adds rules. Of two groups one is left, and both runs go on with that one. With
    O(wait=false) nobody looks.
seealso:
  - module: cloudn.compute.cloudn_security_group_info
  - module: cloudn.compute.cloudn_vm
"""

EXAMPLES = r"""
- name: Web servers, open to all, with SSH from the office
  cloudn.compute.cloudn_security_group:
    name: web
    description: Web servers
    ingress:
      - ports: 80
        cidrs: [0.0.0.0/0]
      - ports: 443
        cidrs: [0.0.0.0/0]
      - ports: 22
        cidrs: [192.0.2.0/24, 198.51.100.7]
      - protocol: icmp
        cidrs: [0.0.0.0/0]

- name: All ports from the office, and echo requests (ping) from everywhere
  cloudn.compute.cloudn_security_group:
    name: lab
    ingress:
      - ports: 0-65535
        cidrs: [192.0.2.0/24]
      - protocol: icmp
        icmp_type: 8
        icmp_code: 0
        cidrs: [0.0.0.0/0]

- name: Databases, for the web servers only
  cloudn.compute.cloudn_security_group:
    name: db
    ingress:
      - ports: 5432
        groups:
          - name: web

- name: One more rule beside those that are there
  cloudn.compute.cloudn_security_group:
    name: web
    ingress:
      - ports: 8000-8100
        cidrs: [192.0.2.0/24]
    purge_rules: false

- name: Egress rules, which limit what may go out
  cloudn.compute.cloudn_security_group:
    name: db
    egress:
      - protocol: udp
        ports: 53
        cidrs: [0.0.0.0/0]
    tags:
      tier: back

- name: Nothing may come in
  cloudn.compute.cloudn_security_group:
    name: db
    ingress: []

- name: Delete it
  cloudn.compute.cloudn_security_group:
    name: db
    state: absent

- name: Delete it also where a destroyed machine still holds it, which may take a day
  cloudn.compute.cloudn_security_group:
    name: web
    state: absent
    wait_for_expunge: true
    wait_timeout: 90000
"""

RETURN = r"""
security_group:
  description:
    - The security group, as it is now or, in check mode, as far as it can be told. Rules and ids of what is not made
      yet can't be.
    - Every key is always there; what does not apply or is not known is null.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 67e9b4de-505e-41f0-9020-0f60bb0ac983
    name:
      description: Name.
      type: str
      sample: web
    description:
      description: Description.
      type: str
      sample: Web servers
    ingress:
      description: Rules for what comes in, one for each network or group on the other side.
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
          description: Port or range of ports, with V(tcp) and V(udp).
          type: str
          sample: 8000-8100
        icmp_type:
          description: Type of ICMP message, with V(icmp); V(-1) is any.
          type: int
          sample: 8
        icmp_code:
          description: Code of ICMP message, with V(icmp); V(-1) is any.
          type: int
          sample: 0
        cidr:
          description: Network on the other side, where it is one, as the service keeps it.
          type: str
          sample: 192.0.2.0/24
        group:
          description: Security group on the other side, where it is one.
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
      description: Rules for what goes out, of the same form.
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
          description: Port or range of ports, with V(tcp) and V(udp).
          type: str
          sample: 8000-8100
        icmp_type:
          description: Type of ICMP message, with V(icmp); V(-1) is any.
          type: int
          sample: 8
        icmp_code:
          description: Code of ICMP message, with V(icmp); V(-1) is any.
          type: int
          sample: 0
        cidr:
          description: Network on the other side, where it is one, as the service keeps it.
          type: str
          sample: 192.0.2.0/24
        group:
          description: Security group on the other side, where it is one.
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
      description: Tags. Null where they are not known, as they are asked for only with O(tags).
      type: dict
      sample: {tier: front}
    state:
      description: V(present) or V(absent).
      type: str
      sample: present
security_groups:
  description: A list with RV(security_group) alone, of the form that M(cloudn.compute.cloudn_security_group_info)
    returns.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: dict
actions:
  description: What was done, step by step, or in check mode would be. Of a task that failed, what was to be done.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: str
  sample: ["web: allow ingress tcp 80 from 0.0.0.0/0", "web: revoke ingress tcp 8080 from 0.0.0.0/0"]
diff:
  description: What was and what is, or in check mode would be, of everything that the options manage.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    before:
      description: What was, by name of the group. Empty for one that did not exist.
      type: dict
      sample: {web: {state: present, ingress: ["tcp 8080 0.0.0.0/0"]}}
    after:
      description: What is, by name of the group.
      type: dict
      sample: {web: {state: present, ingress: ["tcp 80 0.0.0.0/0"]}}
left:
  description: The group, where it was to be deleted and could not be yet, see O(wait_for_expunge). Otherwise empty.
  returned: with O(state=absent), except where the task fails before anything is changed
  type: list
  elements: dict
  contains:
    name:
      description: Name.
      type: str
      sample: web
    id:
      description: Id.
      type: str
      sample: 67e9b4de-505e-41f0-9020-0f60bb0ac983
    held_by:
      description: What must hold it, in words.
      type: str
      sample: a destroyed virtual machine, until the service has expunged it, or a rule in a group of another account
jobs:
  description: Ids of jobs that were not waited for.
  returned: when there are any (O(wait=false))
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.module import TAGS, WAIT, run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import rules, security_group_ensure

RULES = {
    "type": "list",
    "elements": "dict",
    "options": {
        "protocol": {"type": "str", "default": "tcp", "choices": list(rules.PROTOCOLS)},
        "ports": {"type": "str"},
        "icmp_type": {"type": "int"},
        "icmp_code": {"type": "int"},
        "cidrs": {"type": "list", "elements": "str"},
        "groups": {
            "type": "list",
            "elements": "dict",
            "options": {"name": {"type": "str", "required": True}, "account": {"type": "str"}},
        },
    },
}

SPEC = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "description": {"type": "str"},
    "ingress": RULES,
    "egress": RULES,
    "purge_rules": {"type": "bool", "default": True},
    "on_immutable_drift": {"type": "str", "default": "fail", "choices": ["fail", "warn", "ignore"]},
    "wait_for_expunge": {"type": "bool", "default": False},
    **TAGS,
    **WAIT,
}


def main() -> None:
    run(SPEC, security_group_ensure.ensure, plural="security_groups", singular="security_group")


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_security_group: a security group and its rules."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_security_group
short_description: Create, change and delete security groups and their rules
version_added: 1.0.0
description:
  - Brings a security group with its rules and tags to the requested state.
  - Rules are a set. A replaced rule is removed after the new one was added.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Name or id of the security group. Names are unique in an account.
      - Names of security groups are always compared as the service compares them. Case, accents and blanks at the end
        do not count. So V(web) is the group C(Web) if that one exists.
    type: str
    required: true
  state:
    description:
      - With V(present) the group exists. With V(absent) it does not exist.
      - A group cannot be deleted if a VM uses it or if a rule of another group names it. The error names these. In
        check mode it is a warning.
      - The service does not delete a group with rules that name the group itself. So the module first revokes these
        rules. It does not revoke them if a VM or a rule of another group holds the group too.
      - A destroyed VM uses its groups until the service has expunged it. By default that is a day later. See
        O(wait_for_expunge) for what happens to such a group.
    type: str
    choices: [present, absent]
    default: present
  description:
    description:
      - Description of a new group. The service cannot change it later.
    type: str
  ingress:
    description:
      - Rules for inbound traffic. Their order does not matter.
      - Without this option these rules are left as they are. An empty list removes all of them.
    type: list
    elements: dict
    suboptions:
      protocol:
        description:
          - Protocol. V(all) is every protocol with all its ports.
        type: str
        choices: [tcp, udp, icmp, all]
        default: tcp
      ports:
        description:
          - A port (V(22)) or a range of ports (V(8000-8100)). Required with V(tcp) and V(udp). V(0-65535) is all
            ports.
          - V(0) alone is refused because the service takes it for all ports.
        type: str
      icmp_type:
        description:
          - Type of the ICMP message, V(0) to V(255). V(-1) or no value is any type.
        type: int
      icmp_code:
        description:
          - Code of the ICMP message, V(0) to V(255). Required with a type. An echo request (type V(8)) has the code
            V(0).
          - V(-1) or no value is any code. The service takes that only for messages of any type.
        type: int
      cidrs:
        description:
          - IP networks or addresses on the other side. V(0.0.0.0/0) is every address of IPv4. A rule needs O(ingress[].cidrs)
            or O(ingress[].groups), or both.
          - CloudStack 4 takes IPv6 too, such as V(2001:db8::/32). V(::/0) is every address of IPv6.
          - V(192.0.2.1/24) is taken as V(192.0.2.0/24) with a warning. The service keeps the two forms as two rules.
            So a rule of another client may have either form. Both rules allow the same traffic. So either one is
            enough. The module removes the others if there are several such rules (see O(purge_rules)).
          - An address with the prefix 0 is refused unless it is V(0.0.0.0/0).
        type: list
        elements: str
      groups:
        description:
          - Security groups on the other side. A name alone stands for a mapping with this O(ingress[].groups[].name).
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
              - Account that owns the group. The default is this account.
            type: str
  egress:
    description:
      - Rules for outbound traffic. Their order does not matter.
      - Without this option these rules are left as they are. An empty list removes all of them.
    type: list
    elements: dict
    suboptions:
      protocol:
        description:
          - Protocol. V(all) is every protocol with all its ports.
        type: str
        choices: [tcp, udp, icmp, all]
        default: tcp
      ports:
        description:
          - A port (V(22)) or a range of ports (V(8000-8100)). Required with V(tcp) and V(udp). V(0-65535) is all
            ports.
          - V(0) alone is refused because the service takes it for all ports.
        type: str
      icmp_type:
        description:
          - Type of the ICMP message, V(0) to V(255). V(-1) or no value is any type.
        type: int
      icmp_code:
        description:
          - Code of the ICMP message, V(0) to V(255). Required with a type. An echo request (type V(8)) has the code
            V(0).
          - V(-1) or no value is any code. The service takes that only for messages of any type.
        type: int
      cidrs:
        description:
          - IP networks or addresses on the other side. V(0.0.0.0/0) is every address of IPv4. A rule needs O(egress[].cidrs)
            or O(egress[].groups), or both.
          - CloudStack 4 takes IPv6 too, such as V(2001:db8::/32). V(::/0) is every address of IPv6.
          - V(192.0.2.1/24) is taken as V(192.0.2.0/24) with a warning. The service keeps the two forms as two rules.
            So a rule of another client may have either form. Both rules allow the same traffic. So either one is
            enough. The module removes the others if there are several such rules (see O(purge_rules)).
          - An address with the prefix 0 is refused unless it is V(0.0.0.0/0).
        type: list
        elements: str
      groups:
        description:
          - Security groups on the other side. A name alone stands for a mapping with this O(egress[].groups[].name).
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
              - Account that owns the group. The default is this account.
            type: str
  purge_rules:
    description:
      - Whether to remove rules that are not given. It applies only to the directions (O(ingress), O(egress)) that are
        given. With V(false) the given rules are added to the existing ones.
    type: bool
    default: true
  on_immutable_drift:
    description:
      - What to do if an existing group has another description than O(description). V(fail) is an error, V(warn) a
        warning. V(ignore) leaves the description as it is without a message.
    type: str
    choices: [fail, warn, ignore]
    default: fail
  wait_for_expunge:
    description:
      - What to do with O(state=absent) if the service refuses to delete the group although no VM and no rule that it
        lists holds the group. In this case a destroyed VM or a rule in a group of another account must hold it.
      - With V(false) the task ends without an error. It warns. RV(left) names the group. Nothing that exists can use
        the group. So the module revokes its rules that name groups. They would keep those groups from being deleted.
        Run the task again later.
      - With V(true) the module tries again with growing pauses until the group is deleted. It is an error if
        O(wait_timeout) is over first. This does not depend on O(wait).
    type: bool
    default: false
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.tags
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - A task that changes nothing costs one request. With O(tags) it costs two. The service does not show tags when it
    lists groups. So the module asks for them separately. It does so only with O(tags).
  - One request adds all networks of one protocol and range of ports.
  - The module looks up what holds a group when the service refuses to delete it, in check mode, and when the group
    has rules that name itself. This costs a listing of all groups and one of all VMs.
  - Rules of a group change one after the other. Each request takes about 0.1 seconds. The service locks the group for
    each change. A change that finds the group locked sleeps for 5 seconds.
  - With O(wait=false) the module sends at once all rules that no later step waits for. The service may take a minute
    for many of them. If old rules must go too, only their removals are sent this way. They are sent after the new
    rules are there. If tags must change too, all rules change one after the other before the tags.
  - The service may take two groups with one name when two runs create them at the same moment. So a task that has
    created a group lists it once more before it adds rules. One of the two groups is left, and both runs go on with
    it. With O(wait=false) there is no such check.
seealso:
  - module: cloudn.compute.cloudn_security_group_info
  - module: cloudn.compute.cloudn_vm
"""

EXAMPLES = r"""
- name: Open web servers to all, and SSH to the office
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

- name: Open all ports to the office, and allow ping (echo requests) from everywhere
  cloudn.compute.cloudn_security_group:
    name: lab
    ingress:
      - ports: 0-65535
        cidrs: [192.0.2.0/24]
      - protocol: icmp
        icmp_type: 8
        icmp_code: 0
        cidrs: [0.0.0.0/0]

- name: Open databases to the web servers only
  cloudn.compute.cloudn_security_group:
    name: db
    ingress:
      - ports: 5432
        groups: [web]

- name: Add one rule and keep the others
  cloudn.compute.cloudn_security_group:
    name: web
    ingress:
      - ports: 8000-8100
        cidrs: [192.0.2.0/24]
    purge_rules: false

- name: Limit outbound traffic with egress rules
  cloudn.compute.cloudn_security_group:
    name: db
    egress:
      - protocol: udp
        ports: 53
        cidrs: [0.0.0.0/0]
    tags:
      tier: back

- name: Let VMs of the same group and of another account's group reach all ports of the databases
  cloudn.compute.cloudn_security_group:
    name: db
    ingress:
      - protocol: all
        groups:
          - db
          - name: default
            account: admin

- name: Accept the description that the group has
  cloudn.compute.cloudn_security_group:
    name: web
    description: All web servers
    on_immutable_drift: ignore

- name: Close the group to all inbound traffic
  cloudn.compute.cloudn_security_group:
    name: db
    ingress: []

- name: Delete the group
  cloudn.compute.cloudn_security_group:
    name: db
    state: absent

- name: Delete the group, and wait up to a day if a destroyed VM still holds it
  cloudn.compute.cloudn_security_group:
    name: web
    state: absent
    wait_for_expunge: true
    wait_timeout: 90000
"""

RETURN = r"""
security_group:
  description:
    - The security group as it is now. In check mode it is shown as far as it is known. Ids and rules that do not
      exist yet are not known.
    - Every key is always there. A value is null if it does not apply or is not known.
  returned: always, unless the task fails before it changes anything
  type: dict
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
      description: Tags. Null without O(tags). The module does not ask for them then.
      type: dict
      sample: {tier: front}
    state:
      description: V(present) or V(absent).
      type: str
      sample: present
security_groups:
  description: A list that has only RV(security_group) in the form of M(cloudn.compute.cloudn_security_group_info).
  returned: always, unless the task fails before it changes anything
  type: list
  elements: dict
actions:
  description: The steps that the task took. In check mode these are the steps that it would take. After a failure
    these are the planned steps.
  returned: always, unless the task fails before it changes anything
  type: list
  elements: str
  sample: ["web: allow ingress tcp 80 from 0.0.0.0/0", "web: revoke ingress tcp 8080 from 0.0.0.0/0"]
diff:
  description: The state before and after of everything that the options manage. In check mode the state after is the
    one that the run would lead to.
  returned: always, unless the task fails before it changes anything
  type: dict
  contains:
    before:
      description: The state before, by name of the group. Empty if it did not exist.
      type: dict
      sample: {web: {state: present, ingress: ["tcp 8080 0.0.0.0/0"]}}
    after:
      description: The state after, by name of the group.
      type: dict
      sample: {web: {state: present, ingress: ["tcp 80 0.0.0.0/0"]}}
left:
  description: The group if it could not be deleted yet. See O(wait_for_expunge). Otherwise empty.
  returned: with O(state=absent), unless the task fails before it changes anything
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
      description: Text that says what must hold the group.
      type: str
      sample: a destroyed VM, until the service has expunged it, or a rule in a group of another account
jobs:
  description: Ids of jobs that the task did not wait for.
  returned: with O(wait=false). Empty if there are none
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.security_group import lookup as security_group
from ansible_collections.cloudn.compute.plugins.module_utils.resources.security_group.spec import CONSTRAINTS, SPEC

DEFINITION = Definition(
    SPEC, security_group.ensure, plural="security_groups", singular="security_group", constraints=CONSTRAINTS
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

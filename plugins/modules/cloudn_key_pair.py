#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_key_pair: one SSH key pair in the state that is asked for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_key_pair
short_description: Create, register or delete an SSH key pair
version_added: 1.0.0
description:
  - Brings one SSH key pair to the requested state. O(cloudn.compute.cloudn_vm#module:key_pair) puts its public key
    into new VMs.
  - The service keeps the public key and shows its fingerprint. The service returns the private key of a pair that it
    generates once and does not keep it.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Name of the key pair. The service ignores case, accents and blanks at the end.
    type: str
    required: true
  state:
    description:
      - With V(present) the pair exists. The module registers O(public_key). Without a key the service generates a new pair.
        An existing pair is then left as it is.
      - With V(absent) the pair does not exist.
    type: str
    choices: [present, absent]
    default: present
  public_key:
    description:
      - Public key in OpenSSH's form on one line. Services of CloudStack 3.0 take only V(ssh-rsa). Services of
        CloudStack 4 take a key only once for all names.
      - If the pair exists with another key, the task fails and shows both fingerprints. O(force=true) replaces the
        pair.
    type: str
  force:
    description:
      - Whether to replace a pair that exists with another key. VMs that were created with the old key keep it.
      - On CloudStack 4 it also replaces several pairs with this name by one.
      - This option alone does not replace a pair that a VM shows. See O(break_machines).
    type: bool
    default: false
  break_machines:
    description:
      - Whether a pair that a VM shows as its own may be deleted or replaced. Without this option the task fails and
        names these VMs.
      - After that CloudStack 3.0 fails with error 530 on every list that would show one of these VMs. It also says
        that commands on them failed although they are done. This affects the whole account. The VMs themselves go on
        running.
      - CloudStack 4 goes on showing such VMs, so the module does not protect a pair there.
      - Register the same public key again under any name to repair this. Or destroy the VMs by their ids.
      - For each VM the service shows the first pair that holds its public key. A pair may be deleted if another pair
        holds the same key.
    type: bool
    default: false
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - A task that changes nothing costs one request. The module lists the VMs before it deletes or replaces a pair. It
    lists the key pairs too if a VM shows this pair. With O(break_machines=true) it lists neither.
  - The service may take two pairs with one name when two runs create them at the same moment. It deletes pairs by
    their name. So nobody can choose one of them. A task that has created a pair lists it again after a second. If
    there are two, each run that created one fails. The error names both fingerprints. O(state=absent) deletes all pairs with the
    name. With O(wait=false) there is no such check.
  - Key pairs are not in the service's manual. The error says what to do instead if the account lacks them.
seealso:
  - module: cloudn.compute.cloudn_key_pair_info
  - module: cloudn.compute.cloudn_vm
"""

EXAMPLES = r"""
- name: Register your own public key
  cloudn.compute.cloudn_key_pair:
    name: mine
    public_key: "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDH7lNJg26VxcD8G/T53Tj9nxXLTuKXTPt1dytQybTMG2aMXCacJD\
      ZOEuXCSIliuPc2Cwk7XCHJnFwQfoC1X7R2QiPunAu8OHEwJSb2KjKi5EvM5tNQ2igxLh2T8r3O2VoxKKhknahBQR76d\
      MPKOheEWFw8/iKjrxFvRjTBzJpu9Q== me@example.com"

- name: Replace the pair with another public key
  cloudn.compute.cloudn_key_pair:
    name: mine
    public_key: "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDq21fS4YqdcEk3AJ8ny3yyUZjvC6QVAy6Yva8SCbh7gzl4gYg28Y4IWGv\
      MLyKEffNE3iIWbeT/K2zXwFz1jsucEIWXPNhrRv9dNO3AjATCX1s5jGp6H57bYhvW51v6fkUH4v/UhSXonbXDNdeom6KKy4bF5D8\
      tOTqr8QU/aeLNXQ== me@example.com"
    force: true

- name: Let the service generate a pair
  cloudn.compute.cloudn_key_pair:
    name: deploy
  register: made
  no_log: true # the result of a new pair holds its private key

- name: Save its private key
  ansible.builtin.copy:
    content: "{{ made.key_pair.private_key }}"
    dest: "{{ lookup('ansible.builtin.env', 'HOME') }}/cloudn-deploy.pem"
    mode: '0600'
  when: made.key_pair.private_key is defined
  no_log: true

- name: Delete the pair unless a VM shows it
  cloudn.compute.cloudn_key_pair:
    name: deploy
    state: absent

- name: Delete a pair even if VMs show it, which breaks lists of these VMs
  cloudn.compute.cloudn_key_pair:
    name: mine
    state: absent
    break_machines: true
"""

RETURN = r"""
key_pair:
  description:
    - The key pair as it is now. In check mode it is shown as far as it is known.
    - Every key but RV(key_pair.private_key) is always there. A value is null if it is not known.
  returned: always, unless the task fails before it changes anything
  type: dict
  contains:
    name:
      description: Name.
      type: str
      sample: deploy
    planned:
      description: V(true) if check mode has planned it. This task or an earlier one of the run would create it.
      returned: in check mode, for what does not exist yet
      type: bool
      sample: true
    fingerprint:
      description: Fingerprint of the public key. It is the key's MD5 sum.
      type: str
      sample: 43:51:43:a1:b5:fc:8b:b7:0a:3a:a9:b1:0f:66:73:a8
    state:
      description: V(present) or V(absent).
      type: str
      sample: present
    private_key:
      description: Private key of the pair that the service just generated. It is not shown again. Set C(no_log) on
        the task and write the key to a file at once.
      type: str
      returned: if the service generated the pair
      sample: "-----BEGIN RSA PRIVATE KEY-----\n..."
key_pairs:
  description: A list that has only RV(key_pair) in the form of M(cloudn.compute.cloudn_key_pair_info).
  returned: always, unless the task fails before it changes anything
  type: list
  elements: dict
actions:
  description: The steps that the task took. In check mode these are the steps that it would take. After a failure
    these are the planned steps.
  returned: always, unless the task fails before it changes anything
  type: list
  elements: str
  sample: ["deploy: create"]
diff:
  description: The state before and after of everything that the options manage. In check mode the state after is the
    one that the run would lead to.
  returned: always, unless the task fails before it changes anything
  type: dict
  contains:
    before:
      description: The state before, by name. Empty if it did not exist.
      type: dict
      sample: {deploy: {}}
    after:
      description: The state after, by name.
      type: dict
      sample: {deploy: {state: present}}
jobs:
  description: Ids of jobs that the task did not wait for.
  returned: with O(wait=false). Empty if there are none
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.key_pair import RESOURCE
from ansible_collections.cloudn.compute.plugins.module_utils.resources.key_pair_spec import CONSTRAINTS, SPEC

DEFINITION = Definition(SPEC, RESOURCE.ensure, plural="key_pairs", singular="key_pair", constraints=CONSTRAINTS)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_key_pair: one SSH key pair in the state that is asked for."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_key_pair
short_description: Make, register or delete an SSH key pair
version_added: 0.1.0
description:
  - Brings one SSH key pair to the state that is asked for. New virtual machines get its public key by
    O(cloudn.compute.cloudn_vm#module:key_pair).
  - The service keeps the public key and shows its fingerprint. Where it makes the pair, it returns the private key once
    and does not keep it.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Name. Case, accents and blanks at the end do not count for the service.
    type: str
    required: true
  state:
    description:
      - V(present) registers O(public_key), or has the service make a pair where no key is given; V(absent) deletes the
        pair.
    type: str
    choices: [present, absent]
    default: present
  public_key:
    description:
      - Public key in OpenSSH's form, one line. Services of CloudStack 3.0 take V(ssh-rsa) only.
      - Where the pair exists with another key, the task fails and tells both fingerprints, unless O(force=true).
    type: str
  force:
    description:
      - Whether a pair that exists with another key is replaced. Machines that were made with the old key keep it.
      - A pair that a machine shows is not replaced by that alone, see O(break_machines).
    type: bool
    default: false
  break_machines:
    description:
      - Whether a pair that a virtual machine shows as its own may be deleted, or replaced by another key. Without it the task fails
        and names these machines.
      - The service then fails over every list that would show one of them, with error 530, and says that commands on them failed,
        though they are done. So it is for the whole account. The machines themselves go on running.
      - What mends it is to register the same public key again, under any name, or to destroy the machines by their ids.
      - Of a machine the service shows the first pair that holds its public key. A pair may go where another one holds the same key.
    type: bool
    default: false
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - A task that changes nothing costs one request. Before a pair is deleted or replaced, the machines are listed, and the
    pairs where a machine shows this one, unless O(break_machines=true).
  - The service may take two pairs of one name when two runs make them at the same moment. They have no ids, so that nobody can choose
    one of them. A task that has made a pair lists it again after a second. Where there are two, each run that made one
    fails, and the error names both fingerprints. O(state=absent) deletes all pairs of the name. With O(wait=false)
    nobody looks.
  - Key pairs are not in the service's manual. An account that lacks them gets an error that says what to do instead.
seealso:
  - module: cloudn.compute.cloudn_key_pair_info
  - module: cloudn.compute.cloudn_vm
"""

EXAMPLES = r"""
- name: A key of one's own
  cloudn.compute.cloudn_key_pair:
    name: mine
    public_key: "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDH7lNJg26VxcD8G/T53Tj9nxXLTuKXTPt1dytQybTMG2aMXCacJD\
      ZOEuXCSIliuPc2Cwk7XCHJnFwQfoC1X7R2QiPunAu8OHEwJSb2KjKi5EvM5tNQ2igxLh2T8r3O2VoxKKhknahBQR76d\
      MPKOheEWFw8/iKjrxFvRjTBzJpu9Q== me@example.com"

- name: A pair that the service makes
  cloudn.compute.cloudn_key_pair:
    name: deploy
  register: made
  no_log: true # the result of a new pair holds its private key

- name: Keep its private key
  ansible.builtin.copy:
    content: "{{ made.key_pair.private_key }}"
    dest: "{{ lookup('ansible.builtin.env', 'HOME') }}/cloudn-deploy.pem"
    mode: '0600'
  when: made.key_pair.private_key is defined
  no_log: true

- name: Delete it, unless a machine shows it
  cloudn.compute.cloudn_key_pair:
    name: deploy
    state: absent

- name: Delete one whatever shows it, which breaks lists of these machines
  cloudn.compute.cloudn_key_pair:
    name: mine
    state: absent
    break_machines: true
"""

RETURN = r"""
key_pair:
  description:
    - The key pair, as it is now or, in check mode, as far as it can be told.
    - Every key but RV(key_pair.private_key) is always there; what is not known is null.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    name:
      description: Name.
      type: str
      sample: deploy
    fingerprint:
      description: Fingerprint of the public key, its MD5 sum.
      type: str
      sample: 43:51:43:a1:b5:fc:8b:b7:0a:3a:a9:b1:0f:66:73:a8
    state:
      description: V(present) or V(absent).
      type: str
      sample: present
    private_key:
      description: Private key of the pair that the service just made. It is not shown again; set C(no_log) on the
        task, and write the key to a file at once.
      type: str
      returned: when the service made the pair
      sample: "-----BEGIN RSA PRIVATE KEY-----\n..."
key_pairs:
  description: A list with RV(key_pair) alone, of the form that M(cloudn.compute.cloudn_key_pair_info) returns.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: dict
actions:
  description: What was done, step by step, or in check mode would be. Of a task that failed, what was to be done.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: str
  sample: ["deploy: create"]
diff:
  description: What was and what is, or in check mode would be, of everything that the options manage.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    before:
      description: What was, by name. Empty for what did not exist.
      type: dict
      sample: {deploy: {}}
    after:
      description: What is, by name.
      type: dict
      sample: {deploy: {state: present}}
jobs:
  description: Ids of jobs that were not waited for.
  returned: when there are any (O(wait=false))
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.module import WAIT, run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import key_pair

SPEC = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "public_key": {"type": "str", "no_log": False},
    "force": {"type": "bool", "default": False},
    "break_machines": {"type": "bool", "default": False},
    **WAIT,
}


def main() -> None:
    run(SPEC, key_pair.ensure, plural="key_pairs", singular="key_pair")


if __name__ == "__main__":
    main()

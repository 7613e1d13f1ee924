#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_key_pair_info: SSH key pairs, listed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_key_pair_info
short_description: List SSH key pairs
version_added: 1.0.0
description:
  - Lists SSH key pairs. The list is empty if nothing is found.
  - If several options are given, only key pairs that fit all of them are listed.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Only the key pair with this name. The service ignores case, accents and blanks at the end.
    type: str
  fingerprint:
    description:
      - Only key pairs with this fingerprint. It is the MD5 sum of the public key, as this module and
        M(cloudn.compute.cloudn_key_pair) show it.
    type: str
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes.info
notes:
  - The module sends one request for fewer than 500 key pairs. For more key pairs it sends about one for every 450.
seealso:
  - module: cloudn.compute.cloudn_key_pair
  - module: cloudn.compute.cloudn_vm
"""

EXAMPLES = r"""
- name: List all key pairs
  cloudn.compute.cloudn_key_pair_info:
  register: result

- name: Check whether a key pair exists
  cloudn.compute.cloudn_key_pair_info:
    name: deploy

- name: Find the names of the pairs that hold a key
  cloudn.compute.cloudn_key_pair_info:
    fingerprint: 43:51:43:a1:b5:fc:8b:b7:0a:3a:a9:b1:0f:66:73:a8
"""

RETURN = r"""
key_pairs:
  description: The key pairs. Every key is always there. A value is null if the service does not return it.
  returned: success
  type: list
  elements: dict
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
      description: V(present).
      type: str
      sample: present
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import key_pair

SPEC = {
    "name": {"type": "str"},
    "fingerprint": {"type": "str"},
}

DEFINITION = Definition(
    SPEC,
    lambda client, options, _check: {
        "key_pairs": [
            key_pair.to_result(item) for item in key_pair.search(client, options["name"], options["fingerprint"])
        ]
    },
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines for tests of the inventory, some with hostile values: they do harm if they are more than data."""

from __future__ import annotations

import pathlib
from typing import Any

from samples import NEW

HOSTILE = {
    "template": "{{ lookup('pipe', 'touch CANARY') }}",
    "statement": "{% for x in range(9) %}{{ x }}{% endfor %}",
    "newlines": "a\nb: c\n- d",
    "yaml": "key: [value, {x: y}]",
    "no": "no",
    "number": "007",
    "japanese": "ウェブサーバー",
    "quotes": "\"'`\\",
    "range": "web[1:3]",
    "tagged": "!unsafe x",
    "long": "x" * 250,
    "null": "null",
    "list": "[1, 2]",
    "all": "all",
}


def make_hostile(run_module: Any, client: Any, canary: pathlib.Path) -> dict[str, str]:
    """Make a machine for each hostile value, which it has everywhere but in its name; return ``{name: value}``.

    One of the values would make the file ``canary``, if it were evaluated.
    """
    values = {f"h-{kind}": value.replace("CANARY", str(canary)) for kind, value in HOSTILE.items()}
    for value in values.values():
        client.call("createSecurityGroup", {"name": value})
    for name, value in values.items():
        made = run_module("cloudn_vm", name=name, security_groups=[value], tags={value: value}, **NEW)
        assert not made.get("failed"), made
        client.call("updateVirtualMachine", {"id": made["vm"]["id"], "displayname": value, "group": value})
    return values

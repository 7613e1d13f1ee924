# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks and inventories of the guide, as a reader copies them from there."""

from __future__ import annotations

import re
from typing import NamedTuple

from guide import PAGE

TEXT = PAGE.read_text()
_BLOCK = r"```yaml\n(.*?)```"
BLOCKS = re.findall(_BLOCK, TEXT, re.DOTALL)


class Pair(NamedTuple):
    """A playbook for ngine_io.cloudstack, and the one that replaces it."""

    title: str
    before: str
    after: str


PAIRS = [
    Pair(*found)
    for found in re.findall(
        rf"^### ([^\n]+)\n\nBefore:\n\n{_BLOCK}\n\nAfter:\n\n{_BLOCK}", TEXT, re.DOTALL | re.MULTILINE
    )
]
# The last pair destroys a VM, whose name stays taken. It cannot run twice.
REPEATABLE = PAIRS[:-1]
DEFAULTS, API = (
    next(block for block in BLOCKS if word in block) for word in ("module_defaults", "createInstanceGroup")
)
INVENTORIES = [block for block in BLOCKS if block.startswith("plugin: ")]
PING = next(block for block in BLOCKS if block.startswith("- hosts: role_web"))

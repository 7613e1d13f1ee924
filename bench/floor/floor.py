# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor of an inventory: hosts, variables and groups that are there already, added to Ansible's inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: floor
short_description: Adds hosts from memory
description: What no inventory plugin can be faster than, in Ansible as it is.
options:
  plugin:
    description: Tells that the file is for this plugin.
    type: str
    required: true
    choices: [floor]
  memory:
    description: File with what to add, in Python's marshal format, which is read in no time.
    type: path
    required: true
"""

import marshal
import pathlib
import typing as t

from ansible.plugins.inventory import BaseInventoryPlugin


class InventoryModule(BaseInventoryPlugin):
    """The inventory plugin ``floor``."""

    NAME = "floor"

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add the hosts, ``(name, variables, groups)`` each."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        hosts, groups = marshal.loads(pathlib.Path(self.get_option("memory")).read_bytes())
        for group in groups:
            inventory.add_group(group)
        for name, variables, groups_of_host in hosts:
            inventory.add_host(name)
            for key, value in variables.items():
                inventory.set_variable(name, key, value)
            for group in groups_of_host:
                inventory.add_child(group, name)

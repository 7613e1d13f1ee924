# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the inventory as Ansible does: in this process, or by the real command."""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.utils.display import Display
from reaching import without_marks


class Inventory:
    """What Ansible made of an inventory file: hosts with their variables, groups with their hosts, what was said.

    ``code`` is the exit status of the command, or in this process 1 where the run would have ended with an error.
    """

    def __init__(self, listing: dict[str, Any], said: str = "", code: int = 0) -> None:
        listing = without_marks(listing)
        meta = listing.pop("_meta", {"hostvars": {}})
        self.hosts: dict[str, dict[str, Any]] = meta["hostvars"]
        self.order = {name: group.get("hosts", []) for name, group in listing.items()}
        self.groups = {name: set(group.get("hosts", [])) for name, group in listing.items()}
        self.children = {name: set(group.get("children", [])) for name, group in listing.items()}
        self.said = " ".join(said.split())
        self.code = code


def listing(manager: InventoryManager) -> dict[str, Any]:
    """Return an inventory in the form of ``ansible-inventory --list``."""
    hostvars = {name: dict(host.vars) for name, host in manager.hosts.items()}
    for variables in hostvars.values():
        del variables["inventory_file"], variables["inventory_dir"]
    groups = {
        name: {
            "hosts": [host.name for host in group.hosts],
            "children": [child.name for child in group.child_groups],
        }
        for name, group in manager.groups.items()
    }
    return {"_meta": {"hostvars": hostvars}, **groups}


@pytest.fixture
def configure(tmp_path: pathlib.Path) -> Callable[..., pathlib.Path]:
    """Return a function that writes an inventory file with these options."""

    def write(_name: str = "cloudn.yml", **options: Any) -> pathlib.Path:
        path = tmp_path / _name
        path.write_text(yaml.safe_dump({"plugin": "cloudn.compute.cloudn", "api_retries": 0, **options}))
        return path

    return write


@pytest.fixture
def read(
    environment: dict[str, str], configure: Callable[..., pathlib.Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Inventory]:
    """Return a function that reads the inventory in this process, with Ansible's own manager, against the emulator.

    ``read(_sources=[...], _cache=False, **options)``: other sources to read before it, and what --flush-cache does.
    """
    said: list[str] = []
    monkeypatch.setattr(Display, "warning", lambda _display, text, *_more, **_even: said.append(text))
    if hasattr(Display, "error_as_warning"):
        monkeypatch.setattr(
            Display, "error_as_warning", lambda _display, msg, exception, **_even: said.append(f"{msg} {exception}")
        )

    def run(_sources: tuple[pathlib.Path, ...] = (), _cache: bool = True, **options: Any) -> Inventory:
        said.clear()
        for name in ("CLOUDN_API_URL", "CLOUDN_API_KEY", "CLOUDN_API_SECRET"):
            monkeypatch.setenv(name, environment[name])
        # the plugin sets it where a run must end
        monkeypatch.setattr(constants, "INVENTORY_ANY_UNPARSED_IS_FAILED", False)
        sources = [*map(str, _sources), str(configure(**options))]
        manager = InventoryManager(DataLoader(), sources=sources, parse=False)
        try:
            manager.parse_sources(cache=_cache)
        except AnsibleError as error:
            return Inventory({}, " ".join([*said, str(error)]), 1)
        return Inventory(listing(manager), " ".join(said))

    return run


@pytest.fixture
def command(environment: dict[str, str], configure: Callable[..., pathlib.Path]) -> Callable[..., Inventory]:
    """Return a function that reads the inventory with the real ``ansible-inventory --list`` against the emulator."""
    reach = environment

    def run(*arguments: str, environment: dict[str, str] | None = None, **options: Any) -> Inventory:
        words = ["ansible-inventory", "-i", str(configure(**options)), "--list", *arguments]
        env = {**reach, **(environment or {})}
        done = subprocess.run(words, env=env, capture_output=True, text=True, check=False, timeout=120)
        return Inventory(json.loads(done.stdout) if done.returncode == 0 else {}, done.stderr, done.returncode)

    return run

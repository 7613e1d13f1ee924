# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory as Ansible reads it: in this process, or by the real command."""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import yaml


class Inventory:
    """What Ansible made of an inventory file: hosts with their variables, groups with their hosts, warnings."""

    def __init__(self, listing: dict[str, Any], stderr: str = "", code: int = 0) -> None:
        listing = plain(listing)
        meta = listing.pop("_meta", {"hostvars": {}})
        self.hosts: dict[str, dict[str, Any]] = meta["hostvars"]
        self.groups = {name: set(group.get("hosts", [])) for name, group in listing.items()}
        self.children = {name: set(group.get("children", [])) for name, group in listing.items()}
        self.stderr = " ".join(stderr.split())
        self.code = code


def plain(value: Any) -> Any:
    """Return a value of a listing without the mark that ansible-inventory writes around texts that are data."""
    if isinstance(value, dict):
        return (
            value["__ansible_unsafe"]
            if value.keys() == {"__ansible_unsafe"}
            else {k: plain(v) for k, v in value.items()}
        )
    return [plain(item) for item in value] if isinstance(value, list) else value


@pytest.fixture
def configure(tmp_path: pathlib.Path) -> Callable[..., pathlib.Path]:
    """Return a function that writes an inventory file with these options."""

    def write(**options: Any) -> pathlib.Path:
        path = tmp_path / "cloudn.yml"
        path.write_text(yaml.safe_dump({"plugin": "cloudn.compute.cloudn", "api_retries": 0, **options}))
        return path

    return write


@pytest.fixture
def read(environment: dict[str, str], configure: Callable[..., pathlib.Path]) -> Callable[..., Inventory]:
    """Return a function that reads the inventory with the real ``ansible-inventory --list`` against the emulator."""
    reach = environment

    def run(*arguments: str, environment: dict[str, str] | None = None, **options: Any) -> Inventory:
        command = ["ansible-inventory", "-i", str(configure(**options)), "--list", *arguments]
        env = {**reach, **(environment or {})}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)
        return Inventory(json.loads(done.stdout) if done.returncode == 0 else {}, done.stderr, done.returncode)

    return run

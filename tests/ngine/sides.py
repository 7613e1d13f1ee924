# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs playbooks with ngine_io.cloudstack and with this collection on emulators, and says what an emulator holds afterwards.

Both sides know the emulator only by the variables CLOUDSTACK_ENDPOINT, CLOUDSTACK_KEY and CLOUDSTACK_SECRET.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
from collections.abc import Mapping
from typing import Any, NamedTuple

import yaml
from guide import Row
from holdings import holdings, plain

Task = tuple[str, dict[str, Any]]
LONGEST = 300  # seconds


class Outcome(NamedTuple):
    """What tasks did: their results, and the commands that changed something as far as the service took them."""

    results: list[dict[str, Any]]
    sent: list[str]


class Side:
    """Ansible with one of the collections: where its programs are, its environment, and whether its runs may warn."""

    def __init__(
        self, collection: str, programs: pathlib.Path, environment: Mapping[str, str], may_warn: bool = False
    ) -> None:
        self.collection = collection
        self.may_warn = may_warn
        self.programs = programs
        self.environment = {name: value for name, value in environment.items() if not name.startswith("CLOUDN_")}

    def run(
        self, emulator: Any, folder: pathlib.Path, program: str, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of Ansible in a folder."""
        reach = {
            "CLOUDSTACK_ENDPOINT": emulator.url,
            "CLOUDSTACK_KEY": emulator.api_key,
            "CLOUDSTACK_SECRET": emulator.api_secret,
        }
        return subprocess.run(
            [str(self.programs / program), *arguments],
            env={**self.environment, **reach, "ANSIBLE_NOCOLOR": "true", **variables},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
        )

    def play(
        self, emulator: Any, folder: pathlib.Path, playbook: str, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook that must end well, without warnings unless the side may warn."""
        (folder / "playbook.yml").write_text(playbook)
        done = self.run(emulator, folder, "ansible-playbook", "playbook.yml", *arguments, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        assert self.may_warn or "[WARNING]" not in done.stdout + done.stderr
        return done

    def tasks(self, emulator: Any, folder: pathlib.Path, *tasks: Task, check: bool = False) -> Outcome:
        """Run tasks one after the other, also after a failure, and return their results."""
        told = folder / "results.json"
        names = [f"result_{number}" for number in range(len(tasks))]
        steps: list[dict[str, Any]] = [
            {f"{self.collection}.{module}": options, "register": name, "ignore_errors": True}
            for name, (module, options) in zip(names, tasks, strict=True)
        ]
        content = f"{{{{ [{', '.join(names)}] | to_json }}}}"
        steps.append({"ansible.builtin.copy": {"dest": str(told), "content": content}, "check_mode": False})
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": steps}]
        (folder / "tasks.yml").write_text(yaml.safe_dump(play))
        emulator.clear()
        done = self.run(emulator, folder, "ansible-playbook", "tasks.yml", *(["--check"] if check else []))
        assert done.returncode == 0, done.stdout + done.stderr
        taken = [request["command"] for request in emulator.requests if request["status"] == 200]
        changing = [command for command in taken if not command.startswith(("list", "query", "get"))]
        return Outcome(json.loads(told.read_text()), changing)


def compared(found: list[Row], old: Any, new: Any, prefix: str = "") -> list[tuple[str, Any, Any]]:
    """Return the values that both results have under names of a table: the old name, and both values in a form to compare.

    Values that only one has, and names that the table gives to several, are left out.
    """
    values = []
    for row in found:
        if len(row.to) != 1:
            continue
        before, after = value_at(old, row.name), value_at(new, prefix + row.to[0])
        if isinstance(after, list) and not isinstance(before, list) and len(after) == 1:
            (after,) = after  # the one rule of a group
        if before is not None and after is not None:
            values.append((row.name, comparable(before), comparable(after)))
    return values


def value_at(result: Any, path: str) -> Any:
    """Return what a result has under a name such as `vm.id`, or a list of it for `nics[].id`, or None."""
    name, _dot, rest = path.partition(".")
    found = result.get(name.removesuffix("[]")) if isinstance(result, dict) else None
    if name.endswith("[]") and isinstance(found, list):
        inner = [value_at(one, rest) for one in found] if rest else found
        return None if all(one is None for one in inner) else inner
    return value_at(found, rest) if rest else found


def comparable(value: Any) -> Any:
    """Return a value in one form: text without case, numbers and truth values as text, tags as a dictionary."""
    if isinstance(value, list):
        if value and all(isinstance(one, dict) and {"key", "value"} <= one.keys() for one in value):
            return comparable({one["key"]: one["value"] for one in value})
        return [comparable(one) for one in value]
    if isinstance(value, dict):
        return {key: comparable(one) for key, one in value.items()}
    return str(value).lower()


def state(store: Any) -> dict[str, Any]:
    """Return what an emulator's store holds, without ids, addresses and times, and in the same order for each run."""
    machines = [
        (
            plain(vm.name),
            store.zones[vm.zone_id].name,
            sorted(group.name for group in store.groups_of(vm)),
            sorted(_names_of_keys(store, vm)),
            vm.ha,
        )
        for vm in store.vms.values()
    ]
    sources = [
        (store.security_groups[rule.group_id].name, rule.start, store.security_groups[rule.source_id].name)
        for rule in store.rules.values()
        if rule.source_id
    ]
    groups = sorted(group.name for group in store.instance_groups.values() if not group.removed)
    more = {"more of machines": sorted(machines), "sources of rules": sorted(sources), "groups of machines": groups}
    return {**holdings(store), **more}


def _names_of_keys(store: Any, vm: Any) -> list[str]:
    if vm.key_pairs:
        return list(vm.key_pairs)
    pair = store.key_pair_of(vm.public_key) if vm.public_key else None
    return [pair.name] if pair else []

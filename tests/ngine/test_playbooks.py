# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks of the guide run as they stand there. Those before and after lead to the same.

``make test`` runs the new ones. ``make test-peer`` (``FAULTS=all``) runs both sides and compares what they leave.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cloudn_emulator import Emulator
from guide import MAPPING, PREFIX_OF_VARIABLES, rows
from pairs import API, BLOCKS, DEFAULTS, INVENTORIES, PAIRS, PING, REPEATABLE, Pair
from reaching import without_marks
from samples import KEY
from sides import Side, compared, state

OLD_FILE, NEW_FILE = "cloudstack-instances.yml", "cloudn.yml"
TITLES = [pair.title for pair in PAIRS]
# CloudStack 3 knows no `keypairs`, which ngine_io.cloudstack sends: its new VMs have no key there.
ON_BOTH = [(pair, number) for pair in PAIRS for number in ("3", "4") if "ssh_key" not in pair.before or number == "4"]


@contextmanager
def service(number: str = "4") -> Iterator[Any]:
    with Emulator(generation=number, job_seconds=0.05) as running:
        yield running


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A folder with what the playbooks expect beside them."""
    (tmp_path / "deploy.pub").write_text(f"{KEY}\n")
    (tmp_path / OLD_FILE).write_text(INVENTORIES[0])
    (tmp_path / NEW_FILE).write_text(INVENTORIES[1])
    return tmp_path


def changed(done: subprocess.CompletedProcess[str]) -> int:
    """Return how many tasks of a playbook changed something."""
    (number,) = re.findall(r"^localhost .*changed=(\d+)", done.stdout, re.MULTILINE)
    return int(number)


def groups_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Return the groups that `ansible-inventory --list` shows, each with its hosts, and `_meta`."""
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = without_marks(json.loads(done.stdout))
    return {name: about if name == "_meta" else sorted(about.get("hosts", [])) for name, about in told.items()}


def test_every_block_of_the_page_is_run() -> None:
    assert len(PAIRS) == 4
    run = [*(text for pair in PAIRS for text in (pair.before, pair.after)), DEFAULTS, API, *INVENTORIES, PING]
    assert sorted(run) == sorted(BLOCKS)


@pytest.mark.parametrize("pair", PAIRS, ids=TITLES)
def test_the_new_playbook_runs(pair: Pair, ours: Side, folder: pathlib.Path) -> None:
    with service() as emulator:
        assert changed(ours.play(emulator, folder, pair.after)) >= 2
        if pair in REPEATABLE:
            assert changed(ours.play(emulator, folder, pair.after)) == 0


def test_the_snippets_run(ours: Side, folder: pathlib.Path) -> None:
    with service() as emulator:
        ours.play(emulator, folder, API)
        assert [request["command"] for request in emulator.requests] == ["createInstanceGroup", "deleteInstanceGroup"]
        emulator.clear()
        section = {"endpoint": emulator.url, "key": emulator.api_key, "secret": emulator.api_secret}
        (folder / "cloudstack.ini").write_text("[east]\n" + "".join(f"{key} = {section[key]}\n" for key in section))
        (folder / "cloudstack.ini").chmod(0o600)
        ours.play(emulator, folder, DEFAULTS, CLOUDSTACK_KEY="wrong", CLOUDSTACK_SECRET="wrong")
        assert [request["status"] for request in emulator.requests] == [200]


def test_the_new_inventory_runs(ours: Side, folder: pathlib.Path) -> None:
    with service() as emulator:
        ours.play(emulator, folder, PAIRS[0].after)
        groups = groups_of(ours.run(emulator, folder, "ansible-inventory", "-i", NEW_FILE, "--list"))
        assert groups["role_web"] == groups["small"] == groups["cloudstack"] == ["web1", "web2"]
        done = ours.play(emulator, folder, PING, "-i", NEW_FILE, "-c", "local")
        assert re.findall(r"^(\w+) .*ok=1 .*failed=0", done.stdout, re.MULTILINE) == ["web1", "web2"]


@pytest.mark.parametrize(("pair", "number"), ON_BOTH, ids=[f"{pair.title}-{number}" for pair, number in ON_BOTH])
def test_both_playbooks_lead_to_the_same(
    pair: Pair, number: str, theirs: Side, ours: Side, folder: pathlib.Path
) -> None:
    """Then the new one changes nothing of what the old one has left."""
    with service(number) as old, service(number) as new:
        nothing = state(old.store)
        theirs.play(old, folder, pair.before)
        ours.play(new, folder, pair.after)
        left = state(old.store)
        assert left == state(new.store)
        assert left != nothing
        if pair in REPEATABLE:
            assert changed(ours.play(old, folder, pair.after)) == 0
            assert state(old.store) == left


def test_both_inventories_have_the_same_hosts_and_variables(theirs: Side, ours: Side, folder: pathlib.Path) -> None:
    with service() as emulator:
        theirs.play(emulator, folder, PAIRS[0].before)
        old = groups_of(theirs.run(emulator, folder, "ansible-inventory", "-i", OLD_FILE, "--list"))
        new = groups_of(ours.run(emulator, folder, "ansible-inventory", "-i", NEW_FILE, "--list"))
        for group in ("role_web", "small", "cloudstack"):
            assert old[group] == new[group] == ["web1", "web2"]
        for side, file in ((theirs, OLD_FILE), (ours, NEW_FILE)):
            done = side.play(emulator, folder, PING, "-i", file, "-c", "local")
            assert re.findall(r"^(\w+) .*ok=1 .*failed=0", done.stdout, re.MULTILINE) == ["web1", "web2"]
        for host in ("web1", "web2"):
            before, after = old["_meta"]["hostvars"][host], new["_meta"]["hostvars"][host]
            pairs = compared(rows(MAPPING["inventory"]["variables"]), before, after, PREFIX_OF_VARIABLES)
            assert {"zone", "ha_enabled", "networks", "v4_default_ip", "tags", "memory"} <= {pair[0] for pair in pairs}
            for name, theirs_say, ours_say in pairs:
                assert theirs_say == ours_say, name

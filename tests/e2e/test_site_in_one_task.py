# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example of a site in one task: planned on an empty account, made, unchanged, taken over from the other form, removed."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable
from typing import Any

import yaml
from asked import changes_sent_to
from samples import tags_of

EXAMPLES = pathlib.Path(__file__).parents[2] / "examples"
ONE, TASKS = EXAMPLES / "site_in_one_task.yml", EXAMPLES / "site.yml"
PARTS = yaml.safe_load((EXAMPLES / "machines.yml").read_text())
MACHINES = sorted(name for item in PARTS["vms"] for name in item["name"])
TAG = {"cloudn_site": "example"}

Play = Callable[..., Any]


def played(playbook: Play, path: pathlib.Path, *arguments: str) -> str:
    """Return what a playbook says that must end well."""
    done = playbook(path, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


def changed(said: str) -> int:
    """Return how many tasks have changed something."""
    return int(re.findall(r" changed=(\d+) ", said)[-1])


def test_the_site_is_planned_made_unchanged_and_removed(playbook: Play, emulator: Any, client: Any) -> None:
    planned = played(playbook, ONE, "--check", "--diff")
    assert changes_sent_to(emulator) == []
    made = played(playbook, ONE)
    assert actions(planned) == actions(made) != []
    assert sorted(vm["name"] for vm in client.list("listVirtualMachines")) == MACHINES
    assert all(tags_of(vm).items() >= TAG.items() for vm in client.list("listVirtualMachines"))

    emulator.clear()
    assert changed(played(playbook, ONE)) == 0
    assert changes_sent_to(emulator) == []
    assert len(emulator.requests) <= 6

    assert changed(played(playbook, ONE, "-e", "state=absent")) == 1
    assert {vm["state"] for vm in client.list("listVirtualMachines")} <= {"Destroyed"}
    assert client.list("listVolumes", {"type": "DATADISK"}) == []


def actions(said: str) -> list[str]:
    """Return the actions that the last task shows, without what the service makes."""
    (shown,) = re.findall(r'"actions": (\[.*?\])', said, re.DOTALL)
    return list(yaml.safe_load(shown))


def test_what_the_tasks_have_made_is_taken_over(playbook: Play, emulator: Any, client: Any) -> None:
    """Both forms mean the same site: to take it over, only the tag is missing."""
    played(playbook, TASKS)
    refused = playbook(ONE)
    assert refused.returncode != 0
    assert "carries no tag cloudn_site" in refused.stdout
    emulator.clear()
    played(playbook, ONE, "-e", "adopt=true")
    assert set(changes_sent_to(emulator)) == {"createTags"}
    assert changed(played(playbook, ONE)) == 0

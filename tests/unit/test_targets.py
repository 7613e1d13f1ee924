# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module has an integration target with all its beats, and what runs them leaves none out."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator
from typing import Any

import integration
import pytest
import units
import yaml
from cloudn_emulator import Emulator

ROOT = pathlib.Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("cloudn_*.py"))
# The jobs that it waits for are those of other modules: it changes nothing itself.
ONLY_READ = {name for name in MODULES if name.endswith("_info")} | {"cloudn_job"}

NEVER_THE_SAME = {"cloudn_ec2"}  # each action makes another instance


def tasks_of(target: str) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = yaml.safe_load(
        (ROOT / integration.TARGETS / target / "tasks" / "main.yml").read_text()
    )
    return tasks


def flat(tasks: list[dict[str, Any]], part: str = "block") -> Iterator[dict[str, Any]]:
    """The tasks in this part of the blocks, and in blocks therein."""
    for task in tasks:
        if "block" in task:
            yield from flat(task.get(part, []))
        elif part == "block":
            yield task


def test_every_module_and_the_inventory_have_a_target() -> None:
    assert integration.targets() == sorted([*MODULES, "inventory_cloudn"])


@pytest.mark.parametrize("module", MODULES)
def test_a_target_has_all_beats(module: str) -> None:
    """Check mode, the task itself, the same again, what is read back; and cleaning up if anything was made."""
    tasks = tasks_of(module)
    each = list(flat(tasks))
    uses = [task for task in each if f"cloudn.compute.{module}" in task]
    done = [str(task[f"cloudn.compute.{module}"]) for task in uses if not task.get("check_mode")]
    assert done
    assert len(done) < len(uses)
    assert any("ansible.builtin.assert" in task for task in each)
    if module not in ONLY_READ:
        assert len(set(done)) < len(done) or module in NEVER_THE_SAME
        assert any(re.search(r"cloudn\.compute\.\w+_info$", key) for task in each for key in task)
    if any(f"cloudn.compute.{name}" in task for task in each for name in set(MODULES) - ONLY_READ):
        assert list(flat(tasks, "always"))


@pytest.mark.parametrize("target", integration.targets())
def test_a_target_gets_its_service_from_the_setup_target_and_needs_no_facts(target: str) -> None:
    folder = ROOT / integration.TARGETS / target
    assert yaml.safe_load((folder / "meta" / "main.yml").read_text()) == {"dependencies": ["setup_cloudn"]}
    assert (folder / "aliases").read_text().split() == ["gather_facts/no"]  # `cloud/...` would start a container


def test_a_run_has_every_target_once_and_all_of_them_have_each_twice() -> None:
    names = integration.targets()
    once = integration.shares(names, "1", everything=False)
    assert sorted(once["3"] + once["4"]) == names
    assert min(len(share) for share in once.values()) > 5
    assert integration.shares(names, "2", everything=False) != once
    assert integration.shares(names, "1", everything=True) == {"3": names, "4": names}
    for name, generation in integration.ONLY_ON.items():
        assert name in once[generation]


def test_what_a_target_leaves_behind_is_found(emulator: Emulator, client: Any) -> None:
    before = integration.held(emulator)
    group = client.call("createSecurityGroup", {"name": "left"})["securitygroup"]["id"]
    new = {"zoneid": emulator.vars["zone"], "templateid": emulator.vars["template"]}
    vm = client.call("deployVirtualMachine", {**new, "serviceofferingid": emulator.vars["small"], "name": "gone"})
    client.wait(vm["jobid"], timeout=30)
    client.wait(client.call("destroyVirtualMachine", {"id": vm["id"]})["jobid"], timeout=30)
    assert ("security_groups", group, "left") in integration.held(emulator) - before
    assert "gone" not in {name for _kind, _id, name in integration.held(emulator)}


def test_units_takes_other_files_for_another_seed_and_all_of_them_on_request() -> None:
    chosen = units.files_of(ROOT, "1", everything=False)
    assert len(set(chosen)) == units.FILES
    assert units.files_of(ROOT, "1", everything=False) == chosen
    assert units.files_of(ROOT, "2", everything=False) != chosen
    everything = units.files_of(ROOT, "1", everything=True)
    assert set(chosen) < set(everything)
    assert len(everything) == len(list((ROOT / "tests" / "unit").glob("*/**/test_*.py")))


def test_tests_that_ansible_test_left_out_or_skipped_are_counted(tmp_path: pathlib.Path) -> None:
    assert units.tests_run(tmp_path) == (0, 0)
    results = tmp_path / "tests" / "output" / "junit"
    results.mkdir(parents=True)
    cases = '<testcase name="one"/><testcase name="two"><skipped message="why"/></testcase>'
    (results / "python3.11-controller-units.xml").write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    assert units.tests_run(tmp_path) == (2, 1)
    assert [
        units.COLLECTED.search(line)[1] for line in ("3/5 tests collected (2 deselected)", "1 test collected in 1s")
    ] == [
        "3",
        "1",
    ]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides work as they are written. A test follows each one, and compares what its commands print with its screens."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import groups
import pytest
import yaml
from cloudn_emulator import cli
from reaching import environment_of
from samples import KEY
from walking import BLOCK, ROOT, Walk, difference, steps

GUIDES = sorted(path for path in ROOT.glob("docs/*.md") if list(steps(path.read_text())))
# Other tests follow these guides.
ELSEWHERE = {
    "ec2": "tests/manual runs its examples with ids of existing objects",
    "emulator": "tests/conformance runs its examples, which are for programs that are not Ansible",
    "from-ngine-io-cloudstack": "tests/ngine runs its playbooks, and those before them need the other collection",
    "inventory": "below, with its picture",
    "secrets": "below, with the password that it keeps",
}
# What a guide takes for there.
THERE = {"site": {"deploy.pub": KEY}}
pytestmark = pytest.mark.generation("3", reason="the screens are of CloudStack 3, and one Ansible shows both")


@pytest.fixture
def emulator(run_module_as: Callable[..., Any]) -> Iterator[Any]:
    with run_module_as(neighbour=True) as (_run, running):
        yield running


@pytest.fixture
def walk(emulator: Any, tmp_path: pathlib.Path) -> Walk:
    folder = tmp_path / "reader"
    folder.mkdir()
    # A reader's Ansible warns of what the tests' own does not.
    silenced = ("ANSIBLE_LOCALHOST_WARNING", "ANSIBLE_INVENTORY_UNPARSED_WARNING")
    told = {name: value for name, value in environment_of(emulator).items() if name not in silenced}
    return Walk(folder, {**told, "HOME": str(tmp_path)})


def follow(name: str, walk: Walk, emulator: Any) -> Iterator[str]:
    """Follow a guide to its end; yield each command that was done. Its screens are right, and no secret is on them."""
    for file, text in THERE.get(name, {}).items():
        (walk.folder / file).write_text(text)
    for step in steps((ROOT / "docs" / f"{name}.md").read_text()):
        said = walk.take(step)
        secrets = [emulator.api_secret, *(vm.password for vm in emulator.store.vms.values() if vm.password)]
        assert [secret for secret in secrets if secret in said] == []
        if step.kind == "command":
            assert difference(step.text, said) == "", f"{step.name}\n{said}"
            yield step.name


@pytest.mark.parametrize("name", [path.stem for path in GUIDES if path.stem not in ELSEWHERE])
def test_a_guide_works(name: str, walk: Walk, emulator: Any) -> None:
    for _command in follow(name, walk, emulator):
        pass


def test_the_inventory_is_the_one_of_the_picture(walk: Walk, emulator: Any) -> None:
    """`make pictures` draws it anew."""
    pictures = 0
    for command in follow("inventory", walk, emulator):
        if command == "ansible-inventory --graph":
            status, said = walk.run("ansible-inventory --list")
            assert status == 0, said
            listed = {name: group["hosts"] for name, group in json.loads(said).items() if group.get("hosts")}
            assert groups.svg(listed) == (ROOT / "docs" / "inventory.svg").read_text()
            pictures += 1
    assert pictures == 1


def test_the_guide_of_secrets_keeps_the_password_of_a_machine(walk: Walk, emulator: Any) -> None:
    kept = []
    for command in follow("secrets", walk, emulator):
        if command.endswith(" machine.yml"):
            (machine,) = (vm for vm in emulator.store.vms.values() if vm.name == "db1")
            kept.append((machine.password, walk.run("ansible-vault view db1.yml")[1]))
    ((password, said),) = kept
    assert password
    assert yaml.safe_load(said) == {"db1_password": password}, said
    assert (walk.folder / "keys.yml").read_text().startswith("$ANSIBLE_VAULT;")


def test_the_guides_are_found() -> None:
    """Otherwise the tests above could not fail."""
    found = {path.stem for path in GUIDES}
    assert {"first-site", "awx", "testing", "large-fleets", "site", *ELSEWHERE} <= found


def commands(path: pathlib.Path) -> Iterator[str]:
    """Yield the commands of the blocks that no test runs."""
    for language, code in BLOCK.findall(path.read_text()):
        if language == "sh":
            yield from (line.strip() for line in code.splitlines())
        elif language == "yaml":
            yield from re.findall(r"(?m)^ +- run: (.+)$", code)


def test_a_ci_file_runs_what_the_guide_runs() -> None:
    path = ROOT / "docs" / "testing.md"
    guide = path.read_text()
    runs = re.findall(r"(?m)^ +- run: (.+)$", guide)
    shown = [step.name for step in steps(guide) if step.kind == "command"]
    installs = [line for language, code in BLOCK.findall(guide) if language == "sh" for line in code.splitlines()]
    assert len(runs) == 3
    assert [run for run in runs if run not in (*shown, *installs)] == []


def installed(word: str, but: str = "") -> Iterator[str]:
    for path in sorted({*ROOT.glob("docs/*.md")} - {ROOT / "docs" / but}):
        yield from (line.removeprefix(word) for line in commands(path) if line.startswith(word))


def test_what_the_guides_install_is_what_the_project_needs() -> None:
    needed = {re.split("[>=]", line)[0] for line in (ROOT / "requirements.txt").read_text().splitlines()[1:]}
    ours = {"cloudn-emulator", "ansible-core"}
    more = {"pytest", "ansible-builder", "distlib"}
    # Other programs need the emulator alone.
    ansible = [set(line.split()) for line in installed("pip install ", but="emulator.md")]
    lines = [set(line.split()) for line in installed("pip install ")]
    assert len(ansible) >= 3
    assert all(line <= needed | ours | more for line in lines)
    assert all(line >= needed | ours for line in ansible if "cloudn-emulator" in line)


def test_the_options_of_the_emulator_in_the_guides_are_known() -> None:
    lines = list(installed("cloudn-emulator"))
    assert len(lines) >= 2
    for line in lines:
        cli._parser().parse_args([word for word in line.split() if word != "&"])


def test_inventory_files_of_the_guides_have_known_options() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "ansible", "doc", "-t", "inventory", "--json", "cloudn.compute.cloudn"],
        check=True,
        capture_output=True,
        text=True,
    )
    known = json.loads(listed.stdout)["cloudn.compute.cloudn"]["doc"]["options"]
    blocks = [
        yaml.safe_load(code)
        for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")]
        for _language, code in BLOCK.findall(path.read_text())
        if "plugin: cloudn.compute.cloudn\n" in code
    ]
    assert len(blocks) > 5
    assert [name for block in blocks for name in block if name not in known] == []

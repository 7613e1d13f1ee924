# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workflow runs the project's commands on the versions that the project claims, and may do nothing else."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import yaml
from ansible.release import __version__
from ansible_test._util.target.common.constants import CONTROLLER_PYTHON_VERSIONS

ROOT = pathlib.Path(__file__).parents[2]
TEXT = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
WORKFLOW: dict[str, Any] = yaml.safe_load(TEXT)
MATRIX: list[dict[str, str]] = WORKFLOW["jobs"]["core"]["strategy"]["matrix"]["include"]


def number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_the_oldest_core_is_the_one_that_is_claimed_and_none_is_left_out() -> None:
    required = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    oldest = re.fullmatch(r">=(\d+\.\d+)\.0", required)[1]
    assert f"- ansible-core {oldest} or later" in (ROOT / "README.md").read_text()
    cores = sorted({number(one["core"]) for one in MATRIX})
    assert cores[0] == number(oldest)
    assert [minor for _major, minor in cores] == list(range(cores[0][1], cores[-1][1] + 1))


def test_this_core_is_tested_on_its_oldest_and_its_newest_python() -> None:
    core = ".".join(__version__.split(".")[:2])
    pythons = {one["python"] for one in MATRIX if one["core"] == core}
    assert pythons == {CONTROLLER_PYTHON_VERSIONS[0], CONTROLLER_PYTHON_VERSIONS[-1]}


def test_every_core_is_tested_on_two_pythons() -> None:
    for core in {one["core"] for one in MATRIX}:
        pythons = [number(one["python"]) for one in MATRIX if one["core"] == core]
        assert len(set(pythons)) == 2
        assert min(pythons) >= (3, 11)


def test_every_command_is_one_of_the_projects_own() -> None:
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    how = (ROOT / "CONTRIBUTING.md").read_text()
    commands = [step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step]
    assert {"make test", "make sanity", "make units", "make integration"} <= set(commands)
    for command in commands:
        if command.startswith("make "):
            assert command.split()[1] in made
        else:
            assert command.replace("${{ matrix.core }}", MATRIX[0]["core"]) in how


def test_it_may_only_read_and_takes_exact_versions_of_actions() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not [name for name, job in WORKFLOW["jobs"].items() if "permissions" in job]
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is True
    used = re.findall(r"uses: (.*)", TEXT)
    assert used
    for action in used:
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action)
    assert TEXT.count("persist-credentials: false") == TEXT.count("actions/checkout@")


def test_targets_run_the_python_that_is_claimed() -> None:
    oldest = yaml.safe_load((ROOT / "tests" / "config.yml").read_text())["modules"]["python_requires"]
    assert f"- Python {oldest.removeprefix('>=')} or later" in (ROOT / "README.md").read_text()


def test_ansible_test_installs_what_the_collection_and_the_emulator_need() -> None:
    """It reads no other file from its own, so both say again what is needed."""

    def lines(name: str) -> set[str]:
        return set(re.findall(r"^[\w-]+\S*", (ROOT / name).read_text(), re.MULTILINE))

    emulator = re.search(r"dependencies = \[(.*?)\]", (ROOT / "emulator" / "pyproject.toml").read_text(), re.DOTALL)[1]
    needed = {re.match(r"[\w-]+", one)[0] for one in {*lines("requirements.txt"), *re.findall(r'"(\S+)"', emulator)}}
    for command in ("unit", "integration"):
        assert needed <= {re.match(r"[\w-]+", one)[0] for one in lines(f"tests/{command}/requirements.txt")}
    assert lines("requirements.txt") <= lines("tests/unit/requirements.txt") & lines(
        "tests/integration/requirements.txt"
    )

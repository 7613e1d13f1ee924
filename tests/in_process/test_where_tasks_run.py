# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task runs inside Ansible where that is right, and is sent as a module everywhere else."""

from __future__ import annotations

import importlib
import json
import os
import pathlib
import sys
from typing import Any

import pytest
import ways
from ansible_collections.cloudn.compute.plugins.plugin_utils import action
from specs import imported
from test_options import MODULES

SENT = "EXEC /bin/sh"  # what Ansible says with -vvv when it starts a process
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_zone_info:
      vars: {task_vars}
{keywords}
"""
HERE = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
pytestmark = pytest.mark.generation("3", reason="where a task runs is the same on both")


def said(emulator: Any, folder: pathlib.Path, inventory: dict[str, Any], keywords: str = "", **more: Any) -> str:
    """Run one task on one host with these variables; return what Ansible says of it."""
    folder.mkdir(exist_ok=True)
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": {"one": inventory}}}))
    text = PLAY.format(task_vars=json.dumps(more.pop("task_vars", {})), keywords=keywords)
    # Ansible's two places for jobs differ if HOME is not the user's home.
    more = {"ANSIBLE_PYTHON_INTERPRETER": "auto_silent", "ANSIBLE_ASYNC_DIR": str(folder / "jobs"), **more}
    done, lines = ways.run(emulator, folder, text, "-vvv", "-i", str(folder / "hosts.json"), **more)
    assert done.returncode == 0, done.stdout + done.stderr
    assert lines[0]["result"]["zones"]
    return done.stdout


@pytest.mark.parametrize(
    "variables",
    [
        HERE,
        {"ansible_connection": "local"},
        {"ansible_connection": "ansible.builtin.local"},
        {**HERE, "ansible_python_interpreter": "auto"},
        {**HERE, "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
        {**HERE, "cloudn_in_process": True},
        {**HERE, "ansible_become_user": "root"},
    ],
)
def test_inside(emulator: Any, tmp_path: pathlib.Path, variables: dict[str, Any]) -> None:
    assert SENT not in said(emulator, tmp_path, variables)


only_root = pytest.mark.skipif(os.geteuid() != 0, reason="su asks an ordinary user for a password")


@pytest.fixture
def other_python(tmp_path: pathlib.Path) -> str:
    """Another environment's Python: the file is the same, and the folder is not."""
    program = tmp_path / "other" / "python"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("variables", "keywords"),
    [
        ({"cloudn_in_process": False}, ""),
        ({"cloudn_in_process": "{{ 1 == 2 }}"}, ""),
        ({"ansible_python_interpreter": "OTHER"}, ""),
        ({}, "      async: 30\n      poll: 1"),
        pytest.param({}, "      become: true\n      become_method: ansible.builtin.su", marks=only_root),
    ],
)
def test_sent(
    emulator: Any, tmp_path: pathlib.Path, other_python: str, variables: dict[str, Any], keywords: str
) -> None:
    told = {name: other_python if value == "OTHER" else value for name, value in {**HERE, **variables}.items()}
    assert SENT in said(emulator, tmp_path, told, keywords)


def test_a_variable_of_a_task_wins_over_the_environment(emulator: Any, tmp_path: pathlib.Path) -> None:
    assert SENT in said(emulator, tmp_path, HERE, CLOUDN_IN_PROCESS="false")
    told = {"cloudn_in_process": True}
    assert SENT not in said(emulator, tmp_path, HERE, task_vars=told, CLOUDN_IN_PROCESS="false")


def test_an_interpreter_of_the_configuration_counts(emulator: Any, tmp_path: pathlib.Path, other_python: str) -> None:
    local = {"ansible_connection": "local"}
    assert SENT in said(emulator, tmp_path, local, ANSIBLE_PYTHON_INTERPRETER=other_python)
    assert SENT not in said(emulator, tmp_path, local, ANSIBLE_PYTHON_INTERPRETER=sys.executable)


@pytest.mark.parametrize("switch", ["CLOUDN_IN_PROCESS", "CLOUDN_PROGRESS"])
def test_a_switch_that_is_neither_true_nor_false_is_an_error(
    emulator: Any, tmp_path: pathlib.Path, switch: str
) -> None:
    text = ways.play([ways.task(1, "cloudn_zone_info", {})])
    _done, lines = ways.run(emulator, tmp_path, text, **{switch: "perhaps"})
    assert f"{switch}: must be true or false, not 'perhaps'" in lines[0]["result"]["msg"]
    assert emulator.requests == []


def test_without_the_libraries_of_ansible_the_module_is_sent(emulator: Any, tmp_path: pathlib.Path) -> None:
    """Where Ansible's own Python lacks a library, the module's may have it. Else the module says which one is missing."""
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    hook = "import importlib.util as u\nf = u.find_spec\nu.find_spec = lambda n, *a: None if n == 'xmltodict' else f(n, *a)\n"
    (hiding / "sitecustomize.py").write_text(hook)
    text = ways.play([ways.task(1, "cloudn_zone_info", {})])
    done, lines = ways.run(emulator, tmp_path, text, "-vvv", PYTHONPATH=str(hiding))
    assert SENT in done.stdout
    assert "xmltodict" in lines[0]["result"]["msg"]


def test_on_macos_and_on_an_old_python_the_module_is_sent() -> None:
    assert action.is_able()
    assert not action.is_able(platform="darwin")
    assert not action.is_able(version_info=(3, 10, 9))


def test_each_module_has_its_action_plugin() -> None:
    folder = pathlib.Path(__file__).parents[2] / "plugins" / "action"
    assert sorted(path.stem for path in folder.glob("*.py")) == MODULES
    for name in MODULES:
        plugin = importlib.import_module(f"ansible_collections.cloudn.compute.plugins.action.{name}")
        assert plugin.ActionModule.definition is imported(name).DEFINITION

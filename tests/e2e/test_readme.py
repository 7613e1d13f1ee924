# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of README.md work as they are written. Files that the documents point to are there."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def block(language: str, having: str) -> str:
    """The one block of code of this language with this text in it."""
    (found,) = (code for code in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if having in code)
    return found


def test_the_playbook_and_the_inventory_of_the_readme_work(
    ansible: Callable[..., str], emulator: Any, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "playbook.yml").write_text(block("yaml", "cloudn_vm:"))
    (tmp_path / "cloudn.yml").write_text(block("yaml", "plugin:"))
    assert "changed=5" in ansible("ansible-playbook", "playbook.yml")
    assert "changed=0" in ansible("ansible-playbook", "playbook.yml")
    graph = ansible("ansible-inventory", "-i", "cloudn.yml", "--graph")
    for group in (*re.findall(r"`((?:tag|zone|security_group)_\w+)`", README), "role_web"):
        assert f"@{group}:" in graph
    shown = yaml.safe_load(ansible("ansible-inventory", "-i", "cloudn.yml", "--host", "web1"))
    assert shown.keys() >= set(re.findall(r"variables such as `(\w+)` and\n?\s*`(\w+)`", README)[0])


def test_the_site_of_the_readme_works(ansible: Callable[..., str], tmp_path: pathlib.Path) -> None:
    (tmp_path / "playbook.yml").write_text(block("yaml", "cloudn_site:"))
    for expected in ("changed=1", "changed=0"):
        assert expected in ansible("ansible-playbook", "playbook.yml")


def test_the_python_lines_of_the_readme_run_without_ansible(emulator: Any, tmp_path: pathlib.Path) -> None:
    """The lines run in a Python that has requests and xmltodict and can't import Ansible."""
    code = block("python", "client.list")
    code = code.replace("https://HOST/client/api", emulator.url).replace("https://HOST/awsapi", emulator.ec2_url)
    code = code.replace('"KEY", "SECRET"', f'"{emulator.api_key}", "{emulator.api_secret}"')
    *lines, last = code.strip().splitlines()
    expression, _hash, value = last.partition("#")
    (tmp_path / "ansible.py").write_text("raise ImportError('not here')")
    (tmp_path / "shell.py").write_text("\n".join([*lines, f"print({expression})"]))
    new = {"zoneid": emulator.vars["zone"], "templateid": emulator.vars["template"]}
    _deploy(emulator, {**new, "serviceofferingid": emulator.vars["small"], "name": "web1"})
    path = os.pathsep.join([str(tmp_path), str(ROOT / "plugins" / "module_utils")])
    command = [sys.executable, str(tmp_path / "shell.py")]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == value.strip().strip('"') == "Stopped"


DOCUMENTS = [
    path for path in ROOT.rglob("*.md") if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
]


@pytest.mark.parametrize("path", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS])
def test_files_that_documents_point_to_are_there(path: pathlib.Path) -> None:
    """Links lead to files, and files that are named with their folder are there."""
    text = path.read_text()
    links = [path.parent / link for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)]
    named = [ROOT / name for name in re.findall(r"`((?:tests|plugins|docs|examples|emulator/src)/[\w./-]+)`", text)]
    assert [str(file) for file in (*links, *named) if not file.exists()] == []


def _deploy(emulator: Any, parameters: dict[str, str]) -> None:
    from ansible_collections.cloudn.compute.plugins.module_utils.api import Client

    client = Client(emulator.url, emulator.api_key, emulator.api_secret)
    client.wait(client.call("deployVirtualMachine", parameters)["jobid"], timeout=30)

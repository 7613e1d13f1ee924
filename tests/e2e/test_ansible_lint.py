# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-lint at its strictest finds nothing: in the whole collection, in documents' playbooks and in modules' examples."""

from __future__ import annotations

import pathlib
import re
import subprocess
from typing import Any

import pytest
import yaml
from copied import copy
from test_examples import DOCUMENTS, MODULES, sources

# Modules of the collection that people come from are not there.
ELSEWHERE = "ngine_io.cloudstack."
ACTION = re.compile(r"\w+\.\w+\.\w+")  # what a task does, by its full name
# It takes long, and what is checked is one for both.
pytestmark = pytest.mark.generation("3", reason="it looks at texts only")


class Dumper(yaml.SafeDumper):
    """Writes lists as ansible-lint wants them: further in than what holds them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def kind(value: Any) -> str | None:
    """Return the folder for what a piece of YAML is: a playbook, a list of tasks, or nothing for ansible-lint."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return None
    if all("hosts" in item for item in value):
        return "playbooks"
    return "tasks" if all(any(ACTION.fullmatch(str(key)) for key in item) for item in value) else None


def with_names(value: Any) -> Any:
    """Return plays and tasks of a document with names. Documents leave them out where they would only take space."""
    if isinstance(value, list):
        return [with_names(item) for item in value]
    if not isinstance(value, dict):
        return value
    inner = {key: with_names(item) if key in ("tasks", "block") else item for key, item in value.items()}
    return {"name": "A name", **inner}


def write_pieces(tree: pathlib.Path) -> set[str]:
    """Write each playbook and each list of tasks of documents and modules as a file; return the names of their sources."""
    found = set()
    for path in (*DOCUMENTS, *MODULES):
        for number, text in enumerate(sources(path)):
            folder = kind(yaml.safe_load(text))
            if folder and ELSEWHERE not in text:
                target = (
                    tree
                    / folder
                    / f"{path.parent.name.replace('-', '_')}_{path.stem.lower().replace('-', '_')}_{number}.yml"
                )
                target.parent.mkdir(exist_ok=True)
                if path in DOCUMENTS:
                    text = yaml.dump(with_names(yaml.safe_load(text)), Dumper=Dumper, sort_keys=False, width=100)
                target.write_text(f"---\n{text.lstrip()}")
                found.add(path.stem)
    return found


def lint(tree: pathlib.Path, environment: dict[str, str], *names: str) -> subprocess.CompletedProcess[str]:
    """Run ansible-lint there as Galaxy does, on all or on these files."""
    variables = {**environment, "NO_COLOR": "1", "HOME": str(tree.parent)}
    command = ["ansible-lint", "--offline", "--strict", "--profile", "production", *names]
    return subprocess.run(command, cwd=tree, env=variables, capture_output=True, text=True, check=False, timeout=600)


def test_ansible_lint_finds_nothing_at_its_strictest(
    installed: pathlib.Path, environment: dict[str, str], tmp_path: pathlib.Path
) -> None:
    environment = {**environment, "ANSIBLE_COLLECTIONS_PATH": str(installed)}
    tree = tmp_path / "collection"
    copy(tree)
    found = write_pieces(tree)
    assert {"README", "large-fleets", "site", "ec2"} | {path.stem for path in MODULES} <= found
    done = lint(tree, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    # It does look at them: a task without a name is found.
    (tree / "tasks" / "modules_cloudn_vm_0.yml").write_text("---\n- cloudn.compute.cloudn_vm_info:\n")
    done = lint(tree, environment, "tasks/modules_cloudn_vm_0.yml")
    assert done.returncode != 0
    assert "name[missing]" in done.stdout

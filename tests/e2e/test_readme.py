# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of README.md work as they are written. It has what certification asks for, and no link of it is dead."""

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
from anchors import anchors

ROOT = pathlib.Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOB = "https://github.com/cloudn-compute/cloudn.compute/blob/main/"
# Those of Red Hat's template for certified collections, and one that the Ansible community asks for.
SECTIONS = [
    *(
        "Description",
        "Requirements",
        "Installation",
        "Use Cases",
        "Testing",
        "Contributing",
        "Communication",
        "Support",
    ),
    *("Release Notes and Roadmap", "Related Information", "License Information"),
]


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


@pytest.mark.generation("3", reason="CloudStack 4 has no EC2-compatible API")
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


def test_the_readme_has_the_sections_that_certification_asks_for() -> None:
    prose = re.sub(r"(?s)```.*?```", "", README)
    assert re.findall(r"(?m)^## (.+)$", prose) == SECTIONS
    assert len(re.findall(r"(?m)^# ", prose)) == 1


def test_the_readme_lists_every_module() -> None:
    described = {
        path.stem: yaml.safe_load(re.findall(r'(?s)^DOCUMENTATION = r?"""(.*?)"""', path.read_text(), re.MULTILINE)[0])
        for kind in ("modules", "inventory")
        for path in (ROOT / "plugins" / kind).glob("*.py")
    }
    rows = dict(re.findall(r"(?m)^\| `(cloudn\w*)` \| (.+) \|$", README))
    assert rows == {name: said["short_description"] for name, said in described.items()}
    names = re.findall(r"(?m)^\| `(cloudn_\w+)` \|", README)
    assert names == sorted(names)


def test_the_readme_says_the_versions_that_are_required() -> None:
    oldest = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["requires_ansible"]
    assert f"ansible-core {re.fullmatch(r'>=([0-9.]+)[.]0', oldest)[1]} or later" in README
    for name, version in re.findall(r"(?m)^(\w+)>=([\d.]+)$", (ROOT / "requirements.txt").read_text()):
        assert f"{name} {version} or later" in README


@pytest.mark.parametrize("name", ["README.md", "emulator/README.md"])
def test_links_of_a_readme_that_is_read_elsewhere_are_absolute(name: str) -> None:
    """Galaxy and the package index show it without the files beside it. What it points to in the project is there."""
    definition = r"(?m)^\[([^\]]+)\]: (\S+)$"
    text = re.sub(r"(?s)```.*?```|`[^`]*`", "", (ROOT / name).read_text())
    defined, prose = dict(re.findall(definition, text)), re.sub(definition, "", text)
    inline = r"\[[^\]]+\]\(([^)]+)\)"
    links = [*re.findall(inline, prose), *defined.values()]
    used = re.findall(r"\[([^\]]+)\](?:\[([^\]]+)\])?", re.sub(inline, "", prose))
    assert {key or shown for shown, key in used} == defined.keys()
    assert [link for link in links if not link.startswith("https://")] == []
    for link in links:
        path, _hash, anchor = link.removeprefix(BLOB).partition("#")
        if link.startswith(BLOB):
            assert (ROOT / path).is_file(), link
            assert not anchor or anchor in anchors((ROOT / path).read_text()), link


REQUIREMENTS = [
    path
    for path in ROOT.rglob("requirements.txt")
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
]


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_requirements_have_lower_bounds(path: pathlib.Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith(("#", "-r "))]
    assert [line for line in lines if not re.fullmatch(r"[\w.\[\]-]+>=[\d.]+(,<[\d.]+)?", line)] == []


def test_the_example_of_an_execution_environment_has_lower_bounds_and_an_image_that_is_kept() -> None:
    """A release of Fedora gets no fixes after a year, so the image is the newest one. Ansible's own guide names it."""
    definition = yaml.safe_load((ROOT / "examples" / "execution-environment.yml").read_text())
    assert definition["images"]["base_image"]["name"] == "quay.io/fedora/fedora:latest"
    for package in ("ansible_core", "ansible_runner"):
        assert re.fullmatch(r"[\w-]+>=[\d.]+", definition["dependencies"][package]["package_pip"])


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

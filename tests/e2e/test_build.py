# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball holds what a user needs and nothing else. The installed collection has its documentation."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
import tarfile
from collections.abc import Callable

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[2]
Run = Callable[..., str]
BELONGS = {
    *("README.md", "CHANGELOG.rst", "CONTRIBUTING.md", "LICENSE", "requirements.txt"),
    *("MANIFEST.json", "FILES.json"),  # made by the build
    *("changelogs", "docs", "examples", "meta", "plugins"),
}


def plugins(kind: str) -> list[str]:
    """The names of the plugins of a kind, as `ansible-doc` calls them."""
    return sorted(f"cloudn.compute.{path.stem}" for path in (ROOT / "plugins" / kind).glob("*.py"))


def test_the_tarball_holds_what_belongs(checkout: pathlib.Path, tarball: pathlib.Path) -> None:
    with tarfile.open(tarball) as archive:
        names = {name for name in archive.getnames() if not archive.getmember(name).isdir()}
    assert {name.split("/")[0] for name in names} == BELONGS
    for directory in ("changelogs", "meta", "plugins"):
        there = {str(path.relative_to(checkout)) for path in (checkout / directory).rglob("*") if path.is_file()}
        assert {name for name in names if name.startswith(f"{directory}/")} == there
    assert "examples/site.yml" in names
    assert not names & {"examples/demo.py", "examples/programs.py"}


def test_files_that_tools_leave_behind_stay_out(checkout: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A developer's checkout gives the tarball that a clean one gives."""
    litter = (
        *(
            ".venv/bin/python",
            ".demo/requests.jsonl",
            ".bench/peer/made-of",
            ".hypothesis/x",
            ".ruff_cache/x",
            "examples/rendered/lb/hosts",
        ),
        *("plugins/modules/__pycache__/cloudn_vm.cpython-311.pyc", "tests/output/x", "cloudn-compute-0.1.0.tar.gz"),
    )
    kept = {}
    for number, litters in enumerate(([], litter)):
        source, output = tmp_path / f"source{number}", tmp_path / f"output{number}"
        subprocess.run(["cp", "-r", str(checkout), str(source)], check=True)
        for name in litters:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).touch()
        command = [sys.executable, "-m", "ansible", "galaxy", "collection", "build", "--output-path", output, source]
        subprocess.run(command, check=True, capture_output=True)
        (built,) = output.glob("*.tar.gz")
        with tarfile.open(built) as archive:
            kept[number] = sorted(archive.getnames())
    assert kept[1] == kept[0]


def test_the_version_is_in_one_place(tarball: pathlib.Path) -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    assert tarball.name == f"cloudn-compute-{version}.tar.gz"
    with tarfile.open(tarball) as archive:
        manifest = archive.extractfile("MANIFEST.json")
        assert manifest
        assert json.load(manifest)["collection_info"]["version"] == version


@pytest.mark.parametrize(
    ("kind", "names"), [(kind, plugins(f"{kind}s" if kind == "module" else kind)) for kind in ("module", "inventory")]
)
def test_ansible_doc_shows_every_plugin(ansible: Run, kind: str, names: list[str]) -> None:
    listed = json.loads(ansible("ansible-doc", "-t", kind, "-l", "--json", "cloudn.compute"))
    assert sorted(listed) == names
    assert names
    documented = json.loads(ansible("ansible-doc", "-t", kind, "--json", *names))
    assert sorted(documented) == names
    for described in documented.values():
        assert described["doc"]["options"]["api_url"]["description"]
        assert described["examples"]
    shown = ansible("ansible-doc", "-t", kind, *names)
    assert all(name.upper() in shown.upper() for name in names)


@pytest.mark.generation("3", reason="it takes long, and the documentation is one for all")
def test_the_installed_documentation_has_no_faults(
    installed: pathlib.Path, environment: dict[str, str], tmp_path: pathlib.Path
) -> None:
    """The sources of a documentation site have no faults: links, markup, returned values."""
    directory = installed / "ansible_collections" / "cloudn" / "compute"
    command = ["antsibull-docs", "lint-collection-docs", "--plugin-docs", str(directory)]
    variables = {"ANSIBLE_COLLECTIONS_PATH": str(installed), "HOME": str(tmp_path)}  # it leaves a log at home
    done = subprocess.run(
        command,
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_examples_please_ansible_lint_at_its_strictest(
    checkout: pathlib.Path, installed: pathlib.Path, environment: dict[str, str]
) -> None:
    """ansible-lint finds nothing in the example site, at its strictest."""
    variables = {"ANSIBLE_COLLECTIONS_PATH": str(installed), "NO_COLOR": "1"}
    playbooks = {path.name for path in (ROOT / "examples").glob("*.yml")} - {"cloudn.yml", "machines.yml"}
    command = ["ansible-lint", "--offline", "--strict", "--profile", "production", *sorted(playbooks)]
    done = subprocess.run(
        command,
        cwd=checkout / "examples",
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_ansible_builder_takes_both_execution_environments(
    checkout: pathlib.Path, tarball: pathlib.Path, installed: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    """ansible-builder accepts both definitions. It finds the Python packages that an installed collection needs."""
    builder = str(pathlib.Path(sys.executable).parent / "ansible-builder")
    (tmp_path / "cloudn-compute.tar.gz").symlink_to(tarball)
    example = tmp_path / "execution-environment.yml"
    example.write_text((checkout / "examples" / example.name).read_text())
    for definition in (checkout / "meta" / "execution-environment.yml", example):
        context = tmp_path / definition.parent.name
        command = [builder, "create", "--file", str(definition), "--context", str(context)]
        subprocess.run(command, check=True, capture_output=True)
        assert (context / "_build").is_dir()
    needed = (checkout / "requirements.txt").read_text().splitlines()[1:]
    assert (tmp_path / "meta" / "_build" / "requirements.txt").read_text().splitlines()[1:] == needed
    found = subprocess.run([builder, "introspect", str(installed)], check=True, capture_output=True, text=True)
    assert [line.split()[0] for line in yaml.safe_load(found.stdout)["python"]] == needed

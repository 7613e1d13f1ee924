# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball holds what a user needs and nothing else. The installed collection has its documentation."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[2]
Run = Callable[..., str]
MADE = {"MANIFEST.json", "FILES.json"}  # by the build
# What of git's files is for who uses the collection. A new kind of file is named here and in galaxy.yml.
MEANT = re.compile(
    r"(README|CONTRIBUTING|CODE_OF_CONDUCT)\.md|CHANGELOG\.rst|LICENSE|requirements\.txt"
    r"|changelogs/(config|changelog)\.yaml"
    r"|docs/[\w-]+\.(md|svg|png)|docs/docsite/links\.yml"
    r"|examples/(README\.md|ansible\.cfg|requirements\.txt|\w+\.yml|execution-environment\.yml|tasks/\w+\.yml|templates/[\w.]+\.j2)"
    r"|meta/(runtime\.yml|execution-environment\.yml|requirements\.txt)"
    r"|plugins/(\w+/)+\w+\.py"
)
# What lies around where people work: settings, secrets, and what tools leave behind.
LITTER = (
    *(
        ".env",
        ".ansible/tmp/secret.py",
        ".vault_pass",
        ".venv/bin/python",
        ".vscode/settings.json",
        ".demo/requests.jsonl",
    ),
    *(".bench/peer/made-of", ".hypothesis/x", ".ruff_cache/x", ".release/cloudn-compute-1.0.0.tar.gz", "secret.yml"),
    *("plugins/.env", "plugins/.ansible/x.py", "plugins/modules/.x.py", "plugins/modules/cloudn_vm.py~"),
    *("plugins/modules/__pycache__/cloudn_vm.cpython-311.pyc", "plugins/module_utils/.ansible/x.py", "docs/.env"),
    *(
        "plugins/module_utils/api/.ansible/x.py",
        "docs/rely-on.md.orig",
        "docs/.draft.md",
        "docs/docsite/secret.yml",
        "meta/.env",
        "meta/private.yml",
    ),
    *("examples/.vault_pass", "examples/my_secrets.yml", "examples/group_vars/all.yml", "examples/rendered/lb/hosts"),
    *("examples/cloudn.retry", "examples/tasks/mine.yml", "tests/output/x", "cloudn-compute-1.0.0.tar.gz", "id_rsa"),
    *("changelogs/.plugin-cache.yaml", "changelogs/fragments/mine.yml", "emulator/build/x.py", "requirements.txt.orig"),
)


def plugins(kind: str) -> list[str]:
    """The names of the plugins of a kind, as `ansible-doc` calls them."""
    return sorted(f"cloudn.compute.{path.stem}" for path in (ROOT / "plugins" / kind).glob("*.py"))


def files(tarball: pathlib.Path) -> set[str]:
    """The names of the files in a tarball."""
    with tarfile.open(tarball) as archive:
        return {member.name for member in archive.getmembers() if not member.isdir()}


def test_the_tarball_holds_exactly_what_is_meant(checkout: pathlib.Path, tarball: pathlib.Path) -> None:
    there = {path.relative_to(checkout).as_posix() for path in checkout.rglob("*") if path.is_file()}
    assert files(tarball) == MADE | {name for name in there if MEANT.fullmatch(name)}


def test_files_that_lie_around_stay_out(checkout: pathlib.Path, tarball: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """A directory in which somebody works gives the tarball that a clean one gives."""
    source, output = tmp_path / "source", tmp_path / "output"
    subprocess.run(["cp", "-r", str(checkout), str(source)], check=True)
    for name in LITTER:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).touch()
    command = [sys.executable, "-m", "ansible", "galaxy", "collection", "build", "--output-path", output, source]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = output.glob("*.tar.gz")
    with tarfile.open(built) as dirty, tarfile.open(tarball) as clean:
        assert sorted(dirty.getnames()) == sorted(clean.getnames())


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

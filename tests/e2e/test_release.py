# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make release` writes the changelog, tags, and builds what is to be published; it refuses what would be half a release."""

from __future__ import annotations

import importlib.util
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
from types import ModuleType

import pytest
import yaml

ROOT = pathlib.Path(__file__).parents[2]
NEXT = "1.0.1"


def git(tree: pathlib.Path, *words: str) -> str:
    """Run git there; return what it says."""
    done = subprocess.run(["git", *words], cwd=tree, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script of the release."""
    spec = importlib.util.spec_from_file_location("make_release", ROOT / "release" / "__main__.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def tree(checkout: pathlib.Path, tmp_path: pathlib.Path) -> pathlib.Path:
    """A repository with the project, where the next version and a fragment are committed."""
    folder = tmp_path / "tree"
    shutil.copytree(checkout, folder, ignore=shutil.ignore_patterns(".demo"))
    for path in (folder / "changelogs" / "fragments").glob("*.yml"):
        path.unlink()
    (folder / "changelogs" / "fragments" / "tags.yml").write_text("bugfixes:\n  - cloudn_vm - tags are set.\n")
    galaxy = folder / "galaxy.yml"
    galaxy.write_text(re.sub(r"(?m)^version: .*$", f"version: {NEXT}", galaxy.read_text()))
    git(folder, "init", "--quiet")
    for name, value in (("name", "Somebody"), ("email", "somebody@example.com")):
        git(folder, "config", f"user.{name}", value)
    commit(folder)
    return folder


def commit(tree: pathlib.Path) -> None:
    """Commit all that is there."""
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message", "Work")


def test_a_release_is_one_command(script: ModuleType, tree: pathlib.Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It may be asked for twice: the second time it is refused, as the tag is there."""
    assert script.main([], tree) == 0
    said = capfd.readouterr().out
    assert f"git push origin HEAD {NEXT}" in said
    assert f"ansible-galaxy collection publish .release/cloudn-compute-{NEXT}.tar.gz" in said
    assert git(tree, "describe", "--exact-match") == NEXT
    assert git(tree, "status", "--porcelain") == ""
    changes = yaml.safe_load((tree / "changelogs" / "changelog.yaml").read_text())["releases"][NEXT]["changes"]
    assert changes == {"bugfixes": ["cloudn_vm - tags are set."]}
    assert f"v{NEXT}\n" in (tree / "CHANGELOG.rst").read_text()
    assert not list((tree / "changelogs" / "fragments").glob("*.yml"))
    with tarfile.open(tree / ".release" / f"cloudn-compute-{NEXT}.tar.gz") as archive:
        file = archive.extractfile("CHANGELOG.rst")
        assert file
        assert f"v{NEXT}\n" in file.read().decode()
    assert list((tree / ".release").glob("cloudn_emulator-*.whl"))
    assert script.main([], tree) == 1
    assert f"there is a tag {NEXT} already" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "old", "new", "reason"),
    [
        ("galaxy.yml", f"version: {NEXT}", "version: 1.1", "is not of the form"),
        ("galaxy.yml", f"version: {NEXT}", "version: 1.1.0-beta.1", "is not of the form"),
        ("galaxy.yml", f"version: {NEXT}", "version: 1.0.0", "there are fragments: tags.yml"),
        ("emulator/CHANGELOG.md", "## 1.", "## 7.", "does not begin with"),
    ],
)
def test_what_would_be_half_a_release_is_refused(
    script: ModuleType,
    tree: pathlib.Path,
    capfd: pytest.CaptureFixture[str],
    name: str,
    old: str,
    new: str,
    reason: str,
) -> None:
    before = (tree / name).read_text()
    (tree / name).write_text(before.replace(old, new, 1))
    assert (tree / name).read_text() != before
    commit(tree)
    assert script.main(["--check"], tree) == 1
    assert reason in capfd.readouterr().err


def test_changes_that_are_not_committed_are_refused(
    script: ModuleType, tree: pathlib.Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert script.main(["--check"], tree) == 0
    (tree / "README.md").write_text("half")
    assert script.main(["--check"], tree) == 1
    assert "not committed" in capfd.readouterr().err


def test_the_make_target_checks_tests_and_releases_in_this_order() -> None:
    command = ["make", "--dry-run", "release", f"VENV={pathlib.Path(sys.executable).parent.parent}"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    places = [said.find(text) for text in ("python release --check", "pytest", "release_check.py", "python release\n")]
    assert -1 not in places
    assert places == sorted(places)

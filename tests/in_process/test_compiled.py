# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Python compiles of the collection is kept for the next run, and never used for a file that has changed."""

from __future__ import annotations

import pathlib
import shutil
from typing import Any

import pytest
import ways

ROOT = pathlib.Path(__file__).parents[2]
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - cloudn.compute.cloudn_zone_info:
"""
VIEW = pathlib.Path("plugins/module_utils/resources/zone.py")
pytestmark = pytest.mark.generation("3", reason="how files are imported is the same on both")


@pytest.fixture
def copy(tmp_path: pathlib.Path) -> pathlib.Path:
    """A copy of the collection that nobody has imported."""
    folder = tmp_path / "ansible_collections" / "cloudn" / "compute"
    for name in ("plugins", "meta"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "galaxy.yml", folder)
    return folder


def zones(emulator: Any, folder: pathlib.Path, **variables: str) -> list[dict[str, Any]]:
    """Run a task of the collection in ``folder``; return the zones that it shows."""
    variables = {"ANSIBLE_COLLECTIONS_PATH": str(folder.parents[2]), **variables}
    done, lines = ways.run(emulator, folder.parents[2], PLAY, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    found: list[dict[str, Any]] = lines[0]["result"]["zones"]
    return found


def test_what_is_compiled_is_kept(emulator: Any, copy: pathlib.Path) -> None:
    before = zones(emulator, copy, PYTHONDONTWRITEBYTECODE="")
    kept = {path.parent.parent / f"{path.name.partition('.')[0]}.py" for path in copy.rglob("*.pyc")}
    assert {copy / VIEW, copy / "plugins/modules/cloudn_zone_info.py", copy / "plugins/plugin_utils/action.py"} <= kept
    view = copy / VIEW
    text = view.read_text()
    view.write_text(text + "\nraise ImportError('the changed file is read')\n")
    with pytest.raises(AssertionError, match="the changed file is read"):
        zones(emulator, copy, PYTHONDONTWRITEBYTECODE="")
    view.write_text(text)
    assert zones(emulator, copy, PYTHONDONTWRITEBYTECODE="") == before


def test_nothing_is_kept_where_python_is_told_so(emulator: Any, copy: pathlib.Path) -> None:
    assert zones(emulator, copy, PYTHONDONTWRITEBYTECODE="1")
    assert not list(copy.rglob("*.pyc"))

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports go one way, those inside functions too: no two modules need each other, and nothing below knows what is above it."""

from __future__ import annotations

import ast
import graphlib
import pathlib
from collections.abc import Iterator

import pytest

ROOT = pathlib.Path(__file__).parents[2]
TREES = {
    "collection": ROOT / "plugins" / "module_utils",
    "emulator": ROOT / "emulator" / "src" / "cloudn_emulator",
}


def for_types_only(tree: ast.AST) -> set[ast.AST]:
    """Code under `if t.TYPE_CHECKING:` never runs."""
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)]
    return {inner for block in blocks for inner in ast.walk(block)}


def imports(root: pathlib.Path, path: pathlib.Path) -> Iterator[str]:
    """The files below a root that a file imports, by their names relative to the root."""
    tree = ast.parse(path.read_text())
    left_out = for_types_only(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node not in left_out:
            folder = path.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            for alias in node.names:
                inside = folder / alias.name
                places = (
                    inside.with_suffix(".py"),
                    inside / "__init__.py",
                    folder.with_suffix(".py"),
                    folder / "__init__.py",
                )
                there = [place for place in places if place.exists()]
                yield str(there[0].relative_to(root))


def graph(root: pathlib.Path) -> dict[str, set[str]]:
    return {str(path.relative_to(root)): set(imports(root, path)) for path in root.rglob("*.py")}


@pytest.mark.parametrize("root", TREES.values(), ids=TREES)
def test_no_two_modules_import_each_other(root: pathlib.Path) -> None:
    graphlib.TopologicalSorter(graph(root)).prepare()  # raises CycleError, which names the circle


# What each folder may import beside itself.
BELOW = {
    "api": set(),
    "reconcile": {"api"},
    "resources": {"api", "reconcile", "advice.py", "wrong_values.py"},
    "inventory": {"api", "resources", "visible.py"},
    "raw": {"api", "resources", "wrong_values.py"},
    "planned": {"api", "reconcile", "resources"},
    "site": {
        "api",
        "reconcile",
        "resources",
        "planned",
        "items.py",
        "limits.py",
        "options.py",
        "visible.py",
        "wrong_values.py",
    },
}


@pytest.mark.parametrize("folder", BELOW)
def test_a_folder_knows_only_those_below_it(folder: str) -> None:
    for name, imported in graph(TREES["collection"]).items():
        if name.startswith(f"{folder}/"):
            assert {one.split("/")[0] for one in imported} <= {folder, *BELOW[folder]}, name


def test_a_planner_sends_nothing() -> None:
    """It knows the client only as what other functions take."""
    for path in TREES["collection"].glob("resources/*/plan.py"):
        assert ".call(" not in path.read_text() and ".list(" not in path.read_text(), path


def test_a_circle_is_found(tmp_path: pathlib.Path) -> None:
    (tmp_path / "one.py").write_text("from .two import a\n")
    (tmp_path / "two.py").write_text("def later():\n    from . import one\n")
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(graph(tmp_path)).prepare()
    (tmp_path / "two.py").write_text("if t.TYPE_CHECKING:\n    from . import one\n")
    graphlib.TopologicalSorter(graph(tmp_path)).prepare()

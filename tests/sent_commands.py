# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that the collection sends, read from its code."""

from __future__ import annotations

import ast
import functools
import pathlib
import re
from collections.abc import Iterator

PLUGINS = pathlib.Path(__file__).parent.parent / "plugins"
_BEGINNING = re.compile(r"[a-z]+[A-Z][A-Za-z]+")  # a verb, and what it is about


def is_sent(command: str) -> bool:
    """Whether the code has a command's name, as a whole text or as one whose end is put in when the code runs."""
    return any(
        command == text or (not whole and command.startswith(text) and command[len(text) : len(text) + 1].isupper())
        for text, whole in _texts_of_all()
    )


@functools.cache
def _texts_of_all() -> frozenset[tuple[str, bool]]:
    """The texts in the code, each with whether it is whole."""
    return frozenset(pair for path in PLUGINS.rglob("*.py") for pair in _texts(ast.parse(path.read_text())))


def _texts(tree: ast.AST) -> Iterator[tuple[str, bool]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, True
        elif isinstance(node, ast.JoinedStr) and len(node.values) == 2 and isinstance(node.values[0], ast.Constant):
            beginning = str(node.values[0].value)
            if _BEGINNING.fullmatch(beginning):
                yield beginning, False

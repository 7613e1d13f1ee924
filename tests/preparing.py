# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tasks that must be done before a test, and puts the ids of their objects into other tasks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

Task = tuple[str, dict[str, Any]]
OBJECTS = ("vm", "snapshot", "volume", "template")


def filled(value: Any, known: dict[str, str]) -> Any:
    """Return a task's options with the ids of the objects that were made before."""
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda match: known[match[1]], value)
    if isinstance(value, dict):
        return {key: filled(inner, known) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, known) for inner in value]
    return value


def prepared(
    run: Callable[..., dict[str, Any]], before: Iterable[Task], known: dict[str, str] | None = None
) -> dict[str, str]:
    """Run the tasks of what must be there before; return the ids of what they made, by the names that options have.

    The ids that are ``known`` already are among them.
    """
    known = dict(known or {})
    for module, options in before:
        done = run(module, **filled(options, known))
        assert not done.get("failed"), done["msg"]
        known |= {name: done[name]["id"] for name in OBJECTS if name in done}
        known |= {"job": done["jobs"][0]} if done.get("jobs") else {}
    return known

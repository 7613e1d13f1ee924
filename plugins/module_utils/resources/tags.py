# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of any resource: shown as a dictionary, changed by the fewest commands."""

from __future__ import annotations

import typing as t

from ..api import Record, UsageError
from ..reconcile import THIS, Changes, Step
from .names import folded

# The kinds of objects in createTags and deleteTags; measured on CloudStack 3.0.5.
VM, VOLUME, TEMPLATE, SNAPSHOT, SECURITY_GROUP = "UserVm", "Volume", "Template", "Snapshot", "SecurityGroup"


def to_result(record: Record) -> dict[str, str]:
    """Return an object's tags as ``{key: value}``, sorted by key."""
    return dict(sorted((tag["key"], tag.get("value", "")) for tag in record.get("tags") or [] if "key" in tag))


def has_all(record: Record, given: dict[str, t.Any] | None) -> bool:
    """Tell whether an object has all given tags. The service's own filter finds objects that have any of them.

    Keys are compared as the service compares them, values exactly.
    """
    if not given:
        return True
    current = {folded(key): value for key, value in to_result(record).items()}
    return all(current.get(folded(str(key))) == _text(value) for key, value in given.items())


def desired(current: dict[str, str], given: dict[str, t.Any] | None, purge: bool) -> dict[str, str]:
    """Return the tags that an object gets: the given ones (``None``: no change), and the current others unless ``purge``.

    A key that equals a current key for the service keeps that spelling, as the service can't have both.
    """
    if given is None:
        return current
    spelled = {folded(key): key for key in current}
    texts = {spelled.get(folded(str(key)), str(key)): _text(value) for key, value in given.items()}
    return texts if purge else {**current, **texts}


def stages(
    kind: str, name: str, current: dict[str, str], goal: dict[str, str], early: bool = False
) -> list[list[Step]]:
    """Return the stages that lead from the current tags to the goal.

    The service can't set an existing key again (measured on CloudStack 3.0.5: a failed job). So a changed tag is deleted first.
    """
    gone = [key for key, value in current.items() if goal.get(key) != value]
    new = {key: value for key, value in goal.items() if current.get(key) != value}
    kept = {key: value for key, value in current.items() if key not in gone}
    plan = []
    if gone:
        text = f"{name}: remove tags {', '.join(gone)}"
        plan.append([_step(text, "deleteTags", kind, [{"key": key} for key in gone], early, kept)])
    if new:
        text = f"{name}: set tags {', '.join(f'{key}={value}' for key, value in new.items())}"
        plan.append([_step(text, "createTags", kind, new, early, {**kept, **new})])
    return plan


def _step(text: str, command: str, kind: str, tags: list[Record] | Record, early: bool, left: dict[str, str]) -> Step:
    """Return a step that leaves an object with the tags ``left``. The service's answer does not show them."""

    def tagged(known: Record, _record: t.Any) -> Record:
        return {**known, "tags": [{"key": key, "value": value} for key, value in left.items()]}

    params = {"resourceids": [THIS], "resourcetype": kind, "tags": tags}
    return Step(text, command, params, yields=tagged, early=early, many="resourceids")


def plan(
    kind: str, name: str, record: Record | None, options: Record, changes: Changes, early: bool = True
) -> list[list[Step]]:
    """Return the stages that give an object (``None``: a new one) the tags of the options, and note them in the changes."""
    if options.get("tags") is None:
        return []
    current = to_result(record or {})
    goal = desired(current, options["tags"], options["purge_tags"])
    changes.note("tags", current, goal)
    return stages(kind, name, current, goal, early)


def query(given: dict[str, t.Any] | None) -> dict[str, str] | None:
    """Return tags as a listing's filter takes them, ``None`` if there are none. Raises ``UsageError`` for one without a value."""
    for key, value in (given or {}).items():
        if value is None:
            raise UsageError(f"tags: {key!r}: has no value; give the value that the tag must have")
    return {str(key): _text(value) for key, value in given.items()} if given else None


def _text(value: t.Any) -> str:
    """Return a tag's value as the text that the service keeps. YAML's truth values are ``true`` and ``false``."""
    return str(value).lower() if isinstance(value, bool) else str(value)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads rules of faults, and refuses those that can't be followed."""

from __future__ import annotations

import random
from typing import Any

from .rule import ANY, KINDS, WHEN, FaultRule, Given


class BadRule(ValueError):
    """A rule that can't be followed. The text says what is wrong and what is allowed."""


def read_rule(given: Any) -> FaultRule:
    """The rule that a mapping stands for. Raises BadRule."""
    kind = _kind(given)
    nth = given.get("nth")
    seed = _number(given, "seed", int, 1)
    return FaultRule(
        kind,
        str(given.get("command", ANY)),
        None if nth is None else [_whole("nth", number) for number in (nth if isinstance(nth, list) else [nth])],
        None if given.get("every") is None else _whole("every", given["every"]),
        _number(given, "probability", float, None),
        seed,
        None if given.get("times") is None else _whole("times", given["times"]),
        {name: _setting(name, given.get(name, default)) for name, default in KINDS[kind].items()},
        chance=random.Random(seed),
    )


def _kind(given: Any) -> str:
    """The kind of a rule. Raises BadRule for an unknown kind, and for a setting that is not this kind's."""
    if not isinstance(given, dict):
        raise BadRule(f"a rule is no mapping: {given!r}")
    kind = given.get("kind")
    if kind not in KINDS:
        raise BadRule(f"kind: there is no {kind!r}; there are {', '.join(KINDS)}")
    allowed = ["kind", *WHEN, *KINDS[kind]]
    for name in given:
        if name not in allowed:
            raise BadRule(f"{name}: not for kind {kind}, which takes {', '.join(allowed[1:])}")
    return str(kind)


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise BadRule(f"{name}: {value!r} is no number from 1")
    return value


def _number(given: Given, name: str, kind: type, default: Any) -> Any:
    value = given.get(name, default)
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0):
        raise BadRule(f"{name}: {value!r} is no number from 0")
    return value if value is None else kind(value)


def _setting(name: str, value: Any) -> Any:
    if name == "change" and value not in ("appear", "vanish"):
        raise BadRule(f"change: {value!r} is neither appear nor vanish")
    if name in ("text", "result") and not isinstance(value, bool):
        raise BadRule(f"{name}: {value!r} is neither true nor false")
    if name == "name":
        return str(value)
    if name in ("seconds", "retry_after"):
        return _number({name: value}, name, float, None)
    if name == "status" and value not in (500, 502, 503, 504):
        raise BadRule(f"status: {value!r} is none of 500, 502, 503, 504")
    return value

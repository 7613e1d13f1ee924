# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads rules of faults, and refuses those that can't be followed."""

from __future__ import annotations

import difflib
import fnmatch
import random
import re
import reprlib
from collections.abc import Iterable
from typing import Any

import yaml

from .rule import ANY, KINDS, WHEN, FaultRule, Given

LONGEST = 64 * 1024  # bytes of rules
MOST = 10**9  # of all numbers in rules
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict, _SHORT.maxstring, _SHORT.maxother = 2, 4, 4, 80, 80


class BadRule(ValueError):
    """A rule that can't be followed. The text says what is wrong and what is allowed."""


class _Loader(yaml.SafeLoader):
    """Reads YAML without aliases. A short text with aliases can stand for a value that fills the memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise BadRule("rules must have no aliases; write each rule out")
        return super().compose_node(parent, index)


def parse(text: bytes) -> Any:
    """The value that a text in JSON or YAML stands for; an empty list for none. Raises BadRule."""
    try:
        value = yaml.load(text, _Loader)
    except RecursionError:
        raise BadRule("the rules are nested too deeply") from None
    except BadRule:
        raise
    # What the library raises for a text that is not of its type, such as `!!int x`.
    except (yaml.YAMLError, ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as error:
        raise BadRule(f"the rules are not YAML: {error}") from None
    return [] if value is None else value


def read_rule(given: Any) -> FaultRule:
    """The rule that a mapping stands for. A setting without a value is one that is not given. Raises BadRule."""
    kind = _kind(given)
    given = {name: value for name, value in given.items() if value is not None}
    nth = given.get("nth")
    seed = _number(given, "seed", int, 1)
    return FaultRule(
        kind,
        _pattern("command", given.get("command", ANY)),
        None if nth is None else _numbers("nth", nth if isinstance(nth, list) else [nth]),
        None if given.get("every") is None else _whole("every", given["every"]),
        _number(given, "probability", float, None, 1),
        seed,
        None if given.get("times") is None else _whole("times", given["times"]),
        {name: _setting(name, given.get(name, default)) for name, default in KINDS[kind].items()},
        chance=random.Random(seed),
    )


def _kind(given: Any) -> str:
    """The kind of a rule. Raises BadRule for an unknown kind, and for a setting that is not this kind's."""
    if not isinstance(given, dict):
        raise BadRule(f"a rule is no mapping: {_shown(given)}")
    kind = given.get("kind")
    if kind is None:
        near = _meant("kind", given)
        raise BadRule(f"kind: is missing{near} There are {', '.join(KINDS)}")
    if not isinstance(kind, str) or kind not in KINDS:
        raise BadRule(f"kind: there is no {_shown(kind)}; there are {', '.join(KINDS)}{_near(kind, KINDS)}")
    allowed = ["kind", *WHEN, *KINDS[kind]]
    for name in given:
        if name not in allowed:
            shown = name if isinstance(name, str) else _shown(name)
            raise BadRule(f"{shown}: not for kind {kind}, which takes {', '.join(allowed[1:])}{_near(name, allowed)}")
    return kind


def _near(wrong: Any, known: Iterable[str]) -> str:
    """A question for the end of a sentence, whether the known word that is most like a wrong one was meant."""
    close = difflib.get_close_matches(str(wrong)[:80], known, 1) if isinstance(wrong, str) else []
    return f"; did you mean {close[0]}?" if close else ""


def _meant(word: str, given: Iterable[Any]) -> str:
    """The end of a sentence: whether one of the given names may stand for a word that is missing."""
    close = difflib.get_close_matches(word, [name for name in given if isinstance(name, str) and name != word], 1)
    return f"; did you mean it by {_shown(close[0])}?" if close else "."


def _shown(value: Any) -> str:
    """A value as a message has it, which is never long."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # Python does not write numbers of thousands of digits
        return "a number of many digits"


def _pattern(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise BadRule(f"{name}: {_shown(value)} is no text")
    try:
        fnmatch.fnmatchcase("", value)
    except re.error as error:
        raise BadRule(f"{name}: {_shown(value)} is no pattern: {error}") from None
    return value


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise BadRule(f"{name}: {_shown(value)} is no number from 1 to {MOST}")
    return value


def _numbers(name: str, values: list[Any]) -> list[int]:
    if not values:
        raise BadRule(f"{name}: has no number; give one, or leave it out")
    return [_whole(name, value) for value in values]


def _number(given: Given, name: str, kind: type, default: Any, most: int = MOST) -> Any:
    value = given.get(name, default)
    if value is None:
        return None
    # A number that is none (nan) is not in the range either.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        raise BadRule(f"{name}: {_shown(value)} is no number from 0 to {most}")
    return kind(value)


def _setting(name: str, value: Any) -> Any:
    if name == "change" and value not in ("appear", "vanish"):
        raise BadRule(f"change: {_shown(value)} is neither appear nor vanish")
    if name in ("text", "result") and not isinstance(value, bool):
        raise BadRule(f"{name}: {_shown(value)} is neither true nor false")
    if name == "name":
        return _pattern(name, value)
    if name in ("seconds", "retry_after"):
        return _number({name: value}, name, float, None)
    if name == "status" and (not isinstance(value, int) or value not in (500, 502, 503, 504)):
        raise BadRule(f"status: {_shown(value)} is none of 500, 502, 503, 504")
    return value

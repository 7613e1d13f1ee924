# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters: `Filter.1.Name`, `Filter.1.Value.1` and so on, as CloudStack's bridge reads them (its source, and measured).

Every filter must pass. One of its values is enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..wildcards import in_turn
from .java import JavaError, parse_date, parse_int, part, split
from .refusals import Refused
from .replies import error
from .request import Request

View = dict[str, Any]
Test = Callable[[Any, str], bool]
Filter = tuple[Test, Callable[[View], Any]]
Given = list[tuple[str, list[str]]]
TAG = "tag:"
TIMES = ("attachment.attach-time", "create-time")  # their values are no patterns
LETTERS = "bcdefghij"  # of the devices from 1 to 9
CD_DRIVE = 3
_TO_PATTERN = str.maketrans({"*": ".+", "?": ".", **{letter: f"\\{letter}" for letter in r".+$\[]{}()&^-|"}})
_ANY = "[^\n\r\x85\u2028\u2029]"  # what a dot is to Java


@dataclass(frozen=True, slots=True)
class Kind:
    """The filters of one action: for each its test, and the values of a native view that it compares.

    Of a tuple of values one is enough. `absent` names filters that the bridge knows but does not have. `unknown` is the
    error text for other filters; if it is None they are ignored. `tagged`: there are filters by tag, too.
    """

    filters: dict[str, Filter]
    unknown: str | None = "Unsupported filter [{}] - 1"
    absent: Sequence[str] = ()
    tagged: bool = True

    def given(self, request: Request) -> Given:
        """The filters of a request with their values. Raises Refused (501) for an unknown one."""
        filters: Given = []
        while (name := request.get(f"Filter.{len(filters) + 1}.Name")) is not None:
            values = request.numbered(f"Filter.{len(filters) + 1}.Value.{{}}")
            filters.append((name, values if name.lower() in TIMES else [_pattern(value) for value in values]))
        return [(name, values) for name, values in filters if self._is_known(name)]

    def _is_known(self, name: str) -> bool:
        if self._filter(name) or (self.tagged and name.startswith(TAG)):
            return True
        if name in self.absent:
            raise Refused(error(501, "Error", f"Unsupported filter [{name}] - 2"))
        if self.unknown is not None:
            raise Refused(error(501, "Error", self.unknown.format(name)))
        return False

    def _filter(self, name: str) -> Filter | None:
        return self.filters.get(name) or (TAGS.get(name) if self.tagged else None)

    def passing(self, views: list[View], filters: Given) -> list[View]:
        """The objects that pass every filter. Raises JavaError where a value is none that can be compared."""
        return [view for view in views if all(self._passes(view, name, values) for name, values in filters)]

    def _passes(self, view: View, name: str, values: list[str]) -> bool:
        known = self._filter(name)
        if known:
            test, get = known
            return matches(test, get(view), values)
        key = part(split(name, ":"), 1).lower()
        return matches(like, tuple(tag["value"] for tag in view["tags"] if tag["key"].lower() == key), values)


def matches(test: Test, found: Any, values: list[str]) -> bool:
    """Whether what was found passes with one of the values; of a tuple, whether one in it does."""
    several = found if isinstance(found, tuple) else (found,)
    return any(test(one, value) for one in several for value in values)


def _pattern(value: str) -> str:
    """A value as the regular expression that the bridge makes of it.

    `*` is one character or more here, not none (the real bridge's). A backslash has no meaning of its own.
    """
    return value.translate(_TO_PATTERN)


def like(found: str | None, pattern: str) -> bool:
    """Whether a text is as a pattern says, in this case of its letters."""
    return found is not None and _matcher(pattern)(found)


@lru_cache(maxsize=256)
def _matcher(pattern: str) -> Callable[[str], bool]:
    pieces = re.findall(r"\\.|\.\+|.", pattern, re.DOTALL)
    parts = [""]
    for piece in pieces:
        if piece == ".+":
            parts.append("")
        else:
            parts[-1] += _ANY if piece == "." else piece
    # Each piece is one character at least. So a pattern that is longer than a text needs no expression.
    expression = lru_cache(maxsize=1)(lambda: re.compile(in_turn(f"{_ANY}+", parts), re.DOTALL))
    return lambda text: len(pieces) <= len(text) and expression().match(text) is not None


def text_like(found: str | None, pattern: str) -> bool:
    """The same; what is not there is the text `null` (the real bridge's)."""
    return like("null" if found is None else found, pattern)


def same_number(found: int, text: str) -> bool:
    """Whether a number is the one in this text. Raises JavaError."""
    return found == parse_int(text)


def same_moment(found: str | None, text: str) -> bool:
    """Whether a moment is the one in this text; nothing is compared where there is none. Raises JavaError."""
    if found is None:
        return False
    wanted = parse_date(text)
    if wanted is None:
        raise JavaError(
            "NullPointerException",
            'Cannot invoke "java.util.Calendar.setTimeZone(java.util.TimeZone)" because "toMatch" is null',
        )
    return parse_date(found) == wanted


def is_device(number: int | None, pattern: str) -> bool:
    """Whether a disk is the one of this device, by either of the device's names."""
    if number is None or number == CD_DRIVE or not 1 <= number <= len(LETTERS):
        return False
    letter = LETTERS[number - 1]
    return any(like(f"/dev/{kind}{letter}", pattern) for kind in ("sd", "xvd"))


TAGS: dict[str, Filter] = {
    "tag-key": (like, lambda view: tuple(tag["key"] for tag in view["tags"])),
    "tag-value": (like, lambda view: tuple(tag["value"] for tag in view["tags"])),
}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters of EC2: `Filter.1.Name`, `Filter.1.Value.1` and so on. Which there are is from CloudStack's source."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from .calls import Call
from .errors import Failed, Refused
from .wire import error

Item = dict[str, Any]
Test = Callable[[Any, str], bool]
Filters = dict[str, tuple[Test, Callable[[Item], Any]]]
TAG = "tag:"


def given(call: Call, known: Filters) -> dict[str, list[str]]:
    """The filters of a request with their values; raises Refused (501) for one that is not known here."""
    filters: dict[str, list[str]] = {}
    number = 1
    while (name := call.get(f"Filter.{number}.Name")) is not None:
        if name not in known and not name.startswith(TAG):
            raise Refused(error(501, "Error", f"Unsupported filter [{name}]"))
        values = filters.setdefault(name, [])
        while (value := call.get(f"Filter.{number}.Value.{len(values) + 1}")) is not None:
            values.append(value)
        number += 1
    return filters


def tag_params(filters: dict[str, list[str]]) -> dict[str, str]:
    """The filters `tag:KEY` as parameters of the native listings, which take one of several tags for enough."""
    pairs = [(name[len(TAG) :], value) for name, values in filters.items() if name.startswith(TAG) for value in values]
    params = {}
    for number, (key, value) in enumerate(pairs):
        params |= {f"tags[{number}].key": key, f"tags[{number}].value": value}
    return params


def passing(items: list[Item], filters: dict[str, list[str]], known: Filters) -> list[Item]:
    """The items that pass every filter: one of its values is enough."""
    wanted = [(*known[name], values) for name, values in filters.items() if name in known]
    return [item for item in items if all(any(test(get(item), one) for one in values) for test, get, values in wanted)]


def like(value: Any, pattern: str) -> bool:
    """Whether a text is as a pattern says: `*` is any text, `?` any character, a backslash takes their meaning away."""
    words = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"*": ".*", "?": "."}
    expression = "".join(wild.get(word) or re.escape(word[-1]) for word in words)
    return value is not None and re.fullmatch(expression, str(value), re.DOTALL) is not None


def same_number(value: Any, text: str) -> bool:
    """Whether a number is the one in this text; raises Failed where that is none."""
    try:
        return int(value) == int(text)
    except ValueError:
        raise Failed(f'For input string: "{text}"') from None


def same_moment(value: str | None, text: str) -> bool:
    """Whether a moment is the one in this text; raises Failed where that is none."""
    try:
        wanted = datetime.fromisoformat(re.sub("Z$", "+00:00", text))
    except ValueError:
        raise Failed(f'Unparseable date: "{text}"') from None
    return value is not None and wanted.tzinfo is not None and datetime.fromisoformat(value) == wanted

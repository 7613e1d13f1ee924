# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyed groups whose key is just the name of a variable: finds their names without a template. Knows no Ansible."""

from __future__ import annotations

import re
import typing as t

from .hosts import safe_group

_TEXT = r"[^'\"\\{}\n]*"
_PART = rf"\.[A-Za-z_]\w*|\['{_TEXT}'\]|\[\"{_TEXT}\"\]"
_PLAIN = re.compile(rf"([A-Za-z_]\w*)((?:{_PART})*)\Z", re.ASCII)
_PARTS = re.compile(_PART, re.ASCII)
_CONSTANT = re.compile(r"[^{#]*\Z")
_OPTIONS = frozenset(("key", "prefix", "separator", "parent_group", "default_value", "trailing_separator"))
# Before Ansible 2.19, a template turns such texts into other values.
_NOT_ALWAYS_TEXT = re.compile(r"[\[{]|(True|False)\Z")

# Pairs of a group and its member: another group by its name, or ``None`` for the host.
Members = t.List[t.Tuple[str, t.Optional[str]]]


class _Sentinel:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


# Results of a key beside values: there is none, or only a template can find it.
MISSING, UNSURE = _Sentinel("missing"), _Sentinel("unsure")


class KeyedGroup:
    """An entry of ``keyed_groups`` with a plain key, such as ``cloudn_zone`` or ``cloudn_tags.role``.

    One value leads to the same groups for every host. So ``known`` keeps the groups of each value, by ``key_of(value)``.
    """

    def __init__(self, entry: dict[str, t.Any], path: list[str], leading_separator: bool) -> None:
        self.entry = entry
        self.known: dict[t.Any, Members] = {}
        self._path = path
        self._prefix = entry.get("prefix", "")
        self._between = entry.get("separator", "_")
        self._separator = "" if self._prefix == "" and not leading_separator else self._between
        self._parent = entry.get("parent_group")

    def value(self, variables: t.Mapping[str, t.Any]) -> t.Any:
        """Return the value of the key, ``MISSING``, or ``UNSURE``."""
        value = variables.get(self._path[0], UNSURE)
        for part in self._path[1:]:
            if not isinstance(value, dict):
                return UNSURE
            value = value.get(part, MISSING)
            if value is MISSING:
                break
        return value

    def members(self, value: t.Any) -> Members | None:
        """Return the groups for a value, in Ansible's order; ``None`` where only Ansible can find them."""
        bare = self._bare(value)
        if bare is None:
            return None
        members: Members = []
        for text in bare:
            name = safe_group(f"{self._prefix}{self._separator}{text}")
            members.append((name, None))
            if self._parent:
                members.append((safe_group(self._parent), name))
        return members

    def _bare(self, value: t.Any) -> list[str] | None:
        """Return names without a prefix for a text, a list or a dictionary of texts that are not empty."""
        if _is_text(value):
            return None if _NOT_ALWAYS_TEXT.match(value) else [value]
        if isinstance(value, list) and all(map(_is_text, value)):
            return value
        if (
            isinstance(value, dict)
            and all(map(_is_text, value.values()))
            and all(isinstance(name, str) for name in value)
        ):
            return [f"{name}{self._between}{item}" for name, item in value.items()]
        return None


def read_plain(entry: t.Any, variables: t.Container[str], leading_separator: bool) -> KeyedGroup | None:
    """Return an entry of ``keyed_groups`` that has a plain key, ``None`` for any other entry.

    ``variables`` are the names of variables whose values come from the service, as data. Ansible handles everything else:
    what may be a template or an error, and names that a template takes for a method.
    """
    if not isinstance(entry, dict) or not _OPTIONS.issuperset(entry) or not isinstance(entry.get("key"), str):
        return None
    if entry.get("default_value") is not None and entry.get("trailing_separator") is not None:
        return None
    parent = entry.get("parent_group")
    if parent is not None and not (isinstance(parent, str) and _CONSTANT.match(parent)):
        return None
    path = _read_path(entry["key"], variables)
    return KeyedGroup(entry, path, leading_separator) if path else None


def _read_path(key: str, variables: t.Container[str]) -> list[str]:
    """Return the variable and the keys below it that a plain key names; nothing for any other key."""
    match = _PLAIN.match(key)
    if not match or match[1] not in variables:
        return []
    parts = [part[1:] if part[0] == "." else part[2:-2] for part in _PARTS.findall(match[2])]
    return [] if any(part.startswith("_") or hasattr(dict, part) for part in parts) else [match[1], *parts]


def key_of(value: t.Any) -> t.Any:
    """Return a key for a value. Two values that differ in anything have different keys."""
    return value if isinstance(value, str) else (repr(value),)


def _is_text(value: t.Any) -> bool:
    return isinstance(value, str) and value != ""

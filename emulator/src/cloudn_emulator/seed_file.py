# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a file of the objects at the start, and its values one by one. An error names the place in the file and the way out."""

from __future__ import annotations

import contextlib
import difflib
import os
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timezone
from typing import Any

import yaml

LONGEST = 16 * 1024 * 1024  # bytes of a file
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict, _SHORT.maxstring, _SHORT.maxother = 2, 4, 4, 60, 60
_MOST_NAMES = 12  # that a message lists


class BadSeed(ValueError):
    """A file or value that can't be used as the objects at the start. The text begins with the place: `vms[2].zone: ...`."""


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """Reads YAML, and refuses a key that stands twice in one mapping: the first of them would be lost."""

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[Any] = set()
        for key, _value in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.value in seen and key.value != "<<":
                raise BadSeed(f"line {key.start_mark.line + 1}: {key.value} stands twice in one mapping; take one out")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def read_seed(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a file in YAML holds. Raises BadSeed, also for a file that can't be read."""
    name = os.fspath(path)
    try:
        with open(path, "rb") as file:
            text = file.read(LONGEST + 1)
        if len(text) > LONGEST:
            raise BadSeed(f"is larger than {LONGEST} bytes; leave something out")
        given = yaml.load(text, _Loader)
    except OSError as error:
        raise BadSeed(f"{name}: {os.strerror(error.errno or 0)}") from None
    except RecursionError:
        raise BadSeed(f"{name}: is nested too deeply") from None
    except BadSeed as error:
        raise BadSeed(f"{name}: {error}") from None
    # What the library raises for a text that is not of its type, such as `!!int x`.
    except (yaml.YAMLError, ValueError, ArithmeticError, LookupError, AttributeError, TypeError) as error:
        reason = " ".join(str(error).replace('in "<byte string>", ', "at ").split())
        raise BadSeed(f"{name}: is not YAML: {reason}") from None
    if not isinstance(given, dict):
        raise BadSeed(f"{name}: is no mapping; begin with the name of a section, such as `vms:`")
    return given


def shown(value: Any) -> str:
    """A value as a message has it, which is never long."""
    return _SHORT.repr(value)


def hint(wrong: Any, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the known one that is most like it, or all of them."""
    names = list(known)
    close = difflib.get_close_matches(str(wrong), names, 1)
    if close:
        return f"do you mean {close[0]}?"
    listed = ", ".join(names[:_MOST_NAMES]) + (", ..." if len(names) > _MOST_NAMES else "")
    return f"there are {listed}" if names else "there is none"


class Item:
    """A mapping of the file, at its place. Each value is asked for by its name and checked. `known` names are all there may be."""

    def __init__(self, place: str, given: Any, known: str) -> None:
        if not isinstance(given, Mapping):
            raise BadSeed(
                f"{place or 'the seed'}: {shown(given)} is no mapping; give it names and values, such as {{name: web1}}"
            )
        names = known.split()
        for name in given:
            if name not in names:
                raise BadSeed(f"{place}{'.' if place else ''}{name}: there is no such key; {hint(name, names)}")
        self.place = place
        # A value of nothing is one that is not given.
        self.given = {name: value for name, value in given.items() if value is not None}

    def at(self, name: str) -> str:
        """The place of a value."""
        return f"{self.place}.{name}" if self.place else name

    def fail(self, name: str, reason: str) -> BadSeed:
        """The error for a value."""
        return BadSeed(f"{self.at(name)}: {reason}")

    def text(self, name: str, default: str | None = None) -> str:
        """A text that is not empty. It must be there if there is no default."""
        if name not in self.given:
            if default is None:
                near = difflib.get_close_matches(name, self.given, 1)
                raise self.fail(name, "is missing" + (f"; do you mean it by {near[0]}?" if near else "; give it"))
            return default
        value = self.given[name]
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            raise self.fail(name, f"{value} is a number; write it as a text: '{value}'")
        if not isinstance(value, str):
            raise self.fail(name, f"{shown(value)} is no text")
        if not value.strip():
            raise self.fail(name, "is empty; give it, or leave it out")
        return value

    def maybe(self, name: str) -> str | None:
        """A text that may be missing."""
        return self.text(name) if name in self.given else None

    def whole(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number in a range. It must be there if there is no default."""
        value = self.given.get(name, default)
        if value is None:
            raise self.fail(name, f"is missing; give a number from {least} to {most}")
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self.fail(name, f"{shown(value)} is no whole number from {least} to {most}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """True or false."""
        value = self.given.get(name, default)
        if not isinstance(value, bool):
            raise self.fail(name, f"{shown(value)} is neither true nor false")
        return value

    def one_of(self, name: str, known: Sequence[str], default: str) -> str:
        """One of some words. It must be there if the default is empty."""
        value = self.given.get(name, default)
        if not value and name not in self.given:
            raise self.fail(name, f"is missing; there are {', '.join(known)}")
        if value not in known:
            raise self.fail(name, f"{shown(value)} can't be; {hint(value, known)}")
        return str(value)

    def texts(self, name: str, default: Sequence[str] = ()) -> list[tuple[str, str]]:
        """A list of texts, each with its place."""
        value = self.given.get(name, list(default))
        if not isinstance(value, list):
            raise self.fail(name, f"{shown(value)} is no list; write it as [{value}]")
        entries = [(f"{self.at(name)}[{number}]", one) for number, one in enumerate(value)]
        for place, one in entries:
            if not isinstance(one, str) or not one.strip():
                raise BadSeed(f"{place}: {shown(one)} is no text")
        return entries

    def items(self, name: str, known: str) -> list[Item]:
        """A list of mappings."""
        value = self.given.get(name, [])
        if not isinstance(value, list):
            raise self.fail(name, f"{shown(value)} is no list; begin each entry with `- `")
        return [Item(f"{self.at(name)}[{number}]", one, known) for number, one in enumerate(value)]

    def texts_by_name(self, name: str) -> dict[str, str]:
        """A mapping of texts to texts."""
        value = self.given.get(name, {})
        if not isinstance(value, Mapping):
            raise self.fail(name, f"{shown(value)} is no mapping; write it as {{role: web}}")
        for key, one in value.items():
            if not isinstance(key, str) or not isinstance(one, str):
                raise BadSeed(f"{self.at(name)}.{key}: {shown(one)} is no text; put it in quotes")
        return dict(value)

    def moment(self, name: str, default: float) -> float:
        """A moment, as seconds since the epoch. One without a time zone is in UTC."""
        value = self.given.get(name)
        if value is None:
            return default
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        if isinstance(value, date) and not isinstance(value, datetime):
            value = datetime(value.year, value.month, value.day)
        if not isinstance(value, datetime):
            raise self.fail(name, f"{shown(value)} is no moment; write it as 2026-11-27T09:00:00Z")
        return (value if value.tzinfo else value.replace(tzinfo=timezone.utc)).timestamp()

    def found(self, name: str, table: Mapping[str, Any], kind: str) -> Any:
        """What a value refers to, by its name or id."""
        return refer(self.at(name), self.text(name), table.values(), kind)


def refer(place: str, wanted: str, objects: Iterable[Any], kind: str) -> Any:
    """The object of this name or id. Raises BadSeed for none, and for several of one name."""
    known = list(objects)
    found = [one for one in known if wanted in (one.id, one.name)]
    if not found:
        names = dict.fromkeys(one.name for one in known)
        raise BadSeed(f"{place}: there is no {kind} {shown(wanted)}; {hint(wanted, names)}")
    if len(found) > 1:
        raise BadSeed(
            f"{place}: there are {len(found)} {kind}s of the name {shown(wanted)}; give one an `id` and name that"
        )
    return found[0]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks exactly one object by name or id, and checks texts and tags."""

from __future__ import annotations

import operator
import re
import typing as t

from ..api import Duplicates, Missing, Record, UsageError, planned_ids, sendable
from ..api.flawed import key_of, peek
from ..wrong_values import did_you_mean, item_path
from .names import folded

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_MOST_NAMES = 20
# The most characters in a text. The service answers 431 to a longer one, and may cut a tag. Source: CloudStack 3.0's code
# (the default for a parameter) and its database.
_LONGEST_TEXT = 255
_LONGEST = {"display_text": 4096, "public_key": 5120, "params": float("inf")}
# Options that are sent in another form, which is checked elsewhere, or not at all.
_NOT_AS_IT_IS = ("user_data", "api_url", "api_key", "api_secret", "ca_path", "ec2_url")

# The filters of templates. The service refuses any other word; measured on CloudStack 3.0.5, except for
# `selfexecutable`, `sharedexecutable` and `community`, which are in its documentation.
TEMPLATE_FILTERS = ("executable", "featured", "self", "selfexecutable", "sharedexecutable", "community")


def is_uuid(text: str) -> bool:
    """Tell whether a text has the form of the service's ids. A host name may have it too if it begins with a letter.

    The ids of objects that check mode has planned count, too.
    """
    return bool(_UUID.match(text) or planned_ids.parse(text))


def check_text(options: Record) -> None:
    """Raise ``UsageError`` with the option for a text that has a character or a length that the service refuses."""
    for option, value in options.items():
        if option in _NOT_AS_IT_IS:
            continue
        longest = _LONGEST.get(option, _LONGEST_TEXT)
        for text in _texts(value):
            if not sendable(text):
                raise UsageError(f"{option}: {text!r} has a character beyond the basic plane (an emoji?); leave it out")
            if len(text) > longest:
                raise UsageError(f"{option}: has {len(text)} characters; the service takes {longest}: {text[:20]!r}...")
    _check_tags(options.get("tags") or {})


def _check_tags(given: Record) -> None:
    """Raise ``UsageError`` for tags that the service refuses. It does so in a failed job, after the other changes.

    Source: measured on CloudStack 3.0.5.
    """
    known: dict[str, t.Any] = {}
    for key, value in given.items():
        if str(key) == "" or value is None or value == "":
            raise UsageError(f"tags: {key!r}: the service takes no tag without a key or a value; give both")
        if isinstance(value, (dict, list)):
            raise UsageError(f"tags: {key!r}: must be a text or a number, not {value!r}")
        other = known.setdefault(folded(str(key)), key)
        if other is not key:
            raise UsageError(f"tags: {other!r} and {key!r} are one key to the service; give one of them")


def _texts(value: t.Any) -> t.Iterator[str]:
    """Yield every text in an option's value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(key)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def same_name(one: str | None, other: str | None) -> bool:
    """Tell whether two names are equal for the service: case, accents and blanks at the end do not count.

    It compares like this the names of security groups, key pairs, groups of machines and accounts, and keys of tags. It
    compares host names exactly. Measured on CloudStack 3.0.5: `Case1` = `case1 `, `café` = `cafe`.
    """
    return one == other or (one is not None and other is not None and folded(one) == folded(other))


def matches(
    item: Record, wanted: str, name: str = "name", same: t.Callable[[t.Any, t.Any], bool] = operator.eq
) -> bool:
    """Tell whether a user means this object by an id or a name; ``same`` compares names."""
    return wanted == item.get("id") or same(wanted, item.get(name))


def like_filter(name: str | None) -> str | None:
    """Return a name as a listing's filter takes it, ``None`` if it has a backslash: the service's database (LIKE) reads it as
    an escape. The caller must still compare the results exactly.
    """
    return None if name is None or "\\" in name else name


def redact_url(url: str | None) -> str | None:
    """Return an address without its user and password."""
    return re.sub(r"//[^/@]*@", "//", url) if url else url


def named(items: t.Iterable[Record], name: str | None = None, id: str | None = None) -> list[Record]:
    """Return the objects with exactly this name and this id, if given."""
    return [item for item in items if (name is None or name == item.get("name")) and (id is None or id == item["id"])]


def pick_each(items: t.Sequence[Record], wanted: t.Iterable[str], option: str, **how: t.Any) -> list[Record]:
    """Return the objects with these ids or names, each once; see ``pick``, which takes ``how``."""
    asked = list(wanted)
    found = (pick(items, one, item_path(option, number, asked), **how) for number, one in enumerate(asked))
    return list({one["id"]: one for one in found}.values())


def pick(
    items: t.Iterable[Record],
    wanted: str,
    option: str,
    name: str = "name",
    same: t.Callable[[t.Any, t.Any], bool] = operator.eq,
    kind: str = "",
) -> Record:
    """Return the one object with the id or the name ``wanted``; ``same`` compares names.

    ``option`` is the user's option, for messages; ``name`` is the field with the name; ``kind`` is the word for the objects if
    tasks make them. Raises ``UsageError`` with the known names, and the nearest, if there is none, and ``Duplicates`` with the ids if several
    have that name.
    """
    # A template is listed once for each of its zones.
    known = {peek(item, "id") or key_of(item): item for item in items}
    if wanted in known:
        return known[wanted]
    found = [item for item in known.values() if same(wanted, item.get(name))]
    if len(found) == 1:
        return found[0]
    if found:
        message = f"{option}: {len(found)} are named {wanted!r}; name one by its id: {describe(found, name)}"
        raise Duplicates(message, found)
    names = [str(item.get(name)) for item in known.values()]
    there = f". There are: {first(names)}{did_you_mean(wanted, names)}" if known else ". There are none"
    if kind:
        raise not_there(option, kind, wanted, there)
    raise UsageError(f"{option}: there is no {wanted!r}{there}")


def not_there(option: str, kind: str, wanted: str | None, more: str = "") -> UsageError:
    """Return the error that the object of an ``option`` is missing, of a kind that tasks make.

    It is ``Missing`` for a name. An id belongs to an object that was made already, so for an id it is ``UsageError``.
    """
    error = UsageError if wanted is None or is_uuid(wanted) else Missing
    return error(f"{option}: there is no {kind} {wanted!r}{more}")


class InAnotherZone(UsageError):
    """An object is in another zone than the one that was given. ``place`` says where."""

    place = ""

    def left_alone(self) -> str:
        """Return the warning that the object is left as it is."""
        return f"{self.place}. It is left as it is. If it is the one that you mean, correct the zone"


def in_another_zone(option: str, kind: str, wanted: str | None, zone: str, found: t.Sequence[Record]) -> InAnotherZone:
    """Return the error that an object is in another zone than the one that was given by name or id."""
    place = _elsewhere(option, kind, wanted, zone, found)
    error = InAnotherZone(f"{place}. Correct the zone, or leave the option zone out")
    error.place = place
    return error


def left_alone(option: str, kind: str, wanted: str | None, zone: str, found: t.Sequence[Record]) -> str:
    """Return the warning of a task for which it is right that the object is not in the zone, see ``in_another_zone``."""
    return in_another_zone(option, kind, wanted, zone, found).left_alone()


def _elsewhere(option: str, kind: str, wanted: str | None, zone: str, found: t.Sequence[Record]) -> str:
    places = " and ".join(sorted({str(item.get("zonename") or item.get("zoneid")) for item in found}))
    return f"zone: the {kind} {wanted!r} ({option}) is in {places}, not in {zone}: {describe(found)}"


def describe(items: t.Iterable[Record], name: str = "name") -> str:
    """Return objects as text for people: ``id (name, zone)``."""
    return "; ".join(
        f"{item['id']} ({', '.join(filter(None, [item.get(name), item.get('zonename')]))})" for item in items
    )


def first(texts: t.Iterable[str]) -> str:
    """Return the first 20 of the sorted texts as one text, and the number of the others."""
    names = sorted(set(texts))
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{', '.join(names[:_MOST_NAMES])}{more}"

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Picks exactly one object by name or id, or says why that can't be done."""

from __future__ import annotations

import operator
import re
import typing as t

from ..api import Duplicates, Missing, Record, UsageError, sendable
from .names import folded

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
_MOST_NAMES_TOLD = 20
# Characters that a text may have; of longer ones the service makes a 431, of tags it may keep a part. Source: CloudStack
# 3.0's code (what a parameter holds unless it says otherwise) and its database.
_LONGEST_TEXT = 255
_LONGEST = {"display_text": 4096, "public_key": 5120, "params": float("inf")}
# What is sent in another form, which is measured there, or not at all.
_NOT_AS_IT_IS = ("user_data", "api_url", "api_key", "api_secret", "ca_path", "ec2_url")

# Whose templates are looked at. The service refuses any other word; measured on CloudStack 3.0.5, except for
# `selfexecutable`, `sharedexecutable` and `community`, which its documentation declares.
TEMPLATE_FILTERS = ("executable", "featured", "self", "selfexecutable", "sharedexecutable", "community")


def is_uuid(text: str) -> bool:
    """Tell whether a text has the form of the service's ids (a host name never starts with a digit, but may be one)."""
    return bool(_UUID.match(text))


def check_text(options: Record) -> None:
    """Raise ``UsageError`` for text that the service refuses, by its characters or its length, naming the option that holds it."""
    for option, value in options.items():
        if option in _NOT_AS_IT_IS:
            continue
        longest = _LONGEST.get(option, _LONGEST_TEXT)
        for text in _texts(value):
            if not sendable(text):
                raise UsageError(
                    f"{option}: {text!r} holds a character beyond the basic plane (an emoji?), which the service refuses"
                )
            if len(text) > longest:
                raise UsageError(
                    f"{option}: has {len(text)} characters, of which the service takes {longest}: {text[:20]!r}..."
                )
    _check_tags(options.get("tags") or {})


def _check_tags(given: Record) -> None:
    """Raise ``UsageError`` for tags that the service refuses in a failed job, after what else is asked for has been done.

    Source: measured on CloudStack 3.0.5.
    """
    known: dict[str, t.Any] = {}
    for key, value in given.items():
        if str(key) == "" or value is None or value == "":
            raise UsageError(
                f"tags: {key!r}: the service takes no tag without a key or a value; give both, or leave it out"
            )
        if isinstance(value, (dict, list)):
            raise UsageError(f"tags: {key!r}: must be a text or a number, not {value!r}")
        other = known.setdefault(folded(str(key)), key)
        if other is not key:
            raise UsageError(
                f"tags: {other!r} and {key!r} are one key to the service, for which case, accents and blanks at the end do "
                "not count; give one of them"
            )


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
    """Tell whether the service takes two names for one: case, accents and blanks at the end do not count.

    So it compares the names of security groups, key pairs, groups of machines and accounts, and keys of tags; host names
    are compared exactly. Measured on CloudStack 3.0.5: `Case1` = `case1 `, `café` = `cafe`.
    """
    return one == other or (one is not None and other is not None and folded(one) == folded(other))


def matches(
    item: Record, wanted: str, name: str = "name", same: t.Callable[[t.Any, t.Any], bool] = operator.eq
) -> bool:
    """Tell whether an object is the one that a user means by an id or a name, which ``same`` compares."""
    return wanted == item.get("id") or same(wanted, item.get(name))


def like_filter(name: str | None) -> str | None:
    """Return a name as a listing's filter takes it, ``None`` where it can't: the service's database (LIKE) takes a
    backslash for its own. What is found is to be compared exactly all the same.
    """
    return None if name is None or "\\" in name else name


def redact_url(url: str | None) -> str | None:
    """Return an address without the user and password that it may hold."""
    return re.sub(r"//[^/@]*@", "//", url) if url else url


def named(items: t.Iterable[Record], name: str | None = None, id: str | None = None) -> list[Record]:
    """Return the objects with exactly this name and this id, where they are given."""
    return [item for item in items if name in (None, item.get("name")) and id in (None, item["id"])]


def pick(
    items: t.Iterable[Record],
    wanted: str,
    option: str,
    name: str = "name",
    same: t.Callable[[t.Any, t.Any], bool] = operator.eq,
    kind: str = "",
) -> Record:
    """Return the one object that ``wanted`` names, by id or by its name, which ``same`` compares.

    ``option`` is the user's option, for messages; ``name`` the field that holds the name; ``kind`` what the objects are
    called, where tasks make them. Raises ``UsageError`` when there is none (listing what there is), and ``Duplicates`` when
    several have that name (listing their ids).
    """
    known = {item["id"]: item for item in items}  # a template is listed once for each of its zones
    if wanted in known:
        return known[wanted]
    found = [item for item in known.values() if same(wanted, item.get(name))]
    if len(found) == 1:
        return found[0]
    if found:
        message = f"{option}: {len(found)} are named {wanted!r}; name one by its id: {describe(found, name)}"
        raise Duplicates(message, found)
    there = f". {'There are' if known else 'There are none'}{_list(known, name)}"
    if kind:
        raise not_there(option, kind, wanted, there)
    raise UsageError(f"{option}: there is no {wanted!r}{there}")


def not_there(option: str, kind: str, wanted: str | None, more: str = "") -> UsageError:
    """Return the error that an object is not there which ``option`` names, of a kind that tasks make.

    It is ``Missing`` for a name. An id is that of what was made already.
    """
    error = UsageError if wanted is None or is_uuid(wanted) else Missing
    return error(f"{option}: there is no {kind} {wanted!r}{more}")


def describe(items: t.Iterable[Record], name: str = "name") -> str:
    """Return objects as people tell them apart: ``id (name, zone)``."""
    return "; ".join(
        f"{item['id']} ({', '.join(filter(None, [item.get(name), item.get('zonename')]))})" for item in items
    )


def _list(known: dict[str, Record], name: str) -> str:
    names = sorted({str(item.get(name)) for item in known.values()})
    more = f" and {len(names) - _MOST_NAMES_TOLD} more" if len(names) > _MOST_NAMES_TOLD else ""
    return f": {', '.join(names[:_MOST_NAMES_TOLD])}{more}" if names else ""

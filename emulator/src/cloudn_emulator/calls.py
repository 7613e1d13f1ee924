# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all commands share: how their parameters are read and refused, and pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import java_dates
from .errors import MALFORMED, UNABLE, ApiError, bad_parameter, internal, unreadable
from .generation import Differs, Thing
from .jobs import Jobs
from .models import NO_OBJECT, Account
from .settings import PAGE_SIZE
from .store import Store

LONGEST = 255  # characters of a text whose parameter gives no limit, by CloudStack 3.0's code
_BEYOND = re.compile("[\U00010000-\U0010ffff]")
_CONTROL = re.compile("[\x00-\x08\x09\x0b\x0c\x0e-\x1f\x7f]")
_ROW = re.compile(r"[0-9]{1,18}")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_PARAM = re.compile(r"(?P<name>\w+)(:(?P<many>\[)?(?P<kind>[\w{}]+)\]?)?(<(?P<limit>\d+))?(?P<required>!)?")
_DATES = {
    "anydate": java_dates.any_moment,
    "anyend": java_dates.any_end,
    "date": lambda text: java_dates.moment(text, java_dates.JOBS_SINCE),
    "since": java_dates.since,
    "until": java_dates.until,
}


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter: `kind` is a simple type, or the table of the object that its value names by id."""

    name: str
    kind: str
    many: bool
    required: bool
    limit: int | None


@dataclass(slots=True)
class Call:
    """One command of an account with its parameters, read and checked. A parameter that is not given is None.

    `total` is how many objects a listing has found on all its pages.
    """

    store: Store
    jobs: Jobs
    account: Account
    params: dict[str, Any]
    total: int | None = None

    def __getitem__(self, name: str) -> Any:
        return self.params.get(name)

    def of(self, thing: Differs[Thing]) -> Thing:
        """What differs between generations, as this server has it."""
        return self.store.generation.of(thing)


def declare(text: str) -> tuple[Param, ...]:
    """Read a declaration such as `id:vm_instance! name tags:{} ids:[security_group] userdata<2048`.

    A kind stands behind a colon; without one it is string. Brackets mean a comma-separated list. `<` gives the greatest
    length; a single text without it may have LONGEST characters. `!` says that the parameter is required.
    """
    return tuple(_declared(word) for word in text.split())


def _declared(word: str) -> Param:
    match = _PARAM.fullmatch(word)
    if match is None:
        raise ValueError(f"not a parameter declaration: {word}")
    kind = match["kind"] or "string"
    limit = match["limit"] or (LONGEST if kind == "string" and not match["many"] else None)
    return Param(match["name"], kind, bool(match["many"]), bool(match["required"]), int(limit) if limit else None)


def read_params(declared: Iterable[Param], raw: dict[str, str], label: str, store: Store) -> dict[str, Any]:
    """Parameters as Python values, with objects in place of ids. Names count without case, unknown ones are ignored.

    An id `-1` is NO_OBJECT. Raises ApiError, all measured on CloudStack 3.0.5 and 4.23: 430 for a badly formed map; 431
    for a value that is missing, unreadable, too long or unknown; on 3.0.5 530 for characters beyond the basic plane, on
    4.23 431 for control characters.
    """
    generation = store.generation
    generation.of(_CHECK_CHARACTERS)(raw)
    given = _unpack(raw)
    declared = tuple(declared)
    size = given.get("pagesize", "0")
    if isinstance(size, str) and not _INTEGER.fullmatch(size) and any(one.name == "pagesize" for one in declared):
        raise generation.of(_NO_NUMBER)  # the real server reads it first; 3.0.5 crashes
    values = {}
    for param in declared:
        value = given.get(param.name)
        if value is None or generation.of(_IS_ABSENT)(param, value):
            if param.required:
                raise unreadable(f"Unable to execute API command {label} due to missing parameter {param.name}")
            continue
        if value == "" and param.required:
            generation.of(_CHECK_EMPTY)(param, label)
        values[param.name] = _value(param, value, label, store)
    if "page" in values or "pagesize" in values:
        any_size = any(param.kind == "anysize" for param in declared) and not generation.pages_all
        _check_paging(values, None if any_size else page_limit(store))
    return values


def _check_plane(raw: dict[str, str]) -> None:
    if any(map(_BEYOND.search, raw.values())):
        raise internal()


def _check_printable(raw: dict[str, str]) -> None:
    for name, value in raw.items():
        if _CONTROL.search(value):
            raise unreadable(f"Received value {value} for parameter {name}, with ASCII non-printable characters")


def _check_empty(param: Param, label: str) -> None:
    raise bad_parameter(f"Invalid value provided for API arg: {param.name}")


_CHECK_CHARACTERS = Differs(_check_plane, _check_printable)
_CHECK_EMPTY: Differs[Callable[[Param, str], None]] = Differs(lambda param, label: None, _check_empty)
# CloudStack 4 passes over an optional number without digits, but not over one of its long ones.
_IS_ABSENT: Differs[Callable[[Param, Any], bool]] = Differs(
    lambda param, value: False, lambda param, value: value == "" and param.kind == "int" and not param.required
)
_NO_NUMBER = Differs(internal(UNABLE), unreadable("pagesize is no number"))


def _unpack(raw: dict[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, value in raw.items():
        if "[" not in name:
            given[name.lower()] = value
            continue
        match = re.fullmatch(r"(\w+)\[(\d{1,9})\](?:\.(\w+))?", name)
        if match is None:
            raise ApiError(MALFORMED, f"Unable to decode parameter {name}")
        entries = given.setdefault(match[1].lower(), {})
        if isinstance(entries, dict):
            entries.setdefault(int(match[2]), {})[(match[3] or "value").lower()] = value
    return given


def _value(param: Param, value: Any, label: str, store: Store) -> Any:
    if param.kind == "{}":
        if not isinstance(value, dict):
            raise unreadable(f"Unable to execute API command {label} due to invalid value for parameter {param.name}")
        return [value[index] for index in sorted(value)]
    if isinstance(value, dict):
        raise ApiError(MALFORMED, f"Unable to decode parameter {param.name}")
    if param.limit is not None and len(value) > param.limit:
        raise unreadable(
            f"Unable to execute API command {label} due to invalid value. "
            f"Value greater than max allowed length {param.limit} for param: {param.name}"
        )
    if param.many:
        # The real server does not trim: a blank in a list is a part of the id or the word.
        return [_one(param, part, label, store) for part in value.split(",") if part]
    return _one(param, value, label, store)


def _one(param: Param, value: str, label: str, store: Store) -> Any:
    if param.kind == "string":
        return value
    if param.kind == "bool":
        return value.strip().lower() == "true"
    if param.kind in _DATES:
        return _date(param, value, label)
    if param.kind in ("int", "long", "anysize"):
        return _integer(param, value, label)
    found = store.find(param.kind, value)
    if found is None and store.generation.takes_rows and _ROW.fullmatch(value) and int(value):
        return NO_OBJECT  # the number of a row, which no client of a plain account knows
    if found is None:
        reason = store.generation.of(_UNKNOWN)(param, value)
        raise unreadable(f"Unable to execute API command {label} due to invalid value. {reason}")
    return found


def _unknown_4(param: Param, value: str) -> str:
    if _ROW.fullmatch(value):
        return f"Invalid value provided for API arg: {param.name}"  # no row has the number 0
    return (
        f"Invalid parameter {param.name} value={value} due to incorrect long value format, or entity does not exist or "
        "due to incorrect parameter annotation for the field in api cmd class."
    )


_UNKNOWN: Differs[Callable[[Param, str], str]] = Differs(
    lambda param, value: f"Object {param.kind}(uuid: {value}) does not exist.", _unknown_4
)


def _integer(param: Param, value: str, label: str) -> int:
    bits = 63 if param.kind == "long" else 31
    if _INTEGER.fullmatch(value) and -(2**bits) <= int(value) < 2**bits:
        return int(value)
    raise unreadable(f"Unable to execute API command {label} due to invalid value {value} for parameter {param.name}")


def _date(param: Param, value: str, label: str) -> float:
    try:
        return _DATES[param.kind](value)
    except ValueError:
        raise unreadable(
            f"Unable to parse date {value} for command {label}, "
            "please pass dates in the format mentioned in the api documentation"
        ) from None


def page_limit(store: Store) -> int:
    """How many objects a page may have, and how many a listing without a page shows."""
    return int(store.settings.server_value(PAGE_SIZE))


def _check_paging(values: dict[str, Any], limit: int | None) -> None:
    """Raise ApiError (431) for a page that is not as it must be. None is no limit, and any page."""
    page, size = values.get("page"), values.get("pagesize")
    if page is None and size is not None and size != -1:
        raise unreadable('"page" parameter is required when "pagesize" is specified')
    if page is not None and size is None:
        raise unreadable('"pagesize" parameter is required when "page" is specified')
    if limit is None:
        return
    if page is not None and size == -1:
        raise bad_parameter("Can't specify page parameter when pagesize is -1 (Unlimited)")
    if size is not None and size > limit:
        raise bad_parameter(f"Page size can't exceed max allowed page size value: {limit}")


def page_of(call: Call, objects: list[Any]) -> list[Any]:
    """The objects of the page that was asked for, or the first ones if none was. Page 0 is page 1."""
    page, size = call["page"], call["pagesize"]
    call.total = len(objects)
    if size == -1:
        return objects
    size = page_limit(call.store) if size is None else max(size, 0)
    start = (max(page or 1, 1) - 1) * size
    return objects[start : start + size]


def done(call: Call) -> dict[str, Any]:
    """What a command without a job answers that has nothing else to say."""
    return {"success": call.store.generation.success}

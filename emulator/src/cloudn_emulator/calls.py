# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generic part of every command: parameters as the service reads and refuses them, filters and pages."""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from . import java_dates
from .errors import ACCOUNT, MALFORMED, UNABLE, ApiError, bad_parameter, internal
from .jobs import Jobs
from .models import NO_OBJECT, Account, Tag
from .store import Store, collated, without_accents

PAGE_LIMIT = 500
LONGEST = 255  # characters of a text, unless its parameter says otherwise; by CloudStack 3.0's code
_BEYOND = re.compile("[\U00010000-\U0010ffff]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_PARAM = re.compile(r"(?P<name>\w+)(:(?P<many>\[)?(?P<kind>[\w{}]+)\]?)?(<(?P<limit>\d+))?(?P<required>!)?")
_DATES = {
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
    """One command of an account with its parameters, read and checked; absent ones are None.

    `total` is how many objects a listing has found, on all its pages.
    """

    store: Store
    jobs: Jobs
    account: Account
    params: dict[str, Any]
    total: int | None = None

    def __getitem__(self, name: str) -> Any:
        return self.params.get(name)


def declare(text: str) -> tuple[Param, ...]:
    """Read a declaration such as `id:vm_instance! name tags:{} ids:[security_group] userdata<2048`.

    A kind stands behind a colon (string where none does), in brackets for a comma-separated list;
    `<` gives the greatest length (of a single text, where none does, LONGEST), `!` says that the parameter is required.
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
    """Parameters as Python values, objects in place of ids; unknown ones are ignored, names count without case.

    An id `-1` is NO_OBJECT. Raises ApiError: 430 for a badly formed map, 431 for missing, unreadable, too long or unknown values,
    530 for characters beyond the basic plane (all measured on CloudStack 3.0.5).
    """
    if any(map(_BEYOND.search, raw.values())):
        raise internal()
    given = _unpack(raw)
    declared = tuple(declared)
    if not _INTEGER.fullmatch(given.get("pagesize", "0")) and any(param.name == "pagesize" for param in declared):
        raise internal(UNABLE)  # the real server reads it before all others, and falls over
    values = {}
    for param in declared:
        value = given.get(param.name)
        if value is None:
            if param.required:
                raise bad_parameter(f"Unable to execute API command {label} due to missing parameter {param.name}")
            continue
        values[param.name] = _value(param, value, label, store)
    if "page" in values or "pagesize" in values:
        _check_paging(values, any(param.kind == "anysize" for param in declared))
    return values


def _unpack(raw: dict[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, value in raw.items():
        if "[" not in name:
            given[name.lower()] = value
            continue
        match = re.fullmatch(r"(\w+)\[(\d+)\](?:\.(\w+))?", name)
        if match is None:
            raise ApiError(MALFORMED, f"Unable to decode parameter {name}")
        entries = given.setdefault(match[1].lower(), {})
        if isinstance(entries, dict):
            entries.setdefault(int(match[2]), {})[(match[3] or "value").lower()] = value
    return given


def _value(param: Param, value: Any, label: str, store: Store) -> Any:
    if param.kind == "{}":
        if not isinstance(value, dict):
            raise bad_parameter(
                f"Unable to execute API command {label} due to invalid value for parameter {param.name}"
            )
        return [value[index] for index in sorted(value)]
    if isinstance(value, dict):
        raise ApiError(MALFORMED, f"Unable to decode parameter {param.name}")
    if param.limit is not None and len(value) > param.limit:
        raise bad_parameter(
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
    if found is None:
        raise bad_parameter(
            f"Unable to execute API command {label} due to invalid value. "
            f"Object {param.kind}(uuid: {value}) does not exist."
        )
    return found


def _integer(param: Param, value: str, label: str) -> int:
    bits = 63 if param.kind == "long" else 31
    if _INTEGER.fullmatch(value) and -(2**bits) <= int(value) < 2**bits:
        return int(value)
    raise bad_parameter(
        f"Unable to execute API command {label} due to invalid value {value} for parameter {param.name}"
    )


def _date(param: Param, value: str, label: str) -> float:
    try:
        return _DATES[param.kind](value)
    except ValueError:
        raise bad_parameter(
            f"Unable to parse date {value} for command {label}, "
            "please pass dates in the format mentioned in the api documentation"
        ) from None


def _check_paging(values: dict[str, Any], any_size: bool) -> None:
    page, size = values.get("page"), values.get("pagesize")
    if page is None and size is not None and size != -1:
        raise bad_parameter('"page" parameter is required when "pagesize" is specified')
    if page is not None and size is None:
        raise bad_parameter('"pagesize" parameter is required when "page" is specified')
    if any_size:
        return
    if page is not None and size == -1:
        raise bad_parameter("Can't specify page parameter when pagesize is -1 (Unlimited)")
    if size is not None and size > PAGE_LIMIT:
        raise bad_parameter(f"Page size can't exceed max allowed page size value: {PAGE_LIMIT}")


def page_of(call: Call, objects: list[Any]) -> list[Any]:
    """The objects of the page that was asked for; without a page the first 500. Page 0 is page 1."""
    page, size = call["page"], call["pagesize"]
    call.total = len(objects)
    if size == -1:
        return objects
    size = PAGE_LIMIT if size is None else max(size, 0)
    start = (max(page or 1, 1) - 1) * size
    return objects[start : start + size]


def contains(text: str | None, part: str) -> bool:
    """Whether a filter's text is in a value, without regard to case; `%` and `_` stand for any text and character.

    The service's database compares so (LIKE), and the service does not escape what it is given.
    """
    return text is not None and _finder(part)(without_accents(text))


@functools.lru_cache(maxsize=256)
def _finder(part: str) -> Callable[[str], bool]:
    part = without_accents(part)
    if not _SPECIAL.search(part):
        return lambda text: part in text
    like = _like(part)
    return lambda text: like.search(text) is not None


_SPECIAL = re.compile(r"[%_\\]")


def _like(part: str) -> re.Pattern[str]:
    """A part of a text as LIKE has it, behind and before any other; a backslash takes the next character's meaning away.

    At the end of the part it meets the service's own `%`, so that the text must end with this sign.
    """
    wild = {"%": ".*", "_": "."}
    pieces = re.findall(r"\\?.", part + "%", re.DOTALL)
    return re.compile(
        "".join(wild.get(piece) or re.escape(piece[-1]) for piece in pieces) + r"\Z",
        re.DOTALL,
    )


def matching(objects: Iterable[Any], tests: Iterable[Callable[[Any], bool] | None]) -> list[Any]:
    """The objects that pass every test; a filter that was not given is None."""
    found = list(objects)
    for test in tests:
        if test is not None:
            found = [one for one in found if test(one)]
    return found


def newest_first(objects: Iterable[Any]) -> list[Any]:
    """Objects by the second in which they were made; those of one second stand in the order of their rows.

    Measured on CloudStack 3.0.5, whose database knows no parts of a second.
    """
    return sorted(objects, key=lambda one: -int(one.created))


def has_tags(call: Call, kind: str) -> Callable[[Any], bool] | None:
    """The test of the `tags` filter: one of the pairs given is enough: CloudStack's source joins them with OR.

    A pair without a key finds nothing. Raises ApiError (431) for one without a value.
    """
    pairs = call["tags"]
    if not pairs:
        return None
    for pair in pairs:
        if "value" not in pair:
            raise bad_parameter(f"No value is passed in for key {pair.get('key', 'null')}")
    wanted = {pair["key"]: pair["value"] for pair in pairs if "key" in pair}

    def test(one: Any) -> bool:
        tags = call.store.tags.get((kind, one.id), {})
        return any(_tag_matches(tags.get(collated(key)), value) for key, value in wanted.items())

    return test


def _tag_matches(tag: Tag | None, value: str) -> bool:
    return tag is not None and collated(tag.value) == collated(value)


# --- whose an object is


def no_permission(call: Call, resource: str) -> ApiError:
    """The error (531) for somebody else's object, which the text calls `resource`."""
    return ApiError(ACCOUNT, f"{call.account.label} does not have permission to operate with resource {resource}")


def check_access(call: Call, owner: str, resource: str) -> None:
    """Refuse (531) an object that is another account's; administrators may use them all."""
    if owner != call.account.name and not call.account.admin:
        raise no_permission(call, resource)


def owner_for(call: Call) -> Account:
    """The account for which something is made: the one that asks, or the one that `account` and `domainid` name.

    Raises ApiError: 431 for a name without a domain and for an unknown one, 531 for somebody else.
    """
    return _permitted(call, named_owner(call))


def named_owner(call: Call) -> Account:
    """The account whose object a command names: the one that asks, or the one that `account` and `domainid` name.

    Whether the object may be used is asked only once it is found. Raises ApiError (431).
    """
    name = call["account"]
    if name is not None and call["domainid"] is None:
        raise bad_parameter("Account must be specified with domainId parameter")
    if name is not None:
        return account_named(call, name, f"Unable to find account by name {name} in domain with specified id")
    if call["projectid"] is not None:
        raise bad_parameter("Unable to find project by id")
    return call.account


def owner_of_new(call: Call) -> Account:
    """The account that is to have what a command makes at once, such as a group or a key pair.

    `account` and `domainid` go together only (431). A plain account may only name itself, letter by letter (531): an
    unknown account is as forbidden as somebody else's. For an administrator an unknown one is a 431.
    """
    name, domain = call["account"], call["domainid"]
    if call["projectid"] is not None:
        raise bad_parameter("Unable to find project by id")
    if (name is None) != (domain is None):
        raise bad_parameter("AccountName and domainId must be specified together")
    if name is None:
        return call.account
    where = f"account {name} in domain {call.account.domain_id}"
    if call.account.admin:
        return account_named(call, name, f"Unable to find {where}")
    if name != call.account.name or domain is NO_OBJECT:
        raise ApiError(ACCOUNT, f"Can't create/list resources for {where}, permission denied")
    return call.account


def account_named(call: Call, name: str, unknown: str) -> Account:
    """The account of this name, whoever asks. Raises ApiError: 431 with the text `unknown`."""
    wanted = collated(name)
    found = next((one for one in call.store.accounts.values() if collated(one.name) == wanted), None)
    if found is None or call["domainid"] is NO_OBJECT:
        raise bad_parameter(unknown)
    return found


def _permitted(call: Call, account: Account) -> Account:
    check_access(call, account.name, account.label)
    return account


def owners(call: Call) -> Callable[[Any], bool]:
    """The test of a listing for whose objects it shows: those of the account that asks, or of the one that is named.

    `domainid` without `account` shows everybody's of that domain, even to a plain account: the real server's leak, not a
    slip of this one. Raises ApiError: 431 for an unknown account or domain, 531 for another's.
    """
    name, domain = call["account"], call["domainid"]
    if domain is NO_OBJECT:
        raise bad_parameter("Unable to find domain by id")
    if name is not None:
        unknown = f"could not find account {name} in domain with specified id"
        shown = _permitted(call, account_named(call, name, unknown)).name
        return lambda one: one.owner == shown
    if domain is not None or (call.account.admin and call["listall"]):
        return lambda one: True
    own = call.account.name
    return lambda one: one.owner == own


def ownership(call: Call, owner: str) -> dict[str, str]:
    """The fields that tell whose an object is."""
    account = call.store.accounts[owner]
    return {"account": account.name, "domainid": account.domain_id, "domain": account.domain}


def tag_list(call: Call, kind: str, id: str) -> list[dict[str, str]]:
    """The `tags` of an object in a listing, in the order of their keys; a tag may have no key."""
    tags = sorted(call.store.tags_of(kind, id), key=lambda tag: collated(tag[0] or "").upper())
    return [{"value": value} if key is None else {"key": key, "value": value} for key, value in tags]


def date_text(moment: float) -> str:
    """A moment as answers write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(moment))

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags on machines, volumes, templates, snapshots, groups and networks, as measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..calls import Call, page_of
from ..collation import collated
from ..errors import bad_parameter, internal
from ..fields import ownership, tag_view
from ..filters import by_key_alone
from ..generation import Differs
from ..jobs import Work
from ..models import NO_OBJECT, Snapshot, Tag, Template, Volume, Zone
from ..owners import check_in_job, owners
from ..wire import listing

# The kinds of objects that the service knows, and the tables of those that exist here.
TABLES = {
    "UserVm": "vm_instance",
    "Template": "vm_template",
    "ISO": "vm_template",
    "Volume": "volumes",
    "Snapshot": "snapshots",
    "Network": "networks",
    "LoadBalancer": "load_balancing_rules",
    "PortForwardingRule": "port_forwarding_rules",
    "FirewallRule": "firewall_rules",
    "SecurityGroup": "security_group",
    "PublicIpAddress": "user_ip_address",
    "Project": "projects",
    "Vpc": "vpc",
    "NetworkACL": "network_acl",
    "StaticRoute": "static_routes",
}
_KINDS = {kind.lower(): kind for kind in TABLES}
LONGEST = 255  # characters of a key and of a value: the database cuts off the rest
Pairs = dict[str | None, str | None]


# --- createTags, deleteTags


def create_tags(call: Call) -> Work:
    """createTags: makes all of them or, after an error, none."""

    async def run() -> dict[str, Any]:
        new = await call.jobs.checked(lambda: _new_tags(call))
        await call.jobs.take(1)
        _insert(call, new)
        return {"success": True}

    return Work(run)


def _new_tags(call: Call) -> list[tuple[tuple[str, str], Tag]]:
    """The tags to make, each with its object.

    Raises ApiError: 431 for an unknown object or a missing value, 531 for another account's object, 530 without
    objects.
    """
    call.of(_CHECK_PAIRS)(call)
    kind, customer = _kind(call), call["customer"]
    new = []
    for key, value in _pairs(call).items():
        for id in call["resourceids"]:
            one = _resource(call, kind, id)
            if not value:
                raise bad_parameter(f"Value for the key {key} is either null or empty")
            key = None if key is None else key[:LONGEST]
            new.append(((kind, one.id), Tag(key, value[:LONGEST], customer)))
    if not new:
        raise internal("Failed to create tags")
    return new


def _check_pairs_4(call: Call) -> None:
    """CloudStack 4 fails (530) for a tag without a value, and for two of one key."""
    keys = [pair.get("key") for pair in call["tags"] or ()]
    if len(set(keys)) < len(keys) or any("value" not in pair for pair in call["tags"] or ()):
        raise internal("Command failed due to Internal Server Error")


_CHECK_PAIRS: Differs[Callable[[Call], None]] = Differs(lambda call: None, _check_pairs_4)


def _insert(call: Call, new: list[tuple[tuple[str, str], Tag]]) -> None:
    """Add the tags. Raises ApiError (530) for a key that is taken, also by another of these tags."""
    rows: dict[tuple[str, str], dict[str | int, Tag]] = {}
    for place, tag in new:
        # Tags without a key never clash: for the database they all differ.
        row = call.store.next_serial() if tag.key is None else collated(tag.key)
        if row in call.store.tags.get(place, {}) or row in rows.get(place, {}):
            raise internal()
        rows.setdefault(place, {})[row] = tag
    for place, tags in rows.items():
        call.store.tags[place] = {**call.store.tags.get(place, {}), **tags}


def delete_tags(call: Call) -> Work:
    """deleteTags: by key, or by key and value. Without tags it deletes all of the objects. No tag found is an error.

    An id that no tag belongs to is no error: the objects are not looked up.
    """

    async def run() -> dict[str, Any]:
        await call.jobs.checked(lambda: _doomed(call))
        await call.jobs.take(1)
        for place, row in _doomed(call):
            call.store.tags[place] = {one: tag for one, tag in call.store.tags[place].items() if one != row}
        return {"success": True}

    return Work(run)


def _doomed(call: Call) -> set[tuple[tuple[str, str], str | int]]:
    """The tags to delete. Raises ApiError, also for none."""
    kind, pairs = _kind(call), _pairs(call)
    if not call["resourceids"]:
        raise internal()  # the real server sends its database an empty list of ids, which is an error there
    doomed = set()
    for id in call["resourceids"]:
        one = call.store.find(TABLES[kind], id)
        tags = {} if one is None else call.store.tags.get((kind, one.id), {})
        for row, tag in tags.items():
            _check_owner(call, one)
            if not pairs or _is_named(tag, pairs):
                doomed.add(((kind, one.id), row))
    if not doomed:
        raise call.of(_NO_TAG)
    return doomed


# Nothing to delete.
_NO_TAG = Differs(bad_parameter("Unable to find tags by parameters specified"), internal("Failed to delete tags"))


def _is_named(tag: Tag, pairs: Pairs) -> bool:
    """Whether a tag is one of those that are named, with a value or without.

    This comparison is Java's, not the database's: accents and trailing blanks count.
    """
    if tag.key is None:
        raise internal()  # a tag without a key crashes the real server
    return any(
        key is not None
        and _equal_ignoring_case(tag.key, key)
        and (value is None or _equal_ignoring_case(tag.value, value))
        for key, value in pairs.items()
    )


def _equal_ignoring_case(one: str, other: str) -> bool:
    return one.upper() == other.upper() or one.lower() == other.lower()


def _pairs(call: Call) -> Pairs:
    """The tags that are given; of two with one key the last counts."""
    return {pair.get("key"): pair.get("value") for pair in call["tags"] or ()}


def _kind(call: Call) -> str:
    kind = _KINDS.get(call["resourcetype"].lower())
    if kind is None:
        raise bad_parameter(f"Invalid resource type {call['resourcetype']}")
    return kind


def _resource(call: Call, kind: str, id: str) -> Any:
    one = call.store.find(TABLES[kind], id)
    if one is None or one is NO_OBJECT or _is_removed(one):
        raise bad_parameter(f"Unable to find resource by id {id} and type {kind}")
    _check_owner(call, one)
    return one


def _check_owner(call: Call, one: Any) -> None:
    check_in_job(call, _owner(one), call.store.accounts[_owner(one)].label)


def _owner(one: Any) -> str:
    return "system" if isinstance(one, Zone) else one.owner  # a network belongs to the service itself


def _is_removed(one: Any) -> bool:
    """Whether an object is deleted. A deleted one is still found by its id, but takes no tags."""
    if isinstance(one, Volume):
        return one.state == "Destroy"
    if isinstance(one, Snapshot):
        return one.state == "Destroyed"
    return isinstance(one, Template) and one.removed


# --- listTags


def list_tags(call: Call) -> dict[str, Any]:
    """listTags: filters are whole values. The real server ignores `keyword`."""
    exact = ("resourcetype", "resourceid", "key", "value", "customer")
    wanted = {name: collated(call[name]) for name in exact if call[name] is not None}
    views = [view for view in _views(call) if _is_wanted(view, wanted)]
    return listing("tag", page_of(call, call.of(_ORDERED)(call, views)))


def _ordered_3(call: Call, views: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(views, key=lambda view: view["resourcetype"], reverse=True)


def _ordered_4(call: Call, views: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """CloudStack 4.23 sorts by resource type alone: 60 tags, read in pages of 20, gave 36 distinct ones; measured."""
    return _ordered_3(call, by_key_alone(call, views, lambda view: 0))


_ORDERED = Differs(_ordered_3, _ordered_4)


def _views(call: Call) -> Iterator[dict[str, Any]]:
    is_shown = owners(call)
    for (kind, id), tags in call.store.tags.items():
        one = call.store.find(TABLES[kind], id) if tags else None
        if one is None or isinstance(one, Zone) or not is_shown(one):
            continue
        whose = {"resourcetype": kind, "resourceid": one.id, **ownership(call, one.owner)}
        for tag in tags.values():
            view = {**tag_view(tag), **whose}
            if tag.customer is not None:
                view["customer"] = tag.customer
            yield view


def _is_wanted(view: dict[str, Any], wanted: dict[str, str]) -> bool:
    return all(name in view and collated(view[name]) == value for name, value in wanted.items())

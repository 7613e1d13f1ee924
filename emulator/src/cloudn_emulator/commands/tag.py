# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags on virtual machines, volumes, templates, snapshots and security groups, as measured on CloudStack 3.0.5."""

from __future__ import annotations

from typing import Any

from ..calls import Call, check_access, contains, owners, ownership, page_of
from ..errors import bad_parameter, internal
from ..jobs import Work
from ..models import NO_OBJECT
from ..store import collated
from ..wire import listing

# The kinds of object that take tags, and the table that holds them.
TABLES = {
    "UserVm": "vm_instance",
    "Volume": "volumes",
    "Template": "vm_template",
    "Snapshot": "snapshots",
    "SecurityGroup": "security_group",
}
_KINDS = {kind.lower(): kind for kind in TABLES}


def create_tags(call: Call) -> Work:
    """createTags: all of them or, where one key is taken already, none (530)."""

    async def run() -> dict[str, Any]:
        await _checked(call, values=True)
        await call.jobs.take(1)
        kind = _kind(call)
        ids = _resources(call, kind)
        new = [(pair["key"], pair["value"]) for pair in call["tags"]]
        if any(collated(key) in call.store.tags.get((kind, id), {}) for id in ids for key, _value in new):
            raise internal()
        for id in ids:
            call.store.tags.setdefault((kind, id), {}).update({collated(key): (key, value) for key, value in new})
        return {"success": True}

    return Work(run)


def delete_tags(call: Call) -> Work:
    """deleteTags: by key, or by key and value; without tags all of the objects' are removed. None found is a 431."""

    async def run() -> dict[str, Any]:
        await _checked(call, values=False)
        await call.jobs.take(1)
        kind = _kind(call)
        ids = _resources(call, kind)
        doomed = [(id, key) for id in ids for key in _doomed(call, call.store.tags.get((kind, id), {}))]
        if not doomed:
            raise bad_parameter("Unable to find tags by parameters specified")
        for id, key in doomed:
            del call.store.tags[kind, id][key]
        return {"success": True}

    return Work(run)


async def _checked(call: Call, values: bool) -> None:
    """Find what is wrong with the parameters in the first moment of the job; raises ApiError (431)."""
    try:
        _resources(call, _kind(call))
        for pair in call["tags"] or ():
            if not pair.get("key") or (values and not pair.get("value")):
                raise bad_parameter(f"No value is passed in for key {pair.get('key')}")
    except Exception:
        await call.jobs.moment()
        raise


def _kind(call: Call) -> str:
    kind = _KINDS.get(call["resourcetype"].strip().lower())
    if kind is None:
        raise bad_parameter(f"Invalid resource type {call['resourcetype']}")
    return kind


def _resources(call: Call, kind: str) -> list[str]:
    ids = call["resourceids"]
    for id in ids:
        found = call.store.find(TABLES[kind], id)
        if found is None or found is NO_OBJECT:
            raise bad_parameter(f"Unable to find resource by id {id} and type {kind}")
        check_access(call, found.owner, call.store.accounts[found.owner].label)
    return ids


def _doomed(call: Call, tags: dict[str, tuple[str, str]]) -> list[str]:
    wanted = {collated(pair.get("key") or ""): pair.get("value") for pair in call["tags"] or ()}
    if not wanted:
        return list(tags)
    return [
        key
        for key, (_name, value) in tags.items()
        if key in wanted and (wanted[key] is None or collated(wanted[key]) == collated(value))
    ]


def list_tags(call: Call) -> dict[str, Any]:
    """listTags: filters are whole values."""
    views = [view for view in _views(call) if _is_wanted(call, view)]
    return listing("tag", page_of(call, views))


def _views(call: Call) -> list[dict[str, Any]]:
    is_shown = owners(call)
    tagged = [(kind, call.store.find(TABLES[kind], id), tags) for (kind, id), tags in call.store.tags.items() if tags]
    return [
        {"key": key, "value": value, "resourcetype": kind, "resourceid": one.id, **ownership(call, one.owner)}
        for kind, one, tags in tagged
        if one is not None and is_shown(one)
        for key, value in tags.values()
    ]


def _is_wanted(call: Call, view: dict[str, Any]) -> bool:
    exact = ("resourcetype", "resourceid", "key", "value")
    if any(call[name] is not None and collated(call[name]) != collated(view[name]) for name in exact):
        return False
    keyword = call["keyword"]
    return keyword is None or contains(view["key"], keyword) or contains(view["value"], keyword)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance groups, by which accounts sort their virtual machines, as measured on CloudStack 3.0.5."""

from __future__ import annotations

from typing import Any

from ..calls import Call, done, page_of
from ..errors import bad_parameter
from ..fields import date_text, ownership
from ..filters import has_part, matching, named, refers_to
from ..generation import Differs
from ..models import NO_OBJECT, InstanceGroup
from ..owners import check_access, owner_of_new, owners
from ..wire import listing


def list_instance_groups(call: Call) -> dict[str, Any]:
    """listInstanceGroups: oldest first. `name` and `keyword` are parts of the name."""
    tests = [
        owners(call),
        lambda group: not group.removed,
        refers_to(call, "id"),
        named(call),
        has_part(call, "keyword", "name"),
    ]
    found = matching(call.store.instance_groups.values(), tests)
    return listing("instancegroup", [_view(call, group) for group in page_of(call, found)])


def create_instance_group(call: Call) -> dict[str, Any]:
    """createInstanceGroup: names are unique in the account (431). The account is locked, so there is no race."""
    owner, name = owner_of_new(call).name, call["name"]
    if call.store.instance_group_named(name, owner):
        raise bad_parameter(
            f"Unable to create vm group, a group with name {name} already exisits for account with specified id"
        )
    return {"instancegroup": _view(call, call.store.instance_group(name, owner))}


def update_instance_group(call: Call) -> dict[str, Any]:
    """updateInstanceGroup: renames a group.

    The real server refuses (431) a name that differs only in case, since it finds the group itself under it.
    """
    group, name = call["id"], call["name"]
    _check(call, group, "unable to find a vm group with specified groupId")
    if name is not None and name != group.name:
        if call.store.instance_group_named(name, group.owner):
            raise bad_parameter(f"Unable to update vm group, a group with name {name} already exists for account")
        group.name = name
    return {"instancegroup": _view(call, group)}


def delete_instance_group(call: Call) -> dict[str, Any]:
    """deleteInstanceGroup: its machines leave it. The id stays known for a while, but cannot be used."""
    group = call["id"]
    _check(call, group, "unable to find vm group by id")
    call.store.remove_instance_group(group)
    return done(call)


def _check(call: Call, group: InstanceGroup, unknown: str) -> None:
    if group is NO_OBJECT or group.removed:
        raise bad_parameter(unknown)
    check_access(call, group.owner, group.label)


def _view(call: Call, group: InstanceGroup) -> dict[str, Any]:
    view = {"id": group.id, "name": group.name, "created": date_text(group.created)}
    only_here: dict[str, Any] = call.of(_ONLY_HERE)
    return {**view, **ownership(call, group.owner), **only_here}


_ONLY_HERE: Differs[dict[str, Any]] = Differs({}, {"hasannotations": False})

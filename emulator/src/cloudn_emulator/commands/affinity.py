# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Affinity groups, which only CloudStack 4 has, as measured on 4.23."""

from __future__ import annotations

from typing import Any

from ..calls import Call, page_of
from ..errors import bad_parameter
from ..fields import ownership
from ..filters import equals, has_part, matching, refers_to
from ..jobs import Work
from ..models import NO_OBJECT, Account, AffinityGroup, Vm, new_id
from ..owners import check_access, owner_of_new, owners
from ..wire import listing
from .vm_view_4 import vm_view

ANTI_AFFINITY = "host anti-affinity"
TYPES = ("non-strict host affinity", "non-strict host anti-affinity", "host affinity", ANTI_AFFINITY)


def list_types(call: Call) -> dict[str, Any]:
    """listAffinityGroupTypes."""
    return listing("affinityGroupType", [{"type": name} for name in page_of(call, list(TYPES))])


def group_view(call: Call, group: AffinityGroup, listed: bool = True) -> dict[str, Any]:
    """A group with the ids of its machines, if there are any."""
    view: dict[str, Any] = {"id": group.id, "name": group.name}
    if group.description is not None:
        view["description"] = group.description
    view |= {**ownership(call, group.owner), "type": group.kind}
    members = [vm.id for vm in call.store.vms.values() if group.id in vm.affinity_group_ids]
    return {**view, "virtualmachineIds": members} if listed and members else view


def list_groups(call: Call) -> dict[str, Any]:
    """listAffinityGroups, oldest first."""
    vm = call["virtualmachineid"]
    tests = [
        owners(call),
        refers_to(call, "id"),
        equals(call, "name", "name"),
        equals(call, "type", "kind"),
        has_part(call, "keyword", "name"),
        (lambda group: group.id in getattr(vm, "affinity_group_ids", ())) if vm is not None else None,
    ]
    found = matching(call.store.affinity_groups.values(), tests)
    return listing("affinitygroup", [group_view(call, group) for group in page_of(call, found)])


async def create_group(call: Call) -> Work:
    """createAffinityGroup: a taken name and an unknown type are refused at once (431)."""
    owner = owner_of_new(call).name
    if call["type"] not in TYPES:
        raise bad_parameter(f"Unable to create affinity group, invalid affinity group type: {call['type']}")
    if _named(call, call["name"], owner):
        raise bad_parameter(f"Unable to create affinity group, a group with name {call['name']} already exists.")
    await call.store.races.gap(("affinity group", owner, call["name"]))
    group = AffinityGroup(new_id(), owner, call["name"], call["type"], call["description"])
    call.store.affinity_groups[group.id] = group

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        return {"affinitygroup": group_view(call, group)}

    return Work(run, "AffinityGroup", created_id=group.id)


def delete_group(call: Call) -> Work:
    """deleteAffinityGroup: by id or name, also of a group that machines use. Each error fails the job."""
    group = call["id"]

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        found = group or _named(call, call["name"], owner_of_new(call).name)
        if found is None or found is NO_OBJECT or found.id not in call.store.affinity_groups:
            raise bad_parameter(f"Unable to find affinity group {call['name'] or ''}")
        check_access(call, found.owner, found.label)
        del call.store.affinity_groups[found.id]
        for vm in call.store.vms.values():
            vm.affinity_group_ids = [id for id in vm.affinity_group_ids if id != found.id]
        return {"success": True}

    return Work(run, "AffinityGroup" if group else None)


def update_of_vm(call: Call) -> Work:
    """updateVMAffinityGroup: of a Stopped machine (431 in the job). An empty list takes it out of all groups."""
    vm: Vm = call["id"]

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        check_access(call, vm.owner, vm.label)
        if vm.state != "Stopped":
            raise bad_parameter(f"Unable update affinity groups of {vm.label} in state {vm.state}")
        owner = call.store.accounts[vm.owner]
        vm.affinity_group_ids = [group.id for group in affinity_groups_named(call, owner)]
        return {"virtualmachine": vm_view(call, vm, ("affgrp",))}

    return Work(run)


def affinity_groups_named(call: Call, owner: Account) -> list[AffinityGroup]:
    """The groups of `affinitygroupids` or `affinitygroupnames`. Raises ApiError: 431 for unknown, 531 for others'."""
    groups, names = call["affinitygroupids"], call["affinitygroupnames"]
    if names:
        groups = []
        for name in names:
            group = _named(call, name, owner.name)
            if group is None:
                raise bad_parameter(f"Unable to find affinity group by name {name}")
            groups.append(group)
    for group in groups or ():
        if group is NO_OBJECT:
            raise bad_parameter("Unable to find affinity group by id -1")
        check_access(call, group.owner, group.label)
    return list(groups or ())


def _named(call: Call, name: str | None, owner: str) -> AffinityGroup | None:
    found = (one for one in call.store.affinity_groups.values() if (one.owner, one.name) == (owner, name))
    return next(found, None)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups, as measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..calls import Call, done, page_of
from ..collation import collated
from ..errors import IN_USE, ApiError, bad_parameter
from ..fields import ownership, tag_list
from ..filters import equals, has_part, has_tags, matching, refers_to
from ..generation import Differs
from ..models import NO_OBJECT, Rule, SecurityGroup, Vm
from ..owners import check_access, named_owner, owner_of_new, owners
from ..wire import listing

INGRESS, EGRESS = "ingress", "egress"


# --- what a group looks like


def group_view(call: Call, group: SecurityGroup, rules: list[Rule]) -> dict[str, Any]:
    """A group with these rules, as the jobs that make them show it."""
    return call.of(_GROUP_VIEW)(call, group, rules)


def _group_3(call: Call, group: SecurityGroup, rules: list[Rule]) -> dict[str, Any]:
    """On CloudStack 3 a group without rules has no lists of rules."""
    return {**_named(call, group), **(_rule_lists(call, rules) if rules else {})}


def _group_4(call: Call, group: SecurityGroup, rules: list[Rule]) -> dict[str, Any]:
    """On CloudStack 4 a job shows neither the tags nor the machines of a group."""
    return {**_named(call, group), **_rule_lists(call, rules), "tags": [], "virtualmachineids": []}


_GROUP_VIEW = Differs(_group_3, _group_4)


def _named(call: Call, group: SecurityGroup) -> dict[str, Any]:
    text = {} if group.description is None else {"description": group.description}
    return {"id": group.id, "name": group.name, **text, **ownership(call, group.owner)}


def _rule_lists(call: Call, rules: list[Rule]) -> dict[str, Any]:
    return {
        f"{direction}rule": [_rule_view(call, rule) for rule in rules if rule.direction == direction]
        for direction in (INGRESS, EGRESS)
    }


def _rule_view(call: Call, rule: Rule) -> dict[str, Any]:
    names = ("icmptype", "icmpcode") if rule.protocol == "icmp" else ("startport", "endport")
    view: dict[str, Any] = {"ruleid": rule.id, "protocol": rule.protocol, names[0]: rule.start, names[1]: rule.end}
    if rule.source_id is None:
        return {**view, "cidr": rule.cidr}
    source = call.store.security_groups[rule.source_id]
    return {**view, "securitygroupname": source.name, "account": source.owner}


def _listed(call: Call, groups: list[SecurityGroup]) -> list[dict[str, Any]]:
    """Groups as a listing shows them."""
    return call.of(_LISTED)(call, groups)


def _listed_3(call: Call, groups: list[SecurityGroup]) -> list[dict[str, Any]]:
    return [_with_tags_3(call, group) for group in groups]


def _with_tags_3(call: Call, group: SecurityGroup) -> dict[str, Any]:
    """On CloudStack 3 only a group with rules has tags.

    As on the real server, these are not its own tags, but those of the VM with the same row number, of any account.
    Only listTags and the filter `tags` know the tags of a group.
    """
    view = group_view(call, group, list(group.rules.values()))
    if group.rules:
        vm = call.store.vm_of_row(group.row)
        view["tags"] = tag_list(call, "UserVm", vm.id) if vm else []
    return view


def _listed_4(call: Call, groups: list[SecurityGroup]) -> list[dict[str, Any]]:
    """CloudStack 4 shows a group's own tags, and its machines, also destroyed ones."""
    members: dict[str, list[str]] = {}
    for vm in call.store.vms.values():
        for id in vm.security_group_ids:
            members.setdefault(id, []).append(vm.id)
    return [_with_members(call, group, members.get(group.id, [])) for group in groups]


def _with_members(call: Call, group: SecurityGroup, vm_ids: list[str]) -> dict[str, Any]:
    view = group_view(call, group, list(group.rules.values()))
    for direction in (INGRESS, EGRESS):
        for rule in view[f"{direction}rule"]:
            rule["tags"] = []
    tags = tag_list(call, "SecurityGroup", group.id)
    return {**view, "tags": tags, "virtualmachinecount": len(vm_ids), "virtualmachineids": vm_ids}


_LISTED = Differs(_listed_3, _listed_4)
_CREATED: Differs[Callable[[Call, SecurityGroup], dict[str, Any]]] = Differs(
    lambda call, group: group_view(call, group, []), lambda call, group: _with_members(call, group, [])
)


# --- finding groups


@dataclass(frozen=True, slots=True)
class Naming:
    """The error texts of a command that takes a group by id or by name."""

    both: str
    neither: str
    unknown: str


def named_group(call: Call, id: str, name: str, naming: Naming) -> SecurityGroup:
    """The group that a command names by one of two parameters, of any owner. NO_OBJECT for the id `-1`.

    Raises ApiError (431).
    """
    group, wanted = call[id], call[name]
    if group is not None and wanted is not None:
        raise bad_parameter(naming.both)
    if group is None and wanted is None:
        raise bad_parameter(naming.neither)
    if group is not None:
        return group
    owner = named_owner(call)
    found = call.store.security_group_named(wanted, owner.name)
    if found is None:
        raise bad_parameter(naming.unknown.format(name=wanted, number=owner.number))
    return found


def list_groups(call: Call) -> dict[str, Any]:
    """listSecurityGroups: oldest first. `securitygroupname` is the whole name, `keyword` a part of name or text."""
    vm = call["virtualmachineid"]
    found = _groups_of(call, vm) if vm is not None else page_of(call, _groups_found(call))
    return listing("securitygroup", _listed(call, found))


def _groups_of(call: Call, vm: Vm) -> list[SecurityGroup]:
    """The groups of a VM, also of a destroyed one. The real server then ignores every other filter, and pages."""
    if vm is NO_OBJECT:
        raise bad_parameter("Unable to list network groups for virtual machine instance -1; instance not found.")
    check_access(call, vm.owner, vm.label)
    return call.store.groups_of(vm)


def _groups_found(call: Call) -> list[SecurityGroup]:
    tests = [
        owners(call),
        refers_to(call, "id"),
        equals(call, "securitygroupname", "name"),
        has_part(call, "keyword", "name", "description"),
        has_tags(call, "SecurityGroup"),
    ]
    return matching(call.store.security_groups.values(), tests)


# --- making and deleting them


async def create_group(call: Call) -> dict[str, Any]:
    """createSecurityGroup: names are unique in the account (431)."""
    owner, name = owner_of_new(call).name, call["name"]
    if call.store.security_group_named(name, owner):
        raise bad_parameter(f"Unable to create security group, a group with name {name} already exists.")
    await call.store.races.gap(("group", owner, collated(name)))
    group = call.store.add_security_group(name, owner, call["description"])
    return {"securitygroup": call.of(_CREATED)(call, group)}


DELETED = Naming(
    "name and id parameters are mutually exclusive",
    "Either id or name parameter is requred by deleteSecurityGroup command",
    "Unable to find security group by name {name} for the account id={number}",
)


def delete_group(call: Call) -> dict[str, Any]:
    """deleteSecurityGroup: not `default` (431), and not a group that a rule names or a VM has (536).

    A rule of the group itself counts too, and so does a destroyed VM until it is expunged.
    """
    group = named_group(call, "id", "name", DELETED)
    if group is NO_OBJECT:
        raise bad_parameter("Unable to find network group by id; failed to delete group.")
    check_access(call, group.owner, group.label)
    if group.name.lower() == "default":
        raise bad_parameter("The network group default is reserved")
    if any(rule.source_id == group.id for rule in call.store.rules.values()):
        raise ApiError(IN_USE, "Cannot delete group when there are security rules that allow this group")
    if any(group.id in vm.security_group_ids for vm in call.store.vms.values()):
        raise ApiError(IN_USE, "Cannot delete group when it's in use by virtual machines")
    for rule in list(group.rules.values()):
        call.store.remove_rule(rule)
    del call.store.security_groups[group.id]
    call.store.tags.pop(("SecurityGroup", group.id), None)
    return done(call)

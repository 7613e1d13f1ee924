# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups and their rules, as measured on CloudStack 3.0.5."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ..calls import Call, check_access, contains, has_tags, matching, owner_for, owners, ownership, page_of, tag_list
from ..errors import IN_USE, ApiError, bad_parameter, internal
from ..jobs import Work
from ..models import Rule, SecurityGroup, new_id
from ..store import by_name, collated
from ..wire import listing

INGRESS, EGRESS = "ingress", "egress"
PROTOCOLS = ("tcp", "udp", "icmp", "all")
_CIDR = re.compile(r"\d{1,3}(\.\d{1,3}){3}/\d{1,2}")


# --- what a group looks like


def group_view(call: Call, group: SecurityGroup, rules: list[Rule], tags: bool) -> dict[str, Any]:
    """A group with these rules. Without any it has no lists of rules, and a listing shows no tags either."""
    view: dict[str, Any] = {"id": group.id, "name": group.name}
    if group.description is not None:
        view["description"] = group.description
    view |= ownership(call, group.owner)
    if rules:
        for direction in (INGRESS, EGRESS):
            view[direction + "rule"] = [_rule_view(call, rule) for rule in rules if rule.direction == direction]
        if tags:
            view["tags"] = tag_list(call, "SecurityGroup", group.id)
    return view


def _rule_view(call: Call, rule: Rule) -> dict[str, Any]:
    names = ("icmptype", "icmpcode") if rule.protocol == "icmp" else ("startport", "endport")
    view: dict[str, Any] = {"ruleid": rule.id, "protocol": rule.protocol, names[0]: rule.start, names[1]: rule.end}
    if rule.source_id is None:
        return {**view, "cidr": rule.cidr}
    source = call.store.security_groups[rule.source_id]
    return {**view, "securitygroupname": source.name, "account": source.owner}


# --- groups


def list_groups(call: Call) -> dict[str, Any]:
    """listSecurityGroups: `securitygroupname` is the whole name, `keyword` a part of it."""
    p = call.params
    name, keyword = p.get("securitygroupname"), p.get("keyword")
    if "virtualmachineid" in p:
        check_access(call, p["virtualmachineid"].owner, p["virtualmachineid"].label)
    tests = [
        owners(call),
        (lambda group: group.id == p["id"].id) if "id" in p else None,
        (lambda group: collated(group.name) == collated(name)) if name is not None else None,
        (lambda group: contains(group.name, keyword)) if keyword is not None else None,
        (lambda group: group.id in p["virtualmachineid"].security_group_ids) if "virtualmachineid" in p else None,
        has_tags(call, "SecurityGroup"),
    ]
    found = matching(call.store.security_groups.values(), tests)
    views = [group_view(call, group, list(group.rules.values()), tags=True) for group in page_of(call, found)]
    return listing("securitygroup", views)


def create_group(call: Call) -> dict[str, Any]:
    """createSecurityGroup: names are unique in the account (431)."""
    owner = owner_for(call, "AccountName and domainId must be specified together").name
    name = call["name"]
    if not name.strip():
        raise bad_parameter("Unable to create security group, its name is empty")
    if by_name(call.store.security_groups.values(), name, owner):
        raise bad_parameter(f"Unable to create security group, a group with name {name} already exists.")
    group = call.store.add_security_group(name, owner, call["description"])
    return {"securitygroup": group_view(call, group, [], tags=False)}


def delete_group(call: Call) -> dict[str, Any]:
    """deleteSecurityGroup: by id or name; not `default` (431), nor one in use by a VM or another group's rule (536)."""
    group = _named_group(
        call, call["id"], call["name"], "Either id or name parameter is requred by deleteSecurityGroup"
    )
    if group.name.lower() == "default":
        raise bad_parameter(f"The network group {group.name} is reserved")
    if any(rule.source_id == group.id and rule.group_id != group.id for rule in call.store.rules.values()):
        raise ApiError(IN_USE, "Cannot delete group when there are security rules that allow this group")
    if any(group.id in vm.security_group_ids for vm in call.store.vms.values()):
        raise ApiError(IN_USE, "Cannot delete group when it's in use by virtual machines")
    for rule in list(group.rules.values()):
        call.store.remove_rule(rule)
    del call.store.security_groups[group.id]
    call.store.tags.pop(("SecurityGroup", group.id), None)
    return {"success": "true"}


def _named_group(call: Call, group: SecurityGroup | None, name: str | None, neither: str) -> SecurityGroup:
    if group is None and name is None:
        raise bad_parameter(f"{neither} command")
    if group is not None and name is not None:
        raise bad_parameter("The id and the name of a security group exclude each other")
    if group is not None:
        check_access(call, group.owner, group.label)
        return group
    owner = owner_for(call)
    found = by_name(call.store.security_groups.values(), name or "", owner.name)
    if found is None:
        raise bad_parameter(f"Unable to find security group by name {name} for the account id={owner.number}")
    return found


# --- rules


def authorize_ingress(call: Call) -> Work:
    """authorizeSecurityGroupIngress."""
    return _authorize(call, INGRESS)


def authorize_egress(call: Call) -> Work:
    """authorizeSecurityGroupEgress."""
    return _authorize(call, EGRESS)


def _authorize(call: Call, direction: str) -> Work:
    command = f"authorizeSecurityGroup{direction.capitalize()}"
    neither = f"Either securityGroupId or securityGroupName is required by {command}"
    group = _named_group(call, call["securitygroupid"], call["securitygroupname"], neither)

    async def run() -> dict[str, Any]:
        try:
            _wanted_rules(call, group, direction)
        except ApiError:
            await call.jobs.moment()
            raise
        await call.jobs.take(1)
        return {"securitygroup": group_view(call, group, _add_rules(call, group, direction), tags=False)}

    return Work(run, "SecurityGroup", group.id)


def _add_rules(call: Call, group: SecurityGroup, direction: str) -> list[Rule]:
    """Add what is not there yet, as CloudStack's source has it; nothing left to add is a failure (530, measured)."""
    there = {_key(rule) for rule in group.rules.values()}
    new = []
    for rule in _wanted_rules(call, group, direction):
        if _key(rule) not in there:
            there.add(_key(rule))
            new.append(rule)
    if not new or group.id not in call.store.security_groups:
        raise internal(f"Failed to authorize security group {direction} rule(s)")
    for rule in new:
        call.store.add_rule(rule)
    return new


def _key(rule: Rule) -> tuple[Any, ...]:
    return rule.direction, rule.protocol, rule.start, rule.end, rule.cidr, rule.source_id


def _wanted_rules(call: Call, group: SecurityGroup, direction: str) -> list[Rule]:
    """The rules that the parameters speak of; raises ApiError (431) where they make none."""
    cidrs, sources = call["cidrlist"], call["usersecuritygrouplist"]
    if not cidrs and not sources:
        raise bad_parameter("At least one cidr or at least one security group needs to be specified")
    for cidr in cidrs or ():
        if not _is_cidr(cidr):
            raise bad_parameter(f"{cidr} is an Invalid CIDR ")
    protocol = (call["protocol"] or "all").strip().lower()
    start, end = _ports(call, protocol)
    ids = [_source(call, source).id for source in sources or ()]
    origins = [(None, id) for id in ids] + [(cidr, None) for cidr in cidrs or ()]
    return [Rule(new_id(), group.id, direction, protocol, start, end, cidr, source) for cidr, source in origins]


def _is_cidr(text: str) -> bool:
    try:
        return bool(_CIDR.fullmatch(text)) and ipaddress.ip_interface(text) is not None
    except ValueError:
        return False


def _ports(call: Call, protocol: str) -> tuple[int, int]:
    """Start and end port, or type and code, of a rule; raises ApiError (431)."""
    if protocol not in PROTOCOLS:
        raise bad_parameter(f"Invalid protocol {protocol}")
    if protocol == "icmp":
        return _icmp(call["icmptype"], call["icmpcode"])
    start, end = call["startport"], call["endport"]
    if protocol == "all":
        if start is not None or end is not None:
            raise bad_parameter("Cannot specify startPort or endPort without specifying protocol")
        return 0, 0
    if start is None or end is None:
        raise bad_parameter(f"Invalid port range specified, startPort = {_java(start)}, endPort = {_java(end)}")
    if start == 0 and end == 0:
        end = 65535
    if start > end or start < 0 or end > 65535:
        raise bad_parameter(f"Invalid port range {start}:{end}")
    return start, end


def _icmp(kind: int | None, code: int | None) -> tuple[int, int]:
    if kind is None or code is None:
        raise bad_parameter(f"Invalid ICMP type/code specified, icmpType = {_java(kind)}, icmpCode = {_java(code)}")
    if not (-1 <= kind <= 255 and -1 <= code <= 255) or (kind == -1 and code != -1):
        raise bad_parameter(f"Invalid icmp type/code {kind}/{code}")
    return kind, code


def _java(value: int | None) -> str:
    return "null" if value is None else str(value)


def _source(call: Call, source: dict[str, str]) -> SecurityGroup:
    account, name = source.get("account"), source.get("group")
    if account is None or name is None:
        raise bad_parameter("Invalid user group specified, fields 'group' and 'account' cannot be null")
    owner = next((one for one in call.store.accounts.values() if collated(one.name) == collated(account)), None)
    if owner is None:
        raise bad_parameter(f"Nonexistent account: {account} when trying to authorize a rule")
    found = by_name(call.store.security_groups.values(), name, owner.name)
    if found is None:
        raise bad_parameter(f"Nonexistent group {name} for account {account} is given, unable to authorize a rule.")
    return found


def revoke_ingress(call: Call) -> Work:
    """revokeSecurityGroupIngress."""
    return _revoke(call, INGRESS)


def revoke_egress(call: Call) -> Work:
    """revokeSecurityGroupEgress."""
    return _revoke(call, EGRESS)


def _revoke(call: Call, direction: str) -> Work:
    rule = call["id"]

    async def run() -> dict[str, Any]:
        group = call.store.security_groups.get(rule.group_id)
        if group:
            check_access(call, group.owner, group.label)
        if rule.direction != direction:
            await call.jobs.moment()
            raise bad_parameter(f"Mismatch in rule type for security rule with id {rule.id}")
        await call.jobs.take(1)
        if rule.id not in call.store.rules:
            raise bad_parameter(f"Unable to find security rule with id {rule.id}")
        call.store.remove_rule(rule)
        return {"success": True}

    return Work(run, "SecurityGroup", rule.group_id)

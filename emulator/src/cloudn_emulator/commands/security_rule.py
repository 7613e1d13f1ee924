# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of security groups: how they are read, added and revoked, as measured on CloudStack 3.0.5."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator
from typing import Any

from ..calls import Call
from ..collation import collated
from ..errors import bad_parameter, internal
from ..jobs import Work
from ..models import NO_OBJECT, Rule, SecurityGroup, new_id
from ..owners import check_access, named_owner
from .security_group import EGRESS, INGRESS, Naming, group_view, named_group

PROTOCOLS = ("tcp", "udp", "icmp", "all")
LAST_PORT = 65535
LONGEST_CIDR = 44  # characters: by the schema of CloudStack 3.0's database
# How long a change of rules holds the lock of its group, and by how much a thread that sleeps for it may wake too late.
# With these values it takes as many sleeps as on CloudStack 3.0.5: one for 10 rules by 2 at once, three by 10 at once.
HELD_SECONDS = 0.01
LATE_SECONDS = 0.02
_OCTET = re.compile(r"[+-]?\d{1,3}")
_PREFIX = re.compile(r"[+-]?\d+")


# --- the commands


def authorize_ingress(call: Call) -> Work:
    """authorizeSecurityGroupIngress."""
    return _authorize(call, INGRESS)


def authorize_egress(call: Call) -> Work:
    """authorizeSecurityGroupEgress."""
    return _authorize(call, EGRESS)


def _authorize(call: Call, direction: str) -> Work:
    """The group is looked up at once. All other errors fail the job."""
    named_owner(call)
    naming = Naming(
        "securityGroupId and securityGroupName parameters are mutually exclusive",
        "Either securityGroupId or securityGroupName is required by "
        f"authorizeSecurityGroup{direction.capitalize()} command",
        "Unable to find security group {name} for account id={number}",
    )
    group = named_group(call, "securitygroupid", "securitygroupname", naming)

    async def run() -> dict[str, Any]:
        rules = await call.jobs.checked(lambda: _wanted_rules(call, group, direction))
        await call.jobs.take(1)
        async with _locked(call, group):
            new = _add_rules(call, group, rules)
        if not new:
            raise internal(f"Failed to authorize security group {direction} rule(s)")
        return {"securitygroup": group_view(call, group, new)}

    return Work(run, "SecurityGroup", group.id)


def revoke_ingress(call: Call) -> Work:
    """revokeSecurityGroupIngress."""
    return _revoke(call, INGRESS)


def revoke_egress(call: Call) -> Work:
    """revokeSecurityGroupEgress."""
    return _revoke(call, EGRESS)


def _revoke(call: Call, direction: str) -> Work:
    rule = call["id"]

    async def run() -> dict[str, Any]:
        group = await call.jobs.checked(lambda: _group_of(call, rule, direction))
        await call.jobs.take(1)
        async with _locked(call, group):
            if group.id not in call.store.security_groups:
                raise internal(f"Failed to revoke security group {direction} rule")
            call.store.remove_rule(rule)  # it may be gone: two requests at one moment both succeed
        return {"success": True}

    return Work(run, "SecurityGroup", rule.group_id)


def _group_of(call: Call, rule: Rule, direction: str) -> SecurityGroup:
    """The group of a rule that may be revoked. Raises ApiError: 431 for an unknown rule, 531 for another account's."""
    group = call.store.security_groups.get(rule.group_id)
    if group is None or rule.id not in group.rules:
        raise bad_parameter(f"Unable to find security rule with id {rule.id}")
    if rule.direction != direction:
        raise bad_parameter("Mismatch in rule type for security rule with specified id ")
    check_access(call, group.owner, group.label)
    return group


@contextlib.asynccontextmanager
async def _locked(call: Call, group: SecurityGroup) -> AsyncIterator[None]:
    """Hold a group's lock for a change of its rules.

    On the real server a change that finds the lock taken sleeps 5 seconds and looks again. Nothing wakes it earlier.
    """
    while group.locked:
        late = random.uniform(0, LATE_SECONDS)
        await asyncio.sleep(call.store.settings.group_lock_seconds + late)
    group.locked = True
    try:
        await asyncio.sleep(HELD_SECONDS)
        yield
    finally:
        group.locked = False


def _add_rules(call: Call, group: SecurityGroup, rules: list[Rule]) -> list[Rule]:
    """Add the rules that are new, and return them. A deleted group takes none.

    The real server compares a rule with the oldest one that is alike in all but the direction. If that one has the
    other direction, the same rule can be added again and again.
    """
    if group.id not in call.store.security_groups:
        return []
    oldest: dict[tuple[Any, ...], str] = {}
    for rule in group.rules.values():
        oldest.setdefault(_key(rule), rule.direction)
    new = []
    for rule in rules:
        if oldest.get(_key(rule)) != rule.direction:
            oldest.setdefault(_key(rule), rule.direction)
            call.store.add_rule(rule)
            new.append(rule)
    return new


def _key(rule: Rule) -> tuple[Any, ...]:
    cidr = None if rule.cidr is None else collated(rule.cidr)
    return rule.protocol, rule.start, rule.end, cidr, rule.source_id


# --- reading the parameters of a rule


def _wanted_rules(call: Call, group: SecurityGroup, direction: str) -> list[Rule]:
    """The rules of the parameters, in the order in which they are added: groups, then CIDRs.

    Raises ApiError: 431 for bad parameters, 531 for another account's group.
    """
    cidrs: list[str] = call["cidrlist"] or []
    if direction == INGRESS:  # the real server takes any text for egress
        _check_cidrs(cidrs)
    if group is NO_OBJECT:
        raise bad_parameter("Unable to find security group by id")
    if call["cidrlist"] is None and call["usersecuritygrouplist"] is None:
        raise bad_parameter("At least one cidr or at least one security group needs to be specified")
    check_access(call, group.owner, group.label)
    protocol = "all" if call["protocol"] is None else call["protocol"]
    start, end = _ports(call, protocol)
    sources = _sources(call)
    if any(len(cidr) > LONGEST_CIDR for cidr in cidrs):
        raise internal("Exception caught when adding security group rules")
    origins = [(None, source.id) for source in sources] + [(cidr, None) for cidr in cidrs]
    return [Rule(new_id(), group.id, direction, protocol.lower(), start, end, *origin) for origin in origins]


def _check_cidrs(cidrs: list[str]) -> None:
    for cidr in cidrs:
        if not _is_cidr(cidr):
            raise bad_parameter(f"{cidr} is an Invalid CIDR ")


def _is_cidr(text: str) -> bool:
    """Whether a text is a CIDR for CloudStack 3.0's code.

    It takes leading zeros, signs, bits of the host, and slashes or points at the end.
    """
    parts = _split(text, "/")
    octets = _split(parts[0], ".")
    if len(parts) != 2 or len(octets) != 4 or not _PREFIX.fullmatch(parts[1]):
        return False
    return 0 <= int(parts[1]) <= 32 and all(_is_octet(octet) for octet in octets)


def _is_octet(text: str) -> bool:
    return len(text) <= 3 and bool(_OCTET.fullmatch(text)) and 0 <= int(text) <= 255


def _split(text: str, sign: str) -> list[str]:
    """The parts of a text without the empty ones at its end, as Java splits it."""
    return text.rstrip(sign).split(sign)


def _ports(call: Call, protocol: str) -> tuple[int, int]:
    """Start and end port of a rule, or type and code. Raises ApiError (431)."""
    if protocol.lower() not in PROTOCOLS:
        raise bad_parameter(f"Invalid protocol {protocol}")
    if protocol.lower() == "icmp":
        return _icmp(call["icmptype"], call["icmpcode"])
    start, end = call["startport"], call["endport"]
    if protocol != "all":  # the real server compares letter by letter: `ALL` takes ports
        return _range(start, end)
    if start is not None or end is not None:
        raise bad_parameter("Cannot specify startPort or endPort without specifying protocol")
    return 0, 0


def _range(start: int | None, end: int | None) -> tuple[int, int]:
    if start is None or end is None:
        raise bad_parameter(f"Invalid port range specified, startPort = {_java(start)}, endPort = {_java(end)}")
    if start == 0 and end == 0:  # on the real server no port becomes all ports
        end = LAST_PORT
    if start > end or start == -1:
        raise bad_parameter(f"Invalid port range {start}:{end}")
    if end > LAST_PORT or start < 0:
        raise bad_parameter(f"Invalid port numbers {start}:{end}")
    return start, end


def _icmp(kind: int | None, code: int | None) -> tuple[int, int]:
    if kind is None or code is None:
        raise bad_parameter(f"Invalid ICMP type/code specified, icmpType = {_java(kind)}, icmpCode = {_java(code)}")
    if kind == -1 and code != -1:
        raise bad_parameter("Invalid icmp code")
    if kind != -1 and code == -1:
        raise bad_parameter("Invalid icmp code: need non-negative icmp code ")
    if not (-1 <= kind <= 255 and -1 <= code <= 255):
        raise bad_parameter("Invalid icmp type/code ")
    return kind, code


def _java(value: int | None) -> str:
    return "null" if value is None else str(value)


def _sources(call: Call) -> list[SecurityGroup]:
    """The groups that the rules name, each once, in the order of their rows."""
    found = {source.id: source for source in (_source(call, one) for one in call["usersecuritygrouplist"] or ())}
    return sorted(found.values(), key=lambda source: source.row)


def _source(call: Call, source: dict[str, str]) -> SecurityGroup:
    """The group that a rule names, of any account. Raises ApiError (431)."""
    account, name = source.get("account"), source.get("group")
    if account is None or name is None:
        raise bad_parameter(
            "Invalid user group specified, fields 'group' and 'account' cannot be null, please specify groups in the form:"
            "  userGroupList[0].group=XXX&userGroupList[0].account=YYY"
        )
    owner = call.store.account_named(account)
    if owner is None:
        raise bad_parameter(f"Nonexistent account: {account} when trying to authorize security group rule")
    found = call.store.security_group_named(name, owner.name)
    if found is None:
        raise bad_parameter(
            f"Nonexistent group {name} for account {account} is given, unable to authorize security group rule."
        )
    return found

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of security groups: how they are added and revoked, as measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

from ..calls import Call
from ..collation import collated
from ..errors import bad_parameter, internal
from ..generation import Differs
from ..jobs import Work
from ..models import Rule, SecurityGroup
from ..owners import check_access, check_at_once, named_owner
from .security_group import EGRESS, INGRESS, Naming, group_view, named_group
from .security_rule_params import wanted_rules

# How long a change of rules holds the lock of its group, and by how much a thread that sleeps for it may wake too late.
# With these values it takes as many sleeps as on CloudStack 3.0.5: one for 10 rules by 2 at once, three by 10 at once.
HELD_SECONDS = 0.01
LATE_SECONDS = 0.02


# --- the commands


def authorize_ingress(call: Call) -> Work:
    """authorizeSecurityGroupIngress."""
    return _authorize(call, INGRESS)


def authorize_egress(call: Call) -> Work:
    """authorizeSecurityGroupEgress."""
    return _authorize(call, EGRESS)


def _authorize(call: Call, direction: str) -> Work:
    """The group is looked up at once, and refused at once by CloudStack 4. All other errors fail the job."""
    named_owner(call)
    naming = Naming(
        "securityGroupId and securityGroupName parameters are mutually exclusive",
        "Either securityGroupId or securityGroupName is required by "
        f"authorizeSecurityGroup{direction.capitalize()} command",
        "Unable to find security group {name} for account id={number}",
    )
    group = named_group(call, "securitygroupid", "securitygroupname", naming)
    check_at_once(call, group)

    async def run() -> dict[str, Any]:
        rules = await call.jobs.checked(lambda: wanted_rules(call, group, direction))
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
    check_at_once(call, call.store.security_groups.get(rule.group_id))

    async def run() -> dict[str, Any]:
        group = await call.jobs.checked(lambda: _group_of(call, rule, direction))
        await call.jobs.take(1)
        async with _locked(call, group):
            if group.id not in call.store.security_groups:
                raise internal(f"Failed to revoke security group {direction} rule")
            call.store.remove_rule(rule)  # it may be gone: two requests at one moment both succeed
        return {"success": True}

    return Work(run, "SecurityGroup", call.of(_OBJECT_OF_REVOKE)(call, rule))


def _group_of_row(call: Call, rule: Rule) -> str | None:
    """CloudStack 4 takes the number of a rule's row for that of a group: its job shows that group, or none."""
    group = call.store.group_of_row(rule.row)
    return group.id if group else None


_OBJECT_OF_REVOKE: Differs[Callable[[Call, Rule], str | None]] = Differs(
    lambda call, rule: rule.group_id, _group_of_row
)


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

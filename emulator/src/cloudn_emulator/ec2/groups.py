# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions on security groups and their ingress rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .java import JavaError, parse_int
from .refusals import UNEXPECTED, Failed, Refused
from .replies import page
from .request import Request, crashed, owner_of
from .selection import Kind, like

Item = dict[str, Any]
RULE = "ip-permission."
ICMP = "icmp"
NUMBERS = {"6": "tcp", "17": "udp", "1": ICMP}  # of protocols
ALL_PORTS = -1

FILTERS = Kind(
    {
        "description": (like, lambda group: group.get("description")),
        "group-id": (like, lambda group: group["id"]),
        "group-name": (like, lambda group: group["name"]),
        "owner-id": (like, owner_of),
        f"{RULE}cidr": (like, lambda rule: rule.get("cidr")),
        f"{RULE}from-port": (like, lambda rule: str(_ends(rule)[0])),
        f"{RULE}protocol": (like, lambda rule: rule["protocol"]),
        f"{RULE}to-port": (like, lambda rule: str(_ends(rule)[1])),
    },
    tagged=False,
)


# --- groups


def _ends(rule: Item) -> tuple[int, int]:
    """The ports of a rule, or its ICMP type and code."""
    names = ("icmptype", "icmpcode") if rule["protocol"].lower() == ICMP else ("startport", "endport")
    return rule.get(names[0], 0), rule.get(names[1], 0)


def _permission(rule: Item) -> Item:
    start, end = _ends(rule)
    source = rule.get("securitygroupname")
    return {
        "ipProtocol": rule["protocol"],
        "fromPort": start,
        "toPort": end,
        "groups": [{"userId": rule["account"], "groupName": source}] if source is not None else [],
        "ipRanges": [{"cidrIp": rule["cidr"]}] if "cidr" in rule else [],
    }


def _item(group: Item) -> Item:
    return {
        "ownerId": owner_of(group),
        "groupName": group["name"],
        "groupDescription": group.get("description"),
        "ipPermissions": [_permission(rule) for rule in _rules(group)],
    }


def _rules(group: Item) -> list[Item]:
    rules: list[Item] = group.get("ingressrule", [])
    return rules


async def _named(request: Request, names: list[str]) -> list[Item]:
    """The groups of these names in any case, or all groups if no name is given. Raises Failed."""
    groups = await request.listed("listSecurityGroups", "securitygroup", listall="true")
    wanted = {name.lower() for name in names}
    return [group for group in groups if not wanted or group["name"].lower() in wanted]


async def describe(request: Request) -> Item:
    """DescribeSecurityGroups: only ingress rules, and no ids. One rule must pass all filters of rules."""
    filters = FILTERS.given(request)
    of_rules = [one for one in filters if one[0].startswith(RULE)]
    of_groups = [one for one in filters if one not in of_rules]
    try:
        groups = FILTERS.passing(await _named(request, request.ids("GroupName")), of_groups)
    except Failed:
        raise Failed(UNEXPECTED) from None
    found = [group for group in groups if not of_rules or FILTERS.passing(_rules(group), of_rules)]
    return {"securityGroupInfo": [_item(group) for group in found]}


async def create(request: Request) -> Item:
    """CreateSecurityGroup: the answer does not have the id."""
    name, text = request.required("GroupName"), request.required("GroupDescription")
    await request.native("createSecurityGroup", name=name, description=text)
    return {"return": True}


async def delete(request: Request) -> Item:
    """DeleteSecurityGroup by name."""
    await request.native("deleteSecurityGroup", name=request.required("GroupName"))
    return {"return": True}


# --- rules


@dataclass(frozen=True, slots=True)
class Permission:
    """What is asked for of a group's rules; `start` and `end` are ports, or an ICMP type and code."""

    protocol: str
    start: str | None
    end: str | None
    ranges: list[str]
    sources: list[tuple[str, str]]


def _permissions(request: Request) -> list[Permission]:
    """The permissions `IpPermissions.1.IpProtocol` and so on. Raises Refused."""
    found = []
    for number, protocol in enumerate(request.numbered("IpPermissions.{}.IpProtocol"), 1):
        prefix = f"IpPermissions.{number}."
        start, end = request.get(f"{prefix}FromPort"), request.get(f"{prefix}ToPort")
        if protocol.lower() != ICMP:
            start, end = _port(start), _port(end)
        users, names = (request.numbered(f"{prefix}Groups.{{}}.{name}") for name in ("UserId", "GroupName"))
        ranges = request.numbered(f"{prefix}IpRanges.{{}}.CidrIp")
        found.append(Permission(protocol, start, end, ranges, list(zip(users, names, strict=False))))
    if not found:
        raise Refused(page(530, "At least one IpPermissions required"))
    return found


def _port(text: str | None) -> str:
    """A port, 0 where none is given. Raises Refused (500)."""
    try:
        return str(parse_int("0" if text is None else text))
    except JavaError as error:
        raise crashed(error) from None


async def authorize(request: Request) -> Item:
    """AuthorizeSecurityGroupIngress: a job for each permission, in order. After a failure the earlier ones stay."""
    name, permissions = request.required("GroupName"), _permissions(request)
    for one in permissions:
        ends = ("icmptype", "icmpcode") if one.protocol.lower() == ICMP else ("startport", "endport")
        sources: dict[str, str] = {}
        for number, (user, group) in enumerate(one.sources):
            prefix = f"usersecuritygrouplist[{number}]."
            sources |= {f"{prefix}account": user, f"{prefix}group": group}
        await request.native(
            "authorizeSecurityGroupIngress",
            securitygroupname=name,
            protocol=one.protocol,
            cidrlist=",".join(one.ranges) or None,
            **dict(zip(ends, (one.start, one.end), strict=True)),
            **sources,
        )
    return {"return": True}


async def revoke(request: Request) -> Item:
    """RevokeSecurityGroupIngress: the first rule that has the protocol and the ports of the first permission.

    The real bridge compares neither addresses nor source groups, so it may delete another rule.
    """
    name, (wanted, *_others) = request.required("GroupName"), _permissions(request)
    rules = [rule for group in await _named(request, [name]) for rule in _rules(group) if _is_meant(wanted, rule)]
    if not rules:
        raise Failed("Cannot find matching ruleid.")
    await request.native("revokeSecurityGroupIngress", id=rules[0]["ruleid"])
    return {"return": True}


def _is_meant(wanted: Permission, rule: Item) -> bool:
    """Whether a rule is as wanted: a protocol by name or number; ports from 0 or -1 on are any."""
    if NUMBERS.get(wanted.protocol, wanted.protocol).lower() != rule["protocol"].lower():
        return False
    ends = tuple(str(end) for end in _ends(rule))
    if wanted.protocol.lower() == ICMP:
        return wanted.start is None or wanted.end is None or ends == (wanted.start, wanted.end)
    return int(wanted.start or 0) in (0, ALL_PORTS) or ends == (wanted.start, wanted.end)

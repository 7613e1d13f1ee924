# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security-group rules: one normal form for what users give and for what the service lists."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ..api import Record, UsageError

PROTOCOLS = ("tcp", "udp", "icmp", "all")
DIRECTIONS = ("ingress", "egress")
# Which options say what of a protocol, and under which names the API takes them.
_OPTIONS = {"all": (), "icmp": ("icmp_type", "icmp_code")}
_PARAMS = {"all": (), "icmp": ("icmptype", "icmpcode")}
_PORTS = re.compile(r"(\d{1,5})(?:\s*-\s*(\d{1,5}))?\Z")


class Rule(t.NamedTuple):
    """One rule as the service keeps it: a protocol, a range, and one source (or, going out, destination).

    ``first`` and ``last`` are ports, or type and code of ICMP (-1: any); 0 and 0 for ``all``. Either ``cidr`` is set, or
    ``group`` with the ``account`` that owns it.
    """

    protocol: str
    first: int
    last: int
    cidr: str = ""
    account: str = ""
    group: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.peer}"

    @property
    def kind(self) -> str:
        """Protocol and range, for people: ``tcp 80``, ``tcp 8000-8100``, ``icmp 8/0``, ``icmp any``, ``all``."""
        if self.protocol == "all":
            return "all"
        if self.protocol == "icmp":
            return "icmp any" if self.first == self.last == -1 else f"icmp {self.first}/{self.last}"
        return f"{self.protocol} {self.ports}"

    @property
    def peer(self) -> str:
        """The other side, for people: a CIDR, or a group with its account."""
        return self.cidr or f"group {self.group} ({self.account})"

    @property
    def ports(self) -> str:
        """The range of ports as a user writes it."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    def params(self) -> Record:
        """Return protocol and range as the authorize commands take them."""
        names = _PARAMS.get(self.protocol, ("startport", "endport"))
        return {"protocol": self.protocol, **dict(zip(names, (self.first, self.last)))}


def listed(group: Record, direction: str) -> list[Record]:
    """Return a group's rules of one direction; the manual spells their field without `rule` at its end."""
    return group.get(direction + "rule") or group.get(direction) or []


def parse(raw: Record) -> Rule:
    """Return a rule of an answer, in the real spelling or in the manual's (``endpoint``, ``icmpctype``)."""
    protocol = str(raw.get("protocol", "all")).lower()
    if protocol == "icmp":
        first, last = raw.get("icmptype", raw.get("icmpctype", -1)), raw.get("icmpcode", -1)
    else:
        first = raw.get("startport", 0)
        last = raw.get("endport", raw.get("endpoint", first))
    if raw.get("cidr"):
        return Rule(protocol, first, last, cidr=network(raw["cidr"]) or raw["cidr"])
    return Rule(protocol, first, last, account=raw.get("account", ""), group=raw.get("securitygroupname", ""))


def shape(raw: Record) -> Record:
    """Return a rule of an answer as the user sees it, under the names of the options."""
    rule = parse(raw)
    icmp, has_ports = rule.protocol == "icmp", rule.protocol not in ("icmp", "all")
    return {
        "id": raw.get("ruleid"),
        "protocol": rule.protocol,
        "ports": rule.ports if has_ports else None,
        "icmp_type": rule.first if icmp else None,
        "icmp_code": rule.last if icmp else None,
        "cidr": rule.cidr or None,
        "group": {"name": rule.group, "account": rule.account} if rule.group else None,
    }


def network(text: str) -> str | None:
    """Return an IPv4 network or address in its one normal form, ``None`` for what is neither."""
    try:
        return str(ipaddress.IPv4Network(text.strip(), strict=False))
    except ValueError:
        return None


def given(entries: list[Record], direction: str, account: str, warnings: list[str]) -> set[Rule]:
    """Return the rules that a user gave for a direction, as the service would keep them.

    ``account`` owns the groups that are given without one. Appends to ``warnings`` where a CIDR was normalised. Raises
    ``UsageError`` for what can't be a rule.
    """
    rules: set[Rule] = set()
    for number, entry in enumerate(entries, 1):
        where = f"{direction}: rule {number}"
        protocol, first, last = _range(where, entry)
        cidrs, groups = entry.get("cidrs") or [], entry.get("groups") or []
        if not cidrs and not groups:
            raise UsageError(f"{where}: needs cidrs or groups; 0.0.0.0/0 is every address")
        rules.update(Rule(protocol, first, last, cidr=_cidr(where, str(cidr), warnings)) for cidr in cidrs)
        rules.update(
            Rule(protocol, first, last, account=group.get("account") or account, group=group["name"])
            for group in groups
        )
    return rules


def _cidr(where: str, text: str, warnings: list[str]) -> str:
    normal = network(text)
    if normal is None:
        more = "; the service has IPv4 only" if ":" in text else ""
        raise UsageError(f"{where}: cidrs: {text!r} is no IPv4 network such as 192.0.2.0/24{more}")
    message = f"{where}: cidrs: {text} has bits beyond its prefix; taken as {normal}"
    if "/" in text and normal.partition("/")[0] != text.strip().partition("/")[0] and message not in warnings:
        warnings.append(message)
    return normal


def _range(where: str, entry: Record) -> tuple[str, int, int]:
    """Return protocol, first and last of a given rule. Raises ``UsageError`` for a combination that makes no sense."""
    protocol = entry.get("protocol") or "tcp"
    fitting = _OPTIONS.get(protocol, ("ports",))
    for option in ("ports", "icmp_type", "icmp_code"):
        if entry.get(option) is not None and option not in fitting:
            raise UsageError(f"{where}: {option} does not go with protocol {protocol}")
    if protocol == "all":
        return protocol, 0, 0
    if protocol == "icmp":
        return (protocol, *_icmp(where, entry))
    text = entry.get("ports")
    if text is None:
        raise UsageError(f"{where}: ports: are needed with protocol {protocol}; 0-65535 are all of them")
    match = _PORTS.match(str(text).strip())
    first = int(match.group(1)) if match else -1
    last = int(match.group(2) or first) if match else -1
    if not 0 <= first <= last <= 65535:
        raise UsageError(f"{where}: ports: {text!r} is neither a port (22) nor a range (8000-8100) up to 65535")
    return protocol, first, last


def _icmp(where: str, entry: Record) -> tuple[int, int]:
    numbers = []
    for option in ("icmp_type", "icmp_code"):
        number = -1 if entry.get(option) is None else entry[option]
        if not -1 <= number <= 255:
            raise UsageError(f"{where}: {option}: must be 0 to 255, or -1 for any, not {number}")
        numbers.append(number)
    if numbers[0] == -1 and numbers[1] != -1:
        raise UsageError(f"{where}: icmp_code: {numbers[1]} needs an icmp_type")
    return numbers[0], numbers[1]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security-group rules: one normal form for rules that users give and rules that the service lists."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ...api import Record, UsageError
from ...wrong_values import question
from ..names import folded

PROTOCOLS = ("tcp", "udp", "icmp", "all")
DIRECTIONS = ("ingress", "egress")
EVERYWHERE = ("0.0.0.0/0", "::/0")
# The options of a protocol, and the API's names of them.
_OPTIONS = {"all": (), "icmp": ("icmp_type", "icmp_code")}
_PARAMS = {"all": (), "icmp": ("icmptype", "icmpcode")}
_LEADING_ZERO = re.compile(r"(^|\.)0\d")
_PORTS = re.compile(r"(\d{1,5})(?:\s*-\s*(\d{1,5}))?\Z")


class Rule(t.NamedTuple):
    """One rule of the service or of a user: a protocol, a range, and one source (or destination).

    ``first`` and ``last`` are ports, or type and code of ICMP (-1: any), or 0 and 0 for ``all``. Either ``cidr`` is set, or
    ``group`` with the ``account`` that owns it. The service keeps a CIDR as it was given, with bits beyond its prefix.
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
        """Protocol and range as text: ``tcp 80``, ``tcp 8000-8100``, ``icmp 8/0``, ``icmp any``, ``all``."""
        if self.protocol == "all":
            # The service keeps ports with `ALL`, which other clients may send; measured on CloudStack 3.0.5.
            return f"all {self.ports}" if self.first or self.last else "all"
        if self.protocol == "icmp":
            return "icmp any" if self.first == self.last == -1 else f"icmp {self.first}/{self.last}"
        return f"{self.protocol} {self.ports}"

    @property
    def peer(self) -> str:
        """The other side as text: a CIDR, or a group with its account."""
        return self.cidr or f"group {self.group} ({self.account})"

    @property
    def ports(self) -> str:
        """The range of ports in the form of the option ``ports``."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"

    @property
    def normal(self) -> Rule:
        """The rule with its CIDR in normal form. A new rule is made in this form."""
        return self._replace(cidr=network(self.cidr) or self.cidr)

    @property
    def meaning(self) -> Rule:
        """A form that is equal for rules that let the same pass, in whatever way CIDRs and names are written."""
        return self.normal._replace(account=folded(self.account), group=folded(self.group))

    def params(self) -> Record:
        """Return protocol and range as the authorize commands take them."""
        names = _PARAMS.get(self.protocol, ("startport", "endport"))
        return {"protocol": self.protocol, **dict(zip(names, (self.first, self.last)))}


def listed(group: Record, direction: str) -> list[Record]:
    """Return a group's rules of one direction. The manual spells the field without ``rule`` at its end."""
    return group.get(direction + "rule") or group.get(direction) or []


def parse(raw: Record) -> Rule:
    """Return a rule of an answer, in the real spelling or in the manual's (``endpoint``, ``icmpctype``)."""
    protocol = str(raw.get("protocol", "all")).lower()
    if protocol == "icmp":
        first: t.Any = raw.get("icmptype", raw.get("icmpctype", -1))
        last: t.Any = raw.get("icmpcode", -1)
    else:
        first = raw.get("startport", 0)
        last = raw.get("endport", raw.get("endpoint", first))
    if raw.get("cidr"):
        return Rule(protocol, first, last, cidr=raw["cidr"])
    return Rule(protocol, first, last, account=raw.get("account", ""), group=raw.get("securitygroupname", ""))


def to_result(raw: Record) -> Record:
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
    """Return an IP network or address in its normal form, ``None`` for any other text.

    In IPv4, a number with a leading 0 is refused: some programs take it for octal.
    """
    if "%" in text or not is_ipv6(text) and _LEADING_ZERO.search(text.partition("/")[0]):
        return None
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        return None


def is_ipv6(cidr: str) -> bool:
    """Tell whether a network is one of IPv6, which CloudStack 3 does not take."""
    return ":" in cidr


def source(raw: Record) -> tuple[str, str]:
    """Return name and account of the group that a rule of an answer names. Both are empty if it names none."""
    rule = parse(raw)
    return rule.group, rule.account


def given(entries: list[Record], direction: str, warnings: list[str]) -> set[Rule]:
    """Return the rules that a user gave for a direction.

    Appends to ``warnings`` if a CIDR has bits beyond its prefix. Raises ``UsageError`` for an entry that can't be a rule, and
    for one that the service would take for more than was written.
    """
    rules: set[Rule] = set()
    for number, entry in enumerate(entries):
        where = f"{direction}[{number}]"
        protocol, first, last = _range(where, entry)
        cidrs, groups = entry.get("cidrs") or [], entry.get("groups") or []
        if not cidrs and not groups:
            raise UsageError(f"{where}: needs cidrs or groups; 0.0.0.0/0 is every address")
        for place, cidr in enumerate(cidrs):
            text = _cidr(f"{where}.cidrs[{place}]", str(cidr), warnings)
            rules.add(Rule(protocol, first, last, cidr=text))
        rules.update(Rule(protocol, first, last, "", group.get("account") or "", group["name"]) for group in groups)
    return rules


def compare(given: t.Iterable[Rule], listed: list[Record]) -> tuple[list[Record], list[Record], list[Rule]]:
    """Return the listed rules that the given rules need, the other listed rules, and the rules that must be made.

    Rules that let the same pass are alike: a rule and its double, or 10.0.0.1/8 and 10.0.0.2/8, which the service keeps as
    two. Of those alike one is needed: the one in the spelling that was given, else the one in normal form, else the first.
    """
    parsed = [parse(raw) for raw in listed]
    alike: dict[Rule, list[int]] = {}
    for place, rule in enumerate(parsed):
        alike.setdefault(rule.meaning, []).append(place)
    written: dict[Rule, set[Rule]] = {}
    for rule in given:
        written.setdefault(rule.meaning, set()).add(rule)
    needed: set[int] = set()
    for meaning in written.keys() & alike.keys():
        firsts = {parsed[place]: place for place in reversed(alike[meaning])}
        own = {firsts[rule] for rule in written[meaning] if rule in firsts}
        needed |= own or {min(firsts.items(), key=lambda item: (item[0] != item[0].normal, item[1]))[1]}
    new = [min(rules).normal for meaning, rules in written.items() if meaning not in alike]
    kept = [raw for place, raw in enumerate(listed) if place in needed]
    return kept, [raw for place, raw in enumerate(listed) if place not in needed], new


def _cidr(where: str, text: str, warnings: list[str]) -> str:
    text = text.strip()
    normal = network(text)
    if normal is None:
        near = question(_near_network(text))
        raise UsageError(
            f"{where}: {text!r} is no IP network such as 192.0.2.0/24, or 2001:db8::/32 on CloudStack 4{near}"
        )
    address = text.partition("/")[0]
    if "/" in text and ipaddress.ip_network(normal).network_address != ipaddress.ip_address(address):
        if normal in EVERYWHERE:
            one = f"{address}/{128 if is_ipv6(text) else 32}"
            raise UsageError(f"{where}: {text!r} is every address; give {normal}, or {one} for one")
        message = f"{where}: {text} has bits beyond its prefix; taken as {normal}"
        if message not in warnings:
            warnings.append(message)
    return text


def _near_network(text: str) -> str | None:
    """Return the network that a wrong text may mean: without leading zeros, with all four numbers, with a prefix that can be."""
    address, _slash, prefix = text.partition("/")
    if not is_ipv6(address):
        numbers = [number.strip().lstrip("0") or "0" for number in address.split(".")]
        address = ".".join([*numbers, "0", "0", "0"][:4] if prefix else numbers)
    return network(f"{address}/{prefix.strip()}") or network(address)


def _near_ports(text: str, protocol: str) -> str | None:
    """Return the ports that a wrong text may mean: a range in order with a hyphen, or the port of a service's name."""
    numbers = sorted(map(int, re.findall(r"\d+", text, re.ASCII)))
    if len(numbers) in (1, 2) and numbers[-1] <= 65535 and "," not in text and not text.strip().startswith("-"):
        return "-".join(map(str, numbers)) if numbers[-1] else None
    import socket  # here, as few runs need it

    try:
        return str(socket.getservbyname(text.strip().lower(), protocol))
    except (OSError, UnicodeError, ValueError):
        return None


def _range(where: str, entry: Record) -> tuple[str, int, int]:
    """Return protocol, first and last of a given rule. Raises ``UsageError`` for options that do not go together."""
    protocol = entry.get("protocol") or "tcp"
    fitting = _OPTIONS.get(protocol, ("ports",))
    for option in ("ports", "icmp_type", "icmp_code"):
        if entry.get(option) is not None and option not in fitting:
            raise UsageError(f"{where}.{option}: {entry[option]!r}: {option} does not go with protocol {protocol}")
    if protocol == "all":
        return protocol, 0, 0
    if protocol == "icmp":
        return (protocol, *_icmp(where, entry))
    text = entry.get("ports")
    if text is None:
        raise UsageError(f"{where}.ports: are needed with protocol {protocol}; 0-65535 are all of them")
    match = _PORTS.match(str(text).strip())
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (-1, -1)
    if first == last == 0:
        raise UsageError(f"{where}.ports: the service takes {text!r} for all ports; give 0-65535, or a port from 1")
    if not 0 <= first <= last <= 65535:
        near = question(_near_ports(str(text), protocol))
        near = near or (". Write one rule for each port or range" if "," in str(text) else "")
        raise UsageError(f"{where}.ports: {text!r} is neither a port (22) nor a range (8000-8100) up to 65535{near}")
    return protocol, first, last


def _icmp(where: str, entry: Record) -> tuple[int, int]:
    """Return type and code of a given ICMP rule. Raises ``UsageError`` for numbers that do not go together."""
    kind, code = [-1 if entry.get(option) is None else entry[option] for option in ("icmp_type", "icmp_code")]
    for option, number in (("icmp_type", kind), ("icmp_code", code)):
        if not -1 <= number <= 255:
            raise UsageError(f"{where}.{option}: must be 0 to 255, or -1 for any, not {number}")
    if kind == -1 and code != -1:
        raise UsageError(f"{where}.icmp_code: {code} needs an icmp_type; give one, or leave icmp_code out")
    if kind != -1 and code == -1:
        raise UsageError(f"{where}.icmp_code: icmp_type {kind} needs one from 0 to 255; leave both out for any message")
    return kind, code

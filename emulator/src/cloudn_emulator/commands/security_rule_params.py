# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How rules of security groups are read from parameters, as measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from ..calls import Call
from ..errors import ApiError, bad_parameter, internal
from ..generation import Differs
from ..models import NO_OBJECT, Account, Rule, SecurityGroup, new_id
from ..owners import check_access
from .security_group import INGRESS

PROTOCOLS = ("tcp", "udp", "icmp", "all")
LAST_PORT = 65535
LAST_PROTOCOL = 255
ICMP_NUMBER = 1
ANY_ICMP = -1
LONGEST_CIDR = 44  # characters: by the schema of CloudStack 3.0's database
_OCTET = re.compile(r"[+-]?\d{1,3}")
_PREFIX = re.compile(r"[+-]?\d{1,1000}")
_NUMBER = re.compile(r"[0-9]{1,9}")


def wanted_rules(call: Call, group: SecurityGroup, direction: str) -> list[Rule]:
    """The rules of the parameters, in the order in which they are added: groups, then CIDRs.

    Raises ApiError: 431 for bad parameters, 531 for another account's group.
    """
    cidrs: list[str] = call["cidrlist"] or []
    call.of(_CHECK_FIRST)(direction, cidrs)
    if group is NO_OBJECT:
        raise bad_parameter("Unable to find security group by id")
    if call["cidrlist"] is None and call["usersecuritygrouplist"] is None:
        raise bad_parameter("At least one cidr or at least one security group needs to be specified")
    check_access(call, group.owner, group.label)
    protocol = "all" if call["protocol"] is None else call["protocol"]
    protocol, start, end = call.of(_READ_PROTOCOL)(call, protocol, cidrs)
    sources = _sources(call, call.store.accounts[group.owner])
    if any(len(cidr) > LONGEST_CIDR for cidr in cidrs):
        raise internal("Exception caught when adding security group rules")
    origins = [(None, source.id) for source in sources] + [(cidr, None) for cidr in cidrs]
    return [Rule(new_id(), group.id, direction, protocol, start, end, *origin) for origin in origins]


def _check_first_3(direction: str, cidrs: list[str]) -> None:
    """CloudStack 3 looks at CIDRs first. It takes any text for egress."""
    for cidr in cidrs if direction == INGRESS else ():
        if not _is_cidr(cidr):
            raise bad_parameter(f"{cidr} is an Invalid CIDR ")


_CHECK_FIRST: Differs[Callable[[str, list[str]], None]] = Differs(_check_first_3, lambda direction, cidrs: None)


def _protocol_3(call: Call, protocol: str, cidrs: list[str]) -> tuple[str, int, int]:
    return (protocol.lower(), *_ports(call, protocol))


def _protocol_4(call: Call, protocol: str, cidrs: list[str]) -> tuple[str, int, int]:
    """Protocol, start and end of a rule on CloudStack 4, where a protocol may be a number, whose ports do not count.

    Raises ApiError: 431, but 530 for the type and code of icmp.
    """
    for cidr in cidrs:
        if not _is_ipv4_cidr(cidr) and not _is_ipv6_cidr(cidr):
            raise bad_parameter(f"Invalid cidr {cidr}")
    name = protocol.strip().lower()
    if _NUMBER.fullmatch(name) and int(name) <= LAST_PROTOCOL:
        return ("icmp", ANY_ICMP, ANY_ICMP) if int(name) == ICMP_NUMBER else (name, 0, 0)
    if name not in PROTOCOLS:
        raise bad_parameter(f"Invalid protocol {protocol}")
    if name != "icmp":
        return (name, *_ports(call, name))
    try:
        return (name, *_icmp(call["icmptype"], call["icmpcode"]))
    except ApiError as error:
        raise internal(error.text) from None


_READ_PROTOCOL: Differs[Callable[[Call, str, list[str]], tuple[str, int, int]]] = Differs(_protocol_3, _protocol_4)


def _is_ipv4_cidr(text: str) -> bool:
    """Whether a text is a CIDR of IPv4 for CloudStack 4: an address without leading zeros, with a length in digits."""
    address, _sign, length = text.partition("/")
    try:
        ipaddress.IPv4Address(address)
    except ValueError:
        return False
    return bool(_PREFIX.fullmatch(length)) and 0 <= int(length) <= 32


def _is_ipv6_cidr(text: str) -> bool:
    if "/" not in text or "%" in text:
        return False
    try:
        ipaddress.IPv6Network(text, strict=False)
    except ValueError:
        return False
    return True


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


def _sources(call: Call, account: Account) -> list[SecurityGroup]:
    """The groups that the rules name, each once, in the order of their rows. All are in the domain of an account."""
    found = {
        source.id: source for source in (_source(call, one, account) for one in call["usersecuritygrouplist"] or ())
    }
    return sorted(found.values(), key=lambda source: source.row)


def _source(call: Call, source: dict[str, str], receiver: Account) -> SecurityGroup:
    """The group that a rule names, of any account in the domain of the receiver. Raises ApiError (431)."""
    account, name = source.get("account"), source.get("group")
    if account is None or name is None:
        raise bad_parameter(
            "Invalid user group specified, fields 'group' and 'account' cannot be null, please specify groups in the form:"
            "  userGroupList[0].group=XXX&userGroupList[0].account=YYY"
        )
    owner = call.store.account_named(account)
    if owner is None or owner.domain_id != receiver.domain_id:
        raise bad_parameter(f"Nonexistent account: {account} when trying to authorize security group rule")
    found = call.store.security_group_named(name, owner.name)
    if found is None:
        raise bad_parameter(
            f"Nonexistent group {name} for account {account} is given, unable to authorize security group rule."
        )
    return found

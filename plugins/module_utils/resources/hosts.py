# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory: from virtual machines to hosts, their variables and groups. Knows neither Ansible nor the network."""

from __future__ import annotations

import functools
import re
import typing as t

from .names import folded

Record = t.Dict[str, t.Any]

HOSTNAMES = ("name", "display_name", "default_ip", "id")
CONNECT_WITH = (*HOSTNAMES, "none")
_TAG = "tag:"
# Names that mean something else to Ansible than a host of the inventory.
_RESERVED = frozenset(("all", "ungrouped", "localhost", "127.0.0.1", "::1", ".", ".."))
# Control characters break what is made of a host's name line by line. A slash leads out of the folder host_vars. Marks
# of templates would be evaluated wherever Ansible before 2.19 uses the name. A leading hyphen is an option to ssh.
_NO_HOST = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029/]|\{[{%#]|\A-")
_ADDRESS = re.compile(r"[\w\[:][\w.:%\[\]-]*\Z")
_NOT_IN_GROUPS = re.compile(r"\A[\d\W]|\W")


class Host(t.NamedTuple):
    """A host of the inventory: its name, the address to reach it by (if it has one), variables, default groups."""

    name: str
    address: str | None
    variables: Record
    groups: list[str]


class Wanted(t.NamedTuple):
    """How hosts are to be made: the inventory's options of the same names."""

    hostnames: t.Sequence[str] = ("name",)
    connect_with: str = "default_ip"
    hostvars_prefix: str = "cloudn_"
    default_groups: bool = True


def check_word(word: str, option: str, words: t.Sequence[str]) -> str | None:
    """Return what is wrong with a word that names a value of a machine, ``None`` if nothing is."""
    if word in words or (word.startswith(_TAG) and len(word) > len(_TAG)):
        return None
    return f"{option}: {word!r} is not known; give one of {', '.join(words)}, or tag:KEY"


def build(
    machines: t.Iterable[Record],
    wanted: Wanted,
    taken: t.Collection[str] = frozenset(),
    elsewhere: t.Collection[str] = frozenset(),
) -> tuple[list[Host], list[str]]:
    """Return the hosts for machines as ``vm.shape`` shows them, and warnings, both in the order of creation.

    Every machine becomes a host. Of two that would have one name, the later is called ``name_<id>``. ``taken`` are the
    names of groups beyond the default ones, ``elsewhere`` the hosts that stand for other machines already.
    """
    hosts: dict[str, Host] = {}
    warnings: list[str] = []
    machines = sorted(machines, key=lambda machine: (machine.get("created") or "", machine["id"]))
    groups = {machine["id"]: default_groups(machine) if wanted.default_groups else [] for machine in machines}
    taken = {*taken, *(group for names in groups.values() for group in names)}
    for machine in machines:
        name = first = host_name(machine, wanted.hostnames, taken, warnings)
        while name in hosts or name in elsewhere or name in taken:
            name = f"{name}_{machine['id']}"
        if name != first:
            warnings.append(f"two virtual machines would be the host {first!r}; the later one is {name!r}")
        address = value_of(machine, wanted.connect_with)
        if address and not _ADDRESS.match(address):
            warnings.append(
                f"the {wanted.connect_with} {address!r} of virtual machine {machine['id']} is no address, so ansible_host "
                "is left unset; choose another with connect_with"
            )
            address = None
        variables = {wanted.hostvars_prefix + key: value for key, value in machine.items()}
        hosts[name] = Host(name, address, variables, groups[machine["id"]])
    return list(hosts.values()), warnings


def host_name(machine: Record, words: t.Iterable[str], taken: t.Collection[str], warnings: list[str]) -> str:
    """Return the first value among ``words`` that can be a host's name, the id where none can. Appends to ``warnings``."""
    for word in words:
        value = value_of(machine, word)
        if not value:
            continue
        if value.strip() and value not in _RESERVED and value not in taken and not _NO_HOST.search(value):
            return value
        warnings.append(
            f"the {word} {value!r} of virtual machine {machine['id']} can't be the name of a host (it is a group's, or means "
            "something else to Ansible, or holds a slash, control characters or a template's marks); the next of hostnames "
            "is taken, or the id"
        )
    return str(machine["id"])


def value_of(machine: Record, word: str) -> str | None:
    """Return the value that a word names (a key of the machine, or ``tag:KEY``), ``None`` where it has none."""
    value = _tag(machine["tags"], word[len(_TAG) :]) if word.startswith(_TAG) else machine.get(word)
    return str(value) if value else None


def _tag(tags: t.Mapping[str, str], wanted: str) -> str | None:
    """Return the value of the tag with this key, compared as the service does."""
    if wanted in tags:
        return tags[wanted]
    return next((value for key, value in tags.items() if folded(key) == folded(wanted)), None)


def default_groups(machine: Record) -> list[str]:
    """Return the names of the groups that a machine is in by what it is."""
    named = [
        ("zone", machine.get("zone")),
        ("group", machine.get("group")),
        ("template", machine.get("template")),
        ("service_offering", machine.get("service_offering")),
        ("state", machine.get("state")),
        *(("network", nic.get("network_id")) for nic in machine["nics"]),
        *(("security_group", name) for name in machine["security_groups"]),
        *(("tag", f"{key}_{value}" if value else key) for key, value in machine["tags"].items()),
    ]
    return list(dict.fromkeys(group_name(kind, value) for kind, value in named if value))


@functools.lru_cache(maxsize=10_000)
def group_name(kind: str, value: str) -> str:
    """Return the name of the group for one value of a kind."""
    return safe_group(f"{kind}_{value}")


def safe_group(name: t.Any) -> str:
    """Return a name of a group made of letters, digits and underscores, whatever the name given holds.

    It may be no text at all: Ansible before 2.19 makes a list of a text like ``[1, 2]`` that comes out of a template.
    """
    return _NOT_IN_GROUPS.sub("_", str(name)) or "_"

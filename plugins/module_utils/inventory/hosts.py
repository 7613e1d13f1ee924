# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes hosts, their variables and groups from virtual machines. Knows neither Ansible nor the network."""

from __future__ import annotations

import functools
import re
import typing as t

from ..resources.names import folded
from ..visible import UNSEEN

Record = t.Dict[str, t.Any]

HOSTNAMES = ("name", "display_name", "default_ip", "id")
CONNECT_WITH = (*HOSTNAMES, "none")
_TAG = "tag:"
# Ansible understands these names as something else than a host of the inventory.
_RESERVED = frozenset(("all", "ungrouped", "localhost", "127.0.0.1", "::1", ".", ".."))
# Control characters break lists with one host's name on each line, and Ansible writes names to the terminal as they are. A
# slash leads out of the folder host_vars. Ansible before 2.19 evaluates marks of templates wherever it uses the name. ssh
# takes a leading hyphen for an option.
_NO_HOST = re.compile(rf"[{UNSEEN}/]|\{{[{{%#]|\A-")
_ADDRESS = re.compile(r"[\w\[:][\w.:%\[\]-]*\Z")
_NOT_IN_GROUPS = re.compile(r"\A[\d\W]|\W")


class Host(t.NamedTuple):
    """A host of the inventory: its name, its address (if it has one), its variables and its default groups."""

    name: str
    address: str | None
    variables: Record
    groups: list[str]


class Wanted(t.NamedTuple):
    """How to make hosts: the inventory's options of the same names."""

    hostnames: t.Sequence[str] = ("name",)
    connect_with: str = "default_ip"
    hostvars_prefix: str = "cloudn_"
    default_groups: bool = True


def check_word(word: str, option: str, words: t.Sequence[str]) -> str | None:
    """Return the problem of a word that must name a value of a machine, ``None`` where there is no problem."""
    if word in words or (word.startswith(_TAG) and len(word) > len(_TAG)):
        return None
    return f"{option}: {word!r} is not known; give one of {', '.join(words)}, or tag:KEY"


def build(
    machines: t.Iterable[Record],
    wanted: Wanted,
    taken: t.Collection[str] = frozenset(),
    elsewhere: t.Collection[str] = frozenset(),
) -> tuple[list[Host], list[str]]:
    """Return the hosts for machines (results of the vm module), and warnings. Both are in the order of creation.

    Every machine becomes a host. Where two machines would have one name, the later one is called ``name_<id>``. ``taken``
    are the names of groups beyond the default ones. ``elsewhere`` are the names of hosts that stand for other machines.
    """
    hosts: dict[str, Host] = {}
    warnings: list[str] = []
    machines = sorted(machines, key=lambda machine: (machine.get("created") or "", machine["id"]))
    groups = {machine["id"]: default_groups(machine) if wanted.default_groups else [] for machine in machines}
    taken = {*taken, *(group for names in groups.values() for group in names)}
    for machine in machines:
        first = host_name(machine, wanted.hostnames, taken, warnings)
        name = _free_name(first, _id_in_name(machine), hosts, elsewhere, taken)
        if name != first:
            warnings.append(f"two VMs would be the host {first!r}; the later one is {name!r}")
        address = _address(machine, wanted.connect_with, warnings)
        variables = {wanted.hostvars_prefix + key: value for key, value in machine.items()}
        hosts[name] = Host(name, address, variables, groups[machine["id"]])
    return list(hosts.values()), warnings


def _free_name(name: str, machine_id: str, *used: t.Container[str]) -> str:
    """Return a name that nobody uses: the name itself, or the name with the machine's id."""
    while any(name in names for names in used):
        name = f"{name}_{machine_id}"
    return name


def _address(machine: Record, word: str, warnings: list[str]) -> str | None:
    """Return the address that a word names, ``None`` where there is none. Appends to ``warnings`` where it is unusable."""
    address = value_of(machine, word)
    if not address or _ADDRESS.match(address):
        return address
    warnings.append(
        f"the {word} {address!r} of VM {machine['id']} is no address, so ansible_host is left unset; choose "
        "another with connect_with"
    )
    return None


def host_name(machine: Record, words: t.Iterable[str], taken: t.Collection[str], warnings: list[str]) -> str:
    """Return the first value of ``words`` that can be a host's name, or the id. Appends to ``warnings``."""
    for word in words:
        value = value_of(machine, word)
        if not value:
            continue
        if value.strip() and value not in _RESERVED and value not in taken and not _NO_HOST.search(value):
            return value
        warnings.append(
            f"the {word} {value!r} of VM {machine['id']} can't be the name of a host (it is a group's, or means "
            "something else to Ansible, or holds a slash, characters that nobody sees or a template's marks); the next of hostnames "
            "is taken, or the id"
        )
    return _id_in_name(machine)


def _id_in_name(machine: Record) -> str:
    """Return a machine's id as it can stand in the name of a host."""
    return _NO_HOST.sub("_", machine["id"])


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
    """Return the names of the default groups of a machine."""
    named = [
        ("zone", machine.get("zone")),
        ("group", machine.get("group")),
        ("template", machine.get("template")),
        ("service_offering", machine.get("service_offering")),
        ("state", machine.get("state")),
        *(("network", nic.get("network_name") or nic.get("network_id")) for nic in machine["nics"]),
        *(("security_group", name) for name in machine["security_groups"]),
        *(("tag", f"{key}_{value}" if value else key) for key, value in machine["tags"].items()),
    ]
    return list(dict.fromkeys(group_name(kind, value) for kind, value in named if value))


@functools.lru_cache(maxsize=10_000)
def group_name(kind: str, value: str) -> str:
    """Return the name of the group for one value of a kind."""
    return safe_group(f"{kind}_{value}")


def safe_group(name: t.Any) -> str:
    """Return a name of a group that holds only letters, digits and underscores.

    ``name`` can be any value: Ansible before 2.19 makes a list from a text like ``[1, 2]`` that a template returns.
    """
    return _NOT_IN_GROUPS.sub("_", str(name)) or "_"

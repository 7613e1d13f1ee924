# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory keeps in Ansible's cache: its form, and whether an entry has this form. Knows no Ansible."""

from __future__ import annotations

import typing as t

# Another number for each other form of an entry, also for other fields of a machine. A test tells when that is due.
VERSION = 1


def _split(names: str) -> list[str]:
    return names.split()


_TEXTS = _split(
    "id name display_name state zone zone_id template template_id service_offering service_offering_id group group_id "
    "os_type_id hypervisor root_device_type account domain domain_id created key_pair default_ip"
)
_PLAIN = _split("cpu_number cpu_speed memory ha password_enabled root_device_id delete_protection")
_LISTS = _split("security_groups security_group_ids key_pairs affinity_groups")
_NIC_TEXTS = _split("id network_id network_name ip_address netmask gateway mac_address type traffic_type")
_NIC_PLAIN = ("is_default",)
FIELDS = frozenset((*_TEXTS, *_PLAIN, *_LISTS, "nics", "tags"))
NIC_FIELDS = frozenset((*_NIC_TEXTS, *_NIC_PLAIN))


def make_entry(asked: str, machines: list[dict[str, t.Any]]) -> dict[str, t.Any]:
    """Return the entry for an answer of the service. ``asked`` is a digest of the request."""
    return {"version": VERSION, "asked": asked, "machines": machines}


def read_entry(entry: t.Any, asked: str) -> tuple[list[dict[str, t.Any]] | None, str | None]:
    """Return the machines of an entry and what is wrong with it. One of them is ``None``.

    Both are ``None`` for an entry of another request. Whoever may write to the cache may have written anything.
    """
    if not isinstance(entry, dict):
        return None, "it is of another program"
    if entry.get("version") != VERSION:
        return None, "it is of another version of the collection"
    if entry.get("asked") != asked:
        return None, None if isinstance(entry.get("asked"), str) else "it is damaged"
    machines = entry.get("machines")
    if not isinstance(machines, list) or not all(map(_is_machine, machines)):
        return None, "it is damaged"
    ids = {machine["id"] for machine in machines}
    return (machines, None) if len(ids) == len(machines) else (None, "it is damaged")


def _is_machine(machine: t.Any) -> bool:
    """Tell whether a value is a machine, with all fields and no others, each of the right type."""
    return (
        isinstance(machine, dict)
        and machine.keys() == FIELDS
        and isinstance(machine["id"], str)
        and machine["id"] != ""
        and all(_is_text(machine[name]) for name in _TEXTS)
        and all(_is_plain(machine[name]) for name in _PLAIN)
        and all(isinstance(machine[name], list) and all(map(_is_text, machine[name])) for name in _LISTS)
        and isinstance(machine["nics"], list)
        and all(map(_is_nic, machine["nics"]))
        and isinstance(machine["tags"], dict)
        and all(isinstance(key, str) and _is_text(value) for key, value in machine["tags"].items())
    )


def _is_nic(nic: t.Any) -> bool:
    """Tell whether a value is a NIC of a machine, with all fields and no others."""
    return (
        isinstance(nic, dict)
        and nic.keys() == NIC_FIELDS
        and all(_is_text(nic[name]) for name in _NIC_TEXTS)
        and all(_is_plain(nic[name]) for name in _NIC_PLAIN)
    )


def _is_text(value: t.Any) -> bool:
    return value is None or isinstance(value, str)


def _is_plain(value: t.Any) -> bool:
    return value is None or isinstance(value, (str, int, float))

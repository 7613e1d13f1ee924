# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CloudStack 4 changes on an existing virtual machine and CloudStack 3 does not: groups, key pair, protection."""

from __future__ import annotations

import typing as t

from ...api import Client, Record
from ...reconcile import THIS, Changes, Step, replace
from .. import generation
from ..drift import decide
from ..lookup import matches, pick_each, same_name
from . import key_pair
from .view import affinity_groups_of, key_pairs_of

# The options that need CloudStack 4, with what CloudStack 3 lacks.
NEEDS_4 = {
    "affinity_groups": "affinity groups",
    "delete_protection": "protection against deletion",
    "root_size_gb": "choice of the size of a root disk",
}


def is_of_4(record: Record) -> bool:
    """Tell whether CloudStack 4 has shown a machine. It shows who made it; 3 does not. Measured on 3.0.5 and 4.23."""
    return "userid" in record


def other_security_groups(record: Record, names: list[str]) -> bool:
    """Tell whether a machine has other security groups than those given by name or id."""
    return _others(record.get("securitygroup") or [], names)


def other_affinity_groups(record: Record, names: list[str]) -> bool:
    """Tell whether a machine is in other affinity groups than those given by name or id."""
    return _others(affinity_groups_of(record), names)


def _others(current: list[Record], names: list[str]) -> bool:
    given = set(names)
    named = [[one for one in given if matches(group, one, same=same_name)] for group in current]
    return not all(named) or {one for names in named for one in names} != given


def other_key_pair(record: Record, wanted: str, pairs: list[Record] | None) -> bool:
    """Tell whether a machine of CloudStack 4 has another key pair than ``wanted``, or none."""
    return key_pair.compare("", record, wanted, pairs, []) is not None


def find_affinity_groups(client: Client, wanted: t.Sequence[str]) -> list[Record]:
    """Return the affinity groups with these names or ids.

    Raises ``UsageError`` for one that does not exist, or if the service or the account has no affinity groups.
    """
    from .. import affinity_group  # here, as few runs need it

    known = affinity_group.search(client, {}, "affinity_groups: ")
    return pick_each(known, wanted, "affinity_groups", kind="affinity group", same=same_name)


def is_in(networks: list[str], record: Record) -> bool:
    """Tell whether a machine is in exactly these networks, by name or id."""
    nics = record.get("nic") or []
    return not _others([{"id": nic.get("networkid"), "name": nic.get("networkname")} for nic in nics], networks)


def names_of(groups: list[Record]) -> list[str]:
    """Return the names of groups or networks, sorted."""
    return sorted(str(group.get("name")) for group in groups)


def compare(name: str, record: Record, options: Record, lookups: Record, changes: Changes) -> dict[str, Step]:
    """Note what differs and needs a stopped machine to change. Return the steps that change it, by their options."""
    steps: dict[str, Step] = {}
    if not is_of_4(record):
        return steps
    if options.get("security_groups") and other_security_groups(record, options["security_groups"]):
        groups = lookups["security_groups"]
        steps["security_groups"] = _set(name, "security_groups", "updateVirtualMachine", "securitygroupids", groups)
        changes.note("security_groups", names_of(record.get("securitygroup") or []), names_of(groups))
    if options.get("affinity_groups") is not None and other_affinity_groups(record, options["affinity_groups"]):
        groups = lookups["affinity_groups"]
        steps["affinity_groups"] = _set(name, "affinity_groups", "updateVMAffinityGroup", "affinitygroupids", groups)
        changes.note("affinity_groups", names_of(affinity_groups_of(record)), names_of(groups))
    wanted = options.get("key_pair")
    if wanted and other_key_pair(record, wanted, lookups.get("key_pairs")):
        params = {"id": THIS, "keypair": wanted}
        steps["key_pair"] = _step(f"{name}: set key_pair={wanted}", "resetSSHKeyForVirtualMachine", params)
        changes.note("key_pair", ", ".join(key_pairs_of(record)) or None, wanted)
    return steps


def _set(name: str, option: str, command: str, param: str, groups: list[Record]) -> Step:
    shown = ", ".join(names_of(groups)) or "none"
    return _step(f"{name}: set {option}={shown}", command, {"id": THIS, param: [group["id"] for group in groups]})


def allowed(
    name: str, steps: dict[str, Step], options: Record, changes: Changes, warnings: list[str]
) -> dict[str, Step]:
    """Return the steps that a running machine may be stopped for.

    If the options don't allow a stop, ``on_immutable_drift`` decides: raises ``UsageError``, or warns, or leaves the machine as
    it is.
    """
    if options["allow_restart"] or options["state"] not in ("present", "started"):
        return steps
    told = "; ".join(f"{option} is {changes.before[option]!r}, not {changes.after[option]!r}" for option in steps)
    text = f"{name}: {told}. It is running, and must be stopped for that: set allow_restart: true, or stop it first"
    decide(text, "", options, warnings)
    for option in steps:
        changes.after[option] = changes.before[option]
    return {}


def compare_protection(record: Record, options: Record, changes: Changes) -> None:
    """Note the protection against deletion. Raises ``UsageError`` where the service lacks it."""
    wanted = options.get("delete_protection")
    if wanted is None:
        return
    if "deleteprotection" not in record:
        raise generation.lacking("delete_protection", NEEDS_4["delete_protection"])
    changes.note("delete_protection", bool(record["deleteprotection"]), wanted)


def _step(text: str, command: str, params: Record) -> Step:
    return Step(text, command, params, returns="virtualmachine", yields=replace)


def can_scale(record: Record, lookups: Record) -> bool:
    """Tell whether a running machine may get another offering without a stop.

    The service says so of each machine. It may refuse all the same, as for a smaller offering; measured on CloudStack 4.23.
    """
    return bool(record.get("isdynamicallyscalable")) and not lookups.get("not_scaled")

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an emulator holds, in a form that is the same after each run of a task."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.cloudn.compute.plugins.module_utils.resources.key_pair import fingerprint
from ansible_collections.cloudn.compute.plugins.module_utils.resources.lookup import is_uuid
from samples import KEY, OTHER_KEY

GIVEN = {fingerprint(key): key for key in (KEY, OTHER_KEY)}


def counts(one: Any) -> bool:
    """Return false for the machines and disks that only fill pages."""
    return "filler" not in one.name and not one.name.startswith("appeared")


def holdings(store: Any) -> dict[str, list[Any]]:
    """What an emulator's store holds, in an order that is the same for each run, without the fillers of pages.

    It leaves out what differs between runs: ids, addresses, times, serial numbers.
    """
    return {kind: sorted(objects(store)) for kind, objects in HOLDINGS.items()}


def plain(name: str) -> str:
    """Return a name without the numbers that differ between runs."""
    unnamed = is_uuid(name.removeprefix("VM-"))  # CloudStack 4 puts that before it
    return re.sub(r"(ROOT|DATA)-\d+", r"\1", re.sub(r"_\d{14}$", "", "unnamed" if unnamed else name))


def tags_of(store: Any, kind: str, one: Any) -> list[tuple[str, str]]:
    """Return the tags of an object of this kind."""
    return sorted((tag.key, tag.value) for tag in store.tags.get((kind, one.id), {}).values())


def _machines(store: Any) -> Iterator[Any]:
    for vm in filter(counts, store.vms.values()):
        group = store.instance_groups[vm.group_id].name if vm.group_id else ""
        kinds = (vm.offering_id, vm.template_id, group, vm.userdata or "")
        yield (plain(vm.name), vm.state, plain(vm.displayname), *kinds, tags_of(store, "UserVm", vm))


def _volumes(store: Any) -> Iterator[Any]:
    for one in filter(counts, store.volumes.values()):
        vm = store.vms.get(one.vm_id)
        if one.state == "Destroy" or (vm and not counts(vm)):
            continue
        zone, machine = store.zones[one.zone_id].name, plain(vm.name) if vm else ""
        yield (plain(one.name), zone, one.kind, one.size, one.state, machine, tags_of(store, "Volume", one))


def _snapshots(store: Any) -> Iterator[Any]:
    for one in filter(counts, store.snapshots.values()):
        if one.state != "Destroyed":
            yield (plain(one.name), one.state, tags_of(store, "Snapshot", one))


def _policies(store: Any) -> Iterator[Any]:
    for one in store.snapshot_policies.values():
        yield (f"{one.interval} of {plain(one.volume.name)}", one.schedule, one.timezone, one.kept)


def _templates(store: Any) -> Iterator[Any]:
    for one in filter(counts, store.templates.values()):
        if one.owner == store.account.name and one.zone_ids:
            places = (sorted(one.zone_ids), dict(one.unready), tuple(one.launch))
            yield (one.name, one.text, one.public, *places, tags_of(store, "Template", one))


def _groups(store: Any) -> Iterator[Any]:
    for group in store.security_groups.values():
        rules = sorted(
            (rule.direction, rule.protocol, rule.start, rule.end, rule.cidr or "", bool(rule.source_id))
            for rule in group.rules.values()
        )
        yield (group.name, group.description or "", rules, tags_of(store, "SecurityGroup", group))


def _keys(store: Any) -> Iterator[Any]:
    for pair in store.key_pairs.values():
        yield (pair.name, GIVEN.get(pair.fingerprint, "made"))


def _affinity_groups(store: Any) -> Iterator[Any]:
    for group in store.affinity_groups.values():
        yield (group.name, group.kind, group.description or "")


HOLDINGS: dict[str, Callable[[Any], Iterator[Any]]] = {
    "machines": _machines,
    "volumes": _volumes,
    "snapshots": _snapshots,
    "policies": _policies,
    "templates": _templates,
    "groups": _groups,
    "keys": _keys,
    "affinity groups": _affinity_groups,
}

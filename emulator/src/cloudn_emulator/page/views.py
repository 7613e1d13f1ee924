# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page shows of each kind of object. Nothing secret: no password, user data, key of an account, private key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

from ..models import GIB, Account, Job, Rule, SecurityGroup, Vm, Volume
from ..request_log import is_secret_name
from ..store import Store
from .recent import Recent

ENDED_JOBS = 100  # the newest that are shown
PENDING = 0  # the status of a job under way
JOB_STATES = ("under way", "done", "failed")
KINDS = {"ROOT": "root", "DATADISK": "data"}
_HIDDEN = "(hidden)"
_is_secret = lru_cache(maxsize=256)(is_secret_name)

Row = dict[str, Any]
Rows = Iterator[tuple[str, Row]]


def _name(table: dict[str, Any], id: str | None) -> str:
    """The name of the object with this id, or nothing for an object that is gone."""
    found = table.get(id or "")
    return found.name if found else ""


def _tags(store: Store, kind: str, id: str) -> list[str]:
    """The tags of an object, as `key=value`. The value of a tag whose key names a secret is hidden."""
    return [
        f"{tag.key or ''}={_HIDDEN if _is_secret(tag.key or '') else tag.value}"
        for tag in store.tags.get((kind, id), {}).values()
    ]


def _vm(store: Store, vm: Vm) -> Row:
    return {
        "account": vm.owner,
        "serial": vm.serial,
        "name": vm.name,
        "shown": vm.displayname if vm.displayname != vm.name else "",
        "state": vm.state,
        "addresses": [nic.ip for nic in (vm.nic, *vm.more_nics) if nic.ip],
        "groups": [{"id": group.id, "name": group.name} for group in store.groups_of(vm)],
        "affinity": [name for id in vm.affinity_group_ids if (name := _name(store.affinity_groups, id))],
        "group": _name(store.instance_groups, vm.group_id),
        "zone": _name(store.zones, vm.zone_id),
        "host": _name(store.hosts, vm.host_id),
        "plan": _name(store.service_offerings, vm.offering_id),
        "template": _name(store.templates, vm.template_id),
        "keys": list(vm.key_pairs),
        "tags": _tags(store, "UserVm", vm.id),
        "created": vm.created,
    }


def _group(store: Store, group: SecurityGroup) -> Row:
    return {
        "account": group.owner,
        "serial": group.row,
        "name": group.name,
        "text": group.description or "",
        "rules": [_rule(store, rule) for rule in group.rules.values()],
        "tags": _tags(store, "SecurityGroup", group.id),
        "locked": group.locked,
    }


def _rule(store: Store, rule: Rule) -> Row:
    """A rule: `peer` is the CIDR or the name of the group that it names, `group` the id of this group."""
    peer = store.security_groups.get(rule.source_id or "")
    return {
        "out": rule.direction != "ingress",
        "protocol": rule.protocol,
        "ports": ports(rule),
        "peer": rule.cidr if rule.source_id is None else peer.name if peer else "",
        "owner": peer.owner if peer else "",
        "group": rule.source_id or "",
    }


def ports(rule: Rule) -> str:
    """The ports of a rule, or its type and code for icmp. Nothing stands for all of them."""
    start, end = rule.start, rule.end
    if rule.protocol.startswith("icmp"):
        kinds = (("type", start), ("code", end))
        return " ".join(f"{word} {number}" for word, number in kinds if number is not None and number >= 0)
    if not start and not end or (start, end) in ((1, 65535), (0, 65535)):
        return ""
    return str(start) if start == end else f"{start}-{end}"


def _volume(store: Store, volume: Volume, copies: Counter[str], policies: Counter[str]) -> Row:
    vm = store.vm_of(volume)
    offering = volume.disk_offering_id or volume.offering_id
    return {
        "account": volume.owner,
        "serial": volume.serial,
        "name": volume.name,
        "kind": KINDS.get(volume.kind, volume.kind),
        "state": volume.state,
        "gib": round(volume.size / GIB, 2),
        "vm": vm.name if vm else "",
        "device": volume.device if vm else None,
        "zone": _name(store.zones, volume.zone_id),
        "offering": _name(store.disk_offerings, offering) or _name(store.service_offerings, offering),
        "snapshots": copies[volume.id],
        "policies": policies[volume.id],
        "tags": _tags(store, "Volume", volume.id),
        "created": volume.created,
    }


def _job(store: Store, job: Job) -> Row:
    about = _named(store, job.instance_id)
    return {
        "account": job.owner,
        "command": job.command.rpartition(".")[2].removesuffix("Cmd").removesuffix("CmdByAdmin"),
        "about": about,
        "kind": (job.instance_type or "") if about else "",
        "state": "hangs" if job.hangs and job.status == PENDING else JOB_STATES[job.status],
        "error": (job.result or {}).get("errortext", "") if job.status == JOB_STATES.index("failed") else "",
        "code": (job.result or {}).get("errorcode", "") if job.status == JOB_STATES.index("failed") else "",
        "created": job.created,
        "completed": job.completed or None,
    }


def _named(store: Store, id: str | None) -> str:
    """The name of the object that a job is about."""
    for table in (store.vms, store.volumes, store.snapshots, store.security_groups, store.templates):
        if name := _name(table, id):
            return name
    return ""


def _account(store: Store, account: Account) -> Row:
    return {
        "account": account.name,
        "name": account.name,
        "kind": "administrator" if account.admin else "plain",
        "domain": account.domain_path,
        "asks": bool(account.api_key),
        "own": account.name == store.account.name,
        "pairs": sum(pair.owner == account.name for pair in store.key_pairs.values()),
    }


def _vms(store: Store) -> Rows:
    return ((vm.id, _vm(store, vm)) for vm in list(store.vms.values()))


def _groups(store: Store) -> Rows:
    return ((group.id, _group(store, group)) for group in list(store.security_groups.values()))


def _volumes(store: Store) -> Rows:
    copies = Counter(one.volume.id for one in store.snapshots.values() if one.state != "Destroyed")
    policies = Counter(policy.volume.id for policy in store.snapshot_policies.values())
    return ((volume.id, _volume(store, volume, copies, policies)) for volume in list(store.volumes.values()))


def _jobs(store: Store) -> Rows:
    """The jobs under way, and the newest that have ended."""
    newest = islice((job for job in reversed(store.jobs.values()) if job.status != PENDING), ENDED_JOBS)
    shown = [job for job in store.jobs.values() if job.status == PENDING] + list(newest)
    return ((job.id, _job(store, job)) for job in shown)


def _accounts(store: Store) -> Rows:
    return ((account.id, _account(store, account)) for account in list(store.accounts.values()))


_TABLES: dict[str, Callable[[Store], Rows]] = {
    "vm": _vms,
    "group": _groups,
    "volume": _volumes,
    "job": _jobs,
    "account": _accounts,
}


def rows(store: Store, recent: Recent) -> Iterator[tuple[str, Rows]]:
    """All that the page shows: for each kind of object, the id of each object and what is shown of it.

    The store may change while they are read.
    """
    for kind, table in _TABLES.items():
        yield kind, table(store)
    yield "request", recent.rows()


def about(store: Store) -> Row:
    """What the page says of the emulator itself."""
    return {
        "generation": store.generation.name,
        "version": store.generation.version,
        "ahead": store.settings.clock_ahead,
    }

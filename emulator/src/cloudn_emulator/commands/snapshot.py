# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands on snapshots, as measured on CloudStack 3.0.5. The rest is from its source."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from ..calls import Call, page_of
from ..errors import bad_parameter, internal
from ..fields import date_text, ownership, tag_list
from ..filters import has_part, has_tags, matching, named, newest_first, refers_to
from ..jobs import Work
from ..limits import check_limit
from ..models import DELETED_SNAPSHOT, DELETED_VOLUME, GONE, NO_OBJECT, Snapshot, Volume, new_id
from ..owners import check_access, owners
from ..schedule import INTERVALS
from ..store import Store
from ..wire import listing

DONE = "BackedUp"
KINDS = ("MANUAL", "RECURRING", "TEMPLATE", *INTERVALS)


# --- making


def create_snapshot(call: Call) -> Work:
    """createSnapshot: only of a disk that is Ready. `account` and `domainid` are ignored."""
    volume, policy = call["volumeid"], call["policyid"]
    if volume is NO_OBJECT or volume.state == DELETED_VOLUME:
        raise bad_parameter("Unable to find volume by id")
    if volume.state != "Ready":
        raise bad_parameter(
            f"Specified VolumeId is not in Ready state, but  in state {volume.state}. Cannot take snapshot."
        )
    check_access(call, volume.owner, volume.label)
    if policy is NO_OBJECT:
        raise internal()
    check_limit(call, volume.owner, "snapshot")
    snapshot = new_snapshot(call.store, volume, policy.interval if policy else "MANUAL", call.store.now())
    empty = _is_empty(call.store, snapshot)

    async def run() -> dict[str, Any]:
        _check_machine(call.store, snapshot)
        if policy:
            # The real server looks for the run of the policy, finds none and crashes.
            await call.jobs.moment()
            snapshot.state = "Error"
            raise internal()
        await _back_up(call, snapshot)
        # The real server shows the state before the copy.
        state = DONE if empty else "CreatedOnPrimary"
        return {"snapshot": {**snapshot_view(call, snapshot), "state": state}}

    return Work(run, "Snapshot", snapshot.id, created_id=snapshot.id)


def new_snapshot(store: Store, volume: Volume, kind: str, created: float) -> Snapshot:
    """A snapshot's row. Its name has the machine, the disk and the second."""
    vm = store.vm_of(volume)
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(created))
    name = f"{vm.name if vm else 'detached'}_{volume.name}_{stamp}"
    snapshot = Snapshot(new_id(), volume.owner, name, volume, volume.size, created, kind=kind)
    store.snapshots[snapshot.id] = snapshot
    return snapshot


def _check_machine(store: Store, snapshot: Snapshot) -> None:
    """Delete the snapshot of a destroyed machine's disk again, and fail its job (530)."""
    vm = store.vm_of(snapshot.volume)
    if vm and vm.state == GONE:
        store.delete_snapshot(snapshot)
        raise internal()


def _is_empty(store: Store, snapshot: Snapshot) -> bool:
    """Whether the last snapshot of its disk has the same name, from the same second: then nothing is copied."""
    before = (one for one in reversed(store.snapshots.values()) if one is not snapshot)
    last = next((one for one in before if one.volume is snapshot.volume), None)
    return last is not None and last.state == DONE and last.name == snapshot.name


async def _back_up(call: Call, snapshot: Snapshot) -> None:
    """Take and copy a snapshot. If it is deleted meanwhile it stays deleted."""
    for state in ("BackingUp", DONE):
        await call.jobs.take(0.5)
        if snapshot.state != DELETED_SNAPSHOT:
            snapshot.state = state


# --- listing


def list_snapshots(call: Call) -> dict[str, Any]:
    """listSnapshots, newest first."""
    volume = call["volumeid"]
    if volume is not None and volume is not NO_OBJECT and volume.state != DELETED_VOLUME:
        check_access(call, volume.owner, volume.label)
    shown, kinds = owners(call), _kinds(call)
    tests = [
        shown,
        lambda snapshot: snapshot.state != DELETED_SNAPSHOT,
        refers_to(call, "id"),
        refers_to(call, "volumeid", "volume.id"),
        named(call),
        has_part(call, "keyword", "name"),
        (lambda snapshot: snapshot.kind in kinds) if kinds is not None else None,
        has_tags(call, "Snapshot"),
    ]
    found = newest_first(matching(call.store.snapshots.values(), tests))
    return listing("snapshot", [snapshot_view(call, snapshot) for snapshot in page_of(call, found)])


def _kinds(call: Call) -> Collection[str] | None:
    """The kinds of snapshots that are asked for, or None for all. `intervaltype` needs `volumeid`."""
    kind, interval = call["snapshottype"], call["intervaltype"]
    if kind is None:
        if interval is None or call["volumeid"] is None:
            return None
        return (_kind(interval, "Unsupported snapstho interval type"),)
    kind = _kind(kind, "Unsupported snapshot type")
    return INTERVALS if kind == "RECURRING" else (kind,)


def _kind(name: str, unknown: str) -> str:
    if name.upper() not in KINDS:
        raise bad_parameter(f"{unknown} {name}")
    return name.upper()


def snapshot_view(call: Call, snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as answers show it."""
    volume = snapshot.volume
    return {
        "id": snapshot.id,
        **ownership(call, snapshot.owner),
        "snapshottype": snapshot.kind,
        "volumeid": volume.id,
        "volumename": volume.name,
        "volumetype": volume.kind,
        "created": date_text(snapshot.created),
        "name": snapshot.name,
        "intervaltype": snapshot.kind,
        "state": snapshot.state,
        "tags": tag_list(call, "Snapshot", snapshot.id),
    }


# --- deleting


def delete_snapshot(call: Call) -> Work:
    """deleteSnapshot: not twice. It also deletes a snapshot that is being made, whose job still ends well."""
    snapshot = call["id"]

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        if snapshot.state == DELETED_SNAPSHOT:
            raise bad_parameter("unable to find snapshot by id")
        check_access(call, snapshot.owner, snapshot.label)
        copied = snapshot.state == DONE
        call.store.delete_snapshot(snapshot)
        if copied:
            await call.jobs.take(1)
        return {"success": True}

    return Work(run, "Snapshot", snapshot.id)

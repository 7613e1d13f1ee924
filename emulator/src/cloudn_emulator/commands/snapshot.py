# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands on snapshots, as measured on CloudStack 3.0.5. The rest is from its source."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import Any

from ..calls import Call, page_of
from ..errors import INTERNAL, NO_CLASS, ApiError, bad_parameter, internal
from ..fields import date_text, ownership, tag_list
from ..filters import has_part, has_tags, matching, named, newest_first, refers_to
from ..generation import Differs
from ..jobs import Work
from ..limits import check_limit
from ..models import DELETED_SNAPSHOT, DELETED_VOLUME, GONE, NO_OBJECT, Snapshot, Volume, new_id
from ..owners import check_access, check_at_once, owners
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
    check_at_once(call, volume)
    if volume.state != "Ready" and not call.of(_TAKES_NEW_DISKS)(call, volume):
        raise bad_parameter(
            f"Specified VolumeId is not in Ready state, but  in state {volume.state}. Cannot take snapshot."
        )
    check_access(call, volume.owner, volume.label)
    if policy is NO_OBJECT:
        raise call.of(_NO_POLICY)
    check_limit(call, volume.owner, "snapshot")
    call.of(_CHECK_MACHINE_AT_ONCE)(call.store, volume)
    snapshot = new_snapshot(call.store, volume, policy.interval if policy else "MANUAL", call.store.now())
    snapshot.name = call["name"] or snapshot.name
    empty = _is_empty(call.store, snapshot)

    async def run() -> dict[str, Any]:
        _check_machine(call.store, snapshot)
        if policy:
            # The real server looks for the run of the policy, finds none and crashes.
            await call.jobs.moment()
            snapshot.state = "Error"
            raise internal()
        await _back_up(call, snapshot)
        return {"snapshot": call.of(_MADE)(call, snapshot, DONE if empty else "CreatedOnPrimary")}

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


_NO_POLICY = Differs(internal(), ApiError(INTERNAL, "Internal error executing command", NO_CLASS))
# On CloudStack 4 the disk of a machine that is being started is Ready soon enough.
_TAKES_NEW_DISKS: Differs[Callable[[Call, Volume], bool]] = Differs(
    lambda call, volume: False,
    lambda call, volume: bool((vm := call.store.vm_of(volume)) and vm.transition),
)


def _check_machine_4(store: Store, volume: Volume) -> None:
    vm = store.vm_of(volume)
    if vm and vm.state == GONE:
        raise internal()


_CHECK_MACHINE_AT_ONCE: Differs[Callable[[Store, Volume], None]] = Differs(lambda store, volume: None, _check_machine_4)


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
    return call.of(_VIEW)(call, snapshot)


def _view_4(call: Call, snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot of CloudStack 4. Only the job that makes it shows its type."""
    volume, zone = snapshot.volume, call.store.zones[snapshot.volume.zone_id]
    template = call.store.templates.get(volume.template_id or "")
    view: dict[str, Any] = {
        "id": snapshot.id,
        **ownership(call, snapshot.owner),
        "volumeid": volume.id,
        "volumename": volume.name,
    }
    view |= {"volumetype": volume.kind, "volumestate": volume.state, "created": date_text(snapshot.created)}
    view |= {"name": snapshot.name, "intervaltype": snapshot.kind, "state": snapshot.state, "physicalsize": 0}
    view |= {"zoneid": zone.id, "zonename": zone.name, "revertable": False}
    if template is not None:
        view["ostypeid"] = template.os_type_id
    view |= {"virtualsize": snapshot.size, "tags": tag_list(call, "Snapshot", snapshot.id), "hasannotations": False}
    return view


def _made_4(call: Call, snapshot: Snapshot, state: str) -> dict[str, Any]:
    """A snapshot in the result of the job that has made it."""
    view = {**_view_4(call, snapshot), "snapshottype": snapshot.kind}
    if "ostypeid" in view:
        view["osdisplayname"] = call.store.os_types[view["ostypeid"]].description
    return view


def _view_3(call: Call, snapshot: Snapshot) -> dict[str, Any]:
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


_VIEW = Differs(_view_3, _view_4)
# The real server 3.0.5 shows the state before the copy.
_MADE: Differs[Callable[[Call, Snapshot, str], dict[str, Any]]] = Differs(
    lambda call, snapshot, state: {**_view_3(call, snapshot), "state": state}, _made_4
)


# --- deleting


def delete_snapshot(call: Call) -> Work:
    """deleteSnapshot: not twice. It also deletes a snapshot that is being made, whose job still ends well."""
    snapshot = call["id"]
    check_at_once(call, snapshot)

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

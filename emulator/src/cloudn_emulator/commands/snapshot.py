# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots: their commands, as measured on CloudStack 3.0.5."""

from __future__ import annotations

import time
from typing import Any

from ..calls import Call, check_access, contains, date_text, has_tags, matching, owners, ownership, page_of, tag_list
from ..errors import bad_parameter
from ..jobs import Work
from ..models import Snapshot, new_id
from ..wire import listing

DELETED = "Destroyed"


def create_snapshot(call: Call) -> Work:
    """createSnapshot: the job's result says CreatedOnPrimary, the listing after it BackedUp."""
    volume = call["volumeid"]
    if volume.state != "Ready":
        raise bad_parameter(f"VolumeId: {volume.id} is not in Ready state but {volume.state}. Cannot take snapshot.")
    check_access(call, volume.owner, volume.label)
    now = call.store.now()
    vm = call.store.vms.get(volume.vm_id or "")
    stamp = time.strftime("%Y%m%d%H%M%S", time.gmtime(now))
    name = f"{vm.name if vm else 'detached'}_{volume.name}_{stamp}"
    snapshot = Snapshot(new_id(), volume.owner, name, volume, volume.size, now)
    call.store.snapshots[snapshot.id] = snapshot

    async def run() -> dict[str, Any]:
        await call.jobs.take(0.5)
        snapshot.state = "BackingUp"
        await call.jobs.take(0.5)
        if snapshot.state == "BackingUp":
            snapshot.state = "BackedUp"
        return {"snapshot": {**snapshot_view(call, snapshot), "state": "CreatedOnPrimary"}}

    return Work(run, "Snapshot", snapshot.id, created_id=snapshot.id)


def list_snapshots(call: Call) -> dict[str, Any]:
    """listSnapshots, newest first."""
    p = call.params
    if "volumeid" in p:
        check_access(call, p["volumeid"].owner, p["volumeid"].label)
    name, keyword = p.get("name"), p.get("keyword")
    kinds = [p[kind] for kind in ("snapshottype", "intervaltype") if p.get(kind) is not None]
    tests = [
        owners(call),
        lambda snapshot: snapshot.state != DELETED,
        (lambda snapshot: snapshot.id == p["id"].id) if "id" in p else None,
        (lambda snapshot: snapshot.volume.id == p["volumeid"].id) if "volumeid" in p else None,
        (lambda snapshot: contains(snapshot.name, name)) if name is not None else None,
        (lambda snapshot: contains(snapshot.name, keyword)) if keyword is not None else None,
        (lambda snapshot: all(kind.upper() == "MANUAL" for kind in kinds)) if kinds else None,
        has_tags(call, "Snapshot"),
    ]
    found = matching(reversed(call.store.snapshots.values()), tests)
    return listing("snapshot", [snapshot_view(call, snapshot) for snapshot in page_of(call, found)])


def delete_snapshot(call: Call) -> Work:
    """deleteSnapshot: accepted twice; what is being made can't be deleted."""
    snapshot = call["id"]

    async def run() -> dict[str, Any]:
        check_access(call, snapshot.owner, snapshot.label)
        if snapshot.state not in ("BackedUp", DELETED):
            await call.jobs.moment()
            raise bad_parameter(f"Can't delete snapshot {snapshot.id} in state {snapshot.state}")
        await call.jobs.take(1)
        snapshot.state = DELETED
        call.store.mark_deleted("Snapshot", snapshot.id)
        return {"success": True}

    return Work(run, "Snapshot", snapshot.id)


def snapshot_view(call: Call, snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as answers show it."""
    volume = snapshot.volume
    return {
        "id": snapshot.id,
        **ownership(call, snapshot.owner),
        "snapshottype": "MANUAL",
        "volumeid": volume.id,
        "volumename": volume.name,
        "volumetype": volume.kind,
        "created": date_text(snapshot.created),
        "name": snapshot.name,
        "intervaltype": "MANUAL",
        "state": snapshot.state,
        "tags": tag_list(call, "Snapshot", snapshot.id),
    }

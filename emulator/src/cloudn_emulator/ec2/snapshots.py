# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions on snapshots."""

from __future__ import annotations

from typing import Any

from ..commands.snapshot import DELETED
from .calls import Call, gigabytes, moment, owner_of, tag_set
from .errors import UNEXPECTED, Failed
from .filters import Filters, given, like, passing, same_moment, same_number, tag_params

Item = dict[str, Any]
# What the states of the native API are called here, as CloudStack's source has it; any other is an error.
STATES = {"BackedUp": ("completed", "100%"), "Creating": ("pending", "33%"), "BackingUp": ("pending", "66%")}

FILTERS: Filters = {
    "owner-alias": (like, lambda item: item["ownerAlias"]),
    "owner-id": (like, lambda item: item["ownerId"]),
    "snapshot-id": (like, lambda item: item["snapshotId"]),
    "start-time": (same_moment, lambda item: item["startTime"]),
    "status": (like, lambda item: item["status"]),
    "volume-id": (like, lambda item: item["volumeId"]),
    "volume-size": (same_number, lambda item: item["volumeSize"]),
}


async def _item(call: Call, snapshot: Item, status: str, progress: str) -> Item:
    disks = await call.listed("listVolumes", "volume", id=snapshot["volumeid"])
    return {
        "snapshotId": snapshot["id"],
        "volumeId": snapshot["volumeid"],
        "status": status,
        "startTime": moment(snapshot["created"]),
        "progress": progress,
        "ownerId": owner_of(snapshot),
        "volumeSize": gigabytes(disks[0]["size"]) if disks else 0,
        "description": snapshot["name"],
    }


async def create(call: Call) -> Item:
    """CreateSnapshot: the description that is given is ignored, the snapshot's name stands for it."""
    made = await call.native("createSnapshot", volumeid=call.required("VolumeId"))
    return await _item(call, made["snapshot"], "completed", "100")


async def describe(call: Call) -> Item:
    """DescribeSnapshots: an unknown id is an unexpected error."""
    filters = given(call, FILTERS)
    ids: list[str | None] = [*call.ids("SnapshotId")] or [None]
    items = []
    try:
        for id in ids:
            for snapshot in await call.listed("listSnapshots", "snapshot", id=id, **tag_params(filters)):
                item = await _item(call, snapshot, *STATES.get(snapshot["state"], ("error", "0%")))
                items.append({**item, "ownerAlias": snapshot["account"], "tagSet": tag_set(snapshot)})
        return {"snapshotSet": passing(items, filters, FILTERS)}
    except Failed:
        raise Failed(UNEXPECTED) from None


async def delete(call: Call) -> Item:
    """DeleteSnapshot: a second time it fails here, though not by the native command."""
    id = call.required("SnapshotId")
    snapshot = call.store.snapshots.get(id)
    if snapshot is not None and snapshot.state == DELETED:
        await call.jobs.moment()
        raise Failed("431 unable to find snapshot by id")
    await call.native("deleteSnapshot", id=id)
    return {"return": True}

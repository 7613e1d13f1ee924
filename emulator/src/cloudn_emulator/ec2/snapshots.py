# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions on snapshots."""

from __future__ import annotations

from typing import Any

from .java import JavaError
from .refusals import UNEXPECTED, Failed
from .request import Request, gigabytes, moment, owner_of, tag_set
from .selection import Kind, like, same_moment, same_number

Item = dict[str, Any]
# What the states of the native API are called here, as CloudStack's source has it; any other is an error.
STATES = {"BackedUp": ("completed", "100%"), "Creating": ("pending", "33%"), "BackingUp": ("pending", "66%")}

FILTERS = Kind(
    {
        "owner-alias": (
            like,
            lambda snapshot: snapshot["caller"],
        ),  # compared with the caller's key (the real bridge's)
        "owner-id": (like, owner_of),
        "snapshot-id": (like, lambda snapshot: snapshot["id"]),
        "start-time": (same_moment, lambda snapshot: snapshot["created"]),
        "status": (like, lambda snapshot: _status(snapshot)[0]),
        "volume-id": (like, lambda snapshot: snapshot["volumeid"]),
        "volume-size": (same_number, lambda snapshot: snapshot["gigabytes"]),
    }
)


def _status(snapshot: Item) -> tuple[str, str]:
    return STATES.get(snapshot["state"], ("error", "0%"))


async def _with_size(request: Request, snapshot: Item) -> Item:
    """A snapshot with the size of its volume, 0 where that is gone, and the key of who asks."""
    disks = await request.listed("listVolumes", "volume", id=snapshot["volumeid"])
    size = gigabytes(disks[0]["size"]) if disks else 0
    return {**snapshot, "gigabytes": size, "caller": request.account.api_key}


def _item(snapshot: Item, status: str, progress: str) -> Item:
    return {
        "snapshotId": snapshot["id"],
        "volumeId": snapshot["volumeid"],
        "status": status,
        "startTime": moment(snapshot["created"]),
        "progress": progress,
        "ownerId": owner_of(snapshot),
        "volumeSize": snapshot["gigabytes"],
        "description": snapshot["name"],
    }


async def create(request: Request) -> Item:
    """CreateSnapshot: ignores the given description and answers with the snapshot's name."""
    made = await request.native("createSnapshot", volumeid=request.required("VolumeId"))
    return _item(await _with_size(request, made["snapshot"]), "completed", "100")


async def describe(request: Request) -> Item:
    """DescribeSnapshots: each error is an unexpected error, also for an unknown or a deleted id."""
    filters = FILTERS.given(request)
    try:
        found = [await _with_size(request, snapshot) for snapshot in await _listed(request, request.ids("SnapshotId"))]
        passing = FILTERS.passing(found, filters)
    except (Failed, JavaError):
        raise Failed(UNEXPECTED) from None
    return {"snapshotSet": [_described(snapshot) for snapshot in passing]}


async def _listed(request: Request, ids: list[str]) -> list[Item]:
    if not ids:
        return await request.listed("listSnapshots", "snapshot")
    found = [await request.listed("listSnapshots", "snapshot", id=id) for id in ids]
    if [] in found:
        raise Failed(UNEXPECTED)
    return [snapshot for (snapshot,) in found]


def _described(snapshot: Item) -> Item:
    return {**_item(snapshot, *_status(snapshot)), "ownerAlias": snapshot["account"], "tagSet": tag_set(snapshot)}


async def delete(request: Request) -> Item:
    """DeleteSnapshot: a second time it fails."""
    await request.native("deleteSnapshot", id=request.required("SnapshotId"))
    return {"return": True}

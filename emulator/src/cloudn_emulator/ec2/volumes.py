# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions on volumes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..models import new_id
from .java import JavaError, parse_long
from .refusals import Failed, Refused
from .replies import error, page
from .request import Request, gigabytes, moment, tag_set
from .selection import CD_DRIVE, LETTERS, Kind, is_device, like, same_moment, same_number, text_like
from .zones import zone_id

Item = dict[str, Any]
MOST_GIGABYTES = 1024
# The states of the native API, as CloudStack's source maps them; any other is an error.
STATES = {"Allocated": "available", "Creating": "available", "Ready": "available", "Destroy": "deleting"}
# The states of a machine and what they make of its disks, as CloudStack's source has it; any other: detached.
ATTACHED = {"Stopped": "attached", "Running": "attached", "Stopping": "attached", "Starting": "attaching"}


def _attach_time(volume: Item) -> str | None:
    time: str | None = volume.get("attached", volume["created"]) if "virtualmachineid" in volume else None
    return time


def _status(volume: Item) -> str:
    return STATES.get(volume["state"], "error")


FILTERS = Kind(
    {
        "attachment.attach-time": (same_moment, _attach_time),
        "attachment.device": (is_device, lambda volume: volume.get("deviceid")),
        "attachment.instance-id": (text_like, lambda volume: volume.get("virtualmachineid")),
        "availability-zone": (like, lambda volume: volume["zonename"]),
        "create-time": (same_moment, lambda volume: volume["created"]),
        "size": (same_number, lambda volume: gigabytes(volume["size"])),
        "snapshot-id": (text_like, lambda volume: volume.get("snapshotid")),
        "status": (like, _status),
        "volume-id": (like, lambda volume: volume["id"]),
    },
    absent=("attachment.delete-on-termination", "attachment.status"),
)


def _item(volume: Item) -> Item:
    return {
        "volumeId": volume["id"],
        "size": gigabytes(volume["size"]),
        "snapshotId": volume.get("snapshotid"),
        "availabilityZone": volume["zonename"],
        "status": _status(volume),
        "createTime": moment(volume["created"]),
        "attachmentSet": [_attached(volume)] if "virtualmachineid" in volume else [],
        "tagSet": tag_set(volume),
    }


def _attached(volume: Item) -> Item:
    return {
        "volumeId": volume["id"],
        "instanceId": volume["virtualmachineid"],
        "device": _path(volume["deviceid"]),
        "status": ATTACHED.get(volume["vmstate"], "detached"),
        "attachTime": moment(_attach_time(volume) or ""),
        "deleteOnTermination": False,
    }


def _path(number: int) -> str:
    return f"/dev/sd{LETTERS[number - 1]}" if 1 <= number <= len(LETTERS) else str(number)


def _number(device: str) -> int:
    """The number of a device: /dev/sdb, /dev/xvdb and xvdb are the first data disk. Raises Failed."""
    prefix, letter = device[:-1].lower(), device[-1:].lower()
    number = LETTERS.find(letter) + 1 if letter else 0
    if prefix not in ("/dev/sd", "/dev/xvd", "xvd") or number in (0, CD_DRIVE):
        raise Failed(f"{device} is not supported")
    return number


async def describe(request: Request) -> Item:
    """DescribeVolumes: the status is `available` for attached ones, too."""
    filters = FILTERS.given(request)
    ids: list[str | None] = [*request.ids("VolumeId")] or [None]
    found = [volume for id in ids for volume in await request.listed("listVolumes", "volume", id=id)]
    return {"volumeSet": [_item(volume) for volume in FILTERS.passing(found, filters)]}


async def create(request: Request) -> Item:
    """CreateVolume: of a size, by the disk offering of any size, or from a snapshot. It has a random name."""
    zone_name, size, snapshot = request.required("AvailabilityZone"), request.get("Size"), request.get("SnapshotId")
    if size is not None and snapshot is not None:
        raise Refused(page(530, "Size and SnapshotId parameters are mutually exclusive"))
    if size is None and snapshot is None:
        raise Refused(page(530, "Size or SnapshotId has to be specified"))
    if size is not None:
        size = _size(size)
    offering = None if snapshot is not None else await _custom_offering(request)
    made = await request.native(
        "createVolume",
        name=new_id(),
        diskofferingid=offering,
        size=size,
        snapshotid=snapshot,
        zoneid=await zone_id(request, zone_name),
    )
    volume = made["volume"]
    return {
        "volumeId": volume["id"],
        "size": gigabytes(volume["size"]),
        "snapshotId": None,
        "availabilityZone": volume["zonename"],
        "status": volume["state"],  # as the native API calls it, unlike in DescribeVolumes
        "createTime": moment(volume["created"]),
    }


def _size(text: str) -> str:
    """A size in GB. Raises Refused (400)."""
    try:
        size = parse_long(text)
    except JavaError:
        size = 0
    if not 1 <= size <= MOST_GIGABYTES:
        raise Refused(error(400, "Error", f"Bad volume size parameter: {text}, expecting [1..{MOST_GIGABYTES}]"))
    return str(size)


async def _custom_offering(request: Request) -> str:
    """The disk offering that lets its user choose the size, the last of several. Raises Failed."""
    custom = [one["id"] for one in await request.listed("listDiskOfferings", "diskoffering") if one["iscustomized"]]
    if not custom:
        raise Failed("No Customize Disk Offering Found")
    id: str = custom[-1]
    return id


async def attach(request: Request) -> Item:
    """AttachVolume: under a device's name, which must be given."""
    id, instance, device = (request.required(name) for name in ("VolumeId", "InstanceId", "Device"))
    number = str(_number(device))
    result = await request.native("attachVolume", id=id, virtualmachineid=instance, deviceid=number)
    return _change(result["volume"], device, request.store.time())


async def detach(request: Request) -> Item:
    """DetachVolume: by the id of the volume alone. The answer has some day in 1970 as the time of the attachment."""
    result = await request.native("detachVolume", id=request.required("VolumeId"))
    return _change(result["volume"], request.get("Device"), request.store.time().replace(1970, 2, 1))


def _change(volume: Item, device: str | None, time: datetime) -> Item:
    return {
        "volumeId": volume["id"],
        "instanceId": volume.get("virtualmachineid"),
        "device": device,
        "status": volume["state"],
        "attachTime": time.isoformat(timespec="milliseconds"),
    }


async def delete(request: Request) -> Item:
    """DeleteVolume."""
    await request.native("deleteVolume", id=request.required("VolumeId"))
    return {"return": True}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions on volumes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .calls import Call, gigabytes, moment, tag_set
from .errors import Failed
from .filters import Filters, given, like, passing, same_moment, same_number, tag_params

Item = dict[str, Any]
LETTERS = "bcdefghij"  # of the devices from 1 to 9
CD_DRIVE = 3
# The states of the native API, as CloudStack's source maps them; any other is an error.
STATES = {"Allocated": "available", "Creating": "available", "Ready": "available", "Destroy": "deleting"}
# The states of a machine and what they make of its disks, as CloudStack's source has it; any other: detached.
ATTACHED = {"Stopped": "attached", "Running": "attached", "Stopping": "attached", "Starting": "attaching"}


def _attachment(item: Item) -> Item:
    return item["attachmentSet"][0] if item["attachmentSet"] else {}


def _is_device(name: str | None, pattern: str) -> bool:
    return name is not None and (like(name, pattern) or like(name.replace("/sd", "/xvd"), pattern))


FILTERS: Filters = {
    "attachment.attach-time": (same_moment, lambda item: _attachment(item).get("attachTime")),
    "attachment.device": (_is_device, lambda item: _attachment(item).get("device")),
    "attachment.instance-id": (like, lambda item: _attachment(item).get("instanceId")),
    "availability-zone": (like, lambda item: item["availabilityZone"]),
    "create-time": (same_moment, lambda item: item["createTime"]),
    "size": (same_number, lambda item: item["size"]),
    "snapshot-id": (like, lambda item: item["snapshotId"]),
    "status": (like, lambda item: item["status"]),
    "volume-id": (like, lambda item: item["volumeId"]),
}


def _item(volume: Item) -> Item:
    return {
        "volumeId": volume["id"],
        "size": gigabytes(volume["size"]),
        "snapshotId": volume.get("snapshotid"),
        "availabilityZone": volume["zonename"],
        "status": STATES.get(volume["state"], "error"),
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
        "attachTime": moment(volume.get("attached", volume["created"])),
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


async def describe(call: Call) -> Item:
    """DescribeVolumes: the status says `available` of attached ones too."""
    filters = given(call, FILTERS)
    tags = tag_params(filters)
    ids: list[str | None] = [*call.ids("VolumeId")] or [None]
    found = [volume for id in ids for volume in await call.listed("listVolumes", "volume", id=id, **tags)]
    return {"volumeSet": passing([_item(volume) for volume in found], filters, FILTERS)}


async def attach(call: Call) -> Item:
    """AttachVolume: under a device's name, which must be given."""
    id, instance, device = (call.required(name) for name in ("VolumeId", "InstanceId", "Device"))
    number = str(_number(device))
    result = await call.native("attachVolume", id=id, virtualmachineid=instance, deviceid=number)
    return _change(result["volume"], device, call.store.time())


async def detach(call: Call) -> Item:
    """DetachVolume: by the volume's id alone; when it was attached is told as some day in 1970."""
    result = await call.native("detachVolume", id=call.required("VolumeId"))
    return _change(result["volume"], call.get("Device"), call.store.time().replace(1970, 2, 1))


def _change(volume: Item, device: str | None, time: datetime) -> Item:
    return {
        "volumeId": volume["id"],
        "instanceId": volume.get("virtualmachineid"),
        "device": device,
        "status": volume["state"],
        "attachTime": time.isoformat(timespec="milliseconds"),
    }


async def delete(call: Call) -> Item:
    """DeleteVolume."""
    await call.native("deleteVolume", id=call.required("VolumeId"))
    return {"return": True}

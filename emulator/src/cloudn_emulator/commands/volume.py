# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: their commands and states, as measured on CloudStack 3.0.5; what was not measured is from its source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..calls import (
    Call,
    check_access,
    contains,
    date_text,
    has_tags,
    matching,
    owner_for,
    owners,
    ownership,
    page_of,
    tag_list,
)
from ..errors import ACCOUNT, ApiError, bad_parameter, internal
from ..jobs import Work
from ..models import GIB, GONE, DiskOffering, Vm, Volume, new_id
from ..wire import listing
from .download import SIZE, check_address, check_extraction, extraction, fetch

DELETED = "Destroy"
DEVICES = [1, 2, *range(4, 15)]  # 0 is the root disk, 3 the CD drive
MOST_DISKS = 6  # beside the root disk, of a XenServer machine
UPLOADED = "Uploaded"


# --- listing


def list_volumes(call: Call) -> dict[str, Any]:
    """listVolumes: pages newest first. A plain account does not see the disks of destroyed machines."""
    p = call.params
    name, keyword, kind = p.get("name"), p.get("keyword"), p.get("type")
    tests = [
        owners(call),
        lambda volume: _is_visible(call, volume),
        (lambda volume: volume.id == p["id"].id) if "id" in p else None,
        (lambda volume: contains(volume.name, name)) if name is not None else None,
        (lambda volume: contains(volume.name, keyword)) if keyword is not None else None,
        (lambda volume: volume.kind.lower() == kind.lower()) if kind is not None else None,
        (lambda volume: volume.vm_id == p["virtualmachineid"].id) if "virtualmachineid" in p else None,
        (lambda volume: volume.zone_id == p["zoneid"].id) if "zoneid" in p else None,
        has_tags(call, "Volume"),
    ]
    newest_first = reversed(call.store.volumes.values())
    found = matching(newest_first, tests)
    return listing("volume", [volume_view(call, volume) for volume in reversed(page_of(call, found))])


def _is_visible(call: Call, volume: Volume) -> bool:
    if volume.state == DELETED:
        return False
    vm = call.store.vms.get(volume.vm_id or "")
    return call.account.admin or vm is None or vm.state != GONE


def volume_view(call: Call, volume: Volume, snapshot_id: str | None = None) -> dict[str, Any]:
    """A volume as answers show it; what only attached ones have is left out of others.

    Only the job that makes a volume from a snapshot tells which (`snapshot_id`).
    """
    store, zone = call.store, call.store.zones[volume.zone_id]
    view: dict[str, Any] = {"id": volume.id, "name": volume.name, "zoneid": zone.id, "zonename": zone.name}
    view["type"] = volume.kind
    vm = store.vms.get(volume.vm_id or "")
    if vm:
        view |= {"deviceid": volume.device, "virtualmachineid": vm.id, "vmname": vm.name}
        view |= {"vmdisplayname": vm.displayname, "vmstate": vm.state}
    view |= {"size": volume.size, "created": date_text(volume.created), "state": volume.state}
    view |= {**ownership(call, volume.owner), "storagetype": "shared"}
    view |= _disk_offering_fields(call, volume)
    view["storage"] = volume.storage
    if snapshot_id:
        view["snapshotid"] = snapshot_id
    if volume.attached is not None:
        view["attached"] = date_text(volume.attached)
    view["destroyed"] = volume.state == DELETED
    view |= _offering_fields(call, volume)
    view["isextractable"] = True
    if volume.status is not None:
        view["status"] = volume.status
    view["tags"] = tag_list(call, "Volume", volume.id)
    return view


def _disk_offering_fields(call: Call, volume: Volume) -> dict[str, Any]:
    if volume.disk_offering_id is None:
        return {}
    offering = call.store.find("disk_offering", volume.disk_offering_id)
    return {
        "diskofferingid": offering.id,
        "diskofferingname": offering.name,
        "diskofferingdisplaytext": offering.text,
    }


def _offering_fields(call: Call, volume: Volume) -> dict[str, Any]:
    if volume.offering_id is None:
        return {}
    offering = call.store.service_offerings[volume.offering_id]
    return {
        "serviceofferingid": offering.id,
        "serviceofferingname": offering.name,
        "serviceofferingdisplaytext": offering.text,
    }


# --- making and deleting


def create_volume(call: Call) -> Work:
    """createVolume: from a disk offering, Allocated until it is attached, or from a snapshot, Ready at once."""
    owner = owner_for(call).name
    offering, snapshot = call["diskofferingid"], call["snapshotid"]
    if (offering is None) == (snapshot is None):
        raise bad_parameter("Either disk Offering Id or snapshot Id must be passed whilst creating volume")
    if call["zoneid"] is None:
        raise bad_parameter("Missing parameter, zoneid must be specified.")
    volume = _from_snapshot(call, owner) if snapshot else _from_offering(call, owner)
    call.store.volumes[volume.id] = volume

    async def run() -> dict[str, Any]:
        await call.jobs.take(1)
        if snapshot:
            volume.state, volume.storage = "Ready", _storage(call, volume)
        return {"volume": volume_view(call, volume, snapshot.id if snapshot else None)}

    return Work(run, "Volume", volume.id, created_id=volume.id)


def _from_offering(call: Call, owner: str) -> Volume:
    offering, size = call["diskofferingid"], call["size"]
    if not isinstance(offering, DiskOffering):
        raise bad_parameter("Please specify a valid disk offering.")
    if not offering.custom and size is not None:
        raise bad_parameter("This disk offering does not allow custom size")
    if offering.custom and not 1 <= (size or 0) <= 1024:
        raise bad_parameter("Please specify a valid disk size between 1 and 1024 GB.")
    return _new(call, owner, (size if offering.custom else offering.size) * GIB, offering.id)


def _from_snapshot(call: Call, owner: str) -> Volume:
    snapshot = call["snapshotid"]
    check_access(call, snapshot.owner, snapshot.label)
    if snapshot.state != "BackedUp":
        raise bad_parameter(
            f"Snapshot id={snapshot.id} is not in BackedUp state yet and can't be used for volume creation"
        )
    source = snapshot.volume
    volume = _new(call, owner, snapshot.size, source.offering_id or source.disk_offering_id)
    volume.state = "Creating"
    return volume


def _new(call: Call, owner: str, size: int, offering_id: str | None) -> Volume:
    serial = call.store.next_serial()
    name, zone_id = call["name"], call["zoneid"].id
    return Volume(
        serial, new_id(), owner, name, zone_id, "DATADISK", size, call.store.now(), disk_offering_id=offering_id
    )


def _storage(call: Call, volume: Volume) -> str:
    return f"primary-{call.store.zones[volume.zone_id].name}"


def upload_volume(call: Call) -> Work:
    """uploadVolume: the job only begins the download; the volume's state and status tell how that goes on."""

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        owner = owner_for(call).name
        check_address(call["url"], call["format"])
        volume = _new(call, owner, 0, None)
        volume.state, volume.status = "Uploading", "0% Uploaded"
        call.store.volumes[volume.id] = volume
        call.jobs.later(_upload(call, volume))
        return {"volume": volume_view(call, volume)}

    return Work(run)


async def _upload(call: Call, volume: Volume) -> None:
    failure = await fetch(call, call["url"])
    if volume.state != "Uploading":
        return
    if failure:
        volume.state, volume.status = "UploadError", failure
    else:
        volume.state, volume.status, volume.size = UPLOADED, "Upload Complete", SIZE


def delete_volume(call: Call) -> dict[str, Any]:
    """deleteVolume: not while it is attached, and not twice (431)."""
    volume = call["id"]
    if volume.state == DELETED:
        raise bad_parameter("Unable to find volume by ID")
    check_access(call, volume.owner, volume.label)
    if volume.vm_id is not None:
        raise bad_parameter("Please specify a volume that is not attached to any VM.")
    if volume.state == "Uploading":
        raise bad_parameter("Please specify a volume that is not uploading")
    volume.state = DELETED
    call.store.mark_deleted("Volume", volume.id)
    return {"success": "true"}


# --- attaching and detaching


def attach_volume(call: Call) -> Work:
    """attachVolume: everything that is wrong fails the job; the first free device is taken unless one is named."""
    return _job(call, call["id"], _check_attach, _attach)


def _check_attach(call: Call) -> None:
    volume, vm = call["id"], call["virtualmachineid"]
    check_access(call, volume.owner, volume.label)
    check_access(call, vm.owner, vm.label)
    if volume.kind != "DATADISK" or volume.state not in ("Allocated", "Ready", UPLOADED):
        raise bad_parameter("Please specify a valid data volume.")
    if volume.vm_id is not None:
        raise bad_parameter("Please specify a volume that is not attached to any VM.")
    if vm.state not in ("Running", "Stopped"):
        raise bad_parameter("Please specify a VM that is either running or stopped.")
    if volume.zone_id != vm.zone_id:
        raise bad_parameter("Please specify a volume in the same zone as the VM.")
    if len(call.store.volumes_of(vm)) > MOST_DISKS:
        raise bad_parameter(f"The specified VM already has the maximum number of data disks ({MOST_DISKS}).")
    _device(call, vm)


def _device(call: Call, vm: Vm) -> int:
    used = {volume.device for volume in call.store.volumes_of(vm)}
    wanted = call["deviceid"]
    if wanted is None:
        return next(device for device in DEVICES if device not in used)
    if wanted not in DEVICES:
        raise internal(f"deviceId should be 1,2,4-{DEVICES[-1]}")
    if wanted in used:
        raise internal(f"deviceId {wanted} is used by VM {vm.name}")
    return wanted


def _attach(call: Call) -> None:
    volume, vm = call["id"], call["virtualmachineid"]
    volume.device, volume.vm_id, volume.attached = _device(call, vm), vm.id, call.store.now()
    volume.status = None
    if volume.state != "Ready":
        volume.state, volume.storage = "Ready", _storage(call, volume)


def detach_volume(call: Call) -> Work:
    """detachVolume by id; by machine and device the job fails (530), but the volume is detached all the same."""
    if call["id"] is None and call["virtualmachineid"] and call["deviceid"] is not None:
        return Work(lambda: _detach_device(call))
    return _job(call, call["id"], _check_detach, _detach)


async def _detach_device(call: Call) -> dict[str, Any]:
    await call.jobs.take(1)
    for volume in call.store.volumes_of(call["virtualmachineid"]):
        if volume.device == call["deviceid"] and volume.kind == "DATADISK":
            volume.vm_id = volume.device = volume.attached = None
    raise internal("Failed to detach volume")


def _check_detach(call: Call) -> None:
    volume = call["id"]
    if volume is None:
        raise bad_parameter("Please provide either a volume id, or a tuple(device id, instance id)")
    check_access(call, volume.owner, volume.label)
    if volume.kind != "DATADISK":
        raise bad_parameter("Please specify a data volume.")
    if volume.vm_id is None:
        raise bad_parameter("The specified volume is not attached to a VM.")
    if call.store.vms[volume.vm_id].state not in ("Running", "Stopped", GONE):
        raise bad_parameter("Please specify a VM that is either running or stopped.")


def _detach(call: Call) -> None:
    volume = call["id"]
    volume.vm_id = volume.device = volume.attached = None


def _job(call: Call, volume: Volume | None, check: Callable[[Call], None], change: Callable[[Call], None]) -> Work:
    """A job that looks, takes its time, looks again (another job may have been faster) and changes."""

    async def run() -> dict[str, Any]:
        try:
            check(call)
        except ApiError:
            await call.jobs.moment()
            raise
        await call.jobs.take(1)
        check(call)
        change(call)
        return {"volume": volume_view(call, call["id"])}

    return Work(run, "Volume", volume.id if volume else None)


def extract_volume(call: Call) -> Work:
    """extractVolume: not while the machine that has it runs (inner code 531)."""

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        volume = call["id"]
        check_access(call, volume.owner, volume.label)
        check_extraction(call)
        vm = call.store.vms.get(volume.vm_id or "")
        if vm and vm.state != "Stopped":
            raise ApiError(ACCOUNT, "Invalid state of the volume: it is attached to a VM that is not stopped")
        if volume.zone_id != call["zoneid"].id or volume.state == DELETED:
            raise bad_parameter("Please specify a valid volume and its zone.")
        await call.jobs.take(1)
        return {"volume": extraction(call, volume.id, volume.name, call["zoneid"], "vhd")}

    return Work(run, "Volume", call["id"].id)

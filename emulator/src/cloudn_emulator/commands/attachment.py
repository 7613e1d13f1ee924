# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes and machines: attaching and detaching, as measured on CloudStack 3.0.5; the order of checks is from its source."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..calls import Call
from ..errors import bad_parameter, internal
from ..generation import Differs
from ..jobs import Work
from ..models import DELETED_VOLUME, GONE, NO_OBJECT, Vm, Volume
from ..owners import check_access, check_in_job, no_permission
from .transfer import UPLOADED
from .vm_state import network_reserved, settled
from .volume import volume_view

CD_DRIVE, LAST_DEVICE = 3, 15  # 0 is the root disk
_LAST_DEVICE = Differs(LAST_DEVICE, LAST_DEVICE - 1)
FREE_DEVICES = [1, 2, *range(4, LAST_DEVICE)]  # the service never chooses the last one by itself
MOST_DISKS = 6  # beside the root disk
NEITHER = "Please provide either a volume id, or a tuple(device id, instance id)"


def attach_volume(call: Call) -> Work:
    """attachVolume: every error fails the job. The first free device is taken unless one is named."""
    call.of(_CHECK_OWNERS)(call)
    return _job(call, _check_attach, _attach)


def _owners_4(call: Call) -> None:
    """CloudStack 4 refuses other accounts' objects at once."""
    for one in (call["id"], call["virtualmachineid"]):
        if one is NO_OBJECT:
            raise no_permission(call, "-1")
        check_access(call, one.owner, one.label)


_CHECK_OWNERS: Differs[Callable[[Call], None]] = Differs(lambda call: None, _owners_4)


def _check_attach(call: Call) -> None:
    volume, vm = call["id"], call["virtualmachineid"]
    if volume.kind != "DATADISK" or volume.state == DELETED_VOLUME:
        raise bad_parameter("Please specify a valid data volume.")
    if volume.vm_id is not None:
        raise bad_parameter("Please specify a volume that is not attached to any VM.")
    if vm is NO_OBJECT:
        raise bad_parameter("Please specify a valid User VM.")
    if vm.state not in ("Running", "Stopped"):
        raise bad_parameter("Please specify a VM that is either running or stopped.")
    if call["deviceid"] == 0:
        raise bad_parameter("deviceId can't be 0, which is used by Root device")
    if len(call.store.volumes_of(vm)) > MOST_DISKS:
        raise bad_parameter(
            f"The specified VM already has the maximum number of data disks ({MOST_DISKS}). Please specify another VM."
        )
    if volume.zone_id != vm.zone_id:
        raise bad_parameter("Please specify a VM that is in the same zone as the volume.")
    check_access(call, volume.owner, volume.label)
    check_access(call, vm.owner, vm.label)
    if volume.state not in ("Allocated", "Ready", UPLOADED):
        raise bad_parameter("Volume is not uploaded yet. Please try this operation once the volume is uploaded")
    _device(call, vm)


def _device(call: Call, vm: Vm) -> int:
    used = {volume.device for volume in call.store.volumes_of(vm)}
    wanted = call["deviceid"]
    if wanted is None:
        return next(device for device in FREE_DEVICES if device not in used)
    if wanted < 1 or wanted == CD_DRIVE or wanted > call.of(_LAST_DEVICE) or wanted in used:
        raise internal()
    return wanted


def _attach(call: Call) -> None:
    volume, vm = call["id"], call["virtualmachineid"]
    volume.device, volume.vm_id, volume.attached = _device(call, vm), vm.id, call.store.now()
    volume.status = None
    if volume.state != "Ready":
        volume.state, volume.storage = "Ready", call.store.zones[volume.zone_id].storage


def detach_volume(call: Call) -> Work:
    """detachVolume by id. By machine and device the volume is detached too, but the job fails (530)."""
    if call["id"] is None:
        return Work(lambda: _detach_device(call))
    return _job(call, _check_detach, _detach)


async def _detach_device(call: Call) -> dict[str, Any]:
    vm, device = call["virtualmachineid"], call["deviceid"]
    await call.jobs.moment()
    if vm is None or device is None:
        raise bad_parameter(NEITHER)
    # The real server crashes if there is no such machine, or no volume at this device.
    volume = next((one for one in call.store.volumes_of(vm) if one.device == device), None)
    if volume is None:
        raise internal()
    _check_detachable(call, volume)
    await call.jobs.take(1)
    call.of(_FREE)(volume)
    # The real server looks for the disk by its id, which was not given. It does not find the disk and reports a failure.
    raise internal("Failed to detach volume")


def _free(volume: Volume) -> None:
    volume.vm_id = volume.device = volume.attached = None


# CloudStack 4 fails before it does anything.
_FREE: Differs[Callable[[Volume], None]] = Differs(_free, lambda volume: None)


def _check_detach(call: Call) -> None:
    volume = call["id"]
    if call["virtualmachineid"] is not None or call["deviceid"] is not None:
        raise bad_parameter(NEITHER)
    if volume.state == DELETED_VOLUME:
        raise call.of(_GONE_DISK)
    _check_detachable(call, volume)


_GONE_DISK = Differs(internal(), bad_parameter("Please specify a volume that is in Ready state."))


def _check_detachable(call: Call, volume: Volume) -> None:
    check_in_job(call, volume.owner, volume.label)
    if volume.kind != "DATADISK":
        raise bad_parameter("Please specify a data volume.")
    if volume.vm_id is None:
        raise bad_parameter("The specified volume is not attached to a VM.")
    if call.store.vms[volume.vm_id].state not in ("Running", "Stopped", GONE):
        raise bad_parameter("Please specify a VM that is either running or stopped.")


def _detach(call: Call) -> None:
    _free(call["id"])


# CloudStack 4 waits for the whole deployment of a machine.
_WAIT: Differs[Callable[[Vm], Awaitable[None]]] = Differs(network_reserved, settled)


def _job(call: Call, check: Callable[[Call], None], change: Callable[[Call], None]) -> Work:
    """A job that checks, takes its time, checks again (another job may have been faster) and changes."""

    async def run() -> dict[str, Any]:
        vm = call["virtualmachineid"]
        if isinstance(vm, Vm):
            await call.of(_WAIT)(vm)
        await call.jobs.checked(lambda: check(call))
        await call.jobs.take(1)
        check(call)
        change(call)
        return {"volume": volume_view(call, call["id"])}

    return Work(run, "Volume", call["id"].id)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands on one virtual machine, as measured on CloudStack 3.0.5."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from ..calls import Call
from ..errors import ACCOUNT, ApiError, bad_parameter, internal
from ..jobs import Work
from ..models import EXPUNGING, FAILED, GONE, NO_OBJECT, ServiceOffering, Vm, Volume, new_id
from ..owners import check_access
from .vm_state import bring_up, network_reserved, new_password, power_on, take_down
from .vm_view import vm_view

_BASE64 = re.compile(r"[A-Za-z0-9+/_\-=\s]*")

# --- with a job


def _job_of(call: Call, change: Callable[[Call, Vm], Awaitable[str | None]]) -> Work:
    vm = call["id"]

    async def run() -> dict[str, Any]:
        check_access(call, vm.owner, vm.label)
        return result(call, vm, await change(call, vm))

    return Work(run, "VirtualMachine", vm.id)


def result(call: Call, vm: Vm, password: str | None = None) -> dict[str, Any]:
    """The answer of a command on a VM. Raises ApiError (530) if the VM cannot be shown, although the work is done."""
    return {"virtualmachine": vm_view(call, vm, password=password)}


def start(call: Call) -> Work:
    """startVirtualMachine: of a Destroyed VM it ends well, and the VM stays Destroyed."""
    return _job_of(call, _start)


async def _start(call: Call, vm: Vm) -> str | None:
    check_host(call)
    return await power_on(call, vm)


def check_host(call: Call) -> None:
    """Refuse a host to start on: that of a plain account (531), and the id -1 (431)."""
    if call["hostid"] is not None and not call.account.admin:
        raise ApiError(ACCOUNT, "Parameter hostid can only be specified by a Root Admin, permission denied")
    if call["hostid"] is NO_OBJECT:
        raise bad_parameter("Unable to find the host to deploy the VM")


def stop(call: Call) -> Work:
    """stopVirtualMachine."""
    return _job_of(call, lambda call, vm: take_down(call, vm, forced=bool(call["forced"])))


def reboot(call: Call) -> Work:
    """rebootVirtualMachine: fails (530) unless the VM is Running."""
    return _job_of(call, _reboot)


async def _reboot(call: Call, vm: Vm) -> None:
    await network_reserved(vm)
    if vm.state != "Running":
        await call.jobs.moment()
        raise internal("Failed to reboot vm instance")
    await call.jobs.take(1)


def destroy(call: Call) -> Work:
    """destroyVirtualMachine: a second time it ends well without work. A VM in state Error becomes Expunging at once."""
    return _job_of(call, _destroy)


async def _destroy(call: Call, vm: Vm) -> None:
    await take_down(call, vm)
    if vm.state in ("Stopped", FAILED):
        failed = vm.state == FAILED
        call.store.mark_destroyed(vm)
        if failed:
            vm.state = EXPUNGING


def reset_password(call: Call) -> Work:
    """resetPasswordForVirtualMachine: for a template with passwords, and a machine that was started once."""
    return _job_of(call, _reset_password)


async def _reset_password(call: Call, vm: Vm) -> str:
    if not call.store.templates[vm.template_id].password:
        await call.jobs.moment()
        raise bad_parameter("Fail to reset password for the virtual machine, the template is not password enabled")
    await network_reserved(vm)
    if vm.state not in ("Running", "Stopped") or vm.nic.ip is None:
        await call.jobs.moment()
        raise internal()
    await call.jobs.take(1)
    return new_password()


def restore(call: Call) -> Work:
    """restoreVirtualMachine: makes the root disk again from its template.

    The real server does not check the owner, so this works for another account's machine too.
    """
    vm = call["virtualmachineid"]

    async def run() -> dict[str, Any]:
        await network_reserved(vm)
        running = vm.state == "Running"
        if not running and vm.state != "Stopped":
            await call.jobs.moment()
            raise internal()
        if call.store.templates[vm.template_id].removed:
            raise bad_parameter("Cannot find template for specified volumeid and vmId")
        if running:
            await take_down(call, vm)
        _renew_root_disk(call, vm)
        if running:
            await bring_up(call, vm)
        answer = result(call, vm)
        if running:
            answer["virtualmachine"]["state"] = "Stopped"  # the real server answers so, although it runs again
        return answer

    return Work(run, "VirtualMachine", vm.id)


def _renew_root_disk(call: Call, vm: Vm) -> None:
    """Replace the root disk by a new one, and delete the old one. The machine makes the new one when it starts."""
    store = call.store
    old = next(disk for disk in store.volumes_of(vm) if disk.kind == "ROOT")
    new = Volume(store.next_row("volumes"), new_id(), old.owner, old.name, old.zone_id, old.kind, old.size, store.now())
    new.vm_id, new.device, new.offering_id, new.template_id = vm.id, old.device, old.offering_id, old.template_id
    store.volumes[new.id] = new
    old.vm_id = old.device = old.attached = None
    store.delete_volume(old)
    vm.root_device = "Not created"


# --- done at once


def _own_vm(call: Call) -> Vm:
    """The VM that a command names. Raises ApiError: 431 for -1, 531 for another account's."""
    vm = call["id"]
    if vm is NO_OBJECT:
        raise bad_parameter(f"unable to find a virtual machine with id {vm.id}")
    check_access(call, vm.owner, vm.label)
    return vm


def recover(call: Call) -> dict[str, Any]:
    """recoverVirtualMachine: Destroyed becomes Stopped. Any other state is a 431."""
    vm = _own_vm(call)
    if vm.state != GONE:
        raise bad_parameter("Vm with specified id is not in the right state")
    vm.state, vm.destroyed_at = "Stopped", None
    return result(call, vm)


def change_service(call: Call) -> dict[str, Any]:
    """changeServiceForVirtualMachine: only of a Stopped VM, and only to another offering."""
    vm = _own_vm(call)
    offering = service_offering(call["serviceofferingid"])
    if vm.state != "Stopped":
        raise bad_parameter(
            f"Unable to upgrade virtual machine {vm.label} in state {vm.state}; make sure the virtual machine "
            "is stopped and not in an error state before upgrading."
        )
    if vm.offering_id == offering.id:
        raise bad_parameter(
            f"Not upgrading vm {vm.label} since it already has the requested service offering ({offering.name})"
        )
    vm.offering_id, vm.ha = offering.id, offering.ha
    for volume in call.store.volumes_of(vm):
        if volume.kind == "ROOT":
            volume.offering_id = offering.id
    return result(call, vm)


def service_offering(found: Any) -> ServiceOffering:
    """The service offering that a parameter names. Disk offerings share its table: the id of one is a 431."""
    if not isinstance(found, ServiceOffering):
        raise bad_parameter("Unable to find service offering by id")
    return found


async def update(call: Call) -> dict[str, Any]:
    """updateVirtualMachine: in any state but Error and Expunging (431)."""
    vm = _own_vm(call)
    await network_reserved(vm)
    if call["haenable"] and not call.store.service_offerings[vm.offering_id].ha:
        raise bad_parameter("Can't enable ha for the vm as it's created from the Service offering having HA disabled")
    if vm.state in (FAILED, EXPUNGING):
        raise bad_parameter(f"Vm with id {vm.id} is not in the right state")
    check_userdata(call["userdata"])
    if call["ostypeid"] is NO_OBJECT:
        raise internal()
    _change(call, vm)
    return result(call, vm)


def check_userdata(userdata: str | None) -> None:
    """Refuse (431) user data that is not Base64, or has no byte.

    The real server takes Base64 without its padding, and reads it up to the first `=`.
    """
    if userdata is None:
        return
    if not _BASE64.fullmatch(userdata):
        raise bad_parameter("User data is not base64 encoded")
    if len("".join(userdata.split("=", 1)[0].split())) < 2:  # one digit is less than a byte
        raise bad_parameter("User data is too short")


def _change(call: Call, vm: Vm) -> None:
    if call["displayname"] is not None:
        vm.displayname = call["displayname"]
    if call["group"] is not None:
        vm.group_id = call.store.instance_group(call["group"], vm.owner).id
    if call["haenable"] is not None:
        vm.ha = call["haenable"]
    if call["ostypeid"] is not None:
        vm.os_type_id = call["ostypeid"].id
    if call["userdata"] is not None:
        vm.userdata = call["userdata"]

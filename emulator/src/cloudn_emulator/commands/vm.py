# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines: their state machine and the commands on one, as measured on CloudStack 3.0.5."""

from __future__ import annotations

import asyncio
import re
import secrets
import string
from collections.abc import Awaitable, Callable
from typing import Any

from ..calls import Call, check_access
from ..errors import bad_parameter, internal
from ..jobs import Work
from ..models import EXPUNGING, GONE, ServiceOffering, Vm
from .vm_view import vm_view

_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]+=*\s*")

# A deployment's phases as shares of its job: still Stopped, Starting without an address, with one, with its disk.
CREATED, NETWORK, DISK = 0.02, 0.13, 0.05
STARTED = 1 - CREATED - NETWORK - DISK


# --- the state machine


async def bring_up(call: Call, vm: Vm, pause: float = 0) -> None:
    """Stopped to Running; joins a change under way, and leaves alone what is Running already or Destroyed."""
    if pause:
        await call.jobs.take(pause)
    await settled(vm)
    if vm.state != "Stopped":
        _reserved(vm)
        await call.jobs.moment()
        return
    vm.state = "Starting"
    async with _Transition(vm):
        await call.jobs.take(NETWORK)
        call.store.reserve_address(vm)
        _reserved(vm)
        await call.jobs.take(DISK)
        _make_disks(call, vm)
        await call.jobs.take(STARTED)
        vm.state, vm.host_id = "Running", _host_for(call, vm)


def _make_disks(call: Call, vm: Vm) -> None:
    vm.root_device = "NetworkFilesystem"
    for volume in call.store.volumes_of(vm):
        if volume.state == "Allocated":
            volume.state, volume.storage = "Ready", f"primary-{call.store.zones[vm.zone_id].name}"


def _host_for(call: Call, vm: Vm) -> str | None:
    hosts = [host.id for host in call.store.hosts.values() if host.zone_id == vm.zone_id]
    return hosts[vm.serial % len(hosts)] if hosts else None


async def take_down(call: Call, vm: Vm, failure: str) -> None:
    """Running to Stopped; joins a stop under way, fails (530) while the machine is Starting."""
    while vm.state == "Stopping":
        await settled(vm)
    if vm.state == "Starting":
        await call.jobs.moment()
        raise internal(failure)
    if vm.state != "Running":
        await call.jobs.moment()
        return
    vm.state = "Stopping"
    async with _Transition(vm):
        await call.jobs.take(1)
        vm.state, vm.host_id = "Stopped", None


class _Transition:
    """While a job moves a VM: others can wait for its end. A start that fails leaves the VM Stopped."""

    def __init__(self, vm: Vm) -> None:
        self.vm = vm

    async def __aenter__(self) -> None:
        self.vm.transition = asyncio.get_running_loop().create_future()

    async def __aexit__(self, *failure: object) -> None:
        if self.vm.state == "Starting":
            self.vm.state = "Stopped"
        _reserved(self.vm)
        _open(self.vm.transition)
        self.vm.transition = None


async def settled(vm: Vm) -> None:
    """Wait until no job moves the VM."""
    while vm.transition is not None:
        await asyncio.shield(vm.transition)


def _reserved(vm: Vm) -> None:
    _open(vm.reserving)
    vm.reserving = None


def _open(gate: asyncio.Future[None] | None) -> None:
    if gate is not None and not gate.done():
        gate.set_result(None)


# --- commands on one VM


def _job_of(call: Call, change: Callable[[Call, Vm], Awaitable[str | None]]) -> Work:
    vm = call["id"]

    async def run() -> dict[str, Any]:
        check_access(call, vm.owner, vm.label)
        return result(call, vm, await change(call, vm))

    return Work(run, "VirtualMachine", vm.id)


def result(call: Call, vm: Vm, password: str | None = None) -> dict[str, Any]:
    return {"virtualmachine": vm_view(call, vm, password=password)}


def start(call: Call) -> Work:
    """startVirtualMachine: on a Destroyed VM it ends well, and the VM is still Destroyed."""
    return _job_of(call, bring_up)


def stop(call: Call) -> Work:
    """stopVirtualMachine."""
    return _job_of(call, lambda call, vm: take_down(call, vm, "Failed to stop vm"))


def reboot(call: Call) -> Work:
    """rebootVirtualMachine: fails (530) unless the VM is Running."""
    return _job_of(call, _reboot)


async def _reboot(call: Call, vm: Vm) -> None:
    if vm.state != "Running":
        await call.jobs.moment()
        raise internal("Failed to reboot vm instance")
    await call.jobs.take(1)


def destroy(call: Call) -> Work:
    """destroyVirtualMachine: a second time it does nothing and ends well. One in state Error goes to Expunging at once."""
    return _job_of(call, _destroy)


async def _destroy(call: Call, vm: Vm) -> None:
    await take_down(call, vm, "Internal error executing command, please contact your system administrator")
    if vm.state in ("Stopped", "Error"):
        failed = vm.state == "Error"
        call.store.mark_destroyed(vm)
        if failed:  # CloudStack's source has it so; it was not measured
            vm.state = EXPUNGING


def reset_password(call: Call) -> Work:
    """resetPasswordForVirtualMachine: works in any state, but only for password-enabled templates."""
    return _job_of(call, _reset_password)


async def _reset_password(call: Call, vm: Vm) -> str:
    if not call.store.templates[vm.template_id].password:
        await call.jobs.moment()
        raise bad_parameter("Fail to reset password for the virtual machine, the template is not password enabled")
    await call.jobs.take(1)
    return new_password()


def new_password() -> str:
    """A password of the service's kind: a small and a capital letter, a digit, six small letters."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, "23456789", *[string.ascii_lowercase] * 6)
    return "".join(secrets.choice(kind) for kind in kinds)


def recover(call: Call) -> dict[str, Any]:
    """recoverVirtualMachine: Destroyed becomes Stopped, anything else is a 431."""
    vm = call["id"]
    if vm.state != GONE:
        raise bad_parameter("Vm with specified id is not in the right state")
    vm.state, vm.destroyed_at = "Stopped", None
    return result(call, vm)


def change_service(call: Call) -> dict[str, Any]:
    """changeServiceForVirtualMachine: only Stopped, and only to another offering."""
    vm, offering = call["id"], service_offering(call["serviceofferingid"])
    check_access(call, vm.owner, vm.label)
    if vm.state != "Stopped":
        raise bad_parameter(
            f"Unable to upgrade virtual machine VM[User|{vm.name}] in state {vm.state}; make sure the virtual machine "
            "is stopped and not in an error state before upgrading."
        )
    if vm.offering_id == offering.id:
        raise bad_parameter(
            f"Not upgrading vm VM[User|{vm.name}] since it already has the requested service offering ({offering.name})"
        )
    vm.offering_id, vm.ha = offering.id, offering.ha
    for volume in call.store.volumes_of(vm):
        if volume.kind == "ROOT":
            volume.offering_id = offering.id
    return result(call, vm)


async def update(call: Call) -> dict[str, Any]:
    """updateVirtualMachine: waits while the VM's network is being reserved, since its row is locked then."""
    vm = call["id"]
    check_access(call, vm.owner, vm.label)
    if vm.reserving is not None:
        await asyncio.shield(vm.reserving)
    check_userdata(call["userdata"])
    if call["haenable"] and not call.store.service_offerings[vm.offering_id].ha:
        raise bad_parameter("Can't enable ha for the vm as it's created from the Service offering having HA disabled")
    _change(call, vm)
    return result(call, vm)


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


def service_offering(found: Any) -> ServiceOffering:
    """The service offering that a parameter names; a disk offering's id is of the same table, but no use (431)."""
    if not isinstance(found, ServiceOffering):
        raise bad_parameter(f"Unable to find service offering: {found.id}")
    return found


def check_userdata(userdata: str | None) -> None:
    if userdata is not None and not _BASE64.fullmatch(userdata):
        raise bad_parameter("User data is not base64 encoded")

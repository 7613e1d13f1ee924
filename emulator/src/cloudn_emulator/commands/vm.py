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
from ..generation import Differs
from ..jobs import Work
from ..models import (
    EXPUNGING,
    FAILED,
    GONE,
    NO_OBJECT,
    Account,
    SecurityGroup,
    ServiceOffering,
    Vm,
    Volume,
    new_id,
)
from ..owners import check_access
from ..settings import EXPUNGE_RECOVER, USER_DATA_SIZE
from .vm_state import bring_up, network_reserved, new_password, power_on, row_free, take_down
from .vm_view import vm_view

_BASE64 = re.compile(r"[A-Za-z0-9+/_\-=\s]*")

# --- with a job


def _job_of(call: Call, change: Callable[[Call, Vm], Awaitable[str | None]]) -> Work:
    vm = call["id"]

    if vm is not NO_OBJECT:
        call.of(_CHECK_AT_ONCE)(call, vm)

    async def run() -> dict[str, Any]:
        if vm is NO_OBJECT:
            raise bad_parameter(f"unable to find a virtual machine with id {vm.id}")
        check_access(call, vm.owner, vm.label)
        return result(call, vm, await change(call, vm))

    return Work(run, "VirtualMachine", None if vm is NO_OBJECT else vm.id)


# CloudStack 4 refuses another account's machine at once, 3 in the job.
_CHECK_AT_ONCE: Differs[Callable[[Call, Vm], None]] = Differs(
    lambda call, vm: None, lambda call, vm: check_access(call, vm.owner, vm.label)
)


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
    await row_free(call, vm)
    if vm.state != "Running" or (vm.transition and call.of(_STOPS_LATE)):
        await call.jobs.moment()
        raise call.of(_NO_REBOOT) if vm.state != "Running" else internal()
    await call.jobs.take(1)


_NO_REBOOT = Differs(internal("Failed to reboot vm instance"), bad_parameter("The Instance is not running"))
# Whether a machine that is told to stop stays Running for a while.
_STOPS_LATE = Differs(False, True)


def destroy(call: Call) -> Work:
    """destroyVirtualMachine: a second time it ends well without work. A VM in state Error becomes Expunging at once."""
    return _job_of(call, _destroy)


async def _destroy(call: Call, vm: Vm) -> None:
    call.of(_CHECK_DESTROY)(call, vm)
    await take_down(call, vm)
    if vm.state in ("Stopped", FAILED):
        failed = vm.state == FAILED
        call.store.mark_destroyed(vm)
        if failed:
            vm.state = EXPUNGING
    call.of(_AFTER_DESTROY)(call, vm)


def may_expunge(call: Call) -> bool:
    """Whether the caller may expunge and recover machines: an administrator, or each account if the operator says so."""
    return call.account.admin or call.store.settings.server_value(EXPUNGE_RECOVER) == "true"


def _check_destroy_4(call: Call, vm: Vm) -> None:
    if vm.protected:
        raise bad_parameter(f"Instance [id = {vm.id}] has delete protection enabled and cannot be deleted.")
    if call["expunge"] and not may_expunge(call):
        raise internal("Account does not have permission for expunging.")


def _after_destroy_4(call: Call, vm: Vm) -> None:
    """Data disks are detached and stay. With `expunge` the machine is gone at once."""
    for volume in call.store.volumes_of(vm):
        if volume.kind == "DATADISK":
            volume.vm_id = volume.device = volume.attached = None
    if call["expunge"]:
        call.store.expunge(vm)


_CHECK_DESTROY: Differs[Callable[[Call, Vm], None]] = Differs(lambda call, vm: None, _check_destroy_4)
_AFTER_DESTROY: Differs[Callable[[Call, Vm], None]] = Differs(lambda call, vm: None, _after_destroy_4)


def expunge(call: Call) -> Work:
    """expungeVirtualMachine: of a Destroyed machine, by whoever may."""
    vm = call["id"]

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        if vm.state != GONE:
            raise internal("Please destroy vm with specified vmId before expunge")
        if not may_expunge(call):
            raise internal("Expunging a vm can only be done by an Admin.")
        call.store.expunge(vm)
        return {"success": True}

    return Work(run, "VirtualMachine", vm.id)


def reset_password(call: Call) -> Work:
    """resetPasswordForVirtualMachine: for a template with passwords, and a machine that was started once."""
    return _job_of(call, _reset_password)


async def _reset_password(call: Call, vm: Vm) -> str:
    if not call.store.templates[vm.template_id].password:
        await call.jobs.moment()
        raise bad_parameter("Fail to reset password for the virtual machine, the template is not password enabled")
    await call.of(_RESET_READY)(call, vm)
    await call.jobs.take(1)
    return new_password()


async def _reset_ready_3(call: Call, vm: Vm) -> None:
    await network_reserved(vm)
    if vm.state not in ("Running", "Stopped") or vm.nic.ip is None:
        await call.jobs.moment()
        raise internal()


async def stopped_only(call: Call, vm: Vm) -> None:
    """Refuse (431) a machine that is not Stopped."""
    if vm.state != "Stopped" or vm.transition:
        await call.jobs.moment()
        raise bad_parameter(f"Vm {vm.label} should be stopped")


_RESET_READY: Differs[Callable[[Call, Vm], Awaitable[None]]] = Differs(_reset_ready_3, stopped_only)


def restore(call: Call) -> Work:
    """restoreVirtualMachine: makes the root disk again from its template.

    The real server does not check the owner, so this works for another account's machine too.
    """
    vm = call["virtualmachineid"]
    if vm is not NO_OBJECT:
        call.of(_CHECK_AT_ONCE)(call, vm)

    async def run() -> dict[str, Any]:
        if vm is NO_OBJECT:
            raise bad_parameter(f"Unable to find virtual machine with id {vm.id}")
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
    if call["id"] is not NO_OBJECT and not may_expunge(call) and call.of(_STOPS_LATE):
        text = "Recovering a vm can only be done by an Admin. Or when the allow.user.expunge.recover.vm key is set."
        raise ApiError(ACCOUNT, text)
    vm = _own_vm(call)
    if vm.state != GONE:
        raise bad_parameter("Vm with specified id is not in the right state")
    vm.state, vm.destroyed_at = "Stopped", None
    return result(call, vm)


def change_service(call: Call) -> dict[str, Any]:
    """changeServiceForVirtualMachine: only of a Stopped VM, and only to another offering."""
    vm = _own_vm(call)
    offering = service_offering(call["serviceofferingid"])
    if vm.state != "Stopped" or (vm.transition and call.of(_STOPS_LATE)):
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
    await row_free(call, vm)
    if call["haenable"] and not call.store.service_offerings[vm.offering_id].ha:
        raise call.of(_NO_HA)
    if vm.state in (FAILED, EXPUNGING):
        raise bad_parameter(f"Vm with id {vm.id} is not in the right state")
    check_userdata(call, call["userdata"])
    if call["ostypeid"] is NO_OBJECT:
        raise internal()
    call.of(_CHANGE_GROUPS)(call, vm)
    _change(call, vm)
    return result(call, vm)


def _change_groups_4(call: Call, vm: Vm) -> None:
    """Give a stopped machine other security groups, or none."""
    groups, names = call["securitygroupids"], call["securitygroupnames"]
    if groups is None and names is None:
        return
    if (groups is not None and names is not None) or vm.state != "Stopped":
        raise internal()
    vm.security_group_ids = [one.id for one in groups_named(call, call.store.accounts[vm.owner], groups, names)]


_CHANGE_GROUPS: Differs[Callable[[Call, Vm], None]] = Differs(lambda call, vm: None, _change_groups_4)


def groups_named(
    call: Call, owner: Account, groups: list[SecurityGroup] | None, names: list[str] | None
) -> list[SecurityGroup]:
    """The groups that a command gives by ids or by names, each once. Raises ApiError: 431 for unknown, 531 for others'."""
    if names:
        groups = [_group_named(call, owner, name) for name in names]
    for group in groups or ():
        if group is NO_OBJECT:
            raise bad_parameter("Unable to find security group by id")
        check_access(call, group.owner, group.label)
    return list({group.id: group for group in groups or ()}.values())


def _group_named(call: Call, owner: Account, name: str) -> SecurityGroup:
    group = call.store.security_group_named(name, owner.name)
    if group is None:
        raise bad_parameter(f"Unable to find group by name {name} for account {owner.number}")
    return group


_NO_HA = Differs(
    bad_parameter("Can't enable ha for the vm as it's created from the Service offering having HA disabled"),
    internal(),
)


def check_userdata(call: Call, userdata: str | None) -> None:
    """Refuse (431) user data that is not Base64, is too long or has no byte. CloudStack 4 takes an empty one.

    The real server takes Base64 without its padding, and reads it up to the first `=`.
    """
    if userdata is None or (not userdata and call.of(_TAKES_NO_DATA)):
        return
    if len(userdata) > int(call.store.settings.server_value(USER_DATA_SIZE)):
        raise bad_parameter("User data is too long")
    if not _BASE64.fullmatch(userdata):
        raise bad_parameter("User data is not base64 encoded")
    if len("".join(userdata.split("=", 1)[0].split())) < 2:  # one digit is less than a byte
        raise bad_parameter("User data is too short")


# The display name of a machine that is given an empty one.
_SHOWN: Differs[Callable[[Vm], str]] = Differs(lambda vm: "", lambda vm: vm.name)
_TAKES_NO_DATA = Differs(False, True)


def _change(call: Call, vm: Vm) -> None:
    if call["name"] is not None:
        call.store.rename(vm, call["name"])
        vm.displayname = call["name"]
    if call["deleteprotection"] is not None:
        vm.protected = call["deleteprotection"]
    if call["displayname"] is not None:
        vm.displayname = call["displayname"] or call.of(_SHOWN)(vm)
    if call["group"] is not None:
        vm.group_id = call.store.instance_group(call["group"], vm.owner).id
    if call["haenable"] is not None:
        vm.ha = call["haenable"]
    if call["ostypeid"] is not None:
        vm.os_type_id = call["ostypeid"].id
    if call["userdata"] is not None:
        vm.userdata = call["userdata"]

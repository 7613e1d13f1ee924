# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines: their commands and their state machine, as measured on CloudStack 3.0.5."""

from __future__ import annotations

import asyncio
import re
import secrets
import string
from collections.abc import Awaitable, Callable
from typing import Any

from ..calls import (
    Call,
    check_access,
    contains,
    date_text,
    has_tags,
    matching,
    no_permission,
    owner_for,
    owners,
    ownership,
    page_of,
    tag_list,
)
from ..errors import bad_parameter, internal
from ..jobs import Work
from ..models import (
    EXPUNGING,
    GONE,
    Account,
    DiskOffering,
    Nic,
    SecurityGroup,
    ServiceOffering,
    Template,
    Vm,
    Volume,
    new_id,
)
from ..store import by_name
from ..wire import listing
from .template import is_usable

DETAILS = ("all", "group", "nics", "stats", "secgrp", "tmpl", "servoff", "iso", "volume", "min")
GIB = 1024**3
HYPERVISOR = "Simulator"
_HOST_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]+=*\s*")

# A deployment's phases as shares of its job: still Stopped, Starting without an address, with one, with its disk.
CREATED, NETWORK, DISK = 0.02, 0.13, 0.05
STARTED = 1 - CREATED - NETWORK - DISK


# --- what a VM looks like


def vm_view(call: Call, vm: Vm, words: set[str] | None = None, password: str | None = None) -> dict[str, Any]:
    """A VM as answers show it; `words` are those of `details`, none means all."""
    every = not words or "all" in words
    words = words or set()
    store, admin = call.store, call.account.admin
    zone, host = store.zones[vm.zone_id], store.hosts.get(vm.host_id or "")
    view: dict[str, Any] = {"id": vm.id, "name": vm.name, "displayname": vm.displayname, **ownership(call, vm.owner)}
    view |= {"created": date_text(vm.created), "state": vm.state, "haenable": vm.ha}
    if vm.group_id and (every or "group" in words):
        view |= {"groupid": vm.group_id, "group": store.instance_groups[vm.group_id].name}
    view |= {"zoneid": zone.id, "zonename": zone.name}
    if admin:
        view |= {"hostid": host.id, "hostname": host.name} if host else {"hostid": "0"}
    if every or "tmpl" in words:
        view |= _template_fields(store.templates[vm.template_id])
    if every or "servoff" in words:
        view |= _offering_fields(store.service_offerings[vm.offering_id])
    view["guestosid"] = vm.os_type_id
    if every or "volume" in words:
        view |= {"rootdeviceid": 0, "rootdevicetype": vm.root_device}
    if every or "secgrp" in words:
        groups = (store.security_groups.get(id) for id in vm.security_group_ids)
        view["securitygroup"] = [_group_fields(group) for group in groups if group]
    if password:
        view["password"] = password
    if every or "nics" in words:
        view["nic"] = [_nic_fields(vm.nic, every, admin)]
    view["hypervisor"] = HYPERVISOR
    if admin:
        view["instancename"] = instance_name(call, vm)
    view["tags"] = tag_list(call, "UserVm", vm.id)
    if vm.keypair and every:
        view["keypair"] = vm.keypair
    return view


def instance_name(call: Call, vm: Vm) -> str:
    """The name that the hypervisor knows a VM by."""
    return f"i-{call.store.accounts[vm.owner].number}-{vm.serial}-VM"


def _template_fields(template: Template) -> dict[str, Any]:
    return {
        "templateid": template.id,
        "templatename": template.name,
        "templatedisplaytext": template.text,
        "passwordenabled": template.password,
    }


def _offering_fields(offering: ServiceOffering) -> dict[str, Any]:
    return {
        "serviceofferingid": offering.id,
        "serviceofferingname": offering.name,
        "cpunumber": offering.cpus,
        "cpuspeed": offering.speed,
        "memory": offering.memory,
    }


def _group_fields(group: SecurityGroup) -> dict[str, Any]:
    fields = {"id": group.id, "name": group.name}
    return fields if group.description is None else {**fields, "description": group.description}


def _nic_fields(nic: Nic, every: bool, admin: bool) -> dict[str, Any]:
    fields: dict[str, Any] = {"id": nic.id, "networkid": nic.network_id}
    if not every:
        fields["networkname"] = "guestNetworkForBasicZone"
    if nic.ip:
        gateway = ".".join([*nic.ip.split(".")[:2], "0", "1"])
        fields |= {"netmask": "255.255.0.0", "gateway": gateway, "ipaddress": nic.ip}
        if admin:
            fields |= {"isolationuri": "ec2://untagged", "broadcasturi": "vlan://untagged"}
    fields |= {"traffictype": "Guest", "type": "Shared", "isdefault": True}
    if nic.ip and every:
        fields["macaddress"] = nic.mac
    return fields


# --- listing


def list_vms(call: Call) -> dict[str, Any]:
    """listVirtualMachines: pages by creation time, oldest first; the order within a page means nothing."""
    words = set(call["details"] or ())
    if not words <= set(DETAILS):
        raise bad_parameter(
            "The details parameter contains a non permitted value. The allowed values are " + f"[{', '.join(DETAILS)}]"
        )
    found = matching(call.store.vms.values(), _vm_tests(call))
    return listing("virtualmachine", [vm_view(call, vm, words) for vm in reversed(page_of(call, found))])


def _vm_tests(call: Call) -> list[Callable[[Vm], bool] | None]:
    p = call.params
    keyword, name, state = p.get("keyword"), p.get("name"), p.get("state")
    return [
        owners(call),
        None if call.account.admin else lambda vm: vm.state not in (GONE, EXPUNGING),
        (lambda vm: vm.id == p["id"].id) if "id" in p else None,
        (lambda vm: contains(vm.name, name)) if name is not None else None,
        (lambda vm: vm.state.lower() == state.lower()) if state is not None else None,
        (lambda vm: _is_named(call, vm, keyword)) if keyword is not None else None,
        (lambda vm: vm.zone_id == p["zoneid"].id) if "zoneid" in p else None,
        (lambda vm: vm.template_id == p["templateid"].id) if "templateid" in p else None,
        (lambda vm: vm.group_id == p["groupid"].id) if "groupid" in p else None,
        (lambda vm: vm.zone_id == p["networkid"].id) if "networkid" in p else None,
        (lambda vm: vm.host_id == p["hostid"].id) if "hostid" in p else None,
        (lambda vm: False) if "isoid" in p else None,  # nothing here has a disc in its drive
        (lambda vm: p["hypervisor"].lower() == HYPERVISOR.lower()) if "hypervisor" in p else None,
        has_tags(call, "UserVm"),
    ]


def _is_named(call: Call, vm: Vm, keyword: str) -> bool:
    return (
        contains(vm.name, keyword)
        or contains(vm.displayname, keyword)
        or contains(instance_name(call, vm), keyword)
        or vm.state.lower() == keyword.lower()
    )


# --- deploying


def deploy(call: Call) -> Work:
    """deployVirtualMachine: everything about the parameters is refused at once; the machine starts in the job."""
    owner = owner_for(call)
    offering = service_offering(call["serviceofferingid"])
    disk = _disk_offering(call)
    groups = _security_groups(call, owner)
    if call["networkids"]:
        raise bad_parameter("Can't specify network Ids in Basic zone")
    _check_template(call)
    _check_userdata(call["userdata"])
    _check_key_pair(call, owner)
    vm = _new_vm(call, owner, offering, groups, _host_name(call))
    call.store.add_vm(vm)
    _add_disks(call, vm, disk)

    async def run() -> dict[str, Any]:
        if call["startvm"] is False:
            return _result(call, vm)
        await bring_up(call, vm, CREATED)
        template = call.store.templates[vm.template_id]
        fresh = _password() if template.password and vm.state == "Running" else None
        return _result(call, vm, fresh)

    if call["startvm"] is not False:
        vm.reserving = asyncio.get_running_loop().create_future()
    return Work(run, "VirtualMachine", vm.id, created_id=vm.id)


def service_offering(found: Any) -> ServiceOffering:
    """The service offering that a parameter names; a disk offering's id is of the same table, but no use (431)."""
    if not isinstance(found, ServiceOffering):
        raise bad_parameter(f"Unable to find service offering: {found.id}")
    return found


def _disk_offering(call: Call) -> DiskOffering | None:
    found = call["diskofferingid"]
    if found is None:
        return None
    if not isinstance(found, DiskOffering):
        raise bad_parameter(f"Unable to find disk offering {found.id}")
    if found.custom and not 1 <= (call["size"] or 0) <= 1024:
        raise bad_parameter("Please specify a valid disk size between 1 and 1024 GB.")
    return found


def _security_groups(call: Call, owner: Account) -> list[SecurityGroup]:
    groups, names = call["securitygroupids"], call["securitygroupnames"]
    if groups and names:
        raise bad_parameter("securitygroupids parameter is mutually exclusive with securitygroupnames parameter")
    if names:
        groups = [_group_named(call, owner, name) for name in names]
    if not groups:
        groups = [_group_named(call, owner, "default")]
    for group in groups:
        check_access(call, group.owner, group.label)
    return list({group.id: group for group in groups}.values())


def _group_named(call: Call, owner: Account, name: str) -> SecurityGroup:
    group = by_name(call.store.security_groups.values(), name, owner.name)
    if group is None:
        raise bad_parameter(f"Unable to find group by name {name} for account {owner.number}")
    return group


def _check_template(call: Call) -> None:
    template, zone = call["templateid"], call["zoneid"]
    if not is_usable(call, template):
        raise no_permission(call, call.store.accounts[template.owner].label)
    if zone.id not in template.zone_ids:
        raise bad_parameter(f"Template {template.id} is not available in zone {zone.id}")
    if zone.id in template.unready:
        raise bad_parameter(f"Template {template.id} is not ready")


def _check_userdata(userdata: str | None) -> None:
    if userdata is not None and not _BASE64.fullmatch(userdata):
        raise bad_parameter("User data is not base64 encoded")


def _check_key_pair(call: Call, owner: Account) -> None:
    name = call["keypair"]
    if name is not None and call.store.key_pair(name, owner.name) is None:
        raise bad_parameter(f"A key pair with name '{name}' was not found.")


def _host_name(call: Call) -> str | None:
    name = call["name"]
    if name is None:
        return None
    if not _HOST_NAME.fullmatch(name):
        raise bad_parameter(
            "Invalid name. Vm name can contain ASCII letters 'a' through 'z', the digits '0' through '9', and the "
            "hyphen ('-'), must be between 1 and 63 characters long, and can't start or end with \"-\" and can't "
            "start with digit"
        )
    if call.store.host_name_taken(call["zoneid"], name):
        raise bad_parameter(f"The vm with hostName {name} already exists in the network domain: cs1cloud.internal")
    return name


def _new_vm(call: Call, owner: Account, offering: ServiceOffering, groups: list[SecurityGroup], name: str | None) -> Vm:
    serial, id, template = call.store.next_serial(), new_id(), call["templateid"]
    shown = call["displayname"]
    group = call["group"]
    return Vm(
        serial=serial,
        id=id,
        owner=owner.name,
        name=name or id,
        displayname=(name or id) if shown is None else shown,
        zone_id=call["zoneid"].id,
        template_id=template.id,
        offering_id=offering.id,
        os_type_id=template.os_type_id,
        nic=Nic(new_id(), call["zoneid"].network_id, mac_address(serial)),
        security_group_ids=[one.id for one in groups],
        created=call.store.now(),
        ha=offering.ha,
        group_id=call.store.instance_group(group, owner.name).id if group is not None else None,
        keypair=call["keypair"],
        userdata=call["userdata"],
    )


def mac_address(serial: int) -> str:
    """The hardware address of the machine with this number."""
    return "06:" + ":".join(f"{(serial >> shift) & 255:02x}" for shift in (32, 24, 16, 8, 0))


def _add_disks(call: Call, vm: Vm, disk: DiskOffering | None) -> None:
    template = call.store.templates[vm.template_id]
    root = _disk(vm, "ROOT", template.size, 0)
    root.offering_id, root.template_id = vm.offering_id, template.id
    call.store.volumes[root.id] = root
    if disk:
        data = _disk(vm, "DATADISK", (call["size"] if disk.custom else disk.size) * GIB, 1)
        data.disk_offering_id = disk.id
        call.store.volumes[data.id] = data


def _disk(vm: Vm, kind: str, size: int, device: int) -> Volume:
    name = f"{'ROOT' if kind == 'ROOT' else 'DATA'}-{vm.serial}"
    return Volume(vm.serial, new_id(), vm.owner, name, vm.zone_id, kind, size, vm.created, vm_id=vm.id, device=device)


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
        return _result(call, vm, await change(call, vm))

    return Work(run, "VirtualMachine", vm.id)


def _result(call: Call, vm: Vm, password: str | None = None) -> dict[str, Any]:
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
    return _password()


def _password() -> str:
    """A password of the service's kind: a small and a capital letter, a digit, six small letters."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, "23456789", *[string.ascii_lowercase] * 6)
    return "".join(secrets.choice(kind) for kind in kinds)


def recover(call: Call) -> dict[str, Any]:
    """recoverVirtualMachine: Destroyed becomes Stopped, anything else is a 431."""
    vm = call["id"]
    if vm.state != GONE:
        raise bad_parameter("Vm with specified id is not in the right state")
    vm.state, vm.destroyed_at = "Stopped", None
    return _result(call, vm)


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
    return _result(call, vm)


async def update(call: Call) -> dict[str, Any]:
    """updateVirtualMachine: waits while the VM's network is being reserved, since its row is locked then."""
    vm = call["id"]
    check_access(call, vm.owner, vm.label)
    if vm.reserving is not None:
        await asyncio.shield(vm.reserving)
    _check_userdata(call["userdata"])
    if call["haenable"] and not call.store.service_offerings[vm.offering_id].ha:
        raise bad_parameter("Can't enable ha for the vm as it's created from the Service offering having HA disabled")
    _change(call, vm)
    return _result(call, vm)


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

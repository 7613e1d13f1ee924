# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""deployVirtualMachine: what it takes and refuses, as measured on CloudStack 3.0.5."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from ..calls import Call, check_access, owner_for
from ..errors import bad_parameter, internal
from ..jobs import Work
from ..limits import check_limit
from ..models import (
    GIB,
    Account,
    DiskOffering,
    Nic,
    SecurityGroup,
    ServiceOffering,
    Vm,
    Volume,
    mac_address,
    new_id,
)
from ..store import by_name
from .template_access import check_use
from .vm import CREATED, bring_up, check_userdata, new_password, result, service_offering

_HOST_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def deploy(call: Call) -> Work:
    """deployVirtualMachine: everything about the parameters is refused at once; the machine starts in the job."""
    owner = owner_for(call)
    offering = service_offering(call["serviceofferingid"])
    disk = _disk_offering(call)
    groups = _security_groups(call, owner)
    if call["networkids"]:
        raise bad_parameter("Can't specify network Ids in Basic zone")
    check_limit(call, owner.name, "instance")
    _check_template(call)
    check_userdata(call["userdata"])
    _check_key_pair(call, owner)
    vm = _new_vm(call, owner, offering, groups, _host_name(call))
    call.store.add_vm(vm)
    _add_disks(call, vm, disk)

    async def run() -> dict[str, Any]:
        if call["startvm"] is False:
            return result(call, vm)
        await bring_up(call, vm, CREATED)
        template = call.store.templates[vm.template_id]
        fresh = new_password() if template.password and vm.state == "Running" else None
        return result(call, vm, fresh)

    if call["startvm"] is not False:
        vm.reserving = asyncio.get_running_loop().create_future()
    return Work(run, "VirtualMachine", vm.id, created_id=vm.id)


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
    check_use(call, template)
    if template.is_iso and (call["diskofferingid"] is None or call["hypervisor"] is None):
        raise bad_parameter("Installing from ISO requires a disk offering to be specified for the root disk.")
    if zone.id not in template.zone_ids:
        raise bad_parameter(f"Template {template.id} is not available in zone {zone.id}")
    if zone.id in template.unready:
        raise internal()  # the real server has no size of it yet, and falls over


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
    serial, id, template = call.store.next_row("vm_instance"), new_id(), call["templateid"]
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

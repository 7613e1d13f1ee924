# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""deployVirtualMachine, as measured on CloudStack 3.0.5; the order of its checks is from its source."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..calls import Call
from ..errors import INTERNAL, NO_CLASS, ApiError, bad_parameter, internal, unreadable
from ..generation import Differs
from ..jobs import Work
from ..limits import check_limit
from ..models import (
    GIB,
    NO_OBJECT,
    Account,
    AffinityGroup,
    DiskOffering,
    KeyPair,
    Nic,
    SecurityGroup,
    ServiceOffering,
    Template,
    Vm,
    Volume,
    mac_address,
    new_id,
)
from ..owners import owner_for
from ..settings import DYNAMIC_SCALE
from .affinity import affinity_groups_named
from .hypervisors import NONE, hypervisor_of
from .template_access import check_use, existing
from .vm import check_host, check_userdata, groups_named, result, service_offering
from .vm_state import power_on

_HOST_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
NO_SUCH_NETWORK = (
    "Unable to execute API command deployvirtualmachine due to invalid value. Object networks(uuid: {}) does not exist."
)


async def deploy(call: Call) -> Work:
    """deployVirtualMachine: nearly all parameters are checked at once. The machine starts in the job."""
    owner = owner_for(call)
    if call["zoneid"] is NO_OBJECT:
        raise bad_parameter("Unable to find zone by id")
    call.of(_CHECK_OFFERINGS)(call)
    offering = service_offering(call["serviceofferingid"])
    _check_network(call)
    groups = _security_groups(call, owner)
    check_limit(call, owner.name, "instance")
    check_limit(call, owner.name, "volume")
    _check_template(call)
    disk = _data_disk(call)
    check_userdata(call, call["userdata"])
    pairs = _key_pairs(call, owner)
    affinity_groups = call.of(_AFFINITY_GROUPS)(call, owner)
    if call["rootdisksize"] is not None and call["rootdisksize"] <= 0:
        raise bad_parameter("Root disk size should be a positive number.")
    name = await _host_name(call)
    _check_rows(call, disk)
    vm = _new_vm(call, owner, offering, groups, name)
    vm.affinity_group_ids = [group.id for group in affinity_groups]
    call.of(_KEEP_KEYS)(vm, key_names(call), pairs)
    call.store.add_vm(vm)
    _add_disks(call, vm, disk)
    return Work(lambda: _run(call, vm), "VirtualMachine", vm.id, created_id=vm.id)


async def _run(call: Call, vm: Vm) -> dict[str, Any]:
    if call["startvm"] is False:
        return result(call, vm)
    try:
        check_host(call)
        password = await power_on(call, vm, deploying=True)
    except ApiError:
        if vm.state == "Stopped":
            call.store.mark_failed(vm)
        raise
    vm.has_sealed_password = bool(password and vm.key_pairs)
    return result(call, vm, password)


# --- checks, in their order


def _check_offerings_4(call: Call) -> None:
    """CloudStack 4 keeps both kinds of offerings apart, and looks at the size of a custom disk."""
    if call["templateid"] is None:
        raise internal()
    check_host(call)
    template, hypervisor = call["templateid"], hypervisor_of(call["hypervisor"] or "")
    if isinstance(template, Template) and hypervisor not in (NONE, template.hypervisor):
        raise bad_parameter("Hypervisor passed to the deployVm call, is different from that of the Template")
    if call["serviceofferingid"] is NO_OBJECT:
        raise ApiError(INTERNAL, "Internal error executing command", NO_CLASS)
    disk, size = call["diskofferingid"], call["size"]
    if isinstance(call["serviceofferingid"], DiskOffering) or isinstance(disk, ServiceOffering):
        raise unreadable("Invalid parameter: the entity does not exist")
    if isinstance(disk, DiskOffering) and disk.custom and size is not None and not 1 <= size <= LARGEST_SIZE:
        raise bad_parameter(f"Volume size: {size} GB is out of allowed range. Min: 1. Max: {LARGEST_SIZE}")


LARGEST_SIZE = 1024  # GiB
_CHECK_OFFERINGS: Differs[Callable[[Call], None]] = Differs(lambda call: None, _check_offerings_4)


def _check_network(call: Call) -> None:
    """A Basic zone has one network. Naming any network is refused (431), even an empty list.

    An Advanced zone takes networks of its own: CloudStack's documentation; not measured.
    """
    if call["zoneid"].kind == "Advanced":
        if any(network is NO_OBJECT or network.id != call["zoneid"].id for network in call["networkids"] or ()):
            raise bad_parameter("Unable to find network by id in the zone")
        return
    for entry in call["iptonetworklist"] or ():
        id = entry.get("networkid")
        if id is None or call.store.find("networks", id) is None:
            raise bad_parameter(NO_SUCH_NETWORK.format(id))
    if call["networkids"] is not None or call["iptonetworklist"]:
        raise bad_parameter("Can't specify network Ids in Basic zone")


def _security_groups(call: Call, owner: Account) -> list[SecurityGroup]:
    groups, names = call["securitygroupids"], call["securitygroupnames"]
    if groups is not None and names is not None:
        raise bad_parameter("securitygroupids parameter is mutually exclusive with securitygroupnames parameter")
    return groups_named(call, owner, groups, names) or groups_named(call, owner, None, ["default"])


def _check_template(call: Call) -> None:
    template, zone = existing(call["templateid"], "Template id supplied doesn't exist"), call["zoneid"]
    check_use(call, template)
    if template.is_iso and (call["diskofferingid"] is None or call["hypervisor"] is None):
        raise bad_parameter("Installing from ISO requires a disk offering to be specified for the root disk.")
    if zone.id not in template.zone_ids:
        raise bad_parameter(f"The template {template.id} is not available for use")


def _data_disk(call: Call) -> tuple[str, int] | None:
    """The offering and size (bytes) of the data disk, if one is wanted.

    The id of a service offering makes one as well, since the real server has both kinds in one table. Like a custom
    disk offering it has no size of its own, and any size is taken. The other offerings ignore the given size.
    """
    found, size = call["diskofferingid"], call["size"]
    if found is None:
        return None
    if found is NO_OBJECT:
        raise bad_parameter("Unable to find disk offering by id")
    if isinstance(found, DiskOffering) and not found.custom:
        return found.id, found.size * GIB
    if size is None:
        raise bad_parameter(f"Disk offering {found.id} requires size parameter.")
    bits = 1 << 64
    return found.id, (size * GIB + bits // 2) % bits - bits // 2  # Java's numbers of 64 bits wrap around


def _key_pairs(call: Call, owner: Account) -> list[KeyPair]:
    """The pairs that are named. An empty name means none."""
    return pairs_named(call, owner, key_names(call))


def key_names(call: Call) -> list[str]:
    """The names of pairs that a command gives, as it gives them."""
    return [call["keypair"]] if call["keypair"] else call["keypairs"] or []


def pairs_named(call: Call, owner: Account, names: list[str]) -> list[KeyPair]:
    """The pairs of these names. Raises ApiError (431)."""
    pairs = []
    for name in names:
        pair = call.store.key_pair(name, owner.name)
        if pair is None:
            raise bad_parameter(f"A key pair with name '{name}' was not found.")
        pairs.append(pair)
    return pairs


def _keep_keys_3(vm: Vm, names: list[str], pairs: list[KeyPair]) -> None:
    vm.public_key = pairs[0].public_key if pairs else None


def keep_keys(vm: Vm, names: list[str], pairs: list[KeyPair]) -> None:
    """Give a machine the keys of these pairs. On CloudStack 4 it keeps their names, even when they are deleted."""
    vm.key_pairs = list(names)
    vm.public_key = "\n".join(pair.public_key for pair in pairs) or None


_KEEP_KEYS: Differs[Callable[[Vm, list[str], list[KeyPair]], None]] = Differs(_keep_keys_3, keep_keys)
_AFFINITY_GROUPS: Differs[Callable[[Call, Account], list[AffinityGroup]]] = Differs(
    lambda call, owner: [], affinity_groups_named
)


async def _host_name(call: Call) -> str | None:
    name, zone = call["name"], call["zoneid"]
    if name is None:
        return None
    if not _HOST_NAME.fullmatch(name):
        raise unreadable(
            "Invalid name. Vm name can contain ASCII letters 'a' through 'z', the digits '0' through '9', and the "
            "hyphen ('-'), must be between 1 and 63 characters long, and can't start or end with \"-\" and can't "
            "start with digit"
        )
    if call.store.host_name_taken(zone, name):
        raise bad_parameter(f"The vm with hostName {name} already exists in the network domain: cs1cloud.internal")
    await call.store.races.gap(("vm", zone.network_id, name))
    return name


def _check_rows(call: Call, disk: tuple[str, int] | None) -> None:
    """Raise the errors (530) of the database or network: an address, no file of the template, a size below zero."""
    if call["ipaddress"] is not None:
        raise internal()
    if call["zoneid"].id in call["templateid"].unready or (disk and disk[1] < 0):
        raise internal()


# --- the rows

# The name of a machine that was given none.
_NAME: Differs[Callable[[str], str]] = Differs(lambda id: id, lambda id: f"VM-{id}")


def _new_vm(call: Call, owner: Account, offering: ServiceOffering, groups: list[SecurityGroup], name: str | None) -> Vm:
    serial, id, template = call.store.next_row("vm_instance"), new_id(), call["templateid"]
    made_up = call.of(_NAME)(id)
    networks = call["networkids"] or [call["zoneid"]]
    shown = call["displayname"]
    group = call["group"]
    return Vm(
        serial=serial,
        id=id,
        owner=owner.name,
        name=name or made_up,
        displayname=(name or made_up) if shown is None else shown,
        zone_id=call["zoneid"].id,
        template_id=template.id,
        offering_id=offering.id,
        os_type_id=template.os_type_id,
        nic=Nic(new_id(), networks[0].network_id, mac_address(serial)),
        more_nics=[Nic(new_id(), network.network_id, mac_address(serial)) for network in networks[1:]],
        security_group_ids=[one.id for one in groups],
        created=call.store.now(),
        ha=offering.ha,
        group_id=call.store.instance_group(group, owner.name).id if group is not None else None,
        userdata=call["userdata"],
        password_due=True,
        keyboard=call["keyboard"],
        scalable=call.store.settings.server_value(DYNAMIC_SCALE) == "true",
    )


def _add_disks(call: Call, vm: Vm, disk: tuple[str, int] | None) -> None:
    template = call.store.templates[vm.template_id]
    size = (call["rootdisksize"] or 0) * GIB or template.size
    root = _disk(vm, "ROOT", size, 0)
    root.offering_id, root.template_id = vm.offering_id, template.id
    call.store.volumes[root.id] = root
    if disk:
        data = _disk(vm, "DATADISK", disk[1], 1)
        data.disk_offering_id = disk[0]
        call.store.volumes[data.id] = data


def _disk(vm: Vm, kind: str, size: int, device: int) -> Volume:
    name = f"{'ROOT' if kind == 'ROOT' else 'DATA'}-{vm.serial}"
    return Volume(vm.serial, new_id(), vm.owner, name, vm.zone_id, kind, size, vm.created, vm_id=vm.id, device=device)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How CloudStack 4 shows virtual machines, as measured on 4.23."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ..calls import Call
from ..fields import date_text, ownership, tag_list
from ..models import AffinityGroup, Nic, SecurityGroup, ServiceOffering, Template, Vm
from ..wire import JavaMap

HYPERVISOR = "Simulator"
# What the service hides from plain accounts in the details of a machine.
_OF_ADMINISTRATORS = {"cpuOvercommitRatio": "20.0", "memoryOvercommitRatio": "20.0"}
READ_ONLY = (
    "dataDiskController, rootDiskController, backupValidationCommandTimeout, backupValidationScreenshotWait, "
    "backupValidationBootTimeout"
)


def vm_view(call: Call, vm: Vm, shown: Collection[str], password: str | None = None) -> dict[str, Any]:
    """A VM as answers show it. What the words of `details` leave out is missing, or an empty list."""
    lists = _shown_lists(call, vm, shown)
    view = {**_identity(call, vm), **_instance_group(call, vm, shown), **_place(call, vm)}
    if "tmpl" in shown:
        view |= _template_fields(call.store.templates[vm.template_id])
    if "iso" in shown:
        view |= {"isos": [], "isomaxcount": 1}
    view |= _offering_fields(call, vm, shown)
    view["guestosid"] = vm.os_type_id
    if "volume" in shown:
        view |= {"rootdeviceid": 0, "rootdevicetype": "ROOT"}
    view["securitygroup"] = [_group_view(group) for group in lists["secgrp"]]
    if password:
        view["password"] = password
    view["nic"] = [{**nic_view(call, nic), "isdefault": nic is vm.nic} for nic in lists["nics"]]
    view["hypervisor"] = HYPERVISOR
    if vm.nic.ip and vm.nic in lists["nics"]:
        view["ipaddress"] = vm.nic.ip
    return {**view, **_rest(call, vm, lists["affgrp"])}


def _shown_lists(call: Call, vm: Vm, shown: Collection[str]) -> dict[str, list[Any]]:
    """What is shown of a VM's groups, affinity groups and network cards, by the word of `details` for each.

    The service reads a row for each combination of a group, an affinity group, a card and a tag of the VM. The words count
    for the first row alone: a VM with more rows shows what the other rows have. Source: CloudStack 4's code; measured
    with two security groups.
    """
    lists: dict[str, list[Any]] = {
        "secgrp": call.store.groups_of(vm),
        "affgrp": [call.store.affinity_groups[id] for id in vm.affinity_group_ids],
        "nics": [vm.nic, *vm.more_nics],
    }
    rows = max(1, len(call.store.tags.get(("UserVm", vm.id), {})))
    for found in lists.values():
        rows *= max(1, len(found))
    return {word: found if word in shown else _of_other_rows(found, rows) for word, found in lists.items()}


def _of_other_rows(found: list[Any], rows: int) -> list[Any]:
    """What is in other rows than the first. It is all where another kind has several."""
    return found if rows > max(1, len(found)) else found[1:]


def _identity(call: Call, vm: Vm) -> dict[str, Any]:
    owner = call.store.accounts[vm.owner]
    view: dict[str, Any] = {"id": vm.id, "name": vm.name, "displayname": vm.displayname, "account": owner.name}
    view |= {"userid": owner.user_id, "username": owner.name, **ownership(call, vm.owner)}
    view["created"] = date_text(vm.created)
    if vm.updated is not None:
        view["lastupdated"] = date_text(vm.updated)
    return {**view, "state": vm.state, "haenable": vm.ha}


def _instance_group(call: Call, vm: Vm, shown: Collection[str]) -> dict[str, Any]:
    if "group" not in shown or not vm.group_id:
        return {}
    return {"groupid": vm.group_id, "group": call.store.instance_groups[vm.group_id].name}


def _place(call: Call, vm: Vm) -> dict[str, Any]:
    zone = call.store.zones[vm.zone_id]
    view: dict[str, Any] = {"zoneid": zone.id, "zonename": zone.name}
    host = call.store.hosts.get(vm.host_id or "")
    if call.account.admin and host:
        view |= {"hostid": host.id, "hostname": host.name}
    if vm.state in ("Running", "Starting", "Stopping"):
        view["hostcontrolstate"] = "Enabled"
    return view


def _template_fields(template: Template) -> dict[str, Any]:
    return {
        "templateid": template.id,
        "templatename": template.name,
        "templatetype": template_type(template),
        "templateformat": template.format,
        "templatedisplaytext": template.text,
        "passwordenabled": template.password,
    }


def template_type(template: Template) -> str:
    """The kind of a template. Those that the service offers are built in."""
    return "BUILTIN" if template.builtin or template.owner in ("admin", "system") else "USER"


def _offering_fields(call: Call, vm: Vm, shown: Collection[str]) -> dict[str, Any]:
    offering: ServiceOffering = call.store.service_offerings[vm.offering_id]
    view: dict[str, Any] = {}
    if "servoff" in shown:
        view |= {"serviceofferingid": offering.id, "serviceofferingname": offering.name}
    disks = [one.disk_offering_id for one in call.store.volumes_of(vm) if one.kind == "DATADISK"]
    if "diskoff" in shown and disks and disks[0]:
        disk = call.store.find("disk_offering", disks[0])
        view |= {"diskofferingid": disk.id, "diskofferingname": disk.name}
    if "servoff" in shown or "stats" in shown:
        view |= {"cpunumber": offering.cpus, "cpuspeed": offering.speed, "memory": offering.memory}
    return view


def _group_view(group: SecurityGroup) -> dict[str, Any]:
    """A group of a VM, without its rules and machines."""
    return {
        "id": group.id,
        "name": group.name,
        **({} if group.description is None else {"description": group.description}),
        "account": group.owner,
        "ingressrule": [],
        "egressrule": [],
        "tags": [],
        "virtualmachineids": [],
    }


def nic_view(call: Call, nic: Nic) -> dict[str, Any]:
    """The network card of a VM. It has no address before the first start."""
    fields: dict[str, Any] = {"id": nic.id, "networkid": nic.network_id, "networkname": _network_name(call, nic)}
    if nic.ip:
        gateway = ".".join([*nic.ip.split(".")[:2], "0", "1"])
        fields |= {"netmask": "255.255.0.0", "gateway": gateway, "ipaddress": nic.ip}
        fields["broadcasturi"] = "vlan://untagged"
    fields |= {"traffictype": "Guest", "type": "Shared", "isdefault": True}
    if nic.ip:
        fields["macaddress"] = nic.mac
    return {**fields, "secondaryip": [], "extradhcpoption": [], "deviceid": "0", "enabled": True}


def _network_name(call: Call, nic: Nic) -> str:
    network = call.store.network(nic.network_id)
    return network.network_name if network else ""


def _rest(call: Call, vm: Vm, affinity: list[AffinityGroup]) -> dict[str, Any]:
    view: dict[str, Any] = {}
    if call.account.admin:
        number = call.store.accounts[vm.owner].number
        view |= {"instancename": f"i-{number}-{vm.serial}-VM", "displayvm": True, "arch": "x86_64"}
    view["details"] = JavaMap(_details(call, vm))
    if not call.account.admin:
        view["readonlydetails"] = READ_ONLY
    if vm.key_pairs:
        view["keypairs"] = ",".join(vm.key_pairs)
    view["affinitygroup"] = [{"id": one.id, "name": one.name, "account": one.owner} for one in affinity]
    view |= {"isdynamicallyscalable": vm.scalable, "deleteprotection": vm.protected, "ostypeid": vm.os_type_id}
    view["osdisplayname"] = call.store.os_types[vm.os_type_id].description
    if vm.root_device != "Not created":
        view["pooltype"] = "NetworkFilesystem"
    view |= {"receivedbytes": 0, "sentbytes": 0, "tags": tag_list(call, "UserVm", vm.id), "hasannotations": False}
    if vm.job_ids:
        view |= {"jobid": vm.job_ids[0], "jobstatus": 0}
    return view


def _details(call: Call, vm: Vm) -> dict[str, str]:
    """What the service keeps of a VM: its keys and keyboard, and, until it was started, that it is being deployed."""
    details = {}
    if vm.key_pairs:
        details["SSH.PublicKey"] = "\n".join(f"{key} \n" for key in (vm.public_key or "").splitlines())
        if vm.has_sealed_password:
            details["Encrypted.Password"] = "A" * 342 + "=="
        details["SSH.KeyPairNames"] = ",".join(vm.key_pairs)
    if vm.keyboard:
        details["keyboard"] = vm.keyboard
    if vm.password_due:
        details["deployvm"] = "true"
    elif call.account.admin:
        details |= _OF_ADMINISTRATORS
        if vm.freed:
            details["Message.ReservedCapacityFreed.Flag"] = "false"
    return details

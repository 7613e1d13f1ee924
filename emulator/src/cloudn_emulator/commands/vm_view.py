# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How virtual machines are shown and listed, as measured on CloudStack 3.0.5."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from ..calls import Call, page_of
from ..collation import collated, contains
from ..errors import bad_parameter, internal
from ..fields import date_text, details, ownership, tag_list
from ..filters import equals, has_tags, matching, named, refers_to
from ..generation import Differs
from ..models import EXPUNGING, GONE, NO_OBJECT, Nic, SecurityGroup, ServiceOffering, Template, Vm
from ..owners import owners
from ..settings import VIEW_DESTROYED
from ..wire import listing
from . import vm_view_4
from .hypervisors import NONE, hypervisor_of

_WORDS_3 = ("all", "group", "nics", "stats", "secgrp", "tmpl", "servoff", "iso", "volume", "min")
_MORE_WORDS = ("diskoff", "backoff", "affgrp", "vnfnics")
DETAILS: Differs[Collection[str]] = Differs(_WORDS_3, (*_WORDS_3, *_MORE_WORDS))
HYPERVISOR = "Simulator"


def vm_view(call: Call, vm: Vm, shown: Collection[str] | None = None, password: str | None = None) -> dict[str, Any]:
    """A VM as answers show it, with the fields of these words of `details`, or of all."""
    return call.of(_VIEW)(call, vm, call.of(DETAILS) if shown is None else shown, password)


def _view_3(call: Call, vm: Vm, shown: Collection[str], password: str | None) -> dict[str, Any]:
    every = "all" in shown
    view = _identity(call, vm)
    if "group" in shown:
        view |= _instance_group_fields(call, vm)
    view |= _place(call, vm)
    if "tmpl" in shown:
        view |= _template_fields(call.store.templates[vm.template_id])
    if "servoff" in shown:
        view |= _offering_fields(call.store.service_offerings[vm.offering_id])
    view["guestosid"] = vm.os_type_id
    if "volume" in shown:
        view |= {"rootdeviceid": 0, "rootdevicetype": vm.root_device}
    if "secgrp" in shown:
        view["securitygroup"] = list(map(_group_fields, call.store.groups_of(vm)))
    if password:
        view["password"] = password
    if "nics" in shown:
        view["nic"] = [_nic_fields(vm.nic, every, call.account.admin)]
    view["hypervisor"] = HYPERVISOR
    if call.account.admin:
        view["instancename"] = instance_name(call, vm)
    view["tags"] = tag_list(call, "UserVm", vm.id)
    if every:
        view |= _key_pair_fields(call, vm)
    return view


_VIEW = Differs(_view_3, vm_view_4.vm_view)


def _instance_group_fields(call: Call, vm: Vm) -> dict[str, str]:
    if not vm.group_id:
        return {}
    return {"groupid": vm.group_id, "group": call.store.instance_groups[vm.group_id].name}


def _identity(call: Call, vm: Vm) -> dict[str, Any]:
    return {
        "id": vm.id,
        "name": vm.name,
        "displayname": vm.displayname,
        **ownership(call, vm.owner),
        "created": date_text(vm.created),
        "state": vm.state,
        "haenable": vm.ha,
    }


def _place(call: Call, vm: Vm) -> dict[str, str]:
    """The zone of a VM, and its host for administrators."""
    zone = call.store.zones[vm.zone_id]
    fields = {"zoneid": zone.id, "zonename": zone.name}
    if not call.account.admin:
        return fields
    host = call.store.hosts.get(vm.host_id or "")
    return {**fields, "hostid": host.id, "hostname": host.name} if host else {**fields, "hostid": "0"}


def _key_pair_fields(call: Call, vm: Vm) -> dict[str, str]:
    """The name of the first pair with the public key of a VM.

    If there is none any more, the real server fails (530), and so does every listing that would show the VM.
    """
    if not vm.public_key:
        return {}
    pair = call.store.key_pair_of(vm.public_key)
    if pair is None:
        raise internal()
    return {"keypair": pair.name}


def instance_name(call: Call, vm: Vm) -> str:
    """The name of a VM on its hypervisor."""
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
        fields["networkname"] = "guestNetworkForBasicZone"  # only with words of details
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
    """listVirtualMachines: pages by creation time, oldest first. CloudStack 3 has the newest of a page first."""
    shown = details(call, call.of(DETAILS))
    found = matching(call.store.vms.values(), _vm_tests(call))
    return listing("virtualmachine", [vm_view(call, vm, shown) for vm in call.of(_WITHIN_PAGE)(page_of(call, found))])


_WITHIN_PAGE: Differs[Callable[[list[Vm]], list[Vm]]] = Differs(lambda page: page[::-1], lambda page: page)


def _vm_tests(call: Call) -> list[Callable[[Vm], bool] | None]:
    p = call.params
    keyword = p.get("keyword")
    return [
        refers_to(call, "id"),
        owners(call),
        *(_admin_tests(call) if call.account.admin else [_hides_gone(call)]),
        named(call),
        call.of(_STATE)(call),
        (lambda vm: _is_named(call, vm, keyword)) if keyword is not None else None,
        refers_to(call, "zoneid", "zone_id"),
        refers_to(call, "templateid", "template_id"),
        _group_test(call),
        _network_test(call),
        (lambda vm: False) if "isoid" in p else None,  # no machine here has an ISO
        _hypervisor_test(call),
        has_tags(call, "UserVm"),
    ]


def _state_4(call: Call) -> Callable[[Vm], bool] | None:
    """The test of the filter `state`: `present` means each state of a machine that is there."""
    return None if call["state"] == "present" else equals(call, "state", "state")


_STATE: Differs[Callable[[Call], Callable[[Vm], bool] | None]] = Differs(
    lambda call: equals(call, "state", "state"), _state_4
)


def _is_named(call: Call, vm: Vm, keyword: str) -> bool:
    return (
        contains(vm.name, keyword)
        or contains(vm.displayname, keyword)
        or contains(instance_name(call, vm), keyword)
        or collated(vm.state) == collated(keyword)
    )


def _hides_gone(call: Call) -> Callable[[Vm], bool] | None:
    """The test that hides destroyed machines from plain accounts, unless the operator shows them."""
    if call.store.settings.server_value(VIEW_DESTROYED) == "true":
        return None
    return lambda vm: vm.state not in (GONE, EXPUNGING)


def _admin_tests(call: Call) -> list[Callable[[Vm], bool] | None]:
    """Filters for administrators only.

    With a zone or pod they see Destroyed machines only if they ask for that state.
    """
    p = call.params
    return [
        refers_to(call, "hostid", "host_id"),
        (lambda vm: False) if p.keys() & {"podid", "storageid"} else None,  # -1 is the only id that is taken
        (lambda vm: vm.state != GONE) if p.keys() & {"zoneid", "podid"} and "state" not in p else None,
    ]


def _network_test(call: Call) -> Callable[[Vm], bool] | None:
    network = call["networkid"]
    if network is None or network is NO_OBJECT:
        return refers_to(call, "networkid", "zone_id")
    return lambda vm: network.network_id in [nic.network_id for nic in (vm.nic, *vm.more_nics)]


def _group_test(call: Call) -> Callable[[Vm], bool] | None:
    """The test of the filter by group. Since the real server joins tables, -1 finds the machines without a group."""
    group = call["groupid"]
    if group is None:
        return None
    wanted = None if group is NO_OBJECT else group.id
    return call.of(_WITHOUT_GROUP) if wanted is None else lambda vm: vm.group_id == wanted


_WITHOUT_GROUP: Differs[Callable[[Vm], bool] | None] = Differs(lambda vm: vm.group_id is None, None)


def _hypervisor_test(call: Call) -> Callable[[Vm], bool] | None:
    hypervisor = call["hypervisor"]
    if hypervisor is None:
        return None
    if hypervisor_of(hypervisor) == NONE:
        raise bad_parameter(f"Invalid HypervisorType {hypervisor}")
    return lambda vm: hypervisor_of(hypervisor) == HYPERVISOR

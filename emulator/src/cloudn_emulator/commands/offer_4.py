# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans and kinds of disks on CloudStack 4, as measured on 4.23; filters that no recording has are from its code."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from ..calls import Call, page_of
from ..errors import ACCOUNT, ApiError, bad_parameter, unreadable
from ..fields import date_text
from ..filters import Test, equals, has_part, matching, refers_to
from ..models import NO_OBJECT, DiskOffering, ServiceOffering, Vm
from ..owners import check_access, owner_of_new
from ..wire import listing

STATE = "Active"
STATES = ("active", "inactive", "all")
STORAGE = "shared"


def list_plans(call: Call) -> dict[str, Any]:
    """listServiceOfferings: all filters work. With a machine, the plans that it could change to.

    `domainid` changes nothing for a plain account. An administrator finds only offerings of that domain: there are none.
    """
    owner_of_new(call)  # only for its errors
    if call["issystem"] and not call.account.admin:
        raise bad_parameter("Only ROOT admins can access system offerings.")
    _check_domain(call, "service offering")
    vm = _machine(call, "unable to find a virtual machine with specified id")
    _check_recursive(call, "service")
    of_domain = call.account.admin and call["domainid"] is not None and call["account"] is None
    hidden = of_domain or call["issystem"] or "systemvmtype" in call.params or call["gpuenabled"]
    tests = [
        lambda plan: not hidden,
        _has_at_least(call, "cpunumber", "cpus"),
        _has_at_least(call, "cpuspeed", "speed"),
        _has_at_least(call, "memory", "memory"),
        (lambda plan: _is_other_plan(call, vm, plan)) if vm is not None else None,
    ]
    found = matching(_found(call, call.store.service_offerings.values(), "encryptroot"), tests)
    return listing("serviceoffering", [_plan_view(plan) for plan in page_of(call, found)])


def list_disks(call: Call) -> dict[str, Any]:
    """listDiskOfferings: all filters work. `domainid` alone finds only offerings of a domain: there are none."""
    if call["domainid"] is not None and call["account"] is None:
        _check_domain(call, "disk offering")
        return {}
    _check_recursive(call, "disk")
    own = _own_offering(call)
    owner_of_new(call)  # only for its errors
    found = _found(call, call.store.disk_offerings.values(), "encrypt")
    _machine(call, "Unable to find the VM instance with the specified ID")
    shown = [one for one in found if one.id != own]
    return listing("diskoffering", [_disk_view(one) for one in page_of(call, shown)])


def _check_domain(call: Call, what: str) -> None:
    """Refuse (531) a domain that is neither the account's own nor above it. Administrators may name each."""
    domain, account = call["domainid"], call.account
    if account.admin or domain is None:
        return
    path = "" if domain is NO_OBJECT else domain.domain_path
    if not path or not f"{account.domain_path}/".startswith(f"{path}/"):
        text = f"The account:{account.name} does not fall in the same domain hierarchy as the {what}"
        raise ApiError(ACCOUNT, text)


def _machine(call: Call, unknown: str) -> Vm | None:
    """The machine of `virtualmachineid`. Raises ApiError: 431 for an unknown one, 531 for another account's."""
    vm: Vm | None = call["virtualmachineid"]
    if vm is NO_OBJECT:
        raise bad_parameter(unknown)
    if vm is not None:
        check_access(call, vm.owner, vm.label)
    return vm


def _check_recursive(call: Call, kind: str) -> None:
    if call["isrecursive"] and not call.account.admin:
        text = f"Only ROOT admins and Domain admins can list {kind} offerings with isrecursive=true"
        raise bad_parameter(text)


def _own_offering(call: Call) -> str | None:
    """The offering of the disk that `volumeid` names, which the listing leaves out. Raises ApiError (431)."""
    volume = call["volumeid"]
    if volume is NO_OBJECT:
        raise bad_parameter(f"Unable to find a volume with specified id {volume.id}")
    return volume.disk_offering_id if volume is not None else None


def _found(call: Call, offerings: Iterable[Any], encrypted: str) -> list[Any]:
    """The offerings that pass the filters of both kinds. All are Active, shared and not encrypted, in each zone."""
    state = (call["state"] or STATE).lower()
    if state not in STATES:
        raise unreadable(f"Invalid state value: {call['state']}")
    storage = (call["storagetype"] or STORAGE).lower()
    tests = [
        lambda one: state != "inactive" and storage != "local" and not call[encrypted],
        refers_to(call, "id"),
        equals(call, "name", "name"),
        has_part(call, "keyword", "name", "text"),
    ]
    return matching(offerings, tests)


def _has_at_least(call: Call, parameter: str, field: str) -> Test | None:
    wanted = call[parameter]
    return (lambda one: getattr(one, field) >= wanted) if wanted is not None else None


def _is_other_plan(call: Call, vm: Vm, plan: ServiceOffering) -> bool:
    """Whether a machine could change to a plan. A Running one takes only a larger one."""
    own = call.store.service_offerings[vm.offering_id]
    is_larger = plan.cpus >= own.cpus and plan.speed >= own.speed and plan.memory >= own.memory
    return plan.id != own.id and (vm.state != "Running" or is_larger)


def _plan_view(offering: ServiceOffering) -> dict[str, Any]:
    """A plan. It has a disk offering of its own, for root disks, which no listing has."""
    return {
        "id": offering.id,
        "name": offering.name,
        "state": STATE,
        "displaytext": offering.text,
        "cpunumber": offering.cpus,
        "cpuspeed": offering.speed,
        "memory": offering.memory,
        "created": date_text(offering.created),
        "storagetype": STORAGE,
        "provisioningtype": "thin",
        "offerha": offering.ha,
        "limitcpuuse": False,
        "isvolatile": False,
        "issystem": False,
        "defaultuse": False,
        "iscustomized": False,
        "rootdisksize": 0,
        "dynamicscalingenabled": True,
        "diskofferingstrictness": False,
        "diskofferingid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"disk offering of {offering.id}")),
        "diskofferingname": offering.name,
        "diskofferingdisplaytext": offering.text,
        "encryptroot": False,
        "gpudisplay": False,
        "hasannotations": False,
    }


def _disk_view(offering: DiskOffering) -> dict[str, Any]:
    return {
        "id": offering.id,
        "name": offering.name,
        "state": STATE,
        "displaytext": offering.text,
        "disksize": offering.size,
        "created": date_text(offering.created),
        "iscustomized": offering.custom,
        "storagetype": STORAGE,
        "provisioningtype": "thin",
        "displayoffering": True,
        "disksizestrictness": False,
        "encrypt": False,
        "hasannotations": False,
    }

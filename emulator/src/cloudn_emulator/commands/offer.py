# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's offers: plans and kinds of disks, as measured on CloudStack 3.0.5. Those of 4 are in `offer_4`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..calls import Call, page_of
from ..errors import ACCOUNT, ApiError, bad_parameter
from ..fields import date_text
from ..filters import has_part, matching, refers_to
from ..generation import Differs
from ..models import NO_OBJECT, DiskOffering, ServiceOffering
from ..owners import check_access
from ..wire import listing
from . import offer_4

# As on the real server, lists of offerings have no pages for a plain account on CloudStack 3: every page is the whole list.
Listing = Callable[[Call], dict[str, Any]]


def list_service_offerings(call: Call) -> dict[str, Any]:
    """listServiceOfferings."""
    return call.of(_LIST_PLANS)(call)


def _list_plans_3(call: Call) -> dict[str, Any]:
    """CloudStack 3: a plain account finds any plan by its `id`, whatever other filters it gives.

    `name` and `keyword` find only plans of its own domain, so none of the public ones.
    """
    plans = list(call.store.service_offerings.values())
    if call.account.admin:
        return listing("serviceoffering", [_service_offering_view(one) for one in page_of(call, _all_plans(call))])
    if call["issystem"]:
        raise bad_parameter("Only ROOT admins can access system's offering")
    _check_domain(call, "service offering")
    if "id" in call.params:
        plans = [call["id"]] if isinstance(call["id"], ServiceOffering) else []
    else:
        _check_machine(call)
        plans = [] if _is_searched(call) else plans
    return listing("serviceoffering", [_service_offering_view(plan) for plan in plans])


_LIST_PLANS: Differs[Listing] = Differs(_list_plans_3, offer_4.list_plans)


def _all_plans(call: Call) -> list[ServiceOffering]:
    """The plans that an administrator finds. With a machine, those that it could change to."""
    found = [] if call["issystem"] else _found(call, call.store.service_offerings.values())
    if "virtualmachineid" in call.params:
        found = [plan for plan in found if plan.id != call["virtualmachineid"].offering_id]
    return found


def _check_machine(call: Call) -> None:
    """Refuse a machine that does not exist (431) or is another account's (531). It does not change the list."""
    vm = call["virtualmachineid"]
    if vm is NO_OBJECT:
        raise bad_parameter(f"unable to find a virtual machine with id {vm.id}")
    if vm is not None:
        check_access(call, vm.owner, vm.label)


def _service_offering_view(offering: ServiceOffering) -> dict[str, Any]:
    return {
        "id": offering.id,
        "name": offering.name,
        "displaytext": offering.text,
        **_power(offering),
        "created": date_text(offering.created),
        "storagetype": "shared",
        "offerha": offering.ha,
        "limitcpuuse": False,
        "issystem": False,
        "defaultuse": False,
    }


def _power(offering: ServiceOffering) -> dict[str, Any]:
    return {"cpunumber": offering.cpus, "cpuspeed": offering.speed, "memory": offering.memory}


def list_disk_offerings(call: Call) -> dict[str, Any]:
    """listDiskOfferings."""
    return call.of(_LIST_DISKS)(call)


def _list_disks_3(call: Call) -> dict[str, Any]:
    """CloudStack 3: a plain account that gives `id`, `name` or `keyword` finds none of the public ones.

    `domainid` finds only offerings of a domain. There are none.
    """
    _check_domain(call, "disk offering")
    if call.account.admin:
        found = page_of(call, _found(call, call.store.disk_offerings.values()))
    else:
        found = [] if "id" in call.params or _is_searched(call) else list(call.store.disk_offerings.values())
    return listing("diskoffering", [] if "domainid" in call.params else [_disk_offering_view(one) for one in found])


_LIST_DISKS: Differs[Listing] = Differs(_list_disks_3, offer_4.list_disks)


def _check_domain(call: Call, what: str) -> None:
    if call["domainid"] is NO_OBJECT and not call.account.admin:
        text = f"The account:{call.account.name} does not fall in the same domain hierarchy as the {what}"
        raise ApiError(ACCOUNT, text)


def _is_searched(call: Call) -> bool:
    return call["name"] is not None or call["keyword"] is not None


def _found(call: Call, offerings: Iterable[Any]) -> list[Any]:
    tests = [refers_to(call, "id"), has_part(call, "name", "name"), has_part(call, "keyword", "name", "text")]
    return matching(offerings, tests)


def _disk_offering_view(offering: DiskOffering) -> dict[str, Any]:
    return {
        "id": offering.id,
        "name": offering.name,
        "displaytext": offering.text,
        "disksize": offering.size,
        "created": date_text(offering.created),
        "iscustomized": offering.custom,
        "storagetype": "shared",
    }

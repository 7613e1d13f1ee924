# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service offers: zones, offerings, OS types, capabilities."""

from __future__ import annotations

from typing import Any

from ..calls import Call, check_access, contains, date_text, matching, page_of
from ..models import DiskOffering, ServiceOffering, Zone
from ..wire import VERSION, listing


def list_zones(call: Call) -> dict[str, Any]:
    """listZones; `available=false` means those in which the account has a VM."""
    p, keyword = call.params, call["keyword"]
    used = {vm.zone_id for vm in call.store.vms.values()}
    tests = [
        (lambda zone: zone.id in used) if call["available"] is False else None,
        (lambda zone: zone.id == p["id"].id) if "id" in p else None,
        (lambda zone: contains(zone.name, keyword)) if keyword is not None else None,
    ]
    found = matching(call.store.zones.values(), tests)
    return listing("zone", [_zone_view(zone) for zone in page_of(call, found)])


def _zone_view(zone: Zone) -> dict[str, Any]:
    return {
        "id": zone.id,
        "name": zone.name,
        "networktype": "Basic",
        "securitygroupsenabled": True,
        "allocationstate": "Enabled",
        "zonetoken": zone.token,
        "dhcpprovider": "VirtualRouter",
        "localstorageenabled": False,
    }


def list_service_offerings(call: Call) -> dict[str, Any]:
    """listServiceOfferings. For a plain account `name` and `keyword` find only its own domain's, so none of the
    public ones (CloudStack's source); `id` finds any (measured on CloudStack 3.0.5)."""
    found = [] if call["issystem"] else _offerings(call, call.store.service_offerings.values(), ServiceOffering)
    if "virtualmachineid" in call.params:
        check_access(call, call["virtualmachineid"].owner, call["virtualmachineid"].label)
        # what that machine could change to
        found = [offering for offering in found if offering.id != call["virtualmachineid"].offering_id]
    return listing("serviceoffering", [_service_offering_view(offering) for offering in page_of(call, found)])


def _service_offering_view(offering: ServiceOffering) -> dict[str, Any]:
    return {
        "id": offering.id,
        "name": offering.name,
        "displaytext": offering.text,
        "cpunumber": offering.cpus,
        "cpuspeed": offering.speed,
        "memory": offering.memory,
        "created": date_text(offering.created),
        "storagetype": "shared",
        "offerha": offering.ha,
        "limitcpuuse": False,
        "issystem": False,
        "defaultuse": False,
    }


def list_disk_offerings(call: Call) -> dict[str, Any]:
    """listDiskOfferings. For a plain account `id`, `name` and `keyword` find none of the public ones (an `id` of a
    public offering gave an empty list on CloudStack 3.0.5): such a caller lists them all."""
    found = _offerings(call, call.store.disk_offerings.values(), DiskOffering)
    if "id" in call.params and not call.account.admin:
        found = []
    return listing("diskoffering", [_disk_offering_view(offering) for offering in page_of(call, found)])


def _offerings(call: Call, offerings: Any, kind: type) -> list[Any]:
    p = call.params
    name, keyword = p.get("name"), p.get("keyword")
    if "id" in p:
        return [p["id"]] if isinstance(p["id"], kind) else []
    if not call.account.admin and (name is not None or keyword is not None):
        return []
    tests = [
        (lambda offering: contains(offering.name, name)) if name is not None else None,
        (lambda offering: contains(offering.name, keyword) or contains(offering.text, keyword))
        if keyword is not None
        else None,
    ]
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


def list_os_types(call: Call) -> dict[str, Any]:
    """listOsTypes."""
    p = call.params
    description, keyword = p.get("description"), p.get("keyword")
    tests = [
        (lambda os: os.id == p["id"].id) if "id" in p else None,
        (lambda os: os.category == str(p["oscategoryid"])) if "oscategoryid" in p else None,
        (lambda os: contains(os.description, description)) if description is not None else None,
        (lambda os: contains(os.description, keyword)) if keyword is not None else None,
    ]
    found = matching(call.store.os_types.values(), tests)
    views = [{"id": os.id, "oscategoryid": os.category, "description": os.description} for os in page_of(call, found)]
    return listing("ostype", views)


def list_capabilities(call: Call) -> dict[str, Any]:
    """listCapabilities."""
    return {
        "capability": {
            "securitygroupsenabled": True,
            "cloudstackversion": VERSION,
            "userpublictemplateenabled": True,
            "supportELB": "false",
            "projectinviterequired": False,
            "allowusercreateprojects": True,
            "customdiskofferingmaxsize": 1024,
        }
    }

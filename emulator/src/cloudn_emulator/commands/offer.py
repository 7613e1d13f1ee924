# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service offers: zones, offerings, templates, OS types, capabilities."""

from __future__ import annotations

from typing import Any

from ..calls import Call, check_owner, contains, date_text, has_tags, matching, nobodys, page_of, tag_list
from ..errors import bad_parameter
from ..store import DiskOffering, ServiceOffering, Template, Zone
from ..wire import VERSION, listing
from .vm import HYPERVISOR

FILTERS = ("featured", "self", "selfexecutable", "sharedexecutable", "executable", "community")


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
    if "virtualmachineid" in call.params:  # what that machine could change to
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


def list_templates(call: Call) -> dict[str, Any]:
    """listTemplates: a template once for each zone that has it; without a known `templatefilter` a 431."""
    wanted = call["templatefilter"]
    if wanted not in FILTERS and not (wanted == "all" and call.account.admin):
        raise bad_parameter(f"No enum constant com.cloud.template.VirtualMachineTemplate.TemplateFilter.{wanted}")
    check_owner(call)
    p = call.params
    name, keyword = p.get("name"), p.get("keyword")
    tests = [
        lambda template: _passes(call, template, wanted),
        (lambda template: template.id == p["id"].id) if "id" in p else None,
        (lambda template: contains(template.name, name)) if name is not None else None,
        (lambda template: contains(template.name, keyword)) if keyword is not None else None,
        (lambda template: p["hypervisor"].lower() == HYPERVISOR.lower()) if "hypervisor" in p else None,
        has_tags(call, "Template"),
    ]
    found = [] if nobodys(call) else matching(call.store.templates.values(), tests)
    zoned = [
        (template, call.store.zones[zone_id])
        for template in found
        for zone_id in template.zone_ids
        if "zoneid" not in p or p["zoneid"].id == zone_id
    ]
    return listing("template", [template_view(call, template, zone) for template, zone in page_of(call, zoned)])


def _passes(call: Call, template: Template, wanted: str) -> bool:
    own = template.owner == call.account.name
    shared = not own and call.account.name in template.launch
    return {
        "featured": template.public and template.featured,
        "community": template.public and not template.featured,
        "self": own,
        "selfexecutable": own and template.ready,
        "sharedexecutable": shared and template.ready,
        "executable": template.ready and (template.public or own or shared),
        "all": True,
    }[wanted]


def template_view(call: Call, template: Template, zone: Zone) -> dict[str, Any]:
    """A template as the listing of one zone shows it."""
    view = {
        "id": template.id,
        "name": template.name,
        "displaytext": template.text,
        "ispublic": template.public,
        "created": date_text(template.created),
        "isready": template.ready,
        "passwordenabled": template.password,
        "format": template.format,
        "isfeatured": template.featured,
        "crossZones": template.builtin,
        "ostypeid": template.os_type_id,
        "ostypename": call.store.os_types[template.os_type_id].description,
        "account": template.owner,
        "zoneid": zone.id,
        "zonename": zone.name,
        "size": template.size,
        "templatetype": "BUILTIN" if template.builtin else "USER",
        "hypervisor": HYPERVISOR,
        "domain": call.account.domain,
        "domainid": call.account.domain_id,
        "isextractable": template.extractable,
    }
    if template.builtin:
        view["checksum"] = ""
    view["tags"] = tag_list(call, "Template", template.id)
    return view

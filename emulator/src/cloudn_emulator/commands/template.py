# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates: their commands, as measured on CloudStack 3.0.5; what was not measured is from its source."""

from __future__ import annotations

from typing import Any

from ..calls import (
    Call,
    contains,
    date_text,
    has_tags,
    matching,
    no_permission,
    owner_for,
    owners,
    page_of,
    tag_list,
)
from ..errors import ACCOUNT, ApiError, bad_parameter, internal
from ..jobs import Work
from ..models import Template, Zone, new_id
from ..wire import OnlyJson, listing
from .download import DONE, SIZE, check_address, check_extraction, checksum, extraction, fetch

FILTERS = ("featured", "self", "selfexecutable", "sharedexecutable", "executable", "community")


# --- listing


def list_templates(call: Call) -> dict[str, Any]:
    """listTemplates: a template once for each zone that has it; without a known `templatefilter` a 431.

    The id of one that the caller may not use is a 531 (measured through the EC2 half of CloudStack 3.0.5).
    """
    wanted = call["templatefilter"]
    if wanted not in FILTERS and not (wanted == "all" and call.account.admin):
        raise bad_parameter(f"No enum constant com.cloud.template.VirtualMachineTemplate.TemplateFilter.{wanted}")
    p = call.params
    if "id" in p and not is_usable(call, p["id"]):
        raise no_permission(call, call.store.accounts[p["id"].owner].label)
    name, keyword = p.get("name"), p.get("keyword")
    tests = [
        (lambda template: template.id == p["id"].id) if "id" in p else None,
        (lambda template: contains(template.name, name)) if name is not None else None,
        (lambda template: contains(template.name, keyword)) if keyword is not None else None,
        (lambda template: p["hypervisor"].lower() == template.hypervisor.lower()) if "hypervisor" in p else None,
        has_tags(call, "Template"),
        owners(call) if call["account"] is not None else None,
    ]
    found = matching(call.store.templates.values(), tests)
    zoned = [
        (template, call.store.zones[zone_id])
        for template in found
        for zone_id in template.zone_ids
        if _passes(call, template, zone_id, wanted) and ("zoneid" not in p or p["zoneid"].id == zone_id)
    ]
    return listing("template", [template_view(call, template, zone) for template, zone in page_of(call, zoned)])


def is_usable(call: Call, template: Template) -> bool:
    """Whether the caller may launch machines of a template."""
    return template.public or call.account.admin or call.account.name in (template.owner, *template.launch)


def _passes(call: Call, template: Template, zone_id: str, wanted: str) -> bool:
    own = template.owner == call.account.name
    shared = not own and call.account.name in template.launch
    ready = zone_id not in template.unready
    return {
        "featured": template.public and template.featured,
        "community": template.public and not template.featured,
        "self": own,
        "selfexecutable": own and ready,
        "sharedexecutable": shared and ready,
        "executable": ready and (template.public or own or shared),
        "all": True,
    }[wanted]


def template_view(call: Call, template: Template, zone: Zone) -> dict[str, Any]:
    """A template as the listing of one zone shows it; only its owner is told its status."""
    ready = zone.id not in template.unready
    view = {**_first_fields(call, template), "isready": ready, "passwordenabled": template.password}
    view |= {"zoneid": zone.id, "zonename": zone.name}
    status = DONE if ready else template.unready[zone.id]
    if template.owner == call.account.name and status:
        view["status"] = status
    if template.size:
        view["size"] = template.size
    view |= {
        "templatetype": "BUILTIN" if template.builtin else "USER",
        "isextractable": template.extractable,
    }
    if template.checksum is not None:
        view["checksum"] = template.checksum
    if template.source_id:
        view["sourcetemplateid"] = template.source_id
    return view


def _first_fields(call: Call, template: Template) -> dict[str, Any]:
    """What also the answer to an update tells, which knows no zone."""
    owner = call.store.accounts[template.owner]
    return {
        "id": template.id,
        "name": template.name,
        "displaytext": template.text,
        "ispublic": template.public,
        "created": date_text(template.created),
        "format": template.format,
        "isfeatured": template.featured,
        "crossZones": template.builtin,
        "ostypeid": template.os_type_id,
        "ostypename": call.store.os_types[template.os_type_id].description,
        "account": template.owner,
        "hypervisor": template.hypervisor,
        "domain": owner.domain,
        "domainid": owner.domain_id,
        "tags": tag_list(call, "Template", template.id),
    }


# --- making


def create_template(call: Call) -> Work:
    """createTemplate: from a snapshot, or from a volume that no running machine has (530 otherwise).

    It is in no listing before its job has ended.
    """
    source = _source(call)
    if source.owner != call.account.name and not call.account.admin:
        raise no_permission(call, call.store.accounts[source.owner].label)
    template = _new(call, call.account.name, source.template_id, source.size)
    template.format = "QCOW2"
    call.store.templates[template.id] = template

    async def run() -> dict[str, Any]:
        await call.jobs.take(1)
        zone = call.store.zones[source.zone_id]
        template.checksum = checksum(template.id)
        template.zone_ids.append(zone.id)
        return {"template": template_view(call, template, zone)}

    return Work(run, "Template", template.id, created_id=template.id)


def _source(call: Call) -> Any:
    volume, snapshot = call["volumeid"], call["snapshotid"]
    if (volume is None) == (snapshot is None):
        raise bad_parameter("Failed to create private template record, please specify either a volume or a snapshot")
    if snapshot:
        if snapshot.state != "BackedUp":
            raise bad_parameter(f"The snapshot {snapshot.id} is not backed up")
        return snapshot.volume
    vm = call.store.vms.get(volume.vm_id or "")
    if vm and vm.state != "Stopped":
        raise internal()
    if volume.state != "Ready":
        raise bad_parameter(f"Volume {volume.id} is not in state Ready but {volume.state}")
    return volume


def _new(call: Call, owner: str, source_id: str | None, size: int) -> Template:
    return Template(
        id=new_id(),
        name=call["name"],
        text=call["displaytext"],
        os_type_id=call["ostypeid"].id,
        owner=owner,
        zone_ids=[],
        created=call.store.now(),
        size=size,
        password=bool(call["passwordenabled"]),
        public=bool(call["ispublic"]),
        featured=bool(call["isfeatured"]) and call.account.admin,
        source_id=source_id,
    )


def register_template(call: Call) -> dict[str, Any]:
    """registerTemplate (in the manual uploadTemplate): answers at once, ready only after the download."""
    owner = owner_for(call).name
    check_address(call["url"], call["format"])
    template, zone = _new(call, owner, None, 0), call["zoneid"]
    template.format, template.hypervisor = call["format"].upper(), call["hypervisor"]
    template.extractable = bool(call["isextractable"])
    template.zone_ids.append(zone.id)
    template.unready[zone.id] = ""
    call.store.templates[template.id] = template
    call.jobs.later(_download(call, template, zone, call["url"]))
    return {"count": 1, "template": [template_view(call, template, zone)]}


async def _download(call: Call, template: Template, zone: Zone, url: str) -> None:
    """A zone's copy comes: told by its status, ready or failed at the end."""
    template.unready[zone.id] = "0% Downloaded"
    failure = await fetch(call, url)
    if failure:
        template.unready[zone.id] = failure
        return
    template.unready.pop(zone.id, None)
    template.size = template.size or SIZE
    template.checksum = template.checksum or call["checksum"] or checksum(url)


def copy_template(call: Call) -> Work:
    """copyTemplate: the job only begins the copy; it can be used some time after the job's end."""
    template, source, target = call["id"], call["sourcezoneid"], call["destzoneid"]

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        if source.id == target.id:
            raise bad_parameter("Please specify different source and destination zones.")
        if source.id not in template.zone_ids or source.id in template.unready:
            raise bad_parameter(f"Please specify a template that is ready in zone {source.name}")
        _check_own(call, template)
        if target.id not in template.zone_ids:
            template.zone_ids.append(target.id)
            template.unready[target.id] = ""
            call.jobs.later(_download(call, template, target, ""))
        await call.jobs.take(0.5)
        return {"template": template_view(call, template, target)}

    return Work(run, "Template", template.id)


# --- changing, deleting, giving away


def update_template(call: Call) -> dict[str, Any]:
    """updateTemplate: its answer knows no zone, so it is not ready there; somebody else's is a 531 at once."""
    template = _own(call)
    if call["name"] is not None:
        template.name = call["name"]
    if call["displaytext"] is not None:
        template.text = call["displaytext"]
    if call["ostypeid"] is not None:
        template.os_type_id = call["ostypeid"].id
    if call["passwordenabled"] is not None:
        template.password = call["passwordenabled"]
    if call["format"] is not None:
        template.format = call["format"].upper()
    return {"template": {**_first_fields(call, template), "isready": False}}


def _own(call: Call) -> Template:
    template = call["id"]
    _check_own(call, template)
    return template


def _check_own(call: Call, template: Template) -> None:
    if template.owner != call.account.name and not call.account.admin:
        raise ApiError(
            ACCOUNT, f"{call.account.label} does not have permission to launch instances from Tmpl[{template.id}]"
        )


def delete_template(call: Call) -> Work:
    """deleteTemplate: from one zone, or from all. What is wrong fails the job."""

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        template = _own(call)
        gone = [call["zoneid"].id] if call["zoneid"] else list(template.zone_ids)
        if not gone or any(zone_id not in template.zone_ids for zone_id in gone):
            raise bad_parameter("Please specify a valid template.")
        await call.jobs.take(1)
        for zone_id in gone:
            if zone_id in template.zone_ids:
                template.zone_ids.remove(zone_id)
            template.unready.pop(zone_id, None)
        if not template.zone_ids:
            call.store.mark_deleted("Template", template.id)
        return {"success": True}

    return Work(run, "Template", call["id"].id)


def extract_template(call: Call) -> Work:
    """extractTemplate: only one's own, or what is marked for it and ready."""

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        check_extraction(call)
        template = _own(call)
        zone = call["zoneid"] or call.store.zones.get(next(iter(template.zone_ids), ""))
        if not template.extractable:
            raise ApiError(ACCOUNT, f"The template {template.id} is not extractable")
        if zone is None or zone.id not in template.zone_ids or zone.id in template.unready:
            raise bad_parameter("The template has not been downloaded ")
        await call.jobs.take(1)
        return {"template": extraction(call, template.id, template.name, zone, template.format.lower())}

    return Work(run, "Template", call["id"].id)


def update_permissions(call: Call) -> dict[str, Any]:
    """updateTemplatePermissions: public, extractable, and who else may launch it (add, remove, reset)."""
    template, op, names = _own(call), call["op"], call["accounts"]
    if op is not None and op not in ("add", "remove", "reset"):
        raise bad_parameter(f"Invalid operation on accounts: {op}. Valid operations are add, remove, reset")
    if names and op is None:
        raise bad_parameter("Please specify an operation for the accounts: add, remove or reset")
    if call["isfeatured"] is not None and not call.account.admin:
        raise bad_parameter("Only ROOT admins are allowed to modify this attribute.")
    for name in names or ():
        if op == "add" and name not in call.store.accounts:
            raise bad_parameter(f"Unable to grant a launch permission to account {name}, account not found.")
    if call["ispublic"] is not None:
        template.public = call["ispublic"]
    if call["isextractable"] is not None:
        template.extractable = call["isextractable"]
    if call["isfeatured"] is not None:
        template.featured = call["isfeatured"]
    others = [name for name in names or () if name != template.owner]
    if op == "add":
        template.launch += [name for name in others if name not in template.launch]
    elif op == "remove":
        template.launch = [name for name in template.launch if name not in others]
    elif op == "reset":
        template.public, template.featured, template.launch = False, False, []
    return {"success": "true"}


def list_permissions(call: Call) -> dict[str, Any]:
    """listTemplatePermissions: the owner is named beside the others; XML leaves the accounts out."""
    template = _own(call)
    view: dict[str, Any] = {"id": template.id, "ispublic": template.public}
    names = template.launch + ([] if template.public else [template.owner])
    if names:
        view["account"] = OnlyJson(names)
    return {"templatepermission": view}

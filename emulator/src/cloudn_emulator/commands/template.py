# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making, changing and deleting templates, as measured on CloudStack 3.0.5. The rest is from its source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from ..calls import Call
from ..errors import ACCOUNT, INTERNAL, NO_CLASS, ApiError, bad_parameter, internal, unreadable
from ..generation import Differs
from ..jobs import Jobs, Work
from ..limits import check_limit
from ..models import GONE, NO_OBJECT, Snapshot, Template, Volume, Zone, new_id
from ..owners import no_permission, of_job, owner_for
from ..wire import listing
from .download import BEGUN, FORMATS, SIZE, check_address, check_extraction, checksum, extraction, fetch
from .hypervisors import NONE, hypervisor_of
from .template_access import check_change, existing
from .template_list import template_view, update_view

LONGEST_NAME = Differs(32, 255)  # characters, of a template that is made here


# --- making


async def create_template(call: Call) -> Work:
    """createTemplate: from a snapshot, or from a disk of a stopped machine.

    No listing shows it before its job has ended.
    """
    source = _owned_source(call)
    _check_new(call)
    if call["volumeid"] is not None and call["snapshotid"] is not None:
        raise bad_parameter(
            "Failed to create private template record, please specify only one of volume ID and snapshot ID"
        )
    volume = _volume_of(call, source)
    check_limit(call, call.account.name, "template")
    if call["ostypeid"] is NO_OBJECT:
        raise bad_parameter("Couldn't find GuestOS by id")
    template = _new(call, call.account.name)
    template.format, template.size = call.of(_FORMAT), source.size
    template.made_of = "snapshot" if isinstance(source, Snapshot) else "volume"
    vm = call.store.vm_of(volume)
    if vm and vm.freed and template.made_of == "volume":
        template.details = {**(template.details or {}), "Message.ReservedCapacityFreed.Flag": "false"}
    _take_after_source(call, template, volume)
    await call.store.races.gap(("template", template.owner, template.name))
    call.store.templates[template.id] = template

    async def run() -> dict[str, Any]:
        if volume.state == "Allocated":  # its machine has never started, so there is nothing to copy
            await call.jobs.moment()
            del call.store.templates[template.id]
            raise internal()
        await call.jobs.take(1)
        zone = call.store.zones[volume.zone_id]
        template.checksum = checksum(template.id)
        template.zone_ids = [*template.zone_ids, zone.id]
        return {"template": template_view(call, template, zone)}

    return Work(run, "Template", template.id, created_id=template.id)


# The format of a template that is made here.
_FORMAT = Differs("QCOW2", "RAW")


def _owned_source(call: Call) -> Volume | Snapshot:
    """The disk or snapshot that the template is made of. Raises ApiError: 431 for none, 531 for another account's."""
    source = call["volumeid"]
    if source is None:
        source = call["snapshotid"]
        if source is None or source is NO_OBJECT:
            raise bad_parameter("Unable to find snapshot by id")
    elif source is NO_OBJECT or source.state == "Destroy":
        raise bad_parameter("Unable to find volume by id")
    if source.owner != call.account.name and not call.account.admin:
        raise no_permission(call, call.store.accounts[source.owner].label)
    return source


def _check_new(call: Call) -> None:
    if len(call["name"]) > call.of(LONGEST_NAME):
        raise bad_parameter("Template name cannot be null and should be less than 32 characters")
    _check_tag(call)


def _check_tag(call: Call) -> None:
    if call["templatetag"] is not None and not call.account.admin:
        raise ApiError(ACCOUNT, "Parameter templatetag can only be specified by a Root Admin, permission denied")


def _volume_of(call: Call, source: Volume | Snapshot) -> Volume:
    """The disk behind a source. Raises ApiError: 431 for a snapshot that is not backed up, 530 for a disk in use.

    A disk without a machine is a 530 too, in each state: the real server looks for the state of its machine and finds none.
    """
    if isinstance(source, Snapshot):
        if source.state != "BackedUp":
            raise bad_parameter(
                f"Snapshot id={source.id} is not in BackedUp state yet and can't be used for template creation"
            )
        return source.volume
    vm = call.store.vm_of(source)
    is_free = vm is not None and vm.state in ("Stopped", GONE) and not vm.transition
    if not is_free and not (vm is None and call.of(_TAKES_FREE_DISKS)):
        raise internal()
    return source


# Whether a template may be made of a disk without a machine.
_TAKES_FREE_DISKS = Differs(False, True)


# Whether a template takes after that of its disk. Those of CloudStack 4 may not be extracted unless somebody says so.
_INHERITS = Differs(True, False)


def _take_after_source(call: Call, template: Template, volume: Volume) -> None:
    """It can be extracted if the template of its disk can: a template of a data disk can't, nor one of a disk that is gone."""
    origin = call.store.templates.get(volume.template_id or "") if volume.id in call.store.volumes else None
    template.extractable = origin is not None and origin.extractable and call.of(_INHERITS)
    template.source_id = origin.id if origin else None


def _new(call: Call, owner: str) -> Template:
    details = call["details"]
    return Template(
        id=new_id(),
        name=call["name"],
        text=call["name"] if call["displaytext"] is None else call["displaytext"],
        os_type_id=call["ostypeid"].id if call["ostypeid"] is not NO_OBJECT else next(iter(call.store.os_types)),
        owner=owner,
        zone_ids=[],
        created=call.store.now(),
        size=0,
        password=bool(call["passwordenabled"]),
        public=bool(call["ispublic"]),
        featured=bool(call["isfeatured"]) and call.store.accounts[owner].admin,
        tag=call["templatetag"],
        details=dict(details[0]) if details else None,
        url=call["url"],
        bits=call["bits"] or 0,
        hvm=call["requireshvm"] is not False,
        ssh_keys=bool(call["sshkeyenabled"]),
    )


def _check_address_4(call: Call) -> None:
    """Another class of error; 530 for a scheme that it can't read. Ports are not looked at."""
    if urlsplit(call["url"]).scheme in ("ftp", "file"):
        raise ApiError(INTERNAL, "Internal error executing command", NO_CLASS)
    if call["format"].upper() == "ISO" or call["hypervisor"] and hypervisor_of(call["hypervisor"]) == NONE:
        raise unreadable("Please specify a valid format and hypervisor")
    try:
        check_address(call["url"], call["format"], ports=None)
    except ApiError as error:
        raise unreadable(error.text) from None


_CHECK_ADDRESS: Differs[Callable[[Call], None]] = Differs(
    lambda call: check_address(call["url"], call["format"]), _check_address_4
)


def _check_registered_4(call: Call) -> None:
    if call["ostypeid"] is None:
        raise unreadable("Please provide a guest OS type")
    if call["zoneid"] is None and not call["zoneids"]:
        raise unreadable("Either zoneid or zoneids is required. Both cannot be null.")


_CHECK_REGISTERED: Differs[Callable[[Call], None]] = Differs(lambda call: None, _check_registered_4)


async def register_template(call: Call) -> dict[str, Any]:
    """registerTemplate (in the manual uploadTemplate): answers at once; the template is ready after the download.

    An administrator may register for all zones (`zoneid=-1`).
    """
    _check_tag(call)
    owner = owner_for(call)
    call.of(_CHECK_REGISTERED)(call)
    zones = [call["zoneid"]] if call["zoneid"] is not None else call["zoneids"]
    if call["zoneid"] is NO_OBJECT:
        if not owner.admin:
            raise bad_parameter("Please specify a valid zone Id.")
        zones = list(call.store.zones.values())
    check_limit(call, owner.name, "template")
    call.of(_CHECK_ADDRESS)(call)
    hypervisor = hypervisor_of(call["hypervisor"])
    if hypervisor == "BareMetal" or (call["ostypeid"] is NO_OBJECT and not call.of(_TAKES_FREE_DISKS)):
        raise internal()  # the row can't be written: there is no server for bare metal
    template = _new(call, owner.name)
    template.format, template.hypervisor = call["format"].upper(), hypervisor
    template.extractable, template.checksum = bool(call["isextractable"]), call["checksum"]
    await call.store.races.gap(("template", template.owner, template.name))
    call.store.templates[template.id] = template
    for zone in zones:
        _begin_download(call, template, zone, call["url"])
    return listing("template", [template_view(call, template, zone) for zone in zones])


def _begin_download(call: Call, template: Template, zone: Zone, url: str) -> None:
    template.zone_ids = [*template.zone_ids, zone.id]
    if call.store.settings.download_seconds == 0 and call.of(_TAKES_FREE_DISKS):
        template.size = template.size or SIZE
        return
    template.unready = {**template.unready, zone.id: BEGUN}  # the real server says "" where it has not begun yet
    template.downloading |= {zone.id}
    call.jobs.later(download(call.jobs, template, zone.id, url))


async def download(jobs: Jobs, template: Template, zone_id: str, url: str) -> None:
    """Let the copy of a zone come. Its status shows how far it is, and at the end whether it failed."""
    failure = await fetch(jobs, url)
    template.downloading -= {zone_id}
    others = {zone: status for zone, status in template.unready.items() if zone != zone_id}
    if failure:
        template.unready = {**others, zone_id: failure}
        return
    template.unready = others
    template.size = template.size or SIZE


def copy_template(call: Call) -> Work:
    """copyTemplate: the job only begins the copy, which can be used some time after the end of the job."""
    template, source, target = call["id"], call["sourcezoneid"], call["destzoneid"]

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        if source.id == target.id:
            raise bad_parameter("Please specify different source and destination zones.")
        for zone, kind in ((source, "source"), (target, "destination")):
            if zone is NO_OBJECT:
                raise bad_parameter(f"Please specify a valid {kind} zone.")
        existing(template, "Unable to find template with id")
        if not _is_ready(template, target):
            if not _is_ready(template, source):
                raise bad_parameter(f"There is no template {template.id} in zone {source.id}")
            check_change(call, template)
            if target.id not in template.downloading:
                _begin_download(call, template, target, "")
            await call.jobs.take(0.5)
        return {"template": template_view(call, template, target)}

    return Work(run, "Template", template.id)


def _is_ready(template: Template, zone: Zone) -> bool:
    return zone.id in template.zone_ids and zone.id not in template.unready


# --- changing, deleting, extracting


def update_template(call: Call) -> dict[str, Any]:
    """updateTemplate: changes nothing if one of the new values is wrong (431)."""
    template = existing(call["id"], "unable to find template/iso by id")
    check_change(call, template)
    new = {
        "name": call["name"],
        "text": call["displaytext"],
        "format": _new_format(call["format"]),
        "password": call["passwordenabled"],
        "bootable": call["bootable"],
        "sort_key": call["sortkey"],
    }
    if call["ostypeid"] is NO_OBJECT:
        raise bad_parameter("Please specify a valid guest OS ID.")
    if call["ostypeid"] is not None:
        new["os_type_id"] = call["ostypeid"].id
    for field, value in new.items():
        if value is not None:
            setattr(template, field, value)
    return {"template": update_view(call, template)}


def _new_format(text: str | None) -> str | None:
    if text is not None and text.upper() not in FORMATS:
        formats = "".join(f"{name}, " for name in FORMATS)
        raise bad_parameter(f"Image format: {text} is incorrect. Supported formats are [{formats}]")
    return text.upper() if text else None


def delete_template(call: Call) -> Work:
    """deleteTemplate: from one zone, or from all. Each error fails the job; so does a download under way."""

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        template = existing(call["id"], "unable to find template by id")
        _check_deletion(call, template)
        if template.is_iso:
            raise bad_parameter("Please specify a valid template.")
        if template.owner != call.account.name and not call.account.admin:
            raise ApiError(ACCOUNT, "Unable to delete template . Permission denied.")
        if call["zoneid"] is NO_OBJECT:
            raise bad_parameter("Failed to find a secondary storage host in the specified zone.")
        everywhere = call["zoneid"] is None or template.builtin
        gone = {zone for zone in template.zone_ids if everywhere or zone == call["zoneid"].id}
        call.of(_CHECK_UNUSED)(call, template, gone)
        await call.jobs.take(1)
        _remove_copies(call, template, gone)
        return {"success": True}

    return Work(run, "Template", call["id"].id)


def _check_deletion(call: Call, template: Template) -> None:
    try:
        check_change(call, template)
    except ApiError as error:
        raise of_job(call, error) from None


def _unused_3(call: Call, template: Template, gone: set[str]) -> None:
    if gone & template.downloading:
        raise internal()


def _unused_4(call: Call, template: Template, gone: set[str]) -> None:
    """A download may go on, a machine may not."""
    if any(vm.template_id == template.id and vm.state != GONE for vm in call.store.vms.values()):
        raise bad_parameter("Unable to delete Template, as it is used by Instances")


_CHECK_UNUSED = Differs(_unused_3, _unused_4)


def _remove_copies(call: Call, template: Template, gone: set[str]) -> None:
    template.zone_ids = [zone for zone in template.zone_ids if zone not in gone]
    for zone in gone:
        template.unready = {one: status for one, status in template.unready.items() if one != zone}
    if not template.zone_ids:
        template.removed = True
        call.store.mark_deleted("Template", template.id)


def extract_template(call: Call) -> Work:
    """extractTemplate: only of a template of its own that is marked for it. All checks are in the job."""

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        template, zone = existing(call["id"], "Unable to find TEMPLATE by id"), call["zoneid"]
        if template.is_iso:
            raise bad_parameter("Unsupported format, could not extract the template")
        if zone is None or zone is NO_OBJECT:
            raise bad_parameter("Please specify a valid zone.")
        if not (template.extractable or call.account.admin):
            raise bad_parameter(f"Unable to extract template id={template.id} as it's not extractable")
        check_change(call, template)
        if not _is_ready(template, zone):
            raise bad_parameter("The TEMPLATE has not been downloaded ")
        check_extraction(call, any_case=True)
        await call.jobs.take(1)
        return {"template": extraction(call, template.id, template.name, zone, template.format.lower())}

    return Work(run, "Template", call["id"].id)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Listing, making and deleting volumes, as measured on CloudStack 3.0.5; the rest is from its source."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from ..calls import Call, done, page_of
from ..errors import bad_parameter, internal, unreadable
from ..fields import date_text, details, ownership, tag_list
from ..filters import by_key_alone, equals, has_part, has_tags, matching, named, newest_first, refers_to
from ..generation import Differs
from ..jobs import Work
from ..limits import check_limit
from ..models import DELETED_VOLUME, GIB, GONE, NO_OBJECT, DiskOffering, ServiceOffering, Template, Volume, Zone, new_id
from ..owners import check_access, owner_for, owners
from ..wire import listing
from .vm_view_4 import template_type

NO_STORAGE = "none"  # of a disk that was never attached
SMALLEST, LARGEST = 1, 1024  # GiB, of a disk whose size is given
BEING_MADE = ("Creating", "CreatedOnPrimary", "BackingUp")  # a snapshot
DETAILS = ("all", "vm", "account", "storage_type", "disk_offering", "min")


# --- listing


def list_volumes(call: Call) -> dict[str, Any]:
    """listVolumes: pages newest first. A plain account does not see the disks of destroyed machines.

    `hostid` and `podid` are ignored: the service uses a pod only for administrators, and there are none here.
    """
    tests = [
        owners(call),
        refers_to(call, "id"),
        named(call),
        has_part(call, "keyword", "name", "kind"),
        call.of(_TYPE)(call),
        refers_to(call, "virtualmachineid", "vm_id"),
        refers_to(call, "zoneid", "zone_id"),
        call.of(_POD)(call),
        lambda volume: _is_visible(call, volume),
        has_tags(call, "Volume"),
    ]
    found = page_of(call, call.of(_ORDERED)(call, matching(call.store.volumes.values(), tests)))
    shown = call.of(_SHOWN)(call) if found else ()  # the real server reads the words only if it shows a disk
    return listing("volume", [volume_view(call, volume, shown=shown) for volume in found])


_TYPE: Differs[Callable[[Call], Callable[[Volume], bool] | None]] = Differs(
    lambda call: has_part(call, "type", "kind"), lambda call: equals(call, "type", "kind") if call["type"] else None
)
# What an id `-1` of a pod means to a plain account.
_POD: Differs[Callable[[Call], Callable[[Volume], bool] | None]] = Differs(
    lambda call: None, lambda call: (lambda volume: False) if call["podid"] is NO_OBJECT else None
)


# CloudStack 4 has no such parameter.
_SHOWN: Differs[Callable[[Call], Collection[str]]] = Differs(lambda call: details(call, DETAILS), lambda call: DETAILS)


def _ordered_4(call: Call, volumes: list[Volume]) -> list[Volume]:
    """CloudStack 4.23 sorts by the second alone: 592 volumes, nine a second, in pages of 100 gave 576 to 585; measured."""
    return by_key_alone(call, volumes, lambda volume: -int(volume.created))


_ORDERED: Differs[Callable[[Call, list[Volume]], list[Volume]]] = Differs(
    lambda call, volumes: newest_first(volumes), _ordered_4
)


def _is_visible(call: Call, volume: Volume) -> bool:
    if volume.state == DELETED_VOLUME:
        return False
    vm = call.store.vm_of(volume)
    return call.account.admin or vm is None or vm.state != GONE or call.of(_SHOWS_GONE)


# Whether a plain account sees the root disks of destroyed machines.
_SHOWS_GONE = Differs(False, True)


def volume_view(
    call: Call, volume: Volume, snapshot_id: str | None = None, shown: Collection[str] = DETAILS
) -> dict[str, Any]:
    """A volume as answers show it. Only an attached one has the fields of its machine.

    Only the job that makes a volume from a snapshot shows its `snapshot_id`. Which fields `details` leaves out was not
    measured.
    """
    return call.of(_VIEW)(call, volume, snapshot_id, shown)


def _view_3(call: Call, volume: Volume, snapshot_id: str | None, shown: Collection[str]) -> dict[str, Any]:
    zone = call.store.zones[volume.zone_id]
    view: dict[str, Any] = {"id": volume.id, "name": volume.name, "zoneid": zone.id, "zonename": zone.name}
    view["type"] = volume.kind
    view |= _machine_fields(call, volume, "vm" in shown)
    view |= {"size": volume.size, "created": date_text(volume.created), "state": volume.state}
    if "account" in shown:
        view |= ownership(call, volume.owner)
    if "storage_type" in shown:
        view["storagetype"] = "shared"
    if "disk_offering" in shown:
        view |= _offering_fields(call, "diskoffering", volume.disk_offering_id)
    view["storage"] = volume.storage
    if snapshot_id:
        view["snapshotid"] = snapshot_id
    if volume.attached is not None:
        view["attached"] = date_text(volume.attached)
    view["destroyed"] = volume.state == DELETED_VOLUME
    if "disk_offering" in shown:
        view |= _offering_fields(call, "serviceoffering", volume.offering_id)
    view["isextractable"] = is_extractable(call, volume)
    if volume.status is not None:
        view["status"] = volume.status
    view["tags"] = tag_list(call, "Volume", volume.id)
    return view


def _view_4(call: Call, volume: Volume, snapshot_id: str | None, shown: Collection[str]) -> dict[str, Any]:
    """A volume of CloudStack 4, as measured on 4.23. A plain account does not see the storage."""
    zone, vm = call.store.zones[volume.zone_id], call.store.vm_of(volume)
    view: dict[str, Any] = {"id": volume.id, "name": volume.name, "zoneid": zone.id, "zonename": zone.name}
    view["type"] = volume.kind
    if vm is not None:
        view |= {"deviceid": volume.device, "virtualmachineid": vm.id}
    template = call.store.templates.get(volume.template_id or "")
    if template is not None:
        view |= {"templateid": template.id, "templatename": template.name, "templatedisplaytext": template.text}
    if vm is not None:
        view |= {"vmname": vm.name, "vmdisplayname": vm.displayname, "vmstate": vm.state, "vmtype": "User"}
    view |= {"provisioningtype": "thin", "size": volume.size, "created": date_text(volume.created)}
    view |= {"state": volume.state, **ownership(call, volume.owner)}
    if snapshot_id:
        view["snapshotid"] = snapshot_id
    if vm is not None:
        view |= {"diskkbsread": 0, "diskkbswrite": 0, "diskioread": 0, "diskiowrite": 0}
    view |= _offering_fields(call, "diskoffering", volume.disk_offering_id)
    if volume.attached is not None:
        view["attached"] = date_text(volume.attached)
    view["destroyed"] = volume.state == DELETED_VOLUME
    view |= _row_of_offering(call, volume.offering_id)
    view |= {"isextractable": is_extractable(call, volume), "quiescevm": False, "supportsstoragesnapshot": False}
    if volume.status is not None:
        view["status"] = volume.status
    view |= {"deleteprotection": False, "tags": tag_list(call, "Volume", volume.id), "hasannotations": False}
    return view


def _row_of_offering(call: Call, id: str | None) -> dict[str, str]:
    """The service offering of a root disk. Its id is the number of its row there: measured on 4.23."""
    if id is None:
        return {}
    fields = _offering_fields(call, "serviceoffering", id)
    return {**fields, "serviceofferingid": str(1 + list(call.store.service_offerings).index(id))}


_VIEW = Differs(_view_3, _view_4)


def _machine_fields(call: Call, volume: Volume, shown: bool) -> dict[str, Any]:
    vm = call.store.vm_of(volume)
    if vm is None:
        return {}
    view: dict[str, Any] = {"deviceid": volume.device}
    if shown:
        view |= {"virtualmachineid": vm.id, "vmname": vm.name, "vmdisplayname": vm.displayname, "vmstate": vm.state}
    return view


def _offering_fields(call: Call, prefix: str, id: str | None) -> dict[str, Any]:
    if id is None:
        return {}
    offering = call.store.find("disk_offering", id)
    return {f"{prefix}id": offering.id, f"{prefix}name": offering.name, f"{prefix}displaytext": offering.text}


def is_extractable(call: Call, volume: Volume) -> bool:
    """Whether its owner may download a disk: any data disk, or a root disk if its template allows it."""
    template = call.store.templates.get(volume.template_id or "")
    return volume.kind == "DATADISK" or template is None or call.of(_TEMPLATE_ALLOWS)(template)


# CloudStack 4.23 shows that no template that is built in is extractable, and neither are the root disks made of it.
_TEMPLATE_ALLOWS: Differs[Callable[[Template], bool]] = Differs(
    lambda template: template.extractable,
    lambda template: template.extractable and template_type(template) != "BUILTIN",
)


# --- making and deleting


async def create_volume(call: Call) -> Work:
    """createVolume: from a disk offering, Allocated until it is attached, or from a snapshot, Ready at the end."""
    owner = owner_for(call).name
    check_limit(call, owner, "volume")
    offering, snapshot = call["diskofferingid"], call["snapshotid"]
    call.of(_CHECK_SOURCES)(offering, snapshot)
    size, offering_id = _of_offering(call) if snapshot is None else _of_snapshot(call)
    zone = call["zoneid"]
    if zone is None and snapshot is not None:
        zone = call.store.zones[snapshot.volume.zone_id]
    if zone is None or zone is NO_OBJECT:
        raise bad_parameter("Unable to find zone by id")
    await call.store.races.gap(("volume", owner, call["name"]))
    volume = new_volume(call, owner, zone, size, offering_id)
    if snapshot:
        volume.state = "Creating"
        call.of(_TAKE_AFTER)(volume, snapshot.volume, offering is not None)

    async def run() -> dict[str, Any]:
        await call.jobs.take(1)
        if snapshot:
            volume.state, volume.storage = "Ready", call.store.zones[volume.zone_id].storage
        return {"volume": volume_view(call, volume, snapshot.id if snapshot else None)}

    return Work(run, "Volume", volume.id, created_id=volume.id)


def _sources_3(offering: Any, snapshot: Any) -> None:
    if (offering is None) == (snapshot is None):
        raise bad_parameter("Either disk Offering Id or snapshot Id must be passed whilst creating volume")


def _sources_4(offering: Any, snapshot: Any) -> None:
    if offering is None and snapshot is None:
        raise bad_parameter("At least one of disk Offering ID or snapshot ID must be passed whilst creating volume")
    if isinstance(offering, ServiceOffering):
        raise unreadable("Invalid parameter diskofferingid")


def _take_after_4(volume: Volume, source: Volume, has_offering: bool) -> None:
    """A disk from a snapshot of a root disk has its template, and the plan in place of a disk offering."""
    volume.template_id = source.template_id
    if source.offering_id:
        volume.offering_id = None if has_offering else source.offering_id
        volume.disk_offering_id = volume.disk_offering_id if has_offering else None


_CHECK_SOURCES = Differs(_sources_3, _sources_4)
_TAKE_AFTER: Differs[Callable[[Volume, Volume, bool], None]] = Differs(
    lambda volume, source, has_offering: None, _take_after_4
)
# The name of a disk that is given none.
_NAME: Differs[Callable[[str | None], str]] = Differs(lambda name: name or "", lambda name: name or new_id())


def _of_offering(call: Call) -> tuple[int, str]:
    """The size in bytes of a disk of an offering, and the offering's id."""
    offering, size = call["diskofferingid"], call["size"]
    if size is not None and size <= 0:
        raise bad_parameter("Disk size must be larger than 0")
    if not isinstance(offering, DiskOffering):
        raise bad_parameter("Please specify a valid disk offering.")
    if not offering.custom:
        if size is not None:
            raise bad_parameter("This disk offering does not allow custom size")
        return offering.size * GIB, offering.id
    if size is None:
        raise bad_parameter("This disk offering requires a custom size specified")
    if not SMALLEST <= size <= LARGEST:
        raise bad_parameter(f"Volume size: {size}GB is out of allowed range. Max: {LARGEST} Min:{SMALLEST}")
    return size * GIB, offering.id


def _of_snapshot(call: Call) -> tuple[int, str | None]:
    """The size in bytes of a disk from a snapshot, and the id of its source's offering. A given size is ignored."""
    snapshot = call["snapshotid"]
    if snapshot is NO_OBJECT or snapshot.state == "Destroyed":
        raise bad_parameter("unable to find a snapshot by id")
    if snapshot.state != "BackedUp":
        raise bad_parameter(
            f"Snapshot id={snapshot.id} is not in BackedUp state yet and can't be used for volume creation"
        )
    check_access(call, snapshot.owner, snapshot.label)
    source, offering = snapshot.volume, call["diskofferingid"]
    return snapshot.size, offering.id if offering else source.offering_id or source.disk_offering_id


def new_volume(call: Call, owner: str, zone: Zone, size: int, offering_id: str | None) -> Volume:
    """The row of a data disk with the name of the call: size in bytes."""
    serial, created = call.store.next_serial(), call.store.now()
    name = call.of(_NAME)(call["name"])
    volume = Volume(serial, new_id(), owner, name, zone.id, "DATADISK", size, created)
    volume.storage, volume.disk_offering_id = NO_STORAGE, offering_id
    call.store.volumes[volume.id] = volume
    return volume


_NO_VOLUME = Differs(bad_parameter("Unable to find volume by ID"), internal())


def delete_volume(call: Call) -> dict[str, Any]:
    """deleteVolume: not while it is attached, not while a snapshot of it is made, and not twice (431)."""
    volume = call["id"]
    if volume is NO_OBJECT:
        raise call.of(_NO_VOLUME)
    if volume.state == DELETED_VOLUME:
        raise bad_parameter("Unable to find volume by ID")
    if any(one.volume is volume and one.state in BEING_MADE for one in call.store.snapshots.values()):
        raise bad_parameter("There are snapshot creating on it, Unable to delete the volume")
    check_access(call, volume.owner, volume.label)
    if volume.vm_id is not None:
        raise bad_parameter("Please specify a volume that is not attached to any VM.")
    if volume.state == "Uploading":
        raise bad_parameter("Please specify a volume that is not uploading")
    call.store.delete_volume(volume)
    return done(call)

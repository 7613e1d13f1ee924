# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: how they are shown, listed and found."""

from __future__ import annotations

import typing as t

from ...api import Client, Duplicates, Missing, Record, UsageError
from ...api.client import listing
from ...api.flawed import peek, sound
from .. import tags, zone
from ..fields import fields, select_fields
from ..lookup import InAnotherZone, in_another_zone, is_uuid, like_filter, named, not_there
from ..vm import view as vm

GIB = 1024**3
ROOT = "ROOT"
ALLOCATED = "Allocated"  # the state of a volume that was never attached: it holds no data
UPLOADED = "Uploaded"  # the state of a volume with data that was never attached
_FIELDS = fields(
    "id name zone=zonename zone_id type state status vm=vmname vm_id=virtualmachineid vm_state device_id "
    "attached disk_offering=diskofferingname disk_offering_id service_offering=serviceofferingname "
    "service_offering_id storage_type extractable=isextractable account domain domain_id created"
)


def to_result(volume: Record) -> Record:
    """Return a volume as the user sees it. Its size is in bytes, and in GiB rounded up.

    CloudStack 4 shows a row number as the id of a root disk's offering, which no command takes; measured on 4.23.
    """
    size, shown = volume.get("size"), select_fields(volume, _FIELDS)
    if is_of_4(volume) and not is_uuid(str(shown["service_offering_id"])):
        shown["service_offering_id"] = None
    return {
        **shown,
        "size_gb": gib(size) if isinstance(size, int) else None,
        "size_bytes": size,
        "tags": tags.to_result(volume),
    }


def gib(size: int) -> int:
    """Return a number of bytes in GiB, rounded up."""
    return -(-size // GIB)


def is_of_4(volume: Record) -> bool:
    """Tell whether CloudStack 4 has shown a volume. It shows how the space is taken; 3 does not. Measured on 3.0.5 and 4.23."""
    return "provisioningtype" in volume


def is_left(volume: Record) -> bool:
    """Tell whether a volume is the root disk of a destroyed machine.

    CloudStack 4 lists such a disk until the machine is expunged, CloudStack 3 does not; measured on 4.23 and 3.0.5.
    """
    return peek(volume, "type") == ROOT and peek(volume, "vmstate") in vm.GONE


def search(client: Client, query: Record) -> list[Record]:
    """Return the volumes that the API's filters find, without the root disks of destroyed machines.

    An unknown ``id`` finds nothing.
    """
    return [one for one in listing(client, "listVolumes", query, "id") if not is_left(one)]


def shown_of(client: Client, listed: list[Record]) -> list[Record]:
    """Return the volumes that can be shown, and warn of the others."""
    return sound(listed, client.warn)


def all_of(_client: Client, listed: list[Record]) -> list[Record]:
    """Return all volumes: for a task that asks for one, a bad member counts only if it is needed."""
    return listed


def select(
    client: Client, options: Record, usable: t.Callable[[Client, list[Record]], list[Record]] = shown_of
) -> list[Record]:
    """Return the volumes that match all options of ``cloudn_volume_info``. A missing machine has none.

    ``usable`` returns those that count, of all that are listed. Raises ``UsageError`` for an unknown zone.
    """
    zone_id = zone.find(client, options["zone"])["id"] if options.get("zone") else None
    machine = vm.find_one(client, options["vm"], options.get("zone")) if options.get("vm") else {}
    if machine is None:
        return []
    query = {
        "id": options.get("id"),
        "name": like_filter(options.get("name")),
        "type": options.get("type"),
        "virtualmachineid": machine.get("id"),
        "zoneid": zone_id,
        "tags": tags.query(options.get("tags")),
    }
    listed = usable(client, search(client, query))
    found = [one for one in listed if options.get("name") in (None, one.get("name"))]
    return [one for one in found if tags.has_all(one, options.get("tags"))]


def find(
    client: Client,
    name: str | None,
    volume_id: str | None,
    zone_wanted: str | None = None,
    option: str = "name",
    elsewhere: list[Record] | None = None,
) -> Record | None:
    """Return the one volume with this id, or with this name (which may be an id too) in the zone, if one is given.

    Names are not unique. Raises ``Duplicates``, with ids, zones and machines, if several volumes have the name. ``option``
    is the user's option that holds the name. ``elsewhere`` takes the volumes that have the name in another zone.
    """
    if volume_id is None and name is not None and is_uuid(name):
        volume_id = name
    if volume_id is not None:
        return next(iter(search(client, {"id": volume_id})), None)
    listed = search(client, {"name": like_filter(name)})
    same = named(listed, name)
    found = [volume for volume in same if zone.holds(volume, zone_wanted)]
    if elsewhere is not None:
        elsewhere += [volume for volume in same if volume not in found]
    if len(found) > 1:
        raise several(found, name, option)
    return found[0] if found else None


def chosen(client: Client, options: Record) -> Record:
    """Return the volume of the options ``volume``, ``vm`` and ``zone``. Without ``volume`` it is the root disk of ``vm``.

    Raises ``UsageError`` if there is none, or if several have the name.
    """
    found = _chosen(client, options)
    if isinstance(found, UsageError):
        raise found
    return found


def chosen_or_none(client: Client, options: Record, warnings: list[str]) -> Record | None:
    """Return the volume of ``chosen``, or ``None`` if there is none. Raises ``UsageError`` if several have the name.

    Appends to ``warnings`` if it is in another zone.
    """
    found = _chosen(client, options)
    if isinstance(found, InAnotherZone):
        warnings.append(found.left_alone())
    return None if isinstance(found, UsageError) else found


def _chosen(client: Client, options: Record) -> Record | UsageError:
    """Return the volume of ``chosen``, or the error that there is none."""
    wanted, machine = options.get("volume"), options.get("vm")
    if machine is None:
        others: list[Record] = []
        found = find(client, wanted, None, options.get("zone"), "volume", others)
        return found or missing(wanted, options.get("zone"), others, "volume")
    elsewhere: dict[str, list[Record]] = {}
    record = vm.find(client, [machine], options.get("zone"), "vm", elsewhere)[machine]
    if record is None or record.get("state") in vm.GONE:
        return vm.missing(machine, options.get("zone"), elsewhere, "vm")
    disks = search(client, {"virtualmachineid": record["id"]})
    of_it = _wanted(disks, wanted)
    if len(of_it) > 1:
        raise several(of_it, wanted, "volume")
    if of_it:
        return of_it[0]
    names = ", ".join(sorted(str(disk.get("name")) for disk in disks))
    error = Missing if wanted else UsageError  # another task may attach a missing volume
    return error(f"volume: {machine} has no volume {wanted or 'of type ROOT'}; it has: {names or 'none'}")


def missing(name: str | None, zone_wanted: str | None, elsewhere: list[Record], option: str) -> UsageError:
    """Return the error that there is no volume of a name, or that it is in another zone (``elsewhere``, see ``find``)."""
    if zone_wanted is not None and elsewhere:
        return in_another_zone(option, "volume", name, zone_wanted, elsewhere)
    return not_there(option, "volume", name, "; cloudn_volume_info lists the existing ones")


def _wanted(disks: list[Record], wanted: str | None) -> list[Record]:
    """Return the disks with this name or id. ``None``: the root disk."""
    if wanted is None:
        return [disk for disk in disks if disk.get("type") == ROOT]
    return [disk for disk in disks if wanted in (disk["id"], disk.get("name"))]


def several(found: list[Record], name: str | None, option: str) -> Duplicates:
    """Return the error that several volumes have a name."""
    text = f"{option}: {len(found)} volumes are named {name!r}; choose one by its id: {describe(found)}"
    return Duplicates(text, found)


def describe(volumes: list[Record]) -> str:
    """Return a text that tells volumes apart: ``id (zone, attached to VM)``."""
    return "; ".join(sorted(f"{volume['id']} ({volume.get('zonename')}, {_place(volume)})" for volume in volumes))


def _place(volume: Record) -> str:
    return f"attached to {volume['vmname']}" if volume.get("vmname") else "not attached"


def is_on(volume: Record, machine: str) -> bool:
    """Tell whether a volume is attached to the machine of this id or host name."""
    return machine in (volume.get("virtualmachineid"), volume.get("vmname"))


def data_disks(client: Client, machines: t.Collection[str]) -> dict[str, list[Record]]:
    """Return the data disks of the machines with these ids, by the id of their machine."""
    only = {"virtualmachineid": next(iter(machines))} if len(machines) == 1 else {}
    disks: dict[str, list[Record]] = {}
    for disk in search(client, {"type": "DATADISK", **only}):
        disks.setdefault(disk.get("virtualmachineid", ""), []).append(disk)
    return disks

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands about volumes, snapshots, their policies and templates would do to the records of the service."""

from __future__ import annotations

import typing as t

from ..api import Record
from ..api.flawed import peek
from .kinds import POLICY, SNAPSHOT, TEMPLATE, VM, VOLUME
from .machines import DISK_OFFERINGS, GIB, attached_to, disk
from .world import DETACHED, ZONES, World

OS_TYPES = "listOsTypes"
# The number of the CD drive of every machine.
_CD_DRIVE = 3
# A snapshot's member for the size of its disk, which CloudStack 3 does not show. Only planned ones have it.
_SIZE = "plannedsize"
_INTERVALS = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY")


def create_volume(world: World, params: Record) -> Record:
    """Make a volume from an offering or from a snapshot."""
    offering = world.look(DISK_OFFERINGS, params.get("diskofferingid"))
    source = world.look(SNAPSHOT, params.get("snapshotid")) if params.get("snapshotid") else {}
    size = params.get("size") or offering.get("disksize")
    return world.make(
        VOLUME,
        name=params["name"],
        **disk(world),
        **_in_zone(world, params["zoneid"]),
        type="DATADISK",
        state="Ready" if source else "Allocated",
        size=(peek(source, "virtualsize") or source.get(_SIZE)) if source else (size or 0) * GIB,
        diskofferingid=params.get("diskofferingid"),
        diskofferingname=offering.get("name"),
        isextractable=True,
    )


def upload_volume(world: World, params: Record) -> Record:
    """Make a volume from an address. Nobody knows its size before."""
    where = _in_zone(world, params["zoneid"])
    return world.make(VOLUME, name=params["name"], **disk(world), **where, type="DATADISK", state="Uploaded")


def _in_zone(world: World, zone_id: str) -> Record:
    return {"zoneid": zone_id, "zonename": world.zone_name(zone_id)}


def attach(world: World, params: Record) -> None:
    """Attach a volume to a machine, as the first free device unless one is named. It has data from now on."""
    machine = world.look(VM, params["virtualmachineid"])
    mine = [one for one in world.every(VOLUME) if peek(one, "virtualmachineid") == params["virtualmachineid"]]
    taken = {_CD_DRIVE, *(peek(one, "deviceid") for one in mine)}
    device = params.get("deviceid")
    device = device if device is not None else next(number for number in range(1, 1000) if number not in taken)
    known = {**attached_to(machine), "virtualmachineid": params["virtualmachineid"]}
    world.change(VOLUME, params["id"], **known, deviceid=device, attached=world.now, state="Ready")


def detach(world: World, params: Record) -> None:
    """Detach a volume."""
    world.change(VOLUME, params["id"], **DETACHED)


def delete_volume(world: World, params: Record) -> None:
    """Delete a volume, and the policies for it. Its snapshots stay."""
    world.remove(VOLUME, world.look(VOLUME, params["id"]) or {"id": params["id"]})
    for policy in [one for one in world.part("made", POLICY) if one.get("volumeid") == params["id"]]:
        world.remove(POLICY, policy)


def resize_volume(world: World, params: Record) -> None:
    """Give a volume another size."""
    world.change(VOLUME, params["id"], size=params["size"] * GIB)


def create_snapshot(world: World, params: Record) -> Record:
    """Take a snapshot."""
    source = world.look(VOLUME, params["volumeid"])
    size = peek(source, "size")
    of_4 = {"zoneid": peek(source, "zoneid"), "zonename": peek(source, "zonename"), "virtualsize": size}
    return world.make(
        SNAPSHOT,
        name=params.get("name"),
        **world.owner,
        volumeid=params["volumeid"],
        volumename=peek(source, "name"),
        volumetype=peek(source, "type"),
        created=world.now,
        intervaltype="MANUAL",
        state="BackedUp",
        **(of_4 if world.is_4 else {"snapshottype": "MANUAL", _SIZE: size}),
    )


def delete_snapshot(world: World, params: Record) -> None:
    """Delete a snapshot."""
    world.remove(SNAPSHOT, world.look(SNAPSHOT, params["id"]) or {"id": params["id"]})


def set_policy(world: World, params: Record) -> Record:
    """Make the policy of a volume for an interval, or change it: the service has one for each."""
    interval = _INTERVALS.index(params["intervaltype"])
    fields = {field: params[field] for field in ("schedule", "timezone", "maxsnaps")}
    for known in world.every(POLICY):
        if (peek(known, "volumeid"), peek(known, "intervaltype")) == (params["volumeid"], interval):
            world.change(POLICY, known["id"], **fields)
            return {**known, **fields}
    return world.make(POLICY, volumeid=params["volumeid"], intervaltype=interval, **fields)


def delete_policy(world: World, params: Record) -> None:
    """Delete a policy."""
    world.remove(POLICY, {"id": params["id"]})


def create_template(world: World, params: Record) -> Record:
    """Make a template of a volume or of a snapshot, in the zone of the disk."""
    snapshot = world.look(SNAPSHOT, params.get("snapshotid")) if params.get("snapshotid") else {}
    source = world.look(VOLUME, params.get("volumeid") or peek(snapshot, "volumeid"))
    zone = peek(source, "zoneid") or peek(snapshot, "zoneid") or _zone_named(world, world.hints.get("zone"))
    extractable = not world.is_4 and peek(source, "type") == "ROOT" and peek(source, "isextractable") is True
    return _template(
        world,
        params,
        zone,
        format="RAW" if world.is_4 else "QCOW2",
        isextractable=extractable,
        size=None if world.is_4 else peek(source, "size"),
        hypervisor=world.look(VM, peek(source, "virtualmachineid")).get("hypervisor"),
    )


def _zone_named(world: World, name: t.Any) -> str | None:
    return next((str(one["id"]) for one in world.every(ZONES) if one.get("name") == name), None)


def register_template(world: World, params: Record) -> Record:
    """Make a template from an address."""
    own = {field: params.get(field) for field in ("format", "hypervisor", "checksum")}
    return _template(world, params, params["zoneid"], isextractable=bool(params.get("isextractable")), **own)


def _template(world: World, params: Record, zone_id: str | None, **fields: t.Any) -> Record:
    return world.make(
        TEMPLATE,
        name=params["name"],
        displaytext=params.get("displaytext") or params["name"],
        ispublic=bool(params.get("ispublic")),
        created=world.now,
        isready=True,
        status="Download Complete",
        passwordenabled=bool(params.get("passwordenabled")),
        isfeatured=False,
        crossZones=False,
        ostypeid=params.get("ostypeid"),
        ostypename=world.look(OS_TYPES, params.get("ostypeid")).get("description"),
        **world.owner,
        **_in_zone(world, str(zone_id)),
        templatetype="USER",
        **fields,
    )


def copy_template(world: World, params: Record) -> None:
    """Copy a template to another zone."""
    rows = [row for row in world.every(TEMPLATE) if peek(row, "id") == params["id"]]
    source = next((row for row in rows if peek(row, "zoneid") == params["sourcezoneid"]), {"id": params["id"]})
    world.make(TEMPLATE, **{**source, **_in_zone(world, params["destzoneid"]), "isready": True})


def update_template(world: World, params: Record) -> None:
    """Change the name and other attributes of a template."""
    fields = {name: value for name, value in params.items() if name != "id"}
    if "ostypeid" in fields:
        fields["ostypename"] = world.look(OS_TYPES, fields["ostypeid"]).get("description")
    world.change(TEMPLATE, params["id"], **fields)


def permit(world: World, params: Record) -> None:
    """Change who may see, download and launch a template."""
    if "op" not in params:
        return update_template(world, params)
    launchers = world.part("launchers").setdefault(params["id"], {"add": [], "drop": []})
    to, of = ("add", "drop") if params["op"] == "add" else ("drop", "add")
    launchers[to] = sorted({*launchers[to], *params["accounts"]})
    launchers[of] = sorted({*launchers[of]} - {*params["accounts"]})
    return None


def delete_template(world: World, params: Record) -> None:
    """Delete a template, in one zone or in all."""
    zone_id = params.get("zoneid")
    for row in world.every(TEMPLATE):
        if peek(row, "id") == params["id"] and zone_id in (None, peek(row, "zoneid")):
            world.remove(TEMPLATE, row)

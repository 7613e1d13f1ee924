# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the commands about virtual machines would do to the records of the service."""

from __future__ import annotations

import typing as t

from ..api import Record
from ..api.flawed import peek
from .kinds import AFFINITY, GROUP, VM, VOLUME
from .world import DETACHED, World, row_in_zone

GIB = 1024**3
_RUNNING, _STOPPED = "Running", "Stopped"
_OFFERINGS, DISK_OFFERINGS = "listServiceOfferings", "listDiskOfferings"
_NEVER_STARTED = "Not created"
# Fields of a machine that its offering decides, with the fields of the offering.
_OF_OFFERING = {
    "serviceofferingid": "id",
    "serviceofferingname": "name",
    "cpunumber": "cpunumber",
    "cpuspeed": "cpuspeed",
    "memory": "memory",
}


def deploy(world: World, params: Record) -> Record:
    """Make a machine with its root disk, its first data disk, and a network interface without an address."""
    template = row_in_zone(world, params["templateid"], params["zoneid"])
    offering, pair = world.look(_OFFERINGS, params["serviceofferingid"]), params.get("keypair")
    runs = params.get("startvm") is not False
    of_4: Record = {
        "userid": world.service.get("account") or "planned",
        "keypairs": pair,
        "affinitygroup": _named(world, AFFINITY, params.get("affinitygroupids") or []),
        "deleteprotection": False,
        "isdynamicallyscalable": False,
    }
    never = _NEVER_STARTED if not (runs or world.is_4) else None
    machine = world.make(
        VM,
        name=params["name"],
        displayname=params.get("displayname") or params["name"],
        **world.owner,
        created=world.now,
        state=_RUNNING if runs else _STOPPED,
        haenable=bool(offering.get("offerha")),
        group=params.get("group"),
        zoneid=params["zoneid"],
        zonename=world.zone_name(params["zoneid"]),
        templateid=params["templateid"],
        templatename=template.get("name"),
        templatedisplaytext=template.get("displaytext"),
        passwordenabled=template.get("passwordenabled"),
        **{field: offering.get(source) for field, source in _OF_OFFERING.items()},
        guestosid=template.get("ostypeid"),
        rootdeviceid=0,
        rootdevicetype=never or ("ROOT" if world.is_4 else "NetworkFilesystem"),
        securitygroup=_groups(world, params.get("securitygroupids")),
        nic=_nics(world, params.get("networkids") or []),
        hypervisor=template.get("hypervisor"),
        **(of_4 if world.is_4 else {"keypair": pair}),
    )
    if runs:
        _mark_started(world, machine["id"])
    _root_disk(world, machine, template, params.get("rootdisksize"))
    if params.get("diskofferingid"):
        offered = world.look(DISK_OFFERINGS, params["diskofferingid"])
        own: Record = {"diskofferingid": params["diskofferingid"], "diskofferingname": offered.get("name")}
        _disk_of(world, machine, "DATADISK", (offered.get("disksize") or 0) * GIB or None, deviceid=1, **own)
    return machine


def _groups(world: World, ids: list[str] | None) -> list[Record]:
    default = world.service.get("default")
    return _named(world, GROUP, ids) if ids else ([default] if default else [])


def _named(world: World, command: str, ids: list[str]) -> list[Record]:
    return [{"id": one, "name": world.look(command, one).get("name")} for one in ids]


def _nics(world: World, networks: list[str]) -> list[Record]:
    common: Record = {"traffictype": "Guest", "type": "Shared"}
    found = [(one, world.look("listNetworks", one)) for one in networks]
    named = [{"networkid": one, "networkname": network.get("name"), **common} for one, network in found]
    return [{**nic, "isdefault": place == 0} for place, nic in enumerate(named or [common])]


def _root_disk(world: World, machine: Record, template: Record, size: int | None) -> None:
    own: Record = {field: machine.get(field) for field in ("serviceofferingname", "templateid", "templatename")}
    if not world.is_4:
        own = {"serviceofferingid": machine.get("serviceofferingid"), "serviceofferingname": own["serviceofferingname"]}
    _disk_of(
        world,
        machine,
        "ROOT",
        size * GIB if size else template.get("size"),
        deviceid=0,
        isextractable=template.get("isextractable"),
        **own,
    )


def _disk_of(world: World, machine: Record, kind: str, size: int | None, **fields: t.Any) -> None:
    """Make a disk of a new machine. It has data as soon as the machine runs."""
    world.make(
        VOLUME,
        **{**disk(world), "isextractable": True, **fields},
        **attached_to(machine),
        zoneid=machine["zoneid"],
        zonename=machine.get("zonename"),
        type=kind,
        size=size,
        state="Ready" if machine["state"] == _RUNNING else "Allocated",
    )


def disk(world: World) -> Record:
    """Return the fields that each new volume has."""
    of_its = {"provisioningtype": "thin"} if world.is_4 else {"storagetype": "shared"}
    return {**world.owner, "created": world.now, "destroyed": False, **of_its}


def attached_to(machine: Record) -> Record:
    """Return the fields of a volume that say to which machine it is attached."""
    fields = {"virtualmachineid": "id", "vmname": "name", "vmdisplayname": "displayname", "vmstate": "state"}
    return {field: peek(machine, source) for field, source in fields.items()}


def _mark_started(world: World, machine_id: str) -> None:
    started = world.part("started")
    if machine_id not in started:
        started.append(machine_id)


def _set_state(world: World, machine_id: str, state: str, **more: t.Any) -> None:
    world.change(VM, machine_id, state=state, **more)
    for row in world.part("made", VOLUME):
        if row.get("virtualmachineid") == machine_id:
            row["vmstate"] = state


def start(world: World, params: Record) -> None:
    """Let a machine run. Its first start makes its root disk."""
    machine = world.look(VM, params["id"])
    is_first = peek(machine, "rootdevicetype") == _NEVER_STARTED
    _mark_started(world, params["id"])
    _set_state(world, params["id"], _RUNNING, **({"rootdevicetype": "NetworkFilesystem"} if is_first else {}))


def stop(world: World, params: Record) -> None:
    """Stop a machine."""
    _set_state(world, params["id"], _STOPPED)


def recover(world: World, params: Record) -> None:
    """Take a machine back that was destroyed."""
    destroyed = world.part("destroyed")
    destroyed[:] = [one for one in destroyed if one["id"] != params["id"]]
    world.restore(VM, {"id": params["id"]})
    _set_state(world, params["id"], _STOPPED)


def destroy(world: World, params: Record) -> None:
    """Destroy a machine. Its name and its groups stay in use until it is expunged. Disks go with it, see ``World``."""
    machine = world.look(VM, params["id"]) or {"id": params["id"]}
    for row in list(world.part("made", VOLUME)):
        if row.get("virtualmachineid") == params["id"]:
            if world.is_4 and row.get("type") != "ROOT":
                world.change(VOLUME, row["id"], **DETACHED)
            else:
                world.remove(VOLUME, row)
    world.remove(VM, machine)
    destroyed = world.part("destroyed")
    destroyed[:] = [one for one in destroyed if one["id"] != params["id"]]
    if not params.get("expunge"):
        groups = [group.get("id") for group in peek(machine, "securitygroup") or []]
        destroyed.append({"id": params["id"], "name": peek(machine, "name"), "groups": groups})


def expunge(world: World, params: Record) -> None:
    """Free the name and the groups of a destroyed machine."""
    destroy(world, {**params, "expunge": True})


def restore(world: World, params: Record) -> None:
    """Make the root disk of a machine anew: it gets another id. That of a stopped machine has no data until the next start."""
    mine = params["virtualmachineid"]
    state = "Ready" if peek(world.look(VM, mine), "state") == _RUNNING else "Allocated"
    if state == "Allocated" and mine in world.part("started"):
        world.part("started").remove(mine)
    old = [one for one in world.every(VOLUME) if peek(one, "virtualmachineid") == mine and peek(one, "type") == "ROOT"]
    for row in old[:1]:
        world.remove(VOLUME, row)
        kept = {field: value for field, value in row.items() if field not in ("id", "tags", "planned")}
        world.make(VOLUME, **{**kept, "state": state})


def resize(world: World, params: Record) -> None:
    """Give a machine another service offering. High availability comes with it."""
    offering = world.look(_OFFERINGS, params["serviceofferingid"])
    fields = {field: offering.get(source) for field, source in _OF_OFFERING.items()}
    world.change(VM, params["id"], **fields, haenable=bool(offering.get("offerha")))


def update(world: World, params: Record) -> None:
    """Change what a machine takes in any state, and its security groups."""
    names = {"ostypeid": "guestosid"}
    fields = {names.get(name, name): value for name, value in params.items() if name not in ("id", "securitygroupids")}
    if "group" in fields:
        fields["groupid"] = None  # it may be a new one
    if "securitygroupids" in params:
        fields["securitygroup"] = _named(world, GROUP, params["securitygroupids"])
    world.change(VM, params["id"], **fields)


def set_affinity_groups(world: World, params: Record) -> None:
    """Put a machine into other affinity groups."""
    world.change(VM, params["id"], affinitygroup=_named(world, AFFINITY, params["affinitygroupids"]))


def set_key_pair(world: World, params: Record) -> None:
    """Give a machine another key pair."""
    world.change(VM, params["id"], **{"keypairs" if world.is_4 else "keypair": params["keypair"]})

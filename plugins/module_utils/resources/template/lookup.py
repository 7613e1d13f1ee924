# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates: checks the options, finds the template, and looks up what its plan needs to know besides."""

from __future__ import annotations

from ...api import Client, Missing, Record, UsageError
from ...reconcile import Found, Resource, Task
from .. import account, extraction, os_type, zone
from ..download import check_url
from ..lookup import check_text, is_uuid, not_there, pick
from ..snapshot import view as snapshot
from ..vm import view as vm
from ..volume import view as volume
from . import hypervisor, permissions
from . import view as template
from .plan import kind, plan, to_result

_SOURCES = ("vm", "volume", "snapshot", "url")
_READY, _RUNNING = "Ready", "Running"
# Characters in the name of a template that is made of a disk; measured on CloudStack 3.0.5.
_LONGEST_NAME = 32


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong whatever the service holds."""
    check_text(options)
    if options.get("name") is not None and not options["name"].strip():
        raise UsageError("name: must not be empty")
    if options["state"] != "present" and options.get("zones"):
        raise UsageError(f"zones: are those to copy to, which state: {options['state']} does not do; use zone for one")
    if options.get("zones") is not None and not options["zones"]:
        raise UsageError("zones: the list is empty; name at least one, or leave the option out")
    if options.get("display_text") is not None and not options["display_text"].strip():
        raise UsageError("display_text: must not be empty; leave the option out to keep the text as it is")
    for launcher in options.get("accounts") or []:
        if not launcher.strip() or "," in launcher:
            raise UsageError(f"accounts: {launcher!r} is no name of an account")
    check_url(options)
    extraction.check_options(options)


def find(task: Task) -> Found:
    """Return the records of the template, one for each zone that it is in."""
    options, failed = task.options, task.failed
    template_id = (failed and failed.id) or options.get("id")
    rows = template.find_own(task.client, options.get("name"), template_id, options.get("zone"))
    return {str(options.get("name") or options.get("id")): rows}


def lookup(task: Task, found: Found) -> Record | None:
    """Return what the plan needs to know besides the template. Asks only for what is needed.

    Keys, all optional: ``zone`` (record: where it is made), ``zones`` (names by id: where it shall be), ``os_type_id``,
    ``volume``, ``snapshot``, ``machine`` (records of what it is made from), ``restart`` (whether the machine shall run
    again), ``made`` (what a new one is, before anything is changed), ``accounts`` (who may launch it, ``None`` where
    nothing tells), ``administrator`` (whether the account is one, where only an administrator may do what is asked for;
    ``None`` where nothing tells).

    Returns ``None`` after a failure where nothing tells who may launch the template.
    """
    ((_name, rows),) = found.items()
    lookups = _present(task, rows) if task.options["state"] == "present" else _other(task, rows)
    if not task.failed:
        vm.check_shown(lookups.get("machine"), "vm" if task.options.get("vm") else "volume")
        return lookups
    if rows and lookups.get("accounts", ()) is None:
        if task.failed.error and task.failed.error.command == permissions.BY_EC2:
            return None
        if "accounts" not in task.first:
            lookups["accounts"] = set()  # it is new, and nobody was given the right yet
    if task.first.get("restart"):  # the machine is started again whatever became of the template
        machine = task.first["machine"]["id"]
        lookups["machine"] = vm.settled(task.client, [machine], None, task.deadline, check=False)[machine]
        lookups["restart"] = True
    return lookups


def _other(task: Task, rows: list[Record]) -> Record:
    """Return what is needed where the template is to go, or to be extracted."""
    options = task.options
    if options.get("zone") and not any(zone.holds(row, options["zone"]) for row in rows):
        zone.find(task.client, options["zone"])  # a zone that does not exist is a mistake, not one without the template
    if options["state"] == "extracted" and any(row.get("isextractable") is False for row in rows):
        return {"administrator": account.is_administrator(task.client)}
    return {}


def _present(task: Task, rows: list[Record]) -> Record:
    """Return what is needed where the template is to be there."""
    client, options = task.client, task.options
    lookups: Record = {}
    if rows:
        if options.get("accounts") is not None:
            lookups["accounts"] = permissions.launchers(client, rows[0])
        given = options.get("os_type")
        if given is not None:
            is_same = given in (rows[0].get("ostypeid"), rows[0].get("ostypename"))
            lookups["os_type_id"] = rows[0].get("ostypeid") if is_same else os_type.find(client, given)["id"]
    else:
        lookups = _creation(task)
    if options.get("zones"):
        lookups["zones"] = _zones(client, [row for row in rows if row.get("zoneid")], options["zones"])
    current = (rows[0] if rows else lookups["made"]).get("isextractable")
    if options.get("extractable") not in (None, current):
        lookups["administrator"] = account.is_administrator(client)
    return lookups


def _zones(client: Client, rows: list[Record], wanted: list[str]) -> dict[str, str]:
    """Return the names of zones by their ids; those in which the template is already need no question."""
    known = [{"id": row["zoneid"], "name": row.get("zonename")} for row in rows]
    names = {one["id"]: one["name"] for one in known} | {one["name"]: one["name"] for one in known}
    if not all(one in names for one in wanted):
        known = client.list("listZones")
    chosen = [pick(known, one, "zones") for one in wanted]
    return {one["id"]: str(one.get("name")) for one in chosen}


def _creation(task: Task) -> Record:
    """Return what a new template is made of, and where."""
    client, options = task.client, task.options
    name = _checked_name(options)
    if options.get("url"):
        lookups = _download(client, name, options)
    elif options.get("snapshot"):
        source = snapshot.source(client, options["snapshot"])
        disk = volume.find(client, None, source.get("volumeid"))
        here = zone.find(client, options.get("zone")) if disk is None else _zone_of(disk, options)
        lookups = {"snapshot": source, "zone": here, "made": {"isextractable": _is_extractable(disk)}}
    else:
        lookups = _disk(task)
        lookups["made"] = {"isextractable": _is_extractable(lookups["volume"])}
    lookups["made"].update(isfeatured=False, ispublic=bool(options.get("public")))
    if options.get("os_type"):
        lookups["os_type_id"] = os_type.find(client, options["os_type"])["id"]
    elif lookups.get("machine"):
        lookups["os_type_id"] = lookups["machine"].get("guestosid")
    if not lookups.get("os_type_id"):
        raise UsageError(f"os_type: is needed to make {name}, as nothing tells which system is on the disk")
    return lookups


def _checked_name(options: Record) -> str:
    """Return the name of a template that is to be made. Raises ``UsageError`` where it can't be made."""
    name = options.get("name")
    if name is None or is_uuid(name):
        raise UsageError(
            f"{'id' if options.get('id') else 'name'}: there is no template {options.get('id') or name} of this account"
        )
    if not any(options.get(source) for source in _SOURCES):
        raise Missing(f"vm: is needed to make {name}, which does not exist (or volume, snapshot or url)")
    if not options.get("url") and len(name) > _LONGEST_NAME:
        raise UsageError(
            f"name: has {len(name)} characters, of which the service takes {_LONGEST_NAME} for a template that is made of a "
            f"disk or a snapshot: {name[:20]!r}..."
        )
    return str(name)


def _download(client: Client, name: str, options: Record) -> Record:
    lacking = [option for option in ("format", "hypervisor", "os_type") if not options.get(option)]
    if lacking:
        raise UsageError(f"{', '.join(lacking)}: needed to make {name} from url")
    here = zone.find(client, options.get("zone"))
    hypervisor.check(client, options["hypervisor"], here)
    return {"zone": here, "made": {"isextractable": bool(options.get("extractable"))}}


def _is_extractable(disk: Record | None) -> bool:
    """Tell whether a template will be that is made of a disk, or of a snapshot of one, which may be gone (``None``).

    It takes after the template of the disk, and a data disk has none. Source: CloudStack 3.0's code.
    """
    return disk is not None and disk.get("type") == volume.ROOT and disk.get("isextractable") is True


def _zone_of(disk: Record, options: Record) -> Record:
    """Return the zone of a disk, in which its template will be; raise ``UsageError`` where another one is asked for."""
    if not zone.holds(disk, options.get("zone")):
        raise UsageError(
            f"zone: {options['name']} will be made in {disk.get('zonename')}, where its disk is, not in {options['zone']}: "
            "give that zone, or none, and let zones have those to copy it to"
        )
    return {"id": disk.get("zoneid"), "name": disk.get("zonename")}


def _disk(task: Task) -> Record:
    """Find the disk and the machine that has it, which must be stopped, or may be."""
    options = task.options
    lookups: Record = {}
    disk = _data_disk(task) if options.get("vm") is None else {}
    wanted = options.get("vm") or disk.get("virtualmachineid")
    if wanted is not None:
        machine = vm.settled_one(task.client, wanted, options.get("zone"), task.deadline, task.check)
        lookups = {"machine": machine, "restart": machine.get("state") == _RUNNING}
        disk = disk or _root_disk(task.client, machine, wanted)
    lookups.update(volume=disk, zone=_zone_of(disk, options))
    if lookups.get("restart") and not options["allow_restart"]:
        raise UsageError(
            f"{lookups['machine'].get('name')} is running, and a template can be taken of its disk only while it is stopped: set "
            "allow_restart: true to have it stopped and started again, stop it first, or take a snapshot and make the template "
            "from that"
        )
    return lookups


def _data_disk(task: Task) -> Record:
    options = task.options
    disk = volume.find(task.client, options["volume"], None, options.get("zone"), "volume")
    if disk is None:
        raise not_there("volume", "volume", options["volume"], "; cloudn_volume_info lists those there are")
    if disk.get("state") != _READY:
        raise UsageError(f"volume: {options['volume']!r} is {disk.get('state')}; it holds nothing until it is attached")
    return disk


def _root_disk(client: Client, machine: Record, wanted: str) -> Record:
    disks = volume.search(client, {"virtualmachineid": machine["id"], "type": volume.ROOT})
    if not disks:
        raise UsageError(f"vm: {wanted} has no root disk that the service lists")
    if disks[0].get("state") != _READY:
        raise UsageError(
            f"vm: the disk of {wanted} is {disks[0].get('state')}; it holds nothing until the machine has been started once"
        )
    return disks[0]


RESOURCE = Resource(check_options, find, lookup, plan, to_result, jobs="Template", kind=kind)

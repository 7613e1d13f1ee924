# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates: checks the options, finds the template, and looks up what else its plan needs."""

from __future__ import annotations

from ...api import Client, Missing, Record, UsageError
from ...reconcile import Found, Resource, Task
from .. import account, extraction, generation, os_type, zone
from ..download import check_url
from ..lookup import check_text, in_another_zone, is_uuid, left_alone, pick
from ..snapshot import view as snapshot
from ..vm import view as vm
from ..volume import view as volume
from . import hypervisor, permissions
from . import view as template
from .plan import kind, plan, to_result

_SOURCES = ("vm", "volume", "snapshot", "url")
_READY, _RUNNING = "Ready", "Running"
# The longest name of a template that is made from a disk; measured on CloudStack 3.0.5.
_LONGEST_NAME = 32


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong whatever the service holds."""
    check_text(options)
    if options.get("display_text") is not None and not options["display_text"].strip():
        raise UsageError("display_text: must not be empty; give a text, or leave the option out")
    if options["state"] != "present" and options.get("zones"):
        raise UsageError(
            f"zones: state: {options['state']} copies nothing; leave zones out, or give one zone with zone"
        )
    if options.get("zones") is not None and not options["zones"]:
        raise UsageError("zones: the list is empty; name a zone, or leave the option out")
    for launcher in options.get("accounts") or []:
        if "," in launcher:
            raise UsageError(f"accounts: {launcher!r} is no name of an account")
    check_url(options)
    extraction.check_options(options)


def find(task: Task) -> Found:
    """Return the records of the template, one for each zone that it is in."""
    options = task.options
    template_id = (task.failed and task.failed.id) or options.get("id")
    others: list[Record] = []
    rows = template.find_own(task.client, options.get("name"), template_id, options.get("zone"), others)
    if options["state"] == "absent" and others and not rows and not task.failed:
        task.warnings.append(left_alone("name", "template", options.get("name"), options["zone"], others))
    return {str(options.get("name") or options.get("id")): rows}


def lookup(task: Task, found: Found) -> Record | None:
    """Return what else the plan needs to know. Asks only for what is needed.

    All keys are optional:
        zone: the record of the zone that it is made in.
        zones: the names by id of the zones that it shall be in.
        os_type_id: the id of its OS type.
        volume, snapshot, machine: the records of what it is made from.
        restart: whether the machine shall run again.
        made: the attributes of a new template before anything changes them.
        accounts: who may launch it. ``None``: nothing says.
        administrator: whether the account is an administrator, if only one may do the task. ``None``: nothing says.

    Returns ``None`` after a failure if nothing says who may launch the template.
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
    if task.first.get("restart"):  # the machine starts again, whatever became of the template
        machine = task.first["machine"]["id"]
        lookups["machine"] = vm.settled(task.client, [machine], None, task.deadline, check=False)[machine]
        lookups["restart"] = True
    return lookups


def _other(task: Task, rows: list[Record]) -> Record:
    """Return what is needed to delete or extract the template."""
    options = task.options
    if options.get("zone") and not any(zone.holds(row, options["zone"]) for row in rows):
        zone.find(task.client, options["zone"])  # an unknown zone is an error, not a zone without the template
        if options["state"] == "extracted" and not rows:
            _check_other_zones(task.client, options)
    if options["state"] == "extracted" and any(row.get("isextractable") is False for row in rows):
        return _extraction_rights(task)
    return {}


def _check_other_zones(client: Client, options: Record) -> None:
    """Raise ``UsageError`` if the template to extract is in other zones only."""
    found = template.find_own(client, options.get("name"), options.get("id"))
    if found:
        raise in_another_zone("name", "template", options.get("name"), options["zone"], found)


def _extraction_rights(task: Task) -> Record:
    """Return whether the account may extract any template (``administrator``), and else whether it may make one extractable.

    CloudStack 3.0.5 lets only administrators change that, CloudStack 4.23 every account (measured on both). ``None``: nobody knows.
    """
    administrator = account.is_administrator(task.client)
    may_change = administrator
    if not administrator and task.client.generation(task.deadline) >= generation.FOUR:
        may_change = True
    return {"administrator": administrator, "may_change_extractable": may_change}


def _present(task: Task, rows: list[Record]) -> Record:
    """Return what is needed to create or change the template."""
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
        lookups.update(_extraction_rights(task))
    return lookups


def _zones(client: Client, rows: list[Record], wanted: list[str]) -> dict[str, str]:
    """Return the names of the wanted zones by id. Sends no request if the template is in all of them already."""
    known = [{"id": row["zoneid"], "name": row.get("zonename")} for row in rows]
    names = {name for one in known for name in (one["id"], one["name"])}
    if not all(one in names for one in wanted):
        known = client.list("listZones")
    chosen = [pick(known, one, "zones") for one in wanted]
    return {one["id"]: str(one.get("name")) for one in chosen}


def _creation(task: Task) -> Record:
    """Return what a new template is made from, and where."""
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
        raise UsageError(f"os_type: is needed to create {name}; nothing says which system is on the disk")
    return lookups


def _checked_name(options: Record) -> str:
    """Return the name of a template that is to be made. Raises ``UsageError`` if it can't be made."""
    name = options.get("name")
    if name is None or is_uuid(name):
        option = "id" if options.get("id") else "name"
        raise UsageError(f"{option}: this account has no template {options.get(option)}")
    if not any(options.get(source) for source in _SOURCES):
        where = f" in {options['zone']}" if options.get("zone") else ""
        raise Missing(
            f"vm, volume, snapshot or url: one of them is needed to create {name}. This account has no template of "
            f"this name{where}. Give one, or correct the name"
        )
    if not options.get("url") and len(name) > _LONGEST_NAME:
        raise UsageError(
            f"name: {name[:20]!r}... has {len(name)} characters; a template of a disk or a snapshot can have {_LONGEST_NAME}"
        )
    return str(name)


def _download(client: Client, name: str, options: Record) -> Record:
    lacking = [option for option in ("format", "hypervisor", "os_type") if not options.get(option)]
    if lacking:
        raise UsageError(f"{', '.join(lacking)}: needed to create {name} from url")
    here = zone.find(client, options.get("zone"))
    hypervisor.check(client, options["hypervisor"], here)
    return {"zone": here, "made": {"isextractable": bool(options.get("extractable"))}}


def _is_extractable(disk: Record | None) -> bool:
    """Tell whether a template of this disk, or of a snapshot of it, will be extractable. ``None``: the disk is gone.

    The template takes this from the template of the disk. A data disk has no template. Source: CloudStack 3.0's code.
    """
    return disk is not None and disk.get("type") == volume.ROOT and disk.get("isextractable") is True


def _zone_of(disk: Record, options: Record) -> Record:
    """Return the zone of a disk: its template will be there. Raises ``UsageError`` if ``zone`` is another one."""
    if not zone.holds(disk, options.get("zone")):
        raise UsageError(
            f"zone: the disk is in {disk.get('zonename')}, not in {options['zone']}; leave zone out, and use zones to copy the template"
        )
    return {"id": disk.get("zoneid"), "name": disk.get("zonename")}


def _disk(task: Task) -> Record:
    """Find the disk and its machine. Raises ``UsageError`` if the machine runs and may not be stopped."""
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
            f"{lookups['machine'].get('name')} is running; stop it, set allow_restart: true, or make the template from a snapshot"
        )
    return lookups


def _data_disk(task: Task) -> Record:
    options = task.options
    others: list[Record] = []
    disk = volume.find(task.client, options["volume"], None, options.get("zone"), "volume", others)
    if disk is None:
        raise volume.missing(options["volume"], options.get("zone"), others, "volume")
    if disk.get("state") != _READY:
        raise UsageError(f"volume: {options['volume']!r} is {disk.get('state')} and holds no data yet; attach it first")
    return disk


def _root_disk(client: Client, machine: Record, wanted: str) -> Record:
    disks = volume.search(client, {"virtualmachineid": machine["id"], "type": volume.ROOT})
    if not disks:
        raise UsageError(f"vm: {wanted} has no root disk that the service lists")
    if disks[0].get("state") != _READY:
        raise UsageError(
            f"vm: the disk of {wanted} is {disks[0].get('state')} and holds no data yet; start {wanted} once"
        )
    return disks[0]


RESOURCE = Resource(check_options, find, lookup, plan, to_result, jobs="Template", kind=kind)

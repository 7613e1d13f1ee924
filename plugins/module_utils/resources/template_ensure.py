# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates: find what there is, look up what is needed, plan, apply, report."""

from __future__ import annotations

import typing as t

from ..api import Client, Deadline, Duplicates, Missing, Record, UsageError
from ..converge import converge
from ..plan import Track
from ..report import Report
from . import account, extraction, hypervisor, os_type, permissions, snapshot, template, vm, volume, zone
from .download import check_url, has_failed
from .lookup import check_text, is_uuid, not_there, part, pick
from .template_plan import RUNNING, plan, show

_SOURCES = ("vm", "volume", "snapshot", "url")
_READY = "Ready"
# Characters in the name of a template that is made of a disk; measured on CloudStack 3.0.5.
_LONGEST_NAME = 32

if t.TYPE_CHECKING:
    from .twins import Twins


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Bring one template to the state that is asked for in ``options`` (the module's).

    Returns what was done, or with ``check`` what would be done. Raises ``UsageError`` for what can't be done, before
    anything is changed.
    """
    check_options(options)
    deadline = Deadline(options["wait_timeout"], client.clock)
    rows = _find(client, options, deadline, check)
    facts = look_up(client, rows, options, deadline, check)
    vm.check_shown(facts.get("machine"), "vm" if options.get("vm") else "volume")
    warnings: list[str] = []
    if "made" in facts and not check:
        facts["twins"] = _twins(client, options, facts["zone"]["id"], deadline)
        if facts["twins"].await_unseen():
            rows = _find(client, options, deadline, check)
            facts = {**look_up(client, rows, options, deadline, check), "twins": facts["twins"]}
    track = plan(rows, options, facts, warnings)
    if not check:

        def again(track: Track) -> Track | None:
            return _again(client, track, options, facts, deadline, warnings)

        converge(client, [track], deadline, again, wait=options["wait"])
    return Report([track], show, check, warnings)


def _find(client: Client, options: Record, deadline: Deadline, check: bool) -> list[Record]:
    """Find the template, a record for each zone. Where runs are making several at this moment, wait until one is left."""

    def look() -> list[Record]:
        return template.find_own(client, options.get("name"), options.get("id"), options.get("zone"))

    try:
        return look()
    except Duplicates:
        from .twins import found  # here, as few runs need it

        return found(client, look, _is_good, "createTemplate", deadline, check)


def _twins(client: Client, options: Record, zone_id: str, deadline: Deadline) -> Twins:
    """Return what may be the same as the template that is to be made: of its name, in its zone."""
    from .twins import Kind, Twins  # here, as few runs make a template

    def same(record: Record) -> bool:
        return (record.get("name"), record.get("zoneid")) == (options["name"], zone_id)

    # One that is made of a disk is not listed before its job has ended; one that is downloaded has no job.
    make = ("", "registerTemplate") if options.get("url") else ("CreateTemplate", "createTemplate")
    kind = Kind(
        "template", "listTemplates", *make, delete="deleteTemplate", good=_is_good, hidden=not options.get("url")
    )
    query = {"templatefilter": "self", "name": part(options["name"])}
    return Twins(client, kind, query, same, deadline, wait=options["wait"])


def _is_good(record: Record) -> bool | None:
    if record.get("isready"):
        return True
    return False if has_failed(record.get("status")) else None


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


def look_up(client: Client, rows: list[Record], options: Record, deadline: Deadline, check: bool) -> Record:
    """Return what the plan needs to know beyond the template, asking only for what is needed.

    Keys, all optional: ``zone`` (record: where it is made), ``zones`` (names by id: where it shall be), ``os_type_id``,
    ``volume``, ``snapshot``, ``machine`` (records of what it is made from), ``restart`` (whether the machine shall run
    again), ``made`` (what a new one is, before anything is changed), ``accounts`` (who may launch it, ``None`` where
    nothing tells), ``administrator`` (whether the account is one, where only an administrator may do what is asked for;
    ``None`` where nothing tells), ``twins`` (what may be the same as one that is to be made).
    """
    facts: Record = {}
    if options["state"] != "present":
        if options["state"] == "extracted" and any(row.get("isextractable") is False for row in rows):
            facts["administrator"] = account.is_administrator(client)
        if options.get("zone") and not any(zone.holds(row, options["zone"]) for row in rows):
            zone.find(client, options["zone"])  # a zone that does not exist is a mistake, not one without the template
        return facts
    if rows:
        if options.get("accounts") is not None:
            facts["accounts"] = permissions.launchers(client, rows[0])
        given = options.get("os_type")
        if given is not None:
            same = given in (rows[0].get("ostypeid"), rows[0].get("ostypename"))
            facts["os_type_id"] = rows[0].get("ostypeid") if same else os_type.find(client, given)["id"]
    else:
        _look_up_creation(client, options, facts, deadline, check)
    known = [row for row in rows if row.get("zoneid")]
    if options.get("zones"):
        facts["zones"] = _zones(client, known, options["zones"])
    current = (rows[0] if rows else facts["made"]).get("isextractable")
    if options.get("extractable") not in (None, current):
        facts["administrator"] = account.is_administrator(client)
    return facts


def _zones(client: Client, rows: list[Record], wanted: list[str]) -> dict[str, str]:
    """Return the names of zones by their ids; those in which the template is already need no question."""
    known = [{"id": row["zoneid"], "name": row.get("zonename")} for row in rows]
    names = {one["id"]: one["name"] for one in known} | {one["name"]: one["name"] for one in known}
    if not all(one in names for one in wanted):
        known = client.list("listZones")
    chosen = [pick(known, one, "zones") for one in wanted]
    return {one["id"]: str(one.get("name")) for one in chosen}


def _look_up_creation(client: Client, options: Record, facts: Record, deadline: Deadline, check: bool) -> None:
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
    if options.get("url"):
        lacking = [option for option in ("format", "hypervisor", "os_type") if not options.get(option)]
        if lacking:
            raise UsageError(f"{', '.join(lacking)}: needed to make {name} from url")
        facts["zone"] = zone.find(client, options.get("zone"))
        hypervisor.check(client, options["hypervisor"], facts["zone"])
        facts["made"] = {"isextractable": bool(options.get("extractable"))}
    elif options.get("snapshot"):
        facts["snapshot"] = snapshot.source(client, options["snapshot"])
        disk = volume.find(client, None, facts["snapshot"].get("volumeid"))
        facts["zone"] = zone.find(client, options.get("zone")) if disk is None else _zone_of(disk, options)
        facts["made"] = {"isextractable": _is_extractable(disk)}
    else:
        _look_up_disk(client, options, facts, deadline, check)
        facts["made"] = {"isextractable": _is_extractable(facts["volume"])}
    facts["made"].update(isfeatured=False, ispublic=bool(options.get("public")))
    if options.get("os_type"):
        facts["os_type_id"] = os_type.find(client, options["os_type"])["id"]
    elif facts.get("machine"):
        facts["os_type_id"] = facts["machine"].get("guestosid")
    if not facts.get("os_type_id"):
        raise UsageError(f"os_type: is needed to make {name}, as nothing tells which system is on the disk")


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


def _look_up_disk(client: Client, options: Record, facts: Record, deadline: Deadline, check: bool) -> None:
    """Find the disk and the machine that has it, which must be stopped, or may be."""
    wanted = options.get("vm")
    disk: Record = {}
    if wanted is None:
        found = volume.find(client, options["volume"], None, options.get("zone"), "volume")
        if found is None:
            raise not_there("volume", "volume", options["volume"], "; cloudn_volume_info lists those there are")
        disk = found
        if disk.get("state") != _READY:
            raise UsageError(
                f"volume: {options['volume']!r} is {disk.get('state')}; it holds nothing until it is attached"
            )
        wanted = disk.get("virtualmachineid")
    if wanted is not None:
        facts["machine"] = vm.settled_one(client, wanted, options.get("zone"), deadline, check)
        facts["restart"] = facts["machine"].get("state") == RUNNING
    if options.get("vm") is not None:
        disks = volume.search(client, {"virtualmachineid": facts["machine"]["id"], "type": volume.ROOT})
        if not disks:
            raise UsageError(f"vm: {wanted} has no root disk that the service lists")
        disk = disks[0]
        if disk.get("state") != _READY:
            raise UsageError(
                f"vm: the disk of {wanted} is {disk.get('state')}; it holds nothing until the machine has been started once"
            )
    facts["volume"] = disk
    facts["zone"] = _zone_of(disk, options)
    if facts.get("restart") and not options["allow_restart"]:
        name = facts["machine"].get("name")
        raise UsageError(
            f"{name} is running, and a template can be taken of its disk only while it is stopped: set allow_restart: true "
            "to have it stopped and started again, stop it first, or take a snapshot and make the template from that"
        )


def _again(
    client: Client, track: Track, options: Record, facts: Record, deadline: Deadline, warnings: list[str]
) -> Track | None:
    """Find and plan the template anew after a failure, when the service does nothing more with templates.

    A template that is being made is not listed before that has ended, so that is waited for. The machine is started
    again whatever became of the template. One that is found after the answer to its making was lost must be what was asked
    for, so drift counts then.
    """
    if track.error and track.error.command == "extractTemplate":
        return None  # an address that was made is not shown again, and making another one is up to the user
    twins: Twins | None = facts.get("twins")
    given = options
    options = {**options, "on_immutable_drift": "ignore"}
    if twins and twins.is_in_doubt(track):
        wanted = (twins.pick(track, warnings) or {}).get("id")
        options = given
    else:
        client.await_pending("Template", track.id, deadline)
        wanted = (twins.survivor() or {}).get("id") if twins and twins.stays else track.id
    if wanted is None and twins and twins.is_in_doubt(track):
        rows = []
    else:
        rows = template.find_own(client, options.get("name"), wanted or options.get("id"), options.get("zone"))
    fresh = {**look_up(client, rows, options, deadline, check=False), **({"twins": twins} if twins else {})}
    if rows and fresh.get("accounts", ()) is None:
        if track.error and track.error.command == permissions.BY_EC2:
            return None  # nothing tells whether it was done
        if "accounts" not in facts:
            fresh["accounts"] = set()  # it is new, and nobody was given the right yet
    if facts.get("restart"):
        machine = facts["machine"]["id"]
        fresh["machine"] = vm.settled(client, [machine], None, deadline, check=False)[machine]
        fresh["restart"] = True
    again = plan(rows, options, fresh, [])
    return twins.onward(track, again) if twins else again

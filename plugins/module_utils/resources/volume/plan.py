# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: plans their changes, and returns their results."""

from __future__ import annotations

import typing as t

from ...api import CloudnError, Record, UsageError
from ...reconcile import THIS, Changes, New, Plan, Progress, Step, Task, replace
from .. import extraction, tags, zone
from ..download import has_failed
from ..drift import check_drift
from ..lookup import like_filter, not_there, redact_url
from . import size
from . import view as volume
from .view import ROOT

if t.TYPE_CHECKING:
    from ...reconcile.duplicates import Kind

_DETACH = "detachVolume"
_UPLOADING, _UPLOAD_ERROR = "Uploading", "UploadError"
TRANSITIONAL = (_UPLOADING, "Creating")
_USABLE = ("Allocated", "Ready", "Uploaded")


def plan(task: Task, wanted: str, record: Record | None, lookups: Record) -> Plan:
    """Return the plan that brings the volume to the desired state.

    Raises ``UsageError`` if that needs ``force``, and for drift that no command can change.
    """
    options, name = task.options, task.options.get("name") or (record or {}).get("name") or wanted
    state = options["state"]
    if record is None:
        return _plan_missing(name, options, lookups)
    if record.get("type") == ROOT and state in ("absent", "attached", "detached"):
        raise UsageError(f"{name} is the root disk of {record.get('vmname')}; state: {state} is for data disks only")
    conditions = {str(record.get("virtualmachineid")): record.get("vmstate"), **_state_of(lookups.get("vm"))}
    if state == "absent":
        return _plan_absence(name, record, options, conditions)
    if state == "extracted":
        step = extraction.of_volume(name, record, options, lookups)
        return Plan(name, record, [[step]], {"state": "present"}, {"state": "extracted"}, conditions)
    changes = Changes(False, state="present")
    _check_upload(name, record)
    _check_immutable(name, record, options, lookups, task.warnings)
    stages = tags.plan(tags.VOLUME, name, record, options, changes)
    if record.get("state") in TRANSITIONAL:
        stages.append([_readiness(name)])
    resize = size.plan(name, record, options, lookups, changes, task.warnings)
    moves = _moves(name, record, options, lookups, changes)
    # Some hypervisors change the size of a detached disk only. Source: CloudStack's code (XenServer).
    at = sum(stage[0].command == _DETACH for stage in moves)
    stages += [*moves[:at], resize, *moves[at:]]
    return Plan(name, record, stages, changes.before, changes.after, conditions)


def _plan_missing(name: str, options: Record, lookups: Record) -> Plan:
    """Return the plan for a volume that is not there."""
    if options["state"] in ("absent", "detached"):
        return Plan(name, None, [], {"state": "absent"}, {"state": "absent"})
    if options["state"] == "extracted":
        raise not_there("id" if options.get("id") else "name", "volume", name, " to extract")
    changes = Changes(True, state="present")
    stages = [[_creation(name, options, lookups, changes.after)]]
    is_upload = bool(options.get("url"))
    stages += tags.plan(tags.VOLUME, name, None, options, changes, early=not is_upload)
    if is_upload:
        stages.append([_readiness(name)])
    stages.append(size.plan(name, {}, options, lookups, changes, []))
    stages += _moves(name, {}, options, lookups, changes)
    # A volume of the same name in the same zone may be the same one, attached or not.
    is_named = zone.is_named(name, lookups["zone"]["id"])
    new = New(kind(is_upload), {"name": like_filter(name)}, lambda one: is_named(one) and not volume.is_left(one))
    return Plan(name, None, stages, changes.before, changes.after, _state_of(lookups.get("vm")), new)


def kind(is_upload: bool = False) -> Kind:
    """Return the rules for volumes that several runs make at the same time."""
    from ...reconcile.duplicates import Kind, alike_in, are_apart  # here, as few runs make a volume

    return Kind(
        field="volume",
        listing="listVolumes",
        create="uploadVolume" if is_upload else "createVolume",
        delete="deleteVolume",
        usable=_is_usable,
        alike=alike_in() if is_upload else alike_in("diskofferingid", "size"),
        making="UploadVolume" if is_upload else "CreateVolume",
        # An uploaded volume is listed only after its job. Any other is listed as soon as the command is answered.
        hidden=is_upload,
        mistakes=are_apart,
    )


def _is_usable(record: Record) -> bool | None:
    state = record.get("state")
    return None if state in TRANSITIONAL else state in _USABLE


def _state_of(machine: Record | None) -> Record:
    """Return the state of a machine by its id.

    A machine shows its new state only some moments after the command to start or stop. Then it refuses disks. Measured on
    CloudStack 3.0.5.
    """
    return {machine["id"]: machine.get("state")} if machine else {}


def _step(text: str, command: str, params: Record, **more: t.Any) -> Step:
    return Step(text, command, params, returns="volume", yields=replace, **more)


def _readiness(name: str) -> Step:
    return _step(f"{name} to be ready", "listVolumes", {"id": THIS}, until=_ready)


def _plan_absence(name: str, record: Record, options: Record, conditions: Record) -> Plan:
    before = {"state": "present", "id": record["id"], "vm": record.get("vmname")}
    stages = [[Step(f"{name}: delete", "deleteVolume", {"id": THIS})]]
    if record.get("virtualmachineid"):
        if not options["force"]:
            raise UsageError(
                f"{name} is attached to {record.get('vmname')} ({record['virtualmachineid']}); set force: true to detach and delete it"
            )
        stages.insert(0, [_detach(name, record)])
    return Plan(name, record, stages, before, {"state": "absent"}, conditions)


def _creation(name: str, options: Record, lookups: Record, after: Record) -> Step:
    zone_name, zone_id = lookups["zone"].get("name"), lookups["zone"]["id"]
    after["zone"] = zone_name
    params: Record = {"name": name, "zoneid": zone_id}
    if options.get("url"):
        after.update(url=redact_url(options["url"]), format=options["format"])
        params.update(url=options["url"], format=options["format"], checksum=options.get("checksum"))
        return _step(f"{name}: upload in {zone_name} from {after['url']}", "uploadVolume", params, creates=True)
    if "snapshot" in lookups:
        after["snapshot"] = lookups["snapshot"].get("name")
        params["snapshotid"] = lookups["snapshot"]["id"]
        text = f"{name}: create in {zone_name} from snapshot {after['snapshot']}"
        return _step(text, "createVolume", params, creates=True)
    offering = lookups["disk_offering"]
    made = offering.get("disksize")
    params["diskofferingid"] = offering["id"]
    if offering.get("iscustomized"):
        made = params["size"] = options["size_gb"]
    after.update(disk_offering=offering.get("name"), size_gb=made)
    text = f"{name}: create in {zone_name} with {after['disk_offering']}, {made} GiB"
    return _step(text, "createVolume", params, creates=True)


def _moves(name: str, record: Record, options: Record, lookups: Record, changes: Changes) -> list[list[Step]]:
    """Return the stages that attach or detach a volume."""
    if options["state"] == "detached":
        return _detachment(name, record, options, lookups, changes)
    if options["state"] == "attached":
        return _attachment(name, record, options, lookups, changes)
    return []


def _is_here(record: Record, options: Record, lookups: Record) -> bool:
    """Tell whether a volume is attached to the machine that the options name."""
    if record.get("vmname") is None or not options.get("vm"):
        return False
    return volume.is_on(record, options["vm"]) or record["virtualmachineid"] == (lookups.get("vm") or {}).get("id")


def _detachment(name: str, record: Record, options: Record, lookups: Record, changes: Changes) -> list[list[Step]]:
    current = record.get("vmname")
    leaves = current is not None and (options.get("vm") is None or _is_here(record, options, lookups))
    changes.note("vm", current, None if leaves else current)
    return [[_detach(name, record)]] if leaves else []


def _attachment(name: str, record: Record, options: Record, lookups: Record, changes: Changes) -> list[list[Step]]:
    current, device = record.get("vmname"), options.get("device_id")
    is_here = _is_here(record, options, lookups)
    if is_here:
        target = {"id": record["virtualmachineid"], "name": current}
    else:
        target = lookups["vm"]
        _check_zone(name, record, lookups)
    changes.note("vm", current, target.get("name"))
    if device is not None:
        changes.note("device_id", record.get("deviceid"), device)
    if is_here and device in (None, record.get("deviceid")):
        return []
    if current and not options["force"]:
        where = f"to {current} as device {record.get('deviceid')}" if is_here else f"to {current}"
        goal = f"as device {device}" if is_here else f"to {target.get('name')}"
        raise UsageError(
            f"{name} is attached {where} ({record['virtualmachineid']}); set force: true to detach it there and attach it {goal}"
        )
    as_device = f" as device {device}" if device is not None else ""
    params = {"id": THIS, "virtualmachineid": target["id"], "deviceid": device}
    attach = _step(f"{name}: attach to {target.get('name')}{as_device}", "attachVolume", params)
    return [[_detach(name, record)], [attach]] if current else [[attach]]


def _check_zone(name: str, record: Record, lookups: Record) -> None:
    """Raise ``UsageError`` if the volume and its new machine are not in one zone."""
    machine = lookups["vm"]
    where = {"id": record.get("zoneid"), "name": record.get("zonename")} if record else lookups["zone"]
    if where["id"] != machine.get("zoneid"):
        places = f"{machine.get('name')} is in {machine.get('zonename')}, and {name} in {where['name']}"
        raise UsageError(f"vm: {places}; a volume can be attached only in its own zone")


def _detach(name: str, record: Record) -> Step:
    # By its id: by machine and device the job fails; measured on CloudStack 3.0.5.
    return _step(f"{name}: detach from {record.get('vmname')}", _DETACH, {"id": THIS})


def _ready(records: list[Record], _progress: Progress) -> Record | None:
    """Return the volume once it is made or uploaded. Raises ``CloudnError`` if the upload has failed."""
    record = next(iter(records), {})
    _check_upload(record.get("name", "the volume"), record)
    return None if record.get("state") in TRANSITIONAL else {"volume": record}


def _check_upload(name: str, record: Record) -> None:
    if record.get("state") == _UPLOAD_ERROR or (record.get("state") == _UPLOADING and has_failed(record.get("status"))):
        reason = (record.get("status") or "the service gives no reason").strip()
        way_out = "Delete it (state: absent), check the url, and upload it again"
        raise CloudnError(f"{name}: its upload failed: {reason} (volume {record.get('id')}). {way_out}", "uploadVolume")


def _check_immutable(name: str, record: Record, options: Record, lookups: Record, warnings: list[str]) -> None:
    """Report differences that no command can change: ``on_immutable_drift`` says how."""
    drift = []
    # A volume made from a snapshot lists an offering that is no disk offering; measured on CloudStack 3.0.5.
    if "offerings" in lookups and record.get("diskofferingid") in lookups["offerings"]:
        drift.append(f"disk_offering is {record.get('diskofferingname')!r}, not {options['disk_offering']!r}")
    drift += size.drift(record, options, lookups)
    if options.get("id") and options.get("name") not in (None, record.get("name"), record["id"]):
        drift.append(f"name is {record.get('name')!r}, not {options['name']!r}")
    if options.get("zone") and not zone.holds(record, options["zone"]):
        drift.append(f"zone is {record.get('zonename')!r}, not {options['zone']!r}")
    way_out = "make another one, from a snapshot if its data matters, correct the option"
    check_drift(name, drift, "volume", way_out, options, warnings)


def to_result(progress: Progress, check: bool) -> Record:
    """Return the volume as it is now or, in check mode, as far as it is known before."""
    shown, after = volume.to_result({"name": progress.name, **progress.object}), progress.plan.after
    if check:
        shown.update({key: after[key] for key in ("zone", "size_gb", "disk_offering", "vm", "tags") if key in after})
    if not progress.error and after["state"] == "absent":
        shown["state"] = "absent"
    if "extraction" in progress.object:
        shown["extraction"] = extraction.to_result(progress.object["extraction"])
    return shown

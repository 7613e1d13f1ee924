# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: made, uploaded, attached, detached, extracted, deleted."""

from __future__ import annotations

import typing as t

from ..api import Client, CloudnError, Deadline, Duplicates, Missing, Record, UsageError
from ..converge import converge
from ..plan import THIS, Step, Track
from ..report import Report
from . import account, disk_offering, extraction, snapshot, tags, vm, volume, zone
from .download import check_url, has_failed
from .drift import judge
from .lookup import check_text, is_uuid, not_there, part, public
from .volume import GIB, ROOT

UPLOADING, UPLOAD_ERROR = "Uploading", "UploadError"
_PASSING = (UPLOADING, "Creating")
_USABLE = ("Allocated", "Ready", "Uploaded")

if t.TYPE_CHECKING:
    from .twins import Twins


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Bring one volume to the state that is asked for in ``options`` (the module's).

    Returns what was done, or with ``check`` what would be done. Raises ``UsageError`` for what can't be done, before
    anything is changed.
    """
    check_options(options)
    deadline = Deadline(options["wait_timeout"], client.clock)
    record = _find(client, options, deadline, check)
    facts = look_up(client, options, record, deadline, check)
    if options["state"] == "attached":
        vm.check_shown(facts.get("vm"), "vm")
    warnings: list[str] = []
    if "zone" in facts and not check:
        facts["twins"] = _twins(client, options, facts["zone"]["id"], deadline)
        if facts["twins"].await_unseen():
            record = _find(client, options, deadline, check)
            facts = {**look_up(client, options, record, deadline, check), "twins": facts["twins"]}
    track = plan(record, options, facts, warnings)
    if not check:
        seen = _machine_states(record, facts)

        def again(track: Track) -> Track | None:
            return _again(client, track, options, facts.get("twins"), seen, deadline, warnings)

        converge(client, [track], deadline, again, 1, options["wait"])
    return Report([track], show, check, warnings)


def _find(client: Client, options: Record, deadline: Deadline, check: bool) -> Record | None:
    """Find the volume. Where runs are making several at this moment, wait until one is left."""

    def look() -> Record | None:
        return volume.find(client, options.get("name"), options.get("id"), options.get("zone"))

    try:
        return look()
    except Duplicates:
        from .twins import found  # here, as few runs need it

        return found(client, look, _is_good, "createVolume", deadline, check)


def _twins(client: Client, options: Record, zone_id: str, deadline: Deadline) -> Twins:
    """Return what may be the same as the volume that is to be made: of its name, in its zone, attached already or not."""
    from .twins import Kind, Twins  # here, as few runs make a volume

    def same(record: Record) -> bool:
        return (record.get("name"), record.get("zoneid")) == (options["name"], zone_id)

    upload = bool(options.get("url"))
    make = ("UploadVolume", "uploadVolume") if upload else ("CreateVolume", "createVolume")
    # One that is uploaded is there only when the job has run; any other from the moment that the command is answered.
    alike = () if upload else ("diskofferingid", "size")
    kind = Kind("volume", "listVolumes", *make, "deleteVolume", _is_good, alike, hidden=upload)
    return Twins(client, kind, {"name": part(options["name"])}, same, deadline, wait=options["wait"])


def _is_good(record: Record) -> bool | None:
    state = record.get("state")
    return None if state in _PASSING else state in _USABLE


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong whatever the service holds."""
    check_text(options)
    state, name = options["state"], options.get("name")
    if name is not None and not name.strip():
        raise UsageError("name: must not be empty")
    if options.get("vm") and state not in ("attached", "detached"):
        raise UsageError(f"vm: says where to attach or detach the volume, which state: {state} does not do")
    check_url(options)
    if options.get("size_gb") is not None and options["size_gb"] < 1:
        raise UsageError(f"size_gb: must be at least 1, not {options['size_gb']}")
    device = options.get("device_id")
    if device is not None and state != "attached":
        raise UsageError(f"device_id: says as what to attach the volume, which state: {state} does not do")
    if device is not None and (device < 1 or device == 3):
        raise UsageError(f"device_id: {device} can't be taken; 0 is the root disk and 3 the CD drive of every machine")
    extraction.check_options(options)


def look_up(client: Client, options: Record, record: Record | None, deadline: Deadline, check: bool) -> Record:
    """Return what the plan needs to know beyond the volume, asking only for what is needed.

    Keys, all optional: ``vm``, ``zone``, ``disk_offering``, ``snapshot`` (one record each), ``offerings`` (disk offerings
    by id), ``administrator`` (whether the account is one, where only an administrator may extract the volume; ``None`` where
    nothing tells), ``twins`` (what may be the same as one that is to be made).
    """
    facts: Record = {}
    state, machine = options["state"], options.get("vm")
    here = record is not None and machine is not None and volume.is_on(record, machine)
    if state == "attached" and not here:
        facts["vm"] = vm.settled_one(client, options["vm"], options.get("zone"), deadline, check)
    elif state == "detached" and machine and not here and record and record.get("virtualmachineid"):
        facts["vm"] = vm.find_one(client, machine, options.get("zone"))  # it may be a display name
    if record is None:
        if state in ("present", "attached"):
            _look_up_creation(client, options, facts)
        elif options.get("zone"):
            zone.find(client, options["zone"])  # a zone that does not exist is a mistake, not one without the volume
        return facts
    if state == "extracted" and record.get("isextractable") is False:
        facts["administrator"] = account.is_administrator(client)
    leaves = state == "detached" or (options["force"] and (state == "absent" or "vm" in facts))
    if leaves and record.get("vmstate") in vm.PASSING:
        vm.settled_one(client, record["virtualmachineid"], None, deadline, check)
    given = options.get("disk_offering")
    if given and options["on_immutable_drift"] != "ignore" and _other_offering(record, given):
        offerings = disk_offering.search(client)
        disk_offering.pick_from(offerings, given)
        facts["offerings"] = {offering["id"]: offering for offering in offerings}
    return facts


def _look_up_creation(client: Client, options: Record, facts: Record) -> None:
    name = options.get("name")
    if name is None or is_uuid(name):
        raise UsageError(f"{'id' if options.get('id') else 'name'}: there is no volume {options.get('id') or name}")
    sources = [source for source in ("disk_offering", "snapshot", "url") if options.get(source)]
    if not sources:
        raise Missing(
            f"disk_offering: is needed to make {name}, which does not exist (or snapshot, or url with format)"
        )
    if "vm" in facts and not options.get("zone"):
        facts["zone"] = {"id": facts["vm"]["zoneid"], "name": facts["vm"].get("zonename")}
    else:
        facts["zone"] = zone.find(client, options.get("zone"))
    if options.get("snapshot"):
        facts["snapshot"] = snapshot.source(client, options["snapshot"])
    if options.get("disk_offering"):
        facts["disk_offering"] = disk_offering.find(client, options["disk_offering"])
        _check_size(options, facts["disk_offering"])


def _check_size(options: Record, offering: Record) -> None:
    name, size = options["disk_offering"], options.get("size_gb")
    if offering.get("iscustomized") and size is None:
        raise UsageError(f"size_gb: is needed, as the disk offering {name!r} leaves the size open")
    if not offering.get("iscustomized") and size is not None and size != offering.get("disksize"):
        raise UsageError(
            f"size_gb: the disk offering {name!r} has a size of its own, {offering.get('disksize')} GiB; leave size_gb out, "
            "or choose an offering that leaves the size open"
        )


def _other_offering(record: Record, given: str) -> bool:
    return given not in (record.get("diskofferingid"), record.get("diskofferingname"))


def plan(record: Record | None, options: Record, facts: Record, warnings: list[str]) -> Track:
    """Return the track that leads the volume to what is asked for; looks at its arguments only.

    Raises ``UsageError`` for what needs ``force``, and for drift that can't be mended. Appends to ``warnings``.
    """
    name = options.get("name") or (record or {}).get("name") or options["id"]
    state = options["state"]
    if record is None and state in ("absent", "detached"):
        return Track(name, None, [], {"state": "absent"}, {"state": "absent"}, absorb)
    if record is None and state == "extracted":
        raise not_there("id" if options.get("id") else "name", "volume", name, " to extract")
    if record is not None and record.get("type") == ROOT and state in ("absent", "attached", "detached"):
        raise UsageError(
            f"{name} is the root disk of {record.get('vmname')}, with which it comes and goes; state: {state} is for data disks"
        )
    if state == "absent":
        return _plan_absence(name, record or {}, options)
    if state == "extracted":
        step = extraction.of_volume(name, record or {}, options, facts)
        return Track(name, record, [[step]], {"state": "present"}, {"state": "extracted"}, absorb)
    before: Record = {}
    after: Record = {"state": "present"}
    stages = []
    if record is None:
        stages.append([_creation(name, options, facts, after)])
    else:
        before["state"] = "present"
        _check_upload(name, record)
        _check_immutable(name, record, options, facts, warnings)
    uploading = bool(record is None and options.get("url"))
    if record is None and "twins" in facts:
        stages += facts["twins"].alone(name)
    stages += tags.plan(tags.VOLUME, name, record, options, before, after, early=not uploading)
    if uploading or (record or {}).get("state") in _PASSING:
        stages.append([Step(f"{name} to be ready", "listVolumes", {"id": THIS}, until=_ready)])
    if state != "present":
        stages += _move(name, record or {}, options, facts, before, after)
    return Track(name, record, stages, before, after, absorb)


def _plan_absence(name: str, record: Record, options: Record) -> Track:
    before = {"state": "present", "id": record["id"], "vm": record.get("vmname")}
    stages = [[Step(f"{name}: delete", "deleteVolume", {"id": THIS})]]
    if record.get("virtualmachineid"):
        if not options["force"]:
            raise UsageError(
                f"{name} is attached to {record.get('vmname')} ({record['virtualmachineid']}): detach it first "
                "(state: detached), or set force: true to detach and delete it"
            )
        stages.insert(0, [_detach(name, record)])
    return Track(name, record, stages, before, {"state": "absent"}, absorb)


def _creation(name: str, options: Record, facts: Record, after: Record) -> Step:
    zone_name, zone_id = facts["zone"].get("name"), facts["zone"]["id"]
    after["zone"] = zone_name
    params: Record = {"name": name, "zoneid": zone_id}
    if options.get("url"):
        after.update(url=public(options["url"]), format=options["format"])
        params.update(url=options["url"], format=options["format"], checksum=options.get("checksum"))
        return Step(f"{name}: upload in {zone_name} from {after['url']}", "uploadVolume", params)
    if "snapshot" in facts:
        after["snapshot"] = facts["snapshot"].get("name")
        params["snapshotid"] = facts["snapshot"]["id"]
        return Step(f"{name}: create in {zone_name} from snapshot {after['snapshot']}", "createVolume", params)
    offering = facts["disk_offering"]
    after.update(disk_offering=offering.get("name"), size_gb=options.get("size_gb") or offering.get("disksize"))
    params["diskofferingid"] = offering["id"]
    if offering.get("iscustomized"):
        params["size"] = options["size_gb"]
    text = f"{name}: create in {zone_name} with {after['disk_offering']}, {after['size_gb']} GiB"
    return Step(text, "createVolume", params)


def _move(name: str, record: Record, options: Record, facts: Record, before: Record, after: Record) -> list[list[Step]]:
    """Return the stages that attach or detach a volume."""
    current, device = record.get("vmname"), options.get("device_id")
    machine: t.Any = options.get("vm")
    if record:
        before["vm"] = current
    found = facts.get("vm") or {}
    here = current is not None and (volume.is_on(record, machine) or record["virtualmachineid"] == found.get("id"))
    if options["state"] == "detached":
        leaves = current is not None and (machine is None or here)
        after["vm"] = None if leaves else current
        return [[_detach(name, record)]] if leaves else []
    target = {"id": record["virtualmachineid"], "name": current} if here else found
    if not here:
        _check_zone(name, record, facts)
    after["vm"] = target.get("name")
    if device is not None:
        before.update({"device_id": record.get("deviceid")} if record else {})
        after["device_id"] = device
    if here and device in (None, record.get("deviceid")):
        return []
    if current and not options["force"]:
        where = f"to {current} as device {record.get('deviceid')}" if here else f"to {current}"
        raise UsageError(
            f"{name} is attached {where} ({record['virtualmachineid']}); set force: true to detach it there and attach it "
            f"{f'as device {device}' if here else 'to ' + str(target.get('name'))}"
        )
    as_device = f" as device {device}" if device is not None else ""
    params = {"id": THIS, "virtualmachineid": target["id"], "deviceid": device}
    attach = Step(f"{name}: attach to {target.get('name')}{as_device}", "attachVolume", params)
    return [[_detach(name, record)], [attach]] if current else [[attach]]


def _check_zone(name: str, record: Record, facts: Record) -> None:
    """Raise ``UsageError`` where the volume and the machine that it shall be attached to are not in one zone."""
    machine = facts["vm"]
    where = {"id": record.get("zoneid"), "name": record.get("zonename")} if record else facts["zone"]
    if where["id"] != machine.get("zoneid"):
        raise UsageError(
            f"vm: {machine.get('name')} is in {machine.get('zonename')}, and {name} in {where['name']}: the service attaches "
            "volumes to machines of their own zone only"
        )


def _detach(name: str, record: Record) -> Step:
    # By its id: by machine and device the job fails; measured on CloudStack 3.0.5.
    return Step(f"{name}: detach from {record.get('vmname')}", "detachVolume", {"id": THIS})


def _ready(records: list[Record], _track: Track) -> Record | None:
    """Return the volume once it is there, uploaded or made; raise ``CloudnError`` where an upload has failed."""
    record = next(iter(records), {})
    _check_upload(record.get("name", "the volume"), record)
    return None if record.get("state") in _PASSING else {"volume": record}


def _check_upload(name: str, record: Record) -> None:
    if record.get("state") == UPLOAD_ERROR or (record.get("state") == UPLOADING and has_failed(record.get("status"))):
        raise CloudnError(
            f"{name}: its upload failed: {(record.get('status') or 'the service gives no reason').strip()} (volume "
            f"{record.get('id')}). Delete it (state: absent), see that the address can be reached by the service, and upload "
            "it again",
            "uploadVolume",
        )


def _check_immutable(name: str, record: Record, options: Record, facts: Record, warnings: list[str]) -> None:
    """Raise ``UsageError`` (or warn, or let pass, as asked for) for differences that no command can mend."""
    drift = []
    # A volume made from a snapshot lists an offering that is no disk offering; measured on CloudStack 3.0.5.
    if "offerings" in facts and record.get("diskofferingid") in facts["offerings"]:
        drift.append(f"disk_offering is {record.get('diskofferingname')!r}, not {options['disk_offering']!r}")
    size, current = options.get("size_gb"), record.get("size")
    if size is not None and current is not None and current != size * GIB:
        drift.append(f"size_gb is {-(-current // GIB)}, not {size}")
    if options.get("id") and options.get("name") not in (None, record.get("name"), record["id"]):
        drift.append(f"name is {record.get('name')!r}, not {options['name']!r}")
    if options.get("zone") and not zone.holds(record, options["zone"]):
        drift.append(f"zone is {record.get('zonename')!r}, not {options['zone']!r}")
    way_out = "make another one, from a snapshot if its data matters, correct the option"
    judge(name, drift, "volume", way_out, options, warnings)


def absorb(track: Track, step: Step, result: Record) -> None:
    """Take a result into the volume's track."""
    if step.command in ("createTags", "deleteTags"):
        tags.absorb(track, step)
        return
    record = result.get("volume")
    if not isinstance(record, dict):
        return
    if step.command == "extractVolume":
        track.object = {**track.object, "extraction": record}
        return
    kept = {"tags": track.object["tags"]} if track.object.get("tags") else {}  # set while the job was under way
    track.object = {**record, **kept}
    track.id = record.get("id", track.id)


def _machine_states(record: Record | None, facts: Record) -> dict[t.Any, t.Any]:
    """Return the states, by id, of the machine that has the volume and of the one that it is to be attached to."""
    has, gets = record or {}, facts.get("vm") or {}
    return {has.get("virtualmachineid"): has.get("vmstate"), gets.get("id"): gets.get("state")}


def _again(
    client: Client,
    track: Track,
    options: Record,
    twins: Twins | None,
    seen: dict[t.Any, t.Any],
    deadline: Deadline,
    warnings: list[str],
) -> Track | None:
    """Find and plan the volume anew after a failure, when the service does nothing more with it.

    One that is found after the answer to its making was lost must be what was asked for, so drift counts then. A machine
    shows that it stops, or starts, only some moments after it was told to, and then refuses disks. So what was refused is
    sent again where a machine is in another state than it was ``seen`` in (measured on CloudStack 3.0.5).
    """
    if track.error and track.error.command == "extractVolume":
        return None  # an address that was made is not shown again, and making another one is up to the user
    if twins and twins.is_in_doubt(track):
        record = twins.pick(track, warnings)
    else:
        client.await_pending("Volume", track.id, deadline)
        if twins and twins.stays:
            record = twins.survivor()
        else:
            record = volume.find(client, options.get("name"), track.id or options.get("id"), options.get("zone"))
            options = {**options, "on_immutable_drift": "ignore"}
    facts = {**look_up(client, options, record, deadline, check=False), **({"twins": twins} if twins else {})}
    fresh = plan(record, options, facts, [])
    states = _machine_states(record, facts)
    fresh.anew = any(seen.get(machine, state) != state for machine, state in states.items())
    seen.update(states)
    return twins.onward(track, fresh) if twins else fresh


def show(track: Track, check: bool) -> Record:
    """Return the volume of the result: as it is now or, in check mode, as far as it can be told before."""
    shown = volume.shape({"name": track.name, **track.object})
    if check:
        known = ("zone", "size_gb", "disk_offering", "vm", "tags")
        shown.update({key: track.after[key] for key in known if key in track.after})
    if not track.error and track.after["state"] == "absent":
        shown["state"] = "absent"
    if "extraction" in track.object:
        shown["extraction"] = extraction.shape(track.object["extraction"])
    return shown

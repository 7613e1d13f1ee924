# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots: taken when the newest is too old, kept in a number, deleted."""

from __future__ import annotations

import typing as t

from ..api import Client, CloudnError, Deadline, Record, UsageError
from ..converge import converge
from ..plan import THIS, Step, Track
from ..report import Report
from . import duration, snapshot, tags, volume
from .lookup import check_text
from .snapshot import FINISHED, PASSING

if t.TYPE_CHECKING:
    from .twins import Twins


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Bring the snapshots of one volume (or one snapshot) to the state that is asked for in ``options`` (the module's).

    Returns what was done, or with ``check`` what would be done. Raises ``UsageError`` for what can't be done, before
    anything is changed.
    """
    check_options(options)
    deadline = Deadline(options["wait_timeout"], client.clock)
    warnings: list[str] = []
    if options["state"] == "absent":
        found = snapshot.find(client, options.get("name"), options.get("id"))
        track = plan_absence(found, options)

        def again(track: Track) -> Track | None:
            client.await_pending("Snapshot", track.id, deadline)
            return plan_absence(snapshot.find(client, None, track.id), options)

    else:
        disk = volume.chosen(client, options)
        listed = snapshot.search(client, {"volumeid": disk["id"]})
        twins = None
        if _fresh(client, listed, options) is None and disk.get("state") != volume.ALLOCATED and not check:
            twins = _twins(client, disk, listed, options, deadline)
            if twins.await_unseen():
                listed = snapshot.search(client, {"volumeid": disk["id"]})
        track = plan(disk, _fresh(client, listed, options), listed, options, twins)

        def again(track: Track) -> Track | None:
            return _again(client, track, disk, options, twins, deadline, warnings)

    if not check:
        converge(client, [track], deadline, again, wait=options["wait"])
    return Report([track], show, check, warnings)


def _twins(client: Client, disk: Record, listed: list[Record], options: Record, deadline: Deadline) -> Twins:
    """Return what may be the same as the snapshot that is to be taken: any of the volume that was not there before.

    Where none is young enough, as with ``max_age: 0``, the snapshot of another run does not serve.
    """
    from .twins import Kind, Twins  # here, as few runs take a snapshot

    def same(record: Record) -> bool:
        return record.get("volumeid") == disk["id"] and record.get("state") in (FINISHED, *PASSING)

    kind = Kind("snapshot", "listSnapshots", "CreateSnapshot", "createSnapshot", "deleteSnapshot", _is_good)
    known = {one["id"] for one in listed}
    shared = options.get("max_age") is None or duration.seconds(options["max_age"], "max_age") > 0
    return Twins(client, kind, {"volumeid": disk["id"]}, same, deadline, known, shared, options["wait"])


def _is_good(record: Record) -> bool | None:
    state = record.get("state")
    return None if state in PASSING else state == FINISHED


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong whatever the service holds."""
    check_text(options)
    absent = options["state"] == "absent"
    used = [option for option in ("volume", "vm", "max_age", "keep", "tags") if options.get(option) is not None]
    if absent and used:
        raise UsageError(f"{used[0]}: is not for state: absent, which deletes the one snapshot of an id or a name")
    if not absent and (options.get("id") or options.get("name")):
        given = "id" if options.get("id") else "name"
        raise UsageError(f"{given}: is only for state: absent; the service names snapshots itself, so give the volume")
    if not absent and not (options.get("volume") or options.get("vm")):
        raise UsageError("volume: is needed, or vm for the root disk of a virtual machine")
    if absent and not (options.get("id") or options.get("name")):
        raise UsageError("id: is needed, or name, to say which snapshot goes")
    if options.get("keep") is not None and options["keep"] < 1:
        raise UsageError(f"keep: must be at least 1, not {options['keep']}")
    if options.get("max_age") is not None:
        duration.seconds(options["max_age"], "max_age")


def _fresh(client: Client, found: list[Record], options: Record) -> Record | None:
    """Return the newest snapshot, finished or under way, unless it is too old."""
    newest = next((one for one in found if one.get("state") in (FINISHED, *PASSING)), None)
    if newest and options.get("max_age") is not None:
        limit = duration.seconds(options["max_age"], "max_age")
        return newest if duration.age(client, newest) < limit else None
    return newest


def plan(disk: Record, fresh: Record | None, found: list[Record], options: Record, twins: Twins | None = None) -> Track:
    """Return the track that leaves a volume with a snapshot young enough, and no more than are to be kept.

    ``fresh`` is the newest snapshot where it is young enough, ``found`` all of them, newest first, ``twins`` what may be the
    same as a new one. Only finished ones are deleted, and only when a new one, if one is due, is finished. Raises
    ``UsageError`` for a volume that was never used.
    """
    name = str(disk.get("name"))
    stages = []
    if fresh is None:
        if disk.get("state") == volume.ALLOCATED:
            raise UsageError(
                f"volume: {name} has never been attached, so it holds nothing that a snapshot could be taken of; attach it "
                "first (cloudn_volume with state: attached)"
            )
        stages.append([Step(f"{name}: take a snapshot", "createSnapshot", {"volumeid": disk["id"]})])
    before: Record = {"snapshots": [one.get("name") for one in found]}
    after: Record = {}
    stages += tags.plan(tags.SNAPSHOT, name, fresh or {}, options, before, after)
    if fresh is None or fresh.get("state") != FINISHED:
        stages.append([Step(f"the snapshot of {name} to be finished", "listSnapshots", {"id": THIS}, until=_finished)])
    if fresh is None and twins:
        stages += twins.alone(f"the snapshot of {name}")
    old = _surplus(fresh, found, options.get("keep"))
    kept = [one.get("name") for one in found if one not in old]
    after["snapshots"] = kept if fresh else ["(new)", *kept]
    stages.append(
        [Step(f"{name}: delete snapshot {one.get('name')}", "deleteSnapshot", {"id": one["id"]}) for one in old]
    )
    return Track(name, fresh, stages, before, after, absorb)


def _surplus(fresh: Record | None, found: list[Record], keep: int | None) -> list[Record]:
    """Return the finished snapshots beyond the number to keep, which counts the one that is new or young enough."""
    if keep is None:
        return []
    others = [one for one in found if one.get("state") == FINISHED and (fresh is None or one["id"] != fresh["id"])]
    return others[keep - 1 :]


def plan_absence(record: Record | None, options: Record) -> Track:
    """Return the track that deletes one snapshot, when it is finished."""
    name = str((record or {}).get("name") or options.get("name") or options.get("id"))
    if record is None:
        return Track(name, None, [], {"state": "absent"}, {"state": "absent"}, absorb)
    wait = Step(f"{name} to be finished", "listSnapshots", {"id": THIS}, until=_settled)
    delete = Step(f"{name}: delete", "deleteSnapshot", {"id": THIS})
    stages = [[wait]] if record.get("state") in PASSING else []
    before = {"state": "present", "id": record["id"]}
    return Track(name, record, [*stages, [delete]], before, {"state": "absent"}, absorb)


def _finished(records: list[Record], _track: Track) -> Record | None:
    """Return the snapshot once it can be used; raise ``CloudnError`` when it never will."""
    record = next(iter(records), {})
    if record.get("state") in PASSING:
        return None
    if record.get("state") != FINISHED:
        raise CloudnError(
            f"createSnapshot: snapshot {record.get('name', '')} has come to nothing, it is {record.get('state', 'gone')}; delete "
            "it (state: absent) and run the task again",
            "createSnapshot",
        )
    return {"snapshot": record}


def _settled(records: list[Record], _track: Track) -> Record | None:
    """Return once no work on the snapshot is under way, whatever came of it."""
    record = next(iter(records), {})
    return None if record.get("state") in PASSING else {}


def absorb(track: Track, step: Step, result: Record) -> None:
    """Take a result into the track of the snapshot that is new or young enough."""
    if step.command in ("createTags", "deleteTags"):
        tags.absorb(track, step)
    elif isinstance(result.get("snapshot"), dict):
        kept = {"tags": track.object["tags"]} if track.object.get("tags") else {}
        track.object = {**result["snapshot"], **kept}


def _again(
    client: Client,
    track: Track,
    disk: Record,
    options: Record,
    twins: Twins | None,
    deadline: Deadline,
    warnings: list[str],
) -> Track:
    """Find and plan anew after a failure, when the service has ended what it was doing.

    Snapshots get their names from the service. One of this volume that was not there before the lost command is what
    was asked for, whoever made it: it is as young as can be.
    """
    if twins and twins.is_in_doubt(track):
        wanted = (twins.pick(track, warnings) or {}).get("id")
    else:
        client.await_pending("Snapshot", track.id, deadline)
        wanted = (twins.survivor() or {}).get("id") if twins and twins.stays else track.id
    surplus = twins.surplus if twins else ""  # it goes, so it must not count among those to keep
    found = [one for one in snapshot.search(client, {"volumeid": disk["id"]}) if one["id"] != surplus]
    usable = (one for one in found if one["id"] == wanted and one.get("state") in (FINISHED, *PASSING))
    fresh = plan(disk, next(usable, None), found, options, twins)
    return twins.onward(track, fresh) if twins else fresh


def show(track: Track, check: bool) -> Record:
    """Return the snapshot of the result: as it is now or, in check mode, as far as it can be told before."""
    shown = snapshot.shape(track.object)
    if track.after.get("state") == "absent":
        shown["state"] = shown["state"] if track.error else "absent"
        return shown
    shown["volume"] = shown["volume"] or track.name
    if check and "tags" in track.after:
        shown["tags"] = track.after["tags"]
    return shown

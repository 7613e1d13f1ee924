# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots: plans their changes, and returns their results."""

from __future__ import annotations

import typing as t

from ...api import CloudnError, Record, UsageError
from ...reconcile import THIS, Changes, New, Plan, Progress, Step, Task, replace
from .. import duration, tags
from ..volume import view as volume
from . import view as snapshot
from .view import FINISHED, TRANSITIONAL

if t.TYPE_CHECKING:
    from ...reconcile.duplicates import Kind


def plan(task: Task, name: str, found: Record, lookups: Record) -> Plan:
    """Return the plan that leaves a volume with a snapshot young enough, and no more than ``keep`` snapshots.

    It deletes only finished snapshots, and only after a new one, if it takes one, is finished. Raises ``UsageError`` for a
    volume that was never used.
    """
    disk, fresh, listed = found["volume"], lookups["fresh"], found["snapshots"]
    changes = Changes(False)
    stages = [] if fresh else [[_creation(name, disk, task.options.get("name"))]]
    stages += tags.plan(tags.SNAPSHOT, name, fresh or {}, task.options, changes)
    if fresh is None or fresh.get("state") != FINISHED:
        text = f"the snapshot of {name} to be finished"
        stages.append([_step(text, "listSnapshots", {"id": THIS}, until=_finished)])
    old = _surplus(fresh, listed, task.options.get("keep"))
    kept = [one.get("name") for one in listed if one not in old]
    changes.note("snapshots", [one.get("name") for one in listed], kept if fresh else ["(new)", *kept])
    stages.append([Step(f"{name}: delete snapshot {x.get('name')}", "deleteSnapshot", {"id": x["id"]}) for x in old])
    new = None if fresh else _new(disk, listed, task.options)
    return Plan(name, fresh, stages, changes.before, changes.after, new=new)


def _creation(name: str, disk: Record, wanted: str | None) -> Step:
    if disk.get("state") == volume.ALLOCATED:
        raise UsageError(
            f"volume: {name} has never been attached, so it holds no data; attach it first (cloudn_volume)"
        )
    if disk.get("state") == volume.UPLOADED:  # the service takes snapshots of volumes in its primary storage only
        raise UsageError(f"volume: {name} was uploaded and never attached; attach it first (cloudn_volume)")
    text = f"{name}: take the snapshot {wanted}" if wanted else f"{name}: take a snapshot"
    return _step(text, "createSnapshot", {"volumeid": disk["id"], "name": wanted}, creates=True)


def _step(text: str, command: str, params: Record, **more: t.Any) -> Step:
    return Step(text, command, params, returns="snapshot", yields=replace, **more)


def _new(disk: Record, listed: list[Record], options: Record) -> New:
    """Return what may be the same as the new snapshot: any snapshot of the volume that was not there before.

    If no snapshot is young enough, as with ``max_age: 0``, the snapshot of another run does not serve.
    """

    def same(record: Record) -> bool:
        is_named = options.get("name") in (None, record.get("name"))
        return record.get("volumeid") == disk["id"] and is_named and snapshot.is_good(record)

    shared = options.get("max_age") is None or duration.seconds(options["max_age"], "max_age") > 0
    return New(kind(), {"volumeid": disk["id"]}, same, {one["id"] for one in listed}, shared)


def kind() -> Kind:
    """Return the rules for snapshots that several runs take at the same time."""
    from ...reconcile.duplicates import Kind, alike_in  # here, as few runs take a snapshot

    return Kind(
        field="snapshot",
        listing="listSnapshots",
        create="createSnapshot",
        delete="deleteSnapshot",
        usable=_is_usable,
        alike=alike_in(),
        making="CreateSnapshot",
    )


def _is_usable(record: Record) -> bool | None:
    state = record.get("state")
    return None if state in TRANSITIONAL else state == FINISHED


def _surplus(fresh: Record | None, found: list[Record], keep: int | None) -> list[Record]:
    """Return the finished snapshots beyond ``keep``. The number includes the one that is new or young enough."""
    if keep is None:
        return []
    others = [one for one in found if one.get("state") == FINISHED and (fresh is None or one["id"] != fresh["id"])]
    return others[keep - 1 :]


def plan_absence(_task: Task, wanted: str, record: Record | None, _lookups: Record) -> Plan:
    """Return the plan that deletes one snapshot. If it is not finished, the plan waits for that first."""
    if record is None:
        return Plan(wanted, None, [], {"state": "absent"}, {"state": "absent"})
    name = str(record.get("name") or wanted)
    wait = _step(f"{name} to be finished", "listSnapshots", {"id": THIS}, until=_is_terminal)
    delete = _step(f"{name}: delete", "deleteSnapshot", {"id": THIS})
    stages = [[wait]] if record.get("state") in TRANSITIONAL else []
    return Plan(name, record, [*stages, [delete]], {"state": "present", "id": record["id"]}, {"state": "absent"})


def _finished(records: list[Record], _progress: Progress) -> Record | None:
    """Return the snapshot once it is finished. Raises ``CloudnError`` if it never will be."""
    record = next(iter(records), {})
    if record.get("state") in TRANSITIONAL:
        return None
    if record.get("state") != FINISHED:
        what = f"createSnapshot: snapshot {record.get('name', '')} is {record.get('state', 'gone')}, not {FINISHED}"
        raise CloudnError(f"{what}; delete it (state: absent) and run the task again", "createSnapshot")
    return {"snapshot": record}


def _is_terminal(records: list[Record], _progress: Progress) -> Record | None:
    """Return once the snapshot is in a terminal state."""
    record = next(iter(records), {})
    return None if record.get("state") in TRANSITIONAL else {}


def to_result(progress: Progress, check: bool) -> Record:
    """Return the snapshot as it is now or, in check mode, as far as it is known before."""
    shown = snapshot.to_result(progress.object)
    if progress.plan.after.get("state") == "absent":
        shown["state"] = shown["state"] if progress.error else "absent"
        return shown
    shown["volume"] = shown["volume"] or progress.name
    if check and progress.plan.creates:
        shown["name"] = shown["name"] or next(step.params.get("name") for step in progress.plan.steps if step.creates)
    if check and "tags" in progress.plan.after:
        shown["tags"] = progress.plan.after["tags"]
    return shown

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots: checks the options, finds the snapshots, and looks up what else their plan needs."""

from __future__ import annotations

from ...api import Client, Record, UsageError
from ...api.jobs import age
from ...reconcile import Found, Report, Resource, Task, no_lookups
from .. import duration, generation
from ..lookup import check_text, is_uuid
from ..volume import view as volume
from . import view as snapshot
from .plan import kind, plan, plan_absence, to_result


def check_absent(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong with state ``absent``."""
    check_text(options)
    used = [option for option in ("volume", "vm", "max_age", "keep", "tags") if options.get(option) is not None]
    if used:
        raise UsageError(f"{used[0]}: is not for state: absent, which deletes one snapshot by id or name")
    if not (options.get("id") or options.get("name")):
        raise UsageError("id or name: one of them is needed to say which snapshot to delete")


def check_present(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong with state ``present``."""
    check_text(options)
    if options.get("id"):
        raise UsageError("id: is only for state: absent; give volume or vm, or set state: absent")
    if is_uuid(options.get("name") or ""):
        raise UsageError(
            f"name: {options['name']} has the form of an id, so no task could find the snapshot by it; give another name"
        )
    if not (options.get("volume") or options.get("vm")):
        raise UsageError("volume or vm: one of them is needed. vm alone stands for its root disk")
    if options.get("keep") is not None and options["keep"] < 1:
        raise UsageError(f"keep: must be at least 1, not {options['keep']}")
    if options.get("max_age") is not None:
        duration.seconds(options["max_age"], "max_age")


def find(task: Task) -> Found:
    """Return the volume, under ``volume``, and its snapshots, newest first, under ``snapshots``.

    With a name only the snapshots of this name count. Several may have it.
    """
    disk = task.first.get("volume") or volume.chosen(task.client, task.options)
    listed = snapshot.search(task.client, {"volumeid": disk["id"]})
    if task.options.get("name"):
        listed = [one for one in listed if one.get("name") == task.options["name"]]
    surplus = task.failed.surplus if task.failed else ""  # it will be deleted, so it must not count among those to keep
    return {str(disk.get("name")): {"volume": disk, "snapshots": [one for one in listed if one["id"] != surplus]}}


def lookup(task: Task, found: Found) -> Record:
    """Return the volume, and under ``fresh`` the snapshot that is young enough, or that this run has made."""
    ((_name, there),) = found.items()
    good = [one for one in there["snapshots"] if snapshot.is_good(one)]
    if task.failed:
        good = [one for one in good if one["id"] == task.failed.id]
    elif good and task.options.get("max_age") is not None:
        limit = duration.seconds(task.options["max_age"], "max_age")
        good = [good[0]] if age(task.client, good[0]) < limit else []
    if not good and task.options.get("name"):
        generation.check(task.client, {"name": "choice of a snapshot's name"}, task.deadline)
    return {"volume": there["volume"], "fresh": next(iter(good), None)}


def find_one(task: Task) -> Found:
    """Return the one snapshot of a name or an id."""
    name, snapshot_id = task.options.get("name"), (task.failed and task.failed.id) or task.options.get("id")
    return {str(name or task.options.get("id")): snapshot.find(task.client, name, snapshot_id)}


_OF_VOLUME = Resource(check_present, find, lookup, plan, to_result, jobs="Snapshot", kind=kind)
_OF_ONE = Resource(check_absent, find_one, no_lookups, plan_absence, to_result, jobs="Snapshot")


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Bring the snapshots of one volume (or one snapshot) to the state in ``options`` (the module's)."""
    return (_OF_ONE if options["state"] == "absent" else _OF_VOLUME).ensure(client, options, check)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots: checks the options, finds the snapshots, and looks up what their plan needs to know besides."""

from __future__ import annotations

from ...api import Client, Record, UsageError
from ...api.jobs import age
from ...reconcile import Found, Report, Resource, Task, no_lookups
from .. import duration
from ..lookup import check_text
from ..volume import view as volume
from . import view as snapshot
from .plan import kind, plan, plan_absence, to_result


def check_absent(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong for a snapshot that is to go."""
    check_text(options)
    used = [option for option in ("volume", "vm", "max_age", "keep", "tags") if options.get(option) is not None]
    if used:
        raise UsageError(f"{used[0]}: is not for state: absent, which deletes the one snapshot of an id or a name")
    if not (options.get("id") or options.get("name")):
        raise UsageError("id: is needed, or name, to say which snapshot goes")


def check_present(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong for a volume that is to have a snapshot."""
    check_text(options)
    used = [option for option in ("id", "name") if options.get(option)]
    if used:
        raise UsageError(
            f"{used[0]}: is only for state: absent; the service names snapshots itself, so give the volume"
        )
    if not (options.get("volume") or options.get("vm")):
        raise UsageError("volume: is needed, or vm for the root disk of a virtual machine")
    if options.get("keep") is not None and options["keep"] < 1:
        raise UsageError(f"keep: must be at least 1, not {options['keep']}")
    if options.get("max_age") is not None:
        duration.seconds(options["max_age"], "max_age")


def find(task: Task) -> Found:
    """Return the volume, under ``volume``, and its snapshots, newest first, under ``snapshots``."""
    disk = task.first.get("volume") or volume.chosen(task.client, task.options)
    listed = snapshot.search(task.client, {"volumeid": disk["id"]})
    surplus = task.failed.surplus if task.failed else ""  # it goes, so it must not count among those to keep
    return {str(disk.get("name")): {"volume": disk, "snapshots": [one for one in listed if one["id"] != surplus]}}


def lookup(task: Task, found: Found) -> Record:
    """Return the volume, and under ``fresh`` the snapshot that is young enough, or was found to be this run's."""
    ((_name, there),) = found.items()
    if task.failed:
        fresh = next((one for one in there["snapshots"] if one["id"] == task.failed.id and snapshot.is_good(one)), None)
    else:
        fresh = _fresh(task.client, there["snapshots"], task.options)
    return {"volume": there["volume"], "fresh": fresh}


def _fresh(client: Client, found: list[Record], options: Record) -> Record | None:
    """Return the newest snapshot, finished or under way, unless it is too old."""
    newest = next(filter(snapshot.is_good, found), None)
    if newest and options.get("max_age") is not None:
        limit = duration.seconds(options["max_age"], "max_age")
        return newest if age(client, newest) < limit else None
    return newest


def find_one(task: Task) -> Found:
    """Return the one snapshot of a name or an id."""
    options, snapshot_id = task.options, task.failed and task.failed.id
    name = None if snapshot_id else options.get("name")
    found = snapshot.find(task.client, name, snapshot_id or options.get("id"))
    return {str(options.get("name") or options.get("id")): found}


_OF_VOLUME = Resource(check_present, find, lookup, plan, to_result, jobs="Snapshot", kind=kind)
_OF_ONE = Resource(check_absent, find_one, no_lookups, plan_absence, to_result, jobs="Snapshot")


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Bring the snapshots of one volume (or one snapshot) to the state that is asked for in ``options`` (the module's)."""
    return (_OF_ONE if options["state"] == "absent" else _OF_VOLUME).ensure(client, options, check)

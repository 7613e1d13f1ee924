# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshot policies: made, changed, deleted; a volume has one for each interval."""

from __future__ import annotations

from ..api import Client, CloudnError, Deadline, Missing, Record, UsageError
from ..converge import converge
from ..plan import Outrun, Step, Track
from ..report import Report
from . import snapshot_policy, time_zone, volume, zone
from .lookup import check_text
from .snapshot_policy import INTERVALS, checked_day, checked_time, interval_of

_READY = "Ready"
_REFUSED = 431
_TIMEZONE = "UTC"
_MANAGED = ("time", "day", "timezone", "keep")
_FEWER = (
    "Where keep is the reason: the service has a highest number for each interval, 8 unless its administrators changed it, "
    "and keeps no more than the account may have snapshots"
)


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Bring one policy to the state that is asked for in ``options`` (the module's).

    Returns what was done, or with ``check`` what would be done. Raises ``UsageError`` for what can't be done, before
    anything is changed.
    """
    wanted = check_options(options)
    deadline = Deadline(options["wait_timeout"], client.clock)
    disk = _volume(client, options)
    track = _plan(client, disk, options, wanted)
    if not check:

        def again(_track: Track) -> Track:
            fresh = _plan(client, disk, options, wanted)
            track.actions += [text for text in fresh.actions if text not in track.actions]
            return fresh

        converge(client, [track], deadline, again)
        _check_timezone(track, wanted)
    return Report([track], show, check)


def check_options(options: Record) -> Record:
    """Return the options that say how the policy shall be, in the form in which it is shown.

    Raises ``UsageError`` for options that are wrong whatever the service holds.
    """
    check_text(options)
    interval, wanted = options["interval"], {}
    if not (options.get("volume") or options.get("vm")):
        raise UsageError("volume: is needed, or vm for the root disk of a virtual machine")
    if options.get("time") is not None:
        wanted["time"] = checked_time(interval, options["time"])
    if options.get("day") is not None:
        wanted["day"] = checked_day(interval, options["day"])
    if options.get("timezone") is not None:
        wanted["timezone"] = time_zone.checked(options["timezone"], "timezone")
    if options.get("keep") is not None:
        if options["keep"] < 1:
            raise UsageError(f"keep: must be at least 1, not {options['keep']}")
        wanted["keep"] = options["keep"]
    return wanted


def _volume(client: Client, options: Record) -> Record | None:
    """Return the volume; ``None`` where there is none, and its policy shall not be there either."""
    if options["state"] == "present":
        return volume.chosen(client, options)
    disk = volume.chosen_or_none(client, options)
    if disk is None and options.get("zone"):
        zone.find(client, options["zone"])  # a zone that does not exist is a mistake, not one without the volume
    return disk


def _plan(client: Client, disk: Record | None, options: Record, wanted: Record) -> Track:
    """Find the policies of the interval, and plan."""
    found = [] if disk is None else snapshot_policy.of_volume(client, disk)
    return plan(disk, [one for one in found if interval_of(one) == options["interval"]], options, wanted)


def plan(disk: Record | None, found: list[Record], options: Record, wanted: Record) -> Track:
    """Return the track that leads a volume's policy to what is asked for; looks at its arguments only.

    ``found`` are those of the interval: there can be several where runs made one at the same moment. Then the first by
    id stays, in every run alike. Raises ``UsageError`` where an option is needed, and for a volume that was never used.
    """
    interval, disk = options["interval"], disk or {}
    label = disk.get("name") or options.get("volume") or options["vm"]
    name = f"{interval} snapshots of {label}"
    blank = {"volumename": label, "volumeid": disk.get("id"), "intervaltype": INTERVALS.index(interval)}
    policy = {**blank, **(found[0] if found else {})}
    fields = [field for field in _MANAGED if field != "day" or interval in ("weekly", "monthly")]
    now = {field: snapshot_policy.shape(policy)[field] for field in fields}
    before = {"state": "present", **now} if found else {}
    stages = []
    if options["state"] == "absent":
        if found:
            stages.append(_deletions(f"{name}: delete the policy", found))
        return Track(name, policy, stages, before or {"state": "absent"}, {"state": "absent"}, absorb)
    goal = {**now, **({} if found else {"timezone": _TIMEZONE}), **wanted}
    _check_complete(goal, interval, bool(found))
    if found[1:]:
        stages.append(_deletions(f"{name}: delete another policy of this interval", found[1:]))
    if now != goal:
        _check_volume(disk)
        stages += _set(name, disk, interval, now if found else {}, goal)
    return Track(name, policy, stages, before, {"state": "present", **goal}, absorb)


def _check_complete(goal: Record, interval: str, exists: bool) -> None:
    """Raise ``UsageError`` where it is not said how a policy shall be, which is not there, or can't be read."""
    lacking = [field for field, value in goal.items() if value is None]
    if lacking:
        why = "the policy that is there has none that can be read" if exists else "there is no such policy yet"
        error = UsageError if exists else Missing
        raise error(f"{', '.join(lacking)}: needed with interval: {interval}, as {why}")


def _check_volume(disk: Record) -> None:
    name, state = disk.get("name"), disk.get("state")
    if state == volume.ALLOCATED:
        raise UsageError(
            f"volume: {name} has never been attached, so it holds nothing that a snapshot could be taken of; attach it first "
            "(cloudn_volume with state: attached)"
        )
    if state != _READY:
        raise UsageError(f"volume: {name} is {state}; the service takes snapshots of it when it is {_READY}")


def _set(name: str, disk: Record, interval: str, now: Record, goal: Record) -> list[list[Step]]:
    """Return the stages that make a policy, or change the one that is so ``now``: the service has one command for both."""
    told = ", ".join(f"{field}={value}" for field, value in goal.items() if now.get(field) != value)
    params = {
        "volumeid": disk["id"],
        "intervaltype": interval.upper(),
        "schedule": snapshot_policy.schedule(interval, goal["time"], goal.get("day")),
        "timezone": goal["timezone"],
        "maxsnaps": goal["keep"],
    }
    text = f"{name}: {'set' if now else 'make a policy with'} {told}"
    stages = [[Step(text, "createSnapshotPolicy", params, hints={_REFUSED: _FEWER})]]
    return stages if now else [*stages, [_alone(name, disk, interval)]]


def _alone(name: str, disk: Record, interval: str) -> Step:
    """Return the step that sees whether another run made a policy of the interval too, as each looked before the other."""

    def until(records: list[Record], _track: Track) -> Record:
        if sum(interval_of(record) == interval for record in records) > 1:
            raise Outrun(
                f"createSnapshotPolicy: another run made a policy for {name} at the same time", "createSnapshotPolicy"
            )
        return {}

    params = {"volumeid": disk["id"]}
    return Step(f"the policy for {name} to be listed", "listSnapshotPolicies", params, until=until)


def _deletions(text: str, policies: list[Record]) -> list[Step]:
    return [Step(text, "deleteSnapshotPolicies", {"id": policy["id"]}) for policy in policies]


def absorb(track: Track, _step: Step, result: Record) -> None:
    """Take the policy of a result into the track."""
    if isinstance(result.get("snapshotpolicy"), dict):
        track.object = {**track.object, **result["snapshotpolicy"]}
        track.id = track.object.get("id")


def _check_timezone(track: Track, wanted: Record) -> None:
    """Fail where the service has taken a time zone that it does not know for another one."""
    taken = track.object.get("timezone")
    if track.error is None and track.after["state"] == "present" and wanted.get("timezone") not in (None, taken):
        track.fail(
            CloudnError(
                f"createSnapshotPolicy: the service does not know the time zone {wanted['timezone']}, and has taken it for "
                f"{taken}, in which the policy is now. Give another name for it, or an offset such as GMT+09:00, and run the task "
                "again",
                "createSnapshotPolicy",
            )
        )


def show(track: Track, check: bool) -> Record:
    """Return the policy of the result: as it is now or, in check mode, as far as it can be told before."""
    shown = snapshot_policy.shape(track.object)
    if check:
        shown.update({field: track.after[field] for field in _MANAGED if field in track.after})
    if not track.error and track.after["state"] == "absent":
        shown["state"] = "absent"
    return shown

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshot policies: the plan, from what is asked for and what is there to steps, and what the results say."""

from __future__ import annotations

from ...api import CloudnError, Missing, Record, UsageError
from ...api.errors import PARAMETER_ERROR
from ...reconcile import Outrun, Plan, Progress, Step, Task
from ..volume import view as volume
from . import view as snapshot_policy
from .view import INTERVALS, interval_of

_READY = "Ready"
_TIMEZONE = "UTC"
_MANAGED = ("time", "day", "timezone", "keep")
_FEWER = (
    "Where keep is the reason: the service has a highest number for each interval, 8 unless its administrators changed it, "
    "and keeps no more than the account may have snapshots"
)


def plan(task: Task, label: str, found: Record, lookups: Record) -> Plan:
    """Return the plan that leads a volume's policy to what is asked for.

    There can be several of an interval where runs made one at the same moment. Then the first by id stays, in every run alike.
    Raises ``UsageError`` where an option is needed, and for a volume that was never used.
    """
    options, disk, policies = task.options, found["volume"] or {}, found["policies"]
    interval, wanted = options["interval"], lookups["wanted"]
    name = f"{interval} snapshots of {label}"
    blank = {"volumename": label, "volumeid": disk.get("id"), "intervaltype": INTERVALS.index(interval)}
    policy = {**blank, **(policies[0] if policies else {})}
    fields = [field for field in _MANAGED if field != "day" or interval in ("weekly", "monthly")]
    now = {field: snapshot_policy.to_result(policy)[field] for field in fields}
    before = {"state": "present", **now} if policies else {}
    if options["state"] == "absent":
        stages = [_deletions(f"{name}: delete the policy", policies)]
        return Plan(name, policy, stages, before or {"state": "absent"}, {"state": "absent"})
    goal = {**now, **({} if policies else {"timezone": _TIMEZONE}), **wanted}
    _check_complete(goal, interval, bool(policies))
    stages = [_deletions(f"{name}: delete another policy of this interval", policies[1:])]
    if now != goal:
        _check_volume(disk)
        stages += _set(name, disk, interval, now if policies else {}, goal)
    return Plan(name, policy, stages, before, {"state": "present", **goal})


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
    changed = ", ".join(f"{field}={value}" for field, value in goal.items() if now.get(field) != value)
    params = {
        "volumeid": disk["id"],
        "intervaltype": interval.upper(),
        "schedule": snapshot_policy.schedule(interval, goal["time"], goal.get("day")),
        "timezone": goal["timezone"],
        "maxsnaps": goal["keep"],
    }
    text = f"{name}: {'set' if now else 'make a policy with'} {changed}"
    stages = [
        [
            Step(
                text,
                "createSnapshotPolicy",
                params,
                returns="snapshotpolicy",
                yields=lambda known, record: {**known, **record},
                hints={PARAMETER_ERROR: _FEWER},
            )
        ]
    ]
    return stages if now else [*stages, [_alone(name, disk, interval)]]


def _alone(name: str, disk: Record, interval: str) -> Step:
    """Return the step that sees whether another run made a policy of the interval too, as each looked before the other."""

    def until(records: list[Record], _progress: Progress) -> Record:
        if sum(interval_of(record) == interval for record in records) > 1:
            raise Outrun(
                f"createSnapshotPolicy: another run made a policy for {name} at the same time", "createSnapshotPolicy"
            )
        return {}

    params = {"volumeid": disk["id"]}
    return Step(f"the policy for {name} to be listed", "listSnapshotPolicies", params, until=until)


def _deletions(text: str, policies: list[Record]) -> list[Step]:
    return [Step(text, "deleteSnapshotPolicies", {"id": policy["id"]}) for policy in policies]


def describe(progress: Progress, lookups: Record) -> None:
    """Fail where the service has taken a time zone that it does not know for another one."""
    taken, wanted = progress.object.get("timezone"), lookups["wanted"].get("timezone")
    if progress.error is None and progress.plan.after["state"] == "present" and wanted not in (None, taken):
        progress.fail(
            CloudnError(
                f"createSnapshotPolicy: the service does not know the time zone {wanted}, and has taken it for "
                f"{taken}, in which the policy is now. Give another name for it, or an offset such as GMT+09:00, and run the task "
                "again",
                "createSnapshotPolicy",
            )
        )


def to_result(progress: Progress, check: bool) -> Record:
    """Return the policy of the result: as it is now or, in check mode, as far as it can be told before."""
    shown = snapshot_policy.to_result(progress.object)
    if check:
        shown.update({field: progress.plan.after[field] for field in _MANAGED if field in progress.plan.after})
    if not progress.error and progress.plan.after["state"] == "absent":
        shown["state"] = "absent"
    return shown

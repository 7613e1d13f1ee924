# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshot policies: plans their changes, and returns their results."""

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
    "The service limits keep for each interval, by default to 8, and to the snapshots that the account may have. If keep is "
    "the reason, give a smaller one"
)


def plan(task: Task, label: str, found: Record, lookups: Record) -> Plan:
    """Return the plan that brings a volume's policy to the desired state.

    An interval can have several policies if runs made them at the same time. Then each run keeps the first by id. Raises
    ``UsageError`` if an option is missing, and for a volume that was never used.
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
    """Raise ``UsageError`` for attributes that neither the options nor a policy give."""
    lacking = [field for field, value in goal.items() if value is None]
    if lacking:
        why = "the policy has none that can be read" if exists else "there is no such policy yet"
        error = UsageError if exists else Missing
        raise error(f"{', '.join(lacking)}: needed with interval: {interval}, as {why}")


def _check_volume(disk: Record) -> None:
    name, state = disk.get("name"), disk.get("state")
    if state == volume.ALLOCATED:
        raise UsageError(
            f"volume: {name} has never been attached, so it holds no data; attach it first (cloudn_volume)"
        )
    if state != _READY:
        raise UsageError(f"volume: {name} is {state}; the service takes snapshots of it when it is {_READY}")


def _set(name: str, disk: Record, interval: str, now: Record, goal: Record) -> list[list[Step]]:
    """Return the stages that make a policy, or change the one that is ``now``. The service has one command for both."""
    changed = ", ".join(f"{field}={value}" for field, value in goal.items() if now.get(field) != value)
    params = {
        "volumeid": disk["id"],
        "intervaltype": interval.upper(),
        "schedule": snapshot_policy.schedule(interval, goal["time"], goal.get("day")),
        "timezone": goal["timezone"],
        "maxsnaps": goal["keep"],
    }
    text = f"{name}: {'set' if now else 'make a policy with'} {changed}"
    step = Step(text, "createSnapshotPolicy", params, returns="snapshotpolicy", hints={PARAMETER_ERROR: _FEWER})
    stages = [[step._replace(yields=lambda known, record: {**known, **record})]]
    return stages if now else [*stages, [_alone(name, disk, interval)]]


def _alone(name: str, disk: Record, interval: str) -> Step:
    """Return the step that looks whether another run made a policy of the interval at the same time."""

    def until(records: list[Record], _progress: Progress) -> Record:
        if sum(interval_of(record) == interval for record in records) > 1:
            text = f"createSnapshotPolicy: another run made a policy for {name} at the same time"
            raise Outrun(text, "createSnapshotPolicy")
        return {}

    params = {"volumeid": disk["id"]}
    return Step(f"the policy for {name} to be listed", "listSnapshotPolicies", params, until=until)


def _deletions(text: str, policies: list[Record]) -> list[Step]:
    return [Step(text, "deleteSnapshotPolicies", {"id": policy["id"]}) for policy in policies]


def describe(progress: Progress, lookups: Record) -> None:
    """Fail if the service does not know the time zone, and has taken another one."""
    taken, wanted = progress.object.get("timezone"), lookups["wanted"].get("timezone")
    if progress.error is None and progress.plan.after["state"] == "present" and wanted not in (None, taken):
        reason = f"the service does not know the time zone {wanted}, so the policy is in {taken}"
        way_out = "Give another name, or an offset such as GMT+09:00, and run the task again"
        progress.fail(CloudnError(f"createSnapshotPolicy: {reason}. {way_out}", "createSnapshotPolicy"))


def to_result(progress: Progress, check: bool) -> Record:
    """Return the policy as it is now or, in check mode, as far as it is known before."""
    shown, after = snapshot_policy.to_result(progress.object), progress.plan.after
    if check:
        shown.update({field: after[field] for field in _MANAGED if field in after})
    if not progress.error and after["state"] == "absent":
        shown["state"] = "absent"
    return shown

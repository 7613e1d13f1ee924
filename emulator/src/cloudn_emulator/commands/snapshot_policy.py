# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshot policies and the snapshots that they make, as measured on CloudStack 3.0.5 and by its source."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable
from typing import Any

from ..calls import Call, done
from ..errors import ApiError, bad_parameter
from ..generation import Differs
from ..jobs import Jobs, Work
from ..limits import check_limit, limit
from ..models import DELETED_SNAPSHOT, DELETED_VOLUME, GONE, NO_OBJECT, Job, SnapshotPolicy, Volume, new_id
from ..owners import check_access
from ..schedule import INTERVALS, LONGEST, interval_named, next_run, time_zone
from ..settings import UNLIMITED
from ..store import Store
from ..wire import listing
from .snapshot import new_snapshot, snapshot_view

MOST_KEPT = 8  # of each interval: the service's own settings snapshot.max.hourly, daily, weekly and monthly


# --- commands


async def create_policy(call: Call) -> dict[str, Any]:
    """createSnapshotPolicy: a disk has one policy for each interval. A second one changes it and keeps its id.

    Two requests at one moment can make two policies: only this look keeps them apart.
    """
    volume = _volume(call)
    if volume.state != "Ready":
        raise bad_parameter(f"Specified VolumeId is not in Ready state but {volume.state}. Cannot take snapshot.")
    interval = interval_named(call["intervaltype"])
    if interval is None:
        raise bad_parameter(f"Unsupported interval type {call['intervaltype']}")
    zone, _rules = time_zone(call["timezone"])
    moment = call.of(_FIRST_RUN)(call, interval, zone)
    _check_kept(call, volume.owner)
    policy = next((one for one in call.store.policies_of(volume) if one.interval == interval), None)
    if policy is None:
        await call.store.races.gap(("snapshot policy", volume.id, interval))
        policy = SnapshotPolicy(new_id(), volume, interval, "", "", 0, moment)
        call.store.snapshot_policies[policy.id] = policy
    # The real server leaves the next run of a changed policy as it was. The new schedule counts after that.
    policy.schedule, policy.timezone, policy.kept = call["schedule"], zone, call["maxsnaps"]
    return {"snapshotpolicy": policy_view(call, policy)}


def update_policy(call: Call) -> Work:
    """updateSnapshotPolicy: changes nothing that is known here."""
    policy = call["id"]

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        view = policy_view(call, policy)
        view["zone"] = [{**zone, "tags": []} for zone in view["zone"]]
        return {"snapshotpolicy": view}

    return Work(run, "None")


def _first_run_3(call: Call, interval: str, zone: str) -> float:
    try:
        return next_run(interval, call["schedule"], zone, call.store.now())
    except ValueError:
        text = f"Invalid schedule: {call['schedule']} for interval type: {call['intervaltype']}"
        raise bad_parameter(text) from None


def _first_run_4(call: Call, interval: str, zone: str) -> float:
    """The first run, or never: the service takes a schedule that makes no sense. Measured on 4.23."""
    try:
        return next_run(interval, call["schedule"], zone, call.store.now())
    except ValueError:
        return float("inf")


_FIRST_RUN = Differs(_first_run_3, _first_run_4)


def _volume(call: Call) -> Volume:
    volume: Volume = call["volumeid"]
    if volume is NO_OBJECT or volume.state == DELETED_VOLUME:
        raise bad_parameter("Unable to find volume by id")
    check_access(call, volume.owner, volume.label)
    return volume


def _check_kept(call: Call, owner: str) -> None:
    if call["maxsnaps"] <= 0:
        raise bad_parameter("maxSnaps should be greater than 0")
    if call["maxsnaps"] > MOST_KEPT:
        raise bad_parameter(f"maxSnaps exceeds limit: {MOST_KEPT} for interval type: {call['intervaltype']}")
    most = limit(call.store, owner, "snapshot")
    if most != UNLIMITED and call["maxsnaps"] > most:
        raise bad_parameter("Max number of snapshots shouldn't exceed the domain/account level snapshot limit")


def list_policies(call: Call) -> dict[str, Any]:
    """listSnapshotPolicies: the policies of one disk. On CloudStack 4 one by its id too, or all."""
    found = list(call.store.snapshot_policies.values())
    if call["id"] is not None:
        found = [one for one in found if one is call["id"]]
    elif call["volumeid"] is not None:
        found = call.store.policies_of(_volume(call))
    own = [one for one in found if call["volumeid"] is not None or one.volume.owner == call.account.name]
    shown = call.of(_IN_ORDER)(own)
    return listing("snapshotpolicy", [policy_view(call, policy) for policy in shown])


# CloudStack 4 sorts them by their intervals.
_IN_ORDER: Differs[Callable[[list[SnapshotPolicy]], list[SnapshotPolicy]]] = Differs(
    lambda policies: policies, lambda policies: sorted(policies, key=lambda one: INTERVALS.index(one.interval))
)


def delete_policies(call: Call) -> dict[str, Any]:
    """deleteSnapshotPolicies: deletes all of them or, after an error, none. Their snapshots stay."""
    if call["id"] is None and call["ids"] is None:
        raise bad_parameter("No policy id (or list of ids) specified.")
    policies = [call["id"]] if call["ids"] is None else call["ids"]
    if not policies:
        raise bad_parameter("There are no policy ids")
    for policy in policies:
        if policy is NO_OBJECT:
            raise bad_parameter("Couldn't find policy by id")
        check_access(call, policy.volume.owner, policy.volume.label)
    for policy in policies:
        call.store.snapshot_policies.pop(policy.id, None)
    return done(call)


def policy_view(call: Call, policy: SnapshotPolicy) -> dict[str, Any]:
    """A policy as answers show it. Its interval is a number."""
    return call.of(_VIEW)(call, policy)


def _view_4(call: Call, policy: SnapshotPolicy) -> dict[str, Any]:
    zone, view = call.store.zones[policy.volume.zone_id], _view_3(call, policy)
    shown = {"id": zone.id, "name": zone.name, "isnsxenabled": False, "ismultiarch": False, "routedmodeenabled": False}
    storage = {"id": str(uuid.uuid5(uuid.NAMESPACE_OID, zone.storage)), "name": "PS0"}
    return {**view, "volumename": policy.volume.name, "zone": [shown], "storage": [storage], "tags": []}


def _view_3(call: Call, policy: SnapshotPolicy) -> dict[str, Any]:
    return {
        "id": policy.id,
        "volumeid": policy.volume.id,
        "schedule": policy.schedule,
        "intervaltype": INTERVALS.index(policy.interval),
        "maxsnaps": policy.kept,
        "timezone": policy.timezone,
    }


_VIEW = Differs(_view_3, _view_4)


# --- what they do


def run_due(store: Store, jobs: Jobs) -> None:
    """Make the snapshots that were due since the last request. No timer runs."""
    now = store.now()
    due = [policy for policy in store.snapshot_policies.values() if policy.next_run <= now]
    runs = [(moment, policy) for policy in due for moment in _runs(policy, now)]
    for moment, policy in sorted(runs, key=lambda run: run[0]):
        _run(store, jobs, policy, moment)


def _runs(policy: SnapshotPolicy, now: float) -> deque[float]:
    """The moments at which the policy ran until now. Sets its next run.

    Runs whose snapshots would be removed at once are left out.
    """
    runs: deque[float] = deque(maxlen=policy.kept)
    long_ago = now - (policy.kept + 1) * LONGEST[policy.interval].total_seconds()
    moment = policy.next_run
    if moment < long_ago:
        moment = next_run(policy.interval, policy.schedule, policy.timezone, long_ago)
    while moment <= now:
        runs.append(moment)
        moment = next_run(policy.interval, policy.schedule, policy.timezone, moment)
    policy.next_run = moment
    return runs


def _run(store: Store, jobs: Jobs, policy: SnapshotPolicy, moment: float) -> None:
    """Make a policy's snapshot, and remove the oldest ones of its interval.

    The disk of a destroyed machine gets none, nor does an account at its limit of snapshots.
    """
    volume = policy.volume
    call = Call(store, jobs, store.accounts[volume.owner], {})
    if not _may_run(call, volume):
        return
    snapshot = new_snapshot(store, volume, policy.interval, moment)
    snapshot.state = "BackedUp"
    shown = store.generation.classes("user.snapshot.CreateSnapshotCmd", False)
    job = Job(new_id(), volume.owner, shown, moment, "Snapshot", snapshot.id, status=1)
    job.result = {"snapshot": snapshot_view(call, snapshot)}
    store.jobs[job.id] = job
    alike = [
        one
        for one in store.snapshots.values()
        if one.volume is volume and one.kind == policy.interval and one.state != DELETED_SNAPSHOT
    ]
    for oldest in alike[: -policy.kept]:
        store.delete_snapshot(oldest)


def _may_run(call: Call, volume: Volume) -> bool:
    vm = call.store.vm_of(volume)
    if volume.state != "Ready" or (vm and vm.state == GONE):
        return False
    try:
        check_limit(call, volume.owner, "snapshot")
    except ApiError:
        return False
    return True

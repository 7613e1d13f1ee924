# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's snapshots and their policies, beyond what the recordings show."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

Refused = Callable[[int], Any]
HOUR, DAY = 3600, 86400


def root_of(api: Any, name: str = "one") -> str:
    """The root disk of a new machine."""
    return api.volumes(virtualmachineid=api.running(name)["id"])[0]["id"]


def ready_disk(api: Any) -> str:
    """A data disk that was attached once."""
    machine, id = api.running("one")["id"], api.new_volume()
    api.job("attachVolume", id=id, virtualmachineid=machine)
    api.job("detachVolume", id=id)
    return id


def policy(api: Any, volume: str, **params: Any) -> dict[str, Any]:
    wanted = {"volumeid": volume, "intervaltype": "HOURLY", "schedule": "30", "timezone": "GMT", "maxsnaps": 2}
    return api("createSnapshotPolicy", **{**wanted, **params})["snapshotpolicy"]


def policies(api: Any, volume: str) -> list[dict[str, Any]]:
    return api("listSnapshotPolicies", volumeid=volume).get("snapshotpolicy", [])


def at(api: Any, moment: str) -> None:
    """Set the service's clock to a moment in UTC."""
    aim = datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()
    api.emulator.store.settings.clock_ahead = aim - time.time()


def pass_by(api: Any, seconds: float) -> None:
    """Let the service's clock go on."""
    api.emulator.store.settings.clock_ahead += seconds


# Snapshots


def test_a_disk_that_was_never_used_or_is_gone_has_no_snapshot(api: Any, refused: Refused) -> None:
    id = api.new_volume()
    with refused(431):
        api("createSnapshot", volumeid=id)
    api("deleteVolume", id=id)
    for volume in (id, "-1"):
        with refused(431):
            api("createSnapshot", volumeid=volume)


def test_snapshots_outlive_their_volume_and_are_deleted_once(api: Any, refused: Refused) -> None:
    id = ready_disk(api)
    taken = api.job("createSnapshot", volumeid=id)["snapshot"]
    assert taken["name"].startswith("detached_data_")
    api("deleteVolume", id=id)
    assert api.snapshots(volumeid=id)[0]["state"] == "BackedUp"
    api.job("deleteSnapshot", id=taken["id"])
    assert api.snapshots() == api.snapshots(id=taken["id"]) == []
    with refused(431):
        api.job("deleteSnapshot", id=taken["id"])
    with refused(431):
        api("createVolume", name="x", snapshotid=taken["id"])


def test_a_disk_is_kept_while_a_snapshot_of_it_is_made(emulate: Callable[..., Any], refused: Refused) -> None:
    api = emulate(job_seconds=0.3)
    id = ready_disk(api)
    taken = api("createSnapshot", volumeid=id)
    with refused(431):
        api("deleteVolume", id=id)
    api.job("deleteSnapshot", id=taken["id"])  # it goes, though it is being made
    assert api.wait(taken["jobid"])["snapshot"]["id"] == taken["id"]
    assert api.snapshots() == []
    api("deleteVolume", id=id)


def test_a_second_snapshot_of_the_same_second_is_empty(api: Any) -> None:
    id, frozen = root_of(api), time.time()
    api.emulator.store.now = lambda: frozen
    taken = [api.job("createSnapshot", volumeid=id)["snapshot"] for _time in range(2)]
    assert [snapshot["state"] for snapshot in taken] == ["CreatedOnPrimary", "BackedUp"]
    assert taken[0]["name"] == taken[1]["name"]
    assert {snapshot["state"] for snapshot in api.snapshots()} == {"BackedUp"}


def test_a_destroyed_machine_has_no_snapshot_made(api: Any, refused: Refused) -> None:
    id = root_of(api)
    api.job("destroyVirtualMachine", id=api.vms()[0]["id"])
    with refused(530):
        api.job("createSnapshot", volumeid=id)
    assert api.snapshots() == []


def test_account_and_domain_are_not_used(api: Any, refused: Refused) -> None:
    id = root_of(api)
    assert api.job("createSnapshot", volumeid=id, account="admin", domainid="1")["snapshot"]["account"] == "flatuser"
    with refused(431):
        api("createSnapshot", volumeid=id, domainid="no-such")
    with refused(431):
        api("createSnapshot", volumeid=id, id="x")


def test_a_disk_can_be_made_from_a_snapshot(emulate: Callable[..., Any]) -> None:
    api = emulate(job_seconds=0.02, zones=["a", "b"])
    id = root_of(api)
    taken = api.job("createSnapshot", volumeid=id)["snapshot"]["id"]
    made = api.job("createVolume", name="x", snapshotid=taken, size=50)["volume"]
    root = api.volumes(id=id)[0]
    assert (made["zoneid"], made["size"], made["state"]) == (root["zoneid"], root["size"], "Ready")
    assert made["snapshotid"] == taken and "snapshotid" not in api.volumes(id=made["id"])[0]


def test_snapshots_are_found_by_their_kind(api: Any, refused: Refused) -> None:
    at(api, "2012-10-05 10:15:00")
    id = root_of(api)
    policy(api, id)
    api.job("createSnapshot", volumeid=id)
    pass_by(api, HOUR)
    assert [one["snapshottype"] for one in api.snapshots(snapshottype="manual")] == ["MANUAL"]
    for kind in ("HOURLY", "Recurring"):
        assert [one["intervaltype"] for one in api.snapshots(snapshottype=kind)] == ["HOURLY"]
    assert api.snapshots(snapshottype="TEMPLATE") == []
    assert [one["intervaltype"] for one in api.snapshots(volumeid=id, intervaltype="hourly")] == ["HOURLY"]
    # The interval counts only beside a volume, and not beside a type.
    assert len(api.snapshots(intervaltype="DAILY")) == len(api.snapshots(intervaltype="no-such")) == 2
    assert len(api.snapshots(volumeid=id, intervaltype="DAILY", snapshottype="MANUAL")) == 1
    for params in ({"snapshottype": ""}, {"snapshottype": "x"}, {"volumeid": id, "intervaltype": ""}):
        with refused(431):
            api.snapshots(**params)


def test_the_snapshots_of_somebody_else_are_refused(emulate: Callable[..., Any], refused: Refused) -> None:
    api = emulate(job_seconds=0.02, neighbour=True)
    volume, taken = api.vars["foreignvol"], api.vars["foreignsnap"]
    with refused(431):
        api("createSnapshot", volumeid=volume)  # its state is looked at first
    api.emulator.store.volumes[volume].state = "Ready"
    with refused(531):
        api("createSnapshot", volumeid=volume)
    with refused(531):
        api.snapshots(volumeid=volume)
    assert api.snapshots(id=taken) == []
    with refused(531):
        api.job("deleteSnapshot", id=taken)
    with refused(531):
        policy(api, volume)
    with refused(531):
        policies(api, volume)


# Policies


def test_a_policy_is_shown_as_it_is(api: Any) -> None:
    id = root_of(api)
    assert policies(api, id) == []
    made = policy(api, id, intervaltype="weekly", schedule="5:1:7", timezone="Asia/Tokyo", maxsnaps=8)
    assert made == {**made, "volumeid": id, "schedule": "5:1:7", "intervaltype": 2, "maxsnaps": 8}
    assert made["timezone"] == "Asia/Tokyo"
    assert policies(api, id) == [made]


def test_a_disk_has_one_policy_for_each_interval(api: Any) -> None:
    id = root_of(api)
    schedules = {"HOURLY": "1", "DAILY": "1:2", "WEEKLY": "1:2:3", "MONTHLY": "1:2:28"}
    first = [policy(api, id, intervaltype=interval, schedule=text)["id"] for interval, text in schedules.items()]
    assert [one["intervaltype"] for one in policies(api, id)] == [0, 1, 2, 3]
    changed = policy(api, id, schedule="59", maxsnaps=5, timezone="UTC")
    assert changed["id"] == first[0]
    assert policies(api, id)[0] == changed and len(policies(api, id)) == 4
    assert changed == {**changed, "schedule": "59", "maxsnaps": 5, "timezone": "UTC"}


def test_two_policies_that_are_made_at_one_moment_are_two(emulate: Callable[..., Any]) -> None:
    api = emulate(job_seconds=0.02, race_ms=150)
    id = root_of(api)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _each: policy(api, id), range(2)))
    assert [one["intervaltype"] for one in policies(api, id)] == [0, 0]


@pytest.mark.parametrize(
    "params",
    [
        {"intervaltype": ""},
        {"intervaltype": "YEARLY"},
        {"schedule": ""},
        {"schedule": "60"},
        {"schedule": "-1"},
        {"schedule": "x"},
        {"schedule": " 5"},
        {"schedule": "5", "intervaltype": "DAILY"},
        {"schedule": "5:24", "intervaltype": "DAILY"},
        {"schedule": "5:1:0", "intervaltype": "WEEKLY"},
        {"schedule": "5:1:8", "intervaltype": "WEEKLY"},
        {"schedule": "5:1:29", "intervaltype": "MONTHLY"},
        {"maxsnaps": 0},
        {"maxsnaps": -1},
        {"maxsnaps": 9},
        {"maxsnaps": "x"},
        {"volumeid": "-1"},
    ],
)
def test_impossible_policies_are_refused(api: Any, refused: Refused, params: dict[str, Any]) -> None:
    id = root_of(api)
    with refused(431):
        policy(api, id, **params)
    assert policies(api, id) == []


def test_a_disk_that_was_never_attached_takes_no_policies(api: Any, refused: Refused) -> None:
    id = api.new_volume()
    with refused(431):
        policy(api, id)  # it was never attached
    assert policies(api, id) == []
    api("deleteVolume", id=id)
    with refused(431):
        policies(api, id)


def test_policies_go_alone_and_together_and_with_their_disk(api: Any, refused: Refused) -> None:
    id = ready_disk(api)
    made = [
        policy(api, id, intervaltype=interval, schedule="1:1:1")["id"] for interval in ("HOURLY", "DAILY", "WEEKLY")
    ]
    for params in ({}, {"ids": ""}, {"id": "-1"}, {"ids": f"{made[0]},no-such"}):
        with refused(431):
            api("deleteSnapshotPolicies", **params)
    assert len(policies(api, id)) == 3
    api("deleteSnapshotPolicies", id=made[0])
    api("deleteSnapshotPolicies", ids=",".join(made[1:]))
    assert policies(api, id) == []
    with refused(431):
        api("deleteSnapshotPolicies", id=made[0])
    policy(api, id)
    api("deleteVolume", id=id)
    assert api.emulator.store.snapshot_policies == {}


def test_a_root_disk_takes_its_policies_with_it(emulate: Callable[..., Any]) -> None:
    api = emulate(job_seconds=0.02, expunge_seconds=100)
    policy(api, root_of(api))
    api.job("destroyVirtualMachine", id=api.vms()[0]["id"])
    pass_by(api, 101)
    api.volumes()
    assert api.emulator.store.snapshot_policies == {}


def test_snapshots_are_made_in_time_and_the_oldest_removed(api: Any) -> None:
    at(api, "2012-10-05 10:15:00")
    id = root_of(api)
    mine = api.job("createSnapshot", volumeid=id)["snapshot"]["id"]
    policy(api, id, maxsnaps=3)
    assert len(api.snapshots(volumeid=id)) == 1
    seen = []
    for hours in range(1, 6):
        pass_by(api, HOUR)
        made = api.snapshots(volumeid=id, intervaltype="HOURLY")
        assert len(made) == min(hours, 3)
        seen.append(made[0])
    assert len({one["id"] for one in seen}) == 5
    for one in seen:
        assert (one["snapshottype"], one["intervaltype"], one["state"]) == ("HOURLY", "HOURLY", "BackedUp")
        assert one["name"].startswith("one_ROOT-") and one["name"].endswith("3000")
    assert [one["created"] for one in seen] == [f"2012-10-05T{hour}:30:00+0000" for hour in range(10, 15)]
    assert api.snapshots(id=mine)  # what a person made is not counted
    assert [one["id"] for one in api.snapshots(intervaltype="HOURLY", volumeid=id)] == [
        one["id"] for one in seen[:1:-1]
    ]


def test_snapshots_that_were_due_while_nobody_asked_are_made_up_for(api: Any) -> None:
    at(api, "2012-10-05 10:15:00")
    id = root_of(api)
    policy(api, id, maxsnaps=2)
    policy(api, id, intervaltype="DAILY", schedule="0:0", maxsnaps=8)
    pass_by(api, 3 * DAY)
    made = api.snapshots()
    assert [one["snapshottype"] for one in made].count("HOURLY") == 2
    assert [one["snapshottype"] for one in made].count("DAILY") == 3
    times = [one["created"] for one in made]
    assert times == sorted(times, reverse=True)
    pass_by(api, 1000 * DAY)
    assert len(api.snapshots()) == 2 + 8
    assert len(api("listAsyncJobs", keyword="CreateSnapshot")["asyncjobs"]) >= 2 + 8


def test_a_changed_policy_runs_once_more_as_before(api: Any) -> None:
    at(api, "2012-10-05 10:15:00")
    id = root_of(api)
    policy(api, id)
    policy(api, id, schedule="45")
    pass_by(api, HOUR / 3)
    assert [one["created"][11:16] for one in api.snapshots()] == ["10:30"]
    pass_by(api, HOUR)
    assert [one["created"][11:16] for one in api.snapshots()] == ["10:45", "10:30"]


def test_a_policy_makes_no_snapshot_while_there_is_nothing_to_copy(api: Any) -> None:
    at(api, "2012-10-05 10:15:00")
    id = root_of(api)
    machine = api.vms()[0]["id"]
    policy(api, id)
    api.job("destroyVirtualMachine", id=machine)
    pass_by(api, 2 * HOUR)
    assert api.snapshots() == []


def test_a_request_of_the_ec2_half_makes_due_snapshots_too(api: Any, ec2: Any) -> None:
    at(api, "2012-10-05 10:15:00")
    policy(api, root_of(api))
    pass_by(api, HOUR)
    assert len(ec2.texts(ec2("DescribeSnapshots"), "snapshotId")) == 1


def test_a_policy_named_for_one_snapshot_fails_it(api: Any, refused: Refused) -> None:
    id = root_of(api)
    made = policy(api, id)["id"]
    with refused(530):
        api("createSnapshot", volumeid=id, policyid="-1")
    with refused(431):
        api("createSnapshot", volumeid=id, policyid="no-such")
    with refused(530):
        api.job("createSnapshot", volumeid=id, policyid=made)
    left = api.snapshots()[0]
    assert (left["state"], left["snapshottype"]) == ("Error", "HOURLY")
    api.job("deleteSnapshot", id=left["id"])
    assert api.snapshots() == []


def test_policies_keep_to_the_limits_of_the_account(emulate: Callable[..., Any], refused: Refused) -> None:
    api = emulate(job_seconds=0.02, limits={"snapshot": 2, "volume": 2})
    at(api, "2012-10-05 10:15:00")
    id = root_of(api)
    with refused(431):
        policy(api, id, maxsnaps=3)
    policy(api, id, maxsnaps=2)
    pass_by(api, 5 * HOUR)
    first = [one["created"] for one in api.snapshots()]
    # The new one is counted before the oldest is removed, so there comes no further one.
    assert len(first) == 2
    pass_by(api, HOUR)
    assert [one["created"] for one in api.snapshots()] == first
    with refused(534):
        api("createSnapshot", volumeid=id)
    api.new_volume()
    with refused(534):
        api.new_volume("third")
    with refused(534):
        api.job("uploadVolume", name="x", zoneid=api.vars["zone"], format="VHD", url="http://192.0.2.1/x.vhd")

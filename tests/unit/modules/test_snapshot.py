# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_snapshot: ages, numbers, every option, every refusal, against the emulator."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils import connection
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import plan
from cloudn_emulator.commands import snapshot as emulated
from cloudn_emulator.store import Snapshot
from samples import NEW, UNKNOWN, tags_of

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE = "cloudn_snapshot"
HOUR = 3600


pytestmark = pytest.mark.usefixtures("disk")


@pytest.fixture
def aged(run_module: Run, emulator: Any) -> Callable[..., list[str]]:
    """Return a function that takes snapshots of the disk and dates them back by hours; their ids."""

    def take(*hours: float) -> list[str]:
        ids = []
        for ago in sorted(hours, reverse=True):
            taken = run_module(MODULE, volume="data", max_age="0")["snapshot"]["id"]
            emulator.store.snapshots[taken].created -= ago * HOUR
            ids.append(taken)
        emulator.clear()
        return ids

    return take


def listed(client: Client) -> list[Result]:
    return client.list("listSnapshots")


def test_a_snapshot_is_taken_once(beats: Run, client: Client) -> None:
    done = beats(MODULE, ["createSnapshot"], volume="data")
    (snapshot,) = listed(client)
    assert done["snapshot"]["id"] == snapshot["id"]
    assert done["snapshot"]["state"] == snapshot["state"] == "BackedUp"
    assert done["snapshot"]["name"].startswith("db1_data_")
    assert done["actions"] == ["data: take a snapshot"]
    assert done["diff"]["after"] == {"data": {"snapshots": ["(new)"]}}


def test_a_snapshot_that_is_not_listed_yet_is_waited_for(
    run_module: Run, emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that lags does not know the id, and refuses it (431)."""
    monkeypatch.setattr(plan, "LAG", 3.0)
    emulator.faults([{"kind": "lag", "seconds": 0.5, "command": "listSnapshots"}])
    done = run_module(MODULE, volume="data", max_age="0")
    assert not done.get("failed"), done["msg"]
    assert done["snapshot"]["state"] == "BackedUp"
    refused = [r for r in emulator.requests if r["command"] == "listSnapshots" and r["status"] == 431]
    assert refused


def test_a_snapshot_is_taken_again_when_the_newest_is_too_old(
    beats: Run, aged: Callable[..., list[str]], client: Client
) -> None:
    aged(5)
    beats(MODULE, [], volume="data", max_age="6h")
    beats(MODULE, [], volume="data")
    beats(MODULE, ["createSnapshot"], volume="data", max_age="4h30m")
    assert len(listed(client)) == 2


def test_max_age_0_takes_a_new_snapshot_each_time(run_module: Run, sent: Callable[[], list[str]]) -> None:
    for _run in range(2):
        assert run_module(MODULE, volume="data", max_age="0")["changed"]
    assert sent() == ["createSnapshot"] * 2


@pytest.mark.generation("3", reason="CloudStack 4 does not say what time it is")
def test_ages_are_measured_by_the_clock_of_the_service(
    run_module: Run, aged: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A controller whose clock is a quarter of an hour ahead takes no snapshot too early."""
    aged(1)
    monkeypatch.setattr(connection, "Client", functools.partial(Client, now=lambda: time.time() + 900))
    assert run_module(MODULE, volume="data", max_age="65m")["changed"] is False
    assert run_module(MODULE, volume="data", max_age="55m")["changed"] is True


def test_the_newest_snapshots_are_kept(beats: Run, aged: Callable[..., list[str]], client: Client) -> None:
    ids = aged(50, 30, 10, 5)
    done = beats(MODULE, ["deleteSnapshot"], volume="data", keep=3)
    assert {one["id"] for one in listed(client)} == set(ids[1:])
    assert len(done["actions"]) == 1 and "delete snapshot db1_data_" in done["actions"][0]
    done = beats(MODULE, ["createSnapshot", "deleteSnapshot"], volume="data", max_age="4h", keep=3)
    assert {one["id"] for one in listed(client)} == {*ids[2:], done["snapshot"]["id"]}


def test_nothing_is_deleted_unless_the_new_snapshot_is_finished(
    run_module: Run, aged: Callable[..., list[str]], emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = aged(50, 30)

    class Broken(Snapshot):
        """The new snapshot fails."""

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, "Error" if value == "BackedUp" else value)

    monkeypatch.setattr(emulated, "Snapshot", Broken)
    failed = run_module(MODULE, volume="data", max_age="1h", keep=1)
    assert "is Error, not BackedUp; delete it" in failed["msg"]
    assert {one.state for id, one in emulator.store.snapshots.items() if id in ids} == {"BackedUp"}


def test_only_finished_snapshots_are_deleted(run_module: Run, aged: Callable[..., list[str]], emulator: Any) -> None:
    old, _newer = aged(50, 1)
    emulator.store.snapshots[old].state = "BackingUp"
    assert run_module(MODULE, volume="data", keep=1)["changed"] is False


def test_other_volumes_keep_their_snapshots(
    run_module: Run, beats: Run, aged: Callable[..., list[str]], client: Client
) -> None:
    run_module(MODULE, vm="db1")
    aged(3, 2)
    beats(MODULE, ["deleteSnapshot"], volume="data", keep=1)
    assert sorted(one["volumetype"] for one in listed(client)) == ["DATADISK", "ROOT"]


def test_a_machine_stands_for_its_root_disk(beats: Run, client: Client) -> None:
    done = beats(MODULE, ["createSnapshot"], vm="db1")
    assert done["snapshot"]["volume_type"] == "ROOT"
    done = beats(MODULE, ["createSnapshot"], vm="db1", volume="data")
    assert done["snapshot"]["volume"] == "data"
    beats(MODULE, [], volume=done["snapshot"]["volume_id"])


def test_tags_are_set_and_changed(beats: Run, client: Client) -> None:
    beats(MODULE, ["createSnapshot", "createTags"], volume="data", tags={"kept": True})
    beats(MODULE, ["deleteTags", "createTags"], volume="data", tags={"kept": False})
    assert tags_of(listed(client)[0]) == {"kept": "false"}


def test_a_snapshot_is_deleted_by_id_or_name(
    beats: Run, aged: Callable[..., list[str]], client: Client, run_module: Run
) -> None:
    one, other = aged(2, 1)
    beats(MODULE, ["deleteSnapshot"], id=one, state="absent")
    beats(MODULE, [], id=UNKNOWN, state="absent")
    (left,) = run_module("cloudn_snapshot_info")["snapshots"]
    assert left["id"] == other
    gone = beats(MODULE, ["deleteSnapshot"], name=left["name"], state="absent")
    assert gone["snapshot"]["state"] == "absent"
    assert listed(client) == []


def test_a_snapshot_that_is_being_taken_is_deleted_when_it_is_finished(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(job_seconds=0.2) as (run, emulator):
        run("cloudn_vm", name="db1", **NEW)
        begun = run(MODULE, vm="db1", wait=False)
        assert begun["jobs"]
        done = run(MODULE, id=begun["snapshot"]["id"], state="absent")
        assert done["changed"]
        assert [one.state for one in emulator.store.snapshots.values()] == ["Destroyed"]


def test_a_snapshot_that_is_being_taken_counts(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(job_seconds=0.2) as (run, emulator):
        run("cloudn_vm", name="db1", **NEW)
        run(MODULE, vm="db1", wait=False)
        done = run(MODULE, vm="db1", max_age="1h")
        assert done["changed"] is False
        assert done["snapshot"]["state"] == "BackedUp"
        assert len(emulator.store.snapshots) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"volume": "nope"}, "volume: there is no volume 'nope'; cloudn_volume_info lists the existing ones"),
        ({"vm": "nope"}, "vm: there is no VM 'nope'"),
        ({"vm": "db1", "volume": "nope"}, "volume: db1 has no volume nope; it has: ROOT-4, data"),
        ({}, "volume or vm: one of them is needed"),
        ({"volume": "data", "max_age": "soon"}, "max_age: 'soon' is no duration; give for example"),
        ({"volume": "data", "max_age": "7"}, "max_age: '7' is no duration"),
        ({"volume": "data", "keep": 0}, "keep: must be at least 1, not 0"),
        ({"volume": "data", "id": UNKNOWN}, "id: is only for state: absent"),
        ({"volume": "data", "state": "absent"}, "volume: is not for state: absent"),
        ({"state": "absent"}, "id or name: one of them is needed"),
        ({"state": "absent", "id": UNKNOWN, "name": "x"}, "parameters are mutually exclusive"),
    ],
)
def test_bad_options_are_refused(refused: Callable[..., str], options: Result, said: str) -> None:
    assert said in refused(MODULE, **options)


def test_two_volumes_of_one_name_are_refused(
    run_module: Run, refused: Callable[..., str], client: Client, disk: str
) -> None:
    """Both may be disks of one machine. The id chooses."""
    small = {"name": "data", "zoneid": client.list("listZones")[0]["id"]}
    small["diskofferingid"] = client.list("listDiskOfferings")[0]["id"]
    other = client.wait(client.call("createVolume", small)["jobid"])["volume"]["id"]
    run_module("cloudn_volume", id=other, state="attached", vm="db1")
    for options in ({"volume": "data"}, {"volume": "data", "vm": "db1"}):
        said = refused(MODULE, **options)
        assert said.startswith("volume: 2 volumes are named 'data'; choose one by its id: ")
        assert f"{disk} (jp-e1a, attached to db1)" in said and other in said
    assert run_module(MODULE, volume=other, vm="db1")["snapshot"]["volume_id"] == other


def test_a_volume_that_was_never_attached_is_refused(run_module: Run, refused: Callable[..., str]) -> None:
    run_module("cloudn_volume", name="fresh", disk_offering="Small", zone="jp-e1a")
    assert "fresh has never been attached" in refused(MODULE, volume="fresh")


def test_a_task_without_a_change_costs_two_requests(
    run_module: Run, aged: Callable[..., list[str]], emulator: Any
) -> None:
    aged(1)
    run_module(MODULE, volume="data", max_age="1d", keep=2)
    asked = [(request["command"], request["status"]) for request in emulator.requests]
    assert asked == [("listVolumes", 200), ("listSnapshots", 200)]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, 2),
        ({"volume": "data"}, 1),
        ({"volume": "dat"}, 0),
        ({"state": "BackedUp"}, 2),
        ({"state": "Creating"}, 0),
        ({"tags": {"a": "b"}}, 1),
        ({"tags": {"a": "b", "c": "d"}}, 0),
        ({"id": UNKNOWN}, 0),
        ({"name": "db1"}, 0),
    ],
)
def test_snapshots_are_found_by_options(run_module: Run, options: Result, found: int) -> None:
    run_module(MODULE, vm="db1")
    made = run_module(MODULE, volume="data", tags={"a": "b"})["snapshot"]
    shown = run_module("cloudn_snapshot_info", **options)["snapshots"]
    assert len(shown) == found
    if options.get("volume") == "data":
        assert shown == [made]


def test_snapshots_outlive_their_volume(run_module: Run, disk: str) -> None:
    run_module(MODULE, volume="data")
    run_module("cloudn_volume", name="data", state="absent", force=True)
    for wanted in ("data", disk):
        assert len(run_module("cloudn_snapshot_info", volume=wanted)["snapshots"]) == 1

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes, snapshots and jobs on CloudStack 4: what it does otherwise, and what CloudStack 3 lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asked import changes_sent_to, sent_to
from cloudn_emulator import Emulator
from samples import NEW

Result = dict[str, Any]
ZONE = "jp-e1a"


@pytest.fixture
def emulator() -> Iterator[Any]:
    """CloudStack 4 with short jobs and a plain account."""
    with Emulator(generation="4", job_seconds=0.05) as running:
        yield running


def volume(run: Callable[..., Result], **options: Any) -> Result:
    """Make the volume data, or change it, and return it."""
    done = run("cloudn_volume", **{"name": "data", "zone": ZONE, "disk_offering": "Custom", "size_gb": 5, **options})
    assert not done.get("failed"), done
    made: Result = done["volume"]
    return made


@pytest.mark.parametrize("offering", ["Custom", "Small"])
@pytest.mark.parametrize("attached", [None, "stopped", "started"])
def test_a_volume_grows(
    run_module: Callable[..., Result], beats: Callable[..., Result], offering: str, attached: str | None
) -> None:
    volume(run_module, disk_offering=offering)
    if attached:
        run_module("cloudn_vm", name="web1", state=attached, **NEW)
        volume(run_module, disk_offering=offering, state="attached", vm="web1")
    done = beats("cloudn_volume", ["resizeVolume"], name="data", size_gb=8)
    assert done["volume"]["size_gb"] == 8
    assert done["diff"]["before"]["data"]["size_gb"] == 5 and done["diff"]["after"]["data"]["size_gb"] == 8


def test_a_volume_shrinks_only_if_it_may(
    run_module: Callable[..., Result], beats: Callable[..., Result], refused: Callable[..., str]
) -> None:
    volume(run_module, size_gb=9)
    message = refused("cloudn_volume", name="data", size_gb=4)
    assert "size_gb: data has 9 GiB, more than 4. Set shrink: true" in message
    beats("cloudn_volume", ["resizeVolume"], name="data", size_gb=4, shrink=True)
    beats("cloudn_volume", [], name="data", size_gb=4, shrink=True)


def test_a_root_disk_grows_and_never_shrinks(
    run_module: Callable[..., Result], beats: Callable[..., Result], refused: Callable[..., str]
) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    (disk,) = run_module("cloudn_volume_info", vm="web1")["volumes"]
    beats("cloudn_volume", ["resizeVolume"], id=disk["id"], size_gb=disk["size_gb"] + 5)
    message = refused("cloudn_volume", id=disk["id"], size_gb=disk["size_gb"], shrink=True)
    assert "is a root disk of" in message and "can't shrink" in message


def test_a_volume_grows_and_moves_in_one_task(run_module: Callable[..., Result], beats: Callable[..., Result]) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    volume(run_module)
    changes = ["resizeVolume", "attachVolume"]
    done = beats("cloudn_volume", changes, name="data", size_gb=7, state="attached", vm="web1")
    assert (done["volume"]["size_gb"], done["volume"]["vm"]) == (7, "web1")


@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
def test_an_answer_to_a_new_size_may_be_lost(run_module: Callable[..., Result], emulator: Any, fault: str) -> None:
    volume(run_module)
    emulator.clear()
    emulator.faults([{"kind": fault, "command": "resizeVolume", "times": 1}])
    done = run_module("cloudn_volume", name="data", size_gb=8)
    assert not done.get("failed"), done
    assert done["changed"] and done["volume"]["size_gb"] == 8
    assert run_module("cloudn_volume", name="data", size_gb=8)["changed"] is False


def test_too_large_a_size_fails_with_the_words_of_the_service(run_module: Callable[..., Result]) -> None:
    volume(run_module)
    failed = run_module("cloudn_volume", name="data", size_gb=99999)
    assert failed["failed"] and "maximum size allowed" in failed["msg"]


def test_a_volume_from_a_snapshot_gets_its_size(
    run_module: Callable[..., Result], beats: Callable[..., Result]
) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    taken = run_module("cloudn_snapshot", vm="web1")["snapshot"]
    made = ["createVolume", "resizeVolume"]
    options = {"name": "copy", "zone": ZONE, "snapshot": taken["id"], "size_gb": 50}
    done = beats("cloudn_volume", made, **options)
    assert done["volume"]["size_gb"] == 50 and done["volume"]["disk_offering"] is None


def test_root_disks_of_destroyed_machines_are_not_shown_nor_taken(
    run_module: Callable[..., Result], client: Any, beats: Callable[..., Result]
) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    (disk,) = run_module("cloudn_volume_info", vm="web1")["volumes"]
    run_module("cloudn_vm", name="web1", state="absent")
    assert [one["id"] for one in client.list("listVolumes")] == [disk["id"]]  # the service shows it
    for query in ({}, {"name": disk["name"]}, {"id": disk["id"]}, {"type": "ROOT"}):
        assert run_module("cloudn_volume_info", **query)["volumes"] == []
    beats("cloudn_volume", [], name=disk["name"], state="absent")
    failed = run_module("cloudn_snapshot", volume=disk["name"])
    assert failed["failed"] and "there is no volume" in failed["msg"]


def test_a_snapshot_gets_its_name(run_module: Callable[..., Result], beats: Callable[..., Result]) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    done = beats("cloudn_snapshot", ["createSnapshot"], vm="web1", name="before upgrade")
    assert done["snapshot"]["name"] == "before upgrade"
    beats("cloudn_snapshot", [], vm="web1", name="before upgrade")
    other = beats("cloudn_snapshot", ["createSnapshot"], vm="web1", name="other")
    assert other["snapshot"]["name"] == "other"
    kept = run_module("cloudn_snapshot", vm="web1", name="other", max_age="0", keep=1)
    assert not kept.get("failed"), kept
    names = [one["name"] for one in run_module("cloudn_snapshot_info")["snapshots"]]
    assert sorted(names) == ["before upgrade", "other"]
    beats("cloudn_snapshot", ["deleteSnapshot"], name="other", state="absent")


def test_the_type_of_a_snapshot_is_shown_in_lists_too(run_module: Callable[..., Result]) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    taken = run_module("cloudn_snapshot", vm="web1")["snapshot"]
    (listed,) = run_module("cloudn_snapshot_info")["snapshots"]
    assert taken["type"] == listed["type"] == "MANUAL"


def test_several_snapshots_of_one_name_are_told_apart_by_id(
    run_module: Callable[..., Result], refused: Callable[..., str], beats: Callable[..., Result]
) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    ids = [run_module("cloudn_snapshot", vm="web1", name="mine", max_age="0")["snapshot"]["id"] for _run in range(2)]
    said = refused("cloudn_snapshot", name="mine", state="absent")
    assert all(one in said for one in ids)
    beats("cloudn_snapshot", ["deleteSnapshot"], id=ids[0], state="absent")
    beats("cloudn_snapshot", ["deleteSnapshot"], name="mine", state="absent")


def test_a_snapshot_is_not_named_like_an_id(run_module: Callable[..., Result], refused: Callable[..., str]) -> None:
    said = refused("cloudn_snapshot", vm="web1", name="0f8fad5b-d9cb-469f-a165-70867728950e")
    assert "name: 0f8fad5b-d9cb-469f-a165-70867728950e has the form of an id" in said


def test_an_unchanged_size_costs_no_request(run_module: Callable[..., Result], emulator: Any) -> None:
    volume(run_module)
    emulator.clear()
    assert run_module("cloudn_volume", name="data", size_gb=5)["changed"] is False
    assert sent_to(emulator) == ["listVolumes"]


def test_only_pending_jobs_are_listed_and_that_is_said(run_module: Callable[..., Result], emulator: Any) -> None:
    volume(run_module)
    emulator.clear()
    for options in ({}, {"status": "done"}, {"status": "failed"}, {"command": "Volume"}, {"since": "1h"}):
        listed = run_module("cloudn_job_info", **options)
        assert listed["jobs"] == []
        assert any("lists only pending jobs" in text for text in listed["warnings"]), options
    assert run_module("cloudn_job_info", status="pending")["warnings"] == []
    job = next(iter(emulator.store.jobs))
    (shown,) = run_module("cloudn_job_info", id=job)["jobs"]
    assert shown["status"] == "done"


def test_what_cloudstack_3_lacks(run_module_as: Any) -> None:
    with run_module_as(generation="3") as (run, emulator):
        run("cloudn_vm", name="web1", **NEW)
        volume(run)
        emulator.clear()
        for check in (True, False):
            failed = run("cloudn_volume", name="data", size_gb=8, _check=check)
            assert "size_gb is 5, not 8 (CloudStack 3 lacks resizeVolume)" in failed["msg"]
            failed = run("cloudn_snapshot", vm="web1", name="mine", _check=check)
            assert "name: this service is CloudStack 3, which has no choice of a snapshot's name" in failed["msg"]
        assert run("cloudn_volume", name="data", size_gb=8, on_immutable_drift="ignore")["changed"] is False
        assert changes_sent_to(emulator) == []
        assert run("cloudn_job_info")["warnings"] == []

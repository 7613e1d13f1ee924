# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_volume and its info on CloudStack 4: other sizes, disks of destroyed machines, fields that are not what they seem."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from asked import changes_sent_to, sent_to
from cloudn_emulator import Emulator
from samples import NEW, ZONE

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE, INFO = "cloudn_volume", "cloudn_volume_info"
RESIZE = "resizeVolume"
GIB = 1024**3
SMALL = {"name": "data", **ZONE, "disk_offering": "Small"}
CUSTOM = {"name": "data", **ZONE, "disk_offering": "Custom"}


@pytest.fixture
def emulator() -> Iterator[Any]:
    """CloudStack 4 with short jobs and a plain account."""
    with Emulator(generation="4", job_seconds=0.05) as running:
        yield running


@pytest.fixture
def web1(run_module: Run) -> str:
    """A running machine. Returns the id of its root disk."""
    made = run_module("cloudn_vm", name="web1", **NEW)
    assert not made.get("failed"), made
    disk: str = run_module(INFO, type="ROOT")["volumes"][0]["id"]
    return disk


def size_of(client: Client, name: str = "data") -> int:
    (found,) = [one["size"] for one in client.list("listVolumes") if name in (one["id"], one["name"])]
    return int(found // GIB)


# Another size


@pytest.mark.parametrize(("made", "options"), [(5, SMALL), (7, {**CUSTOM, "size_gb": 7})])
@pytest.mark.parametrize("wanted", [{"name": "data"}, {}])
def test_a_volume_grows(
    beats: Run, run_module: Run, client: Client, made: int, options: Result, wanted: Result
) -> None:
    run_module(MODULE, **options)
    done = beats(MODULE, [RESIZE], **{**(wanted or options), "size_gb": 9})
    assert size_of(client) == done["volume"]["size_gb"] == 9
    assert done["actions"] == [f"data: grow from {made} to 9 GiB"]
    assert done["diff"]["before"]["data"]["size_gb"] == made
    assert done["diff"]["after"]["data"]["size_gb"] == 9


@pytest.mark.parametrize("mode", ["fail", "warn", "ignore"])
def test_growing_is_no_drift(beats: Run, run_module: Run, mode: str) -> None:
    run_module(MODULE, **SMALL)
    assert beats(MODULE, [RESIZE], name="data", size_gb=6, on_immutable_drift=mode)["warnings"] == []


@pytest.mark.parametrize("state", ["present", "attached", "detached"])
def test_an_attached_volume_grows(beats: Run, run_module: Run, client: Client, web1: str, state: str) -> None:
    run_module(MODULE, **SMALL, state="attached", vm="web1")
    machine = {"vm": "web1"} if state == "attached" else {}
    changes = ["detachVolume", RESIZE] if state == "detached" else [RESIZE]
    done = beats(MODULE, changes, name="data", state=state, size_gb=9, **machine)
    assert size_of(client) == 9
    assert done["volume"]["vm"] == (None if state == "detached" else "web1")
    assert done["actions"][-1] == "data: grow from 5 to 9 GiB"


def test_it_grows_before_it_is_attached(beats: Run, run_module: Run, client: Client, web1: str) -> None:
    run_module(MODULE, **SMALL)
    done = beats(MODULE, [RESIZE, "attachVolume"], name="data", state="attached", vm="web1", size_gb=9)
    assert done["actions"] == ["data: grow from 5 to 9 GiB", "data: attach to web1"]


def test_a_volume_that_moves_grows_while_it_is_detached(beats: Run, run_module: Run, client: Client, web1: str) -> None:
    run_module("cloudn_vm", name="web2", **NEW)
    run_module(MODULE, **SMALL, state="attached", vm="web1")
    options = {"name": "data", "state": "attached", "vm": "web2", "force": True, "size_gb": 9}
    done = beats(MODULE, ["detachVolume", RESIZE, "attachVolume"], **options)
    assert done["actions"] == ["data: detach from web1", "data: grow from 5 to 9 GiB", "data: attach to web2"]


def test_a_root_disk_grows(beats: Run, client: Client, web1: str) -> None:
    size = size_of(client, web1)
    beats(MODULE, [RESIZE], id=web1, size_gb=size + 3)
    assert size_of(client, web1) == size + 3


def test_a_new_volume_of_a_fixed_size_grows_at_once(beats: Run, client: Client, web1: str) -> None:
    done = beats(MODULE, ["createVolume", RESIZE, "attachVolume"], **SMALL, state="attached", vm="web1", size_gb=8)
    assert done["actions"] == [
        "data: create in jp-e1a with Small, 5 GiB",
        "data: grow from 5 to 8 GiB",
        "data: attach to web1",
    ]
    assert size_of(client) == 8
    assert done["diff"]["after"]["data"]["size_gb"] == 8


def test_a_new_volume_from_a_snapshot_grows_at_once(beats: Run, run_module: Run, client: Client, web1: str) -> None:
    run_module(MODULE, **SMALL, state="attached", vm="web1")
    taken = run_module("cloudn_snapshot", volume="data")["snapshot"]["id"]
    beats(MODULE, ["createVolume"], name="same", **ZONE, snapshot=taken, size_gb=5)
    beats(MODULE, ["createVolume", RESIZE], name="more", **ZONE, snapshot=taken, size_gb=8)
    assert size_of(client, "more") == 8


def test_a_volume_gets_smaller_only_where_that_is_asked_for(
    beats: Run, run_module: Run, refused: Callable[..., str], client: Client
) -> None:
    run_module(MODULE, **CUSTOM, size_gb=9)
    told = "size_gb: data has 9 GiB, more than 5. Set shrink: true to make it smaller: what is beyond is lost"
    assert refused(MODULE, name="data", size_gb=5) == f"{told}, or set on_immutable_drift: warn or ignore"
    warned = beats(MODULE, [], name="data", size_gb=5, on_immutable_drift="warn")["warnings"]
    assert warned == [told]
    assert beats(MODULE, [], name="data", size_gb=5, on_immutable_drift="ignore")["warnings"] == []
    assert size_of(client) == 9
    done = beats(MODULE, [RESIZE], name="data", size_gb=5, shrink=True)
    assert done["actions"] == ["data: shrink from 9 to 5 GiB"]
    assert size_of(client) == 5
    beats(MODULE, [RESIZE], name="data", size_gb=6, shrink=True)


def test_a_root_disk_does_not_get_smaller(refused: Callable[..., str], client: Client, web1: str) -> None:
    said = refused(MODULE, id=web1, size_gb=1, shrink=True)
    assert "GiB, which can't shrink to 1. Leave size_gb out" in said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({**SMALL, "size_gb": 4}, "size_gb: the disk offering 'Small' has 5 GiB; leave size_gb out"),
        (
            {"name": "data", **ZONE, "url": "https://x.example.com/y.vhd", "format": "VHD", "size_gb": 4},
            "size_gb: the url decides the size of a new volume; leave size_gb out",
        ),
        (
            {"name": "data", **ZONE, "size_gb": 4},
            "disk_offering, snapshot or url: one of them is needed to create data",
        ),
    ],
)
def test_what_a_new_volume_cannot_get(refused: Callable[..., str], options: Result, said: str) -> None:
    assert said in refused(MODULE, **options)


def test_a_size_that_the_service_refuses(run_module: Run, client: Client) -> None:
    run_module(MODULE, **SMALL)
    failed = run_module(MODULE, name="data", size_gb=99999)
    assert failed["failed"] and failed["error_code"] == 432
    assert "The volume keeps its size. Give another size_gb, or leave it out" in failed["msg"]
    assert size_of(client) == 5


def test_a_service_that_lacks_the_command(run_module_as: Any, generation: str) -> None:
    with run_module_as(generation=generation, denied=["resizeVolume"]) as (run, emulator):
        run(MODULE, **SMALL)
        emulator.clear()
        said = run(MODULE, name="data", size_gb=9)["msg"]
        what = "CloudStack 3 lacks" if generation == "3" else "this service does not grant"
        assert f"data: size_gb is 5, not 9 ({what} resizeVolume)" in said
        assert sent_to(emulator) == ["listVolumes", *(["listApis"] if generation == "4" else [])]
        assert run(MODULE, name="data", size_gb=9, on_immutable_drift="warn")["warnings"]
        said = run(MODULE, **{**SMALL, "name": "new", "size_gb": 9})["msg"]
        assert "has 5 GiB; leave size_gb out, as the service has no resizeVolume to make it larger" in said
        assert changes_sent_to(emulator) == []


@pytest.mark.parametrize("fault", ["reset_after", "reset_before", "late", "job_lost", "status_after"])
def test_an_answer_that_is_lost(run_module: Run, emulator: Any, client: Client, fault: str) -> None:
    run_module(MODULE, **SMALL)
    rule = {"kind": fault, "command": RESIZE, "nth": 1}
    more: Result = {"late": {"seconds": 1}, "status_after": {"status": 502}}
    emulator.faults([{**rule, **more.get(fault, {})}])
    emulator.clear()
    done = run_module(MODULE, name="data", size_gb=9, api_timeout=0.5)
    assert done.get("changed"), done
    assert size_of(client) == 9
    assert changes_sent_to(emulator).count(RESIZE) <= (2 if fault == "reset_before" else 1)
    assert run_module(MODULE, name="data", size_gb=9)["changed"] is False


# Root disks of destroyed machines


def test_root_disks_of_destroyed_machines_are_no_volumes(
    run_module: Run, beats: Run, refused: Callable[..., str], client: Client, web1: str
) -> None:
    run_module(MODULE, **SMALL, state="attached", vm="web1")
    run_module("cloudn_vm", name="web1", state="absent", detach_volumes=True)
    (left,) = [one for one in client.list("listVolumes") if one["type"] == "ROOT"]
    assert left["vmstate"] == "Destroyed"
    assert [one["name"] for one in run_module(INFO)["volumes"]] == ["data"]
    for options in ({"id": web1}, {"name": left["name"]}, {"type": "ROOT"}):
        assert run_module(INFO, **options)["volumes"] == []
    assert f"id: there is no volume with the id {web1}" in refused(MODULE, id=web1)
    assert f"volume: there is no volume '{left['name']}'" in refused("cloudn_snapshot", volume=left["name"])
    beats(MODULE, ["createVolume"], **{**SMALL, "name": left["name"]})
    beats(MODULE, ["deleteVolume"], name=left["name"], state="absent")


def test_the_offering_of_a_root_disk_has_no_id_there(run_module: Run, web1: str) -> None:
    (shown,) = run_module(INFO, id=web1)["volumes"]
    assert shown["disk_offering"] is None
    assert (shown["service_offering"], shown["service_offering_id"]) == (NEW["service_offering"], None)


def test_the_offering_of_a_root_disk_has_its_id_on_cloudstack_3(run_module_as: Any) -> None:
    with run_module_as(generation="3") as (run, _emulator):
        run("cloudn_vm", name="web1", **NEW)
        assert run(INFO, type="ROOT")["volumes"][0]["service_offering_id"]

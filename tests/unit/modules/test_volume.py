# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_volume: every state, every option, every refusal, against the emulator."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, is_read
from asked import sent_to
from samples import NEW, UNKNOWN, ZONE, tags_of

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE = "cloudn_volume"
GIB = 1024**3
SMALL = {**ZONE, "disk_offering": "Small"}
UPLOAD = {**ZONE, "url": "https://images.example.com/data.vhd", "format": "VHD"}


@pytest.fixture
def make(run_module: Run, emulator: Any) -> Run:
    """Return a function that makes a volume and forgets the requests that took."""

    def play(name: str = "data", **options: Any) -> Result:
        result = run_module(MODULE, name=name, **{**SMALL, **options})
        assert not result.get("failed"), result
        emulator.clear()
        return result["volume"]

    return play


@pytest.fixture
def vms(run_module: Run, emulator: Any) -> dict[str, str]:
    """Two running machines; their ids by name."""
    made = run_module("cloudn_vm", name=["db1", "db2"], **NEW)["vms"]
    emulator.clear()
    return {vm["name"]: vm["id"] for vm in made}


def listed(client: Client, name: str = "data") -> Result:
    (found,) = [volume for volume in client.list("listVolumes") if volume["name"] == name]
    return found


# States


def test_a_volume_is_made_and_deleted(beats: Run, client: Client) -> None:
    done = beats(MODULE, ["createVolume"], name="data", **SMALL)
    assert listed(client)["size"] == 5 * GIB
    shown = done["volume"]
    assert (shown["size_gb"], shown["size_bytes"], shown["state"]) == (5, 5 * GIB, "Allocated")
    assert done["actions"] == ["data: create in jp-e1a with Small, 5 GiB"]
    assert done["diff"]["before"] == {"data": {}}
    gone = beats(MODULE, ["deleteVolume"], name="data", state="absent")
    assert gone["volume"]["state"] == "absent"
    assert client.list("listVolumes") == []


@pytest.mark.parametrize("state", ["absent", "detached"])
def test_a_missing_volume_is_left_missing(beats: Run, client: Client, state: str) -> None:
    done = beats(MODULE, [], name="data", state=state, **SMALL)
    assert done["volume"]["state"] == "absent"
    assert client.list("listVolumes") == []


def test_a_volume_is_attached_and_detached(beats: Run, vms: dict[str, str], client: Client) -> None:
    done = beats(
        MODULE, ["createVolume", "attachVolume"], name="data", state="attached", vm="db1", disk_offering="Small"
    )
    assert done["actions"][-1] == "data: attach to db1"
    assert listed(client)["virtualmachineid"] == done["volume"]["vm_id"] == vms["db1"]
    assert done["volume"]["zone"] == "jp-e1a"
    beats(MODULE, [], name="data", state="present")
    beats(MODULE, [], name="data", state="detached", vm="db2")
    beats(MODULE, ["detachVolume"], name="data", state="detached", vm="db1")
    assert "virtualmachineid" not in listed(client)
    beats(MODULE, ["attachVolume"], name="data", state="attached", vm=vms["db2"])
    beats(MODULE, ["detachVolume"], name="data", state="detached")


def test_a_machine_can_be_given_by_its_display_name(beats: Run, run_module: Run, make: Run, client: Client) -> None:
    run_module("cloudn_vm", name="db1", display_name="Database", **NEW)
    make()
    beats(MODULE, ["attachVolume"], name="data", state="attached", vm="Database")
    assert listed(client)["vmname"] == "db1"
    beats(MODULE, [], name="data", state="detached", vm="nope")
    beats(MODULE, ["detachVolume"], name="data", state="detached", vm="Database")


def test_a_machine_in_another_zone_is_refused(
    run_module: Run, make: Run, vms: dict[str, str], refused: Callable[..., str], client: Client
) -> None:
    """The task sees this before it detaches or makes the volume."""
    far = run_module("cloudn_vm", name="far", **{**NEW, "zone": "jp-e1b"})["vm"]["id"]
    make(state="attached", vm="db1")
    said = "vm: far is in jp-e1b, and data in jp-e1a; a volume can be attached only in its own zone"
    assert refused(MODULE, name="data", state="attached", vm="far", force=True) == said
    assert listed(client)["vmname"] == "db1"
    assert "vm: far is in jp-e1b, and new in jp-e1a" in refused(MODULE, name="new", state="attached", vm=far, **SMALL)


def test_a_device_can_be_chosen_and_changed_by_force(
    beats: Run, vms: dict[str, str], refused: Callable[..., str]
) -> None:
    options = {"name": "data", "state": "attached", "vm": "db1", "disk_offering": "Small"}
    done = beats(MODULE, ["createVolume", "attachVolume"], **options, device_id=5)
    assert done["volume"]["device_id"] == 5
    assert "attached to db1 as device 5" in refused(MODULE, **options, device_id=6)
    done = beats(MODULE, ["detachVolume", "attachVolume"], **options, device_id=6, force=True)
    assert done["volume"]["device_id"] == 6


def test_a_volume_is_moved_only_by_force(
    beats: Run, refused: Callable[..., str], vms: dict[str, str], make: Run, client: Client
) -> None:
    make(state="attached", vm="db1")
    said = refused(MODULE, name="data", state="attached", vm="db2")
    assert said == (f"data is attached to db1 ({vms['db1']}); set force: true to detach it there and attach it to db2")
    done = beats(MODULE, ["detachVolume", "attachVolume"], name="data", state="attached", vm="db2", force=True)
    assert done["actions"] == ["data: detach from db1", "data: attach to db2"]
    assert listed(client)["vmname"] == "db2"


def test_an_attached_volume_is_deleted_only_by_force(
    beats: Run, refused: Callable[..., str], vms: dict[str, str], make: Run, client: Client
) -> None:
    make(state="attached", vm="db1")
    assert "set force: true to detach and delete it" in refused(MODULE, name="data", state="absent")
    beats(MODULE, ["detachVolume", "deleteVolume"], name="data", state="absent", force=True)
    assert [volume["type"] for volume in client.list("listVolumes")] == ["ROOT", "ROOT"]


def test_a_volume_is_attached_when_the_machine_has_started(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(job_seconds=0.3) as (run, emulator):
        run("cloudn_vm", name="db1", wait=False, **NEW)
        done = run(MODULE, name="data", state="attached", vm="db1", disk_offering="Small")
        assert done["volume"]["vm"] == "db1"
        assert sent_to(emulator).count("attachVolume") == 1


@pytest.mark.parametrize(
    ("options", "commands"),
    [
        ({"state": "detached"}, ["detachVolume"]),
        ({"state": "absent", "force": True}, ["detachVolume", "deleteVolume"]),
        ({"state": "attached", "vm": "db2", "force": True}, ["detachVolume", "attachVolume"]),
    ],
)
def test_a_volume_is_detached_when_the_machine_has_stopped(
    run_module: Run,
    make: Run,
    vms: dict[str, str],
    emulator: Any,
    sent: Callable[[], list[str]],
    options: Result,
    commands: list[str],
) -> None:
    make(state="attached", vm="db1")
    emulator.settings.job_seconds = 0.3
    run_module("cloudn_vm", name="db1", state="stopped", wait=False)
    while emulator.store.vms[vms["db1"]].state == "Running":  # a job begins a moment after its answer
        time.sleep(0.001)
    emulator.settings.job_seconds = 0.05
    sent()
    done = run_module(MODULE, name="data", **options)
    assert not done.get("failed"), done["msg"]
    # It shows that it stops only a moment after it was told to, so the first command may come too early, and is refused.
    assert list(dict.fromkeys(sent())) == commands


# What it is made from


@pytest.mark.generation("3", reason="CloudStack 4 changes it")
def test_a_size_can_be_chosen_once(beats: Run, client: Client, refused: Callable[..., str]) -> None:
    done = beats(MODULE, ["createVolume"], name="data", zone="jp-e1b", disk_offering="Custom", size_gb=7)
    assert listed(client)["size"] == 7 * GIB
    assert done["volume"]["zone"] == "jp-e1b"
    said = refused(MODULE, name="data", disk_offering="Custom", size_gb=8)
    assert "size_gb is 7, not 8" in said
    beats(MODULE, [], name="data", disk_offering="Custom", size_gb=8, on_immutable_drift="ignore")


def test_a_volume_is_made_from_a_snapshot(
    beats: Run, vms: dict[str, str], run_module: Run, client: Client, generation: str
) -> None:
    taken = run_module("cloudn_snapshot", vm="db1")["snapshot"]
    done = beats(MODULE, ["createVolume"], name="copy", snapshot=taken["name"], **ZONE)
    assert done["volume"]["state"] == "Ready"
    assert done["volume"]["size_bytes"] == listed(client, "copy")["size"]
    # On CloudStack 3 it lists a service offering as its disk offering, on CloudStack 4 none: neither is drift.
    assert done["volume"]["disk_offering"] == {"3": "v1", "4": None}[generation]
    beats(MODULE, [], name="copy", disk_offering="Small")


def test_a_volume_is_uploaded(beats: Run, run_module: Run, client: Client, emulator: Any) -> None:
    done = beats(MODULE, ["uploadVolume", "createTags"], name="image", tags={"a": "b"}, **UPLOAD)
    assert done["volume"]["state"] == "Uploaded"
    assert tags_of(listed(client, "image")) == {"a": "b"}
    run_module(MODULE, name="other", checksum="0" * 32, **UPLOAD)
    (asked,) = [r["params"] for r in emulator.requests if r["command"] == "uploadVolume"]
    assert (asked["url"], asked["format"], asked["checksum"]) == (UPLOAD["url"], "VHD", "0" * 32)


def test_a_volume_is_uploaded_and_then_attached(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(job_seconds=0.15) as (run, _emulator):
        run("cloudn_vm", name="db1", **NEW)
        done = run(MODULE, name="image", state="attached", vm="db1", **UPLOAD)
        assert (done["volume"]["state"], done["volume"]["vm"]) == ("Ready", "db1")


def test_an_upload_under_way_is_waited_for(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(job_seconds=0.3) as (run, emulator):
        begun = run(MODULE, name="image", wait=False, **UPLOAD)
        assert begun["jobs"]
        run("cloudn_job", jobs=begun["jobs"])
        emulator.clear()
        done = run(MODULE, name="image", **UPLOAD)
        assert done["changed"] is False
        assert done["volume"]["state"] == "Uploaded"
        assert all(is_read(request["command"]) for request in emulator.requests)


def test_an_upload_that_fails_is_reported(run_module: Run, beats: Run) -> None:
    missing = {**UPLOAD, "url": "http://user:hunter2@images.example.com/missing/data.vhd"}
    failed = run_module(MODULE, name="image", **missing)
    assert "its upload failed: HTTP Server returned 404" in failed["msg"]
    assert "Delete it (state: absent)" in failed["msg"]
    assert failed["changed"] is True
    assert "hunter2" not in str({key: failed[key] for key in failed if key != "invocation"})
    again = run_module(MODULE, name="image", **missing)
    assert "its upload failed" in again["msg"]
    beats(MODULE, ["deleteVolume"], name="image", state="absent")


def test_a_job_that_takes_too_long_is_an_error_that_names_it(run_module_as: Callable[..., Any]) -> None:
    """The error names the job where there is one, and what to do next."""
    with run_module_as(job_seconds=0.05) as (run, emulator):
        emulator.settings.job_seconds = 30
        failed = run(MODULE, name="data", wait_timeout=0, **SMALL)
        assert failed["job_id"] in failed["msg"]
        assert "wait for it with cloudn_job, or run the task again" in failed["msg"]
        slow = run(MODULE, name="slow", wait=False, **UPLOAD)
        run("cloudn_job", jobs=slow["jobs"])
        failed = run(MODULE, name="slow", wait_timeout=0, **UPLOAD)
        assert failed["msg"].startswith(
            "listVolumes: slow to be ready: not within 0 s (wait_timeout). It goes on at the service"
        )
        assert failed["changed"] is False


def test_a_volume_is_extracted_while_no_machine_runs_with_it(
    run_module: Run, make: Run, sent: Callable[[], list[str]], vms: dict[str, str]
) -> None:
    make(state="attached", vm="db1")
    refusal = run_module(MODULE, name="data", state="extracted")
    assert "db1, which is Running" in refusal["msg"]
    run_module("cloudn_vm", name="db1", state="stopped")
    sent()
    told = run_module(MODULE, name="data", state="extracted", _check=True)
    assert told["actions"] == ["data: make an address to download it from"]
    assert sent() == []
    done = run_module(MODULE, name="data", state="extracted")
    assert done["changed"] and done["actions"] == told["actions"]
    assert done["volume"]["extraction"]["url"].startswith("https://")
    assert done["volume"]["name"] == "data"
    assert sent() == ["extractVolume"]


def test_unused_volumes_are_not_extracted(
    run_module: Run, make: Run, refused: Callable[..., str], vms: dict[str, str]
) -> None:
    make()
    said = refused(MODULE, name="data", state="extracted")
    assert said.startswith("data is Allocated: no VM has used it yet")
    assert "attach it to a VM (state: attached) once, then stop the VM or detach the volume" in said
    run_module(MODULE, name="data", state="attached", vm="db1")
    run_module(MODULE, name="data", state="detached")
    assert run_module(MODULE, name="data", state="extracted")["changed"]
    run_module(MODULE, name="image", **UPLOAD)
    assert refused(MODULE, name="image", state="extracted").startswith("image is Uploaded: no VM has used it yet")
    run_module("cloudn_vm", name="db3", state="stopped", **NEW)
    (fresh,) = run_module("cloudn_volume_info", vm="db3")["volumes"]
    assert "start its VM once" in refused(MODULE, id=fresh["id"], state="extracted")


@pytest.mark.generation(
    "3", reason="the templates that the emulator has from the start are not extractable on CloudStack 4"
)
def test_the_root_disk_of_an_unextractable_template_is_not_extracted(
    run_module: Run, refused: Callable[..., str], emulator: Any, vms: dict[str, str]
) -> None:
    """A copy of that disk can be."""
    emulator.store.templates[emulator.vars["template"]].owner = "system"
    run_module("cloudn_vm", name="db1", state="stopped")
    (root,) = run_module("cloudn_volume_info", vm="db1")["volumes"]
    assert run_module(MODULE, id=root["id"], state="extracted")["changed"]
    emulator.store.templates[emulator.vars["template"]].extractable = False
    said = refused(MODULE, id=root["id"], state="extracted")
    assert "only an administrator can extract it, as its template is not extractable: take a snapshot of it" in said
    emulator.store.account.denied = frozenset(["listAccounts"])
    failed = run_module(MODULE, id=root["id"], state="extracted")
    assert failed["error_code"] == 531
    assert "If only an administrator can extract it, take a snapshot of it (cloudn_snapshot)" in failed["msg"]
    taken = run_module("cloudn_snapshot", vm="db1")["snapshot"]
    run_module(MODULE, name="copy", snapshot=taken["id"], **ZONE)
    assert run_module(MODULE, name="copy", state="extracted")["volume"]["extraction"]["url"]


def test_a_volume_is_extracted_to_an_ftp_server(run_module: Run, make: Run, emulator: Any, vms: dict[str, str]) -> None:
    make(state="attached", vm="db1")
    run_module(MODULE, name="data", state="detached")
    options = {"name": "data", "state": "extracted", "extract_mode": "ftp_upload"}
    done = run_module(MODULE, **options, extract_url="ftp://user:hunter2@ftp.example.com/x.vhd")
    assert done["volume"]["extraction"]["upload_percentage"] == 100
    assert done["actions"] == ["data: upload to ftp://ftp.example.com/x.vhd"]
    assert "hunter2" not in str(done) + str(emulator.requests)


# Which one


def test_two_volumes_of_one_name_are_refused(
    make: Run, run_module: Run, refused: Callable[..., str], beats: Run, client: Client, vms: dict[str, str]
) -> None:
    one = make(state="attached", vm="db1")
    other = client.call(
        "createVolume", {"name": "data", "zoneid": one["zone_id"], "diskofferingid": one["disk_offering_id"]}
    )
    client.wait(other["jobid"])
    said = refused(MODULE, name="data", state="absent")
    assert said.startswith("name: 2 volumes are named 'data'; choose one by its id: ")
    assert f"{one['id']} (jp-e1a, attached to db1)" in said
    assert f"{other['id']} (jp-e1a, not attached)" in said
    beats(MODULE, ["deleteVolume"], id=other["id"], state="absent")
    beats(MODULE, [], name=one["id"], state="present")


def test_the_zone_tells_volumes_of_one_name_apart(make: Run, beats: Run) -> None:
    make(zone="jp-e1b")
    assert beats(MODULE, ["createVolume"], name="data", **SMALL)["volume"]["zone"] == "jp-e1a"
    beats(MODULE, ["deleteVolume"], name="data", zone="jp-e1b", state="absent")


@pytest.mark.parametrize("name", ["data1", "da", "DATA", "da%", "data_", "データ", "back\\slash", "a,b"])
def test_names_are_exact(make: Run, beats: Run, name: str) -> None:
    make("data")
    make("data10")
    beats(MODULE, ["createVolume"], name=name, **SMALL)


# Tags and drift


def test_tags_are_set_changed_and_deleted(beats: Run, client: Client) -> None:
    beats(MODULE, ["createVolume", "createTags"], name="data", tags={"a": 1}, **SMALL)
    beats(MODULE, ["deleteTags", "createTags"], name="data", tags={"a": 2, "b": "x"})
    beats(MODULE, [], name="data", tags={"b": "x"}, purge_tags=False)
    assert tags_of(listed(client)) == {"a": "2", "b": "x"}
    assert beats(MODULE, ["deleteTags"], name="data", tags={})["volume"]["tags"] == {}


def test_another_offering_is_drift(make: Run, refused: Callable[..., str], run_module: Run) -> None:
    make()
    said = refused(MODULE, name="data", disk_offering="Medium")
    assert said.startswith("data: disk_offering is 'Small', not 'Medium'. The service can't change that")
    done = run_module(MODULE, name="data", disk_offering="Medium", on_immutable_drift="warn")
    assert done["changed"] is False
    assert "disk_offering is 'Small'" in done["warnings"][0]


def test_another_name_and_zone_of_an_id_are_drift(make: Run, refused: Callable[..., str]) -> None:
    said = refused(MODULE, id=make()["id"], name="other", zone="jp-e1b")
    assert said.startswith(
        "other: name is 'data', not 'other'; zone is 'jp-e1a', not 'jp-e1b'. The service can't change"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"name": "data"},
            "disk_offering, snapshot or url: one of them is needed to create data, which does not exist",
        ),
        ({"name": "data", "disk_offering": "Small"}, "zone: is needed, as there are 2 to choose from: jp-e1a, jp-e1b"),
        (
            {"name": "data", "disk_offering": "Huge", **ZONE},
            "disk_offering: there is no 'Huge'. There are: Custom, Large",
        ),
        (
            {"name": "data", "disk_offering": "Custom", **ZONE},
            "size_gb: is needed, as the disk offering 'Custom' has no fixed size",
        ),
        pytest.param(
            {"name": "data", "size_gb": 7, **SMALL},
            "size_gb: the disk offering 'Small' has 5 GiB; leave size_gb out",
            marks=pytest.mark.generation("3", reason="CloudStack 4 makes the new volume larger"),
        ),
        ({"name": "data", "size_gb": 0, **SMALL}, "size_gb: must be at least 1, not 0"),
        ({"name": "data", "snapshot": "nope", **ZONE}, "snapshot: there is no snapshot 'nope'"),
        ({"name": "data", "vm": "db1", **SMALL}, "vm: goes only with state: attached or detached"),
        ({"name": "data", "state": "attached", "vm": "nope", **SMALL}, "vm: there is no VM 'nope'"),
        ({"name": "data", "state": "attached", **SMALL}, "state is attached but all of the following are missing: vm"),
        ({"name": "data", "state": "attached", "vm": "x", "device_id": 3, **SMALL}, "device_id: 3 can't be taken"),
        ({"name": "data", "device_id": 1, **SMALL}, "device_id: goes only with state: attached"),
        ({"name": "data", "state": "absent", "zone": "tokyo"}, "zone: there is no 'tokyo'. There are: jp-e1a, jp-e1b"),
        ({"name": "data", "state": "detached", "zone": "tokyo"}, "zone: there is no 'tokyo'"),
        ({"name": "data", **UPLOAD, "url": "ftp://x/y.vhd"}, "url: 'ftp://x/y.vhd' is no http or https address"),
        ({"name": " ", **SMALL}, "name: is empty; give a value"),
        ({"name": "smile \U0001f600", **SMALL}, "name: "),
        ({"id": UNKNOWN, **SMALL}, f"id: there is no volume with the id {UNKNOWN}"),
        ({"name": UNKNOWN, **SMALL}, f"name: there is no volume with the id {UNKNOWN}"),
        ({**SMALL}, "one of the following is required: name, id"),
        ({"name": "data", "state": "extracted"}, "there is no volume 'data' to extract"),
        (
            {"name": "data", "state": "extracted", "extract_mode": "ftp_upload"},
            "extract_url: is needed for extract_mode: ftp_upload",
        ),
        ({"name": "data", "state": "extracted", "extract_url": "ftp://x/"}, "extract_url: is only for"),
        ({"name": "data", "url": "https://x/y.vhd", **ZONE}, "missing parameter(s) required by 'url': format"),
        (
            {"name": "data", "size_gb": 5, **ZONE},
            "disk_offering, snapshot or url: one of them is needed to create data, which does not exist. Give it, or correct the name. "
            "size_gb: 5 alone is not enough: the disk offerings without a fixed size are Custom",
        ),
        ({"name": "data", "snapshot": "x", **SMALL}, "parameters are mutually exclusive"),
        ({"name": "data", "wait_timeout": -1, **SMALL}, "wait_timeout: must be at least 0, not -1"),
    ],
)
def test_bad_options_are_refused(refused: Callable[..., str], options: Result, said: str) -> None:
    assert said in refused(MODULE, **options)


@pytest.mark.parametrize("state", ["absent", "attached", "detached"])
def test_root_disks_are_left_alone(
    vms: dict[str, str], refused: Callable[..., str], client: Client, state: str
) -> None:
    root = next(volume for volume in client.list("listVolumes") if volume["vmname"] == "db1")
    said = refused(MODULE, id=root["id"], state=state, **({"vm": "db2"} if state == "attached" else {}))
    assert f"{root['name']} is the root disk of db1" in said


def test_a_machine_without_room_for_another_disk_is_an_error(
    run_module: Run, vms: dict[str, str], sent: Callable[[], list[str]]
) -> None:
    for number in range(6):
        assert not run_module(MODULE, name=f"d{number}", state="attached", vm="db1", **SMALL).get("failed")
    sent()
    failed = run_module(MODULE, name="one-more", state="attached", vm="db1", **SMALL)
    assert sent() == ["createVolume", "attachVolume"]
    assert "maximum number of data disks" in failed["msg"]
    assert failed["volume"]["state"] == "Allocated"
    assert failed["error_code"] == 431


# What it costs


def test_a_task_without_a_change_costs_one_request(
    make: Run, run_module: Run, emulator: Any, vms: dict[str, str]
) -> None:
    make(state="attached", vm="db1", tags={"a": "b"})
    for options in (
        {"state": "attached", "vm": "db1", "disk_offering": "Small", "tags": {"a": "b"}},
        {"state": "present", "disk_offering": "Small", "size_gb": 5, "zone": "jp-e1a"},
    ):
        assert run_module(MODULE, name="data", **options)["changed"] is False
        assert sent_to(emulator) == ["listVolumes"]
        emulator.clear()


def test_without_waiting_the_job_is_returned(run_module: Run, emulator: Any) -> None:
    done = run_module(MODULE, name="data", wait=False, **SMALL)
    assert len(done["jobs"]) == 1
    assert "queryAsyncJobResult" not in sent_to(emulator)


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_both_formats_show_the_same(make: Run, run_module: Run, vms: dict[str, str], response_format: str) -> None:
    made = make(state="attached", vm="db1")
    assert run_module(MODULE, name="data", response_format=response_format)["volume"] == made

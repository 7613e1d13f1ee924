# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's volumes and snapshots, beyond what the recordings show."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

Refused = Callable[[int], Any]
ADDRESS = "https://images.example.com/x.vhd"


def volumes(api: Any, **params: Any) -> list[dict[str, Any]]:
    return api("listVolumes", **params).get("volume", [])


def new_volume(api: Any, name: str = "data", **params: Any) -> str:
    params = {"zoneid": api.vars["zone"], "diskofferingid": api.vars["disk"], **params}
    return api.job("createVolume", name=name, **params)["volume"]["id"]


def snapshot(api: Any, machine: str) -> dict[str, Any]:
    root = volumes(api, virtualmachineid=machine, type="ROOT")[0]["id"]
    taken = api.job("createSnapshot", volumeid=root)["snapshot"]
    return api("listSnapshots", id=taken["id"])["snapshot"][0]


def soon(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.01)
    raise AssertionError("it never came")


# Volumes


def test_sizes(api: Any, refused: Refused) -> None:
    custom = new_volume(api, diskofferingid=api.vars["custom"], size=7)
    assert volumes(api, id=custom)[0]["size"] == 7 * 1024**3
    with refused(431):
        new_volume(api, diskofferingid=api.vars["custom"])
    with refused(431):
        new_volume(api, size=7)
    with refused(431):
        new_volume(api, diskofferingid=api.vars["small"])


def test_offering_and_snapshot_exclude_each_other(api: Any, refused: Refused) -> None:
    taken = snapshot(api, api.running("one")["id"])
    with refused(431):
        new_volume(api, snapshotid=taken["id"])


def test_attached_to_a_stopped_machine(api: Any) -> None:
    machine = api.running("one")["id"]
    api.job("stopVirtualMachine", id=machine)
    id = new_volume(api)
    assert volumes(api, id=id)[0]["state"] == "Allocated"
    attached = api.job("attachVolume", id=id, virtualmachineid=machine)["volume"]
    assert (attached["state"], attached["deviceid"], attached["vmname"]) == ("Ready", 1, "one")


def test_devices(api: Any, refused: Refused) -> None:
    machine = api.running("one")["id"]
    taken = [api.job("attachVolume", id=new_volume(api), virtualmachineid=machine)["volume"] for _disk in range(3)]
    assert [volume["deviceid"] for volume in taken] == [1, 2, 4]  # 3 is the CD drive
    for device in (0, 2, 3, 15):
        with refused(530):
            api.job("attachVolume", id=new_volume(api), virtualmachineid=machine, deviceid=device)
    for _disk in range(3):
        api.job("attachVolume", id=new_volume(api), virtualmachineid=machine)
    with refused(431):
        api.job("attachVolume", id=new_volume(api), virtualmachineid=machine)


def test_what_can_not_be_attached(api: Any, refused: Refused) -> None:
    machine, other = api.running("one"), api.running("two", zoneid=api.emulator.store.zones.copy().popitem()[0])
    with refused(431):
        api.job("attachVolume", id=new_volume(api), virtualmachineid=other["id"])
    root = volumes(api, virtualmachineid=machine["id"])[0]["id"]
    for command in ("attachVolume", "detachVolume"):
        with refused(431):
            api.job(command, id=root, virtualmachineid=machine["id"])
    api.job("destroyVirtualMachine", id=machine["id"])
    with refused(431):
        api.job("attachVolume", id=new_volume(api), virtualmachineid=machine["id"])


def test_of_two_attachments_one_succeeds(emulate: Callable[..., Any], refused: Refused) -> None:
    api = emulate(job_seconds=0.2)
    machines = [api.running(name)["id"] for name in ("one", "two")]
    id = new_volume(api)
    jobs = [api("attachVolume", id=id, virtualmachineid=machine)["jobid"] for machine in machines]
    assert api.wait(jobs[0])["volume"]["vmname"] == "one"
    with refused(431):
        api.wait(jobs[1])


def test_a_destroyed_machine_hides_its_disks(api: Any) -> None:
    machine = api.running("one")["id"]
    id = new_volume(api)
    api.job("attachVolume", id=id, virtualmachineid=machine)
    api.job("destroyVirtualMachine", id=machine)
    assert volumes(api) == []
    api.job("detachVolume", id=id)  # still answered
    assert [volume["id"] for volume in volumes(api)] == [id]


def test_uploaded(api: Any, refused: Refused) -> None:
    zone = api.vars["zone"]
    made = api.job("uploadVolume", name="up", zoneid=zone, format="VHD", url=ADDRESS)["volume"]
    assert (made["state"], made["status"]) == ("Uploading", "0% Uploaded")
    done = soon(lambda: [one for one in volumes(api, id=made["id"]) if one["state"] == "Uploaded"])[0]
    assert done["size"] > 0 and done["status"] == "Upload Complete"
    api.job("attachVolume", id=made["id"], virtualmachineid=api.running("one")["id"])
    failed = api.job("uploadVolume", name="no", zoneid=zone, format="VHD", url="http://x.example.com/missing/x.vhd")[
        "volume"
    ]
    assert (
        "404"
        in soon(lambda: [one for one in volumes(api, id=failed["id"]) if one["state"] == "UploadError"])[0]["status"]
    )


@pytest.mark.parametrize("url", ["ftp://x/x.vhd", "http://x:8080/x.vhd", "http://x/x.qcow2", "http://x:port/x.vhd"])
def test_addresses_that_are_refused(api: Any, refused: Refused, url: str) -> None:
    with refused(431):
        api.job("uploadVolume", name="up", zoneid=api.vars["zone"], format="VHD", url=url)


def test_extraction(api: Any, refused: Refused) -> None:
    machine = api.running("one")["id"]
    id = new_volume(api)
    api.job("attachVolume", id=id, virtualmachineid=machine)
    wanted = {"id": id, "zoneid": api.vars["zone"], "mode": "HTTP_DOWNLOAD"}
    with refused(531):
        api.job("extractVolume", **wanted)
    api.job("stopVirtualMachine", id=machine)
    assert api.job("extractVolume", **wanted)["volume"]["url"].startswith("https://")
    with refused(431):
        api.job("extractVolume", **{**wanted, "mode": "FTP_UPLOAD"})


# Snapshots


def test_of_a_disk_that_was_never_used(api: Any, refused: Refused) -> None:
    with refused(431):
        api("createSnapshot", volumeid=new_volume(api))


def test_snapshots_outlive_their_volume_and_are_deleted_twice(api: Any) -> None:
    machine = api.running("one")["id"]
    id = new_volume(api)
    api.job("attachVolume", id=id, virtualmachineid=machine)
    api.job("detachVolume", id=id)
    taken = api.job("createSnapshot", volumeid=id)["snapshot"]
    assert taken["name"].startswith("detached_data_")
    api("deleteVolume", id=id)
    assert api("listSnapshots", volumeid=id)["snapshot"][0]["state"] == "BackedUp"
    for _time in range(2):
        api.job("deleteSnapshot", id=taken["id"])
    assert api("listSnapshots") == {}


# Dialects and grants


def test_the_dialect_of_the_manual(emulate: Callable[..., Any], refused: Refused) -> None:
    api = emulate(dialect="cloudn")
    assert api.raw("listSnapshot").json() == {"listsnapshotresponse": {}}
    for command in ("listSnapshots", "registerTemplate"):
        with refused(432):
            api(command)
    with refused(431):
        api("uploadTemplate")


def test_a_command_that_is_denied(emulate: Callable[..., Any], refused: Refused) -> None:
    api = emulate(denied=["createTags"])
    with refused(432):
        api("createTags")
    assert api("listTags") == {}


def test_user_and_password_in_an_address_are_not_logged(api: Any) -> None:
    address = "http://user:hunter2@x/x.vhd"
    api("uploadVolume", name="up", zoneid=api.vars["zone"], format="VHD", url=address)
    assert "hunter2" not in str(api.emulator.requests)

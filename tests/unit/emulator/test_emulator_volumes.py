# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's volumes: how they are listed, made and deleted, beyond what the recordings show."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable
from typing import Any

Refused = Callable[[int], Any]


def test_only_a_custom_offering_takes_a_size(api: Any, refused: Refused) -> None:
    custom = api.new_volume(diskofferingid=api.vars["custom"], size=7)
    assert api.volumes(id=custom)[0]["size"] == 7 * 1024**3
    with refused(431):
        api.new_volume(diskofferingid=api.vars["custom"])
    with refused(431):
        api.new_volume(size=7)
    with refused(431):
        api.new_volume(diskofferingid=api.vars["small"])


def test_the_id_of_no_object_is_refused(api: Any, refused: Refused) -> None:
    id = api.new_volume()
    machine = api.running("one")["id"]
    with refused(431):
        api("deleteVolume", id="-1")
    with refused(431):
        api.new_volume(zoneid="-1")
    with refused(431):
        api("createVolume", name="x", zoneid=api.vars["zone"], snapshotid="-1")
    with refused(431):
        api.job("attachVolume", id=id, virtualmachineid="-1")
    for command, params in (
        ("attachVolume", {"virtualmachineid": machine}),
        ("detachVolume", {}),
        ("extractVolume", {"zoneid": api.vars["zone"], "mode": "HTTP_DOWNLOAD"}),
    ):
        with refused(530):
            api(command, id="-1", **params)
    assert api.volumes(zoneid="-1") == api.volumes(virtualmachineid="-1") == api.volumes(id="-1") == []
    assert len(api.volumes(hostid="-1", podid="-1")) == 2


def test_offering_and_snapshot_exclude_each_other(api: Any, refused: Refused) -> None:
    taken = api.job("createSnapshot", volumeid=api.volumes(virtualmachineid=api.running("one")["id"])[0]["id"])[
        "snapshot"
    ]
    with refused(431):
        api.new_volume(snapshotid=taken["id"])


def test_two_volumes_of_one_moment_are_listed_as_the_race_went(emulate: Callable[..., Any]) -> None:
    api = emulate(job_seconds=0.02, race_ms=100, race_order="last")
    wanted = {"name": "raced", "zoneid": api.vars["zone"], "diskofferingid": api.vars["disk"]}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(lambda: api.job("createVolume", **wanted)["volume"]["id"])
        time.sleep(0.03)
        second = api.job("createVolume", **wanted)["volume"]["id"]
    assert list(api.emulator.store.volumes) == [second, first.result()]


def test_volumes_are_found_by_filters(api: Any, refused: Refused) -> None:
    api.running("one")
    api.new_volume("extra")
    assert [volume["type"] for volume in api.volumes(type="root")] == ["ROOT"]
    assert len(api.volumes(type="")) == 2
    assert len(api.volumes(type="T")) == 2  # a part is enough, as it is for names
    assert api.volumes(type="disk") == api.volumes(name="extra")
    assert [volume["type"] for volume in api.volumes(keyword="datad")] == ["DATADISK"]
    assert api.volumes(type="no-such") == []
    with refused(431):
        api.volumes(details="no-such")
    assert api.volumes(details="no-such", name="nowhere") == []  # nothing is shown, so nothing is read


def test_details_choose_which_fields_are_shown(api: Any) -> None:
    machine = api.running("one")["id"]
    whole = api.volumes(virtualmachineid=machine)[0]
    assert api.volumes(virtualmachineid=machine, details="all,min") == [whole]
    least = api.volumes(virtualmachineid=machine, details="min")[0]
    assert whole.keys() - least.keys() >= {"vmname", "account", "storagetype", "serviceofferingid"}
    assert "vmname" in api.volumes(virtualmachineid=machine, details="vm")[0]


def test_pages_are_newest_first_by_the_second(api: Any) -> None:
    for number, age in enumerate((0.1, 0.2, 5.1, 5.2)):
        api.emulator.store.volumes[api.new_volume(f"v{number}")].created = 1000000006 - age
    assert [volume["name"] for volume in api.volumes()] == ["v0", "v1", "v2", "v3"]
    assert [volume["name"] for volume in api.volumes(page=2, pagesize=3)] == ["v3"]


def test_a_destroyed_machine_hides_its_disks(api: Any) -> None:
    machine = api.running("one")["id"]
    id = api.new_volume()
    api.job("attachVolume", id=id, virtualmachineid=machine)
    api.job("destroyVirtualMachine", id=machine)
    assert api.volumes() == []
    api.job("detachVolume", id=id)  # still answered
    assert [volume["id"] for volume in api.volumes()] == [id]


def test_a_deleted_disk_is_not_listed_or_used_any_more(emulate: Callable[..., Any], refused: Refused) -> None:
    api = emulate(job_seconds=0.02, expunge_seconds=3600)
    machine, id = api.running("one")["id"], api.new_volume()
    api("deleteVolume", id=id)
    assert api.volumes(id=id) == []
    with refused(431):
        api("deleteVolume", id=id)
    with refused(431):
        api.job("attachVolume", id=id, virtualmachineid=machine)
    with refused(530):
        api.job("detachVolume", id=id)
    api.emulator.store.settings.clock_ahead += 3601
    with refused(431):  # its row is gone
        api.volumes(id=id)


def test_the_account_and_the_disk_of_somebody_else_are_refused(emulate: Callable[..., Any], refused: Refused) -> None:
    api = emulate(job_seconds=0.02, neighbour=True)
    other, machine = {"account": api.vars["foreignaccount"], "domainid": "1"}, api.running("one")["id"]
    with refused(531):
        api.new_volume(**other)
    with refused(531):
        api.job(
            "uploadVolume",
            name="up",
            zoneid=api.vars["zone"],
            format="VHD",
            url="http://images.example.com/x.vhd",
            **other,
        )
    foreign = api.vars["foreignvol"]
    with refused(531):
        api("deleteVolume", id=foreign)
    with refused(531):
        api.job("attachVolume", id=foreign, virtualmachineid=machine)
    with refused(531):
        api.job("attachVolume", id=api.new_volume(), virtualmachineid=api.vars["foreignvm"])
    with refused(531):
        api.job("detachVolume", id=foreign)
    with refused(531):
        api("createVolume", name="x", snapshotid=api.vars["foreignsnap"])

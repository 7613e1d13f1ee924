# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attaching and detaching of the emulator's volumes, beyond what the recordings show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Refused = Callable[[int], Any]


def test_a_disk_can_be_attached_to_a_stopped_machine(api: Any) -> None:
    machine = api.running("one")["id"]
    api.job("stopVirtualMachine", id=machine)
    id = api.new_volume()
    assert api.volumes(id=id)[0]["state"] == "Allocated"
    attached = api.job("attachVolume", id=id, virtualmachineid=machine)["volume"]
    assert (attached["state"], attached["deviceid"], attached["vmname"]) == ("Ready", 1, "one")


def test_a_disk_gets_the_next_free_device_or_the_one_asked_for(api: Any, refused: Refused) -> None:
    machine = api.running("one")["id"]
    taken = [api.job("attachVolume", id=api.new_volume(), virtualmachineid=machine)["volume"] for _disk in range(3)]
    assert [volume["deviceid"] for volume in taken] == [1, 2, 4]  # 3 is the CD drive
    for device, code in ((0, 431), (2, 530), (3, 530), (16, 530), (-1, 530)):
        id = api.new_volume()
        with refused(code):
            api.job("attachVolume", id=id, virtualmachineid=machine, deviceid=device)
        assert api.volumes(id=id)[0]["state"] == "Allocated"
    last = api.job("attachVolume", id=api.new_volume(), virtualmachineid=machine, deviceid=15)["volume"]
    assert last["deviceid"] == 15
    for _disk in range(2):
        api.job("attachVolume", id=api.new_volume(), virtualmachineid=machine)
    with refused(431):
        api.job("attachVolume", id=api.new_volume(), virtualmachineid=machine)


def test_a_disk_is_detached_by_its_id_or_by_machine_and_device(api: Any, refused: Refused) -> None:
    machine = api.running("one")["id"]
    id = api.new_volume()
    api.job("attachVolume", id=id, virtualmachineid=machine, deviceid=4)
    for params, code in (
        ({}, 431),
        ({"virtualmachineid": machine}, 431),
        ({"deviceid": 4}, 431),
        ({"id": id, "deviceid": 4}, 431),
        ({"id": id, "virtualmachineid": machine}, 431),
        ({"virtualmachineid": machine, "deviceid": 0}, 431),  # the root disk
        ({"virtualmachineid": machine, "deviceid": 5}, 530),
        ({"virtualmachineid": "-1", "deviceid": 4}, 530),
    ):
        with refused(code):
            api.job("detachVolume", **params)
        assert api.volumes(id=id)[0]["deviceid"] == 4
    with refused(530):
        api.job("detachVolume", virtualmachineid=machine, deviceid=4)
    assert "deviceid" not in api.volumes(id=id)[0]


def test_root_disks_and_disks_elsewhere_cannot_be_attached(api: Any, refused: Refused) -> None:
    machine, other = api.running("one"), api.running("two", zoneid=api.emulator.store.zones.copy().popitem()[0])
    with refused(431):
        api.job("attachVolume", id=api.new_volume(), virtualmachineid=other["id"])
    root = api.volumes(virtualmachineid=machine["id"])[0]["id"]
    for command in ("attachVolume", "detachVolume"):
        with refused(431):
            api.job(command, id=root, virtualmachineid=machine["id"])
    api.job("destroyVirtualMachine", id=machine["id"])
    with refused(431):
        api.job("attachVolume", id=api.new_volume(), virtualmachineid=machine["id"])


def test_only_one_of_two_attachments_succeeds(emulate: Callable[..., Any], refused: Refused) -> None:
    api = emulate(job_seconds=0.2)
    machines = [api.running(name)["id"] for name in ("one", "two")]
    id = api.new_volume()
    jobs = [api("attachVolume", id=id, virtualmachineid=machine)["jobid"] for machine in machines]
    assert api.wait(jobs[0])["volume"]["vmname"] == "one"
    with refused(431):
        api.wait(jobs[1])

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_vm on CloudStack 4: what it changes there, and what CloudStack 3 lacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asked import changes_sent_to, sent_to
from cloudn_emulator import Emulator
from samples import NEW

Result = dict[str, Any]
NAMES = ("a", "b")


@pytest.fixture
def emulator() -> Iterator[Any]:
    """CloudStack 4 with short jobs and a plain account."""
    with Emulator(generation="4", job_seconds=0.05) as running:
        yield running


def new(run: Callable[..., Result], **options: Any) -> Result:
    """Make the machine web1, and return it."""
    made = run("cloudn_vm", **{"name": "web1", **NEW, **options})
    assert not made.get("failed"), made
    machine: Result = made["vm"]
    return machine


@pytest.fixture
def prepared(run_module: Callable[..., Result]) -> None:
    """Security groups, key pairs and affinity groups, each with the names of NAMES."""
    for name in NAMES:
        assert run_module("cloudn_security_group", name=name)["changed"]
        assert run_module("cloudn_key_pair", name=name)["changed"]


@pytest.fixture
def affinity(client: Any) -> None:
    for name in NAMES:
        job = client.call("createAffinityGroup", {"name": name, "type": "host anti-affinity"})
        client.wait(job["jobid"])


STOPPED = [
    ("security_groups", {"security_groups": ["a"]}, {"security_groups": ["b"]}, "updateVirtualMachine", ["b"]),
    ("security_groups", {}, {"security_groups": ["b", "a"]}, "updateVirtualMachine", ["a", "b"]),
    ("key_pairs", {"key_pair": "a"}, {"key_pair": "b"}, "resetSSHKeyForVirtualMachine", ["b"]),
    ("key_pairs", {}, {"key_pair": "B"}, "resetSSHKeyForVirtualMachine", ["B"]),
    ("affinity_groups", {"affinity_groups": ["a"]}, {"affinity_groups": ["b"]}, "updateVMAffinityGroup", ["b"]),
    ("affinity_groups", {}, {"affinity_groups": ["a", "b"]}, "updateVMAffinityGroup", ["a", "b"]),
    ("affinity_groups", {"affinity_groups": ["a"]}, {"affinity_groups": []}, "updateVMAffinityGroup", []),
]


@pytest.mark.parametrize(("field", "before", "after", "command", "shown"), STOPPED)
def test_a_stopped_machine_gets_other_groups_and_another_key_pair(
    run_module: Callable[..., Result],
    beats: Callable[..., Result],
    prepared: None,
    affinity: None,
    field: str,
    before: Result,
    after: Result,
    command: str,
    shown: list[str],
) -> None:
    new(run_module, state="stopped", **before)
    done = beats("cloudn_vm", [command], name="web1", **after)
    assert sorted(done["vm"][field]) == shown
    assert done["vm"]["state"] == "Stopped"
    assert sorted(run_module("cloudn_vm_info", name="web1")["vms"][0][field]) == shown


@pytest.mark.parametrize(("field", "before", "after", "command", "shown"), STOPPED)
def test_a_running_machine_is_stopped_for_them_if_it_may_be(
    run_module: Callable[..., Result],
    refused: Callable[..., str],
    beats: Callable[..., Result],
    prepared: None,
    affinity: None,
    field: str,
    before: Result,
    after: Result,
    command: str,
    shown: list[str],
) -> None:
    new(run_module, **before)
    option = next(iter(after))
    message = refused("cloudn_vm", name="web1", **after)
    assert f"web1: {option} is" in message and "allow_restart: true" in message
    changes = ["stopVirtualMachine", command, "startVirtualMachine"]
    done = beats("cloudn_vm", changes, name="web1", allow_restart=True, **after)
    assert sorted(done["vm"][field]) == shown
    assert done["vm"]["state"] == "Running"


@pytest.mark.parametrize("mode", ["warn", "ignore"])
def test_a_running_machine_can_be_left_as_it_is(
    run_module: Callable[..., Result], beats: Callable[..., Result], prepared: None, mode: str
) -> None:
    new(run_module, security_groups=["a"], key_pair="a")
    done = beats("cloudn_vm", [], name="web1", security_groups=["b"], key_pair="b", on_immutable_drift=mode)
    assert (done["vm"]["security_groups"], done["vm"]["key_pairs"]) == (["a"], ["a"])
    assert bool(done["warnings"]) is (mode == "warn")


def test_all_at_once_needs_one_restart(
    run_module: Callable[..., Result], beats: Callable[..., Result], prepared: None, affinity: None
) -> None:
    new(run_module)
    wanted = {"security_groups": ["a"], "key_pair": "a", "affinity_groups": ["b"], "service_offering": "v2"}
    changes = ["changeServiceForVirtualMachine", "updateVirtualMachine", "updateVMAffinityGroup"]
    changes += ["resetSSHKeyForVirtualMachine", "stopVirtualMachine", "startVirtualMachine"]
    done = beats("cloudn_vm", changes, name="web1", allow_restart=True, **wanted)
    assert done["vm"]["service_offering"] == "v2"


def test_unknown_objects_are_refused_before_anything_is_changed(
    run_module: Callable[..., Result], refused: Callable[..., str], prepared: None
) -> None:
    new(run_module, state="stopped", key_pair="a")
    assert "key_pair: there is no key pair 'c'" in refused("cloudn_vm", name="web1", key_pair="c")
    assert "security_groups[1]: " in refused("cloudn_vm", name="web1", security_groups=["a", "c"])
    assert "affinity_groups: " in refused("cloudn_vm", name="web1", affinity_groups=["c"])
    assert "affinity_groups: " in refused("cloudn_vm", name="web2", affinity_groups=["c"], **NEW)


def test_protection_against_deletion(
    run_module: Callable[..., Result], beats: Callable[..., Result], refused: Callable[..., str]
) -> None:
    made = beats(
        "cloudn_vm", ["deployVirtualMachine", "updateVirtualMachine"], name="web1", delete_protection=True, **NEW
    )
    assert made["vm"]["delete_protection"] is True
    message = refused("cloudn_vm", name="web1", state="absent")
    assert "web1 is protected against deletion. Set delete_protection: false" in message
    beats("cloudn_vm", ["updateVirtualMachine"], name="web1", delete_protection=False)
    beats("cloudn_vm", ["updateVirtualMachine"], name="web1", delete_protection=True)
    changes = ["updateVirtualMachine", "destroyVirtualMachine"]
    beats("cloudn_vm", changes, name="web1", state="absent", delete_protection=False)


def test_the_size_of_a_new_root_disk(
    run_module: Callable[..., Result], beats: Callable[..., Result], refused: Callable[..., str]
) -> None:
    beats("cloudn_vm", ["deployVirtualMachine"], name="web1", root_size_gb=30, **NEW)
    (disk,) = run_module("cloudn_volume_info", vm="web1")["volumes"]
    assert disk["size_gb"] == 30
    message = refused("cloudn_vm", name="web1", root_size_gb=40)
    assert "root_size_gb is 30, not 40 (cloudn_volume can change the size" in message
    assert "root_size_gb: must be at least 1, not 0" in refused("cloudn_vm", name="web2", root_size_gb=0, **NEW)


def test_data_disks_stay_when_a_machine_is_destroyed(
    run_module: Callable[..., Result], beats: Callable[..., Result]
) -> None:
    new(run_module, disk_offering="Small")
    done = beats("cloudn_vm", ["destroyVirtualMachine"], name="web1", state="absent")
    assert done["diff"]["after"]["web1"]["data_disks"] == []
    disks = run_module("cloudn_volume_info", type="DATADISK")["volumes"]
    assert [disk["vm"] for disk in disks] == [None]


@pytest.mark.parametrize("way", ["detach_volumes", "delete_volumes"])
def test_data_disks_can_be_detached_or_deleted_first(run_module: Callable[..., Result], way: str) -> None:
    new(run_module, disk_offering="Small")
    assert run_module("cloudn_vm", name="web1", state="absent", **{way: True})["changed"]
    assert len(run_module("cloudn_volume_info", type="DATADISK")["volumes"]) == (way == "detach_volumes")


def test_a_plain_account_can_not_expunge(run_module: Callable[..., Result]) -> None:
    new(run_module)
    failed = run_module("cloudn_vm", name="web1", state="absent", expunge=True)
    assert failed["failed"] and "leave expunge out" in failed["msg"]
    assert run_module("cloudn_vm_info", name="web1")["vms"][0]["state"] == "Running"


@pytest.mark.parametrize("settings", [{"account": "admin"}, {"server": {"allow.user.expunge.recover.vm": "true"}}])
def test_who_may_expunges_at_once(run_module_as: Any, settings: Result) -> None:
    with run_module_as(generation="4", **settings) as (run, emulator):
        new(run)
        planned = run("cloudn_vm", name="web1", state="absent", expunge=True, _check=True)
        done = run("cloudn_vm", name="web1", state="absent", expunge=True)
        assert done["changed"] and done["vm"]["state"] == "absent"
        assert done["actions"] == planned["actions"] == ["web1: destroy and expunge"]
        assert emulator.store.vms == {}
        assert run("cloudn_vm", name="web1", state="absent", expunge=True)["changed"] is False
        new(run)  # its name is free


def test_an_administrator_expunges_a_destroyed_machine(run_module_as: Any) -> None:
    with run_module_as(generation="4", account="admin") as (run, emulator):
        new(run)
        run("cloudn_vm", name="web1", state="absent")
        done = run("cloudn_vm", name="web1", state="absent", expunge=True)
        assert done["actions"] == ["web1: expunge"] and emulator.store.vms == {}


@pytest.mark.parametrize("names", ["web servers", "グループ", "日本語"])
def test_groups_beyond_ascii_are_changed(
    run_module: Callable[..., Result], beats: Callable[..., Result], names: str
) -> None:
    new(run_module, group="???")
    done = beats("cloudn_vm", ["updateVirtualMachine"], name="web1", group=names)
    assert done["vm"]["group"] == names and done["warnings"] == []


@pytest.mark.parametrize("size", [2000, 24576])
def test_user_data_may_be_long(run_module: Callable[..., Result], emulator: Any, size: int) -> None:
    new(run_module, user_data="x" * size)
    (machine,) = emulator.store.vms.values()
    assert len(machine.userdata) > 2048


def test_longer_user_data_is_refused_with_the_setting(refused: Callable[..., str]) -> None:
    message = refused("cloudn_vm", name="web1", user_data="x" * 24577, **NEW)
    assert message.startswith("user_data: has 24577 bytes, which are 32772 in Base64. CloudStack 4 takes 32768")
    assert "vm.userdata.max.length" in message


def test_networks_are_for_advanced_zones(refused: Callable[..., str]) -> None:
    message = refused("cloudn_vm", name="web1", networks=["net1"], **NEW)
    assert message.startswith("networks: jp-e1a is a Basic zone")


def test_the_name_of_a_network_is_shown(run_module: Callable[..., Result]) -> None:
    assert new(run_module)["nics"][0]["network_name"] == "guestNetworkForBasicZone"


@pytest.mark.parametrize("goal", ["v4", "v8"])
def test_a_scalable_machine_grows_while_it_runs(run_module_as: Any, goal: str) -> None:
    with run_module_as(generation="4", server={"enable.dynamic.scale.vm": "true"}) as (run, emulator):
        new(run)
        emulator.clear()
        done = run("cloudn_vm", name="web1", service_offering=goal)
        assert done["vm"]["service_offering"] == goal and done["vm"]["state"] == "Running"
        assert changes_sent_to(emulator) == ["scaleVirtualMachine"]
        assert run("cloudn_vm", name="web1", service_offering=goal)["changed"] is False


@pytest.mark.parametrize("allowed", [True, False])
def test_what_can_not_scale_is_restarted_if_it_may_be(run_module_as: Any, allowed: bool) -> None:
    """The service refuses to scale down a running machine."""
    with run_module_as(generation="4", server={"enable.dynamic.scale.vm": "true"}) as (run, _emulator):
        new(run, service_offering="v4")
        done = run("cloudn_vm", name="web1", service_offering="v1", allow_restart=allowed)
        if allowed:
            assert done["changed"] and done["vm"]["service_offering"] == "v1" and done["vm"]["state"] == "Running"
        else:
            assert done["failed"] and "Set allow_restart: true" in done["msg"]
            assert run("cloudn_vm_info", name="web1")["vms"][0]["service_offering"] == "v4"


def test_a_start_of_a_running_machine_is_no_failure(
    run_module: Callable[..., Result], emulator: Any, client: Any
) -> None:
    machine = new(run_module, state="stopped")
    client.call("startVirtualMachine", {"id": machine["id"]})
    done = run_module("cloudn_vm", name="web1", state="started")
    assert not done.get("failed"), done
    assert done["vm"]["state"] == "Running"


def test_an_unchanged_task_asks_no_more_than_on_3(
    run_module: Callable[..., Result], emulator: Any, prepared: None
) -> None:
    options = {"security_groups": ["a"], "key_pair": "a", "group": "g", "service_offering": NEW["service_offering"]}
    new(run_module, **options)
    emulator.clear()
    assert run_module("cloudn_vm", name="web1", state="started", **options)["changed"] is False
    assert sent_to(emulator) == ["listVirtualMachines"]


ON_3 = [
    ({"affinity_groups": ["a"]}, "affinity_groups: this service is CloudStack 3, which has no affinity groups"),
    (
        {"delete_protection": True},
        "delete_protection: this service is CloudStack 3, which has no protection against deletion",
    ),
    (
        {"root_size_gb": 30},
        "root_size_gb: this service is CloudStack 3, which has no choice of the size of a root disk",
    ),
    ({"user_data": "x" * 2000}, "user_data: has 2000 bytes, which are 2668 in Base64. CloudStack 3 takes 2048"),
    ({"networks": ["n"]}, "networks: jp-e1a is a Basic zone"),
]


@pytest.mark.parametrize(("options", "message"), ON_3)
def test_cloudstack_3_lacks_them(run_module_as: Any, options: Result, message: str) -> None:
    with run_module_as(generation="3") as (run, emulator):
        for check in (True, False):
            failed = run("cloudn_vm", name="web1", _check=check, **NEW, **options)
            assert failed["failed"] and message in failed["msg"]
        assert changes_sent_to(emulator) == []


def test_cloudstack_3_can_not_expunge(run_module_as: Any) -> None:
    with run_module_as(generation="3") as (run, _emulator):
        new(run)
        failed = run("cloudn_vm", name="web1", state="absent", expunge=True)
        assert failed["failed"] and "expunge: this service is CloudStack 3" in failed["msg"]
        assert "goes with state: absent" in run("cloudn_vm", name="web1", expunge=True)["msg"]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks in check mode see what earlier ones of their run would do, and nothing of it is sent."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, UsageError, is_read
from ansible_collections.cloudn.compute.plugins.module_utils.api.ec2 import Ec2Client
from ansible_collections.cloudn.compute.plugins.module_utils.planned.overlay import EFFECTS, UNSEEN, forget
from ansible_collections.cloudn.compute.plugins.module_utils.planned.store import Store
from cloudn_emulator.catalogue import COMMANDS
from samples import KEY, NEW, OTHER_KEY
from sent_commands import is_sent

Result = dict[str, Any]
Plan = Callable[..., Result]
OS_TYPE = "CentOS 5.6 (64-bit)"


@pytest.fixture(autouse=True)
def nothing_is_changed(emulator: Any) -> Any:
    yield
    assert [one["command"] for one in emulator.requests if not is_read(one["command"])] == []


def test_a_site_that_does_not_exist(plan: Plan, emulator: Any) -> None:
    web = plan("cloudn_security_group", name="web", ingress=[{"ports": "80", "cidrs": ["0.0.0.0/0"]}])
    plan("cloudn_security_group", name="db", ingress=[{"ports": "5432", "groups": [{"name": "web"}]}])
    pair = plan("cloudn_key_pair", name="mine", public_key=KEY)["key_pair"]
    made = plan("cloudn_vm", name=["web1", "web2"], security_groups=["web"], key_pair="mine", **NEW)
    data = plan("cloudn_volume", name="data", state="attached", vm="web1", disk_offering="Small")["volume"]
    taken = plan("cloudn_snapshot", vm="web1")["snapshot"]
    image = plan("cloudn_template", name="image", snapshot=taken["id"], os_type=OS_TYPE)["template"]
    last = plan("cloudn_vm", name="web3", **{**NEW, "template": image["id"]})
    assert "vm" in last, last
    again = last["vm"]
    for one in (web["security_group"], *made["vms"], data, taken, image, pair, again):
        assert one["planned"] is True
        assert one.get("id", "planned-").startswith("planned-")
    assert data["vm_id"] == made["vms"][0]["id"]
    assert image["zone"] == "jp-e1a"
    assert made["vms"][0]["security_groups"] == ["web"]
    assert not any("planned" in str(one.get("params")) for one in emulator.requests)


def test_info_modules_show_what_is_planned(plan: Plan) -> None:
    plan("cloudn_vm", name="web1", disk_offering="Small", tags={"role": "web"}, **NEW)
    (machine,) = plan("cloudn_vm_info", name=["web1"])["vms"]
    assert (machine["state"], machine["planned"], machine["tags"]) == ("Running", True, {"role": "web"})
    assert plan("cloudn_vm_info", tags={"role": "db"})["vms"] == []
    assert plan("cloudn_vm_info", state="Stopped")["vms"] == []
    assert plan("cloudn_vm_info", id=machine["id"])["vms"] == [machine]
    disks = plan("cloudn_volume_info", vm="web1")["volumes"]
    assert sorted((one["type"], one["size_gb"], one["vm_state"]) for one in disks) == [
        ("DATADISK", 5, "Running"),
        ("ROOT", 15, "Running"),
    ]
    assert [one["type"] for one in plan("cloudn_volume_info", type="ROOT")["volumes"]] == ["ROOT"]
    assert "planned" not in plan("cloudn_security_group_info", name="default")["security_groups"][0]


def test_the_same_task_again_would_change_nothing(plan: Plan) -> None:
    tasks: list[tuple[str, Result]] = [
        (
            "cloudn_security_group",
            {
                "name": "web",
                "tags": {"a": "b"},
                "ingress": [
                    {"ports": "22", "groups": [{"name": "default"}, {"name": "web"}]},
                    {"protocol": "icmp", "cidrs": ["0.0.0.0/0"]},
                    {"protocol": "all", "cidrs": ["10.0.0.0/8", "192.0.2.0/24"]},
                ],
            },
        ),
        ("cloudn_key_pair", {"name": "mine", "public_key": KEY}),
        ("cloudn_key_pair", {"name": "made"}),
        ("cloudn_vm", {"name": ["web1", "web2"], "tags": {"a": "b"}, "group": "front", "key_pair": "mine", **NEW}),
        (
            "cloudn_volume",
            {"name": "data", "state": "attached", "vm": "web1", "disk_offering": "Small", "tags": {"a": "b"}},
        ),
        ("cloudn_snapshot", {"vm": "web1", "max_age": "1h", "tags": {"a": "b"}}),
        ("cloudn_snapshot_policy", {"vm": "web1", "interval": "daily", "time": "01:30", "keep": 3}),
        (
            "cloudn_template",
            {"name": "image", "vm": "web2", "allow_restart": True, "tags": {"a": "b"}, "featured": True},
        ),
    ]
    for module, options in tasks:
        first, second = plan(module, **options), plan(module, **options)
        assert "msg" not in first, first
        assert first["changed"], first
        assert (second["changed"], second["actions"]) == (False, []), second


def test_changes_of_what_exists_are_seen(plan: Plan, client: Client, emulator: Any) -> None:
    real = {"_store": None, "_check": False}
    plan("cloudn_vm", name=["web1", "web2"], disk_offering="Small", **NEW, **real)
    plan("cloudn_volume", name="data", state="attached", vm="web1", disk_offering="Small", **real)
    emulator.clear()
    assert plan("cloudn_vm", name="web1", state="stopped")["actions"] == ["web1: stop"]
    assert plan("cloudn_vm", name="web1", state="stopped")["actions"] == []
    (machine,) = plan("cloudn_vm_info", state="Stopped")["vms"]  # the service does not find it by this state
    assert (machine["name"], "planned" in machine) == ("web1", False)
    assert plan("cloudn_vm_info", state="Running")["vms"][0]["name"] == "web2"
    assert {one["vm_state"] for one in plan("cloudn_volume_info", vm="web1")["volumes"]} == {"Stopped"}
    plan("cloudn_volume", name="data", state="attached", vm="web2", force=True)
    assert "data" in [one["name"] for one in plan("cloudn_volume_info", vm="web2")["volumes"]]
    assert "data" not in [one["name"] for one in plan("cloudn_volume_info", vm="web1")["volumes"]]
    plan("cloudn_vm", name="web3", **NEW)  # a disk that exists, on a machine that does not
    plan("cloudn_volume", name="data", state="attached", vm="web3", force=True)
    assert sorted(one["type"] for one in plan("cloudn_volume_info", vm="web3")["volumes"]) == ["DATADISK", "ROOT"]
    assert plan("cloudn_volume_info", name="data")["volumes"][0]["vm"] == "web3"
    plan("cloudn_vm", name="web3", state="absent", detach_volumes=True)
    assert plan("cloudn_volume_info", name="data")["volumes"][0]["vm"] is None
    plan("cloudn_volume", name="data", state="absent", force=True)
    assert plan("cloudn_volume_info", name="data")["volumes"] == []
    plan("cloudn_vm", name="web2", state="absent", delete_volumes=True)
    assert plan("cloudn_vm_info", name=["web2"])["vms"] == []
    found = plan("cloudn_volume_info")["volumes"]
    assert {one["vm"] for one in found} == {"web1"}


def test_what_really_changed_meanwhile_wins(plan: Plan, emulator: Any) -> None:
    real = {"_store": None, "_check": False}
    plan("cloudn_vm", name="web1", **NEW, **real)
    plan("cloudn_vm", name="web1", state="stopped", display_name="planned")
    plan("cloudn_volume", name="data", disk_offering="Small", zone="jp-e1a")
    plan("cloudn_vm", name="web1", display_name="real", **real)
    plan("cloudn_volume", name="data", disk_offering="Small", zone="jp-e1a", **real)
    emulator.clear()
    (machine,) = plan("cloudn_vm_info", name=["web1"])["vms"]
    assert (machine["display_name"], machine["state"]) == ("real", "Stopped")
    (disk,) = plan("cloudn_volume_info", name="data")["volumes"]
    assert "planned" not in disk


def test_two_hosts_that_plan_one_object_plan_the_same(plan: Plan, store: Store, emulator: Any) -> None:
    first = plan("cloudn_security_group", name="web")["security_group"]["id"]
    data = store.load()
    with store.change() as kept:  # as if the second task had read before the first one wrote
        kept.clear()
    loaded = {}

    class Late(Store):
        def load(self) -> Result:
            found = super().load() if loaded else {}
            loaded["once"] = True
            return found

    with store.change() as kept:
        kept.update(data)
    late = Late(store._path)
    assert plan("cloudn_security_group", name="WEB", _store=late)["security_group"]["id"] == first
    assert len(plan("cloudn_security_group_info")["security_groups"]) == 2


def test_nothing_secret_is_kept(plan: Plan, store: Store, tmp_path: pathlib.Path) -> None:
    secret = {"user_data": "canary-user-data"}
    plan("cloudn_vm", name="web1", **secret, **NEW)
    plan("cloudn_vm_password", name="web1", allow_restart=True)
    plan("cloudn_key_pair", name="mine")
    plan("cloudn_volume", name="up", url="http://user:canary-password@example.com/a.vhd", format="VHD", zone="jp-e1a")
    plan("cloudn_template", name="image", zone="jp-e1a", format="VHD", hypervisor="XenServer", os_type=OS_TYPE,
         url="http://user:canary-password@example.com/a.vhd")  # fmt: skip
    kept = json.dumps(store.load())
    assert "web1" in kept
    for word in ("canary", "Y2FuYXJ5", "example.com", 'password"', "PRIVATE", "SSH.PublicKey", "Encrypted"):
        assert word not in kept, word


def test_the_id_of_a_planned_object_is_refused_elsewhere(plan: Plan, run_module: Any, tmp_path: pathlib.Path) -> None:
    planned = plan("cloudn_volume", name="data", disk_offering="Small", zone="jp-e1a")["volume"]["id"]
    assert "msg" not in plan("cloudn_volume", id=planned, state="absent")
    assert plan("cloudn_volume", id=planned, state="absent")["changed"] is False
    other = Store(str(tmp_path / "other"))
    for how in ({"_store": other}, {"_store": None}, {"_store": None, "_check": False}):
        for option in ({"id": planned}, {"name": planned}):
            refused = plan("cloudn_volume", state="absent", **option, **how)
            assert f"'{planned}' comes from check mode" in refused["msg"]
            assert "Run the play without --check" in refused["msg"]
    for module, options in (
        ("cloudn_snapshot", {"volume": planned}),
        ("cloudn_vm", {"name": ["web1", "planned-virtual-machine-1"], "state": "absent"}),
        ("cloudn_api", {"command": "deleteVolume", "params": {"id": planned}}),
        ("cloudn_api", {"command": "listVolumes", "params": {"id": planned}}),
    ):
        refused = run_module(module, **options)
        assert refused["failed"]
        assert "comes from check mode" in refused["msg"]


def test_no_request_has_the_id_of_a_planned_object(client: Client, emulator: Any) -> None:
    for params in (
        {"id": "planned-volume-1"},
        {"ids": ["a", "planned-volume-1"]},
        {"resourceids": ["planned-volume-1"]},
    ):
        with pytest.raises(UsageError, match="comes from check mode"):
            client.call("deleteVolume", params)
    with pytest.raises(UsageError, match="comes from check mode"):
        Ec2Client(emulator.ec2_url, "key", "secret").call(
            "TerminateInstances", {"InstanceId": ["planned-virtual-machine-1"]}
        )
    assert len(emulator.requests) == 0
    client.call("listVolumes", {"name": "planned-volume-1"})  # a name may be anything


def test_an_uploaded_volume_needs_a_machine_before_a_snapshot(plan: Plan) -> None:
    plan("cloudn_volume", name="up", url="http://images.example.com/a.vhd", format="VHD", zone="jp-e1a")
    assert "was uploaded and never attached" in plan("cloudn_snapshot", volume="up")["msg"]
    plan("cloudn_vm", name="web1", **NEW)
    plan("cloudn_volume", name="up", state="attached", vm="web1")
    assert plan("cloudn_snapshot", volume="up")["actions"] == ["up: take a snapshot"]


def test_the_new_root_disk_of_a_stopped_machine_is_empty_until_its_start(plan: Plan) -> None:
    plan("cloudn_vm", name="web1", **NEW)
    (old,) = plan("cloudn_volume_info", vm="web1")["volumes"]
    plan("cloudn_vm", name="web1", state="stopped")
    plan("cloudn_vm", name="web1", state="reinstalled", confirm_reinstall="web1")
    (new,) = plan("cloudn_volume_info", vm="web1")["volumes"]
    assert (old["id"] != new["id"], old["state"], new["state"]) == (True, "Ready", "Allocated")
    plan("cloudn_vm", name="web1", state="started")
    assert plan("cloudn_volume_info", vm="web1")["volumes"][0]["state"] == "Ready"


def test_a_taken_name_is_warned_of(plan: Plan) -> None:
    plan("cloudn_vm", name="web1", **NEW)
    plan("cloudn_vm", name="web1", state="absent")
    again = plan("cloudn_vm", name="web1", **NEW)
    assert any("keeps the name until it has expunged" in text for text in again["warnings"])


def test_a_group_of_a_destroyed_machine_is_left(plan: Plan) -> None:
    plan("cloudn_security_group", name="web")
    plan("cloudn_vm", name="web1", security_groups=["web"], **NEW)
    used = plan("cloudn_security_group", name="web", state="absent")
    assert any("is used by VMs web1" in text for text in used["warnings"])
    plan("cloudn_vm", name="web1", state="absent")
    left = plan("cloudn_security_group", name="web", state="absent")
    assert (left["actions"], [one["name"] for one in left["left"]]) == ([], ["web"])


def test_each_command_that_a_plan_sends_is_known() -> None:
    changes = [command for command in COMMANDS if not is_read(command)]
    sent = {command for command in changes if is_sent(command)}
    assert sent - {"queryAsyncJobResult"} <= {*EFFECTS, *UNSEEN}
    assert not {*EFFECTS} & {*UNSEEN}


@pytest.mark.generation("4", reason="CloudStack 3 has none of it")
def test_what_only_cloudstack_4_has(plan: Plan) -> None:
    plan("cloudn_affinity_group", name="apart")
    machine = plan("cloudn_vm", name="web1", affinity_groups=["apart"], delete_protection=True, root_size_gb=20, **NEW)[
        "vm"
    ]
    assert (machine["affinity_groups"], machine["delete_protection"]) == (["apart"], True)
    (group,) = plan("cloudn_affinity_group_info", name="apart")["affinity_groups"]
    assert group["vm_ids"] == [machine["id"]]
    assert "VMs are in the affinity group" in plan("cloudn_affinity_group", name="apart", state="absent")["msg"]
    assert "is protected against deletion" in plan("cloudn_vm", name="web1", state="absent")["msg"]
    plan("cloudn_key_pair", name="mine", public_key=KEY)
    plan("cloudn_key_pair", name="other", public_key=OTHER_KEY)
    plan("cloudn_security_group", name="web")
    changed = plan("cloudn_vm", name="web1", key_pair="other", security_groups=["web"], allow_restart=True)
    assert changed["actions"] == [
        "web1: stop",
        "web1: set security_groups=web",
        "web1: set key_pair=other",
        "web1: start",
    ]
    assert plan("cloudn_vm", name="web1", key_pair="other", security_groups=["web"])["actions"] == []
    grown = plan("cloudn_volume", name="data", disk_offering="Small", size_gb=8, zone="jp-e1a")
    assert plan("cloudn_volume_info", name="data")["volumes"][0]["size_gb"] == 8, grown


def test_what_a_real_task_has_changed_is_forgotten(plan: Plan, store: Store, emulator: Any) -> None:
    real = {"_store": None, "_check": False}
    (one, two) = plan("cloudn_vm", name=["web1", "web2"], **NEW, **real)["vms"]
    emulator.clear()
    for name in ("web1", "web2"):
        plan("cloudn_vm", name=name, state="stopped", tags={"a": "b"})
    plan("cloudn_vm", name="web1", state="absent")
    plan("cloudn_volume", name="data", disk_offering="Small", zone="jp-e1a")
    forget(store, {"vms": [{"id": one["id"], "name": "web1"}]})
    assert {vm["name"]: vm["state"] for vm in plan("cloudn_vm_info")["vms"]} == {"web1": "Running", "web2": "Stopped"}
    forget(store, {"volumes": [{"id": "1", "name": "data"}]})
    assert plan("cloudn_volume_info", name="data")["volumes"] == []
    forget(store, {"answer": {}})  # of cloudn_api: it may be about anything
    assert {vm["state"] for vm in plan("cloudn_vm_info")["vms"]} == {"Running"}
    assert store.load().get("changed") is None, two

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances, images, volumes and snapshots of the EC2 half: what no recording shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Emulate = Callable[..., Any]


def filters(*pairs: tuple[str, str]) -> dict[str, str]:
    """The parameters of filters: name and value of each; a name given again gets another value."""
    params: dict[str, str] = {}
    names = list(dict.fromkeys(name for name, _value in pairs))
    for number, name in enumerate(names, 1):
        params[f"Filter.{number}.Name"] = name
        values = [value for other, value in pairs if other == name]
        params |= {f"Filter.{number}.Value.{index}": value for index, value in enumerate(values, 1)}
    return params


# --- instances


@pytest.mark.parametrize(
    ("state", "code", "name"),
    [
        ("Starting", "0", "pending"),
        ("Running", "16", "running"),
        ("Stopping", "64", "stopping"),
        ("Stopped", "80", "stopped"),
        ("Error", "1", "error"),
        ("Migrating", "16", "running"),
    ],
)
def test_states(ec2: Any, state: str, code: str, name: str) -> None:
    (id,) = ec2.run()
    ec2.emulator.store.vms[id].state = state
    shown = ec2("DescribeInstances").find(".//instanceState")
    assert [child.text for child in shown] == [code, name]


def test_an_administrator_sees_the_terminated(emulate: Emulate, ec2_of: Any) -> None:
    ec2 = ec2_of(emulate(job_seconds=0.02, account="admin"))
    (id,) = ec2.run()
    for before in ("running", "terminated"):
        change = ec2("TerminateInstances", {"InstanceId.1": id})
        assert change.findtext(".//previousState/name") == before
        assert change.findtext(".//currentState/name") == "terminated"
    assert ec2("DescribeInstances").findtext(".//instanceState/code") == "48"
    assert ec2("StartInstances", {"InstanceId.1": id}).findtext(".//currentState/name") == "terminated"


@pytest.mark.parametrize(
    ("params", "status", "said"),
    [
        ({"MaxCount": None}, 530, "Missing MaxCount parameter"),
        ({"MinCount": None}, 530, "Missing MinCount parameter"),
        ({"MaxCount": "2147483648"}, 500, 'java.lang.NumberFormatException: For input string: "2147483648"'),
        ({"size": "big"}, 500, 'java.lang.NumberFormatException: For input string: "big"'),
        ({"MinCount": 3, "MaxCount": 2}, 500, "Only 2 instance(s) left to allocate"),
        ({"MinCount": 0, "MaxCount": 0}, 500, "Insufficient Instance Capacity"),
        ({"InstanceType": "V1"}, 500, "instanceType: [V1] not found!"),
        ({"ImageId": "i"}, 500, "Object vm_template(uuid: i) does not exist."),
    ],
)
def test_what_can_not_run(ec2: Any, params: dict[str, Any], status: int, said: str) -> None:
    wanted = {"ImageId": ec2.vars["template"], "InstanceType": "v1", "MinCount": 1, "MaxCount": 1, **params}
    answer = ec2.raw("RunInstances", {name: value for name, value in wanted.items() if value is not None})
    assert (answer.status_code, said in answer.text) == (status, True)
    assert not ec2.emulator.store.vms


def test_a_zone_in_any_case_and_a_key_pair(api: Any, ec2: Any) -> None:
    api("createSSHKeyPair", name="mine")
    (id,) = ec2.run(**{"Placement.AvailabilityZone": "JP-E1B", "KeyName": "mine"})
    vm = api.vm(id)
    assert (vm["zonename"], vm["keypair"], vm["serviceofferingname"]) == ("jp-e1b", "mine", "v1")


def test_one_under_way_takes_no_second_job(emulate: Emulate, ec2_of: Any) -> None:
    api = emulate(job_seconds=0.4)
    ec2 = ec2_of(api)
    id = api.deploy("one")
    assert any(api.state(id) == "Starting" for _attempt in range(500))
    assert ec2.message("StopInstances", {"InstanceId.1": id}).endswith("Failed to stop vm, might already be destroyed")


@pytest.fixture
def fleet(api: Any) -> dict[str, str]:
    """Two machines, one with a tag, and one more that is stopped; ids by name."""
    ids = {name: api.running(name)["id"] for name in ("one", "two", "three")}
    api.job("stopVirtualMachine", id=ids["three"])
    api.job("createTags", resourceids=ids["one"], resourcetype="UserVm", tags__key="role", tags__value="web")
    return ids


@pytest.mark.parametrize(
    ("pairs", "names"),
    [
        ([("instance-state-name", "running")], "one two"),
        ([("instance-state-name", "run*")], "one two"),
        ([("instance-state-name", "st?pped")], "three"),
        ([("instance-state-name", "running"), ("instance-state-name", "stopped")], "one two three"),
        ([("instance-state-code", "80")], "three"),
        ([("instance-state-code", "80"), ("instance-state-name", "running")], ""),
        ([("availability-zone", "jp-e1a"), ("tag:role", "web")], "one"),
        ([("tag:role", "db")], ""),
        ([("hypervisor", "Simulator"), ("owner-id", "1:flatuser"), ("instance-type", "vQ")], "one two three"),
        ([("instance-type", "v\\*")], ""),
        ([("private-ip-address", "10.1.1.2")], "one"),
        ([("ip-address", "*")], ""),
        ([("root-device-name", "*")], ""),
    ],
)
def test_filters_of_instances(ec2: Any, fleet: dict[str, str], pairs: list[tuple[str, str]], names: str) -> None:
    found = ec2.texts(ec2("DescribeInstances", filters(*pairs)), "instanceId")
    assert sorted(found) == sorted(fleet[name] for name in names.split())


def test_filters_by_id_and_image(ec2: Any, fleet: dict[str, str]) -> None:
    of_both = filters(("instance-id", fleet["one"]), ("instance-id", fleet["two"]), ("image-id", ec2.vars["template"]))
    found = ec2("DescribeInstances", {**of_both, "InstanceId.1": fleet["two"], "InstanceId.2": fleet["three"]})
    assert ec2.texts(found, "instanceId") == [fleet["two"]]


@pytest.mark.parametrize(
    ("action", "name", "value", "said"),
    [
        ("DescribeInstances", "instance-state-code", "on", 'For input string: "on"'),
        ("DescribeVolumes", "create-time", "noon", 'Unparseable date: "noon"'),
    ],
)
def test_values_that_filters_can_not_read(
    ec2: Any, fleet: dict[str, str], action: str, name: str, value: str, said: str
) -> None:
    assert ec2.message(action, filters((name, value))) == said


@pytest.mark.parametrize("action", ["DescribeInstances", "DescribeVolumes", "DescribeSnapshots"])
def test_filters_that_there_are_not(ec2: Any, action: str) -> None:
    answer = ec2.raw(action, filters(("attachment.status", "attached")))
    assert (answer.status_code, "Unsupported filter [attachment.status]" in answer.text) == (501, True)


def test_images_take_no_filters(ec2: Any) -> None:
    assert len(ec2.texts(ec2("DescribeImages", filters(("vpc-id", "x"))), "imageId")) == 8


@pytest.fixture
def manual(emulate: Emulate, ec2_of: Any) -> Any:
    """A client of an emulator that has what only the service's manual has."""
    return ec2_of(emulate(job_seconds=0.02, dialect="cloudn", denied=["updateTemplatePermissions"]))


@pytest.mark.parametrize("params", [{"InstanceType.Value": "v4"}, {"Attribute": "instanceType", "Value": "v4"}])
def test_the_plan_of_a_stopped_instance(manual: Any, params: dict[str, str]) -> None:
    (id,) = manual.run()
    assert "make sure the virtual machine is stopped" in manual.message(
        "ModifyInstanceAttribute", {"InstanceId": id, **params}
    )
    manual("StopInstances", {"InstanceId.1": id})
    assert manual("ModifyInstanceAttribute", {"InstanceId": id, **params}).findtext("return") == "true"
    assert manual("DescribeInstances").findtext(".//instanceType") == "v4"


@pytest.mark.parametrize(
    ("params", "status"),
    [({}, 530), ({"InstanceId": "x"}, 530), ({"InstanceId": "x", "InstanceType.Value": "big"}, 500)],
)
def test_bad_changes_of_an_instance(manual: Any, params: dict[str, str], status: int) -> None:
    assert manual.raw("ModifyInstanceAttribute", params).status_code == status


# --- images


def test_an_image_is_shown_for_each_zone_and_with_its_state(api: Any, ec2: Any) -> None:
    template = api.emulator.store.templates[ec2.vars["template"]]
    shown = ec2("DescribeImages", {"ImageId.1": template.id})
    assert ec2.texts(shown, "imageState") == ["available"] * 2
    template.unready[template.zone_ids[0]] = "0% Downloaded"
    assert ec2.texts(ec2("DescribeImages", {"ImageId.1": template.id}), "imageState") == ["available"]
    states = [item.findtext("imageState") for item in ec2("DescribeImages").find("imagesSet")]
    assert sorted(states) == ["available"] * 7 + ["unavailable"]


def test_an_image_of_a_running_instance(emulate: Emulate, ec2_of: Any) -> None:
    api = emulate(job_seconds=0.02)
    ec2 = ec2_of(api)
    (id,) = ec2.run()
    image = ec2("CreateImage", {"InstanceId": id, "Name": "golden"}).findtext("imageId")
    jobs = [job["cmd"].rpartition(".")[2] for job in api("listAsyncJobs")["asyncjobs"]]
    assert jobs == ["DeployVMCmd", "StopVMCmd", "CreateTemplateCmd", "StartVMCmd"]
    assert api.state(id) == "Running"
    assert api.emulator.store.templates[image].name == "golden"


def test_an_image_that_fails_leaves_the_instance_stopped(api: Any, ec2: Any) -> None:
    (id,) = ec2.run()
    api.emulator.faults([{"kind": "job_fails", "command": "CreateImage"}])
    assert ec2.message("CreateImage", {"InstanceId": id, "Name": "golden"}).startswith("530")
    api.emulator.faults([])
    template = api.emulator.store.templates[ec2.vars["template"]]
    template.zone_ids.clear()
    assert ec2.message("CreateImage", {"InstanceId": id, "Name": "golden"}) == "Index: 0, Size: 0"
    assert api.state(id) == "Stopped"


def test_a_description(ec2: Any) -> None:
    (id,) = ec2.run()
    image = ec2("CreateImage", {"InstanceId": id, "Name": "golden", "Description": "one"}).findtext("imageId")
    ec2("ModifyImageAttribute", {"ImageId": image, "Description": "two words"})
    assert ec2("DescribeImages", {"ImageId.1": image}).findtext(".//description") == "two words"
    ec2("DeregisterImage", {"ImageId": image})
    assert ec2.message("ModifyImageAttribute", {"ImageId": image, "Description": "x"}) == "Index: 0, Size: 0"


@pytest.mark.parametrize(
    ("params", "launch", "public"),
    [
        (
            {"LaunchPermission.Add.1.UserId": "system", "LaunchPermission.Add.2.UserId": "flatuser"},
            "admin system",
            False,
        ),
        ({"LaunchPermission.Remove.1.UserId": "admin"}, "", False),
        ({"LaunchPermission.Add.1.Group": "all"}, "admin", True),
        ({"LaunchPermission.Add.1.UserId": "system", "LaunchPermission.Remove.1.UserId": "admin"}, "system", False),
        ({"OperationType": "add", "UserId.1": "system", "UserGroup.1": "all"}, "admin system", True),
        ({"OperationType": "remove", "UserId.1": "admin"}, "", False),
    ],
)
def test_launch_permissions(manual: Any, params: dict[str, str], launch: str, public: bool) -> None:
    (id,) = manual.run()
    image = manual("CreateImage", {"InstanceId": id, "Name": "golden"}).findtext("imageId")
    template = manual.emulator.store.templates[image]
    template.launch = ["admin"]
    assert manual("ModifyImageAttribute", {"ImageId": image, **params}).findtext("return") == "true"
    assert (template.launch, template.public) == (launch.split(), public)


def test_other_changes_of_an_image(manual: Any) -> None:
    (id,) = manual.run()
    image = manual("CreateImage", {"InstanceId": id, "Name": "golden"}).findtext("imageId")
    manual("ModifyImageAttribute", {"ImageId": image, "Description.Value": "text"})
    assert manual.emulator.store.templates[image].text == "text"
    assert manual.raw("ModifyImageAttribute", {"ImageId": image}).status_code == 530
    nobody = {"ImageId": image, "LaunchPermission.Add.1.UserId": "nobody"}
    assert "account not found" in manual.message("ModifyImageAttribute", nobody)
    others = {"ImageId": manual.vars["template"], "LaunchPermission.Add.1.UserId": "admin"}
    assert "permission" in manual.message("ModifyImageAttribute", others)


# --- volumes and snapshots


@pytest.mark.parametrize(
    ("device", "number"), [("/dev/sdb", 1), ("/dev/SDC", 2), ("/dev/xvde", 4), ("xvdj", 9), ("/dev/sdf", 5)]
)
def test_devices(api: Any, ec2: Any, device: str, number: int) -> None:
    (id,) = ec2.run()
    disk = api.job("createVolume", name="d", zoneid=api.vars["zone"], diskofferingid=api.vars["disk"])["volume"]["id"]
    shown = ec2("AttachVolume", {"VolumeId": disk, "InstanceId": id, "Device": device})
    assert [shown.findtext(name) for name in ("volumeId", "instanceId", "device")] == [disk, id, device]
    assert api("listVolumes", id=disk)["volume"][0]["deviceid"] == number
    seen = ec2(
        "DescribeVolumes", {"VolumeId.1": disk, **filters(("attachment.device", "/dev/?d" + device[-1].lower()))}
    )
    assert seen.findtext(".//device") == "/dev/sd" + device[-1].lower()


@pytest.mark.parametrize("device", ["/dev/sda", "/dev/sdd", "/dev/sdk", "sdb", "1", ""])
def test_devices_that_there_are_not(ec2: Any, device: str) -> None:
    wanted = {"VolumeId": "x", "InstanceId": "y", "Device": device}
    assert ec2.message("AttachVolume", wanted) == f"{device} is not supported"


@pytest.mark.parametrize("name", ["volume-id", "size", "status", "create-time", "attachment.attach-time"])
def test_filters_of_volumes(ec2: Any, name: str) -> None:
    (id,) = ec2.run()
    ec2.run()
    other = next(item for item in ec2("DescribeVolumes").find("volumeSet") if item.findtext(".//instanceId") == id)
    value = {
        "volume-id": other.findtext("volumeId"),
        "create-time": (other.findtext("createTime") or "").replace("+00:00", "Z"),
        "attachment.attach-time": other.findtext(".//attachTime"),
    }.get(name) or other.findtext(name)
    found = ec2.texts(ec2("DescribeVolumes", filters((name, value), ("attachment.instance-id", id))), "instanceId")
    assert found == [id]
    wrong = {"size": "7", "create-time": "2000-01-01T00:00:00Z", "attachment.attach-time": "2000-01-01T00:00:00Z"}
    assert ec2.texts(ec2("DescribeVolumes", filters((name, wrong.get(name, "x")))), "volumeId") == []


def test_snapshots_and_their_filters(ec2: Any) -> None:
    (id,) = ec2.run()
    root = ec2("DescribeVolumes").findtext(".//volumeId")
    snapshot = ec2("CreateSnapshot", {"VolumeId": root, "Description": "ignored"}).findtext("snapshotId")
    stored = ec2.emulator.store.snapshots[snapshot]
    for name, value, wrong in (
        ("status", "completed", "pending"),
        ("volume-id", root, "x"),
        ("volume-size", "15", "5"),
        ("snapshot-id", snapshot, "x"),
        ("owner-alias", "flatuser", "x"),
        ("owner-id", "1:*", "2:*"),
    ):
        assert ec2.texts(ec2("DescribeSnapshots", filters((name, value))), "snapshotId") == [snapshot]
        assert ec2.texts(ec2("DescribeSnapshots", filters((name, wrong))), "snapshotId") == []
    for state, status, progress in (
        ("Creating", "pending", "33%"),
        ("BackingUp", "pending", "66%"),
        ("x", "error", "0%"),
    ):
        stored.state = state
        shown = ec2("DescribeSnapshots", {"SnapshotId.1": snapshot})
        assert (shown.findtext(".//status"), shown.findtext(".//progress")) == (status, progress)
    stored.state = "BackedUp"
    ec2("TerminateInstances", {"InstanceId.1": id})
    assert ec2("DescribeSnapshots").findtext(".//volumeSize") == "0"  # its disk is gone

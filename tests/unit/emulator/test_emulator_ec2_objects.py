# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances, images, volumes and snapshots of the EC2 half: what no recording shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Emulate = Callable[..., Any]


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
def test_each_state_has_its_code_and_name(ec2: Any, state: str, code: str, name: str) -> None:
    (id,) = ec2.run()
    ec2.emulator.store.vms[id].state = state
    shown = ec2("DescribeInstances").find(".//instanceState")
    assert [child.text for child in shown] == [code, name]


def test_an_administrator_sees_terminated_instances(emulate: Emulate, ec2_of: Any) -> None:
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
        ({"MinCount": 0, "MaxCount": 0}, 500, "Insufficient Instance Capacity"),
        ({"InstanceType": "v"}, 500, "instanceType: [v] not found!"),
        ({"InstanceType": ""}, 500, "instanceType: [] not found!"),
        ({"ImageId": "i"}, 500, "Object vm_template(uuid: i) does not exist."),
    ],
)
def test_impossible_instances_are_refused(ec2: Any, params: dict[str, Any], status: int, said: str) -> None:
    wanted = {"ImageId": ec2.vars["template"], "InstanceType": "v1", "MinCount": 1, "MaxCount": 1, **params}
    answer = ec2.raw("RunInstances", {name: value for name, value in wanted.items() if value is not None})
    assert (answer.status_code, said in answer.text) == (status, True)
    assert not ec2.emulator.store.vms


def test_an_instance_gets_its_zone_in_any_case_and_its_key_pair(api: Any, ec2: Any) -> None:
    api("createSSHKeyPair", name="mine")
    (id,) = ec2.run(**{"Placement.AvailabilityZone": "JP-E1B", "KeyName": "mine"})
    vm = api.vm(id)
    assert (vm["zonename"], vm["keypair"], vm["serviceofferingname"]) == ("jp-e1b", "mine", "v1")


def test_a_plan_is_found_in_any_case_and_a_least_above_the_most_is_accepted(ec2: Any) -> None:
    assert len(ec2.run(InstanceType="V2 ", MinCount=2, MaxCount=1)) == 1
    assert ec2("DescribeInstances").findtext(".//instanceType") == "v2"


@pytest.mark.parametrize(
    ("limit", "least", "most", "made"),
    [(3, 1, 9, 1), (3, 2, 9, 2), (3, 2, 2, 2), (3, 3, 3, 0), (3, 3, 1, 0), (-1, 1, 2, 2), (-1, 2, 1, 0)],
)
def test_as_many_instances_are_made_as_the_account_may_have(
    emulate: Emulate, ec2_of: Any, limit: int, least: int, most: int, made: int
) -> None:
    """If the account has fewer left than MaxCount, MinCount are made. If it has fewer than these, none is made."""
    ec2 = ec2_of(emulate(job_seconds=0.02, limits={"instance": limit}, vms=1))
    wanted = {"ImageId": ec2.vars["template"], "InstanceType": "v1", "MinCount": least, "MaxCount": most}
    if made:
        assert len(ec2.texts(ec2("RunInstances", wanted), "instanceId")) == made
    else:
        left = 2 if limit > 0 else most
        assert ec2.message("RunInstances", wanted) == f"Only {left} instance(s) left to allocate"


def test_the_plan_of_an_instance_is_shown(ec2: Any) -> None:
    (id,) = ec2.run()
    shown = ec2("DescribeInstanceAttribute", {"InstanceId": id, "Attribute": "InstanceType"})
    assert [child.tag for child in shown] == ["requestId", "instanceId", "instanceType"]
    assert shown.findtext("instanceType/value") == "v1"
    answer = ec2.raw("DescribeInstanceAttribute", {"InstanceId": id, "Attribute": "userData"})
    assert (answer.status_code, "Unsupported - only instanceType supported" in answer.text) == (501, True)
    answer = ec2.raw("DescribeInstanceAttribute", {"Attribute": "instanceType"})
    assert answer.text.startswith("java.lang.NullPointerException: ")


def test_an_instance_under_way_takes_no_second_job(emulate: Emulate, ec2_of: Any) -> None:
    api = emulate(job_seconds=0.4)
    ec2 = ec2_of(api)
    id = api.deploy("one")
    api.until(id, "Starting")
    assert ec2.message("StopInstances", {"InstanceId.1": id}).endswith(", might already be destroyed")


def test_images_take_no_filters(ec2: Any) -> None:
    params = {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": "x"}
    assert len(ec2.texts(ec2("DescribeImages", params), "imageId")) == 8


@pytest.fixture
def manual(emulate: Emulate, ec2_of: Any) -> Any:
    """A client of an emulator that has what only the service's manual has."""
    return ec2_of(emulate(job_seconds=0.02, dialect="cloudn", denied=["updateTemplatePermissions"]))


@pytest.mark.parametrize("params", [{"InstanceType.Value": "v4"}, {"Attribute": "instanceType", "Value": "v4"}])
def test_only_a_stopped_instance_changes_its_plan(manual: Any, params: dict[str, str]) -> None:
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
def test_bad_changes_of_an_instance_are_refused(manual: Any, params: dict[str, str], status: int) -> None:
    assert manual.raw("ModifyInstanceAttribute", params).status_code == status


# --- images


def test_an_image_is_shown_for_each_zone_and_with_its_state(api: Any, ec2: Any) -> None:
    template = api.emulator.store.templates[ec2.vars["template"]]
    shown = ec2("DescribeImages", {"ImageId.1": template.id})
    assert ec2.texts(shown, "imageState") == ["available"] * 2
    template.unready[template.zone_ids[0]] = "0% Downloaded"
    states = ec2.texts(ec2("DescribeImages", {"ImageId.1": template.id}), "imageState")
    assert sorted(states) == ["available", "unavailable"]
    states = [item.findtext("imageState") for item in ec2("DescribeImages").find("imagesSet")]
    assert states == ["available"] * 7


def test_an_image_of_a_running_instance_stops_and_starts_it(emulate: Emulate, ec2_of: Any) -> None:
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
    assert ec2.message("CreateImage", {"InstanceId": id, "Name": "golden"}) == "Index 0 out of bounds for length 0"
    assert api.state(id) == "Stopped"


def test_a_description_can_be_changed_while_the_image_exists(ec2: Any) -> None:
    (id,) = ec2.run()
    image = ec2("CreateImage", {"InstanceId": id, "Name": "golden", "Description": "one"}).findtext("imageId")
    ec2("ModifyImageAttribute", {"ImageId": image, "Description": "two words"})
    assert ec2("DescribeImages", {"ImageId.1": image}).findtext(".//description") == "two words"
    ec2("DeregisterImage", {"ImageId": image})
    assert (
        ec2.message("ModifyImageAttribute", {"ImageId": image, "Description": "x"})
        == "Index 0 out of bounds for length 0"
    )


def test_the_description_of_an_image_is_shown(ec2: Any) -> None:
    image = ec2.vars["template"]
    shown = ec2("DescribeImageAttribute", {"ImageId": image, "Description": ""})
    assert [child.tag for child in shown] == ["requestId", "imageId", "description"]
    assert shown.findtext("description/value") == "CentOS 6.2 64bit"
    assert ec2.raw("DescribeImageAttribute", {"ImageId": image, "Attribute": "description"}).status_code == 501
    (id,) = ec2.run()
    made = ec2("CreateImage", {"InstanceId": id, "Name": "golden", "Description": 'a "b"'}).findtext("imageId")
    assert '<description>a "b"</description>' in ec2.raw("DescribeImages", {"ImageId.1": made}).text
    assert ec2("ResetImageAttribute", {"ImageId": made, "Attribute": "launchPermission"}).findtext("return") == "true"
    assert ec2.emulator.store.templates[made].text == ""


def test_an_image_can_be_registered_from_an_address(ec2: Any) -> None:
    wanted = {"ImageLocation": "http://10.1.1.9/x.vhd", "Architecture": "VHD:JP-e1a:centos 5.6 (64:Simulator"}
    image = ec2("RegisterImage", {**wanted, "Name": "given"}).findtext("imageId")
    stored = ec2.emulator.store.templates[image]
    assert (stored.name, stored.text, stored.os_type_id) == ("given", "given", "142")


@pytest.mark.parametrize(
    ("architecture", "name", "said"),
    [
        ("x86_64", "n", 'Cannot invoke "String.toLowerCase()" because "osTypeName" is null'),
        ("VHD:jp-e1a:BeOS:Simulator", "n", "guest_os(uuid: null) does not exist"),
        ("VHD:nowhere:CentOS:Simulator", "n", "Unknown zoneName value - nowhere"),
        ("VHD:jp-e1a:CentOS:Simulator", None, "Missing parameter - name"),
        ("VHD:jp-e1a:CentOS", "n", "java.lang.ArrayIndexOutOfBoundsException: Index 3 out of bounds for length 3"),
    ],
)
def test_bad_images_are_not_registered(ec2: Any, architecture: str, name: str | None, said: str) -> None:
    wanted = {
        "ImageLocation": "http://10.1.1.9/x.vhd",
        "Architecture": architecture,
        **({"Name": name} if name else {}),
    }
    answer = ec2.raw("RegisterImage", wanted)
    assert (answer.status_code, said in answer.text) == (500, True)


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
def test_launch_permissions_are_added_and_removed(
    manual: Any, params: dict[str, str], launch: str, public: bool
) -> None:
    (id,) = manual.run()
    image = manual("CreateImage", {"InstanceId": id, "Name": "golden"}).findtext("imageId")
    template = manual.emulator.store.templates[image]
    template.launch = ["admin"]
    assert manual("ModifyImageAttribute", {"ImageId": image, **params}).findtext("return") == "true"
    assert (template.launch, template.public) == (launch.split(), public)


def test_an_images_description_can_be_changed_and_its_accounts_are_checked(manual: Any) -> None:
    (id,) = manual.run()
    image = manual("CreateImage", {"InstanceId": id, "Name": "golden"}).findtext("imageId")
    manual("ModifyImageAttribute", {"ImageId": image, "Description.Value": "text"})
    assert manual.emulator.store.templates[image].text == "text"
    assert manual.raw("ModifyImageAttribute", {"ImageId": image}).status_code == 530
    nobody = {"ImageId": image, "LaunchPermission.Add.1.UserId": "nobody"}
    assert "account not found" in manual.message("ModifyImageAttribute", nobody)
    others = {"ImageId": manual.vars["template"], "LaunchPermission.Add.1.UserId": "admin"}
    assert "can modify only their own" in manual.message("ModifyImageAttribute", others)


# --- volumes and snapshots


@pytest.mark.parametrize(
    ("device", "number"), [("/dev/sdb", 1), ("/dev/SDC", 2), ("/dev/xvde", 4), ("xvdj", 9), ("/dev/sdf", 5)]
)
def test_device_names_stand_for_numbers(api: Any, ec2: Any, device: str, number: int) -> None:
    (id,) = ec2.run()
    disk = api.job("createVolume", name="d", zoneid=api.vars["zone"], diskofferingid=api.vars["disk"])["volume"]["id"]
    shown = ec2("AttachVolume", {"VolumeId": disk, "InstanceId": id, "Device": device})
    assert [shown.findtext(name) for name in ("volumeId", "instanceId", "device")] == [disk, id, device]
    assert api("listVolumes", id=disk)["volume"][0]["deviceid"] == number
    named = {"Filter.1.Name": "attachment.device", "Filter.1.Value.1": "/dev/?d" + device[-1].lower()}
    seen = ec2("DescribeVolumes", {"VolumeId.1": disk, **named})
    assert seen.findtext(".//device") == "/dev/sd" + device[-1].lower()


@pytest.mark.parametrize("device", ["/dev/sda", "/dev/sdd", "/dev/sdk", "sdb", "1", ""])
def test_unknown_device_names_are_refused(ec2: Any, device: str) -> None:
    wanted = {"VolumeId": "x", "InstanceId": "y", "Device": device}
    assert ec2.message("AttachVolume", wanted) == f"{device} is not supported"


def test_a_new_volume_is_shown_as_the_bridge_does(api: Any, ec2: Any) -> None:
    made = ec2("CreateVolume", {"AvailabilityZone": "JP-E1B", "Size": 7})
    shape = {child.tag: child.text or "" for child in made}
    names = ["requestId", "volumeId", "size", "snapshotId", "availabilityZone", "status", "createTime"]
    assert list(shape) == names
    assert (shape["size"], shape["availabilityZone"], shape["status"]) == ("7", "jp-e1b", "Allocated")
    (stored,) = api("listVolumes", id=shape["volumeId"])["volume"]
    assert (stored["diskofferingname"], len(stored["name"])) == ("Custom", 36)


def test_a_volume_can_be_made_from_a_snapshot(ec2: Any) -> None:
    ec2.run()
    root = ec2("DescribeVolumes").findtext(".//volumeId")
    snapshot = ec2("CreateSnapshot", {"VolumeId": root}).findtext("snapshotId")
    made = ec2("CreateVolume", {"AvailabilityZone": "jp-e1a", "SnapshotId": snapshot})
    assert (made.findtext("size"), made.findtext("snapshotId"), made.findtext("status")) == ("15", "", "Ready")


@pytest.mark.parametrize(
    ("params", "status", "said"),
    [
        ({"Size": 1}, 530, "Missing AvailabilityZone parameter"),
        ({"AvailabilityZone": "jp-e1a"}, 530, "Size or SnapshotId has to be specified"),
        (
            {"AvailabilityZone": "jp-e1a", "Size": 1, "SnapshotId": "x"},
            530,
            "Size and SnapshotId parameters are mutually exclusive",
        ),
        ({"AvailabilityZone": "jp-e1a", "Size": 0}, 400, "Bad volume size parameter: 0, expecting [1..1024]"),
        ({"AvailabilityZone": "jp-e1a", "Size": "1025"}, 400, "Bad volume size parameter: 1025, expecting [1..1024]"),
        ({"AvailabilityZone": "jp-e1a", "Size": "big"}, 400, "Bad volume size parameter: big, expecting [1..1024]"),
        ({"AvailabilityZone": "nowhere", "Size": 1}, 500, "Unknown zoneName value - nowhere"),
        ({"AvailabilityZone": "jp-e1a", "SnapshotId": "x"}, 500, "Object snapshots(uuid: x) does not exist"),
    ],
)
def test_impossible_volumes_are_refused(ec2: Any, params: dict[str, Any], status: int, said: str) -> None:
    answer = ec2.raw("CreateVolume", params)
    assert (answer.status_code, said in answer.text) == (status, True)
    assert not ec2.emulator.store.volumes


def test_without_a_custom_disk_offering_no_volume_of_a_size_is_made(ec2: Any) -> None:
    del ec2.emulator.store.disk_offerings[ec2.vars["custom"]]
    said = ec2.message("CreateVolume", {"AvailabilityZone": "jp-e1a", "Size": 1})
    assert said == "No Customize Disk Offering Found"


def test_snapshots_show_their_state_and_progress(ec2: Any) -> None:
    (id,) = ec2.run()
    root = ec2("DescribeVolumes").findtext(".//volumeId")
    snapshot = ec2("CreateSnapshot", {"VolumeId": root, "Description": "ignored"}).findtext("snapshotId")
    stored = ec2.emulator.store.snapshots[snapshot]
    for state, status, progress in (
        ("Creating", "pending", "33%"),
        ("BackingUp", "pending", "66%"),
        ("x", "error", "0%"),
        ("BackedUp", "completed", "100%"),
    ):
        stored.state = state
        shown = ec2("DescribeSnapshots", {"SnapshotId.1": snapshot})
        assert (shown.findtext(".//status"), shown.findtext(".//progress")) == (status, progress)
    ec2("TerminateInstances", {"InstanceId.1": id})
    assert ec2("DescribeSnapshots").findtext(".//volumeSize") == "0"  # its disk is gone
    ec2("DeleteSnapshot", {"SnapshotId": snapshot})
    assert ec2("DescribeSnapshots").findall(".//snapshotId") == []
    assert ec2.message("DescribeSnapshots", {"SnapshotId.1": snapshot}) == "An unexpected error occurred."

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boto, an EC2 client of others, works against the emulator: all 18 actions of the service's manual."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from boto_client import BotoServerError, EC2ResponseError, Reservation, connect
from cloudn_emulator import Emulator

_ACTIONS = """
DescribeInstances RunInstances RebootInstances StartInstances StopInstances TerminateInstances ModifyInstanceAttribute
CreateImage DescribeImages DeregisterImage ModifyImageAttribute
CreateSnapshot DeleteSnapshot DescribeSnapshots AttachVolume DeleteVolume DescribeVolumes DetachVolume
"""
ACTIONS = set(_ACTIONS.split())


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator(job_seconds=0.03, dialect="cloudn") as running:
        yield running


@pytest.fixture
def boto(emulator: Emulator) -> Any:
    return connect(emulator)


@pytest.fixture
def machine(emulator: Emulator, boto: Any) -> Any:
    """A running machine."""
    (made,) = boto.run_instances(emulator.vars["template"], instance_type="v1", placement="jp-e1a").instances
    return made


@pytest.fixture
def disk(emulator: Emulator, client: Any) -> str:
    """A data disk of 5 GB, made by the native API: the manual's EC2 half makes none."""
    seeded = emulator.vars
    answer = client.call("createVolume", {"name": "d", "zoneid": seeded["zone"], "diskofferingid": seeded["disk"]})
    return client.wait(answer["jobid"])["volume"]["id"]


def the_only(found: list[Any]) -> Any:
    (one,) = found
    return one


def refusal(call: Any, *arguments: Any, **options: Any) -> Any:
    with pytest.raises((BotoServerError, EC2ResponseError)) as failure:
        call(*arguments, **options)
    return failure.value


def test_boto_uses_all_actions_of_the_manual(boto: Any, machine: Any, disk: str, emulator: Emulator) -> None:
    assert (machine.state, machine.instance_type, machine.placement) == ("running", "v1", "jp-e1a")
    seen = the_only(boto.get_only_instances([machine.id]))
    assert (seen.id, seen.image_id, seen.private_ip_address) == (machine.id, machine.image_id, "10.1.1.2")
    assert seen.tags == {"": ""}  # so the bridge tells that there are none
    use_instance(boto, machine.id)
    use_volume(boto, machine.id, disk)
    use_image(boto, machine.id, emulator)
    assert the_only(boto.terminate_instances([machine.id])).state == "terminated"
    assert boto.get_only_instances() == []
    native = {"createVolume", "queryAsyncJobResult"}
    assert {request["command"] for request in emulator.requests} - native == ACTIONS
    assert {request["status"] for request in emulator.requests} == {200}


def use_instance(boto: Any, id: str) -> None:
    assert boto.reboot_instances([id])
    stopped = the_only(boto.stop_instances([id]))
    assert (stopped.id, stopped.state, stopped.state_code) == (id, "stopped", 80)
    assert boto.modify_instance_attribute(id, "instanceType", "v4")
    assert the_only(boto.start_instances([id])).state == "running"
    assert the_only(boto.get_only_instances([id])).instance_type == "v4"


def use_volume(boto: Any, id: str, disk: str) -> None:
    assert boto.attach_volume(disk, id, "/dev/sdf") == "Ready"
    volume = the_only(boto.get_all_volumes([disk]))
    assert (volume.size, volume.zone, volume.status) == (5, "jp-e1a", "available")
    assert (volume.attach_data.instance_id, volume.attach_data.device) == (id, "/dev/sdf")
    assert boto.detach_volume(disk) == "Ready"
    assert the_only(boto.get_all_volumes([disk])).attach_data.instance_id is None
    snapshot = boto.create_snapshot(disk)
    assert (snapshot.volume_id, snapshot.volume_size, snapshot.progress) == (disk, 5, "100")
    assert the_only(boto.get_all_snapshots()).status == "completed"
    assert boto.delete_snapshot(snapshot.id)
    assert boto.get_all_snapshots() == []
    assert boto.delete_volume(disk)


def use_image(boto: Any, id: str, emulator: Emulator) -> None:
    image = boto.create_image(id, "golden", "of-gold")
    shown = the_only(boto.get_all_images([image]))
    assert (shown.name, shown.description, shown.state, shown.is_public) == ("golden", "of-gold", "available", False)
    assert boto.modify_image_attribute(image, operation="add", user_ids=["admin"], groups=["all"])
    template = emulator.store.templates[image]
    assert (template.launch, template.public) == (["admin"], True)
    assert boto.modify_image_attribute(image, operation="remove", user_ids=["admin"], groups=["all"])
    assert (template.launch, template.public) == ([], False)
    assert boto.deregister_image(image)
    assert boto.get_all_images([image]) == []


def test_both_halves_show_the_same(boto: Any, machine: Any, client: Any, emulator: Emulator) -> None:
    (vm,) = client.list("listVirtualMachines")
    assert (vm["id"], vm["state"], vm["serviceofferingname"]) == (machine.id, "Running", "v1")
    seeded = emulator.vars
    wanted = {"zoneid": seeded["zone"], "templateid": seeded["template"], "serviceofferingid": seeded["small"]}
    made = client.call("deployVirtualMachine", {**wanted, "name": "native"})
    client.wait(made["jobid"])
    tags = {"resourcetype": "UserVm", "resourceids": made["id"], "tags": [{"key": "role", "value": "web"}]}
    client.wait(client.call("createTags", tags)["jobid"])
    assert {one.id for one in boto.get_only_instances()} == {machine.id, made["id"]}
    tagged = the_only(boto.get_only_instances(filters={"tag:role": "web"}))
    assert (tagged.id, tagged.tags) == (made["id"], {"role": "web"})
    boto.terminate_instances([made["id"]])
    assert [vm["id"] for vm in client.list("listVirtualMachines")] == [machine.id]


def test_boto_also_uses_actions_beyond_the_manual(boto: Any) -> None:
    assert [zone.name for zone in boto.get_all_zones()] == ["jp-e1a", "jp-e1b"]
    boto.create_security_group("web", "of-web")
    rule = {"ip_protocol": "tcp", "from_port": 22, "to_port": 23, "cidr_ip": "10.0.0.0/8"}
    assert boto.authorize_security_group("web", **rule)
    (group,) = boto.get_all_security_groups(["web"])
    ports = [(one.ip_protocol, one.from_port, one.to_port, one.grants[0].cidr_ip) for one in group.rules]
    assert ports == [("tcp", "22", "23", "10.0.0.0/8")]
    assert boto.revoke_security_group("web", **rule)
    assert boto.delete_security_group("web")
    key = boto.create_key_pair("mine")
    assert boto.get_key_pair("mine").fingerprint == key.fingerprint
    assert boto.delete_key_pair("mine")
    volume = boto.create_volume(7, "jp-e1b")
    assert (volume.size, volume.zone, volume.status) == (7, "jp-e1b", "Allocated")
    assert boto.create_tags([f"volume:{volume.id}"], {"role": "db"})
    assert [(tag.res_id, tag.name, tag.value) for tag in boto.get_all_tags()] == [(volume.id, "role", "db")]
    assert the_only(boto.get_all_volumes(filters={"tag:role": "d?"})).id == volume.id


def test_boto_reads_every_kind_of_error(boto: Any, machine: Any) -> None:
    unknown = refusal(boto.stop_instances, ["i-12345678"])
    assert (unknown.status, unknown.error_code) == (500, "Server.InternalError")
    assert "i-12345678" in unknown.error_message
    filtered = refusal(boto.get_only_instances, filters={"vpc-id": "x"})
    assert (filtered.status, filtered.error_code) == (501, "Error")
    unsupported = refusal(boto.get_all_regions)
    assert (unsupported.status, unsupported.error_code) == (400, "Client.Unsupported")
    assert refusal(boto.attach_volume, "x", machine.id, "/dev/sda").error_message == "/dev/sda is not supported"


@pytest.mark.parametrize("path", ["/awsapi", "/awsapi/", "/awsapi/rest/AmazonEC2"])
def test_boto_connects_by_every_path_of_the_api(emulator: Emulator, path: str) -> None:
    assert connect(emulator, path).get_only_instances() == []


def test_boto_runs_a_plan_with_a_space_only_by_get(boto: Any, emulator: Emulator) -> None:
    """boto sends forms, and the bridge accepts no form with a space. boto's own `verb` is the way out."""
    emulator.store.service_offerings[emulator.vars["small"]].name = "Small Instance"
    wanted = {"ImageId": emulator.vars["template"], "InstanceType": "Small Instance", "MinCount": 1, "MaxCount": 1}
    assert refusal(boto.get_object, "RunInstances", dict(wanted), Reservation, verb="POST").status == 403
    made = boto.get_object("RunInstances", dict(wanted), Reservation, verb="GET")
    assert the_only(made.instances).instance_type == "Small Instance"


def test_the_measured_service_refuses_changes_that_only_the_manual_has(emulator: Emulator) -> None:
    with Emulator(job_seconds=0.02) as measured:
        boto = connect(measured)
        machine = the_only(boto.run_instances(measured.vars["template"], instance_type="v1").instances)
        assert refusal(boto.modify_instance_attribute, machine.id, "instanceType", "v2").status == 400
        assert refusal(boto.modify_image_attribute, measured.vars["template"], user_ids=["admin"]).status == 530

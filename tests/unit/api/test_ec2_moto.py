# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EC2 client against moto's EC2 server, which nobody here wrote: it does what is asked, and its answers, which are
Amazon's, are read. It does not check signatures; test_ec2.py holds those to botocore.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Ec2Error
from ansible_collections.cloudn.compute.plugins.module_utils.api.ec2 import ACTIONS, Ec2Client

Record = dict[str, Any]
ZONE = {"AvailabilityZone": "us-east-1a"}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """The address of a server that has EC2 alone, in this process, without the images that moto brings along."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
        from moto.moto_server.werkzeug_app import create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            def log(self, *_args: object) -> None:
                pass

        app = create_backend_app("ec2")
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def sent() -> list[str]:
    """The actions that were sent."""
    return []


@pytest.fixture(params=["GET", "POST"])
def call(moto: str, sent: list[str], request: pytest.FixtureRequest) -> Callable[..., Record]:
    """Return a function that sends an action with these parameters."""
    client = Ec2Client(moto, "key", "secret", retries=0, method=request.param)

    def play(action: str, **params: Any) -> Record:
        sent.append(action)
        return client.call(action, params)

    return play


def test_every_action_that_the_service_lists_works_with_moto(call: Callable[..., Record], sent: list[str]) -> None:
    """A life with all actions, which moto has. It takes one action more for the image and one for the volume."""
    now = datetime.datetime.now(datetime.UTC)
    count = {"MinCount": 2, "MaxCount": 2}
    made = call("RunInstances", ImageId="ami-12345678", InstanceType="m1.small", Placement=ZONE, **count)
    one, two = (instance["instanceId"] for instance in made["instancesSet"])
    (reservation,) = call("DescribeInstances", Filter=[{"Name": "instance-id", "Value": [one]}])["reservationSet"]
    (instance,) = reservation["instancesSet"]
    assert instance["instanceState"] == {"code": 16, "name": "running"}
    assert instance["placement"]["availabilityZone"] == "us-east-1a"
    assert abs(instance["launchTime"] - now) < datetime.timedelta(minutes=5)
    assert (instance["ebsOptimized"], instance["productCodes"], instance["amiLaunchIndex"]) == (False, [], 0)
    stop_and_start(call, one, two)
    use_image(call, one)
    use_volume(call, one)
    gone = call("TerminateInstances", InstanceId=[one, two])["instancesSet"]
    assert [change["instanceId"] for change in gone] == [one, two]
    assert set(sent) - {"DescribeImageAttribute", "CreateVolume"} == set(ACTIONS)


def stop_and_start(call: Callable[..., Record], one: str, two: str) -> None:
    call("RebootInstances", InstanceId=[one, two])
    stopped = call("StopInstances", InstanceId=[one, two])["instancesSet"]
    assert [change["previousState"] for change in stopped] == [{"code": 16, "name": "running"}] * 2
    call("ModifyInstanceAttribute", InstanceId=one, InstanceType={"Value": "m1.large"})
    (started,) = call("StartInstances", InstanceId=[one])["instancesSet"]
    assert started["previousState"]["name"] == "stopped"
    (reservation,) = call("DescribeInstances", InstanceId=[one])["reservationSet"]
    assert reservation["instancesSet"][0]["instanceType"] == "m1.large"


def use_image(call: Callable[..., Record], one: str) -> None:
    image = call("CreateImage", InstanceId=one, Name="two words, ünd ~*", Description="d")["imageId"]
    call("ModifyImageAttribute", ImageId=image, LaunchPermission={"Add": [{"UserId": "123456789012"}]})
    told = call("DescribeImageAttribute", ImageId=image, Attribute="launchPermission")
    assert told["launchPermission"] == [{"userId": "123456789012"}]
    (shown,) = call("DescribeImages", ImageId=[image])["imagesSet"]
    assert (shown["name"], shown["isPublic"], shown["tagSet"]) == ("two words, ünd ~*", False, [])
    assert call("DeregisterImage", ImageId=image)["return"] is True


def use_volume(call: Callable[..., Record], one: str) -> None:
    volume = call("CreateVolume", Size=3, **ZONE)["volumeId"]
    call("AttachVolume", VolumeId=volume, InstanceId=one, Device="/dev/sdf")
    (shown,) = call("DescribeVolumes", VolumeId=[volume])["volumeSet"]
    assert (shown["size"], [at["device"] for at in shown["attachmentSet"]]) == (3, ["/dev/sdf"])
    snapshot = call("CreateSnapshot", VolumeId=volume, Description="true")["snapshotId"]
    (shown,) = call("DescribeSnapshots", SnapshotId=[snapshot])["snapshotSet"]
    assert (shown["volumeSize"], shown["description"], shown["progress"]) == (3, "true", "100%")
    call("DeleteSnapshot", SnapshotId=snapshot)
    assert call("DetachVolume", VolumeId=volume, InstanceId=one)["volumeId"] == volume
    call("DeleteVolume", VolumeId=volume)


def test_amazons_errors_are_read(call: Callable[..., Record]) -> None:
    with pytest.raises(Ec2Error) as caught:
        call("DescribeInstances", InstanceId=["i-00000000"])
    assert (caught.value.status, caught.value.code) == (400, "InvalidInstanceID.NotFound")
    assert caught.value.request_id
    with pytest.raises(Ec2Error, match="InvalidVolume.NotFound"):
        call("DeleteVolume", VolumeId="vol-00000000")

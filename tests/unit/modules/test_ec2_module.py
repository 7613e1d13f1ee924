# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_ec2: reading and changing actions, every option and refusal, and secrets."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from ansible_collections.cloudn.compute.plugins.module_utils import connection
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from ansible_collections.cloudn.compute.plugins.module_utils.api.ec2 import ACTIONS
from asked import sent_to
from samples import NEW, UNKNOWN
from specs import good

pytestmark = pytest.mark.generation("3", reason="CloudStack 4 has no EC2-compatible API")

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE = "cloudn_ec2"


# Reading and changing


@pytest.mark.parametrize("check", [False, True])
def test_actions_that_read_are_sent_in_check_mode_too(run_module: Run, emulator: Any, vm_id: str, check: bool) -> None:
    done = good(run_module(MODULE, action="DescribeInstances", _check=check))
    assert (done["changed"], done["actions"]) == (False, [])
    (reservation,) = done["result"]["reservationSet"]
    (instance,) = reservation["instancesSet"]
    assert instance["instanceId"] == vm_id
    assert instance["instanceState"] == {"code": 16, "name": "running"}
    assert instance["launchTime"].endswith("+00:00")
    assert instance["dnsName"] is None and instance["tagSet"] == []
    assert sent_to(emulator) == ["DescribeInstances"]
    assert "diff" not in done


def test_parameters_are_sent_in_ec2_s_form(run_module: Run, emulator: Any, vm_id: str) -> None:
    wanted = [{"Name": "attachment.instance-id", "Value": [vm_id]}]
    done = good(run_module(MODULE, action="DescribeVolumes", params={"Filter": wanted, "VolumeId": None}))
    (volume,) = done["result"]["volumeSet"]
    assert volume["attachmentSet"][0]["instanceId"] == vm_id
    assert volume["attachmentSet"][0]["deleteOnTermination"] is False
    sent = emulator.requests[0]["params"]
    assert {name: value for name, value in sent.items() if name.startswith(("Filter", "Vol"))} == {
        "Filter.1.Name": "attachment.instance-id",
        "Filter.1.Value.1": vm_id,
    }


def test_a_change_is_announced_in_check_mode_and_then_done(
    run_module: Run, emulator: Any, vm_id: str, client: Client
) -> None:
    options = {"action": "StopInstances", "params": {"InstanceId": [vm_id], "Force": True}}
    told = good(run_module(MODULE, _check=True, **options))
    assert (told["changed"], told["result"]) == (True, {})
    assert told["actions"] == [f"StopInstances InstanceId.1={vm_id} Force=true"]
    assert emulator.requests == []
    done = good(run_module(MODULE, **options))
    assert (done["changed"], done["actions"]) == (True, told["actions"])
    assert done["result"]["instancesSet"][0]["currentState"] == {"code": 80, "name": "stopped"}
    assert sent_to(emulator) == ["StopInstances"]
    assert client.list("listVirtualMachines")[0]["state"] == "Stopped"


def test_both_halves_show_the_same(run_module: Run) -> None:
    """A machine that one half makes is shown by the other half."""
    image = next(
        one["imageId"]
        for one in good(run_module(MODULE, action="DescribeImages"))["result"]["imagesSet"]
        if one["name"] == "CentOS 6.2 64bit"
    )
    params = {"ImageId": image, "InstanceType": "v1", "MinCount": 1, "MaxCount": 1}
    (made,) = good(run_module(MODULE, action="RunInstances", params=params))["result"]["instancesSet"]
    (machine,) = good(run_module("cloudn_vm_info"))["vms"]
    assert (machine["id"], machine["state"], machine["default_ip"]) == (
        made["instanceId"],
        "Running",
        made["privateIpAddress"],
    )
    run_module("cloudn_vm", name=machine["id"], state="absent")
    assert good(run_module(MODULE, action="DescribeInstances"))["result"]["reservationSet"] == []


def test_every_action_that_the_service_lists_is_taken(run_module: Run, emulator: Any) -> None:
    for action in ACTIONS:
        run_module(MODULE, action=action)
    assert sent_to(emulator) == list(ACTIONS)


def test_unlisted_actions_are_sent_where_that_is_asked_for(run_module: Run, emulator: Any, vm_id: str) -> None:
    for action, read in (("DescribeRegions", True), ("GetConsoleOutput", True), ("AllocateAddress", False)):
        done = run_module(MODULE, action=action, unlisted=True)
        assert done["failed"] and done["error_code"] == "Client.Unsupported"
        assert sent_to(emulator) == [action]
        emulator.clear()
        told = run_module(MODULE, action=action, unlisted=True, _check=True)
        assert bool(told.get("failed")) is read
        assert sent_to(emulator) == [action] * read
        emulator.clear()


@pytest.mark.parametrize("action", ["describeinstances", "DESCRIBEINSTANCES", "describeInstances"])
def test_reading_actions_are_known_in_any_letters(run_module: Run, emulator: Any, action: str) -> None:
    """The service accepts names in any letters. Check mode does too."""
    for check in (True, False):
        done = good(run_module(MODULE, action=action, unlisted=True, _check=check))
        assert (done["changed"], done["result"]["reservationSet"]) == (False, [])
    assert sent_to(emulator) == ["DescribeInstances"] * 2


@pytest.mark.parametrize("action", ["stopinstances", "STOPINSTANCES", "stopInstances"])
def test_changing_actions_are_known_in_any_letters(run_module: Run, emulator: Any, vm_id: str, action: str) -> None:
    options = {"action": action, "unlisted": True, "params": {"InstanceId": [vm_id]}}
    told = good(run_module(MODULE, _check=True, **options))
    assert (told["changed"], emulator.requests) == (True, [])
    emulator.faults([{"kind": "reset_after"}])
    done = run_module(MODULE, **options)
    assert "It is not known whether it was done: look by DescribeInstances before you run the task again" in done["msg"]
    assert sent_to(emulator) == ["StopInstances"]


# What the service refuses


def test_a_refusal_is_returned_with_its_code(run_module: Run) -> None:
    done = run_module(MODULE, action="StopInstances", params={"InstanceId": [UNKNOWN]})
    assert done["failed"] and done["command"] == "StopInstances"
    assert (done["http_status"], done["error_code"]) == (500, "Server.InternalError")
    assert UNKNOWN in done["error_text"] and done["error_text"] in done["msg"]
    assert len(done["request_id"]) == 36


def test_a_missing_parameter_is_the_services_error(run_module: Run) -> None:
    done = run_module(MODULE, action="RunInstances", params={"MinCount": 1})
    assert done["msg"] == "RunInstances: Missing ImageId parameter (HTTP 530)"
    assert (done["http_status"], done["error_text"]) == (530, "Missing ImageId parameter")
    assert "error_code" not in done


def test_wrong_credentials_and_versions_are_explained(run_module: Run) -> None:
    options = {"action": "DescribeInstances"}
    assert "check api_key and api_secret" in run_module(MODULE, **options, api_secret="wrong")["msg"]
    assert "does not know the api_key" in run_module(MODULE, **options, api_key="wrong")["msg"]
    failed = run_module(MODULE, **options, ec2_version="2012-08-15")
    assert "Unsupported Version value: 2012-08-15 expecting: 2010-11-15 (HTTP 531)" in failed["msg"]
    assert "check ec2_version" in failed["msg"]


def test_connection_options_count_for_this_api_too(run_module: Run, emulator: Any) -> None:
    good(run_module(MODULE, action="DescribeInstances", signature_expires=0, response_format="xml"))
    assert {"Timestamp"} == {"Timestamp", "Expires"} & emulator.requests[0]["params"].keys()
    for url, said in (
        ("ftp://x/", "ec2_url: 'ftp://x/' is no http or https address"),
        ("http://x/awsapi?a=b", "ec2_url: 'http://x/awsapi?***' is no address of an API"),
        (emulator.url, "HTTP 432, and the answer is not one of this API; is ec2_url right?"),
        (f"{emulator.url}/nothing", "HTTP 404, and the answer is not one of this API; is ec2_url right?"),
        ("http://[", "no http or https address"),
    ):
        assert said in run_module(MODULE, action="DescribeInstances", ec2_url=url)["msg"]


@pytest.mark.generation("4", reason="CloudStack 3 has this API")
def test_a_service_without_this_api_is_named(run_module: Run) -> None:
    failed = run_module(MODULE, action="DescribeInstances")
    assert "is ec2_url right? CloudStack 4 has no such API" in failed["msg"]


def test_the_address_must_be_known(run_module: Run, emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default address counts only beside the service's own native address: no other cloud's key goes there."""
    for nothing in (None, ""):
        failed = run_module(MODULE, action="DescribeInstances", ec2_url=nothing)
        assert failed["msg"] == "ec2_url: is missing; set the option, or the environment variable CLOUDN_EC2_URL"
    monkeypatch.setattr(connection, "DEFAULT_URL", emulator.url)
    monkeypatch.setattr(connection, "DEFAULT_EC2_URL", emulator.ec2_url)
    good(run_module(MODULE, action="DescribeInstances", ec2_url=None))
    assert sent_to(emulator) == ["DescribeInstances"]


# Answers that are lost


@pytest.mark.parametrize(
    ("action", "params", "advice"),
    [
        ("RunInstances", {"ImageId": "x"}, "look by DescribeInstances before you run the task again, which would do it once"),
        ("CreateImage", {"InstanceId": "x"}, "look by DescribeImages before"),
        ("CreateSnapshot", {"VolumeId": "x"}, "look by DescribeSnapshots before"),
        ("DetachVolume", {"VolumeId": "x"}, "look by DescribeVolumes before"),
        ("ModifyImageAttribute", {"ImageId": "x"}, "run the task again, which sets the same once more"),
        ("AllocateAddress", {}, "look before you run the task again"),
    ],
)  # fmt: skip
def test_a_lost_answer_is_reported(run_module: Run, emulator: Any, action: str, params: Result, advice: str) -> None:
    emulator.faults([{"kind": "reset_after"}])
    done = run_module(MODULE, action=action, params=params, unlisted=True, api_retries=5)
    assert done["msg"].startswith(
        f"{action}: the connection broke before the answer was complete. It is not known whether it was done: {advice}"
    )
    assert sent_to(emulator) == [action]


def test_a_lost_answer_of_a_read_is_asked_for_again(run_module: Run, emulator: Any) -> None:
    emulator.faults([{"kind": "reset_after", "nth": 1}])
    assert good(run_module(MODULE, action="DescribeInstances"))["result"]["reservationSet"] == []
    emulator.faults([{"kind": "reset_after"}])
    done = run_module(MODULE, action="DescribeInstances", api_retries=0)
    assert done["msg"].endswith("That command only reads; run the task again when the service answers well")


def test_a_wait_that_is_too_short_leaves_the_outcome_open(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(job_seconds=3) as (run, emulator):
        image = emulator.vars["template"]
        params = {"ImageId": image, "InstanceType": "v1", "MinCount": 1, "MaxCount": 1}
        done = run(MODULE, action="RunInstances", params=params, api_timeout=0.2, wait_timeout=1)
        assert done["msg"].startswith(
            "RunInstances: no complete answer within 1 s (wait_timeout). It is not known whether it was done"
        )
        assert len(emulator.store.vms) == 1


# What fails at the service, and how much of it was done


@pytest.mark.parametrize(
    ("action", "params"),
    [
        ("RunInstances", {"ImageId": UNKNOWN, "InstanceType": "v1", "MinCount": 1, "MaxCount": 1}),
        ("RunInstances", {"ImageId": "{template}", "InstanceType": "v99", "MinCount": 1, "MaxCount": 1}),
        ("StopInstances", {"InstanceId": [UNKNOWN]}),
        ("TerminateInstances", {"InstanceId": [UNKNOWN]}),
        ("CreateImage", {"InstanceId": UNKNOWN, "Name": "web"}),
        ("CreateSnapshot", {"VolumeId": UNKNOWN}),
        ("DeleteVolume", {"VolumeId": UNKNOWN}),
        ("AttachVolume", {"VolumeId": UNKNOWN, "InstanceId": UNKNOWN, "Device": "/dev/sdf"}),
        ("DetachVolume", {"VolumeId": UNKNOWN}),
        ("AttachVolume", {"VolumeId": "{root}", "InstanceId": "{vm}", "Device": "/dev/sdf"}),  # a job, refused with 431
    ],
)
def test_a_refused_action_was_not_done(
    run_module: Run, emulator: Any, client: Client, action: str, params: Result
) -> None:
    made = run_module("cloudn_vm", name="web1", **NEW)["vm"]["id"]
    known = {
        "{template}": emulator.vars["template"],
        "{vm}": made,
        "{root}": client.list("listVolumes", {"virtualmachineid": made})[0]["id"],
    }
    done = run_module(MODULE, action=action, params={name: known.get(str(one), one) for name, one in params.items()})
    assert done["error_code"] == "Server.InternalError"
    assert done["msg"].endswith(". It was not done; correct the cause, and run the task again")
    assert client.list("listVirtualMachines")[0]["state"] == "Running"


def test_the_error_of_a_failed_job_says_what_to_do(run_module: Run, emulator: Any, vm_id: str) -> None:
    run_module("cloudn_vm", name="web1", state="stopped")
    done = run_module(MODULE, action="RebootInstances", params={"InstanceId": [vm_id]})
    assert "530 " in done["error_text"]
    assert done["msg"].endswith(
        ". It failed; correct the cause, and look by DescribeInstances before you run the task again"
    )


def test_an_error_about_several_objects_says_that_a_part_may_be_done(run_module: Run, vm_id: str) -> None:
    done = run_module(MODULE, action="StopInstances", params={"InstanceId": [vm_id, UNKNOWN]})
    assert done["msg"].endswith(
        ". It is not known whether a part of it was done: look by DescribeInstances before you run the task again"
    )


@pytest.mark.parametrize(
    ("action", "params", "look"),
    [
        ("StartInstances", {"InstanceId": ["{vm}"]}, "look by DescribeInstances"),
        ("RunInstances", {"ImageId": "{template}", "InstanceType": "v1", "MinCount": 1, "MaxCount": 1}, "look by DescribeInstances"),
        ("CreateImage", {"InstanceId": "{vm}", "Name": "web"}, "look by DescribeImages"),
        ("CreateSnapshot", {"VolumeId": "{root}"}, "look by DescribeSnapshots"),
        ("DetachVolume", {"VolumeId": "{root}"}, "look by DescribeVolumes"),
    ],
)  # fmt: skip
def test_an_action_whose_job_the_service_waits_for_no_longer_has_not_failed(
    run_module_as: Callable[..., Any], action: str, params: Result, look: str
) -> None:
    """The job may still end well, so the action has not failed."""
    with run_module_as(ec2_give_up_seconds=0.2) as (run, emulator):
        vm_id = run("cloudn_vm", name="web1", **NEW)["vm"]["id"]
        run("cloudn_volume", name="data", disk_offering="Small", zone="jp-e1a", vm="web1", state="attached")
        run("cloudn_vm", name="web1", state="stopped")
        disks = {one.kind: one.id for one in emulator.store.volumes.values()}
        known = {"{vm}": vm_id, "{template}": emulator.vars["template"], "{root}": disks["ROOT"]}
        if action == "DetachVolume":
            known["{root}"] = disks["DATADISK"]
        emulator.faults([{"kind": "job_hangs", "seconds": 0.6}])
        filled = {
            name: [known[one[0]]] if isinstance(one, list) else known.get(str(one), one) for name, one in params.items()
        }
        done = run(MODULE, action=action, params=filled)
        assert re.match(
            rf"{action}: the service stopped waiting for the job after \d s. The job may still run", done["msg"]
        )
        assert f"It is not known whether it was done: {look} before you run the task again" in done["msg"]
        assert (done["error_code"], done["failed"]) == ("Server.InternalError", True)


LEFT_STOPPED = (
    ". The instance is stopped now: the service stops a running one for its image, and starts it again only where that is "
    "made. If it ran before, start it by StartInstances. It is not known whether a part of it was done: look by DescribeImages "
    "before you run the task again"
)


def test_an_image_that_fails_leaves_the_instance_stopped(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(limits={"template": 0}) as (run, emulator):
        vm_id = run("cloudn_vm", name="web1", **NEW)["vm"]["id"]
        emulator.clear()
        done = run(MODULE, action="CreateImage", params={"InstanceId": vm_id, "Name": "web"})
        assert done["msg"].endswith(LEFT_STOPPED)
        assert sent_to(emulator) == ["CreateImage", "DescribeInstances"]
        assert emulator.store.vms[vm_id].state == "Stopped"
        good(run(MODULE, action="StartInstances", params={"InstanceId": [vm_id]}))
        emulator.faults([{"kind": "status", "command": "DescribeInstances"}])
        done = run(MODULE, action="CreateImage", params={"InstanceId": vm_id, "Name": "web"}, api_retries=0)
        assert "The instance is" not in done["msg"] and "look by DescribeImages before" in done["msg"]


@pytest.mark.parametrize("state", ["started", "stopped"])
def test_an_image_whose_job_the_service_waits_for_no_longer_has_not_failed(
    run_module_as: Callable[..., Any], state: str
) -> None:
    with run_module_as(ec2_give_up_seconds=0.2) as (run, emulator):
        vm_id = run("cloudn_vm", name="web1", **NEW)["vm"]["id"]
        run("cloudn_vm", name="web1", state=state)
        emulator.faults([{"kind": "job_hangs", "command": "CreateImage"}])
        done = run(MODULE, action="CreateImage", params={"InstanceId": vm_id, "Name": "web"})
        assert ("The service may still stop the instance for its image" in done["msg"]) is (state == "started")
        assert ("If it ran before, start it by StartInstances" in done["msg"]) is (state == "stopped")
        assert "It is not known whether it was done: look by DescribeImages before" in done["msg"]


def test_an_image_without_a_name_costs_no_further_request(run_module: Run, emulator: Any, vm_id: str) -> None:
    assert run_module(MODULE, action="CreateImage", params={"InstanceId": vm_id})["http_status"] == 530
    assert sent_to(emulator) == ["CreateImage"]


# What is refused before anything is sent


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "missing required arguments: action"),
        ({"action": "DescribeInstances", "wait_timeout": -1}, "wait_timeout: must be at least 0, not -1"),
        *(
            ({"action": action, "unlisted": True}, f"action: {action!r} is no name of an action, such as DescribeInstances")
            for action in ("Describe Instances", "Describe&x=y", "DescribeInstances\n", "ゾーン")
        ),
        (
            {"action": "describeInstances"},
            "action: describeInstances is not an action that the service lists; do you mean DescribeInstances? unlisted: true sends any other",
        ),
        ({"action": "AllocateAddress"}, "action: AllocateAddress is not an action that the service lists, which are DescribeInst"),
    ],
)  # fmt: skip
def test_text_that_is_no_action_is_refused(refused: Run, emulator: Any, options: Result, said: str) -> None:
    assert refused(MODULE, **options).startswith(said)
    assert emulator.requests == []


# Values of secret_params are masked wherever they occur, so these are none of the letters of a message.
@pytest.mark.parametrize("option", ["params", "secret_params"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        *(
            ({name: "QQQQ"}, f"{name} can't be given, the module sets it itself")
            for name in ("AWSAccessKeyId", "Action", "Version", "Signature", "SignatureVersion", "SignatureMethod")
        ),
        ({"Timestamp": "QQQQ"}, "Timestamp can't be given"),
        ({"expires": "QQQQ"}, "expires can't be given"),
        ({"a b": "QQQQ"}, "'a b' is no name of a parameter"),
        ({"": "QQQQ"}, "'' is no name of a parameter"),
        ({"Filter": {"a&b": "QQQQ"}}, "'Filter.a&b' is no name of a parameter"),
        ({"InstanceId": []}, "InstanceId: is empty; the service takes this for a parameter that is left out. Leave it out"),
        ({"Filter": [{"Name": "QQQQ", "Value": {}}]}, "Filter.1.Value: is empty"),
        ({"InstanceId": ["QQQQ", None]}, "InstanceId: an item of the list has no value"),
        ({"InstanceId": ["QQQQ"], "InstanceId.1": "QQQQ"}, "InstanceId.1 is given twice"),
        ({"Name": "QQQQ\U0001f600"}, "Name: holds a character beyond the basic plane"),
    ],
)  # fmt: skip
def test_bad_parameters_are_refused_before_a_request(
    refused: Run, emulator: Any, option: str, given: Result, said: str
) -> None:
    for action in ("DescribeInstances", "TerminateInstances"):
        assert refused(MODULE, action=action, **{option: given}).startswith(f"{option}: {said}")
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"UserData": "wS4nifujs"}, "UserData"),
        ({"userdata": "wS4nifujs"}, "userdata"),
        ({"LaunchSpecification": {"UserData": "wS4nifujs"}}, "LaunchSpecification.UserData"),
        ({"Password": "wS4nifujs"}, "Password"),
    ],
)
def test_secrets_belong_elsewhere(refused: Run, emulator: Any, params: Result, name: str) -> None:
    message = refused(MODULE, action="RunInstances", params=params)
    assert message == f"params: {name} is secret: put it into secret_params, whose values are not shown"
    assert emulator.requests == []


def test_a_name_in_both_kinds_of_parameters_is_refused(refused: Run) -> None:
    message = refused(MODULE, action="CreateImage", params={"A": {"B": "a"}}, secret_params={"A.B": "QQQQ"})
    assert message == "params, secret_params: A.B is in both"


# Secrets


@pytest.mark.parametrize("check", [False, True])
def test_secrets_are_nowhere(run_module: Run, emulator: Any, capfd: Any, check: bool) -> None:
    text = base64.b64encode(b"#cloud-config\npassword: wS4nifujs").decode()
    params = {"ImageId": emulator.vars["template"], "InstanceType": "v1", "MinCount": 1, "MaxCount": 1}
    options = {"action": "RunInstances", "params": params, "secret_params": {"UserData": text}}
    done = good(run_module(MODULE, _check=check, _diff=True, **options))
    (told,) = done["actions"]
    assert told.endswith(" UserData=***")
    assert text not in json.dumps(done) + json.dumps(emulator.requests) + "".join(capfd.readouterr())
    assert [request["params"]["UserData"] for request in emulator.requests] == (
        [] if check else [f"({len(text)} characters)"]
    )


def test_secrets_are_not_in_failures(run_module: Run, emulator: Any) -> None:
    secret = "wS4nifujs-mine"
    params = {"ImageId": emulator.vars["template"], "MaxCount": 1, "InstanceType": "v1"}
    done = run_module(MODULE, action="RunInstances", params=params, secret_params={"MinCount": secret})
    assert done["failed"] and "NumberFormatException" in done["msg"]
    assert secret not in json.dumps(done)


def test_secrets_are_not_on_the_screen(playbook: Callable[..., Any], emulator: Any) -> None:
    secret = "d1M0bmlmdWpz"
    task = {
        "name": "A machine",
        "cloudn.compute.cloudn_ec2": {
            "action": "RunInstances",
            "params": {"ImageId": emulator.vars["template"], "InstanceType": "v1", "MinCount": 1, "MaxCount": 1},
            "secret_params": {"UserData": secret},
        },
    }
    done = playbook(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]), "-vvv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "UserData=***" in done.stdout
    assert secret not in done.stdout + done.stderr
    assert emulator.api_key not in done.stdout + done.stderr

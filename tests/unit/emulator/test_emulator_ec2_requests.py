# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every EC2 request has in common: signatures, forms, errors, faults, the record of requests, waiting for jobs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
import requests
from cloudn_emulator.ec2.access import is_past, sign, string_to_sign
from cloudn_emulator.exchange import Asked

Emulate = Callable[..., Any]


# --- signatures


def test_the_signature_of_amazons_example_is_right() -> None:
    """Signature version 2 as Amazon documented it, with its example's key and result."""
    params = {
        "AWSAccessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "Action": "DescribeJobFlows",
        "SignatureMethod": "HmacSHA256",
        "SignatureVersion": "2",
        "Timestamp": "2011-10-03T15:19:30",
        "Version": "2009-03-31",
    }
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in reversed(params.items()))
    asked = Asked("GET", "elasticmapreduce.amazonaws.com", "/", query, params)
    assert string_to_sign(asked).splitlines()[:3] == ["GET", "elasticmapreduce.amazonaws.com", "/"]
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    assert sign(asked, secret) == "i91nKc4PWAt0JJIdXwz9HxZCJDdiy6cf/Mj6vPxyYIs="


@pytest.mark.parametrize(
    ("text", "past"),
    [
        ("2026-11-24T11:59:59Z", True),
        ("2026-11-24T12:00:00Z", True),
        ("2026-11-24T12:00:01Z", False),
        ("2026-11-24T11:00:00", True),
        ("2026-11-24T12:00:01.000Z", False),
        ("2026-11-24T20:59:00+0900", True),
        ("2026-11-24T21:01:00+0900", False),
        ("2026-13-24T11:00:00Z", False),
        ("yesterday", False),
    ],
)
def test_a_signature_expires_when_its_time_is_over(text: str, past: bool) -> None:
    assert is_past(text, datetime(2026, 11, 24, 12, tzinfo=UTC)) is past


def test_nothing_can_be_added_or_taken_away(ec2: Any) -> None:
    text = ec2.query("DescribeInstances", {"InstanceId.1": "x"})
    for changed in (text + "&Filter.1.Name=x", text.replace("InstanceId.1=x&", ""), text.replace("=x", "=y")):
        answer = requests.get(f"{ec2.emulator.ec2_url}?{changed}", timeout=10)
        assert (answer.status_code, answer.text) == (403, "Access denied")


@pytest.mark.parametrize("name", ["Version", "SignatureVersion", "SignatureMethod"])
def test_each_parameter_of_the_signature_is_required(ec2: Any, name: str) -> None:
    text = "&".join(part for part in ec2.query("DescribeInstances", {}).split("&") if not part.startswith(name + "="))
    answer = requests.get(f"{ec2.emulator.ec2_url}?{text}", timeout=10)
    assert (answer.status_code, f"Missing {name} parameter" in answer.text) == (530, True)


def test_a_request_without_an_action_is_an_error(ec2: Any) -> None:
    answer = requests.get(ec2.emulator.ec2_url, timeout=10)
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/html;charset=utf-8")


@pytest.mark.parametrize(
    ("value", "status"), [("v1", 200), ("a/b:c*", 403), ("~", 403), ("two words", 403), ("two+words", 500)]
)
def test_only_some_characters_pass_in_a_form(ec2: Any, value: str, status: int) -> None:
    """The bridge writes a form again in Java's encoding and then checks it. So it denies other encodings."""
    wanted = {"ImageId": ec2.vars["template"], "InstanceType": value, "MinCount": 1, "MaxCount": 1}
    assert ec2.post("RunInstances", wanted).status_code == status
    assert ec2.raw("RunInstances", wanted).status_code == (200 if value == "v1" else 500)


@pytest.mark.parametrize(("kind", "status"), [("", 403), ("; charset=UTF-8", 500)])
def test_a_form_beyond_ascii_must_say_utf_8(ec2: Any, kind: str, status: int) -> None:
    assert ec2.post("DeleteVolume", {"VolumeId": "日本"}, kind).status_code == status


def test_a_plus_in_an_address_is_no_space(ec2: Any) -> None:
    text = ec2.query("DeleteVolume", {"VolumeId": "a b"})
    assert requests.get(f"{ec2.emulator.ec2_url}?{text}", timeout=10).status_code == 500
    text = text.replace("a%20b", "a+b")
    assert requests.get(f"{ec2.emulator.ec2_url}?{text}", timeout=10).status_code == 403


# --- actions and errors


@pytest.mark.parametrize("name", ["describeinstances", "DESCRIBEINSTANCES"])
def test_actions_are_named_in_any_case(ec2: Any, name: str) -> None:
    assert ec2.raw(name).text.startswith("<DescribeInstancesResponse>")
    assert ec2.emulator.requests[-1]["command"] == "DescribeInstances"


def test_a_message_is_not_escaped(ec2: Any) -> None:
    wanted = {"ImageId": ec2.vars["template"], "InstanceType": "<&>", "MinCount": 1, "MaxCount": 1}
    answer = ec2.raw("RunInstances", wanted)
    assert "<Message>instanceType: [<&>] not found!</Message>" in answer.text
    with pytest.raises(ElementTree.ParseError):
        ElementTree.fromstring(answer.text)


def test_a_page_is_escaped(ec2: Any) -> None:
    text = ec2.query("DescribeInstances", {}, Expires="2026-01-01T00:00:00Z<", Version="<b>")
    assert (
        "Unsupported Version value: &lt;b&gt; expecting"
        in requests.get(f"{ec2.emulator.ec2_url}?{text}", timeout=10).text
    )


def test_values_are_escaped(api: Any, ec2: Any) -> None:
    vm = api.running("one", displayname="<&>")["id"]
    api.job("createTags", resourceids=vm, resourcetype="UserVm", tags__key="a<b", tags__value="&amp; ä")
    (tag,) = ec2("DescribeInstances", {"InstanceId.1": vm}).iter("tagSet")
    assert [child.text for child in tag[0]] == ["a<b", "&amp; ä"]


def test_commands_that_the_account_lacks_natively_work_as_actions(emulate: Emulate, ec2_of: Any) -> None:
    ec2 = ec2_of(emulate(job_seconds=0.02, denied=["deployVirtualMachine", "listVirtualMachines"]))
    (id,) = ec2.run()
    assert ec2("DescribeInstances").findtext(".//instanceId") == id


# --- paths and methods


@pytest.mark.parametrize(
    "path", ["/awsapi", "/awsapi/", "/awsapi/rest/AmazonEC2", "/awsapi/rest/AmazonEC2/", "/awsapi/x/y"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_every_path_below_the_first_is_served(ec2: Any, path: str, method: str) -> None:
    text = ec2.query("DescribeInstances", {}, method, path)
    base = ec2.emulator.ec2_url.removesuffix("/awsapi")
    answer = requests.request(method, f"{base}{path}?{text}", timeout=10)
    assert answer.text.startswith("<DescribeInstancesResponse>")
    elsewhere = requests.request(method, f"{base}/awsapi/other?{text}", timeout=10)
    assert (elsewhere.status_code, elsewhere.text) == (403, "Access denied")  # the path is signed
    assert requests.request(method, f"{base}/awsapis?{text}", timeout=10).status_code == 404


def test_head_is_a_method_of_its_own(ec2: Any) -> None:
    for method, status in (("HEAD", 200), ("GET", 403)):
        text = ec2.query("DescribeInstances", {}, method)
        answer = requests.head(f"{ec2.emulator.ec2_url}?{text}", timeout=10)
        assert (answer.status_code, answer.content) == (status, b"")


@pytest.mark.parametrize(
    ("method", "status", "said"),
    [
        ("PUT", 405, "HTTP method PUT is not supported by this URL"),
        ("DELETE", 405, "HTTP method DELETE is not supported by this URL"),
        ("PATCH", 501, "Method [PATCH] is not implemented by this Servlet for this URI"),
        ("OPTIONS", 200, ""),
    ],
)
def test_other_methods_do_nothing(ec2: Any, method: str, status: int, said: str) -> None:
    (id,) = ec2.run()
    text = ec2.query("TerminateInstances", {"InstanceId.1": id}, method)
    answer = requests.request(method, f"{ec2.emulator.ec2_url}?{text}", timeout=10)
    assert (answer.status_code, said in answer.text) == (status, True)
    assert ec2.emulator.store.vms[id].state == "Running"


# --- jobs


def test_an_answer_comes_with_the_end_of_its_jobs(emulate: Emulate, ec2_of: Any) -> None:
    ec2 = ec2_of(emulate(job_seconds=0.15))
    began = time.monotonic()
    first, second = ec2.run(2)
    assert time.monotonic() - began >= 0.3  # one after the other
    assert {vm.state for vm in ec2.emulator.store.vms.values()} == {"Running"}
    ec2("StopInstances", {"InstanceId.1": first, "InstanceId.2": second})
    assert {vm.state for vm in ec2.emulator.store.vms.values()} == {"Stopped"}


def test_a_job_goes_on_when_the_client_waits_no_longer(emulate: Emulate, ec2_of: Any) -> None:
    ec2 = ec2_of(emulate(job_seconds=0.3))
    wanted = {"ImageId": ec2.vars["template"], "InstanceType": "v1", "MinCount": 1, "MaxCount": 1}
    with pytest.raises(requests.ReadTimeout):
        ec2.raw("RunInstances", wanted, timeout=0.1)
    assert ec2("DescribeInstances").findtext(".//instanceState/name") in ("stopped", "pending")
    time.sleep(0.5)
    assert ec2("DescribeInstances").findtext(".//instanceState/name") == "running"


def test_jobs_are_given_up_but_go_on(emulate: Emulate, ec2_of: Any) -> None:
    ec2 = ec2_of(emulate(job_seconds=0.4, ec2_give_up_seconds=0.1))
    wanted = {"ImageId": ec2.vars["template"], "InstanceType": "v1", "MinCount": 2, "MaxCount": 2}
    assert ec2.message("RunInstances", wanted) == "Operation failed - async-job query timed out"
    time.sleep(0.5)
    assert [vm.state for vm in ec2.emulator.store.vms.values()] == ["Running"]
    (id,) = ec2.emulator.store.vms
    said = ec2.message("StopInstances", {"InstanceId.1": id})
    assert said == "Operation failed - async-job query timed out, might already be destroyed"


# --- faults, latency, the record


@pytest.fixture
def faulty(emulate: Emulate, ec2_of: Any) -> Callable[..., Any]:
    """Start an emulator with one rule in force; gives a client of its EC2 half."""
    return lambda **rule: ec2_of(emulate(job_seconds=0.02, faults=[rule], vms=1))


@pytest.mark.parametrize("kind", ["refuse", "close", "reset_before", "reset_after", "cut"])
def test_faults_break_connections(faulty: Callable[..., Any], kind: str) -> None:
    settings = {"seconds": 0} if kind == "refuse" else {}
    ec2 = faulty(kind=kind, command="TerminateInstances", **settings)
    (vm,) = ec2.emulator.store.vms.values()
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        ec2.raw("terminateinstances", {"InstanceId.1": vm.id})
    assert (vm.state == "Destroyed") is (kind in ("reset_after", "cut"))
    assert ec2.emulator.requests[-1]["fault"] == kind
    assert ec2.raw("DescribeInstances").status_code == 200


@pytest.mark.parametrize(
    ("rule", "status", "content", "done"),
    [
        ({"kind": "status"}, 503, "<html>", False),
        ({"kind": "too_many", "retry_after": 2}, 429, "Too Many", False),
        ({"kind": "unauthorized"}, 403, "Access denied", False),
        ({"kind": "status_after", "status": 504}, 504, "<html>", True),
        ({"kind": "late", "seconds": 0.1}, 200, "<Term", True),
        ({"kind": "other_format"}, 200, '{"TerminateInstancesResponse"', True),
        ({"kind": "content_type"}, 200, "<Term", True),
        ({"kind": "job_fails"}, 500, "<?xml", False),
    ],
)
def test_faults_give_wrong_answers(
    faulty: Callable[..., Any], rule: dict[str, Any], status: int, content: str, done: bool
) -> None:
    ec2 = faulty(command="Term*", **rule)
    (vm,) = ec2.emulator.store.vms.values()
    answer = ec2.raw("TerminateInstances", {"InstanceId.1": vm.id})
    assert (answer.status_code, vm.state == "Destroyed") == (status, done)
    assert answer.text.startswith(content)
    if rule["kind"] == "content_type":
        assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_fault_can_make_an_answer_no_xml(faulty: Callable[..., Any]) -> None:
    ec2 = faulty(kind="garbage", command="Describe*")
    with pytest.raises(ElementTree.ParseError):
        ec2("DescribeInstances")


@pytest.mark.parametrize("told", [True, False])
def test_a_failed_job_is_an_error_with_or_without_its_text(faulty: Callable[..., Any], told: bool) -> None:
    ec2 = faulty(kind="job_fails", text=told, result=told)
    (vm,) = ec2.emulator.store.vms.values()
    said = ec2.message("RebootInstances", {"InstanceId.1": vm.id})
    assert said.startswith("530 Internal error") if told else said == "An unexpected error occurred."


def test_a_job_that_hangs_holds_the_answer(faulty: Callable[..., Any]) -> None:
    ec2 = faulty(kind="job_hangs", command="RebootInstances")
    (vm,) = ec2.emulator.store.vms.values()
    with pytest.raises(requests.ReadTimeout):
        ec2.raw("RebootInstances", {"InstanceId.1": vm.id}, timeout=0.2)
    assert ec2.raw("DescribeInstances").status_code == 200
    began = time.monotonic()
    ec2.emulator.stop()
    assert time.monotonic() - began < 5


def test_a_lost_job_is_an_error(faulty: Callable[..., Any]) -> None:
    ec2 = faulty(kind="job_lost", command="RebootInstances")
    (vm,) = ec2.emulator.store.vms.values()
    assert "async_job" in ec2.message("RebootInstances", {"InstanceId.1": vm.id})


def test_faults_make_listings_change_or_lag(faulty: Callable[..., Any]) -> None:
    ec2 = faulty(kind="page", command="DescribeInstances", change="appear", nth=1)
    seen = [len(ec2.texts(ec2("DescribeInstances"), "instanceId")) for _again in range(2)]
    assert seen == [1, 2]
    ec2.emulator.faults([{"kind": "lag", "seconds": 5, "times": 1}])
    assert [len(ec2.texts(ec2("DescribeInstances"), "instanceId")) for _again in range(2)] == [1, 2]


def test_latency_holds_requests_back(emulate: Emulate, ec2_of: Any) -> None:
    answer = ec2_of(emulate(latency_ms=80)).raw("DescribeInstances")
    assert answer.elapsed.total_seconds() >= 0.08


def test_the_record_has_no_secrets(ec2: Any) -> None:
    ec2.run(UserData="c2VjcmV0", KeyName=None)
    ec2.raw("NoSuchAction", {"x": "y"})
    made, unknown = ec2.emulator.requests
    assert (made["command"], made["status"]) == ("RunInstances", 200)
    assert made["params"].keys() >= {"ImageId", "InstanceType", "UserData", "Version"}
    assert made["params"]["UserData"] == "(8 characters)"
    assert (unknown["command"], unknown["status"], unknown["params"]["x"]) == ("NoSuchAction", 400, "y")
    for secret in (ec2.emulator.api_key, "c2VjcmV0", "Signature'"):
        assert secret not in repr(ec2.emulator.requests)

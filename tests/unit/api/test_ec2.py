# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client of the EC2-compatible API: how it signs, what it sends and repeats, how it reads answers and errors."""

from __future__ import annotations

import datetime
import itertools
import json
import pathlib
import socket
import time
import urllib.parse
import xml.etree.ElementTree
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import (
    BadAnswer,
    CloudnError,
    Deadline,
    Ec2Error,
    GivenUp,
    NotSent,
    UnknownOutcome,
    UsageError,
    is_read,
    signature,
)
from ansible_collections.cloudn.compute.plugins.module_utils.api.ec2 import ACTIONS, Ec2Client, flatten
from ansible_collections.cloudn.compute.plugins.module_utils.api.ec2_decode import decode
from botocore.auth import SigV2Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cloudn_emulator import Emulator

UTC = datetime.UTC
XML = {"Content-Type": "text/xml;charset=UTF-8"}
EMPTY = (200, XML, b"<ROOT><requestId>r</requestId><reservationSet/></ROOT>")
PROXY = (502, {"Content-Type": "text/html"}, b"<html>Bad Gateway</html>")
RECORDED = pathlib.Path(__file__).parents[2] / "conformance" / "recordings" / "ec2-answers.jsonl"
KEY, SECRET = "the-api-key", "the-secret-key"


@pytest.fixture
def connect(script: Any, clock: Any) -> Callable[..., Ec2Client]:
    """Return a function that makes a client of the scripted server."""
    return lambda **options: Ec2Client(script.url, KEY, SECRET, **{"sleep": clock.sleep, **options})


@pytest.fixture
def client(connect: Callable[..., Ec2Client]) -> Ec2Client:
    return connect()


def error_page(status: int, text: str, old: bool) -> bytes:
    """Return a page of Tomcat 6 or 9 about an error."""
    if old:
        said = (
            f"<h1>HTTP Status {status} - {text}</h1><p><b>type</b> Status report</p><p><b>message</b> <u>{text}</u></p>"
        )
    else:
        said = f"<h1>HTTP Status {status} – Unknown</h1><p><b>Type</b> Status Report</p><p><b>Message</b> {text}</p>"
    return f'<!doctype html><html lang="en"><head><title>HTTP Status</title></head><body>{said}</body></html>'.encode()


DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
OTHER_REFUSAL = (
    b'<ErrorResponse xmlns="http://e/"><Error><Type>Sender</Type><Code>InvalidAction</Code><Message>no</Message></Error>'
    b"<RequestId>r1</RequestId></ErrorResponse>"
)


def refusal(code: str, message: str, between: str = "") -> bytes:
    """Return a refusal in XML, with something between its elements."""
    parts = f"<Response>|<Errors>|<Error><Code>{code}</Code>|<Message>{message}</Message></Error></Errors>|"
    return f"{parts}<RequestID>r1</RequestID></Response>".replace("|", between).encode()


# Signatures


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/awsapi", "https://example.com/awsapi/", "http://Example.COM:80"]
)
@pytest.mark.parametrize("value", ["two words", "a/b+c=d&e", "~-_.*!'()", "日本語", ""])
def test_requests_are_signed_as_amazons_own_library_does(url: str, value: str) -> None:
    """botocore gives the same signature to the same request. It adds its own Timestamp."""
    request = AWSRequest("POST", url, data={"Action": "CreateImage", "Name": value, "Version": "2010-11-15"})
    # It takes the host as it stands in the address, which is not always what is sent.
    same = urllib.parse.urlsplit(url)._replace(netloc=urllib.parse.urlsplit(url).netloc.lower().removesuffix(":80"))
    request.url = urllib.parse.urlunsplit(same)
    SigV2Auth(Credentials(KEY, SECRET)).add_auth(request)
    wanted = request.data.pop("Signature")
    assert signature.ec2_sign("POST", url, request.data, SECRET) == wanted


def test_the_signature_of_amazons_own_example_is_right() -> None:
    """The example is of Amazon's description of signature version 2."""
    params = {
        "Action": "DescribeJobFlows",
        "Version": "2009-03-31",
        "AWSAccessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "SignatureVersion": "2",
        "SignatureMethod": "HmacSHA256",
        "Timestamp": "2011-10-03T15:19:30",
    }
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    made = signature.ec2_sign("GET", "https://elasticmapreduce.amazonaws.com/", params, secret)
    assert made == "i91nKc4PWAt0JJIdXwz9HxZCJDdiy6cf/Mj6vPxyYIs="


def test_the_host_is_signed_as_it_is_sent() -> None:
    hosts = {"https://x:443/": "x", "https://x:80/": "x:80", "http://[::1]:8080/": "[::1]:8080", "http://X": "x"}
    for url, host in hosts.items():
        assert signature.ec2_string_to_sign("GET", url, {}).splitlines()[1] == host


@pytest.mark.parametrize("method", ["GET", "POST", None])
@pytest.mark.parametrize("expires", [600, 0])
@pytest.mark.parametrize("algorithm", ["HmacSHA256", "HmacSHA1"])
def test_signatures_are_accepted_by_the_emulator(method: str | None, expires: int, algorithm: str) -> None:
    with Emulator() as emulator:
        client = Ec2Client(
            emulator.ec2_url,
            emulator.api_key,
            emulator.api_secret,
            method=method,
            signature_expires=expires,
            signature_method=algorithm,
        )
        assert client.call("DescribeInstances")["reservationSet"] == []
        params = emulator.requests[0]["params"]
        assert params["SignatureMethod"] == algorithm
        assert ("Expires" in params, "Timestamp" in params) == (bool(expires), not expires)


def test_an_unknown_signature_method_is_refused() -> None:
    with pytest.raises(UsageError, match="signature_method: 'HmacMD5' is none of HmacSHA256, HmacSHA1"):
        Ec2Client("http://x/", KEY, SECRET, signature_method="HmacMD5")


# What is sent


def test_a_call_is_signed_and_sent(script: Any, connect: Callable[..., Ec2Client]) -> None:
    script.answers = [EMPTY]
    answer = connect(now=lambda: 0.0).call("DescribeInstances", {"InstanceId": ["a b"], "Filter": None})
    assert answer == {"requestId": "r", "reservationSet": []}
    sent = script.requests[0]
    assert sent.pop("Signature") == signature.ec2_sign("GET", script.url, sent, SECRET)
    assert sent == {
        "Action": "DescribeInstances",
        "InstanceId.1": "a b",
        "AWSAccessKeyId": KEY,
        "Version": "2010-11-15",
        "SignatureVersion": "2",
        "SignatureMethod": "HmacSHA256",
        "Expires": "1970-01-01T00:10:00Z",
    }
    assert script.methods == ["GET"]


def test_a_long_request_is_a_form(script: Any, client: Ec2Client) -> None:
    script.answers = [EMPTY]
    ids = [f"{number:040}" for number in range(100)]
    client.call("StopInstances", {"InstanceId": ids})
    assert script.methods == ["POST"]
    assert script.bodies[0].startswith(b"Action=StopInstances&AWSAccessKeyId=")
    assert script.requests[0]["InstanceId.100"] == ids[99]


@pytest.mark.parametrize("mark", [" ", "*", "~"])
def test_values_that_the_bridge_takes_in_no_form_are_sent_in_the_address(mark: str) -> None:
    """The bridge refuses the signature of a form that holds such a character."""
    with Emulator(job_seconds=0.01, vms=1) as emulator:
        client = Ec2Client(emulator.ec2_url, emulator.api_key, emulator.api_secret)
        (vm,) = emulator.store.vms.values()
        text = f"a{mark}b" + "x" * 4000
        made = client.call("CreateImage", {"InstanceId": vm.id, "Name": "web", "Description": text})
        assert emulator.store.templates[made["imageId"]].text == text
        client.method = "POST"
        with pytest.raises(Ec2Error, match="Access denied"):
            client.call("DescribeImages", {"ImageId": [mark]})


@pytest.mark.parametrize(
    ("params", "flat"),
    [
        ({"InstanceId": ["a", "b"]}, {"InstanceId.1": "a", "InstanceId.2": "b"}),
        ({"InstanceId.1": "a"}, {"InstanceId.1": "a"}),
        ({"Placement": {"AvailabilityZone": "z"}}, {"Placement.AvailabilityZone": "z"}),
        ({"Filter": [{"Name": "n", "Value": ["a", "b"]}]}, {"Filter.1.Name": "n", "Filter.1.Value.1": "a", "Filter.1.Value.2": "b"}),
        (
            {"BlockDeviceMapping": [{"DeviceName": "d", "Ebs": {"SnapshotId": "s", "DeleteOnTermination": True}}]},
            {
                "BlockDeviceMapping.1.DeviceName": "d",
                "BlockDeviceMapping.1.Ebs.SnapshotId": "s",
                "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "true",
            },
        ),
        ({"a": False, "b": 0, "c": None, "d": "", "e": {"f": None}}, {"a": "false", "b": "0", "d": ""}),
    ],
)  # fmt: skip
def test_parameters_are_flattened(params: dict[str, Any], flat: dict[str, str]) -> None:
    assert flatten(params) == flat


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"InstanceId": []}, "InstanceId: is empty; the service takes this for a parameter that is left out"),
        ({"Filter": [{"Value": []}]}, "Filter.1.Value: is empty"),
        ({"Placement": {}}, "Placement: is empty"),
        ({"InstanceId": ["a", None]}, "InstanceId: an item of the list has no value"),
        ({"InstanceId.1": "a", "InstanceId": ["b"]}, "InstanceId.1 is given twice"),
        ({"Description": "\U0001f600"}, "Description: holds a character beyond the basic plane"),
    ],
)
def test_parameters_that_cannot_be_sent_are_refused(params: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        flatten(params)


@pytest.mark.parametrize("action", ACTIONS)
def test_actions_that_only_read_are_known_in_any_letters(action: str) -> None:
    for spelled in (action, action.lower(), action.upper(), action[0].lower() + action[1:]):
        assert is_read(spelled) is action.startswith("Describe")


# What is repeated, and how long an answer may take


@pytest.mark.parametrize("trouble", [PROXY, (503, {}, b""), (504, {}, b"x"), None, (200, XML, b"<cut"), (429, {}, b"")])
def test_reads_are_repeated(script: Any, client: Ec2Client, clock: Any, trouble: Any) -> None:
    script.answers = [trouble, trouble, EMPTY]
    assert client.call("DescribeInstances")["reservationSet"] == []
    assert len(script.requests) == 3
    assert len(clock.pauses) == 2


@pytest.mark.parametrize(
    "trouble",
    [PROXY, (503, {}, b""), None, (200, XML, b"<cut"), (500, {}, b""), (200, XML, b""), (200, XML, b"{}"), (200, XML, b"<a>b</a>")],
)  # fmt: skip
def test_changes_are_never_repeated(script: Any, client: Ec2Client, trouble: Any) -> None:
    script.answers = [trouble]
    with pytest.raises(UnknownOutcome, match="^RunInstances: "):
        client.call("RunInstances", {"ImageId": "x"})
    assert len(script.requests) == 1


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "Throttling"])
def test_a_change_turned_away_unread_is_repeated(script: Any, client: Ec2Client, clock: Any, code: str) -> None:
    script.answers = [(503, XML, refusal(code, "x")), EMPTY]
    client.call("RunInstances")
    assert len(clock.pauses) == 1


def test_each_repetition_is_signed_anew(script: Any, connect: Callable[..., Ec2Client]) -> None:
    script.answers = [PROXY, EMPTY]
    minutes = itertools.count()
    connect(now=lambda: 60.0 * next(minutes)).call("DescribeInstances")
    first, second = script.requests
    assert first["Expires"] < second["Expires"] and first["Signature"] != second["Signature"]


def test_repetitions_keep_to_the_deadline(script: Any, connect: Callable[..., Ec2Client], clock: Any) -> None:
    script.answers = [PROXY]
    with pytest.raises(NotSent, match=r"no answer within the time for the task \(wait_timeout\)"):
        connect(retries=1000).call("DescribeInstances", deadline=Deadline(20, clock))
    assert sum(clock.pauses) <= 20


def test_changes_have_time_for_their_job() -> None:
    """An answer comes when the job has ended. It may come later than others, but not after the time for waiting."""
    with Emulator(job_seconds=0.6) as emulator:
        options = {"timeout": 0.3, "retries": 0}
        client = Ec2Client(emulator.ec2_url, emulator.api_key, emulator.api_secret, wait_timeout=10, **options)
        params = {"ImageId": emulator.vars["template"], "InstanceType": "v1", "MinCount": 1, "MaxCount": 1}
        assert client.call("RunInstances", params)["instancesSet"][0]["instanceState"]["name"] == "running"
        client.wait_timeout = 0.4
        with pytest.raises(UnknownOutcome, match=r"RunInstances: no complete answer within 0.4 s \(wait_timeout\)"):
            client.call("RunInstances", params)
        client.wait_timeout = 0
        with pytest.raises(UnknownOutcome, match=r"RunInstances: no complete answer within 0.3 s \(api_timeout\)"):
            client.call("RunInstances", params)


def test_a_read_has_the_time_of_any_other() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/awsapi"
        with pytest.raises(UnknownOutcome, match=r"no complete answer within 0.1 s \(api_timeout\)"):
            Ec2Client(url, KEY, SECRET, timeout=0.1, wait_timeout=60, retries=0).call("DescribeInstances")


def test_an_endless_wait_is_possible(script: Any, connect: Callable[..., Ec2Client]) -> None:
    script.answers = [EMPTY]
    connect(wait_timeout=10**12).call("RunInstances")


# What is read of answers


def test_values_have_types() -> None:
    with Emulator(job_seconds=0.01) as emulator:
        client = Ec2Client(emulator.ec2_url, emulator.api_key, emulator.api_secret)
        params = {"ImageId": emulator.vars["template"], "InstanceType": "v1", "MinCount": 1, "MaxCount": 1}
        (made,) = client.call("RunInstances", params)["instancesSet"]
        assert made["instanceState"] == {"code": 16, "name": "running"}
        assert abs(made["launchTime"] - datetime.datetime.now(UTC)) < datetime.timedelta(minutes=5)
        assert (made["tagSet"], made["productCodes"], made["dnsName"]) == ([], [], None)
        (volume,) = client.call("DescribeVolumes")["volumeSet"]
        assert isinstance(volume["size"], int)
        (attached,) = volume["attachmentSet"]
        assert (attached["deleteOnTermination"], attached["instanceId"]) == (False, made["instanceId"])
        assert client.call("StopInstances", {"InstanceId": [made["instanceId"]]})["instancesSet"] == [
            {
                "instanceId": made["instanceId"],
                "currentState": {"code": 80, "name": "stopped"},
                "previousState": {"code": 16, "name": "running"},
            }
        ]
        assert client.call("DescribeSnapshots")["snapshotSet"] == []


@pytest.mark.parametrize(
    ("xml", "read"),
    [
        ("<volumeSet/>", {"volumeSet": []}),
        ("<volumeSet></volumeSet>", {"volumeSet": []}),
        ("<volumeSet>\n  </volumeSet>", {"volumeSet": []}),
        ("<volumeSet><item><size>1</size></item></volumeSet>", {"volumeSet": [{"size": 1}]}),
        ("<volumeSet>\n<item>\n<size>1</size>\n</item>\n</volumeSet>", {"volumeSet": [{"size": 1}]}),
        ("<anything><item>true</item><item>2</item></anything>", {"anything": ["true", "2"]}),
        ("<blockDeviceMapping/><platform/>", {"blockDeviceMapping": [], "platform": None}),
        ("<tagSet><item><key/><value/></item></tagSet>", {"tagSet": []}),
        ("<tagSet><item><key>true</key><value/></item></tagSet>", {"tagSet": [{"key": "true", "value": ""}]}),
        ("<tagSet><item><key>a</key><value> 1 </value></item></tagSet>", {"tagSet": [{"key": "a", "value": " 1 "}]}),
        ("<return>true</return><isPublic>false</isPublic>", {"return": True, "isPublic": False}),
        ("<name>true</name><description/>", {"name": "true", "description": ""}),
        ("<code>16</code><code2>16</code2>", {"code": 16, "code2": "16"}),
        ("<code>Client.UserInitiatedShutdown</code>", {"code": "Client.UserInitiatedShutdown"}),
        ("<progress>100%</progress><ownerId>123456789012</ownerId>", {"progress": "100%", "ownerId": "123456789012"}),
        ("<launchTime>2010-11-15T01:02:03Z</launchTime>", {"launchTime": datetime.datetime(2010, 11, 15, 1, 2, 3, tzinfo=UTC)}),
        ("<launchTime>2010-11-15T01:02:03.500+09:00</launchTime>", {"launchTime": datetime.datetime(2010, 11, 14, 16, 2, 3, 500000, tzinfo=UTC)}),
        ("<launchTime>2010-02-31T01:02:03Z</launchTime><startTime/>", {"launchTime": "2010-02-31T01:02:03Z", "startTime": None}),
        ("<description>2010-11-15T01:02:03Z</description>", {"description": "2010-11-15T01:02:03Z"}),
        ("<a>1</a><a>2</a>", {"a": ["1", "2"]}),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "form",
    [
        "<DescribeXResponse>{}</DescribeXResponse>",
        '<?xml version="1.0"?>\n<DescribeXResponse xmlns="http://e/">{}</DescribeXResponse>',
    ],
)
def test_lists_numbers_and_dates_are_recognised(
    script: Any, client: Ec2Client, form: str, xml: str, read: dict[str, Any]
) -> None:
    script.answers = [(200, XML, form.format(xml).encode())]
    assert client.call("DescribeX") == read


def test_a_prefix_of_a_namespace_is_no_part_of_a_name(script: Any, client: Ec2Client) -> None:
    body = b'<n:DescribeXResponse xmlns:n="http://e/"><n:volumeSet><n:item><n:size>1</n:size></n:item></n:volumeSet></n:DescribeXResponse>'
    script.answers = [(200, XML, body)]
    assert client.call("DescribeX") == {"volumeSet": [{"size": 1}]}


def test_every_recorded_answer_is_read() -> None:
    """Values have their types, lists are lists, and each refusal is an error with the recorded words."""
    answers = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    refused = 0
    for answer in answers:
        page = answer.get("html_error_page_with_message")
        bodies = (
            [error_page(answer["status"], page, old) for old in (True, False)] if page else [answer["body"].encode()]
        )
        for body in bodies:
            if answer["status"] == 200:
                told = decode(body, answer["action"], 200, str)
                assert list(strangers(told)) == [], answer["label"]
                continue
            with pytest.raises(Ec2Error) as caught:
                decode(body, answer["action"], answer["status"], str)
            assert caught.value.text == (page or said(body.decode())), answer["label"]
        refused += answer["status"] != 200
    assert (len(answers), refused) == (118, 70)


def said(body: str) -> str | None:
    """Return the words of a recorded refusal: those in its XML, or the whole text."""
    return xml.etree.ElementTree.fromstring(body).findtext(".//Message") if body.startswith("<") else body


def strangers(value: Any, name: str = "") -> Iterator[str]:
    """Yield values that lack the type of their name, or that could have a better one."""
    if isinstance(value, dict):
        assert "item" not in value
        for key, inner in value.items():
            yield from strangers(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from strangers(inner, name)
    else:
        moment = isinstance(value, datetime.datetime) != name.endswith("Time")
        untyped = isinstance(value, str) and (value in ("true", "false") or name in ("code", "size", "volumeSize"))
        if moment or untyped:
            yield f"{name}: {value!r}"


# Errors


@pytest.mark.parametrize("action", ["DescribeInstances", "RunInstances"])
@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (500, DECLARATION + refusal("Server.InternalError", "no &lt;b&gt;"), ("Server.InternalError", "no <b>", "r1")),
        (500, refusal("Server.InternalError", "a <b & c> 'x'"), ("Server.InternalError", "a <b & c> 'x'", "r1")),
        (501, refusal("Error", "Unsupported filter [x]"), ("Error", "Unsupported filter [x]", "r1")),
        (400, DECLARATION + b"\n" + refusal("X.NotFound", "no\n such", between="\n  "), ("X.NotFound", "no such", "r1")),
        (400, OTHER_REFUSAL, ("InvalidAction", "no", "r1")),
        (501, error_page(501, "Unsupported - only x supported", old=True), (None, "Unsupported - only x supported", None)),
        (530, error_page(530, "Missing ImageId parameter", old=True), (None, "Missing ImageId parameter", None)),
        (530, error_page(530, "Missing ImageId parameter", old=False), (None, "Missing ImageId parameter", None)),
        (531, error_page(531, "Unsupported Version value: 1 &amp; x", old=True), (None, "Unsupported Version value: 1 & x", None)),
        (500, b'java.lang.NumberFormatException:\n\tFor input string: "abc"', (None, 'java.lang.NumberFormatException: For input string: "abc"', None)),
    ],
)  # fmt: skip
def test_refusals_are_one_kind_of_error(
    script: Any, client: Ec2Client, action: str, status: int, body: bytes, told: tuple[str | None, str, str | None]
) -> None:
    code, text, request_id = told
    script.answers = [(status, {}, body)]
    with pytest.raises(Ec2Error) as caught:
        client.call(action)
    error = caught.value
    assert (error.command, error.status, error.code, error.text) == (action, status, code, text)
    assert error.request_id == request_id
    assert error.details().get("request_id") == request_id
    assert error.message.startswith(f"{action}: {text} (" + (f"error {code})" if code else f"HTTP {status})"))
    assert len(script.requests) == 1


class Later:
    """A clock that moves by so many seconds with each look."""

    def __init__(self, seconds: float) -> None:
        self.looks = itertools.count(1000.0, seconds)

    def __call__(self) -> float:
        return next(self.looks)


TIMED_OUT = "Operation failed - async-job query timed out"


@pytest.mark.parametrize(
    ("seconds", "text", "given_up"),
    [
        (600, "Anything at all", True),
        (601, TIMED_OUT, True),
        (3, TIMED_OUT, True),  # a service that waits less
        (603, f"{TIMED_OUT}, might already be destroyed", True),
        (590, "Instance:x not found", False),
        (900, "530 Failed to reboot vm instance", False),  # the job has ended
    ],
)
def test_a_job_that_the_service_waits_for_no_longer_is_recognised(
    script: Any, connect: Callable[..., Ec2Client], seconds: float, text: str, given_up: bool
) -> None:
    script.answers = [(500, XML, refusal("Server.InternalError", text))]
    with pytest.raises(CloudnError) as caught:
        connect(clock=Later(seconds)).call("StopInstances", {"InstanceId": ["x"]})
    error = caught.value
    assert (type(error), error.command) == (GivenUp if given_up else Ec2Error, "StopInstances")
    assert (error.status, error.code, error.text) == (500, "Server.InternalError", text)
    assert given_up is error.message.startswith(
        f"StopInstances: the service stopped waiting for the job after {seconds} s. The"
    )
    with pytest.raises(Ec2Error):
        connect(clock=Later(seconds)).call("DescribeInstances")
    assert len(script.requests) == 2


@pytest.mark.parametrize(
    ("text", "code"), [("530 Failed", 530), ("431 x", 431), ("5301 x", None), ("Instance:530 x", None), ("", None)]
)
def test_the_code_of_a_failed_job_is_read_from_its_text(
    script: Any, client: Ec2Client, text: str, code: int | None
) -> None:
    script.answers = [(500, XML, refusal("Server.InternalError", text))]
    with pytest.raises(Ec2Error) as caught:
        client.call("RebootInstances")
    assert caught.value.job_code == code


@pytest.mark.parametrize(
    ("action", "params", "partly"),
    [
        ("RunInstances", {"MinCount": 1, "MaxCount": 1}, False),
        ("RunInstances", {"MinCount": 1, "MaxCount": 2}, True),
        ("StopInstances", {"InstanceId": ["a"]}, False),
        ("stopinstances", {"InstanceId.1": "a"}, False),
        ("StopInstances", {"InstanceId": ["a", "b"]}, True),
        ("CreateImage", {"InstanceId": "a"}, True),
        ("AttachVolume", {"InstanceId": "a", "VolumeId": "b"}, False),
        ("CreateTags", {"ResourceId": ["a"]}, True),  # not listed
        ("DescribeInstances", {"InstanceId": ["a", "b"]}, False),
    ],
)
def test_a_refused_action_on_several_objects_may_be_done_in_part(
    script: Any, client: Ec2Client, action: str, params: dict[str, Any], partly: bool
) -> None:
    script.answers = [(500, XML, refusal("Server.InternalError", "no"))]
    with pytest.raises(Ec2Error) as caught:
        client.call(action, params)
    assert caught.value.partly is partly


def test_refused_credentials_are_explained(script: Any, connect: Callable[..., Ec2Client]) -> None:
    script.answers = [(403, {}, b"Access denied")]
    with pytest.raises(Ec2Error, match=r"Access denied \(HTTP 403\); check api_key and api_secret"):
        connect().call("DescribeInstances")
    with pytest.raises(Ec2Error, match=r"this machine's clock is (899|90\d) s behind the service's"):
        connect(now=lambda: time.time() - 900).call("DescribeInstances")
    script.answers = [(404, {}, b"")]
    with pytest.raises(Ec2Error, match="does not know the api_key, or ec2_url is not the address"):
        connect().call("DescribeInstances")
    script.answers = [(531, {}, error_page(531, "Unsupported Version value", old=False))]
    with pytest.raises(Ec2Error, match="check ec2_version, and this machine's clock"):
        connect().call("DescribeInstances")


def test_a_wrong_address_is_reported(script: Any, client: Ec2Client) -> None:
    script.answers = [(404, {}, b"<html>Not Found</html>")]
    with pytest.raises(BadAnswer, match=r"HTTP 404, and the answer is not one of this API; is ec2_url right\?"):
        client.call("DescribeInstances")
    script.answers = [(302, {"Location": "http://127.0.0.1:9/"}, b"")]
    with pytest.raises(CloudnError, match="set ec2_url to the address"):
        client.call("DescribeInstances")
    script.answers = [(200, {}, b"<html>Welcome</html>")]
    with pytest.raises(BadAnswer, match="or a wrong ec2_url"):
        client.call("RunInstances")


@pytest.mark.parametrize("url", ["http:///x", "http://[", "http://host:port/"])
@pytest.mark.parametrize("action", ["DescribeInstances", "RunInstances"])
def test_an_unusable_address_is_reported(url: str, action: str) -> None:
    with pytest.raises(UsageError, match=f"{action}: ec2_url is not a usable http or https address"):
        Ec2Client(url, KEY, SECRET, retries=0).call(action)


def test_an_unreachable_service_is_reported() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/awsapi"
        client = Ec2Client(url, KEY, SECRET, retries=2, sleep=lambda _seconds: None)
        with pytest.raises(NotSent, match="RunInstances: the service was not reached .no connection.; check ec2_url"):
            client.call("RunInstances")


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "trouble", [PROXY, None, (200, {}, b"x"), (302, {"Location": "http://x/"}, b""), (403, {}, b"x")]
)
@pytest.mark.parametrize("action", ["DescribeInstances", "RunInstances"])
def test_errors_hold_no_secret(
    script: Any, connect: Callable[..., Ec2Client], trouble: Any, action: str, method: str
) -> None:
    script.answers = [trouble]
    with pytest.raises(CloudnError) as caught:
        connect(retries=1, method=method).call(action, {"UserData": "canary"})
    told = repr(vars(caught.value)) + str(caught.value) + repr(caught.value.__cause__)
    sent = script.requests[0]["Signature"]
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    for secret in (KEY, SECRET, "canary", "127.0.0.1", sent, urllib.parse.quote(sent, safe="")):
        assert secret not in told


# Answers of other servers

STRANGE = (204, 301, 302, 307, 400, 401, 404, 408, 413, 429, 431, 502, 503)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        *itertools.product(STRANGE, [b"<html>Not Found</html>", b"no", b'{"error": "no"}']),
        (500, b'{"error": {"code": 0, "message": "refused"}}'),
        (500, b'["refused"]'),
        (500, b"<html>Internal Server Error</html>"),
        (501, b"<html><body><h1>Not Implemented</h1></body></html>"),
        (530, b"<html><body>origin</body></html>"),
        (403, b"Forbidden"),
        (404, b"Not Found"),
    ],
)
def test_what_is_no_error_of_this_api_is_no_refusal(script: Any, client: Ec2Client, status: int, body: bytes) -> None:
    """A server in front of the service may write it after the service has done the action."""
    script.answers = [(status, {}, b"" if status == 204 else body)]
    with pytest.raises(UnknownOutcome, match="StopInstances: "):
        client.call("StopInstances", {"InstanceId": ["x"]})
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, refusal("Server.InternalError", "no")),
        (400, refusal("Client.Unsupported", "no")),
        (530, b"<html><body><b>message</b> no</p></body></html>"),
        (531, b"<html><body><b>message</b> no</p></body></html>"),
        (403, b"Access denied"),
        (500, b"java.lang.NumberFormatException: no"),
        (404, b""),
    ],
)
def test_the_forms_of_a_refusal(script: Any, client: Ec2Client, status: int, body: bytes) -> None:
    script.answers = [(status, {}, body)]
    with pytest.raises(Ec2Error, match="StopInstances: "):
        client.call("StopInstances", {"InstanceId": ["x"]})


@pytest.mark.parametrize("root", ["DescribeInstancesResponse", "Envelope", "html", "Response"])
def test_an_answer_of_another_action_is_a_bad_answer(script: Any, client: Ec2Client, root: str) -> None:
    script.answers = [(200, XML, f"<{root}><return>true</return></{root}>".encode())]
    with pytest.raises(BadAnswer, match="StopInstances: the answer can't be read"):
        client.call("StopInstances", {"InstanceId": ["x"]})

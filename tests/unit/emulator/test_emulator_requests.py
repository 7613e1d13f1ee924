# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every request has in common: signatures, encodings, forms of answers, refusals, the record of requests."""

from __future__ import annotations

import concurrent.futures
import json
import pathlib
import socket
import time
from datetime import UTC, datetime
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

import pytest
import requests
from cloudn_emulator import Emulator, java_dates
from cloudn_emulator.native import listing_seconds
from cloudn_emulator.signature import is_signed, sign, string_to_sign

VECTORS = json.loads((pathlib.Path(__file__).parent.parent / "api" / "signature-vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS)
def test_signatures_of_a_real_server_are_reproduced_and_checked(vector):
    params = vector["params"]
    assert string_to_sign(params) == vector["string_to_sign"]
    assert sign(params, vector["secret"]) == vector["signature"]
    signed = {**params, "signature": vector["signature"]}
    moment = datetime(2000, 1, 1, tzinfo=UTC)  # before any of them expires
    assert is_signed(signed, vector["secret"], moment)
    assert not is_signed({**signed, "more": "x"}, vector["secret"], moment)


def get(api, params, **more):
    query = {"apikey": api.emulator.api_key, "response": "json", **params}
    query["signature"] = sign(query, api.emulator.api_secret)
    return requests.get(api.emulator.url, params={**query, **more}, timeout=10)


@pytest.mark.parametrize(
    ("expires", "status"),
    [
        (600, 200),
        (-60, 401),
        ("2099-01-01", 401),
        ("2099-01-01T00:00:00Z", 401),
        ("2099-01-01T09:00:00+09:00", 401),
        ("2099-01-01T00:00:005+0000", 401),
        ("2099-01-01T09:00:00+0900", 200),
        ("2099-01-01T00:00:00GMT", 200),
        ("2099-01-01T09:00:00 gmt+9:00", 200),
        ("2099-01-01T09:00:00JST", 200),
        ("2099-01-01T00:00:00UTC and more", 200),
        ("2098-13-1T0:0:5+0000", 200),
    ],
)
def test_version_3_signatures_expire(api, expires, status):
    if isinstance(expires, int):
        expires = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(time.time() + expires))
    assert get(api, {"command": "listZones", "signatureversion": "3", "expires": expires}).status_code == status


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-02T00:00:00+0000", 86400),
        ("1970-01-01T00:00:00-0130", 5400),
        ("1969-13-01T00:00:00+0000", 0),
        ("1970-01-00T24:00:00UTC", 0),
        ("1970-01-01T01:-1:00GMT", 3540),
        (" 1970- 01-1T0:0: 5CET", -3595),
        ("2000-03-01T00:00:00Pacific Standard Time", 951897600),
        ("1600-02-30T00:00:00+0000", -11670912000),
    ],
)
def test_moments_are_read_as_java_does(text, seconds):
    assert java_dates.moment(text, java_dates.EXPIRES) == seconds


def test_nothing_can_be_added_to_a_signed_request(api):
    assert get(api, {"command": "listZones"}).status_code == 200
    assert get(api, {"command": "listZones"}, keyword="x").status_code == 401


@pytest.mark.parametrize("bracket", [str, quote])
def test_brackets_may_be_raw_or_encoded(api, bracket):
    vm = api.running("one")["id"]
    api.job("createTags", resourceids=vm, resourcetype="UserVm", tags__key="a b", tags__value="ä~*()'!+")
    query = {"command": "listVirtualMachines", "apikey": api.emulator.api_key, "response": "json"}
    query |= {"tags[0].key": "a b", "tags[0].value": "ä~*()'!+"}
    query["signature"] = sign(query, api.emulator.api_secret)
    text = "&".join(f"{bracket(name)}={quote(value, safe='')}" for name, value in query.items())
    with socket.create_connection(("127.0.0.1", api.emulator.port)) as connection:
        connection.sendall(f"GET /client/api?{text} HTTP/1.0\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert b" 200 " in answer.splitlines()[0]
    assert vm.encode() in answer


@pytest.mark.parametrize(("charset", "stored"), [("; charset=UTF-8", "日本"), ("", "日本".encode().decode("latin-1"))])
def test_a_form_is_latin_1_unless_it_says_utf_8(api, charset, stored):
    query = {"command": "createSecurityGroup", "apikey": api.emulator.api_key, "name": "sg", "description": "日本"}
    query["signature"] = sign({**query, "description": stored}, api.emulator.api_secret)
    headers = {"Content-Type": f"application/x-www-form-urlencoded{charset}"}
    answer = requests.post(api.emulator.url, data=urlencode(query), headers=headers, timeout=10)
    assert answer.status_code == 200
    assert api("listSecurityGroups", securitygroupname="sg")["securitygroup"][0]["description"] == stored


def test_characters_beyond_the_basic_plane_are_an_internal_error(api, refused):
    with refused(530):
        api("createSecurityGroup", name="\N{GRINNING FACE}")
    assert "securitygroup" not in api("listSecurityGroups", keyword="\ud7ff")


def test_names_of_parameters_count_without_case_and_unknown_ones_not_at_all(api):
    assert api("listZones", ID=api.vars["zone"], whatever="x")["count"] == 1


@pytest.mark.parametrize("name", ["tags[", "tags[x].key", "tags[0.key", "tags[0]key"])
def test_badly_formed_maps_are_refused(api, refused, name):
    with refused(430):
        api("listVirtualMachines", **{name: "x"})


def test_values_that_are_too_long_or_missing_are_refused(api, refused):
    with refused(431):
        api("registerSSHKeyPair", name="k", publickey="x" * 5121)
    with refused(431):
        api("registerSSHKeyPair", name="k")
    with refused(431):
        api("listVirtualMachines", page=str(2**31), pagesize=1)


def test_hostile_values_come_back_unchanged_in_both_formats(api):
    name = "<&>\"' {{ x }}\n\r\t:日本"
    api("createSecurityGroup", name=name)
    assert api("listSecurityGroups", securitygroupname=name)["count"] == 1
    params = {"command": "listSecurityGroups", "response": "xml"}
    root = ElementTree.fromstring(get(api, params).content)
    assert root.attrib == {"cloud-stack-version": "3.0.5.20121008162729"}
    assert name in [element.text for element in root.iter("name")]


def test_characters_that_xml_lacks_do_not_break_it(api):
    api("createSecurityGroup", name="bell\x07")
    root = ElementTree.fromstring(get(api, {"command": "listSecurityGroups", "response": "xml"}).content)
    assert "bell" in [element.text for element in root.iter("name")]


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize(
    ("command", "params", "status"),
    [
        ("listVirtualMachines", {"page": "1"}, 431),
        ("listVirtualMachines", {"tags[": "x"}, 430),
        ("fooBar", {}, 432),
        ("listZones", {"apikey": "unknown"}, 401),
    ],
)
def test_every_error_says_its_text_in_a_header_too(api, form, command, params, status):
    query = {"command": command, "apikey": api.emulator.api_key, "response": form, **params}
    query["signature"] = sign(query, api.emulator.api_secret)
    answer = requests.get(api.emulator.url, params=query, timeout=10)
    assert answer.status_code == status
    said = next(iter(answer.json().values())) if form == "json" else None
    text = said["errortext"] if said else ElementTree.fromstring(answer.content).findtext("errortext")
    assert text
    assert answer.headers["X-Description"] == text


def test_a_header_takes_no_line_feed_and_no_other_letters_than_asciis(api):
    api("createSecurityGroup", name="é\r\nX-Evil: 日")
    answer = api.raw("createSecurityGroup", name="é\r\nX-Evil: 日")
    assert answer.status_code == 431
    assert answer.headers["X-Description"].endswith("name ???X-Evil: ? already exists.")
    assert "X-Evil" not in answer.headers


def test_a_long_error_fits_into_a_header(api):
    answer = requests.post(api.emulator.url, data=api.signed("listVirtualMachines", id="9" * 100_000), timeout=10)
    assert answer.status_code == 431
    said = answer.json()["listvirtualmachinesresponse"]["errortext"]
    assert len(said) > 100_000
    assert said.startswith(answer.headers["X-Description"])


def test_the_status_line_gives_no_reason_and_a_good_answer_no_description(api):
    for answer in (api.raw("listZones"), api.raw("listZones", page=1)):
        assert answer.reason == ""
    assert "X-Description" not in api.raw("listZones").headers


def test_only_the_paths_of_the_api_are_served(api):
    base = api.emulator.url.removesuffix("/client/api")
    assert requests.get(f"{base}/client/api/", params=api.signed("listZones"), timeout=10).status_code == 200
    for path in ("/client", "/client/api/x", "/other", "/page.html", "/_emulator/page/"):
        assert requests.get(base + path, timeout=10).status_code == 404


def test_granted_commands_are_known_only_behind_a_signature(api, refused):
    assert api.raw("recoverVirtualMachine", id="x").json().keys() == {"errorresponse"}
    with refused(432):
        api("recoverVirtualMachine", id="x")
    unsigned = requests.get(api.emulator.url, params={"command": "recoverVirtualMachine"}, timeout=10)
    assert unsigned.status_code == 401
    assert requests.get(api.emulator.url, timeout=10).status_code == 432


def test_requests_are_recorded_without_secrets(emulate):
    api = emulate(api_key="canary-key", api_secret="canary-secret", latency_ms=20)
    userdata = "Y2FuYXJ5LXVzZXJkYXRh"
    vm = api.deploy("one", userdata=userdata)
    api("resetPasswordForVirtualMachine", id=vm, password="canary-password")
    other = requests.Session()
    other.get(api.emulator.url, params=api.signed("listZones"), timeout=10)
    deployed, reset, zones = api.emulator.requests
    assert (deployed["command"], deployed["status"], deployed["params"]["name"]) == ("deployVirtualMachine", 200, "one")
    assert deployed["params"]["userdata"] == f"({len(userdata)} characters)"
    assert reset["params"] == {"response": "json", "id": vm, "password": "(15 characters)"}
    assert deployed["connection"] == reset["connection"] != zones["connection"]
    assert deployed["ms"] >= 20
    text = json.dumps(api.emulator.requests)
    assert "canary" not in text
    assert userdata not in text
    assert "signature" not in text
    api.emulator.clear()
    assert api.emulator.requests == []


@pytest.mark.parametrize(
    ("details", "seconds"),
    [
        ("", 0.2),
        ("all", 0.2),
        ("min", 0.1),
        ("nics", 0.32),
        ("nics,secgrp", 0.4),
        ("nics, secgrp,group,tmpl,servoff", 0.48),
        ("nics,all", 0.2),
    ],
)
def test_the_time_of_a_listing_depends_on_its_details(details, seconds):
    assert listing_seconds(0.01, {"count": 20, "virtualmachine": [{}] * 20}, details) == pytest.approx(seconds)
    assert listing_seconds(0.01, {}, details) == 0


def test_listings_take_time_for_each_object(emulate, refused):
    api = emulate(vms=10, list_ms_per_object=20)
    api("listVirtualMachines")
    api("listVirtualMachines", details="min")
    api("listVirtualMachines", page=2, pagesize=8)
    with refused(431):
        api("listVirtualMachines", details="nonsense")
    with refused(431):
        api("queryAsyncJobResult", jobid="none")
    whole, least, page, *free = [request["ms"] for request in api.emulator.requests]
    assert (whole >= 200, least >= 100, page >= 40) == (True, True, True)
    assert max(free) < 100


def test_listings_take_their_time_side_by_side(emulate):
    api = emulate(vms=10, list_ms_per_object=30)
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(
                lambda _n: requests.get(api.emulator.url, params=api.signed("listVirtualMachines"), timeout=10),
                range(8),
            )
        )
    assert 0.3 <= time.monotonic() - began < 1.2
    assert {answer.status_code for answer in answers} == {200}


def test_a_client_that_goes_away_leaves_no_trace_but_its_change(emulate, capfd):
    api = emulate(latency_ms=200)
    text = urlencode(api.signed("createSecurityGroup", name="left"))
    with socket.create_connection(("127.0.0.1", api.emulator.port)) as connection:
        connection.sendall(f"GET /client/api?{text} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        time.sleep(0.05)
    with socket.create_connection(("127.0.0.1", api.emulator.port)) as connection:
        connection.sendall(b"nonsense\r\n\r\n")
        connection.recv(1000)
    time.sleep(0.4)
    assert api("listSecurityGroups", securitygroupname="left")["count"] == 1
    assert capfd.readouterr() == ("", "")


def test_starting_and_stopping_is_quick_and_leaves_nothing(api):
    began = time.monotonic()
    for _number in range(5):
        with Emulator(job_seconds=60) as emulator:
            requests.get(emulator.url, timeout=10)
        with pytest.raises(requests.ConnectionError):
            requests.get(emulator.url, timeout=10)
    assert time.monotonic() - began < 1


def test_stopping_does_not_wait_for_jobs(emulate):
    api = emulate(job_seconds=60)
    api.deploy("one")
    began = time.monotonic()
    api.emulator.stop()
    api.emulator.stop()
    assert time.monotonic() - began < 2


def test_a_port_in_use_is_an_error(api):
    with pytest.raises(OSError, match="in use"):
        Emulator(port=api.emulator.port).start()


@pytest.mark.parametrize(
    ("command", "params"),
    [
        ("deployVirtualMachine", {"zoneid": "zone", "templateid": "template", "serviceofferingid": "small"}),
        ("createVolume", {"zoneid": "zone", "diskofferingid": "disk"}),
    ],
)
def test_a_new_object_may_be_given_an_id_that_is_not_used(api, refused, command, params):
    given = {name: api.vars[value] for name, value in params.items()}
    with refused(431):
        api(command, name="one", id="x", **given)
    assert api(command, name="one", id="5", **given)["id"] != "5"

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and answers of the emulator of CloudStack 4: headers, forms, sizes, refusals, commands that are there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from cloudn_emulator import signature
from waiting import soon

MIB = 1024**2


@pytest.fixture
def api(emulate: Callable[..., Any]) -> Any:
    return emulate(generation="4", job_seconds=0.02, neighbour=True)


def post(api: Any, command: str, headers: dict[str, str] | None = None, **params: str) -> requests.Response:
    form = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    body = urlencode(api.signed(command, **params))
    return api.session.post(api.emulator.url, data=body, headers=form, timeout=30)


def test_answers_have_a_reason_and_no_date(api: Any) -> None:
    answer = api.raw("listZones")
    assert (answer.status_code, answer.reason) == (200, "OK")
    assert "Date" not in answer.headers
    assert answer.headers["Content-Type"] == "application/json;charset=utf-8"
    refusal = api.raw("listZones", id="no-such")
    assert (refusal.status_code, refusal.reason) == (431, "Request Header Fields Too Large")
    assert api.raw("noSuchCommand").reason == "Unauthorized"
    assert api.raw("listHosts").reason == "432"


def test_cloudstack_3_dates_its_answers_and_gives_no_reason(emulate: Callable[..., Any]) -> None:
    answer = emulate(job_seconds=0.02).raw("listZones", id="no-such")
    assert answer.status_code == 431 and "Date" in answer.headers
    assert answer.reason != "Request Header Fields Too Large"


@pytest.mark.parametrize(("length", "status"), [(7000, 431), (8000, 414)])
def test_a_long_address_is_refused_in_html(api: Any, length: int, status: int) -> None:
    answer = api.raw("listZones", id="x" * (length - 300))
    assert answer.status_code == status
    if status == 414:
        assert answer.text.startswith("<h1>Bad Message 414</h1>")
        assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("charset", ["", "; charset=UTF-8"])
def test_a_form_is_utf_8_with_and_without_a_charset(api: Any, charset: str) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded" + charset}
    made = post(api, "createSecurityGroup", kind, name="東京")
    assert made.json()["createsecuritygroupresponse"]["securitygroup"]["name"] == "東京"


@pytest.mark.parametrize(("size", "status"), [(MIB - 5000, 431), (MIB + 1, 404), (3 * MIB, 404)])
def test_a_form_over_a_mebibyte_is_not_found(api: Any, size: int, status: int) -> None:
    answer = post(api, "createSecurityGroup", name="x" * size)
    assert answer.status_code == status
    assert (status == 404) is answer.headers["Content-Type"].startswith("text/html")


def test_xml_tells_the_version_to_those_it_knows(api: Any) -> None:
    answer = api.session.get(api.emulator.url, params=api.signed("listZones") | {"response": "xml"}, timeout=30)
    assert answer.status_code == 401 and "cloud-stack-version" not in answer.text
    params = {"command": "listZones", "apikey": api.emulator.api_key}
    signed = {**params, "signature": signature.sign(params, api.emulator.api_secret)}
    answer = api.session.get(api.emulator.url, params=signed, timeout=30)
    assert '<listzonesresponse cloud-stack-version="4.23.0.0-SNAPSHOT">' in answer.text


# --- what is there


@pytest.mark.parametrize(
    "command", ["noSuchCommand", "LISTZONES", "listzones", "listSnapshot", "listExternalLoadBalancers"]
)
def test_an_unknown_command_is_a_401(api: Any, command: str) -> None:
    answer = api.raw(command)
    assert answer.status_code == 401
    assert answer.json()["errorresponse"]["errorcode"] == 401


@pytest.mark.parametrize("command", ["listHosts", "createAccount", "getUser", "updateVolume"])
def test_a_command_that_is_not_granted_is_a_432_also_to_a_wrong_signature(api: Any, command: str) -> None:
    assert api.raw(command).json()["errorresponse"]["cserrorcode"] == 9999
    wrong = api.signed(command) | {"signature": "x"}
    assert api.session.get(api.emulator.url, params=wrong, timeout=30).status_code == 432
    unknown = api.signed(command) | {"apikey": "nobody"}
    assert api.session.get(api.emulator.url, params=unknown, timeout=30).status_code == 401


def test_list_apis_has_what_the_account_may_use(emulate: Callable[..., Any], refused: Any) -> None:
    api = emulate(generation="4", denied=["resizeVolume"])
    names = {one["name"]: one for one in api("listApis")["api"]}
    assert names["deployVirtualMachine"]["httprequesttype"] == "POST"
    assert names["listZones"]["httprequesttype"] == "GET"
    assert "resizeVolume" not in names and "listHosts" not in names
    assert api("listApis", name="listUsers")["count"] == 1
    for name in ("resizeVolume", "listhosts", "noSuchCommand"):
        with refused(530):
            api("listApis", name=name)


def test_capabilities_tell_the_settings_of_the_server(emulate: Callable[..., Any]) -> None:
    api = emulate(generation="4")
    assert api("listCapabilities")["capability"]["allowuserviewdestroyedvm"] is False
    settings = {"allow.user.view.destroyed.vm": "true", "enable.dynamic.scale.vm": "true"}
    told = emulate(generation="4", server=settings)("listCapabilities")["capability"]
    assert told["allowuserviewdestroyedvm"] and told["dynamicscalingenabled"]
    assert told["cloudstackversion"].startswith("4.23")


# --- accounts and domains


def test_a_list_takes_the_own_domain_only(api: Any, refused: Any) -> None:
    own = api("listAccounts")["account"][0]["domainid"]
    assert [one["owner"] for one in _groups(api, domainid=own)] == ["flatuser"]
    assert _groups(api, domainid=own, account="flatuser")
    for wanted in (
        {"domainid": "1"},
        {"domainid": "1", "account": "no-such"},
        {"domainid": own, "account": "neighbour"},
    ):
        with refused(531):
            api("listSecurityGroups", **wanted)
    for wanted in ({"domainid": "-1"}, {"domainid": own, "account": "no-such"}, {"account": "admin"}):
        with refused(431):
            api("listSecurityGroups", **wanted)
    assert _groups(api, projectid="-1") == []


def _groups(api: Any, **params: str) -> list[dict[str, str]]:
    return [{"owner": one["account"]} for one in api("listSecurityGroups", **params).get("securitygroup", [])]


def test_an_account_has_limits_of_17_kinds_and_no_secret(api: Any, refused: Any) -> None:
    limits = api("listResourceLimits")["resourcelimit"]
    assert [one["resourcetype"] for one in limits] == [str(number) for number in range(17)]
    assert api("listResourceLimits", resourcetype=9)["resourcelimit"][0]["resourcetypename"] == "memory"
    with refused(431):
        api("listResourceLimits", resourcetype=17)
    (account,) = api("listAccounts")["account"]
    assert account["iplimit"] == "100000" and account["cpulimit"] == "Unlimited"
    (user,) = account["user"]
    assert user["apikey"] == api.emulator.api_key and "secretkey" not in user


def test_new_keys_take_the_place_of_the_old_ones(api: Any) -> None:
    (user,) = api("listUsers")["user"]
    api("registerUserKeys", id=user["id"])
    soon(lambda: api.raw("listZones").status_code == 401, 10)

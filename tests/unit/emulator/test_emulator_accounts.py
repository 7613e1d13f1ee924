# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts of the emulator: what they have, their limits, and what only administrators see."""

from __future__ import annotations

import time

import pytest
from cloudn_emulator import Emulator
from cloudn_emulator.settings import BadSetting
from samples import UNKNOWN


def volume(api, **params):
    wanted = {"name": "d", "zoneid": api.vars["zone"], "diskofferingid": api.vars["disk"], **params}
    return api.job("createVolume", **wanted)["volume"]["id"]


def own(api):
    (account,) = api("listAccounts")["account"]
    return account


def test_an_account_shows_what_it_has_and_its_keys(api):
    vm = api.running("one", diskofferingid=api.vars["disk"])["id"]
    api.running("two")
    api.job("stopVirtualMachine", id=vm)
    account = own(api)
    assert (account["vmtotal"], account["vmstopped"], account["vmrunning"], account["volumetotal"]) == (2, 1, 1, 3)
    assert account["user"][0]["secretkey"] == api.emulator.api_secret
    assert account["user"][0]["apikey"] == api.emulator.api_key


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"name": "FLATUSER"}, 1),
        ({"name": "flat"}, 0),
        ({"name": "admin"}, 0),
        ({"accounttype": 1}, 0),
        ({"state": "Enabled"}, 1),
        ({"state": "locked"}, 0),
        ({"iscleanuprequired": "true"}, 0),
        ({"keyword": "atus"}, 1),
        ({"keyword": "enab"}, 1),
        ({"domainid": "1"}, 1),
        ({"listall": "true"}, 1),
        ({"page": 2, "pagesize": 1}, 0),
    ],
)
def test_accounts_are_found_by_filters(api, filters, found):
    assert api("listAccounts", **filters).get("count", 0) == found


def test_a_plain_account_does_not_see_other_accounts(emulate, refused):
    api, admin = emulate(neighbour=True), emulate(account="admin", neighbour=True)
    neighbour = next(one for one in admin("listAccounts", listall="true")["account"] if one["name"] == "neighbour")
    assert admin("listAccounts", id=neighbour["id"])["account"][0]["name"] == "neighbour"
    for code, params in (
        (531, {"id": neighbour["id"]}),
        (531, {"name": "neighbour", "domainid": "1"}),
        (431, {"name": "no-such", "domainid": "1"}),
        (431, {"id": UNKNOWN}),
        (530, {"id": "-1"}),
        (431, {"domainid": "-1"}),
        (431, {"accounttype": "x"}),
    ):
        with refused(code):
            api("listAccounts", **params)


def test_some_commands_are_for_administrators_only(api, emulate, refused):
    with refused(432):
        api("listUsers")
    users = emulate(account="admin")("listUsers", username="admin")["user"]
    assert [user["username"] for user in users] == ["admin"]


def test_the_installations_id_is_signed_for_a_user(api, emulate, refused):
    user = own(api)["user"][0]["id"]
    assert api("getCloudIdentifier", userid=user)["cloudidentifier"]["userid"] == user
    with refused(431):
        api("getCloudIdentifier", userid=UNKNOWN)
    other = emulate(account="admin")("listUsers", username="admin")["user"][0]["id"]
    with refused(531):
        api("getCloudIdentifier", userid=other)


# --- limits


def test_limits_are_listed(emulate, refused):
    api = emulate(limits={"instance": 5, "volume": -1, "project": 0})
    limits = {one["resourcetype"]: one["max"] for one in api("listResourceLimits")["resourcelimit"]}
    assert (limits["0"], limits["2"], limits["5"], limits["7"]) == (5, -1, 0, 2000)
    account = own(api)
    assert (account["vmlimit"], account["vmavailable"], account["volumelimit"]) == ("5", "5", "Unlimited")
    assert (account["projectavailable"], account["ipavailable"]) == ("0", "0")
    assert api("listResourceLimits", resourcetype=0)["resourcelimit"][0]["max"] == 5
    assert api("listResourceLimits", page=1, pagesize=2)["count"] == 8  # it does not page
    assert api("listResourceLimits", account="admin", domainid=1)["resourcelimit"][0]["account"] == "flatuser"
    for params in (
        {"resourcetype": 8},
        {"resourcetype": -1},
        {"resourcetype": ""},
        {"account": "flatuser"},
        {"account": "no-such", "domainid": 1},
        {"projectid": "-1"},
    ):
        with refused(431):
            api("listResourceLimits", **params)


def test_machines_beyond_the_limit_are_refused_until_others_are_expunged(emulate, refused):
    api = emulate(job_seconds=0.02, limits={"instance": 2}, expunge_seconds=0.3)
    first = api.running("one")["id"]
    api.running("two")
    with refused(534):
        api.deploy("three")
    api.job("destroyVirtualMachine", id=first)
    with refused(534):
        api.deploy("three")
    assert own(api)["vmtotal"] == 2
    time.sleep(0.3)
    api.running("three")


def test_volumes_snapshots_and_templates_beyond_the_limit_are_refused(emulate, refused):
    api = emulate(job_seconds=0.02, limits={"volume": 2, "snapshot": 1, "template": 1})
    vm = api.running("one")["id"]
    disk = volume(api)
    with refused(534):
        volume(api)
    with refused(534):
        url = {"format": "VHD", "url": "http://192.0.2.1/disk.vhd"}
        api.job("uploadVolume", name="u", zoneid=api.vars["zone"], **url)
    api("deleteVolume", id=disk)
    volume(api)
    root = api("listVolumes", virtualmachineid=vm)["volume"][0]["id"]
    snapshot = api.job("createSnapshot", volumeid=root)["snapshot"]["id"]
    with refused(534):
        api("createSnapshot", volumeid=root)
    kind = {"displaytext": "t", "ostypeid": 142}
    made = api.job("createTemplate", name="t", snapshotid=snapshot, **kind)["template"]["id"]
    with refused(534):
        api("createTemplate", name="t2", snapshotid=snapshot, **kind)
    with refused(534):
        url = {"format": "VHD", "hypervisor": "Simulator", "url": "http://192.0.2.1/t.vhd"}
        api("registerTemplate", name="t2", zoneid=api.vars["zone"], **url, **kind)
    api.job("deleteTemplate", id=made)
    api.job("createTemplate", name="t2", snapshotid=snapshot, **kind)
    api.job("deleteSnapshot", id=snapshot)
    api.job("createSnapshot", volumeid=root)


def test_limits_do_not_count_what_others_have(emulate):
    api = emulate(job_seconds=0.02, neighbour=True, limits={"instance": 1, "volume": 1})
    api.running("one")
    assert own(api)["vmavailable"] == "0"


def test_impossible_limits_are_refused():
    for limits in ({"machine": 1}, {"instance": -2}):
        with pytest.raises(BadSetting, match="limits"):
            Emulator(limits=limits)


def test_commands_of_administrators_are_known(api):
    answer = api.raw("listHosts")
    assert answer.status_code == 432
    assert answer.json()["errorresponse"]["errortext"] == "The given command:listHosts does not exist"
    assert api.session.get(api.emulator.url, params={"command": "listHosts", "response": "json"}).status_code == 401
    assert api.session.get(api.emulator.url, params={"command": "listX", "response": "json"}).status_code == 432

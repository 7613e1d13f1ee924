# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the emulator of CloudStack 4 offers: zones, plans, disks, systems, networks, events, and how they are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from samples import UNKNOWN


@pytest.fixture
def api(emulate: Callable[..., Any]) -> Any:
    return emulate(generation="4", job_seconds=0.02, neighbour=True)


@pytest.fixture
def admin(emulate: Callable[..., Any]) -> Any:
    return emulate(generation="4", job_seconds=0.02, neighbour=True, account="admin")


def names(answer: dict[str, Any]) -> list[str]:
    """The names in a listing."""
    lists = [value for value in answer.values() if isinstance(value, list)]
    return [one["name"] for one in lists[0]] if lists else []


def counted(answer: dict[str, Any]) -> int:
    return int(answer.get("count", 0))


# --- zones


def test_zones_are_found_by_filters(api: Any, refused: Any) -> None:
    first, second = api("listZones")["zone"]
    assert names(api("listZones", name="JP-E1B")) == ["jp-e1b"]
    assert api("listZones", name="jp-e1") == {}
    assert names(api("listZones", keyword="jp-e1")) == ["jp-e1a", "jp-e1b"]
    assert counted(api("listZones", ids=f"{first['id']},{second['id']}", networktype="basic")) == 2
    assert names(api("listZones", ids=second["id"])) == ["jp-e1b"]
    for wanted in ({"networktype": "Advanced"}, {"storageaccessgroup": "g"}, {"tags__key": "k", "tags__value": "v"}):
        assert api("listZones", **wanted) == {}
        assert api("listZones", id=first["id"], **wanted) == {}
    assert names(api("listZones", id=first["id"], name="no-such", available="false")) == ["jp-e1a"]
    with refused(431):
        api("listZones", id=first["id"], ids=first["id"])


def test_a_page_of_zones_is_a_part_of_them(api: Any) -> None:
    page = api("listZones", page=2, pagesize=1)
    assert names(page) == ["jp-e1b"] and page["count"] == 2
    assert api("listZones", page=3, pagesize=1) == {"count": 2}


# --- plans and disks


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"name": "V1"}, ["v1"]),
        ({"name": "v"}, []),
        ({"keyword": "v"}, ["vQ", "v1", "v2", "v4", "v8"]),
        ({"cpunumber": 4}, ["v4", "v8"]),
        ({"cpunumber": 4, "memory": 99999}, []),
        ({"cpuspeed": 99999}, []),
        ({"domainid": "1"}, ["vQ", "v1", "v2", "v4", "v8"]),
        ({"state": "ACTIVE", "storagetype": "Shared", "name": "v1"}, ["v1"]),
        ({"state": "all", "name": "v1"}, ["v1"]),
        ({"state": "inactive"}, []),
        ({"storagetype": "local"}, []),
        ({"encryptroot": "true"}, []),
        ({"gpuenabled": "true"}, []),
        ({"systemvmtype": "domainrouter"}, []),
        ({"virtualmachineid": "{vm}"}, ["vQ", "v1", "v4", "v8"]),
    ],
)
def test_plans_are_found_by_filters(api: Any, filters: dict[str, Any], found: list[str]) -> None:
    if "virtualmachineid" in filters:
        plan = api("listServiceOfferings", name="v2")["serviceoffering"][0]["id"]
        filters = {"virtualmachineid": api.deploy("one", serviceofferingid=plan, startvm="false")}
    assert names(api("listServiceOfferings", **filters)) == found


def test_a_running_machine_is_offered_larger_plans_only(api: Any) -> None:
    plan = api("listServiceOfferings", name="v2")["serviceoffering"][0]["id"]
    vm = api.running("one", serviceofferingid=plan)
    assert names(api("listServiceOfferings", virtualmachineid=vm["id"])) == ["v4", "v8"]


def test_wrong_filters_of_offerings_are_refused(api: Any, refused: Any) -> None:
    own = api("listAccounts")["account"][0]["domainid"]
    foreign = api.vars["foreignvm"]
    for code, command, filters in (
        (431, "listServiceOfferings", {"issystem": "true"}),
        (431, "listServiceOfferings", {"isrecursive": "true"}),
        (431, "listServiceOfferings", {"state": "no-such"}),
        (431, "listServiceOfferings", {"account": "flatuser"}),
        (531, "listServiceOfferings", {"domainid": "-1"}),
        (431, "listServiceOfferings", {"virtualmachineid": "-1"}),
        (431, "listServiceOfferings", {"id": api.vars["disk"]}),
        (531, "listServiceOfferings", {"virtualmachineid": foreign}),
        (531, "listServiceOfferings", {"domainid": own, "account": "neighbour"}),
        (431, "listDiskOfferings", {"isrecursive": "true"}),
        (431, "listDiskOfferings", {"state": "no-such"}),
        (431, "listDiskOfferings", {"account": "flatuser"}),
        (431, "listDiskOfferings", {"volumeid": "-1"}),
        (431, "listDiskOfferings", {"virtualmachineid": "-1"}),
        (431, "listDiskOfferings", {"id": api.vars["small"]}),
        (531, "listDiskOfferings", {"virtualmachineid": foreign}),
        (531, "listDiskOfferings", {"domainid": "-1"}),
    ):
        with refused(code):
            api(command, **filters)


def test_disks_are_found_by_filters(api: Any) -> None:
    disks = api("listDiskOfferings")["diskoffering"]
    one = disks[0]
    own = api("listAccounts")["account"][0]["domainid"]
    assert names(api("listDiskOfferings", id=one["id"], name=one["name"].upper())) == [one["name"]]
    assert api("listDiskOfferings", name=one["name"][:-1]) == {}
    for hidden in ({"domainid": "1"}, {"domainid": own}, {"encrypt": "true"}, {"storagetype": "local"}):
        assert api("listDiskOfferings", **hidden) == {}
    assert counted(api("listDiskOfferings", domainid=own, account="flatuser")) == len(disks)
    volume = api.job("createVolume", name="d", zoneid=api.vars["zone"], diskofferingid=one["id"])["volume"]
    assert names(api("listDiskOfferings", volumeid=volume["id"])) == [other["name"] for other in disks[1:]]


def test_an_administrator_may_name_each_domain(admin: Any) -> None:
    assert admin("listDiskOfferings", domainid="-1") == {}
    assert counted(admin("listServiceOfferings", isrecursive="true")) == 5
    assert admin("listServiceOfferings", domainid="1") == {}


def test_a_domain_alone_does_not_change_who_gets_a_new_object(api: Any, refused: Any) -> None:
    for command, name in (("createSecurityGroup", "g"), ("createSSHKeyPair", "k"), ("createInstanceGroup", "i")):
        (made,) = api(command, name=name, domainid="1").values()
        assert made["name"] == name
        assert made.get("account", "flatuser") == "flatuser"
        with refused(431):
            api(command, name="other", account="flatuser")


# --- systems


def test_systems_are_found_by_filters(api: Any) -> None:
    first, second = api("listOsTypes", page=1, pagesize=2)["ostype"]
    assert counted(api("listOsTypes", ids=f"{first['id']},{second['id']}")) == 2
    assert api("listOsTypes", ids=first["id"])["ostype"] == [first]
    assert names(api("listOsCategories", name="cent")) == ["CentOS"]
    assert counted(api("listOsCategories", isfeatured="true")) == counted(api("listOsCategories")) > 1
    assert api("listOsCategories", isfeatured="false") == {}


# --- networks


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"type": "shared"}, 2),
        ({"type": "L2"}, 0),
        ({"name": "GUESTNETWORKFORBASICZONE"}, 2),
        ({"name": "guest"}, 0),
        ({"networkfilter": "Domain"}, 2),
        ({"networkfilter": "account"}, 0),
        ({"networkfilter": "SHARED"}, 0),
        ({"associatednetworkid": "-1"}, 0),
        ({"networkofferingid": "-1"}, 0),
        ({"account": "no-such"}, 2),
        ({"issystem": "true"}, 2),
        ({"supportedservices": "Connectivity"}, 0),
    ],
)
def test_networks_are_found_by_filters(api: Any, filters: dict[str, str], found: int) -> None:
    assert counted(api("listNetworks", **filters)) == found


def test_a_network_is_found_by_its_offering(api: Any) -> None:
    network = api("listNetworks")["network"][0]
    assert counted(api("listNetworks", networkofferingid=network["networkofferingid"])) == 2
    (offering,) = api("listNetworkOfferings", id=network["networkofferingid"])["networkoffering"]
    assert offering["name"] == network["networkofferingname"]
    assert {one["name"] for one in offering["service"]} == {one["name"] for one in network["service"]}


def test_wrong_filters_of_networks_are_refused(api: Any, refused: Any) -> None:
    for code, filters in (
        (431, {"type": "no-such"}),
        (431, {"networkfilter": "no-such"}),
        (431, {"supportedservices": "no-such"}),
        (431, {"domainid": "-1"}),
        (531, {"domainid": "1"}),
    ):
        with refused(code):
            api("listNetworks", **filters)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, 21),
        ({"guestiptype": "shared"}, 5),
        ({"guestiptype": "L2", "specifyvlan": "true"}, 2),
        ({"guestiptype": "L2", "specifyipranges": "true"}, 0),
        ({"forvpc": "true"}, 8),
        ({"sourcenatsupported": "true"}, 8),
        ({"availability": "required"}, 1),
        ({"name": "DefaultL2NetworkOffering"}, 1),
        ({"name": "DefaultL2"}, 0),
        ({"displaytext": "nsx enabled"}, 5),
        ({"keyword": "netris"}, 2),
        ({"supportedservices": "connectivity"}, 1),
        ({"istagged": "true"}, 0),
        ({"istagged": "false"}, 21),
        ({"tags": "t"}, 0),
        ({"tags": "t", "guestiptype": "Shared"}, 5),
        ({"routingmode": "static"}, 0),
        ({"routingmode": "no-such"}, 21),
        ({"state": "disabled"}, 0),
        ({"state": "disabled", "supportedservices": "no-such"}, 0),
        ({"zoneid": "{zone}"}, 0),
    ],
)
def test_network_offerings_are_found_by_filters(api: Any, filters: dict[str, str], found: int) -> None:
    wanted = {name: value.format(**api.vars) for name, value in filters.items()}
    assert counted(api("listNetworkOfferings", **wanted)) == found


def test_wrong_filters_of_network_offerings_are_refused(api: Any, refused: Any) -> None:
    wrong: list[dict[str, str]] = [{name: "-1"} for name in ("zoneid", "networkid", "domainid")]
    for filters in [*wrong, {"domainid": "1"}, {"supportedservices": "no-such"}, {"id": UNKNOWN}]:
        with refused(431):
            api("listNetworkOfferings", **filters)


def test_the_addresses_of_machines_are_found(api: Any, refused: Any) -> None:
    vm = api.running("one")
    network = vm["nic"][0]["networkid"]
    for wanted in ({}, {"state": "allocated, Free"}, {"networkid": network}, {"allocatedonly": "true"}):
        (address,) = api("listPublicIpAddresses", forvirtualnetwork="false", **wanted)["publicipaddress"]
        assert address["ipaddress"] == vm["nic"][0]["ipaddress"]
    other = next(one["id"] for one in api("listNetworks")["network"] if one["id"] != network)
    for wanted in ({"state": "releasing"}, {"networkid": other}):
        assert api("listPublicIpAddresses", forvirtualnetwork="false", **wanted) == {}
    for wanted in (
        {"state": "no-such"},
        {"allocatedonly": "true", "state": "free"},
        {"forvirtualnetwork": "false", "networkid": "-1"},
        {"allocatedonly": "false", "account": "flatuser"},
    ):
        with refused(431):
            api("listPublicIpAddresses", **wanted)


def test_counters_and_kinds_of_events_are_those_of_4(api: Any, emulate: Callable[..., Any]) -> None:
    assert counted(api("listCounters")) == 20
    assert counted(api("listCounters", provider="netris", source="cpu")) == 1
    assert {"VM.DYNAMIC.SCALE", "AG.CREATE"} <= set(names(api("listEventTypes")))
    assert "AG.CREATE" not in names(emulate()("listEventTypes"))


def test_projects_of_others_are_refused(api: Any, admin: Any, refused: Any) -> None:
    own = api("listAccounts")["account"][0]["domainid"]
    assert api("listProjects", domainid=own, username="flatuser") == {}
    for filters in ({"domainid": "1"}, {"domainid": "-1"}, {"username": "admin"}, {"account": "admin"}):
        with refused(531):
            api("listProjects", **filters)
    with refused(431):
        admin("listProjects", account="admin")


# --- accounts and events


def test_the_user_of_another_account_is_refused(api: Any, admin: Any, refused: Any) -> None:
    (user,) = api("listUsers")["user"]
    assert api("listUsers", id=user["id"], state="Enabled")["user"] == [user]
    assert api("listUsers", state="locked") == {}
    (other,) = admin("listUsers")["user"]
    assert other["username"] == "admin"
    assert {one["username"] for one in admin("listUsers", listall="true")["user"]} >= {"admin", "neighbour"}
    for filters in ({"id": other["id"]}, {"id": "-1"}, {"domainid": "1"}):
        with refused(531):
            api("listUsers", **filters)


def test_a_limit_is_found_by_its_name(api: Any, refused: Any) -> None:
    (limit,) = api("listResourceLimits", resourcetypename="volume", resourcetype=9)["resourcelimit"]
    assert (limit["resourcetype"], limit["resourcetypename"]) == ("2", "volume")
    for name in ("Volume", ""):
        with refused(431):
            api("listResourceLimits", resourcetypename=name)


def test_events_are_found_by_filters(api: Any, refused: Any) -> None:
    (user,) = api("listUsers")["user"]
    first = api("listEvents")["event"][0]
    api.running("one")
    events = api("listEvents")["event"]
    start = next(one for one in events if one["type"] == "VM.CREATE" and one["state"] == "Scheduled")
    ended = api("listEvents", state="Completed")["event"]
    assert ended and all(one["state"] == "Completed" for one in ended)
    chain = api("listEvents", startid=start["id"])["event"]
    assert {one["id"] for one in chain} == {
        one["id"] for one in events if start["id"] in (one["id"], one.get("parentid"))
    }
    assert api("listEvents", resourcetype="User", resourceid=user["id"])["event"] == [first]
    assert api("listEvents", archived="true") == api("listEvents", entrytime=9, duration=1) == {}
    assert counted(api("listEvents", archived="true", id=first["id"])) == 1
    for filters in ({"state": "completed"}, {"resourceid": user["id"]}):
        with refused(431):
            api("listEvents", **filters)


def test_a_range_of_events_may_be_given_in_any_form(api: Any) -> None:
    day = api("listEvents")["event"][0]["created"][:10]
    for since in (day, f"{day}T00:00:00+0000", f"{day} 00:00:00", f"{day}T00:00:00Z"):
        assert counted(api("listEvents", startdate=since)) == 1
    for until in (day, f"{day}T23:59:59+0000", f"{day} 23:59:59"):
        assert counted(api("listEvents", startdate=day, enddate=until)) == 1
    assert api("listEvents", enddate=f"{day}T00:00:00+0000") == {}


# --- parameters


def test_parameters_that_4_lacks_are_passed_over(api: Any, refused: Any) -> None:
    assert counted(api("listHypervisors", page=1)) == counted(api("listHypervisors")) == 9
    assert api("listVolumes", details="no-such") == {}
    wanted = {"name": "d", "zoneid": api.vars["zone"], "diskofferingid": api.vars["disk"]}
    assert api.job("createVolume", id="no-number", **wanted)["volume"]["name"] == "d"
    for command in ("listHypervisors", "createVolume"):
        (told,) = api("listApis", name=command)["api"]
        assert not {"id", "page"} & {param["name"] for param in told["params"]}
    with refused(431):
        api("listCapabilities", domainid=UNKNOWN)


def test_values_of_parameters_are_read_as_4_reads_them(api: Any, emulate: Callable[..., Any], refused: Any) -> None:
    assert counted(api("listAccounts", accounttype="")) == counted(api("listUsers", accounttype="")) == 1
    template = {"name": "t", "displaytext": "t", "format": "VHD", "hypervisor": "Simulator", "ostypeid": "1"}
    url = "http://192.0.2.1/" + "x" * 300 + ".vhd"
    assert api("registerTemplate", url=url, zoneid=api.vars["zone"], **template)["count"] == 1
    with refused(431):
        api("registerTemplate", url=url + "x" * 2048, zoneid=api.vars["zone"], **template)
    three = emulate()
    with refused(431):
        three("listAccounts", accounttype="")


# --- machines


def test_what_details_leave_out_is_shown_where_a_machine_has_several_groups_or_tags(api: Any) -> None:
    def look(id: str, words: str) -> tuple[int, int]:
        found = api.vm(id, details=words)
        return len(found["nic"]), len(found["securitygroup"])

    groups = [api("createSecurityGroup", name=name)["securitygroup"]["id"] for name in ("a", "b")]
    plain = api.deploy("plain", startvm="false")
    grouped = api.deploy("grouped", startvm="false", securitygroupids=",".join(groups))
    assert [look(plain, words) for words in ("min", "nics", "secgrp")] == [(0, 0), (1, 0), (0, 1)]
    assert [look(grouped, words) for words in ("min", "nics", "secgrp")] == [(1, 1), (1, 1), (1, 2)]
    tags = {"tags[0].key": "a", "tags[0].value": "1", "tags[1].key": "b", "tags[1].value": "2"}
    api.job("createTags", resourceids=f"{plain},{grouped}", resourcetype="UserVm", **tags)
    assert [look(vm, "min") for vm in (plain, grouped)] == [(1, 1), (1, 2)]

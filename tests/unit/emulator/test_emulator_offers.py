# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The offers of the emulated service: zones, plans, disks, systems."""

from __future__ import annotations

import pytest


def test_the_zones_and_plans_are_those_of_the_manual(api):
    assert {zone["name"]: zone["id"] for zone in api("listZones")["zone"]} == {
        "jp-e1a": "1b02e74c-6c21-4aa3-b96c-51042de8fccd",
        "jp-e1b": "91e59e5f-2971-48e7-adbe-e853ed875e76",
    }
    assert {plan["name"]: plan["id"] for plan in api("listServiceOfferings")["serviceoffering"]} == {
        "vQ": "200c6378-8ae9-4718-9b25-b8c4f6c1dfc8",
        "v1": "88ce379e-a686-4ae4-946f-dc3358275276",
        "v2": "0b41ab6e-696e-4a91-b623-5b880e3be7a6",
        "v4": "3164027a-3636-4cd5-a8be-f76d51d93a1a",
        "v8": "a40f2dba-e51d-4175-a41d-8c0047e589b7",
    }


def test_zones_are_found_by_filters(api):
    assert api("listZones", available="true")["count"] == 2
    api.deploy("one", startvm="false")
    assert api("listZones", available="false") == api("listZones", domainid="1") == api("listZones", id="-1") == {}
    assert [zone["name"] for zone in api("listZones", keyword="E1B")["zone"]] == ["jp-e1b"]


def test_a_zone_shows_how_much_of_it_is_used(api):
    def used():
        (zone,) = api("listZones", id=api.vars["zone"], showcapacities="true")["zone"]
        return {one["type"]: one["capacityused"] for one in zone["capacity"]}

    before = used()
    api.running("one", diskofferingid=api.vars["disk"])
    after = used()
    plan = api("listServiceOfferings", id=api.vars["small"])["serviceoffering"][0]
    assert after[0] - before[0] == plan["memory"] * 2**20
    assert after[1] - before[1] == plan["cpunumber"] * plan["cpuspeed"]
    assert after[8] - before[8] == 1  # address
    assert after[3] > before[3]
    assert "capacity" not in api("listZones")["zone"][0]


@pytest.mark.parametrize("page", [{"page": 2, "pagesize": 1}, {"page": 1, "pagesize": 0}, {"page": 9, "pagesize": 500}])
def test_zones_and_offerings_have_one_page_which_is_the_whole_list(api, page):
    for command in ("listZones", "listServiceOfferings", "listDiskOfferings", "listHypervisors"):
        assert api(command, **page) == api(command)


def test_any_size_of_page_is_taken_where_it_is_not_looked_at(api, refused):
    for page in ({"page": 1, "pagesize": 501}, {"page": 1, "pagesize": -1}):
        assert api("listZones", **page)["count"] == 2
        for command in ("listServiceOfferings", "listDiskOfferings"):
            with refused(431):
                api(command, **page)
    with refused(431):
        api("listZones", page=1)


def test_hypervisors_are_listed_for_a_zone(api, emulate):
    assert len(api("listHypervisors")["hypervisor"]) == 5
    own = [{"name": "Simulator"}, {"name": "XenServer"}]
    assert api("listHypervisors", zoneid=api.vars["zone"])["hypervisor"] == own
    named = emulate(zones=["one"])
    assert named("listHypervisors", zoneid=named.vars["zone"])["hypervisor"] == [{"name": "Simulator"}]
    assert api("listHypervisors", zoneid="-1") == {}


def test_a_template_is_listed_once_per_zone(api):
    found = api("listTemplates", templatefilter="executable", id=api.vars["template"])["template"]
    assert sorted(template["zonename"] for template in found) == ["jp-e1a", "jp-e1b"]
    assert len({template["id"] for template in found}) == 1
    assert api("listTemplates", templatefilter="featured", zoneid=api.vars["zone"])["count"] == 4
    assert api("listTemplates", templatefilter="featured", name="centos 6")["count"] == 2
    assert api("listTemplates", templatefilter="community") == api("listTemplates", templatefilter="self") == {}


def test_filters_of_offerings_find_no_public_ones_for_a_plain_account(api, emulate):
    admin = emulate(account="admin")
    disk, plan = {"id": api.vars["disk"]}, {"id": api.vars["small"]}
    assert api("listDiskOfferings", **disk) == api("listDiskOfferings", name="Small") == {}
    assert api("listServiceOfferings", name="vQ") == {}
    assert api("listServiceOfferings", **plan)["count"] == admin("listServiceOfferings", name="q")["count"] == 1
    assert admin("listDiskOfferings", **disk)["count"] == admin("listDiskOfferings", keyword="small")["count"] == 1


def test_offerings_are_filtered_by_domain_and_machine(emulate, refused):
    api = emulate(neighbour=True, job_seconds=0.02)
    assert api("listServiceOfferings", domainid="1")["count"] == 5
    assert api("listDiskOfferings", domainid="1") == {}
    for command in ("listServiceOfferings", "listDiskOfferings"):
        with refused(531):
            api(command, domainid="-1")
    with refused(431):
        api("listServiceOfferings", issystem="true")
    with refused(531):
        api("listServiceOfferings", virtualmachineid=api.vars["foreignvm"])
    with refused(431):
        api("listServiceOfferings", virtualmachineid="-1")
    vm = api.running("one")["id"]
    assert api("listServiceOfferings", virtualmachineid=vm)["count"] == 5  # its own plan among them


def test_os_types_are_found_by_description_and_category(api, refused):
    assert api("listOsTypes", id=142)["ostype"][0]["description"] == "CentOS 5.6 (64-bit)"
    described = api("listOsTypes", description="centos 5.6")["ostype"]
    assert {os["id"] for os in described} == {"141", "142"}
    assert api("listOsTypes")["count"] == 165
    (debian,) = api("listOsCategories", keyword="debian")["oscategory"]
    assert {os["oscategoryid"] for os in api("listOsTypes", oscategoryid=debian["id"])["ostype"]} == {debian["id"]}
    assert api("listOsCategories")["count"] == 10
    assert api("listOsTypes", oscategoryid="-1") == api("listOsCategories", name="no-such") == {}
    with refused(431):
        api("listOsTypes", oscategoryid="99")


@pytest.mark.parametrize("names", [["east"], ["east", "west", "north", "south"]])
def test_zones_can_be_named_otherwise(emulate, names):
    api = emulate(zones=names, vms=20, account="admin")
    assert [zone["name"] for zone in api("listZones")["zone"]] == names
    machines = [vm for vm in api.vms() if vm["state"] == "Running"]
    assert {vm["zonename"] for vm in machines} == set(names)
    assert len({vm["nic"][0]["ipaddress"] for vm in machines}) == len(machines)
    templates = api("listTemplates", templatefilter="executable")["template"]
    assert {template["zonename"] for template in templates} == set(names)

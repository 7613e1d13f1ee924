# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of the emulator, kinds of networks, and listings that are empty in a Basic zone."""

from __future__ import annotations

import pytest
from samples import UNKNOWN


def test_each_zone_has_its_network(api):
    networks = {one["zoneid"]: one for one in api("listNetworks")["network"]}
    assert set(networks) == {zone["id"] for zone in api("listZones")["zone"]}
    vm = api.running("one")
    assert vm["nic"][0]["networkid"] == networks[vm["zoneid"]]["id"]
    assert api("listNetworks", id=vm["nic"][0]["networkid"])["network"] == [networks[vm["zoneid"]]]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"type": "shared"}, 2),
        ({"type": "Isolated"}, 0),
        ({"traffictype": "no-such"}, 0),
        ({"acltype": "Account"}, 0),
        ({"issystem": "true"}, 2),
        ({"supportedservices": "dhcp,SecurityGroup"}, 2),
        ({"supportedservices": "Dhcp,Lb"}, 0),
        ({"canusefordeploy": "false"}, 0),
        ({"restartrequired": "true"}, 0),
        ({"specifyipranges": "true", "forvpc": "false"}, 2),
        ({"keyword": "BASIC"}, 2),
        ({"id": "-1"}, 0),
        ({"zoneid": "-1"}, 0),
        ({"tags[0].key": "k", "tags[0].value": "v"}, 0),
        ({"page": 2, "pagesize": 1}, 1),
        ({"account": "flatuser", "domainid": "1"}, 2),
    ],
)
def test_networks_are_found_by_filters(api, filters, found):
    assert api("listNetworks", **filters).get("count", 0) == found


def test_wrong_filters_of_networks_are_refused(api, refused):
    for code, filters in (
        (431, {"id": UNKNOWN}),
        (431, {"supportedservices": "no-such"}),
        (531, {"account": "admin", "domainid": "1"}),
    ):
        with refused(code):
            api("listNetworks", **filters)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, 7),
        ({"guestiptype": "Shared"}, 3),
        ({"forvpc": "true"}, 2),
        ({"supportedservices": "Lb,StaticNat"}, 3),
        ({"sourcenatsupported": "true"}, 3),
        ({"availability": "Required"}, 1),
        ({"name": "Netscaler"}, 1),
        ({"traffictype": "Public"}, 0),
        ({"state": "Disabled"}, 0),
        ({"specifyvlan": "false"}, 3),
        ({"keyword": "vpc"}, 2),
    ],
)
def test_network_offerings_are_found_by_filters(api, filters, found):
    assert api("listNetworkOfferings", **filters).get("count", 0) == found


def test_no_network_offering_is_for_a_basic_zone(api):
    assert api("listNetworkOfferings", zoneid=api.vars["zone"]) == {}
    first = api("listNetworkOfferings")["networkoffering"][0]
    assert api("listNetworks")["network"][0]["networkofferingid"] == first["id"]
    assert api("listNetworkOfferings", id=first["id"])["networkoffering"] == [first]


def test_addresses_of_machines_are_not_public_ones(api):
    vm = api.running("one")
    assert api("listPublicIpAddresses") == {}
    (address,) = api("listPublicIpAddresses", forvirtualnetwork="false")["publicipaddress"]
    assert address["ipaddress"] == vm["nic"][0]["ipaddress"]
    assert api("listPublicIpAddresses", forvirtualnetwork="false", ipaddress="192.0.2.1") == {}


@pytest.mark.parametrize(
    "command",
    [
        "listProjects",
        "listProjectInvitations",
        "listVPCs",
        "listVpnUsers",
        "listPortForwardingRules",
        "listIpForwardingRules",
        "listFirewallRules",
        "listLoadBalancerRules",
    ],
)
def test_listings_of_what_a_basic_zone_lacks_are_empty(api, refused, command):
    assert api(command) == api(command, id="-1") == {}
    for code, params in ((431, {"id": UNKNOWN}), (531, {"account": "admin", "domainid": "1"}), (431, {"page": 1})):
        with refused(code):
            api(command, **params)


def test_rules_of_another_accounts_machine_are_refused(emulate, refused):
    api = emulate(neighbour=True)
    with refused(531):
        api("listLoadBalancerRules", virtualmachineid=api.vars["foreignvm"])
    with refused(431):
        api("listRemoteAccessVpns")
    with refused(431):
        api("listRemoteAccessVpns", publicipid="-1")


def test_counters_are_listed(api):
    assert api("listCounters")["count"] == 4
    assert api("listCounters", source="netscaler")["counter"][0]["id"] == "100"
    assert api("listCounters", id="-1") == {}

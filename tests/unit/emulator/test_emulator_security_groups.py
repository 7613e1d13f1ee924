# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups of the emulator: rules of all kinds, what is refused and when, deleting."""

from __future__ import annotations

import pytest


@pytest.fixture
def group(api):
    """The id of a group without rules."""
    return api("createSecurityGroup", name="web", description="web servers")["securitygroup"]["id"]


def allow(api, group, direction="Ingress", **params):
    """Authorize, and give the new rules of both directions."""
    result = api.job(f"authorizeSecurityGroup{direction}", securitygroupid=group, **params)["securitygroup"]
    return result["ingressrule"], result["egressrule"]


def rules(api, group):
    (found,) = api("listSecurityGroups", id=group)["securitygroup"]
    return found.get("ingressrule"), found.get("egressrule")


def test_every_cidr_and_group_makes_a_rule_of_its_own(api, group):
    other = api("createSecurityGroup", name="other")["securitygroup"]
    source = {"usersecuritygrouplist__account": api.vars["account"], "usersecuritygrouplist__group": other["name"]}
    ingress, egress = allow(
        api, group, protocol="TCP", startport=22, endport=23, cidrlist="192.0.2.0/24,198.51.100.7/32", **source
    )
    assert egress == []
    assert {(rule["protocol"], rule["startport"], rule["endport"]) for rule in ingress} == {("tcp", 22, 23)}
    assert sorted(rule.get("cidr") or rule["securitygroupname"] for rule in ingress) == [
        "192.0.2.0/24",
        "198.51.100.7/32",
        "other",
    ]
    assert rules(api, group) == (ingress, [])


def test_ingress_and_egress_are_apart(api, group):
    same = {"protocol": "udp", "startport": 53, "endport": 53, "cidrlist": "0.0.0.0/0"}
    (_rule,), _none = allow(api, group, **same)
    _none, (egress,) = allow(api, group, "Egress", **same)
    assert [len(side) for side in rules(api, group)] == [1, 1]
    api.job("revokeSecurityGroupEgress", id=egress["ruleid"])
    assert [len(side) for side in rules(api, group)] == [1, 0]


def test_the_last_rule_takes_the_lists_with_it(api, group):
    (rule,), _none = allow(api, group, cidrlist="192.0.2.0/24")
    assert api.job("revokeSecurityGroupIngress", id=rule["ruleid"]) == {"success": True}
    assert rules(api, group) == (None, None)


def test_a_rule_of_the_other_direction_is_not_revoked(api, group, refused):
    (rule,), _none = allow(api, group, cidrlist="192.0.2.0/24")
    with refused(431):
        api.job("revokeSecurityGroupEgress", id=rule["ruleid"])
    assert rules(api, group)[0] == [rule]


def test_rules_that_are_there_are_left_out_and_nothing_new_is_a_failure(api, group, refused):
    ports = {"protocol": "tcp", "startport": 80, "endport": 80}
    allow(api, group, **ports, cidrlist="192.0.2.0/24")
    (new,), _none = allow(api, group, **ports, cidrlist="192.0.2.0/24,198.51.100.0/24,198.51.100.0/24")
    assert new["cidr"] == "198.51.100.0/24"
    with refused(530):
        allow(api, group, **ports, cidrlist="198.51.100.0/24,192.0.2.0/24")
    assert len(rules(api, group)[0]) == 2


@pytest.mark.parametrize(
    "params",
    [
        {"cidrlist": "192.0.2.0"},
        {"cidrlist": "192.0.2.0/33"},
        {"cidrlist": "256.0.2.0/24"},
        {"cidrlist": "2001:db8::/32"},
        {"cidrlist": "192.0.2.0/24,nonsense"},
        {"startport": -1},
        {"endport": 65536},
        {"startport": 100},
        {"protocol": "icmp"},
        {"protocol": "icmp", "icmptype": 256, "icmpcode": 0},
        {"protocol": "icmp", "icmptype": -1, "icmpcode": 0},
        {"protocol": "icmp", "icmptype": 0, "icmpcode": -2},
        {"protocol": "all"},
        {"protocol": "esp"},
        {"usersecuritygrouplist__account": "flatuser", "usersecuritygrouplist__group": "no-such"},
        {"usersecuritygrouplist__account": "nobody", "usersecuritygrouplist__group": "default"},
        {"usersecuritygrouplist__group": "default"},
    ],
)
def test_rules_that_make_no_sense_fail_in_the_job(api, group, refused, params):
    good = {"protocol": "tcp", "startport": 80, "endport": 80, "cidrlist": "192.0.2.0/24"}
    job = api("authorizeSecurityGroupIngress", securitygroupid=group, **{**good, **params})["jobid"]
    with refused(431):
        api.wait(job)
    assert rules(api, group) == (None, None)


def test_a_port_that_is_no_number_is_refused_at_once(api, group, refused):
    with refused(431):
        api("authorizeSecurityGroupIngress", securitygroupid=group, protocol="tcp", startport="ssh", endport=22)


def test_edges_that_are_taken(api, group):
    everywhere = {"cidrlist": "0.0.0.0/0"}
    (icmp,), _none = allow(api, group, protocol="icmp", icmptype=255, icmpcode=255, **everywhere)
    assert (icmp["icmptype"], icmp["icmpcode"]) == (255, 255)
    assert "startport" not in icmp
    (ports,), _none = allow(api, group, protocol="tcp", startport=0, endport=65535, **everywhere)
    assert (ports["startport"], ports["endport"]) == (0, 65535)
    (host,), _none = allow(api, group, protocol="tcp", startport=1, endport=1, cidrlist="192.0.2.1/24")
    assert host["cidr"] == "192.0.2.1/24"


def test_a_hundred_rules_in_one_call(api, group):
    cidrs = ",".join(f"10.0.{number}.0/24" for number in range(100))
    ingress, _none = allow(api, group, protocol="tcp", startport=443, endport=443, cidrlist=cidrs)
    assert len(ingress) == len(rules(api, group)[0]) == 100


def test_names_are_exact_but_for_case(api, group, refused):
    assert "securitygroup" not in api("listSecurityGroups", securitygroupname="we")
    assert [one["id"] for one in api("listSecurityGroups", keyword="we")["securitygroup"]] == [group]
    assert [one["id"] for one in api("listSecurityGroups", securitygroupname="Web")["securitygroup"]] == [group]
    with refused(431):
        api("createSecurityGroup", name="WEB")
    strange = api("createSecurityGroup", name="表 & <x> {{ y }}")["securitygroup"]
    assert api("listSecurityGroups", securitygroupname=strange["name"])["securitygroup"] == [strange]


def test_deleting(api, group, refused):
    other = api("createSecurityGroup", name="other")["securitygroup"]["id"]
    allow(api, group, usersecuritygrouplist__account="flatuser", usersecuritygrouplist__group="other")
    with refused(536):
        api("deleteSecurityGroup", id=other)
    assert api("deleteSecurityGroup", name="web") == {"success": "true"}
    assert api("deleteSecurityGroup", id=other) == {"success": "true"}
    with refused(431):
        api("deleteSecurityGroup", id=other)
    assert api.emulator.store.rules == {}


def test_a_group_may_name_itself_and_be_deleted(api, group):
    allow(api, group, usersecuritygrouplist__account="flatuser", usersecuritygrouplist__group="web")
    assert api("deleteSecurityGroup", id=group) == {"success": "true"}


def test_tags_show_only_beside_rules(api, group):
    tag = {"tags__key": "tier", "tags__value": "front"}
    api.job("createTags", resourceids=group, resourcetype="SecurityGroup", **tag)
    assert "tags" not in api("listSecurityGroups", id=group)["securitygroup"][0]
    allow(api, group, cidrlist="192.0.2.0/24")
    (found,) = api("listSecurityGroups", **tag)["securitygroup"]
    assert found["tags"] == [{"key": "tier", "value": "front"}]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups of the emulator: rules of all kinds, refusals, deleting."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

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
        {"startport": -1},
        {"endport": 65536},
        {"startport": 100},
        {"startport": -1, "endport": -1},
        {"startport": 70000, "endport": 80000},
        {"protocol": ""},
        {"protocol": " tcp"},
        {"protocol": "6"},
        {"protocol": "esp"},
        {"protocol": "all"},
        {"protocol": "icmp"},
        {"protocol": "icmp", "icmptype": 8},
        {"protocol": "ICMP", "icmptype": 256, "icmpcode": 0},
        {"protocol": "icmp", "icmptype": 8, "icmpcode": 256},
        {"protocol": "icmp", "icmptype": -1, "icmpcode": 0},
        {"protocol": "icmp", "icmptype": 0, "icmpcode": -1},
        {"protocol": "icmp", "icmptype": 8, "icmpcode": -1},
        {"protocol": "icmp", "icmptype": -2, "icmpcode": 0},
        {"usersecuritygrouplist__account": "flatuser", "usersecuritygrouplist__group": "no-such"},
        {"usersecuritygrouplist__account": "nobody", "usersecuritygrouplist__group": "default"},
        {"usersecuritygrouplist__group": "default"},
    ],
)
@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
def test_rules_that_make_no_sense_fail_in_the_job(api, group, refused, direction, params):
    good = {"protocol": "tcp", "startport": 80, "endport": 80, "cidrlist": "192.0.2.0/24"}
    job = api(f"authorizeSecurityGroup{direction}", securitygroupid=group, **{**good, **params})["jobid"]
    with refused(431):
        api.wait(job)
    assert rules(api, group) == (None, None)


NO_CIDRS = (
    "192.0.2.0",
    "192.0.2.0/33",
    "192.0.2.0/-1",
    "192.0.2.0/",
    "192.0.2/24",
    "192.0.2.0.0/24",
    "192.0.0002.0/24",
    "192.0.-1.0/24",
    "256.0.2.0/24",
    "2001:db8::/32",
    "::/0",
    "nonsense",
    " 192.0.2.0/24",
    "192.0.2.0/24 ",
    "192.0.2.0 /24",
)


@pytest.mark.parametrize("cidr", NO_CIDRS)
def test_a_bad_cidr_makes_all_of_ingress_fail(api, group, refused, cidr):
    with refused(431):
        allow(api, group, cidrlist=f"198.51.100.0/24,{cidr}")
    assert rules(api, group) == (None, None)


def test_egress_takes_any_text_for_a_cidr(api, group):
    _none, egress = allow(api, group, "Egress", cidrlist=",".join(NO_CIDRS))
    # The database compares them, so that a blank at the end makes no other rule; none of these is alike otherwise.
    assert [rule["cidr"] for rule in egress] == list(NO_CIDRS)


def test_a_text_beyond_the_column_of_cidrs_is_an_error_inside(api, group, refused):
    allow(api, group, "Egress", cidrlist="x" * 44)
    with refused(530):
        allow(api, group, "Egress", cidrlist="x" * 45)
    assert len(rules(api, group)[1]) == 1


@pytest.mark.parametrize("cidrs", ["", ",", ",,"])
def test_an_empty_list_of_cidrs_makes_no_rule(api, group, refused, cidrs):
    with refused(530):
        allow(api, group, cidrlist=cidrs)


def test_a_rule_without_cidr_and_group_is_refused(api, group, refused):
    with refused(431):
        allow(api, group)


def test_cidrs_are_kept_as_they_are_given(api, group):
    given = [
        "10.0.0.1/8",
        "10.0.0.2/8",
        "10.0.0.0/8",
        "010.000.000.000/08",
        "10.0.0.0/008",
        "+10.0.0.0/8",
        "1.2.3.4/0",
        "0.0.0.0/00",
        "10.0.0.0./8",
        "10.0.0.0/8/",
    ]
    ingress, _none = allow(api, group, cidrlist=",".join([*given, "", given[0]]))
    assert [rule["cidr"] for rule in ingress] == [rule["cidr"] for rule in rules(api, group)[0]] == given


def test_a_port_that_is_no_number_is_refused_at_once(api, group, refused):
    with refused(431):
        api("authorizeSecurityGroupIngress", securitygroupid=group, protocol="tcp", startport="ssh", endport=22)


def test_ports_and_types_at_the_edges_are_accepted(api, group):
    everywhere = {"cidrlist": "0.0.0.0/0"}
    (icmp,), _none = allow(api, group, protocol="Icmp", icmptype=255, icmpcode=255, **everywhere)
    assert (icmp["protocol"], icmp["icmptype"], icmp["icmpcode"]) == ("icmp", 255, 255)
    assert "startport" not in icmp
    (any_icmp,), _none = allow(api, group, protocol="icmp", icmptype=-1, icmpcode=-1, **everywhere)
    assert (any_icmp["icmptype"], any_icmp["icmpcode"]) == (-1, -1)
    for number, (ports, stored) in enumerate({(0, 0): (0, 65535), (0, 1): (0, 1), (1, 65535): (1, 65535)}.items()):
        (rule,), _none = allow(
            api, group, protocol="UDP", startport=ports[0], endport=ports[1], cidrlist=f"10.{number}.0.0/16"
        )
        assert (rule["protocol"], rule["startport"], rule["endport"]) == ("udp", *stored)


def test_no_ports_at_all_are_the_rule_of_all_ports(api, group, refused):
    allow(api, group, protocol="tcp", startport=0, endport=0, cidrlist="10.0.0.0/8")
    with refused(530):
        allow(api, group, protocol="tcp", startport=0, endport=65535, cidrlist="10.0.0.0/8")


def test_only_the_small_word_all_refuses_ports(api, group):
    (rule,), _none = allow(api, group, protocol="ALL", startport=104, endport=105, cidrlist="10.0.0.0/8")
    assert (rule["protocol"], rule["startport"], rule["endport"]) == ("all", 104, 105)


def test_sources_are_found_in_any_case_and_come_first_oldest_first(api, group, refused):
    for name in ("Ändern", "first"):
        api("createSecurityGroup", name=name)
    sources = {}
    for number, (account, name) in enumerate(
        [("FlatUser", "FIRST "), ("flatuser", "andern"), ("admin", "default"), ("FLATUSER", "first")]
    ):
        sources[f"usersecuritygrouplist[{number}].account"] = account
        sources[f"usersecuritygrouplist[{number}].group"] = name
    ingress, _none = allow(api, group, cidrlist="10.0.0.0/8", **sources)
    assert [(rule.get("account"), rule.get("securitygroupname")) for rule in ingress] == [
        ("admin", "default"),
        ("flatuser", "Ändern"),
        ("flatuser", "first"),
        (None, None),
    ]
    assert rules(api, group)[0] == ingress
    with refused(530):
        allow(api, group, usersecuritygrouplist__account="admin", usersecuritygrouplist__group="DEFAULT")


def test_a_rule_that_is_in_both_directions_can_be_added_to_the_second_again(api, group, refused):
    for direction in ("Ingress", "Egress", "Egress"):
        allow(api, group, direction, cidrlist="192.0.2.0/24")
    assert [len(side) for side in rules(api, group)] == [1, 2]
    with refused(530):
        allow(api, group, cidrlist="192.0.2.0/24")


def test_the_group_of_a_rule_is_looked_for_at_once(api, group, refused):
    good = {"protocol": "tcp", "startport": 80, "endport": 80, "cidrlist": "192.0.2.0/24"}
    for bad in (
        {},
        {"securitygroupid": group, "securitygroupname": "web"},
        {"securitygroupname": "no-such"},
        {"securitygroupname": "web", "account": "flatuser"},
        {"securitygroupname": "web", "account": "nobody", "domainid": 1},
        {"securitygroupname": "web", "account": "admin", "domainid": 1},
    ):
        with refused(431):
            api("authorizeSecurityGroupIngress", **good, **bad)
    for bad, code in (
        ({"securitygroupid": -1}, 431),
        ({"securitygroupname": "default", "account": "admin", "domainid": 1}, 531),
        ({"securitygroupid": 1}, 531),
    ):
        job = api("authorizeSecurityGroupIngress", **good, **bad)["jobid"]
        with refused(code):
            api.wait(job)
    api.job("authorizeSecurityGroupIngress", **good, securitygroupname="WEB ", account="FLATUSER", domainid=1)
    assert len(rules(api, group)[0]) == 1


def test_one_call_can_make_a_hundred_rules(api, group):
    cidrs = ",".join(f"10.0.{number}.0/24" for number in range(100))
    ingress, _none = allow(api, group, protocol="tcp", startport=443, endport=443, cidrlist=cidrs)
    assert len(ingress) == len(rules(api, group)[0]) == 100


# --- the lock of a group


def test_a_change_of_rules_sleeps_while_the_group_is_locked(emulate, refused):
    api = emulate(group_lock_seconds=0.6)
    one, two = (api("createSecurityGroup", name=name)["securitygroup"]["id"] for name in ("one", "two"))
    (rule,), _none = allow(api, one, cidrlist="192.0.2.0/24")
    locked = api.emulator.store.security_groups[one]
    locked.locked = True
    waiting = [
        api("authorizeSecurityGroupIngress", securitygroupid=one, cidrlist="198.51.100.0/24")["jobid"],
        api("revokeSecurityGroupIngress", id=rule["ruleid"])["jobid"],
    ]
    with refused(431):  # what is wrong is found without the lock
        allow(api, one, cidrlist="nonsense")
    allow(api, two, cidrlist="192.0.2.0/24")  # another group is not held up
    time.sleep(0.1)
    locked.locked = False
    allow(api, one, cidrlist="203.0.113.0/24")  # who comes now finds it free; the others sleep on
    assert [api("queryAsyncJobResult", jobid=job)["jobstatus"] for job in waiting] == [0, 0]
    for job in waiting:
        api.wait(job)
    assert [rule["cidr"] for rule in rules(api, one)[0]] == ["203.0.113.0/24", "198.51.100.0/24"]
    assert not locked.locked


def test_many_rules_at_once_are_all_made(emulate):
    api = emulate(group_lock_seconds=0.02)
    group = api("createSecurityGroup", name="one")["securitygroup"]["id"]
    jobs = [
        api("authorizeSecurityGroupIngress", securitygroupid=group, cidrlist=f"10.{number}.0.0/16")["jobid"]
        for number in range(10)
    ]
    made = {api.wait(job)["securitygroup"]["ingressrule"][0]["cidr"] for job in jobs}
    assert {rule["cidr"] for rule in rules(api, group)[0]} == made == {f"10.{number}.0.0/16" for number in range(10)}


def test_a_rule_that_is_revoked_twice_at_one_moment_goes_both_times(emulate, refused):
    api = emulate(group_lock_seconds=0.02)
    group = api("createSecurityGroup", name="one")["securitygroup"]["id"]
    (rule,), _none = allow(api, group, cidrlist="192.0.2.0/24")
    jobs = [api("revokeSecurityGroupIngress", id=rule["ruleid"])["jobid"] for _time in range(2)]
    assert [api.wait(job) for job in jobs] == [{"success": True}] * 2
    with refused(431):
        api("revokeSecurityGroupIngress", id=rule["ruleid"])


def test_a_job_fails_when_its_group_goes_while_it_waits(emulate, refused):
    api = emulate(group_lock_seconds=0.2)
    group = api("createSecurityGroup", name="one")["securitygroup"]["id"]
    (rule,), _none = allow(api, group, cidrlist="192.0.2.0/24")
    api.emulator.store.security_groups[group].locked = True
    jobs = [
        api("authorizeSecurityGroupEgress", securitygroupid=group, cidrlist="192.0.2.0/24")["jobid"],
        api("revokeSecurityGroupIngress", id=rule["ruleid"])["jobid"],
    ]
    time.sleep(0.1)
    gone = api.emulator.store.security_groups[group]
    api("deleteSecurityGroup", id=group)
    gone.locked = False
    for job in jobs:
        with refused(530):
            api.wait(job)
    assert api.emulator.store.rules == {}


# --- groups


def test_names_are_compared_as_the_database_does(api, group, refused):
    assert "securitygroup" not in api("listSecurityGroups", securitygroupname="we")
    assert [one["id"] for one in api("listSecurityGroups", keyword="we")["securitygroup"]] == [group]
    assert [one["id"] for one in api("listSecurityGroups", keyword="web serv")["securitygroup"]] == [group]
    for same in ("Web", "web ", "wéb"):
        assert [one["id"] for one in api("listSecurityGroups", securitygroupname=same)["securitygroup"]] == [group]
        with refused(431):
            api("createSecurityGroup", name=same)
    for name in ("表 & <x> {{ y }}", "", " web", "ＷＥＢ"):
        strange = api("createSecurityGroup", name=name)["securitygroup"]
        assert strange["name"] == name
        assert api("listSecurityGroups", securitygroupname=strange["name"])["securitygroup"] == [strange]
        assert api("deleteSecurityGroup", name=name) == {"success": "true"}


def test_a_plain_account_makes_groups_for_itself_only(api, refused):
    for params, code in (
        ({"account": "flatuser"}, 431),
        ({"domainid": 1}, 431),
        ({"account": "admin", "domainid": 1}, 531),
        ({"account": "nobody", "domainid": 1}, 531),
        ({"account": "FlatUser", "domainid": 1}, 531),
        ({"account": "flatuser", "domainid": -1}, 531),
    ):
        with refused(code):
            api("createSecurityGroup", name="one", **params)
    made = api("createSecurityGroup", name="one", account="flatuser", domainid=1)["securitygroup"]
    assert made["account"] == "flatuser"


def test_an_administrator_makes_a_group_for_another_account(emulate, refused):
    api = emulate(account="admin", neighbour=True)
    made = api("createSecurityGroup", name="one", account="Neighbour", domainid=1)["securitygroup"]
    assert made["account"] == "neighbour"
    with refused(431):
        api("createSecurityGroup", name="one", account="nobody", domainid=1)


def test_a_group_is_deleted_by_id_or_name_unless_a_rule_names_it(api, group, refused):
    other = api("createSecurityGroup", name="other")["securitygroup"]["id"]
    allow(api, group, usersecuritygrouplist__account="flatuser", usersecuritygrouplist__group="other")
    with refused(536):
        api("deleteSecurityGroup", id=other)
    assert api("deleteSecurityGroup", name="web") == {"success": "true"}
    assert api("deleteSecurityGroup", id=other) == {"success": "true"}
    with refused(431):
        api("deleteSecurityGroup", id=other)
    assert api.emulator.store.rules == {}


def test_a_rule_that_names_its_own_group_holds_it(api, group, refused):
    (rule,), _none = allow(api, group, usersecuritygrouplist__account="flatuser", usersecuritygrouplist__group="web")
    with refused(536):
        api("deleteSecurityGroup", id=group)
    api.job("revokeSecurityGroupIngress", id=rule["ruleid"])
    assert api("deleteSecurityGroup", id=group) == {"success": "true"}


def test_a_vm_holds_its_group_until_it_is_expunged(emulate, refused):
    api = emulate(expunge_seconds=0.4)
    group = api("createSecurityGroup", name="web")["securitygroup"]["id"]
    vm = api.running("one", securitygroupids=group)["id"]
    api.job("destroyVirtualMachine", id=vm)
    with refused(536):
        api("deleteSecurityGroup", id=group)
    assert [one["id"] for one in api("listSecurityGroups", virtualmachineid=vm)["securitygroup"]] == [group]
    time.sleep(0.4)
    assert api("deleteSecurityGroup", id=group) == {"success": "true"}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({}, 431),
        ({"id": -1}, 431),
        ({"id": -1, "name": "web"}, 431),
        ({"name": ""}, 431),
        ({"name": "w_b"}, 431),
        ({"name": "Default "}, 431),
        ({"name": "web", "account": "flatuser"}, 431),
        ({"name": "web", "account": "admin", "domainid": 1}, 431),
        ({"name": "web", "account": "flatuser", "domainid": -1}, 431),
        ({"id": 1}, 531),
        ({"name": "default", "account": "admin", "domainid": 1}, 531),
    ],
)
def test_wrong_names_and_the_default_group_are_not_deleted(api, group, refused, params, code):
    with refused(code):
        api("deleteSecurityGroup", **params)
    assert rules(api, group) == (None, None)


def test_a_group_is_named_by_id_or_by_name(api, group, refused):
    with refused(431):
        api("deleteSecurityGroup", id=group, name="web")
    assert api("deleteSecurityGroup", name="WEB ", account="FLATUSER", domainid=1) == {"success": "true"}


def test_the_groups_of_a_vm_are_listed_whatever_else_is_asked_for(emulate, refused):
    api = emulate(neighbour=True)
    two = [api("createSecurityGroup", name=name)["securitygroup"]["id"] for name in ("one", "two")]
    vm = api.running("one", securitygroupids=",".join(two))["id"]
    ignored = {"securitygroupname": "default", "keyword": "no", "account": "nobody", "page": 2, "pagesize": 1}
    found = api("listSecurityGroups", virtualmachineid=vm, id=api.vars["defaultsg"], **ignored)
    assert [one["id"] for one in found["securitygroup"]] == two
    with refused(431):
        api("listSecurityGroups", virtualmachineid=-1)
    with refused(531):
        api("listSecurityGroups", virtualmachineid=api.vars["foreignvm"])


def test_two_requests_at_one_moment_make_two_groups_of_a_name(emulate, refused):
    api = emulate(race_ms=150)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda name: api("createSecurityGroup", name=name)["securitygroup"], ["one", "One"]))
    shown = api("listSecurityGroups", securitygroupname="one")["securitygroup"]
    assert sorted(one["id"] for one in shown) == sorted(one["id"] for one in made)
    with refused(431):
        api("createSecurityGroup", name="one")
    api("deleteSecurityGroup", name="ONE")  # the first one made
    assert api("listSecurityGroups", securitygroupname="one")["securitygroup"] == shown[1:]


# --- tags


def test_a_listing_shows_the_tags_of_the_vm_with_the_same_row_number(emulate):
    api = emulate(neighbour=True)
    store = api.emulator.store
    own, others = {"tags__key": "tier", "tags__value": "front"}, {"tags__key": "whose", "tags__value": "the VM's"}
    group = api("createSecurityGroup", name="one")["securitygroup"]["id"]
    while (vm := store.vms[api.running(f"vm{len(store.vms)}")["id"]]).serial < store.security_groups[group].row:
        pass
    assert vm.serial == store.security_groups[group].row
    api.job("createTags", resourceids=group, resourcetype="SecurityGroup", **own)
    api.job("createTags", resourceids=vm.id, resourcetype="UserVm", **others)
    assert "tags" not in api("listSecurityGroups", id=group)["securitygroup"][0]
    allow(api, group, cidrlist="192.0.2.0/24")
    for vm.owner in ("flatuser", "neighbour"):
        # The filter works on the group's own tags, the answer shows others.
        (found,) = api("listSecurityGroups", **own)["securitygroup"]
        assert (found["id"], found["tags"]) == (group, [{"key": "whose", "value": "the VM's"}])
    assert "securitygroup" not in api("listSecurityGroups", **others)
    (tag,) = api("listTags", resourcetype="SecurityGroup", resourceid=group)["tag"]
    assert (tag["key"], tag["value"]) == ("tier", "front")


def test_rows_of_machines_are_in_the_names_of_their_disks(api):
    vms = [api.running(name)["id"] for name in ("one", "two")]
    numbers = [api.emulator.store.vms[id].serial for id in vms]
    assert numbers[1] == numbers[0] + 1
    shown = {volume["virtualmachineid"]: volume["name"] for volume in api("listVolumes")["volume"]}
    assert [shown[id] for id in vms] == [f"ROOT-{number}" for number in numbers]

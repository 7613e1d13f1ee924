# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups, tags, key pairs, offers and jobs of the emulator of CloudStack 4."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGmD3P0u6lQ0v5u8J4Y0k0T4m3Qe0i9Jm6X5l2bXk3dQ"


@pytest.fixture
def api(emulate: Callable[..., Any]) -> Any:
    return emulate(generation="4", job_seconds=0.02, neighbour=True)


@pytest.fixture
def group(api: Any) -> str:
    return api("createSecurityGroup", name="g")["securitygroup"]["id"]


def rule(group: str, **params: Any) -> dict[str, Any]:
    return {"securitygroupid": group, "protocol": "tcp", "startport": 22, "endport": 22, **params}


def shown(api: Any, group: str) -> dict[str, Any]:
    (found,) = api("listSecurityGroups", id=group)["securitygroup"]
    return found


# --- security groups


@pytest.mark.parametrize(
    "cidr", ["10.0.0.0/8", "10.0.0.1/8", "10.7.0.0/016", "::/0", "2001:db8::/32", "2001:db8::1/64"]
)
@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
def test_a_rule_takes_cidrs_of_both_families(api: Any, group: str, cidr: str, direction: str) -> None:
    api.job(f"authorizeSecurityGroup{direction}", **rule(group, cidrlist=cidr))
    assert [one["cidr"] for one in shown(api, group)[f"{direction.lower()}rule"]] == [cidr]


@pytest.mark.parametrize(
    "cidr",
    [
        "10.0.0.1",
        "10.0.0.1/33",
        "10.0.0.1/-1",
        "010.6.0.0/16",
        "10.9/16",
        "::",
        "::/129",
        " ::/0",
        "fe80::%1/64",
        "x/8",
    ],
)
@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
def test_another_cidr_is_refused_in_the_job(api: Any, group: str, cidr: str, direction: str, refused: Any) -> None:
    with refused(431):
        api.job(f"authorizeSecurityGroup{direction}", **rule(group, cidrlist=cidr))


@pytest.mark.parametrize(
    ("protocol", "shows"),
    [("47", ("47", 0, 0)), ("6", ("6", 0, 0)), (" UDP ", ("udp", 22, 22)), ("0", ("0", 0, 0)), ("255", ("255", 0, 0))],
)
def test_a_protocol_may_be_a_number(api: Any, group: str, protocol: str, shows: tuple[str, int, int]) -> None:
    api.job("authorizeSecurityGroupIngress", **rule(group, cidrlist="0.0.0.0/0", protocol=protocol))
    (made,) = shown(api, group)["ingressrule"]
    assert (made["protocol"], made["startport"], made["endport"]) == shows


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"protocol": "256"}, 431),
        ({"protocol": "sctp"}, 431),
        ({"protocol": "ALL"}, 431),
        ({"endport": ""}, 431),
        ({"protocol": "icmp"}, 530),
        ({"protocol": "icmp", "icmptype": 8, "icmpcode": -1}, 530),
        ({"protocol": "icmp", "icmptype": 256, "icmpcode": 0}, 530),
    ],
)
def test_what_a_rule_may_not_be(api: Any, group: str, params: dict[str, Any], code: int, refused: Any) -> None:
    with refused(code):
        api.job("authorizeSecurityGroupIngress", **rule(group, cidrlist="0.0.0.0/0", **params))


def test_a_group_shows_its_machines_its_tags_and_those_of_its_rules(api: Any, group: str) -> None:
    assert shown(api, group) | {"ingressrule": [], "egressrule": [], "virtualmachineids": []} == shown(api, group)
    api.job("createTags", resourceids=group, resourcetype="SecurityGroup", tags__key="k", tags__value="v")
    made = api.job("authorizeSecurityGroupIngress", **rule(group, cidrlist="0.0.0.0/0"))["securitygroup"]
    assert "tags" not in made["ingressrule"][0] and "virtualmachinecount" not in made
    vm = api.running("in-group", securitygroupids=group)["id"]
    found = shown(api, group)
    assert (found["virtualmachinecount"], found["virtualmachineids"]) == (1, [vm])
    assert found["ingressrule"][0]["tags"] == []
    assert {"key": "k", "value": "v", "domainpath": "ROOT/cloudn"}.items() <= found["tags"][0].items()


def test_a_rule_is_revoked_once_and_another_accounts_never(api: Any, group: str, refused: Any) -> None:
    made = api.job("authorizeSecurityGroupIngress", **rule(group, cidrlist="0.0.0.0/0"))
    id = made["securitygroup"]["ingressrule"][0]["ruleid"]
    assert api.job("revokeSecurityGroupIngress", id=id) == {"success": True}
    with refused(431):
        api("revokeSecurityGroupIngress", id=id)
    with refused(531):
        api("revokeSecurityGroupIngress", id=api.vars["foreignrule"])
    with refused(531):
        api("authorizeSecurityGroupIngress", **rule(api.vars["foreignsg"], cidrlist="0.0.0.0/0"))


# --- tags


@pytest.mark.parametrize("change", [{"tags__key": "no"}, {"tags__key": "k", "tags__value": "other"}])
def test_no_tag_to_delete_is_a_530_in_the_job(api: Any, group: str, change: dict[str, str], refused: Any) -> None:
    place = {"resourceids": group, "resourcetype": "SecurityGroup"}
    api.job("createTags", **place, tags__key="k", tags__value="v")
    with refused(530):
        api.job("deleteTags", **place, **change)
    assert api("listTags", resourceid=group)["count"] == 1


def test_tags_that_fail_with_a_530(api: Any, group: str, refused: Any) -> None:
    place = {"resourceids": group, "resourcetype": "SecurityGroup"}
    twice = {"tags[0].key": "a", "tags[0].value": "1", "tags[1].key": "a", "tags[1].value": "2"}
    for tags in (twice, {"tags[0].key": "a"}):
        with refused(530):
            api.job("createTags", **place, **tags)
    foreign = {"resourceids": api.vars["foreignvm"], "resourcetype": "UserVm"}
    for command in ("createTags", "deleteTags"):
        with refused(530):
            api.job(command, **foreign, tags__key="k", tags__value="v")
    assert "tag" not in api("listTags")


# --- key pairs


def test_a_public_key_is_there_once_and_a_pair_has_an_id(api: Any, refused: Any) -> None:
    pair = api("registerSSHKeyPair", name="one", publickey=PUBLIC_KEY)["keypair"]
    with refused(431):
        api("registerSSHKeyPair", name="two", publickey=f"{PUBLIC_KEY} comment")
    assert api("listSSHKeyPairs", id=pair["id"])["sshkeypair"] == [pair]
    assert api("listSSHKeyPairs", keyword="on")["count"] == 1
    assert "sshkeypair" not in api("listSSHKeyPairs", keyword="no-such")
    api("registerSSHKeyPair", name="any", publickey="ssh-rsa xxxx")
    assert [one["name"] for one in api("listSSHKeyPairs")["sshkeypair"]] == ["one", "any"]


def test_the_deletion_of_an_unknown_pair_names_the_domain(api: Any) -> None:
    error = api.raw("deleteSSHKeyPair", name="no-such").json()["deletesshkeypairresponse"]
    assert error["uuidList"] == [{"uuid": api("listAccounts")["account"][0]["domainid"], "description": "domainId"}]


def test_a_pair_in_use_may_go(api: Any) -> None:
    api("registerSSHKeyPair", name="used", publickey=PUBLIC_KEY)
    vm = api.running("with-key", keypair="used")["id"]
    api("deleteSSHKeyPair", name="used")
    assert api.vm(vm)["keypairs"] == "used"


# --- offers


@pytest.mark.parametrize(
    ("command", "kind"),
    [("listZones", "zone"), ("listServiceOfferings", "serviceoffering"), ("listDiskOfferings", "diskoffering")],
)
def test_offers_have_pages_and_filters(api: Any, command: str, kind: str) -> None:
    everything = api(command)
    pages = [api(command, page=number, pagesize=1) for number in range(1, everything["count"] + 1)]
    assert [page[kind][0] for page in pages] == everything[kind]
    assert {page["count"] for page in pages} == {everything["count"]}
    assert api(command, page=99, pagesize=1) == {"count": everything["count"]}
    last = everything[kind][-1]
    for wanted in ({"id": last["id"]}, {"name": last["name"].upper()}):
        assert api(command, **wanted)[kind] == [last]
    assert kind not in api(command, name=last["name"][1:])


def test_plans_for_a_machine_are_the_others_and_larger_ones_if_it_runs(api: Any) -> None:
    vm = api.running("planned", serviceofferingid=api.vars["medium"])["id"]
    larger = api("listServiceOfferings", virtualmachineid=vm)["serviceoffering"]
    assert [one["name"] for one in larger] == ["v2", "v4", "v8"]
    api.job("stopVirtualMachine", id=vm)
    others = api("listServiceOfferings", virtualmachineid=vm)["serviceoffering"]
    assert [one["name"] for one in others] == ["vQ", "v2", "v4", "v8"]


def test_os_types_are_found_by_id_and_by_row(api: Any) -> None:
    (one,) = api("listOsTypes", id="142")["ostype"]
    assert api("listOsTypes", id=one["id"])["ostype"] == [one]
    assert one["oscategoryname"] == "CentOS" and one["name"] == one["description"]


# --- jobs


def test_a_job_is_listed_only_while_it_is_pending(emulate: Callable[..., Any], refused: Any) -> None:
    api = emulate(generation="4", job_seconds=1, neighbour=True)
    job = api("createVolume", name="v", zoneid=api.vars["zone"], diskofferingid=api.vars["disk"])["jobid"]
    (pending,) = api("listAsyncJobs")["asyncjobs"]
    assert pending["jobid"] == job and pending["managementservername"] == "localhost"
    api.wait(job)
    assert api("listAsyncJobs") == {}
    assert api("queryAsyncJobResult", jobid=job)["jobstatus"] == 1
    with refused(531):
        api("queryAsyncJobResult", jobid=api.vars["foreignjob"])
    assert api.raw("queryAsyncJobResult").json()["queryasyncjobresultresponse"]["cserrorcode"] == 4350


@pytest.mark.parametrize(
    "since",
    [
        "2099-01-01",
        "2099-01-01 00:00:00",
        "2099-01-01T00:00:00Z",
        "2099-01-01T00:00:00+0000",
        "2099-01-01T00:00:00Z+0900",
    ],
)
def test_the_date_of_jobs_has_any_form(api: Any, since: str) -> None:
    assert api("listAsyncJobs", startdate=since) == {}


@pytest.mark.parametrize("since", ["x", "tomorrow", "01.02.2099"])
def test_what_is_no_date_is_refused(api: Any, since: str, refused: Any) -> None:
    with refused(431):
        api("listAsyncJobs", startdate=since)

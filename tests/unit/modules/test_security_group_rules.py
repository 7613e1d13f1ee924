# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of security groups as the service keeps them: CIDRs as given, names in any case, ports and codes that widen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE = "cloudn_security_group"
IN, OUT = "authorizeSecurityGroupIngress", "authorizeSecurityGroupEgress"
UN_IN, UN_OUT = "revokeSecurityGroupIngress", "revokeSecurityGroupEgress"
ANY = "0.0.0.0/0"
NO_IPV6 = pytest.mark.generation("3", reason="CloudStack 4 takes IPv6 in rules")


@pytest.fixture
def authorize(client: Client) -> Callable[..., None]:
    """Return a function that adds rules to a group as another client may, each by a request of its own."""

    def add(group: str, *cidrs: str, direction: str = "ingress", **other: Any) -> None:
        for cidr in cidrs:
            rule = {"protocol": "tcp", "startport": 22, "endport": 22, "cidrlist": [cidr], **other}
            job = client.call(f"authorizeSecurityGroup{direction.capitalize()}", {"securitygroupid": group, **rule})
            client.wait(job["jobid"])

    return add


@pytest.fixture
def group(client: Client, authorize: Run) -> Callable[..., str]:
    """Return a function that makes the group web with rules for tcp 22, as another client may, and returns its id."""

    def make(*cidrs: str, direction: str = "ingress") -> str:
        made = client.call("createSecurityGroup", {"name": "web"})["securitygroup"]["id"]
        authorize(made, *cidrs, direction=direction)
        return str(made)

    return make


@pytest.fixture
def cidrs(client: Client) -> Callable[..., list[str]]:
    """Return a function that reads the CIDRs of a group's rules back, as they are stored."""

    def look(direction: str = "ingress") -> list[str]:
        (group,) = client.list("listSecurityGroups", {"securitygroupname": "web"})
        return [rule["cidr"] for rule in group.get(direction + "rule", [])]

    return look


def ssh(*cidrs: str) -> list[Result]:
    return [{"ports": 22, "cidrs": list(cidrs)}]


ALIKE = ("10.0.0.1/8", "10.0.0.2/8", "10.0.0.0/8")
# What the service takes for egress, which it does not check; as recorded of CloudStack 3.0.5.
ODD = ("10.0.0.1", "10.0.0.1/32", "10.0.0.1/33", "10.0.0.1/-1", "::/0", "abc", "010.6.0.0/16")


# CIDRs that differ only beyond their prefix


def test_all_rules_that_are_alike_are_closed(beats: Run, group: Run, cidrs: Run) -> None:
    group(*ALIKE)
    done = beats(MODULE, [UN_IN] * 3, name="web", ingress=[])
    assert cidrs() == []
    assert done["diff"]["before"]["web"]["ingress"] == [f"tcp 22 10.0.0.{last}/8" for last in (0, 1, 2)]
    assert done["actions"] == [f"web: revoke ingress tcp 22 from 10.0.0.{last}/8" for last in (0, 1, 2)]


@pytest.mark.parametrize("given", ALIKE)
def test_a_rule_finds_its_own_among_rules_that_are_alike(beats: Run, group: Run, cidrs: Run, given: str) -> None:
    group(*ALIKE)
    done = beats(MODULE, [UN_IN] * 2, name="web", ingress=ssh(given))
    assert cidrs() == [given]
    assert done["diff"]["after"]["web"]["ingress"] == [f"tcp 22 {given}"]
    assert [rule["cidr"] for rule in done["security_group"]["ingress"]] == [given]


def test_two_given_rules_that_are_alike_are_both_kept(beats: Run, group: Run, cidrs: Run) -> None:
    group(*ALIKE)
    beats(MODULE, [UN_IN], name="web", ingress=ssh(*ALIKE[:2]))
    assert cidrs() == ["10.0.0.1/8", "10.0.0.2/8"]


def test_two_new_rules_that_are_alike_make_one_rule(beats: Run, cidrs: Run) -> None:
    beats(MODULE, ["createSecurityGroup", IN], name="web", ingress=ssh("10.0.0.2/8", "10.0.0.1/8", "10.0.0.1/8"))
    assert cidrs() == ["10.0.0.0/8"]


def test_a_rule_that_is_alike_is_enough(beats: Run, group: Run, cidrs: Run) -> None:
    group("10.0.0.1/8")
    beats(MODULE, [], name="web", ingress=ssh("10.0.0.9/8"))
    beats(MODULE, [], name="web", ingress=ssh("10.0.0.0/8"), purge_rules=False)
    assert cidrs() == ["10.0.0.1/8"]


def test_without_purge_all_that_are_alike_stay(beats: Run, group: Run, cidrs: Run) -> None:
    group(*ALIKE)
    beats(MODULE, [IN], name="web", ingress=ssh("10.0.0.7/8", "192.0.2.1"), purge_rules=False)
    assert cidrs() == [*ALIKE, "192.0.2.1/32"]


def test_the_normal_form_is_kept_where_none_is_as_given(beats: Run, group: Run, cidrs: Run) -> None:
    group(*ALIKE)
    beats(MODULE, [UN_IN] * 2, name="web", ingress=ssh("10.0.0.9/8"))
    assert cidrs() == ["10.0.0.0/8"]


@pytest.mark.generation("3", reason="CloudStack 4 refuses such rules")
def test_rules_that_the_service_does_not_check_are_closed_and_shown_as_stored(
    beats: Run, group: Run, cidrs: Run
) -> None:
    group(*ODD, direction="egress")
    shown = beats(MODULE, [], name="web")["security_group"]["egress"]
    assert [rule["cidr"] for rule in shown] == list(ODD)
    beats(MODULE, [UN_OUT] * 6, name="web", egress=ssh("10.0.0.1"))
    assert cidrs("egress") == ["10.0.0.1"]
    beats(MODULE, [], name="web", egress=ssh("10.0.0.1/32"))
    beats(MODULE, [UN_OUT], name="web", egress=[])
    assert cidrs("egress") == []


def test_the_double_of_a_rule_is_closed(beats: Run, group: Run, authorize: Run, cidrs: Run) -> None:
    """The service adds a rule again if an older rule of the other direction is alike."""
    authorize(group(ANY), ANY, ANY, direction="egress")
    assert cidrs("egress") == [ANY, ANY]
    beats(MODULE, [UN_OUT], name="web", egress=ssh(ANY))
    assert cidrs("egress") == cidrs() == [ANY]


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize(
    ("cidr", "said"),
    [
        (
            "10.0.0.1/0",
            "'10.0.0.1/0' is every address; give 0.0.0.0/0, or 10.0.0.1/32",
        ),
        ("10.0.0.1/0.0.0.0", "is every address; give"),
        ("010.0.0.0/8", "'010.0.0.0/8' is no IP network"),
        ("10.0.0.1/33", "is no IP network"),
        ("10.0.0.1/-1", "is no IP network"),
        ("10.9/16", "is no IP network"),
        ("10.8.0.0/", "is no IP network"),
        ("10.0.0.0/8,0.0.0.0/0", "is no IP network"),
        pytest.param("::/0", "this service is CloudStack 3, which has no IPv6 in rules", marks=NO_IPV6),
        ("", "[0].cidrs[0]: is empty; give a value, or remove this item of the list"),
    ],
)
def test_bad_cidrs_are_refused(refused: Run, direction: str, cidr: str, said: str) -> None:
    assert said in refused(MODULE, name="web", **{direction: ssh(cidr)})


@pytest.mark.parametrize("cidr", [ANY, " 0.0.0.0/0 ", "0.0.0.0/00"])
def test_every_address_can_be_written_in_several_forms(beats: Run, cidrs: Run, cidr: str) -> None:
    beats(MODULE, ["createSecurityGroup", IN], name="web", ingress=ssh(cidr))
    assert cidrs() == [ANY]


# Ports and codes that the service takes for more


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
@pytest.mark.parametrize("ports", ["0", "0-0", "00", "0 - 0", 0])
def test_port_0_would_open_all(refused: Run, direction: str, protocol: str, ports: str | int) -> None:
    told = refused(MODULE, name="web", **{direction: [{"protocol": protocol, "ports": ports, "cidrs": [ANY]}]})
    assert f"{direction}[0].ports: the service takes '{ports}' for all ports; give 0-65535, or a port" in told


def test_all_ports_and_ranges_from_port_0_are_accepted(beats: Run, client: Client) -> None:
    rules = [{"ports": "0-65535", "cidrs": [ANY]}, {"protocol": "udp", "ports": "0-80", "cidrs": [ANY]}]
    beats(MODULE, ["createSecurityGroup", IN, IN], name="web", ingress=rules)
    (group,) = client.list("listSecurityGroups", {"securitygroupname": "web"})
    ports = {(rule["startport"], rule["endport"]) for rule in group["ingressrule"]}
    assert ports == {(0, 65535), (0, 80)}


@pytest.mark.parametrize(
    ("icmp", "said"),
    [
        (
            {"icmp_type": 8},
            "icmp_code: icmp_type 8 needs one from 0 to 255; leave both out",
        ),
        ({"icmp_type": 8, "icmp_code": -1}, "icmp_code: icmp_type 8 needs one from 0 to 255"),
        ({"icmp_type": 0}, "icmp_code: icmp_type 0 needs one from 0 to 255"),
        ({"icmp_type": -1, "icmp_code": 0}, "icmp_code: 0 needs an icmp_type"),
        ({"icmp_code": 0}, "icmp_code: 0 needs an icmp_type"),
        ({"icmp_type": 8, "icmp_code": 256}, "icmp_code: must be 0 to 255"),
        ({"icmp_type": -2}, "icmp_type: must be 0 to 255"),
    ],
)
def test_icmp_types_that_the_service_does_not_take_are_refused(refused: Run, icmp: Result, said: str) -> None:
    assert said in refused(MODULE, name="web", ingress=[{"protocol": "icmp", "cidrs": [ANY], **icmp}])


@pytest.mark.parametrize(
    "icmp",
    [{}, {"icmp_type": -1}, {"icmp_code": -1}, {"icmp_type": 8, "icmp_code": 0}, {"icmp_type": 255, "icmp_code": 255}],
)
def test_icmp_types_that_the_service_takes_are_accepted(beats: Run, icmp: Result) -> None:
    beats(MODULE, ["createSecurityGroup", IN], name="web", ingress=[{"protocol": "icmp", "cidrs": [ANY], **icmp}])


@pytest.mark.generation("3", reason="CloudStack 4 refuses such rules")
def test_a_rule_of_all_protocols_with_ports_is_replaced(beats: Run, group: Run, authorize: Run) -> None:
    """The service keeps ports with `ALL`, and none with `all`."""
    authorize(group(), "192.0.2.0/24", protocol="ALL")
    done = beats(MODULE, [IN, UN_IN], name="web", ingress=[{"protocol": "all", "cidrs": ["192.0.2.0/24"]}])
    assert done["diff"]["before"]["web"]["ingress"] == ["all 22 192.0.2.0/24"]
    assert done["diff"]["after"]["web"]["ingress"] == ["all 192.0.2.0/24"]

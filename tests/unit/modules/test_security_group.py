# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_security_group: rules as a set, every option, every refusal, against the emulator."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from asked import sent_to
from samples import UNKNOWN

Result = dict[str, Any]
Run = Callable[..., Result]
IN, OUT = "authorizeSecurityGroupIngress", "authorizeSecurityGroupEgress"
UN_IN, UN_OUT = "revokeSecurityGroupIngress", "revokeSecurityGroupEgress"
MODULE = "cloudn_security_group"
ANY = "0.0.0.0/0"


@pytest.fixture
def make(run_module: Run, emulator: Any) -> Run:
    """Return a function that makes a security group and forgets the requests that took."""

    def play(name: str = "web", **options: Any) -> Result:
        result = run_module(MODULE, name=name, **options)
        assert not result.get("failed"), result
        emulator.clear()
        return result["security_group"]

    return play


@pytest.fixture
def rules(client: Client) -> Callable[..., set[str]]:
    """Return a function that reads a group's rules back, as short texts."""

    def look(name: str = "web", direction: str = "ingress") -> set[str]:
        (group,) = client.list("listSecurityGroups", {"securitygroupname": name})
        return {
            f"{rule['protocol']} {rule.get('startport', rule.get('icmptype'))}-{rule.get('endport', rule.get('icmpcode'))} "
            f"{rule.get('cidr') or rule.get('securitygroupname')}"
            for rule in group.get(direction + "rule", [])
        }

    return look


def tcp(ports: int | str, *cidrs: str) -> Result:
    return {"protocol": "tcp", "ports": str(ports), "cidrs": list(cidrs or [ANY])}


# States


def test_a_group_is_made_and_deleted(beats: Run, client: Client) -> None:
    done = beats(MODULE, ["createSecurityGroup"], name="web", description="Web servers")
    (group,) = client.list("listSecurityGroups", {"securitygroupname": "web"})
    assert group["description"] == done["security_group"]["description"] == "Web servers"
    assert done["security_group"]["id"] == group["id"]
    assert done["actions"] == ["web: create"]
    gone = beats(MODULE, ["deleteSecurityGroup"], name="web", state="absent")
    assert gone["security_group"]["state"] == "absent"
    assert client.list("listSecurityGroups", {"securitygroupname": "web"}) == []


def test_absent_of_a_missing_group_is_no_change(beats: Run) -> None:
    beats(MODULE, [], name="web", state="absent")


def test_a_group_is_found_by_its_id(beats: Run, make: Run, rules: Callable[..., set[str]]) -> None:
    made = make()
    beats(MODULE, [IN], name=made["id"], ingress=[tcp(80)])
    assert rules() == {"tcp 80-80 0.0.0.0/0"}


def test_names_are_exact(beats: Run, make: Run) -> None:
    make("web10")
    beats(MODULE, ["createSecurityGroup"], name="web1")


# Rules


def test_a_new_group_gets_its_rules(beats: Run, rules: Callable[..., set[str]], client: Client) -> None:
    client.call("createSecurityGroup", {"name": "lb"})
    done = beats(
        MODULE,
        ["createSecurityGroup", IN, IN, IN, IN, IN, OUT],
        name="web",
        ingress=[
            tcp(80, "192.0.2.0/24", "198.51.100.7"),
            {"protocol": "tcp", "ports": "8000-8100", "groups": [{"name": "lb"}]},
            {"protocol": "udp", "ports": "53", "cidrs": [ANY]},
            {"protocol": "icmp", "icmp_type": 8, "icmp_code": 0, "cidrs": [ANY]},
            {"protocol": "icmp", "cidrs": [ANY]},
        ],
        egress=[{"protocol": "all", "cidrs": [ANY]}],
    )
    assert rules() == {
        "tcp 80-80 192.0.2.0/24",
        "tcp 80-80 198.51.100.7/32",
        "tcp 8000-8100 lb",
        "udp 53-53 0.0.0.0/0",
        "icmp 8-0 0.0.0.0/0",
        "icmp -1--1 0.0.0.0/0",
    }
    assert rules(direction="egress") == {"all 0-0 0.0.0.0/0"}
    shown = done["security_group"]
    assert len(shown["ingress"]) == 6
    assert all(rule["id"] for rule in shown["ingress"] + shown["egress"])
    assert {rule["ports"] for rule in shown["ingress"]} == {"80", "8000-8100", "53", None}
    assert [rule["group"]["name"] for rule in shown["ingress"] if rule["group"]] == ["lb"]


def test_cidrs_of_a_rule_go_in_one_call(run_module: Run, emulator: Any) -> None:
    run_module(MODULE, name="web", ingress=[tcp(80, "192.0.2.0/24"), tcp(80, "198.51.100.0/24"), tcp(443)])
    calls = [r["params"] for r in emulator.requests if r["command"] == IN]
    assert sorted(call["cidrlist"] for call in calls) == ["0.0.0.0/0", "192.0.2.0/24,198.51.100.0/24"]


def test_order_and_repetition_do_not_matter(beats: Run, make: Run) -> None:
    make(ingress=[tcp(80, "192.0.2.0/24", "198.51.100.0/24"), tcp(22)])
    beats(
        MODULE, [], name="web", ingress=[tcp(22), tcp(22), tcp(80, "198.51.100.0/24", "192.0.2.0/24", "192.0.2.0/24")]
    )


def test_a_direction_not_given_is_left_alone_and_an_empty_one_emptied(beats: Run, make: Run, rules: Run) -> None:
    make(ingress=[tcp(80)], egress=[tcp(443)])
    beats(MODULE, [], name="web")
    beats(MODULE, [UN_IN], name="web", ingress=[])
    assert rules() == set()
    assert rules(direction="egress") == {"tcp 443-443 0.0.0.0/0"}
    beats(MODULE, [UN_OUT], name="web", egress=[])


def test_purge_rules_decides_whether_other_rules_go(beats: Run, make: Run, rules: Run) -> None:
    make(ingress=[tcp(80), tcp(22)])
    beats(MODULE, [IN], name="web", ingress=[tcp(443)], purge_rules=False)
    assert rules() == {f"tcp {port}-{port} 0.0.0.0/0" for port in (22, 80, 443)}
    done = beats(MODULE, [UN_IN, UN_IN], name="web", ingress=[tcp(443)])
    assert rules() == {"tcp 443-443 0.0.0.0/0"}
    assert done["diff"]["before"]["web"]["ingress"] == ["tcp 22 0.0.0.0/0", "tcp 80 0.0.0.0/0", "tcp 443 0.0.0.0/0"]
    assert done["diff"]["after"]["web"]["ingress"] == ["tcp 443 0.0.0.0/0"]
    assert [rule["ports"] for rule in done["security_group"]["ingress"]] == ["443"]


def test_a_new_rule_is_added_before_the_old_one_is_removed(make: Run, run_module: Run, emulator: Any) -> None:
    make(ingress=[tcp(80, "192.0.2.0/24")])
    run_module(MODULE, name="web", ingress=[tcp(80)])
    sent = [r["command"] for r in emulator.requests if r["command"] in (IN, UN_IN)]
    assert sent == [IN, UN_IN]


def test_one_of_several_sources_is_removed_alone(beats: Run, make: Run, rules: Run) -> None:
    make(ingress=[tcp(80, "192.0.2.0/24", "198.51.100.0/24")])
    beats(MODULE, [UN_IN], name="web", ingress=[tcp(80, "192.0.2.0/24")])
    assert rules() == {"tcp 80-80 192.0.2.0/24"}


def test_cidrs_are_normalised_and_that_is_said(run_module: Run, rules: Run, sent: Callable[[], list[str]]) -> None:
    done = run_module(MODULE, name="web", ingress=[tcp(80, "192.0.2.1/24")])
    assert any("192.0.2.1/24 has bits beyond its prefix; taken as 192.0.2.0/24" in text for text in done["warnings"])
    assert rules() == {"tcp 80-80 192.0.2.0/24"}
    sent()
    assert run_module(MODULE, name="web", ingress=[tcp(80, "192.0.2.99/24")])["changed"] is False
    assert sent() == []


def test_a_group_may_name_itself(beats: Run, rules: Run) -> None:
    beats(MODULE, ["createSecurityGroup", IN], name="db", ingress=[{"ports": "5432", "groups": [{"name": "db"}]}])
    assert rules("db") == {"tcp 5432-5432 db"}


def test_a_rule_can_have_groups_and_cidrs(beats: Run, client: Client, rules: Run, emulator: Any) -> None:
    client.call("createSecurityGroup", {"name": "lb"})
    rule = {"ports": "80", "cidrs": ["192.0.2.0/24"], "groups": [{"name": "lb", "account": emulator.vars["account"]}]}
    beats(MODULE, ["createSecurityGroup", IN, IN], name="web", ingress=[rule])
    assert rules() == {"tcp 80-80 192.0.2.0/24", "tcp 80-80 lb"}


def test_a_group_can_have_a_hundred_rules(beats: Run, rules: Run, emulator: Any) -> None:
    many = [tcp(port, "192.0.2.0/24", "198.51.100.0/24") for port in range(1000, 1100)]
    beats(MODULE, ["createSecurityGroup"] + [IN] * 100, name="web", ingress=many)
    assert len(rules()) == 200
    beats(MODULE, [UN_IN] * 2, name="web", ingress=many[:-1])
    assert len(rules()) == 198


def test_ingress_and_egress_are_apart(beats: Run, make: Run, rules: Run) -> None:
    make(ingress=[tcp(80)], egress=[tcp(80)])
    beats(MODULE, [UN_IN, IN], name="web", ingress=[tcp(81)], egress=[tcp(80)])
    assert rules(direction="egress") == {"tcp 80-80 0.0.0.0/0"}


# Tags and description


def test_tags_are_set_changed_and_deleted(beats: Run, make: Run) -> None:
    made = make(tags={"tier": "front"})
    assert made["tags"] == {"tier": "front"}
    beats(MODULE, ["deleteTags", "createTags"], name="web", tags={"tier": "back", "env": "x"})
    beats(MODULE, [], name="web")
    beats(MODULE, [], name="web", tags={"env": "x"}, purge_tags=False)
    beats(MODULE, ["deleteTags"], name="web", tags={"env": "x"})


def test_a_description_cannot_be_changed(make: Run, refused: Run, run_module: Run) -> None:
    make(description="old")
    told = refused(MODULE, name="web", description="new")
    assert "description is 'old', not 'new'. The service can't change that" in told
    warned = run_module(MODULE, name="web", description="new", on_immutable_drift="warn")
    assert not warned["changed"] and "description is 'old'" in warned["warnings"][0]
    assert run_module(MODULE, name="web", description="new", on_immutable_drift="ignore")["changed"] is False


# Refusals before anything is changed


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"ports": "80"}, "ingress[0]: needs cidrs or groups"),
        ({"cidrs": [ANY]}, "ingress[0].ports: are needed with protocol tcp; 0-65535 are all of them"),
        (
            {"ports": "90-80", "cidrs": [ANY]},
            "ingress[0].ports: '90-80' is neither a port (22) nor a range (8000-8100) up to 65535; did you mean '80-90'?",
        ),
        ({"ports": "65536", "cidrs": [ANY]}, "ports: '65536' is neither"),
        (
            {"ports": "80:90", "cidrs": [ANY]},
            "ports: '80:90' is neither a port (22) nor a range (8000-8100) up to 65535; did you mean '80-90'?",
        ),
        ({"ports": "tcp/22", "cidrs": [ANY]}, "did you mean '22'?"),
        (
            {"ports": "80,443", "cidrs": [ANY]},
            "ports: '80,443' is neither a port (22) nor a range (8000-8100) up to 65535",
        ),
        ({"ports": "80", "cidrs": ["nonsense"]}, "cidrs[0]: 'nonsense' is no IP network such as 192.0.2.0/24"),
        (
            {"ports": "80", "cidrs": ["192.0.2.0/33"]},
            "cidrs[0]: '192.0.2.0/33' is no IP network such as 192.0.2.0/24, or 2001:db8::/32 on CloudStack 4; did you mean '192.0.2.0/32'?",
        ),
        ({"ports": "80", "cidrs": [ANY, "010.0.0.0/8"]}, "ingress[0].cidrs[1]: '010.0.0.0/8' is no IP network"),
        ({"ports": "80", "cidrs": ["010.0.0.0/8"]}, "did you mean '10.0.0.0/8'?"),
        ({"ports": "80", "cidrs": ["10/8"]}, "did you mean '10.0.0.0/8'?"),
        ({"ports": "80", "cidrs": ["2001:db8::/129"]}, "did you mean '2001:db8::/128'?"),
        pytest.param(
            {"ports": "80", "cidrs": ["2001:db8::/32"]},
            "this service is CloudStack 3, which has no IPv6 in rules",
            marks=pytest.mark.generation("3", reason="CloudStack 4 takes IPv6 in rules"),
        ),
        ({"protocol": "all", "ports": "80", "cidrs": [ANY]}, "ports does not go with protocol all"),
        ({"protocol": "icmp", "ports": "80", "cidrs": [ANY]}, "ports does not go with protocol icmp"),
        ({"protocol": "tcp", "ports": "80", "icmp_type": 8, "cidrs": [ANY]}, "icmp_type does not go with protocol tcp"),
        ({"protocol": "icmp", "icmp_type": 256, "cidrs": [ANY]}, "icmp_type: must be 0 to 255, or -1 for any, not 256"),
        ({"protocol": "icmp", "icmp_code": 3, "cidrs": [ANY]}, "icmp_code: 3 needs an icmp_type"),
        (
            {"protocol": "gre", "cidrs": [ANY]},
            "ingress[0].protocol: 'gre' is not possible. The value of protocol must be one of: tcp, udp, icmp, all",
        ),
        ({"ports": "80", "groups": [{"name": "nope"}]}, "ingress[0].groups[0]: there is no security group 'nope'"),
    ],
)
def test_bad_rules_are_refused(refused: Run, client: Client, rule: Result, said: str) -> None:
    assert said in refused(MODULE, name="web", ingress=[rule])
    assert client.list("listSecurityGroups", {"securitygroupname": "web"}) == []


@pytest.mark.parametrize(("known", "hint"), [(True, "; did you mean '80'?"), (False, "")])
def test_the_name_of_a_port_is_looked_up_where_the_machine_knows_it(
    refused: Run, monkeypatch: pytest.MonkeyPatch, known: bool, hint: str
) -> None:
    """Debian has the names in a package of its own (netbase)."""

    def look_up(name: str, protocol: str) -> int:
        if known and (name, protocol) == ("http", "tcp"):
            return 80
        raise OSError("service/proto not found")

    monkeypatch.setattr(socket, "getservbyname", look_up)
    told = refused(MODULE, name="web", ingress=[{"ports": "HTTP", "cidrs": [ANY]}])
    assert f"ingress[0].ports: 'HTTP' is neither a port (22) nor a range (8000-8100) up to 65535{hint}" in told
    assert ("did you mean" in told) is known


def test_an_error_says_which_rule_is_bad(refused: Run) -> None:
    assert refused(MODULE, name="web", egress=[tcp(80), tcp("x")]).startswith("egress[1].ports: 'x'")


def test_the_default_group_can_have_rules_and_stays(refused: Run, beats: Run, rules: Run) -> None:
    assert "the group default can't be deleted" in refused(MODULE, name="default", state="absent")
    beats(MODULE, [IN], name="default", ingress=[tcp(22)])


def test_an_unknown_id_is_refused(refused: Run) -> None:
    assert f"there is no security group with the id {UNKNOWN}" in refused(MODULE, name=UNKNOWN)


# What it costs


def test_no_change_costs_one_request(make: Run, run_module: Run, emulator: Any) -> None:
    many = [tcp(port) for port in range(1000, 1100)]
    make(description="Web", ingress=many)
    assert run_module(MODULE, name="web", description="Web", ingress=many)["changed"] is False
    assert sent_to(emulator) == ["listSecurityGroups"]


def test_forty_new_rules_cost_three_requests_more(run_module: Run, emulator: Any) -> None:
    run_module(MODULE, name="web", ingress=[tcp(port) for port in range(1000, 1040)])
    commands = [r["command"] for r in emulator.requests if r["command"] not in ("listAsyncJobs", "queryAsyncJobResult")]
    assert len(commands) == 43  # a look before and one after the group was made, as another run may have made one too
    assert len(emulator.requests) - len(commands) <= 120  # how the jobs are, one after the other


@pytest.mark.parametrize("count", [1, 2])
def test_a_group_is_made_changed_and_deleted_in_xml(beats: Run, count: int) -> None:
    """XML has no lists: one rule is one element."""
    options = {"name": "web", "response_format": "xml"}
    many = [tcp(port) for port in range(80, 80 + count)]
    beats(MODULE, ["createSecurityGroup"] + [IN] * count + [OUT], ingress=many, egress=[tcp(443)], **options)
    beats(MODULE, [UN_IN] * count, ingress=[], **options)
    beats(MODULE, ["createTags"], tags={"only": "one"}, **options)
    beats(MODULE, ["deleteSecurityGroup"], state="absent", **options)

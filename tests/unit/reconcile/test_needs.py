# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What steps need of other plans, and in which order they can be sent: without any service."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import CloudnError
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import THIS, IdOf, Plan, Progress, Step, replace
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.graph import (
    ANSWERED,
    ENDED,
    FAILED,
    QUEUED,
    Graph,
    Node,
)
from small_site import keyed


def step(text: str, **more: Any) -> Step:
    return Step(text, text, more.pop("params", {}), **more)


def making(text: str) -> Step:
    return step(text, yields=replace, creates=True)


def look(text: str = "look") -> Step:
    return step(text, until=lambda _records, _progress: {}, joint=True, point="made")


def graph_of(*plans: Plan) -> Graph:
    return Graph([Progress(one) for one in plans], wait=True)


def texts(nodes: list[Node]) -> list[str]:
    return [node.step.text for node in nodes]


def end(graph: Graph, *wanted: str, state: str = ENDED) -> list[str]:
    """Let steps end, and return which ones can be sent then."""
    for node in graph.nodes:
        if node.step.text in wanted:
            node.state, node.broken = state, state == FAILED
    return texts(graph.ready())


def test_a_step_aside_needs_only_the_answer_and_nobody_waits_for_it() -> None:
    tag = step("tag", params={"resourceids": [THIS]}, many="resourceids", aside=True)
    graph = graph_of(Plan("web", None, [[making("create")], [look()], [tag], [step("rule")], [step("last")]]))
    assert texts(graph.ready()) == ["create"]
    assert end(graph, "create", state=ANSWERED) == ["tag"]
    assert end(graph, "create") == ["look"]
    assert end(graph, "look") == ["rule"]
    assert end(graph, "tag", state=FAILED) == []
    assert end(graph, "rule") == ["last"]


def test_a_step_aside_of_an_object_that_is_there_needs_nothing() -> None:
    graph = graph_of(Plan("web", {"id": "1"}, [[step("rule")], [step("tag", aside=True)], [step("last")]]))
    assert texts(graph.ready()) == ["rule", "tag"]


def test_who_needs_an_id_needs_that_the_object_stays() -> None:
    group = keyed("group", Plan("web", None, [[making("create")], [look()], [step("rule")]]))
    machine = Plan("web1", None, [[step("deploy", params={"securitygroupids": [IdOf("group")]})]])
    graph = graph_of(group, machine)
    graph.ready()
    assert end(graph, "create") == ["look"]
    assert end(graph, "look") == ["rule", "deploy"]


@pytest.mark.parametrize("need", ["group@made", "group@clear"])
def test_a_point_is_less_than_the_whole_plan(need: str) -> None:
    rules = [step("first", point="clear"), step("second", point="clear")]
    group = keyed("group", Plan("web", None, [[making("create")], [look()], rules, [step("last")]]))
    graph = graph_of(Plan("other", None, [[step("other", needs=(need,))]]), group)
    assert texts(graph.ready()) == ["create"]
    end(graph, "create")
    assert ("other" in end(graph, "look")) == (need == "group@made")
    assert end(graph, "first") == []
    assert ("other" in end(graph, "second")) == (need == "group@clear")


@pytest.mark.parametrize("need", ["group@made", "group@clear", "elsewhere", "elsewhere@made"])
def test_a_plan_without_such_steps_is_no_hindrance(need: str) -> None:
    group = keyed("group", Plan("web", {"id": "1"}, [[step("rule")]]))
    graph = graph_of(group, Plan("other", None, [[step("other", needs=(need,))]]))
    assert texts(graph.ready()) == ["rule", "other"]


@pytest.mark.parametrize("need", ["vm:me@work", "vm:me@work@made"])
def test_a_key_may_hold_the_sign_of_points(need: str) -> None:
    machine = keyed("vm:me@work", Plan("me@work", None, [[making("deploy")]]))
    graph = graph_of(machine, Plan("other", None, [[step("other", needs=(need,))]]))
    assert texts(graph.ready()) == ["deploy"]
    assert end(graph, "deploy") == ["other"]


def test_a_failed_rule_does_not_stop_who_needs_the_group_only() -> None:
    group = keyed("group", Plan("web", None, [[making("create")], [step("rule")]]))
    other = Plan("other", None, [[step("early", needs=("group@made",))], [step("late", needs=("group",))]])
    graph = graph_of(group, other)
    graph.ready()
    assert end(graph, "create") == ["rule", "early"]
    graph.nodes[1].progress.fail(CloudnError("no"), graph.nodes[1].step)
    assert end(graph, "rule", state=FAILED) == []
    assert end(graph, "early") == []
    assert "late: not sent, as web failed: no" in str(graph.nodes[-1].progress.error)


def test_a_cleanup_waits_for_the_end_of_what_it_undoes() -> None:
    """The machine stops while its next step is left out because of another plan. It must be started all the same."""
    machine = Plan(
        "web1", {"id": "1"}, [[step("stop")], [step("change", needs=("pair",))], [step("start", cleanup=True)]]
    )
    graph = graph_of(machine, keyed("pair", Plan("pair", None, [[step("register")]])))
    assert texts(graph.ready()) == ["stop", "register"]
    graph.nodes[-1].progress.fail(CloudnError("no"), graph.nodes[-1].step)
    assert end(graph, "register", state=FAILED) == []
    assert end(graph, "stop") == ["start"]


def test_a_cycle_is_shown_as_its_steps() -> None:
    first = keyed("a", Plan("a", None, [[step("a1")], [step("a2", needs=("b",))]]))
    second = keyed("b", Plan("b", None, [[step("b1", needs=("c",))]]))
    third = keyed("c", Plan("c", None, [[step("c1")], [step("c2", needs=("a",))]]))
    behind = Plan("d", None, [[step("d1", needs=("a",))]])
    found = texts(graph_of(behind, first, second, third).cycle())
    assert sorted(found) == ["a2", "b1", "c2"]
    turned = found[found.index("a2") :] + found[: found.index("a2")]
    assert turned == ["a2", "b1", "c2"]
    assert graph_of(behind, first, second).cycle() == []


def test_groups_whose_rules_name_each_other_are_no_cycle() -> None:
    plans = [
        keyed(one, Plan(one, None, [[making(f"create {one}")], [step(f"rule {one}", needs=(f"{other}@made",))]]))
        for one, other in ("ab", "ba")
    ]
    assert graph_of(*plans).cycle() == []


def test_edges_lead_from_what_is_needed_to_who_needs_it() -> None:
    group = keyed("group", Plan("web", None, [[making("create")], [step("rule")]]))
    machine = Plan("web1", None, [[step("deploy", needs=("group@made",))]])
    edges = [(one.step.text, other.step.text) for one, other in graph_of(group, machine).edges()]
    assert edges == [("create", "rule"), ("create", "deploy")]


def test_the_rank_of_a_step_is_the_number_of_changes_from_it_on() -> None:
    group = keyed("group", Plan("web", None, [[making("create")], [look()], [step("rule")]]))
    machine = keyed("vm", Plan("web1", None, [[step("deploy", needs=("group@made",))]]))
    volume = Plan("data", None, [[step("attach", needs=("vm",))]])
    ranks = {node.step.text: rank for node, rank in graph_of(group, machine, volume).ranks().items()}
    assert ranks == {"create": 3, "look": 2, "rule": 1, "deploy": 2, "attach": 1}


def test_ranks_also_hold_for_long_chains() -> None:
    chain = [step(str(number), in_turn=True) for number in range(3000)]
    graph = graph_of(Plan("web", None, [chain]))
    assert max(graph.ranks().values()) == 3000
    assert graph.cycle() == []


def test_what_waits_for_room_is_not_under_way() -> None:
    graph = graph_of(Plan("web1", None, [[making("deploy")]]))
    (node,) = graph.ready()
    node.state = QUEUED
    assert graph.under_way() == []
    assert not graph.is_ended(node.progress)

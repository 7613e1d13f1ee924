# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans of several kinds that run together: what waits for what, for room, and what a person sees."""

from __future__ import annotations

from typing import Any

from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, Deadline
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import Plan, Progress, Step
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.apply import Application, Bounds
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.graph import ANSWERED, ENDED, Graph
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.telling import told
from asked import sent_to
from small_site import applied, keyed, made, plans_of, sent


def seen(_records: list[Any], _progress: Progress) -> dict[str, Any]:
    return {}


LOOK = Step("look", "listSecurityGroups", {}, until=seen, joint=True)


def test_a_look_that_somebody_waits_for_does_not_wait_for_other_jobs(client: Client, emulator: Any) -> None:
    emulator.faults([{"kind": "job_hangs", "command": "createVolume"}])
    volume = plans_of(client)["volume"]
    volume.stages[1:] = [[LOOK]]
    group = made("createSecurityGroup", {"name": "web"}, "securitygroup")
    plans = [volume, Plan("web", None, [[group], [LOOK], [Step("pair", "createSSHKeyPair", {"name": "a"})]])]
    emulator.clear()
    applied(client, plans, seconds=1)
    assert "createSSHKeyPair" in sent(emulator)


def test_looks_behind_answers_that_come_at_the_same_time_are_one(client: Client, emulator: Any) -> None:
    plans = []
    for name in "abcdefgh":
        group = made("createSecurityGroup", {"name": name}, "securitygroup")
        plans.append(Plan(name, None, [[group], [LOOK], [Step("pair", "createSSHKeyPair", {"name": name})]]))
    emulator.clear()
    applied(client, plans)
    assert sent_to(emulator).count("listSecurityGroups") == 1


def test_looks_that_nobody_waits_for_wait_for_all_that_join_them(client: Client, emulator: Any) -> None:
    machine = plans_of(client)["machine"].stages[0][0]
    plans = []
    for number in range(5):
        params = {**machine.params, "name": f"web{number}", "securitygroupids": None}
        plans.append(Plan(f"web{number}", None, [[machine._replace(params=params)], [LOOK]]))
    progresses = [Progress(one) for one in plans]
    emulator.clear()
    Application(client, progresses, Deadline(60, client.clock), lambda _one: False, Bounds(jobs=2)).run()
    assert [one.error for one in progresses] == [None] * 5
    assert sent_to(emulator).count("listSecurityGroups") == 1


def test_a_failed_tag_holds_up_neither_the_rules_nor_who_needs_the_group(client: Client, emulator: Any) -> None:
    tag = Step("tag", "createTags", {"resourceids": ["no-such"]}, many="resourceids", aside=True)
    group = made("createSecurityGroup", {"name": "web"}, "securitygroup")
    rule = Step("pair", "createSSHKeyPair", {"name": "a"})
    plans = [
        keyed("web", Plan("web", None, [[group], [LOOK], [tag], [rule]])),
        Plan("other", None, [[Step("pair", "createSSHKeyPair", {"name": "b"}, needs=("web@made",))]]),
    ]
    done = applied(client, plans)
    assert done["other"].error is None and done["web"].error is not None
    assert sent(emulator).count("createSSHKeyPair") == 2


def test_no_room_for_machines_does_not_stop_volumes(run_module_as: Any) -> None:
    with run_module_as(limits={"instance": 0}) as (_run, emulator):
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        site = plans_of(client)
        volume = site["volume"]
        volume.stages[:] = [[Step("pair", "createSSHKeyPair", {"name": "a"})], volume.stages[0]]
        others = []
        for number in range(3):
            deploy = site["machine"].stages[0][0]
            params = {**deploy.params, "name": f"web{number}", "securitygroupids": None}
            others.append(keyed(f"web{number}", Plan(f"web{number}", None, [[deploy._replace(params=params)]])))
        progresses = [Progress(one) for one in [*others, volume]]
        Application(client, progresses, Deadline(60, client.clock), lambda _one: False, Bounds(1, 1)).run()
        assert progresses[-1].error is None
        assert sent(emulator).count("deployVirtualMachine") == 1
        assert "not tried, as the service has no room for web0: 0 of 3 fit" in progresses[1].error.message


def test_the_longest_chain_is_begun_first(client: Client, emulator: Any) -> None:
    """There is room for one job. The machine has the attachment behind it, the other volume has nothing."""
    site = plans_of(client)
    create = site["volume"].stages[0][0]
    lone = Plan("lone", None, [[create._replace(params={**create.params, "name": "lone"})]])
    machine = site["machine"]
    machine.stages[0][0].params.pop("securitygroupids")
    progresses = [Progress(one) for one in (lone, machine, site["volume"])]
    emulator.clear()
    Application(client, progresses, Deadline(60, client.clock), lambda _one: False, Bounds(jobs=1)).run()
    assert [one.error for one in progresses] == [None] * 3
    begun = [one["params"].get("name") for one in emulator.requests if one["command"].startswith(("create", "deploy"))]
    assert begun == ["web1", "data", "lone"]


def test_a_job_of_another_plan_is_waited_for_without_wait(client: Client, emulator: Any) -> None:
    """The volume is there long before the machine, whose job nobody else needs."""
    site = plans_of(client)
    site["volume"].stages[0] = [Step("pair", "createSSHKeyPair", {"name": "a"})]
    site["volume"].stages[1] = [Step("pair", "createSSHKeyPair", {"name": "b"}, needs=("machine",))]
    done = applied(client, [site["group"], site["machine"], site["volume"]], wait=False)
    assert [one.error for one in done.values()] == [None] * 3
    assert sent(emulator).count("createSSHKeyPair") == 2


def test_a_whole_is_told_by_its_steps() -> None:
    deploy = Step("deploy", "deployVirtualMachine", {}, creates=True)
    machine = Plan("web1", None, [[deploy], [LOOK]])
    machine.label = "vm web1"
    group = Plan("web", None, [[Step("create", "createSecurityGroup", {}, creates=True)], [LOOK]])
    progresses = [Progress(one) for one in (machine, group)]
    graph = Graph(progresses, wait=True)
    assert told(graph, progresses, 100.0, "site shop") == "site shop: 0 of 2 steps done"
    create, look = [node for node in graph.nodes if node.progress is progresses[1]]
    create.state, look.state, look.since = ENDED, ANSWERED, 99.0
    assert told(graph, progresses, 100.0, "site shop") == "site shop: 1 of 2 steps done, waits for look"
    graph.nodes[0].state, graph.nodes[0].since = ANSWERED, 88.0
    text = "site shop: 1 of 2 steps done, 1 running: vm web1 deploy 12 s"
    assert told(graph, progresses, 100.0, "site shop") == text
    assert told(graph, progresses, 100.0).startswith("0 of 2 done; ")

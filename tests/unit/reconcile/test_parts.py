# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several parts in one run: each plan is seen to by its own part, and names of different kinds may be the same."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, CloudnError, Deadline, UsageError
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import (
    New,
    Part,
    Plan,
    Planned,
    Progress,
    Report,
    Resource,
    Step,
    Task,
    replace,
    run_all,
)
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import plan as plan_module
from ansible_collections.cloudn.compute.plugins.module_utils.resources.volume.plan import kind as volume_kind
from asked import sent_to
from small_site import named, sent

Record = dict[str, Any]


@pytest.fixture(autouse=True)
def no_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "LAG", 0.0)


class Parts:
    """Two parts with objects of one name, and what they were asked to do."""

    def __init__(self, client: Client, check: bool = False) -> None:
        client.task_deadline = Deadline(20, client.clock)
        self.task = Task(client, {"wait": True}, client.task_deadline, check, [])
        self.view = copy.copy(client)
        self.said: list[tuple[Any, ...]] = []
        self.parts = {
            kind: Part(self.task, self.resource(kind), lambda _progress: self.view, self.finish(kind), {"of": kind})
            for kind in ("group", "pair")
        }
        self.stages: dict[str, list[list[Step]]] = {
            "group": [[self.step("group", "createSecurityGroup", "securitygroup")]],
            "pair": [[self.step("pair", "createSSHKeyPair", "keypair")]],
        }

    def step(self, text: str, command: str, returns: str) -> Step:
        return Step(text, command, {"name": "web"}, returns=returns, yields=replace, creates=True)

    def resource(self, kind: str) -> Resource:
        def find(task: Task) -> Record:
            listing = "listSecurityGroups" if kind == "group" else "listSSHKeyPairs"
            self.said.append(("find", kind, task.client is self.view))
            return {"web": next((one for one in task.client.list(listing) if one["name"] == "web"), None)}

        def plan(_task: Task, name: str, found: Any, lookups: Record) -> Plan:
            assert lookups == {"of": kind}
            return Plan(name, found, [] if found else self.stages[kind], {}, {kind: "there"})

        def lookup(task: Task, _found: Record) -> Record:
            return task.first

        def tell(what: str) -> Callable[..., None]:
            return lambda *args: self.said.append((what, kind))

        return Resource(
            check=lambda _options: None,
            find=find,
            lookup=lookup,
            plan=plan,
            to_result=lambda progress, _check: {"name": progress.name},
            describe=tell("describe"),
            conclude=tell("conclude"),
            tidy=tell("tidy"),
            catch=tell("catch"),
        )

    def finish(self, kind: str) -> Callable[[Plan], None]:
        return lambda plan: self.said.append(("finish", kind, plan.key, plan.label))

    def planned(self) -> list[Planned]:
        planned = []
        for kind, part in self.parts.items():
            plan = Plan("web", None, self.stages[kind], {}, {kind: "there"})
            plan.key, plan.label = f"{kind}:web", f"{kind} web"
            planned.append(Planned(part, plan))
        return planned


def test_objects_of_one_name_do_not_get_in_each_others_way(client: Client, emulator: Any) -> None:
    parts = Parts(client)
    emulator.faults([{"kind": "reset_after", "command": "createSecurityGroup", "nth": 1}])
    emulator.clear()
    progresses = run_all(parts.task, parts.planned)
    assert [one.error for one in progresses] == [None, None]
    assert sorted(sent(emulator)) == ["createSSHKeyPair", "createSecurityGroup"]
    assert parts.said == [
        ("catch", "group"),
        ("find", "group", True),
        ("finish", "group", "group:web", "group web"),
        *[(what, kind) for kind in ("group", "pair") for what in ("describe", "conclude")],
    ]
    diff = Report(progresses, lambda one, _check: {"name": one.name}).result()["diff"]
    assert diff["after"] == {"group web": {"group": "there"}, "pair web": {"pair": "there"}}


def test_each_part_tidies_up_its_own_failures(client: Client) -> None:
    parts = Parts(client)
    parts.stages["pair"] = [[Step("pair", "deleteVolume", {"id": "no-such-volume"})]]
    group, pair = run_all(parts.task, parts.planned)
    assert group.error is None and pair.error is not None
    assert [said for said in parts.said if said[0] == "tidy"] == [("tidy", "pair")]
    report = Report([group, pair], lambda one, _check: {"name": one.name})
    assert report.members("objects") == {"objects": report.objects()}


@pytest.mark.parametrize("check", [True, False])
def test_steps_that_wait_for_each_other_are_told_before_anything_is_sent(
    client: Client, emulator: Any, check: bool
) -> None:
    parts = Parts(client, check)
    for kind, other in (("group", "pair"), ("pair", "group")):
        parts.stages[kind][0][0] = parts.stages[kind][0][0]._replace(needs=(f"{other}:web@made",))
    emulator.clear()
    with pytest.raises(UsageError, match="needs the next one, so none of them can be done: group -> pair -> group"):
        run_all(parts.task, parts.planned)
    assert emulator.requests == []


def test_check_mode_sends_nothing(client: Client, emulator: Any) -> None:
    parts = Parts(client, check=True)
    emulator.clear()
    assert [one.actions for one in run_all(parts.task, parts.planned)] == [["group"], ["pair"]]
    assert emulator.requests == []


def test_one_listing_of_jobs_serves_all_new_objects_of_a_kind(client: Client, emulator: Any) -> None:
    zone, offering = named(client, "listZones", "jp-e1a"), named(client, "listDiskOfferings", "Small")
    parts = Parts(client)
    part = parts.parts["pair"]

    def planned() -> list[Planned]:
        plans = []
        for name in ("a", "b", "c"):
            params = {"name": name, "zoneid": zone, "diskofferingid": offering}
            step = Step(name, "createVolume", params, returns="volume", yields=replace, creates=True)
            new = New(volume_kind(), {"name": name}, lambda record, name=name: record.get("name") == name)
            plans.append(Planned(part, Plan(name, None, [[step]], new=new)))
        return plans

    emulator.clear()
    assert [one.error for one in run_all(parts.task, planned)] == [None] * 3
    before = sent_to(emulator)[: sent_to(emulator).index("createVolume")]
    assert before.count("listAsyncJobs") == 1


def test_an_error_names_what_people_call_the_object() -> None:
    progresses = []
    for kind in ("group", "pair"):
        plan = Plan("web", None, [])
        plan.label = f"{kind} web"
        progresses.append(Progress(plan))
        progresses[-1].fail(CloudnError(f"{kind}: no"))
    report = Report(progresses, lambda one, _check: {"name": one.name})
    assert report.failure()["msg"] == "2 of 2 failed: group web: group: no; pair web: pair: no"
    assert [label for label, _error in report.failures] == ["group web", "pair web"]

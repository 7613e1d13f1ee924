# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups that go together: their plans in the driver, what holds them afterwards, and what check mode foresees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, Deadline, Missing, UsageError
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import Plan, Progress, Task
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.apply import apply
from ansible_collections.cloudn.compute.plugins.module_utils.resources.security_group import held
from ansible_collections.cloudn.compute.plugins.module_utils.resources.security_group.going import (
    CLEAR,
    GOING,
    await_expunged,
    foresee,
    left,
    users,
)
from ansible_collections.cloudn.compute.plugins.module_utils.resources.security_group.held import Going
from asked import changes_sent_to, sent_to
from samples import NEW

Result = dict[str, Any]
Run = Callable[..., Result]
GROUP, VM = "cloudn_security_group", "cloudn_vm"
DELETE, UN_IN, UN_OUT = "deleteSecurityGroup", "revokeSecurityGroupIngress", "revokeSecurityGroupEgress"
CIDR = {"ports": 22, "cidrs": ["192.0.2.0/24"]}
UNSEEN = "a destroyed VM, until the service has expunged it, or a rule in a group of another account"
OPTIONS = {"wait_timeout": 60, "wait": True, "on_immutable_drift": "fail"}


def naming(*names: str) -> Result:
    return {"ports": 80, "groups": [{"name": name} for name in names]}


def task(client: Client, name: str) -> Task:
    return Task(client, {"name": name, **OPTIONS}, Deadline(60), False, [])


def plans(client: Client, *names: str) -> list[Plan]:
    """Find and plan each group, as the driver does."""
    tasks = [task(client, name) for name in names]
    return [GOING.plan(one, name, GOING.find(one)[name], {}) for one, name in zip(tasks, names, strict=True)]


def removed(client: Client, *names: str) -> list[Progress]:
    """Apply the plans of groups: first all rules go, then all groups, as a caller of the driver says by the point."""
    progresses = [Progress(plan) for plan in plans(client, *names)]
    stages = {progress: progress.plan.stages for progress in progresses}
    for point in (CLEAR, ""):
        for progress in progresses:
            progress.plan.stages = [stage for stage in stages[progress] if stage[0].point == point]
        apply(client, progresses, Deadline(60))
    return progresses


def groups(client: Client) -> dict[str, int]:
    """The groups that are there, with the numbers of their rules."""
    listed = client.list("listSecurityGroups")
    return {one["name"]: len(one.get("ingressrule", []) + one.get("egressrule", [])) for one in listed}


def machine_in(run: Run, group: str, name: str = "web1", destroyed: bool = False) -> str:
    """Make a machine in a group, and destroy it if asked. Return its id."""
    made = run(VM, name=name, security_groups=[group], **NEW)
    if destroyed:
        run(VM, name=name, state="absent")
    return str(made["vm"]["id"])


# Plans


def test_a_group_loses_its_rules_that_name_groups_before_it_goes(run_module: Run, client: Client) -> None:
    run_module(GROUP, name="web")
    made = run_module(GROUP, name="db", ingress=[naming("db", "web"), CIDR], egress=[naming("web")])
    (plan,) = plans(client, made["security_group"]["id"])
    assert [(step.command, step.point) for step in plan.steps] == [
        (UN_IN, CLEAR),
        (UN_IN, CLEAR),
        (UN_OUT, CLEAR),
        (DELETE, ""),
    ]
    assert all(step.in_turn for step in plan.stages[0])
    assert (plan.name, plan.after) == ("db", {"state": "absent"})


def test_a_group_that_is_not_there_needs_nothing(client: Client) -> None:
    (plan,) = plans(client, "web")
    assert (plan.stages, plan.before, plan.after) == ([], {}, {})


def test_the_group_default_stays_with_all_its_rules(client: Client, run_module: Run) -> None:
    run_module(GROUP, name="default", ingress=[naming("default")])
    about = task(client, "Default")
    plan = GOING.plan(about, "Default", GOING.find(about)["Default"], {})
    assert plan.stages == [] and plan.before == plan.after
    assert about.warnings == ["default was not deleted: the service keeps it in every account"]


def test_the_driver_deletes_a_group_and_nothing_the_second_time(run_module: Run, client: Client) -> None:
    run_module(GROUP, name="db", ingress=[naming("db"), CIDR])
    done = GOING.ensure(client, {"name": "db", **OPTIONS})
    assert not done.failures and done.changed
    assert done.objects()[0]["state"] == "absent"
    again = GOING.ensure(client, {"name": "db", **OPTIONS})
    assert not again.failures and not again.changed
    assert groups(client) == {"default": 0}


def test_groups_that_name_each_other_all_go(run_module: Run, client: Client, emulator: Any) -> None:
    run_module(GROUP, name="web")
    run_module(GROUP, name="db", ingress=[naming("web")])
    run_module(GROUP, name="web", ingress=[naming("db")])
    emulator.clear()
    progresses = removed(client, "web", "db")
    assert [one.error for one in progresses] == [None, None]
    assert sorted(changes_sent_to(emulator)) == [DELETE, DELETE, UN_IN, UN_IN]
    emulator.clear()
    assert left(client, progresses, Deadline(60)) == ([], [])
    assert sent_to(emulator) == []


# What holds them afterwards


def test_a_group_that_something_live_holds_is_an_error(run_module: Run, client: Client) -> None:
    run_module(GROUP, name="web")
    run_module(GROUP, name="lb", ingress=[naming("web")])
    machine_in(run_module, "web")
    (progress,) = removed(client, "web")
    assert left(client, [progress], Deadline(60)) == ([], [])
    assert progress.error and progress.error.code == 536
    assert progress.error.message.endswith("It is used by VMs web1 and by rules of lb")


def test_groups_that_destroyed_machines_hold_are_left_without_rules_that_name_groups(
    run_module: Run, client: Client, emulator: Any
) -> None:
    run_module(GROUP, name="web")
    run_module(GROUP, name="db", ingress=[naming("web"), CIDR])
    run_module(GROUP, name="free")
    machine_in(run_module, "web", destroyed=True)
    machine_in(run_module, "db", "db1", destroyed=True)
    progresses = removed(client, "web", "db", "free")
    emulator.clear()
    said = left(client, progresses, Deadline(60))
    assert sent_to(emulator) == ["listSecurityGroups", "listVirtualMachines"]
    assert [(one["name"], one["held_by"]) for one in said.left] == [("web", UNSEEN), ("db", UNSEEN)]
    assert [one["id"] for one in said.left] == [progresses[0].id, progresses[1].id]
    assert len(said.warnings) == 2 and said.warnings[0].startswith("web was not deleted: it is held by")
    assert [one.error for one in progresses] == [None] * 3
    account = emulator.vars["account"]
    rule = f"tcp 80 group web ({account})"
    assert [one.actions for one in progresses] == [
        [],
        [f"db: revoke ingress tcp 80 from group web ({account})"],
        ["free: delete"],
    ]
    web, db, _free = (one.plan for one in progresses)
    assert web.before == web.after == {"state": "present", "id": progresses[0].id}
    assert (db.before["ingress"], db.after["ingress"]) == (["tcp 22 192.0.2.0/24", rule], ["tcp 22 192.0.2.0/24"])
    assert GOING.to_result(progresses[1], False)["state"] == "present"
    assert groups(client) == {"default": 0, "web": 0, "db": 1}


def test_a_rule_that_came_meanwhile_is_revoked_from_a_group_that_is_left(run_module: Run, client: Client) -> None:
    run_module(GROUP, name="web")
    machine_in(run_module, "web", destroyed=True)
    (progress,) = removed(client, "web")
    run_module(GROUP, name="web", ingress=[naming("default")])
    progress.object = GOING.find(task(client, "web"))["web"]
    said = left(client, [progress], Deadline(60))
    assert len(said.left) == 1 and len(progress.actions) == 1 and progress.error is None
    assert groups(client)["web"] == 0


def test_other_errors_stay_and_cost_no_look(run_module: Run, client: Client, emulator: Any) -> None:
    run_module(GROUP, name="web")
    progress = Progress(plans(client, "web")[0])
    progress.fail(Missing("else"))
    emulator.clear()
    assert left(client, [progress], Deadline(60)) == ([], [])
    await_expunged(client, [progress], Deadline(60))
    assert sent_to(emulator) == []
    assert str(progress.error) == "else"


def test_it_is_an_error_if_nobody_knows_what_holds_a_group(run_module_as: Any) -> None:
    with run_module_as(job_seconds=0.02, denied=["listVirtualMachines"]) as (run, emulator):
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        run(GROUP, name="web")
        run(GROUP, name="lb", ingress=[naming("web")])
        (progress,) = removed(client, "web")
        assert left(client, [progress], Deadline(60)) == ([], [])
        assert progress.error and "It is not known what uses it: listVirtualMachines" in progress.error.message
        said = foresee(client, plans(client, "web"), Going())
        assert "It is not known what uses web: listVirtualMachines" in said.warnings[0]


# Waiting


def test_groups_are_waited_for_together(run_module_as: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "_SHORTEST_PAUSE", 0.3)
    with run_module_as(job_seconds=0.02) as (run, emulator):
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        for name in ("web", "db"):
            run(GROUP, name=name)
            machine_in(run, name, f"{name}1", destroyed=True)
        progresses = removed(client, "web", "db")
        assert [one.error and one.error.code for one in progresses] == [536, 536]
        emulator.store.settings.expunge_seconds = 1  # so that no slow machine expunges them before
        await_expunged(client, progresses, Deadline(60))
        assert [one.error for one in progresses] == [None, None]
        assert [one.actions for one in progresses] == [["web: delete"], ["db: delete"]]
        assert [GOING.to_result(one, False)["state"] for one in progresses] == ["absent", "absent"]
        assert groups(client) == {"default": 0}


def test_the_end_of_the_time_is_an_error(run_module: Run, client: Client) -> None:
    run_module(GROUP, name="web")
    machine_in(run_module, "web", destroyed=True)
    (progress,) = removed(client, "web")
    await_expunged(client, [progress], Deadline(0.2))
    assert progress.error and progress.error.code == 536
    assert f"It is held by {UNSEEN}" in progress.error.message


# Before the run


def test_the_users_of_groups_are_known_before_their_rules_go(run_module: Run, client: Client, emulator: Any) -> None:
    run_module(GROUP, name="web")
    run_module(GROUP, name="db", ingress=[naming("web")])
    run_module(GROUP, name="lb", ingress=[naming("db")])
    ours = machine_in(run_module, "web")
    machine_in(run_module, "db", "foreign")
    made = plans(client, "web", "db")
    ids = {plan.name: str(plan.found and plan.found["id"]) for plan in made}
    emulator.clear()
    found = users(client, made, Going(groups=ids.values(), destroyed=[ours]))
    assert found == {ids["db"]: "VMs foreign and by rules of lb"}
    assert sent_to(emulator) == ["listSecurityGroups", "listVirtualMachines"]


def test_check_mode_foresees_what_is_left(run_module: Run, client: Client, emulator: Any) -> None:
    """The machines of the site are there still, and the plan of each group is what the run will do."""
    for name in ("web", "db", "free", "used"):
        run_module(GROUP, name=name)
    run_module(GROUP, name="db", ingress=[naming("web"), CIDR])
    run_module(GROUP, name="lb", ingress=[naming("used")])
    destroyed = [machine_in(run_module, "web"), machine_in(run_module, "db", "db1")]
    expunged = [machine_in(run_module, "free", "free1")]
    names = ("web", "db", "free", "used")
    made = plans(client, *names)
    going = Going([str(plan.found and plan.found["id"]) for plan in made], destroyed, expunged)
    emulator.clear()
    said = foresee(client, made, going)
    assert sent_to(emulator) == ["listSecurityGroups", "listVirtualMachines"]
    assert [(one["name"], one["held_by"]) for one in said.left] == [
        ("web", "the destroyed VM web1, until the service has expunged it"),
        ("db", "the destroyed VM db1, until the service has expunged it"),
    ]
    assert said.warnings[2] == "used is used by rules of lb; the service deletes it only after these are gone"
    account = emulator.vars["account"]
    assert [plan.actions for plan in made] == [
        [],
        [f"db: revoke ingress tcp 80 from group web ({account})"],
        ["free: delete"],
        ["used: delete"],
    ]
    assert made[1].steps[0].point == CLEAR
    for name in ("web1", "db1", "free1"):
        run_module(VM, name=name, state="absent")
    progresses = removed(client, "web", "db")
    really = left(client, progresses, Deadline(60))
    assert [one["name"] for one in really.left] == ["web", "db"]
    assert [one.actions for one in progresses] == [plan.actions for plan in made[:2]]
    assert [(one.plan.before, one.plan.after) for one in progresses] == [(one.before, one.after) for one in made[:2]]


def test_check_mode_says_what_the_run_would_wait_for(run_module: Run, client: Client) -> None:
    run_module(GROUP, name="web")
    going = Going(destroyed=[machine_in(run_module, "web")])
    (plan,) = plans(client, "web")
    said = foresee(client, [plan], going, waits=True)
    assert said.left == [] and plan.actions == ["web: delete"]
    assert said.warnings == [
        "web is held by the destroyed VM web1, until the service has expunged it; the task waits for that"
    ]


def test_nothing_to_delete_costs_no_look(client: Client, emulator: Any) -> None:
    made = plans(client, "web", "default")
    emulator.clear()
    assert foresee(client, made, Going()) == ([], [])
    assert users(client, made, Going()) == {}
    assert sent_to(emulator) == []


def test_a_name_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(UsageError, match="name: has 256 characters"):
        GOING.check({"name": "x" * 256})

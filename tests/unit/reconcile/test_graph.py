# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of several plans that need each other: what is sent, in which order, and what is left out."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, Deadline, JobTimeout
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import Outrun, Plan, Progress, Step
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.recover import apply_until_clear
from small_site import applied, plans_of, sent

Record = dict[str, Any]


@pytest.fixture
def site(client: Client) -> dict[str, Plan]:
    return plans_of(client)


@pytest.mark.parametrize("order", [*itertools.permutations(["group", "machine", "volume"])], ids=" ".join)
def test_objects_are_made_in_the_order_in_which_they_need_each_other(
    client: Client, emulator: Any, site: dict[str, Plan], order: tuple[str, ...]
) -> None:
    emulator.clear()
    done = applied(client, [site[key] for key in order])
    assert [one.error for one in done.values()] == [None, None, None]
    commands = sent(emulator)
    assert sorted(commands) == ["attachVolume", "createSecurityGroup", "createVolume", "deployVirtualMachine"]
    assert commands.index("createSecurityGroup") < commands.index("deployVirtualMachine")
    assert commands[-1] == "attachVolume"
    assert done["volume"].object["vmname"] == "web1"
    (machine,) = client.list("listVirtualMachines")
    assert [group["id"] for group in machine["securitygroup"]] == [done["group"].id]


def test_an_id_is_enough_where_no_state_is_needed(client: Client, emulator: Any, site: dict[str, Plan]) -> None:
    """The id of a machine comes with the answer. Its job may run for ever."""
    emulator.faults([{"kind": "job_hangs", "command": "deployVirtualMachine"}])
    done = applied(client, [site["tag"], site["machine"], site["volume"], site["group"]], seconds=1)
    assert done["tag"].error is None
    assert isinstance(done["machine"].error, JobTimeout)
    assert "attachVolume" not in sent(emulator)
    (tag,) = client.list("listTags")
    assert (tag["resourceid"], tag["value"]) == (done["machine"].id, "web")


def test_an_object_that_is_there_needs_no_step(client: Client, emulator: Any, site: dict[str, Plan]) -> None:
    group = client.list("listSecurityGroups")[0]
    there = Plan("default", group, [])
    there.key = "group"
    done = applied(client, [site["machine"], there])
    assert done["machine"].error is None
    assert "createSecurityGroup" not in sent(emulator)


def test_a_failure_leaves_out_what_needs_the_object_and_nothing_else(
    client: Client, emulator: Any, site: dict[str, Plan]
) -> None:
    client.call("createSecurityGroup", {"name": "web"})  # so the service refuses another one
    emulator.clear()
    done = applied(client, list(site.values()))
    assert sorted(sent(emulator)) == ["createSecurityGroup", "createVolume"]
    for key, command in (("machine", "deployVirtualMachine"), ("volume", "attachVolume"), ("tag", "createTags")):
        assert str(done[key].error).startswith(f"{command}: not sent, as ")
    assert "web failed: createSecurityGroup" in str(done["machine"].error)
    assert [one["name"] for one in client.list("listVolumes")] == ["data"]


def test_steps_that_wait_for_each_other_end_with_an_error(client: Client, emulator: Any) -> None:
    plans = [
        Plan("a", None, [[Step("a", "createSSHKeyPair", {"name": "a"}, needs=("b",))]]),
        Plan("b", None, [[Step("b", "createSSHKeyPair", {"name": "b"}, needs=("a",))]]),
    ]
    done = applied(client, plans)
    assert "wait for it in turn" in str(done["a"].error)
    assert "wait for it in turn" in str(done["b"].error)
    assert sent(emulator) == []


def test_a_job_that_a_later_step_needs_is_waited_for_also_without_wait(
    client: Client, emulator: Any, site: dict[str, Plan]
) -> None:
    done = applied(client, [site["group"], site["machine"], site["volume"]], wait=False)
    assert [one.error for one in done.values()] == [None, None, None]
    assert sent(emulator)[-1] == "attachVolume"
    assert not done["machine"].jobs
    assert [step.command for step in done["volume"].jobs.values()] == ["attachVolume"]


def test_a_plan_that_is_outrun_goes_on_while_another_looks_on(client: Client, emulator: Any) -> None:
    """Both look in one request. What is clear for one of them is done at once: the other may wait for that."""

    def outrun(_records: list[Record], _progress: Progress) -> Record:
        raise Outrun("another run was first")

    def until_the_other_has_gone_on(_records: list[Record], _progress: Progress) -> Record | None:
        return {} if "createSSHKeyPair" in sent(emulator) else None

    looks = (outrun, until_the_other_has_gone_on)
    plans = [
        Plan(name, None, [[Step("look", "listSecurityGroups", {}, until=until, joint=True)]])
        for name, until in zip("ab", looks, strict=True)
    ]

    def replan(_progress: Progress) -> Plan:
        return Plan("a", None, [[Step("go on", "createSSHKeyPair", {"name": "a"})]])

    progresses = [Progress(one) for one in plans]
    apply_until_clear(client, progresses, Deadline(5, client.clock), replan)
    assert [one.error for one in progresses] == [None, None]
    assert progresses[0].actions == ["go on"]


def test_a_plan_that_needs_an_outrun_plan_goes_on_with_it(client: Client, emulator: Any) -> None:
    """The object of the other run has the id, and the new steps of the outrun plan come first."""

    def outrun(_records: list[Record], _progress: Progress) -> Record:
        raise Outrun("another run was first")

    first = Plan("first", None, [[Step("look", "listSecurityGroups", {}, until=outrun)]])
    second = Plan("second", None, [[Step("make", "createSSHKeyPair", {"name": "second"}, needs=("first",))]])

    def replan(_progress: Progress) -> Plan:
        return Plan("first", None, [[Step("go on", "createSSHKeyPair", {"name": "first"})]])

    progresses = [Progress(one) for one in (second, first)]
    emulator.clear()
    apply_until_clear(client, progresses, Deadline(5, client.clock), replan)
    assert [one.error for one in progresses] == [None, None]
    assert sorted(pair["name"] for pair in client.list("listSSHKeyPairs")) == ["first", "second"]
    assert sent(emulator) == ["createSSHKeyPair", "createSSHKeyPair"]


def test_equal_looks_of_several_plans_are_one_request(client: Client, emulator: Any) -> None:
    def seen(_records: list[Record], _progress: Progress) -> Record:
        return {}

    step = Step("look", "listSecurityGroups", {}, until=seen, joint=True)
    emulator.clear()
    done = applied(client, [Plan(str(number), None, [[step]]) for number in range(20)])
    assert [one.error for one in done.values()] == [None] * 20
    assert [one["command"] for one in emulator.requests] == ["listSecurityGroups"]

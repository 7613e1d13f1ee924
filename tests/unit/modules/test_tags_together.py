# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of many machines of one task take few requests. Each machine ends as after a request of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import plan
from asked import changes_sent_to, sent_to
from samples import NEW
from specs import good

Result = dict[str, Any]
Run = Callable[..., Result]
NAMES = ["web1", "web2", "web3"]


def ids(request: Result) -> list[str]:
    return str(request["params"]["resourceids"]).split(",")


def tagging(emulator: Any) -> list[tuple[str, int]]:
    """The commands about tags since the last look, each with the number of its objects; no object is named twice."""
    sent = [request for request in emulator.requests if request["command"] in ("createTags", "deleteTags")]
    emulator.clear()
    assert all(len(set(ids(request))) == len(ids(request)) for request in sent)
    return [(request["command"], len(ids(request))) for request in sent]


def shown(client: Client) -> dict[str, dict[str, str]]:
    """The tags of all machines, by the machines' names."""
    machines = client.list("listVirtualMachines")
    return {one["name"]: {tag["key"]: tag["value"] for tag in one.get("tags", [])} for one in machines}


@pytest.fixture
def on_request(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], None]], None]:
    """Return a function that does something once, just before the first request of a command is sent."""

    def arrange(command: str, act: Callable[[], None]) -> None:
        call = Client.call
        acts = [act]

        def acting(self: Client, sent: str, *args: Any, **more: Any) -> Result:
            if sent == command and acts:
                acts.pop()()
            return call(self, sent, *args, **more)

        monkeypatch.setattr(Client, "call", acting)

    return arrange


def test_two_hundred_machines_cost_two_requests(run_module_as: Any) -> None:
    with run_module_as(vms=200, job_seconds=0.02) as (run, emulator):
        names = sorted(vm.name for vm in emulator.store.vms.values())
        assert len(names) == 200
        told = good(run("cloudn_vm", name=names, tags={"fleet": "web"}, purge_tags=False, _check=True))
        assert tagging(emulator) == []
        done = good(run("cloudn_vm", name=names, tags={"fleet": "web"}, purge_tags=False))
        assert done["actions"] == told["actions"] == [f"{name}: set tags fleet=web" for name in names]
        assert tagging(emulator) == [("createTags", 100)] * 2
        assert all(vm["tags"]["fleet"] == "web" for vm in done["vms"])
        assert good(run("cloudn_vm", name=names, tags={"fleet": "web"}, purge_tags=False))["changed"] is False
        assert changes_sent_to(emulator) == []


def test_new_machines_are_tagged_when_all_have_their_ids(run_module_as: Any) -> None:
    names = [f"node{number:03}" for number in range(110)]
    with run_module_as(job_seconds=0.02) as (run, emulator):
        done = good(run("cloudn_vm", name=names, tags={"b": "1", "a": "2"}, max_parallel=4, max_jobs=110, **NEW))
        assert {tuple(vm["tags"].items()) for vm in done["vms"]} == {(("a", "2"), ("b", "1"))}
        assert len(done["actions"]) == 220
        assert changes_sent_to(emulator) == ["deployVirtualMachine"] * 110 + ["createTags"] * 2
        assert tagging(emulator) in (
            [("createTags", 100), ("createTags", 10)],
            [("createTags", 10), ("createTags", 100)],
        )


def test_each_set_of_tags_has_its_request(run_module: Run, emulator: Any, client: Client) -> None:
    good(run_module("cloudn_vm", name=["web1"], tags={"env": "test"}, **NEW))
    good(run_module("cloudn_vm", name=["web2"], tags={"role": "web"}, **NEW))
    tagging(emulator)
    wanted = {"role": "web", "env": "test"}
    done = good(run_module("cloudn_vm", name=[*NAMES, "web4"], tags=wanted, **NEW))
    assert sorted(tagging(emulator)) == [("createTags", 1), ("createTags", 1), ("createTags", 2)]
    assert done["actions"].count("web4: set tags role=web, env=test") == 1
    assert shown(client) == dict.fromkeys([*NAMES, "web4"], wanted)


def test_the_order_of_tags_makes_no_other_set(run_module: Run, emulator: Any, client: Client) -> None:
    good(run_module("cloudn_vm", name="web1", tags={"b": "old"}, **NEW))
    tagging(emulator)
    good(run_module("cloudn_vm", name=["web1", "web2"], tags={"a": "1", "b": "2"}, purge_tags=False, **NEW))
    assert tagging(emulator) == [("deleteTags", 1), ("createTags", 2)]
    assert shown(client) == dict.fromkeys(["web1", "web2"], {"a": "1", "b": "2"})


def test_changed_values_are_deleted_before_they_are_set(run_module: Run, emulator: Any, client: Client) -> None:
    """A value can't be set beside the old one: the job that deletes the old value must have ended."""
    good(run_module("cloudn_vm", name=NAMES, tags={"role": "web", "env": "test"}, **NEW))
    tagging(emulator)
    emulator.settings.job_seconds = 0.3
    emulator.jobs.take = _slow_deletion(emulator)
    told = good(run_module("cloudn_vm", name=NAMES, tags={"role": "db"}, _check=True))
    done = good(run_module("cloudn_vm", name=NAMES, tags={"role": "db"}))
    assert done["actions"] == told["actions"]
    assert tagging(emulator) == [("deleteTags", 3), ("createTags", 3)]
    assert shown(client) == dict.fromkeys(NAMES, {"role": "db"})


def _slow_deletion(emulator: Any) -> Callable[..., Any]:
    """Jobs that delete tags take twice as long as others, so that others overtake them."""
    take = emulator.jobs.take

    async def slow(share: float) -> None:
        deleting = any(job.command.endswith("DeleteTagsCmd") and not job.status for job in emulator.store.jobs.values())
        await take(share * 2 if deleting else share)

    return slow


def test_a_job_that_is_under_way_does_not_hold_up_the_tags_of_others(run_module: Run, emulator: Any) -> None:
    """Machines that are stopped for a change get their tags later."""
    good(run_module("cloudn_vm", name=NAMES, **NEW))
    good(run_module("cloudn_vm", name="web1", state="stopped"))
    emulator.clear()
    emulator.settings.job_seconds = 0.3
    options = {"service_offering": "v2", "allow_restart": True, "tags": {"a": "b"}}
    done = good(run_module("cloudn_vm", name=NAMES, **options))
    assert {vm["service_offering"] for vm in done["vms"]} == {"v2"}
    sent = changes_sent_to(emulator)
    assert tagging(emulator)[0] == ("createTags", 1)
    assert sent.index("createTags") < sent.index("startVirtualMachine")


@pytest.mark.parametrize("wait", [True, False])
def test_jobs_of_several_machines_are_returned_once(run_module: Run, emulator: Any, client: Client, wait: bool) -> None:
    emulator.settings.job_seconds = 0.3
    done = good(run_module("cloudn_vm", name=NAMES, tags={"role": "web"}, wait=wait, **NEW))
    assert tagging(emulator) == [("createTags", 3)]
    if wait:
        assert "jobs" not in done
    else:
        assert len(done["jobs"]) == len(set(done["jobs"])) == 4
        assert all(job["status"] == "done" for job in run_module("cloudn_job", jobs=done["jobs"])["jobs"])
    assert shown(client) == dict.fromkeys(NAMES, {"role": "web"})


def test_without_waiting_new_values_wait_for_old_ones_alone(run_module: Run, emulator: Any, client: Client) -> None:
    """Tags do not wait for the machines to start, which takes for ever here."""
    good(run_module("cloudn_vm", name=NAMES, state="stopped", tags={"role": "web"}, **NEW))
    emulator.faults([{"kind": "job_hangs", "command": "startVirtualMachine"}])
    done = good(run_module("cloudn_vm", name=NAMES, state="started", tags={"role": "db"}, wait=False))
    emulator.faults([])
    emulator.release_jobs()
    assert len(done["jobs"]) == 4  # each start, and the new tags of all
    good(run_module("cloudn_job", jobs=done["jobs"]))
    assert shown(client) == dict.fromkeys(NAMES, {"role": "db"})


# A bad id fails the whole job


def test_a_machine_that_vanishes_fails_alone(run_module: Run, emulator: Any, client: Client, on_request: Any) -> None:
    good(run_module("cloudn_vm", name=NAMES, **NEW))
    tagging(emulator)
    gone = {vm.name: vm.id for vm in emulator.store.vms.values()}["web2"]
    on_request("createTags", lambda: emulator.store.vms.pop(gone))
    done = run_module("cloudn_vm", name=NAMES, tags={"role": "web"})
    assert done["failed"] and done["changed"]
    assert done["msg"].startswith("1 of 3 failed: web2: ") and gone in done["msg"]
    assert ["error" in vm for vm in done["vms"]] == [False, True, False]
    assert tagging(emulator) == [("createTags", 3), ("createTags", 1), ("createTags", 1)]
    assert shown(client) == {"web1": {"role": "web"}, "web3": {"role": "web"}}


@pytest.mark.parametrize("command", ["createTags", "deleteTags"])
def test_a_job_that_fails_once_is_no_refusal(run_module: Run, emulator: Any, client: Client, command: str) -> None:
    good(run_module("cloudn_vm", name=NAMES, tags={"role": "web"}, **NEW))
    tagging(emulator)
    emulator.faults([{"kind": "job_fails", "command": command, "nth": [1]}])
    done = good(run_module("cloudn_vm", name=NAMES, tags={"role": "db"}))
    assert done["changed"] and "error" not in done["vms"][0]
    sent = tagging(emulator)
    assert [size for one, size in sent if one == command] == [3, 1, 1, 1]
    assert shown(client) == dict.fromkeys(NAMES, {"role": "db"})


def test_tags_that_are_refused_fail_each_object_alone(run_module: Run, emulator: Any, client: Client) -> None:
    good(run_module("cloudn_vm", name=NAMES, **NEW))
    tagging(emulator)
    emulator.faults([{"kind": "job_fails", "command": "createTags", "nth": [1, 3]}])
    done = run_module("cloudn_vm", name=NAMES, tags={"role": "web"}, max_parallel=1)
    assert done["msg"].startswith("1 of 3 failed: web2: createTags: job ")
    assert len(tagging(emulator)) == 4  # the refused one is not sent a third time
    assert {name for name, tags in shown(client).items() if tags} == {"web1", "web3"}


def test_tags_that_somebody_else_has_set_meanwhile_are_no_failure(
    run_module: Run, emulator: Any, client: Client, on_request: Any
) -> None:
    """The key that is there already fails the job for all."""
    good(run_module("cloudn_vm", name=NAMES, **NEW))
    tagging(emulator)
    first = client.list("listVirtualMachines", {"name": "web1"})[0]["id"]
    other = Client(emulator.url, emulator.api_key, emulator.api_secret)

    def set_by_another() -> None:
        params = {"resourceids": [first], "resourcetype": "UserVm", "tags": {"role": "web"}}
        other.wait(other.call("createTags", params)["jobid"])

    on_request("createTags", set_by_another)
    good(run_module("cloudn_vm", name=NAMES, tags={"role": "web"}))
    assert tagging(emulator) == [("createTags", 1), ("createTags", 3), ("createTags", 1), ("createTags", 1)]
    assert shown(client) == dict.fromkeys(NAMES, {"role": "web"})


def test_an_account_without_tags_gets_one_error(run_module_as: Any) -> None:
    with run_module_as(denied=["createTags"]) as (run, emulator):
        good(run("cloudn_vm", name=NAMES, **NEW))
        emulator.clear()
        done = run("cloudn_vm", name=NAMES, tags={"role": "web"})
        assert done["msg"].startswith("3 of 3 failed: web1, web2, web3: createTags: ")
        assert changes_sent_to(emulator) == ["createTags"]


# An answer that is lost


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "late", "cut"])
@pytest.mark.parametrize("command", ["createTags", "deleteTags"])
def test_a_lost_answer_neither_doubles_nor_loses_tags(
    run_module: Run, emulator: Any, client: Client, monkeypatch: pytest.MonkeyPatch, command: str, kind: str
) -> None:
    monkeypatch.setattr(plan, "LAG", 0.3)  # the job goes on for a moment
    good(run_module("cloudn_vm", name=NAMES, tags={"role": "web"}, **NEW))
    tagging(emulator)
    seconds = {"seconds": 1} if kind == "late" else {}
    emulator.faults([{"kind": kind, "command": command, "nth": [1], **seconds}])
    done = good(run_module("cloudn_vm", name=NAMES, tags={"role": "db"}, api_timeout=0.5))
    assert done["changed"]
    assert shown(client) == dict.fromkeys(NAMES, {"role": "db"})
    deadline = time.monotonic() + 5
    while kind == "late" and command not in changes_sent_to(emulator) and time.monotonic() < deadline:
        time.sleep(0.02)  # it is written down when its answer has been sent
    sent = tagging(emulator)
    assert all(size == 3 for _command, size in sent)
    assert sent.count((command, 3)) == (2 if kind == "reset_before" else 1)
    assert good(run_module("cloudn_vm", name=NAMES, tags={"role": "db"}))["changed"] is False
    assert changes_sent_to(emulator) == []


def test_finding_out_does_not_list_all_jobs_for_each_machine(run_module: Run, emulator: Any) -> None:
    """Jobs about tags name no machine, and an old machine has many jobs."""
    good(run_module("cloudn_vm", name=NAMES, **NEW))
    emulator.clear()
    emulator.faults([{"kind": "reset_after", "command": "createTags", "nth": [1]}])
    good(run_module("cloudn_vm", name=NAMES, tags={"role": "web"}))
    assert "listAsyncJobs" not in sent_to(emulator)


def test_a_job_that_is_forgotten_is_looked_up_for_each(run_module: Run, emulator: Any, client: Client) -> None:
    good(run_module("cloudn_vm", name=NAMES, **NEW))
    tagging(emulator)
    emulator.faults([{"kind": "job_lost", "command": "createTags", "nth": [1]}])
    done = good(run_module("cloudn_vm", name=NAMES, tags={"role": "web"}))
    assert done["changed"]
    assert tagging(emulator)[0] == ("createTags", 3)
    assert shown(client) == dict.fromkeys(NAMES, {"role": "web"})


def test_a_lost_deployment_does_not_hold_up_the_tags_of_others(run_module: Run, emulator: Any, client: Client) -> None:
    emulator.faults([{"kind": "reset_after", "command": "deployVirtualMachine", "nth": [2]}])
    good(run_module("cloudn_vm", name=NAMES, tags={"role": "web"}, api_timeout=0.5, max_parallel=1, **NEW))
    assert tagging(emulator) == [("createTags", 2), ("createTags", 1)]
    assert shown(client) == dict.fromkeys(NAMES, {"role": "web"})

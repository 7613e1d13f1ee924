# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_affinity_group: groups that decide which machines run on one host."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asked import changes_sent_to, sent_to
from cloudn_emulator import Emulator
from samples import NEW

Result = dict[str, Any]
MODULE, INFO = "cloudn_affinity_group", "cloudn_affinity_group_info"
CREATE, DELETE = "createAffinityGroup", "deleteAffinityGroup"


@pytest.fixture
def emulator() -> Iterator[Any]:
    """CloudStack 4 with short jobs and a plain account."""
    with Emulator(generation="4", job_seconds=0.05) as running:
        yield running


@pytest.mark.parametrize("more", [{}, {"type": "host affinity"}, {"description": "never on one host"}])
def test_a_group_is_made_once(run_module: Callable[..., Result], beats: Callable[..., Result], more: Result) -> None:
    made = beats(MODULE, [CREATE], name="apart", **more)["affinity_group"]
    assert made["state"] == "present" and made["type"] == more.get("type", "host anti-affinity")
    (listed,) = run_module(INFO, name="apart")["affinity_groups"]
    assert listed == made
    beats(MODULE, [], name=made["id"], **more)


def test_a_group_is_deleted_by_name_or_id(beats: Callable[..., Result]) -> None:
    for way in ("name", "id"):
        made = beats(MODULE, [CREATE], name="apart")["affinity_group"]
        done = beats(MODULE, [DELETE], name=made[way], state="absent")
        assert done["affinity_group"]["state"] == "absent"
    beats(MODULE, [], name="apart", state="absent")


def test_a_used_group_is_deleted_only_by_force(
    run_module: Callable[..., Result], beats: Callable[..., Result], refused: Callable[..., str]
) -> None:
    beats(MODULE, [CREATE], name="apart")
    machine = run_module("cloudn_vm", name="web1", affinity_groups=["apart"], **NEW)["vm"]
    assert run_module(INFO)["affinity_groups"][0]["vm_ids"] == [machine["id"]]
    message = refused(MODULE, name="apart", state="absent")
    assert f"VMs are in the affinity group apart: web1 ({machine['id']})" in message
    assert "force: true" in message
    beats(MODULE, [DELETE], name="apart", state="absent", force=True)
    assert run_module("cloudn_vm_info", name="web1")["vms"][0]["affinity_groups"] == []


@pytest.mark.parametrize("given", [{"type": "host affinity"}, {"description": "another"}])
def test_nothing_changes_a_group(
    run_module: Callable[..., Result], beats: Callable[..., Result], refused: Callable[..., str], given: Result
) -> None:
    beats(MODULE, [CREATE], name="apart", description="one")
    option = next(iter(given))
    message = refused(MODULE, name="apart", **given)
    assert f"{option} is " in message and "can't change that on an existing affinity group" in message
    assert run_module(MODULE, name="apart", on_immutable_drift="warn", **given)["warnings"]
    assert run_module(MODULE, name="apart", on_immutable_drift="ignore", **given)["warnings"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": " "}, "name: is empty; give a value"),
        ({"name": "apart", "type": ""}, "type: is empty; give a value"),
        ({"name": "0f8fad5b-d9cb-469f-a165-70867728950e"}, "name: there is no affinity group with the id"),
    ],
)
def test_bad_options_are_refused(refused: Callable[..., str], options: Result, message: str) -> None:
    assert message in refused(MODULE, **options)


def test_an_unknown_type_fails_with_the_words_of_the_service(run_module: Callable[..., Result]) -> None:
    failed = run_module(MODULE, name="apart", type="host friendship")
    assert failed["failed"] and "invalid affinity group type" in failed["msg"]


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "job_lost"])
@pytest.mark.parametrize("command", [CREATE, DELETE])
def test_an_answer_may_be_lost(run_module: Callable[..., Result], emulator: Any, fault: str, command: str) -> None:
    state = "present" if command == CREATE else "absent"
    if command == DELETE:
        assert run_module(MODULE, name="apart")["changed"]
    emulator.faults([{"kind": fault, "command": command, "times": 1}])
    done = run_module(MODULE, name="apart", state=state)
    assert not done.get("failed"), done
    assert done["changed"]
    assert len(emulator.store.affinity_groups) == (command == CREATE)
    assert run_module(MODULE, name="apart", state=state)["changed"] is False


def test_an_unchanged_task_costs_one_request(run_module: Callable[..., Result], emulator: Any) -> None:
    run_module(MODULE, name="apart")
    emulator.clear()
    assert run_module(MODULE, name="apart")["changed"] is False
    assert sent_to(emulator) == ["listAffinityGroups"]


def test_another_run_may_make_it_first(emulator: Any, client: Any) -> None:
    """Both runs go on with the one group that the service has made."""
    from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
    from ansible_collections.cloudn.compute.plugins.module_utils.resources.affinity_group import RESOURCE

    options = {"name": "apart", "state": "present", "type": "host anti-affinity", "force": False, "wait_timeout": 30}
    options |= {"on_immutable_drift": "fail", "wait": True}
    failures: list[Any] = []

    def run() -> None:
        own = Client(emulator.url, emulator.api_key, emulator.api_secret)
        failures.extend(RESOURCE.ensure(own, dict(options)).failures)

    threads = [threading.Thread(target=run) for _run in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == [] and len(emulator.store.affinity_groups) == 1


@pytest.mark.parametrize("force", [False, True])
def test_machines_are_listed_only_if_a_group_with_some_would_go(
    run_module: Callable[..., Result], emulator: Any, force: bool
) -> None:
    for name in ("empty", "apart"):
        run_module(MODULE, name=name)
    run_module("cloudn_vm", name="web1", affinity_groups=["apart"], **NEW)
    emulator.clear()
    run_module(MODULE, name="empty", state="absent", force=force)
    assert "listVirtualMachines" not in sent_to(emulator)
    emulator.clear()
    assert run_module(MODULE, name="apart", state="absent", force=force).get("failed", False) is not force
    assert ("listVirtualMachines" in sent_to(emulator)) is not force


def test_a_destroyed_machine_does_not_hold_a_group(
    run_module: Callable[..., Result], beats: Callable[..., Result]
) -> None:
    run_module(MODULE, name="apart")
    for name in ("web1", "web2"):
        run_module("cloudn_vm", name=name, affinity_groups=["apart"], **NEW)
    run_module("cloudn_vm", name="web1", state="absent")
    message = run_module(MODULE, name="apart", state="absent")["msg"]
    assert "web2 (" in message and "web1" not in message
    run_module("cloudn_vm", name="web2", state="absent")
    beats(MODULE, [DELETE], name="apart", state="absent")


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_one_machine_is_a_list_in_either_format(run_module: Callable[..., Result], response_format: str) -> None:
    run_module(MODULE, name="apart")
    made = run_module("cloudn_vm", name="web1", affinity_groups=["apart"], **NEW)["vm"]
    (shown,) = run_module(INFO, response_format=response_format)["affinity_groups"]
    assert shown["vm_ids"] == [made["id"]]


def test_a_group_that_was_not_made_is_absent(run_module: Callable[..., Result]) -> None:
    failed = run_module(MODULE, name="apart", type="host friendship")
    assert failed["affinity_group"]["state"] == "absent"


def test_two_runs_that_both_make_a_group_leave_one(
    run_module: Callable[..., Result], emulator: Any, client: Any
) -> None:
    """The service takes both commands at one moment. The later run, or the one with the larger id, gives way."""
    emulator.settings.race_ms = 300
    results: list[Result] = []
    threads = [threading.Thread(target=lambda: results.append(ensured(emulator))) for _run in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert changes_sent_to(emulator).count(CREATE) == 2
    (left,) = emulator.store.affinity_groups
    assert [result["id"] for result in results] == [left, left]


def ensured(emulator: Any) -> Result:
    """Run the task in a run of its own. Return the group of its result."""
    from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
    from ansible_collections.cloudn.compute.plugins.module_utils.resources.affinity_group import RESOURCE

    options = {"name": "apart", "state": "present", "type": "host anti-affinity", "force": False, "wait_timeout": 30}
    options |= {"on_immutable_drift": "fail", "wait": True}
    report = RESOURCE.ensure(Client(emulator.url, emulator.api_key, emulator.api_secret), options)
    assert report.failures == []
    (group,) = report.objects()
    return group


def test_a_group_can_be_made_for_another_account(run_module_as: Any) -> None:
    with run_module_as(generation="4", account="admin") as (run, emulator):
        other = next(one for one in emulator.store.accounts.values() if one.name != emulator.store.account.name)
        whose = {"account": other.name, "domain_id": other.domain_id}
        assert run(MODULE, name="apart", **whose)["affinity_group"]["account"] == other.name
        assert run(MODULE, name="apart", **whose)["changed"] is False
        assert run(INFO, **whose)["affinity_groups"][0]["name"] == "apart"
        assert run(MODULE, name="apart", state="absent", **whose)["changed"] is True
        assert len(emulator.store.affinity_groups) == 0


def test_cloudstack_3_has_none(run_module_as: Any) -> None:
    with run_module_as(generation="3") as (run, emulator):
        for module, options in (
            (MODULE, {"name": "apart"}),
            (INFO, {}),
            (MODULE, {"name": "apart", "state": "absent"}),
        ):
            for check in (True, False):
                failed = run(module, _check=check, **options)
                assert failed["failed"] and "the service has no affinity groups" in failed["msg"]
        assert changes_sent_to(emulator) == []

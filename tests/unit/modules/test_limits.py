# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals for a limit: the error says the limit, what is used and what was asked for, once, after one request."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils import limits
from ansible_collections.cloudn.compute.plugins.module_utils.api import (
    ApiError,
    Client,
    JobFailed,
    NotGranted,
    UnknownOutcome,
)
from samples import NEW

Result = dict[str, Any]
RunAs = Callable[..., Any]
DISK = {"zone": "jp-e1a", "disk_offering": "Small"}
DOWNLOAD = {
    "zone": "jp-e1a",
    "url": "https://images.example.com/image.vhd",
    "format": "VHD",
    "hypervisor": "XenServer",
    "os_type": "CentOS 5.6 (64-bit)",
}
UNSAID = pytest.mark.generation(
    "3", reason="the job of an upload fails on CloudStack 4 with the code for anything (530)"
)
ASKED = ("listAccounts", "listResourceLimits")
OF_MACHINES = "Destroyed VMs count until the service has expunged them. "
OF_DISKS = "Disks of destroyed VMs count until the service has expunged these. "


def way_out(things: str, more: str = "") -> str:
    return f". {more}Remove {things}, or ask the operator of the service for a higher limit, and run the task again"


def asked(emulator: Any) -> list[str]:
    """Return the requests about limits, and forget them."""
    commands = [request["command"] for request in emulator.requests if request["command"] in ASKED]
    emulator.clear()
    return commands


# Where each command meets its limit


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_the_limit_is_named_for_machines(run_module_as: RunAs, response_format: str) -> None:
    with run_module_as(limits={"instance": 2}) as (run, emulator):
        done = run("cloudn_vm", name=["web1", "web2"], response_format=response_format, **NEW)
        assert not done.get("failed") and asked(emulator) == []
        failed = run("cloudn_vm", name="web3", response_format=response_format, **NEW)
        assert failed["msg"].startswith("deployVirtualMachine: Maximum number of resources of type 'user_vm'")
        assert failed["msg"].endswith(
            "(error 534). It was not done: the account's limit is 2 VMs, 2 are used, and 1 more was asked for"
            + way_out("VMs", OF_MACHINES)
        )
        assert (failed["error_code"], failed["command"]) == (534, "deployVirtualMachine")
        assert asked(emulator) == ["listAccounts"]


def test_machines_that_are_refused_for_one_cause_are_reported_once(run_module_as: RunAs) -> None:
    with run_module_as(limits={"instance": 2}) as (run, emulator):
        failed = run("cloudn_vm", name=[f"web{number}" for number in range(1, 6)], **NEW)
        refused = [one["name"] for one in failed["vms"] if one.get("error")]
        assert len(refused) == 3
        assert failed["msg"].startswith(f"3 of 5 failed: {', '.join(refused)}: deployVirtualMachine: Maximum number")
        assert failed["msg"].count("Maximum number") == 1
        assert "the account's limit is 2 VMs, 2 are used, and 3 more were asked for" in failed["msg"]
        assert asked(emulator) == ["listAccounts"]


def test_destroyed_machines_count_until_they_are_expunged(run_module_as: RunAs) -> None:
    with run_module_as(limits={"instance": 1}) as (run, _emulator):
        run("cloudn_vm", name="web1", **NEW)
        run("cloudn_vm", name="web1", state="absent")
        failed = run("cloudn_vm", name="web2", **NEW)
        assert "the account's limit is 1 VM, 1 is used, and 1 more was asked for" in failed["msg"]


def test_the_disks_of_a_machine_count_too(run_module_as: RunAs) -> None:
    with run_module_as(limits={"volume": 1}) as (run, _emulator):
        run("cloudn_volume", name="data", **DISK)
        failed = run("cloudn_vm", name="web1", **NEW)
        assert failed["msg"].endswith(
            "the account's limit is 1 volume, 1 is used, and each VM takes one or two" + way_out("volumes", OF_DISKS)
        )


@pytest.mark.parametrize(
    ("kind", "module", "options"),
    [
        ("volume", "cloudn_volume", {"name": "new", **DISK}),
        pytest.param("volume", "cloudn_volume", {"name": "new", "zone": "jp-e1a", "url": "https://images.example.com/data.vhd", "format": "VHD"}, marks=UNSAID),
        ("snapshot", "cloudn_snapshot", {"vm": "web1", "max_age": "0"}),
        ("template", "cloudn_template", {"name": "new", "vm": "web1"}),
        ("template", "cloudn_template", {"name": "new", **DOWNLOAD}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dialect", ["cloudstack", "cloudn"])
def test_the_limit_is_named_for_everything_else(
    run_module_as: RunAs, kind: str, module: str, options: Result, dialect: str
) -> None:
    with run_module_as(limits={kind: 1}, dialect=dialect) as (run, emulator):
        run("cloudn_vm", name="web1", **NEW)
        run("cloudn_vm", name="web1", state="stopped")
        if kind != "volume":
            assert not run(module, **{**options, "name": "first"} if kind == "template" else options).get("failed")
        assert asked(emulator) == []
        failed = run(module, **options)
        outcome = "failed" if "uploadVolume" in failed["msg"] else "was not done"  # that one is refused in its job
        assert f". It {outcome}: the account's limit is 1 {kind}, 1 is used, and 1 more was asked for" in failed["msg"]
        assert failed["msg"].endswith(
            f"Remove {kind}s, or ask the operator of the service for a higher limit, and run the task again"
        )
        assert asked(emulator) == ["listAccounts"]


@pytest.mark.parametrize("command", ["createVolume", pytest.param("uploadVolume", marks=UNSAID)])
def test_the_limit_is_named_for_a_command_that_a_user_sends(run_module_as: RunAs, command: str) -> None:
    """The service refuses at once or in a job."""
    with run_module_as(limits={"volume": 0}) as (run, emulator):
        offering = next(one.id for one in emulator.store.disk_offerings.values() if one.name == "Small")
        params = {"name": "new", "zoneid": emulator.vars["zone"]}
        if command == "createVolume":
            params["diskofferingid"] = offering
        else:
            params.update(url="https://images.example.com/data.vhd", format="VHD")
        failed = run("cloudn_api", command=command, params=params)
        assert "he account's limit is 0 volumes, 0 are used, and 1 more was asked for" in failed["msg"]
        assert failed["error_code"] == 534
        assert asked(emulator) == ["listAccounts"]


# What is asked, and what is made of it


class Service(Client):
    """Answers with what an account may have and has, or refuses."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__("http://127.0.0.1:9", "key", "secret")
        self.answers = answers
        self.asked: list[tuple[str, Any]] = []

    def call(self, command: str, params: Any = None, deadline: Any = None) -> Result:
        self.asked.append((command, params))
        answer = self.answers.get(command) or NotGranted("no", command, 432, 432)
        if isinstance(answer, Exception):
            raise answer
        return answer


def account(**amounts: Any) -> Result:
    return {"listAccounts": {"count": 1, "account": [{"name": "me", "user": [{"secretkey": "canary"}], **amounts}]}}


FULL = {"vmlimit": "2", "vmtotal": 2, "volumelimit": "9", "volumetotal": 2}


def refusal(command: str = "deployVirtualMachine", code: int = 534) -> ApiError:
    return ApiError(f"{command}: no (error {code})", command, code, code, "no")


@pytest.mark.parametrize("code", [532, 534])
def test_refusals_at_once_and_of_jobs_are_explained(code: int) -> None:
    job = JobFailed("createVolume: job 1 failed: no", "createVolume", None, code, "no", "1")
    amounts = account(volumelimit="2", volumetotal=3, vmlimit="Unlimited", vmtotal=1)
    for error in (refusal("createVolume", code), job):
        told = limits.causes(Service(amounts), [error])
        assert told[error].startswith("the account's limit is 2 volumes, 3 are used, and 1 more was asked for. ")


@pytest.mark.parametrize(
    "amounts",
    [
        account(vmlimit="Unlimited", vmtotal=7, volumelimit="Unlimited", volumetotal=7),
        account(vmlimit="3", vmtotal=2, volumelimit="9", volumetotal=2),  # another cause, or it has gone meanwhile
        account(),
        account(vmlimit="odd", vmtotal=None),
        {"listAccounts": {}},
        {},
    ],
)
def test_where_nothing_shows_the_limit_the_refusal_stays_as_it_is(amounts: Result) -> None:
    assert limits.causes(Service(amounts), [refusal()]) == {}


@pytest.mark.parametrize(
    "error",
    [
        refusal("startVirtualMachine"),  # it makes nothing: the code has another meaning there
        refusal(code=533),
        refusal("DeployVirtualMachine"),
        NotGranted("no", "deployVirtualMachine", 432, 432),
    ],
)
def test_other_errors_cost_no_request(error: ApiError) -> None:
    service = Service(account(**FULL))
    assert limits.causes(service, [error]) == {}
    assert service.asked == []


def test_all_refusals_of_a_task_cost_one_request() -> None:
    service = Service(account(**FULL, snapshotlimit="1", snapshottotal=1))
    errors = [refusal(), refusal("createSnapshot"), refusal()]
    told = limits.causes(service, errors)
    assert told[errors[0]] == told[errors[2]]
    assert "2 are used, and 2 more were asked for" in told[errors[0]]
    assert "the account's limit is 1 snapshot, 1 is used, and 1 more was asked for" in told[errors[1]]
    assert service.asked == [("listAccounts", {})]
    assert "canary" not in json.dumps(list(told.values()))


def test_the_limits_are_those_of_the_account_that_a_task_acts_for() -> None:
    service = Service(account(**FULL))
    service.scope = {"account": "me", "domainid": "1"}
    assert limits.causes(service, [refusal()])
    assert service.asked == [("listAccounts", {"name": "me", "domainid": "1"})]


@pytest.mark.parametrize(
    ("most", "told"),
    [
        (5, "the account's limit is 5 volumes, and 1 more was asked for" + way_out("volumes", OF_DISKS)),
        (-1, None),
    ],
)
def test_an_account_that_sees_only_its_limits_gets_those(most: int, told: str | None) -> None:
    kinds = [{"resourcetype": "0", "max": 7}, {"resourcetype": "2", "max": most}]
    service = Service({"listResourceLimits": {"count": 2, "resourcelimit": kinds}})
    error = refusal("createVolume")
    cause = limits.causes(service, [error]).get(error)
    assert cause == told
    assert [command for command, _params in service.asked] == list(ASKED)


def test_an_account_that_sees_neither_gets_the_refusal_as_it_is(run_module_as: RunAs) -> None:
    with run_module_as(limits={"instance": 0}, denied=ASKED) as (run, emulator):
        failed = run("cloudn_vm", name="web1", **NEW)
        assert failed["msg"].endswith("(error 534). It was not done; correct the cause, and run the task again")
        assert asked(emulator) == list(ASKED)


def test_a_service_that_does_not_say_what_is_used_leaves_the_refusal_as_it_is(run_module_as: RunAs) -> None:
    with run_module_as(limits={"instance": 0}, faults=[{"kind": "status", "command": "listAccounts"}]) as (
        run,
        _emulator,
    ):
        failed = run("cloudn_vm", name="web1", api_retries=0, **NEW)
        assert failed["msg"].endswith("(error 534). It was not done; correct the cause, and run the task again")


def test_keys_are_not_shown(run_module_as: RunAs, capfd: Any) -> None:
    """listAccounts answers with the account's keys."""
    with run_module_as(limits={"instance": 0}) as (run, emulator):
        failed = run("cloudn_vm", name="web1", **NEW)
        assert emulator.api_secret not in json.dumps(failed["msg"]) + "".join(capfd.readouterr())


# Before many objects are made


def test_what_there_is_no_room_for_is_told_beforehand(run_module_as: RunAs) -> None:
    with run_module_as(limits={"instance": 3, "volume": 4}) as (run, emulator):
        assert not run("cloudn_vm", name=["web1", "web2"], **NEW).get("failed")
        emulator.clear()
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        assert limits.check_room(client, {"deployVirtualMachine": 1, "createVolume": 1}) == []
        assert asked(emulator) == ["listAccounts"]
        assert limits.check_room(client, {"deployVirtualMachine": 2, "createVolume": 1}) == [
            "would need 2 VMs, 1 is free",
            "would need 3 volumes, 2 are free",
        ]
        assert limits.check_room(client, {"createVolume": 3}) == ["would need 3 volumes, 2 are free"]
        assert not run("cloudn_vm", name="web3", **NEW).get("failed")
        assert limits.check_room(client, {"deployVirtualMachine": 1}) == ["would need 1 VM, 0 are free"]


def test_room_without_limits_is_enough(emulator: Any, client: Client) -> None:
    service = Service(account(vmlimit="Unlimited", vmtotal=7))
    assert limits.check_room(service, {"deployVirtualMachine": 1000, "createVolume": 1000}) == []
    assert limits.check_room(client, {"deployVirtualMachine": 1, "createVolume": 1, "createSnapshot": 1}) == []
    assert asked(emulator) == ["listAccounts"]


def test_more_than_the_limit_may_be_there_already() -> None:
    service = Service(account(vmlimit="2", vmtotal=5, snapshotlimit=1, snapshottotal=0))
    assert limits.check_room(service, {"deployVirtualMachine": 1, "createSnapshot": 2}) == [
        "would need 1 VM, 0 are free",
        "would need 2 snapshots, 1 is free",
    ]
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    "wanted", [{}, {"deployVirtualMachine": 0}, {"createSecurityGroup": 3, "registerSSHKeyPair": 1}]
)
def test_what_has_no_limit_costs_no_request(wanted: dict[str, int]) -> None:
    service = Service(account(**FULL))
    assert limits.check_room(service, wanted) == []
    assert service.asked == []


@pytest.mark.parametrize(
    "answers",
    [
        {"listAccounts": {}},
        account(vmlimit="odd", vmtotal=None),
        {"listResourceLimits": {"count": 1, "resourcelimit": [{"resourcetype": "0", "max": 0}]}},
        {"listAccounts": UnknownOutcome("lost", "listAccounts")},
    ],
)
def test_room_that_is_not_known_is_taken_for_enough(answers: Result) -> None:
    service = Service(answers)
    assert limits.check_room(service, {"deployVirtualMachine": 12}) == []
    assert [command for command, _params in service.asked] == ["listAccounts"]


def test_room_is_that_of_the_account_that_a_task_acts_for() -> None:
    service = Service(account(**FULL))
    service.scope = {"account": "me", "domainid": "1"}
    assert limits.check_room(service, {"deployVirtualMachine": 1}) == ["would need 1 VM, 0 are free"]
    assert service.asked == [("listAccounts", {"name": "me", "domainid": "1"})]


def test_room_is_not_known_where_the_account_may_not_ask(run_module_as: RunAs) -> None:
    with run_module_as(limits={"instance": 0}, denied=ASKED) as (_run, emulator):
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        assert limits.check_room(client, {"deployVirtualMachine": 1}) == []
        assert asked(emulator) == ["listAccounts"]

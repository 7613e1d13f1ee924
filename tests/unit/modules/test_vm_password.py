# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_vm_password resets a password while the machine is stopped and returns it once. The machine ends as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from samples import NEW

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE = "cloudn_vm_password"
STOP, RESET, START = "stopVirtualMachine", "resetPasswordForVirtualMachine", "startVirtualMachine"


@pytest.fixture
def made(run_module: Run, emulator: Any) -> str:
    """The password of a new, running machine."""
    password = run_module("cloudn_vm", name="web1", **NEW)["vm"]["password"]
    emulator.clear()
    return password


def state(client: Client) -> str:
    (machine,) = client.list("listVirtualMachines")
    return machine["state"]


def test_a_running_machine_is_stopped_and_started_again(
    run_module: Run, made: str, sent: Callable[[], list[str]], client: Client
) -> None:
    options = {"name": "web1", "allow_restart": True}
    told = run_module(MODULE, _check=True, _diff=True, **options)
    assert sent() == []
    assert "password" not in told["vm"]
    done = run_module(MODULE, _diff=True, **options)
    assert sent() == [STOP, RESET, START]
    assert done["changed"] is told["changed"] is True
    assert done["actions"] == told["actions"] == ["web1: stop", "web1: reset password", "web1: start"]
    assert done["diff"] == told["diff"]
    assert done["vm"]["password"] not in (made, "")
    assert done["vm"]["state"] == state(client) == "Running"


def test_a_stopped_machine_stays_stopped(
    run_module: Run, made: str, sent: Callable[[], list[str]], client: Client
) -> None:
    run_module("cloudn_vm", name="web1", state="stopped")
    sent()
    first = run_module(MODULE, name="web1")["vm"]["password"]
    second = run_module(MODULE, name="web1")["vm"]["password"]
    assert sent() == [RESET, RESET]
    assert first and second and first != second
    assert state(client) == "Stopped"


def test_a_machine_is_started_again_also_when_resetting_fails(
    run_module: Run, made: str, sent: Callable[[], list[str]], client: Client, emulator: Any
) -> None:
    emulator.store.account.denied = frozenset([RESET])
    failed = run_module(MODULE, name="web1", allow_restart=True)
    assert f"The service does not know {RESET}, or does not grant it to this account" in failed["msg"]
    assert sent() == [STOP, RESET, START]
    assert state(client) == "Running"


def test_without_waiting_the_job_has_the_password(run_module: Run, made: str) -> None:
    run_module("cloudn_vm", name="web1", state="stopped")
    begun = run_module(MODULE, name="web1", wait=False)
    assert "password" not in begun["vm"]
    assert run_module("cloudn_job", jobs=begun["jobs"])["job"]["result"]["vm"]["password"]


def test_force_is_passed_on(run_module: Run, made: str, emulator: Any) -> None:
    run_module(MODULE, name="web1", allow_restart=True, force_stop=True)
    assert [r["params"].get("forced") for r in emulator.requests if r["command"] == STOP] == ["true"]


def test_a_running_machine_is_not_stopped_without_allow_restart(refused: Callable[..., str], made: str) -> None:
    assert refused(MODULE, name="web1").startswith("web1 must be stopped to reset its password")


def test_a_template_without_passwords_is_refused(refused: Callable[..., str], run_module: Run) -> None:
    run_module("cloudn_vm", name="win1", state="stopped", **{**NEW, "template": "Windows Server 2008 R2"})
    assert "a template that takes no passwords" in refused(MODULE, name="win1")


def test_a_machine_in_error_is_refused(refused: Callable[..., str], made: str, emulator: Any) -> None:
    next(iter(emulator.store.vms.values())).state = "Error"
    assert refused(MODULE, name="web1") == "web1 is in state Error: its password can't be reset"


def test_a_missing_machine_is_refused(refused: Callable[..., str]) -> None:
    assert refused(MODULE, name="web1") == "name: there is no VM 'web1'; cloudn_vm_info lists the existing ones"


# A machine that was made stopped has no address before its first start, and the service then resets no password (530).


@pytest.fixture
def unstarted(run_module: Run, emulator: Any) -> None:
    run_module("cloudn_vm", name="web1", state="stopped", **NEW)
    emulator.clear()


@pytest.mark.generation("3", reason="CloudStack 4 resets the password of a machine that never started")
def test_a_machine_that_never_started_is_started_and_stopped_first(
    run_module: Run, unstarted: None, sent: Callable[[], list[str]], client: Client
) -> None:
    options = {"name": "web1", "allow_restart": True}
    told = run_module(MODULE, _check=True, _diff=True, **options)
    assert sent() == []
    done = run_module(MODULE, _diff=True, **options)
    assert not done.get("failed"), done
    assert sent() == [START, STOP, RESET]
    assert done["changed"] is told["changed"] is True
    assert done["actions"] == told["actions"] == ["web1: start", "web1: stop", "web1: reset password"]
    assert done["diff"] == told["diff"]
    assert done["vm"]["state"] == state(client) == "Stopped"
    again = run_module(MODULE, **options)
    assert sent() == [RESET]
    assert done["vm"]["password"] not in (again["vm"]["password"], "")
    assert state(client) == "Stopped"


@pytest.mark.generation("3", reason="CloudStack 4 resets the password of a machine that never started")
def test_the_password_of_the_reset_counts_not_that_of_the_first_start(
    run_module: Run, unstarted: None, client: Client
) -> None:
    done = run_module(MODULE, name="web1", allow_restart=True)
    jobs = client.list("listAsyncJobs", {"keyword": "ResetVMPassword"})
    assert [job["jobresult"]["virtualmachine"]["password"] for job in jobs] == [done["vm"]["password"]]


@pytest.mark.generation("3", reason="CloudStack 4 resets the password of a machine that never started")
def test_a_machine_that_never_started_is_not_started_without_allow_restart(
    refused: Callable[..., str], unstarted: None
) -> None:
    said = refused(MODULE, name="web1")
    assert said.startswith("web1 was never started")
    assert "allow_restart: true" in said and "state: started" in said


@pytest.mark.generation("3", reason="what CloudStack 4 shows then is not known")
def test_a_machine_that_was_reinstalled_while_stopped_has_been_started(
    run_module: Run, made: str, sent: Callable[[], list[str]], client: Client
) -> None:
    """The machine has no root disk either before it starts, but it has its address."""
    (machine,) = client.list("listVirtualMachines")
    run_module("cloudn_vm", name="web1", state="stopped")
    client.wait(client.call("restoreVirtualMachine", {"virtualmachineid": machine["id"]})["jobid"])
    (machine,) = client.list("listVirtualMachines")
    assert machine["rootdevicetype"] == "Not created"
    sent()
    assert run_module(MODULE, name="web1")["vm"]["password"]
    assert sent() == [RESET]


@pytest.mark.generation("3", reason="CloudStack 4 resets the password of a machine that never started")
def test_a_machine_that_does_not_show_that_it_never_started_is_explained_afterwards(
    run_module: Run, unstarted: None, sent: Callable[[], list[str]], emulator: Any
) -> None:
    """Another server may show such a machine in another way."""
    (machine,) = emulator.store.vms.values()
    machine.root_device = "ROOT"
    failed = run_module(MODULE, name="web1")
    assert sent() == [RESET]
    assert failed["error_code"] == 530
    assert "If web1 has never been started, start it first (cloudn_vm with state: started)" in failed["msg"]


@pytest.mark.parametrize("command", [START, STOP, RESET])
@pytest.mark.generation("3", reason="CloudStack 4 resets the password of a machine that never started")
def test_a_failed_step_on_a_machine_that_never_started_ends_the_task(
    run_module: Run, unstarted: None, sent: Callable[[], list[str]], emulator: Any, command: str
) -> None:
    emulator.faults([{"kind": "job_fails", "command": command}])
    failed = run_module(MODULE, name="web1", allow_restart=True)
    assert failed["failed"] and command in failed["msg"]
    assert sent() == [START, STOP, RESET][: [START, STOP, RESET].index(command) + 1]
    if command == STOP:
        assert "Do them yourself when that has ended: web1: stop" in failed["msg"]
    # the first start makes a password too, which is shown, as it is never shown again
    assert ("password" in failed["vm"]) is (command != START)


@pytest.mark.parametrize("command", [START, STOP, RESET])
@pytest.mark.generation("3", reason="CloudStack 4 resets the password of a machine that never started")
def test_a_lost_answer_on_a_machine_that_never_started_is_found_out(
    run_module: Run, unstarted: None, sent: Callable[[], list[str]], emulator: Any, client: Client, command: str
) -> None:
    emulator.faults([{"kind": "reset_after", "command": command, "nth": 1}])
    done = run_module(MODULE, name="web1", allow_restart=True)
    assert not done.get("failed"), done
    assert sent() == [START, STOP, RESET]
    (job,) = client.list("listAsyncJobs", {"keyword": "ResetVMPassword"})
    assert job["jobresult"]["virtualmachine"]["password"] == done["vm"]["password"]
    assert done["vm"]["state"] == state(client) == "Stopped"


def test_without_waiting_the_password_of_the_first_start_is_not_shown(run_module: Run, unstarted: None) -> None:
    begun = run_module(MODULE, name="web1", allow_restart=True, wait=False)
    assert "password" not in begun["vm"]
    assert run_module("cloudn_job", jobs=begun["jobs"])["job"]["result"]["vm"]["password"]

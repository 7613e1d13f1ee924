# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords in answers that are lost: caught while the job is pending, or reported as lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asked import changes_sent_to
from cloudn_emulator import Emulator
from samples import NEW

Result = dict[str, Any]
LOST = "the answer with its password was lost, and the password with it. Make a new one with cloudn_vm_password"


@pytest.fixture(params=["3", "4"])
def emulator(request: pytest.FixtureRequest) -> Iterator[Any]:
    with Emulator(generation=request.param, job_seconds=0.4) as running:
        yield running


@pytest.fixture
def break_off(emulator: Any) -> Callable[..., None]:
    """Return a function that breaks the connection after a command was done: at once, or when its job has ended."""

    def rule(command: str, late: bool) -> None:
        emulator.faults([{"kind": "late" if late else "reset_after", "command": command, "times": 1}])
        emulator.settings.job_seconds = 0.01 if late else 1.5

    return rule


@pytest.mark.parametrize("late", [False, True])
def test_the_password_of_a_deployment(
    run_module: Callable[..., Result], emulator: Any, break_off: Callable[..., None], late: bool
) -> None:
    break_off("deployVirtualMachine", late)
    done = run_module("cloudn_vm", name="web1", api_timeout=1, **NEW)
    assert not done.get("failed"), done
    assert done["changed"] and len(emulator.store.vms) == 1
    (machine,) = emulator.store.vms.values()
    if not late:
        assert changes_sent_to(emulator) == ["deployVirtualMachine"]
    told = any(LOST in text for text in done["warnings"])
    assert ("password" in done["vm"]) is not told
    if emulator.settings.generation == "3" or not late:
        assert done["vm"]["password"] == machine.password
    emulator.clear()
    assert run_module("cloudn_vm", name="web1")["changed"] is False


def test_many_passwords_with_one_listing(run_module: Callable[..., Result], emulator: Any) -> None:
    emulator.settings.job_seconds = 2.0
    emulator.faults([{"kind": "reset_after", "command": "deployVirtualMachine", "times": 5}])
    names = [f"web{number}" for number in range(1, 6)]
    done = run_module("cloudn_vm", name=names, api_timeout=5, **NEW)
    assert not done.get("failed"), done
    assert all(machine.get("password") for machine in done["vms"])
    assert changes_sent_to(emulator) == ["deployVirtualMachine"] * 5


def test_a_machine_without_passwords_has_no_warning(run_module: Callable[..., Result], emulator: Any) -> None:
    emulator.settings.job_seconds = 0.01
    emulator.faults([{"kind": "reset_after", "command": "deployVirtualMachine", "times": 1}])
    options = {**NEW, "template": "Windows Server 2008 R2"}
    assert run_module("cloudn_vm", name="web1", **options)["warnings"] == []


def test_the_password_of_a_reset(run_module: Callable[..., Result], emulator: Any) -> None:
    assert run_module("cloudn_vm", name="web1", **NEW)["changed"]
    assert run_module("cloudn_vm", name="web1", state="stopped")["changed"]
    emulator.settings.job_seconds = 1.0
    emulator.clear()
    emulator.faults([{"kind": "reset_after", "command": "resetPasswordForVirtualMachine", "times": 1}])
    done = run_module("cloudn_vm_password", name="web1")
    assert done["vm"]["password"]
    assert changes_sent_to(emulator) == ["resetPasswordForVirtualMachine"]


def test_a_list_of_jobs_that_fails_hides_nothing_of_the_task(run_module: Callable[..., Result], emulator: Any) -> None:
    """The task has stopped the machine, and can't know whether the password was made. It must say so."""
    assert not run_module("cloudn_vm", name="web1", **NEW).get("failed")
    emulator.faults(
        [
            {"kind": "reset_after", "command": "resetPasswordForVirtualMachine", "times": 1},
            {"kind": "status", "status": 503, "command": "listAsyncJobs", "nth": list(range(2, 50))},
        ]
    )
    failed = run_module("cloudn_vm_password", name="web1", allow_restart=True, api_retries=1)
    assert failed["failed"] and failed.get("changed"), failed["msg"]
    assert failed["msg"].startswith("resetPasswordForVirtualMachine: ")
    assert "These steps were not done any more. Do them yourself when that has ended: web1: start" in failed["msg"]

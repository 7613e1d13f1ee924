# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Advice that works: a failed deployment leaves a machine in state Error, and a destroyed machine keeps its name for a day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asked import changes_sent_to
from cloudn_emulator.commands import vm_state
from samples import NEW

Run = Callable[..., dict[str, Any]]
Start = Callable[..., Any]
MODULE = "cloudn_vm"
FAILS = {"command": "deployVirtualMachine", "kind": "job_fails"}
HELD = "Its name stays taken until the service has expunged it, by default for a day: use another name until then"
LEFT = f"The VM is in state Error, so to run the task again would fail. Destroy it (state: absent). {HELD}"
GONE = "The VM was left in state Error, and is expunged now, so its name is free: correct the cause, and run the task again"


def test_the_first_message_says_what_works(run_module_as: Start) -> None:
    """Each step of the advice is tried here: to run the task again fails, and another name works."""
    with run_module_as(faults=[{**FAILS, "times": 1}], expunge_seconds=1000) as (run, emulator):
        told = run(MODULE, name="web1", **NEW)
        assert told["msg"].endswith(f". It failed. {LEFT}")
        assert told["vm"]["state"] == "Error"
        assert changes_sent_to(emulator) == ["deployVirtualMachine"]
        again = run(MODULE, name="web1", **NEW)
        assert again["msg"] == f"web1 is in state Error. It can only be destroyed (state: absent). {HELD}"
        assert run(MODULE, name="web1", state="absent")["changed"]
        assert "may hold 'web1' until the service has expunged it" in run(MODULE, name="web1", **NEW)["msg"]
        assert run(MODULE, name="web2", **NEW)["changed"]


def test_one_of_many_is_told(run_module_as: Start) -> None:
    with run_module_as(faults=[{**FAILS, "times": 1}]) as (run, _emulator):
        told = run(MODULE, name=["web1", "web2", "web3"], max_parallel=1, **NEW)
        assert told["msg"].count(LEFT) == 1
        assert sorted(vm["state"] for vm in told["vms"]) == ["Error", "Running", "Running"]


@pytest.mark.parametrize("account", ["flatuser", "admin"])
def test_a_machine_whose_answer_was_lost_is_told_and_left(
    run_module_as: Start, monkeypatch: pytest.MonkeyPatch, account: str
) -> None:
    """It may be that of another run. Nobody knows the id that the answer had."""
    monkeypatch.setattr(vm_state, "LARGEST_DISK", 0)  # no room for any machine
    lost = {"command": "deployVirtualMachine", "kind": "reset_after", "times": 1}
    more = {} if account == "flatuser" else {"account": account}
    with run_module_as(faults=[lost], **more) as (run, emulator):
        told = run(MODULE, name="web1", **NEW)
        assert told["vm"]["state"] == "Error"
        assert told["msg"].endswith(f". {LEFT}")
        assert changes_sent_to(emulator) == ["deployVirtualMachine"]


def test_a_zone_without_room_is_told_of(run_module_as: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vm_state, "LARGEST_DISK", 0)
    with run_module_as() as (run, _emulator):
        told = run(MODULE, name="web1", **NEW)
        assert told["error_code"] == 533
        assert told["msg"].endswith(f". It failed. {LEFT}")


@pytest.mark.generation("4", reason="CloudStack 3 can't expunge at once")
@pytest.mark.parametrize("granted", ["account", "setting"])
def test_what_this_task_has_made_is_expunged_where_that_is_granted(run_module_as: Start, granted: str) -> None:
    more = {"account": "admin"} if granted == "account" else {"server": {"allow.user.expunge.recover.vm": "true"}}
    with run_module_as(faults=[{**FAILS, "times": 2}], **more) as (run, emulator):
        told = run(MODULE, name=["web1", "web2", "web3"], max_parallel=1, **NEW)
        assert told["failed"] and told["changed"]
        assert told["msg"].count(GONE) == 1  # one cause, said once
        assert sorted(vm["state"] for vm in told["vms"]) == ["Running", "absent", "absent"]
        assert sorted(changes_sent_to(emulator)) == ["deployVirtualMachine"] * 3 + ["destroyVirtualMachine"] * 2
        removals = [one["params"] for one in emulator.requests if one["command"] == "destroyVirtualMachine"]
        assert all(params["expunge"] == "true" for params in removals)
        again = run(MODULE, name=["web1", "web2", "web3"], **NEW)
        assert [vm["state"] for vm in again["vms"]] == ["Running"] * 3


@pytest.mark.generation("4", reason="CloudStack 3 can't expunge at once")
def test_a_machine_that_was_there_before_is_left(run_module_as: Start) -> None:
    with run_module_as(faults=[{**FAILS, "times": 1}], account="admin") as (run, emulator):
        run(MODULE, name="old", **NEW)  # expunged by itself
        run(MODULE, name="old", **NEW)
        (machine,) = emulator.store.vms.values()
        machine.state = "Error"
        emulator.clear()
        told = run(MODULE, name=["old", "new"], **NEW)
        assert told["msg"].startswith("old is in state Error. It can only be destroyed")
        assert changes_sent_to(emulator) == []


@pytest.mark.generation("4", reason="CloudStack 3 can't expunge at once")
def test_a_refused_removal_leaves_the_advice(run_module_as: Start) -> None:
    refusal = {"command": "destroyVirtualMachine", "kind": "job_fails", "times": 1}
    with run_module_as(faults=[{**FAILS, "times": 1}, refusal], account="admin") as (run, _emulator):
        told = run(MODULE, name="web1", **NEW)
        assert told["msg"].endswith(LEFT)
        assert told["vm"]["state"] == "Error"


@pytest.mark.generation("3", reason="CloudStack 4 has the command")
def test_drift_and_a_missing_command_say_that_a_name_is_held(run_module_as: Start) -> None:
    with run_module_as(denied=["restoreVirtualMachine"]) as (run, _emulator):
        run("cloudn_security_group", name="db")
        run(MODULE, name="web1", **NEW)
        told = run(MODULE, name="web1", security_groups=["db"])["msg"]
        assert (
            "make one with another name (the name of a destroyed one stays taken until the service has expunged it"
            in told
        )
        told = run(MODULE, name="web1", state="reinstalled", confirm_reinstall="web1")["msg"]
        assert (
            "destroy the VM (state: absent), and make a new one of another name, or of the same name when the service has "
            "expunged the old VM" in told
        )

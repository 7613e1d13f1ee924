# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords of virtual machines: reset while the machine is stopped, returned once.

The manual asks for a stopped machine. The real server resets a running one's too, to no effect before its next start.
"""

from __future__ import annotations

from ...api import Client, JobFailed, Record, UsageError
from ...api.jobs import DONE
from ...reconcile import THIS, Found, Plan, Progress, Resource, Step, Task, replace
from ..lookup import check_text, not_there
from . import view as vm
from .view import RUNNING, STOPPED

_RESET = "resetPasswordForVirtualMachine"
_JOBS = "ResetVMPassword"  # in the class name of its jobs
_INTERNAL = 530


def find(task: Task) -> Found:
    """Return the machine."""
    name = task.options["name"]
    if task.failed:
        wanted, where = str(task.failed.id), None
    else:
        wanted, where = name, task.options.get("zone")
    record = vm.settled(task.client, [wanted], where, task.deadline, task.check)[wanted]
    vm.check_shown(None if task.failed else record)
    return {name: record}


def lookup(task: Task, _found: Found) -> Record:
    """Return the ids of the jobs that reset passwords before (``known``).

    After a failure: whether the machine ran (``ran``), and the password that was made since (``password``).
    """
    failed = task.failed
    if failed is None:
        return {} if task.check else {"known": {job["jobid"] for job in _resets(task.client)}}
    before = failed.found or {}
    # A first start makes a password as well, which is not the one that is asked for.
    password = None if never_started(before) else failed.object.get("password")
    for job in _resets(task.client):
        machine = (job.get("jobresult") or {}).get("virtualmachine") or {}
        is_new = job["jobid"] not in task.first["known"] and job.get("jobstatus") == DONE
        if is_new and machine.get("id") == failed.id:
            failed.object["password"] = password = machine.get("password")
    return {"ran": before.get("state") == RUNNING, "password": password}


def plan(task: Task, name: str, record: Record | None, lookups: Record) -> Plan:
    """Return the plan that resets a machine's password, unless one has been made, and leaves it running or stopped.

    Raises ``UsageError`` for a machine that is missing, that gets no passwords, or that runs, or never did, and may not be
    stopped and started.
    """
    record = _checked(name, record)
    running, unstarted = record["state"] == RUNNING, never_started(record)
    ran = lookups.get("ran", running)
    if not task.options["allow_restart"]:
        _check_restart(name, running, unstarted)
    forced = {"forced": True} if task.options["force_stop"] else {}
    start = _step(f"{name}: start", "startVirtualMachine", {"id": THIS}, (RUNNING,))
    stop = _step(f"{name}: stop", "stopVirtualMachine", {"id": THIS, **forced}, (STOPPED,))._replace(cleanup=not ran)
    stages = []
    if lookups.get("password") is None:
        stages += [[start]] if unstarted else []
        stages += [[stop]] if running or unstarted else []
        stages.append([_step(f"{name}: reset password", _RESET, {"id": THIS})])
    if ran and (lookups.get("password") is None or not running):
        stages.append([start._replace(cleanup=True)])
    return Plan(name, record, stages, {"password": "(old)"}, {"password": "(new)"})


def _step(text: str, command: str, params: Record, expect: tuple[str, ...] = ()) -> Step:
    return Step(text, command, params, returns="virtualmachine", yields=replace, expect=expect)


def _checked(name: str, record: Record | None) -> Record:
    """Return the machine. Raises ``UsageError`` for one whose password can't be reset."""
    if record is None or record.get("state") in vm.GONE:
        raise not_there("name", "virtual machine", name)
    if record.get("passwordenabled") is False:
        raise UsageError(
            f"{name} is made from {record.get('templatename')!r}, a template that takes no passwords from the service "
            "(password_enabled of cloudn_template)"
        )
    if record.get("state") not in (RUNNING, STOPPED):
        raise UsageError(f"{name} is in state {record.get('state')}, in which its password can't be reset")
    return record


def never_started(record: Record) -> bool:
    """Tell whether a machine was made stopped and never started: it has neither a root disk nor an address.

    Of such a one the service resets no password (a failed job, 530). One whose root disk was made anew while it was stopped
    has an address. Measured on CloudStack 3.0.5.
    """
    addressed = any(nic.get("ipaddress") for nic in record.get("nic") or [])
    return record.get("rootdevicetype") == "Not created" and not addressed


def _check_restart(name: str, running: bool, unstarted: bool) -> None:
    """Raise ``UsageError`` for a machine that would have to be stopped and started."""
    if running:
        raise UsageError(
            f"{name} is running, and its password is reset while it is stopped: set allow_restart: true to have it stopped "
            "and started again, or stop it first (cloudn_vm with state: stopped)"
        )
    if unstarted:
        raise UsageError(
            f"{name} has never been started, and the service resets a password only after a first start: set "
            "allow_restart: true to have it started and stopped again for that, or start it first (cloudn_vm with state: "
            "started), which makes its first password"
        )


def describe(progress: Progress, _lookups: Record) -> None:
    """Say what a failed reset may mean where a machine did not show that it has never been started."""
    error = progress.error
    if isinstance(error, JobFailed) and error.command == _RESET and error.code == _INTERNAL:
        error.message += (
            f". If {progress.name} has never been started, start it first (cloudn_vm with state: started): the service resets a "
            "password only after a first start"
        )


def _resets(client: Client) -> list[Record]:
    return client.list("listAsyncJobs", {"keyword": _JOBS})


def to_result(machine: Record) -> Record:
    """Return what the user sees of a machine here; the rest is what ``cloudn_vm_info`` is for."""
    return {"id": machine.get("id"), "name": machine.get("name"), "state": machine.get("state")}


def result_of(progress: Progress, check: bool) -> Record:
    """Return the machine of the result, with the password that was made for it, unless a job is making another."""
    made = progress.object.get("password")
    is_shown = made and not check and not progress.jobs
    return {**to_result(progress.object), **({"password": made} if is_shown else {})}


RESOURCE = Resource(check_text, find, lookup, plan, result_of, describe, jobs="VM")

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resets the password of a stopped virtual machine and returns it once.

The manual asks for a stopped machine. The real server also takes a running one; the new password is valid after its next start.
"""

from __future__ import annotations

from ...api import Client, JobFailed, Record, UsageError
from ...api.errors import INTERNAL
from ...api.jobs import DONE
from ...reconcile import THIS, Found, Plan, Progress, Resource, Step, Task, replace
from ..fields import mark
from ..lookup import check_text, not_there
from . import caught
from . import view as vm
from .view import RUNNING, STOPPED

_RESET = "resetPasswordForVirtualMachine"
_JOBS = "ResetVMPassword"  # in the class name of its jobs


def find(task: Task) -> Found:
    """Return the machine."""
    name = task.options["name"]
    wanted, where = (str(task.failed.id), None) if task.failed else (name, task.options.get("zone"))
    elsewhere: dict[str, list[Record]] = {}
    record = vm.settled(task.client, [wanted], where, task.deadline, task.check, elsewhere=elsewhere)[wanted]
    if elsewhere:
        raise vm.missing(name, where, elsewhere, "name")
    vm.check_shown(None if task.failed else record)
    return {name: record}


def lookup(task: Task, _found: Found) -> Record:
    """Return the ids of earlier jobs that reset passwords (``known``).

    After a failure, return whether the machine ran (``ran``), and the password that was made since (``password``).
    """
    failed = task.failed
    if failed is None:
        return {} if task.check else {"known": {job["jobid"] for job in _resets(task.client)}}
    before = failed.found or {}
    # A first start also makes a password, but not the one of this task.
    password = None if never_started(before) else failed.object.get("password")
    found = caught.of(task, str(failed.id))
    if found and failed.failed_step and failed.failed_step.command == _RESET:
        failed.object["password"] = password = found
    for job in _resets(task.client):
        machine = (job.get("jobresult") or {}).get("virtualmachine") or {}
        is_new = job["jobid"] not in task.first["known"] and job.get("jobstatus") == DONE
        if is_new and machine.get("id") == failed.id:
            failed.object["password"] = password = machine.get("password")
    return {"ran": before.get("state") == RUNNING, "password": password}


def plan(task: Task, name: str, record: Record | None, lookups: Record) -> Plan:
    """Return the plan that resets a machine's password if none was made yet, and leaves the machine as it was, running or stopped.

    Raises ``UsageError`` if the machine is missing, takes no passwords, or needs a stop or start that the options don't allow.
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
    """Return the machine. Raises ``UsageError`` if its password can't be reset."""
    if record is None or record.get("state") in vm.GONE:
        raise not_there("name", "VM", name, "; cloudn_vm_info lists the existing ones")
    if record.get("passwordenabled") is False:
        template = record.get("templatename")
        raise UsageError(f"{name} is made from {template!r}, a template that takes no passwords (password_enabled)")
    if record.get("state") not in (RUNNING, STOPPED):
        raise UsageError(f"{name} is in state {record.get('state')}: its password can't be reset")
    return record


def never_started(record: Record) -> bool:
    """Tell whether a machine was made stopped and never started: it has neither a root disk nor an address.

    The service does not reset the password of such a machine (a failed job, 530). A machine that was reinstalled while it
    was stopped has an address. Measured on CloudStack 3.0.5.
    """
    addressed = any(nic.get("ipaddress") for nic in record.get("nic") or [])
    return record.get("rootdevicetype") == "Not created" and not addressed


def _check_restart(name: str, running: bool, unstarted: bool) -> None:
    """Raise ``UsageError`` for a machine that must be stopped or started for a reset."""
    if running:
        raise UsageError(f"{name} must be stopped to reset its password. Set allow_restart: true, or stop it first")
    if unstarted:
        raise UsageError(f"{name} was never started. Set allow_restart: true, or use cloudn_vm with state: started")


def describe(progress: Progress, _lookups: Record) -> None:
    """Add to the error of a failed reset that the machine may never have been started."""
    error = progress.error
    if isinstance(error, JobFailed) and error.command == _RESET and error.code == INTERNAL:
        error.message += f". If {progress.name} has never been started, start it first (cloudn_vm with state: started)"


def _resets(client: Client) -> list[Record]:
    return client.list("listAsyncJobs", {"keyword": _JOBS})


def to_result(machine: Record) -> Record:
    """Return a machine as the user sees it here. ``cloudn_vm_info`` shows the rest."""
    return {"id": machine.get("id"), "name": machine.get("name"), "state": machine.get("state"), **mark(machine)}


def result_of(progress: Progress, check: bool) -> Record:
    """Return the machine of the result, with its new password unless a job is still making another one."""
    made = progress.object.get("password")
    is_shown = made and not check and not progress.jobs
    return {**to_result(progress.object), **({"password": made} if is_shown else {})}


RESOURCE = Resource(check_text, find, lookup, plan, result_of, describe, jobs="VM", catch=caught.catch)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords of virtual machines: reset while the machine is stopped, returned once."""

from __future__ import annotations

from ..api import Client, Deadline, JobFailed, Record, UsageError
from ..api.jobs import DONE
from ..converge import converge
from ..plan import THIS, Step, Track
from ..report import Report
from . import vm
from .lookup import not_there
from .vm_plan import RUNNING, STOPPED, absorb

_RESET = "resetPasswordForVirtualMachine"
_JOBS = "ResetVMPassword"  # in the class name of its jobs
_INTERNAL = 530


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Reset the password of the machine named in ``options`` (the module's), and return it in the report.

    The manual asks for a stopped machine; the real server resets a running one's too, to no effect before its next start.
    Raises ``UsageError`` for what can't be done, before anything is changed.
    """
    deadline = Deadline(options["wait_timeout"], client.clock)
    name = options["name"]
    record = vm.settled(client, [name], options.get("zone"), deadline, check)[name]
    vm.check_shown(record)
    track = plan(name, record, options)
    if not check:
        known = {job["jobid"] for job in _resets(client)}
        converge(
            client,
            [track],
            deadline,
            lambda failed: _again(client, failed, options, known, deadline),
            wait=options["wait"],
        )
        _explain(track)
    return Report([track], show, check)


def plan(
    name: str, record: Record | None, options: Record, ran: bool | None = None, password: str | None = None
) -> Track:
    """Return the track that resets a machine's password, unless one has been made, and leaves it running or stopped.

    ``ran`` says whether it shall run afterwards, ``None`` that it shall be as it is. Raises ``UsageError`` for a machine that is
    missing, that gets no passwords, or that runs, or never did, and may not be stopped and started.
    """
    if record is None or record.get("state") in vm.GONE:
        raise not_there("name", "virtual machine", name)
    if record.get("passwordenabled") is False:
        raise UsageError(
            f"{name} is made from {record.get('templatename')!r}, a template that takes no passwords from the service "
            "(password_enabled of cloudn_template)"
        )
    state = record.get("state")
    if state not in (RUNNING, STOPPED):
        raise UsageError(f"{name} is in state {state}, in which its password can't be reset")
    running, unstarted = state == RUNNING, never_started(record)
    ran = running if ran is None else ran
    if not options["allow_restart"]:
        _check_restart(name, running, unstarted)
    forced = {"forced": True} if options["force_stop"] else {}
    start = Step(f"{name}: start", "startVirtualMachine", {"id": THIS}, expect=(RUNNING,))
    stop = Step(f"{name}: stop", "stopVirtualMachine", {"id": THIS, **forced}, expect=(STOPPED,), amends=not ran)
    stages = []
    if password is None:
        stages += [[start]] if unstarted else []
        stages += [[stop]] if running or unstarted else []
        stages.append([Step(f"{name}: reset password", _RESET, {"id": THIS})])
    if ran and (password is None or not running):
        stages.append([start._replace(amends=True)])
    return Track(name, record, stages, {"password": "(old)"}, {"password": "(new)"}, absorb)


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


def _explain(track: Track) -> None:
    """Say what a failed reset may mean where a machine did not show that it has never been started."""
    error = track.error
    if isinstance(error, JobFailed) and error.command == _RESET and error.code == _INTERNAL:
        error.message += (
            f". If {track.name} has never been started, start it first (cloudn_vm with state: started): the service resets a "
            "password only after a first start"
        )


def _resets(client: Client) -> list[Record]:
    return client.list("listAsyncJobs", {"keyword": _JOBS})


def _again(client: Client, track: Track, options: Record, known: set[str], deadline: Deadline) -> Track | None:
    """After an unknown outcome, see whether a job has made a password since; go on with what is then left to do."""
    before = track.found or {}
    # A first start makes a password as well, which is not the one that is asked for.
    password = None if never_started(before) else track.object.get("password")
    client.await_pending("VM", track.id, deadline)
    for job in _resets(client):
        machine = (job.get("jobresult") or {}).get("virtualmachine") or {}
        if job["jobid"] not in known and job.get("jobstatus") == DONE and machine.get("id") == track.id:
            track.object["password"] = password = machine.get("password")
    record = vm.settled(client, [str(track.id)], None, deadline, check=False)[str(track.id)]
    return plan(track.name, record, options, before.get("state") == RUNNING, password)


def shape(machine: Record) -> Record:
    """Return what the user sees of a machine here; the rest is what ``cloudn_vm_info`` is for."""
    return {"id": machine.get("id"), "name": machine.get("name"), "state": machine.get("state")}


def show(track: Track, check: bool) -> Record:
    """Return the machine of the result, with the password that was made for it, unless a job is making another."""
    made = track.object.get("password")
    return {**shape(track.object), **({"password": made} if made and not check and not track.jobs else {})}

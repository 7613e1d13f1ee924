# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords of virtual machines: reset while the machine is stopped, returned once."""

from __future__ import annotations

from ..api import Client, Deadline, Record, UsageError
from ..api.jobs import DONE
from ..plan import THIS, Step, Track, converge
from ..report import Report
from . import vm
from .vm_plan import RUNNING, STOPPED, absorb

_RESET = "resetPasswordForVirtualMachine"
_JOBS = "ResetVMPassword"  # in the class name of its jobs


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Reset the password of the machine named in ``options`` (the module's), and return it in the report.

    The manual asks for a stopped machine; the real server resets a running one's too, to no effect before its next start.
    Raises ``UsageError`` for what can't be done, before anything is changed.
    """
    deadline = Deadline(options["wait_timeout"], client.clock)
    name = options["name"]
    record = vm.settled(client, [name], options.get("zone"), deadline, check)[name]
    track = plan(name, record, options)
    if not check:
        known = {job["jobid"] for job in _resets(client)}

        def again(failed: Track) -> Track | None:
            return _again(
                client, failed, options, bool(track.found and track.found["state"] == RUNNING), known, deadline
            )

        converge(client, [track], deadline, again, wait=options["wait"])
    return Report([track], show, check)


def plan(
    name: str, record: Record | None, options: Record, restart: bool = False, password: str | None = None
) -> Track:
    """Return the track that resets a machine's password, unless one has been made, and starts it again where it ran.

    Raises ``UsageError`` for a machine that is missing, that gets no passwords, or that runs and may not be stopped.
    """
    if record is None or record.get("state") in vm.GONE:
        raise UsageError(f"name: there is no virtual machine {name!r}")
    if record.get("passwordenabled") is False:
        raise UsageError(
            f"{name} is made from {record.get('templatename')!r}, a template that takes no passwords from the service "
            "(password_enabled of cloudn_template)"
        )
    state = record.get("state")
    if state not in (RUNNING, STOPPED):
        raise UsageError(f"{name} is in state {state}, in which its password can't be reset")
    running = state == RUNNING
    if running and not options["allow_restart"]:
        raise UsageError(
            f"{name} is running, and its password is reset while it is stopped: set allow_restart: true to have it stopped "
            "and started again, or stop it first (cloudn_vm with state: stopped)"
        )
    stages = []
    if password is None:
        forced = {"forced": True} if options["force_stop"] else {}
        stop = Step(f"{name}: stop", "stopVirtualMachine", {"id": THIS, **forced}, expect=(STOPPED,))
        stages = [[stop]] if running else []
        stages.append([Step(f"{name}: reset password", _RESET, {"id": THIS})])
    if (running and password is None) or (restart and not running):
        stages.append([Step(f"{name}: start", "startVirtualMachine", {"id": THIS}, expect=(RUNNING,), amends=True)])
    return Track(name, record, stages, {"password": "(old)"}, {"password": "(new)"}, absorb)


def _resets(client: Client) -> list[Record]:
    return client.list("listAsyncJobs", {"keyword": _JOBS})


def _again(
    client: Client, track: Track, options: Record, restart: bool, known: set[str], deadline: Deadline
) -> Track | None:
    """After an unknown outcome, see whether a job has made a password since; go on with what is then left to do."""
    client.await_pending("VM", track.id, deadline)
    for job in _resets(client):
        machine = (job.get("jobresult") or {}).get("virtualmachine") or {}
        if job["jobid"] not in known and job.get("jobstatus") == DONE and machine.get("id") == track.id:
            track.object["password"] = machine.get("password")
    record = vm.settled(client, [str(track.id)], None, deadline, check=False)[str(track.id)]
    return plan(track.name, record, options, restart, track.object.get("password"))


def shape(machine: Record) -> Record:
    """Return what the user sees of a machine here; the rest is what ``cloudn_vm_info`` is for."""
    return {"id": machine.get("id"), "name": machine.get("name"), "state": machine.get("state")}


def show(track: Track, check: bool) -> Record:
    """Return the machine of the result, with the password that was made for it."""
    made = track.object.get("password")
    return {**shape(track.object), **({"password": made} if made and not check else {})}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that a failed deployment leaves in state Error: what the user can do, and their removal where that is granted."""

from __future__ import annotations

from ...api import Client, CloudnError, Deadline, JobFailed
from ...reconcile import THIS, Plan, Progress, Step, Task
from ...reconcile.apply import Bounds, apply
from . import mending
from .view import ERROR, HELD

_DEPLOY = "deployVirtualMachine"
_ABSENT = "absent"


def tidy(task: Task, failed: list[Progress]) -> None:
    """Destroy and expunge the machines that the deployments of this very task have left in state Error, if that is granted.

    Only that frees their names at once, which CloudStack 3 can't do. Without it nothing is done: the names would be held as
    before. The id of such a machine is in the answer to the deployment. A machine whose answer was lost may be that of
    another run, and is left.
    """
    made = [one for one in failed if _is_left(one) and one.created_id == one.id and isinstance(one.error, JobFailed)]
    left = [one for one in made if mending.is_of_4(one.object)]
    deadline = Deadline(task.deadline.remaining() or task.client.timeout, task.client.clock)
    if not left or not _may_expunge(task.client, deadline):
        return
    removals = {one: Progress(_removal(one)) for one in left}
    bounds = Bounds(task.options["max_parallel"], task.options["max_jobs"])
    apply(task.client, list(removals.values()), deadline, bounds=bounds)
    for one, removal in removals.items():
        if removal.error is None:
            one.object["state"] = _ABSENT


def describe(progress: Progress) -> None:
    """Set what the user can do about a machine that is in state Error: to run the task again would fail."""
    error = progress.error
    if error is None or error.command != _DEPLOY:
        return
    if progress.object.get("state") == _ABSENT:
        error.way_out = "The VM was left in state Error, and is expunged now, so its name is free: correct the cause, and run the task again"
    elif _is_left(progress):
        error.way_out = (
            f"The VM is in state Error, so to run the task again would fail. Destroy it (state: absent). {HELD}"
        )


def _is_left(progress: Progress) -> bool:
    error = progress.error
    return error is not None and error.command == _DEPLOY and progress.object.get("state") == ERROR


def _may_expunge(client: Client, deadline: Deadline) -> bool:
    """Tell whether the account may expunge machines (``allow.user.expunge.recover.vm``)."""
    try:
        capability = client.call("listCapabilities", {}, deadline).get("capability") or {}
    except CloudnError:
        return False
    return capability.get("allowuserexpungerecovervm") is True


def _removal(progress: Progress) -> Plan:
    step = Step(f"{progress.name}: destroy and expunge", "destroyVirtualMachine", {"id": THIS, "expunge": True})
    return Plan(progress.name, {"id": progress.id}, [[step]])

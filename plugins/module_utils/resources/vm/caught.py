# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords of virtual machines whose answer was lost: caught while the job is pending, or reported as lost.

CloudStack 3 lists jobs that have ended, with their results. CloudStack 4 lists pending jobs only; measured on 3.0.5 and 4.23.
"""

from __future__ import annotations

import typing as t

from ...api import Client, Deadline, JobTimeout, Record, jobs
from ...reconcile import Progress, Task
from .view import HIDDEN, RUNNING

# The commands whose jobs may make a password, with a word of their class names.
MAKING = {
    "deployVirtualMachine": "DeployVM",
    "startVirtualMachine": "StartVM",
    "resetPasswordForVirtualMachine": "ResetVMPassword",
    "resetSSHKeyForVirtualMachine": "ResetVMSSHKey",
}
_SLACK = 60.0  # seconds
CAUGHT = "passwords"  # the key of the lookups: passwords by the ids of machines


def catch(task: Task, lost: list[Progress]) -> None:
    """Wait for the pending jobs that make passwords, and keep these in the lookups. One request lists them.

    All deployments count, as the id of a machine is not known if the answer to its creation was lost. Raises ``CloudnError``
    if the service can't be asked. The passwords that were made before are kept.
    """
    steps = [progress.failed_step for progress in lost]
    words = {MAKING[step.command] for step in steps if step and step.command in MAKING}
    if not words:
        return
    known = {progress.id for progress in lost}
    # The answer may have been awaited for the whole time that an answer has.
    since = {"startdate": jobs.ago(task.client, task.client.timeout + _SLACK)}
    pending = [
        job
        for job in jobs.listing(task.client, since, task.deadline)
        if job.get("jobstatus") == jobs.PENDING
        and any(word in str(job.get("cmd")) for word in words)
        and (None in known or job.get("jobinstanceid") in known)
    ]
    passwords = task.first.setdefault(CAUGHT, {})
    passwords.update(_passwords(task.client, pending, task.deadline) if pending else {})


def _passwords(client: Client, pending: list[Record], deadline: Deadline) -> t.Iterator[tuple[str, str]]:
    """Yield the passwords that jobs make, each after the id of its machine. A job that does not end in time has none."""
    watched = jobs.Jobs(client, deadline)
    for job in pending:
        watched.add(job["jobid"])
    for end in watched.ends(deadline):
        machine = jobs.made_by(end.result, "virtualmachine")
        if machine.get("password"):
            yield machine["id"], machine["password"]


def of(task: Task, machine_id: str) -> str | None:
    """Return the password of a machine that was caught."""
    found: str | None = task.first.get(CAUGHT, {}).get(machine_id)
    return found


def warn_of_loss(task: Task, progress: Progress, lookups: Record) -> None:
    """Warn at the end of a task that a password is lost that the service has made, if no answer had it."""
    if progress.jobs or isinstance(progress.error, JobTimeout) or not _makes_password(progress, lookups):
        return  # a pending job will show it
    if progress.surplus:
        text = "another request made the VM that stays, so its password is not known here"
    else:
        text = "the answer with its password was lost, and the password with it"
    task.client.warn(f"{progress.name}: {text}. Make a new one with cloudn_vm_password")


def _makes_password(progress: Progress, lookups: Record) -> bool:
    """Tell whether the task may have made a password: by the first start of a machine, or by the first with another key pair."""
    template, machine = lookups.get("template") or {}, progress.object
    if not machine.get("passwordenabled", template.get("passwordenabled")) or machine.get("state") == "Error":
        return False
    before, after = progress.plan.before, progress.plan.after
    found = progress.found or {}
    # Nothing is known of a destroyed machine that the account does not see. It almost certainly was started before.
    is_first = HIDDEN not in found and not any(nic.get("ipaddress") for nic in found.get("nic") or [])
    return after.get("state") == RUNNING and (is_first or before.get("key_pair") != after.get("key_pair"))

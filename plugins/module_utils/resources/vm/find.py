# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the virtual machines of a task, in states that last, and again after a failure."""

from __future__ import annotations

from ...api import Client, Deadline, JobFailed, JobLost, Record, UnknownOutcome, UsageError
from ...api.deadline import poll
from ...reconcile import Found, Progress, Task
from . import view as vm
from .view import DESTROYED, RUNNING


def find(task: Task) -> Found:
    """Return the machines by the names that the user gave. Raises ``UsageError`` for two names of one machine."""
    if task.failed:
        return {task.failed.name: _find_again(task, task.failed)}
    names, options = list(dict.fromkeys(task.options["name"])), task.options
    found = vm.settled(task.client, names, options.get("zone"), task.deadline, task.check)
    twice = _same_machine_twice(found)
    if twice:
        raise UsageError(f"name: {' and '.join(twice)} are the same virtual machine")
    if options["state"] != "absent":
        for record in found.values():
            vm.check_shown(record)
    return found


def _same_machine_twice(found: dict[str, Record | None]) -> list[str]:
    """Return two names that mean one machine, for example its host name and its id."""
    seen: dict[str, str] = {}
    for name, record in found.items():
        if record and record["id"] in seen:
            return [seen[record["id"]], name]
        if record:
            seen[record["id"]] = name
    return []


def remaining(task: Task) -> Record | None:
    """Return the options as they are after a failure: a machine that ran may have been stopped for a change.

    Returns ``None`` where it is not known whether a machine was reinstalled.
    """
    options = {**task.options, "on_immutable_drift": "ignore"}
    ran = task.failed is not None and (task.failed.found or {}).get("state") == RUNNING
    if options["state"] == "restarted" or (options["state"] == "present" and ran):
        options["state"] = "started"
    if options["state"] == "reinstalled":
        from . import reinstall  # here, as few runs need it

        options["state"] = reinstall.state_left(task)
    return options if options["state"] else None


def _find_again(task: Task, failed: Progress) -> Record | None:
    """Find a machine after a failure, when the service does nothing more with it.

    A host name is unique, so it can only be the one that was asked for. A password that was made meanwhile is kept.
    """
    wanted, options = failed.id or failed.name, task.options
    if isinstance(failed.error, UnknownOutcome):
        if options["state"] == "absent":
            # A disk that is being detached is still listed as attached.
            task.client.await_pending("Volume", None, task.deadline)
        if not (failed.failed_step and failed.failed_step.many):  # jobs about many objects tell of none
            record = vm.find(task.client, [wanted], options.get("zone"))[wanted]
            password = _await_jobs(task.client, record, task.deadline)
            if password:
                failed.object["password"] = password
    elif not failed.id and "deployVirtualMachine" in failed.doubts:
        # Its name is taken now, so what was begun before the answer was lost is there, or will be listed.
        _await_listed(task.client, wanted, options.get("zone"), task.deadline)
    found = vm.settled(task.client, [wanted], options.get("zone"), task.deadline, check=False)[wanted]
    if found is None and failed.id:
        return {**failed.object, "state": DESTROYED} if options["state"] == "absent" else None
    return found


def _await_listed(client: Client, wanted: str, zone_wanted: str | None, deadline: Deadline) -> None:
    """Wait until a machine is listed, for at most as long as an answer may take (``api_timeout``)."""
    began = client.clock()
    for _look in poll(client, deadline):
        if vm.find(client, [wanted], zone_wanted)[wanted] or client.clock() - began >= client.timeout:
            return


def _await_jobs(client: Client, record: Record | None, deadline: Deadline) -> str | None:
    """Wait for what the service is doing with a machine; return the password that it made, if it made one.

    A machine does not show its jobs, and a new one is Stopped for a moment before it is Starting. Pending jobs carry
    its id, and the results of those that are done hold it; measured on CloudStack 3.0.5.
    """
    # Here, as few runs need it: what a module imports is compiled anew each time that it runs.
    from ...api import jobs

    password = None
    if record is None:
        return None
    for job in jobs.listing(client, {"startdate": jobs.startdate(record.get("created", ""))}, deadline):
        result = job.get("jobresult")
        if job.get("jobinstanceid") == record["id"] and job.get("jobstatus") == jobs.PENDING:
            try:
                result = client.wait(job["jobid"], deadline.remaining())
            except (JobFailed, JobLost):
                continue  # what that leaves to do, the next look shows
        machine = jobs.made_by(result, "virtualmachine")
        if machine.get("id") == record["id"] and machine.get("password"):
            password = machine["password"]
    return password

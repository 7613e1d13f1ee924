# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the virtual machines of a task in terminal states, and again after a failure."""

from __future__ import annotations

from ...api import Client, CloudnError, Deadline, JobFailed, JobLost, Record, UnknownOutcome, UsageError
from ...api.deadline import poll
from ...reconcile import Found, Progress, Task
from .. import zone
from ..lookup import describe
from . import view as vm
from .view import DESTROYED, RUNNING


def find(task: Task) -> Found:
    """Return the machines by the names of the user. Raises ``UsageError`` if two names mean one machine."""
    if task.failed:
        return {task.failed.name: _find_again(task, task.failed)}
    names, options = list(dict.fromkeys(task.options["name"])), task.options
    elsewhere: dict[str, list[Record]] = {}
    found = vm.settled(task.client, names, options.get("zone"), task.deadline, task.check, elsewhere=elsewhere)
    if elsewhere and options["state"] != "absent":
        _check_zone(task, elsewhere)
    elif elsewhere:
        _warn_of_zone(task, elsewhere)
    seen: dict[str, str] = {}
    for name, record in found.items():
        if record and seen.setdefault(record["id"], name) != name:
            raise UsageError(f"name: {seen[record['id']]} and {name} are the same VM")
    if options["state"] != "absent":
        _check_shown(found)
    return found


def _check_shown(found: Found) -> None:
    """Raise ``UsageError`` if the service can't show a machine in full. It names all such machines."""
    errors: list[tuple[str, str | None, UsageError]] = []
    for name, record in found.items():
        try:
            vm.check_shown(record)
        except UsageError as error:
            errors.append((name, record["id"], error))
    if errors:
        from ...reconcile.together import one_error  # here, as few runs need it

        raise one_error(errors)


def confirm(task: Task, progresses: list[Progress]) -> None:
    """Let the plans fail whose machine somebody has destroyed. The service sets tags of a destroyed machine, too."""
    if task.options["state"] == "absent":
        return
    names = [progress.name for progress in progresses]
    found = vm.find(task.client, names, task.options.get("zone"))
    for progress in progresses:
        record = found[progress.name]
        if record is None or record["id"] != progress.id or record.get("state") in vm.GONE:
            text = f"{progress.name} ({progress.id}) was destroyed by somebody else while the task changed it"
            progress.fail(CloudnError(text))


def _check_zone(task: Task, elsewhere: dict[str, list[Record]]) -> None:
    """Raise ``UsageError`` for missing machines if others have their host names in another zone: the zone may be wrong."""
    options, names = task.options, list(elsewhere)
    here = zone.find(task.client, options.get("zone")).get("name")  # a zone that does not exist is another error
    if options["state"] == "reinstalled":
        raise vm.missing(names[0], here, elsewhere, "name")
    if not options.get("same_name_elsewhere"):
        others = describe([machine for name in names for machine in elsewhere[name]])
        places = {str(machine.get("zonename")) for name in names for machine in elsewhere[name]}
        raise UsageError(
            f"zone: {', '.join(names)}: not in {here}, but in {' and '.join(sorted(places))}: {others}. Correct the zone, "
            f"or set same_name_elsewhere: true to create another one in {here}"
        )


def _warn_of_zone(task: Task, elsewhere: dict[str, list[Record]]) -> None:
    """Warn of machines that are not destroyed as they are in another zone. The listing that finds none here shows them."""
    others = describe([machine for records in elsewhere.values() for machine in records])
    places = {str(machine.get("zonename")) for records in elsewhere.values() for machine in records}
    task.warnings.append(
        f"zone: {', '.join(elsewhere)}: not in {task.options['zone']}, but in {' and '.join(sorted(places))}: {others}. "
        "Nothing is destroyed there. If it is the one that you mean, correct the zone"
    )


def remaining(task: Task) -> Record | None:
    """Return the options for the rest of a task after a failure: it may have stopped a running machine for a change.

    Returns ``None`` if it is not known whether a machine was reinstalled.
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
    """Find a machine after a failure, once the service does nothing more with it.

    A host name is unique, so it is the machine of the task. A password that was made meanwhile is kept.
    """
    wanted, options = failed.id or failed.name, task.options
    if isinstance(failed.error, UnknownOutcome):
        if options["state"] == "absent":
            # The service lists a disk as attached while it detaches it.
            task.client.await_pending("Volume", None, task.deadline)
        if not (failed.failed_step and failed.failed_step.many):  # a job about many objects names none
            record = vm.find(task.client, [wanted], options.get("zone"))[wanted]
            if record:
                _keep_password(task, failed, record)
    elif not failed.id and "deployVirtualMachine" in failed.doubts:
        # The service refused the name, so the first request created the machine. It may not be listed yet.
        _await_listed(task.client, wanted, options.get("zone"), task.deadline)
    found = vm.settled(task.client, [wanted], options.get("zone"), task.deadline, check=False)[wanted]
    if found and found.get("state") == vm.ERROR:
        failed.keep(found)  # nothing leads on from here, so this is what the result shows
    if found is None and failed.id:
        return {**failed.object, "state": DESTROYED} if options["state"] == "absent" else None
    return found


def _keep_password(task: Task, failed: Progress, record: Record) -> None:
    """Keep the password that was made by a job whose answer was lost."""
    from . import caught  # here, as few runs need it

    found = _await_jobs(task.client, record, task.deadline) or caught.of(task, record["id"])
    if found:
        failed.object["password"] = found


def catch(task: Task, lost: list[Progress]) -> None:
    """Keep the passwords of pending jobs, see ``caught``."""
    from . import caught  # here, as few runs need it

    caught.catch(task, lost)


def tidy(task: Task, failed: list[Progress]) -> None:
    """Remove the machines that failed deployments have left, see ``failed_deployment``."""
    from . import failed_deployment  # here, as few runs need it

    failed_deployment.tidy(task, failed)


def conclude(task: Task, progress: Progress, lookups: Record) -> None:
    """Warn of a password that the service has made and no answer has shown."""
    if not progress.object.get("password") and (progress.touched or progress.doubts):
        from . import caught  # here, as few runs need it

        caught.warn_of_loss(task, progress, lookups)


def _await_listed(client: Client, wanted: str, zone_wanted: str | None, deadline: Deadline) -> None:
    """Wait until a machine is listed, for at most the time for an answer (``api_timeout``)."""
    began = client.clock()
    for _look in poll(client, deadline, describe=lambda: f"{wanted} is not listed yet"):
        if vm.find(client, [wanted], zone_wanted)[wanted] or client.clock() - began >= client.timeout:
            return


def _await_jobs(client: Client, record: Record, deadline: Deadline) -> str | None:
    """Wait until the jobs about a machine have ended; return the password that they made, if they made one.

    A machine does not show its jobs, and a new one is Stopped for a moment before it is Starting. Pending jobs have the
    machine's id, and done jobs have the machine in their results; measured on CloudStack 3.0.5.
    """
    # Here, as few runs need it: each run compiles what it imports.
    from ...api import jobs

    password = None
    for job in jobs.listing(client, {"startdate": jobs.startdate(record.get("created", ""))}, deadline):
        result = job.get("jobresult")
        if job.get("jobinstanceid") == record["id"] and job.get("jobstatus") == jobs.PENDING:
            try:
                result = client.wait(job["jobid"], deadline.remaining())
            except (JobFailed, JobLost):
                continue  # the next look shows what is left to do
        machine = jobs.made_by(result, "virtualmachine")
        if machine.get("id") == record["id"] and machine.get("password"):
            password = machine["password"]
    return password

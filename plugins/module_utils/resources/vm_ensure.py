# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines: find what there is, look up what is needed, plan, apply, report."""

from __future__ import annotations

from .. import plan as plans
from ..api import (
    Client,
    CloudnError,
    Deadline,
    Duplicates,
    JobFailed,
    JobLost,
    JobTimeout,
    Record,
    UnknownOutcome,
    UsageError,
)
from ..api.deadline import poll
from ..api.errors import PARAMETER_ERROR
from ..converge import converge
from ..plan import Track
from ..report import Report
from . import vm, volume
from .lookup import check_text
from .vm_lookup import data_disks, look_up
from .vm_plan import DESTROYED, RUNNING, absorb, encoded, plan, show

# What the service takes as user data, counted after encoding; measured on CloudStack 3.0.5.
LONGEST_USER_DATA = 2048


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Bring the virtual machines named in ``options`` (the module's) to the state that is asked for.

    Returns what was done, or with ``check`` what would be done. Raises ``UsageError`` for what can't be done, before
    anything is changed.
    """
    check_options(options)
    deadline = Deadline(options["wait_timeout"], client.clock)
    names = list(dict.fromkeys(options["name"]))
    found = _find(client, names, options, deadline, check)
    twice = _same_machine_twice(found)
    if twice:
        raise UsageError(f"name: {' and '.join(twice)} are the same virtual machine")
    if options["state"] != "absent":
        for record in found.values():
            vm.check_shown(record)
    more: Record = {}
    if options["state"] == "reinstalled":
        from . import vm_reinstall  # here, as few runs need it

        more = vm_reinstall.look_up(client, names[0], found[names[0]], options)
    facts = {**look_up(client, options, found), **more}
    if options["state"] == "absent" and "data_disks" in facts and not check:
        _await_attached(client, facts, deadline)
    warnings: list[str] = []
    tracks = [plan(name, found[name], options, facts, warnings) for name in names]
    if not check:

        def again(track: Track) -> Track | None:
            return _again(client, track, options, facts, deadline)

        began = client.clock()
        converge(client, tracks, deadline, again, options["max_parallel"], options["wait"])
        if options["wait"] and "zone" in facts and options["state"] != "absent":
            # Here, as few runs make machines: what a module imports is compiled anew each time that it runs.
            from ..settle import settle
            from . import vm_duplicates

            resource = vm_duplicates.resource(client, facts["zone"]["id"], again)
            settle(client, tracks, resource, began, deadline, options["max_parallel"])
        for track in tracks:
            _explain(track)
            if options["state"] == "reinstalled":
                vm_reinstall.explain(track)
            if options.get("delete_volumes"):
                _tell_left(track, facts)
    return Report(tracks, show, check, warnings)


def _find(
    client: Client, names: list[str], options: Record, deadline: Deadline, check: bool
) -> dict[str, Record | None]:
    """Find the machines, in states that last. What two runs make at this moment is waited for until one is left."""
    try:
        return vm.settled(client, names, options.get("zone"), deadline, check)
    except Duplicates:
        if check:
            raise
        from . import vm_duplicates

        return vm_duplicates.settled(client, names, options.get("zone"), deadline)


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong whatever the service holds."""
    if not options["name"]:
        raise UsageError("name: the list is empty; name at least one virtual machine")
    check_text(options)
    if not all(name.strip() for name in options["name"]):
        raise UsageError("name: a name is empty")
    if options["state"] == "reinstalled":
        from . import vm_reinstall  # here, as few runs need it

        vm_reinstall.check_options(options)
    if options.get("key_pair") == "":
        raise UsageError("key_pair: must not be empty; leave the option out for a machine without one")
    if options.get("group") is not None and not options["group"].strip():
        raise UsageError("group: must not be empty; leave the option out to keep the group as it is")
    size = len(encoded(options.get("user_data")) or "")
    if size > LONGEST_USER_DATA:
        raise UsageError(
            f"user_data: is {len(options['user_data'].encode())} bytes, {size} after Base64 encoding; the service takes "
            f"at most {LONGEST_USER_DATA} encoded, which are {LONGEST_USER_DATA // 4 * 3} bytes"
        )
    if options["max_parallel"] < 1:
        raise UsageError(f"max_parallel: must be at least 1, not {options['max_parallel']}")


def _same_machine_twice(found: dict[str, Record | None]) -> list[str]:
    """Return two names that mean one machine, for example its host name and its id."""
    seen: dict[str, str] = {}
    for name, record in found.items():
        if record and record["id"] in seen:
            return [seen[record["id"]], name]
        if record:
            seen[record["id"]] = name
    return []


def _is_seen(job: Record, facts: Record) -> bool:
    """Tell whether a job has ended, and what it attached to one of the machines that are to go is among their data disks."""
    from ..api.jobs import made_by  # here, as in those below

    disk = made_by(job.get("jobresult"), "volume")
    disks = facts["data_disks"].get(disk.get("virtualmachineid"), [])
    elsewhere = disk.get("virtualmachineid") not in facts["alive"]
    return bool(job.get("jobstatus")) and (elsewhere or disk.get("id") in {one["id"] for one in disks})


def _await_attached(client: Client, facts: Record, deadline: Deadline) -> None:
    """Wait for data disks that are being attached, or were just now and are not listed so yet; add them to the facts.

    A machine takes its disks along when it is destroyed, so what its list does not show must not be overlooked.
    """
    # Here, as few runs need them: what a module imports is compiled anew each time that it runs.
    from ..api import jobs
    from . import duration

    query = {"startdate": jobs.ago(client, jobs.FORGOTTEN), "keyword": "AttachVolume"}
    pending_at: dict[str, float] = {}
    unlisted = ""
    for _look in poll(client, deadline):
        unseen = [job for job in jobs.listing(client, query, deadline) if not _is_seen(job, facts)]
        if unseen:  # it may have ended between the two listings
            facts["data_disks"] = data_disks(client, facts["alive"])
        unlisted = ""
        for job in unseen:
            pending = job.get("jobstatus") == jobs.PENDING
            if pending:
                pending_at[job["jobid"]] = client.clock()
            ended = client.clock() - pending_at.get(job["jobid"], float("-inf"))
            # What was attached a while ago and is not listed was detached again.
            just_now = not _is_seen(job, facts) and min(ended, duration.age(client, job)) < plans.LAG
            if pending or just_now:
                unlisted = job["jobid"]
        if not unlisted:
            return
    raise JobTimeout(
        f"attachVolume: job {unlisted}, which began before this run, may attach a volume to a machine that is to go, and with it "
        "would go the volume; nothing was changed. Run the task again, with a longer wait_timeout if need be",
        "attachVolume",
        job_id=unlisted,
    )


def _tell_left(track: Track, facts: Record) -> None:
    """Say which disks a task that failed has left behind: the next run does not know that they were the machine's."""
    disks = facts.get("data_disks", {}).get(track.id, [])
    if track.error and disks:
        names = ", ".join(f"{disk.get('name')} ({disk['id']})" for disk in disks)
        track.error.message += (
            f". Of its data disks {names}, those that are detached and not deleted yet are left: delete them with "
            "cloudn_volume (state: absent)"
        )


def _again(client: Client, track: Track, options: Record, before: Record, deadline: Deadline) -> Track | None:
    """Find and plan a machine anew after a failure; its host name is unique, so it can only be the one asked for.

    ``before`` is what was looked up before anything was changed: which data disks a machine had that is gone now.
    """
    if track.error and track.error.command == "rebootVirtualMachine":
        return None  # whether it was rebooted can't be seen, and it must not be rebooted twice
    options = {**options, "on_immutable_drift": "ignore"}
    ran = (track.found or {}).get("state") == RUNNING
    if options["state"] == "restarted" or (options["state"] == "present" and ran):
        options["state"] = "started"  # it may have been stopped for a change
    if options["state"] == "reinstalled":
        from . import vm_reinstall  # here, as few runs need it

        options["state"] = vm_reinstall.state_left(client, track, before, deadline)
        if options["state"] is None:
            return None
    names = [track.id or track.name]
    try:
        found, password = _await_machine(client, track, names, options, deadline)
    except Duplicates:
        if not options["wait"] or track.id or track.found:
            raise
        # Runs made them at one moment, perhaps this one did too. When the other machines are done, it is seen which one stays.
        return Track(track.name, None, [], {}, track.after, absorb)
    record = found[names[0]]
    facts = {**look_up(client, options, found), "ran": ran}
    if options["state"] == "absent":
        facts["left_disks"] = _left_disks(client, track, options, before)
    fresh = plan(track.name, record, options, facts, [])
    if record is None and track.id:
        fresh.object = {**track.object, "state": DESTROYED}
    if password:
        track.object["password"] = password
    return fresh


def _left_disks(client: Client, track: Track, options: Record, before: Record) -> list[Record]:
    """Return which data disks of a machine that goes are still to be dealt with; raise ``CloudnError`` for a hidden one."""
    disks = before.get("data_disks", {}).get(track.id, [])
    left_disks = [left for disk in disks for left in volume.search(client, {"id": disk["id"]})]
    hidden = {disk["id"] for disk in disks} - {left["id"] for left in left_disks}
    if hidden and track.culprit and track.culprit.command == "detachVolume":
        # It would go with the machine, if it is attached still.
        raise CloudnError(f"the data disk {', '.join(sorted(hidden))} is not listed", "listVolumes")
    # One that somebody has attached to another machine meanwhile is not this one's any more.
    mine = (None, track.id) if options["delete_volumes"] else (track.id,)
    return [disk for disk in left_disks if disk.get("virtualmachineid") in mine]


def _await_machine(
    client: Client, track: Track, names: list[str], options: Record, deadline: Deadline
) -> tuple[dict[str, Record | None], str | None]:
    """Find a machine after a failure, when the service does nothing more with it; and the password that was made for it."""
    password = None
    if isinstance(track.error, UnknownOutcome):
        if options["state"] == "absent":
            client.await_pending("Volume", None, deadline)  # a disk that is being detached is still listed as attached
        if not (track.culprit and track.culprit.many):  # jobs about many objects tell of none
            password = _await_jobs(client, vm.find(client, names, options.get("zone"))[names[0]], deadline)
    elif not track.id and "deployVirtualMachine" in track.doubts:
        # Its name is taken now, so what was begun before the answer was lost is there, or will be listed.
        _await_listed(client, names, options.get("zone"), deadline)
    return vm.settled(client, names, options.get("zone"), deadline, check=False), password


def _await_listed(client: Client, names: list[str], zone_wanted: str | None, deadline: Deadline) -> None:
    """Wait until a machine is listed, for at most as long as an answer may take (``api_timeout``)."""
    began = client.clock()
    for _look in poll(client, deadline):
        if vm.find(client, names, zone_wanted)[names[0]] or client.clock() - began >= client.timeout:
            return


def _await_jobs(client: Client, record: Record | None, deadline: Deadline) -> str | None:
    """Wait for what the service is doing with a machine; return the password that it made, if it made one.

    A machine does not show its jobs, and a new one is Stopped for a moment before it is Starting. Pending jobs carry
    its id, and the results of those that are done hold it; measured on CloudStack 3.0.5.
    """
    # Here, as few runs need it: what a module imports is compiled anew each time that it runs.
    from ..api import jobs

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


def _explain(track: Track) -> None:
    """Say what a refused name most likely means; the service's words are not to be decided on."""
    error = track.error
    if error and error.command == "deployVirtualMachine" and error.code == PARAMETER_ERROR and not track.id:
        error.message += (
            f". If the name {track.name!r} is taken without being listed, a destroyed virtual machine still holds it "
            "until the service has expunged it: wait for that, or choose another name"
        )

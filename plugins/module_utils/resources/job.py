# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows jobs, lists them and waits for them."""

from __future__ import annotations

import datetime
import re
import typing as t

from ..api import Client, Deadline, Record, UsageError
from ..api.flawed import plain, sound
from ..api.jobs import DONE, PENDING, Jobs, by_id, startdate
from . import duration, extraction, generation
from .lookup import is_uuid, like_filter
from .security_group import view as security_group
from .snapshot import view as snapshot
from .template import view as template
from .vm import view as vm
from .volume import view as volume

_MOST_REASONS = 5
_CLASSES_OF_3 = "com.cloud."  # the package of its commands
_STATUS: dict[t.Any, str] = {PENDING: "pending", DONE: "done"}
# The advice for jobs that are not done, in the order of the message.
_ADVICE = {
    "failed": ". Correct the reason, and run the task of a failed job again",
    "unknown": ". The service does not say how an unknown job ended: look at the object that it was about",
    "pending": ". Pending jobs go on at the service: run cloudn_job with their ids, or with a longer wait_timeout",
}
# The space comes from YAML: it reads a time without quotes as a time, and writes it with a space.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)\Z", re.ASCII)


def to_result(job: Record, passwords: bool = True) -> Record:
    """Return a job as the user sees it. The service does not know a job without a status.

    Without ``passwords``, the passwords that the job made are left out: an old password is not shown again.
    """
    number = job.get("jobstatus")
    status = _STATUS.get(number, "failed" if isinstance(number, int) else "unknown")
    fields = job.get("jobresult") or {}
    if not isinstance(fields, dict):
        fields = {"errortext" if status == "failed" else "text": fields}
    if not passwords:
        fields = without_passwords(fields)
    return {
        "id": job.get("jobid"),
        "command": (job.get("cmd") or "").rpartition(".")[2] or None,
        "status": status,
        "created": job.get("created"),
        "object_id": job.get("jobinstanceid") or _object_id(fields),
        "result": _result(fields) if status == "done" else None,
        "error_code": fields.get("errorcode", job.get("jobresultcode")) if status == "failed" else None,
        "error_text": fields.get("errortext") if status == "failed" else None,
    }


def _object_id(fields: Record) -> str | None:
    return next((value["id"] for value in fields.values() if isinstance(value, dict) and "id" in value), None)


def _machine(record: Record) -> Record:
    return {**vm.to_result(record), **({"password": record["password"]} if record.get("password") else {})}


# The objects in results that are shown as their modules show them: the name there, and the function for it.
_KINDS: dict[str, tuple[str, t.Callable[[Record], Record]]] = {
    "virtualmachine": ("vm", _machine),
    "securitygroup": ("security_group", security_group.to_result),
    "volume": ("volume", volume.to_result),
    "snapshot": ("snapshot", snapshot.to_result),
    "template": ("template", template.to_result),
}


def _result(fields: Record) -> Record:
    result = {name: plain(value) for name, value in fields.items()}
    for kind, (name, to_object) in _KINDS.items():
        record = fields.get(kind)
        if isinstance(record, dict):
            del result[kind]
            if "extractId" in record:
                name, to_object = "extraction", extraction.to_result
            result[name] = to_object(record)
    return result


def without_passwords(value: t.Any) -> t.Any:
    """Return a value of an answer without its passwords, at any depth."""
    if isinstance(value, dict):
        return {name: without_passwords(inner) for name, inner in value.items() if name != "password"}
    if isinstance(value, list):
        return [without_passwords(inner) for inner in value]
    return value


def follow(client: Client, job_ids: t.Iterable[str], timeout: float | None) -> list[Record]:
    """Wait at most ``timeout`` seconds (``None``: look once) until jobs have ended, and return their records.

    The record of a job that the service does not know has only its id.
    """
    deadline = Deadline(timeout or 0, client.clock)
    jobs = Jobs(client)
    asked = list(job_ids)
    for job_id in asked:
        jobs.add(job_id)
    for _end in jobs.ends(deadline):
        pass
    return [{**jobs.records.get(job_id, {}), "jobid": job_id} for job_id in asked]


def collect(client: Client, options: Record, _check: bool = False) -> Record:
    """Wait for the jobs of the module's options; return its result. Changes nothing.

    Raises ``UsageError`` before any request if a text is no id.
    """
    job_ids = list(dict.fromkeys(options["jobs"]))
    for job_id in job_ids:
        if not is_uuid(job_id):
            raise UsageError(f"jobs: {job_id[:40]!r} is no id of a job; modules return ids in jobs (wait: false)")
    wait, timeout = options["wait"], options["wait_timeout"]
    jobs = [to_result(job) for job in follow(client, job_ids, timeout if wait else None)]
    singular = {"job": jobs[0]} if len(jobs) == 1 else {}
    return {"jobs": jobs, **singular, **(failure(jobs, timeout) if wait else {})}


def failure(jobs: t.Sequence[Record], timeout: float) -> Record:
    """Return the message for job results that are not done, and the details if there is one job; nothing if all are done."""
    kinds = list(_ADVICE)
    bad = sorted((job for job in jobs if job["status"] in kinds), key=lambda job: kinds.index(job["status"]))
    if not bad:
        return {}
    reasons = "; ".join(_reason(job, timeout) for job in bad[:_MOST_REASONS])
    more = f"; and {len(bad) - _MOST_REASONS} more" if len(bad) > _MOST_REASONS else ""
    advice = "".join(_ADVICE[kind] for kind in kinds if any(job["status"] == kind for job in bad))
    if len(jobs) > 1:
        return {"msg": f"{len(bad)} of {len(jobs)} jobs did not end well: {reasons}{more}{advice}"}
    fields = {"command": "command", "error_code": "error_code", "error_text": "error_text", "job_id": "id"}
    details = {name: bad[0][field] for name, field in fields.items() if bad[0][field] is not None}
    return {"msg": f"{reasons}{advice}", **details}


def _reason(job: Record, timeout: float) -> str:
    name = f"{job['command']}: job {job['id']}" if job["command"] else f"job {job['id']}"
    if job["status"] == "failed":
        return f"{name} failed: {job['error_text'] or 'the service gave no reason'} (error {job['error_code']})"
    if job["status"] == "unknown":
        return f"{name} is not known to the service (any more)"
    return f"{name} is still pending after {timeout:g} s (wait_timeout)"


def select(client: Client, options: Record) -> list[Record]:
    """Return the results for the jobs that match all options of ``cloudn_job_info``, without passwords.

    Raises ``UsageError`` before any request if a time can't be read.
    """
    since = None if options.get("since") is None else moment(options["since"], client.now())
    command = options.get("command")
    if options.get("id") is None:
        start = since and startdate(since.isoformat(timespec="seconds"))
        found = sound(client.list("listAsyncJobs", {"keyword": like_filter(command), "startdate": start}), client.warn)
        _warn_of_ended(client, options, found)
    else:
        found = [
            job
            for job in sound(by_id(client, options["id"]), client.warn)
            if since is None or not _is_older(job, since)
        ]
    return [
        job
        for job in (to_result(one, passwords=False) for one in found)
        # The service compares the keyword with the whole name of the class, with its package.
        if (command is None or command.lower() in (job["command"] or "").lower())
        and options.get("status") in (None, job["status"])
    ]


def _warn_of_ended(client: Client, options: Record, found: list[Record]) -> None:
    """Warn if the list lacks jobs that have ended, as CloudStack 4 lists pending jobs only; measured on 4.23.

    A list with an ended job, or with a class of CloudStack 3, shows that the service lists them. So it is asked only
    without one.
    """
    lists_all = any(job.get("jobstatus") != PENDING or str(job.get("cmd")).startswith(_CLASSES_OF_3) for job in found)
    if options.get("status") == "pending" or lists_all:
        return
    if client.generation() >= generation.FOUR:
        text = "this service lists only pending jobs (CloudStack 4): jobs that have ended are missing here. Give the id of one"
        client.warn(text)


def _is_older(job: Record, since: datetime.datetime) -> bool:
    try:
        return datetime.datetime.strptime(job.get("created", ""), "%Y-%m-%dT%H:%M:%S%z") < since
    except ValueError:
        return False


def moment(text: str, now: float) -> datetime.datetime:
    """Return the moment in UTC that a user gives as a time with its offset, or as an age before ``now``.

    Raises ``UsageError`` for another text.
    """
    time = _TIME.match(text)
    try:
        if time:
            day, clock, offset = time.groups()
            given = datetime.datetime.strptime(f"{day} {clock} {offset}", "%Y-%m-%d %H:%M:%S %z")
            return given.astimezone(datetime.timezone.utc)
        return datetime.datetime.fromtimestamp(int(now) - duration.seconds(text, "since"), datetime.timezone.utc)
    except (ValueError, OverflowError, OSError, UsageError):
        message = f"since: {text!r} is neither a time with its offset (2026-11-23T16:00:00Z, 2026-11-24T01:00:00+0900) nor an age (90s, 30m, 2h, 7d, 1w)"
        raise UsageError(message) from None

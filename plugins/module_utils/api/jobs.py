# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asynchronous jobs: noticing their ends, one or many at once, with few requests."""

from __future__ import annotations

import datetime
import typing as t

from .deadline import Deadline, pause, poll
from .decode import Record
from .errors import PARAMETER_ERROR, ApiError, BadAnswer, CloudnError, JobFailed, JobLost, JobTimeout, NotGranted

if t.TYPE_CHECKING:
    from .client import Client

# queryAsyncJobResult's `jobstatus`; measured on CloudStack 3.0.5.
PENDING, DONE = 0, 1
# Seconds after which a job that is still pending is taken to be forgotten by the service.
FORGOTTEN = 3600.0
# Seconds by which jobs sent at the same time may be older than the one whose answer came first.
_SENT_TOGETHER = 60
# What an error says of a job that goes on, for tasks that look first what is there.
OR_AGAIN = ", or run the task again to take up what it leads to, with a longer wait_timeout if need be"
# Jobs of a command whose last one took at most so many seconds are short: the next one is looked at first when it is due.
_SHORT = 1.0
# A short job that has not ended then is looked at again a few times, each time that this share of the time waited has
# passed, and not sooner than after so many seconds.
_LOOKS, _SHARE, _SOONEST = 5, 0.05, 0.01
# When short jobs have ended is known well enough if it is known up to this share of the time. After some jobs it is tried
# whether they have ended sooner: by the first share where the last trial was too soon, by the second where none was.
_CLOSE, _SOONER, _MUCH_SOONER = 0.15, 0.1, 0.5
_STARTDATE = "%Y-%m-%dT%H:%M:%SZ%z"


class JobEnd(t.NamedTuple):
    """How a job ended: ``result`` (its fields) or ``error`` (``JobFailed`` or ``JobLost``), never both."""

    job_id: str
    result: Record
    error: CloudnError | None


class _Watched:
    """A pending job: its command, when it began by the client's clock, how often it was seen pending, and after how many
    seconds the last time.
    """

    def __init__(self, command: str, began: float) -> None:
        self.command = command
        self.began = began
        self.looks = 0
        self.seen = 0.0


class _Pace:
    """When to look at short jobs of one command, by how long the ones before took.

    ``_pending`` and ``_ended`` are the seconds after which jobs were pending still, and after which they had ended. The next
    one is looked at first between these two, or after ``_ended`` where they are close. From time to time ``_pending`` is
    forgotten, to see whether jobs are shorter now: after ``_left`` jobs, and after ever more where that was too soon.
    """

    def __init__(self, seconds: float) -> None:
        self._pending = self._ended = seconds
        self._sooner = _MUCH_SOONER
        self._rest, self._left = 1, 0

    def pause(self, job: _Watched, waited: float) -> float:
        """Return the seconds to let pass before the next look at a job that was waited for so long."""
        if job.looks > _LOOKS:
            return pause(waited)
        due = self._due()
        return max(_SOONEST, due - waited if waited < due else waited * _SHARE)

    def learn(self, pending: float, ended: float) -> None:
        """Take in a job that was last seen pending after so many seconds (0: never), and then had ended after so many."""
        trial = self._due() < self._ended
        if pending:
            self._pending = pending
            self._ended = min(self._ended, ended) if self._ended > pending else ended
            if trial:
                self._sooner, self._left, self._rest = _SOONER, self._rest, self._rest * 2
            return
        self._ended = ended
        if trial:
            self._rest = 1
        if self._due() < ended:
            return
        if self._left:
            self._left -= 1
            return
        self._pending = ended * (1 - 2 * self._sooner)
        self._sooner = min(_MUCH_SOONER, self._sooner * 2)

    def _due(self) -> float:
        """Return the seconds after which the next job is looked at first."""
        if self._ended - self._pending > self._ended * _CLOSE:
            return max(_SOONEST, (self._pending + self._ended) / 2)
        return self._ended


class Jobs:
    """The jobs of one run that are still pending.

    One pending job is asked for by its id. For several, one listing of the jobs since the first of them began tells
    of all, so the requests do not grow with their number. ``records`` are the jobs as the service last showed them, by id.
    """

    def __init__(self, client: Client, deadline: Deadline | None = None) -> None:
        self._client = client
        self._deadline = deadline
        self._pending: dict[str, _Watched] = {}
        self._paces: dict[str, _Pace | None] = {}  # None: its last job was long
        self._since: str | None = None
        self.records: dict[str, Record] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def __iter__(self) -> t.Iterator[str]:
        return iter(list(self._pending))

    def add(self, job_id: str, command: str = "job", brief: float = 0.0) -> None:
        """Watch a job; ``command`` names it in errors. ``brief`` are the seconds that a short one takes, where known."""
        if brief:
            self._paces.setdefault(command, _Pace(brief))
        self._pending[job_id] = _Watched(command, self._client.clock())

    def pause(self) -> float:
        """Return the seconds to let pass before asking again: a tenth of the time waited, 0.2 to 4.6 seconds.

        A command whose last job was short is first looked at about when its next one is due, and then more often. The
        youngest job counts: the end of a short job is noticed soon, also beside long ones.
        """
        now = self._client.clock()
        youngest = max(self._pending.values(), key=lambda job: job.began, default=_Watched("", now))
        pace, waited = self._paces.get(youngest.command), now - youngest.began
        return pace.pause(youngest, waited) if pace else pause(waited)

    def poll(self) -> list[JobEnd]:
        """Ask once and return the jobs that have ended since; they are no longer watched."""
        ends: list[JobEnd] = []
        asked = self._client.clock()
        listed = self._listing() if len(self._pending) > 1 else {}
        for job_id in list(self._pending):
            try:
                end = self._end(job_id, listed.get(job_id))
            except CloudnError:
                if not ends:
                    raise
                break  # what has ended is told first; the next look meets the error again
            job = self._pending[job_id]
            if end is None:
                job.looks += 1
                job.seen = asked - job.began
                continue
            del self._pending[job_id]
            self._learn(job, asked - job.began)
            ends.append(end)
        return ends

    def _learn(self, job: _Watched, took: float) -> None:
        """Remember how long a job took, if that was so short that one that is shorter is not noticed late."""
        if took > _SHORT:
            self._paces[job.command] = None
            return
        pace = self._paces[job.command] = self._paces.get(job.command) or _Pace(took)
        pace.learn(job.seen, took)

    def overdue(self, job_id: str, seconds: float | None) -> JobTimeout:
        """Stop watching a job and return the error that says so."""
        command = self._pending.pop(job_id).command
        limit = "in time" if seconds is None else f"within {seconds:g} s (wait_timeout)"
        return JobTimeout(
            f"{command}: job {job_id} is still pending, it did not end {limit}. It goes on at the service: wait "
            f"for it with cloudn_job{OR_AGAIN}",
            command,
            job_id=job_id,
        )

    def _listing(self) -> dict[str, Record]:
        """Return the jobs since the first one watched, by id."""
        try:
            if self._since is None:
                first = self._query(next(iter(self._pending)))
                self._since = startdate(first.get("created", ""), earlier=_SENT_TOGETHER)
                if self._since is None:
                    return {}
            jobs = self._client.list("listAsyncJobs", {"startdate": self._since}, deadline=self._deadline)
            return {job.get("jobid", ""): job for job in jobs}
        except ApiError:
            return {}  # each is then asked for by its id, which tells what is wrong

    def _query(self, job_id: str) -> Record:
        return self._client.call("queryAsyncJobResult", {"jobid": job_id}, self._deadline)

    def _end(self, job_id: str, job: Record | None) -> JobEnd | None:
        command = self._pending[job_id].command
        try:
            job = self.records[job_id] = job or self._query(job_id)
        except ApiError as error:
            if error.code != PARAMETER_ERROR:
                raise
            self.records.pop(job_id, None)
            lost = JobLost(
                f"{command}: the service does not know job {job_id} (any more), so its outcome is unknown",
                command,
                error.status,
                error.code,
                error.text,
                job_id,
            )
            return JobEnd(job_id, {}, lost)
        status = job.get("jobstatus")
        if status == PENDING:
            return None
        result = job.get("jobresult") or {}
        if status == DONE:
            return JobEnd(job_id, result if isinstance(result, dict) else {"text": result}, None)
        if not isinstance(status, int):
            raise BadAnswer(f"{command}: the answer about job {job_id} has no jobstatus", command, job_id=job_id)
        return JobEnd(job_id, {}, _failure(command, job_id, job, result))


def listing(client: Client, params: Record, deadline: Deadline | None = None) -> list[Record]:
    """Return the jobs that listAsyncJobs lists with ``params``; none for an account that lacks the command.

    It is asked to be sure of what is under way, which such an account goes without.
    """
    try:
        return client.list("listAsyncJobs", params, deadline=deadline)
    except NotGranted:
        return []


def made_by(result: t.Any, field: str) -> Record:
    """Return the object of this field in a job's result; empty where there is none, as where the result is a text."""
    made = result.get(field) if isinstance(result, dict) else None
    return made if isinstance(made, dict) else {}


def await_pending(client: Client, keyword: str, object_id: str | None, deadline: Deadline) -> None:
    """Wait until no job is pending that may be about an object; how they end does not matter here.

    For use after an unknown outcome: the object shows what was done only when that is over. ``keyword`` is in the class
    name of the jobs' command (``Volume``). Without an id, or where a job does not tell its object's, all those count. Raises
    what ``Client.list`` raises.
    """
    for job in listing(client, {"keyword": keyword}, deadline):
        about = job.get("jobinstanceid")
        if job.get("jobstatus") == PENDING and (object_id is None or about in (None, object_id)):
            try:
                client.wait(job["jobid"], deadline.remaining())
            except (JobFailed, JobLost):
                continue


def startdate(created: str, earlier: float = 0) -> str | None:
    """Return a moment that many seconds before a job's ``created``, in the only form that listAsyncJobs takes.

    That form has a literal Z before the offset. ``None`` for anything else than ``2026-11-23T14:59:50+0000``. Source:
    measured on CloudStack 3.0.5.
    """
    try:
        moment = datetime.datetime.strptime(created, "%Y-%m-%dT%H:%M:%S%z") - datetime.timedelta(seconds=earlier)
    except ValueError:
        return None
    return moment.strftime(_STARTDATE)


def ago(client: Client, seconds: float) -> str:
    """Return the moment so many seconds ago, by the service's clock, in the form that listAsyncJobs takes."""
    moment = datetime.datetime.fromtimestamp(client.service_time() - seconds, datetime.timezone.utc)
    return moment.strftime(_STARTDATE)


def wait_for(client: Client, job_ids: t.Iterable[str], timeout: float | None = 600) -> dict[str, Record]:
    """Wait until all jobs have ended; return their results by id.

    ``timeout`` in seconds for all together. Raises the first ``JobFailed`` or ``JobLost`` once no other job is
    pending any more, or ``JobTimeout`` at the deadline.
    """
    deadline = Deadline(timeout, client.clock)
    jobs = Jobs(client, deadline)
    for job_id in job_ids:
        jobs.add(job_id)
    results: dict[str, Record] = {}
    errors: list[CloudnError] = []
    for _look in poll(client, deadline, lambda _waited: jobs.pause()):
        for end in jobs.poll():
            results[end.job_id] = end.result
            if end.error:
                errors.append(end.error)
        if not jobs:
            break
    if jobs:
        raise jobs.overdue(next(iter(jobs)), timeout)
    if errors:
        raise errors[0]
    return results


def _failure(command: str, job_id: str, job: Record, result: t.Any) -> JobFailed:
    """Return the error of a failed job, whatever the service left out of its result."""
    inner = result if isinstance(result, dict) else {"errortext": result}
    code = inner.get("errorcode", job.get("jobresultcode"))
    text = inner.get("errortext") or ""
    reason = text or ("the service gave no reason" if result else "the service gave no result")
    return JobFailed(f"{command}: job {job_id} failed: {reason} (error {code})", command, None, code, text, job_id)

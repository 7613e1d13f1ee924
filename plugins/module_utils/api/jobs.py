# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits for asynchronous jobs, one or many at once, with few requests."""

from __future__ import annotations

import datetime
import typing as t

from .deadline import Deadline, pause, poll
from .decode import Record
from .errors import PARAMETER_ERROR, ApiError, BadAnswer, CloudnError, JobFailed, JobLost, JobTimeout, NotGranted
from .flawed import problems
from .waits import seconds, some

if t.TYPE_CHECKING:
    from .client import Client

# queryAsyncJobResult's `jobstatus`; measured on CloudStack 3.0.5.
PENDING, DONE, FAILED = 0, 1, 2
# The service is taken to have forgotten a job that is still pending after these seconds.
FORGOTTEN = 3600.0
# Seconds. The first job that is watched may be so much younger than other jobs sent at the same time.
_SENT_TOGETHER = 60
# Advice for a job that goes on, for tasks that first look at the objects that exist.
OR_AGAIN = ", or run the task again, which goes on from there, with a longer wait_timeout if necessary"
# The jobs of a command are short if its last job took at most these seconds. The first look at the next job is then at the
# time when it should end.
_SHORT = 1.0
# If a short job has not ended then, a few more looks follow. The pause before each is this share of the time waited, and at
# least so many seconds.
_LOOKS, _SHARE, _SOONEST = 5, 0.05, 0.01
# The time of short jobs is known well enough if it is known up to this share. After some jobs an earlier look tries whether
# they end sooner. It is earlier by the first share if the last trial was too early, else by the second.
_CLOSE, _SOONER, _MUCH_SOONER = 0.15, 0.1, 0.5
# Words in the names of commands, and the types of the objects of their jobs. The first word that fits counts.
_INSTANCES = (
    ("Tags", ""),
    ("Policy", ""),
    ("Policies", ""),
    ("VMSnapshot", "VmSnapshot"),
    ("VirtualMachine", "VirtualMachine"),
    ("VMAffinityGroup", "VirtualMachine"),
    ("AffinityGroup", "AffinityGroup"),
    ("Snapshot", "Snapshot"),
    ("Template", "Template"),
    ("Volume", "Volume"),
    ("SecurityGroup", "SecurityGroup"),
)
# The job of such a command names any group: CloudStack 4 takes the number of the rule for that of a group. Source: measured
# on CloudStack 4.23.
_OF_ANY_OBJECT = "revokeSecurityGroup"
_STARTDATE = "%Y-%m-%dT%H:%M:%SZ%z"


class JobEnd(t.NamedTuple):
    """How a job ended: ``result`` (its fields) or ``error`` (``JobFailed`` or ``JobLost``), never both."""

    job_id: str
    result: Record
    error: CloudnError | None


class _Watched:
    """A pending job: its command and its start by the client's clock.

    ``object_ids`` are the ids that the object of the job may have; empty if they are not known. ``looks`` is how often it was
    seen pending, ``seen`` after how many seconds the last time. ``strange`` is how often the answer was about another job.
    """

    def __init__(self, command: str, began: float, object_ids: t.Collection[str] = frozenset()) -> None:
        self.command = command
        self.began = began
        self.object_ids = object_ids
        self.looks = 0
        self.seen = 0.0
        self.strange = 0


class _Pace:
    """When to look at short jobs of one command, from the times of earlier jobs.

    After ``_pending`` seconds jobs were still pending, after ``_ended`` seconds they had ended. The first look at the next
    job is between the two, or after ``_ended`` if they are close. From time to time ``_pending`` is forgotten, to find out
    whether jobs are shorter now. That is after ``_left`` jobs, and later each time that it was too early.
    """

    def __init__(self, seconds: float) -> None:
        self._pending = self._ended = seconds
        self._sooner = _MUCH_SOONER
        self._rest, self._left = 1, 0

    def pause(self, job: _Watched, waited: float) -> float:
        """Return the seconds to wait before the next look at a job, ``waited`` seconds after its start."""
        if job.looks > _LOOKS:
            return pause(waited)
        due = self._due()
        return max(_SOONEST, due - waited if waited < due else waited * _SHARE)

    def learn(self, pending: float, ended: float) -> None:
        """Take in the times of a job: last seen pending after so many seconds (0: never), and seen ended after so many."""
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
        """Return the seconds before the first look at the next job."""
        if self._ended - self._pending > self._ended * _CLOSE:
            return max(_SOONEST, (self._pending + self._ended) / 2)
        return self._ended


class Jobs:
    """The jobs of one run that are still pending.

    The service is asked for a single job by its id. For several, it is asked for one list of the jobs since the first of
    them began, so the number of requests does not grow. ``records`` are the jobs as the service last showed them, by id.
    """

    def __init__(self, client: Client, deadline: Deadline | None = None) -> None:
        self._client = client
        self._deadline = deadline
        self._pending: dict[str, _Watched] = {}
        self._paces: dict[str, _Pace | None] = {}  # None: its last job was long
        self._since: str | None = None
        self._all = 0
        self.records: dict[str, Record] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def __iter__(self) -> t.Iterator[str]:
        return iter(list(self._pending))

    def add(
        self, job_id: str, command: str = "job", brief: float = 0.0, object_ids: t.Collection[str] = frozenset()
    ) -> None:
        """Watch a job of this command.

        ``brief`` are the seconds that a short job takes, if that is known. ``object_ids`` are the ids in the request and in
        its answer: one of them is the id of the object that the job is about.
        """
        if brief:
            self._paces.setdefault(command, _Pace(brief))
        self._pending[job_id] = _Watched(command, self._client.clock(), object_ids)

    def pause(self) -> float:
        """Return the seconds to wait before the next look: a tenth of the time waited, from 0.2 to 4.6 seconds.

        If the last job of a command was short, the first look is about when the next job should end, and more looks follow
        soon. The youngest job counts, so the end of a short job is noticed soon, also beside long ones.
        """
        now = self._client.clock()
        youngest = max(self._pending.values(), key=lambda job: job.began, default=_Watched("", now))
        pace, waited = self._paces.get(youngest.command), now - youngest.began
        return pace.pause(youngest, waited) if pace else pause(waited)

    def poll(self) -> list[JobEnd]:
        """Ask once. Return the jobs that have ended since the last look; they are no longer watched."""
        ends: list[JobEnd] = []
        asked = self._client.clock()
        listed = self._listing() if len(self._pending) > 1 else {}
        for job_id in list(self._pending):
            try:
                end = self._end(job_id, listed.get(job_id))
            except CloudnError:
                if not ends:
                    raise
                break  # jobs that have ended are returned first; the next look finds the error again
            job = self._pending[job_id]
            if end is None:
                job.looks += 1
                job.seen = asked - job.began
                continue
            del self._pending[job_id]
            self._learn(job, asked - job.began)
            ends.append(end)
        return ends

    def ends(self, deadline: Deadline) -> t.Iterator[JobEnd]:
        """Yield each end as it is noticed, until no job is pending or the deadline is over. It always looks once."""
        self._all = len(self)
        for _look in poll(self._client, deadline, lambda _waited: self.pause(), self.describe):
            yield from self.poll()
            if not self:
                return

    def describe(self) -> str:
        """Return, for a person, how many jobs have ended and which are pending."""
        now = self._client.clock()
        pending = [f"job {job_id} {seconds(job.began, now)}" for job_id, job in list(self._pending.items())]
        return f"{self._all - len(pending)} of {self._all} jobs have ended; pending: {some(pending)}" if pending else ""

    def _learn(self, job: _Watched, took: float) -> None:
        """Remember how long a short job took. The end of a long one is noticed soon enough without that."""
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
        """Return the jobs since the first job that was watched, by id."""
        try:
            if self._since is None:
                first = self._query(next(iter(self._pending)))
                self._since = startdate(first.get("created", ""), earlier=_SENT_TOGETHER)
                if self._since is None:
                    return {}
            jobs = self._client.list("listAsyncJobs", {"startdate": self._since}, deadline=self._deadline)
            # A job that can't be read here is asked for by its id.
            return {job["jobid"]: job for job in jobs if not problems(job)}
        except ApiError:
            return {}  # then each job is asked for by its id, and the answer tells the error

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
        watched = self._pending[job_id]
        other = _strangeness(job_id, job, watched)
        if other:
            # An answer to another request. The next one may be the right one.
            self.records.pop(job_id, None)
            watched.strange += 1
            text = f"{command}: the answers about job {job_id} are about {other}, so its outcome is unknown"
            return JobEnd(job_id, {}, BadAnswer(text, command, job_id=job_id)) if watched.strange > _LOOKS else None
        status = job.get("jobstatus")
        if status == PENDING:
            return None
        result = job.get("jobresult") or {}
        if status == DONE and isinstance(result, dict) and result.get("success") is False:
            return JobEnd(job_id, {}, _failure(command, job_id, job, {"errortext": result.get("displaytext")}))
        if status == DONE:
            return JobEnd(job_id, result if isinstance(result, dict) else {"text": result}, None)
        if status != FAILED:
            known = f"{status!r} for a jobstatus, which is not known" if "jobstatus" in job else "no jobstatus"
            raise BadAnswer(f"{command}: the answer about job {job_id} has {known}", command, job_id=job_id)
        return JobEnd(job_id, {}, _failure(command, job_id, job, result))


def _strangeness(job_id: str, job: Record, watched: _Watched) -> str:
    """Return what an answer is about, if it is not the watched job, nor its object. Each is checked where the answer has it.

    The service tells the id of a job. CloudStack 3 tells its object while it is pending, and CloudStack 4 always. The result
    of some jobs holds the object. Source: recorded from CloudStack 3.0.5 and 4.23.
    """
    told = job.get("jobid", job_id)
    if told != job_id:
        return f"job {told!r}"
    kind, object_id = job.get("jobinstancetype"), job.get("jobinstanceid")
    wanted = instance_type(watched.command)
    if wanted and kind not in (None, "None", wanted):
        return f"an object of type {kind!r}"
    if watched.command.startswith(_OF_ANY_OBJECT):
        return ""
    made = made_by(job.get("jobresult"), wanted.lower())
    for found in (object_id, made.get("id")):
        if found is not None and watched.object_ids and found not in watched.object_ids:
            return f"the object {found!r}"
    return ""


def instance_type(command: str) -> str:
    """Return the type of the object that a job of a command is about, or an empty text where that is not known.

    Source: recorded from CloudStack 3.0.5 and 4.23, as ``jobinstancetype``.
    """
    return next((kind for word, kind in _INSTANCES if word in command), "")


def by_id(client: Client, job_id: str, deadline: Deadline | None = None) -> list[Record]:
    """Return the job with an id, in the form of a listed one. Return none if the service does not know it (any more)."""
    try:
        job = {"jobid": job_id, **client.call("queryAsyncJobResult", {"jobid": job_id}, deadline)}
    except ApiError as error:
        if error.code != PARAMETER_ERROR:
            raise
        return []
    if job["jobid"] != job_id:
        text = f"queryAsyncJobResult: the answer is about job {job['jobid']!r}, not about job {job_id}"
        raise BadAnswer(text, "queryAsyncJobResult", job_id=job_id)
    return [job]


def listing(client: Client, params: Record, deadline: Deadline | None = None) -> list[Record]:
    """Return the jobs that listAsyncJobs lists with ``params``; none if the account lacks the command.

    Callers want to know what else is going on. With such an account they must do without.
    """
    try:
        return client.list("listAsyncJobs", params, deadline=deadline)
    except NotGranted:
        return []


def made_by(result: t.Any, field: str) -> Record:
    """Return the object in this field of a job's result. It is empty where there is none, or the result is a text."""
    made = result.get(field) if isinstance(result, dict) else None
    return made if isinstance(made, dict) else {}


def await_pending(client: Client, keyword: str, object_id: str | None, deadline: Deadline) -> None:
    """Wait until no pending job may concern an object. The outcome of the jobs does not matter.

    For use after an unknown outcome: the object shows the outcome only when its jobs have ended. ``keyword`` is a part of
    the class name of the jobs' command (``Volume``). Without an id all these jobs count, and a job without its object's id
    always does. Raises what ``Client.list`` raises.
    """
    for job in listing(client, {"keyword": keyword}, deadline):
        about = job.get("jobinstanceid")
        if job.get("jobstatus") == PENDING and (object_id is None or about in (None, object_id)):
            try:
                client.wait(job["jobid"], deadline.remaining())
            except (JobFailed, JobLost):
                continue


def startdate(created: str, earlier: float = 0) -> str | None:
    """Return the time so many seconds before a job's ``created``, in the only form that listAsyncJobs takes.

    That form has a literal Z before the offset; measured on CloudStack 3.0.5. ``created`` must look like
    ``2026-11-23T14:59:50+0000``; for anything else the result is ``None``.
    """
    try:
        moment = datetime.datetime.strptime(created, "%Y-%m-%dT%H:%M:%S%z") - datetime.timedelta(seconds=earlier)
    except ValueError:
        return None
    return moment.strftime(_STARTDATE)


def ago(client: Client, seconds: float) -> str:
    """Return the time so many seconds ago, by the service's clock, in the form that listAsyncJobs takes."""
    moment = datetime.datetime.fromtimestamp(client.service_time() - seconds, datetime.timezone.utc)
    return moment.strftime(_STARTDATE)


def age(client: Client, record: Record) -> float:
    """Return how many seconds ago the service made an object, by its own clock; infinite where it does not tell."""
    try:
        made = datetime.datetime.strptime(record.get("created", ""), "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError:
        return float("inf")
    return client.service_time() - made


def wait_for(client: Client, job_ids: t.Iterable[str], timeout: float | None = 600) -> dict[str, Record]:
    """Wait until all jobs have ended; return their results by id.

    ``timeout`` is in seconds, for all together. Raises the first ``JobFailed`` or ``JobLost`` when no job is pending any
    more, or ``JobTimeout`` at the deadline.
    """
    deadline = Deadline(timeout, client.clock)
    jobs = Jobs(client, deadline)
    for job_id in job_ids:
        jobs.add(job_id)
    results: dict[str, Record] = {}
    errors: list[CloudnError] = []
    for end in jobs.ends(deadline):
        results[end.job_id] = end.result
        if end.error:
            errors.append(end.error)
    if jobs:
        raise jobs.overdue(next(iter(jobs)), timeout)
    if errors:
        raise errors[0]
    return results


def _failure(command: str, job_id: str, job: Record, result: t.Any) -> JobFailed:
    """Return the error of a failed job, also where its result lacks fields."""
    inner = result if isinstance(result, dict) else {"errortext": result}
    code = inner.get("errorcode", job.get("jobresultcode"))
    text = inner.get("errortext") or ""
    reason = text or ("the service gave no reason" if result else "the service gave no result")
    return JobFailed(f"{command}: job {job_id} failed: {reason} (error {code})", command, None, code, text, job_id)

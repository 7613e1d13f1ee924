# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New objects: looks for one that is not listed yet, for the owner of one that appears, and for the one that stays of several.

``docs/rely-on.md`` gives the reasons.
"""

from __future__ import annotations

import typing as t

from ..api import Client, CloudnError, Deadline, Duplicates, JobFailed, JobLost, JobTimeout, Record, UnknownOutcome
from ..api.client import listing
from ..api.deadline import poll
from ..api.job_list import JobList
from ..api.jobs import DONE, FORGOTTEN, PENDING, age, ago, made_by
from . import duplicates, plan
from .duplicates import ALONE, GIVE_WAY, NONE, WAIT, Contest, Decision, Kind
from .plan import New, Outrun, Plan, Step
from .progress import Progress

_DOUBT = "So it is not known whether another run made an object of the same name at the same time: run the task again"

T = t.TypeVar("T")


def await_one(client: Client, look: t.Callable[[], T], kind: Kind, deadline: Deadline) -> T:
    """Return what ``look`` returns. While it raises ``Duplicates``, wait until the runs that made them leave one."""
    contest = Contest(kind, None, None, client.clock())
    text = "several runs have created the same object; waits until only one of them is left"
    for _look in poll(client, deadline, describe=lambda: text):
        try:
            return look()
        except Duplicates as error:
            several = error
        if kind.mistakes(client, several.records):
            break
        try:
            contest.decide(several.records, client.clock())
        except CloudnError:
            break
    raise several


def await_unseen(client: Client, creations: list[Creation], deadline: Deadline) -> bool:
    """Wait for objects that the service makes, or made just now, that may be the same and are not listed yet.

    Returns whether there were any, so that the caller looks again. One listing of jobs serves all objects of a kind. Raises
    ``JobTimeout`` at the deadline.
    """
    kinds: dict[tuple[str, bool], list[Creation]] = {}
    for creation in creations:
        if not creation.kind.unique:  # else the service refuses a second one
            kinds.setdefault((creation.kind.making, creation.kind.hidden), []).append(creation)
    for alike in kinds.values():
        _await_unseen(client, alike, deadline)
    return any(creation.has_seen for creation in creations)


def _await_unseen(client: Client, creations: list[Creation], deadline: Deadline) -> None:
    """Wait for the objects of one kind."""
    first = creations[0]
    for creation in creations:
        creation.job_list = first.job_list
    command = first.kind.create
    unseen: list[Record] = []
    for _look in poll(client, deadline, describe=lambda: f"looks for what another run makes ({command})"):
        jobs = first.recent_jobs()
        unseen = [job for creation in creations for job in creation.unseen(jobs)]
        if not unseen:
            return
    job_id = unseen[0]["jobid"]
    text = f"job {job_id}, which began before this run, is pending and may make the same; nothing was changed"
    way_out = "Wait for it with cloudn_job, or run the task again with a longer wait_timeout"
    raise JobTimeout(f"{command}: {text}. {way_out}", command, job_id=job_id)


class Creation:
    """The object that a plan makes: from before its creation until it is the only one."""

    def __init__(self, client: Client, new: New, deadline: Deadline) -> None:
        self._client = client
        self._new = new
        self.kind: Kind = new.kind
        self._deadline = deadline
        since = ago(client, FORGOTTEN if self.kind.hidden else plan.LAG + 1)
        self.job_list = JobList(client, {"startdate": since, "keyword": self.kind.making}, deadline)
        self._old_jobs: set[str] = set()
        self._seen_pending: dict[str, float] = {}
        self.has_seen = False  # whether another run has made what may be the same
        self._contest: Contest | None = None
        self._began = client.clock()

    # --- before one is made

    def unseen(self, jobs: list[Record]) -> list[Record]:
        """Take in the recent jobs that make objects of this kind. Return those whose objects may still be listed later."""
        self._old_jobs = {job["jobid"] for job in jobs}
        if not self._new.shared:
            return []
        for job in jobs:
            if job.get("jobstatus") == PENDING:
                self._seen_pending[job["jobid"]] = self._client.clock()
        looks = [(job, self._is_listed(job, self._seen_pending.get(job["jobid"]))) for job in jobs]
        self.has_seen = self.has_seen or any(is_listed is not None for _job, is_listed in looks)
        return [job for job, is_listed in looks if is_listed is False]

    def _is_listed(self, job: Record, seen_pending: float | None) -> bool | None:
        """Tell whether the object of a job is listed. ``None``: it can't be the same as the new one."""
        if job.get("jobstatus") == PENDING:
            about = job.get("jobinstanceid") or ""
        else:
            made = self._made_by(job)
            if not self._is_new(made):
                return None
            about = made["id"]
        rows = self._rows({"id": about}) if about else []
        if rows:
            return True if any(self._is_new(row) for row in rows) else None
        return False if self._may_appear(job, seen_pending) else None

    def _may_appear(self, job: Record, seen_pending: float | None) -> bool:
        """Tell whether the object of a job may still be listed later. An older one that is not listed was deleted."""
        if job.get("jobstatus") == PENDING and self.kind.hidden:
            return age(self._client, job) < FORGOTTEN
        just_now = seen_pending is not None and self._client.clock() - seen_pending < plan.LAG
        return just_now or age(self._client, job) < plan.LAG

    # --- after an answer was lost

    def is_in_doubt(self, progress: Progress) -> bool:
        """Tell whether the outcome of the creation is unknown, and the name does not show it."""
        command = progress.failed_step.command if progress.failed_step else None
        is_lost = isinstance(progress.error, UnknownOutcome) and command == self.kind.create
        return is_lost and not self.kind.unique

    def pick(self, progress: Progress, warnings: list[str]) -> Record | None:
        """Return the object that a command with an unknown outcome has made, or ``None`` if it has made none.

        A matching object that is newer than this run is the one that it made, or as good. Of several it returns the oldest,
        with a warning in ``warnings``. Raises ``CloudnError`` if it is not known yet.
        """
        rows = self._found(progress.created_id)
        ids = list(dict.fromkeys(row["id"] for row in rows))
        if len(ids) > 1:
            text = f"its answer was lost, and {len(ids)} objects may be what it made: {', '.join(ids)}"
            warnings.append(f"{self.kind.create}: {text}. {ids[0]} is taken; see whether another run needs the others")
        return rows[0] if rows else None

    def _found(self, created_id: str | None) -> list[Record]:
        """Return the objects that may have been made, oldest first, after their jobs have ended.

        It looks for them as long as an answer may take (``api_timeout``): a command whose connection broke may still be under
        way, and a listing may lag. An object whose id is known (``created_id``) was begun for certain.
        """
        began, patience = self._client.clock(), self._client.timeout
        unlisted: set[str] = set()
        for _look in poll(self._client, self._deadline, describe=lambda: self._looks_for("what it may have made")):
            promised = {created_id} if created_id else self._promised()
            rows = [row for row in self._rows(self._new.query) if self._is_new(row) and created_id in (None, row["id"])]
            unlisted = promised - {row["id"] for row in rows}
            if rows and not unlisted:
                return sorted(rows, key=duplicates.rank)
            if unlisted and not created_id:
                patience = self._client.timeout + plan.LAG
            if self._client.clock() - began < patience:
                continue
            if not unlisted:
                return []
            break
        state = f"{', '.join(sorted(unlisted))} was begun" if unlisted else "it may still be under way"
        raise CloudnError(f"{state}, but it is not listed", self.kind.create)

    def _looks_for(self, what: str) -> str:
        return f"looks for {what} ({self.kind.create})"

    def _promised(self) -> set[str]:
        """Return the ids of matching objects that new jobs have made, after the jobs have ended."""
        made = [self._result_of(job) for job in self.recent_jobs() if job["jobid"] not in self._old_jobs]
        return {one["id"] for one in made if self._is_new(one)}

    def _is_new(self, record: Record) -> bool:
        return bool(record) and record["id"] not in self._new.known and self._new.same(record)

    def _result_of(self, job: Record) -> Record:
        """Return the object that a job has made, after the job has ended."""
        if job.get("jobstatus") != PENDING:
            return self._made_by(job)
        try:
            return self._client.wait(job["jobid"], self._deadline.remaining()).get(self.kind.field) or {}
        except (JobFailed, JobLost):
            return {}

    # --- after one was made

    def add_check(self, planned: Plan) -> None:
        """Add to a plan the look whether another run has made the same at the same time.

        It comes after the creation. Steps that are sent while the job of the creation runs, such as tags, come before it.
        """
        if self._new.shared:
            stages = planned.stages
            at = next((number for number, stage in enumerate(stages, 1) if any(step.creates for step in stage)), 0)
            while 0 < at < len(stages) and all(step.early for step in stages[at]):
                at += 1
            stages.insert(at, [self._look_alone(planned.name)])

    def _look(self, text: str, query: Record, until: t.Any) -> Step:
        return Step(text, self.kind.listing, self._params(query), until=until, search=self.kind.search)

    def _look_alone(self, name: str) -> Step:
        look = self._look(f"{name} to be the only one", self._new.query, self._is_alone)
        return look._replace(joint=True, point=plan.MADE, doubt=_DOUBT)

    def _is_alone(self, records: list[Record], progress: Progress) -> Record | None:
        """Return once only the plan's object is listed. Raises ``Outrun`` if the run goes on with another one.

        Raises ``CloudnError`` for one of the same name that is not alike.
        """
        contest = self._contest_of(progress)
        if contest is None:
            return {}  # it was found after a lost answer, and may belong to any run
        decision = self._decide(contest, self._rivals(contest, records, progress))
        if decision.action == ALONE:
            return {}
        if decision.action == WAIT:
            if not self._deadline.remaining():
                raise contest.unsettled(
                    f"which one stays was not clear within {self._deadline.seconds:g} s (wait_timeout)"
                )
            return None
        if decision.action == NONE and not self.kind.remade:
            held = "The name stays taken until the service has expunged them, by default for a day: use another name until then"
            raise contest.unsettled("all of them have been deleted again", held)
        contest.move(decision.other.get("id"))
        outcome = f"{contest.kept} stays" if contest.kept else "it is gone again"
        text = f"another run made the same at the same time; {outcome}, {contest.surplus} of this run is not needed"
        raise Outrun(f"{self.kind.create}: {text}", self.kind.create)

    def _rivals(self, contest: Contest, records: list[Record], progress: Progress) -> list[Record]:
        """Return the objects of a contest: the run's own one, the one that it goes on with, and all that are the same."""
        owner = self.kind.owner(progress.object)
        same = [row for row in records if self._is_new(row) and owner in (None, self.kind.owner(row))]
        rows = [row for row in records if row in same or row["id"] in (contest.own, contest.kept)]
        return self.kind.refine(self._client, rows) if len(rows) > 1 else rows

    def _decide(self, contest: Contest, rows: list[Record]) -> Decision:
        now = self._client.clock()
        decision = contest.decide(rows, now)
        if decision.action == GIVE_WAY and contest.yields_late and self._is_busy(rows):
            contest.disturb(now)
            return Decision(WAIT)
        return decision

    def _contest_of(self, progress: Progress) -> Contest | None:
        """Return the contest of the plan's object: a new one if this run has just made the object."""
        own = progress.created_id if progress.created_id == progress.id else None
        if own and (self._contest is None or self._contest.own != own):
            self._contest = Contest(self.kind, own, own, self._began)
        elif self._contest is None and self.kind.unique:
            self._contest = Contest(self.kind, None, progress.id, self._began)
        return self._contest

    def _is_busy(self, rows: list[Record]) -> bool:
        """Tell whether jobs that make some of these are still pending."""
        if self.kind.is_busy:
            return self.kind.is_busy(self._client, rows)
        about = {job.get("jobinstanceid") for job in self.recent_jobs() if job.get("jobstatus") == PENDING}
        return any(row["id"] in about for row in rows)

    @property
    def has_yielded(self) -> bool:
        """Whether the run goes on with the object of another run."""
        return self._contest is not None and self._contest.own is None and bool(self._contest.kept)

    def survivor(self, progress: Progress) -> Record | None:
        """Return the object that stays of two. ``None``: both are gone, as both runs gave way."""
        contest = self._contest
        for one in filter(None, (contest.kept, contest.surplus) if contest else ()):
            rows = [row for row in self._rows({"id": one}) if self._new.same(row)]
            if rows and contest:
                contest.kept = one
                contest.surplus = progress.surplus = "" if one == contest.surplus else contest.surplus
                return rows[0]
        self._contest = None
        return None

    def lead_on(self, progress: Progress, fresh: Plan) -> None:
        """Add to the start of a new plan: wait until the other object can be used, and delete the one that this run made.

        It deletes only an id that an answer to this very run gave as new, and only while the object has nothing but tags. The
        service refuses to delete a volume that somebody has attached meanwhile. Other runs may give way too, so the last look
        checks that the other object is still there, and alone.
        """
        contest = self._contest
        if contest is None or not contest.kept or contest.own:
            if fresh.creates or (self.kind.unique and self._deadline.remaining()):
                self.add_check(fresh)
            return
        kept, surplus = contest.kept, contest.surplus
        stages = [[self._look(f"{kept} to be ready", {"id": kept}, self._is_usable)]]
        if surplus and self._rows({"id": surplus}):
            text = f"{progress.name}: {self.kind.verb} {surplus} again, as another run made {kept}"
            expect, field = self.kind.expect, self.kind.field
            stages += [
                [self._look(f"{surplus} to be ready", {"id": surplus}, self._is_terminal)],
                [Step(text, self.kind.delete, {"id": surplus}, returns=field, expect=expect)],
            ]
        stages.append([self._look_alone(kept)])
        fresh.stages[:0] = stages

    def _is_usable(self, records: list[Record], _progress: Progress) -> Record | None:
        kept = self._contest.kept if self._contest else ""
        if not records:
            raise Outrun(f"{self.kind.create}: {kept}, which another run made, is gone again", self.kind.create)
        usable = self.kind.usable(records[0])
        if usable is False:
            raise self.kind.error(f"{kept} of another run has failed. Delete it (state: absent) and run the task again")
        return {} if usable else None

    def _is_terminal(self, records: list[Record], _progress: Progress) -> Record | None:
        return None if records and self.kind.usable(records[0]) is None else {}

    def explain(self, progress: Progress) -> None:
        """Add to the failure of a new object that another run made one of the same name at the same time.

        The run of the other object follows the same rule, so one of the two is deleted all the same.
        """
        if not (progress.error and progress.created_id and self.kind.unique):
            return
        try:
            rows = self._rows(self._new.query)
        except CloudnError:
            return  # the object's own error counts
        others = [row["id"] for row in rows if self._is_new(row) and row["id"] != progress.created_id]
        if others and progress.created_id not in str(progress.error.message):
            text = f"This run made {progress.created_id}, and another run made {', '.join(others)} of the same name"
            progress.error.message += f". {text} at the same time"

    # --- asking

    def _params(self, query: Record) -> Record:
        """Return parameters of the listing: those that it always needs, and ``query``."""
        return {**{name: value for name, value in self._new.query.items() if name == "templatefilter"}, **query}

    def _rows(self, query: Record) -> list[Record]:
        if self.kind.search:
            return self.kind.search(self._client, query)
        return listing(self._client, self.kind.listing, self._params(query), "id")

    def recent_jobs(self) -> list[Record]:
        """Return the recent jobs that make objects of this kind."""
        return self.job_list.look() if self.kind.making else []

    def _made_by(self, job: Record) -> Record:
        return made_by(job.get("jobresult"), self.kind.field) if job.get("jobstatus") == DONE else {}

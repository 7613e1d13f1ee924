# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""New objects: is the one asked for there unseen, whose is one that appears, and which one stays of several.

``docs/rely-on.md`` tells why it is done so.
"""

from __future__ import annotations

import typing as t

from ..api import Client, CloudnError, Deadline, Duplicates, JobFailed, JobLost, JobTimeout, Record, UnknownOutcome
from ..api.client import listing
from ..api.deadline import poll
from ..api.jobs import DONE, FORGOTTEN, PENDING, age, ago, made_by
from ..api.jobs import listing as jobs_listing
from . import duplicates, plan
from .duplicates import ALONE, GIVE_WAY, NONE, WAIT, Contest, Decision, Kind
from .plan import New, Outrun, Plan, Step
from .progress import Progress

_DOUBT = "So it is not known whether another run made an object of the same name at the same time: run the task again"

T = t.TypeVar("T")


def await_one(client: Client, look: t.Callable[[], T], kind: Kind, deadline: Deadline) -> T:
    """Return what ``look`` returns. While it raises ``Duplicates``, wait for the runs that made them to leave one."""
    contest = Contest(kind, None, None, client.clock())
    for _look in poll(client, deadline):
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


class Creation:
    """The object that a plan makes, from before it is sent until it is the only one."""

    def __init__(self, client: Client, new: New, deadline: Deadline) -> None:
        self._client = client
        self._new = new
        self._kind: Kind = new.kind
        self._deadline = deadline
        self._since = ago(client, FORGOTTEN if self._kind.hidden else plan.LAG + 1)
        self._old_jobs: set[str] = set()
        self._contest: Contest | None = None
        self._began = client.clock()

    # --- before one is made

    def await_unseen(self) -> bool:
        """Wait for what the service is making, or made just now, that may be the same and was not listed.

        Returns whether there was something, so that the caller looks anew. Raises ``JobTimeout`` at the deadline.
        """
        if self._kind.unique:
            return False  # the service refuses a second one
        found = False
        seen_pending: dict[str, float] = {}
        unseen: list[Record] = []
        for _look in poll(self._client, self._deadline):
            jobs = self._jobs()
            self._old_jobs = {job["jobid"] for job in jobs}
            if not self._new.shared:
                return False
            for job in jobs:
                if job.get("jobstatus") == PENDING:
                    seen_pending[job["jobid"]] = self._client.clock()
            looks = [(job, self._is_listed(job, seen_pending.get(job["jobid"]))) for job in jobs]
            unseen = [job for job, is_listed in looks if is_listed is False]
            found = found or any(is_listed is not None for _job, is_listed in looks)
            if not unseen:
                return found
        raise JobTimeout(
            f"{self._kind.create}: job {unseen[0]['jobid']}, which began before this run, is still pending, and what it makes is "
            "not listed before it has ended, so it may be what is asked for here; nothing was changed. Wait for it with "
            "cloudn_job, or run the task again with a longer wait_timeout",
            self._kind.create,
            job_id=unseen[0]["jobid"],
        )

    def _is_listed(self, job: Record, seen_pending: float | None) -> bool | None:
        """Tell whether what a job makes is listed, of what may be the same; ``None`` for anything else."""
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
        """Tell whether what a job makes may yet be listed; what was made a while ago and is not listed has been deleted."""
        if job.get("jobstatus") == PENDING and self._kind.hidden:
            return age(self._client, job) < FORGOTTEN
        just_now = seen_pending is not None and self._client.clock() - seen_pending < plan.LAG
        return just_now or age(self._client, job) < plan.LAG

    # --- after an answer was lost

    def is_in_doubt(self, progress: Progress) -> bool:
        """Tell whether a plan was stopped because it is not known whether one was made, and its name does not tell it."""
        command = progress.failed_step.command if progress.failed_step else None
        is_lost = isinstance(progress.error, UnknownOutcome) and command == self._kind.create
        return is_lost and not self._kind.unique

    def pick(self, progress: Progress, warnings: list[str]) -> Record | None:
        """Return what a command whose outcome is unknown has made, or ``None`` where it has made nothing.

        What was made since this run began and is what it asked for is what it made, or as good: of several the oldest,
        with a warning in ``warnings``. Raises ``CloudnError`` while it can't be told.
        """
        rows = self._found(progress.created_id)
        ids = list(dict.fromkeys(row["id"] for row in rows))
        if len(ids) > 1:
            warnings.append(
                f"{self._kind.create}: its answer was lost, and {len(ids)} are found that may be what it made: {', '.join(ids)}. "
                f"{ids[0]} is taken; see whether another run needs the others"
            )
        return rows[0] if rows else None

    def _found(self, own: str | None) -> list[Record]:
        """Return what may have been made, oldest first, when the jobs of it have ended.

        It is looked for as long as an answer may take (``api_timeout``): a command whose connection broke may still be under
        way, and a listing may lag. One whose id is known (``own``) was begun for certain.
        """
        began = self._client.clock()
        patience = self._client.timeout
        unlisted: set[str] = set()
        for _look in poll(self._client, self._deadline):
            promised = {own} if own else self._promised()
            rows = [row for row in self._rows(self._new.query) if self._is_new(row) and own in (None, row["id"])]
            unlisted = promised - {row["id"] for row in rows}
            if rows and not unlisted:
                return sorted(rows, key=duplicates.rank)
            waited = self._client.clock() - began
            if unlisted and not own:
                patience = max(patience, self._client.timeout + plan.LAG)
            if waited >= patience and not unlisted:
                return []
            if waited >= patience:
                break
        state = f"{', '.join(sorted(unlisted))} was begun" if unlisted else "it may still be under way"
        raise CloudnError(f"{state}, but it is not listed", self._kind.create)

    def _promised(self) -> set[str]:
        """Return the ids of what new jobs have made of the same, once they have ended."""
        made = [self._result_of(job) for job in self._jobs() if job["jobid"] not in self._old_jobs]
        return {one["id"] for one in made if self._is_new(one)}

    def _is_new(self, record: Record) -> bool:
        return bool(record) and record["id"] not in self._new.known and self._new.same(record)

    def _result_of(self, job: Record) -> Record:
        """Return what a job has made, once it has ended."""
        if job.get("jobstatus") != PENDING:
            return self._made_by(job)
        try:
            return self._client.wait(job["jobid"], self._deadline.remaining()).get(self._kind.field) or {}
        except (JobFailed, JobLost):
            return {}

    # --- after one was made

    def add_check(self, planned: Plan) -> None:
        """Add to a plan the look whether another run has made the same at the same time.

        It comes when the object is made. What is sent while the job of that runs, such as tags, is sent all the same.
        """
        if self._new.shared:
            stages = planned.stages
            at = next((number for number, stage in enumerate(stages, 1) if any(step.creates for step in stage)), 0)
            while 0 < at < len(stages) and all(step.early for step in stages[at]):
                at += 1
            stages.insert(at, [self._look_alone(planned.name)])

    def _look(self, text: str, query: Record, until: t.Any) -> Step:
        return Step(text, self._kind.listing, self._params(query), until=until, search=self._kind.search)

    def _look_alone(self, name: str) -> Step:
        look = self._look(f"{name} to be the only one", self._new.query, self._is_alone)
        return look._replace(joint=True, doubt=_DOUBT)

    def _is_alone(self, records: list[Record], progress: Progress) -> Record | None:
        """Return once the plan's object is listed and no other is; raise ``Outrun`` where it goes on with another one.

        Raises ``CloudnError`` for one of the same name that is not alike.
        """
        contest = self._contest_of(progress)
        if contest is None:
            return {}  # it was found after a lost answer, and may be anybody's
        decision = self._decide(contest, self._rivals(contest, records, progress))
        if decision.action == ALONE:
            return {}
        if decision.action == WAIT:
            if not self._deadline.remaining():
                seconds = f"{self._deadline.seconds:g} s (wait_timeout)"
                raise contest.unsettled(f"which one stays was not clear within {seconds}")
            return None
        if decision.action == NONE and not self._kind.remade:
            raise contest.unsettled("all of them have been deleted again")
        contest.move(decision.other.get("id"))
        raise Outrun(
            f"{self._kind.create}: another run made the same at the same time; {contest.kept or 'it'} "
            f"{'stays' if contest.kept else 'is gone again'}, {contest.surplus}, which this run made, is not needed",
            self._kind.create,
        )

    def _rivals(self, contest: Contest, records: list[Record], progress: Progress) -> list[Record]:
        """Return the objects of a contest: the own one, the one that the run goes on with, and what is the same."""
        owner = self._kind.owner(progress.object)
        same = [row for row in records if self._is_new(row) and owner in (None, self._kind.owner(row))]
        rows = [row for row in records if row in same or row["id"] in (contest.own, contest.kept)]
        return self._kind.refine(self._client, rows) if len(rows) > 1 else rows

    def _decide(self, contest: Contest, rows: list[Record]) -> Decision:
        now = self._client.clock()
        decision = contest.decide(rows, now)
        if decision.action == GIVE_WAY and contest.yields_late and self._is_busy(rows):
            contest.disturb(now)
            return Decision(WAIT)
        return decision

    def _contest_of(self, progress: Progress) -> Contest | None:
        """Return the contest that the plan's object is in: a new one for an object that this run has just made."""
        own = progress.created_id if progress.created_id == progress.id else None
        if own and (self._contest is None or self._contest.own != own):
            self._contest = Contest(self._kind, own, own, self._began)
        elif self._contest is None and self._kind.unique:
            self._contest = Contest(self._kind, None, progress.id, self._began)
        return self._contest

    def _is_busy(self, rows: list[Record]) -> bool:
        """Tell whether the service has not ended the jobs that make some of these."""
        if self._kind.is_busy:
            return self._kind.is_busy(self._client, rows)
        about = {job.get("jobinstanceid") for job in self._jobs() if job.get("jobstatus") == PENDING}
        return any(row["id"] in about for row in rows)

    @property
    def has_yielded(self) -> bool:
        """Whether the run goes on with the object of another run."""
        return self._contest is not None and self._contest.own is None and bool(self._contest.kept)

    def survivor(self, progress: Progress) -> Record | None:
        """Return the object that stays, of two; ``None`` where both are gone, as both runs gave way."""
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
        """Let a new plan begin with the deletion of what this run made in vain, once the other one can be used.

        Only an id that an answer to this very run gave as new is ever deleted here, when it has got nothing but tags. The
        service itself refuses to delete a volume that somebody has attached meanwhile. Other runs may give way too, so it is seen
        at the end that the other one is still there, and alone.
        """
        contest = self._contest
        if contest is None or not contest.kept or contest.own:
            if fresh.creates or (self._kind.unique and self._deadline.remaining()):
                self.add_check(fresh)
            return
        kept, surplus = contest.kept, contest.surplus
        stages = [[self._look(f"{kept} to be ready", {"id": kept}, self._is_usable)]]
        if surplus and self._rows({"id": surplus}):
            text = f"{progress.name}: {self._kind.verb} {surplus} again, as another run made {kept}"
            expect, field = self._kind.expect, self._kind.field
            stages += [
                [self._look(f"{surplus} to be ready", {"id": surplus}, self._is_terminal)],
                [Step(text, self._kind.delete, {"id": surplus}, returns=field, expect=expect)],
            ]
        stages.append([self._look_alone(kept)])
        fresh.stages[:0] = stages

    def _is_usable(self, records: list[Record], _progress: Progress) -> Record | None:
        kept = self._contest.kept if self._contest else ""
        if not records:
            raise Outrun(f"{self._kind.create}: {kept}, which another run made, is gone again", self._kind.create)
        usable = self._kind.usable(records[0])
        if usable is False:
            raise CloudnError(
                f"{self._kind.create}: {kept}, which another run made, has come to nothing. Delete it (state: absent), and "
                "run the task again",
                self._kind.create,
            )
        return {} if usable else None

    def _is_terminal(self, records: list[Record], _progress: Progress) -> Record | None:
        return None if records and self._kind.usable(records[0]) is None else {}

    def explain(self, progress: Progress) -> None:
        """Say of an object that was made, and failed, that another run made one of the same name at the same time.

        The run of the other object goes by the same rule, so that one of the two goes all the same.
        """
        if not (progress.error and progress.created_id and self._kind.unique):
            return
        try:
            rows = self._rows(self._new.query)
        except CloudnError:
            return  # the error of the object itself is what counts
        others = [row["id"] for row in rows if self._is_new(row) and row["id"] != progress.created_id]
        if others and progress.created_id not in str(progress.error.message):
            progress.error.message += f". This run made {progress.created_id}, and at the same time another of the same name was made, {', '.join(others)}"

    # --- asking

    def _params(self, query: Record) -> Record:
        """Return parameters of the listing: those that every one of it needs, and others."""
        return {**{name: value for name, value in self._new.query.items() if name == "templatefilter"}, **query}

    def _rows(self, query: Record) -> list[Record]:
        if self._kind.search:
            return self._kind.search(self._client, query)
        return listing(self._client, self._kind.listing, self._params(query), "id")

    def _jobs(self) -> list[Record]:
        """Return the jobs that make objects of this kind, of a while ago and since."""
        if not self._kind.making:
            return []
        params = {"startdate": self._since, "keyword": self._kind.making}
        return jobs_listing(self._client, params, self._deadline)

    def _made_by(self, job: Record) -> Record:
        return made_by(job.get("jobresult"), self._kind.field) if job.get("jobstatus") == DONE else {}

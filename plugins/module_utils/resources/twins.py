# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects whose names are not unique: is the one asked for there unseen, whose is one that appears, which of two stays.

``docs/rely-on.md`` tells why it is done so.
"""

from __future__ import annotations

import typing as t

from .. import duplicates, plan
from ..api import Client, CloudnError, Deadline, Duplicates, JobFailed, JobLost, JobTimeout, Record, UnknownOutcome
from ..api.client import listing
from ..api.deadline import poll
from ..api.jobs import DONE, FORGOTTEN, PENDING, ago, made_by
from ..api.jobs import listing as jobs_listing
from ..duplicates import ALONE, GIVE_WAY, WAIT, Contest, Decision
from ..plan import Outrun, Step, Track
from . import duration

# Seconds by which objects may be apart that runs made at one moment, and for which it may take to leave one of them.
_ONE_MOMENT, _RECENT = 60.0, 600.0


class Kind(t.NamedTuple):
    """What there is to know of one kind of objects.

    ``field`` holds one in a job's result; ``listing`` lists them; ``making`` is in the class names of the jobs that make
    one, empty where no job does; ``create`` and ``delete`` are the commands. ``good(record)`` is true of one that can be
    used, false of one that never will be, and ``None`` while that is open. ``alike`` are the fields in which two that are
    made by the same task are the same. ``hidden`` says that one is not listed before its job has ended.
    """

    field: str
    listing: str
    making: str
    create: str
    delete: str
    good: t.Callable[[Record], bool | None]
    alike: tuple[str, ...] = ()
    hidden: bool = False


T = t.TypeVar("T")


def found(
    client: Client,
    look: t.Callable[[], T],
    good: t.Callable[[Record], bool | None],
    create: str,
    deadline: Deadline,
    check: bool,
) -> T:
    """Return what ``look`` returns. Where it raises ``Duplicates``, of objects that runs may have made at one moment, wait.

    ``good`` and ``create`` are as in ``Kind``.
    """
    try:
        return look()
    except Duplicates as error:
        if check or not _may_be_settled(client, error.records):
            raise
    from ..settle import await_one  # here, as hardly a run needs it

    return await_one(client, look, duplicates.Kind(create, good, duplicates.alike_in()), deadline)


def _may_be_settled(client: Client, records: list[Record]) -> bool:
    """Tell whether objects are such that runs may have made them at one moment, and may be about to leave one of them."""
    ages = sorted(duration.age(client, record) for record in records)
    places = {(record["id"], record.get("zoneid")) for record in records}
    in_one_zone = len({zone for _id, zone in places}) < len(places)
    return in_one_zone and ages[0] <= _RECENT and ages[-1] - ages[0] <= _ONE_MOMENT


class Twins:
    """The objects that may be the same as the one that a run is about to make.

    Arguments:
        kind: what they are.
        query: parameters of the listing that find them all.
        same: tells of a record whether it is what is asked for.
        known: ids of those that were there before, and are not it.
        deadline: when waiting ends.
        shared: whether the object of another run serves as well as this run's own.
        wait: whether the run waits for what it makes.

    Where another run's object stays, ``stays`` is its id, and ``surplus`` that of what this run made in vain.
    """

    def __init__(
        self,
        client: Client,
        kind: Kind,
        query: Record,
        same: t.Callable[[Record], bool],
        deadline: Deadline,
        known: t.Iterable[str] = (),
        shared: bool = True,
        wait: bool = True,
    ) -> None:
        self._client = client
        self._kind = kind
        self._query = query
        self._same = same
        self._deadline = deadline
        self._known = set(known)
        self._shared = shared
        self._wait = wait
        self._window = FORGOTTEN if kind.hidden else plan.LAG + 1
        self._since = ago(client, self._window)
        self._old_jobs: set[str] = set()
        self._contest: Contest | None = None
        self._began = client.clock()
        self.surplus = ""
        self.stays = ""

    # --- before one is made

    def await_unseen(self) -> bool:
        """Wait for what the service is making, or made just now, that may be the same and was not listed.

        Returns whether there was something, so that the caller looks anew. Raises ``JobTimeout`` at the deadline.
        """
        found = False
        seen_pending: dict[str, float] = {}
        unseen: list[Record] = []
        for _look in poll(self._client, self._deadline):
            jobs = self._jobs()
            self._old_jobs = {job["jobid"] for job in jobs}
            if not self._shared:
                return False
            unseen = []
            for job in jobs:
                pending = job.get("jobstatus") == PENDING
                about = self._subject(job)
                if about is None:
                    continue
                if pending:
                    seen_pending[job["jobid"]] = self._client.clock()
                rows = self._rows({"id": about}) if about else []
                if rows:
                    found = found or any(self._is_new(row) for row in rows)
                elif self._may_appear(job, seen_pending.get(job["jobid"])):
                    unseen.append(job)
            found = found or bool(unseen)
            if not unseen:
                return found
        raise JobTimeout(
            f"{self._kind.create}: job {unseen[0]['jobid']}, which began before this run, is still pending, and what it makes is "
            "not listed before it has ended, so it may be what is asked for here; nothing was changed. Wait for it with "
            "cloudn_job, or run the task again with a longer wait_timeout",
            self._kind.create,
            job_id=unseen[0]["jobid"],
        )

    def _may_appear(self, job: Record, seen_pending: float | None) -> bool:
        """Tell whether what a job makes may yet be listed; what was made a while ago and is not listed has been deleted."""
        if job.get("jobstatus") == PENDING and self._kind.hidden:
            return duration.age(self._client, job) < FORGOTTEN
        just_now = seen_pending is not None and self._client.clock() - seen_pending < plan.LAG
        return just_now or duration.age(self._client, job) < plan.LAG

    def _subject(self, job: Record) -> str | None:
        """Return the id of what a job makes, empty where it does not tell; ``None`` for what is no new one of the same."""
        if job.get("jobstatus") == PENDING:
            return job.get("jobinstanceid") or ""
        made = self._made_by(job)
        return made["id"] if self._is_new(made) else None

    # --- after an answer was lost

    def is_in_doubt(self, track: Track) -> bool:
        """Tell whether a track was stopped because it is not known whether one was made."""
        command = track.culprit.command if track.culprit else None
        return isinstance(track.error, UnknownOutcome) and command == self._kind.create

    def pick(self, track: Track, warnings: list[str]) -> Record | None:
        """Return what a command whose outcome is unknown has made, or ``None`` where it has made nothing.

        What was made since this run began and is what it asked for is what it made, or as good: of several the oldest,
        with a warning in ``warnings``. Raises ``CloudnError`` while it can't be told.
        """
        rows = self._found(track.own)
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
            promised = {own} if own else set()
            for job in self._jobs():
                if job["jobid"] not in self._old_jobs:
                    made = self._result_of(job)
                    promised |= {made["id"]} if not own and self._is_new(made) else set()
            rows = [row for row in self._rows(self._query) if self._is_new(row) and own in (None, row["id"])]
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

    def _is_new(self, record: Record) -> bool:
        return bool(record) and record["id"] not in self._known and self._same(record)

    def _result_of(self, job: Record) -> Record:
        """Return what a job has made, once it has ended."""
        if job.get("jobstatus") != PENDING:
            return self._made_by(job)
        try:
            return self._client.wait(job["jobid"], self._deadline.remaining()).get(self._kind.field) or {}
        except (JobFailed, JobLost):
            return {}

    # --- after one was made

    def alone(self, name: str) -> list[list[Step]]:
        """Return the stages that see whether another run has made the same at the same time, unless nobody waits."""
        if not (self._shared and self._wait):
            return []
        return [[Step(f"{name} to be listed", self._kind.listing, self._query, until=self._is_alone)]]

    def _is_alone(self, records: list[Record], track: Track) -> Record | None:
        """Return once the track's object is listed and no other is; raise ``Outrun`` where it goes on with another one.

        Raises ``CloudnError`` for one of the same name that is not alike.
        """
        contest = self._contest_of(track)
        if contest is None:
            return {}  # it was found after a lost answer, and may be anybody's
        now = self._client.clock()
        rows = [row for row in records if row["id"] in (contest.own, contest.kept) or self._is_new(row)]
        decision = contest.decide(rows, now)
        if decision.action == ALONE:
            return {}
        if decision.action == GIVE_WAY and contest.yields_late and self._is_busy(rows):
            contest.disturb(now)
            decision = Decision(WAIT)
        if decision.action == WAIT:
            if not self._deadline.remaining():
                raise contest.unsettled(
                    f"which one stays was not clear within {self._deadline.seconds:g} s (wait_timeout)"
                )
            return None
        contest.move(decision.other.get("id"))
        self.surplus, self.stays = contest.surplus, contest.kept or ""
        raise Outrun(
            f"{self._kind.create}: another run made the same at the same time; {self.stays or 'it'} "
            f"{'stays' if self.stays else 'is gone again'}, {self.surplus}, which this run made, is not needed",
            self._kind.create,
        )

    def _contest_of(self, track: Track) -> Contest | None:
        """Return the contest that the track's object is in: a new one for an object that this run has just made."""
        own = track.own if track.own == track.id else None
        if own and (self._contest is None or self._contest.own != own):
            kind = duplicates.Kind(self._kind.create, self._kind.good, duplicates.alike_in(*self._kind.alike))
            self._contest = Contest(kind, own, own, self._began)
        return self._contest

    def _is_busy(self, rows: list[Record]) -> bool:
        """Tell whether the service has not ended the jobs that make some of these."""
        about = {job.get("jobinstanceid") for job in self._jobs() if job.get("jobstatus") == PENDING}
        return any(row["id"] in about for row in rows)

    def survivor(self) -> Record | None:
        """Return the object that stays, of two; ``None`` where both are gone, as both runs gave way."""
        for one in filter(None, (self.stays, self.surplus)):
            rows = self._rows({"id": one})
            if rows:
                if one == self.surplus:
                    self.stays, self.surplus = one, ""
                return rows[0]
        self.stays = self.surplus = ""
        return None

    def onward(self, track: Track, fresh: Track) -> Track:
        """Return a new plan of a track, led by the deletion of what this run made in vain, once the other can be used.

        Only an id that an answer to this very run gave as new is ever deleted here, before anything else was done with it; the
        service itself refuses to delete a volume that somebody has attached meanwhile. Other runs may give way too, so it is seen
        at the end that the other one is still there, and alone.
        """
        if not self.stays:
            return fresh
        command = self._kind.listing
        kept = self._params({"id": self.stays})
        stages = [[Step(f"{self.stays} to be ready", command, kept, until=self._is_good)]]
        if self.surplus and self._rows({"id": self.surplus}):
            text = f"{track.name}: delete {self.surplus} again, as another run made {self.stays}"
            settled = self._params({"id": self.surplus})
            stages += [
                [Step(f"{self.surplus} to be ready", command, settled, until=self._is_settled)],
                [Step(text, self._kind.delete, {"id": self.surplus})],
            ]
            if text not in track.actions:
                track.actions.append(text)
        stages.append([Step(f"{self.stays} to be alone", command, self._query, until=self._is_alone)])
        fresh.stages[:0] = stages
        return fresh

    def _is_good(self, records: list[Record], track: Track) -> Record | None:
        good = self._kind.good(records[0]) if self._is_there(records, track) is not None else None
        if good is False:
            raise CloudnError(
                f"{self._kind.create}: {self.stays}, which another run made, has come to nothing. Delete it (state: absent), and "
                "run the task again",
                self._kind.create,
            )
        return {} if good else None

    def _is_there(self, records: list[Record], _track: Track) -> Record | None:
        if not records:
            raise Outrun(f"{self._kind.create}: {self.stays}, which another run made, is gone again", self._kind.create)
        return {}

    def _is_settled(self, records: list[Record], _track: Track) -> Record | None:
        return None if records and self._kind.good(records[0]) is None else {}

    # --- asking

    def _params(self, query: Record) -> Record:
        """Return parameters of the listing: those that every one of it needs, and others."""
        return {**{name: value for name, value in self._query.items() if name == "templatefilter"}, **query}

    def _rows(self, query: Record) -> list[Record]:
        return listing(self._client, self._kind.listing, self._params(query), "id")

    def _jobs(self) -> list[Record]:
        """Return the jobs that make objects of this kind, of a while ago and since."""
        if not self._kind.making:
            return []
        params = {"startdate": self._since, "keyword": self._kind.making}
        return jobs_listing(self._client, params, self._deadline)

    def _made_by(self, job: Record) -> Record:
        return made_by(job.get("jobresult"), self._kind.field) if job.get("jobstatus") == DONE else {}

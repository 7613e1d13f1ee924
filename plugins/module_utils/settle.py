# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settles duplicates: looks at the names of all new objects of a task, deletes what this run made in vain, goes on with the rest."""

from __future__ import annotations

import typing as t

from .api import Client, CloudnError, Deadline, Duplicates, Record
from .api.deadline import pause
from .duplicates import ALONE, GIVE_WAY, WAIT, Contest, Decision, Kind
from .plan import Step, Track, converge

# How often a run goes on with another object before it gives up.
_ROUNDS = 5


class Resource(t.NamedTuple):
    """What a resource tells ``settle`` about its objects.

    ``listed(tracks)`` lists, in one request, all objects that may have the names of the tracks; ``same(track, record)`` tells
    whether one has the track's name. ``find(id)`` returns an object, ``None`` where it is gone. ``refine(rows)`` corrects what
    a listing says of objects of one name. ``busy(rows)`` tells whether runs may still work on these. ``removal(track, record,
    other)`` are the stages that delete an object of this run, as another one stays. ``again(track)`` plans anew with the object of the track's id,
    or, without an id, of its name. ``remakes`` says that a name is free again as soon as its object is deleted.
    """

    kind: Kind
    listed: t.Callable[[t.Collection[Track]], list[Record]]
    same: t.Callable[[Track, Record], bool]
    find: t.Callable[[str], Record | None]
    refine: t.Callable[[list[Record]], list[Record]]
    busy: t.Callable[[list[Record]], bool]
    removal: t.Callable[[Track, Record, str], list[list[Step]]]
    again: t.Callable[[Track], Track | None]
    remakes: bool = False


def settle(
    client: Client, tracks: list[Track], resource: Resource, began: float, deadline: Deadline, parallel: int = 10
) -> None:
    """See whether other runs made objects of the same names at the same time; leave one of each, and go on with that.

    Only tracks that were to make an object are looked at, all of them in one listing, when their jobs have ended. Where there
    are no others, that is all. Only an object whose id an answer to this run has told is ever deleted. Errors end up in their
    tracks. ``began`` is when the run began to make something, by the client's clock.
    """
    contests = {
        track: Contest(resource.kind, track.own if track.own == track.id else None, track.id, began)
        for track in tracks
        if track.found is None and (track.own or not track.error)
    }
    _Settling(client, contests, resource, deadline, parallel).run()


T = t.TypeVar("T")


def await_one(client: Client, look: t.Callable[[], T], kind: Kind, deadline: Deadline) -> T:
    """Return what ``look`` returns. While it raises ``Duplicates``, wait for the runs that made them to leave one."""
    began = client.clock()
    contest = Contest(kind, None, None, began)
    while True:
        try:
            return look()
        except Duplicates as error:
            try:
                contest.decide(error.records, client.clock())
            except CloudnError:
                raise error from None
            if not deadline.remaining():
                raise
        client.sleep(min(pause(client.clock() - began), deadline.remaining()))


class _Settling:
    """The contests of one task that are not decided yet."""

    def __init__(
        self, client: Client, contests: dict[Track, Contest], resource: Resource, deadline: Deadline, parallel: int
    ) -> None:
        self._client = client
        self._contests = contests
        self._resource = resource
        self._deadline = deadline
        self._parallel = parallel

    def run(self) -> None:
        began = self._client.clock()
        rounds = 0
        while self._contests:
            moved = self._look()
            if moved:
                rounds += 1
                self._go_on(moved, rounds >= _ROUNDS)
            elif self._contests:
                if not self._deadline.remaining():
                    self._give_up()
                    return
                self._client.sleep(min(pause(self._client.clock() - began), self._deadline.remaining()))

    def _look(self) -> list[Track]:
        """Look at all names once; return the tracks that go on with another object."""
        try:
            listed = self._resource.listed(self._contests)
        except CloudnError as error:
            for track in list(self._contests):
                self._end(
                    track,
                    CloudnError(
                        f"{error.message}. So it is not known whether another run made an object of the same name at the same "
                        "time: run the task again",
                        error.command,
                    ),
                )
            return []
        moved = []
        for track, contest in list(self._contests.items()):
            try:
                decision = self._decide(track, contest, listed)
                if decision.action == ALONE:
                    del self._contests[track]
                elif decision.action != WAIT and self._move(track, contest, decision):
                    moved.append(track)
            except CloudnError as error:
                self._end(track, error)
        return moved

    def _decide(self, track: Track, contest: Contest, listed: list[Record]) -> Decision:
        rows = [row for row in listed if self._resource.same(track, row)]
        if track.error:
            # The run of the other object goes by the same rule, so that one of the two goes all the same.
            others = [row["id"] for row in rows if row["id"] != track.own]
            if others:
                track.error.message += f". This run made {track.own}, and at the same time another of the same name was made, {', '.join(others)}"
            return Decision(ALONE)
        rows = self._resource.refine(rows) if len(rows) > 1 else rows
        decision = contest.decide(rows, self._client.clock())
        if decision.action == GIVE_WAY and contest.yields_late and self._resource.busy(rows):
            contest.disturb(self._client.clock())
            return Decision(WAIT)
        return decision

    def _move(self, track: Track, contest: Contest, decision: Decision) -> bool:
        """Plan anew with another object, or with a new one; return whether the other one is there still."""
        other = decision.other.get("id")
        if other is None and not self._resource.remakes:
            raise contest.unsettled("all of them have been deleted again")
        before = track.object, track.id, track.own
        # What was made for the own object, such as a password, does not belong to the other one.
        track.object, track.id = {}, other
        track.own = track.own if other else None
        own, kept = contest.own, contest.kept
        contest.move(other)
        try:
            fresh, removal = self._plan(track)
        except CloudnError as error:
            if other is None or self._can_stay(other):
                error.message += f". {self._told(contest)}"
                raise
            fresh = None
        # As late as can be, since the other run may give way at this moment, too.
        if other and not (fresh and self._can_stay(other)):
            track.object, track.id, track.own = before
            contest.own, contest.kept = own, kept
            return False
        if fresh:
            track.resume(fresh)
            track.actions += [step.text for stage in removal for step in stage if not step.until]
        return True

    def _can_stay(self, other: str) -> bool:
        record = self._resource.find(other)
        return record is not None and self._resource.kind.usable(record) is True

    def _plan(self, track: Track) -> tuple[Track | None, list[list[Step]]]:
        """Plan anew, led by the deletion of what this run made in vain; return these stages apart, too."""
        contest = self._contests[track]
        fresh = self._resource.again(track)
        surplus = self._resource.find(contest.surplus) if contest.surplus else None
        if fresh is None or surplus is None:
            return fresh, []
        removal = self._resource.removal(track, surplus, str(contest.kept))
        fresh.stages[:0] = removal
        return fresh, removal

    def _go_on(self, moved: list[Track], last: bool) -> None:
        """Apply the new plans; look again afterwards, as the other object may have gone meanwhile, too."""
        converge(self._client, moved, self._deadline, lambda track: self._plan(track)[0], self._parallel)
        for track in moved:
            contest = self._contests[track]
            if track.error and contest.kept and not last and self._resource.find(contest.kept) is None:
                track.error = None
            elif track.error:
                track.error.message += f". {self._told(contest)}" if contest.surplus else ""
                del self._contests[track]
            elif last:
                self._end(track, contest.unsettled(f"they came and went {_ROUNDS} times"))
            elif track.own and track.own == track.id:
                self._contests[track] = Contest(self._resource.kind, track.own, track.id, self._client.clock())

    @staticmethod
    def _told(contest: Contest) -> str:
        own = f"This run made {contest.surplus}, and at the same time " if contest.surplus else ""
        text = f"{own}another run made {contest.kept} of the same name, which was to stay"
        return text[0].upper() + text[1:]

    def _give_up(self) -> None:
        for track, contest in list(self._contests.items()):
            reason = f"which one stays was not clear within {self._deadline.seconds:g} s (wait_timeout)"
            self._end(track, contest.unsettled(reason))

    def _end(self, track: Track, error: CloudnError) -> None:
        """Leave a contest with an error."""
        track.fail(error)
        del self._contests[track]

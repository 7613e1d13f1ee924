# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settles duplicates: looks at the names of all new objects of a task, deletes what this run made in vain, goes on with the rest."""

from __future__ import annotations

import typing as t

from .api import Client, CloudnError, Deadline, Duplicates, Record
from .api.deadline import poll
from .converge import converge
from .duplicates import ALONE, GIVE_WAY, NONE, TAKE, WAIT, Contest, Decision, Kind
from .plan import Step, Track

# How often a run goes on with another object before it gives up.
_ROUNDS = 5


class Resource(t.NamedTuple):
    """What a resource tells ``settle`` about its objects.

    ``listed(tracks)`` lists, in one request, all objects that may have the names of the tracks; ``same(track, record)`` tells
    whether one has the track's name. ``find(id)`` returns an object, ``None`` where it is gone. ``refine(rows)`` corrects what
    a listing says of objects of one name. ``busy(rows)`` tells whether runs may still work on these.
    ``removal(track, record, other)`` are the stages that delete an object of this run, as another one stays. ``again(track)``
    plans anew with the object of the track's id, or, without an id, of its name. ``remakes`` says that a name is free again as
    soon as its object is deleted.
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
    contest = Contest(kind, None, None, client.clock())
    for _look in poll(client, deadline):
        try:
            return look()
        except Duplicates as error:
            several = error
        try:
            contest.decide(several.records, client.clock())
        except CloudnError:
            break
    raise several


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
        self._rounds = 0

    def run(self) -> None:
        for _look in poll(self._client, self._deadline):
            while self._contests and self._act():
                pass
            if not self._contests:
                return
        self._give_up()

    def _act(self) -> bool:
        """Look once, and do what is to be done; return whether there was something."""
        yielding, settled = self._look()
        if yielding:
            self._delete(yielding)
        elif settled:
            self._rounds += 1
            self._go_on(settled, self._rounds >= _ROUNDS)
        return bool(yielding or settled)

    def _look(self) -> tuple[list[Track], list[Track]]:
        """Look at all names once; return the tracks whose own object goes, and those that go on with another object."""
        try:
            listed = self._resource.listed(self._contests)
        except CloudnError as error:
            message = (
                f"{error.message}. So it is not known whether another run made an object of the same name at the same time: "
                "run the task again"
            )
            for track in list(self._contests):
                self._end(track, CloudnError(message, error.command))
            return [], []
        yielding, settled = [], []
        for track, contest in list(self._contests.items()):
            try:
                decision = self._decide(track, contest, listed)
            except CloudnError as error:
                self._end(track, error)
                continue
            if decision.action == GIVE_WAY:
                contest.move(decision.other["id"])
                yielding.append(track)
            elif decision.action == TAKE:
                contest.move(decision.other["id"])
            elif decision.action == NONE:
                contest.move(None)
                settled.append(track)
            elif decision.action == ALONE and contest.kept != track.id:
                settled.append(track)
            elif decision.action == ALONE:
                del self._contests[track]
        return yielding, settled

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
        if decision.action == GIVE_WAY and not self._can_stay(decision.other["id"]):
            return Decision(WAIT)
        if decision.action == NONE and not self._resource.remakes:
            raise contest.unsettled("all of them have been deleted again")
        return decision

    def _can_stay(self, other: str) -> bool:
        """Look once more, as late as can be, since the other run may give way at this moment, too."""
        record = self._resource.find(other)
        return record is not None and self._resource.kind.usable(record) is True

    def _delete(self, tracks: list[Track]) -> None:
        """Delete what this run made in vain."""
        removals = {self._removal(track): track for track in tracks}

        def again(removal: Track) -> Track:
            return self._removal(removals[removal])

        for removal, track in removals.items():
            track.actions += [action for action in removal.actions if action not in track.actions]
        converge(self._client, list(removals), self._deadline, again, self._parallel)
        for removal, track in removals.items():
            if removal.error:
                contest = self._contests[track]
                removal.error.message += (
                    f". This run made {contest.surplus}, and another run made {contest.kept} of the same name at the same time, "
                    "which was to stay"
                )
                self._end(track, removal.error)

    def _removal(self, track: Track) -> Track:
        """Return what deletes the own object of a track; nothing where it is gone."""
        contest = self._contests[track]
        record = self._resource.find(contest.surplus)
        stages = self._resource.removal(track, record, str(contest.kept)) if record else []
        return Track(track.name, record, stages, {}, {}, lambda *_result: None)

    def _go_on(self, tracks: list[Track], last: bool) -> None:
        """Go on with other objects, which are alone now, or with new ones where there is none."""
        going = []
        for track in tracks:
            contest = self._contests[track]
            # What was made for the own object, such as a password, does not belong to the other one.
            track.object, track.id = {}, contest.kept
            track.own = track.own if contest.kept else None
            try:
                fresh = self._resource.again(track)
            except CloudnError as error:
                self._end(track, error)
                continue
            if fresh is None:
                del self._contests[track]
                continue
            track.resume(fresh)
            going.append(track)
        converge(self._client, going, self._deadline, self._resource.again, self._parallel)
        for track in going:
            contest = self._contests.pop(track)
            if track.own is None or track.own != track.id or track.error:
                continue  # it is another run's, and was seen alone
            if last:
                track.fail(contest.unsettled(f"they came and went {_ROUNDS} times"))
            else:
                self._contests[track] = Contest(self._resource.kind, track.own, track.id, self._client.clock())

    def _give_up(self) -> None:
        for track, contest in list(self._contests.items()):
            reason = f"which one stays was not clear within {self._deadline.seconds:g} s (wait_timeout)"
            self._end(track, contest.unsettled(reason))

    def _end(self, track: Track, error: CloudnError) -> None:
        """Leave a contest with an error."""
        track.fail(error)
        del self._contests[track]

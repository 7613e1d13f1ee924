# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Duplicates: objects of one name that several runs made at the same time. All runs decide alike which of them stays.

The service first looks whether a name is free, and then makes the row. ``docs/rely-on.md`` explains the consequences.
"""

from __future__ import annotations

import typing as t

from ..api import Client, CloudnError, Record
from ..api.jobs import age
from . import plan

# Seconds that the run with the first object gives the others to delete theirs: LEAST and a SHARE of the time that it has
# taken itself, at most MOST. Another run notices the end of its job after a tenth of the job's time, at most 5 s. Then it
# lists, and deletes.
LEAST, SHARE, MOST = 3.0, 0.2, 10.0
# Seconds for which an object must be alone before a run that did not make it goes on with it. In this time the rows of other
# runs that found the name free appear (far less with CloudStack 3.0.5), and rows that are being deleted disappear.
GAP = 1.0
# Seconds after which a run without an own object assumes that nobody will delete one of several.
PATIENCE = 15.0

# The most seconds between objects that runs made at the same time, and the most seconds until one of them is left.
_ONE_MOMENT, _RECENT = 60.0, 600.0

ALONE, WAIT, GIVE_WAY, TAKE, NONE = "alone", "wait", "give way", "take", "none"


def are_apart(client: Client, records: list[Record]) -> bool:
    """Tell whether runs did not make these objects of one name at the same time. Then the user must choose one."""
    ages = sorted(age(client, record) for record in records)
    places = {(record["id"], record.get("zoneid")) for record in records}
    in_one_zone = len({zone for _id, zone in places}) < len(places)
    return not in_one_zone or ages[0] > _RECENT or ages[-1] - ages[0] > _ONE_MOMENT


def _same_rows(_client: Client, rows: list[Record]) -> list[Record]:
    return rows


def state_of(record: Record) -> t.Any:
    """Return the state of an object. It changes while a run works on the object."""
    return record.get("state")


class Kind(t.NamedTuple):
    """A kind of objects. Several runs can each make one of the same name at the same time.

    Its commands:
        field: the field of a job's result that holds one.
        listing: the command that lists them.
        create, delete: the commands that make and delete one.
        making: the common part of the class names of the jobs that make one. Empty: no job makes one.
        hidden: one is not listed before its job has ended.
        unique: the service refuses a second one of a name, unless runs make both at the same time.

    Its rules for duplicates:
        usable: ``usable(record)`` is true if it can be used, false if it never will be, ``None`` if that is not known yet.
        alike: ``alike(one, other)`` tells whether equal tasks may have made both.
        progress: ``progress(record)`` returns what changes while a run still works on it.
        mistakes: ``mistakes(client, records)`` tells whether objects of one name are no duplicates, but a mistake of the user.

    Its differences from other kinds:
        owner: ``owner(record)`` returns its owner. Objects of other owners are not the same.
        search: ``search(client, query)`` lists them in place of the plain command.
        refine: ``refine(client, rows)`` corrects what a listing says of several.
        is_busy: ``is_busy(client, rows)`` tells whether runs may still work on some. ``None``: the jobs of ``making`` show it.
        verb: the word for the deletion.
        expect: the states of one that was deleted.
        remade: a name is free again as soon as its object is deleted.
    """

    field: str
    listing: str
    create: str
    delete: str
    usable: t.Callable[[Record], bool | None]
    alike: t.Callable[[Record, Record], bool]
    making: str = ""
    hidden: bool = False
    unique: bool = False
    progress: t.Callable[[Record], t.Any] = state_of
    mistakes: t.Callable[[Client, list[Record]], bool] = lambda _client, _records: False
    owner: t.Callable[[Record], t.Any] = lambda _record: None
    search: t.Callable[[Client, Record], list[Record]] | None = None
    refine: t.Callable[[Client, list[Record]], list[Record]] = _same_rows
    is_busy: t.Callable[[Client, list[Record]], bool] | None = None
    verb: str = "delete"
    expect: tuple[str, ...] = ()
    remade: bool = True

    def error(self, text: str) -> CloudnError:
        """Return an error about the creation of one."""
        return CloudnError(f"{self.create}: {text}", self.create)


class Decision(t.NamedTuple):
    """The next action of a run about a name, and the object of another run, if there is one.

    ``ALONE``: there is only the object that the run goes on with. ``WAIT``: look again. ``GIVE_WAY``: delete its own object,
    and go on with the other one. ``TAKE``: go on with the other one. ``NONE``: there is no object any more.
    """

    action: str
    other: Record = {}


class Contest:
    """Follows the objects of one name after the request of a run for a new one. Decides what the run does. Sends nothing.

    Arguments:
        own: the id of the object that the run made. ``None``: it is not known, or there is none.
        kept: the id of the object that the run goes on with. ``None``: it has chosen none yet.
        began: when the run began to make it, by the clock of ``decide``.
    """

    def __init__(self, kind: Kind, own: str | None, kept: str | None, began: float) -> None:
        self.own = own
        self.kept = kept
        self.surplus = ""
        self.others: list[str] = []
        self.yields_late = False
        self._kind = kind
        self._began = began
        self._calm_since = began
        self._progress: t.Any = None
        self._unlisted_since: float | None = None

    def decide(self, rows: list[Record], now: float) -> Decision:
        """Decide from the rows of a listing. Raises ``CloudnError`` if no run can give way.

        If both runs see both objects, the first one by date, then by id, stays. Its run waits until the other one is gone. If
        the other one stays, its run has ended before the first object was listed. Then the first one is deleted.
        """
        rows = sorted(rows, key=rank)
        rivals = [row for row in rows if row["id"] != self.own]
        self.others += [row["id"] for row in rivals if row["id"] not in self.others]
        self._follow(rivals, now)
        if self.own is None:
            return self._choose(rows, now)
        mine = next((row for row in rows if row["id"] == self.own), None)
        if mine is None:
            return self._unlisted(rivals, now)
        if not rivals:
            return Decision(ALONE)
        self._check(mine, rivals)
        first = rivals[0]
        if self._kind.usable(first) is None:
            return Decision(WAIT)
        self.yields_late = rank(mine) < rank(first)
        grace = min(MOST, LEAST + SHARE * (now - self._began))
        if self.yields_late and now - self._calm_since < grace:
            return Decision(WAIT)
        return Decision(GIVE_WAY, first)

    def disturb(self, now: float) -> None:
        """Note that other runs still work: the time to wait for them starts again."""
        self._calm_since = now

    def move(self, other: str | None) -> None:
        """Go on with another object. If the run has its own one, that is to be deleted."""
        self.surplus = self.own or self.surplus
        self.own, self.kept = None, other

    def _follow(self, rivals: list[Record], now: float) -> None:
        """Note whether other runs still work on their objects."""
        progress = [(row["id"], self._kind.progress(row)) for row in rivals]
        if progress != self._progress or any(self._kind.usable(row) is None for row in rivals):
            self._calm_since = now
        self._progress = progress

    def _choose(self, rows: list[Record], now: float) -> Decision:
        """Decide for a run without an own object: others decide which one stays."""
        rows = [row for row in rows if row["id"] != self.surplus]
        if not rows:
            return Decision(NONE)
        if len(rows) == 1:
            if rows[0]["id"] != self.kept:
                return Decision(TAKE, rows[0])
            return Decision(ALONE if now - self._calm_since >= GAP else WAIT)
        if now - self._calm_since >= PATIENCE:
            raise self.unsettled(f"nobody has deleted any of them for {PATIENCE:g} s")
        return Decision(WAIT)

    def _unlisted(self, rivals: list[Record], now: float) -> Decision:
        """Decide if the run's own object is not listed: not yet, or not any more."""
        self._unlisted_since = now if self._unlisted_since is None else self._unlisted_since
        if now - self._unlisted_since < max(1.0, plan.LAG):
            return Decision(WAIT)
        self.own = None
        return self._choose(rivals, now) if rivals else Decision(ALONE)

    def _check(self, mine: Record, rivals: list[Record]) -> None:
        """Raise ``CloudnError`` if another run's object can't be used, or is not alike: then neither object may be deleted."""
        for rival in rivals:
            if self._kind.usable(rival) is False:
                reason = "can't be used" + (f": it is {rival['state']}" if rival.get("state") else "")
            elif not self._kind.alike(mine, rival):
                reason = "is not alike"
            else:
                continue
            made = f"this run made {mine['id']}, and for the same name another run made {rival['id']}, which {reason}"
            raise self._kind.error(f"{made}: delete one of the two by its id (state: absent), and run the task again")

    def unsettled(self, reason: str, way_out: str = "") -> CloudnError:
        """Return the error that several objects are left. It names all that were seen, and the way out."""
        made = self.own or self.surplus
        ids = ", ".join(dict.fromkeys([*filter(None, [made]), *self.others])) + (
            f", {made} by this run" if made else ""
        )
        way_out = way_out or "Delete all but one by their ids (state: absent), and run the task again"
        return self._kind.error(
            f"several runs made objects of the same name at the same time ({ids}), and {reason}. {way_out}"
        )


def rank(record: Record) -> tuple[str, str]:
    """Return the order of objects of one name, equal in all runs: by date, if the service gives one, then by id."""
    return str(record.get("created") or ""), str(record["id"])


def alike_in(*fields: str) -> t.Callable[[Record, Record], bool]:
    """Return a function that tells whether two records have the same values in some fields."""
    return lambda one, other: all(one.get(field) == other.get(field) for field in fields)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: the steps that lead objects from what they are to what they shall be, told or taken."""

from __future__ import annotations

import itertools
import typing as t

from .api import ApiError, Client, CloudnError, JobTimeout, Record, UnknownOutcome

# Seconds by which what the service lists may lag behind what it has done.
LAG = 5.0


class Outrun(CloudnError):
    """Another run made the same object at the same time, and its object stays; see ``resources.twins``."""


class _This:
    """Stands in a step's parameters for the id of the track's object, which a new one gets only when it is made."""

    def __repr__(self) -> str:
        return "<id>"


THIS = _This()


class Step(t.NamedTuple):
    """One command to send: what a person reads of it, what is sent, and how its result is judged.

    ``expect`` are the states in which the object may be afterwards (none given: any). A step that is ``early`` needs only the
    answer of the step before it (which brings the id), not the end of its job. One that makes ``amends`` is taken also
    where a step between it and the first has failed: it undoes what the first did for them.

    A step with ``until`` only looks: what its command lists is asked for again and again until ``until(records, track)``
    returns a result instead of ``None``, or raises. Its ``text`` tells what is waited for; it is no action.

    Where the account lacks the command of a step with ``instead``, that does it: ``instead(client, params, error)`` returns
    a result or raises. ``hints`` tell people what to do about a refusal, by its error code.

    A step with ``many`` names the parameter that takes the ids of many objects. Such steps of several tracks are sent in one
    request where nothing else differs. Where such a step is ``early``, it needs the ends of the jobs of those before it.
    Steps of a stage that go ``in_turn`` are sent one after the other, each when the job of the one before it has ended.
    ``brief`` are the seconds that a short job of the step takes, so that it is looked at first when it may have ended.
    """

    text: str
    command: str
    params: Record
    expect: tuple[str, ...] = ()
    early: bool = False
    amends: bool = False
    until: t.Callable[[list[Record], Track], Record | None] | None = None
    instead: t.Callable[[Client, Record, ApiError], Record] | None = None
    hints: t.Mapping[int, str] = {}
    many: str = ""
    in_turn: bool = False
    brief: float = 0.0

    @property
    def shared(self) -> tuple[str, str]:
        """What steps with ``many`` have in common that can be sent in one request: all but the ids."""
        rest = {name: _sorted(value) for name, value in self.params.items() if name != self.many}
        return self.command, repr(_sorted(rest))


def _sorted(value: t.Any) -> t.Any:
    return sorted(value.items()) if isinstance(value, dict) else value


class Track:
    """What happens to one object: its stages in order, the steps of one stage together (or in turn).

    Arguments:
        name: what the user calls the object.
        found: the object as the service has it, or ``None``.
        stages: lists of steps. Nothing in them means that nothing is to do.
        before, after: the object's managed attributes, now and then, for the diff.
        absorb: called as ``absorb(track, step, result)`` with the result of each step that was done.

    ``actions`` tells people what the steps do. After ``apply``: ``object`` is the object as the results show it,
    ``touched`` whether the service took any command, ``error`` what stopped the track, ``culprit`` the step that ended with
    it, ``together`` whether that step was sent in one request with others', ``jobs`` the steps of the jobs that were not
    waited for, by the jobs' ids, ``undone`` the texts of steps that should have made amends, but it is not known for what,
    ``own`` the id of an object that an answer to this very run has said to be new, ``doubts`` the commands whose outcome was
    unknown at first. The steps of a track that is ``alone`` are sent in requests of their own. ``anew`` is set in a plan
    that is made after a refusal, where what stood against the refused step has passed, so that it may be sent once more.
    """

    def __init__(
        self,
        name: str,
        found: Record | None,
        stages: list[list[Step]],
        before: Record,
        after: Record,
        absorb: t.Callable[[Track, Step, Record], None],
    ) -> None:
        self.name = name
        self.found = found
        self.stages = [stage for stage in stages if stage]
        self.actions = [step.text for stage in stages for step in stage if not step.until]
        self.before = before
        self.after = after
        self.absorb = absorb
        self.object: Record = dict(found or {})
        self.id: str | None = self.object.get("id")
        self.touched = False
        self.jobs: dict[str, Step] = {}
        self.error: CloudnError | None = None
        self.undone: list[str] = []
        self.own: str | None = None
        self.doubts: set[str] = set()
        self.anew = False
        self.culprit: Step | None = None
        self.together = False
        self.alone = False
        self._next = 0
        self._turns: list[Step] = []
        self._sending = 0
        self._ended = 0

    def resume(self, again: Track) -> None:
        """Go on with the stages of a plan that was made anew after an unknown outcome."""
        self.stages = again.stages
        self.keep(again.object)
        self.error = self.culprit = None
        self.together = False
        self.undone = []
        self._turns = []
        self._next = self._ended = 0

    def lacks(self, again: Track) -> bool:
        """Tell whether the step that stopped this track is still to be done in a plan that was made anew."""
        steps = [(step.command, step.params) for stage in again.stages for step in stage]
        return not again.anew and self.culprit is not None and (self.culprit.command, self.culprit.params) in steps

    def keep(self, found: Record) -> None:
        """Take the object as it was found; a password that was made for it is shown only once, so it stays."""
        password = {"password": self.object["password"]} if "password" in self.object else {}
        self.object = {**found, **password}
        self.id = self.object.get("id")

    def ready(self, wait: bool = True) -> list[Step]:
        """Return the steps that can be sent now, and count them as being sent; without ``wait`` no last looks.

        Without ``wait`` the steps of the last stage are sent at once, also those that go in turn: nobody waits for their jobs.
        """
        if self._sending:
            return []
        if self.error and not isinstance(self.error, ApiError):
            self._turns = []  # a refusal is about one step, anything else may be about all
        if not self._turns:
            stage = self._stage(wait)
            if stage and stage[0].in_turn and (wait or self._next < len(self.stages)):
                stage, self._turns = stage[:1], stage[1:]
        elif self.jobs:
            return []
        else:
            stage = [self._turns.pop(0)]
        self._sending = len(stage)
        return stage

    def _stage(self, wait: bool) -> list[Step]:
        """Return the stage that can begin now, if any, and go on to the one after it."""
        if self.error:
            self._skip()
        if not wait and all(step.until for stage in self.stages[self._next :] for step in stage):
            self._next = len(self.stages)
        if self._next == len(self.stages):
            return []
        stage = self.stages[self._next]
        if any(not step.early or (step.many and job.many) for step in stage for job in self.jobs.values()):
            return []
        self._next += 1
        return stage

    def _skip(self) -> None:
        """After a failure, go on to what makes amends: not while it is unknown what the service does."""
        unclear = isinstance(self.error, (UnknownOutcome, JobTimeout))
        while self._next < len(self.stages):
            stage = self.stages[self._next]
            if all(step.amends for step in stage):
                if unclear:
                    self.undone += [step.text for step in stage]
                elif self._ended:
                    return
            self._next += 1

    def answered(self) -> None:
        """One of the steps being sent has been answered, or has failed."""
        self._sending -= 1

    @property
    def sent(self) -> bool:
        """Whether all there is to send has been sent."""
        return self._next == len(self.stages) and not self._sending and not self._turns

    def nears(self, shared: tuple[str, str]) -> bool:
        """Tell whether a step that can be sent with others comes soon: before it are only steps that need no job's end."""
        near = itertools.takewhile(lambda stage: all(step.early for step in stage), self.stages[self._next :])
        return not (self.error or self._turns) and any(
            step.many and step.shared == shared for stage in near for step in stage
        )

    def ended(self, step: Step, result: Record) -> None:
        """Take in the result of a step and judge it by the state that it must have led to."""
        self._ended += 1
        known = self.id
        self.absorb(self, step, result)
        if known is None:
            self.own = self.id
        # A step may be about another object than the track's, such as a machine that is stopped for it.
        one = next((value for value in result.values() if isinstance(value, dict)), self.object)
        state = one.get("state", self.object.get("state"))
        if step.expect and state not in step.expect:
            name = self.name if one.get("id") == self.id else one.get("name", self.name)
            message = f"{step.command}: the service calls it done, but {name} is {state}, not {step.expect[0]}"
            self.fail(CloudnError(message, step.command), step)

    def fail(self, error: CloudnError, step: Step | None = None, together: bool = False) -> None:
        """Stop the track; its first error stays, except that an unknown outcome outweighs a known one.

        ``together`` says that the step was sent in one request with those of other tracks.
        """
        code = error.code if isinstance(error, ApiError) else None
        if step is not None and isinstance(code, int) and code in step.hints:
            error.message += f". {step.hints[code]}"
        if step is not None and step.amends and step.text not in self.undone:
            self.undone.append(step.text)
        if self.error is not None and step is not None and step.amends:
            self.error.message += f". Then it failed to {step.text}: {error.message}"
        elif self.error is None or isinstance(error, UnknownOutcome):
            self.error = error
            self.culprit = step
            self.together = together

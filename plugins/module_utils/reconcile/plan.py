# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans: the steps that bring an object to the desired state. This is only data, and sends no request."""

from __future__ import annotations

import typing as t

from ..api import ApiError, Client, CloudnError, Record

if t.TYPE_CHECKING:
    from .duplicates import Kind
    from .progress import Progress

# Seconds by which the service's lists may lag behind its changes.
LAG = 5.0


class Outrun(CloudnError):
    """Another run made the same object at the same time, and that object stays. See ``creation``."""


class IdOf(t.NamedTuple):
    """Stands in a step's parameters for the id of an object that may not exist yet.

    ``key`` is the key of the plan that makes the object. An empty key means the object of the step's own plan.
    """

    key: str = ""

    def __repr__(self) -> str:
        return f"<id of {self.key}>" if self.key else "<id>"


THIS = IdOf()


def replace(known: Record, record: Record) -> Record:
    """Return the object after a step: the record of the answer, with the tags and the password that this run knows.

    Tags may be set while a job runs. Then the job's result lacks them. The service shows a password only once.
    """
    kept = {field: known[field] for field in ("password", "tags") if known.get(field)}
    new = {"password": record["password"]} if record.get("password") else {}
    return {**record, **kept, **new}


class Step(t.NamedTuple):
    """One command: its text for people, its parameters, its needs, and its result.

    Its result:
        returns: the field of the result that holds the record of an object. Empty: the result holds none.
        yields: ``yields(known, record)`` returns the plan's object after the step. ``None``: the step changes nothing that is
            known of the object, or it is about another object.
        expect: the states that the record may have afterwards. Empty: any state.
        creates: the step makes the plan's object.
        unseen: no look at the service shows whether the step was done. After an unknown outcome nothing more is tried.

    Its needs:
        needs: the keys of other plans whose steps must all have ended. An ``IdOf`` in the parameters needs that id.
        point: what others may need in place of the whole plan: with ``key@point`` they need its steps with this point.
        early: the step needs only the answers to the steps before it, not the ends of their jobs.
        aside: the step needs only the answer to the step that makes the object, and nothing in its plan waits for it.
        in_turn: the steps of its stage are sent one after the other.
        cleanup: the step is also sent if a step before it has failed. It undoes what an earlier step did.

    How it is sent:
        until: the command lists something, and the step waits. ``until(records, progress)`` returns a result, or ``None``
            to look again. The text says what the step waits for; it is no action.
        search: ``search(client, params)`` lists in place of the plain command.
        many: the parameter that takes the ids of many objects. Equal steps of several plans go in one request.
        joint: equal looks of several plans go in one request, after all else has ended.
        doubt: what is not known if the look fails.
        optional: if the look fails, that is only a warning. It begins with this text.
        instead: ``instead(client, params, error)`` does it if the account lacks the command.
        hints: what people can do about a refusal, by its error code.
        seconds: the first look comes after so many seconds. For a change: how long a short job of it takes.
    """

    text: str
    command: str
    params: Record
    returns: str = ""
    yields: t.Callable[[Record, t.Any], Record] | None = None
    expect: tuple[str, ...] = ()
    creates: bool = False
    unseen: bool = False
    needs: tuple[str, ...] = ()
    point: str = ""
    early: bool = False
    aside: bool = False
    in_turn: bool = False
    cleanup: bool = False
    until: t.Callable[[list[Record], Progress], Record | None] | None = None
    search: t.Callable[[Client, Record], list[Record]] | None = None
    many: str = ""
    joint: bool = False
    doubt: str = ""
    optional: str = ""
    instead: t.Callable[[Client, Record, ApiError], Record] | None = None
    hints: t.Mapping[int, str] = {}
    seconds: float = 0.0

    @property
    def batch(self) -> tuple[str, str]:
        """What steps must have in common to go in one request: all but the ids."""
        rest = {name: _sorted(value) for name, value in self.params.items() if name != self.many}
        return self.command, repr(_sorted(rest))

    def record_of(self, result: Record) -> t.Any:
        """Return the record that a result holds for this step, or ``None``."""
        record = result.get(self.returns)
        return record[0] if isinstance(record, list) and record and not self.until else record


def _sorted(value: t.Any) -> t.Any:
    return sorted(value.items()) if isinstance(value, dict) else value


class New(t.NamedTuple):
    """The object that a plan makes, and how to find it.

    Fields:
        kind: the kind of the object, see ``duplicates``.
        query: parameters of the listing that find all objects that may be the same.
        same: ``same(record)`` tells whether a record is the desired object.
        known: the ids of objects that were there before. They are not the new one.
        shared: an object of another run serves, too.
    """

    kind: Kind
    query: Record
    same: t.Callable[[Record], bool]
    known: t.Collection[str] = ()
    shared: bool = True


class Plan:
    """The steps for one object. A plan does not know the task or the site that it is part of.

    Arguments:
        name: what the user calls the object.
        found: the object as the service has it, or ``None``.
        stages: lists of steps. The stages come one after the other, the steps of a stage together. No stages: nothing to do.
        before, after: the managed attributes, now and then, for the diff.
        conditions: what else decides whether the service refuses a step, such as the states of machines by their ids.
            If one changes, a refused step may be sent once more.
        new: the object that the plan makes, if another run may make the same.

    ``key`` names the plan for the steps of other plans. It is the name, unless who has several plans sets another one.
    """

    def __init__(
        self,
        name: str,
        found: Record | None,
        stages: list[list[Step]],
        before: Record | None = None,
        after: Record | None = None,
        conditions: Record | None = None,
        new: New | None = None,
    ) -> None:
        self.name = name
        self.found = found
        self.stages = [stage for stage in stages if stage]
        self.before = {} if before is None else before
        self.after = {} if after is None else after
        self.conditions = conditions or {}
        self.new = new
        self.key = name

    @property
    def steps(self) -> list[Step]:
        """All steps, in order."""
        return [step for stage in self.stages for step in stage]

    @property
    def actions(self) -> list[str]:
        """The texts of the steps that change something."""
        return [step.text for step in self.steps if not step.until]

    @property
    def creates(self) -> bool:
        """Whether the plan makes its object."""
        return any(step.creates for step in self.steps)


class Changes:
    """The attributes that a plan manages, as they are and as they shall be. A new object has none before.

    ``before`` and ``after`` are the two sides of the plan's diff.
    """

    def __init__(self, is_new: bool, **state: t.Any) -> None:
        self.is_new = is_new
        self.before: Record = {} if is_new else dict(state)
        self.after: Record = dict(state)

    def note(self, attribute: str, current: t.Any, desired: t.Any) -> bool:
        """Add an attribute. Return whether it is to be changed."""
        if not self.is_new:
            self.before[attribute] = current
        self.after[attribute] = desired
        return bool(current != desired)

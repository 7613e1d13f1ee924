# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver: finds, looks up, plans, applies, recovers and reports. It is the same for every resource."""

from __future__ import annotations

import typing as t

from ..api import Client, Deadline, Duplicates, Record, UsageError
from ..api.flawed import check
from .plan import Plan
from .progress import Progress
from .report import Report

if t.TYPE_CHECKING:
    from .duplicates import Kind

Found = t.Dict[str, t.Any]


class Task(t.NamedTuple):
    """The task of a module.

    ``options`` are the module's. ``deadline`` is when waiting ends. ``check``: nothing is changed. ``warnings`` takes warnings
    for the user. For a new plan after a failure, ``failed`` is the progress of the plan, and ``first`` are the lookups from
    before any change.
    """

    client: Client
    options: Record
    deadline: Deadline
    check: bool
    warnings: list[str]
    failed: Progress | None = None
    first: Record = {}


class Resource(t.NamedTuple):
    """The functions of a kind of objects. The driver does the rest, the same for all kinds.

    check: ``check(options)`` raises ``UsageError`` for options that are wrong whatever the service holds.
    find: ``find(task)`` returns by the user's names what is there: a record, or whatever its planner takes. If ``task.failed``
        has an id, it finds the object by that id.
    lookup: ``lookup(task, found)`` returns what else the planner needs to know. ``None`` after a failure: nothing can show what
        was done.
    plan: ``plan(task, name, found, lookups)`` returns the plan for one name. It reads its arguments, and sends nothing.
    to_result: ``to_result(progress, check)`` returns the object as the user sees it.
    describe: ``describe(progress, lookups)`` adds to an error what is particular to this kind.
    remaining: ``remaining(task)`` returns the options that hold after a failure. ``None``: nothing can show what was done.
    jobs: a word in the class names of the jobs about such objects. After a failure, the driver waits for these jobs.
    kind: returns the rules for duplicates, see ``duplicates``.
    conclude: ``conclude(task, progress, lookups)`` warns at the end of a task of what was lost.
    confirm: ``confirm(task, progresses)`` lets plans fail whose objects somebody has removed while they were changed. The
        results of these plans' commands did not show the objects.
    tidy: ``tidy(task, failed)`` removes what failed plans have left, if that is certain and granted. Their errors stay.
    catch: ``catch(task, progresses)`` keeps what only a pending job tells, as soon as answers of these plans are lost.
    """

    check: t.Callable[[Record], None]
    find: t.Callable[[Task], Found]
    lookup: t.Callable[[Task, Found], Record | None]
    plan: t.Callable[[Task, str, t.Any, Record], Plan]
    to_result: t.Callable[[Progress, bool], Record]
    describe: t.Callable[[Progress, Record], None] = lambda _progress, _lookups: None
    remaining: t.Callable[[Task], Record | None] = lambda task: {**task.options, "on_immutable_drift": "ignore"}
    jobs: str = ""
    kind: t.Callable[[], Kind] | None = None
    catch: t.Callable[[Task, list[Progress]], None] = lambda _task, _progresses: None
    conclude: t.Callable[[Task, Progress, Record], None] = lambda _task, _progress, _lookups: None
    confirm: t.Callable[[Task, list[Progress]], None] | None = None
    tidy: t.Callable[[Task, list[Progress]], None] = lambda _task, _failed: None

    def ensure(self, client: Client, options: Record, check: bool = False) -> Report:
        """Bring the objects in ``options`` (the module's) to the desired state.

        Returns what was done, or with ``check`` what would be done. Raises ``UsageError`` before any change if it can't be done.
        """
        self.check(options)
        deadline = client.task_deadline = Deadline(options["wait_timeout"], client.clock)
        task = Task(client, options, deadline, check, [])
        part = Part(task, self)
        progresses = run_all(task, part.plans)
        return Report(progresses, self.to_result, check, task.warnings)


def no_lookups(_task: Task, _found: Found) -> Record:
    """Look nothing up: the plan needs to know nothing else."""
    return {}


class Part:
    """What one task of a single resource has to do, by itself or as a part of something larger.

    Arguments:
        task, resource: the options, and the functions for them.
        client_for: ``client_for(progress)`` returns the client that a new plan after a failure reads with. It is the task's,
            unless the part must see what other parts will have made.
        finish: ``finish(plan)`` completes each new plan after a failure, as the first one was completed.
        lookups: what ``resource.lookup`` returned before any change. Whoever plans fills it.
    """

    def __init__(
        self,
        task: Task,
        resource: Resource,
        client_for: t.Callable[[Progress], Client] | None = None,
        finish: t.Callable[[Plan], None] = lambda _plan: None,
        lookups: Record | None = None,
    ) -> None:
        self.task = task
        self.resource = resource
        self.client_for = client_for or (lambda _progress: task.client)
        self.finish = finish
        self.lookups: Record = {} if lookups is None else lookups

    def plans(self) -> list[Planned]:
        """Find, look up, and plan. Raises ``UsageError`` before any change. The task's warnings are those of this planning."""
        task, resource = self.task, self.resource
        del task.warnings[:]
        found = self.find(task)
        lookups = resource.lookup(task, found) or {}
        self.lookups.clear()
        self.lookups.update(lookups)
        return [Planned(self, one) for one in self._planned(found)]

    def find(self, task: Task) -> Found:
        """Find what is there. If several runs make objects of one name at the same time, wait until one is left.

        This is the one place where a task learns what is there.
        """
        kind = self.resource.kind
        try:
            return self.resource.find(task)
        except Duplicates:
            if task.check or kind is None:
                raise
        from .creation import await_one  # here, as few runs need it, and Ansible compiles each import in each run

        return await_one(task.client, lambda: self.resource.find(task), kind(), task.deadline)

    def plan(self, task: Task, name: str, found: t.Any, lookups: Record) -> Plan:
        """Plan for one name. Raises ``BadRecord`` if a member of the object can't be used: it could not be shown at the end."""
        made = self.resource.plan(task, name, found, lookups)
        check(made.found)
        return made

    def _planned(self, found: Found) -> list[Plan]:
        """Plan for each name. An error or a warning that several have is said once. Raises ``UsageError`` before any change."""
        task, plans, errors = self.task, [], []
        said: list[tuple[str, str | None, str]] = []
        for name, one in found.items():
            begun, object_id = len(task.warnings), one.get("id") if isinstance(one, dict) else None
            try:
                plans.append(self.plan(task, name, one, self.lookups))
            except UsageError as error:
                errors.append((name, object_id, error))
            said += [(name, object_id, text) for text in task.warnings[begun:]]
        if errors:
            from .together import one_error  # here, as few runs need it, and Ansible compiles each import in each run

            raise one_error(errors)
        if len(said) > 1:
            from .together import Said, together

            own = task.warnings[: len(task.warnings) - len(said)]
            task.warnings[:] = [*own, *(text for text, _count in together(Said(*one) for one in said))]
        return plans


class Planned(t.NamedTuple):
    """A plan, and the part that it belongs to."""

    part: Part
    plan: Plan


def run_all(task: Task, make_plans: t.Callable[[], list[Planned]], title: str = "") -> list[Progress]:
    """Make the plans of all parts, apply them together, and return what became of each. In check mode, only note them.

    ``make_plans()`` reads what is there. It is called again if another run makes something of the same name just now. The
    plans' keys must differ. ``task`` is what all parts have in common: client, deadline, check mode, and the options about
    waiting. ``title`` is what people call the whole while it runs. Raises ``UsageError`` before any change.
    """
    planned = make_plans()
    if not any(one.plan.stages for one in planned):
        progresses = [Progress(one.plan) for one in planned]
    else:
        # Here, as most runs have nothing to change, and Ansible compiles each import in each run.
        from .parts import foreseen, together_applied

        progresses = foreseen(planned) if task.check else together_applied(task, planned, make_plans, title)
    if task.check and task.client.planned:
        task.client.planned.note(progresses)
    return progresses

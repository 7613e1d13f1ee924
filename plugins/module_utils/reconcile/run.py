# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The driver: finds, looks up, plans, applies, recovers and reports. It is the same for every resource."""

from __future__ import annotations

import copy
import typing as t

from ..api import Client, CloudnError, Deadline, Duplicates, Record, UsageError
from ..api.flawed import check
from .plan import Plan
from .progress import Progress
from .report import Report

if t.TYPE_CHECKING:
    from .creation import Creation
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
        return _Run(Task(client, options, deadline, check, []), self).run()


def no_lookups(_task: Task, _found: Found) -> Record:
    """Look nothing up: the plan needs to know nothing else."""
    return {}


class _Run:
    """One run of a task."""

    def __init__(self, task: Task, resource: Resource) -> None:
        self._task = task
        self._resource = resource
        self._lookups: Record = {}
        self._creations: dict[str, Creation] = {}

    def run(self) -> Report:
        task = self._task
        progresses = [Progress(planned) for planned in self._checked(self._plans())]
        if not task.check and any(progress.plan.stages for progress in progresses):
            self._apply(progresses)
        if task.check and task.client.planned:
            task.client.planned.note(progresses)
        return Report(progresses, self._resource.to_result, task.check, task.warnings)

    def _checked(self, plans: list[Plan]) -> list[Plan]:
        """Return the plans. Those that make something look whether another run makes the same."""
        task = self._task
        if task.check or not any(planned.new for planned in plans):
            return plans
        from .creation import Creation  # here, as few runs make something

        self._creations = {one.name: Creation(task.client, one.new, task.deadline) for one in plans if one.new}
        seen = [creation.await_unseen() for creation in self._creations.values()]
        plans = self._plans() if any(seen) else plans
        if task.options.get("wait", True):
            for planned in plans:
                if planned.new and planned.name in self._creations:
                    self._creations[planned.name].add_check(planned)
        return plans

    def _plans(self) -> list[Plan]:
        """Find, look up, and plan."""
        task, resource = self._task, self._resource
        del task.warnings[:]
        found = self._find(task)
        self._lookups = resource.lookup(task, found) or {}
        return self._planned(found)

    def _planned(self, found: Found) -> list[Plan]:
        """Plan for each name. An error or a warning that several have is said once. Raises ``UsageError`` before any change."""
        task, plans, errors = self._task, [], []
        said: list[tuple[str, str | None, str]] = []
        for name, one in found.items():
            begun, object_id = len(task.warnings), one.get("id") if isinstance(one, dict) else None
            try:
                plans.append(self._plan(task, name, one, self._lookups))
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

    def _plan(self, task: Task, name: str, found: t.Any, lookups: Record) -> Plan:
        """Plan for one name. Raises ``BadRecord`` if a member of the object can't be used: it could not be shown at the end."""
        made = self._resource.plan(task, name, found, lookups)
        check(made.found)
        return made

    def _find(self, task: Task) -> Found:
        """Find what is there. If several runs make objects of one name at the same time, wait until one is left.

        This is the one place where a task learns what is there.
        """
        kind = self._resource.kind
        try:
            return self._resource.find(task)
        except Duplicates:
            if task.check or kind is None:
                raise
        from .creation import await_one  # here, as few runs need it, and Ansible compiles each import in each run

        return await_one(task.client, lambda: self._resource.find(task), kind(), task.deadline)

    def _apply(self, progresses: list[Progress]) -> None:
        # Here, as most runs have nothing to change, and Ansible compiles each import in each run.
        from .apply import Bounds
        from .recover import apply_until_clear

        task, options = self._task, self._task.options
        bounds = Bounds(options.get("max_parallel", 10), options.get("max_jobs", 50), options.get("wait", True))
        apply_until_clear(task.client, progresses, task.deadline, self._replan, bounds, self._catch)
        unseen = [one for one in progresses if one.touched and not (one.shown or one.error or one.jobs)]
        if unseen:
            self._confirm(unseen)
        failed = [progress for progress in progresses if progress.error]
        if failed:
            self._resource.tidy(task, failed)
        for progress in progresses:
            creation = self._creations.get(progress.name)
            if creation:
                creation.explain(progress)
            self._resource.describe(progress, self._lookups)
            self._resource.conclude(task, progress, self._lookups)

    def _confirm(self, unseen: list[Progress]) -> None:
        """Let the plans fail whose objects are gone, or may be gone. What they have changed is in the result all the same."""
        if self._resource.confirm is None:
            return
        try:
            self._resource.confirm(self._task, unseen)
        except CloudnError as error:
            for progress in unseen:
                failure = copy.copy(error)
                failure.message += f". So it is not known whether {progress.name} is still there: run the task again"
                progress.fail(failure)

    def _catch(self, lost: list[Progress]) -> None:
        """Keep what only pending jobs tell, see ``Resource``."""
        self._resource.catch(self._task._replace(first=self._lookups), lost)

    def _replan(self, progress: Progress) -> Plan | None:
        """Find an object again after a failure, and make a new plan, when the service has no more jobs for it.

        If the answer to its creation was lost, the found object must be the desired one, so drift counts then.
        """
        resource, creation = self._resource, self._creations.get(progress.name)
        task = self._task._replace(warnings=[], failed=progress, first=self._lookups)
        is_in_doubt = creation is not None and creation.is_in_doubt(progress)
        if creation and is_in_doubt:
            progress.id = (creation.pick(progress, self._task.warnings) or {}).get("id")
        else:
            if resource.jobs:
                task.client.await_pending(resource.jobs, progress.id, task.deadline)
            if creation and creation.has_yielded:
                progress.id = (creation.survivor(progress) or {}).get("id")
                progress.object = {}  # the password of this run's object is not that of the other one
            options = resource.remaining(task)
            if options is None:
                return None
            task = task._replace(options=options)
        found = self._find(task)
        lookups = resource.lookup(task, found)
        if lookups is None:
            return None
        ((name, one),) = found.items()
        fresh = self._plan(task, name, one, lookups)
        if creation and task.options.get("wait", True):
            creation.lead_on(progress, fresh)
        return fresh

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plans of several parts: applies them together, and lets each part see to its own plans before and after."""

from __future__ import annotations

import copy
import typing as t

from ..api import CloudnError, UsageError
from .graph import Graph
from .plan import Plan
from .progress import Progress

if t.TYPE_CHECKING:
    from .creation import Creation
    from .run import Part, Planned, Task


def foreseen(planned: list[Planned]) -> list[Progress]:
    """Return the plans as check mode shows them. Raises ``UsageError`` if their steps wait for each other."""
    progresses = [Progress(one.plan) for one in planned]
    _check_order(progresses)
    return progresses


def together_applied(
    task: Task, planned: list[Planned], make_plans: t.Callable[[], list[Planned]], title: str
) -> list[Progress]:
    """Apply plans, and return what became of each. See ``run_all``."""
    _check_order([Progress(one.plan) for one in planned])
    parts = _Parts(task)
    progresses = parts.begin(planned, make_plans)
    if any(progress.plan.stages for progress in progresses):
        parts.apply(progresses, title)
    return progresses


def _check_order(progresses: list[Progress]) -> None:
    """Raise ``UsageError`` if steps wait for each other. The order of a single plan's steps is that of its stages."""
    cycle = Graph(progresses, wait=True).cycle() if len(progresses) > 1 else []
    if cycle:
        steps = " -> ".join(node.step.text for node in [*cycle, cycle[0]])
        raise UsageError(f"Each of these steps needs the next one, so none of them can be done: {steps}")


class _Parts:
    """One run of a task over the plans of all its parts."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._creations: dict[str, Creation] = {}
        self._parts: dict[Progress, Part] = {}

    def begin(self, planned: list[Planned], make_plans: t.Callable[[], list[Planned]]) -> list[Progress]:
        """Return the plans' progresses. Plans that make something look whether another run makes the same."""
        if any(one.plan.new for one in planned):
            planned = self._checked(planned, make_plans)
        self._parts = {Progress(one.plan): one.part for one in planned}
        return list(self._parts)

    def _checked(self, planned: list[Planned], make_plans: t.Callable[[], list[Planned]]) -> list[Planned]:
        from .creation import Creation, await_unseen  # here, as few runs make something

        task, plans = self._task, [one.plan for one in planned]
        self._creations = {one.key: Creation(task.client, one.new, task.deadline) for one in plans if one.new}
        if await_unseen(task.client, list(self._creations.values()), task.deadline):
            planned = make_plans()
        if task.options.get("wait", True):
            for plan in [one.plan for one in planned]:
                if plan.new and plan.key in self._creations:
                    self._creations[plan.key].add_check(plan)
        return planned

    def apply(self, progresses: list[Progress], title: str) -> None:
        """Apply the plans, recover, and tell what is particular to each part."""
        from .apply import Bounds
        from .recover import apply_until_clear

        task, options = self._task, self._task.options
        parallel, jobs = options.get("max_parallel", 10), options.get("max_jobs", 50)
        bounds = Bounds(parallel, jobs, options.get("wait", True), title)
        apply_until_clear(task.client, progresses, task.deadline, self._replan, bounds, self._catch)
        unseen = [one for one in progresses if one.touched and not (one.shown or one.error or one.jobs)]
        for part, some in self._by_part(unseen):
            _confirm(part, some)
        for part, some in self._by_part([progress for progress in progresses if progress.error]):
            part.resource.tidy(part.task, some)
        for progress in progresses:
            part, creation = self._parts[progress], self._creations.get(progress.plan.key)
            if creation:
                creation.explain(progress)
            part.resource.describe(progress, part.lookups)
            part.resource.conclude(part.task, progress, part.lookups)

    def _by_part(self, progresses: list[Progress]) -> list[tuple[Part, list[Progress]]]:
        some: dict[Part, list[Progress]] = {}
        for progress in progresses:
            some.setdefault(self._parts[progress], []).append(progress)
        return list(some.items())

    def _catch(self, lost: list[Progress]) -> None:
        """Keep what only pending jobs tell, see ``Resource``."""
        for part, some in self._by_part(lost):
            part.resource.catch(part.task._replace(first=part.lookups), some)

    def _replan(self, progress: Progress) -> Plan | None:
        """Find an object again after a failure, and make a new plan, when the service has no more jobs for it.

        If the answer to its creation was lost, the found object must be the desired one, so drift counts then.
        """
        part, creation = self._parts[progress], self._creations.get(progress.plan.key)
        resource = part.resource
        task = part.task._replace(client=part.client_for(progress), warnings=[], failed=progress, first=part.lookups)
        is_in_doubt = creation is not None and creation.is_in_doubt(progress)
        if creation and is_in_doubt:
            progress.id = (creation.pick(progress, part.task.warnings) or {}).get("id")
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
        found = part.find(task)
        lookups = resource.lookup(task, found)
        if lookups is None:
            return None
        ((name, one),) = found.items()
        fresh = part.plan(task, name, one, lookups)
        fresh.key, fresh.label = progress.plan.key, progress.plan.label
        part.finish(fresh)
        if creation and self._task.options.get("wait", True):
            creation.lead_on(progress, fresh)
        return fresh


def _confirm(part: Part, unseen: list[Progress]) -> None:
    """Let the plans fail whose objects are gone, or may be gone. What they have changed is in the result all the same."""
    if part.resource.confirm is None:
        return
    try:
        part.resource.confirm(part.task, unseen)
    except CloudnError as error:
        for progress in unseen:
            failure = copy.copy(error)
            failure.message += f". So it is not known whether {progress.name} is still there: run the task again"
            progress.fail(failure)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recovers from unknown outcomes: looks at the service, makes a new plan, and goes on with it."""

from __future__ import annotations

import contextlib
import typing as t

from ..api import ApiError, Client, CloudnError, Deadline, Duplicates, NotGranted, UnknownOutcome
from ..api.errors import INTERNAL
from . import plan
from .apply import Application, Bounds
from .plan import LeftOut, Outrun, Plan
from .progress import Progress

# How often a plan is tried before its last error stands. Another run of the same task may be ahead at each step.
_ROUNDS = 6

# Finds the object of a plan again, and makes a new plan. Returns ``None`` if no look can show what was done.
Replan = t.Callable[[Progress], t.Optional[Plan]]


def apply_until_clear(
    client: Client,
    progresses: list[Progress],
    deadline: Deadline,
    replan: Replan,
    bounds: Bounds = Bounds(),  # noqa: B008
    catch: t.Callable[[list[Progress]], None] = lambda _lost: None,
) -> None:
    """Apply plans. If one ends with a failure or an unknown outcome, look at the service and go on from there.

    This is the one place that finds out what was done. No command is sent again because its answer was lost:
    ``replan(progress)`` finds the object and makes a new plan, which has only the missing steps. Before that look, lists get
    some seconds to catch up. A refused command is sent again only if a condition of the plan has changed. A refusal of a
    request for several objects says little of each, so the missing steps are sent for one object at a time. If somebody
    else has done the refused step, the plan goes on. ``catch(lost)`` looks at once what the pending jobs of lost answers tell.
    What was left out because of a plan goes on when that plan does.
    """

    def goes_on(progress: Progress) -> bool:
        progress.rounds += 1
        return _goes_on(progress, replan, deadline, progress.rounds == _ROUNDS)

    application = Application(client, progresses, deadline, goes_on, bounds)
    pending = progresses
    while pending:
        application.run()
        failed = [one for one in pending if isinstance(one.error, (UnknownOutcome, ApiError))]
        lost = [one for one in failed if isinstance(one.error, UnknownOutcome)]
        if lost:
            with contextlib.suppress(CloudnError):  # what is not caught now is looked for below
                catch(lost)
            client.sleep(min(plan.LAG, deadline.remaining()))
        pending = [one for one in failed if goes_on(one)]
        for one in failed:
            if one.error is None:
                application.take_up(one)
        pending += _freed(application, progresses, replan, deadline)
    for progress in progresses:
        if progress.error and progress.undone:
            todo = "; ".join(progress.undone)
            progress.error.message += (
                f". These steps were not done any more. Do them yourself when that has ended: {todo}"
            )


def _freed(application: Application, progresses: list[Progress], replan: Replan, deadline: Deadline) -> list[Progress]:
    """Take up the plans that were left out because of others that have no error any more. Return those that go on."""
    freed: list[Progress] = []
    tried: set[Progress] = set()
    while True:
        left = [one for one in progresses if one not in tried and isinstance(one.error, LeftOut)]
        left = [one for one in left if isinstance(one.error, LeftOut) and one.error.because.error is None]
        if not left:
            return freed
        tried.update(left)
        for one in left:
            # What was begun and undone again needs a new plan. Else the rest of the plan is as good as before.
            is_undone = one.touched and any(step.cleanup for step in one.plan.steps)
            if is_undone or not deadline.remaining():
                goes_on = _goes_on(one, replan, deadline, last=False)
                if one.error is None:
                    application.take_up(one)
            else:
                one.error, goes_on = None, True
                application.revive(one)
            freed += [one] if goes_on else []


def _goes_on(progress: Progress, replan: Replan, deadline: Deadline, last: bool) -> bool:
    """Make a new plan after a failure. Return whether it has steps to apply, and time for them.

    ``last``: the plan will not be applied again. Then the failure stands, unless nothing is left to do.
    """
    failure, step = progress.error, progress.failed_step
    if failure is None or (step and step.unseen):
        return False
    # One bad id fails the whole request; measured on CloudStack 3.0.5.
    for_others = isinstance(failure, ApiError) and progress.in_batch and not isinstance(failure, NotGranted)
    progress.alone = progress.alone or for_others
    was_lost = _is_lost(progress)
    try:
        fresh = replan(progress)
    except CloudnError as error:
        _explain(failure, error, for_others)
        return False
    if fresh is None:
        return False
    is_over = bool(fresh.stages) and (last or not deadline.remaining())
    if _is_refused(progress, fresh, for_others) or is_over:
        _explain_end(failure, fresh, deadline, last)
        progress.keep(fresh.found or {})
        return False
    _go_on(progress, fresh, was_lost)
    return bool(fresh.stages)


def _is_refused(progress: Progress, fresh: Plan, for_others: bool) -> bool:
    """Tell whether the service has refused a step that is still missing, and would refuse it again."""
    has_changed = progress.meets(fresh)
    return isinstance(progress.error, ApiError) and not for_others and not has_changed and progress.is_in(fresh)


def _is_lost(progress: Progress) -> bool:
    """Tell whether the outcome of a change is unknown. Note its command in ``doubts``. A failed look does not count."""
    step = progress.failed_step
    if not isinstance(progress.error, UnknownOutcome) or step is None or step.until:
        return False
    progress.doubts.add(step.command)
    return True


def _explain(failure: CloudnError, error: CloudnError, for_others: bool) -> None:
    """Add to a failure that the next look has failed too."""
    if for_others:
        failure.message = f"{error.message}. Before, a request for it and others failed: {failure.message}"
    if isinstance(error, Duplicates):
        failure.message += f". {error.message}"
    elif isinstance(failure, (UnknownOutcome, Outrun, LeftOut)):
        failure.message += f". Looking what became of it failed too: {error.message}"


def _explain_end(failure: CloudnError, fresh: Plan, deadline: Deadline, last: bool) -> None:
    """Add to a failure why the plan does not go on."""
    if fresh.stages and not deadline.remaining():
        failure.message += f". The task could not go on within {deadline.seconds:g} s (wait_timeout)"
    elif fresh.stages and last:
        failure.message += f". It was tried {_ROUNDS} times"


def _go_on(progress: Progress, fresh: Plan, was_lost: bool) -> None:
    """Go on with a new plan. The failed command was done if the new plan lacks it: then the run has changed something.

    After an internal error it may be done, too: the service may do the command, and then fail to show the object. Measured
    on CloudStack 3.0.5.
    """
    error, step = progress.error, progress.failed_step
    is_internal = isinstance(error, ApiError) and error.code == INTERNAL and progress.found is not None
    if step is not None and (was_lost or is_internal):
        progress.touched = progress.touched or step.command not in [one.command for one in fresh.steps]
    if isinstance(error, Outrun):
        progress.actions += [action for action in fresh.actions if action not in progress.actions]
    progress.resume(fresh)

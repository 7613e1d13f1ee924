# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports: what a plan did, or would do, as an Ansible result tells it."""

from __future__ import annotations

import typing as t

from ..api import CloudnError, Record
from .progress import Progress

_MOST_FAILURES_TOLD = 5


class Report:
    """The outcome of one task over one or several objects.

    ``to_result(progress, check)`` returns an object as the user sees it. With ``check`` nothing was applied: the same fields
    then say what would be. ``more`` is what this kind of task tells beside what all tell.
    """

    def __init__(
        self,
        progresses: t.Sequence[Progress],
        to_result: t.Callable[[Progress, bool], Record],
        check: bool = False,
        warnings: t.Sequence[str] = (),
        more: Record | None = None,
    ) -> None:
        self.progresses = progresses
        self.warnings = list(warnings)
        self.more = more or {}
        self._to_result = to_result
        self._check = check

    @property
    def changed(self) -> bool:
        """Whether something was changed, or with ``check`` would be."""
        return any(progress.actions if self._check else progress.touched for progress in self.progresses)

    @property
    def failures(self) -> list[tuple[str, CloudnError]]:
        """The names and errors of what failed."""
        return [(progress.name, progress.error) for progress in self.progresses if progress.error]

    def objects(self) -> list[Record]:
        """Return every object, in the order it was named, with its ``error`` where it failed."""
        shown = []
        for progress in self.progresses:
            item = self._to_result(progress, self._check)
            if progress.error:
                item["error"] = progress.error.message
            shown.append(item)
        return shown

    def result(self) -> Record:
        """Return what every module tells: changed, actions, diff, the ids of jobs not waited for."""
        # Another run may have done meanwhile what was planned: then this one has done nothing.
        idle = [
            progress
            for progress in self.progresses
            if progress.actions and not (self._check or progress.touched or progress.error)
        ]
        result: Record = {
            "changed": self.changed,
            "actions": [action for progress in self.progresses if progress not in idle for action in progress.actions],
            "diff": {
                "before": {
                    progress.name: progress.plan.after if progress in idle else progress.plan.before
                    for progress in self.progresses
                },
                "after": {progress.name: progress.plan.after for progress in self.progresses},
            },
        }
        jobs = list(dict.fromkeys(job_id for progress in self.progresses for job_id in progress.jobs))
        if jobs:
            result["jobs"] = jobs
        return {**result, **self.more}

    def failure(self) -> Record:
        """Return the message and the details of what failed."""
        failures = self.failures
        if len(self.progresses) == 1:
            error = failures[0][1]
            return {"msg": error.message, **error.details()}
        alike: dict[str, list[tuple[str, CloudnError]]] = {}
        for name, error in failures:
            alike.setdefault(error.cause or f"{name}: {error.message}", []).append((name, error))
        groups = list(alike.values())[:_MOST_FAILURES_TOLD]
        told = "; ".join(f"{_names([name for name, _error in group])}: {group[0][1].message}" for group in groups)
        left = len(failures) - sum(map(len, groups))
        more = f"; and {left} more" if left else ""
        return {"msg": f"{len(failures)} of {len(self.progresses)} failed: {told}{more}"}


def _names(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_FAILURES_TOLD} more" if len(names) > _MOST_FAILURES_TOLD else ""
    return ", ".join(names[:_MOST_FAILURES_TOLD]) + more

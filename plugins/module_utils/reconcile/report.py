# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports: what plans did, or would do, in the form of an Ansible result."""

from __future__ import annotations

import typing as t

from ..api import CloudnError, Record
from .progress import Progress

_MOST_FAILURES = 5


class Report:
    """The outcome of one task over one or several objects.

    ``to_result(progress, check)`` returns an object as the user sees it. With ``check`` nothing was applied, and the same fields
    say what would be. ``more`` are return values that only this kind of task has.
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
        """Whether something was changed, or would be with ``check``."""
        return any(progress.actions if self._check else progress.touched for progress in self.progresses)

    @property
    def failures(self) -> list[tuple[str, CloudnError]]:
        """What people call what failed, and the errors."""
        return [(progress.label, progress.error) for progress in self.progresses if progress.error]

    def objects(self) -> list[Record]:
        """Return every object in the order of its name in the options, with its ``error`` if it failed."""
        return [self._shown(progress) for progress in self.progresses]

    def _shown(self, progress: Progress) -> Record:
        try:
            item = self._to_result(progress, self._check)
        except CloudnError as error:
            progress.fail(error)
            item = {"name": progress.name}
        if progress.error:
            item["error"] = progress.error.message
        return item

    def members(self, plural: str) -> dict[str, list[Record]]:
        """Return the members of the result that hold objects. ``plural`` is the name of the module's own one."""
        return {plural: self.objects()}

    def result(self) -> Record:
        """Return what every module returns: changed, actions, diff, and the ids of jobs that nobody waited for."""
        # Another run may have done the planned changes meanwhile. Then this run has done nothing.
        idle = [one for one in self.progresses if one.actions and not (self._check or one.touched or one.error)]
        actions = [action for one in self.progresses if one not in idle for action in one.actions]
        before = {one.label: one.plan.after if one in idle else one.plan.before for one in self.progresses}
        diff = {"before": before, "after": {one.label: one.plan.after for one in self.progresses}}
        jobs = list(dict.fromkeys(job_id for one in self.progresses for job_id in one.jobs))
        result = {"changed": self.changed, "actions": actions, "diff": diff, **({"jobs": jobs} if jobs else {})}
        return {**result, **self.more}

    def failure(self) -> Record:
        """Return the message and the details of what failed."""
        failures = self.failures
        if len(self.progresses) == 1:
            error = failures[0][1]
            return {"msg": error.message, **error.details()}
        alike: dict[str, list[tuple[str, CloudnError]]] = {}
        for progress in self.progresses:
            if progress.error:
                cause = _cause(progress.name, progress.error)
                alike.setdefault(cause, []).append((progress.label, progress.error))
        groups = list(alike.values())[:_MOST_FAILURES]
        said = "; ".join(f"{', '.join(name for name, _error in group)}: {group[0][1].message}" for group in groups)
        left = len(failures) - sum(map(len, groups))
        more = f"; and {left} more" if left else ""
        return {"msg": f"{len(failures)} of {len(self.progresses)} failed: {said}{more}"}


def _cause(name: str, error: CloudnError) -> str:
    """Return what several errors have in common if they have one cause: all but the names of objects and jobs."""
    if error.cause:
        return error.cause
    text = error.message
    for own in filter(None, (error.job_id, name)):
        text = text.replace(own, "")
    return text

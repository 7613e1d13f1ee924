# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a site: its objects by kinds, each with what became of it, and the actions in the order of the graph."""

from __future__ import annotations

import typing as t

from ..api import Record
from ..reconcile import Progress, Report
from ..reconcile.plan import LeftOut
from ..reconcile.run import Part
from .options import PLURALS, key_of_text

DONE, FAILED, NOT_TRIED, UNCHANGED = "done", "failed", "not tried", "unchanged"


class SiteReport(Report):
    """The outcome of a site. ``parts`` are the parts of the progresses."""

    def __init__(
        self,
        progresses: t.Sequence[Progress],
        parts: t.Mapping[Progress, Part],
        check: bool,
        warnings: t.Sequence[str],
        more: Record,
    ) -> None:
        super().__init__(
            progresses, lambda one, check: parts[one].resource.to_result(one, check), check, warnings, more
        )

    def members(self, plural: str) -> dict[str, list[Record]]:
        """Return the objects by the names of the options that declare them. Each has its ``outcome``."""
        members: dict[str, list[Record]] = {name: [] for name in PLURALS.values()}
        for progress in self.progresses:
            kind, _name = key_of_text(progress.plan.key)
            members[PLURALS[kind]].append(self._object(progress))
        return members

    def _object(self, progress: Progress) -> Record:
        shown = {**self._shown(progress), "outcome": self._outcome(progress)}
        if isinstance(progress.error, LeftOut):
            shown["because"] = progress.error.because.label
        return shown

    def _outcome(self, progress: Progress) -> str:
        if progress.error:
            is_left_out = isinstance(progress.error, LeftOut) and not progress.touched
            return NOT_TRIED if is_left_out else FAILED
        has_changed = progress.actions if self._check else progress.touched
        return DONE if has_changed else UNCHANGED

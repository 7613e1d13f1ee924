# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings a whole site to the state that is declared."""

from __future__ import annotations

import collections
import typing as t

from ..api import Client, CloudnError, Deadline, Record, UsageError
from ..reconcile import Progress, Report, Step, Task
from ..reconcile.run import Planned, run_all
from . import reads
from .link import needs_of
from .options import Site, site_of
from .plan import Draft, Planner
from .report import SiteReport

if t.TYPE_CHECKING:
    from .removal import Removal

# How often a site is read again, if other runs make the same objects meanwhile.
_MOST_READS = 5
_DEPLOY = "deployVirtualMachine"


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Bring a site to the state in ``options`` (the module's), or with ``check`` report what would be done.

    Raises ``UsageError`` before any change if it can't be done.
    """
    site = site_of(options)
    deadline = client.task_deadline = Deadline(options["wait_timeout"], client.clock)
    run = _Run(Task(client, options, deadline, check, []), site)
    return run.report(run_all(run.task, run.plans, f"site {site.name}"))


class _Run:
    """One run of a site."""

    def __init__(self, task: Task, site: Site) -> None:
        self.task = task
        self._site = site
        self._planner = Planner(task, site)
        self._planned: list[Planned] = []
        self._left: list[Record] = []
        self._removal: Removal | None = None

    def plans(self) -> list[Planned]:
        """Read what is there, and plan. Raises ``UsageError`` before any change."""
        for _read in range(_MOST_READS):
            del self.task.warnings[:], self._left[:]
            draft = self._planner.begin(self._read())
            if not self._site.is_absent:
                self._planner.declared(draft)
            self._remove(draft)
            if not draft.is_stale:
                break
        else:
            raise CloudnError(
                f"the site {self._site.name}: other runs change its objects faster than they can be read. Nothing was changed. Run the "
                "task again when they have ended"
            )
        self._planned = draft.finished()
        self._check_room([step for one in self._planned for step in one.plan.steps if step.creates])
        return self._planned

    def _check_room(self, making: list[Step]) -> None:
        """Raise ``UsageError`` if the account may not have what the site needs, before anything is made."""
        if not making:
            return
        from ..limits import check_room  # here, as few runs make something: each run compiles what it imports

        wanted = collections.Counter(step.command for step in making)
        wanted["createVolume"] += sum(
            bool(step.params.get("diskofferingid")) for step in making if step.command == _DEPLOY
        )
        lacks = check_room(self.task.client, wanted)
        if not lacks:
            return
        text = f"the site {self._site.name} {' and '.join(lacks)}"
        if not self._site.options["ignore_limits"]:
            raise UsageError(
                f"{text}. Nothing was changed. Free some, ask the operator of the service for a higher limit, or set ignore_limits: true"
            )
        self.task.warnings.append(f"{text}. It is tried all the same, as ignore_limits is set")

    def _read(self) -> reads.Known:
        task, site = self.task, self._site
        whole = site.is_absent or site.options["prune"]
        known = reads.read(task.client, site, whole)
        if not task.check and reads.settle(task.client, known, task.deadline):
            known = reads.read(task.client, site, whole)
        return known

    def _remove(self, draft: Draft) -> None:
        """Add the plans that remove what shall go."""
        if self._site.is_absent or self._site.options["prune"]:
            from .removal import Removal  # here, as few runs need it: each run compiles what it imports

            self._removal = Removal(self.task, self._site, self._planner)
            self._removal.add(draft, self._left)

    def report(self, progresses: list[Progress]) -> Report:
        """Return what became of the site. The objects are in the order in which they can be done."""
        if self._removal and not self.task.check:
            self._removal.conclude(progresses, self._left)
        more: Record = {"left": self._left}
        if self._site.options["graph"]:
            from .graph import graph_of  # here, as few runs need it: each run compiles what it imports

            more["graph"] = graph_of(self._site, self._planner.plans(), self._left)
        parts = {progress: one.part for progress, one in zip(progresses, self._planned)}
        return SiteReport(in_order(progresses), parts, self.task.check, self.task.warnings, more)


def in_order(progresses: list[Progress]) -> list[Progress]:
    """Return the objects in an order in which they can be done: each after those that it needs. Else they keep their order."""
    by_key = {one.plan.key: one for one in progresses}
    needs = {one.plan.key: needs_of(one.plan) for one in progresses}
    done: dict[str, Progress] = {}
    under_way: set[str] = set()

    def visit(progress: Progress) -> None:
        key = progress.plan.key
        if key in done or key in under_way:  # groups may need each other: their rules come after all of them
            return
        under_way.add(key)
        for need in needs[key]:
            if need in by_key:
                visit(by_key[need])
        done[key] = progress

    for progress in progresses:
        visit(progress)
    return list(done.values())

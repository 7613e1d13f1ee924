# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The room for more jobs: which changes are sent now, which wait for room, and which are not begun as the service has none."""

from __future__ import annotations

import typing as t

from ..api import ApiError, CloudnError, Deadline
from ..api.jobs import instance_type
from .graph import QUEUED, SENDING, Graph, Node
from .plan import Plan
from .progress import Progress

# The API's errors where the service has no room for more, or the account has reached a limit. Source: measured on CloudStack
# 3.0.5 and 4.23.
_FULL = (532, 533, 534)

# The nodes of one request: one, or several that differ only in the object.
Nodes = t.List[Node]


class Room:
    """The room for the changes of one run.

    ``most`` is how many jobs may be under way. ``fail(node, error)`` stops a plan.
    """

    def __init__(
        self, graph: Graph, most: int, deadline: Deadline, fail: t.Callable[[Node, CloudnError], None]
    ) -> None:
        self._graph = graph
        self._most = most
        self._deadline = deadline
        self._fail = fail
        # The requests for which there was no room yet, the node for which the service had none, and the plans not begun.
        self.queue: list[Nodes] = []
        self._full: Node | None = None
        self._untried: list[Progress] = []
        self._types: dict[Progress, str] = {}

    def begin(self, progresses: list[Progress]) -> None:
        """Begin anew with these plans: there may be room now."""
        self._full, self._untried = None, []
        self._types = {progress: _type(progress.plan) for progress in progresses}

    def take(self, node: Node, error: CloudnError) -> None:
        """Take in a failure: the service may have no room."""
        if isinstance(error, ApiError) and error.code in _FULL and self._full is None:
            self._full = node

    def admitted(
        self, ready: list[Nodes], pending: t.Iterable[Nodes], sent: t.Iterable[Nodes]
    ) -> tuple[list[Nodes], bool]:
        """Return the requests to send now, and whether any will never be sent.

        ``ready`` can be sent, ``sent`` are being sent, ``pending`` have a job. A change waits if as many jobs are under way as
        may be; each change that is being sent may begin one. Those with the longest chain of changes behind them come first.
        One request for several objects does not wait, nor does anything wait for it: what it does for new objects, such as
        their tags, must not come long after them.
        """
        requests, self.queue = [*self.queue, *ready], []
        room = self._most - sum(not (node.step.until or node.step.many) for node, *_others in [*pending, *sent])
        is_over = not self._deadline.remaining()
        admitted: list[Nodes] = []
        dropped = False
        for nodes in self._by_rank(requests, room):
            node = nodes[0]
            if node.step.until or node.step.many:
                admitted.append(nodes)
            elif self._is_futile(node):
                self._untried.append(node.progress)
                self._fail(node, CloudnError(f"{node.step.command}: not tried", node.step.command))
                dropped = True
            elif is_over and node.state == QUEUED:
                self._fail(node, self._too_late(node))
                dropped = True
            elif room > 0:
                room -= 1
                node.state = SENDING
                admitted.append(nodes)
            else:
                node.state = QUEUED
                self.queue.append(nodes)
        return admitted, dropped

    def _by_rank(self, requests: list[Nodes], room: int) -> list[Nodes]:
        if len(requests) <= max(room, 1):
            return requests
        ranks = self._graph.ranks()
        return sorted(requests, key=lambda nodes: -ranks.get(nodes[0], 0))

    def _is_futile(self, node: Node) -> bool:
        """Tell whether the service will have no room for a step: it begins such an object, or had none for the same command."""
        if self._full is None or node.step.cleanup or node.progress.error:
            return False
        if node.step.command == self._full.step.command:
            return True
        return not node.progress.touched and self._types.get(node.progress) == self._types.get(self._full.progress)

    def _too_late(self, node: Node) -> CloudnError:
        command, limit = node.step.command, f"{self._deadline.seconds:g} s (wait_timeout)"
        return CloudnError(
            f"{command}: not sent, as {self._most} jobs (max_jobs) were under way until {limit} were over. "
            "Run the task again",
            command,
        )

    def explain_untried(self) -> None:
        """Say in the errors of what was not tried why, and how many objects the service had room for."""
        if self._full is None or not self._untried:
            return
        # Those that had nothing to do say nothing about the room, nor do objects of other types.
        new, failed = self._full.step.creates, self._full.progress
        full = self._types.get(failed)
        alike = [one for one, kind in self._types.items() if kind in ("", full)]
        asked = [one for one in alike if self._types[one] == full and (one.found is None or not new)]
        fit = sum(one.touched and not one.error for one in asked)
        which = str(len(asked))
        if len(asked) < len(alike):
            which = f"the {which} {'that do not exist yet' if new else 'to change'}"
        for progress in self._untried:
            if progress.error:
                progress.error.message = (
                    f"{self._full.step.command}: not tried, as the service has no room for {failed.label}: {fit} of "
                    f"{which} fit. Ask for fewer, or free some, and run the task again"
                )
                progress.error.cause = f"no room for {failed.label}"


def _type(plan: Plan) -> str:
    """Return the type of the object that a plan changes. Empty: it changes nothing, or nothing that takes room."""
    types = [instance_type(step.command) for step in plan.steps if not step.until]
    return next(filter(None, types), "")

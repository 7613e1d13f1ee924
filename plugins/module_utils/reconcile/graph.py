# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The graph of the steps of several plans: which steps can be sent now, and which ones never will be."""

from __future__ import annotations

import typing as t

from ..api import ApiError, CloudnError, JobTimeout, UnknownOutcome
from .plan import MADE, IdOf, LeftOut, Step
from .progress import Progress

# The states of a node. It is queued while there is no room for it, and left out if a step that it needs fails.
WAITING, QUEUED, SENDING, ANSWERED = "waiting", "queued", "sending", "answered"
ENDED, FAILED, LEFT_OUT = "ended", "failed", "left out"
# What a node needs of another one: the end of its job, an answer to it, its turn, or the id of the object that it makes.
END, ANSWER, TURN, ID = "end", "answer", "turn", "id"


class Node:
    """A step in the graph. It is ``broken`` if the step, or one that it needs, has failed."""

    __slots__ = ("_batch", "broken", "needs", "progress", "since", "state", "step")

    def __init__(self, progress: Progress, step: Step) -> None:
        self.progress = progress
        self.step = step
        self.needs: list[tuple[Node, str]] = []
        self.state = WAITING
        self.since = 0.0  # when it was sent
        self.broken = False
        self._batch: tuple[str, str] | None = None

    @property
    def batch(self) -> tuple[str, str]:
        """What nodes must have in common to go in one request."""
        if self._batch is None:
            self._batch = self.step.batch
        return self._batch

    def is_at(self, point: str) -> bool:
        """Tell whether others that need a point of the plan need this node."""
        return self.step.point == point or (point == MADE and self.step.creates)

    def allows(self, other: Node, how: str) -> bool | None:
        """Tell whether another node that needs this one may go on. ``None``: not known yet."""
        if self.state in (FAILED, LEFT_OUT):
            # A refusal is about one step. Any other error may be about all steps.
            return self.state == FAILED and how == TURN and isinstance(self.progress.error, ApiError)
        if self.state == ENDED:
            return how == TURN or not self.broken
        if self.state == ANSWERED and how == ID and self.progress.id is not None:
            return True
        # A step for many objects waits for the end of the jobs for many objects before it.
        is_enough = self.state == ANSWERED and how == ANSWER and not (self.step.many and other.step.many)
        return True if is_enough else None


class Graph:
    """The steps of plans, and what each step needs of others.

    If ``wait`` is false, nobody waits for the last jobs. Then no look comes last, and the steps of a plan's last stage do not
    wait for each other.
    """

    def __init__(self, progresses: list[Progress], wait: bool) -> None:
        self._wait = wait
        self._by_key = {progress.plan.key: progress for progress in progresses}
        self._nodes = {progress: _nodes(progress, wait) for progress in progresses}
        self.waiting = self.nodes
        self._ranks: dict[Node, int] = {}
        self._link()

    def replace(self, progress: Progress) -> None:
        """Take the steps of a new plan in place of the steps that were left."""
        self._nodes[progress] = _nodes(progress, self._wait)
        self.waiting = [node for node in self.waiting if node.progress is not progress] + self._nodes[progress]
        self._link()

    def revive(self, progress: Progress) -> None:
        """Take up the steps of a plan that were left out because of another plan."""
        left = [node for node in self._nodes[progress] if node.state == LEFT_OUT]
        for node in left:
            node.state, node.broken = WAITING, False
        self.waiting += left
        self._link()

    def _link(self) -> None:
        """Note what steps need of other plans. A plan that is not among those of the graph has nothing to do.

        Who needs an id also needs that the object stays: another run may make the same at the same time.
        """
        self._ranks = {}
        for node in self.waiting:  # what it needed of other plans may have been replaced
            node.needs = [(one, how) for one, how in node.needs if one.progress is node.progress]
            made = [one for one in self._nodes_of(keys_of(node.step.params)) if one.is_at(MADE)]
            node.needs += [(one, ID if one.step.creates else END) for one in made if one.progress is not node.progress]
            node.needs += [(one, END) for need in node.step.needs for one in self._needed(need)]

    def _needed(self, need: str) -> list[Node]:
        """Return the nodes of ``"key"`` or ``"key@point"``. The key may hold an ``@`` itself."""
        key, _at, point = need.rpartition("@")
        return self._nodes_of([need]) + [one for one in self._nodes_of([key]) if one.is_at(point)]

    def _nodes_of(self, keys: t.Iterable[str]) -> list[Node]:
        return [node for key in keys if key in self._by_key for node in self._nodes[self._by_key[key]]]

    @property
    def nodes(self) -> list[Node]:
        """All nodes, plan by plan, in the order of the steps."""
        return [node for nodes in list(self._nodes.values()) for node in nodes]

    def edges(self) -> list[tuple[Node, Node]]:
        """Return each node that another one needs, with the one that needs it."""
        return [(other, node) for node in self.nodes for other, _how in node.needs]

    def ready(self) -> list[Node]:
        """Return the nodes that can be sent now. From now on their state is ``SENDING``."""
        ready, waiting, has_changed = [], self.waiting, True
        while has_changed:
            self.waiting, has_changed = [], False
            for node in waiting:
                verdict = self._judge(node)
                if verdict is None:
                    self.waiting.append(node)
                elif verdict:
                    node.state = SENDING
                    ready.append(node)
                else:
                    self.leave_out(node)
                    has_changed = True  # others may need it
            waiting = self.waiting
        return ready

    def _judge(self, node: Node) -> bool | None:
        """Tell whether a node can be sent. ``None``: not yet. False: never."""
        verdicts = [other.allows(node, how) for other, how in node.needs]
        if any(verdict is False for verdict in verdicts) and not node.step.cleanup:
            return False
        if None in verdicts:
            return None
        node.broken = any(other.broken for other, _how in node.needs)
        if not (node.step.cleanup and node.progress.error):
            return True
        if isinstance(node.progress.error, (UnknownOutcome, JobTimeout)):
            node.progress.undone.append(node.step.text)
            return False
        # A step before it may be left out because of another plan while one before that, which is to be undone, is under way.
        own = [one.state for one in self._nodes[node.progress]]
        return None if {QUEUED, SENDING, ANSWERED}.intersection(own) else ENDED in own

    def leave_out(self, node: Node) -> None:
        """Do not send a node. If the failure of another plan is the reason, the node's plan gets an error that says so."""
        node.state, node.broken = LEFT_OUT, True
        failed = next((other.progress for other, _how in node.needs if other.broken and other.progress.error), None)
        if failed and failed.error and failed is not node.progress and not node.progress.error:
            message = f"{node.step.command}: not sent, as {failed.label} failed: {failed.error.message}"
            node.progress.fail(LeftOut(message, node.step.command, failed))

    def fail(self, node: Node) -> None:
        """Mark a node whose step has failed."""
        node.state, node.broken = FAILED, True

    def under_way(self) -> list[Node]:
        """Return the nodes that are being sent, or whose jobs are pending."""
        return [node for node in self.nodes if node.since and node.state in (SENDING, ANSWERED)]

    def is_ended(self, progress: Progress) -> bool:
        """Tell whether a plan has no step that may still be done."""
        return all(node.state in (ENDED, FAILED, LEFT_OUT) for node in self._nodes[progress])

    def ranks(self) -> dict[Node, int]:
        """Return for each node how many changes come one after the other from it on, each in a request of its own."""
        if self._ranks:
            return self._ranks
        own = {node: int(not (node.step.until or node.step.many)) for node in self.nodes}
        self._ranks = ranks = dict(own)
        for node in reversed(self._in_order()):
            for other in [other for other, _how in node.needs if other in ranks]:
                ranks[other] = max(ranks[other], ranks[node] + own[other])
        return ranks

    def cycle(self) -> list[Node]:
        """Return nodes each of which needs the next one, and the last one the first. None: there are no such nodes."""
        left = set(self.nodes).difference(self._in_order())
        path: list[Node] = []
        node = next((one for one in self.nodes if one in left), None)
        while node is not None and node not in path:
            path.append(node)
            node = next(other for other, _how in node.needs if other in left)
        return path[path.index(node) :] if node else []

    def _in_order(self) -> list[Node]:
        """Return the nodes, each after those that it needs. Those that wait for each other, and who needs them, are left out."""
        missing = dict.fromkeys(self.nodes, 0)
        behind: dict[Node, list[Node]] = {}
        for other, node in self.edges():
            if other in missing:  # it is not one that a new plan has replaced
                missing[node] += 1
                behind.setdefault(other, []).append(node)
        order = [node for node, count in missing.items() if not count]
        for node in order:
            for one in behind.get(node, ()):
                missing[one] -= 1
                if not missing[one]:
                    order.append(one)
        return order

    def stop(self) -> None:
        """Give up on the nodes that are left: each waits for another one."""
        for node in self.waiting:
            message = f"{node.step.command}: not sent, as the steps that it needs wait for it in turn"
            node.state, node.broken = LEFT_OUT, True
            node.progress.fail(CloudnError(message, node.step.command))
        self.waiting = []


def _nodes(progress: Progress, wait: bool) -> list[Node]:
    """Return the nodes of one plan, linked in the order of its stages."""
    stages = list(progress.plan.stages)
    while stages and not wait and all(step.until for step in stages[-1]):
        stages.pop()
    nodes: list[Node] = []
    before: list[Node] = []
    for number, stage in enumerate(stages, 1):
        here = [Node(progress, step) for step in stage]
        if stage[0].aside:
            for node in here:
                node.needs = [(one, ANSWER) for one in nodes if one.step.creates]
            nodes += here
            continue
        last = _link_stage(here, before, is_in_turn=stage[0].in_turn and (wait or number < len(stages)))
        before = [*before, *last] if all(step.early for step in stage) else last
        nodes += here
    return nodes


def _link_stage(here: list[Node], before: list[Node], is_in_turn: bool) -> list[Node]:
    """Link the nodes of a stage to those before it. Return those that the next stage needs."""
    for node in here:
        node.needs = [(one, ANSWER if node.step.early else END) for one in before]
    if not is_in_turn:
        return here
    for one, other in zip(here, here[1:]):
        other.needs = [(one, TURN)]
    return here[-1:]


def keys_of(value: t.Any) -> t.Iterator[str]:
    """Yield the keys of the plans whose objects' ids a value needs."""
    if isinstance(value, IdOf):
        yield from filter(None, [value.key])
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from keys_of(inner)


def resolved(value: t.Any, ids: t.Callable[[str], list[str | None]]) -> t.Any:
    """Return a step's parameters with ids in place of each ``IdOf``. ``ids(key)`` returns those of a plan's object."""
    if isinstance(value, IdOf):
        return ids(value.key)[0]
    if isinstance(value, dict):
        return {name: resolved(inner, ids) for name, inner in value.items()}
    if isinstance(value, list):
        return [
            one for inner in value for one in (ids(inner.key) if isinstance(inner, IdOf) else [resolved(inner, ids)])
        ]
    return value

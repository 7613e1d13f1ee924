# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps that go in one request for several objects: which of them wait for others that come soon."""

from __future__ import annotations

from .graph import ANSWER, ANSWERED, ENDED, QUEUED, SENDING, WAITING, Graph, Node

# The most objects in one request.
LARGEST = 100


class Batches:
    """Nodes that could be sent, and that may go in one request with others."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._held: dict[tuple[str, str], list[Node]] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def add(self, node: Node) -> None:
        """Keep a node until its request is complete."""
        self._held.setdefault(node.batch, []).append(node)

    def drop_vain(self) -> None:
        """Leave out the nodes that need something that has failed meanwhile."""
        for key, nodes in list(self._held.items()):
            vain = [node for node in nodes if any(other.broken for other, _how in node.needs)]
            for node in vain:
                self._graph.leave_out(node)
                nodes.remove(node)
            if not nodes:
                del self._held[key]

    def complete(self, is_idle: bool) -> list[list[Node]]:
        """Return the requests that no other object will join soon. ``is_idle``: nothing else is under way.

        A look that somebody waits for does not wait for the end of other jobs.
        """
        complete = [key for key, nodes in self._held.items() if not self._grows(key, nodes)]
        if is_idle and not complete:
            changes = [key for key, nodes in self._held.items() if not nodes[0].step.joint]
            complete = changes or list(self._held)  # changes wait for each other, looks wait for all else
        requests = []
        for key in complete:
            nodes = self._held.pop(key)
            requests += [nodes[at : at + LARGEST] for at in range(0, len(nodes), LARGEST)]
        return requests

    def _grows(self, key: tuple[str, str], nodes: list[Node]) -> bool:
        """Tell whether another node of a batch comes soon."""
        more = [node for node in self._graph.waiting if _is_of(node, key)]
        if not nodes[0].step.joint:
            return any(_is_near(node) for node in more)
        near = (ENDED, SENDING) if self._is_awaited(nodes) else (ENDED, SENDING, ANSWERED, QUEUED)
        return any(all(other.state in near for other, _how in node.needs) for node in more)

    def _is_awaited(self, looks: list[Node]) -> bool:
        """Tell whether a step waits for nothing but some of these looks, and other looks that are ready."""
        awaited = set(looks)
        return any(
            any(other in awaited for other, _how in node.needs)
            and all(other.state == ENDED or (other.state == SENDING and other.step.joint) for other, _how in node.needs)
            for node in self._graph.waiting
        )


def _is_of(node: Node, key: tuple[str, str]) -> bool:
    return bool(node.step.many or node.step.joint) and node.batch == key


def _is_near(node: Node) -> bool:
    """Tell whether a node needs only answers that are awaited."""
    return all(
        other.state == ENDED
        or (how == ANSWER and (other.state in (SENDING, ANSWERED) or (other.state == WAITING and _is_near(other))))
        for other, how in node.needs
    )

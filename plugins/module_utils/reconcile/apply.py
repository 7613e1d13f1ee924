# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies plans: sends their steps from a few threads, follows the jobs, and keeps the order of the graph."""

from __future__ import annotations

import concurrent.futures
import copy
import typing as t

from ..api import Client, CloudnError, Deadline, JobTimeout, NotGranted, Record, UnknownOutcome
from ..api.client import listing
from ..api.deadline import poll
from ..api.jobs import Jobs
from ..api.threads import pool
from . import plan
from .batches import Batches
from .graph import ANSWERED, ENDED, Graph, Node, resolved
from .plan import Outrun
from .progress import Progress
from .room import Nodes, Room
from .telling import told

# The outcome of each node of a request.
Outcome = t.Union[Record, CloudnError]

# Makes a new plan after a failure. Returns whether it has steps to apply. See ``recover``.
GoesOn = t.Callable[[Progress], bool]


class Bounds(t.NamedTuple):
    """How much is done at once: the most requests, and the most jobs. Requests for several objects, such as for tags, come on top.

    If ``wait`` is false, nobody waits for a job but the steps that need it, and those for which there is no room before.
    ``title`` is what people call the whole, while it runs.
    """

    parallel: int = 10
    jobs: int = 50
    wait: bool = True
    title: str = ""


def apply(
    client: Client,
    progresses: list[Progress],
    deadline: Deadline,
    goes_on: GoesOn = lambda _progress: False,
    bounds: Bounds = Bounds(),  # noqa: B008
) -> None:
    """Apply all plans together, once. See ``Application``."""
    Application(client, progresses, deadline, goes_on, bounds).run()


class Application:
    """Applies all plans together, within ``bounds``: sends from a few threads, and follows all jobs from its own.

    ``goes_on`` makes a new plan at once for one that another run has outrun: its deletion must not wait for other plans. If
    the service has no room for an object, or a limit is reached, no other object of that kind is begun. Errors go into the
    progress of their plan. Nothing is raised for them. After a run, plans can be taken up again, and need of the others what
    they have done.
    """

    def __init__(
        self, client: Client, progresses: list[Progress], deadline: Deadline, goes_on: GoesOn, bounds: Bounds
    ) -> None:
        self._client = client
        self._progresses = progresses
        self._by_key = {progress.plan.key: progress for progress in progresses}
        self._deadline = deadline
        self._goes_on = goes_on
        self._bounds = bounds
        self._graph = Graph(progresses, bounds.wait)
        self._room = Room(self._graph, bounds.jobs, deadline, self._fail)
        self._batches = Batches(self._graph)
        self._jobs = Jobs(client, deadline)
        self._owners: dict[str, Nodes] = {}
        self._next_poll = 0.0

    def run(self) -> None:
        """Send all that can be sent."""
        self._room.begin(self._progresses)
        with self._client.waits.on(self._describe), pool(self._bounds.parallel) as threads:
            answers: dict[concurrent.futures.Future[t.Sequence[Outcome | None]], Nodes] = {}
            while True:
                able = self._ready(bool(answers or self._room.queue))
                ready, dropped = self._room.admitted(able, self._owners.values(), answers.values())
                if len(ready) == 1 and not answers:
                    # For one request, use this thread: its connection is already open.
                    self._take(ready[0], self._attempt(ready[0]))
                    continue
                for nodes in ready:
                    answers[threads.submit(self._attempt, nodes)] = nodes
                if not answers and not self._is_awaited():
                    if dropped:
                        continue  # others may have waited for what is dropped
                    break
                self._await_answers(answers)
                if self._jobs and not self._until_poll():
                    self._poll()
        self._graph.stop()
        self._room.explain_untried()

    def take_up(self, progress: Progress) -> None:
        """Take the steps of a new plan in place of the steps that were left."""
        self._graph.replace(progress)

    def revive(self, progress: Progress) -> None:
        """Take up the steps of a plan that were left out because of another plan."""
        self._graph.revive(progress)

    def _describe(self) -> str:
        return told(self._graph, self._progresses, self._client.clock(), self._bounds.title)

    def _await_answers(self, answers: dict[concurrent.futures.Future[t.Sequence[Outcome | None]], Nodes]) -> None:
        """Wait for an answer, or for the next poll of the jobs."""
        if answers:
            seconds = self._until_poll() if self._jobs else None
            ended, _pending = concurrent.futures.wait(answers, seconds, return_when=concurrent.futures.FIRST_COMPLETED)
            for answer in ended:
                self._take(answers.pop(answer), answer.result())
        elif self._until_poll():
            self._client.sleep(self._until_poll())

    def _ready(self, sending: bool) -> list[Nodes]:
        """Return what can be sent now, request by request. ``sending``: answers are awaited."""
        self._batches.drop_vain()
        requests: list[Nodes] = []
        for node in self._graph.ready():
            if node.step.joint or (node.step.many and not node.progress.alone):
                self._batches.add(node)
            else:
                requests.append([node])
        return requests + self._batches.complete(not (sending or requests or self._jobs))

    def _is_awaited(self) -> bool:
        """Tell whether somebody needs the end of a job."""
        is_needed = self._bounds.wait or self._graph.waiting or self._batches
        return bool(self._room.queue or (self._jobs and is_needed))

    def _attempt(self, nodes: Nodes) -> t.Sequence[Outcome | None]:
        """Send one request, in any thread. Errors are returned, not raised: they belong to the plans."""
        step = nodes[0].step
        for node in nodes:
            node.since = self._client.clock()
        own = list(dict.fromkeys(node.progress.id for node in nodes))
        params = resolved(step.params, lambda key: [self._id_of(key)] if key else own)
        try:
            if step.until:
                return self._look(nodes, params)
            return [self._send(nodes[0], params)] * len(nodes)
        except CloudnError as error:
            if step.optional:
                self._client.warn(f"{step.optional}: {error.message}")
                return [{}] * len(nodes)
            error.message += f". {step.doubt}" if step.doubt else ""
            # Each plan gets its own error, as text is added to it.
            return [copy.copy(error) for _node in nodes]

    def _id_of(self, key: str) -> str | None:
        return self._by_key[key].id if key in self._by_key else None

    def _send(self, node: Node, params: Record) -> Record:
        step = node.step
        try:
            return self._client.call(step.command, params, self._deadline)
        except NotGranted as error:
            if step.instead is None:
                raise
            return step.instead(self._client, params, error)

    def _look(self, nodes: Nodes, params: Record) -> list[Outcome | None]:
        """Send a reading command until a node has the answer that it waits for. ``None``: the node must look again.

        The next step of one node may be urgent, so the other nodes do not delay it.
        """
        step, began = nodes[0].step, self._client.clock()
        outcomes: dict[Node, Outcome] = {}
        if step.seconds:
            self._client.sleep(min(step.seconds, self._deadline.remaining()))
        for _look in poll(self._client, self._deadline):
            if step.search:
                records = step.search(self._client, params)
            else:
                records = listing(self._client, step.command, params, "id", deadline=self._deadline)
            # A new object may not be listed yet.
            if records or self._client.clock() - began >= plan.LAG:
                judged = ((node, _judge(node, records)) for node in nodes)
                outcomes = {node: outcome for node, outcome in judged if outcome is not None}
            if outcomes:
                return [outcomes.get(node) for node in nodes]
        return [self._overdue(node) for node in nodes]

    def _overdue(self, node: Node) -> JobTimeout:
        reason = f"{node.step.text}: not within {self._deadline.seconds:g} s (wait_timeout)"
        text = f"{node.step.command}: {reason}. It goes on at the service; run the task again"
        return JobTimeout(text, node.step.command)

    def _take(self, nodes: Nodes, outcomes: t.Sequence[Outcome | None]) -> None:
        """Take in the outcomes of a request: errors, a job to follow, or results."""
        for node, outcome in zip(nodes, outcomes):
            if outcome is None:
                self._batches.add(node)
                continue
            if isinstance(outcome, CloudnError):
                self._fail(node, outcome, len(nodes) > 1)
                continue
            progress = node.progress
            progress.touched = progress.touched or not node.step.until
            if progress.id is None and "id" in outcome:
                progress.id = progress.created_id = progress.object["id"] = outcome["id"]
            if outcome.get("jobid") is None:
                self._end(node, outcome)
        answer = outcomes[0]
        if isinstance(answer, dict) and answer.get("jobid") is not None:
            self._follow(nodes, answer["jobid"])

    def _follow(self, nodes: Nodes, job_id: str) -> None:
        """Follow the job of a request."""
        if not self._jobs:
            self._next_poll = 0.0
        for node in nodes:
            node.state = ANSWERED
            node.progress.jobs[job_id] = node.step
        self._owners[job_id] = nodes
        step = nodes[0].step
        self._jobs.add(job_id, step.command, step.seconds, self._object_ids(nodes))
        soonest = self._client.clock() + self._jobs.pause()
        self._next_poll = min(self._next_poll, soonest) if self._next_poll else soonest

    def _object_ids(self, nodes: Nodes) -> set[str]:
        """Return the ids that the object of a request's job may have; none if this run does not know its own object yet."""
        own = [node.progress.id for node in nodes if node.progress.id is not None]
        params = resolved(nodes[0].step.params, lambda key: [self._id_of(key)] if key else list(own))
        return {*own, *(value for value in params.values() if isinstance(value, str))} if own else set()

    def _end(self, node: Node, result: Record) -> None:
        """Take in the result of a step."""
        node.state = ENDED
        before = node.progress.error
        try:
            node.progress.ended(node.step, result)
        except CloudnError as error:  # the result can't be read, so a look must show what the object is like
            self._fail(node, error)
            return
        if node.progress.error is not before:
            self._graph.fail(node)

    def _fail(self, node: Node, error: CloudnError, in_batch: bool = False) -> None:
        """Stop a plan with an error, or go on with another plan."""
        node.progress.fail(error, node.step, in_batch)
        self._graph.fail(node)
        self._room.take(node, error)
        if isinstance(error, Outrun) and (self._goes_on(node.progress) or node.progress.error is None):
            self._graph.replace(node.progress)

    def _until_poll(self) -> float:
        return max(0.0, min(self._next_poll - self._client.clock(), self._deadline.remaining()))

    def _poll(self) -> None:
        """Ask once for the state of the jobs. At the deadline, give up on those that are still pending."""
        try:
            ends = self._jobs.poll()
        except CloudnError as error:
            for job_id in self._jobs:
                message = f"{error.message}; so job {job_id} can't be followed, and its outcome is unknown"
                self._drop(job_id, UnknownOutcome(message, self._owners[job_id][0].step.command, job_id=job_id))
            return
        for end in ends:
            nodes = self._released(end.job_id)
            for node in nodes:
                if end.error:
                    self._fail(node, copy.copy(end.error), len(nodes) > 1)
                else:
                    self._end(node, end.result)
        if not self._deadline.remaining():
            for job_id in self._jobs:
                self._drop(job_id, None)
        self._next_poll = self._client.clock() + self._jobs.pause()

    def _released(self, job_id: str) -> Nodes:
        """Stop following a job. Return its nodes."""
        nodes = self._owners.pop(job_id)
        for node in nodes:
            del node.progress.jobs[job_id]
        return nodes

    def _drop(self, job_id: str, error: CloudnError | None) -> None:
        """Give up on a job, and stop its plans with ``error``, or with a timeout if that is ``None``."""
        timeout = self._jobs.overdue(job_id, self._deadline.seconds)
        nodes = self._released(job_id)
        for node in nodes:
            self._fail(node, copy.copy(error or timeout), len(nodes) > 1)


def _judge(node: Node, records: list[Record]) -> Outcome | None:
    """Return what a look has found for a node: a result, an error, or ``None`` to look again."""
    try:
        return node.step.until(records, node.progress) if node.step.until else {}
    except CloudnError as error:
        return error

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
from . import plan
from .graph import ANSWERED, ENDED, Graph, Node, resolved
from .plan import Outrun
from .progress import Progress

# The most objects in one request.
_LARGEST_BATCH = 100

# The nodes of one request: one, or several that differ only in the object. And the outcome of each.
Nodes = t.List[Node]
Outcome = t.Union[Record, CloudnError]

# Makes a new plan after a failure. Returns whether it has steps to apply. See ``recover``.
GoesOn = t.Callable[[Progress], bool]


def apply(
    client: Client,
    progresses: list[Progress],
    deadline: Deadline,
    goes_on: GoesOn = lambda _progress: False,
    parallel: int = 10,
    wait: bool = True,
) -> None:
    """Apply all plans together: send at most ``parallel`` steps at a time, and wait for all jobs together.

    ``goes_on`` makes a new plan at once for one that another run has outrun: its deletion must not wait for other plans. If
    ``wait`` is false, it waits only for jobs that a later step needs. Errors go into the progress of their plan. Nothing is
    raised for them.
    """
    _Application(client, progresses, deadline, goes_on, parallel, wait).run()


class _Application:
    """Applies plans once: sends from a few threads, and follows the jobs from its own."""

    def __init__(
        self, client: Client, progresses: list[Progress], deadline: Deadline, goes_on: GoesOn, parallel: int, wait: bool
    ) -> None:
        self._client = client
        self._progresses = progresses
        self._deadline = deadline
        self._goes_on = goes_on
        self._parallel = parallel
        self._wait = wait
        self._graph = Graph(progresses, wait)
        self._jobs = Jobs(client, deadline)
        self._owners: dict[str, Nodes] = {}
        self._held: dict[tuple[str, str], Nodes] = {}
        self._next_poll = 0.0

    def run(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(self._parallel) as threads:
            answers: dict[concurrent.futures.Future[t.Sequence[Outcome | None]], Nodes] = {}
            while True:
                ready = self._ready(bool(answers))
                if len(ready) == 1 and not answers:
                    # For one request, use this thread: its connection is already open.
                    self._take(ready[0], self._attempt(ready[0]))
                    continue
                for nodes in ready:
                    answers[threads.submit(self._attempt, nodes)] = nodes
                if not answers and not self._is_awaited():
                    break
                self._await_answers(answers)
                if self._jobs and not self._until_poll():
                    self._poll()
        self._graph.stop()

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
        for key, nodes in list(self._held.items()):
            for node in [node for node in nodes if node.progress.error]:
                self._graph.leave_out(node)
                nodes.remove(node)
            if not nodes:
                del self._held[key]
        requests: list[Nodes] = []
        for node in self._graph.ready():
            if node.step.joint or (node.step.many and not node.progress.alone):
                self._held.setdefault(node.step.batch, []).append(node)
            else:
                requests.append([node])
        return requests + self._batches(sending or bool(requests))

    def _batches(self, sending: bool) -> list[Nodes]:
        """Return the requests for several objects that no other object will join soon."""
        is_idle = not sending and not self._jobs
        changes = {key: nodes for key, nodes in self._held.items() if not nodes[0].step.joint}
        complete = [key for key in changes if not self._graph.nears(key)]
        if is_idle and not complete:
            complete = list(changes) or list(self._held)  # changes wait for each other, looks wait for all else
        requests = []
        for key in complete:
            nodes = self._held.pop(key)
            requests += [nodes[at : at + _LARGEST_BATCH] for at in range(0, len(nodes), _LARGEST_BATCH)]
        return requests

    def _is_awaited(self) -> bool:
        """Tell whether somebody needs the end of a job."""
        return any(one.jobs and (self._wait or not self._graph.is_sent(one)) for one in self._progresses)

    def _attempt(self, nodes: Nodes) -> t.Sequence[Outcome | None]:
        """Send one request, in any thread. Errors are returned, not raised: they belong to the plans."""
        step = nodes[0].step
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
        return next((one.id for one in self._progresses if one.plan.key == key), None)

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
                self._held.setdefault(node.step.batch, []).append(node)
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
        self._jobs.add(job_id, nodes[0].step.command, nodes[0].step.seconds)
        soonest = self._client.clock() + self._jobs.pause()
        self._next_poll = min(self._next_poll, soonest) if self._next_poll else soonest

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
        if isinstance(error, Outrun) and self._goes_on(node.progress):
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

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies plans: sends their steps from a few threads, follows the jobs, and keeps the order of the graph."""

from __future__ import annotations

import concurrent.futures
import copy
import typing as t

from ..api import ApiError, Client, CloudnError, Deadline, JobTimeout, NotGranted, Record, UnknownOutcome
from ..api.client import listing
from ..api.deadline import poll
from ..api.jobs import Jobs
from ..api.threads import pool
from ..api.waits import seconds, some
from . import plan
from .graph import ANSWERED, ENDED, Graph, Node, resolved
from .plan import Outrun
from .progress import Progress

# The most objects in one request.
_LARGEST_BATCH = 100
# The API's errors where the service has no room for more, or the account has reached a limit. Source: measured on CloudStack
# 3.0.5 and 4.23.
_FULL = (532, 533, 534)

# The nodes of one request: one, or several that differ only in the object. And the outcome of each.
Nodes = t.List[Node]
Outcome = t.Union[Record, CloudnError]

# Makes a new plan after a failure. Returns whether it has steps to apply. See ``recover``.
GoesOn = t.Callable[[Progress], bool]


class Bounds(t.NamedTuple):
    """How much is done at once: the most requests, and the most jobs.

    If ``wait`` is false, nobody waits for a job but the steps that need it, and those for which there is no room before.
    """

    parallel: int = 10
    jobs: int = 50
    wait: bool = True


def apply(
    client: Client,
    progresses: list[Progress],
    deadline: Deadline,
    goes_on: GoesOn = lambda _progress: False,
    bounds: Bounds = Bounds(),  # noqa: B008
) -> None:
    """Apply all plans together, within ``bounds``, and wait for all jobs together.

    ``goes_on`` makes a new plan at once for one that another run has outrun: its deletion must not wait for other plans. If
    the service has no room for an object, or a limit is reached, no other object is begun. Errors go into the progress of
    their plan. Nothing is raised for them.
    """
    _Application(client, progresses, deadline, goes_on, bounds).run()


class _Application:
    """Applies plans once: sends from a few threads, and follows the jobs from its own."""

    def __init__(
        self, client: Client, progresses: list[Progress], deadline: Deadline, goes_on: GoesOn, bounds: Bounds
    ) -> None:
        self._client = client
        self._progresses = progresses
        self._deadline = deadline
        self._goes_on = goes_on
        self._bounds = bounds
        self._graph = Graph(progresses, bounds.wait)
        self._jobs = Jobs(client, deadline)
        self._owners: dict[str, Nodes] = {}
        self._held: dict[tuple[str, str], Nodes] = {}
        self._next_poll = 0.0
        # The requests for which there was no room yet, the node for which the service had none, and the plans not begun.
        self._queue: list[Nodes] = []
        self._full: Node | None = None
        self._untried: list[Progress] = []

    def run(self) -> None:
        with self._client.waits.on(self._describe), pool(self._bounds.parallel) as threads:
            answers: dict[concurrent.futures.Future[t.Sequence[Outcome | None]], Nodes] = {}
            while True:
                ready, dropped = self._admitted(self._ready(bool(answers or self._queue)), list(answers.values()))
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
        self._explain_untried()

    def _describe(self) -> str:
        """Return, for a person, how many objects are done, which have failed, and what the others are doing."""
        now, graph = self._client.clock(), self._graph
        ended = [one for one in self._progresses if graph.is_ended(one)]
        failed = [one for one in ended if one.error]
        doing = []
        for node in graph.under_way():
            jobs = [job_id for job_id, step in node.progress.jobs.items() if step is node.step]
            what = node.step.text if node.step.until else f"{node.progress.name}: {node.step.command}"
            about = f" (job {jobs[-1]})" if jobs else ""
            doing.append(f"{what} {seconds(node.since, now)}{about}")
        texts = [f"{len(ended) - len(failed)} of {len(self._progresses)} done"]
        if failed:
            names = [
                f"{one.name} (job {one.error.job_id})" if one.error.job_id else one.name for one in failed if one.error
            ]
            texts.append(f"failed: {some(names)}")
        return "; ".join([*texts, *([some(doing)] if doing else [])])

    def _admitted(self, ready: list[Nodes], sent: list[Nodes]) -> tuple[list[Nodes], bool]:
        """Return the requests to send now, and whether any will never be sent. ``ready`` can be sent, ``sent`` are being sent.

        A change waits if as many jobs are under way as may be; each change that is being sent may begin one. One request for
        all objects does not wait if each of them may have a job.
        """
        waited, self._queue = self._queue, []
        room = self._bounds.jobs - len(self._jobs) - sum(not nodes[0].step.until for nodes in sent)
        is_over = not self._deadline.remaining()
        admitted: list[Nodes] = []
        dropped = False
        for place, nodes in enumerate([*waited, *ready]):
            if nodes[0].step.until or (nodes[0].step.many and len(self._progresses) <= self._bounds.jobs):
                admitted.append(nodes)
            elif self._is_futile(nodes[0]):
                self._leave(nodes)
                dropped = True
            elif is_over and place < len(waited):
                for node in nodes:
                    self._fail(node, self._too_late(node))
                dropped = True
            elif room > 0:
                room -= 1
                admitted.append(nodes)
            else:
                self._queue.append(nodes)
        return admitted, dropped

    def _is_futile(self, node: Node) -> bool:
        """Tell whether the service will have no room for a step: it begins an object, or had none for the same command."""
        if self._full is None or node.step.cleanup or node.progress.error:
            return False
        return not node.progress.touched or node.step.command == self._full.step.command

    def _leave(self, nodes: Nodes) -> None:
        for node in nodes:
            self._untried.append(node.progress)
            self._fail(node, CloudnError(f"{node.step.command}: not tried", node.step.command))

    def _too_late(self, node: Node) -> CloudnError:
        command, limit = node.step.command, f"{self._deadline.seconds:g} s (wait_timeout)"
        return CloudnError(
            f"{command}: not sent, as {self._bounds.jobs} jobs (max_jobs) were under way until {limit} were over. "
            "Run the task again",
            command,
        )

    def _explain_untried(self) -> None:
        """Say in the errors of what was not tried why, and how many objects the service had room for."""
        if self._full is None or not self._untried:
            return
        # Those that had nothing to do say nothing about the room.
        new = self._full.step.creates
        asked = [one for one in self._progresses if (one.found is None if new else one.actions)]
        fit = sum(one.touched and not one.error for one in asked)
        which = str(len(asked))
        if len(asked) < len(self._progresses):
            which = f"the {which} {'that do not exist yet' if new else 'to change'}"
        failed = self._full.progress
        for progress in self._untried:
            if progress.error:
                progress.error.message = (
                    f"{self._full.step.command}: not tried, as the service has no room for {failed.name}: {fit} of "
                    f"{which} fit. Ask for fewer, or free some, and run the task again"
                )
                progress.error.cause = f"no room for {failed.name}"

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
        if self._queue:
            return True
        return any(one.jobs and (self._bounds.wait or not self._graph.is_sent(one)) for one in self._progresses)

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
        if isinstance(error, ApiError) and error.code in _FULL and self._full is None:
            self._full = node
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

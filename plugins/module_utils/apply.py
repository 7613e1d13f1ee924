# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies plans: sends their steps from a few threads, follows their jobs, looks again after an unknown outcome."""

from __future__ import annotations

import concurrent.futures
import copy
import typing as t

from . import plan
from .api import ApiError, Client, CloudnError, Deadline, Duplicates, JobTimeout, NotGranted, Record, UnknownOutcome
from .api.client import listing
from .api.deadline import poll
from .api.jobs import Jobs
from .plan import THIS, Outrun, Step, Track

_INTERNAL = 530
# How often plans are made anew before the last error stands: another run that does the same may be ahead at each step.
_ROUNDS = 6
# How many objects one request is about at most.
_MOST_TOGETHER = 100

# What one request is for: a step of a track, or steps of several tracks that differ in nothing but the object.
Pairs = t.List[t.Tuple[Track, Step]]


def apply(client: Client, tracks: list[Track], deadline: Deadline, parallel: int = 10, wait: bool = True) -> None:
    """Take the steps of all tracks at once, at most ``parallel`` being sent at a time, and wait for all jobs together.

    With ``wait`` false only those jobs are waited for that a later step needs. Errors end up in their tracks; nothing
    is raised for them.
    """
    _Run(client, tracks, deadline, parallel, wait).run()


def converge(
    client: Client,
    tracks: list[Track],
    deadline: Deadline,
    again: t.Callable[[Track], Track | None],
    parallel: int = 10,
    wait: bool = True,
) -> None:
    """Apply plans; where one ended without a known or good outcome, look at the service and go on from there.

    This is the one place that finds out after an unknown outcome. No command is sent again because it may have been
    lost: ``again(track)`` finds the object anew and plans anew, and only what is then still missing is done. It returns
    ``None`` where looking can't tell, and raises ``CloudnError`` where it fails. Lists are given some seconds to catch up
    before, so that what is found is not the state of before the command. What was refused is not tried again, unless the new
    plan says that what stood against it has passed; where it need not be done any more, since somebody else has done it, the
    track goes on. A refusal of a request for several objects says little of each: what is still missing is sent for one
    object at a time.
    """
    pending = tracks
    for left in reversed(range(_ROUNDS)):
        apply(client, pending, deadline, parallel, wait)
        failed = [track for track in pending if isinstance(track.error, (UnknownOutcome, ApiError, Outrun))]
        if any(isinstance(track.error, UnknownOutcome) for track in failed):
            client.sleep(min(plan.LAG, deadline.remaining()))
        pending = [track for track in failed if _look_again(track, again, deadline, left == 0)]
        if not pending:
            break
    for track in tracks:
        if track.error and track.undone:
            track.error.message += (
                f". Not done any more, so do it yourself when that is over: {'; '.join(track.undone)}"
            )


def _look_again(track: Track, again: t.Callable[[Track], Track | None], deadline: Deadline, last: bool) -> bool:
    """Plan a failed track anew; return whether there is something left to apply, and time for it.

    ``last`` says that it will not be applied again, so that the failure stands unless nothing is left to do.
    """
    failure, culprit = track.error, track.culprit
    if failure is None:
        return False
    unknown = isinstance(failure, UnknownOutcome)
    lost = False
    if unknown and culprit is not None and not culprit.until:  # not only a look failed
        lost = True
        track.doubts.add(culprit.command)
    refused = isinstance(failure, ApiError)
    # One bad id fails the whole request; measured on CloudStack 3.0.5.
    for_others = refused and track.together and not isinstance(failure, NotGranted)
    track.alone = track.alone or for_others
    try:
        fresh = again(track)
    except CloudnError as error:
        if for_others:
            failure.message = f"{error.message}. Before, a request for it and others failed: {failure.message}"
        if isinstance(error, Duplicates):
            failure.message += f". {error.message}"
        elif unknown:
            failure.message += f". Looking what became of it failed too: {error.message}"
        return False
    if fresh is None:
        return False
    late = fresh.stages and not deadline.remaining()
    if late:
        failure.message += (
            f". The time for the task ({deadline.seconds:g} s, wait_timeout) was over before it could go on"
        )
    elif fresh.stages and last:
        failure.message += f". It was tried {_ROUNDS} times"
    if late or (fresh.stages and last) or (refused and not for_others and track.lacks(fresh)):
        track.keep(fresh.object)
        return False
    # What need not be done any more was done by the command whose answer was lost, or was an internal error: the service
    # may do what it is told, and fail to show the object then. Measured on CloudStack 3.0.5.
    lost = lost or (isinstance(failure, ApiError) and failure.code == _INTERNAL and track.found is not None)
    left = {step.command for stage in fresh.stages for step in stage}
    track.touched = track.touched or (lost and culprit is not None and culprit.command not in left)
    track.resume(fresh)
    return bool(fresh.stages)


class _Run:
    """One application of plans: sends from a few threads, follows the jobs from its own."""

    def __init__(self, client: Client, tracks: list[Track], deadline: Deadline, parallel: int, wait: bool) -> None:
        self._client = client
        self._tracks = tracks
        self._deadline = deadline
        self._parallel = parallel
        self._wait = wait
        self._jobs = Jobs(client, deadline)
        self._owners: dict[str, Pairs] = {}
        self._held: dict[tuple[str, str], Pairs] = {}
        self._next_poll = 0.0

    def run(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(self._parallel) as threads:
            answers: dict[concurrent.futures.Future[Record | CloudnError], Pairs] = {}
            while True:
                ready = self._ready(bool(answers))
                if len(ready) == 1 and not answers:
                    # Alone: this thread's connection is open already.
                    self._take(ready[0], self._attempt(ready[0]))
                    continue
                for pairs in ready:
                    answers[threads.submit(self._attempt, pairs)] = pairs
                if not answers and not self._awaited():
                    return
                if answers:
                    seconds = self._until_poll() if self._jobs else None
                    ended, _going = concurrent.futures.wait(
                        answers, seconds, return_when=concurrent.futures.FIRST_COMPLETED
                    )
                    for answer in ended:
                        self._take(answers.pop(answer), answer.result())
                elif self._until_poll():
                    self._client.sleep(self._until_poll())
                if self._jobs and not self._until_poll():
                    self._poll()

    def _ready(self, sending: bool) -> list[Pairs]:
        """Return what can be sent now, request by request; ``sending`` says that answers are awaited."""
        for pairs in self._held.values():
            for track, step in [pair for pair in pairs if pair[0].error]:
                track.answered()
                pairs.remove((track, step))
        requests: list[Pairs] = []
        for track in self._tracks:
            for step in track.ready(self._wait):
                if step.many and not track.alone:
                    self._held.setdefault(step.shared, []).append((track, step))
                else:
                    requests.append([(track, step)])
        return requests + self._together(sending or bool(requests))

    def _together(self, sending: bool) -> list[Pairs]:
        """Return the requests for several objects that no other object will join soon."""
        # The last track is most often the last to come.
        complete = [key for key in self._held if not any(track.nears(key) for track in reversed(self._tracks))]
        if not complete and not sending and not self._jobs:
            complete = list(self._held)  # they wait for each other
        requests = []
        for key in complete:
            pairs = self._held.pop(key)
            requests += [pairs[at : at + _MOST_TOGETHER] for at in range(0, len(pairs), _MOST_TOGETHER)]
        return requests

    def _awaited(self) -> bool:
        """Whether there are jobs whose end somebody needs."""
        return any(track.jobs and (self._wait or not track.sent) for track in self._tracks)

    def _attempt(self, pairs: Pairs) -> Record | CloudnError:
        """Send one request; runs in any thread. An error is returned, not raised: it belongs to its tracks."""
        track, step = pairs[0]
        ids = list(dict.fromkeys(track.id for track, _step in pairs))
        params = {
            name: track.id
            if value is THIS
            else [id for item in value for id in (ids if item is THIS else [item])]
            if isinstance(value, list)
            else value
            for name, value in step.params.items()
        }
        try:
            if step.until:
                return self._look(track, step, params)
            return self._send(step, params)
        except CloudnError as error:
            return error

    def _send(self, step: Step, params: Record) -> Record:
        try:
            return self._client.call(step.command, params, self._deadline)
        except NotGranted as error:
            if step.instead is None:
                raise
            return step.instead(self._client, params, error)

    def _look(self, track: Track, step: Step, params: Record) -> Record:
        """Send a reading command until its answer is what is waited for."""
        began = self._client.clock()
        for _look in poll(self._client, self._deadline):
            records = listing(self._client, step.command, params, "id", deadline=self._deadline)
            waited = self._client.clock() - began
            # What was just made may not be listed yet.
            result = step.until(records, track) if step.until and (records or waited >= plan.LAG) else None
            if result is not None:
                return result
        raise JobTimeout(
            f"{step.command}: {step.text}: not within {self._deadline.seconds:g} s (wait_timeout). It goes on at the service: "
            "run the task again, with a longer wait_timeout if need be",
            step.command,
        )

    def _take(self, pairs: Pairs, answer: Record | CloudnError) -> None:
        """Take in the answer to a request: an error, a job to follow, or a result."""
        for track, _step in pairs:
            track.answered()
        if isinstance(answer, CloudnError):
            self._fail(pairs, answer)
            return
        for track, step in pairs:
            track.touched = track.touched or not step.until
            if track.id is None and "id" in answer:
                track.id = track.own = track.object["id"] = answer["id"]
        job_id = answer.get("jobid")
        if job_id is None:
            for track, step in pairs:
                track.ended(step, answer)
            return
        if not self._jobs:
            self._next_poll = 0.0
        for track, step in pairs:
            track.jobs[job_id] = step
        self._owners[job_id] = pairs
        self._jobs.add(job_id, pairs[0][1].command, pairs[0][1].brief)
        soonest = self._client.clock() + self._jobs.pause()
        self._next_poll = min(self._next_poll, soonest) if self._next_poll else soonest

    def _fail(self, pairs: Pairs, error: CloudnError) -> None:
        """Stop tracks with an error, each with one of its own, as more is said in it."""
        for track, step in pairs:
            track.fail(copy.copy(error), step, len(pairs) > 1)

    def _until_poll(self) -> float:
        return max(0.0, min(self._next_poll - self._client.clock(), self._deadline.remaining()))

    def _poll(self) -> None:
        """Ask once how the jobs are; at the deadline, give up on those that are still pending."""
        try:
            ends = self._jobs.poll()
        except CloudnError as error:
            for job_id in self._jobs:
                message = f"{error.message}; so job {job_id} can't be followed, and its outcome is unknown"
                self._drop(job_id, UnknownOutcome(message, self._owners[job_id][0][1].command, job_id=job_id))
            return
        for end in ends:
            pairs = self._end(end.job_id)
            if end.error:
                self._fail(pairs, end.error)
            else:
                for track, step in pairs:
                    track.ended(step, end.result)
        if not self._deadline.remaining():
            for job_id in self._jobs:
                self._drop(job_id, None)
        self._next_poll = self._client.clock() + self._jobs.pause()

    def _end(self, job_id: str) -> Pairs:
        """Follow a job no longer; return what it was for."""
        pairs = self._owners.pop(job_id)
        for track, _step in pairs:
            del track.jobs[job_id]
        return pairs

    def _drop(self, job_id: str, error: CloudnError | None) -> None:
        """Give up on a job, and stop its tracks with ``error`` (or, without one, as timed out)."""
        timeout = self._jobs.overdue(job_id, self._deadline.seconds)
        self._fail(self._end(job_id), error or timeout)

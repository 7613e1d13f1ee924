# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applies plans: sends their steps from a few threads, follows their jobs, looks again after an unknown outcome."""

from __future__ import annotations

import concurrent.futures
import typing as t

from . import plan
from .api import ApiError, Client, CloudnError, Deadline, JobTimeout, NotGranted, Record, UnknownOutcome
from .api.deadline import pause
from .api.jobs import Jobs
from .plan import THIS, Outrun, Step, Track

# How often plans are made anew before the last error stands: another run that does the same may be ahead at each step.
_ROUNDS = 6


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
    track goes on.
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
    failure = track.error
    unknown = isinstance(failure, UnknownOutcome)
    lost = unknown and track.culprit is not None and not track.culprit.until  # not only a look failed
    if lost:
        track.doubts.add(track.culprit.command)
    try:
        fresh = again(track)
    except CloudnError as error:
        if unknown:
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
    if late or (fresh.stages and last) or (isinstance(failure, ApiError) and track.lacks(fresh)):
        track.keep(fresh.object)
        return False
    # What need not be done any more was done by the command whose answer was lost.
    left = {step.command for stage in fresh.stages for step in stage}
    track.touched = track.touched or (lost and track.culprit.command not in left)
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
        self._owners: dict[str, tuple[Track, Step]] = {}
        self._next_poll = 0.0

    def run(self) -> None:
        with concurrent.futures.ThreadPoolExecutor(self._parallel) as threads:
            answers: dict[concurrent.futures.Future[Record], tuple[Track, Step]] = {}
            while True:
                ready = [(track, step) for track in self._tracks for step in track.ready(self._wait)]
                if len(ready) == 1 and not answers:
                    # Alone: this thread's connection is open already.
                    self._take(*ready[0], self._attempt(*ready[0]))
                    continue
                for track, step in ready:
                    answers[threads.submit(self._attempt, track, step)] = (track, step)
                if not answers and not self._awaited():
                    return
                if answers:
                    seconds = self._until_poll() if self._jobs else None
                    ended, _going = concurrent.futures.wait(
                        answers, seconds, return_when=concurrent.futures.FIRST_COMPLETED
                    )
                    for answer in ended:
                        self._take(*answers.pop(answer), answer.result())
                elif self._until_poll():
                    self._client.sleep(self._until_poll())
                if self._jobs and not self._until_poll():
                    self._poll()

    def _awaited(self) -> bool:
        """Whether there are jobs whose end somebody needs."""
        return any(track.jobs and (self._wait or not track.sent) for track in self._tracks)

    def _attempt(self, track: Track, step: Step) -> Record | CloudnError:
        """Send one step; runs in any thread. An error is returned, not raised: it belongs to its track."""
        params = {
            name: track.id
            if value is THIS
            else [track.id if item is THIS else item for item in value]
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
        while True:
            records = self._client.list(step.command, params, deadline=self._deadline)
            waited = self._client.clock() - began
            # What was just made may not be listed yet.
            result = step.until(records, track) if step.until and (records or waited >= plan.LAG) else None
            if result is not None:
                return result
            if not self._deadline.remaining():
                raise JobTimeout(
                    f"{step.command}: {step.text}: not within {self._deadline.seconds:g} s (wait_timeout). It goes on at the "
                    "service: run the task again, with a longer wait_timeout if need be",
                    step.command,
                )
            self._client.sleep(min(pause(waited), self._deadline.remaining()))

    def _take(self, track: Track, step: Step, answer: Record | CloudnError) -> None:
        """Take in the answer to a step: an error, a job to follow, or a result."""
        track.answered()
        if isinstance(answer, CloudnError):
            track.fail(answer, step)
            return
        track.touched = track.touched or not step.until
        if track.id is None and "id" in answer:
            track.id = track.own = track.object["id"] = answer["id"]
        job_id = answer.get("jobid")
        if job_id is None:
            track.ended(step, answer)
            return
        if not self._jobs:
            self._next_poll = 0.0
        track.jobs.append(job_id)
        self._owners[job_id] = (track, step)
        self._jobs.add(job_id, step.command)
        soonest = self._client.clock() + self._jobs.pause()
        self._next_poll = min(self._next_poll, soonest) if self._next_poll else soonest

    def _until_poll(self) -> float:
        return max(0.0, min(self._next_poll - self._client.clock(), self._deadline.remaining()))

    def _poll(self) -> None:
        """Ask once how the jobs are; at the deadline, give up on those that are still pending."""
        try:
            ends = self._jobs.poll()
        except CloudnError as error:
            for job_id in self._jobs:
                message = f"{error.message}; so job {job_id} can't be followed, and its outcome is unknown"
                self._drop(job_id, UnknownOutcome(message, self._owners[job_id][1].command, job_id=job_id))
            return
        for end in ends:
            track, step = self._owners[end.job_id]
            track.jobs.remove(end.job_id)
            if end.error:
                track.fail(end.error, step)
            else:
                track.ended(step, end.result)
        if not self._deadline.remaining():
            for job_id in self._jobs:
                self._drop(job_id, None)
        self._next_poll = self._client.clock() + self._jobs.pause()

    def _drop(self, job_id: str, error: CloudnError | None) -> None:
        """Follow a job no longer, and stop its track with ``error`` (or, without one, as timed out)."""
        timeout = self._jobs.overdue(job_id, self._deadline.seconds)
        track, step = self._owners[job_id]
        track.jobs.remove(job_id)
        track.fail(error or timeout, step)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: the work that goes on after the answer to an asynchronous command, and how long it takes."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from .chores import Chores
from .errors import ApiError, internal
from .faults import FaultRule
from .generation import Differs
from .history import History
from .models import Job, new_id
from .store import Store

log = logging.getLogger("cloudn_emulator")
Checked = TypeVar("Checked")
Run = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(slots=True)
class Work:
    """The work of an asynchronous command: `run` gives the job's result or raises ApiError.

    `created_id` is the id of the object that the command makes, if it makes one.
    """

    run: Run
    instance_type: str | None = None
    instance_id: str | None = None
    created_id: str | None = None


def _result_4(job: Job, result: dict[str, Any]) -> dict[str, Any]:
    """The result of a job about a volume shows that the job was pending when it was written."""
    volume = result.get("volume")
    if job.instance_type != "Volume" or not isinstance(volume, dict) or "provisioningtype" not in volume:
        return result
    return {"volume": {**volume, "jobid": job.id, "jobstatus": 0}}


_RESULT: Differs[Callable[[Job, dict[str, Any]], dict[str, Any]]] = Differs(lambda job, result: result, _result_4)


class Jobs:
    """Starts jobs, several at once, and stops them with the server.

    `history` has copies of the store, one from the end of each job. `keep` stores what has changed, where a file has the
    state. Only the newest ended jobs are known.
    """

    def __init__(self, store: Store, keep: Callable[[], None] | None = None) -> None:
        self.store = store
        self.history = History(store)
        self._keep = keep
        self._chores = Chores()
        self._hung: list[tuple[Job, Run]] = []
        ended = sorted((job for job in store.jobs.values() if job.completed), key=lambda job: job.completed)
        self._ended = deque(job.id for job in ended)

    def start(self, command: str, owner: str, work: Work, fault: FaultRule | None = None) -> Job:
        """Begin a job of an account for the class of a command.

        It runs once the answer is on its way, unless a fault of the job says otherwise.
        """
        shown = self.store.generation.classes(command, self.store.accounts[owner].admin)
        job = Job(new_id(), owner, shown, self.store.now(), work.instance_type, work.instance_id)
        self.store.jobs[job.id] = job
        vm = self.store.vms.get(job.instance_id or "")
        if vm:
            vm.job_ids = [*vm.job_ids, job.id]
        kind = fault.kind if fault else None
        job.hangs, job.lost = kind == "job_hangs", kind == "job_lost"
        if fault and kind == "job_fails":
            self.later(self._break(job, work, fault))
        elif job.hangs:
            self._hung.append((job, work.run))
            if fault and fault.settings["seconds"] is not None:
                self.later(self._hang(fault.settings["seconds"]))
        else:
            self.later(self._run(job, work.run))
        return job

    def release(self) -> None:
        """Let the jobs that hang go on."""
        for job, run in self._hung:
            job.hangs = False
            self.later(self._run(job, run))
        self._hung.clear()

    async def _hang(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.release()

    async def _break(self, job: Job, work: Work, fault: FaultRule) -> None:
        await self.moment()
        if work.created_id is not None:
            self.store.take_back(work.created_id)
        self._fail(job, internal())
        if job.result and not fault.settings["text"]:
            job.result = {name: value for name, value in job.result.items() if name != "errortext"}
        if not fault.settings["result"]:
            job.result = None
        self._end(job)

    def later(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let work go on that has no job, such as a download."""
        return self._chores.later(work)

    def note(self) -> None:
        """Remember what has changed: for listings that lag, and in the file of the state. Raises StateError if it can't."""
        self.history.note()
        if self._keep is not None:
            self._keep()

    @property
    def seconds(self) -> float:
        """How long a job takes."""
        return self.store.settings.job_seconds

    async def take(self, share: float) -> None:
        """Let this share of a job's time pass."""
        await asyncio.sleep(self.seconds * share)

    @property
    def delay(self) -> float:
        """How long a job waits before it begins. Its changes can be seen only some time after its answer."""
        return min(self.seconds / 20, max(0.005, self.seconds / 800))

    async def moment(self) -> None:
        """The short time that a job takes to find that it can't do its work, or has nothing to do."""
        await asyncio.sleep(min(0.1, self.seconds / 20))

    async def checked(self, check: Callable[[], Checked]) -> Checked:
        """The result of a check in a job. If the check refuses, the job fails after a moment."""
        try:
            return check()
        except Exception:
            await self.moment()
            raise

    async def stop(self) -> None:
        """Give up what is under way."""
        await self._chores.stop()

    async def abandon(self) -> None:
        """Give up what is under way, and fail its jobs: nobody waits for them any more."""
        await self.stop()
        for job in self.store.jobs.values():
            if not job.status:
                self._fail(job, internal("the emulator was reset"))
                job.ended.set()

    async def _run(self, job: Job, run: Run) -> None:
        await asyncio.sleep(self.delay)
        try:
            result = await run()
        except ApiError as error:
            self._fail(job, error)
        except Exception:
            log.exception("job %s of %s", job.id, job.command)
            self._fail(job, internal())
        else:
            job.result, job.status = self.store.generation.of(_RESULT)(job, result), 1
        self._end(job)

    def _fail(self, job: Job, error: ApiError) -> None:
        job.code = self.store.generation.job_code(error.code)
        job.result = {"errorcode": error.code, "errortext": error.text}
        job.status = 2

    def _end(self, job: Job) -> None:
        """Wake those that wait for a job that has ended, and forget the oldest ended jobs."""
        job.completed = self.store.now()
        vm = self.store.vms.get(job.instance_id or "")
        if vm and job.id in vm.job_ids:
            vm.job_ids = [id for id in vm.job_ids if id != job.id]
        job.ended.set()
        self._ended.append(job.id)
        while len(self._ended) > self.store.settings.keep_jobs:
            self.store.jobs.pop(self._ended.popleft(), None)
        self.note()

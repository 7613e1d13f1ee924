# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator for tests: the real server in a thread of its own, on a free port."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from typing import Any

from . import ec2, native, seed
from .faults import Faults, Settings
from .jobs import Jobs
from .server import Service, listen
from .store import Store

HOST = "127.0.0.1"


class Emulator:
    """A running emulator, used as a context manager.

    `url`, `ec2_url`, `api_key`, `api_secret`: how to reach it. `requests`: a record of each request (time, command or
    action, params without credentials, status, ms, connection). `store`: what it holds, for looking. `vars`: the seeded ids by name.
    `job_seconds` is how long a job takes, `latency_ms` what each request is held back,
    `list_ms_per_object` what a listing of the native API is held back beyond that for each object in its answer, `grants`
    names commands beyond those of a plain account, `denied` those it lacks, `zones` are the names of its zones instead of
    the service's two, `dialect` is whose names of commands are known (`cloudstack` or `cloudn`), `faults` are rules of
    what goes wrong, `clock_ahead` the seconds by which its clock is ahead of this machine's (negative: behind).
    """

    def __init__(
        self,
        job_seconds: float = 0.05,
        vms: int = 0,
        latency_ms: float = 0,
        expunge_seconds: float = 86400,
        account: str = "user",
        grants: Iterable[str] = (),
        api_key: str = seed.API_KEY,
        api_secret: str = seed.API_SECRET,
        port: int = 0,
        zones: Sequence[str] = (),
        denied: Iterable[str] = (),
        dialect: str = "cloudstack",
        faults: Sequence[Settings] = (),
        list_ms_per_object: float = 0,
        clock_ahead: float = 0,
    ) -> None:
        self.api_key = api_key
        self.api_secret = api_secret
        self.vars: dict[str, str] = seed.variables(account)
        self.requests: list[dict[str, Any]] = []
        owner = seed.account_of(account, api_key, api_secret, frozenset(grants), frozenset(denied))
        self.store: Store = seed.seeded(owner, expunge_seconds, vms, zones)
        self.store.ahead = clock_ahead
        self.jobs = Jobs(self.store, job_seconds)
        self._service = Service(
            self.store, self.jobs, latency_ms, self.requests.append, dialect, Faults(faults), list_ms_per_object
        )
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None

    def start(self) -> Emulator:
        """Listen; raises OSError where the port is in use."""
        self._runner, self.port = self._loop.run_until_complete(listen(self._service, HOST, self._port))
        self.url = f"http://{HOST}:{self.port}{native.PATH}"
        self.ec2_url = f"http://{HOST}:{self.port}{ec2.PATH}"
        self._thread = threading.Thread(target=self._loop.run_forever, name="cloudn-emulator", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, give up the jobs under way, and end the thread; a second time does nothing."""
        if self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._thread = None
        self._loop.close()

    def faults(self, rules: Sequence[Settings]) -> None:
        """Put these rules of faults in the place of those in force."""
        self._service.faults.set(rules)
        asyncio.run_coroutine_threadsafe(self._service.enforce(), self._loop).result(10)

    def release_jobs(self) -> None:
        """Let the jobs that hang because of a fault go on."""

        async def release() -> None:
            self.jobs.release()

        asyncio.run_coroutine_threadsafe(release(), self._loop).result(10)

    def clear(self) -> None:
        """Forget the requests recorded so far."""
        self.requests.clear()

    def __enter__(self) -> Emulator:
        return self.start()

    def __exit__(self, *failure: object) -> None:
        self.stop()

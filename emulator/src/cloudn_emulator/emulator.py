# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator for tests: the server in a thread of its own, on a free port."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from . import ec2, native
from .faults import Faults, Given
from .jobs import Jobs
from .seed import seeded, variables
from .seed_file import read_seed
from .server import Service, listen
from .settings import Settings
from .state import State
from .store import Store

HOST = "127.0.0.1"


class Requests(list[dict[str, Any]]):
    """A record of requests that forgets the oldest. It keeps the newest `most`, and at times up to a tenth more."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def append(self, entry: dict[str, Any]) -> None:
        """Record a request."""
        super().append(entry)
        if len(self) > self.most * 1.1:
            del self[: len(self) - self.most]


class Emulator:
    """A running emulator, used as a context manager: `Emulator(job_seconds=0.05, vms=10)`.

    `settings` are those of `Settings`, with two other defaults: a job takes 0.05 s, and a change that finds a group
    locked sleeps 0.2 s. It listens on `port`, or on any free port for 0. `faults` are rules of what goes wrong. `seed`
    is a file of the objects at the start, or what such a file holds. `state` is a file that keeps the state.

    `url`, `ec2_url`, `api_key` and `api_secret` are how to reach it. `requests` is a list of the newest requests: time,
    command or action, params without credentials, status, ms, connection. `store` is what it holds; after `reset` it is
    another one. `vars` are the seeded ids by name. Raises BadSetting and TypeError for settings that cannot be, BadSeed
    for a wrong seed, StateError for a file of a state that can't be used.
    """

    def __init__(
        self,
        port: int = 0,
        faults: Sequence[Given] = (),
        seed: str | os.PathLike[str] | Mapping[str, Any] | None = None,
        state: str | os.PathLike[str] | None = None,
        **settings: Any,
    ) -> None:
        given = read_seed(seed) if isinstance(seed, (str, os.PathLike)) else seed
        self.settings = Settings(**{"job_seconds": 0.05, "group_lock_seconds": 0.2, "seed": given, **settings})
        self.api_key = self.settings.api_key
        self.api_secret = self.settings.api_secret
        self.vars: dict[str, str] = variables(self.settings.account, self.settings.generation)
        self.requests = Requests(self.settings.keep_requests)
        self._state = State(state, self.settings) if state is not None else None
        store = self._state.store if self._state else seeded(self.settings)
        self._service = Service(store, self.requests.append, Faults(faults), self._state)
        self._service.control.forget = self.requests.clear
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None

    @property
    def store(self) -> Store:
        """What it holds."""
        return self._service.store

    @property
    def jobs(self) -> Jobs:
        """What starts the jobs."""
        return self._service.jobs

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        return self._thread is not None

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the environment by which the collection cloudn.compute reaches it."""
        return {
            "CLOUDN_API_URL": self.url,
            "CLOUDN_EC2_URL": self.ec2_url,
            "CLOUDN_API_KEY": self.api_key,
            "CLOUDN_API_SECRET": self.api_secret,
        }

    def start(self) -> Emulator:
        """Listen; raises OSError where the port is in use."""
        self._runner, self.port = self._loop.run_until_complete(listen(self._service, HOST, self._port))
        self.url = f"http://{HOST}:{self.port}{native.PATH}"
        self.ec2_url = f"http://{HOST}:{self.port}{ec2.PATH}"
        self._thread = threading.Thread(target=self._loop.run_forever, name="cloudn-emulator", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop listening, give up the jobs under way, and end the thread. A second call does nothing."""
        if self._thread is None:
            if self._state:
                self._state.close()
            return
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._thread = None
        self._loop.close()

    def allow(self, host: str) -> None:
        """Take requests for this host too, see `allowed_hosts`."""
        self._service.guard.allow(host)

    def faults(self, rules: Sequence[Given]) -> None:
        """Replace the rules of faults in force by these."""
        self._service.faults.set(rules)
        asyncio.run_coroutine_threadsafe(self._service.enforce(), self._loop).result(10)

    def reset(self) -> None:
        """Begin anew, as `POST /reset` does: the objects and faults of the start, no jobs, no requests in the record."""
        asyncio.run_coroutine_threadsafe(self._service.control.reset(), self._loop).result(60)

    def release_jobs(self) -> None:
        """Let the jobs go on that hang because of a fault."""

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

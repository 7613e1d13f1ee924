# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds what has changed since a page was told last. It looks only while somebody watches."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from ..store import Store
from .recent import Recent
from .views import Row, rows

log = logging.getLogger("cloudn_emulator")
SHORTEST = 0.2  # seconds between two looks
LONGEST = 1.0  # seconds between two looks if no request comes and no job is under way
SHARE = 0.1  # at most this share of the processor's time goes into looking
SLICE = 250  # rows that are compared before requests get a turn
MOST_GONE = 10_000  # objects that are gone and still known as such

Change = tuple[str, str, Row | None]


class Watch:
    """The state that pages show, and the revision in which each part of it changed.

    `store` gives the store of the moment: a reset may replace it. All runs on the server's event loop. `clock` is the
    processor's time: a look does not cost more where other programs hold up this one.
    """

    def __init__(
        self, store: Callable[[], Store], recent: Recent, clock: Callable[[], float] = time.thread_time
    ) -> None:
        self._store = store
        self._recent = recent
        self._clock = clock
        self._rows: dict[tuple[str, str], Row] = {}
        self._revisions: OrderedDict[tuple[str, str], int] = OrderedDict()  # the newest last, with what is gone
        self._gone = 0
        self.revision = 0
        self.oldest = 0  # a page that knows less than this revision must be told all
        self.watchers = 0
        self.closed = False
        self.looks = 0
        self._changed = asyncio.Event()
        self._asked = asyncio.Event()
        self._lock = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None
        recent.added = self._asked.set

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look for changes as long as the context lasts."""
        self.watchers += 1
        try:
            if self.watchers == 1 or not self.revision:
                await self.look()
            if self._looking is None:
                self._looking = asyncio.get_running_loop().create_task(self._look_again())
            yield
        finally:
            self.watchers -= 1
            if not self.watchers and self._looking is not None:
                self._looking.cancel()
                self._looking = None

    async def changed(self, revision: int, seconds: float) -> None:
        """Wait until there is a newer revision than this one, or until the time is over."""
        if self.revision <= revision:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)

    def close(self) -> None:
        """Wake all who wait. There will be no more changes."""
        self.closed = True
        self._changed.set()

    def since(self, revision: int) -> Iterator[Change]:
        """What has changed since a revision: kind, id and row of each object. A row of None means that it is gone."""
        for key in reversed(self._revisions):
            if self._revisions[key] <= revision:
                return
            yield (*key, self._rows.get(key))

    def all(self) -> Iterator[Change]:
        """All objects, as `since` gives them."""
        return ((kind, id, row) for (kind, id), row in self._rows.items())

    async def look(self) -> None:
        """Compare the state with what was seen last."""
        async with self._lock:
            await self._compare()

    async def _compare(self) -> None:
        self.looks += 1
        seen: dict[tuple[str, str], Row] = {}
        changed = []
        for kind, table in rows(self._store(), self._recent):
            for id, row in table:
                key = (kind, id)
                seen[key] = row
                if self._rows.get(key) != row:
                    changed.append(key)
                if len(seen) % SLICE == 0:
                    await asyncio.sleep(0)
        gone = [key for key in self._rows if key not in seen]
        self._rows = seen
        if changed or gone:
            self._note(changed, gone)

    def _note(self, changed: list[tuple[str, str]], gone: list[tuple[str, str]]) -> None:
        """Begin a new revision, and wake those who wait for it."""
        self.revision += 1
        for key in (*changed, *gone):
            self._revisions[key] = self.revision
            self._revisions.move_to_end(key)
        self._gone += len(gone)
        if self._gone > MOST_GONE:
            self._forget_gone()
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    def _forget_gone(self) -> None:
        """Forget what is gone. Pages that do not know it yet are told all."""
        self._revisions = OrderedDict((key, one) for key, one in self._revisions.items() if key in self._rows)
        self._gone, self.oldest = 0, self.revision

    async def _look_again(self) -> None:
        while True:
            self._asked.clear()
            began = self._clock()
            try:
                await self.look()
            except Exception:
                log.exception("the page")
            await asyncio.sleep(max(SHORTEST, (self._clock() - began) / SHARE))
            if not self._is_busy():
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._asked.wait(), LONGEST - SHORTEST)

    def _is_busy(self) -> bool:
        """Whether a job is under way, which may change something at any moment. One that hangs does not."""
        return any(kind == "job" and row["state"] == "under way" for (kind, _id), row in self._rows.items())


def message(changes: Iterable[Change], **more: Any) -> dict[str, Any]:
    """What a page is told: `set` has the rows by kind and id, `gone` the ids by kind."""
    told: dict[str, dict[str, Row]] = {}
    gone: dict[str, list[str]] = {}
    for kind, id, row in changes:
        if row is None:
            gone.setdefault(kind, []).append(id)
        else:
            told.setdefault(kind, {})[id] = row
    return {**more, "set": told, "gone": gone}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths of the page: its files, and the stream of what it shows (server-sent events)."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from importlib.resources import files

from aiohttp import web

from ..models import new_id
from ..store import Store
from .recent import Recent
from .views import about
from .watch import Watch, message

PAGE = "/"
ASSETS = "/_emulator/page"
STREAM = f"{ASSETS}/changes"
KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
# The page takes everything from here, and nothing runs in it but its own files.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
MOST_WATCHERS = 50
SILENCE = 15.0  # seconds after which the stream says that it is still there
PART = 1000  # objects in one event
HEARTBEAT = 1.0  # seconds between two looks whether a page is still there


class Page:
    """Serves the page.

    `store` gives the store of the moment, `recent` has the newest requests. `keep` keeps what a page is about to be told.
    """

    def __init__(self, store: Callable[[], Store], recent: Recent, keep: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._keep = keep
        self.watch = Watch(store, recent)
        # Revisions count from the start of this emulator. Another one on the same port must not go on with them.
        self._start = new_id()

    def add_to(self, app: web.Application) -> None:
        """Add the page to an application."""
        for file in files(__package__).joinpath("assets").iterdir():
            name, kind = file.name, KINDS[file.name.rpartition(".")[2]]
            path = PAGE if name == "page.html" else f"{ASSETS}/{name}"
            app.router.add_get(path, partial(_send, file.read_bytes(), kind))
        app.router.add_get(STREAM, self.stream, allow_head=False)
        app.on_shutdown.append(self._stop)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Tell a page all, or what has changed since the event that it saw last, and then each change."""
        if self.watch.watchers >= MOST_WATCHERS:
            text = f"{MOST_WATCHERS} pages are open; close one\n"
            return web.Response(status=503, text=text, headers={**HEADERS, "Retry-After": "5"})
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        async with self.watch.watching():
            with contextlib.suppress(ConnectionError):
                await response.prepare(request)
                await self._tell(request, response)
        return response

    async def _tell(self, request: web.Request, response: web.StreamResponse) -> None:
        told = self._known(request.headers.get("Last-Event-ID") or request.query.get("since", ""))
        spoke = time.monotonic()
        while not self.watch.closed and request.transport is not None:
            revision = self.watch.revision
            if revision != told or time.monotonic() - spoke > SILENCE:
                self._keep()
                for event in self._events(told, revision):
                    await response.write(event)
                told, spoke = revision, time.monotonic()
            await self.watch.changed(revision, HEARTBEAT)

    def _events(self, told: int | None, revision: int) -> Iterator[bytes]:
        """What to tell a page at this revision that was told another one before, or nothing.

        Much is told in parts. The page knows the revision after the last part.
        """
        if told == revision:
            yield b": nothing new\n\n"
            return
        knows = told is not None and told >= self.watch.oldest
        changes = list(self.watch.since(told or 0) if knows else self.watch.all())
        more: dict[str, object] = {} if knows else {"about": about(self._store())}
        for first in range(0, len(changes), PART):
            is_last = first + PART >= len(changes)
            text = json.dumps(message(changes[first : first + PART], more=not is_last, **more), separators=(",", ":"))
            id = f"id: {self._start} {revision}\n" if is_last else ""
            yield f"{id}data: {text}\n\n".encode("ascii")
            more = {}

    def _known(self, last: str) -> int | None:
        """The revision that a page knows, by the id of the event that it saw last. None: it knows nothing."""
        start, _blank, revision = last.partition(" ")
        is_known = start == self._start and revision.isascii() and revision.isdigit()
        return min(int(revision), self.watch.revision) if is_known and len(revision) < 20 else None

    async def _stop(self, app: web.Application) -> None:
        """End the streams, so that the server need not wait for them."""
        self.watch.close()


async def _send(body: bytes, kind: str, request: web.Request) -> web.Response:
    """Send a file of the page."""
    return web.Response(body=body, headers={**HEADERS, "Content-Type": kind})

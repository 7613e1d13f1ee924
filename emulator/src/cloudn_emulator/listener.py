# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The address that the service listens on. It can refuse connections for a while, and knows those that it has."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any
from weakref import WeakKeyDictionary

from aiohttp import web

BACKLOG = 1024  # connections that wait for the server
Later = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class Listener:
    """Listens on one address. `later` starts work that goes on beside the requests; `busy` are the requests under way."""

    def __init__(self, later: Later) -> None:
        self._later = later
        self._site: web.TCPSite | None = None
        self._runner: web.AppRunner | None = None
        self._address = ("", 0)
        self._connections: WeakKeyDictionary[asyncio.BaseTransport, int] = WeakKeyDictionary()
        self._connected = 0
        self.busy: list[web.Request] = []
        self._paused: asyncio.Task[None] | None = None

    async def start(self, runner: web.AppRunner, host: str, port: int) -> int:
        """Listen; returns the port. Raises OSError if it can't listen there."""
        await runner.setup()
        try:
            self._site = web.TCPSite(runner, host, port, backlog=BACKLOG)
            await self._site.start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner, self._address = runner, (host, runner.addresses[0][1])
        return self._address[1]

    async def pause(self, seconds: float, then: Callable[[], Awaitable[Any]]) -> None:
        """Refuse new connections for a while, or until `resume`. Calls `then` when it listens again."""
        if self._paused is not None or self._site is None:
            return
        await self._site.stop()

        async def wait() -> None:
            await asyncio.sleep(seconds)
            self._paused = None
            await self._listen_again()
            await then()

        self._paused = self._later(wait())

    async def resume(self) -> None:
        """End a pause, if there is one."""
        if self._paused is not None:
            self._paused.cancel()
            self._paused = None
            await self._listen_again()

    async def _listen_again(self) -> None:
        if self._runner is not None:
            self._site = web.TCPSite(self._runner, *self._address, backlog=BACKLOG, reuse_address=True)
            await self._site.start()

    def close_idle(self) -> None:
        """Close the connections that no request is on."""
        busy = [request.transport for request in self.busy]
        for transport in list(self._connections):
            if transport not in busy:
                transport.close()

    def number_of(self, request: web.Request) -> int:
        """The number of the connection of a request, from 1, or 0 if the client has gone."""
        transport = request.transport
        if transport is None:
            return 0
        if transport not in self._connections:
            self._connected += 1
            self._connections[transport] = self._connected
        return self._connections[transport]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP side: requests go to their API, and answers back, with what faults make of them and a record of each."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from email.utils import formatdate
from functools import lru_cache, partial
from typing import IO, Any
from weakref import WeakKeyDictionary

import yaml
from aiohttp import web

from . import faults, wire
from .ec2 import Bridge
from .exchange import Api, Asked, Reply, read
from .faults import Faults, Rule
from .jobs import Jobs
from .native import Native
from .store import Store

FAULTS = "/_emulator/faults"
SECRET = ("password", "userdata")
NO_REASON = ""  # the real server's status line ends with the number
_USER = re.compile(r"//[^/@]*@")  # user and password in an address
Record = Callable[[dict[str, Any]], None]


class Service:
    """The emulated service: both its APIs over one store. Handlers run on one event loop."""

    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        record: Record,
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self.site: web.TCPSite | None = None
        self.runner: web.AppRunner | None = None
        self.address = ("", 0)
        self.apis: tuple[Api, ...] = (Native(store, jobs), Bridge(store, jobs))
        self.store = store
        self.jobs = jobs
        self.latency = store.settings.latency_ms / 1000
        self.record = record
        self._connections: WeakKeyDictionary[asyncio.BaseTransport, int] = WeakKeyDictionary()
        self._connected = 0
        self._busy: list[web.Request] = []
        self._closed: asyncio.Task[None] | None = None

    def application(self) -> web.Application:
        """The web application that serves the APIs."""
        app = web.Application(client_max_size=2 * 1024**2)
        for api in self.apis:
            for path in api.paths:
                for method in api.methods:
                    app.router.add_route(method, path, partial(self.answer, api))
        app.router.add_get(FAULTS, self.show_faults)
        app.router.add_put(FAULTS, self.set_faults)
        app.on_response_prepare.append(_untype)
        app.on_shutdown.append(self._stop)
        return app

    async def _stop(self, app: web.Application) -> None:
        await self.jobs.stop()

    async def show_faults(self, request: web.Request) -> web.Response:
        """The rules of faults in force, with how often each has made one."""
        return web.json_response([rule.view() for rule in self.faults.rules])

    async def set_faults(self, request: web.Request) -> web.Response:
        """Put other rules of faults in force: a list, in JSON or YAML."""
        try:
            self.faults.set(yaml.safe_load(await request.text()) or [])
        except (faults.BadRule, yaml.YAMLError, UnicodeDecodeError) as error:
            return web.Response(status=400, text=f"{error}\n")
        answer = await self.show_faults(request)
        await self.enforce()
        return answer

    async def enforce(self) -> None:
        """See to what new rules of faults need from now on: a memory for lists that lag, a first request to refuse."""
        self.jobs.history.keep(self.faults.lag)
        if self._closed is not None:
            self._closed.cancel()
            await self._listen_again()
        else:
            await self._refuse_next()

    async def answer(self, api: Api, request: web.Request) -> web.StreamResponse:
        """Answer one request, and record it."""
        self._busy.append(request)
        try:
            answer = await self._recorded(api, request)
            if await self._refuse_next():
                answer.force_close()
        finally:
            self._busy.remove(request)
        return answer

    async def _recorded(self, api: Api, request: web.Request) -> web.StreamResponse:
        began = time.monotonic()
        connection = self._connection(request)
        asked = await read(request)
        if self.latency:
            await asyncio.sleep(self.latency)
        name, has_job = api.command(asked.params)
        fault = self.faults.due(name, has_job) if self.faults.rules else None
        answer = await self._answer(api, request, asked, fault)
        milliseconds = (time.monotonic() - began) * 1000
        entry = log_entry(name, asked.params, api.credentials, getattr(answer, "status", 0), milliseconds, connection)
        self.record({**entry, "fault": fault.kind} if fault else entry)
        if answer is None:  # the connection is broken; what is returned goes nowhere
            return web.Response()
        return answer

    async def _answer(
        self, api: Api, request: web.Request, asked: Asked, fault: Rule | None
    ) -> web.StreamResponse | None:
        """The answer to a request, or None where a fault leaves it without one."""
        if fault and fault.kind in faults.NOT_DONE:
            return await self._not_done(api, request, asked, fault)
        kind = fault.kind if fault else ""
        if fault and kind == "slow":
            await asyncio.sleep(fault.settings["seconds"])
        reply = await api.reply(asked, fault)
        self.jobs.history.note()
        if fault and kind == "late":
            await asyncio.sleep(fault.settings["seconds"])
        elif kind == "reset_after":
            faults.reset(request)
            return None
        elif fault and kind == "status_after":
            return faults.proxy_page(fault.settings["status"])
        elif kind == "cut":
            return await faults.cut(request, reply.status, reply.payload, reply.content_type or "")
        elif kind == "garbage":
            reply = replace(reply, payload=faults.GARBAGE)
        elif kind == "content_type":
            reply = replace(reply, content_type="application/octet-stream")
        return self._response(reply)

    def _response(self, reply: Reply) -> web.Response:
        answer = web.Response if reply.content_type else _Untyped
        headers = {"Date": _date(int(self.store.now()))}
        if reply.content_type:
            headers["Content-Type"] = reply.content_type
        if reply.description is not None:
            headers["X-Description"] = wire.header(reply.description)
        return answer(body=reply.payload, status=reply.status, reason=NO_REASON, headers=headers)

    async def _not_done(self, api: Api, request: web.Request, asked: Asked, fault: Rule) -> web.StreamResponse | None:
        """What is answered, if anything is, by who does not do the command."""
        if fault.kind == "status":
            return faults.proxy_page(fault.settings["status"])
        if fault.kind == "too_many":
            return faults.too_many(fault.settings["retry_after"])
        if fault.kind == "unauthorized":
            return self._response(api.unauthorized(asked.params))
        if fault.kind == "close":
            if request.transport is not None:
                request.transport.abort()
            return None
        if fault.kind == "refuse" and fault.settings["seconds"]:
            await self._stop_listening(fault.settings["seconds"])
        faults.reset(request)
        return None

    async def _refuse_next(self) -> bool:
        """Stop listening where the next request is to be refused, and close the connections that it could come by."""
        seconds = self.faults.refusal()
        if seconds:
            await self._stop_listening(seconds)
            busy = [request.transport for request in self._busy]
            for transport in list(self._connections):
                if transport not in busy:
                    transport.close()
        return bool(seconds)

    async def _stop_listening(self, seconds: float) -> None:
        """Refuse new connections for a while, or until there are other rules."""
        if self._closed is not None or self.site is None:
            return
        await self.site.stop()

        async def wait() -> None:
            await asyncio.sleep(seconds)
            await self._listen_again()

        self._closed = self.jobs.later(wait())

    async def _listen_again(self) -> None:
        self._closed = None
        if self.runner is not None:
            self.site = web.TCPSite(self.runner, *self.address, backlog=1024, reuse_address=True)
            await self.site.start()
        await self._refuse_next()

    def _connection(self, request: web.Request) -> int:
        transport = request.transport
        if transport is None:  # the client has gone already
            return 0
        if transport not in self._connections:
            self._connected += 1
            self._connections[transport] = self._connected
        return self._connections[transport]


@lru_cache(maxsize=8)
def _date(second: int) -> str:
    """A moment as headers write it."""
    return formatdate(second, usegmt=True)


class _Untyped(web.Response):
    """An answer without a content type."""


async def _untype(request: web.Request, response: web.StreamResponse) -> None:
    """Take away the content type that the framework gives to what has none."""
    if isinstance(response, _Untyped):
        response.headers.pop("Content-Type", None)


def log_entry(
    name: str,
    params: dict[str, str],
    credentials: tuple[str, ...],
    status: int,
    milliseconds: float,
    connection: int,
) -> dict[str, Any]:
    """What is recorded of a request: no credentials, and of secret values only how long they are."""
    shown = {name: _shown(name, value) for name, value in params.items() if name.lower() not in credentials}
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "command": name or None,
        "params": shown,
        "status": status,
        "ms": round(milliseconds, 3),
        "connection": connection,
    }


def _shown(name: str, value: str) -> str:
    if name.lower() in SECRET:
        return f"({len(value)} characters)"
    return _USER.sub("//", value) if "//" in value else value


def to_file(file: IO[str]) -> Record:
    """A record that writes one JSON line per request, at once."""
    encode = json.JSONEncoder(ensure_ascii=False).encode

    def write(entry: dict[str, Any]) -> None:
        file.write(encode(entry) + "\n")
        file.flush()

    return write


async def listen(service: Service, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Start serving; returns what stops it (`cleanup`) and the port. Raises OSError where it can't listen."""
    quiet = logging.getLogger("cloudn_emulator.http")  # broken connections and requests are the clients' affair
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    runner = web.AppRunner(service.application(), access_log=None, logger=quiet, shutdown_timeout=0.5)
    await runner.setup()
    try:
        service.site = web.TCPSite(runner, host, port, backlog=1024)
        await service.site.start()
    except BaseException:
        await runner.cleanup()
        raise
    port = runner.addresses[0][1]
    service.runner, service.address = runner, (host, port)
    await service.enforce()
    return runner, port

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP side: passes requests to their API, and sends and records the answers, with what faults make of them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from functools import lru_cache, partial

from aiohttp import web

from . import wire
from .chores import Chores
from .control import Control
from .ec2 import Bridge
from .exchange import Api, Asked, Reply, read
from .faults import BadRule, FaultRule, Faults
from .faults.answers import answer_undone, spoil
from .faults.reading import LONGEST, parse
from .faults.rule import NOT_DONE
from .guard import FORBIDDEN, Guard
from .jobs import Jobs
from .listener import Listener
from .native import Native
from .page import Page, Recent
from .recovery import resume
from .request_log import Record, clean_error, log_entry, value_of
from .state import State
from .store import Store

FAULTS = "/_emulator/faults"
NO_REASON = ""  # CloudStack 3.0.5's status line ends with the number
PLAIN = "identity"  # the content coding of a body that is not packed
# Measured on CloudStack 4.23.
PAGE = "text/html;charset=iso-8859-1"
TOO_LARGE_PAGE = "<html><head><title>Error {0}</title></head><body><h2>HTTP ERROR {0}</h2></body></html>"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
TOO_LONG = 414
TOO_LONG_PAGE = b"<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>"


class Service:
    """The emulated service: both its APIs over one store. Handlers run on one event loop."""

    def __init__(self, store: Store, record: Record, faults: Faults, state: State | None = None) -> None:
        self.record = record
        self.state = state
        self.faults = faults
        self.generation = store.generation
        self.latency = store.settings.latency_ms / 1000
        self.chores = Chores()
        self.listener = Listener(self.chores.later)
        self.control = Control(self)
        self.recent = Recent()
        self.page = Page(lambda: self.store, self.recent, self._note)
        self.serve(store)

    def serve(self, store: Store) -> None:
        """Answer from this store. Requests under way end with the store with which they began."""
        self.store = store
        self.recent.clear()
        self.jobs = jobs = Jobs(store, self.state.keep if self.state else None)
        # CloudStack 4 has no EC2-compatible API any more.
        self.apis: tuple[Api, ...] = (Native(store, jobs), *([Bridge(store, jobs)] if self.generation.bridge else []))

    def _note(self) -> None:
        self.jobs.note()

    def application(self, host: str) -> web.Application:
        """The web application that serves the APIs, on this host."""
        self.guard = Guard([host, *self.store.settings.allowed_hosts])
        app = web.Application(client_max_size=self.generation.longest_form, middlewares=[self._guarded])
        form = partial(self._go_on, self.generation.longest_form)
        for number, api in enumerate(self.apis):
            for path in api.paths:
                for method in api.methods:
                    app.router.add_route(method, path, partial(self.answer, number), expect_handler=form)
        self.control.add_to(app.router)
        app.router.add_get(FAULTS, self.show_faults)
        app.router.add_put(FAULTS, self.set_faults, expect_handler=partial(self._go_on, LONGEST))
        self.page.add_to(app)
        app.on_response_prepare.append(self._strip)
        app.on_shutdown.append(self._stop)
        return app

    async def _stop(self, app: web.Application) -> None:
        await self.chores.stop()
        await self.jobs.stop()
        if self.state:
            self.state.close()

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Do a request, unless a web page may have sent it, or its body is packed."""
        refusal = self.guard.refusal(request)
        if refusal:
            return web.Response(status=FORBIDDEN, text=f"cloudn-emulator: {refusal}; see --allow-host\n")
        if request.headers.get("Content-Encoding", PLAIN).lower() != PLAIN:
            return web.Response(status=415, text="cloudn-emulator: send the body as it is, not packed\n")
        answer = await handler(request)
        if self.state:
            self.state.keep()  # what an answer tells that is no API's is stored, too
        return answer

    async def _go_on(self, longest: int, request: web.Request) -> None:
        """Let a client that asks before it sends a body go on, unless the body will be refused."""
        if self.guard.refusal(request) or (request.content_length or 0) > longest:
            return
        if request.headers.get("Expect", "").lower() != "100-continue":
            raise web.HTTPExpectationFailed
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not begun

    async def show_faults(self, request: web.Request) -> web.Response:
        """Show the rules of faults in force, and how many faults each has made."""
        return web.json_response([rule.view() for rule in self.faults.rules])

    async def set_faults(self, request: web.Request) -> web.Response:
        """Replace the rules of faults by others: a list in JSON or YAML."""
        try:
            body = await _body(request)
            # Rules may take long to read. Others need not wait for it.
            self.faults.set(await asyncio.to_thread(parse, body))
        except BadRule as error:
            return web.Response(status=400, body=f"{error}\n".encode("utf-8", "backslashreplace"))
        answer = await self.show_faults(request)
        await self.enforce()
        return answer

    async def enforce(self) -> None:
        """Prepare for new rules of faults: remember the store for lists that lag, refuse the first request."""
        self.jobs.history.keep(self.faults.lag)
        await self.listener.resume()
        await self._refuse_next()

    async def answer(self, number: int, request: web.Request) -> web.StreamResponse:
        """Answer one request to the API of this number, and record it."""
        self.listener.busy.append(request)
        try:
            answer = await self._recorded(self.apis[number], request)
            if await self._refuse_next():
                answer.force_close()
        finally:
            self.listener.busy.remove(request)
        return answer

    async def _recorded(self, api: Api, request: web.Request) -> web.StreamResponse:
        began, jobs = time.monotonic(), self.jobs
        connection = self.listener.number_of(request)
        asked, fits = await read(request, self.generation)
        if self.latency:
            await asyncio.sleep(self.latency)
        name, has_job = api.command(asked.params)
        fault = self.faults.due(name, has_job) if self.faults.rules else None
        answer = await self._answer(api, request, asked, fits, fault)
        milliseconds = (time.monotonic() - began) * 1000
        status, secrets = getattr(answer, "status", 0), self.store.secrets
        asks = self.store.account_with_key(value_of(api.credentials[0], asked.params))
        entry = log_entry(name, asked.params, api.credentials, status, milliseconds, connection, secrets)
        entry["account"] = asks.name if asks else None
        if error := getattr(answer, "error", None):
            entry["error"] = clean_error(error, asked.params, secrets)
        if fault:
            entry["fault"] = fault.kind
        if jobs is self.jobs:  # a reset empties the log, also of requests under way
            self.record(entry)
            self.recent.note(entry)
        if answer is None:  # the connection is broken; what is returned goes nowhere
            return web.Response()
        return answer

    async def _answer(
        self, api: Api, request: web.Request, asked: Asked, fits: bool, fault: FaultRule | None
    ) -> web.StreamResponse | None:
        """The answer to a request, or None where a fault leaves it without one. It must fit to be done."""
        longest = self.generation.longest_get
        if longest is not None and len(request.raw_path) > longest:
            return self._response(Reply(TOO_LONG, TOO_LONG_PAGE, PAGE))
        if not fits:
            status = self.generation.too_long_form
            return self._response(Reply(status, TOO_LARGE_PAGE.format(status).encode(), PAGE))
        if fault and fault.kind in NOT_DONE:
            return await self._refuse(api, request, asked, fault)
        if fault and fault.kind == "slow":
            await asyncio.sleep(fault.settings["seconds"])
        reply = await api.reply(asked, fault)
        self.jobs.note()  # before anything of the answer goes out
        answer = await spoil(request, reply, fault) if fault else reply
        return self._response(answer) if isinstance(answer, Reply) else answer

    async def _refuse(self, api: Api, request: web.Request, asked: Asked, fault: FaultRule) -> web.Response | None:
        """The answer, if there is one, to a request whose command is not done."""
        if fault.kind == "unauthorized":
            return self._response(api.unauthorized(asked.params))
        if fault.kind == "refuse" and fault.settings["seconds"]:
            await self._stop_listening(fault.settings["seconds"])
        return answer_undone(request, fault)

    async def _refuse_next(self) -> bool:
        """If the next request is to be refused, stop listening and close the connections that it could use."""
        seconds = self.faults.refusal()
        if seconds:
            await self._stop_listening(seconds)
            self.listener.close_idle()
        return bool(seconds)

    async def _stop_listening(self, seconds: float) -> None:
        await self.listener.pause(seconds, self._refuse_next)

    async def _strip(self, request: web.Request, response: web.StreamResponse) -> None:
        """Remove what the framework adds: a content type where there is none, the date where the service has none."""
        if isinstance(response, _Untyped):
            response.headers.pop("Content-Type", None)
        if not self.generation.dated:
            response.headers.pop("Date", None)

    def _response(self, reply: Reply) -> web.Response:
        answer = _Answer if reply.content_type else _Untyped
        headers = {"Date": _date(int(self.store.now()))} if self.generation.dated else {}
        if reply.content_type:
            headers["Content-Type"] = reply.content_type
        if reply.description is not None:
            headers["X-Description"] = wire.header(reply.description)
        reasons = self.generation.reasons
        reason = reasons.get(reply.status, str(reply.status)) if reasons else NO_REASON
        response = answer(body=reply.payload, status=reply.status, reason=reason, headers=headers)
        response.error = reply.error or reply.description
        return response


async def _body(request: web.Request) -> bytes:
    """The rules in a request. Raises HTTPRequestEntityTooLarge for too many, unread if the request says how many."""
    size, body = request.content_length or 0, b""
    while size <= LONGEST and (more := await request.content.readany()):
        body += more
        size = max(size, len(body))
    if size > LONGEST:
        raise web.HTTPRequestEntityTooLarge(LONGEST, size, text=f"rules may have {LONGEST} bytes\n")
    return body


@lru_cache(maxsize=8)
def _date(second: int) -> str:
    """A second, as headers write it."""
    return formatdate(second, usegmt=True)


class _Answer(web.Response):
    """An answer of an API. `error` is the text of its error, for the log."""

    error: str | None = None


class _Untyped(_Answer):
    """An answer without a content type."""


async def listen(service: Service, host: str, port: int) -> tuple[web.AppRunner, int]:
    """Start to serve; returns the runner, whose `cleanup` stops it, and the port. Raises OSError if it can't."""
    quiet = logging.getLogger(
        "cloudn_emulator.http"
    )  # no logs of broken connections and requests: clients break them on purpose
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    runner = web.AppRunner(service.application(host), access_log=None, logger=quiet, shutdown_timeout=0.5)
    port = await service.listener.start(runner, host, port)
    await service.enforce()
    resume(service.store, service.jobs)
    return runner, port

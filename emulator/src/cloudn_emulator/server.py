# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP side: from a request to parameters, credentials, the command, and the answer, with a record of each."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import re
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import IO, Any
from urllib.parse import parse_qsl
from weakref import WeakKeyDictionary

import yaml
from aiohttp import web

from . import faults, wire
from .calls import Call, read_params
from .catalogue import DIALECTS, Command
from .errors import INTERNAL, NO_COMMAND, UNAUTHORIZED, ApiError, internal
from .faults import Faults, Rule
from .jobs import Jobs
from .signature import is_signed
from .store import Store

log = logging.getLogger("cloudn_emulator")
PATH = "/client/api"
FAULTS = "/_emulator/faults"
HIDDEN = ("apikey", "signature", "command")
SECRET = ("password", "userdata")
_USER = re.compile(r"//[^/@]*@")  # user and password in an address
Record = Callable[[dict[str, Any]], None]


class Service:
    """The emulated service: answers native API requests over one store. Handlers run on one event loop."""

    def __init__(
        self,
        store: Store,
        jobs: Jobs,
        latency_ms: float,
        record: Record,
        dialect: str = "cloudstack",
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self.site: web.TCPSite | None = None
        self.runner: web.AppRunner | None = None
        self.address = ("", 0)
        self.commands = DIALECTS[dialect]
        self.store = store
        self.jobs = jobs
        self.latency = latency_ms / 1000
        self.record = record
        self._connections: WeakKeyDictionary[asyncio.BaseTransport, int] = WeakKeyDictionary()
        self._connected = 0

    def application(self) -> web.Application:
        """The web application that serves the API."""
        app = web.Application(client_max_size=2 * 1024**2)
        for path in (PATH, PATH + "/"):
            app.router.add_get(path, self.answer)
            app.router.add_post(path, self.answer)
        app.router.add_get(FAULTS, self.show_faults)
        app.router.add_put(FAULTS, self.set_faults)
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
        return await self.show_faults(request)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, and record it."""
        began = time.monotonic()
        connection = self._connection(request)
        params = await request_params(request)
        if self.latency:
            await asyncio.sleep(self.latency)
        name = params.get("command", "")
        fault = None
        if self.faults.rules:
            known = self.commands.get(name)
            fault = self.faults.due(name, has_job=bool(known and known.job_class))
        answer = await self._answer(request, params, fault)
        milliseconds = (time.monotonic() - began) * 1000
        entry = log_entry(params, getattr(answer, "status", 0), milliseconds, connection)
        self.record({**entry, "fault": fault.kind} if fault else entry)
        if answer is None:  # the connection is broken; what is returned goes nowhere
            return web.Response()
        return answer

    async def _answer(
        self, request: web.Request, params: dict[str, str], fault: Rule | None
    ) -> web.StreamResponse | None:
        """The answer to a request, or None where a fault leaves it without one."""
        if fault and fault.kind in faults.NOT_DONE:
            return await self._not_done(request, params, fault)
        root, status, body = await self.execute(params, fault)
        in_json = params.get("response", "").lower() == "json"
        kind = fault.kind if fault else ""
        if fault and kind == "lag":
            body = faults.lagging(body, fault.settings["seconds"])
        payload, content_type = wire.render(root, body, in_json is not (kind == "other_format"))
        if fault and kind == "late":
            await asyncio.sleep(fault.settings["seconds"])
        elif fault and kind == "page":
            faults.change_page(self.store, fault.settings["change"])
        elif kind == "reset_after":
            faults.reset(request)
            return None
        elif fault and kind == "status_after":
            return faults.proxy_page(fault.settings["status"])
        elif kind == "cut":
            return await faults.cut(request, status, payload, content_type)
        elif kind == "garbage":
            payload = faults.GARBAGE
        elif kind == "content_type":
            content_type = "application/octet-stream"
        return web.Response(body=payload, status=status, headers={"Content-Type": content_type})

    async def _not_done(self, request: web.Request, params: dict[str, str], fault: Rule) -> web.StreamResponse | None:
        """What is answered, if anything is, by who does not do the command."""
        if fault.kind == "status":
            return faults.proxy_page(fault.settings["status"])
        if fault.kind == "too_many":
            return faults.too_many(fault.settings["retry_after"])
        if fault.kind == "unauthorized":
            text = "unable to verify user credentials and/or request signature"
            command = self.commands.get(params.get("command", ""))
            root, status, body = _error(command.root if command else "errorresponse", ApiError(UNAUTHORIZED, text))
            payload, content_type = wire.render(root, body, params.get("response", "").lower() == "json")
            return web.Response(body=payload, status=status, headers={"Content-Type": content_type})
        if fault.kind == "close":
            if request.transport is not None:
                request.transport.abort()
            return None
        if fault.kind == "refuse" and fault.settings["seconds"] and self.site is not None:
            await self._stop_listening(fault.settings["seconds"])
        faults.reset(request)
        return None

    async def _stop_listening(self, seconds: float) -> None:
        """Refuse new connections for a while."""
        site, runner, (host, port) = self.site, self.runner, self.address
        self.site = None
        if site is None or runner is None:
            return
        await site.stop()

        async def listen_again() -> None:
            await asyncio.sleep(seconds)
            self.site = web.TCPSite(runner, host, port, backlog=1024, reuse_address=True)
            await self.site.start()

        self.jobs.later(listen_again())

    async def execute(self, params: dict[str, str], fault: Rule | None = None) -> tuple[str, int, dict[str, Any]]:
        """Do what the parameters ask; returns the answer's root, HTTP status and body."""
        self.store.expunge_due()
        command = self.commands.get(params.get("command", ""))
        if command is None:  # told even to a wrong signature (measured on CloudStack 3.0.5)
            return _error("errorresponse", ApiError(NO_COMMAND, "The given command does not exist"))
        account = self.store.account
        if not is_signed(params, account.api_key, account.api_secret):
            text = "unable to verify user credentials and/or request signature"
            return _error(command.root, ApiError(UNAUTHORIZED, text))
        if not account.may(command.name, command.granted):
            return _error("errorresponse", ApiError(NO_COMMAND, f"The given command:{command.name} does not exist"))
        try:
            return command.root, 200, await self._do(command, params, fault)
        except ApiError as error:
            return _error(command.root, error)
        except Exception:
            log.exception("%s", command.name)
            return _error(command.root, internal())

    async def _do(self, command: Command, params: dict[str, str], fault: Rule | None) -> dict[str, Any]:
        values = read_params(command.params, params, command.label, self.store)
        result = command.handler(Call(self.store, self.jobs, self.store.account, values))
        if inspect.isawaitable(result):
            result = await result
        if command.job_class is None:
            return result
        job = self.jobs.start(command.job_class, result, fault)
        return {"id": result.created_id, "jobid": job.id} if result.created_id else {"jobid": job.id}

    def _connection(self, request: web.Request) -> int:
        transport = request.transport
        if transport is None:  # the client has gone already
            return 0
        if transport not in self._connections:
            self._connected += 1
            self._connections[transport] = self._connected
        return self._connections[transport]


async def request_params(request: web.Request) -> dict[str, str]:
    """The parameters of the address and of a form; the first of several with one name counts.

    The address is UTF-8; a form is ISO-8859-1 unless its content type says charset=UTF-8 (measured on
    CloudStack 3.0.5).
    """
    pairs = _pairs(request.rel_url.raw_query_string, "utf-8")
    if request.method == "POST" and request.content_type == "application/x-www-form-urlencoded":
        encoding = "utf-8" if (request.charset or "").lower() in ("utf-8", "utf8") else "iso-8859-1"
        pairs += _pairs((await request.read()).decode("iso-8859-1"), encoding)
    params: dict[str, str] = {}
    for name, value in pairs:
        params.setdefault(name, value)
    return params


def _pairs(text: str, encoding: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, encoding=encoding, errors="replace")


def _error(root: str, error: ApiError) -> tuple[str, int, dict[str, Any]]:
    code = error.code if 400 <= error.code < 600 else INTERNAL
    return root, code, wire.error_body(code, error.text)


def log_entry(params: dict[str, str], status: int, milliseconds: float, connection: int) -> dict[str, Any]:
    """What is recorded of a request: no credentials, and of secret values only how long they are."""
    shown = {
        name: f"({len(value)} characters)" if name.lower() in SECRET else _USER.sub("//", value)
        for name, value in params.items()
        if name.lower() not in HIDDEN
    }
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "command": params.get("command"),
        "params": shown,
        "status": status,
        "ms": round(milliseconds, 3),
        "connection": connection,
    }


def to_file(file: IO[str]) -> Record:
    """A record that writes one JSON line per request, at once."""

    def write(entry: dict[str, Any]) -> None:
        file.write(json.dumps(entry, ensure_ascii=False) + "\n")
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
    service.runner, service.address = runner, (host, runner.addresses[0][1])
    return runner, runner.addresses[0][1]

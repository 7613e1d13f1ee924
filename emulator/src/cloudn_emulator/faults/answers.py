# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What networks and proxies do to requests and their answers."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace

from aiohttp import web

from ..exchange import Reply
from .rule import FaultRule, Given

PAGE = "<html><head><title>{0} Service Unavailable</title></head><body><h1>{0}</h1>A proxy speaking.</body></html>"
GARBAGE = b"\x00\xff\xfe\x1f\x8b not an answer \x80\x81"


def answer_undone(request: web.Request, fault: FaultRule) -> web.Response | None:
    """The answer to a request whose command is not done, or None if its connection breaks."""
    if fault.kind == "status":
        return _proxy_page(fault.settings)
    if fault.kind == "too_many":
        after = fault.settings["retry_after"]
        headers = {} if after is None else {"Retry-After": f"{after:g}"}
        return web.Response(status=429, text="Too Many Requests", headers=headers)
    if fault.kind != "close":
        _reset(request)
    elif request.transport is not None:
        request.transport.abort()
    return None


async def spoil(request: web.Request, reply: Reply, fault: FaultRule) -> Reply | web.StreamResponse | None:
    """What a fault makes of the answer to a command that is done: None if the connection breaks."""
    change = _SPOILED.get(fault.kind)
    return await change(request, reply, fault.settings) if change else reply


async def _send_late(request: web.Request, reply: Reply, settings: Given) -> Reply:
    await asyncio.sleep(settings["seconds"])
    return reply


async def _lose(request: web.Request, reply: Reply, settings: Given) -> None:
    _reset(request)


async def _replace_by_page(request: web.Request, reply: Reply, settings: Given) -> web.Response:
    return _proxy_page(settings)


async def _cut(request: web.Request, reply: Reply, settings: Given) -> web.StreamResponse:
    """Announce the whole answer, send half of it, and break the connection."""
    answer = web.StreamResponse(status=reply.status, headers={"Content-Type": reply.content_type or ""})
    answer.content_length = len(reply.payload)
    await answer.prepare(request)
    await answer.write(reply.payload[: len(reply.payload) // 2])
    await asyncio.sleep(0.01)
    if request.transport is not None:
        request.transport.abort()
    return answer


async def _garble(request: web.Request, reply: Reply, settings: Given) -> Reply:
    return replace(reply, payload=GARBAGE)


async def _mistype(request: web.Request, reply: Reply, settings: Given) -> Reply:
    return replace(reply, content_type="application/octet-stream")


_SPOILED: dict[str, Callable[[web.Request, Reply, Given], Awaitable[Reply | web.StreamResponse | None]]] = {
    "late": _send_late,
    "reset_after": _lose,
    "status_after": _replace_by_page,
    "cut": _cut,
    "garbage": _garble,
    "content_type": _mistype,
}


def _reset(request: web.Request) -> None:
    """Break a connection at once (RST), as a machine does that does not know the connection."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def _proxy_page(settings: Given) -> web.Response:
    """The page of a proxy whose service does not answer."""
    status = settings["status"]
    return web.Response(status=status, text=PAGE.format(status), content_type="text/html")

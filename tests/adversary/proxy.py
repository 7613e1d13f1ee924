# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy before a service that can answer with any bytes, at any time. It shares no code with the emulator or its faults."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

HOST = "127.0.0.1"
_PIECE = 2**16
REQUEST = 0.2  # seconds of the clock that each request takes, so that requests without end come to an end
_LINGER = 0.05  # seconds for which bytes that were sent may be read before a connection is closed


@dataclass(frozen=True)
class Request:
    """A request as it came: its first line, its headers and its body. ``params`` are those of its address and its form."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    params: dict[str, str] = field(compare=False)

    @property
    def command(self) -> str:
        """The command of the native API, or the action of the EC2-compatible one."""
        return self.params.get("command") or self.params.get("Action") or ""


@dataclass(frozen=True)
class Answer:
    """An answer of HTTP. ``headers`` has no Content-Length, as ``raw`` adds the right one."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/javascript;charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()
    reason: str = "OK"

    def head(self, *more: str) -> bytes:
        """Return the head, with further lines before its end."""
        lines = [f"HTTP/1.1 {self.status} {self.reason}", f"Content-Type: {self.content_type}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, *more, "", ""]).encode("latin-1")

    def raw(self) -> bytes:
        """Return the bytes of the answer."""
        return self.head(f"Content-Length: {len(self.body)}") + self.body

    def but(self, **changes: Any) -> Answer:
        """Return the answer with other fields."""
        return replace(self, **changes)


class Exchange:
    """One request at the proxy, and what a fault may do with it."""

    def __init__(self, proxy: Proxy, request: Request, connection: socket.socket, nth: int) -> None:
        self.proxy = proxy
        self.request = request
        self.command = request.command
        self.nth = nth  # how often the fault was done before
        self.is_over = False
        self._connection = connection

    @property
    def is_json(self) -> bool:
        """Whether the client asked for JSON."""
        return self.request.params.get("response") == "json"

    def forward(self) -> Answer:
        """Have the service do the request. Return its answer."""
        return self.proxy.forward(self.request)

    def reply(self, answer: Answer) -> None:
        """Send an answer. The connection stays open."""
        self.send(answer.raw())

    def send(self, data: bytes) -> None:
        """Send any bytes. A client that has gone is no error."""
        try:
            self._connection.sendall(data)
        except OSError:
            self.is_over = True

    def linger(self, seconds: float) -> None:
        """Let time pass on the clock of the client and the service."""
        self.proxy.linger(seconds)

    def close(self) -> None:
        """Close the connection after this exchange. Bytes that were sent before arrive."""
        self.is_over = True

    def wait(self) -> None:
        """Say nothing more until the client has gone, or the fault is over."""
        self.is_over = True
        self._connection.settimeout(0.05)
        while not self.proxy.is_calm.is_set():
            try:
                if not self._connection.recv(_PIECE):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def is_gone(self) -> bool:
        """Wait a moment. Return whether the client has gone, or the fault is over."""
        return self.is_over or self.proxy.is_calm.wait(0.02)


Act = Callable[[Exchange], None]


class Proxy:
    """Stands between clients and a service at ``port``. Used as a context manager. ``passes(seconds)`` lets time pass.

    It forwards each request and its answer, until ``attack`` says otherwise. ``seen`` are the requests since the last
    ``clear``, ``taped`` the answers to the requests since the last ``tape``, by command, and ``signatures`` all signatures
    that clients made. ``fired`` counts how often a fault was done.
    """

    def __init__(self, port: int, passes: Callable[[float], None] = lambda _seconds: None) -> None:
        self._service = port
        self._passes = passes
        self._lock = threading.Lock()
        self._due: Callable[[Request, int], bool] | None = None
        self._act: Act | None = None
        self._counts: dict[str, int] = {}
        self._open: set[socket.socket] = set()
        self._held: list[Request] = []
        self._later: list[tuple[int, Request]] = []
        self._taping = False
        self.is_calm = threading.Event()
        self.fired = 0
        self.seen: list[Request] = []
        self.taped: dict[str, list[Answer]] = {}
        self.signatures: set[str] = set()
        self.memory: dict[str, Any] = {}  # what a fault remembers between requests

    # --- what tests say

    @property
    def address(self) -> str:
        """The address without a path."""
        return f"http://{HOST}:{self.port}"

    def attack(self, due: Callable[[Request, int], bool], act: Act) -> None:
        """Do ``act`` with each request that is ``due(request, nth)``. ``nth`` counts the requests of the command, from 1."""
        with self._lock:
            self._due, self._act, self._counts = due, act, {}
            self.memory, self.fired = {}, 0
            self.is_calm.clear()

    def calm(self) -> None:
        """End the fault. What it still does ends soon."""
        with self._lock:
            self._due = self._act = None
            self.is_calm.set()

    def clear(self) -> list[Request]:
        """Forget the requests so far, and return them."""
        with self._lock:
            seen, self.seen = self.seen, []
        return seen

    @contextlib.contextmanager
    def tape(self) -> Iterator[None]:
        """Keep the answers to the requests in the block, for faults that send them in place of others."""
        self._taping = True
        try:
            yield
        finally:
            self._taping = False

    def linger(self, seconds: float) -> None:
        """Let time pass on the clock of clients and the service."""
        self._passes(seconds)

    def hold(self, request: Request) -> None:
        """Keep a request until ``deliver``."""
        with self._lock:
            self._held.append(request)

    def hold_for(self, request: Request, number: int) -> None:
        """Keep a request until so many further requests have come."""
        with self._lock:
            self._later.append((len(self.seen) + number, request))

    def deliver(self) -> int:
        """Have the service do what was held. Return how many requests that were."""
        with self._lock:
            held, self._held = self._held + [request for _at, request in self._later], []
            self._later = []
        for request in held:
            self.forward(request)
        return len(held)

    # --- what it does

    def forward(self, request: Request) -> Answer:
        """Have the service do a request. Return its answer."""
        connection = http.client.HTTPConnection(HOST, self._service, timeout=30)
        try:
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:
                if name.lower() not in ("connection", "accept-encoding"):
                    connection.putheader(name, value)
            connection.putheader("Connection", "close")
            connection.endheaders(request.body or None)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        kept = tuple((name, value) for name, value in answer.getheaders() if name.lower() in ("date", "retry-after"))
        return Answer(answer.status, body, answer.getheader("Content-Type") or "", kept, answer.reason or "")

    def __enter__(self) -> Proxy:
        self._listener = socket.create_server((HOST, 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._listen, name="adversary", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self.calm()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        rest = b""
        try:
            while True:
                request, rest = _read(connection, rest)
                if request is None or self._exchange(request, connection):
                    break
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(_LINGER)
                connection.recv(1)
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _exchange(self, request: Request, connection: socket.socket) -> bool:
        """Answer a request. Return whether the connection is to be closed."""
        self._passes(REQUEST)
        late, act = self._note(request)
        for one in late:
            self.forward(one)
        exchange = Exchange(self, request, connection, self.fired - 1)
        if act:
            act(exchange)
        else:
            answer = self.forward(request)
            if self._taping:
                self.taped.setdefault(request.command, []).append(answer)
            exchange.reply(answer)
        return exchange.is_over

    def _note(self, request: Request) -> tuple[list[Request], Act | None]:
        """Note a request. Return the held requests that are to be done before it, and the fault for it."""
        with self._lock:
            self.seen.append(request)
            self.signatures |= {
                value for name, value in request.params.items() if name.lower() == "signature" and value
            }
            nth = self._counts[request.command] = self._counts.get(request.command, 0) + 1
            late = [one for at, one in self._later if at <= len(self.seen)]
            self._later = [(at, one) for at, one in self._later if at > len(self.seen)]
            if self._due is None or not self._due(request, nth):
                return late, None
            self.fired += 1
            return late, self._act


def _read(connection: socket.socket, data: bytes) -> tuple[Request | None, bytes]:
    """Return the next request of a connection, ``None`` at its end, and the bytes after it."""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(_PIECE)
        if not piece:
            return None, b""
        data += piece
    head, _blank, data = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = tuple((name, value.strip()) for name, _sign, value in (line.partition(":") for line in lines))
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    while len(data) < length:
        piece = connection.recv(_PIECE)
        if not piece:
            return None, b""
        data += piece
    method, target, _version = first.split(" ")
    body, data = data[:length], data[length:]
    query = urllib.parse.urlsplit(target).query
    params = dict(urllib.parse.parse_qsl(f"{query}&{body.decode('latin-1')}", keep_blank_values=True))
    return Request(method, target, headers, body, params), data

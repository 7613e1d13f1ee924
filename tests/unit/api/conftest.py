# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that gives scripted answers over real HTTP, and a client whose pauses take no time."""

from __future__ import annotations

import http.server
import threading
import urllib.parse
from collections.abc import Callable, Iterator

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client

Answer = tuple[int, dict[str, str], bytes]


class Script:
    """Answers to give, in order; the last one is repeated. ``requests`` holds the parameters of what was asked.

    An answer is ``(status, headers, body)``, or ``None`` to close the connection without any.
    """

    def __init__(self) -> None:
        self.answers: list[Answer | None] = []
        self.requests: list[dict[str, str]] = []
        self.methods: list[str] = []
        self.bodies: list[bytes] = []
        self.connections: set[tuple[str, int]] = set()
        self.url = ""

    def json(self, *bodies: str, status: int = 200) -> None:
        """Add answers of JSON."""
        self.answers += [(status, {"Content-Type": "text/javascript;charset=UTF-8"}, body.encode()) for body in bodies]

    def commands(self) -> list[str]:
        """Return the commands that were asked, in order."""
        return [request["command"] for request in self.requests]


class Clock:
    """A clock that only ``sleep`` moves."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.time += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def script() -> Iterator[Script]:
    script = Script()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # a body of its own packet would wait 40 ms for the headers' acknowledgement

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            text = body.decode() if body else urllib.parse.urlsplit(self.path).query
            script.methods.append(self.command)
            script.bodies.append(body)
            script.connections.add(self.client_address)
            script.requests.append(dict(urllib.parse.parse_qsl(text, keep_blank_values=True)))
            answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            if answer is None:
                self.close_connection = True
                return
            status, headers, content = answer
            self.send_response(status)
            headers = {"Content-Length": str(len(content)), **headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve

        def log_message(self, *_args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}/client/api"
    yield script
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client(script: Script, clock: Clock) -> Client:
    return Client(script.url, "the-api-key", "the-secret-key", sleep=clock.sleep, clock=clock)


@pytest.fixture
def connect(script: Script, clock: Clock) -> Callable[..., Client]:
    """Return a function that makes a client with other options."""
    return lambda **options: Client(
        script.url, "the-api-key", "the-secret-key", **{"sleep": clock.sleep, "clock": clock, **options}
    )

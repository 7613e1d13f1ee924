# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers on this machine: one that gives scripted answers over real HTTP or HTTPS, and one that sends any bytes."""

from __future__ import annotations

import contextlib
import http.server
import re
import socket
import socketserver
import ssl
import threading
import urllib.parse
from collections.abc import Callable, Iterator

Answer = tuple[int, dict[str, str], bytes]


@contextlib.contextmanager
def answering(server: socketserver.BaseServer) -> Iterator[None]:
    """Let a server answer in a thread of its own, until the end."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Script:
    """Answers to give, in order; the last one is repeated. ``requests`` holds the parameters of what was asked.

    An answer is ``(status, headers, body)``, or ``None`` to close the connection without any. The root ``ROOT`` in a body
    stands for the root of the command that was asked.
    """

    def __init__(self) -> None:
        self.answers: list[Answer | None] = []
        self.requests: list[dict[str, str]] = []
        self.methods: list[str] = []
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        self.connections: set[tuple[str, int]] = set()
        self.url = ""

    def json(self, *bodies: str, status: int = 200) -> None:
        """Add answers of JSON."""
        self.answers += [(status, {"Content-Type": "text/javascript;charset=UTF-8"}, body.encode()) for body in bodies]

    def commands(self) -> list[str]:
        """Return the commands that were asked, in order."""
        return [request["command"] for request in self.requests]


@contextlib.contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[Script]:
    """A script and the server that follows it, over TLS where there is a context for that."""
    script = Script()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            text = body.decode() if body else urllib.parse.urlsplit(self.path).query
            script.methods.append(self.command)
            script.bodies.append(body)
            script.headers.append(dict(self.headers))
            script.connections.add(self.client_address)
            script.requests.append(dict(urllib.parse.parse_qsl(text, keep_blank_values=True)))
            answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            if answer is None:
                self.close_connection = True
                return
            status, headers, content = answer
            self.send_response(status)
            asked = script.requests[-1]
            root = (
                f"{asked.get('command', '').lower()}response"
                if "command" in asked
                else f"{asked.get('Action')}Response"
            )
            for mark in ('"ROOT"', "<ROOT>", "</ROOT>"):
                content = content.replace(mark.encode(), mark.replace("ROOT", root).encode())
            headers = {"Content-Length": str(len(content)), **headers}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve

        def log_message(self, *_args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def finish_request(self, request: socket.socket, client_address: object) -> None:
            # Here, not where connections are accepted: a handshake that fails is this connection's affair alone.
            with contextlib.suppress(OSError):
                wrapped = context.wrap_socket(request, server_side=True) if context else request
                super().finish_request(wrapped, client_address)
                wrapped.close()

    server = Server(("127.0.0.1", 0), Handler)
    with answering(server):
        script.url = f"http{'s' if context else ''}://127.0.0.1:{server.server_address[1]}/client/api"
        yield script


class Wire:
    """A server that reads a request and then does with the connection what ``answer`` does, or sends it.

    ``heads`` are the requests that came, with their forms.
    """

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answer: bytes | Callable[[socket.socket], None] = b""
        self.heads: list[bytes] = []
        self.ended = threading.Event()
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if context else ''}://127.0.0.1:{self._listener.getsockname()[1]}/client/api"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            connection, _address = self._listener.accept()
            if self.ended.is_set():
                connection.close()
                return
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head:
                more = connection.recv(65536)
                if not more:
                    return
                head += more
            length = re.search(rb"(?i)content-length: (\d+)", head)
            while length and len(head.partition(b"\r\n\r\n")[2]) < int(length[1]):
                head += connection.recv(65536)
            self.heads.append(head)
            if callable(self.answer):
                self.answer(connection)
            else:
                connection.sendall(self.answer)
            connection.close()

    def close(self) -> None:
        self.ended.set()
        socket.create_connection(self._listener.getsockname()).close()  # so that nothing waits for one any more
        self._thread.join()
        self._listener.close()

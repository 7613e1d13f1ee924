# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small HTTP proxy on this machine, which also lets through to TLS (CONNECT)."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import select
import socket
import urllib.parse
from collections.abc import Iterator

from servers import answering

BIG = 65536


class Proxy:
    """``asked`` holds the method and the target of each request; ``status`` is answered instead of passing it on.

    ``credentials`` is the header Proxy-Authorization that it wants. With ``drops`` it passes a request on and then
    closes the connection instead of passing the answer back.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.status = 0
        self.credentials: str | None = None
        self.drops = False
        self.address = ""


@contextlib.contextmanager
def proxying() -> Iterator[Proxy]:
    """A running proxy."""
    proxy = Proxy()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _turned_away(self) -> bool:
            proxy.asked.append((self.command, self.path.partition("?")[0]))
            status = proxy.status
            if proxy.credentials and self.headers.get("Proxy-Authorization") != proxy.credentials:
                status = 407
            if status:
                body = b"<html>The proxy speaks.</html>"
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            return bool(status)

        def do_CONNECT(self) -> None:
            self.close_connection = True
            if self._turned_away():
                return
            host, _colon, port = self.path.rpartition(":")
            with socket.create_connection((host, int(port))) as there:
                self.send_response(200)
                self.end_headers()
                pair = {self.connection: there, there: self.connection}
                while True:
                    for ready in select.select(list(pair), [], [])[0]:
                        data = ready.recv(BIG)
                        if not data:
                            return
                        pair[ready].sendall(data)

        def _pass_on(self) -> None:
            if self._turned_away():
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            target = urllib.parse.urlsplit(self.path)
            with contextlib.closing(http.client.HTTPConnection(str(target.hostname), target.port)) as there:
                headers = {name: value for name, value in self.headers.items() if not name.startswith("Proxy-")}
                there.request(self.command, f"{target.path}?{target.query}", body or None, headers)
                answer = there.getresponse()
                content = answer.read()
            if proxy.drops:
                self.close_connection = True
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                return
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _pass_on

        def log_message(self, *_args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    with answering(server):
        proxy.address = f"127.0.0.1:{server.server_address[1]}"
        yield proxy

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy before the emulator that changes the content of its answers. It shares no code with the emulator's faults."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

# ``change(command, status, body)`` returns the body that the client gets.
Change = Callable[[str, int, bytes], bytes]


class Rewriter:
    """What the proxy does: ``change`` can be replaced at any time. ``url`` and ``ec2_url`` are its addresses.

    It also has the emulator's credentials. So it can stand in the emulator's place.
    """

    def __init__(self, emulator: Any, port: int) -> None:
        self.change: Change = unchanged
        self.api_key, self.api_secret = emulator.api_key, emulator.api_secret
        self.url = f"http://127.0.0.1:{port}/client/api"
        self.ec2_url = f"http://127.0.0.1:{port}/awsapi"


def unchanged(_command: str, _status: int, body: bytes) -> bytes:
    """Change nothing."""
    return body


@contextlib.contextmanager
def rewriting(emulator: Any) -> Iterator[Rewriter]:
    """A proxy before an emulator. The host's name in a request stays, so that signatures of EC2 stay right."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            upstream = http.client.HTTPConnection("127.0.0.1", emulator.port, timeout=60)
            with contextlib.closing(upstream):
                upstream.request(self.command, self.path, sent or None, dict(self.headers))
                answer = upstream.getresponse()
                body = rewriter.change(_command(self.path, sent), answer.status, answer.read())
            self.send_response_only(answer.status, answer.reason)
            for name in ("Content-Type", "Date"):
                if answer.getheader(name):
                    self.send_header(name, str(answer.getheader(name)))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _serve

        def log_message(self, *_args: object) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    server = Server(("127.0.0.1", 0), Handler)
    rewriter = Rewriter(emulator, server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield rewriter
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _command(path: str, sent: bytes) -> str:
    text = f"{urllib.parse.urlsplit(path).query}&{sent.decode('latin-1')}"
    params = dict(urllib.parse.parse_qsl(text))
    return params.get("command", params.get("Action", ""))

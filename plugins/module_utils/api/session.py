# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session of requests whose answers have bounds in time and size, and that tells what failed before anything was sent."""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import typing as t
import warnings
import zlib

from .deadline import Deadline
from .errors import BadAnswer, TooLarge

# Bytes of an answer that are read, counted as they come and unpacked: a full page of 500 objects has 64 kB for each. A
# machine with all its groups and tags takes 2 to 20.
LARGEST_ANSWER = 32 * 2**20
_PIECE = 2**16


def open_session(url: str, verify: bool | str) -> t.Any:
    """Return a new session for requests to ``url``; ``verify`` is what will be given with each of them."""
    import requests

    class Adapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            _use_connections(self.poolmanager)

        def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
            return _use_connections(super().proxy_manager_for(*args, **kwargs))

    session = requests.Session()
    session.auth = _signed_already  # otherwise requests would add what ~/.netrc has for this host
    session.headers["Accept-Encoding"] = "gzip"  # what `read_body` can unpack
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter())
    if verify is False:
        _say_it_once(url)
    return session


def read_body(answer: t.Any, command: str) -> bytes:
    """Read an answer of requests, made with ``stream``, to its end, and return its body unpacked.

    Raises ``TooLarge`` for more than ``LARGEST_ANSWER``, ``BadAnswer`` for what can't be unpacked, and what urllib3 and the
    socket raise where the connection breaks or is too slow.
    """
    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise BadAnswer(f"{command}: the answer is packed in a way that was not asked for", command, answer.status_code)
    unpacker = None if encoding == "identity" else zlib.decompressobj(16 + zlib.MAX_WBITS)
    answer.raw.enforce_content_length = True  # urllib3 1 takes what ends too soon for complete
    pieces: list[bytes] = []
    left = packed = LARGEST_ANSWER
    while True:
        # Not unpacked by urllib3: few versions of it have a bound for what a small piece may become.
        piece = answer.raw.read(_PIECE, decode_content=False)
        if not piece:
            break
        packed -= len(piece)
        if unpacker:
            try:
                piece = b"" if unpacker.eof else unpacker.decompress(piece, left + 1)
            except zlib.error:
                raise BadAnswer(f"{command}: the answer can't be unpacked", command, answer.status_code) from None
        left -= len(piece)
        if min(left, packed) < 0:
            raise TooLarge(
                f"{command}: the answer is larger than {LARGEST_ANSWER // 2**20} MiB, and is not read",
                command,
                answer.status_code,
            )
        pieces.append(piece)
    if unpacker and pieces and not unpacker.eof:
        raise BadAnswer(f"{command}: the answer ends before it is complete", command, answer.status_code)
    return b"".join(pieces)


class _TimedReader(io.RawIOBase):
    """The reading side of a socket, which ends at a deadline. The socket's own timeout is for each read alone."""

    def __init__(self, raw: t.Any, sock: t.Any, timeout: float) -> None:
        self._raw = raw
        self._sock = sock
        self._timeout = timeout
        self._deadline = Deadline(timeout)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        remaining = self._deadline.remaining()
        if not remaining:
            raise socket.timeout("timed out")
        self._sock.settimeout(remaining)
        try:
            count: int | None = self._raw.readinto(buffer)
            return count
        finally:
            self._sock.settimeout(self._timeout)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer that must be complete, head and body, within the timeout that its socket has when it begins."""

    def __init__(self, sock: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(sock, *args, **kwargs)
        timeout = sock.gettimeout()
        if timeout:
            self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, timeout))


class _Connection:
    """Goes before a connection class of urllib3, whose exceptions do not always tell whether anything was sent.

    A ``NewConnectionError`` does. The exceptions that certificates lead to are left: they come from here alone.
    """

    response_class = _Answer

    def connect(self) -> None:
        from urllib3.exceptions import NewConnectionError, SSLError

        try:
            super().connect()  # type: ignore[misc]
        except ssl.SSLCertVerificationError:
            raise
        except (OSError, http.client.HTTPException, SSLError) as error:
            raise NewConnectionError(t.cast(t.Any, self), "nothing was sent") from error


def _use_connections(manager: t.Any) -> t.Any:
    """Make the pools of a urllib3 manager use connections as above; return the manager."""
    pools = manager.pool_classes_by_scheme
    if not any(issubclass(pool.ConnectionCls, _Connection) for pool in pools.values()):
        manager.pool_classes_by_scheme = {
            scheme: type(
                pool.__name__,
                (pool,),
                {"ConnectionCls": type(pool.ConnectionCls.__name__, (_Connection, pool.ConnectionCls), {})},
            )
            for scheme, pool in pools.items()
        }
    return manager


def _signed_already(request: t.Any) -> t.Any:
    return request


def _say_it_once(url: str) -> None:
    """Leave it to the caller to warn of certificates that are not verified: urllib3 would at each request to this host."""
    from urllib.parse import urlsplit

    from urllib3.exceptions import InsecureRequestWarning

    host = re.escape(str(urlsplit(url).hostname))
    warnings.filterwarnings(
        "ignore", f"Unverified HTTPS request is being made to host '{host}'", InsecureRequestWarning
    )

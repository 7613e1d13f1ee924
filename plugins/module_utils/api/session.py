# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session of requests with limits for the time and size of answers, and clear errors where nothing was sent."""

from __future__ import annotations

import contextlib
import http.client
import io
import re
import socket
import ssl
import threading
import typing as t
import warnings
import weakref
import zlib

from .deadline import Deadline
from .errors import BadAnswer, TooLarge

# The most bytes of an answer, both compressed and not: 64 kB for each of the 500 objects on a full page. A machine with all
# its groups and tags takes 2 to 20 kB.
LARGEST_ANSWER = 32 * 2**20
_PIECE = 2**16


class Sessions:
    """The sessions of the threads of one client, or of several clients of one account. Each thread has its own.

    ``is_stopped``: nothing more may be sent.
    """

    def __init__(self) -> None:
        self.is_stopped = False
        self._threads = threading.local()
        self._connections: weakref.WeakSet[t.Any] = weakref.WeakSet()

    def get(self, address: str, url: str, verify: bool | str) -> t.Any:
        """Return this thread's session for the API whose address this option holds. The first use opens it."""
        session = getattr(self._threads, address, None)
        if session is None:
            session = open_session(url, verify, self)
            setattr(self._threads, address, session)
        return session

    def close(self, address: str) -> None:
        """Close this thread's connections to an API. The next request opens another one."""
        session = getattr(self._threads, address, None)
        if session is not None:
            session.close()

    def take(self, connection: t.Any) -> None:
        """Take in a connection that is open now. Raises ``OSError`` if nothing more may be sent."""
        self._connections.add(connection)
        if self.is_stopped:
            raise OSError("the task has been broken off")

    def stop(self) -> None:
        """Break off all requests of all threads. They get an error at once, and nothing more is sent."""
        self.is_stopped = True
        for connection in list(self._connections):
            sock = getattr(connection, "sock", None)
            if sock is not None:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)


def open_session(url: str, verify: bool | str, sessions: Sessions) -> t.Any:
    """Return a new session for requests to ``url``. ``verify`` is the setting that each request will have."""
    import requests

    # Weak, so that nothing keeps the sessions: their connections are closed as soon as nobody needs them.
    owner = weakref.ref(sessions)

    class Adapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            _use_connections(self.poolmanager, owner)

        def proxy_manager_for(self, *args: t.Any, **kwargs: t.Any) -> t.Any:
            return _use_connections(super().proxy_manager_for(*args, **kwargs), owner)

    session = requests.Session()
    session.auth = _signed_already  # otherwise requests adds the credentials for this host from ~/.netrc
    session.headers["Accept-Encoding"] = "gzip"  # `read_body` can decompress it
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter())
    if verify is False:
        _silence_warnings(url)
    return session


def read_body(answer: t.Any, command: str) -> bytes:
    """Read an answer of requests, made with ``stream``, to its end, and return its body decompressed.

    Raises ``TooLarge`` for more than ``LARGEST_ANSWER``, ``BadAnswer`` for a body that can't be decompressed, and the errors
    of urllib3 and the socket where the connection breaks or is too slow.
    """

    def bad(why: str) -> BadAnswer:
        return BadAnswer(f"{command}: the answer {why}", command, answer.status_code)

    encoding = answer.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise bad("is packed in a way that was not asked for")
    unpacker = None if encoding == "identity" else zlib.decompressobj(16 + zlib.MAX_WBITS)
    answer.raw.enforce_content_length = True  # urllib3 1 takes a body that ends too soon for complete
    pieces: list[bytes] = []
    left = packed = LARGEST_ANSWER
    # Not decompressed by urllib3: few of its versions limit the size that a small piece may become.
    for piece in iter(lambda: answer.raw.read(_PIECE, decode_content=False) or b"", b""):
        packed -= len(piece)
        try:
            unpacked = _unpack(unpacker, piece, left + 1)
        except zlib.error:
            raise bad("can't be unpacked") from None
        left -= len(unpacked)
        if min(left, packed) < 0:
            message = f"{command}: the answer is larger than {LARGEST_ANSWER // 2**20} MiB, and is not read"
            raise TooLarge(message, command, answer.status_code)
        pieces.append(unpacked)
    if unpacker and pieces and not unpacker.eof:
        raise bad("ends before it is complete")
    return b"".join(pieces)


def _unpack(unpacker: t.Any, piece: bytes, most: int) -> bytes:
    """Return a piece of the body, decompressed to at most so many bytes. ``unpacker`` is ``None`` for a plain body."""
    if unpacker is None:
        return piece
    return b"" if unpacker.eof else unpacker.decompress(piece, most)


class _TimedReader(io.RawIOBase):
    """The reading side of a socket, with a deadline for all reads together. The socket's own timeout is for each read."""

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
    """An answer whose head and body must come within the timeout that the socket has at the beginning."""

    def __init__(self, sock: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(sock, *args, **kwargs)
        timeout = sock.gettimeout()
        if timeout:
            self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock, timeout))


class _Connection:
    """Mixed into a connection class of urllib3, whose exceptions do not always tell whether anything was sent.

    A ``NewConnectionError`` tells that nothing was sent. Exceptions about certificates stay: they can come only from here.
    """

    response_class = _Answer
    owner: weakref.ref[Sessions]

    def connect(self) -> None:
        from urllib3.exceptions import NewConnectionError, SSLError

        try:
            super().connect()  # type: ignore[misc]
            sessions = self.owner()
            if sessions is not None:
                sessions.take(self)
        except ssl.SSLCertVerificationError:
            raise
        except (OSError, http.client.HTTPException, SSLError) as error:
            raise NewConnectionError(t.cast(t.Any, self), "nothing was sent") from error


def _use_connections(manager: t.Any, owner: weakref.ref[Sessions]) -> t.Any:
    """Make the pools of a urllib3 manager use connections with this mixin. Return the manager."""
    pools = manager.pool_classes_by_scheme
    if not any(issubclass(pool.ConnectionCls, _Connection) for pool in pools.values()):
        manager.pool_classes_by_scheme = {
            scheme: type(
                pool.__name__,
                (pool,),
                {
                    "ConnectionCls": type(
                        pool.ConnectionCls.__name__, (_Connection, pool.ConnectionCls), {"owner": owner}
                    )
                },
            )
            for scheme, pool in pools.items()
        }
    return manager


def _signed_already(request: t.Any) -> t.Any:
    return request


def _silence_warnings(url: str) -> None:
    """Stop urllib3's warnings of certificates that are not verified, at each request to this host. The caller warns once."""
    from urllib.parse import urlsplit

    from urllib3.exceptions import InsecureRequestWarning

    host = re.escape(str(urlsplit(url).hostname))
    warnings.filterwarnings(
        "ignore", f"Unverified HTTPS request is being made to host '{host}'", InsecureRequestWarning
    )

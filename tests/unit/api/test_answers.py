# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers over the wire: bounded in time and size, and never misread."""

from __future__ import annotations

import gzip
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import (
    ApiError,
    BadAnswer,
    Client,
    CloudnError,
    Deadline,
    UnknownOutcome,
    session,
)
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

ZONES = b'{"listzonesresponse": {"count": 1, "zone": [{"id": "1", "name": "a"}]}}'
PARSED = {"count": 1, "zone": [{"id": "1", "name": "a"}]}
READ, CHANGE = "listZones", "deployVirtualMachine"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def head(length: int, *more: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % length, *more, b"", b""])


def client(wire: Any, **options: Any) -> Client:
    return Client(
        wire.url, "the-api-key", "the-secret-key", **{"retries": 0, "sleep": lambda _seconds: None, **options}
    )


# In time

DRIPS: dict[str, tuple[bytes, bytes]] = {
    "head": (b"", head(len(ZONES)) + ZONES),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 50),
    "body": (head(len(ZONES)), ZONES),
    "chunks": (CHUNKED, b"".join(b"1\r\n%c\r\n" % byte for byte in ZONES)),
    "go on": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 20),
    "without length": (b"HTTP/1.1 200 OK\r\n\r\n", ZONES),
    "packed": (head(500, b"Content-Encoding: gzip"), gzip.compress(ZONES)),
}


@pytest.mark.parametrize("kind", DRIPS)
@pytest.mark.parametrize("command", [READ, CHANGE])
def test_an_answer_that_drips_has_one_timeout(wire: Any, kind: str, command: str) -> None:
    """Each byte comes well within the timeout, and so does each read of the socket. So only a limit for all of them ends it."""
    at_once, slowly = DRIPS[kind]

    def drip(connection: socket.socket) -> None:
        connection.sendall(at_once)
        for byte in slowly:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    wire.answer = drip
    start = time.monotonic()
    with pytest.raises(UnknownOutcome, match=rf"{command}: no complete answer within 0\.2 s \(api_timeout\)"):
        client(wire, timeout=0.2).call(command)
    assert time.monotonic() - start >= 0.2
    assert len(wire.heads) == 1


def test_an_answer_that_drips_ends_soon_after_the_deadline(wire: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer takes less than the timeout, and is none of this API. It is not read to its end."""
    monkeypatch.setattr("ansible_collections.cloudn.compute.plugins.module_utils.api.transport.LAST_LOOK", 0.2)

    def drip(connection: socket.socket) -> None:
        for byte in head(10**6) + b" " * 500:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    wire.answer = drip
    with pytest.raises(CloudnError, match=r"listZones: no (complete )?answer"):
        client(wire, timeout=60, retries=9).call(READ, deadline=Deadline(0.1))


def test_the_next_request_has_its_full_time(script: Any, connect: Callable[..., Client]) -> None:
    """The next answer on a connection gets its full time, not the rest of the time before."""
    script.answers = [(200, {}, ZONES)]
    kept = connect(timeout=2)
    for _call in range(3):
        assert kept.call(READ) == PARSED
        time.sleep(0.8)
    assert len(script.connections) == 1


# Whole


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")


BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "no body": head(len(ZONES)),
    "half a body": head(len(ZONES)) + ZONES[:30],
    # A whole answer, as far as its own syntax goes.
    "a body too short": head(len(ZONES) + 10) + ZONES,
    "half a chunk": CHUNKED + b"20\r\n" + ZONES[:20],
    "chunks without an end": CHUNKED + b"%x\r\n%s\r\n" % (len(ZONES), ZONES),
    "a chunk of no size": CHUNKED + b"xyz\r\n" + ZONES,
    "a chunk of a negative size": CHUNKED + b"-%x\r\n" % len(ZONES) + ZONES,
    "half a packed body": head(500, b"Content-Encoding: gzip") + gzip.compress(ZONES * 20)[:40],
    "packed, and cut": head(40, b"Content-Encoding: gzip") + gzip.compress(ZONES * 20)[:40],
    "packed, but not so": head(len(ZONES), b"Content-Encoding: gzip") + ZONES,
    "packed in another way": head(40, b"Content-Encoding: br") + b"x" * 40,
    "packed twice": head(40, b"Content-Encoding: gzip, gzip") + b"x" * 40,
    "two lengths": head(len(ZONES), b"Content-Length: 7") + ZONES,
    "no length": b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
    "many headers": head(len(ZONES), *[b"X: y"] * 500) + ZONES,
    "a long header": head(len(ZONES), b"X: " + b"y" * 100_000) + ZONES,
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n" * 10,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00" * 30,
}


@pytest.mark.parametrize("ending", ["closed", "reset"])
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_answer_leaves_the_outcome_open(wire: Any, kind: str, ending: str) -> None:
    def answer(connection: socket.socket) -> None:
        connection.sendall(BROKEN[kind])
        if ending == "reset":
            reset(connection)

    wire.answer = answer
    with pytest.raises(UnknownOutcome, match=rf"^{CHANGE}: "):
        client(wire, retries=3).call(CHANGE)
    assert len(wire.heads) == 1  # never sent again
    with pytest.raises(UnknownOutcome, match=rf"^{READ}: "):
        client(wire, retries=1).call(READ)
    assert len(wire.heads) in (2, 3)  # on a connection that is closed meanwhile, the second does not arrive


@pytest.mark.parametrize("retry_after", ["²", "-1", "1e9", "soon", "9" * 500, "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_odd_pauses_that_are_asked_for_are_bounded(script: Any, client: Client, clock: Any, retry_after: str) -> None:
    script.answers = [(429, {"Retry-After": retry_after}, b""), (200, {}, ZONES)]
    assert client.call(READ) == PARSED
    assert 0 < clock.pauses[0] <= 60


@pytest.mark.parametrize(
    "date", ["", "x", "Mon, 01 Jan 0001 00:00:00 +2359", "Mon, 99 Foo 99999 99:99:99 +9999", "1 2 3 4 5 6 7", "²"]
)
def test_odd_dates_do_no_harm(script: Any, client: Client, date: str) -> None:
    script.answers = [(200, {"Date": date}, ZONES)]
    assert client.call(READ) == PARSED
    assert client.service_time() > 0


HEADERS = st.lists(
    st.sampled_from(
        [
            b"Content-Length: 20",
            b"Content-Length: -1",
            b"Content-Length: 99999999999999999999",
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: gzip, chunked",
            b"Content-Encoding: gzip",
            b"Content-Encoding: ",
            b"Content-Type: text/xml; charset=utf-16",
            b"Connection: close",
            b"Location: http://127.0.0.1:9/",
            b"Date: x",
            b"Retry-After: \xb2",
            b": nameless",
            b" folded",
            b"\xff\xfe: \x00",
            b"Set-Cookie: a=b; domain=.example.com",
        ]
    ),
    max_size=4,
)
LINE = st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2", b"", b"XTTP/1.1"])
STATUS = st.sampled_from(
    [b"200", b"204", b"301", b"304", b"401", b"407", b"429", b"431", b"503", b"999", b"99", b"", b"\xff"]
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(LINE, STATUS, HEADERS, st.sampled_from([ZONES, b"", gzip.compress(ZONES)]) | st.binary(max_size=50))
@example(b"HTTP/1.1", b"200", [b"Content-Length: 1, 2"], ZONES)
def test_any_answer_is_a_value_or_a_typed_error(
    wire: Any, line: bytes, status: bytes, headers: list[bytes], body: bytes
) -> None:
    """The client returns a value, or an error: a refusal or an unknown outcome, as the request did arrive."""
    wire.answer = b"\r\n".join([line + b" " + status + b" Said", *headers, b"", body])
    wire.heads.clear()
    for command in (READ, CHANGE):
        error = None
        try:
            client(wire, timeout=0.5).call(command)
        except CloudnError as raised:
            error = raised
        if error:
            assert error.message.startswith(f"{command}: ")
            assert isinstance(error, (ApiError, UnknownOutcome)) or error.status in (407, 429)
    # After a 401 to what changes something, a reading command shows whether the credentials hold.
    sent = [command for head in wire.heads for command in (READ, CHANGE) if f"command={command}&".encode() in head]
    assert sent in ([READ, CHANGE], [READ, CHANGE, READ])


# Not too large


def bomb(size: int) -> bytes:
    """Return an answer with so many blanks around it, compressed to a thousandth."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    blanks = b" " * 2**20
    return (
        b"".join(packer.compress(blanks) for _number in range(size // 2**20)) + packer.compress(ZONES) + packer.flush()
    )


def endless(connection: socket.socket) -> None:
    connection.sendall(CHUNKED)
    piece = b"%x\r\n%s\r\n" % (2**16, b" " * 2**16)
    for _number in range(2000):
        connection.sendall(piece)


def packed(connection: socket.socket) -> None:
    body = bomb(200 * 2**20)
    connection.sendall(head(len(body), b"Content-Encoding: gzip") + body)


def packed_nothing(connection: socket.socket) -> None:
    """Send empty blocks of deflate for ever: bytes that unpack to nothing."""
    start = gzip.compress(b"")[:10]
    connection.sendall(CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"))
    piece = start
    for _number in range(2000):
        connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        piece = b"\x00\x00\x00\xff\xff" * 13107


@pytest.mark.parametrize("answer", [endless, packed, packed_nothing])
@pytest.mark.parametrize("command", [READ, CHANGE])
def test_a_large_answer_is_not_read(
    wire: Any, monkeypatch: pytest.MonkeyPatch, answer: Callable[[socket.socket], None], command: str
) -> None:
    monkeypatch.setattr(session, "LARGEST_ANSWER", 2**20)
    wire.answer = answer
    tracemalloc.start()
    try:
        with pytest.raises(BadAnswer, match=f"{command}: the answer is larger than 1 MiB, and is not read"):
            client(wire, retries=5).call(command)
        assert tracemalloc.get_traced_memory()[1] < 6 * 2**20
    finally:
        tracemalloc.stop()
    assert len(wire.heads) == 1  # another would be as large


@pytest.mark.parametrize("encoding", ["identity", "gzip", "x-gzip", "GZIP"])
@pytest.mark.parametrize("too_long", [0, 1])
def test_the_limit_of_an_answers_size_is_exact(
    script: Any, connect: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, encoding: str, too_long: int
) -> None:
    monkeypatch.setattr(session, "LARGEST_ANSWER", 200_000)
    body = ZONES + b" " * (200_000 - len(ZONES) + too_long)
    content = body if encoding == "identity" else gzip.compress(body)
    script.answers = [(200, {"Content-Encoding": encoding}, content)]
    if too_long:
        with pytest.raises(BadAnswer, match="larger"):
            connect().call(READ)
    else:
        assert connect().call(READ) == PARSED


def test_a_large_redirect_is_still_a_redirect(script: Any, client: Client) -> None:
    script.answers = [(302, {"Location": "http://127.0.0.1:9/"}, b" " * 10**6)]
    with pytest.raises(BadAnswer, match="redirects"):
        client.call(READ)


def test_compressed_answers_are_asked_for_and_read(script: Any, client: Client) -> None:
    script.answers = [(200, {"Content-Encoding": "gzip"}, gzip.compress(ZONES))]
    for _call in range(2):
        assert client.call(READ) == PARSED
    assert script.headers[0]["Accept-Encoding"] == "gzip"
    assert len(script.connections) == 1

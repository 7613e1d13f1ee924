# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS with a real server and a private authority: whom the client trusts, and what its errors say."""

from __future__ import annotations

import os
import pathlib
import re
import socket
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, NotSent, UnknownOutcome, UsageError
from certificates import DAY, HERE, Authority
from cryptography import x509
from servers import Script, Wire, serving

ZONES = b'{"ROOT": {"count": 1, "zone": [{"id": "1", "name": "a"}]}}'
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
UNTRUSTED = "it is not from an authority that this machine trusts; give the authority's certificate with ca_path"


@pytest.fixture
def authority(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    for variable in BUNDLES:
        monkeypatch.delenv(variable, raising=False)
    return Authority(tmp_path)


@pytest.fixture
def server(authority: Authority) -> Iterator[Script]:
    with serving(authority.context()) as script:
        script.answers = [(200, {}, ZONES)]
        yield script


def client(server: Any, **options: Any) -> Client:
    def sleep(_seconds: float) -> None:
        raise AssertionError("it tries again")

    return Client(server.url, "the-api-key", "the-secret-key", **{"sleep": sleep, **options})


def test_certificates_are_verified_by_default(server: Script) -> None:
    for command in ("listZones", "deployVirtualMachine"):
        with pytest.raises(NotSent, match=f"{command}: the service's TLS certificate .*: {UNTRUSTED}"):
            client(server).call(command)
    assert server.requests == []


def test_an_authority_of_ones_own_is_trusted(server: Script, authority: Authority) -> None:
    for path in (authority.path, authority.hashed()):
        assert client(server, verify=str(path)).call("listZones")["count"] == 1
    assert len(server.requests) == 2


def test_a_certificate_of_another_authority_is_refused(server: Script, tmp_path: pathlib.Path) -> None:
    with pytest.raises(NotSent, match=UNTRUSTED):
        client(server, verify=str(Authority(tmp_path, "other").path)).call("listZones")
    assert server.requests == []


EXPIRED = {"starts": -2 * DAY, "ends": -DAY}, "it has expired; the operator of the service must renew it"
EARLY = {"starts": DAY, "ends": 2 * DAY}, "it is not valid yet; check the clocks"
NAMED = {"names": [x509.DNSName("api.example.com")]}, "it is for another host; check the name in api_url"
NAMELESS = {"names": HERE[:1]}, "it is for another host; check the name in api_url"


@pytest.mark.parametrize(
    ("certificate", "told", "host"),
    [
        (*EXPIRED, "localhost"),
        (*EARLY, "localhost"),
        (*NAMED, "localhost"),
        (*NAMED, "127.0.0.1"),
        (*NAMELESS, "127.0.0.1"),
    ],
    ids=["expired", "not yet", "another name", "a name, not the address", "one of the names, not the address"],
)
def test_a_certificate_that_is_not_in_order_is_refused_with_the_reason(
    authority: Authority, certificate: Any, told: str, host: str
) -> None:
    with serving(authority.context(**certificate)) as server:
        server.url = server.url.replace("127.0.0.1", host)
        with pytest.raises(NotSent, match=f"the service's TLS certificate could not be verified: {re.escape(told)}"):
            client(server, verify=str(authority.path)).call("listZones")
        assert server.requests == []


def test_without_verification_the_client_works_and_does_not_warn(server: Script) -> None:
    """The client works and does not warn with each request: the caller warns."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        lax = client(server, verify=False)
        for _call in range(2):
            assert lax.call("listZones")["count"] == 1
    assert said == []


@pytest.mark.parametrize("variable", BUNDLES)
def test_options_outweigh_the_environment(
    server: Script, authority: Authority, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(Authority(tmp_path, "other").path))
    for verify in (str(authority.path), False):
        assert client(server, verify=verify).call("listZones")["count"] == 1
    with pytest.raises(NotSent, match=UNTRUSTED):
        client(server).call("listZones")
    monkeypatch.setenv(variable, "/nonexistent/bundle.pem")
    for verify in (str(authority.path), False):
        assert client(server, verify=verify).call("listZones")["count"] == 1
    with pytest.raises(
        UsageError, match="REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE in the environment leads to no certificates"
    ):
        client(server).call("listZones")


@pytest.mark.parametrize("variable", BUNDLES)
def test_the_environment_names_the_authorities_by_default(
    server: Script, authority: Authority, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(authority.path))
    assert client(server).call("listZones")["count"] == 1


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("missing", r"ca_path: '/.*/missing.pem' can't be read: No such file or directory"),
        ("folder", r"ca_path: the folder /.* has no certificates under names made of their hashes; run `openssl rehash`"),
        ("text", r"ca_path: /.* holds no certificates in PEM form"),
        ("empty", r"ca_path: /.* holds no certificates in PEM form"),
        ("null", r"ca_path: 'a\\x00b' can't be read: it is no path"),
    ],
)  # fmt: skip
def test_unusable_authorities_are_reported_before_a_request(tmp_path: pathlib.Path, kind: str, told: str) -> None:
    """The client reports it before it sends anything. requests would report it too late, or blame the service."""
    path = tmp_path / f"{kind}.pem"
    if kind == "folder":
        path.mkdir()
        (path / "authority.pem").write_bytes(b"-----BEGIN CERTIFICATE-----")
    elif kind in ("text", "empty"):
        path.write_text("no certificate" if kind == "text" else "")
    with pytest.raises(UsageError, match=told):
        Client("https://127.0.0.1:9/", "k", "s", verify="a\0b" if kind == "null" else str(path))


def test_a_port_without_tls_is_reported(script: Any) -> None:
    script.answers = [(200, {}, ZONES)]
    script.url = script.url.replace("http:", "https:")
    with pytest.raises(
        NotSent, match=r"no TLS connection could be made \([A-Z_]+\); check whether https:// and the port"
    ):
        client(script).call("deployVirtualMachine")
    assert script.requests == []


@pytest.mark.parametrize("ending", [b"", b"\x01\0\0\0\0\0\0\0"], ids=["closed", "reset"])
def test_a_handshake_that_breaks_is_tried_again(authority: Authority, ending: bytes) -> None:
    """Nothing was sent, so a change may be sent again. It happens when a service restarts."""
    context = authority.context()
    broken = []

    class Breaking:
        def wrap_socket(self, connection: socket.socket, server_side: bool) -> socket.socket:
            if len(broken) < 2:
                broken.append(connection)
                if ending:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ending)
                connection.close()
                raise OSError
            return context.wrap_socket(connection, server_side=server_side)

    with serving(Breaking()) as server:
        server.answers = [(200, {}, b'{"ROOT": {"jobid": "j"}}')]
        patient = client(server, verify=str(authority.path), sleep=lambda _seconds: None)
        assert patient.call("deployVirtualMachine") == {"jobid": "j"}
        assert (len(broken), len(server.requests)) == (2, 1)


def garbage(connection: socket.socket) -> None:
    """Send text without TLS in the middle of a TLS connection."""
    with socket.socket(fileno=os.dup(connection.fileno())) as plain:
        plain.sendall(b"HTTP/1.1 200 OK\r\n\r\n" * 10)


def half(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + ZONES)


@pytest.mark.parametrize("answer", [garbage, half, lambda _connection: None], ids=["garbage", "half", "closed"])
def test_a_tls_connection_that_breaks_later_leaves_the_outcome_open(
    authority: Authority, answer: Callable[[socket.socket], None]
) -> None:
    """No certificate is wrong, and the request may have been done."""
    wire = Wire(authority.context())
    try:
        wire.answer = answer
        with pytest.raises(UnknownOutcome, match="deployVirtualMachine: the connection broke"):
            client(wire, verify=str(authority.path)).call("deployVirtualMachine")
        assert len(wire.heads) == 1
    finally:
        wire.close()

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxies of the environment, with a real one: the client uses them, reports failures and shows no credentials."""

from __future__ import annotations

import base64
import pathlib
import re
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import (
    BadAnswer,
    Client,
    CloudnError,
    NotSent,
    UnknownOutcome,
)
from certificates import Authority
from proxies import Proxy, proxying
from servers import Script, serving

ZONES = b'{"ROOT": {"count": 1, "zone": [{"id": "1", "name": "a"}]}}'
USER, PASSWORD = "proxy-user", "canary-proxy-password"
NAMES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with proxying() as proxy:
        yield proxy


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[Script]:
    authority = Authority(tmp_path)
    with serving(authority.context() if request.param == "https" else None) as script:
        script.answers = [(200, {}, ZONES)]
        script.verify = str(authority.path)
        yield script


def scheme(server: Script) -> str:
    return server.url.partition(":")[0]


def client(server: Script, **options: Any) -> Client:
    return Client(
        server.url, "the-api-key", "the-secret-key", **{"verify": server.verify, "sleep": lambda _s: None, **options}
    )


@pytest.mark.parametrize("upper", [True, False])
def test_the_proxy_of_the_environment_is_used(
    server: Script, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, upper: bool
) -> None:
    name = f"{scheme(server)}_proxy"
    monkeypatch.setenv(name.upper() if upper else name, f"http://{proxy.address}")
    one = client(server)
    for _call in range(2):
        assert one.call("listZones")["count"] == 1
    server.answers = [(200, {}, b'{"ROOT": {"jobid": "j"}}')]
    assert one.call("deployVirtualMachine", {"userdata": "A" * 5000})["jobid"] == "j"
    host = server.url.split("/")[2]
    assert (
        proxy.asked
        == {
            "https": [("CONNECT", host)],  # what goes through it, it does not see
            "http": [*[("GET", server.url)] * 2, ("POST", server.url)],
        }[scheme(server)]
    )
    assert server.methods == ["GET", "GET", "POST"]


def test_hosts_that_need_no_proxy_are_asked_directly(
    server: Script, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{scheme(server)}_proxy", f"http://{proxy.address}")
    monkeypatch.setenv("no_proxy", "example.com,127.0.0.1")
    assert client(server).call("listZones")["count"] == 1
    assert proxy.asked == []


def test_certificates_are_verified_behind_a_proxy(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
    with serving(Authority(tmp_path).context()) as server:
        with pytest.raises(
            NotSent, match="the service's TLS certificate could not be verified: it is not from an authority"
        ):
            Client(server.url, "k", "s").call("listZones")
        assert server.requests == []
    assert len(proxy.asked) == 1


def test_a_proxy_gets_its_credentials_and_the_service_does_not(
    server: Script, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    proxy.credentials = f"Basic {token}"
    name = f"{scheme(server)}_proxy"
    monkeypatch.setenv(name, f"http://{USER}:{PASSWORD}@{proxy.address}")
    assert client(server).call("listZones")["count"] == 1
    assert "Proxy-Authorization" not in server.headers[0]
    monkeypatch.setenv(name, f"http://{USER}:{PASSWORD}-wrong@{proxy.address}")
    for command in ("listZones", "deployVirtualMachine"):
        with pytest.raises(
            CloudnError, match=rf"{command}: .*proxy.*\(HTTP 407\); .*environment.*HTTPS_PROXY"
        ) as caught:
            client(server).call(command)
        # The tunnel for HTTPS shows that nothing was sent. Anybody may answer to HTTP.
        assert isinstance(caught.value, NotSent if scheme(server) == "https" else BadAnswer)
        hides(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [403, 502])
def test_a_proxy_that_lets_nothing_through_is_an_error_without_credentials(
    server: Script, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv(f"{scheme(server)}_proxy", f"http://{USER}:{PASSWORD}@{proxy.address}")
    proxy.status = status
    with pytest.raises(CloudnError, match=rf"deployVirtualMachine: .*\(?HTTP {status}") as caught:
        client(server, retries=2).call("deployVirtualMachine")
    hides(caught.value)
    assert server.requests == []
    if scheme(server) == "https":  # over http, nothing tells a proxy's answer from the service's
        assert isinstance(caught.value, NotSent)
        assert len(proxy.asked) == (3 if status == 502 else 1)


def test_a_proxy_that_is_not_there_is_an_error_without_credentials(
    server: Script, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv(f"{scheme(server)}_proxy", f"http://{USER}:{PASSWORD}@{nowhere}")
        with pytest.raises(
            NotSent, match=r"listZones: the proxy was not reached \(no connection\); check the proxy"
        ) as caught:
            client(server).call("listZones")
    hides(caught.value)


@pytest.mark.parametrize(
    "address", ["ftp://{0}@127.0.0.1:9", "socks9://{0}@127.0.0.1:9", "http://{0}@", "http://{0}@host:port"]
)
def test_an_unusable_proxy_is_an_error_without_credentials(
    server: Script, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(f"{scheme(server)}_proxy", address.format(f"{USER}:{PASSWORD}"))
    with pytest.raises(CloudnError, match="proxy in the environment") as caught:
        client(server).call("listZones")
    hides(caught.value)


def test_an_answer_that_a_proxy_loses_leaves_the_outcome_open(
    proxy: Proxy, script: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service has done the command. The client must not send it again."""
    monkeypatch.setenv("http_proxy", f"http://{USER}:{PASSWORD}@{proxy.address}")
    script.answers = [(200, {}, b'{"ROOT": {"jobid": "j"}}')]
    script.verify = True
    proxy.drops = True
    with pytest.raises(UnknownOutcome, match="deployVirtualMachine: the connection broke") as caught:
        client(script).call("deployVirtualMachine")
    hides(caught.value)
    assert len(script.requests) == 1


def hides(error: CloudnError) -> None:
    """Check that no part of an error shows the proxy's credentials or its address."""
    told = re.sub(r"https?://127\.0\.0\.1:\d+/client/api", "the service", repr(vars(error)) + str(error))
    for secret in (PASSWORD, USER, "127.0.0.1", base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()):
        assert secret not in told
    assert error.__suppress_context__ or error.__context__ is None

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The adversary itself: it sends the bytes that it says, delivers what it says, and shares no code with what it attacks."""

from __future__ import annotations

import ast
import pathlib
from typing import Any

import pytest
import requests
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from asked import sent_to
from attacks import ATTACKS, CHANGE
from proxy import Answer, Exchange, Proxy

HERE = pathlib.Path(__file__).parent
CREATE = "createSecurityGroup"


@pytest.fixture
def proxy(emulator: Any) -> Any:
    with Proxy(emulator.port) as running:
        yield running


@pytest.fixture
def behind(emulator: Any, proxy: Proxy) -> Client:
    """A client that reaches the emulator through the proxy."""
    return Client(f"{proxy.address}/client/api", emulator.api_key, emulator.api_secret, retries=0)


def is_there(emulator: Any) -> bool:
    return any(group.name == "web" for group in emulator.store.security_groups.values())


def test_it_forwards_requests_and_answers_as_they_are(emulator: Any, proxy: Proxy, behind: Client) -> None:
    assert behind.call(CREATE, {"name": "web"})["securitygroup"]["name"] == "web"
    assert behind.list("listSecurityGroups") == Client(emulator.url, emulator.api_key, emulator.api_secret).list(
        "listSecurityGroups"
    )
    assert [one.command for one in proxy.clear()] == [CREATE, "listSecurityGroups"]
    assert len(proxy.signatures) == 2


def test_it_sends_any_bytes(proxy: Proxy) -> None:
    proxy.attack(
        lambda _request, _nth: True,
        lambda exchange: exchange.send(b"HTTP/1.1 299 X\r\nContent-Length: 3\r\n\r\n\x00\xff!"),
    )
    answer = requests.get(f"{proxy.address}/client/api?command=listZones", timeout=10)
    assert (answer.status_code, answer.content, proxy.fired) == (299, b"\x00\xff!", 1)


def test_a_held_request_is_done_when_it_is_delivered(emulator: Any, proxy: Proxy, behind: Client) -> None:
    def hold(exchange: Exchange) -> None:
        exchange.proxy.hold(exchange.request)
        exchange.reply(Answer(504))

    proxy.attack(lambda request, nth: (request.command, nth) == (CREATE, 1), hold)
    with pytest.raises(Exception, match=CREATE):
        behind.call(CREATE, {"name": "web"})
    proxy.calm()
    assert not is_there(emulator)
    assert proxy.deliver() == 1
    assert is_there(emulator)
    assert proxy.deliver() == 0


@pytest.mark.parametrize("times", [2, 3])
def test_a_request_is_delivered_several_times(emulator: Any, proxy: Proxy, behind: Client, times: int) -> None:
    (attack,) = [
        one
        for one in ATTACKS
        if one.kind == f"delivered {'twice' if times == 2 else 'three times'}" and one.name == "one after the other"
    ]
    assert attack.at == (CHANGE,)
    proxy.attack(lambda _request, _nth: True, attack.act)
    behind.call(CREATE, {"name": "web"})
    assert sent_to(emulator) == [CREATE] * times


def test_the_attacks_are_many_and_their_names_differ() -> None:
    names = [(one.kind, one.name) for one in ATTACKS]
    assert len(set(names)) == len(names) > 350


@pytest.mark.parametrize("file", ["proxy.py", "attacks.py", "bodies.py", "clock.py"])
def test_it_shares_no_code_with_what_it_attacks(file: str) -> None:
    tree = ast.parse((HERE / file).read_text())
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {one.name for node in ast.walk(tree) if isinstance(node, ast.Import) for one in node.names}
    assert not [name for name in imported if name.startswith(("cloudn", "ansible"))]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP 429: the service's own says that nothing was done, a gateway's says nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, Deadline, NotSent, UnknownOutcome
from cloudn_emulator import Emulator

TEXT = "The given user has reached his/her account api limit, please retry after [9106] ms."
DONE = '{"deployvirtualmachineresponse": {"jobid": "j"}}'
GATEWAYS = [
    b"",
    b"<html>Too Many Requests</html>",
    b'{"message": "API rate limit exceeded"}',
    b'{"errorcode": 429, "errortext": "slow down"}',
    b'{"otherresponse": {"errorcode": 429, "errortext": "slow down"}}',
    b'{"deployvirtualmachineresponse": {"errorcode": 503, "errortext": "slow down"}}',
    b'{"deployvirtualmachineresponse": {}}',
]


def told(command: str = "deployVirtualMachine", text: str = TEXT, root: str = "") -> bytes:
    body = {
        root or f"{command.lower()}response": {"uuidList": [], "errorcode": 429, "cserrorcode": 4250, "errortext": text}
    }
    return json.dumps(body).encode()


@pytest.mark.parametrize("root", ["", "errorresponse"])
@pytest.mark.parametrize(
    ("headers", "text", "pause"),
    [({}, TEXT, 9.106), ({"Retry-After": "7"}, TEXT, 7.0), ({"Retry-After": "7"}, "no time here", 7.0)],
)
def test_a_change_that_the_service_has_not_done_is_sent_again_when_it_says(
    script: Any, client: Client, clock: Any, headers: dict[str, str], text: str, pause: float, root: str
) -> None:
    script.answers = [(429, headers, told(text=text, root=root))]
    script.json(DONE)
    assert client.call("deployVirtualMachine", deadline=Deadline(60, client.clock)) == {"jobid": "j"}
    assert clock.pauses == [pause]


def test_without_a_time_there_are_short_pauses(script: Any, client: Client, clock: Any) -> None:
    script.answers = [(429, {}, told(text="slow down"))] * 3
    script.json(DONE)
    assert client.call("deployVirtualMachine") == {"jobid": "j"}
    assert len(clock.pauses) == 3 and max(clock.pauses) <= 10


def test_only_the_deadline_ends_the_tries(script: Any, client: Client, clock: Any) -> None:
    script.answers = [(429, {}, told())] * 20
    script.json(DONE)
    assert client.call("deployVirtualMachine", deadline=Deadline(600, client.clock)) == {"jobid": "j"}
    assert len(clock.pauses) == 20


def test_the_wait_never_goes_beyond_the_deadline(script: Any, client: Client, clock: Any) -> None:
    script.answers = [(429, {}, told())] * 20
    expected = r"next try would be in 9.106 s.*20 s .wait_timeout. ends in 2 s. Nothing was done. Raise wait_timeout"
    with pytest.raises(NotSent, match=expected):
        client.call("deployVirtualMachine", deadline=Deadline(20, client.clock))
    assert len(clock.pauses) == 2


@pytest.mark.parametrize("body", GATEWAYS)
def test_nobody_knows_what_became_of_a_change_that_a_gateway_turned_away(
    script: Any, client: Client, clock: Any, body: bytes
) -> None:
    script.answers = [(429, {"Retry-After": "3"}, body)]
    with pytest.raises(UnknownOutcome, match="deployVirtualMachine: a server takes no more requests for now .HTTP 429"):
        client.call("deployVirtualMachine")
    assert len(script.requests) == 1 and clock.pauses == []


@pytest.mark.parametrize("body", GATEWAYS)
def test_a_read_that_a_gateway_turned_away_is_sent_again(script: Any, client: Client, clock: Any, body: bytes) -> None:
    script.answers = [(429, {"Retry-After": "3"}, body)]
    script.json('{"listzonesresponse": {}}')
    assert client.call("listZones") == {}
    assert clock.pauses == [3.0]


def test_the_emulator_throttles_an_account_as_the_service_does() -> None:
    limits = {"api.throttling.enabled": "true", "api.throttling.interval": "10", "api.throttling.max": "5"}
    pauses: list[float] = []
    with Emulator(generation="4", server=limits) as emulator:
        client = Client(emulator.url, emulator.api_key, emulator.api_secret, sleep=pauses.append, retries=0)
        for _request in range(5):
            client.call("listZones")
        with pytest.raises(NotSent, match=r"createSecurityGroup: .*retry after \[\d+\] ms"):
            client.call("createSecurityGroup", {"name": "one too many"})
        refused = emulator.requests[-1]
        assert (refused["command"], refused["status"]) == ("createSecurityGroup", 429)
        assert [group.name for group in emulator.store.security_groups.values()] == ["default", "default"]

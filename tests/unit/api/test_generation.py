# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generation of the service, what it offers, and commands that it does not know."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import ApiError, Client, NotGranted
from ansible_collections.cloudn.compute.plugins.module_utils.api.commands import nearest
from cloudn_emulator import Emulator


def connected(emulator: Emulator) -> Client:
    return Client(emulator.url, emulator.api_key, emulator.api_secret)


@pytest.mark.parametrize("generation", ["3", "4"])
def test_the_generation_is_asked_for_once(generation: str) -> None:
    with Emulator(generation=generation) as emulator:
        client = connected(emulator)
        assert [client.generation(), client.generation()] == [int(generation)] * 2
        assert [request["command"] for request in emulator.requests] == ["listCapabilities"]


@pytest.mark.parametrize(
    ("version", "generation"),
    [("4.11.3.0", 4), ("2.2.14", 2), ("10.1", 10), ("", 3), ("unknown", 3)],
)
def test_the_major_number_counts(script: Any, client: Client, version: str, generation: int) -> None:
    script.json(f'{{"listcapabilitiesresponse": {{"capability": {{"cloudstackversion": "{version}"}}}}}}')
    assert client.generation() == generation


def test_a_service_that_does_not_tell_counts_as_3(script: Any, client: Client) -> None:
    script.json('{"errorresponse": {"errorcode": 432, "errortext": "no"}}', status=432)
    assert client.generation() == 3


@pytest.mark.parametrize(
    ("generation", "command", "offered"),
    [
        ("4", "resizeVolume", True),
        ("4", "resizeVolumes", False),
        ("3", "resizeVolume", False),
        ("4", "listZones", True),
    ],
)
def test_what_a_service_offers_is_asked_for_once(generation: str, command: str, offered: bool) -> None:
    with Emulator(generation=generation) as emulator:
        client = connected(emulator)
        assert [client.offers(command), client.offers(command)] == [offered] * 2
        assert 1 <= len(emulator.requests) <= 3


@pytest.mark.parametrize("generation", ["3", "4"])
@pytest.mark.parametrize(
    ("command", "meant"),
    [("listVirtualMachine", "listVirtualMachines"), ("listzones", "listZones"), ("deployVm", None), ("frob", None)],
)
def test_a_mistyped_command_is_told_as_such(generation: str, command: str, meant: str | None) -> None:
    with Emulator(generation=generation) as emulator:
        client = connected(emulator)
        with pytest.raises(NotGranted) as refused:
            client.call(command)
        assert "check api_key" not in refused.value.message
        assert (f"Is {meant} meant?" in refused.value.message) is bool(meant)
        before = len(emulator.requests)
        with pytest.raises(NotGranted):
            client.call(command)
        assert len(emulator.requests) - before <= (generation == "3")


@pytest.mark.parametrize("generation", ["3", "4"])
@pytest.mark.parametrize("dialect", ["cloudstack", "cloudn"])
def test_both_names_of_a_command_work(generation: str, dialect: str) -> None:
    with Emulator(generation=generation, dialect=dialect) as emulator:
        client = connected(emulator)
        assert client.list("listSnapshots") == []
        assert client.list("listSnapshots") == []
        sent = [request["command"] for request in emulator.requests]
        assert sent[-1] == ("listSnapshot" if dialect == "cloudn" else "listSnapshots")
        assert sent.count("listSnapshots" if dialect == "cloudn" else "listSnapshot") <= 2


def test_a_known_name_is_not_advised() -> None:
    assert nearest("listZones") is None
    assert nearest("ListZones") == "listZones"


def test_a_command_that_was_accepted_is_known(script: Any, client: Client) -> None:
    """Two refusals of its credentials say nothing of the next time."""
    refused = ('{"errorresponse": {"errorcode": 401, "errortext": "unable to verify user credentials"}}', 401)
    good = '{"listzonesresponse": {}}'
    script.json(good)
    for _time in range(2):
        script.json(refused[0], status=refused[1])
    script.json(good)
    assert client.call("listZones") == {}
    with pytest.raises(ApiError) as caught:
        client.call("listZones")
    assert not isinstance(caught.value, NotGranted)
    assert client.call("listZones") == {}

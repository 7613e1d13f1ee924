# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of key pairs are compared as the service does. Several pairs may hold one public key."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from asked import sent_to
from samples import KEY, NEW, OTHER_KEY

Result = dict[str, Any]
Run = Callable[..., Result]
MACHINE = {"name": "web1", **NEW}


@pytest.fixture
def register(client: Client) -> Callable[[str, str], Any]:
    """Return a function that has another client register a public key under a name."""
    return lambda name, key: client.call("registerSSHKeyPair", {"name": name, "publickey": key})


@pytest.mark.parametrize("spelling", ["Deploy", "déploy", "DEPLOY  "])
def test_a_pair_in_another_spelling_is_the_one_that_is_there(
    beats: Run, run_module: Run, client: Client, register: Any, generation: str, spelling: str
) -> None:
    """CloudStack 3 shows a machine's key pair by the name of the pair, CloudStack 4 as it was given."""
    register("deploy", KEY)
    beats("cloudn_key_pair", [], name=spelling)
    beats("cloudn_key_pair", [], name=spelling, public_key=KEY)
    assert [pair["name"] for pair in run_module("cloudn_key_pair_info", name=spelling)["key_pairs"]] == ["deploy"]
    done = beats("cloudn_vm", ["deployVirtualMachine"], **MACHINE, key_pair=spelling)
    assert done["vm"]["key_pair"] == {"3": "deploy", "4": spelling.strip()}[generation]
    beats("cloudn_vm", ["destroyVirtualMachine"], name="web1", state="absent")
    gone = beats("cloudn_key_pair", ["deleteSSHKeyPair"], name=spelling, state="absent")
    assert gone["key_pair"]["state"] == "absent"
    assert client.list("listSSHKeyPairs") == []


@pytest.fixture
def two_of_a_name(client: Client, emulator: Any) -> None:
    """Make two pairs of one name, as two runs at one moment do."""
    emulator.settings.race_ms = 100
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for name, key in (("twin", KEY), ("Twin", OTHER_KEY)):
            pool.submit(client.call, "registerSSHKeyPair", {"name": name, "publickey": key})
    emulator.settings.race_ms = 0
    assert len(client.list("listSSHKeyPairs")) == 2


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"public_key": KEY},
        pytest.param(
            {"public_key": OTHER_KEY, "force": True},
            marks=pytest.mark.generation("3", reason="pairs have ids on CloudStack 4, so all of them are known"),
        ),
    ],
)
def test_neither_of_two_pairs_of_one_name_is_chosen(
    two_of_a_name: None, run_module: Run, client: Client, emulator: Any, options: Result
) -> None:
    emulator.clear()
    done = run_module("cloudn_key_pair", name="twin", **options)
    assert done.get("failed")
    assert done["msg"].startswith("name: there are 2 key pairs twin, of the fingerprints ")
    assert all(pair["fingerprint"] in done["msg"] for pair in client.list("listSSHKeyPairs"))
    assert "state: absent" in done["msg"]
    assert {request["command"] for request in emulator.requests} == {"listSSHKeyPairs"}


def test_two_pairs_of_one_name_are_deleted_together(two_of_a_name: None, beats: Run, client: Client) -> None:
    done = beats("cloudn_key_pair", ["deleteSSHKeyPair"] * 2, name="twin", state="absent")
    assert done["actions"] == ["twin: delete (1 of 2)", "twin: delete (2 of 2)"]
    assert client.list("listSSHKeyPairs") == []


def test_a_machine_is_made_with_one_of_two_pairs_of_one_name(two_of_a_name: None, beats: Run) -> None:
    beats("cloudn_vm", ["deployVirtualMachine"], **MACHINE, key_pair="twin")


@pytest.fixture
def alike(register: Any, run_module: Run, emulator: Any) -> None:
    """A machine that was made with the later of two pairs of one public key: the service shows the first one's name."""
    register("first", KEY)
    register("second", KEY)
    register("unlike", OTHER_KEY)
    assert run_module("cloudn_vm", **MACHINE, key_pair="second")["vm"]["key_pair"] == "first"
    emulator.clear()


@pytest.mark.parametrize(
    ("name", "requests"),
    [
        ("first", ["listVirtualMachines"]),
        ("FIRST", ["listVirtualMachines"]),
        ("second", ["listVirtualMachines", "listSSHKeyPairs"]),
        ("Second", ["listVirtualMachines", "listSSHKeyPairs"]),
    ],
)
@pytest.mark.generation("3", reason="CloudStack 4 takes a public key only once")
def test_another_name_of_the_same_key_is_no_difference(
    alike: None, run_module: Run, emulator: Any, name: str, requests: list[str]
) -> None:
    done = run_module("cloudn_vm", **MACHINE, key_pair=name)
    assert (done.get("msg"), done["changed"], done["warnings"]) == (None, False, [])
    assert sent_to(emulator) == requests


@pytest.mark.generation("3", reason="CloudStack 4 takes a public key only once")
def test_a_pair_with_another_key_is_drift(alike: None, refused: Callable[..., str], run_module: Run) -> None:
    assert "key_pair is 'first', not 'unlike'" in refused("cloudn_vm", **MACHINE, key_pair="unlike")
    assert "key_pair is 'first', not 'nobody'" in refused("cloudn_vm", **MACHINE, key_pair="nobody")
    warned = run_module("cloudn_vm", **MACHINE, key_pair="unlike", on_immutable_drift="warn")
    assert "key_pair is 'first', not 'unlike'" in warned["warnings"][0]


@pytest.mark.generation("3", reason="CloudStack 4 takes a public key only once")
def test_no_pairs_are_listed_where_they_do_not_matter(alike: None, run_module: Run, emulator: Any) -> None:
    assert run_module("cloudn_vm", **MACHINE, key_pair="unlike", on_immutable_drift="ignore")["changed"] is False
    assert sent_to(emulator) == ["listVirtualMachines"]


@pytest.mark.generation("3", reason="CloudStack 4 takes a public key only once")
def test_an_account_that_may_not_list_pairs_compares_names(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(denied=["listSSHKeyPairs"]) as (run, emulator):
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        for name in ("first", "second"):
            client.call("registerSSHKeyPair", {"name": name, "publickey": KEY})
        run("cloudn_vm", **MACHINE, key_pair="second")
        assert run("cloudn_vm", **MACHINE, key_pair="First")["changed"] is False
        assert "key_pair is 'first', not 'second'" in run("cloudn_vm", **MACHINE, key_pair="second")["msg"]


@pytest.mark.generation("3", reason="CloudStack 4 shows the name that the machine was made with")
def test_the_pair_of_another_account_with_the_same_key_is_shown(run_module_as: Callable[..., Any]) -> None:
    """The service shows the first pair with the key, of any account. So nobody knows which pair the machine got."""
    with run_module_as(neighbour=True) as (run, emulator):
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        client.call("registerSSHKeyPair", {"name": "theirs", "publickey": KEY})
        next(iter(emulator.store.key_pairs.values())).owner = "neighbour"
        client.call("registerSSHKeyPair", {"name": "mine", "publickey": KEY})
        made = run("cloudn_vm", **MACHINE, key_pair="mine")
        assert made["vm"]["key_pair"] == "theirs"
        again = run("cloudn_vm", **MACHINE, key_pair="mine")
        assert (again.get("msg"), again["changed"]) == (None, False)
        assert "its key pair 'theirs' is not of this account" in again["warnings"][0]

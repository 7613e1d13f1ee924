# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_key_pair on CloudStack 3 and 4: pairs in use, keys that another pair holds, several pairs of one name."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from asked import sent_to
from samples import KEY, NEW, OTHER_KEY

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE = "cloudn_key_pair"
CREATE, REGISTER, DELETE = "createSSHKeyPair", "registerSSHKeyPair", "deleteSSHKeyPair"
NEWER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ5tiY7gCBMrZi3bHZ6bbaHUfzjvTU4kjvBoYH4cZp0Y"


@pytest.fixture
def two_of_a_name(client: Client, emulator: Any) -> None:
    """Make two pairs of one name, as two runs at one moment do."""
    emulator.settings.race_ms = 100
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for key in (KEY, OTHER_KEY):
            pool.submit(client.call, REGISTER, {"name": "twin", "publickey": key})
    emulator.settings.race_ms = 0
    assert len(client.list("listSSHKeyPairs")) == 2


def fingerprints(client: Client) -> dict[str, str]:
    return {pair["name"]: pair["fingerprint"] for pair in client.list("listSSHKeyPairs")}


def is_listed(run: Run) -> bool:
    done = run("cloudn_vm_info")
    return not done.get("failed") and not done["warnings"]


@pytest.mark.parametrize(
    ("options", "changes"),
    [({"state": "absent"}, [DELETE]), ({"public_key": OTHER_KEY, "force": True}, [DELETE, REGISTER])],
)
def test_a_pair_in_use_is_kept_where_its_machines_need_it(
    run_module: Run, beats: Run, refused: Callable[..., str], generation: str, options: Result, changes: list[str]
) -> None:
    """CloudStack 4 goes on showing a machine whose pair is gone."""
    run_module(MODULE, name="deploy", public_key=KEY)
    assert run_module("cloudn_vm", name="web1", key_pair="deploy", **NEW)["vm"]["key_pair"] == "deploy"
    if generation == "3":
        assert "VMs have the key pair deploy: web1" in refused(MODULE, name="deploy", **options)
    else:
        beats(MODULE, changes, name="deploy", **options)
    assert is_listed(run_module)


@pytest.mark.parametrize("key", [KEY, NEWER])
def test_a_refused_key_gets_advice_for_either_service(
    run_module: Run, emulator: Any, generation: str, key: str
) -> None:
    if generation == "4":
        assert not run_module(MODULE, name="first", public_key=key).get("failed")
    said = run_module(MODULE, name="second", public_key=key)
    if generation == "3" and key == KEY:
        assert said["changed"] is True
        return
    (shown,) = run_module("cloudn_key_pair_info", name="first")["key_pairs"] or [{"fingerprint": ""}]
    assert f"cloudn_key_pair_info with fingerprint {shown['fingerprint']}" in said["msg"]
    assert ("only keys of the type ssh-rsa" in said["msg"]) is (key == NEWER)
    assert ("already exists for this account" in said["msg"]) is (generation == "4")


def test_a_pair_is_not_deleted_for_a_key_that_the_service_will_refuse(
    run_module: Run, beats: Run, refused: Callable[..., str], client: Client, generation: str
) -> None:
    run_module(MODULE, name="mine", public_key=KEY)
    run_module(MODULE, name="other", public_key=OTHER_KEY)
    before = fingerprints(client)
    options = {"name": "mine", "public_key": OTHER_KEY, "force": True}
    if generation == "3":
        beats(MODULE, [DELETE, REGISTER], **options)
        return
    for broken in (False, True):
        said = refused(MODULE, **options, break_machines=broken)
        assert said.startswith("public_key: the key pair other holds this key already (")
    assert fingerprints(client) == before
    run_module(MODULE, name="other", state="absent")
    beats(MODULE, [DELETE, REGISTER], **options)


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
def test_several_pairs_of_one_name_are_replaced_by_one_on_4(
    two_of_a_name: None, beats: Run, refused: Callable[..., str], client: Client, generation: str, key: str
) -> None:
    options = {"name": "twin", "public_key": key, "force": True}
    if generation == "3":
        assert refused(MODULE, **options).startswith("name: there are 2 key pairs twin, of the fingerprints ")
        return
    done = beats(MODULE, [DELETE, DELETE, REGISTER], **options)
    assert done["actions"] == ["twin: delete (1 of 2)", "twin: delete (2 of 2)", "twin: register"]
    assert fingerprints(client) == {"twin": done["key_pair"]["fingerprint"]}


@pytest.mark.parametrize("options", [{}, {"public_key": KEY}, {"force": True}])
def test_several_pairs_of_one_name_are_left_without_force(
    two_of_a_name: None, refused: Callable[..., str], client: Client, options: Result
) -> None:
    assert refused(MODULE, name="twin", **options).startswith("name: there are 2 key pairs twin")
    assert len(client.list("listSSHKeyPairs")) == 2


def test_all_pairs_of_a_name_are_deleted(two_of_a_name: None, beats: Run, client: Client) -> None:
    beats(MODULE, [DELETE, DELETE], name="twin", state="absent")
    assert client.list("listSSHKeyPairs") == []


@pytest.mark.parametrize("fault", ["reset_after", "reset_before"])
@pytest.mark.parametrize("nth", [1, 2])
def test_an_answer_to_one_of_two_deletions_is_lost(
    two_of_a_name: None, run_module: Run, emulator: Any, client: Client, generation: str, fault: str, nth: int
) -> None:
    emulator.faults([{"kind": fault, "command": DELETE, "nth": nth}])
    options: Result = {"public_key": KEY, "force": True} if generation == "4" else {"state": "absent"}
    done = run_module(MODULE, name="twin", **options)
    assert done.get("changed"), done
    left = fingerprints(client)
    assert list(left) == (["twin"] if generation == "4" else [])
    assert run_module(MODULE, name="twin", **options)["changed"] is False


def test_two_runs_at_once_that_make_a_pair_fail_and_delete_nothing(
    run_module: Run, emulator: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No command deletes a pair by its id, on either generation. The other run sends its request beside that of the task."""
    emulator.settings.race_ms = 1000
    call, others = Client.call, []
    with concurrent.futures.ThreadPoolExecutor() as pool:

        def beside(self: Client, sent: str, *args: Any, **more: Any) -> Any:
            if sent == CREATE and not others:
                others.append(pool.submit(call, client, CREATE, {"name": "deploy"}))
                time.sleep(0.4)  # so the other one is first, and the task can see its pair
            return call(self, sent, *args, **more)

        monkeypatch.setattr(Client, "call", beside)
        failed = run_module(MODULE, name="deploy")
        others[0].result()
    assert "there are 2 key pairs deploy, of the fingerprints" in failed.get("msg", "")
    assert "private_key" not in failed["key_pair"]
    assert DELETE not in sent_to(emulator)
    assert len(client.list("listSSHKeyPairs")) == 2

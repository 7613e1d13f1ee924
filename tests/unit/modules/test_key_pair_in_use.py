# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_key_pair does not delete a pair that a machine shows: the service could not show the machine any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import ApiError, Client
from asked import sent_to
from samples import KEY, NEW, OTHER_KEY

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE = "cloudn_key_pair"
REGISTER, DELETE = "registerSSHKeyPair", "deleteSSHKeyPair"
GONE: Result = {"state": "absent"}
REPLACED: Result = {"public_key": OTHER_KEY, "force": True}


@pytest.fixture
def machines(client: Client, run_module: Run, emulator: Any) -> dict[str, str]:
    """The ids of two machines with the pair ``deploy``, and of one without."""
    client.call(REGISTER, {"name": "deploy", "publickey": KEY})
    made = run_module("cloudn_vm", name=["web1", "web2"], key_pair="deploy", **NEW)["vms"]
    made += run_module("cloudn_vm", name="db1", **NEW)["vms"]
    emulator.clear()
    return {vm["name"]: vm["id"] for vm in made}


def is_listed(client: Client) -> bool:
    try:
        client.list("listVirtualMachines")
    except ApiError:
        return False
    return True


def sent(emulator: Any) -> list[str]:
    commands = sent_to(emulator)
    emulator.clear()
    return commands


@pytest.mark.parametrize("name", ["deploy", "Deploy "])
@pytest.mark.parametrize("options", [GONE, REPLACED])
@pytest.mark.generation("3", reason="on CloudStack 4 a machine stays listed without its key pair")
def test_a_pair_in_use_is_not_deleted(
    machines: dict[str, str], refused: Callable[..., str], client: Client, name: str, options: Result
) -> None:
    said = refused(MODULE, name=name, **options)
    assert f"web1 ({machines['web1']})" in said
    assert f"web2 ({machines['web2']})" in said
    assert "db1 (" not in said
    assert "break_machines: true" in said
    assert is_listed(client)


@pytest.mark.parametrize(("options", "changes"), [(GONE, [DELETE]), (REPLACED, [DELETE, REGISTER])])
@pytest.mark.generation("3", reason="on CloudStack 4 a machine stays listed without its key pair")
def test_a_pair_in_use_is_deleted_with_break_machines(
    machines: dict[str, str], beats: Run, client: Client, emulator: Any, options: Result, changes: list[str]
) -> None:
    beats(MODULE, changes, name="deploy", break_machines=True, **options)
    assert "listVirtualMachines" not in sent(emulator)
    assert not is_listed(client)


@pytest.mark.generation("4", reason="on CloudStack 3 the account can't list its machines any more")
@pytest.mark.parametrize(("options", "changes"), [(GONE, [DELETE]), (REPLACED, [DELETE, REGISTER])])
def test_a_pair_in_use_is_deleted_where_that_is_harmless(
    machines: dict[str, str], beats: Run, client: Client, options: Result, changes: list[str]
) -> None:
    beats(MODULE, changes, name="deploy", **options)
    assert [vm.get("keypairs") for vm in client.list("listVirtualMachines")].count("deploy") == 2


@pytest.mark.parametrize(("options", "changes"), [(GONE, [DELETE]), (REPLACED, [DELETE, REGISTER])])
def test_a_pair_is_deleted_when_its_machines_are_gone(
    machines: dict[str, str], beats: Run, run_module: Run, client: Client, options: Result, changes: list[str]
) -> None:
    run_module("cloudn_vm", name=["web1", "web2"], state="absent")
    beats(MODULE, changes, name="deploy", **options)
    assert is_listed(client)


@pytest.mark.parametrize(
    ("options", "requests"),
    [
        ({"name": "deploy"}, ["listSSHKeyPairs"]),
        ({"name": "deploy", "public_key": KEY, "force": True}, ["listSSHKeyPairs"]),
        ({"name": "other", "state": "absent"}, ["listSSHKeyPairs"]),
        ({"name": "unused", "state": "absent"}, ["listSSHKeyPairs", "listVirtualMachines", DELETE]),
        ({"name": "other", "public_key": OTHER_KEY, "force": True}, ["listSSHKeyPairs", REGISTER, "listSSHKeyPairs"]),
    ],
)
def test_machines_are_looked_at_only_where_a_pair_would_go(
    machines: dict[str, str], client: Client, run_module: Run, emulator: Any, options: Result, requests: list[str]
) -> None:
    client.call("createSSHKeyPair", {"name": "unused"})
    emulator.clear()
    done = run_module(MODULE, **options)
    assert not done.get("failed"), done["msg"]
    assert sent(emulator) == requests


@pytest.mark.generation("3", reason="CloudStack 4 takes a public key only once")
def test_one_of_several_pairs_with_the_same_key_may_go(
    machines: dict[str, str], beats: Run, refused: Callable[..., str], client: Client
) -> None:
    """The machine then shows another pair with the same public key. The last one of these stays."""
    client.call(REGISTER, {"name": "again", "publickey": KEY})
    beats(MODULE, [DELETE], name="deploy", state="absent")
    assert {vm.get("keypair") for vm in client.list("listVirtualMachines")} == {"again", None}
    assert "web1" in refused(MODULE, name="again", state="absent")
    client.call(REGISTER, {"name": "later", "publickey": KEY})
    beats(MODULE, [DELETE], name="later", state="absent")
    assert is_listed(client)


@pytest.mark.generation("3", reason="on CloudStack 4 a machine stays listed without its key pair")
def test_a_machine_that_has_lost_its_pair_holds_no_other(
    machines: dict[str, str], client: Client, run_module: Run, refused: Callable[..., str]
) -> None:
    client.call(REGISTER, {"name": "unused", "publickey": OTHER_KEY})
    run_module("cloudn_vm", name="new", key_pair="unused", **NEW)
    client.call(DELETE, {"name": "deploy"})
    said = refused(MODULE, name="unused", state="absent")
    assert "new (" in said
    assert "web1 (" not in said
    run_module("cloudn_vm", name="new", state="absent")
    done = run_module(MODULE, name="unused", state="absent")
    assert done["changed"] is True
    assert len(done["warnings"]) == 2  # of the machines that have lost theirs


@pytest.mark.parametrize("same_key", [False, True])
@pytest.mark.generation("3", reason="on CloudStack 4 a machine stays listed without its key pair")
def test_several_pairs_of_one_name_are_refused_for_the_machines_of_any(
    machines: dict[str, str], beats: Run, refused: Callable[..., str], client: Client, emulator: Any, same_key: bool
) -> None:
    """Two runs at one moment made a second pair. A deletion would delete all pairs of the name."""
    pair = next(iter(emulator.store.key_pairs.values()))
    key, fingerprint = (pair.public_key, pair.fingerprint) if same_key else ("ssh-rsa AAAA", "00:11")
    second = type(pair)("00000000-0000-4000-8000-000000000001", pair.owner, "Deploy", key, fingerprint)
    emulator.store.add_key_pair(second)
    assert "web1" in refused(MODULE, name="deploy", state="absent")
    for print_ in (pair.fingerprint, fingerprint):
        assert print_ in refused(MODULE, name="deploy", **REPLACED)
    assert emulator.store.key_pairs.keys() == {pair.id, second.id}
    client.call(REGISTER, {"name": "again", "publickey": KEY})
    if same_key:
        beats(MODULE, [DELETE, DELETE], name="deploy", state="absent")
        assert is_listed(client)


@pytest.mark.generation("3", reason="on CloudStack 4 a machine stays listed without its key pair")
def test_an_administrator_sees_destroyed_machines_too(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(account="admin") as (run, emulator):
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        client.call(REGISTER, {"name": "deploy", "publickey": KEY})
        made = run("cloudn_vm", name="web1", key_pair="deploy", **NEW)["vm"]
        run("cloudn_vm", name="web1", state="absent")
        assert f"web1 ({made['id']}, Destroyed)" in run(MODULE, name="deploy", state="absent")["msg"]
        emulator.store.vms.clear()
        assert run(MODULE, name="deploy", state="absent")["changed"] is True


@pytest.mark.generation("3", reason="on CloudStack 4 a machine stays listed without its key pair")
def test_many_machines_are_named_in_short(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(vms=300) as (run, emulator):
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        client.call(REGISTER, {"name": "deploy", "publickey": KEY})
        (pair,) = emulator.store.key_pairs.values()
        for vm in emulator.store.vms.values():
            vm.public_key = pair.public_key
        said = run(MODULE, name="deploy", state="absent")["msg"]
        assert "and 280 more" in said
        assert len(said) < 2000

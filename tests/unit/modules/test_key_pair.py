# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_key_pair: made, registered, replaced, deleted; the private key is returned once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from ansible_collections.cloudn.compute.plugins.module_utils.resources.key_pair import fingerprint
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE = "cloudn_key_pair"
CREATE, REGISTER, DELETE = "createSSHKeyPair", "registerSSHKeyPair", "deleteSSHKeyPair"


def public(key: Any) -> str:
    form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    return key.public_key().public_bytes(*form).decode()


ONE, OTHER = (public(rsa.generate_private_key(public_exponent=65537, key_size=1024)) for _key in range(2))
NEWER = public(ed25519.Ed25519PrivateKey.generate())


def stored(client: Client) -> dict[str, str]:
    return {pair["name"]: pair["fingerprint"] for pair in client.list("listSSHKeyPairs")}


def test_made_by_the_service(beats: Run, client: Client, run_module: Run) -> None:
    done = beats(MODULE, [CREATE], name="deploy")
    private = serialization.load_pem_private_key(done["key_pair"]["private_key"].encode(), None)
    assert stored(client) == {"deploy": fingerprint(public(private))}
    assert done["key_pair"]["fingerprint"] == stored(client)["deploy"]
    assert done["actions"] == ["deploy: create"]
    for again in (run_module(MODULE, name="deploy"), run_module("cloudn_key_pair_info")):
        assert "PRIVATE KEY" not in str(again)


def test_registered_and_deleted(beats: Run, client: Client) -> None:
    done = beats(MODULE, [REGISTER], name="mine", public_key=f"  {ONE} me@example.com\n")
    assert stored(client) == {"mine": fingerprint(ONE)}
    assert done["key_pair"] == {"name": "mine", "fingerprint": fingerprint(ONE), "state": "present"}
    beats(MODULE, [], name="MINE", public_key=ONE)
    beats(MODULE, [], name="mine", force=True)
    gone = beats(MODULE, [DELETE], name="mine", state="absent")
    assert gone["key_pair"]["state"] == "absent"
    beats(MODULE, [], name="mine", state="absent")


def test_another_key_is_replaced_only_by_force(beats: Run, refused: Callable[..., str], client: Client) -> None:
    beats(MODULE, [REGISTER], name="mine", public_key=ONE)
    said = refused(MODULE, name="mine", public_key=OTHER)
    assert said.startswith(
        f"public_key: mine holds another key, of fingerprint {fingerprint(ONE)}, not {fingerprint(OTHER)}; set force: true"
    )
    done = beats(MODULE, [DELETE, REGISTER], name="mine", public_key=OTHER, force=True)
    assert done["diff"]["before"]["mine"]["fingerprint"] == fingerprint(ONE)
    assert stored(client) == {"mine": fingerprint(OTHER)}


def test_a_replacement_that_the_service_refuses(run_module: Run, client: Client) -> None:
    run_module(MODULE, name="mine", public_key=ONE)
    failed = run_module(MODULE, name="mine", public_key=NEWER, force=True)
    assert "registerSSHKeyPair: Public key is invalid (error 431). The key pair mine that was to be" in failed["msg"]
    assert failed["key_pair"]["state"] == "absent"
    assert stored(client) == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": " "}, "name: must not be empty"),
        ({"name": "\U0001f511"}, "name: "),
        ({"public_key": "nonsense"}, "public_key: is no public key in OpenSSH's form"),
        ({"public_key": f"{ONE}\n{OTHER}"}, "public_key: is no public key in OpenSSH's form"),
        ({"public_key": ""}, "public_key: is no public key in OpenSSH's form"),
        ({"public_key": "ssh-rsa AAAA"}, "public_key: what follows ssh-rsa is no key of that type"),
        ({"public_key": ONE.replace("ssh-rsa", "ssh-dss")}, "public_key: what follows ssh-dss is no key of that type"),
        ({"public_key": "ssh-rsa §§§"}, "public_key: what follows ssh-rsa is no key of that type"),
        ({"public_key": "-----BEGIN RSA PRIVATE KEY-----\nabc"}, "public_key: this is a private key"),
    ],
)
def test_refusals(refused: Callable[..., str], options: Result, said: str) -> None:
    assert said in refused(MODULE, **{"name": "mine", **options})


def test_an_account_without_key_pairs(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(denied=["createSSHKeyPair", "listSSHKeyPairs"]) as (run, _emulator):
        failed = run(MODULE, name="mine")
        assert (
            "listSSHKeyPairs, or does not grant it to this account: put public keys into machines by" in failed["msg"]
        )


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_listed(run_module: Run, emulator: Any, response_format: str) -> None:
    run_module(MODULE, name="one", public_key=ONE)
    run_module(MODULE, name="other", public_key=OTHER)
    emulator.clear()
    for options, names in (
        ({}, ["one", "other"]),
        ({"name": "one"}, ["one"]),
        ({"name": "on"}, []),
        ({"fingerprint": fingerprint(OTHER)}, ["other"]),
        ({"fingerprint": fingerprint(OTHER), "name": "one"}, []),
    ):
        shown = run_module("cloudn_key_pair_info", response_format=response_format, **options)["key_pairs"]
        assert sorted(pair["name"] for pair in shown) == names
    assert [request["command"] for request in emulator.requests] == ["listSSHKeyPairs"] * 5


def test_without_a_change_one_request(run_module: Run, emulator: Any) -> None:
    run_module(MODULE, name="one", public_key=ONE)
    emulator.clear()
    run_module(MODULE, name="one", public_key=ONE)
    assert [request["command"] for request in emulator.requests] == ["listSSHKeyPairs"]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_key_pair makes, registers, replaces and deletes pairs. It returns a private key once."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
import urllib3
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from ansible_collections.cloudn.compute.plugins.module_utils.resources.key_pair import fingerprint
from asked import command_of, sent_to
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


LOST = "the answer with its private key was lost"


def stored(client: Client) -> dict[str, str]:
    return {pair["name"]: pair["fingerprint"] for pair in client.list("listSSHKeyPairs")}


@pytest.fixture
def meet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Return a function that says what happens to a command's requests, one after the other, at the network's edge.

    ``before``: lost before it is done; ``after``: done, but its answer is lost; ``twice``: somebody else sends the
    same just before; ``refused``: no connection; ``empty``: done, but the answer holds nothing.
    """
    fates: dict[str, list[str]] = {}
    send = requests.adapters.HTTPAdapter.send

    def edge(self: Any, prepared: Any, **options: Any) -> Any:
        coming = fates.get(command_of(prepared))
        fate = coming.pop(0) if coming else ""
        if fate == "refused":
            prepared.url = "http://127.0.0.1:1/"  # where nobody listens
        if fate in ("after", "twice"):
            send(self, prepared, **options)
        if fate in ("before", "after"):
            raise requests.ConnectionError("connection reset")
        answer = send(self, prepared, **options)
        if fate == "empty":
            answer.raw = urllib3.HTTPResponse(io.BytesIO(b'{"createsshkeypairresponse": {}}'), preload_content=False)
        return answer

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", edge)
    yield lambda command, *coming: fates.update({command: list(coming)})
    assert not any(fates.values()), "not all of it happened"


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_the_service_makes_a_key_whose_private_part_is_returned_once(
    beats: Run, client: Client, run_module: Run, response_format: str
) -> None:
    done = beats(MODULE, [CREATE], name="deploy", response_format=response_format)
    assert done["key_pair"]["private_key"].endswith("-----END RSA PRIVATE KEY-----\n")
    private = serialization.load_pem_private_key(done["key_pair"]["private_key"].encode(), None)
    assert stored(client) == {"deploy": fingerprint(public(private))}
    assert done["key_pair"]["fingerprint"] == stored(client)["deploy"]
    assert done["actions"] == ["deploy: create"]
    for again in (run_module(MODULE, name="deploy"), run_module("cloudn_key_pair_info")):
        assert "PRIVATE KEY" not in str(again)


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_a_public_key_is_registered_and_deleted(beats: Run, client: Client, response_format: str) -> None:
    form = {"response_format": response_format}
    done = beats(MODULE, [REGISTER], name="mine", public_key=f"  {ONE} me@example.com\n", **form)
    assert stored(client) == {"mine": fingerprint(ONE)}
    assert done["key_pair"] == {"name": "mine", "fingerprint": fingerprint(ONE), "state": "present"}
    beats(MODULE, [], name="MINE", public_key=ONE)
    beats(MODULE, [], name="mine", force=True)
    gone = beats(MODULE, [DELETE], name="mine", state="absent", **form)
    assert gone["key_pair"]["state"] == "absent"
    beats(MODULE, [], name="mine", state="absent")


def test_another_key_is_replaced_only_by_force(beats: Run, refused: Callable[..., str], client: Client) -> None:
    beats(MODULE, [REGISTER], name="mine", public_key=ONE)
    said = refused(MODULE, name="mine", public_key=OTHER)
    assert said.startswith(
        f"public_key: mine holds the key {fingerprint(ONE)}, not {fingerprint(OTHER)}. Set force: true to replace it"
    )
    done = beats(MODULE, [DELETE, REGISTER], name="mine", public_key=OTHER, force=True)
    assert done["diff"]["before"]["mine"]["fingerprint"] == fingerprint(ONE)
    assert stored(client) == {"mine": fingerprint(OTHER)}


@pytest.mark.generation("3", reason="CloudStack 4 takes keys of all types")
def test_a_refused_replacement_says_that_the_old_pair_is_gone(run_module: Run, client: Client) -> None:
    run_module(MODULE, name="mine", public_key=ONE)
    refusal, kinds = (
        "registerSSHKeyPair: Public key is invalid (error 431). ",
        "Services of CloudStack 3.0 take only keys of the type ssh-rsa",
    )
    failed = run_module(MODULE, name="mine", public_key=NEWER, force=True)
    assert f"{refusal}The old key pair mine is deleted already" in failed["msg"]
    assert f"{refusal}{kinds}" in run_module(MODULE, name="other", public_key=NEWER)["msg"]
    assert failed["key_pair"]["state"] == "absent"
    assert stored(client) == {}


def test_a_server_that_takes_no_more_requests_is_an_error_that_says_so(run_module: Run, emulator: Any) -> None:
    """Nothing says that it was not done, so it is not sent again."""
    emulator.faults([{"kind": "too_many", "command": "createSSHKeyPair"}])
    done = run_module(MODULE, name="mine")
    assert "createSSHKeyPair: a server takes no more requests for now (HTTP 429)" in done["msg"]
    assert done["http_status"] == 429


def test_a_replacement_that_is_not_sent_says_that_the_old_pair_is_gone(
    run_module: Run, client: Client, meet: Any
) -> None:
    run_module(MODULE, name="mine", public_key=ONE)
    meet(REGISTER, "refused", "refused")
    failed = run_module(MODULE, name="mine", public_key=OTHER, force=True)
    assert "was not reached" in failed["msg"]
    assert "The old key pair mine is deleted already: run the task again" in failed["msg"]
    assert failed["key_pair"] == {"name": "mine", "fingerprint": None, "state": "absent", "error": failed["msg"]}
    assert stored(client) == {}
    assert run_module(MODULE, name="mine", public_key=OTHER)["changed"] is True
    assert stored(client) == {"mine": fingerprint(OTHER)}


@pytest.mark.parametrize("fate", ["before", "after"])
@pytest.mark.parametrize(
    ("command", "options"),
    [
        (REGISTER, {"public_key": ONE}),
        (DELETE, {"state": "absent"}),
    ],
)
def test_a_lost_answer_is_found_out(
    beats: Run, run_module: Run, client: Client, meet: Any, fate: str, command: str, options: Result
) -> None:
    if command == DELETE:
        run_module(MODULE, name="mine", public_key=ONE)
    meet(command, fate)
    done = run_module(MODULE, name="mine", **options)
    assert not done.get("failed"), done
    assert done["changed"] is True
    assert stored(client) == ({"mine": fingerprint(ONE)} if command == REGISTER else {})
    beats(MODULE, [], name="mine", **options)


@pytest.mark.parametrize(
    "fates",
    [
        ["after"],
        ["empty"],
        # Whose it is that exists now can't be told: the first request may have come late.
        ["before", "twice"],
    ],
)
def test_a_pair_whose_private_key_is_lost_is_no_success(
    run_module: Run, client: Client, meet: Any, sent: Callable[[], list[str]], fates: list[str]
) -> None:
    meet(CREATE, *fates)
    failed = run_module(MODULE, name="mine")
    assert failed["failed"]
    assert LOST in failed["msg"]
    assert "state: absent" in failed["msg"]
    assert failed["key_pair"]["state"] == "present"
    assert "private_key" not in failed["key_pair"]
    run_module(MODULE, name="mine", state="absent")
    assert run_module(MODULE, name="mine")["key_pair"]["private_key"]


def test_a_pair_that_cannot_be_looked_for_is_reported(run_module: Run, meet: Any) -> None:
    meet(CREATE, "after")
    meet("listSSHKeyPairs", "", "before", "before")
    failed = run_module(MODULE, name="mine")
    assert "Looking what became of it failed too" in failed["msg"]
    assert "If there is a key pair mine now, its private key is lost: delete it (state: absent)" in failed["msg"]


def test_a_lost_request_is_made_up_for(run_module: Run, client: Client, meet: Any) -> None:
    meet(CREATE, "before")
    done = run_module(MODULE, name="mine")
    private = serialization.load_pem_private_key(done["key_pair"]["private_key"].encode(), None)
    assert stored(client) == {"mine": fingerprint(public(private))}


def test_a_pair_that_somebody_else_made_meanwhile_is_theirs(run_module: Run, client: Client, meet: Any) -> None:
    """No key is lost. The error does not ask to delete a pair whose private key somebody else holds."""
    meet(CREATE, "twice")
    done = run_module(MODULE, name="mine")
    assert not done.get("failed"), done
    assert done["changed"] is False
    assert done["key_pair"] == {"name": "mine", "fingerprint": stored(client)["mine"], "state": "present"}


@pytest.mark.parametrize(
    "private",
    [
        "-----BEGIN OPENSSH PRIVATE KEY-----\nCANARY\n-----END OPENSSH PRIVATE KEY-----",
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nCANARY",
        "PuTTY-User-Key-File-2: ssh-rsa\nPrivate-Lines: 8\nCANARY",
        "ssh-rsa CANARY",  # what is no public key may be one
    ],
)
def test_a_private_key_given_by_mistake_is_nowhere(run_module: Run, emulator: Any, private: str) -> None:
    emulator.clear()
    for check in (True, False):
        failed = run_module(MODULE, _check=check, name="mine", public_key=private)
        assert "CANARY" not in str(failed)
        assert ("this is a private key" in failed["msg"]) is not private.startswith("ssh-rsa")
    assert emulator.requests == []


def test_a_comment_may_say_anything(beats: Run) -> None:
    beats(MODULE, [REGISTER], name="mine", public_key=f"{ONE} not the PRIVATE KEY")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": " "}, "name: is empty; give a value"),
        ({"name": "\U0001f511"}, "name: "),
        ({"public_key": "nonsense"}, "public_key: is no public key in OpenSSH's form"),
        ({"public_key": f"{ONE}\n{OTHER}"}, "public_key: is no public key in OpenSSH's form"),
        ({"public_key": f"{ONE}\r{OTHER}"}, "public_key: is no public key in OpenSSH's form"),
        ({"public_key": ""}, "public_key: is no public key in OpenSSH's form"),
        ({"public_key": "ssh-rsa AAAA"}, "public_key: what follows ssh-rsa is no key of that type"),
        ({"public_key": ONE.replace("ssh-rsa", "ssh-dss")}, "public_key: what follows ssh-dss is no key of that type"),
        ({"public_key": "ssh-rsa §§§"}, "public_key: what follows ssh-rsa is no key of that type"),
        ({"public_key": "-----BEGIN RSA PRIVATE KEY-----\nabc"}, "public_key: this is a private key"),
    ],
)
def test_bad_options_are_refused(refused: Callable[..., str], options: Result, said: str) -> None:
    assert said in refused(MODULE, **{"name": "mine", **options})


def test_an_account_without_key_pairs_gets_advice(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(denied=["createSSHKeyPair", "listSSHKeyPairs"]) as (run, _emulator):
        failed = run(MODULE, name="mine")
        assert "listSSHKeyPairs, or does not grant it to this account: put public keys into VMs by" in failed["msg"]


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_key_pairs_are_found_by_options(run_module: Run, emulator: Any, response_format: str) -> None:
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
    assert sent_to(emulator) == ["listSSHKeyPairs"] * 5


def test_a_task_without_a_change_costs_one_request(run_module: Run, emulator: Any) -> None:
    run_module(MODULE, name="one", public_key=ONE)
    emulator.clear()
    run_module(MODULE, name="one", public_key=ONE)
    assert sent_to(emulator) == ["listSSHKeyPairs"]


def test_a_pair_that_is_made_in_between_has_a_private_key_that_is_not_known(
    run_module: Run, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another run makes the pair between the look and the request, or the request is delivered twice."""
    call, done = Client.call, []

    def made_before(self: Client, sent: str, *args: Any, **more: Any) -> Result:
        if sent == CREATE and not done:
            done.append(call(client, CREATE, {"name": "mine"}))
        return call(self, sent, *args, **more)

    monkeypatch.setattr(Client, "call", made_before)
    ended = run_module(MODULE, name="mine")
    assert "private_key" not in ended["key_pair"] and not ended.get("failed")
    assert len(stored(client)) == len(done) == 1
    (warning,) = ended["warnings"]
    assert "mine: another run made it at the same time, or the request was delivered twice" in warning
    assert "Its private key is not known here" in warning and "delete the pair (state: absent)" in warning
    assert run_module(MODULE, name="mine")["warnings"] == []

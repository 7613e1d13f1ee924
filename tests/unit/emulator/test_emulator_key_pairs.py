# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Key pairs of the emulator: which texts are keys, names, several pairs with one name or one key."""

from __future__ import annotations

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

BLOB = "AAAAB3NzaC1yc2EAAAADAQABAAAAgQC5Mpr0fSbWZrSTVvWl5Q=="
PUBLIC = f"ssh-rsa {BLOB} someone"


def md5(blob):
    return hashlib.md5(blob).hexdigest()


def register(api, name, key=PUBLIC):
    """Register a key; returns its fingerprint without colons."""
    return api("registerSSHKeyPair", name=name, publickey=key)["keypair"]["fingerprint"].replace(":", "")


def names(api, **params):
    return [pair["name"] for pair in api("listSSHKeyPairs", **params).get("sshkeypair", [])]


def test_a_key_pair_is_a_real_one(api):
    pair = api("createSSHKeyPair", name="k")["keypair"]
    key = load_pem_private_key(pair["privatekey"].encode(), None)
    assert key.key_size >= 2048
    stored = api.emulator.store.key_pair("k", "flatuser").public_key.split()[1]
    assert pair["fingerprint"].replace(":", "") == md5(base64.b64decode(stored))
    assert api("listSSHKeyPairs")["sshkeypair"] == [{"name": "k", "fingerprint": pair["fingerprint"]}]
    assert api.running("one", keypair="k")["keypair"] == "k"


@pytest.mark.parametrize(
    "key",
    [
        "",
        "nonsense",
        "ssh-rsa",
        "ssh-rsa ",
        f" {PUBLIC}",
        f"SSH-RSA {BLOB}",
        f"ssh-dss {BLOB} x",
        f"ssh-ed25519 {BLOB} x",
        base64.b64encode(b"nonsense, encoded").decode(),
        "a b c",
    ],
)
def test_a_malformed_public_key_is_refused(api, refused, key):
    with refused(431):
        register(api, "k", key)
    assert names(api) == []


def test_a_second_blank_before_the_blob_is_too_much_for_the_real_server(api, refused):
    with refused(530):
        register(api, "k", f"ssh-rsa  {BLOB}")
    assert names(api) == []


@pytest.mark.parametrize(
    ("key", "blob"),
    [
        (PUBLIC, base64.b64decode(BLOB)),
        (f"ssh-rsa {BLOB}", base64.b64decode(BLOB)),
        (base64.b64encode(PUBLIC.encode()).decode(), base64.b64decode(BLOB)),
        (f"ssh-rsa {BLOB}\n", base64.b64decode(BLOB)),
        ("ssh-rsa AA__ x", b"\0\x0f\xff"),
        ("ssh-rsa AAAA=AAAA x", b"\0\0\0"),
        ("ssh-rsa !!! x", b""),
        ("ssh-rsa2 AAAA", b"\0\0\0"),
    ],
)
def test_text_that_begins_as_an_rsa_key_is_accepted(api, key, blob):
    assert register(api, "k", key) == md5(blob)


def test_names_and_fingerprints_are_whole_values(api, refused):
    made = api("registerSSHKeyPair", name="Caf\u00e9", publickey=PUBLIC)["keypair"]
    for name in ("cafe", "CAF\u00c9 "):
        with refused(431):
            register(api, name)
        assert names(api, name=name) == ["Caf\u00e9"]
    assert names(api, name="caf") == names(api, name=" cafe") == names(api, name="") == []
    assert names(api, fingerprint=made["fingerprint"].upper()) == ["Caf\u00e9"]
    assert names(api, fingerprint=made["fingerprint"][:5]) == names(api, fingerprint="") == []
    assert names(api, keyword="no-such") == ["Caf\u00e9"]
    assert api("deleteSSHKeyPair", name="CAFE") == {"success": "true"}
    with refused(431):
        api("deleteSSHKeyPair", name="Caf\u00e9")


def test_the_newest_pair_is_listed_first(api):
    for name in ("a", "c", "b"):
        register(api, name)
    assert names(api) == ["b", "c", "a"]
    assert names(api, page=2, pagesize=2) == ["a"]


def test_the_first_pair_with_a_public_key_is_found(api):
    store, key = api.emulator.store, f"ssh-rsa {BLOB}"
    assert store.key_pair_of(key) is None
    register(api, "second-to-go")
    register(api, "first-to-stay", f"{key} another comment")
    assert store.key_pair_of(key).name == "second-to-go"
    api("deleteSSHKeyPair", name="second-to-go")
    assert store.key_pair_of(key).name == "first-to-stay"


@pytest.mark.parametrize("command", ["createSSHKeyPair", "registerSSHKeyPair"])
def test_two_requests_at_one_moment_make_two_pairs_of_a_name(emulate, refused, command):
    api = emulate(race_ms=150)
    with ThreadPoolExecutor(2) as pool:
        prints = list(
            pool.map(lambda name: api(command, name=name, publickey=PUBLIC)["keypair"]["fingerprint"], ["k", "K"])
        )
    shown = api("listSSHKeyPairs", name="k")["sshkeypair"]
    assert sorted(pair["name"] for pair in shown) == ["K", "k"]
    assert sorted(pair["fingerprint"] for pair in shown) == sorted(prints)
    with refused(431):
        api(command, name="k", publickey=PUBLIC)
    # The first one made counts: it is the last one of the listing.
    assert api.emulator.store.key_pair("k", "flatuser").fingerprint == shown[1]["fingerprint"]
    api("deleteSSHKeyPair", name="k")
    assert api("listSSHKeyPairs", name="k")["sshkeypair"] == shown[:1]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes go as POST, so a server that takes no others can be used (enforce.post.requests.and.timestamps)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import ApiError, Client
from cloudn_emulator import Emulator

STRICT = {"enforce.post.requests.and.timestamps": "true"}


@pytest.fixture
def strict() -> Iterator[Any]:
    """An emulator of a server that takes changes by POST alone."""
    with Emulator(job_seconds=0.05, server=STRICT) as running:
        yield running


def client_of(emulator: Any, **options: Any) -> Client:
    return Client(emulator.url, emulator.api_key, emulator.api_secret, **options)


def test_changes_are_sent_as_post_and_reads_as_get(script: Any, client: Client) -> None:
    script.json('{"listzonesresponse": {}}')
    script.json('{"createsshkeypairresponse": {"keypair": {"name": "mine"}}}')
    client.call("listZones")
    client.call("createSSHKeyPair", {"name": "caf\u00e9"})
    assert script.methods == ["GET", "POST"]


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_a_server_that_takes_changes_by_post_alone_can_be_used(strict: Any, response_format: str) -> None:
    client = client_of(strict, response_format=response_format)
    client.call("createSSHKeyPair", {"name": "mine"})
    client.call("createSecurityGroup", {"name": "web", "description": "caf\u00e9 & more = all"})
    assert [pair["name"] for pair in client.list("listSSHKeyPairs")] == ["mine"]
    groups = {group["name"]: group["description"] for group in client.list("listSecurityGroups")}
    assert groups["web"] == "caf\u00e9 & more = all"


@pytest.mark.parametrize("seconds", [0, 960, 3600])  # a slow machine may take some of the 60 seconds
def test_a_signature_that_lives_too_long_for_the_server_is_named(strict: Any, seconds: int) -> None:
    with pytest.raises(ApiError, match="signature_expires") as raised:
        client_of(strict, signature_expires=seconds).call("listZones")
    assert raised.value.code == 401
    assert "900" in raised.value.message


def test_a_signature_of_an_ordinary_life_is_not_named(strict: Any) -> None:
    with pytest.raises(ApiError) as raised:
        Client(strict.url, strict.api_key, "wrong secret, this one").call("listZones")
    assert "signature_expires" not in raised.value.message

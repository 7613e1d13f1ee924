# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures: the vectors that a real server accepted, and the expiry."""

from __future__ import annotations

import json
import pathlib

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import signature

VECTORS = json.loads((pathlib.Path(__file__).parent / "signature-vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["params"].get("keyword", ""))[:20])
def test_signatures_that_a_real_server_accepted_are_reproduced(vector: dict) -> None:
    assert vector["accepted_by_server"]
    assert signature.string_to_sign(vector["params"]) == vector["string_to_sign"]
    assert signature.sign(vector["params"], vector["secret"]) == vector["signature"]


def test_the_signature_itself_is_not_signed() -> None:
    params = {"command": "listZones", "apikey": "k"}
    assert signature.sign({**params, "signature": "x"}, "s") == signature.sign(params, "s")


def test_names_sort_with_upper_case_first() -> None:
    assert signature.query({"b": "1", "A": "2", "a": "3"}) == "A=2&a=3&b=1"


def test_expiry_is_utc_with_an_offset() -> None:
    assert signature.expiry(600, 0.0) == {"signatureversion": "3", "expires": "1970-01-01T00:10:00+0000"}

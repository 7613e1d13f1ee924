# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User data: what is no text is refused before anything is made, and bytes may be given in Base64."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from typing import Any

import pytest
from samples import NEW

Run = Callable[..., dict[str, Any]]
Refused = Callable[..., str]
MODULE = "cloudn_vm"
GZIP = gzip.compress(b"#!/bin/sh\necho ready\n" * 40, mtime=0)
SHIFT_JIS = "設定".encode("shift_jis")


def user_data(emulator: Any) -> list[str | None]:
    """Return the user data of the machines as the service got it."""
    return [machine.userdata for machine in emulator.store.vms.values()]


@pytest.mark.parametrize(
    "given",
    [
        {"packages": ["tmux"], "upgrade": True},
        {"b": True, "n": None},
        {},
        ["#cloud-config"],
        [],
        [{"a": 1}],
        {"only": "one"},
    ],
    ids=str,
)
@pytest.mark.parametrize("encoding", ["text", "base64"])
def test_data_in_place_of_a_text_is_refused(
    run_module: Run, refused: Refused, emulator: Any, given: Any, encoding: str
) -> None:
    told = refused(MODULE, name="web1", user_data=given, user_data_encoding=encoding, **NEW)
    kind = "mapping" if isinstance(given, dict) else "list"
    assert told.startswith(f"user_data: must be a text, not a {kind}. ")
    assert "to_json" in told
    assert emulator.requests == []
    assert "tmux" not in str(run_module(MODULE, name="web1", user_data=given, **NEW))


@pytest.mark.parametrize("data", [GZIP, SHIFT_JIS, b"\xff", b"ok \xe3\x81"], ids=["gzip", "shift_jis", "byte", "cut"])
def test_bytes_that_are_no_utf_8_are_refused(refused: Refused, emulator: Any, data: bytes) -> None:
    """Ansible reads such bytes as lone surrogates."""
    told = refused(MODULE, name="web1", user_data=data.decode(errors="surrogateescape"), **NEW)
    first = next(one for one in data.decode(errors="surrogateescape") if "\udc80" <= one <= "\udcff")
    assert told.startswith(f"user_data: is no text in UTF-8, as it has the byte 0x{ord(first) - 0xDC00:02x} at ")
    assert "user_data_encoding: base64" in told
    assert emulator.requests == []


@pytest.mark.parametrize("data", [GZIP, SHIFT_JIS, b"\x00\xff", b"#!/bin/sh\n"], ids=["gzip", "sjis", "nul", "text"])
@pytest.mark.parametrize("lines", [False, True], ids=["one line", "lines"])
def test_bytes_may_be_given_in_base64(beats: Run, emulator: Any, data: bytes, lines: bool) -> None:
    plain = base64.b64encode(data).decode()
    given = f"  {base64.encodebytes(data).decode()}\n" if lines else plain
    options = {"user_data": given, "user_data_encoding": "base64", **NEW}
    beats(MODULE, ["deployVirtualMachine"], name="web1", **options)
    assert user_data(emulator) == [plain]


def test_a_text_is_encoded(run_module: Run, emulator: Any) -> None:
    for name, more in (("web1", {}), ("web2", {"user_data_encoding": "text"})):
        assert not run_module(MODULE, name=name, user_data="QUJD", **more, **NEW).get("failed")
    assert user_data(emulator) == [base64.b64encode(b"QUJD").decode()] * 2


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("#!/bin/sh", "the character '#' is none of it"),
        ("QUJD-_==", "the character '-' is none of it"),
        (
            "QU=D",
            "a '=' stands in the wrong place, as it may only be at the end; two texts in Base64 can't be put together",
        ),
        (
            "eA==eA==",
            "a '=' stands in the wrong place, as it may only be at the end; two texts in Base64 can't be put together",
        ),
        ("=", "its length, 1 characters, is no multiple of 4, so a part may be missing"),
        ("日本", "the character '日' is none of it"),
        ("QUJDR", "its length, 5 characters, is no multiple of 4, so a part may be missing"),
        ("QQ===", "its length, 5 characters, is no multiple of 4, so a part may be missing"),
        ("Q===", "it ends with more than two equals signs"),
    ],
)
def test_text_that_is_no_base64_is_refused(refused: Refused, emulator: Any, given: str, why: str) -> None:
    told = refused(MODULE, name="web1", user_data=given, user_data_encoding="base64", **NEW)
    assert told.startswith(
        f"user_data: user_data_encoding: base64 is set, but this is no Base64: {why}. Encode the bytes"
    )
    assert given not in told
    assert emulator.requests == []


@pytest.mark.parametrize("state", ["present", "started", "absent"])
@pytest.mark.parametrize("given", [{}, {"user_data": None}], ids=str)
def test_an_encoding_of_nothing_is_refused(refused: Refused, emulator: Any, given: dict[str, None], state: str) -> None:
    told = refused(MODULE, name="web1", user_data_encoding="base64", state=state, **given, **NEW)
    assert told == (
        "user_data_encoding: base64 says how user_data is written, but user_data is not given; give user_data, or leave user_data_encoding out"
    )
    assert emulator.requests == []


def test_the_default_encoding_of_nothing_is_harmless(run_module: Run) -> None:
    assert run_module(MODULE, name="web1", user_data_encoding="text", **NEW)["changed"]


@pytest.mark.parametrize("given", ["", " \n"])
def test_no_bytes_are_no_user_data(run_module: Run, emulator: Any, given: str) -> None:
    done = run_module(MODULE, name="web1", user_data=given, user_data_encoding="base64", **NEW)
    assert done["changed"]
    assert user_data(emulator) == [None]


@pytest.mark.generation("3", reason="its limit is the lower one")
def test_bytes_are_measured(refused: Refused, run_module: Run) -> None:
    fits, longer = (base64.b64encode(b"x" * size).decode() for size in (1536, 1537))
    told = refused(MODULE, name="web1", user_data=longer, user_data_encoding="base64", **NEW)
    assert told.startswith("user_data: has 1537 bytes, which are 2052 in Base64. CloudStack 3 takes 2048")
    assert run_module(MODULE, name="web1", user_data=fits, user_data_encoding="base64", **NEW)["changed"]

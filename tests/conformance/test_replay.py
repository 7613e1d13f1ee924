# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator answers as the recorded CloudStack 3.0.5 did, step by step."""

from __future__ import annotations

import functools
import json
import pathlib

import pytest
from cloudn_emulator import Emulator
from replay import Answer, Server, differences, play

RECORDINGS = sorted((pathlib.Path(__file__).parent / "recordings").glob("*.json"))
# What the recordings presume: one zone of this name, an administrator, deployments that take seconds.
ZONES = ["tky-flat-1"]
OPTIONS = {"10-recover": {"account": "admin"}, "11-pending-job": {"job_seconds": 3}}
STEPS = [
    pytest.param(path, number, id=f"{path.stem}-{number}")
    for path in RECORDINGS
    for number in range(1, len(json.loads(path.read_text())["steps"]) + 1)
]


@functools.cache
def played(path: pathlib.Path) -> list[list[str]]:
    """A recording, played once against an emulator of its own."""
    with Emulator(zones=ZONES, **OPTIONS.get(path.stem, {})) as emulator:
        server = Server(emulator.url, emulator.api_key, emulator.api_secret)
        return play(json.loads(path.read_text())["steps"], server, emulator.vars)


def test_all_recordings_are_here() -> None:
    assert [path.stem[:2] for path in RECORDINGS] == [f"{number:02d}" for number in range(1, 12)]


@pytest.mark.parametrize(("path", "number"), STEPS)
def test_step_is_answered_alike(path: pathlib.Path, number: int) -> None:
    assert played(path)[number - 1] == []


def answer(body: str, status: int = 200) -> Answer:
    return {"status": status, "type": None, "body": body}


@pytest.mark.parametrize(
    ("got", "difference"),
    [
        ('{"r": {"state": "Stopped", "n": 1}}', ".r.state"),
        ('{"r": {"state": "Running", "n": "1"}}', ".r.n"),
        ('{"r": {"n": 1}}', "missing .r.state"),
        ('{"r": {"state": "Running", "n": 1, "more": true}}', "extra .r.more"),
        ('<r a="1"><state>Running</state><n>1</n></r>', ".r.n"),
    ],
)
def test_differences_are_seen(got: str, difference: str) -> None:
    want = answer('{"r": {"state": "Running", "n": 1}}')
    assert list(differences(want, want, loose=False)) == []
    assert any(difference in line for line in differences(want, answer(got), loose=False))


def test_another_status_is_a_difference() -> None:
    want = answer("{}", 431)
    assert list(differences(want, answer("{}", 530), loose=True)) == ["status 530, want 431"]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator answers as the recorded CloudStack 3.0.5 did, step by step."""

from __future__ import annotations

import pytest
from recorded import scenarios
from replay import KNOWN, Answer, differences, differing

SCENARIOS = scenarios("cloudstack-3.0.5")


def test_all_recordings_are_here() -> None:
    assert len(SCENARIOS) == 69
    assert sum(len(steps) for steps in SCENARIOS.values()) == 249 + 2499


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_is_answered_alike(name: str) -> None:
    found = differing(name, SCENARIOS[name])
    new = {number: lines for number, lines in found.items() if (name, number) not in KNOWN}
    assert new == {}
    stale = [number for scenario, number in KNOWN if scenario == name and number not in found]
    assert stale == [], "these are answered alike now: take them from the list"


def test_the_list_of_known_differences_is_short_and_has_reasons() -> None:
    assert all(name in SCENARIOS and name[:2] > "11" for name, _number in KNOWN)
    assert len(KNOWN) <= 2499 - 2480
    assert all(len(reason) > 20 for reason in KNOWN.values())


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
def test_differences_between_answers_are_seen(got: str, difference: str) -> None:
    want = answer('{"r": {"state": "Running", "n": 1}}')
    assert list(differences(want, want, loose=False)) == []
    assert any(difference in line for line in differences(want, answer(got), loose=False))


def test_another_status_is_a_difference() -> None:
    want = answer("{}", 431)
    assert list(differences(want, answer("{}", 530), loose=True)) == ["status 530, want 431"]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator answers as the recorded CloudStack 3.0.5 and 4.23 did, step by step."""

from __future__ import annotations

import pytest
from recorded import scenarios
from replay import BY_CHANCE, KNOWN, KNOWN_4, LISTED, RECORDED, SIMULATED, Answer, differences, differing
from sent_commands import is_sent

SCENARIOS = {generation: scenarios(archive) for generation, archive in RECORDED.items()}
EACH = [(generation, name) for generation, found in SCENARIOS.items() for name in found]


@pytest.mark.parametrize(("generation", "files", "steps"), [("3", 69, 249 + 2499), ("4", 70, 2870)])
def test_all_recordings_are_here(generation: str, files: int, steps: int) -> None:
    assert len(SCENARIOS[generation]) == files
    assert sum(map(len, SCENARIOS[generation].values())) == steps


@pytest.mark.parametrize(("generation", "name"), EACH, ids=[f"{name}-on-{generation}" for generation, name in EACH])
def test_each_scenario_is_answered_alike(generation: str, name: str) -> None:
    found = differing(name, SCENARIOS[generation][name], generation)
    listed = LISTED[generation]
    new = {number: lines for number, lines in found.items() if (name, number) not in listed}
    assert new == {}
    certain = listed.keys() - BY_CHANCE
    stale = [number for scenario, number in certain if scenario == name and number not in found]
    assert stale == [], "these are answered alike now: take them from the list"


def test_the_list_of_known_differences_is_short_and_has_reasons() -> None:
    assert all(name in SCENARIOS["3"] and name[:2] > "11" for name, _number in KNOWN)
    assert len(KNOWN) <= 2499 - 2480
    assert all(name in SCENARIOS["4"] for name, _number in LISTED["4"])
    assert not KNOWN_4.keys() & SIMULATED.keys()
    assert all(len(reason) > 20 for listed in LISTED.values() for reason in listed.values())


@pytest.mark.parametrize(("only_sent", "least"), [(False, 90), (True, 98)], ids=["of-all", "of-the-collection"])
def test_the_share_of_steps_alike_on_cloudstack_4(only_sent: bool, least: int) -> None:
    """What isn't listed is alike: the test of each scenario says so."""
    counted = [
        (name, number)
        for name, steps in SCENARIOS["4"].items()
        for number, step in enumerate(steps, 1)
        if (name, number) not in SIMULATED and (is_sent(step["call"]) or not only_sent)
    ]
    assert len(counted) > 2000
    alike = sum(step not in KNOWN_4 for step in counted)
    assert 100 * alike / len(counted) >= least


def test_the_commands_that_the_collection_sends_are_found_in_its_code() -> None:
    sent = ("listZones", "deployVirtualMachine", "authorizeSecurityGroupEgress", "queryAsyncJobResult")
    assert all(map(is_sent, sent))
    assert not any(map(is_sent, ("listZone", "listPods", "noSuchCommand", "createAccount")))


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

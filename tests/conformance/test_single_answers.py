# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator gives the single answers of the recorded CloudStack 3.0.5, and writes JSON and XML to the letter as it does."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from cloudn_emulator import wire
from cloudn_emulator.generation import CLOUDSTACK_3
from recorded import scenarios, single_answers
from single import BEFORE, SAVED, Played, differences, played

ANSWERS = single_answers("cloudstack-3.0.5")


@pytest.fixture(scope="module")
def results() -> list[Played]:
    return played()


@pytest.mark.xdist_group("single answers")
@pytest.mark.parametrize("number", range(len(ANSWERS)), ids=[one["label"] for one in ANSWERS])
def test_each_single_answer_is_the_real_one(results: list[Played], number: int) -> None:
    assert results[number].lines == []


def test_all_single_answers_are_here() -> None:
    assert len(ANSWERS) == 239
    assert BEFORE.keys() | SAVED.keys() <= {one["label"] for one in ANSWERS}


def written() -> Iterator[str]:
    """All answers that were recorded in JSON."""
    for one in ANSWERS:
        if one["real"]["answer"].startswith('{ "'):
            yield one["real"]["answer"]
    for steps in scenarios("cloudstack-3.0.5").values():
        for step in steps:
            yield step["json"]["body"]
            if "job" in step["json"]:
                yield step["json"]["job"]["body"]


def test_json_is_written_to_the_letter_as_the_real_server_does() -> None:
    count = 0
    for text in written():
        try:
            ((root, body),) = json.loads(text).items()
        except ValueError:
            continue  # the recording cut it off
        payload, _kind = wire.render(root, body, json_wanted=True)
        assert payload.decode() == text
        count += 1
    assert count > 3600


def test_xml_is_written_to_the_letter_as_the_real_server_does() -> None:
    alike = other = 0
    for steps in scenarios("cloudstack-3.0.5").values():
        for step in steps:
            if "xml" not in step:
                continue
            ((root, body),) = json.loads(step["json"]["body"]).items()
            payload, _kind = wire.render(root, body, json_wanted=False)
            # The oldest recordings have only the beginning of the version.
            if payload.decode().replace(CLOUDSTACK_3.version, "3.0.5") == step["xml"]["body"].replace(
                CLOUDSTACK_3.version, "3.0.5"
            ):
                alike += 1
            else:
                other += 1  # it was asked for later: a state has changed, or the objects came in another order
    assert alike > 1180
    assert other <= 30


GOOD = '{ "r" : { "count":1 ,"vm" : [  {"id":"1","state":"Running","n":1,"tags":[{"key":"a"},{"key":"b"}]} ] } }'


@pytest.mark.parametrize(
    ("got", "difference"),
    [
        ({"id": "1", "n": 1, "state": "Running"}, "order of .r.vm[]"),
        ({"id": "1", "state": "Running", "n": "1"}, ".r.vm[].n"),
        ({"id": "1", "state": "Stopped", "n": 1}, ".r.vm[].state"),
        ({"id": "1", "state": "Running"}, "missing .r.vm[].n"),
        ({"id": "1", "state": "Running", "n": 1, "more": 1}, "extra .r.vm[].more"),
        ({"id": "1", "state": "Running", "n": 1, "tags": [{"key": "b"}, {"key": "a"}]}, "order of .r.vm[].tags"),
    ],
)
def test_differences_between_single_answers_are_seen(got: dict[str, object], difference: str) -> None:
    body = {"r": {"count": 1, "vm": [{**got, "tags": got.get("tags", [{"key": "a"}, {"key": "b"}])}]}}
    want = {"status": 200, "answer": GOOD}
    assert list(differences("x", want, 200, json.loads(GOOD))) == []
    assert any(difference in line for line in differences("x", want, 200, body))
    assert list(differences("x", want, 431, json.loads(GOOD))) == ["status 431, want 200"]

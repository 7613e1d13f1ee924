# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on request: which requests they hit, what is done of the command, what comes back."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from cloudn_emulator.faults import BadRule, Faults

Emulate = Callable[..., Any]
NAME = "group"


@pytest.fixture
def faulty(emulate: Emulate) -> Callable[..., Any]:
    """Start an emulator with one rule in force."""
    return lambda **rule: emulate(job_seconds=0.02, faults=[rule])


def was_made(api: Any) -> bool:
    return any(group.name == NAME for group in api.emulator.store.security_groups.values())


@pytest.mark.parametrize("kind", ["refuse", "close", "reset_before", "reset_after", "cut"])
def test_connections_that_break(faulty: Callable[..., Any], kind: str) -> None:
    api = faulty(kind=kind, command="createSecurityGroup")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api.raw("createSecurityGroup", name=NAME)
    assert was_made(api) is (kind in ("reset_after", "cut"))
    assert api.emulator.requests[-1]["fault"] == kind
    assert api.raw("listSecurityGroups").status_code == 200


def test_refused_for_a_while(faulty: Callable[..., Any]) -> None:
    api = faulty(kind="refuse", seconds=0.4, times=1)
    for _attempt in range(2):
        with pytest.raises(requests.ConnectionError):
            api.raw("listZones")
        time.sleep(0.05)
    time.sleep(0.6)
    assert api.raw("listZones").status_code == 200


@pytest.mark.parametrize(
    ("rule", "status", "made"),
    [
        ({"kind": "status"}, 503, False),
        ({"kind": "status", "status": 502}, 502, False),
        ({"kind": "status_after", "status": 504}, 504, True),
        ({"kind": "too_many"}, 429, False),
        ({"kind": "too_many", "retry_after": 2}, 429, False),
        ({"kind": "unauthorized"}, 401, False),
        ({"kind": "garbage"}, 200, True),
        ({"kind": "content_type"}, 200, True),
        ({"kind": "other_format"}, 200, True),
        ({"kind": "late", "seconds": 0.3}, 200, True),
    ],
)
def test_answers_that_are_wrong(faulty: Callable[..., Any], rule: dict[str, Any], status: int, made: bool) -> None:
    api = faulty(command="create*", **rule)
    began = time.monotonic()
    answer = api.raw("createSecurityGroup", name=NAME)
    assert (answer.status_code, was_made(api)) == (status, made)
    kind = answer.headers["Content-Type"]
    if rule["kind"] in ("status", "status_after"):
        assert kind.startswith("text/html") and "<html>" in answer.text
    if rule["kind"] == "too_many":
        assert answer.headers.get("Retry-After") == (str(rule["retry_after"]) if "retry_after" in rule else None)
    if rule["kind"] == "other_format":
        assert answer.text.startswith("<?xml")
    if rule["kind"] == "content_type":
        assert kind == "application/octet-stream" and answer.json()
    if rule["kind"] == "garbage":
        assert answer.content[:1] not in b"<{"
    if rule["kind"] == "late":
        assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    ("settings", "left"),
    [({}, {"errorcode", "errortext"}), ({"text": False}, {"errorcode"}), ({"result": False}, set())],
)
def test_jobs_that_fail(faulty: Callable[..., Any], settings: dict[str, Any], left: set[str]) -> None:
    api = faulty(kind="job_fails", **settings)
    machine = api.deploy("one")
    volume = api("createVolume", name="data", zoneid=api.vars["zone"], diskofferingid=api.vars["disk"])
    deadline = time.monotonic() + 10
    while (job := api("queryAsyncJobResult", jobid=volume["jobid"]))["jobstatus"] == 0:
        assert time.monotonic() < deadline
    assert (job["jobstatus"], job["jobresultcode"]) == (2, 530)
    assert set(job.get("jobresult", {})) == left
    assert volume["id"] not in api.emulator.store.volumes
    assert api.state(machine) == "Error"


def test_jobs_that_hang_or_are_lost(emulate: Emulate) -> None:
    rules = [{"kind": "job_hangs", "nth": 1}, {"kind": "job_lost"}]
    api = emulate(job_seconds=0.02, faults=rules)
    machine = api.deployment("one")
    time.sleep(0.2)
    assert api("queryAsyncJobResult", jobid=machine["jobid"])["jobstatus"] == 0
    assert api.state(machine["id"]) == "Stopped"
    lost = api.deployment("two")
    time.sleep(0.2)
    assert api.raw("queryAsyncJobResult", jobid=lost["jobid"]).status_code == 431
    assert [job["jobid"] for job in api("listAsyncJobs")["asyncjobs"]] == [machine["jobid"]]
    assert api.state(lost["id"]) == "Running"


@pytest.mark.parametrize(("change", "second"), [("appear", 2), ("vanish", 0)])
def test_a_page_that_changes(emulate: Emulate, change: str, second: int) -> None:
    api = emulate(vms=3, faults=[{"kind": "page", "change": change, "nth": 1}])
    assert len(api.vms(page=1, pagesize=2)) == 2
    assert len(api.vms(page=2, pagesize=2)) == second


def test_a_listing_that_lags(faulty: Callable[..., Any]) -> None:
    api = faulty(kind="lag", seconds=2, nth=1)
    api.deploy("one")
    assert api("listVirtualMachines") == {}
    assert len(api.vms()) == 1


@pytest.mark.parametrize(
    ("when", "hit"),
    [
        ({"nth": 2}, [2]),
        ({"nth": [1, 3]}, [1, 3]),
        ({"every": 2}, [2, 4, 6]),
        ({"times": 2}, [1, 2]),
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"command": "list*", "nth": 1}, [1]),
        ({"command": "create*"}, []),
    ],
)
def test_when_they_happen(faulty: Callable[..., Any], when: dict[str, Any], hit: list[int]) -> None:
    api = faulty(kind="status", **when)
    answers = [api.raw("listZones").status_code for _request in range(6)]
    assert [number for number, status in enumerate(answers, 1) if status == 503] == hit


def test_by_chance_but_the_same_for_the_same_seed() -> None:
    def hits(seed: int) -> list[bool]:
        faults = Faults([{"kind": "close", "probability": 0.5, "seed": seed}])
        return [faults.due("listZones", False) is not None for _request in range(50)]

    assert hits(1) == hits(1) != hits(2)
    assert 10 < sum(hits(1)) < 40


def test_set_over_http(emulate: Emulate) -> None:
    api = emulate()
    address = api.emulator.url.replace("/client/api", "/_emulator/faults")
    assert requests.put(address, data="- {kind: status, times: 1}", timeout=5).json()[0]["fired"] == 0
    assert [api.raw("listZones").status_code for _request in range(2)] == [503, 200]
    assert requests.get(address, timeout=5).json()[0]["fired"] == 1
    refused = requests.put(address, json=[{"kind": "flood"}], timeout=5)
    assert refused.status_code == 400 and "there is no 'flood'; there are refuse, close" in refused.text
    assert requests.get(address, timeout=5).json()[0]["kind"] == "status"
    requests.put(address, json=[], timeout=5)
    assert requests.get(address, timeout=5).json() == []


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("status", "no mapping"),
        ({}, "kind: there is no None"),
        ({"kind": "status", "status": 404}, "status: 404 is none of"),
        ({"kind": "close", "seconds": 1}, "seconds: not for kind close"),
        ({"kind": "close", "nth": 0}, "nth: 0 is no number from 1"),
        ({"kind": "close", "every": "two"}, "every: 'two' is no number"),
        ({"kind": "close", "probability": -1}, "probability: -1 is no number"),
        ({"kind": "page", "change": "burn"}, "change: 'burn' is neither"),
        ({"kind": "job_fails", "text": "no"}, "text: 'no' is neither true nor false"),
    ],
)
def test_rules_that_are_wrong(rule: Any, said: str) -> None:
    with pytest.raises(BadRule, match=said):
        Faults([rule])


def test_a_file_that_is_wrong(tmp_path: Any) -> None:
    path = tmp_path / "faults.yml"
    path.write_text("- {kind: flood}")
    done = subprocess.run(
        [sys.executable, "-m", "cloudn_emulator.cli", "--port", "0", "--faults", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no 'flood'" in done.stderr

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every task, with every kind of fault, at every request that it makes: nothing lost, nothing doubled, nothing leaked.

The cases are made from what each task sends without a fault. By default a sample of them is run, another one with another
``FAULTS_SEED``; ``make test-faults`` (``FAULTS=all``) runs them all. ``FAULTS_REPORT`` names a file that gets a line for
each case.
"""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import random
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import client as api_client
from ansible_collections.cloudn.compute.plugins.module_utils.api import ec2 as api_ec2
from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read
from cloudn_emulator.catalogue import COMMANDS
from scenarios import FTP_PASSWORD, SCENARIOS, USER_DATA, Scenario, filled, holdings

Result = dict[str, Any]
Rule = dict[str, Any]
RunAs = Callable[..., contextlib.AbstractContextManager[tuple[Callable[..., Result], Any]]]
SAMPLE = 4  # cases of each scenario
DEADLINE = 5
SECRETS = {"api_key": "canary-api-key", "api_secret": "canary-api-secret"}
EC2_JOBS = ("StopInstances",)  # of the actions that scenarios send
# Kinds of faults with their settings, for any request, for those that begin a job, and for listings.
ANY: list[Rule] = [
    {"kind": "refuse"},
    {"kind": "close"},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "late", "seconds": 1},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 504},
    {"kind": "status_after", "status": 502},
    {"kind": "too_many"},
    {"kind": "too_many", "retry_after": 1},
    {"kind": "unauthorized"},
    {"kind": "cut"},
    {"kind": "garbage"},
    {"kind": "content_type"},
    {"kind": "other_format"},
]
JOBS: list[Rule] = [
    {"kind": "job_fails"},
    {"kind": "job_fails", "text": False},
    {"kind": "job_fails", "result": False},
    {"kind": "job_hangs"},
    {"kind": "job_lost"},
]
LISTS: list[Rule] = [{"kind": "lag", "seconds": 0.3}]


class Case(NamedTuple):
    """A fault at the nth request of a command."""

    fault: Rule
    command: str
    nth: int

    @property
    def rule(self) -> Rule:
        """The fault as the emulator takes it."""
        return {**self.fault, "command": self.command, "nth": self.nth}


class Site:
    """An emulator on which what a scenario presumes has been done, and a way to run the scenario's task."""

    def __init__(self, scenario: Scenario, run: Callable[..., Result], emulator: Any) -> None:
        self.scenario = scenario
        self.emulator = emulator
        self._run = run
        known: dict[str, str] = {}
        for module, options in scenario.before:
            done = run(module, **filled(options, known))
            assert not done.get("failed"), done["msg"]
            known |= {kind: done[kind]["id"] for kind in ("vm", "snapshot") if kind in done}
            known |= {"job": done["jobs"][0]} if done.get("jobs") else {}
        self._options = filled(scenario.options, known)
        emulator.clear()

    def run(self) -> Result:
        """Run the scenario's task once."""
        patience = {} if self.scenario.module.endswith("_info") else {"wait_timeout": DEADLINE}
        return self._run(self.scenario.module, **{"api_timeout": 0.5, "api_retries": 3, **patience, **self._options})

    def sent(self) -> list[str]:
        """The commands that came since the last look."""
        commands = [request["command"] for request in self.emulator.requests]
        self.emulator.clear()
        return commands

    def holds(self) -> dict[str, Any]:
        """What the emulator holds, when no job is pending that will end."""
        deadline = time.monotonic() + 2
        while any(not job.status and not job.hangs for job in list(self.emulator.store.jobs.values())):
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        return holdings(self.emulator.store)


@contextlib.contextmanager
def site(scenario: Scenario, run_module_as: RunAs) -> Iterator[Site]:
    """A site of its own for one case."""
    service = {"grants": scenario.grants, "denied": scenario.denied, "dialect": scenario.dialect}
    with run_module_as(job_seconds=0.02, **service, **SECRETS) as (run, emulator):
        yield Site(scenario, run, emulator)


def cases(sent: list[str]) -> list[Case]:
    """The cases of a task that sends these commands."""
    found = []
    seen: dict[str, int] = {}
    for command in sent:
        seen[command] = seen.get(command, 0) + 1
        if command in ("queryAsyncJobResult", "listAsyncJobs") and seen[command] > 2:
            continue  # how often a job is asked for is chance
        begins_job = (command in COMMANDS and COMMANDS[command].job_class) or command in EC2_JOBS
        faults = ANY + (LISTS if command.startswith("list") else []) + (JOBS if begins_job else [])
        found += [Case(fault, command, seen[command]) for fault in faults]
    return found


def chosen(scenario: Scenario, found: list[Case]) -> list[Case]:
    """All cases, or a sample of them that is the same for the same seed."""
    if os.environ.get("FAULTS") == "all":
        return found
    chance = random.Random(f"{os.environ.get('FAULTS_SEED', '1')} {scenario.name}")
    return chance.sample(found, min(SAMPLE, len(found)))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario.name for scenario in SCENARIOS])
def test_with_faults(scenario: Scenario, run_module_as: RunAs, written: list[str]) -> None:
    with site(scenario, run_module_as) as calm:
        done = calm.run()
        assert not done.get("failed"), done["msg"]
        found = cases(calm.sent())
        wanted = calm.holds()
    wrong = []
    for case in chosen(scenario, found):
        with site(scenario, run_module_as) as disturbed:
            problems = list(trouble(disturbed, case, wanted, written))
        _report(scenario, case, problems)
        wrong += [f"{case.rule}: {problem}" for problem in problems]
    assert wrong == []


def trouble(disturbed: Site, case: Case, wanted: dict[str, Any], written: list[str]) -> Iterator[str]:
    """Run a task with its fault, again without, and once more; yield what is not as it should be."""
    disturbed.emulator.faults([case.rule])
    began = time.monotonic()
    first = disturbed.run()
    took = time.monotonic() - began
    disturbed.emulator.faults([])
    if took > DEADLINE + 6:
        yield f"took {took:.1f} s"
    yield from _told(disturbed.scenario, first, case)
    left = disturbed.holds()
    disturbed.sent()
    second = disturbed.run()
    dead_end = _dead_end(disturbed.scenario, case, second)
    if dead_end:
        yield from dead_end if isinstance(dead_end, list) else []
        return
    if second.get("failed"):
        yield f"the run after it failed: {second['msg']} (first: {first.get('msg', 'was well')})"
        return
    now = disturbed.holds()
    if now != wanted:
        yield f"holds {_different(now, wanted)} (first: {first.get('msg', 'was well')})"
    if not disturbed.scenario.action:
        if second["changed"] != (left != wanted):
            yield f"the run after it says changed: {second['changed']}, and {_different(left, wanted)} was missing"
        disturbed.sent()
        third = disturbed.run()
        changing = [command for command in disturbed.sent() if not is_read(command)]
        if third.get("failed") or third["changed"] or changing:
            yield f"the third run: {third.get('msg')}, changed: {third.get('changed')}, sent {changing}"
    yield from _leaks(disturbed, [first, second], written)


def _told(scenario: Scenario, result: Result, case: Case) -> Iterator[str]:
    """A failure names a command, and what to do or what is known of the outcome."""
    if not result.get("failed"):
        return
    message = result["msg"]
    if case.fault["kind"] == "lag":
        return  # what is not listed yet is not there, for who asks for it
    if not any(command in message for command in (case.command, result.get("command") or case.command)):
        yield f"the error names no command: {message}"
    if "Traceback" in message or len(message) < 20:
        yield f"the error is no sentence: {message}"


def _dead_end(scenario: Scenario, case: Case, second: Result) -> list[str] | bool:
    """Whether no rerun can mend it, and the error says so: a failed deployment, a lost private key, a job without end."""
    message = second.get("msg", "")
    if case.command == "deployVirtualMachine" and case.fault["kind"] == "job_fails":
        return True if "is in state Error" in message and "state: absent" in message else [f"dead end: {message}"]
    if case.fault["kind"] == "job_hangs" and second.get("failed"):
        return True if "wait_timeout" in message else [f"dead end: {message}"]
    return bool(scenario.name == "job" and second.get("failed"))


def _different(now: dict[str, Any], wanted: dict[str, Any]) -> str:
    return "; ".join(f"{kind}: {now[kind]}, not {wanted[kind]}" for kind in wanted if now[kind] != wanted[kind])


def _leaks(disturbed: Site, results: list[Result], written: list[str]) -> Iterator[str]:
    """Secrets in what was returned or logged."""
    text = json.dumps(results, ensure_ascii=False) + json.dumps(disturbed.emulator.requests, ensure_ascii=False)
    for secret in (*SECRETS.values(), USER_DATA, FTP_PASSWORD, *written):
        if secret in text:
            yield f"{secret} is in what was written"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The signatures that were made; they are as good as the secret for a while."""
    made: list[str] = []

    def recorded(sign: Callable[..., str]) -> Callable[..., str]:
        def record(*given: Any) -> str:
            made.append(sign(*given))
            return made[-1]

        return record

    monkeypatch.setattr(api_client, "sign", recorded(api_client.sign))
    monkeypatch.setattr(api_ec2, "ec2_sign", recorded(api_ec2.ec2_sign))
    return made


def _report(scenario: Scenario, case: Case, problems: list[str]) -> None:
    path = os.environ.get("FAULTS_REPORT")
    if path:
        line = {"scenario": scenario.name, "module": scenario.module, **case.rule, "problems": problems}
        with pathlib.Path(path).open("a") as file:
            file.write(json.dumps(line) + "\n")

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every task, with every kind of fault, at every request that it makes: nothing lost, nothing doubled, nothing leaked.

The cases are made from what each task sends without a fault. By default a sample of them is run, another one with another
``FAULTS_SEED``; ``make test-faults`` (``FAULTS=all``) runs them all. ``FAULTS_REPORT`` names a file that gets a line for
each case.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import pathlib
import re
import time
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import client as api_client
from ansible_collections.cloudn.compute.plugins.module_utils.api import ec2 as api_ec2
from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read
from cases import Case, cases, chosen
from scenarios import FTP_PASSWORD, SCENARIOS, USER_DATA, Scenario
from sites import SECRETS, Result, RunAs, Site, site
from specs import imported

MODULES = pathlib.Path(__file__).parents[2] / "plugins" / "modules"
ONLY_3 = pytest.mark.generation(
    "3", reason="CloudStack 4 has no EC2-compatible API, and lets accounts recover machines by a setting"
)
ONLY_4 = pytest.mark.generation("4", reason="CloudStack 3 has no affinity groups, other sizes and names of snapshots")
# What an error says of the outcome, or of what to do.
KNOWN = re.compile(
    r"was not done|run the task again|run cloudn_job|[Rr]un .*again|look before|look by|"
    r"look at the object|check api|wait for|Delete it|correct the cause|cloudn_\w+_info|"
    r"needed to create|there is no|give the zone|choose one by its id"
)


def test_every_module_and_state_has_a_scenario() -> None:
    lacking = []
    for path in sorted(MODULES.glob("cloudn_*.py")):
        mine = [scenario.options for scenario in SCENARIOS if scenario.module == path.stem]
        state = imported(path.stem).SPEC.get("state", {})
        for wanted in state.get("choices", [None]):
            if not any(options.get("state", state.get("default")) == wanted or not wanted for options in mine):
                lacking.append((path.stem, wanted))
    assert lacking == []


def generation_of(scenario: Scenario) -> Any:
    """Return the mark of a scenario that only one generation can do."""
    if scenario.only_4:
        return ONLY_4
    return ONLY_3 if "ec2" in scenario.name or scenario.grants else ()


@pytest.mark.parametrize(
    "scenario",
    [pytest.param(one, id=one.name, marks=generation_of(one)) for one in SCENARIOS],
)
def test_each_scenario_converges_after_each_fault(
    scenario: Scenario, run_module_as: RunAs, written: list[str], small_pages: Any
) -> None:
    with site(scenario, run_module_as) as calm:
        wanted = {False: undisturbed(calm)}
        found = cases(calm.sent(), paged=False)
    with_pages = cases([case.command for case in found if case.kind == "reset_before"], paged=True)
    picked = chosen(scenario.name, found + with_pages)
    if any(case.paged for case in picked):
        with site(scenario, run_module_as, paged=True) as calm, small_pages():
            wanted[True] = undisturbed(calm)
    wrong = []
    for case, inside in [(one, way) for one in picked for way in ways_of(one)]:
        # A job that the service does not know any more may still be under way.
        options = {"job_seconds": 0.5} if case.kind == "job_lost" else {}
        with site(scenario, run_module_as, case.paged, **options) as disturbed, _pages(small_pages, case.paged):
            disturbed.response_format = case.response_format
            disturbed.inside = inside
            problems = list(trouble(disturbed, case, *wanted[case.paged], written))
        _report(scenario, case, problems)
        wrong += [f"{case.name}{' inside Ansible' * inside}: {problem}" for problem in problems]
    assert wrong == []


def ways_of(case: Case) -> list[bool]:
    """Return in which ways a case is run: inside Ansible (true), or as a module. Those of a sample are run in both."""
    return [bool(zlib.crc32(case.name.encode()) % 2)] if os.environ.get("FAULTS") == "all" else [False, True]


def undisturbed(calm: Site) -> tuple[dict[str, Any], Result]:
    """Return what the service holds after an undisturbed run, and what that run shows."""
    done = calm.run()
    assert not done.get("failed"), done["msg"]
    return calm.holds(), shown(calm.scenario, done)


def _pages(small_pages: Any, paged: bool) -> contextlib.AbstractContextManager[None]:
    return small_pages() if paged else contextlib.nullcontext()


def trouble(disturbed: Site, case: Case, wanted: dict[str, Any], told: Result, written: list[str]) -> Iterator[str]:
    """Run a task with its fault, again without, and once more; yield what is not as it should be."""
    scenario = disturbed.scenario
    disturbed.deadline = 1 if case.kind == "job_hangs" else 5
    results: list[Result] = []
    yield from _with_fault(disturbed, case, told, results)
    if scenario.once:
        yield from (f"doubled: {what}" for what in _surplus(disturbed.holds(), wanted))
    else:
        left, last, found = _without_fault(disturbed, case, wanted, results)
        yield from found
        was = f"(first: {results[0].get('msg', 'was well')})"
        if last.get("failed"):
            if not _is_for_ever(scenario, case, last):
                yield f"the run after it failed: {last['msg']} {was}"
            return
        now = disturbed.holds()
        if now != wanted:
            yield f"{_kinds(now, wanted)}: holds {_different(now, wanted)} {was}"
        if not scenario.action:
            yield from _changes_no_more(disturbed, case, left, wanted, results[1])
    yield from _leaks(disturbed, results, written)


def _with_fault(disturbed: Site, case: Case, told: Result, results: list[Result]) -> Iterator[str]:
    """Run the task with its fault; yield what is wrong with its time and with what it shows."""
    if disturbed.scenario.settled:
        disturbed.settle(max(rule["seconds"] if rule["kind"] == "lag" else 0.0 for rule in case.rules))
    disturbed.emulator.faults(case.rules)
    began = time.monotonic()
    first = disturbed.run()
    took = time.monotonic() - began
    disturbed.emulator.faults([])
    results.append(first)
    if disturbed.reinstalled() > 1:
        yield "lost: what was on the new root disk, as it was made anew twice"
    if took > disturbed.deadline + 6:
        yield f"took {took:.1f} s"
    yield from _error_tells(first, case, disturbed.sent())
    if disturbed.scenario.reads:
        yield from _is_whole(disturbed.scenario, first, told, case)


def _without_fault(
    disturbed: Site, case: Case, wanted: dict[str, Any], results: list[Result]
) -> tuple[dict[str, Any], Result, list[str]]:
    """Run the task again as often as it takes; return what was there before, the last result, and what is wrong."""
    first, found = results[0], []
    _do_as_told(disturbed, first)
    left = disturbed.holds()
    last = disturbed.run()
    results.append(last)
    if case.kind == "job_hangs":
        found += _more(disturbed.holds(), wanted)
        disturbed.emulator.release_jobs()
        disturbed.deadline = 5
        disturbed.holds()
        _do_as_told(disturbed, first)
        # A job that goes on so late may undo what was done meanwhile.
        disturbed.run()
        last = disturbed.run()
    elif _is_failed_deployment(case, last):
        last = _out_of_error(disturbed, last)
    return left, last, found


def _changes_no_more(
    disturbed: Site, case: Case, left: dict[str, Any], wanted: dict[str, Any], second: Result
) -> Iterator[str]:
    """The second run says that it changed something where something was missing; a third one changes nothing."""
    late = case.kind == "job_hangs" or _is_failed_deployment(case, second)
    if not late and second["changed"] != (left != wanted):
        yield f"the run after it says changed: {second['changed']}, and {_different(left, wanted)} was missing"
    disturbed.sent()
    third = disturbed.run()
    changing = [one for one in disturbed.sent() if not is_read(one) and one not in disturbed.scenario.refused]
    if third.get("failed") or third["changed"] or changing:
        yield f"the third run: {third.get('msg')}, changed: {third.get('changed')}, sent {changing}"


# --- what an error tells


def _error_tells(result: Result, case: Case, sent: list[str]) -> Iterator[str]:
    """Yield what a failure lacks: it names a command, says what is known of the outcome, and what to do."""
    if not result.get("failed"):
        return
    message = result["msg"]
    if "Traceback" in message or len(message) < 20:
        yield f"the error is no sentence: {message}"
    if "lag" in case.kind and not any(not is_read(command) for command in sent):
        return  # what is not listed yet is not there, for who asks for it
    if not re.search(r"\b[A-Za-z]+[A-Z]\w+: ", message):
        yield f"the error names no command: {message}"
    if not KNOWN.search(message):
        yield f"the error does not say what is known or what to do: {message}"


def _do_as_told(disturbed: Site, result: Result) -> None:
    """Do what an error leaves to the user: start or stop a machine, delete a disk of a machine that was destroyed."""
    message = result.get("msg", "")
    told = re.search(
        r"These steps were not done any more. Do them yourself when that has ended: (\S+): (start|stop)", message
    )
    if told:
        disturbed.holds()
        disturbed.do("cloudn_vm", name=told[1], state={"start": "started", "stop": "stopped"}[told[2]])
    told = re.search(r"Of its data disks \S+ \((\S+)\), those that are detached and not deleted yet are left", message)
    if told:
        disturbed.holds()
        (volume,) = disturbed.do("cloudn_volume_info", id=told[1])["volumes"] or [{"vm": "gone already"}]
        if volume["vm"] is None:
            disturbed.do("cloudn_volume", id=told[1], state="absent")


def _is_failed_deployment(case: Case, second: Result) -> bool:
    return case.command == "deployVirtualMachine" and case.kind == "job_fails" and bool(second.get("failed"))


def _out_of_error(disturbed: Site, second: Result) -> Result:
    """Do what the error of a failed deployment says, and run the task again."""
    if not second.get("failed"):
        return second
    if "is in state Error" not in second["msg"] or "state: absent" not in second["msg"]:
        return second
    names = disturbed.scenario.options["name"]
    failed = [
        name for name in ([names] if isinstance(names, str) else names) if f"{name} is in state Error" in second["msg"]
    ]
    disturbed.do("cloudn_vm", name=failed, state="absent")
    again = disturbed.run()
    if not again.get("failed") or "until the service has expunged it" not in again["msg"]:
        return {"failed": True, "msg": f"a name that is taken by a destroyed VM: {again}"}
    disturbed.expunge()
    return disturbed.run()


def _is_for_ever(scenario: Scenario, case: Case, second: Result) -> bool:
    """Return whether a run must fail each time: nobody knows what became of a job that the service forgot."""
    return scenario.name == "job" and "is not known to the service (any more)" in second["msg"]


# --- what a reading task shows


def shown(scenario: Scenario, result: Result) -> Result:
    """Return what a reading task shows, without the parts that differ between sites."""
    if not scenario.reads:
        return {}
    names = {
        key: sorted(str(item.get("name") or item.get("command") or item.get("interval")) for item in value)
        for key, value in {**result, **(result.get("result") or {})}.items()
        if isinstance(value, list) and value and isinstance(value[0], dict)
    }
    return {key: [re.sub(r"_\d{14}$|-\d+$", "", name) for name in value] for key, value in names.items()}


def _is_whole(scenario: Scenario, result: Result, told: Result, case: Case) -> Iterator[str]:
    """A reading task shows everything or fails: an object that can't be read is never left out silently."""
    if result.get("failed") or "lag" in case.kind:
        return
    now = shown(scenario, result)
    if case.paged:
        now, told = _without_fillers(now), _without_fillers(told)
    if now != told:
        yield f"lost: shows {now}, not {told}"


def _without_fillers(seen: Result) -> Result:
    return {
        key: [name for name in names if "filler" not in name and "appeared" not in name] for key, names in seen.items()
    }


# --- what is there


def _kinds(now: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Return whether something is doubled or lost."""
    words = [
        word for word, more, less in (("doubled", now, wanted), ("lost", wanted, now)) if list(_surplus(more, less))
    ]
    return ", ".join(words) or "differs"


def _surplus(more: dict[str, Any], less: dict[str, Any]) -> Iterator[str]:
    for kind in less:
        count = collections.Counter(_name(one) for one in more[kind])
        count.subtract(_name(one) for one in less[kind])
        yield from (f"{number} {kind} {name}" for name, number in count.items() if number > 0)


def _name(one: Any) -> str:
    return str(one if isinstance(one, str) else one[0])


def _more(now: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    """While a job hangs, much may be missing, but nothing may be there twice."""
    for what in _surplus(now, wanted):
        if int(what.split()[0]) > 1:
            yield f"doubled while the job hangs: {what}"


def _different(now: dict[str, Any], wanted: dict[str, Any]) -> str:
    return "; ".join(f"{kind}: {now[kind]}, not {wanted[kind]}" for kind in wanted if now[kind] != wanted[kind])


# --- what is written


def _leaks(disturbed: Site, results: list[Result], written: list[str]) -> Iterator[str]:
    """Yield secrets in results and logs."""
    text = json.dumps(results, ensure_ascii=False) + json.dumps(disturbed.emulator.requests, ensure_ascii=False)
    for secret in (*SECRETS.values(), USER_DATA, FTP_PASSWORD, *written):
        if secret in text:
            yield f"leaked: {secret} is in what was written"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The signatures that were made. For a while a signature is as good as the secret."""
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
        line = {
            "scenario": scenario.name,
            "module": scenario.module,
            "kind": case.kind,
            "case": case.name,
            "problems": problems,
        }
        with pathlib.Path(path).open("a") as file:
            file.write(json.dumps(line) + "\n")

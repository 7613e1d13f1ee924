# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on request: which requests they hit, whether the command is done, and what comes back."""

from __future__ import annotations

import errno
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
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


@pytest.mark.parametrize("kind", ["close", "reset_before", "reset_after", "cut"])
def test_faults_break_connections(faulty: Callable[..., Any], kind: str) -> None:
    api = faulty(kind=kind, command="createSecurityGroup")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        api.raw("createSecurityGroup", name=NAME)
    assert was_made(api) is (kind in ("reset_after", "cut"))
    assert api.emulator.requests[-1]["fault"] == kind
    assert api.raw("listSecurityGroups").status_code == 200


def errno_of(ask: Callable[[], Any]) -> int:
    """Return the number of the system's error that a request ends with."""
    with pytest.raises(requests.ConnectionError) as broken:
        ask()
    error: BaseException | None = broken.value
    while error is not None and not isinstance(error, OSError):
        error = error.__context__
    reason = re.search(r"Errno (\d+)|ConnectionResetError\((\d+)", str(broken.value))
    return int(reason[1] or reason[2]) if reason else 0


def test_the_next_connection_is_refused(faulty: Callable[..., Any]) -> None:
    """The request is never sent: nobody listens, and no connection is open any more."""
    api = faulty(kind="refuse", nth=[2, 4], seconds=0.3)
    idle = requests.Session()

    def ask_on_idle() -> int:
        return idle.get(api.emulator.url, params=api.signed("listZones"), timeout=5).status_code

    for _time in range(2):
        assert api.raw("listZones").status_code == 200
        assert errno_of(lambda: api.raw("createSecurityGroup", name=NAME)) == errno.ECONNREFUSED
        assert errno_of(ask_on_idle) == errno.ECONNREFUSED
        time.sleep(0.5)
        assert not was_made(api)
        assert [request["command"] for request in api.emulator.requests] == ["listZones"]
        api.emulator.clear()
    assert ask_on_idle() == 200


def test_the_first_connection_is_refused(faulty: Callable[..., Any]) -> None:
    api = faulty(kind="refuse", nth=1)
    assert errno_of(lambda: api.raw("listZones")) == errno.ECONNREFUSED
    time.sleep(0.4)
    assert api.raw("listZones").status_code == 200


def test_other_rules_end_a_refusal(faulty: Callable[..., Any]) -> None:
    api = faulty(kind="refuse", seconds=100)
    assert errno_of(lambda: api.raw("listZones")) == errno.ECONNREFUSED
    api.emulator.faults([])
    assert api.raw("listZones").status_code == 200


def test_one_command_is_refused(faulty: Callable[..., Any]) -> None:
    """The emulator knows the command only when it has read it. It resets that connection and refuses the next ones."""
    api = faulty(kind="refuse", command="createSecurityGroup", seconds=0.3, times=1)
    assert api.raw("listZones").status_code == 200
    assert errno_of(lambda: api.raw("createSecurityGroup", name=NAME)) == errno.ECONNRESET
    assert errno_of(lambda: api.raw("listZones")) == errno.ECONNREFUSED
    assert not was_made(api)
    time.sleep(0.5)
    assert api.raw("listZones").status_code == 200


def test_a_fault_can_do_a_command_late(faulty: Callable[..., Any]) -> None:
    api = faulty(kind="slow", seconds=0.4, command="createSecurityGroup")
    with pytest.raises(requests.ReadTimeout):
        api.session.get(api.emulator.url, params=api.signed("createSecurityGroup", name=NAME), timeout=0.1)
    assert not was_made(api)
    time.sleep(0.6)
    assert was_made(api)


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
def test_faults_give_wrong_answers(faulty: Callable[..., Any], rule: dict[str, Any], status: int, made: bool) -> None:
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
def test_a_fault_can_make_jobs_fail(faulty: Callable[..., Any], settings: dict[str, Any], left: set[str]) -> None:
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


def test_a_fault_can_make_jobs_hang_or_be_lost(emulate: Emulate) -> None:
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


def test_a_fault_can_make_jobs_hang_for_a_while(emulate: Emulate) -> None:
    api = emulate(job_seconds=0.02, faults=[{"kind": "job_hangs", "nth": 1, "seconds": 0.3}, {"kind": "job_hangs"}])
    first, second = api.deployment("one"), api.deployment("two")
    time.sleep(0.15)
    assert [api("queryAsyncJobResult", jobid=one["jobid"])["jobstatus"] for one in (first, second)] == [0, 0]
    api.wait(first["jobid"])
    third = api.deployment("three")
    api.emulator.release_jobs()
    api.wait(third["jobid"])
    assert [api.state(one["id"]) for one in (first, second, third)] == ["Running"] * 3


def test_a_machine_that_failed_can_be_destroyed(faulty: Callable[..., Any], refused: Any) -> None:
    api = faulty(kind="job_fails", command="deployVirtualMachine")
    machine = api.deployment("one")
    with refused(530):
        api.wait(machine["jobid"])
    assert api.state(machine["id"]) == "Error"
    gone = api.job("destroyVirtualMachine", id=machine["id"])
    assert gone["virtualmachine"]["state"] == "Expunging"
    assert api.vms() == []
    with refused(431):
        api.deployment("one")


@pytest.mark.parametrize(("change", "second"), [("appear", 2), ("vanish", 0)])
def test_a_fault_can_change_a_list_of_machines_between_pages(emulate: Emulate, change: str, second: int) -> None:
    api = emulate(vms=3, faults=[{"kind": "page", "change": change, "nth": 1}])
    assert len(api.vms(page=1, pagesize=2)) == 2
    assert len(api.vms(page=2, pagesize=2)) == second


@pytest.mark.parametrize(("change", "left"), [("appear", 3), ("vanish", 1)])
def test_a_fault_can_change_a_list_of_volumes_between_pages(emulate: Emulate, change: str, left: int) -> None:
    api = emulate(job_seconds=0.02, faults=[{"kind": "page", "change": change, "nth": 1, "name": "b*"}])
    for name in ("aa", "bb"):
        api.job("createVolume", name=name, zoneid=api.vars["zone"], diskofferingid=api.vars["disk"])
    assert len(api("listVolumes", page=1, pagesize=2)["volume"]) == 2
    names = [volume["name"] for volume in api("listVolumes")["volume"]]
    assert len(names) == left
    assert ("bb" in names) is (change == "appear") and "aa" in names


def test_a_fault_can_make_a_listing_lag(faulty: Callable[..., Any]) -> None:
    """The listing leaves out young objects, also those from before the rule."""
    api = faulty(kind="lag", seconds=2, nth=1)
    api.deploy("one")
    assert api("listVirtualMachines") == {}
    assert len(api.vms()) == 1


def test_a_listing_that_lags_does_not_know_the_id_of_a_new_object(emulate: Emulate) -> None:
    api = emulate(job_seconds=0.02)
    time.sleep(1.1)  # dates have no fractions
    api.emulator.faults([{"kind": "lag", "seconds": 1}])
    zone, os_type = api.emulator.vars["zone"], api.emulator.vars["ostype"]
    more = {
        "url": "http://templates.example.com/a.vhd",
        "format": "VHD",
        "hypervisor": "XenServer",
        "ostypeid": os_type,
    }
    (new,) = api("registerTemplate", name="new", displaytext="new", zoneid=zone, **more)["template"]

    def seen() -> int:
        return int(api.raw("listTemplates", templatefilter="self", id=new["id"]).status_code)

    assert seen() == 431
    time.sleep(1.2)
    assert seen() == 200


def test_listings_lag_behind_every_change(emulate: Emulate) -> None:
    api = emulate(job_seconds=0.02)
    machine = api.running("one")["id"]
    group = api("createSecurityGroup", name=NAME)["securitygroup"]["id"]
    time.sleep(1.1)  # dates have no fractions
    api.emulator.faults(
        [{"kind": "lag", "seconds": 1, "command": "listVirtualMachines"}, {"kind": "lag", "seconds": 1}]
    )
    rule = {"startport": 1, "endport": 2, "protocol": "tcp", "cidrlist": "0.0.0.0/0"}
    api.job("authorizeSecurityGroupIngress", securitygroupid=group, **rule)
    api.job("stopVirtualMachine", id=machine)
    api.job("createTags", resourceids=machine, resourcetype="UserVm", tags__key="a", tags__value="b")

    def seen() -> tuple[Any, ...]:
        (one,) = api("listSecurityGroups", id=group)["securitygroup"]
        return api.state(machine), api.vms()[0]["tags"], "ingressrule" in one

    assert seen() == ("Running", [], False)
    time.sleep(1.2)
    assert seen() == ("Stopped", [{"key": "a", "value": "b"}], True)


@pytest.mark.parametrize("ahead", [900, -900])
def test_the_clock_can_be_wrong(emulate: Emulate, ahead: int) -> None:
    api = emulate(job_seconds=0.02, clock_ahead=ahead)
    now = datetime.now(UTC)
    answer = api.raw("listZones")
    assert abs((parsedate_to_datetime(answer.headers["Date"]) - now).total_seconds() - ahead) < 5
    machine = api.running("one")["id"]
    (created,) = [one["created"] for one in api.vms() if one["id"] == machine]
    assert abs((datetime.strptime(created, "%Y-%m-%dT%H:%M:%S%z") - now).total_seconds() - ahead) < 5
    expires = (now + timedelta(seconds=600)).strftime("%Y-%m-%dT%H:%M:%S%z")
    status = api.raw("listZones", signatureversion=3, expires=expires).status_code
    assert status == (401 if ahead > 600 else 200)


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
def test_rules_say_which_requests_they_hit(faulty: Callable[..., Any], when: dict[str, Any], hit: list[int]) -> None:
    api = faulty(kind="status", **when)
    answers = [api.raw("listZones").status_code for _request in range(6)]
    assert [number for number, status in enumerate(answers, 1) if status == 503] == hit


def test_faults_by_chance_are_the_same_for_the_same_seed() -> None:
    def hits(seed: int) -> list[bool]:
        faults = Faults([{"kind": "close", "probability": 0.5, "seed": seed}])
        return [faults.due("listZones", False) is not None for _request in range(50)]

    assert hits(1) == hits(1) != hits(2)
    assert 10 < sum(hits(1)) < 40


def test_rules_can_be_set_over_http(emulate: Emulate) -> None:
    api = emulate()
    address = api.emulator.url.replace("/client/api", "/_emulator/faults")
    assert requests.put(address, data="- {kind: status, times: 1}", timeout=5).json()[0]["fired"] == 0
    assert [api.raw("listZones").status_code for _request in range(2)] == [503, 200]
    assert requests.get(address, timeout=5).json()[0]["fired"] == 1
    refused = requests.put(address, json=[{"kind": "flood"}], timeout=5)
    assert refused.status_code == 400 and "there is no 'flood'; there are refuse, close" in refused.text
    assert requests.get(address, timeout=5).json()[0]["kind"] == "status"
    for wrong in ("{}", "{kind: status}", "0", "false", '""', "text"):
        refused = requests.put(address, data=wrong, timeout=5)
        assert refused.status_code == 400 and "the rules are no list; give one, such as" in refused.text
    assert requests.get(address, timeout=5).json()[0]["kind"] == "status"
    for none in ("[]", "", "# nothing", "null"):
        assert requests.put(address, data="[{kind: status}]", timeout=5).json() != []
        assert requests.put(address, data=none, timeout=5).json() == []


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("status", "no mapping"),
        ({"kind": None}, "kind: is missing. There are refuse"),
        ({"kindd": "slow"}, "kind: is missing; did you mean it by 'kindd'? There are refuse"),
        ({"kind": "slwo"}, "; did you mean slow?"),
        ({"kind": "slow", "comand": "x"}, "; did you mean command?"),
        ({}, "kind: is missing. There are refuse"),
        ({"kind": "status", "status": 404}, "status: 404 is none of"),
        ({"kind": "close", "seconds": 1}, "seconds: not for kind close"),
        ({"kind": "close", "nth": 0}, "nth: 0 is no number from 1"),
        ({"kind": "close", "every": "two"}, "every: 'two' is no number"),
        ({"kind": "close", "probability": -1}, "probability: -1 is no number"),
        ({"kind": "page", "change": "burn"}, "change: 'burn' is neither"),
        ({"kind": "job_fails", "text": "no"}, "text: 'no' is neither true nor false"),
    ],
)
def test_wrong_rules_are_refused(rule: Any, said: str) -> None:
    with pytest.raises(BadRule, match=re.escape(said)):
        Faults([rule])


def test_a_wrong_file_of_rules_is_refused(tmp_path: Any) -> None:
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

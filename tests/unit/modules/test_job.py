# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_job and cloudn_job_info: every end of a job, with few requests; every option and refusal."""

from __future__ import annotations

import collections
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
import yaml
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, JobFailed, UsageError, is_read
from ansible_collections.cloudn.compute.plugins.module_utils.api.paging import MOST
from ansible_collections.cloudn.compute.plugins.module_utils.resources import job
from samples import NEW, UNKNOWN

Result = dict[str, Any]
Run = Callable[..., Result]
WEB = {"protocol": "tcp", "startport": 80, "endport": 80, "cidrlist": "192.0.2.0/24"}
KEYS = {"id", "command", "status", "created", "object_id", "result", "error_code", "error_text"}


def begun(run: Run, *names: str, **options: Any) -> list[str]:
    """Begin to make machines; return the ids of their jobs."""
    done = run("cloudn_vm", name=list(names), wait=False, **{**NEW, **options})
    assert not done.get("failed"), done
    return done["jobs"]


def asked(emulator: Any) -> collections.Counter[str]:
    """Return how often each command was sent since the last look."""
    commands = collections.Counter(request["command"] for request in emulator.requests)
    emulator.clear()
    return commands


@pytest.fixture
def failed_job(client: Client) -> str:
    """Make a job fail, for a rule that is there already; return its id."""
    group = client.call("createSecurityGroup", {"name": "twice"})["securitygroup"]["id"]
    client.wait(client.call("authorizeSecurityGroupIngress", {"securitygroupid": group, **WEB})["jobid"])
    job_id = str(client.call("authorizeSecurityGroupIngress", {"securitygroupid": group, **WEB})["jobid"])
    with pytest.raises(JobFailed):
        client.wait(job_id)
    return job_id


# cloudn_job


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_a_machine_is_waited_for(run_module: Run, emulator: Any, response_format: str) -> None:
    (job_id,) = begun(run_module, "web1")
    emulator.clear()
    done = run_module("cloudn_job", jobs=[job_id], response_format=response_format)
    assert not done.get("failed") and done["changed"] is False
    assert asked(emulator).keys() == {"queryAsyncJobResult"}
    assert done["jobs"] == [done["job"]]
    shown = done["job"]
    assert shown.keys() == KEYS
    assert (shown["id"], shown["command"], shown["status"]) == (job_id, "DeployVMCmd", "done")
    assert shown["created"] and (shown["error_code"], shown["error_text"]) == (None, None)
    machine = shown["result"]["vm"]
    assert shown["object_id"] == machine["id"]
    assert machine.pop("password") == emulator.store.jobs[job_id].result["virtualmachine"]["password"]
    assert machine == run_module("cloudn_vm_info", name=["web1"])["vms"][0]


def test_the_option_is_also_called_id(run_module: Run) -> None:
    (job_id,) = begun(run_module, "web1")
    assert run_module("cloudn_job", id=job_id)["job"]["status"] == "done"


def test_several_jobs_are_waited_for_together(run_module_as: Callable[..., Any], generation: str) -> None:
    with run_module_as(job_seconds=1.5) as (run, emulator):
        names = [f"web{number}" for number in range(20)]
        jobs = begun(run, *names)
        assert len(jobs) == 20
        emulator.clear()
        backwards = [*reversed(jobs), jobs[0]]
        done = run("cloudn_job", _patient=True, jobs=backwards)
        assert not done.get("failed"), done
        assert [one["id"] for one in done["jobs"]] == backwards[:-1]
        assert {one["status"] for one in done["jobs"]} == {"done"}
        assert {one["result"]["vm"]["name"] for one in done["jobs"]} == set(names)
        assert all(one["result"]["vm"]["password"] for one in done["jobs"])
        assert "job" not in done
        sent = asked(emulator)
        # One question for the time at which to begin, then one listing for each look. CloudStack 4 lists pending jobs only,
        # so each job is asked for once when it has ended.
        assert sent["queryAsyncJobResult"] <= {"3": 2, "4": 22}[generation]
        assert 2 <= sent["listAsyncJobs"] <= 15
        assert len(sent) == 2


def test_check_mode_waits_for_jobs_and_returns_the_same(run_module: Run, emulator: Any) -> None:
    jobs = begun(run_module, "web1", "web2")
    emulator.clear()
    told = run_module("cloudn_job", _check=True, jobs=jobs)
    assert all(is_read(command) for command in asked(emulator))
    assert {one["status"] for one in told["jobs"]} == {"done"}
    assert told["jobs"] == run_module("cloudn_job", jobs=jobs)["jobs"]


def test_an_empty_list_of_jobs_is_no_error(run_module: Run, emulator: Any) -> None:
    done = run_module("cloudn_job", jobs=[])
    assert (done["changed"], done["jobs"]) == (False, [])
    assert "job" not in done and not done.get("failed")
    assert asked(emulator) == {}


def test_without_waiting_the_module_only_looks(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(job_seconds=30) as (run, emulator):
        jobs = begun(run, "web1", "web2")
        emulator.clear()
        done = run("cloudn_job", jobs=jobs, wait=False)
        assert not done.get("failed"), done
        assert [one["status"] for one in done["jobs"]] == ["pending", "pending"]
        ids = {machine["name"]: machine["id"] for machine in run("cloudn_vm_info")["vms"]}
        assert [one["object_id"] for one in done["jobs"]] == [ids["web1"], ids["web2"]]
        assert all(one["result"] is None and one["error_code"] is None for one in done["jobs"])
        emulator.clear()
        assert run("cloudn_job", jobs=jobs[:1], wait=False)["job"]["status"] == "pending"
        assert asked(emulator) == {"queryAsyncJobResult": 1}


def test_a_look_does_not_judge(run_module: Run, failed_job: str) -> None:
    done = run_module("cloudn_job", jobs=[failed_job, UNKNOWN], wait=False)
    assert not done.get("failed"), done
    assert [one["status"] for one in done["jobs"]] == ["failed", "unknown"]


def test_a_failed_job_is_an_error_with_its_reason(
    run_module: Run, client: Client, generation: str, failed_job: str
) -> None:
    group = {"3": None, "4": client.list("listSecurityGroups", {"securitygroupname": "twice"})[0]["id"]}[generation]
    done = run_module("cloudn_job", jobs=[failed_job])
    assert done["failed"] and done["changed"] is False
    shown = done["job"]
    assert (shown["status"], shown["result"], shown["object_id"]) == ("failed", None, group)
    text = shown["error_text"]
    assert text and shown["error_code"] == 530
    told = f"AuthorizeSecurityGroupIngressCmd: job {failed_job} failed: {text} (error 530)"
    assert done["msg"] == f"{told}. Correct the reason, and run the task of a failed job again"
    details = {"command": shown["command"], "error_code": 530, "error_text": text, "job_id": failed_job}
    assert {name: done[name] for name in details} == details


def test_an_unknown_job_is_an_error(run_module: Run, emulator: Any) -> None:
    done = run_module("cloudn_job", jobs=[UNKNOWN])
    assert done["failed"]
    assert f"job {UNKNOWN} is not known to the service (any more)" in done["msg"]
    assert "how an unknown job ended: look at the object" in done["msg"]
    assert done["job"] == {**dict.fromkeys(KEYS), "id": UNKNOWN, "status": "unknown"}
    assert asked(emulator) == {"queryAsyncJobResult": 1}


@pytest.mark.parametrize("timeout", [0, 1])
def test_a_job_that_is_pending_at_the_deadline_is_an_error(run_module_as: Callable[..., Any], timeout: int) -> None:
    with run_module_as(job_seconds=30) as (run, _emulator):
        (job_id,) = begun(run, "web1")
        began = time.monotonic()
        done = run("cloudn_job", jobs=[job_id], wait_timeout=timeout)
        assert timeout <= time.monotonic() - began < timeout + 2
        assert done["failed"]
        assert f"DeployVMCmd: job {job_id} is still pending after {timeout} s (wait_timeout)" in done["msg"]
        assert "go on at the service: run cloudn_job with their ids, or with a longer" in done["msg"]
        assert done["job"]["status"] == "pending"
        assert done["job_id"] == job_id


def test_a_slow_answer_is_awaited_beyond_the_deadline(run_module_as: Callable[..., Any]) -> None:
    """No time is left for waiting, but some for the answer."""
    with run_module_as(latency_ms=100) as (run, _emulator):
        jobs = begun(run, "web1", "web2")
        assert not run("cloudn_job", jobs=jobs, wait_timeout=0).get("failed")


def test_good_and_bad_ends_are_all_returned(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(job_seconds=0.05) as (run, emulator):
        good, forgotten, failed = begun(run, "web1", "web2", "web3")
        time.sleep(0.3)
        del emulator.store.jobs[forgotten]
        emulator.store.jobs[failed].status = 2
        emulator.store.jobs[failed].result = {"errorcode": 533, "errortext": "no room"}
        emulator.settings.job_seconds = 30
        (going_on,) = begun(run, "web4")
        done = run("cloudn_job", jobs=[going_on, good, forgotten, failed], wait_timeout=1)
        assert done["failed"] and "job_id" not in done
        assert [one["status"] for one in done["jobs"]] == ["pending", "done", "unknown", "failed"]
        told = [
            f"3 of 4 jobs did not end well: DeployVMCmd: job {failed} failed: no room (error 533)",
            f"job {forgotten} is not known to the service (any more)",
            f"DeployVMCmd: job {going_on} is still pending after 1 s (wait_timeout). Correct the reason, and run the task "
            "of a failed job again. The service does not say how an unknown job ended: look at the object that it was about. "
            "Pending jobs go on at the service: run cloudn_job with their ids, or with a longer wait_timeout",
        ]
        assert done["msg"] == "; ".join(told)


def test_the_error_names_five_jobs_at_most(run_module: Run) -> None:
    jobs = [UNKNOWN[:-1] + str(number) for number in range(8)]
    message = run_module("cloudn_job", jobs=jobs)["msg"]
    assert message.startswith("8 of 8 jobs did not end well: ")
    assert [job_id in message for job_id in jobs] == [True] * 5 + [False] * 3
    assert "; and 3 more. The service does not say" in message


def test_a_job_that_is_forgotten_meanwhile_ends_the_wait(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(job_seconds=30) as (run, emulator):
        (job_id,) = begun(run, "web1")
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        client.sleep = lambda _seconds: emulator.store.jobs.pop(job_id, None)
        assert job.follow(client, [job_id], 60) == [{"jobid": job_id}]


def test_the_result_of_a_rules_job_is_its_security_group(run_module: Run, client: Client) -> None:
    group = client.call("createSecurityGroup", {"name": "web"})["securitygroup"]["id"]
    job_id = client.call("authorizeSecurityGroupIngress", {"securitygroupid": group, **WEB})["jobid"]
    shown = run_module("cloudn_job", jobs=[job_id])["job"]
    assert shown["object_id"] == group
    (listed,) = run_module("cloudn_security_group_info", name="web")["security_groups"]
    assert shown["result"]["security_group"] == {**listed, "tags": None}


@pytest.mark.parametrize(
    ("kind", "module", "options"),
    [
        ("volume", "cloudn_volume", {"name": "data", "zone": "jp-e1a", "disk_offering": "Small"}),
        ("snapshot", "cloudn_snapshot", {"vm": "web1", "max_age": "0"}),
        ("template", "cloudn_template", {"name": "web", "vm": "web1", "os_type": "CentOS 5.6 (64-bit)"}),
    ],
)
def test_objects_are_shown_as_by_their_modules(run_module: Any, kind: str, module: str, options: Any) -> None:
    run_module("cloudn_vm", name="web1", zone="jp-e1a", template="CentOS 6.2 64bit", service_offering="v1")
    run_module("cloudn_vm", name="web1", state="stopped")
    begun = run_module(module, wait=False, **options)
    shown = run_module("cloudn_job", jobs=begun["jobs"])["job"]["result"][kind]
    assert shown["id"] == begun[kind]["id"]
    assert shown.keys() <= begun[kind].keys()


def test_jobs_of_several_modules_are_waited_for_together(run_module: Run, emulator: Any) -> None:
    run_module("cloudn_vm", name="web1", **NEW)  # a password can be reset only once it was started
    stopped = run_module("cloudn_vm", name="web1", state="stopped")["vm"]["id"]
    begun = [
        run_module(module, wait=False, **options)["jobs"]
        for module, options in (
            ("cloudn_vm", {"name": ["web2", "web3"], **NEW}),
            ("cloudn_vm_password", {"name": "web1"}),
            ("cloudn_security_group", {"name": "web", "ingress": [{"ports": "80", "cidrs": ["192.0.2.0/24"]}]}),
            ("cloudn_volume", {"name": "data", "zone": "jp-e1a", "disk_offering": "Small"}),
            ("cloudn_api", {"command": "startVirtualMachine", "params": {"id": stopped}}),
        )
    ]
    ended = run_module("cloudn_job", jobs=[job_id for jobs in begun for job_id in jobs])["jobs"]
    assert {one["status"] for one in ended} == {"done"}
    assert [next(iter(one["result"])) for one in ended] == ["vm", "vm", "vm", "security_group", "volume", "vm"]


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_an_extraction_shows_its_address(run_module: Any, response_format: str) -> None:
    run_module("cloudn_vm", name="web1", zone="jp-e1a", template="CentOS 6.2 64bit", service_offering="v1")
    run_module("cloudn_volume", name="data", zone="jp-e1a", disk_offering="Small", state="attached", vm="web1")
    run_module("cloudn_volume", name="data", state="detached")
    begun = run_module("cloudn_volume", name="data", state="extracted", wait=False)
    shown = run_module("cloudn_job", jobs=begun["jobs"], response_format=response_format)["job"]["result"]
    assert shown["extraction"]["url"].startswith("https://")
    assert shown["extraction"]["mode"] == "HTTP_DOWNLOAD"


@pytest.mark.parametrize(
    ("given", "shown", "object_id"),
    [
        ({"success": True}, {"success": True}, None),
        ({"host": {"id": "h1", "cpunumber": 5}}, {"host": {"id": "h1", "cpunumber": 5}}, "h1"),
        ("just text", {"text": "just text"}, None),
        ({}, {}, None),
        (None, {}, None),
        ({"virtualmachine": "text"}, {"virtualmachine": "text"}, None),
    ],
)
def test_other_results_are_as_the_service_has_them(given: Any, shown: Any, object_id: str | None) -> None:
    one = job.to_result({"jobid": "1", "jobstatus": 1, "jobresult": given})
    assert (one["status"], one["result"], one["object_id"], one["command"]) == ("done", shown, object_id, None)


@pytest.mark.parametrize(
    ("record", "code", "text"),
    [
        ({"jobresultcode": 530, "jobresult": {"errorcode": 431, "errortext": "Invalid"}}, 431, "Invalid"),
        ({"jobresultcode": 530, "jobresult": "just text"}, 530, "just text"),
        ({"jobresultcode": 530}, 530, None),
        ({}, None, None),
    ],
)
def test_failures_without_a_code_or_a_text_are_described(record: Result, code: int | None, text: str | None) -> None:
    one = job.to_result({"jobid": "1", "jobstatus": 2, **record})
    assert (one["status"], one["error_code"], one["error_text"], one["result"]) == ("failed", code, text, None)
    reason = text or "the service gave no reason"
    assert job.failure([one], 1)["msg"] == (
        f"job 1 failed: {reason} (error {code}). Correct the reason, and run the task of a failed job again"
    )


@pytest.mark.parametrize(
    "wrong", ["web1", "7", UNKNOWN + "0", "{'id': 'x', 'name': 'y', 'a': 'b', 'password': 'hidden'}"]
)
def test_text_that_is_no_id_is_refused(refused: Run, emulator: Any, wrong: str) -> None:
    message = refused("cloudn_job", jobs=[UNKNOWN, wrong])
    assert message.startswith(f"jobs: {wrong[:40]!r} is no id of a job")
    assert "hidden" not in message
    assert asked(emulator) == {}


def test_jobs_are_needed_and_a_negative_timeout_is_refused(refused: Run) -> None:
    assert refused("cloudn_job") == "missing required arguments: jobs"
    assert refused("cloudn_job", jobs=[], wait_timeout=-1) == "wait_timeout: must be at least 0, not -1"


def test_an_error_of_the_service_is_an_error(run_module: Run) -> None:
    done = run_module("cloudn_job", jobs=[UNKNOWN], api_secret="wrong")
    assert done["failed"] and done["error_code"] == 401
    lost = run_module("cloudn_job", jobs=[UNKNOWN], api_url="http://127.0.0.1:9/client/api", api_retries=0)
    assert lost["failed"] and "was not reached" in lost["msg"]


def test_an_account_that_cannot_list_jobs_asks_for_each(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(denied=["listAsyncJobs"]) as (run, _emulator):
        done = run("cloudn_job", jobs=begun(run, "web1", "web2"))
        assert [one["status"] for one in done["jobs"]] == ["done", "done"]


# cloudn_job_info


@pytest.fixture
def history(run_module: Run, failed_job: str, emulator: Any) -> list[str]:
    """The ids of jobs, oldest first: a rule, the same again, which failed, a machine that was made, one that was begun."""
    (made,) = begun(run_module, "web1")
    run_module("cloudn_job", jobs=[made])
    emulator.settings.job_seconds = 30
    (pending,) = begun(run_module, "web2")
    jobs = list(emulator.store.jobs)
    assert [jobs[1], *jobs[2:]] == [failed_job, made, pending]
    emulator.clear()
    return jobs


@pytest.mark.parametrize(
    ("options", "places"),
    [
        ({}, [0, 1, 2, 3]),
        ({"status": "pending"}, [3]),
        ({"status": "done"}, [0, 2]),
        ({"status": "failed"}, [1]),
        ({"command": "DeployVMCmd"}, [2, 3]),
        ({"command": "securitygroup"}, [0, 1]),
        ({"command": "deploy", "status": "done"}, [2]),
        ({"command": "commands"}, []),
        ({"command": "Deploy_M"}, []),
        ({"command": "\\"}, []),
        ({"since": "1h"}, [0, 1, 2, 3]),
        ({"since": "2099-01-01T00:00:00Z"}, []),
    ],
)
def test_jobs_are_found_by_options(
    run_module: Run, history: list[str], emulator: Any, generation: str, options: Result, places: list[int]
) -> None:
    """CloudStack 4 lists only the one that is pending."""
    places = places if generation == "3" else [place for place in places if place == 3]
    done = run_module("cloudn_job_info", **options)
    assert not done.get("failed") and done["changed"] is False
    assert [one["id"] for one in done["jobs"]] == [history[place] for place in places]
    # If the service lists nothing, it is asked whether it lists jobs that have ended.
    sent = asked(emulator)
    assert sent in ({"listAsyncJobs": 1}, {"listAsyncJobs": 1, "listCapabilities": 1})
    assert not places or len(sent) == 1 or generation == "4"
    assert run_module("cloudn_job_info", _check=True, **options)["jobs"] == done["jobs"]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, True),
        ({"status": "failed"}, True),
        ({"status": "done"}, False),
        ({"command": "Ingress"}, True),
        ({"command": "Egress"}, False),
        ({"since": "1h"}, True),
        ({"since": "2099-01-01T00:00:00Z"}, False),
    ],
)
def test_a_job_is_found_by_its_id(
    run_module: Run, failed_job: str, emulator: Any, options: Result, found: bool
) -> None:
    emulator.clear()
    done = run_module("cloudn_job_info", id=failed_job, **options)
    assert [one["id"] for one in done["jobs"]] == ([failed_job] if found else [])
    assert asked(emulator) == {"queryAsyncJobResult": 1}


@pytest.mark.parametrize("unknown", [UNKNOWN, "nonsense"])
def test_an_unknown_id_finds_nothing(run_module: Run, failed_job: str, unknown: str) -> None:
    done = run_module("cloudn_job_info", id=unknown)
    assert (done["changed"], done["jobs"]) == (False, [])


def test_an_error_is_not_an_empty_list(run_module: Run, run_module_as: Callable[..., Any]) -> None:
    for options in ({}, {"id": UNKNOWN}):
        assert run_module("cloudn_job_info", api_secret="wrong", **options)["error_code"] == 401
    with run_module_as(denied=["listAsyncJobs"]) as (run, _emulator):
        assert "does not grant it to this account" in run("cloudn_job_info")["msg"]


def test_passwords_are_never_listed(run_module: Run, history: list[str], emulator: Any) -> None:
    emulator.store.jobs[history[0]].result = {"other": [{"password": "deep-secret", "passwordenabled": True}]}
    passwords = ["deep-secret", emulator.store.jobs[history[2]].result["virtualmachine"]["password"]]
    for response_format in ("json", "xml"):
        for options in ({}, *({"id": job_id} for job_id in history)):
            text = json.dumps(run_module("cloudn_job_info", response_format=response_format, **options))
            assert not any(password in text for password in passwords)
            assert '"password"' not in text
    (shown,) = run_module("cloudn_job_info", id=history[2])["jobs"]
    assert shown["result"]["vm"]["password_enabled"] is True
    asked_for = run_module("cloudn_job", jobs=[history[2]])["job"]
    assert asked_for["result"]["vm"].pop("password") == passwords[1]
    assert asked_for == shown


def test_formats_give_the_same(run_module: Run, generation: str, history: list[str]) -> None:
    listed = [run_module("cloudn_job_info", response_format=one)["jobs"] for one in ("json", "xml")]
    assert listed[0] == listed[1] and len(listed[0]) == {"3": 4, "4": 1}[generation]
    collected = [
        run_module("cloudn_job", jobs=history, wait=False, response_format=one)["jobs"] for one in ("json", "xml")
    ]
    assert collected[0] == collected[1]


def test_more_jobs_than_a_page_are_listed(run_module: Run, emulator: Any, generation: str) -> None:
    begun(run_module, "web1")
    (one,) = emulator.store.jobs.values()
    for number in range(700):
        job_id = f"{number:08}{UNKNOWN[8:]}"
        emulator.store.jobs[job_id] = type(one)(job_id, one.owner, one.command, one.created, None, None)
    emulator.clear()
    assert len(run_module("cloudn_job_info")["jobs"]) == 701
    sent = asked(emulator)
    # CloudStack 4 lists pending jobs only, so the module warns there, by the version of the service.
    assert sent.keys() == {"3": {"listAsyncJobs"}, "4": {"listAsyncJobs", "listCapabilities"}}[generation]
    assert 2 <= sent["listAsyncJobs"] < 2 + MOST  # pages are read ahead, some in vain


@pytest.mark.parametrize(
    ("since", "sent"),
    [
        ("2026-11-23T16:00:00Z", "2026-11-23T16:00:00Z+0000"),
        ("2026-11-23T16:00:00+0900", "2026-11-23T07:00:00Z+0000"),
        ("2026-11-23T16:00:00+09:00", "2026-11-23T07:00:00Z+0000"),
        ("2026-11-23T16:00:00-0130", "2026-11-23T17:30:00Z+0000"),
        ("2026-11-23T16:00:00.123456Z", "2026-11-23T16:00:00Z+0000"),
        ("2026-11-23 16:00:00+00:00", "2026-11-23T16:00:00Z+0000"),
        ("2h", "2001-09-08T23:46:40Z+0000"),
        ("30m", "2001-09-09T01:16:40Z+0000"),
        ("90s", "2001-09-09T01:45:10Z+0000"),
        ("7d", "2001-09-02T01:46:40Z+0000"),
        ("1w", "2001-09-02T01:46:40Z+0000"),
        ("0s", "2001-09-09T01:46:40Z+0000"),
    ],
)
def test_since_is_sent_as_a_startdate(client: Client, emulator: Any, since: str, sent: str) -> None:
    client.now = lambda: 1_000_000_000.5
    client.signature_expires = 0
    assert job.select(client, {"since": since}) == []
    assert emulator.requests[0]["params"]["startdate"] == sent
    assert emulator.requests[0]["status"] == 200


def test_since_may_be_a_time_without_quotes(playbook: Callable[..., Any], emulator: Any) -> None:
    task = "cloudn.compute.cloudn_job_info:\n        since: 2026-11-23T16:00:00Z"
    play = f"- hosts: localhost\n  gather_facts: false\n  tasks:\n    - name: Jobs\n      {task}\n"
    assert not isinstance(yaml.safe_load(play)[0]["tasks"][0]["cloudn.compute.cloudn_job_info"]["since"], str)
    done = playbook(play)
    assert done.returncode == 0, done.stdout + done.stderr
    assert emulator.requests[0]["params"]["startdate"] == "2026-11-23T16:00:00Z+0000"


@pytest.mark.parametrize(
    "since",
    ["", "yesterday", "2", "h", "-2h", "2 h", "1.5h", "2y", "2026-11-23", "2026-11-23T16:00:00", "2026-13-23T16:00:00Z",
     "2026-11-23T16:00:00Z+0000", "2026-11-23T16:00:00+9900", "9999999999999999d", "0001-01-01T00:00:00+0900"],
)  # fmt: skip
def test_other_forms_of_since_are_refused(refused: Run, emulator: Any, since: str) -> None:
    message = refused("cloudn_job_info", since=since)
    assert message.startswith(f"since: {since!r} is neither a time with its offset (2026-11-23T16:00:00Z, ")
    assert asked(emulator) == {}


def test_other_values_of_status_are_refused(refused: Run) -> None:
    assert "status: 'unknown' is not possible. The value of status must be one of: pending, done, failed" in refused(
        "cloudn_job_info", status="unknown"
    )


def test_a_moment_too_far_back_is_refused() -> None:
    with pytest.raises(UsageError):
        job.moment("99999999w", 0)


def test_a_connection_that_breaks_is_reported(
    run_module: Run, failed_job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_args: Any, **_options: Any) -> Any:
        raise requests.ConnectionError("connection reset")

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", broken)
    done = run_module("cloudn_job", jobs=[failed_job])
    assert "the connection broke before the answer was complete" in done["msg"]

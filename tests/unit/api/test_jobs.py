# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs: the client notices their ends soon and with few requests. Every bad end is a clear error with the job's id."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import (
    BadAnswer,
    Client,
    Deadline,
    JobFailed,
    JobLost,
    JobTimeout,
    UnknownOutcome,
    is_read,
)
from ansible_collections.cloudn.compute.plugins.module_utils.api.jobs import Jobs, by_id, startdate, wait_for
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.apply import Bounds
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.plan import Plan, Step
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.progress import Progress
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.recover import apply_until_clear


def job(**fields: Any) -> str:
    return json.dumps({"queryasyncjobresultresponse": {"jobid": "j1", "created": "2026-11-23T14:59:50+0000", **fields}})


def listing(*jobs: dict[str, Any]) -> str:
    return json.dumps({"listasyncjobsresponse": {"count": len(jobs), "asyncjobs": list(jobs)} if jobs else {}})


PENDING = job(jobstatus=0, jobprocstatus=0, jobresultcode=0)
DONE = job(jobstatus=1, jobresult={"virtualmachine": {"id": "v", "state": "Running"}})


def test_waiting_for_a_job_returns_its_result(script: Any, client: Client) -> None:
    script.json(PENDING, PENDING, DONE)
    assert client.wait("j1") == {"virtualmachine": {"id": "v", "state": "Running"}}
    assert script.commands() == ["queryAsyncJobResult"] * 3


@pytest.mark.parametrize(
    ("fields", "said", "code"),
    [
        ({"jobresultcode": 530, "jobresult": {"errorcode": 431, "errortext": "Invalid CIDR"}}, "failed: Invalid CIDR (error 431)", 431),
        ({"jobresultcode": 530, "jobresult": {"errorcode": 530}}, "failed: the service gave no reason (error 530)", 530),
        ({"jobresultcode": 530}, "failed: the service gave no result (error 530)", 530),
        ({"jobresult": "just text"}, "failed: just text (error None)", None),
    ],
)  # fmt: skip
def test_a_job_that_fails_is_an_error_with_the_reason(
    script: Any, client: Client, fields: dict[str, Any], said: str, code: Any
) -> None:
    script.json(job(jobstatus=2, **fields))
    with pytest.raises(JobFailed, match=re.escape(f"job j1 {said}")) as caught:
        client.wait("j1")
    assert (caught.value.job_id, caught.value.code) == ("j1", code)


def test_a_job_without_a_result_has_an_empty_one(script: Any, client: Client) -> None:
    script.json(job(jobstatus=1))
    assert client.wait("j1") == {}


def test_a_lost_job_is_an_error_of_its_own(script: Any, client: Client) -> None:
    script.json('{"queryasyncjobresultresponse": {"errorcode": 431, "errortext": "does not exist"}}', status=431)
    with pytest.raises(JobLost, match="does not know job j1 .any more., so its outcome is unknown") as caught:
        client.wait("j1")
    assert caught.value.job_id == "j1"


def test_a_job_that_never_ends_is_an_error_at_the_deadline(script: Any, client: Client, clock: Any) -> None:
    script.json(PENDING)
    with pytest.raises(JobTimeout, match=r"job j1 is still pending, it did not end within 60 s") as caught:
        client.wait("j1", timeout=60)
    assert caught.value.job_id == "j1"
    assert sum(clock.pauses) == pytest.approx(60)


def test_an_answer_about_a_job_without_a_status_is_an_error(script: Any, client: Client) -> None:
    script.json(job())
    with pytest.raises(BadAnswer, match="the answer about job j1 has no jobstatus"):
        client.wait("j1")


@pytest.mark.parametrize("status", [3, 9, -1, "done", None, [], {}])
def test_a_status_that_is_not_known_is_no_failure_of_the_job(script: Any, client: Client, status: Any) -> None:
    script.json(job(jobstatus=status, jobresult={"errorcode": 530, "errortext": "x"}))
    with pytest.raises(UnknownOutcome, match="jobstatus"):
        client.wait("j1")


class Service(Client):
    """A client whose service does nothing but jobs, each as long as its command's parameter ``seconds`` says.

    Only the clock's sleep, and ``latency`` with each poll, let time pass. ``polls`` are the times at which it was polled.
    """

    def __init__(self, clock: Any, latency: float = 0.0) -> None:
        super().__init__("http://127.0.0.1/", "k", "s", sleep=clock.sleep, clock=clock)
        self.latency = latency
        self.polls: list[float] = []
        self._ends: dict[str, float] = {}

    def call(self, command: str, params: Any = None, deadline: Any = None) -> dict[str, Any]:
        if not is_read(command):
            self._ends[params["name"]] = self.clock() + params["seconds"]
            return {"jobid": params["name"]}
        jobs = [
            {"jobid": name, "jobstatus": int(end <= self.clock()), "created": "2026-11-23T14:59:50+0000"}
            for name, end in self._ends.items()
        ]
        self.polls.append(self.clock())
        self.sleep(self.latency)
        if command == "listAsyncJobs":
            return {"asyncjobs": jobs}
        return next(job for job in jobs if job["jobid"] == params["jobid"])


def ends(client: Service, lengths: list[float]) -> list[float]:
    """Apply a plan with a job of each length; return the times at which their ends were noticed, in the same order."""
    noticed: dict[str, float] = {}

    def made(name: str) -> Step:
        def notice(known: Any, _record: Any) -> Any:
            noticed[name] = client.clock()
            return known

        return Step("make it", "createVolume", {"name": name, "seconds": lengths[int(name[1:])]}, yields=notice)

    plans = [Progress(Plan(f"j{number}", None, [[made(f"j{number}")]])) for number in range(len(lengths))]
    began = client.clock()
    apply_until_clear(client, plans, Deadline(None, client.clock), lambda _progress: None, Bounds(50, 200))
    assert [progress.error for progress in plans] == [None] * len(lengths)
    return [noticed[progress.name] - began for progress in plans]


@pytest.mark.parametrize("latency", [0, 0.1])
@pytest.mark.parametrize("lengths", [[0], [0.9], [2.1], [9], [46], [600], [0.9, 9, 46, 600], [9] * 50], ids=str)
def test_ends_are_noticed_in_time(clock: Any, lengths: list[float], latency: float) -> None:
    client = Service(clock, latency)
    for length, noticed in zip(lengths, ends(client, lengths), strict=True):
        assert length <= noticed <= length + min(5.0, 0.1 * length + 0.5)
    assert len(client.polls) <= 170


def test_polls_do_not_grow_with_the_number_of_jobs(clock: Any) -> None:
    one, many = Service(clock), Service(clock)
    ends(one, [60])
    ends(many, [60] * 200)
    assert len(many.polls) <= len(one.polls) + 1  # the first job is asked for when it began


def test_waiting_keeps_the_same_pace(script: Any, client: Client, clock: Any) -> None:
    script.json(PENDING)
    with pytest.raises(JobTimeout):
        client.wait("j1", timeout=600)
    waited = 0.0
    for pause in clock.pauses[:-1]:
        assert pause == pytest.approx(min(4.6, max(0.2, waited / 10)))
        waited += pause
    assert len(script.requests) <= 170


def in_turn(client: Service, lengths: list[float], tracks: int = 1, brief: float = 0.1) -> float:
    """Apply plans with jobs of these lengths, each of which begins when the one before has ended; return the seconds."""
    plans = []
    for number in range(tracks):
        params = [{"name": f"t{number}j{turn}", "seconds": seconds} for turn, seconds in enumerate(lengths)]
        steps = [Step("change it", "changeIt", one, in_turn=True, seconds=brief) for one in params]
        plans.append(Progress(Plan(f"t{number}", None, [steps])))
    began = client.clock()
    apply_until_clear(client, plans, Deadline(None, client.clock), lambda _progress: None)
    assert [progress.error for progress in plans] == [None] * tracks
    return client.clock() - began


def asking_without_a_pause(client: Service, lengths: list[float]) -> float:
    """Return the seconds that the same jobs take when a client polls all the time (each millisecond if a poll is free)."""
    began = client.clock()
    for turn, seconds in enumerate(lengths):
        client.call("changeIt", {"name": f"j{turn}", "seconds": seconds})
        while not client.call("queryAsyncJobResult", {"jobid": f"j{turn}"})["jobstatus"]:
            client.sleep(0 if client.latency else 0.001)
    return client.clock() - began


@pytest.mark.parametrize("latency", [0, 0.02, 0.1])
@pytest.mark.parametrize(
    ("seconds", "number"),
    [(0.095, 10), (0.11, 10), (0.19, 10), (0.4, 10), (0.03, 40), (0.095, 40), (0.11, 40), (0.19, 40), (0.4, 40)],
)
def test_short_jobs_in_turn_take_little_more_than_themselves(
    clock: Any, seconds: float, number: int, latency: float
) -> None:
    plain, client = Service(clock, latency), Service(clock, latency)
    assert in_turn(client, [seconds] * number) <= 1.2 * asking_without_a_pause(plain, [seconds] * number)
    assert len(client.polls) <= 3 * number + 5


def test_short_jobs_of_different_objects_do_not_wait_for_each_other(clock: Any) -> None:
    client = Service(clock)
    assert in_turn(client, [0.1] * 10, tracks=5) <= 1.3


def test_a_job_that_is_shorter_than_those_before_is_soon_seen_to_be(clock: Any) -> None:
    client = Service(clock)
    assert in_turn(client, [0.9] + [0.05] * 10) < 3.2  # not 10 s


@pytest.mark.parametrize("brief", [0, 0.1])
def test_a_long_job_of_a_command_that_was_short_costs_a_few_looks_more_once(clock: Any, brief: float) -> None:
    alone, after = Service(clock), Service(clock)
    ends(alone, [60])
    in_turn(after, [0.1, 60, 60], brief=brief)
    looks = len(after.polls)
    assert looks <= 2 * len(alone.polls) + 3 + 6


def test_many_jobs_are_asked_for_together(script: Any, client: Client) -> None:
    ids = [f"j{number}" for number in range(50)]
    pending = [{"jobid": job_id, "jobstatus": 0} for job_id in ids]
    done = [{"jobid": job_id, "jobstatus": 1, "jobresult": {"success": True}} for job_id in ids]
    script.json(job(jobid="j0", jobstatus=0), listing(*pending), listing(*done))
    assert wait_for(client, ids) == {job_id: {"success": True} for job_id in ids}
    assert script.commands() == ["queryAsyncJobResult", "listAsyncJobs", "listAsyncJobs"]
    assert script.requests[1]["startdate"] == "2026-11-23T14:58:50Z+0000"


def test_a_job_that_the_listing_lacks_is_asked_for_by_itself(script: Any, client: Client) -> None:
    script.json(PENDING, listing({"jobid": "j1", "jobstatus": 1}), job(jobid="j2", jobstatus=1))
    assert wait_for(client, ["j1", "j2"]) == {"j1": {}, "j2": {}}
    assert script.requests[2]["jobid"] == "j2"


MACHINE = {"virtualmachine": {"id": "v", "state": "Running"}}
OTHERS = {
    "another job": {"jobid": "j2", "jobresult": MACHINE},
    "another type": {"jobinstancetype": "Volume", "jobinstanceid": "v", "jobresult": MACHINE},
    "another object": {"jobinstancetype": "VirtualMachine", "jobinstanceid": "w", "jobresult": MACHINE},
    "another object in the result": {"jobresult": {"virtualmachine": {"id": "w", "state": "Running"}}},
}


def watched(client: Client) -> Jobs:
    jobs = Jobs(client)
    jobs.add("j1", "startVirtualMachine", object_ids={"v"})
    return jobs


@pytest.mark.parametrize("status", [0, 1, 2])
@pytest.mark.parametrize("fields", OTHERS.values(), ids=OTHERS)
def test_an_answer_about_another_job_is_not_believed(
    script: Any, client: Client, fields: dict[str, Any], status: int
) -> None:
    script.json(job(jobstatus=status, **fields), job(jobstatus=1, jobresult=MACHINE))
    (end,) = watched(client).ends(Deadline(60, client.clock))
    assert (end.result, end.error) == (MACHINE, None)


@pytest.mark.parametrize("fields", OTHERS.values(), ids=OTHERS)
def test_an_outcome_is_unknown_if_no_answer_is_about_the_job(
    script: Any, client: Client, fields: dict[str, Any]
) -> None:
    script.json(job(jobstatus=1, **fields))
    (end,) = watched(client).ends(Deadline(600, client.clock))
    assert isinstance(end.error, BadAnswer)
    assert str(end.error).startswith("startVirtualMachine: the answers about job j1 are about ")
    assert len(script.requests) < 10


def test_a_job_that_fails_by_its_result_is_a_failure(script: Any, client: Client) -> None:
    script.json(job(jobstatus=1, jobresult={"success": False, "displaytext": "in use"}))
    with pytest.raises(JobFailed, match="job j1 failed: in use"):
        client.wait("j1")


def test_a_job_that_is_asked_for_by_its_id_has_that_id(script: Any, client: Client) -> None:
    script.json(job(jobid="j2", jobstatus=1))
    with pytest.raises(BadAnswer, match="queryAsyncJobResult: the answer is about job 'j2', not about job j1"):
        by_id(client, "j1")


def test_one_failure_among_many_does_not_end_the_wait(script: Any, client: Client) -> None:
    failed = {"jobid": "j1", "jobstatus": 2, "jobresult": {"errorcode": 530, "errortext": "no"}}
    script.json(PENDING, listing(failed, {"jobid": "j2", "jobstatus": 0}), job(jobid="j2", jobstatus=1))
    with pytest.raises(JobFailed, match="job j1 failed"):
        wait_for(client, ["j1", "j2"])
    assert script.requests[-1]["jobid"] == "j2"


def test_the_youngest_job_sets_the_pace(client: Client, clock: Any) -> None:
    jobs = Jobs(client)
    jobs.add("old")
    clock.sleep(100)
    assert jobs.pause() == 4.6
    jobs.add("new")
    assert jobs.pause() == 0.2


@pytest.mark.parametrize(
    ("created", "form"),
    [
        ("2026-11-23T14:59:50+0000", "2026-11-23T14:59:50Z+0000"),
        ("2026-11-23T14:59:50+0900", "2026-11-23T14:59:50Z+0900"),
        ("", None),
        ("yesterday", None),
    ],
)
def test_a_date_is_written_as_a_startdate_of_the_service(created: str, form: str | None) -> None:
    assert startdate(created) == form


def test_a_startdate_can_be_some_seconds_earlier() -> None:
    assert startdate("2026-11-23T00:00:10+0900", earlier=60) == "2026-11-22T23:59:10Z+0900"


def test_real_pauses_are_real(script: Any) -> None:
    script.json(PENDING, DONE)
    start = time.monotonic()
    Client(script.url, "k", "s").wait("j1")
    assert time.monotonic() - start > 0.15

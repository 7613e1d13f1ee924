# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of one site that are killed at any request, and several at once: afterwards there is one of each object, and nothing is lost.

A run is killed in this process: from some request on it sends nothing more. So each request is a case.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from ansible_collections.cloudn.compute.plugins.module_utils.api import CloudnError
from asked import changes_sent_to
from cases import SAMPLE
from controllers import Controller, at_once
from holdings import holdings
from samples import KEY, NEW
from sites import RunAs
from specs import good
from waiting import soon

Result = dict[str, Any]
ALL = os.environ.get("FAULTS") == "all"
SEED = int(os.environ.get("FAULTS_SEED", "1"))
IMAGE = {"template": NEW["template"], "service_offering": "v1"}
SITE: Result = {
    "name": "shop",
    "zone": NEW["zone"],
    "key_pairs": [{"name": "deploy", "public_key": KEY}],
    "security_groups": [
        {"name": "web", "tags": {"a": "b"}, "ingress": [{"ports": "22", "groups": [{"name": "admin"}]}]},
        {"name": "admin", "ingress": [{"ports": "22", "groups": [{"name": "web"}]}]},
    ],
    "vms": [
        {"name": ["web1", "web2"], "security_groups": ["web"], "key_pair": "deploy", "tags": {"a": "b"}, **IMAGE},
        {"name": ["db1"], "security_groups": ["admin"], "state": "stopped", **IMAGE},
    ],
    "volumes": [
        {"name": "data", "vm": "web1", "disk_offering": "Small"},
        {"name": "spare", "disk_offering": "Small", "tags": {"a": "b"}},
    ],
}
# The same site, changed: other rules, a machine less, a disk that moves.
CHANGED: Result = {
    **SITE,
    "security_groups": [{"name": "web", "ingress": [{"ports": "80", "cidrs": ["0.0.0.0/0"]}]}],
    "vms": [{"name": ["web2", "web3"], "security_groups": ["web"], "key_pair": "deploy", **IMAGE}],
    "volumes": [{"name": "data", "vm": "web2", "force": True, "disk_offering": "Small"}],
    "prune": True,
    "delete_volumes": True,
}
ABSENT: Result = {**SITE, "state": "absent", "delete_volumes": True}
MOST_RUNS = 4


class Killed(BaseException):
    """What ends a run that is killed. Nothing catches it."""


class Killer:
    """Kills a run at some request: before it is sent, or when it has been sent and before its answer is read."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.at = 0
        self.is_answered = False
        self.seen = 0
        self._lock = threading.Lock()
        self._send = requests.adapters.HTTPAdapter.send

        def send(adapter: Any, prepared: Any, **options: Any) -> Any:
            return self.send(adapter, prepared, **options)

        patch.setattr(requests.adapters.HTTPAdapter, "send", send)

    def arm(self, at: int, is_answered: bool) -> None:
        """Kill the next run at this request. 0: never."""
        self.at, self.is_answered, self.seen = at, is_answered, 0

    def send(self, adapter: Any, prepared: Any, **options: Any) -> Any:
        """Send a request, if the run is still alive."""
        with self._lock:
            self.seen += 1
            number = self.seen
        if not self.at or number < self.at:
            return self._send(adapter, prepared, **options)
        if number == self.at and self.is_answered:
            self._send(adapter, prepared, **options)
        raise Killed


@pytest.fixture
def killer(monkeypatch: pytest.MonkeyPatch) -> Killer:
    """Kills runs."""
    return Killer(monkeypatch)


def settled(emulator: Any) -> dict[str, Any]:
    """Return what an emulator holds when all jobs have ended."""
    soon(lambda: all(job.status for job in list(emulator.store.jobs.values())))
    return holdings(emulator.store)


# What runs, from what is there before
WORKS: dict[str, tuple[list[Result], Result]] = {
    "new": ([], SITE),
    "changed": ([SITE], CHANGED),
    "absent": ([SITE], ABSENT),
}


@pytest.mark.parametrize("is_answered", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("work", WORKS)
def test_after_a_killed_run_the_next_ones_make_the_site_whole(
    run_module_as: RunAs, killer: Killer, work: str, is_answered: bool
) -> None:
    before, site = WORKS[work]
    with run_module_as(job_seconds=0.02) as (run, emulator):
        for one in before:
            good(run("cloudn_site", **one))
        killer.arm(0, False)
        good(run("cloudn_site", **site))
        total, wanted = killer.seen, settled(emulator)
    step = 1 if ALL else max(1, total // (4 * SAMPLE))
    wrong = []
    for at in range(1 + SEED % step, total + 1, step):
        with run_module_as(job_seconds=0.02) as (run, emulator):
            for one in before:
                killer.arm(0, False)
                good(run("cloudn_site", **one))
            killer.arm(at, is_answered)
            with pytest.raises(Killed):
                raise_if_alive(run("cloudn_site", **site))
            killer.arm(0, False)
            wrong += [f"killed at {at} of {total}: {problem}" for problem in goes_on(run, emulator, site, wanted)]
    assert wrong == []


def raise_if_alive(done: Result) -> None:
    """A run may be over before the request at which it was to be killed: how often jobs are asked for is chance."""
    good(done)
    raise Killed


def goes_on(run: Callable[..., Result], emulator: Any, site: Result, wanted: dict[str, Any]) -> Iterator[str]:
    """Run a site until it is whole; yield what is not as it should be."""
    adopt = {} if site.get("state") == "absent" else {"adopt": True}
    done: Result = {}
    for _run in range(MOST_RUNS):
        done = run("cloudn_site", **site, **adopt)
        if not done.get("failed"):
            break
    if done.get("failed"):
        yield f"the runs after it failed: {done['msg']}"
    now = settled(emulator)
    if now != wanted:
        yield "; ".join(f"{kind}: {now[kind]}, not {wanted[kind]}" for kind in wanted if now[kind] != wanted[kind])
    emulator.clear()
    again = run("cloudn_site", **site)
    changes = [command for command in changes_sent_to(emulator) if command != "deleteSecurityGroup"]  # it may be held
    if again.get("failed") or again["changed"] or changes:
        yield f"the last run: {again.get('msg')}, {again.get('actions')}, sent {changes}"


# Several runs at once


@pytest.mark.generation("3", "4", reason="each has its own ways to find doubles")
@pytest.mark.parametrize("work", WORKS)
@pytest.mark.parametrize("number", [2, 3])
def test_runs_of_one_site_at_once_make_one_of_each(
    run_module_as: RunAs, generation: str, work: str, number: int
) -> None:
    before, site = ([without_pairs(one) for one in sites] for sites in (WORKS[work][0], [WORKS[work][1]]))
    (site,) = site
    with run_module_as(job_seconds=0.02) as (run, emulator):
        for one in before:
            good(run("cloudn_site", **one))
        good(run("cloudn_site", **site))
        wanted = alive(settled(emulator))
    for delay in (0.0, 0.01, 0.05, 0.2)[: 4 if ALL else 2]:
        with run_module_as(job_seconds=0.1, race_ms=20.0) as (run, emulator):
            for one in before:
                good(run("cloudn_site", **one))
            runs = [
                Controller("cloudn_site", {"adopt": site.get("state") != "absent", **site}, emulator)
                for _run in range(number)
            ]
            results = at_once([late(one, place * delay) for place, one in enumerate(runs)])
            said = [result["failed"] for result in results]
            last = run("cloudn_site", **site)
            assert not last.get("failed"), (delay, last["msg"], said)
            assert alive(settled(emulator)) == wanted, (delay, said)
            assert not good(run("cloudn_site", **site))["changed"]


def without_pairs(site: Result) -> Result:
    """Return a site without key pairs: two of one name differ by nothing, so no run can give way to another."""
    machines = [{name: value for name, value in item.items() if name != "key_pair"} for item in site["vms"]]
    return {**site, "key_pairs": [], "vms": machines}


def alive(found: dict[str, Any]) -> dict[str, Any]:
    """Return holdings without the machines, and their disks, that gave way to those of other runs."""
    machines = [one for one in found["machines"] if one[1] not in ("Destroyed", "Expunging")]
    return {**found, "machines": machines, "volumes": [one for one in found["volumes"] if one[2] != "ROOT"]}


def late(controller: Controller, delay: float) -> Callable[[], Result]:
    """Return a function that runs a controller after some time, and returns what it says of a failure."""

    def run() -> Result:
        time.sleep(delay)
        try:
            return {"failed": controller.run()["errors"]}
        except CloudnError as error:
            return {"failed": [error.message]}

    return run

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many objects in one task: at most max_jobs jobs are under way, and nothing more is begun where there is no room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asked import changes_sent_to
from cloudn_emulator.jobs import Jobs
from cloudn_emulator.store import LAST_ADDRESS
from samples import NEW

Result = dict[str, Any]
NAMES = [f"web{number:02}" for number in range(24)]


@pytest.fixture
def most(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many jobs of single objects were pending in the emulator each time that another one began, this one included."""
    counts: list[int] = []
    start = Jobs.start

    def counted(self: Jobs, command: str, *args: Any, **more: Any) -> Any:
        job = start(self, command, *args, **more)
        counts.append(sum(not one.status and "Tags" not in one.command for one in self.store.jobs.values()))
        return job

    monkeypatch.setattr(Jobs, "start", counted)
    return counts


@pytest.mark.parametrize("wait", [True, False])
def test_at_most_so_many_jobs_are_under_way(run_module_as: Any, most: list[int], wait: bool) -> None:
    with run_module_as(job_seconds=0.1) as (run, emulator):
        done = run("cloudn_vm", name=NAMES, tags={"role": "web"}, max_jobs=5, wait=wait, **NEW)
        assert not done.get("failed"), done["msg"]
        assert changes_sent_to(emulator).count("deployVirtualMachine") == len(NAMES)
    assert max(most) == 5


def test_tags_follow_at_once_also_where_other_machines_wait_for_room(run_module_as: Any) -> None:
    with run_module_as(job_seconds=0.3) as (run, emulator):
        assert not run("cloudn_vm", name=NAMES[:6], tags={"role": "web"}, max_jobs=2, **NEW).get("failed")
        assert changes_sent_to(emulator)[:3] == ["deployVirtualMachine", "deployVirtualMachine", "createTags"]


def test_all_jobs_of_one_machine_count(run_module_as: Any, most: list[int]) -> None:
    with run_module_as(job_seconds=0.1) as (run, emulator):
        run("cloudn_vm", name="web1", **NEW)
        for number in range(3):
            name = f"data{number}"
            run("cloudn_volume", name=name, disk_offering="Small", state="attached", vm="web1", zone=NEW["zone"])
        most.clear()
        assert not run("cloudn_vm", name="web1", state="absent", detach_volumes=True, max_jobs=1).get("failed")
        assert changes_sent_to(emulator)[-4:] == ["detachVolume"] * 3 + ["destroyVirtualMachine"]
    assert max(most) == 1


def test_a_task_of_as_many_machines_as_jobs_takes_one_wave(run_module_as: Any, most: list[int]) -> None:
    with run_module_as(job_seconds=0.5) as (run, _emulator):
        assert not run("cloudn_vm", name=NAMES, max_jobs=len(NAMES), **NEW).get("failed")
    assert max(most) == len(NAMES)


def test_nothing_more_is_begun_where_the_service_has_no_room(run_module_as: Any) -> None:
    """The service tells it in the job (533), when a machine in state Error holds the name already."""
    with run_module_as(job_seconds=0.1) as (run, emulator):
        store = emulator.store
        zone = next(zone for zone in store.zones.values() if zone.name == NEW["zone"])
        store.next_address[zone.id] = LAST_ADDRESS - 6  # seven addresses are left
        failed = run("cloudn_vm", name=NAMES, max_jobs=4, tags={"role": "web"}, **NEW)
        assert failed["failed"] and failed["changed"]
        sent = changes_sent_to(emulator).count("deployVirtualMachine")
        assert sent <= 7 + 4
        fit = [vm.name for vm in store.vms.values() if vm.state == "Running"]
        assert len(fit) == 7
        untried = [machine["name"] for machine in failed["vms"] if "not tried" in machine.get("error", "")]
        assert len(untried) == len(NAMES) - sent
        assert f"{', '.join(untried)}: deployVirtualMachine: not tried" in failed["msg"]
        assert f"7 of {len(NAMES)} fit" in failed["msg"]
        assert failed["msg"].count("not tried") == 1
        done = {machine["name"]: machine for machine in failed["vms"]}
        assert all(done[name]["tags"] == {"role": "web"} for name in fit)  # what was begun is finished


def test_nothing_more_is_begun_where_a_limit_is_reached(run_module_as: Any) -> None:
    """The service tells it at once, and names no machine."""
    with run_module_as(limits={"instance": 7}, job_seconds=0.1) as (run, emulator):
        failed = run("cloudn_vm", name=NAMES, max_jobs=4, **NEW)
        assert changes_sent_to(emulator).count("deployVirtualMachine") <= 7 + 4
        assert len(emulator.store.vms) == 7
        assert f"7 of {len(NAMES)} fit" in failed["msg"] and "not tried" in failed["msg"]


def test_what_was_there_before_does_not_count_among_what_fits(run_module_as: Any) -> None:
    with run_module_as(limits={"instance": 5}, job_seconds=0.1) as (run, _emulator):
        assert "5 of 12 fit. Ask for" in run("cloudn_vm", name=NAMES[:12], max_jobs=2, **NEW)["msg"]
        failed = run("cloudn_vm", name=NAMES[:12], max_jobs=2, **NEW)
        assert "0 of the 7 that do not exist yet fit. Ask for" in failed["msg"]
        assert failed["msg"].startswith("7 of 12 failed: ")
        # Something else that is done to those that are there is no room for others.
        failed = run("cloudn_vm", name=NAMES[:12], max_jobs=2, tags={"role": "web"}, **NEW)
        assert "0 of the 7 that do not exist yet fit" in failed["msg"]


def test_what_waits_for_room_at_the_deadline_is_not_sent(run_module: Callable[..., Result], emulator: Any) -> None:
    emulator.faults([{"kind": "job_hangs", "command": "deployVirtualMachine"}])
    failed = run_module("cloudn_vm", name=NAMES[:5], max_jobs=2, wait_timeout=1, **NEW)
    assert changes_sent_to(emulator) == ["deployVirtualMachine"] * 2
    assert "not sent, as 2 jobs (max_jobs) were under way until 1 s (wait_timeout) were over" in failed["msg"]


@pytest.mark.parametrize("option", ["max_jobs", "max_parallel"])
def test_the_number_must_be_positive(run_module: Callable[..., Result], emulator: Any, option: str) -> None:
    failed = run_module("cloudn_vm", name="web1", **{option: 0}, **NEW)
    assert failed["msg"] == f"{option}: must be at least 1, not 0"
    assert emulator.requests == []

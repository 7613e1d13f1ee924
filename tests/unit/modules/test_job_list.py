# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of jobs that are read again keep the jobs that end meanwhile, on CloudStack 3 and 4."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, Deadline
from ansible_collections.cloudn.compute.plugins.module_utils.api.job_list import JobList
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import plan
from asked import changes_sent_to, sent_to
from cloudn_emulator import Emulator
from samples import NEW, ZONE

Run = Callable[..., dict[str, Any]]
SECONDS = 0.6  # of a job


@pytest.fixture
def emulator(generation: str) -> Iterator[Any]:
    """An emulator whose jobs take long enough to be seen pending."""
    with Emulator(generation=generation, job_seconds=SECONDS) as running:
        yield running


@pytest.fixture
def is_4(emulator: Any, client: Client) -> bool:
    found = client.generation() == 4
    emulator.clear()
    return found


def begun(client: Client) -> str:
    """Begin to make a volume; return the id of the job."""
    (offering,) = [one for one in client.list("listDiskOfferings") if one["name"] == "Small"]
    zone = client.list("listZones")[0]["id"]
    made = client.call("createVolume", {"name": "data", "zoneid": zone, "diskofferingid": offering["id"]})
    return str(made["jobid"])


def test_a_job_that_ends_between_two_looks_stays_in_the_list(emulator: Any, client: Client, is_4: bool) -> None:
    jobs = JobList(client, {"keyword": "CreateVolume"}, Deadline(10))
    job_id = begun(client)
    emulator.clear()
    assert [(job["jobid"], job["jobstatus"]) for job in jobs.look()] == [(job_id, 0)]
    client.wait(job_id)
    emulator.clear()
    for _look in range(3):
        (job,) = jobs.look()
        assert (job["jobid"], job["jobstatus"]) == (job_id, 1)
        assert job["jobresult"]["volume"]["name"] == "data"
    assert sent_to(emulator).count("queryAsyncJobResult") == (1 if is_4 else 0)


def test_a_job_that_is_forgotten_is_not_listed(emulator: Any, client: Client, is_4: bool) -> None:
    jobs = JobList(client, {"keyword": "CreateVolume"}, Deadline(10))
    job_id = begun(client)
    assert jobs.look()
    client.wait(job_id)
    emulator.store.jobs.clear()
    assert jobs.look() == []
    assert jobs.look() == []


def test_a_job_that_ended_before_is_unknown_on_4(client: Client, is_4: bool) -> None:
    client.wait(begun(client))
    assert bool(JobList(client, {"keyword": "CreateVolume"}, Deadline(10)).look()) is not is_4


def test_a_disk_that_was_attached_meanwhile_goes_with_its_machine(
    run_module: Run, emulator: Any, client: Client
) -> None:
    """The job is pending at the first look, and not listed any more at the second."""
    machine = run_module("cloudn_vm", name="web1", **NEW)["vm"]
    disk = run_module("cloudn_volume", name="data", disk_offering="Small", **ZONE)["volume"]
    client.call("attachVolume", {"id": disk["id"], "virtualmachineid": machine["id"]})
    done = run_module("cloudn_vm", name="web1", state="absent", delete_volumes=True)
    assert not done.get("failed"), done
    assert [
        volume for volume in emulator.store.volumes.values() if volume.id == disk["id"] and volume.state != "Destroy"
    ] == []


def test_an_object_of_a_job_that_ended_meanwhile_is_waited_for(
    run_module: Run, emulator: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A template of a disk is listed after its job, and lists may lag."""
    monkeypatch.setattr(plan, "LAG", 3.0)
    run_module("cloudn_vm", name="web1", **NEW)
    run_module("cloudn_vm", name="web1", state="stopped")
    (root,) = client.list("listVolumes")
    params = {
        "name": "image",
        "displaytext": "image",
        "volumeid": root["id"],
        "ostypeid": client.list("listOsTypes")[0]["id"],
    }
    job_id = client.call("createTemplate", params)["jobid"]
    emulator.clear()
    emulator.faults([{"kind": "lag", "command": "listTemplates", "seconds": 1.5}])
    began = time.monotonic()
    done = run_module("cloudn_template", name="image", vm="web1")
    assert not done.get("failed"), done
    assert time.monotonic() - began > SECONDS
    assert changes_sent_to(emulator) == []
    assert done["template"]["id"] == client.wait(job_id)["template"]["id"]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator does not grow for ever: it forgets ended jobs and deleted objects, the oldest first."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from cloudn_emulator import Emulator


def test_only_the_newest_ended_jobs_are_known(emulate, refused):
    api = emulate(job_seconds=0.01, keep_jobs=3)
    group = api("createSecurityGroup", name="g")["securitygroup"]["id"]
    jobs = []
    for port in range(1, 6):
        rule = {"protocol": "tcp", "startport": port, "endport": port, "cidrlist": "192.0.2.0/24"}
        jobs.append(api("authorizeSecurityGroupIngress", securitygroupid=group, **rule)["jobid"])
        api.wait(jobs[-1])
    assert [job["jobid"] for job in api("listAsyncJobs")["asyncjobs"]] == jobs[2:]
    with refused(431):
        api("queryAsyncJobResult", jobid=jobs[1])


def test_a_job_that_has_not_ended_is_kept(emulate):
    api = emulate(job_seconds=0.01, keep_jobs=0, faults=[{"kind": "job_hangs", "command": "deployVirtualMachine"}])
    job = api.deployment("web1")["jobid"]
    for name in ("a", "b", "c"):
        group = api("createSecurityGroup", name=name)["securitygroup"]["id"]
        rule = {"protocol": "tcp", "startport": 1, "endport": 1, "cidrlist": "192.0.2.0/24"}
        api("authorizeSecurityGroupIngress", securitygroupid=group, **rule)
    deadline = time.monotonic() + 10
    while len(api.emulator.store.jobs) > 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert api("queryAsyncJobResult", jobid=job)["jobstatus"] == 0


def test_the_record_of_requests_has_the_newest(emulate):
    api = emulate(keep_requests=10)
    for number in range(40):
        api("listZones", whatever=number)
    said = [int(entry["params"]["whatever"]) for entry in api.emulator.requests]
    assert 10 <= len(said) <= 11
    assert said == list(range(40 - len(said), 40))
    assert api.emulator.requests[-1]["command"] == "listZones"
    api.emulator.clear()
    assert api.emulator.requests == []


def deleted(api) -> dict[str, str]:
    """Make a volume, a snapshot of it and a template of that, and delete them; returns their ids."""
    volume = api("listVolumes", virtualmachineid=api.running("web1")["id"])["volume"][0]["id"]
    snapshot = api("createSnapshot", volumeid=volume)
    api.wait(snapshot["jobid"])
    template = api("createTemplate", snapshotid=snapshot["id"], name="t", displaytext="t", ostypeid=api.vars["ostype"])
    api.wait(template["jobid"])
    data = api("createVolume", name="data", zoneid=api.vars["zone"], diskofferingid=api.vars["disk"])
    api.wait(data["jobid"])
    api.job("createTags", resourcetype="Volume", resourceids=data["id"], tags__key="k", tags__value="v")
    api.job("deleteTemplate", id=template["id"])
    api.job("deleteSnapshot", id=snapshot["id"])
    api("deleteVolume", id=data["id"])
    return {"deleteTemplate": template["id"], "deleteSnapshot": snapshot["id"], "deleteVolume": data["id"]}


def test_deleted_objects_are_known_for_a_while_and_then_forgotten(emulate):
    api = emulate(job_seconds=0.01, expunge_seconds=60)
    store = api.emulator.store
    rows = {"deleteTemplate": store.templates, "deleteSnapshot": store.snapshots, "deleteVolume": store.volumes}
    for command, id in deleted(api).items():
        assert id in rows[command]
    before = sum(len(table) for table in rows.values())
    store.expunge_due(store.now() + 59)
    assert sum(len(table) for table in rows.values()) == before
    store.expunge_due(store.now() + 61)
    assert sum(len(table) for table in rows.values()) == before - 3
    assert store.tags == {}


def test_a_deleted_template_is_known_as_long_as_a_machine_shows_it(emulate):
    api = emulate(job_seconds=0.01, expunge_seconds=0)
    root = api("listVolumes", virtualmachineid=api.running("web1")["id"])["volume"][0]["id"]
    snapshot = api("createSnapshot", volumeid=root)
    api.wait(snapshot["jobid"])
    template = api("createTemplate", snapshotid=snapshot["id"], name="t", displaytext="t", ostypeid=api.vars["ostype"])
    api.wait(template["jobid"])
    made = api.running("web2", templateid=template["id"])
    api.job("deleteTemplate", id=template["id"])
    assert api("listVirtualMachines", id=made["id"])["virtualmachine"][0]["templatename"] == "t"
    api.job("destroyVirtualMachine", id=made["id"])
    api("listZones")
    assert template["id"] not in api.emulator.store.templates


def test_endless_requests_leave_nothing_behind(emulate):
    api = emulate(job_seconds=0, expunge_seconds=0, keep_jobs=5, keep_requests=20, keep_events=5)
    store = api.emulator.store

    def sizes() -> dict[str, int]:
        api("listZones")
        return {name: len(value) for name, value in vars(store).items() if hasattr(value, "__len__")}

    found = []
    for number in range(4):
        machine = api.running(f"web{number}", group="web")
        data = api("createVolume", name="data", zoneid=api.vars["zone"], diskofferingid=api.vars["disk"])
        api.wait(data["jobid"])
        api.job("attachVolume", id=data["id"], virtualmachineid=machine["id"])
        api.job("createTags", resourcetype="UserVm", resourceids=machine["id"], tags__key="k", tags__value="v")
        snapshot = api("createSnapshot", volumeid=data["id"])
        api.wait(snapshot["jobid"])
        group = api("createSecurityGroup", name=f"g{number}")["securitygroup"]["id"]
        rule = {"protocol": "tcp", "startport": 1, "endport": 1, "cidrlist": "192.0.2.0/24"}
        api.job("authorizeSecurityGroupIngress", securitygroupid=group, **rule)
        api("createSSHKeyPair", name=f"k{number}")
        api("deleteSSHKeyPair", name=f"k{number}")
        api("deleteSecurityGroup", id=group)
        api.job("detachVolume", id=data["id"])
        api.job("deleteSnapshot", id=snapshot["id"])
        api("deleteVolume", id=data["id"])
        api.job("destroyVirtualMachine", id=machine["id"])
        found.append(sizes())
    assert found[1:] == [found[1]] * 3
    assert len(api.emulator.requests) <= 22


def test_ten_thousand_machines_start_in_two_seconds():
    command = [sys.executable, "-m", "cloudn_emulator.cli", "--port", "0", "--vms", "10000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert "10000 virtual machines" in process.stdout.readline()
        process.kill()
        _pid, _status, used = os.wait4(process.pid, 0)
        process.returncode = 0
    # What it took of a processor: the other tests do not count.
    assert used.ru_utime + used.ru_stime <= 2


def test_the_bounds_are_settings_of_an_emulator():
    emulator = Emulator()
    bounds = emulator.settings
    assert (bounds.keep_jobs, bounds.keep_requests, bounds.keep_events) == (10_000, 100_000, 10_000)

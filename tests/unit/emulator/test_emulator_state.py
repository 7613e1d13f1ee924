# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`--state`: what was answered is there after a restart, what was under way has ended, and wrong files are told."""

from __future__ import annotations

import contextlib
import json
import pathlib
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from cloudn_emulator import Emulator
from cloudn_emulator.models import Vm
from cloudn_emulator.signature import sign
from cloudn_emulator.state import StateError
from cloudn_emulator.version import version
from kept import held, restarted
from programs import API_KEY, API_SECRET
from waiting import soon

GENERATIONS = pytest.mark.parametrize("generation", ["3", "4"])
JOB_TEXT = {
    "3": "job cancelled because of management server restart",
    "4": "job cancelled because of management server restart or shutdown",
}
KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDH7lNJg26VxcD8G"


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "cloud.state"


def use_all_kinds(api: Any) -> None:
    """Make, change and delete objects of each kind."""
    api("registerSSHKeyPair", name="deploy", publickey=KEY)
    group = api("createSecurityGroup", name="front")["securitygroup"]["id"]
    allowed = {"protocol": "tcp", "startport": 80, "endport": 90, "cidrlist": "0.0.0.0/0,10.0.0.0/8"}
    rules = api.job("authorizeSecurityGroupIngress", securitygroupid=group, **allowed)["securitygroup"]["ingressrule"]
    api.job("revokeSecurityGroupIngress", id=rules[0]["ruleid"])
    vm = api.running("kept", keypair="deploy", group="shown", securitygroupids=group)
    gone = api.running("gone")
    api.job("destroyVirtualMachine", id=gone["id"])
    api("updateVirtualMachine", id=vm["id"], displayname="Shown \u00e9", userdata="aGVsbG8=")
    for key in ("role", "gone"):
        api.job("createTags", resourcetype="UserVm", resourceids=vm["id"], tags__key=key, tags__value="web")
    api.job("deleteTags", resourcetype="UserVm", resourceids=vm["id"], tags__key="gone")
    disk = api.new_volume("data")
    api.job("attachVolume", id=disk, virtualmachineid=vm["id"])
    api.job("createSnapshot", volumeid=disk)
    root = api.volumes(virtualmachineid=vm["id"], type="ROOT")[0]["id"]
    for volume in (disk, root):
        api("createSnapshotPolicy", volumeid=volume, intervaltype="DAILY", schedule="0:3", timezone="GMT", maxsnaps=2)
    api.job("detachVolume", id=disk)
    api("deleteVolume", id=disk)  # its snapshot stays, its policy goes
    api.job("stopVirtualMachine", id=vm["id"])
    api.job("resetPasswordForVirtualMachine", id=vm["id"])
    api.job("createTemplate", name="image", displaytext="i", ostypeid=api.vars["ostype"], volumeid=root)
    url = {"url": "http://example.com/a.vhd", "format": "VHD", "hypervisor": "Simulator"}
    api("registerTemplate", name="late", displaytext="l", ostypeid=api.vars["ostype"], zoneid=api.vars["zone"], **url)
    image = next(one.id for one in api.emulator.store.templates.values() if one.name == "image")
    api.job("extractTemplate", id=image, mode="HTTP_DOWNLOAD", zoneid=api.vars["zone"])


@GENERATIONS
def test_a_restart_has_everything(generation: str, path: pathlib.Path, emulate: Callable[..., Any]) -> None:
    settings = {"generation": generation, "vms": 3, "neighbour": True, "account": "admin", "download_seconds": 0.01}
    api = emulate(state=path, job_seconds=0.01, **settings)
    use_all_kinds(api)
    if generation == "4":  # the keys of the account are others from now on
        api("registerUserKeys", id=api.emulator.store.account.user_id)
        soon(lambda: api.emulator.store.account.api_key != api.emulator.api_key)
    api.emulator.stop()
    before = held(api.emulator.store)
    kinds = ("snapshots", "snapshot_policies", "extractions", "tags", "deleted", "events", "rules", "key_pairs", "jobs")
    assert [name for name in kinds if not before[name]] == []
    after = restarted(path, **settings)
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
    assert path.stat().st_mode & 0o077 == 0  # it has passwords


def test_what_is_forgotten_is_forgotten_in_the_file_too(path: pathlib.Path, emulate: Callable[..., Any]) -> None:
    """Disks that snapshots outlive, names and addresses that are free again, events and jobs beyond those that are kept."""
    settings = {"expunge_seconds": 0, "keep_jobs": 3, "keep_events": 5}
    api = emulate(state=path, job_seconds=0.01, **settings)
    use_all_kinds(api)
    api("listZones")
    assert (len(api.emulator.store.events), len(api.emulator.store.volumes)) == (5, 1)
    before, (snapshot,) = held(api.emulator.store), api.snapshots()
    api.emulator.stop()
    again = emulate(state=path, job_seconds=0.01, **settings)
    assert held(again.emulator.store) == before
    assert again.snapshots() == [snapshot]
    assert again.running("gone")["nic"][0]["ipaddress"] not in {
        vm["nic"][0]["ipaddress"] for vm in api_vms(again, "kept")
    }


def api_vms(api: Any, name: str) -> list[dict[str, Any]]:
    return api.vms(name=name)


@GENERATIONS
def test_what_was_under_way_has_ended(generation: str, path: pathlib.Path, emulate: Callable[..., Any]) -> None:
    """As on a real server the jobs fail. No machine stays Starting or Stopping, and half a snapshot is gone."""
    settings = {"generation": generation, "download_seconds": 60}
    quick = emulate(state=path, job_seconds=0.01, **settings)
    up, disk = quick.running("up")["id"], quick.new_volume("data")
    quick.emulator.stop()
    slow = emulate(state=path, job_seconds=60, **settings)
    root = slow.volumes(virtualmachineid=up, type="ROOT")[0]["id"]
    jobs = [
        slow("createSnapshot", volumeid=root)["jobid"],
        slow.deployment("new")["jobid"],
        slow("attachVolume", id=disk, virtualmachineid=up)["jobid"],
    ]
    url = {"url": "http://example.com/a.vhd", "format": "VHD", "hypervisor": "Simulator"}
    slow(
        "registerTemplate", name="late", displaytext="l", ostypeid=slow.vars["ostype"], zoneid=slow.vars["zone"], **url
    )
    store = slow.emulator.store
    store.set_state(store.vms[up], "Stopping")
    slow.emulator.stop()

    api = emulate(state=path, **{**settings, "download_seconds": 0.02})
    for job in jobs:
        ended = api("queryAsyncJobResult", jobid=job)
        assert (ended["jobstatus"], ended["jobresultcode"]) == (2, 530)
        assert ended["jobresult"] == {"errorcode": 530, "errortext": JOB_TEXT[generation]}
    assert {vm["name"]: vm["state"] for vm in api.vms()} == {"up": "Stopped", "new": "Stopped"}
    assert api.snapshots() == []
    assert api.volumes(id=disk)[0].get("virtualmachineid") is None
    (late,) = [one for one in api.emulator.store.templates.values() if one.name == "late"]
    api.job("startVirtualMachine", id=up)  # longer than the download that began anew
    assert (late.unready, late.downloading) == ({}, frozenset())


def test_ec2_keeps_its_objects_too(
    path: pathlib.Path, emulate: Callable[..., Any], ec2_of: Callable[[Any], Any]
) -> None:
    api = emulate(state=path, job_seconds=0.01)
    ec2 = ec2_of(api)
    (made,) = ec2.run()
    ec2("CreateSecurityGroup", {"GroupName": "by-ec2", "GroupDescription": "d"})
    api.emulator.stop()
    again = ec2_of(emulate(state=path, job_seconds=0.01))
    assert ec2.texts(again("DescribeInstances"), "instanceId") == [made]
    assert "by-ec2" in ec2.texts(again("DescribeSecurityGroups"), "groupName")


def test_a_reset_is_kept_too(path: pathlib.Path, emulate: Callable[..., Any]) -> None:
    api = emulate(state=path, vms=2, job_seconds=0.01)
    start = held(api.emulator.store)["vms"]
    api.running("more")
    api.emulator.reset()
    api("createSecurityGroup", name="after")
    api.emulator.stop()
    after = restarted(path, vms=2)
    assert [id for id, _vm in after["vms"]] == [id for id, _vm in start]
    assert "after" in [group["name"] for _id, group in after["security_groups"]]


def test_what_an_answer_of_no_api_tells_is_stored(path: pathlib.Path, emulate: Callable[..., Any]) -> None:
    """Jobs change things between two requests. Who has seen such a change must find it after a kill."""
    api = emulate(state=path, job_seconds=60)
    id = api.deploy("a")
    soon(lambda: api.emulator.store.vms[id].state == "Starting")

    def stored() -> str:
        (body,) = api.emulator._state._file.execute("SELECT body FROM objects WHERE id = ?", (id,)).fetchone()
        return str(json.loads(body)["state"])

    assert stored() == "Stopped"
    assert requests.get(api.emulator.url.replace("/client/api", "/health"), timeout=10).status_code == 200
    assert stored() == "Starting"


def test_without_a_file_nothing_is_followed(path: pathlib.Path, emulate: Callable[..., Any]) -> None:
    """So it costs nothing."""
    store, kept = emulate(vms=1).emulator.store, emulate(vms=1, state=path).emulator.store
    ((vm,), (followed,)) = store.vms.values(), kept.vms.values()
    assert [one.__class__ for one in (store.vms, vm)] == [dict, Vm]
    assert isinstance(followed, Vm) and followed.__class__ != Vm


def test_a_process_that_was_killed_at_its_first_start_left_nothing_by_half(path: pathlib.Path) -> None:
    """The file is there, with its tables or without them."""
    path.touch()
    assert restarted(path, vms=1)["vms"]
    with changing(path) as file:
        file.execute("DELETE FROM objects")
        file.execute("DELETE FROM start")
    assert restarted(path, vms=1)["vms"]


# --- files that can't be used


@contextlib.contextmanager
def changing(path: pathlib.Path) -> Iterator[sqlite3.Connection]:
    """Change a file as nobody should, and close it."""
    file = sqlite3.connect(path)
    try:
        yield file
        file.commit()
    finally:
        file.close()


def refusal(path: pathlib.Path, **settings: Any) -> str:
    with pytest.raises(StateError) as failure:
        Emulator(state=path, **settings)
    return str(failure.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"generation": "4"}, "was made with --generation 3, and this start has 4. Start with the options of that time"),
        ({"vms": 2}, "was made with --vms 0, and this start has 2. Start with the options of that time, or name another file."),
        ({"account": "admin"}, "was made with --account user, and this start has admin."),
        ({"zones": ["a"]}, "was made with --zone none, and this start has a."),
        ({"api_key": "k"}, "was made with --api-key cloudn-emulator-api-key, and this start has k."),
        ({"api_secret": "hidden-secret"}, "was made with another secret (--api-secret). Start with the options of that time"),
        ({"seed": {"vms": []}}, "was made with another seed (--seed). Start with the options of that time"),
    ],
    ids=str,
)  # fmt: skip
def test_a_file_of_another_start_is_refused(path: pathlib.Path, settings: dict[str, Any], said: str) -> None:
    with Emulator(state=path):
        pass
    text = refusal(path, **settings)
    assert text.startswith(said)
    assert "hidden-secret" not in text
    restarted(path)  # it is as it was


def test_a_file_of_another_version_is_refused(path: pathlib.Path) -> None:
    with Emulator(state=path):
        pass
    with changing(path) as file:
        file.execute("UPDATE start SET value = '0.9.0' WHERE name = 'version'")
    assert refusal(path) == (
        f"was made by cloudn-emulator 0.9.0 and can't be read by {version()}. Use that version, or name another file."
    )


def test_files_that_are_none_of_a_state_are_refused(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path.write_text("no database " * 100)
    assert refusal(path) == "is no file of a state. Name another file, or remove it."
    assert path.read_text() == "no database " * 100
    assert refusal(tmp_path) == "is a directory. Name a file."
    assert refusal(tmp_path / "no" / "file") == "No such file or directory. Name a file that can be written."
    other = tmp_path / "other"
    with changing(other) as file:
        file.execute("CREATE TABLE t (a)")
    assert refusal(other) == "is an SQLite file of another program. Name another file."


def test_a_damaged_file_is_refused(path: pathlib.Path) -> None:
    with Emulator(state=path):
        pass
    with changing(path) as file:
        file.execute("""UPDATE objects SET body = '{"no": 1}' WHERE kind = 'templates'""")
    assert refusal(path).startswith("is damaged: ")


def test_two_emulators_do_not_share_a_file(path: pathlib.Path) -> None:
    with Emulator(state=path):
        assert refusal(path) == "is in use by another emulator. Stop that one, or name another file."
    restarted(path)


# --- when it can't be written any more


def test_nothing_is_answered_that_is_not_stored(path: pathlib.Path, api: Any, emulate: Callable[..., Any]) -> None:
    kept = emulate(state=path)
    kept("createSecurityGroup", name="stored")
    kept.emulator._state._file.execute("PRAGMA query_only = ON")  # as if the disk were full
    for name in ("lost", "lost-too"):
        assert kept.raw("createSecurityGroup", name=name).status_code == 500
    kept.emulator.stop()
    assert [group["name"] for _id, group in restarted(path)["security_groups"]] == ["default", "default", "stored"]


def test_the_program_ends_when_it_can_not_store(path: pathlib.Path) -> None:
    """A limit on the size of files stands for a full disk."""
    command = [sys.executable, "-m", "cloudn_emulator", "--port", "0", "--state", str(path)]
    limit = (300_000, 300_000)  # bytes
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limit),
    )
    try:
        url, answered = process.stdout.readline().split()[3], 0
        with contextlib.suppress(requests.ConnectionError):
            while answered < 3000 and requests.get(url, params=signed_group(answered), timeout=30).status_code == 200:
                answered += 1
        _out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 1
    assert f"cloudn-emulator: {path}: the state can't be written: " in err
    names = [group["name"] for _id, group in restarted(path)["security_groups"]]
    assert names[2 : answered + 2] == [f"group-{number}" for number in range(answered)]
    assert answered > 10


def signed_group(number: int) -> dict[str, str]:
    query = {"command": "createSecurityGroup", "apikey": API_KEY, "response": "json", "name": f"group-{number}"}
    query["description"] = "d" * 200
    return {**query, "signature": sign(query, API_SECRET)}

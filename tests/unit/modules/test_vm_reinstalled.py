# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_vm with state reinstalled: a new root disk, only for the machine that is confirmed, and never twice in a run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from cloudn_emulator.commands import vm as emulated
from cloudn_emulator.errors import internal
from samples import NEW

Result = dict[str, Any]
Run = Callable[..., Result]
RESTORE, STOP, START = "restoreVirtualMachine", "stopVirtualMachine", "startVirtualMachine"
CHANGE, UPDATE = "changeServiceForVirtualMachine", "updateVirtualMachine"
TASK = {"name": "web1", "state": "reinstalled", "confirm_reinstall": "web1"}
ACTION = "web1: make the root disk anew from template CentOS 6.2 64bit"


@pytest.fixture
def made(run_module: Run, emulator: Any) -> Result:
    """A running machine with a data disk, tags and a name for people."""
    done = run_module("cloudn_vm", name="web1", display_name="Web", tags={"role": "web"}, group="front", **NEW)
    disk = run_module("cloudn_volume", name="data", state="attached", vm="web1", disk_offering="Small")
    assert not done.get("failed") and not disk.get("failed")
    emulator.clear()
    return done["vm"]


def root_disk(client: Client) -> Result:
    (disk,) = client.list("listVolumes", {"type": "ROOT"})
    return disk


def machine(client: Client) -> Result:
    (found,) = client.list("listVirtualMachines")
    found.pop("lastupdated", None)  # CloudStack 4 says when
    return found


def test_a_running_machine_gets_a_new_root_disk_and_runs_again(
    run_module: Run, made: Result, client: Client, sent: Callable[[], list[str]]
) -> None:
    old, before = root_disk(client), machine(client)
    sent()
    told = run_module("cloudn_vm", _check=True, _diff=True, **TASK)
    assert sent() == [] and root_disk(client)["id"] == old["id"]
    done = run_module("cloudn_vm", _diff=True, **TASK)
    assert not done.get("failed"), done
    assert sent() == [RESTORE]
    assert done["changed"] is told["changed"] is True
    assert done["actions"] == told["actions"] == [ACTION]
    assert done["diff"] == told["diff"]
    assert done["diff"]["before"] == {"web1": {"state": "Running", "root_disk": old["id"]}}
    assert done["diff"]["after"] == {"web1": {"state": "Running", "root_disk": "(new)"}}
    assert done["vm"].keys() == told["vm"].keys() == made.keys() - {"password"}
    new = root_disk(client)
    assert new["id"] != old["id"] and new["state"] == "Ready"
    # everything else is as it was: address, groups, tags, data disk
    assert machine(client) == before
    assert done["vm"]["state"] == "Running" and done["vm"]["default_ip"] == made["default_ip"]
    assert done["vm"]["tags"] == {"role": "web"}
    (disk,) = client.list("listVolumes", {"name": "data"})
    assert disk["vmname"] == "web1"


def test_a_stopped_machine_stays_stopped(run_module: Run, made: Result, client: Client, sent: Any) -> None:
    run_module("cloudn_vm", name="web1", state="stopped")
    old = root_disk(client)["id"]
    sent()
    done = run_module("cloudn_vm", **TASK)
    assert sent() == [RESTORE]
    assert root_disk(client)["id"] != old
    assert done["vm"]["state"] == machine(client)["state"] == "Stopped"


def test_each_run_reinstalls_the_machine(run_module: Run, made: Result, client: Client, sent: Any) -> None:
    disks = {root_disk(client)["id"]}
    sent()
    for _run in range(2):
        assert run_module("cloudn_vm", **TASK)["changed"] is True
        disks.add(root_disk(client)["id"])
    assert len(disks) == 3
    assert sent() == [RESTORE, RESTORE]


@pytest.mark.parametrize("named", ["id", "display_name"])
def test_the_host_name_confirms_it_however_the_machine_is_named(
    run_module: Run, made: Result, refused: Run, client: Client, named: str
) -> None:
    old = root_disk(client)["id"]
    said = refused("cloudn_vm", **{**TASK, "name": made[named], "confirm_reinstall": made[named]})
    assert f"confirm_reinstall: is {made[named]!r}" in said and "'web1'" in said
    done = run_module("cloudn_vm", **{**TASK, "name": made[named]})
    assert done["changed"] and root_disk(client)["id"] != old


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            {"confirm_reinstall": None},
            "confirm_reinstall: is needed for state: reinstalled, which deletes the root disk's data",
        ),
        ({"confirm_reinstall": ""}, "confirm_reinstall: is needed for state: reinstalled"),
        ({"confirm_reinstall": "web2"}, "confirm_reinstall: is 'web2', but name: 'web1' is the VM 'web1'"),
        ({"confirm_reinstall": "Web1"}, "confirm_reinstall: is 'Web1', but name: 'web1' is the VM 'web1'"),
        ({"confirm_reinstall": "web1 "}, "confirm_reinstall: is 'web1 ', but name: 'web1' is the VM 'web1'"),
        ({"name": ["web1", "web2"]}, "name: state: reinstalled takes one VM, not 2: web1, web2"),
        ({"name": "web2", "confirm_reinstall": "web2"}, "name: there is no VM 'web2' to reinstall"),
        ({"name": "web2", "confirm_reinstall": "web2", **NEW}, "name: there is no VM 'web2' to reinstall"),
        ({"template": "Windows Server 2008 R2"}, "template is 'CentOS 6.2 64bit'"),
    ],
)
def test_bad_options_are_refused(refused: Run, made: Result, options: Result, told: str) -> None:
    assert told in refused("cloudn_vm", **{**TASK, **options})


@pytest.mark.parametrize("recover", [True, False])
def test_a_destroyed_machine_is_not_reinstalled(run_module_as: Any, recover: bool) -> None:
    with run_module_as(account="admin") as (run, _emulator):
        run("cloudn_vm", name="web1", **NEW)
        run("cloudn_vm", name="web1", state="absent")
        done = run("cloudn_vm", recover=recover, **TASK)
    assert done["failed"] and "web1 is Destroyed" in done["msg"] and "state: present and recover: true" in done["msg"]


def test_a_machine_in_error_is_refused(refused: Run, made: Result, emulator: Any) -> None:
    next(iter(emulator.store.vms.values())).state = "Error"
    assert "web1 is in state Error" in refused("cloudn_vm", **TASK)


def test_the_option_means_nothing_for_other_states(beats: Run, made: Result) -> None:
    beats("cloudn_vm", [], name="web1", state="started", confirm_reinstall="web9")


def test_other_changes_are_made_while_the_machine_is_stopped(
    run_module: Run, made: Result, client: Client, sent: Any
) -> None:
    """The machine is stopped anyway, so a change of its plan needs no other permission."""
    options = {**TASK, "service_offering": "v2", "tags": {"role": "db"}, "display_name": "Database"}
    told = run_module("cloudn_vm", _check=True, _diff=True, **options)
    sent()
    done = run_module("cloudn_vm", _diff=True, **options)
    assert not done.get("failed"), done
    assert sent() == [STOP, CHANGE, UPDATE, RESTORE, START, "deleteTags", "createTags"]
    assert (done["actions"], done["diff"]) == (told["actions"], told["diff"])
    assert done["vm"]["state"] == machine(client)["state"] == "Running"
    assert done["vm"]["tags"] == {"role": "db"}
    assert done["vm"]["service_offering"] == machine(client)["serviceofferingname"] == "v2"


def test_without_waiting_the_job_is_returned(run_module: Run, made: Result, emulator: Any) -> None:
    begun = run_module("cloudn_vm", wait=False, **TASK)
    assert begun["changed"] and len(begun["jobs"]) == 1
    assert run_module("cloudn_job", jobs=begun["jobs"])["job"]["status"] == "done"


def test_an_account_that_lacks_the_command_gets_advice(run_module: Run, made: Result, emulator: Any) -> None:
    emulator.store.account.denied = frozenset([RESTORE])
    failed = run_module("cloudn_vm", **TASK)
    assert f"The service does not know {RESTORE}, or does not grant it" in failed["msg"]
    assert "state: absent" in failed["msg"]


def test_a_machine_is_reinstalled_in_xml(run_module: Run, made: Result, client: Client) -> None:
    old = root_disk(client)["id"]
    done = run_module("cloudn_vm", response_format="xml", **TASK)
    assert done["vm"]["state"] == "Running" and root_disk(client)["id"] != old


# What is not known is looked for by the root disk, and the command is not sent again.


@pytest.mark.parametrize("kind", ["reset_after", "cut", "garbage", "status_after", "job_lost"])
@pytest.mark.parametrize("state", ["started", "stopped"])
def test_a_lost_answer_is_found_out(
    run_module: Run, made: Result, client: Client, emulator: Any, sent: Any, kind: str, state: str
) -> None:
    run_module("cloudn_vm", name="web1", state=state)
    old = root_disk(client)["id"]
    emulator.faults([{"kind": kind, "command": RESTORE, **({"status": 502} if kind == "status_after" else {})}])
    sent()
    done = run_module("cloudn_vm", tags={"role": "db"}, **TASK)
    assert not done.get("failed"), done
    assert sent() == [RESTORE, "deleteTags", "createTags"]
    assert done["changed"] and root_disk(client)["id"] != old
    assert done["vm"]["state"] == machine(client)["state"] == {"started": "Running", "stopped": "Stopped"}[state]
    assert done["vm"]["tags"] == {"role": "db"}


@pytest.mark.parametrize("kind", ["reset_before", "status"])
def test_a_reinstallation_that_is_not_seen_is_not_sent_again(
    run_module: Run, made: Result, client: Client, emulator: Any, sent: Any, kind: str
) -> None:
    """The command may still be under way, so it is not sent again."""
    old = root_disk(client)
    emulator.faults([{"kind": kind, "command": RESTORE, **({"status": 502} if kind == "status" else {})}])
    sent()
    failed = run_module("cloudn_vm", api_timeout=0.3, tags={"role": "db"}, **TASK)
    assert failed["failed"] and sent() == [RESTORE]
    assert "It is not known whether it was done" in failed["msg"]
    assert f"its root disk is still {old['id']}, as before" in failed["msg"]
    assert root_disk(client)["id"] == old["id"]


def test_a_reinstallation_that_is_done_late_is_waited_for(
    run_module: Run, made: Result, client: Client, emulator: Any, sent: Any
) -> None:
    emulator.faults([{"kind": "slow", "seconds": 1, "command": RESTORE}])
    old = root_disk(client)["id"]
    sent()
    done = run_module("cloudn_vm", api_timeout=0.8, **TASK)
    assert not done.get("failed"), done
    assert sent() == [RESTORE] and root_disk(client)["id"] != old
    assert done["vm"]["state"] == machine(client)["state"] == "Running"


@pytest.mark.parametrize("state", ["started", "stopped"])
def test_after_a_failed_job_nothing_more_is_done(
    run_module: Run, made: Result, client: Client, emulator: Any, sent: Any, state: str
) -> None:
    """No later step begins while the outcome is not known."""
    run_module("cloudn_vm", name="web1", state=state)
    emulator.faults([{"kind": "job_fails", "command": RESTORE}])
    old = root_disk(client)["id"]
    sent()
    failed = run_module("cloudn_vm", tags={"role": "db"}, **TASK)
    assert failed["failed"] and f"{RESTORE}: job" in failed["msg"]
    assert sent() == [RESTORE] and root_disk(client)["id"] == old


def test_a_machine_that_was_not_started_again_is_started(
    run_module: Run, made: Result, client: Client, sent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job fails after it has made the new disk. The disk is not made once more."""
    bring_up, failed = emulated.bring_up, []

    async def once_not(*given: Any) -> bool:
        if not failed:
            failed.append(given)
            raise internal("Unable to start")
        return await bring_up(*given)

    monkeypatch.setattr(emulated, "bring_up", once_not)
    old = root_disk(client)["id"]
    sent()
    done = run_module("cloudn_vm", **TASK)
    assert not done.get("failed"), done
    assert sent() == [RESTORE, START]
    assert done["vm"]["state"] == machine(client)["state"] == "Running" and root_disk(client)["id"] != old


def test_a_machine_that_is_left_stopped_without_a_new_disk_is_reported(
    run_module: Run, made: Result, client: Client, sent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: Any) -> None:
        raise internal("No disk")

    monkeypatch.setattr(emulated, "_renew_root_disk", fail)
    sent()
    failed = run_module("cloudn_vm", **TASK)
    assert "No disk" in failed["msg"] and "web1 is Stopped now: start it (state: started)" in failed["msg"]
    assert sent() == [RESTORE] and machine(client)["state"] == "Stopped"


def test_a_job_that_takes_too_long_is_an_error_that_says_how_to_wait(
    run_module: Run, made: Result, emulator: Any
) -> None:
    emulator.faults([{"kind": "job_hangs", "command": RESTORE}])
    failed = run_module("cloudn_vm", wait_timeout=1, **TASK)
    assert f"{RESTORE}: job" in failed["msg"] and "wait for it with cloudn_job" in failed["msg"]
    assert failed["msg"].endswith("Running the task again would do it once more")


def test_a_machine_that_starts_for_too_long_is_reported(
    run_module: Run, made: Result, emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:

    async def stay(_call: Any, vm: Any, *_given: Any) -> bool:
        vm.state = "Starting"
        return True

    monkeypatch.setattr(emulated, "bring_up", stay)
    failed = run_module("cloudn_vm", wait_timeout=1, **TASK)
    assert "the root disk of web1 was made anew, but the VM did not run again within" in failed["msg"]
    assert "which would do it once more" in failed["msg"]


def test_a_machine_that_somebody_stops_meanwhile_is_reported(
    run_module: Run, made: Result, emulator: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stay(*_given: Any) -> bool:
        return True

    monkeypatch.setattr(emulated, "bring_up", stay)
    failed = run_module("cloudn_vm", wait_timeout=1, **TASK)
    assert "the root disk was made anew, but web1 is Stopped; start it" in failed["msg"]


@pytest.mark.parametrize("command", [STOP, CHANGE, UPDATE, START, "deleteTags", "createTags"])
@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "job_lost"])
def test_a_lost_answer_of_another_step_does_not_reinstall_twice(
    run_module: Run, made: Result, client: Client, emulator: Any, sent: Any, kind: str, command: str
) -> None:
    """A lost earlier step is finished before the reinstallation. A lost later step is finished without another one."""
    emulator.faults([{"kind": kind, "command": command, "nth": 1}])
    sent()
    options = {"service_offering": "v2", "tags": {"role": "db"}, "display_name": "Database"}
    done = run_module("cloudn_vm", api_timeout=0.5, **options, **TASK)
    assert not done.get("failed"), done
    assert sent().count(RESTORE) == 1
    found = machine(client)
    assert (found["state"], found["serviceofferingname"], found["displayname"]) == ("Running", "v2", "Database")
    assert done["vm"]["tags"] == {"role": "db"}


def test_lists_that_lag_do_not_reinstall_twice(
    run_module: Run, made: Result, client: Client, emulator: Any, sent: Any
) -> None:
    """A later step fails, and what the service lists is still the old disk."""
    emulator.faults(
        [
            {"kind": "lag", "seconds": 1.5, "command": "listVolumes"},
            {"kind": "reset_after", "command": "deleteTags", "nth": 1},
        ]
    )
    sent()
    done = run_module("cloudn_vm", tags={"role": "db"}, **TASK)
    assert not done.get("failed"), done
    assert sent().count(RESTORE) == 1


def test_two_runs_at_the_same_time_both_succeed(run_module_as: Any) -> None:
    """The service refuses the second while the first is under way; the disk is new all the same."""
    with run_module_as(job_seconds=0.4) as (run, emulator):
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        run("cloudn_vm", name="web1", **NEW)
        old, vm_id = root_disk(client)["id"], machine(client)["id"]
        send = client.call

        def overtake() -> None:
            send(RESTORE, {"virtualmachineid": vm_id})

        emulator.faults([{"kind": "late", "seconds": 0.1, "command": "listVolumes", "nth": 1}])
        other = threading.Timer(0.05, overtake)
        other.start()
        done = run("cloudn_vm", **TASK)
        other.join()
        assert not done.get("failed"), done
        assert machine(client)["state"] == "Running" and root_disk(client)["id"] != old

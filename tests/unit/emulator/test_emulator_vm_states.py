# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""States of the emulator's virtual machines: which commands work when, restoring, destroying, expunging."""

from __future__ import annotations

import time

import pytest


def vm_param(command):
    """Return the parameter that names the VM."""
    return "virtualmachineid" if command == "restoreVirtualMachine" else "id"


IN_THE_WAY = ("rebootVirtualMachine", "resetPasswordForVirtualMachine", "restoreVirtualMachine")


def test_a_starting_vm_takes_no_second_job_and_goes_on(emulate, refused):
    api = emulate(job_seconds=1)
    deployment = api.deployment("one")
    id = deployment["id"]
    api.until(id, "Starting")
    in_the_way = ("destroyVirtualMachine", "stopVirtualMachine", *IN_THE_WAY)
    for job in [api(command, **{vm_param(command): id})["jobid"] for command in in_the_way]:
        with refused(530):
            api.wait(job)
        assert "ipaddress" in api.vm(id)["nic"][0]  # its row was locked until there was an address
    with refused(431):
        api("changeServiceForVirtualMachine", id=id, serviceofferingid=api.vars["medium"])
    assert api("updateVirtualMachine", id=id, displayname="x")["virtualmachine"]["state"] == "Starting"
    second = api("startVirtualMachine", id=id)["jobid"]
    assert api.wait(deployment["jobid"])["virtualmachine"]["state"] == "Running"
    joined = api.wait(second)["virtualmachine"]
    assert (joined["state"], "password" in joined) == ("Running", False)


def test_a_starting_vm_takes_no_disk(emulate, refused):
    api = emulate(job_seconds=0.6)
    disk = api.job("createVolume", name="d", zoneid=api.vars["zone"], diskofferingid=api.vars["disk"])["volume"]["id"]
    vm = api.deploy("one")
    with refused(431):
        api.job("attachVolume", id=disk, virtualmachineid=vm)
    api.until(vm, "Running")
    assert api.job("attachVolume", id=disk, virtualmachineid=vm)["volume"]["deviceid"] == 1


def test_a_job_begins_a_moment_after_its_answer(emulate):
    api = emulate(job_seconds=80, vms=1)
    (vm,) = api.vms()
    deployment = api.deployment("one")
    api("stopVirtualMachine", id=vm["id"])
    assert (api.state(deployment["id"]), api.state(vm["id"])) == ("Stopped", "Running")
    api.until(deployment["id"], "Starting")
    api.until(vm["id"], "Stopping")


def test_a_forced_stop_of_a_new_vm_leaves_it_in_error(emulate, refused):
    api = emulate(job_seconds=0.5)
    deployment = api.deployment("one")
    stopped = api.job("stopVirtualMachine", id=deployment["id"], forced="true")["virtualmachine"]
    assert (stopped["state"], "ipaddress" in stopped["nic"][0]) == ("Stopped", True)
    with refused(530):
        api.wait(deployment["jobid"])
    assert api.state(deployment["id"]) == "Error"


def test_a_forced_stop_of_a_later_start_leaves_the_vm_stopped(emulate, refused):
    api = emulate(job_seconds=0.4)
    vm = api.running("one", startvm="false")["id"]
    start = api("startVirtualMachine", id=vm)["jobid"]
    assert api.job("stopVirtualMachine", id=vm, forced="true")["virtualmachine"]["state"] == "Stopped"
    with refused(530):
        api.wait(start)
    assert api.state(vm) == "Stopped"
    assert api.job("startVirtualMachine", id=vm)["virtualmachine"]["state"] == "Running"


def test_who_starts_after_a_forced_stop_is_not_disturbed_by_the_first_start(emulate, refused):
    api = emulate(job_seconds=0.4)
    vm = api.running("one", startvm="false")["id"]
    first = api("startVirtualMachine", id=vm)["jobid"]
    api.job("stopVirtualMachine", id=vm, forced="true")
    second = api("startVirtualMachine", id=vm)["jobid"]
    with refused(530):
        api.wait(first)
    assert api.wait(second)["virtualmachine"]["state"] == "Running"


def test_a_second_start_joins_the_first(emulate):
    api = emulate(job_seconds=0.3)
    vm = api.running("one", startvm="false")["id"]
    jobs = [api("startVirtualMachine", id=vm)["jobid"] for _time in range(2)]
    assert [api.wait(job)["virtualmachine"]["state"] for job in jobs] == ["Running", "Running"]


@pytest.mark.parametrize(
    ("command", "state"), [("stopVirtualMachine", "Stopped"), ("destroyVirtualMachine", "Destroyed")]
)
def test_while_stopping_stop_and_destroy_join(emulate, command, state):
    api = emulate(job_seconds=0.3, account="admin")
    vm = api.running("one")["id"]
    first = api("stopVirtualMachine", id=vm)["jobid"]
    api.until(vm, "Stopping")
    assert api.job(command, id=vm)["virtualmachine"]["state"] == state
    assert api("queryAsyncJobResult", jobid=first)["jobresult"]["virtualmachine"]["state"] in ("Stopped", state)
    assert api.state(vm) == state


def test_while_stopping_all_else_fails_and_the_stop_goes_on(emulate, refused):
    api = emulate(job_seconds=0.6)
    vm = api.running("one")["id"]
    stop = api("stopVirtualMachine", id=vm)["jobid"]
    jobs = [api(command, **{vm_param(command): vm})["jobid"] for command in ("startVirtualMachine", *IN_THE_WAY)]
    for job in jobs:
        with refused(530):
            api.wait(job)
    with refused(431):
        api("changeServiceForVirtualMachine", id=vm, serviceofferingid=api.vars["medium"])
    assert api("updateVirtualMachine", id=vm, displayname="x")["virtualmachine"]["state"] == "Stopping"
    assert api.wait(stop)["virtualmachine"]["state"] == "Stopped"


def test_jobs_of_several_machines_run_at_once(emulate):
    api = emulate(job_seconds=0.5)
    began = time.monotonic()
    jobs = [api.deployment(f"vm-{number}")["jobid"] for number in range(20)]
    for job in jobs:
        api.wait(job)
    assert time.monotonic() - began < 5  # one after the other: 10


def test_a_job_takes_its_time(emulate):
    api = emulate(job_seconds=1)
    vm = api.running("one")["id"]
    began = time.monotonic()
    api.job("rebootVirtualMachine", id=vm)
    assert 1 <= time.monotonic() - began < 3
    began = time.monotonic()
    api.job("startVirtualMachine", id=vm)  # it runs already
    assert time.monotonic() - began < 0.9


def test_the_password_is_only_in_results_of_its_jobs(api):
    vm = api.running("one")
    reset = api.job("resetPasswordForVirtualMachine", id=vm["id"])["virtualmachine"]
    assert reset["password"] != vm["password"]
    assert "password" not in api.vm(vm["id"])
    for command in ("stopVirtualMachine", "startVirtualMachine"):
        assert "password" not in api.job(command, id=vm["id"])["virtualmachine"]


def test_a_finished_job_keeps_its_result(api):
    deployment = api.deployment("one")
    api.wait(deployment["jobid"])
    api("updateVirtualMachine", id=deployment["id"], displayname="other", group="g")
    kept = api("queryAsyncJobResult", jobid=deployment["jobid"])["jobresult"]["virtualmachine"]
    assert kept["displayname"] == "one"
    assert "group" not in kept


def test_the_offering_of_a_stopped_vm_can_be_changed(api, refused):
    vm = api.running("one")["id"]
    high = next(plan for plan in api("listServiceOfferings")["serviceoffering"] if plan["offerha"])
    with refused(431):
        api("changeServiceForVirtualMachine", id=vm, serviceofferingid=high["id"])
    with refused(431):
        api("updateVirtualMachine", id=vm, haenable="true")
    api.job("stopVirtualMachine", id=vm)
    changed = api("changeServiceForVirtualMachine", id=vm, serviceofferingid=high["id"])["virtualmachine"]
    assert changed["serviceofferingname"] == high["name"]
    assert changed["memory"] == high["memory"]
    assert api("updateVirtualMachine", id=vm, haenable="false")["virtualmachine"]["haenable"] is False
    assert api("updateVirtualMachine", id=vm, haenable="true")["virtualmachine"]["haenable"] is True
    with refused(431):
        api("changeServiceForVirtualMachine", id=vm, serviceofferingid=high["id"])


def test_update_changes_what_is_given_only(api, refused):
    vm = api.running("one", group="web", displayname="表示名")
    assert api("updateVirtualMachine", id=vm["id"], ostypeid=142)["virtualmachine"] == {
        **{name: value for name, value in vm.items() if name != "password"},
        "guestosid": "142",
    }
    with refused(431):
        api("updateVirtualMachine", id=vm["id"], userdata="A" * 2049)
    with refused(431):
        api("updateVirtualMachine", id=vm["id"], ostypeid=99999)


def test_commands_that_are_done_at_once_need_a_vm(api, refused):
    with refused(431):
        api("updateVirtualMachine", id=-1, displayname="x")
    with refused(431):
        api("changeServiceForVirtualMachine", id=-1, serviceofferingid=api.vars["medium"])
    vm = api.running("one")["id"]
    with refused(530):
        api("updateVirtualMachine", id=vm, ostypeid=-1)
    with refused(530):
        api("restoreVirtualMachine", virtualmachineid=-1)


def test_a_vm_that_never_started_gets_no_new_password(api, refused):
    vm = api.running("one", startvm="false")["id"]
    with refused(530):
        api.job("resetPasswordForVirtualMachine", id=vm)
    api.job("startVirtualMachine", id=vm)
    api.job("stopVirtualMachine", id=vm)
    assert api.job("resetPasswordForVirtualMachine", id=vm)["virtualmachine"]["password"]


# --- restoring


def root_disk(api, vm):
    (disk,) = api("listVolumes", virtualmachineid=vm, type="ROOT")["volume"]
    return disk


def test_restoring_a_running_vm_gives_it_a_new_root_disk(api, refused):
    vm = api.running("one", diskofferingid=api.vars["disk"])["id"]
    old = root_disk(api, vm)
    snapshot = api.job("createSnapshot", volumeid=old["id"])["snapshot"]["id"]
    answer = api.job("restoreVirtualMachine", virtualmachineid=vm)["virtualmachine"]
    assert (answer["state"], answer["rootdevicetype"]) == ("Stopped", "NetworkFilesystem")
    assert "password" not in answer
    assert api.state(vm) == "Running"
    new = root_disk(api, vm)
    assert new["id"] != old["id"]
    alike = ("name", "size", "state", "deviceid", "serviceofferingid", "storage")
    assert [new[name] for name in alike] == [old[name] for name in alike]
    assert "volume" not in api("listVolumes", id=old["id"])
    assert api("listSnapshots", id=snapshot)["count"] == 1
    assert api("listVolumes", virtualmachineid=vm)["count"] == 2


def test_restoring_a_stopped_vm_leaves_the_disk_to_the_next_start(api):
    vm = api.running("one")["id"]
    api.job("stopVirtualMachine", id=vm)
    old = root_disk(api, vm)
    answer = api.job("restoreVirtualMachine", virtualmachineid=vm)["virtualmachine"]
    assert (answer["state"], answer["rootdevicetype"]) == ("Stopped", "Not created")
    new = root_disk(api, vm)
    assert new["id"] != old["id"]
    assert (new["state"], new["storage"]) == ("Allocated", "none")
    api.job("startVirtualMachine", id=vm)
    assert root_disk(api, vm) == {**new, "state": "Ready", "storage": old["storage"], "vmstate": "Running"}


def test_the_root_of_the_answer_is_cut(api):
    vm = api.running("one")["id"]
    assert list(api.raw("restoreVirtualMachine", virtualmachineid=vm).json()) == ["restorevmresponse"]
    refusal = api.raw("restoreVirtualMachine", id=vm).json()["restorevmresponse"]
    assert refusal["errortext"] == "Unable to execute API command restorevm due to missing parameter virtualmachineid"


def test_restoring_what_is_destroyed_or_has_no_template_fails(api, refused):
    vm = api.running("one")["id"]
    api.emulator.store.templates[api.vars["template"]].removed = True
    with refused(431):
        api.job("restoreVirtualMachine", virtualmachineid=vm)
    api.job("destroyVirtualMachine", id=vm)
    with refused(530):
        api.job("restoreVirtualMachine", virtualmachineid=vm)


def test_the_real_server_restores_somebody_elses_vm(emulate, refused):
    api = emulate(job_seconds=0.02, neighbour=True)
    vm = api.vars["foreignvm"]
    assert api.job("restoreVirtualMachine", virtualmachineid=vm)["virtualmachine"]["name"] == api.vars["foreignvmname"]
    with refused(531):
        api.job("startVirtualMachine", id=vm)


# --- destroyed machines


def test_a_plain_account_does_not_see_destroyed_machines_but_may_act_on_them(api, refused):
    vm = api.running("one")["id"]
    assert api.job("destroyVirtualMachine", id=vm)["virtualmachine"]["state"] == "Destroyed"
    assert api.vms() == api.vms(id=vm) == api.vms(state="Destroyed") == []
    assert "volume" not in api("listVolumes")
    for command in ("startVirtualMachine", "stopVirtualMachine", "destroyVirtualMachine"):
        assert api.job(command, id=vm)["virtualmachine"]["state"] == "Destroyed"
    assert api("updateVirtualMachine", id=vm, displayname="x")["virtualmachine"]["displayname"] == "x"
    with refused(431):
        api.deploy("one")
    with refused(432):
        api("recoverVirtualMachine", id=vm)


def test_a_destroyed_vm_can_be_recovered_where_that_is_granted(emulate, refused):
    api = emulate(job_seconds=0.02, grants=["recoverVirtualMachine"])
    vm = api.running("one")["id"]
    with refused(431):
        api("recoverVirtualMachine", id=vm)
    api.job("destroyVirtualMachine", id=vm)
    assert api("recoverVirtualMachine", id=vm)["virtualmachine"]["state"] == "Stopped"
    assert api.names() == {"one"}
    assert api.job("startVirtualMachine", id=vm)["virtualmachine"]["state"] == "Running"


def test_a_destroyed_vm_vanishes_when_it_is_expunged(emulate, refused):
    api = emulate(job_seconds=0.02, expunge_seconds=2)
    group = api("createSecurityGroup", name="web")["securitygroup"]["id"]
    vm = api.running("one", securitygroupids=group, diskofferingid=api.vars["disk"])["id"]
    api.job("destroyVirtualMachine", id=vm)
    with refused(536):
        api("deleteSecurityGroup", id=group)
    with refused(431):
        api.deploy("one")
    time.sleep(2)
    with refused(431):
        api.vms(id=vm)
    api("deleteSecurityGroup", id=group)
    assert [disk["type"] for disk in api("listVolumes")["volume"]] == ["DATADISK"]
    assert api.running("one")["state"] == "Running"


def test_a_recovered_vm_is_not_expunged(emulate):
    api = emulate(job_seconds=0.02, expunge_seconds=1, account="admin")
    vm = api.running("one")["id"]
    api.job("destroyVirtualMachine", id=vm)
    api("recoverVirtualMachine", id=vm)
    time.sleep(1.1)
    assert api.state(vm) == "Stopped"


def test_an_administrator_sees_more(emulate):
    api = emulate(job_seconds=0.02, account="admin")
    vm = api.running("one")
    assert vm["hostname"]
    assert vm["nic"][0]["broadcasturi"] == "vlan://untagged"
    api.job("destroyVirtualMachine", id=vm["id"])
    destroyed = api.vm(vm["id"])
    assert (destroyed["state"], destroyed["hostid"]) == ("Destroyed", "0")
    assert "hostname" not in destroyed
    assert api.names(state="destroyed") == api.names(keyword=destroyed["instancename"]) == {"one"}


def test_a_vm_in_error_is_expunged_as_well(emulate, refused):
    api = emulate(job_seconds=0.02, expunge_seconds=1)
    deployment = api.deployment("big", diskofferingid=api.vars["custom"], size=2000)
    with refused(533):
        api.wait(deployment["jobid"])
    assert api.names() == {"big"}
    time.sleep(1)
    assert api.vms() == []
    assert api.emulator.store.vms == api.emulator.store.volumes == {}
    assert api.running("big")["state"] == "Running"

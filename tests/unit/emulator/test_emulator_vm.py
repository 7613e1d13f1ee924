# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines of the emulator: deployment in phases, states, names, filters, details, expunging."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

WITHOUT_ADDRESS = {"id", "networkid", "traffictype", "type", "isdefault"}
WITH_ADDRESS = WITHOUT_ADDRESS | {"netmask", "gateway", "ipaddress", "macaddress"}


def test_a_deployment_goes_through_its_phases(emulate):
    api = emulate(job_seconds=0.5)
    deployment = api.deployment("one")
    seen = []
    while not seen or seen[-1][0] != "Running":
        vm = api.vm(deployment["id"])
        phase = (vm["state"], frozenset(vm["nic"][0]), vm["rootdevicetype"])
        if not seen or seen[-1] != phase:
            seen.append(phase)
    without, reserved = frozenset(WITHOUT_ADDRESS), frozenset(WITH_ADDRESS)
    # Still Stopped at first, and an address a moment before the disk: these phases are short, and may be missed.
    brief = {("Stopped", without, "Not created"), ("Starting", reserved, "Not created")}
    assert [phase for phase in seen if phase not in brief] == [
        ("Starting", without, "Not created"),
        ("Starting", reserved, "NetworkFilesystem"),
        ("Running", reserved, "NetworkFilesystem"),
    ]
    assert "password" not in api.vm(deployment["id"])
    assert len(api.wait(deployment["jobid"])["virtualmachine"]["password"]) == 9


def test_right_after_deployment_a_vm_is_still_stopped(emulate):
    api = emulate(job_seconds=60)
    deployment = api.deployment("one")
    assert api.state(deployment["id"]) == "Stopped"
    assert api("queryAsyncJobResult", jobid=deployment["jobid"])["jobstatus"] == 0


def test_update_waits_until_the_network_is_reserved(emulate):
    api = emulate(job_seconds=1)
    vm = api.deploy("one")
    assert set(api.vm(vm)["nic"][0]) == WITHOUT_ADDRESS
    updated = api("updateVirtualMachine", id=vm, displayname="renamed")["virtualmachine"]
    assert updated["state"] == "Starting"
    assert updated["displayname"] == "renamed"
    assert set(updated["nic"][0]) == WITH_ADDRESS


def test_a_vm_that_is_not_to_start_stays_stopped_without_password(api):
    vm = api.running("one", startvm="false")
    assert vm["state"] == "Stopped"
    assert "password" not in vm
    assert set(vm["nic"][0]) == WITHOUT_ADDRESS
    assert api.job("startVirtualMachine", id=vm["id"])["virtualmachine"]["state"] == "Running"
    assert set(api.vm(vm["id"])["nic"][0]) == WITH_ADDRESS


def test_no_password_without_a_template_that_takes_one(api, refused):
    (windows,) = {
        template["id"]
        for template in api("listTemplates", templatefilter="featured")["template"]
        if template["name"].startswith("Windows")
    }
    vm = api.running("one", templateid=windows)
    assert "password" not in vm
    with refused(431):
        api.job("resetPasswordForVirtualMachine", id=vm["id"])


def test_fifty_deployments_of_one_name_make_one_vm(api):
    def deploy(_number):
        answer = api.session.get(
            api.emulator.url,
            params=api.signed(
                "deployVirtualMachine",
                name="same",
                zoneid=api.vars["zone"],
                templateid=api.vars["template"],
                serviceofferingid=api.vars["small"],
            ),
            timeout=30,
        )
        return answer.status_code

    with ThreadPoolExecutor(50) as pool:
        statuses = list(pool.map(deploy, range(50)))
    assert sorted(statuses) == [200] + [431] * 49
    assert api.names() == {"same"}


def test_a_name_is_unique_in_its_zone_only(api, refused):
    other = next(zone["id"] for zone in api("listZones")["zone"] if zone["id"] != api.vars["zone"])
    api.deploy("one")
    api.deploy("one", zoneid=other)
    with refused(431):
        api.deploy("one", zoneid=other)
    assert len(api.vms(name="one")) == 2
    assert len(api.vms(zoneid=other)) == 1


@pytest.mark.parametrize("name", ["1st", "-a", "a-", "a_b", "a.b", "ウェブ", "a" * 64, "a b"])
def test_bad_host_names_are_refused(api, refused, name):
    with refused(431):
        api.deploy(name)
    assert api.vms() == []


@pytest.mark.parametrize("name", ["a", "A1", "a" * 63, "a-b-c"])
def test_good_host_names_are_taken(api, name):
    assert api.running(name)["displayname"] == name


def test_without_a_name_the_id_is_the_name(api):
    wanted = {"zoneid": "zone", "templateid": "template", "serviceofferingid": "small"}
    answer = api("deployVirtualMachine", **{param: api.vars[name] for param, name in wanted.items()})
    vm = api.vm(answer["id"])
    assert vm["name"] == vm["displayname"] == vm["id"]


@pytest.mark.parametrize(
    "params",
    [
        {"securitygroupids": "{defaultsg}", "securitygroupnames": "default"},
        {"serviceofferingid": "{disk}"},
        {"diskofferingid": "{small}"},
        {"diskofferingid": "{custom}"},
        {"zoneid": "nowhere"},
        {"networkids": "nowhere"},
        {"securitygroupids": "nothing"},
        {"size": "big"},
        {"userdata": "@@@@"},
        {"account": "nobody"},
    ],
)
def test_bad_parameters_of_a_deployment_are_refused_at_once(api, refused, params):
    with refused(431):
        api.deploy("one", **{name: value.format(**api.vars) for name, value in params.items()})
    assert api.vms() == []


def test_disks_of_a_deployment(api):
    vm = api.running("one", diskofferingid=api.vars["custom"], size=7)
    root, data = sorted(api("listVolumes", virtualmachineid=vm["id"])["volume"], key=lambda disk: disk["deviceid"])
    assert (root["type"], data["type"]) == ("ROOT", "DATADISK")
    assert data["size"] == 7 * 1024**3
    assert root["state"] == data["state"] == "Ready"
    assert data["name"] == root["name"].replace("ROOT", "DATA")
    assert "attached" not in data
    assert [disk["id"] for disk in api("listVolumes", type="root")["volume"]] == [root["id"]]


# --- states


def test_a_starting_vm_takes_no_second_job_and_goes_on(emulate, refused):
    api = emulate(job_seconds=0.4)
    deployment = api.deployment("one")
    while api.state(deployment["id"]) != "Starting":
        pass
    for command in ("destroyVirtualMachine", "stopVirtualMachine", "rebootVirtualMachine"):
        with refused(530):
            api.job(command, id=deployment["id"])
    assert api.state(deployment["id"]) == "Starting"
    assert api.wait(deployment["jobid"])["virtualmachine"]["state"] == "Running"


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
    assert api.state(vm) == "Stopping"
    assert api.job(command, id=vm)["virtualmachine"]["state"] == state
    assert api("queryAsyncJobResult", jobid=first)["jobresult"]["virtualmachine"]["state"] in ("Stopped", state)
    assert api.state(vm) == state


def test_a_start_while_stopping_follows_the_stop(emulate):
    api = emulate(job_seconds=0.3)
    vm = api.running("one")["id"]
    api("stopVirtualMachine", id=vm)
    assert api.state(vm) == "Stopping"
    assert api.job("startVirtualMachine", id=vm)["virtualmachine"]["state"] == "Running"


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


def test_offering_changes(api, refused):
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


def test_recover_where_it_is_granted(emulate, refused):
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


# --- filters and details


def test_filters(api):
    first = api.running("web1", displayname="表の顔", group="front")
    api.running("web10", group="back")
    api.job("stopVirtualMachine", id=api.running("db1", serviceofferingid=api.vars["medium"])["id"])
    assert api.names(name="WEB1") == {"web1", "web10"}
    assert api.names(keyword="の顔") == {"web1"}
    assert api.names(keyword="stopped") == {"db1"}
    assert api.names(keyword="stop") == set()
    assert api.names(state="RUNNING", name="web") == {"web1", "web10"}
    assert api.names(state="Run") == set()
    assert api.names(groupid=first["groupid"]) == {"web1"}
    assert api.names(networkid=first["nic"][0]["networkid"], name="1") == {"web1", "web10", "db1"}
    assert api.names(templateid="11") == set()
    assert api.names(listall="true", isrecursive="true", account="flatuser", domainid=1) == {"web1", "web10", "db1"}


def test_unknown_things_in_filters_are_refused(api, refused):
    for name in ("id", "zoneid", "templateid", "groupid", "networkid", "domainid", "hostid", "storageid"):
        with refused(431):
            api.vms(**{name: "no-such"})
    with refused(531):
        api.vms(account="admin")


@pytest.mark.parametrize(
    ("words", "there", "missing"),
    [
        ("min", {"zonename", "guestosid", "tags"}, {"nic", "group", "templateid", "serviceofferingid"}),
        ("group", {"group", "groupid"}, {"nic", "templateid"}),
        ("tmpl,servoff", {"templatename", "passwordenabled", "cpunumber", "memory"}, {"nic", "group", "rootdeviceid"}),
        ("volume", {"rootdeviceid", "rootdevicetype"}, {"securitygroup"}),
        ("secgrp,all", {"nic", "group", "templateid", "rootdevicetype"}, set()),
    ],
)
def test_details(api, words, there, missing):
    vm = api.vm(api.running("one", group="g")["id"], details=words)
    assert there <= vm.keys()
    assert not missing & vm.keys()


def test_details_word_nics_has_the_network_name_but_no_hardware_address(api):
    (nic,) = api.vm(api.running("one")["id"], details="nics")["nic"]
    assert nic["networkname"]
    assert "macaddress" not in nic


def test_percent_and_underscore_in_a_filter_are_wildcards(api):
    for name in ("web-1", "webs1", "web--1", "db1"):
        api.deploy(name, startvm="false")
    assert api.names(name="WEB_1") == {"web-1", "webs1"}
    assert api.names(keyword="web%1") == {"web-1", "webs1", "web--1"}
    assert api.names(name="b.1") == set()


def test_somebody_elses_private_template_is_refused(api, refused):
    template = api.emulator.store.templates[api.vars["template"]]
    template.public = False
    with refused(531):
        api.deploy("one")
    assert template.id not in [one["id"] for one in api("listTemplates", templatefilter="executable")["template"]]
    with refused(531):
        api("listTemplates", templatefilter="executable", id=template.id)
    template.launch.append("flatuser")
    assert api.running("one")["state"] == "Running"
    assert api("listTemplates", templatefilter="sharedexecutable")["count"] == 2

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of the emulator: which ones each command makes, and how they are found."""

from __future__ import annotations

import time

import pytest

RULE = {"protocol": "tcp", "startport": 1, "endport": 1, "cidrlist": "192.0.2.0/24,198.51.100.0/24"}


def events(api, **filters):
    """Return all events but the login, oldest first."""
    found = api("listEvents", **filters).get("event", [])
    number = {id: place for place, id in enumerate(api.emulator.store.events)}
    return sorted((one for one in found if one["type"] != "USER.LOGIN"), key=lambda one: number[one["id"]])


def told(api, **filters):
    return [(one["state"], one["level"], one["description"]) for one in events(api, **filters)]


def test_an_account_begins_with_its_login(api):
    (login,) = api("listEvents")["event"]
    assert (login["type"], login["state"], login["username"], login["parentid"]) == (
        "USER.LOGIN",
        "Completed",
        "flatuser",
        "0",
    )


def test_a_command_that_makes_an_object_is_noted_from_the_making_on(api):
    api.running("one")
    created, *others = events(api, type="VM.CREATE")
    assert [one["state"] for one in others] == ["Scheduled", "Started", "Completed"]
    assert created["state"] == "Created"
    assert created["parentid"] == "0"
    assert {one["parentid"] for one in others} == {created["id"]}
    number = created["description"].rpartition(" ")[2]
    assert [one["description"] for one in (created, *others)] == [
        f"Successfully created entity for deploying Vm. Vm Id: {number}",
        f"Scheduled async job for starting Vm. Vm Id: {number}",
        f"Starting job for starting Vm. Vm Id: {number}",
        f"Successfully completed starting Vm. Vm Id: {number}",
    ]


def test_the_other_jobs_are_noted_from_their_plan_on(api, refused):
    vm = api.running("one")["id"]
    api.job("stopVirtualMachine", id=vm)
    with refused(530):
        api.job("rebootVirtualMachine", id=vm)
    stop, reboot = events(api, type="VM.STOP"), events(api, type="vm.reboot")
    assert [one["state"] for one in stop] == ["Scheduled", "Started", "Completed"]
    assert [one["parentid"] for one in stop] == ["0", stop[0]["id"], stop[0]["id"]]
    assert (reboot[-1]["state"], reboot[-1]["level"]) == ("Completed", "ERROR")
    assert reboot[-1]["description"].startswith("Error while rebooting Vm. Vm Id: ")


def test_a_machine_that_is_not_started_has_no_start(api):
    api.job("deployVirtualMachine", startvm="false", name="one", **where(api))
    assert [one["state"] for one in events(api)] == ["Created", "Scheduled"]


def where(api):
    return {
        "zoneid": api.vars["zone"],
        "templateid": api.vars["template"],
        "serviceofferingid": api.vars["small"],
    }


def test_a_command_without_a_job_is_noted_when_it_is_done(api, refused):
    disk = {"name": "d", "zoneid": api.vars["zone"], "diskofferingid": api.vars["disk"]}
    volume = api.job("createVolume", **disk)["volume"]["id"]
    api("deleteVolume", id=volume)
    with refused(431):
        api("deleteVolume", id=volume)
    (first, second) = told(api, type="VOLUME.DELETE")
    number = first[2].rpartition(" ")[2]
    assert first == ("Completed", "INFO", f"Successfully completed deleting volume. Volume Id: {number}")
    assert second == ("Completed", "ERROR", f"Error while deleting volume. Volume Id: {number}")


def test_a_failed_making_is_noted_as_not_created(api, refused):
    with refused(431):
        api("createVolume", name="d", zoneid=api.vars["zone"])
    assert told(api) == [("Created", "ERROR", "Error while creating entity for creating volume")]


def test_some_events_are_there_twice(api):
    api("createSecurityGroup", name="web")
    assert told(api) == [("Completed", "INFO", "Successfully completed creating security group")] * 2


def test_events_of_rules_name_their_group_and_sources(api):
    group = api("createSecurityGroup", name="web")["securitygroup"]["id"]
    result = api.job("authorizeSecurityGroupIngress", securitygroupid=group, **RULE)["securitygroup"]
    scheduled = told(api, type="SG.AUTH.INGRESS")[0][2]
    assert scheduled.startswith("Scheduled async job for authorizing ingress to group: ")
    assert scheduled.endswith(" to cidr list: 192.0.2.0/24, 198.51.100.0/24")
    source = {"usersecuritygrouplist__account": "flatuser", "usersecuritygrouplist__group": "web"}
    api.job("authorizeSecurityGroupEgress", securitygroupid=group, protocol="tcp", startport=1, endport=1, **source)
    assert told(api, type="SG.AUTH.EGRESS")[0][2].endswith(" to group list(group/account): web/flatuser")
    api.job("revokeSecurityGroupIngress", id=result["ingressrule"][0]["ruleid"])
    assert told(api, type="SG.REVOKE.INGRESS")[-1] == (
        "Completed",
        "INFO",
        "Successfully completed Revoking Ingress Rule ",
    )


def test_events_belong_to_whose_object_it_is(emulate, refused):
    api = emulate(neighbour=True, job_seconds=0.02)
    with refused(531):
        api.job("stopVirtualMachine", id=api.vars["foreignvm"])
    assert events(api) == []
    theirs = [event for event in api("listEvents", domainid="1")["event"] if event["account"] == "neighbour"]
    assert {event["username"] for event in theirs if event["type"] == "VM.STOP"} == {"flatuser"}
    with refused(531):
        api("listEvents", account="neighbour", domainid="1")


def test_tags_events_are_the_services_own(api):
    vm = api.running("one")["id"]
    api.job("createTags", resourceids=vm, resourcetype="UserVm", tags__key="k", tags__value="v")
    assert events(api, type="CREATE_TAGS") == []
    noted = [event for event in api.emulator.store.events.values() if event.type == "CREATE_TAGS"]
    assert [(event.owner, event.state) for event in noted] == [("system", "Scheduled"), ("system", "Completed")]


def test_only_the_newest_are_kept(emulate):
    api = emulate(keep_events=3)
    for number in range(3):
        api("createSecurityGroup", name=f"g{number}")
    assert len(events(api)) == 3


def test_events_are_found_by_filters(api, refused):
    api("createSecurityGroup", name="web")
    with refused(431):
        api("deleteSecurityGroup", id=api.vars["defaultsg"])
    made = events(api, type="sg.create")
    assert events(api, level="error") == events(api, keyword="DELET") == events(api, type="SG.DELETE")
    assert events(api, id=made[0]["id"]) == made[:1]
    today, hour = time.strftime("%Y-%m-%d", time.gmtime()), time.strftime("%Y-%m-%d %H:00:00", time.gmtime())
    assert len(events(api, startdate=today, enddate=today)) == len(events(api, startdate=hour)) == 3
    assert events(api, startdate="2099-01-01") == events(api, enddate="2000-01-01") == []
    assert events(api, startdate="2099-01-01 00:00:00", enddate="2099-01-02 00:00:00") == []
    assert api("listEvents", page=2, pagesize=3)["count"] == 1
    with refused(431):
        api("listEvents", startdate="soon")
    with refused(431):
        api("listEvents", id="no-such")


def test_events_come_newest_first(api):
    api("createSecurityGroup", name="one")
    time.sleep(1.01)
    api("createSecurityGroup", name="two")
    created = [event["created"] for event in api("listEvents", type="SG.CREATE")["event"]]
    assert created == sorted(created, reverse=True)
    assert len(set(created)) == 2


def test_events_that_have_begun_and_not_ended_are_found(emulate, refused):
    api = emulate(job_seconds=1)
    api.deploy("one")
    assert [event["type"] for event in api("listEvents", entrytime=60, duration=0)["event"]] == ["VM.CREATE"]
    assert api("listEvents", entrytime=60, duration=30) == {}
    with refused(431):
        api("listEvents", entrytime=30, duration=30)


def test_all_types_of_events_are_listed(api):
    types = [one["name"] for one in api("listEventTypes")["eventtype"]]
    assert len(types) == 205
    assert types[:2] == ["VM.CREATE", "VM.DESTROY"]


@pytest.mark.parametrize(
    ("command", "params", "type"),
    [
        ("updateVirtualMachine", {"displayname": "x"}, "VM.UPDATE"),
        ("resetPasswordForVirtualMachine", {}, "VM.RESETPASSWORD"),
        ("destroyVirtualMachine", {}, "VM.DESTROY"),
    ],
)
def test_other_commands_on_a_machine_are_noted(api, command, params, type):
    vm = api.running("one")["id"]
    api.job("stopVirtualMachine", id=vm)
    answer = api(command, id=vm, **params)
    if "jobid" in answer:
        api.wait(answer["jobid"])
    assert told(api, type=type)[-1][:2] == ("Completed", "INFO")


def test_the_restoring_of_a_machine_is_noted_from_its_plan_alone(api):
    vm = api.running("one")["id"]
    api.job("restoreVirtualMachine", virtualmachineid=vm)
    assert [one["state"] for one in events(api, type="VM.RESTORE")] == ["Scheduled"]

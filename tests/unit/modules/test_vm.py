# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_vm: every state, every option, every refusal, against the emulator."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from asked import changes_sent_to, sent_to
from cloudn_emulator import Emulator
from samples import NEW, TEMPLATE, UNKNOWN, tags_of
from specs import defaults

Result = dict[str, Any]
Run = Callable[..., Result]
MENDED_ON_4 = pytest.mark.generation("3", reason="CloudStack 4 gives a machine other groups")
# What lets a plain account see and recover a destroyed machine.
RECOVERING = {
    "3": {"grants": ["recoverVirtualMachine"]},
    "4": {"server": {"allow.user.expunge.recover.vm": "true", "allow.user.view.destroyed.vm": "true"}},
}


@pytest.fixture
def make(run_module: Run, emulator: Any) -> Run:
    """Return a function that makes a virtual machine and forgets the requests that took."""

    def play(name: str | list[str] = "web1", **options: Any) -> Result:
        result = run_module("cloudn_vm", name=name, **{**NEW, **options})
        assert not result.get("failed"), result
        emulator.clear()
        return result["vms"][0]

    return play


def listed(client: Client, name: str = "web1") -> Result:
    found = [vm for vm in client.list("listVirtualMachines") if vm["name"] == name]
    assert len(found) == 1
    return found[0]


# States


@pytest.mark.parametrize(
    ("state", "ends"),
    [("present", "Running"), ("started", "Running"), ("stopped", "Stopped")],
)
def test_a_missing_machine_is_made(beats: Run, client: Client, state: str, ends: str) -> None:
    done = beats("cloudn_vm", ["deployVirtualMachine"], name="web1", state=state, **NEW)
    assert listed(client)["state"] == ends
    assert done["vm"]["state"] == ends
    assert done["vm"]["id"] == listed(client)["id"]
    assert done["actions"] == [f"web1: deploy in jp-e1a from template {TEMPLATE} with v1"]
    assert done["diff"]["before"] == {"web1": {}}
    if ends == "Running":
        assert done["vm"]["default_ip"] == listed(client)["nic"][0]["ipaddress"]


def test_a_missing_machine_is_made_by_restarted(run_module: Run, client: Client, sent: Callable[[], list[str]]) -> None:
    done = run_module("cloudn_vm", name="web1", state="restarted", **NEW)
    assert done["vm"]["state"] == "Running"
    assert sent() == ["deployVirtualMachine"]


def test_a_new_password_is_returned_once(run_module: Run, beats: Run) -> None:
    done = beats("cloudn_vm", ["deployVirtualMachine"], name="web1", **NEW)
    assert len(done["vm"]["password"]) > 5
    assert "password" not in run_module("cloudn_vm", name="web1", **NEW)["vm"]


def test_a_machine_is_stopped_and_started(beats: Run, make: Run, client: Client) -> None:
    make()
    assert beats("cloudn_vm", ["stopVirtualMachine"], name="web1", state="stopped")["vm"]["state"] == "Stopped"
    assert listed(client)["state"] == "Stopped"
    assert beats("cloudn_vm", [], name="web1", state="present")["vm"]["state"] == "Stopped"
    assert beats("cloudn_vm", ["startVirtualMachine"], name="web1", state="started")["vm"]["state"] == "Running"
    assert listed(client)["state"] == "Running"


def test_force_stop_is_passed_on(run_module: Run, make: Run, emulator: Any) -> None:
    make()
    run_module("cloudn_vm", name="web1", state="stopped", force_stop=True)
    assert [r["params"].get("forced") for r in emulator.requests if r["command"] == "stopVirtualMachine"] == ["true"]


@pytest.mark.parametrize(("was", "command"), [("started", "rebootVirtualMachine"), ("stopped", "startVirtualMachine")])
def test_restarted_reboots_or_starts_a_machine(
    run_module: Run, make: Run, sent: Callable[[], list[str]], was: str, command: str
) -> None:
    make(state=was)
    told = run_module("cloudn_vm", name="web1", state="restarted", _check=True)
    assert sent() == []
    done = run_module("cloudn_vm", name="web1", state="restarted")
    assert sent() == [command]
    assert told["actions"] == done["actions"]
    assert done["changed"] and done["vm"]["state"] == "Running"


def test_a_machine_is_destroyed_by_absent(beats: Run, make: Run, client: Client) -> None:
    made = make()
    done = beats("cloudn_vm", ["destroyVirtualMachine"], name="web1", state="absent")
    assert done["vm"]["state"] == "absent"
    assert done["vm"]["id"] == made["id"]
    assert client.list("listVirtualMachines") == []


def test_absent_of_a_missing_machine_is_no_change(beats: Run) -> None:
    beats("cloudn_vm", [], name="web1", state="absent")


def test_a_starting_machine_is_waited_for(run_module: Run, client: Client, emulator: Any) -> None:
    run_module("cloudn_vm", name="web1", wait=False, **NEW)
    done = run_module("cloudn_vm", name="web1", state="absent")
    assert not done.get("failed"), done
    assert client.list("listVirtualMachines") == []


@pytest.mark.parametrize(("state", "sent"), [("absent", ["destroyVirtualMachine"]), ("started", [])])
def test_a_machine_that_is_about_to_start_is_waited_for(
    run_module: Run, emulator: Any, client: Client, state: str, sent: list[str]
) -> None:
    """A new machine is Stopped for a moment while its deployment is pending. A second command would then fail."""
    emulator.faults([{"kind": "job_hangs", "command": "deployVirtualMachine", "seconds": 0.6}])
    run_module("cloudn_vm", name="web1", wait=False, **NEW)
    assert client.list("listVirtualMachines")[0]["state"] == "Stopped"
    planned = run_module("cloudn_vm", name="web1", state=state, _check=True)
    assert planned["changed"] is bool(sent)
    emulator.clear()
    done = run_module("cloudn_vm", name="web1", state=state)
    assert not done.get("failed"), done
    assert done["changed"] is bool(sent)
    assert changes_sent_to(emulator) == sent


def test_waiting_ends_at_the_timeout() -> None:
    with Emulator(job_seconds=30) as emulator:
        client = Client(emulator.url, emulator.api_key, emulator.api_secret)
        from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm.lookup import RESOURCE

        options = {**defaults("cloudn_vm"), **NEW, "name": ["web1"], "max_parallel": 1, "wait_timeout": 1}
        report = RESOURCE.ensure(client, options)
        ((_name, error),) = report.failures
        assert "still pending, it did not end within 1 s" in error.message
        assert error.job_id in error.message
        assert report.objects()[0]["id"]


# Found by name, id, display name


def test_a_machine_is_found_by_id_and_by_display_name(beats: Run, make: Run, run_module: Run) -> None:
    made = make("web1", display_name="Front door")
    make("web10", display_name="Other")
    for given in (made["id"], "Front door", "web1"):
        assert run_module("cloudn_vm", name=given)["vm"]["id"] == made["id"]


def test_a_host_name_is_preferred_to_a_display_name(make: Run, run_module: Run) -> None:
    make("web1", display_name="web2")
    second = make("web2")
    assert run_module("cloudn_vm", name="web2")["vm"]["id"] == second["id"]


def test_two_machines_of_one_display_name_are_refused(make: Run, refused: Run) -> None:
    ids = {make("a1", display_name="Web")["id"], make("a2", display_name="Web")["id"]}
    told = refused("cloudn_vm", name="Web", state="absent")
    assert all(one in told for one in ids)
    assert "2 VMs have the display name 'Web'" in told


def test_a_machine_that_is_named_twice_is_refused(make: Run, refused: Run) -> None:
    made = make()
    assert "are the same VM" in refused("cloudn_vm", name=["web1", made["id"]])


def test_the_zone_tells_equal_names_apart(make: Run, refused: Run, run_module: Run) -> None:
    first, second = make("web1"), make("web1", zone="jp-e1b", same_name_elsewhere=True)
    assert first["id"] != second["id"]
    assert run_module("cloudn_vm", name="web1", zone="jp-e1b")["vm"]["id"] == second["id"]
    assert "give the zone" in refused("cloudn_vm", name="web1")


# Options at creation


def test_a_new_machine_gets_all_options(beats: Run, run_module: Run, client: Client, emulator: Any) -> None:
    for group in ("web", "admin"):
        client.call("createSecurityGroup", {"name": group})
    client.call("createSSHKeyPair", {"name": "ops"})
    done = beats(
        "cloudn_vm",
        ["deployVirtualMachine", "createTags"],
        name="web1",
        display_name="Web, the first: ウェブ",
        group="front",
        security_groups=["web", "admin"],
        key_pair="ops",
        keyboard="jp",
        user_data="#!/bin/sh\necho hello",
        disk_offering="Medium",
        tags={"role": "web", "count": 3, "on": True},
        **NEW,
    )
    machine = listed(client)
    assert machine["displayname"] == "Web, the first: ウェブ"
    assert machine["group"] == "front"
    assert {group["name"] for group in machine["securitygroup"]} == {"web", "admin"}
    assert done["vm"]["tags"] == {"count": "3", "on": "true", "role": "web"}
    assert {tag["key"]: tag["value"] for tag in machine["tags"]} == done["vm"]["tags"]
    disks = client.list("listVolumes", {"virtualmachineid": machine["id"], "type": "DATADISK"})
    assert [disk["diskofferingname"] for disk in disks] == ["Medium"]
    assert machine["zonename"] == "jp-e1a"


def test_the_deploying_request_has_what_the_options_say(run_module: Run, emulator: Any, client: Client) -> None:
    group = client.call("createSecurityGroup", {"name": "web"})["securitygroup"]
    run_module("cloudn_vm", name="web1", security_groups=["web"], user_data="hello", keyboard="jp", **NEW)
    deploy = next(r["params"] for r in emulator.requests if r["command"] == "deployVirtualMachine")
    assert deploy["name"] == "web1"
    assert deploy["securitygroupids"] == group["id"]
    assert deploy["keyboard"] == "jp"
    assert base64.b64encode(b"hello").decode() not in str(emulator.requests)
    assert "startvm" not in deploy


def test_names_and_ids_are_alike(beats: Run, client: Client, emulator: Any) -> None:
    group = client.call("createSecurityGroup", {"name": "web"})["securitygroup"]
    ids = {
        "zone": emulator.vars["zone"],
        "template": emulator.vars["template"],
        "service_offering": emulator.vars["small"],
    }
    beats("cloudn_vm", ["deployVirtualMachine"], name="web1", security_groups=[group["id"]], **ids)
    beats("cloudn_vm", [], name="web1", security_groups=["web"], template=TEMPLATE)


def test_ha_and_os_type_are_set_after_deploying(beats: Run, client: Client, emulator: Any) -> None:
    options = {**NEW, "service_offering": "v8", "ha": True, "os_type": "CentOS 5.6 (64-bit)"}
    done = beats("cloudn_vm", ["deployVirtualMachine", "updateVirtualMachine"], name="web1", **options)
    assert listed(client)["haenable"] is done["vm"]["ha"] is True
    assert listed(client)["guestosid"] == emulator.vars["ostype"]
    beats("cloudn_vm", ["deployVirtualMachine", "updateVirtualMachine"], name="web2", **{**options, "ha": False})
    assert listed(client, "web2")["haenable"] is False


# Changes of existing ones


@pytest.mark.parametrize(
    ("option", "value", "field"),
    [("display_name", "Web no. 1", "displayname"), ("group", "back", "group")],
)
def test_names_and_groups_are_changed_while_a_machine_runs(
    beats: Run, make: Run, client: Client, option: str, value: str, field: str
) -> None:
    make(group="front")
    done = beats("cloudn_vm", ["updateVirtualMachine"], name="web1", **{option: value})
    assert listed(client)[field] == done["vm"][option] == value
    assert done["diff"]["after"]["web1"][option] == value
    assert listed(client)["state"] == "Running"


def test_ha_of_an_existing_machine_can_be_changed(beats: Run, make: Run, client: Client) -> None:
    make(service_offering="v8")
    beats("cloudn_vm", [], name="web1", ha=True)
    beats("cloudn_vm", ["updateVirtualMachine"], name="web1", ha=False)
    assert listed(client)["haenable"] is False
    beats("cloudn_vm", ["updateVirtualMachine"], name="web1", ha=True)
    assert listed(client)["haenable"] is True


def test_ha_of_a_machine_that_is_resized_is_set_last(beats: Run, make: Run, client: Client) -> None:
    make()
    resized = {"service_offering": "v8", "allow_restart": True}
    beats("cloudn_vm", [*RESIZE, "updateVirtualMachine"], name="web1", ha=False, **resized)
    assert listed(client)["haenable"] is False


def test_ha_without_an_offering_for_it_is_refused(make: Run, refused: Run) -> None:
    make()
    assert "ha: web1 has the service offering 'v1', which offers no high" in refused("cloudn_vm", name="web1", ha=True)


def test_the_os_type_of_an_existing_machine_can_be_changed(
    beats: Run, make: Run, client: Client, emulator: Any
) -> None:
    make()
    beats("cloudn_vm", ["updateVirtualMachine"], name="web1", os_type="CentOS 5.6 (64-bit)")
    assert listed(client)["guestosid"] == emulator.vars["ostype"]


RESIZE = ["stopVirtualMachine", "changeServiceForVirtualMachine", "startVirtualMachine"]


@pytest.mark.parametrize("state", ["present", "started"])
def test_a_running_machine_is_resized_with_allow_restart(beats: Run, make: Run, client: Client, state: str) -> None:
    make()
    done = beats("cloudn_vm", RESIZE, name="web1", service_offering="v2", allow_restart=True, state=state)
    assert listed(client)["serviceofferingname"] == "v2"
    assert listed(client)["state"] == "Running"
    assert done["actions"] == ["web1: stop", "web1: change service offering from v1 to v2", "web1: start"]


def test_a_running_machine_is_not_resized_without_allow_restart(make: Run, refused: Run) -> None:
    make()
    told = refused("cloudn_vm", name="web1", service_offering="v2")
    assert told.startswith("service_offering: web1 is running, and must be stopped for 'v2'")
    assert "allow_restart: true" in told


def test_a_stopped_machine_is_resized(beats: Run, make: Run, client: Client) -> None:
    make(state="stopped")
    beats("cloudn_vm", ["changeServiceForVirtualMachine"], name="web1", service_offering="v2")
    assert listed(client)["state"] == "Stopped"


def test_a_machine_can_be_resized_and_stopped_at_once(beats: Run, make: Run, client: Client) -> None:
    make()
    beats("cloudn_vm", RESIZE[:2], name="web1", service_offering="v2", state="stopped")
    beats("cloudn_vm", RESIZE[1:], name="web1", service_offering="v4", state="started")


def test_resizing_while_restarting_needs_no_allow_restart(
    run_module: Run, make: Run, sent: Callable[[], list[str]]
) -> None:
    make()
    run_module("cloudn_vm", name="web1", service_offering="v2", state="restarted")
    assert sent() == RESIZE


def test_tags_are_set_changed_and_deleted(beats: Run, make: Run, client: Client) -> None:
    make(tags={"role": "web", "env": "test"})
    both = ["deleteTags", "createTags"]
    beats("cloudn_vm", both, name="web1", tags={"role": "db"})
    assert tags_of(listed(client)) == {"role": "db"}
    beats("cloudn_vm", ["createTags"], name="web1", tags={"env": "test"}, purge_tags=False)
    beats("cloudn_vm", [], name="web1", tags={"env": "test", "role": "db"})
    beats("cloudn_vm", [], name="web1")
    done = beats("cloudn_vm", ["deleteTags"], name="web1", tags={})
    assert done["vm"]["tags"] == {}
    assert not listed(client).get("tags")


# What can't be changed


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"template": "Ubuntu 10.04 64bit"}, "template is 'CentOS 6.2 64bit', not 'Ubuntu 10.04 64bit'"),
        pytest.param({"security_groups": ["web"]}, "security_groups are ['default'], not ['web']", marks=MENDED_ON_4),
        ({"disk_offering": "Large"}, "disk_offering of its data disks is none, not 'Large'"),
    ],
)
def test_drift_that_cannot_be_mended_is_an_error_unless_it_is_allowed(
    make: Run, refused: Run, run_module: Run, client: Client, sent: Callable[[], list[str]], option: Result, said: str
) -> None:
    make()
    client.call("createSecurityGroup", {"name": "web"})
    sent()
    told = refused("cloudn_vm", name="web1", **option)
    assert said in told
    assert "on_immutable_drift" in told
    warned = run_module("cloudn_vm", name="web1", on_immutable_drift="warn", **option)
    assert not warned["changed"]
    assert any(said in warning for warning in warned["warnings"])
    ignored = run_module("cloudn_vm", name="web1", on_immutable_drift="ignore", **option)
    assert not ignored["changed"]
    assert not ignored.get("warnings")
    assert sent() == []


def test_a_renewed_template_of_the_same_name_is_no_drift(make: Run, beats: Run, emulator: Any) -> None:
    make()
    beats("cloudn_vm", [], name="web1", template=TEMPLATE)


@pytest.fixture
def image(run_module: Run) -> Run:
    """Return a function that makes a template "image" in a zone, or does something else with it."""

    def play(zone: str, **options: Any) -> Result:
        more = {"format": "VHD", "hypervisor": "XenServer", "os_type": "CentOS 5.3 (64-bit)"}
        url = "http://templates.example.com/image.vhd"
        done = run_module("cloudn_template", name="image", zone=zone, url=url, **{**more, **options})
        assert not done.get("failed"), done["msg"]
        return done

    return play


@pytest.mark.parametrize("names", [["web1", "web2"], ["web2", "web1"]])
@pytest.mark.parametrize("mode", ["fail", "warn"])
def test_a_template_is_looked_up_in_the_zone_of_each_machine(
    make: Run, image: Run, refused: Run, names: list[str], mode: str
) -> None:
    make("web1")
    make("web2", zone="jp-e1b")
    image("jp-e1b")
    told = refused("cloudn_vm", name=names, template="image", on_immutable_drift=mode)
    assert told.startswith("template: there is no template 'image'. There are: ")


@pytest.mark.parametrize("names", [["web1", "web2"], ["web2", "web1"]])
@pytest.mark.generation("3", reason="CloudStack 4 deletes no template that a machine uses")
def test_a_template_is_not_looked_up_in_the_zone_of_a_machine_that_has_it(
    make: Run, image: Run, run_module: Run, emulator: Any, names: list[str]
) -> None:
    image("jp-e1a")
    make("web1", template="image")
    image("jp-e1a", state="absent")
    make("web2", zone="jp-e1b")
    image("jp-e1b")
    emulator.clear()
    done = run_module("cloudn_vm", name=names, template="image", on_immutable_drift="warn")
    assert not done.get("failed"), done["msg"]
    (warning,) = done["warnings"]
    assert warning.startswith(f"web2: template is {TEMPLATE!r}, not 'image'")
    assert sent_to(emulator) == ["listVirtualMachines", "listTemplates"]


def test_a_disk_offering_that_is_there_is_no_drift(make: Run, beats: Run) -> None:
    make(disk_offering="Small")
    beats("cloudn_vm", [], name="web1", disk_offering="Small")


# Refusals before anything is changed


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"template": "Plan 9"}, "template: there is no template 'Plan 9'. There are: "),
        ({"service_offering": "v3"}, "service_offering: there is no 'v3'. There are: "),
        ({"zone": "jp-w1"}, "zone: there is no 'jp-w1'. There are: jp-e1a, jp-e1b"),
        ({"zone": None}, "zone: is needed, as there are 2 to choose from: jp-e1a, jp-e1b"),
        ({"template": None, "service_offering": None}, "template, service_offering: needed to create web1"),
        ({"security_groups": ["nope"]}, "security_groups: there is no security group 'nope'. There are: default"),
        ({"disk_offering": "Huge"}, "disk_offering: there is no 'Huge'"),
        ({"disk_offering": "Custom"}, "disk_offering: 'Custom' has no fixed size"),
        ({"key_pair": "nope"}, "key_pair: there is no key pair 'nope'"),
        ({"os_type": "BeOS"}, "os_type: there is no 'BeOS'"),
        ({"ha": True}, "ha: web1 has the service offering 'v1', which offers no high availability"),
        pytest.param(
            {"user_data": "x" * 1537},
            "user_data: has 1537 bytes, which are 2052 in Base64. CloudStack 3 takes 2048, so 1536 bytes",
            marks=pytest.mark.generation("3", reason="CloudStack 4 takes more"),
        ),
        ({"max_parallel": 0}, "max_parallel: must be at least 1, not 0"),
        ({"group": " "}, "group: is empty; give a value, or leave the option out"),
        ({"display_name": "\U0001f600"}, "display_name: "),
        ({"wait_timeout": -1}, "wait_timeout: must be at least 0, not -1"),
    ],
)
def test_bad_options_of_a_new_machine_are_refused(refused: Run, options: dict[str, Any], said: str) -> None:
    given = {key: value for key, value in {**NEW, **options}.items() if value is not None}
    assert said in refused("cloudn_vm", name="web1", **given)


@pytest.mark.parametrize("name", ["1web", "web_1", "-web", "web-", "w" * 64, "ウェブ", "web 1", "web.1"])
def test_bad_host_names_are_refused(refused: Run, name: str) -> None:
    assert f"name: {name!r} can't be a host name" in refused("cloudn_vm", name=name, **NEW)


@pytest.mark.parametrize(
    ("name", "said"),
    [([], "name: the list is empty"), ([""], "name[0]: is empty; give a value, or remove this item of the list")],
)
def test_an_empty_name_is_refused(refused: Run, name: list[str], said: str) -> None:
    assert said in refused("cloudn_vm", name=name, **NEW)


def test_an_unknown_id_is_refused(refused: Run) -> None:
    assert f"name: there is no VM with the id {UNKNOWN}" in refused("cloudn_vm", name=UNKNOWN, **NEW)


def test_absent_in_an_unknown_zone_is_refused(refused: Run) -> None:
    assert "zone: there is no 'jp-w1'" in refused("cloudn_vm", name="web1", zone="jp-w1", state="absent")


def test_user_data_may_be_as_long_as_the_limit(beats: Run) -> None:
    beats("cloudn_vm", ["deployVirtualMachine"], name="web1", user_data="x" * 1536, **NEW)


@pytest.mark.parametrize("options", [{"display_name": "\U0001f600"}, {"tags": {"a": "\U0001f600"}}])
def test_characters_that_the_service_refuses_are_refused(make: Run, refused: Run, options: dict[str, Any]) -> None:
    make()
    assert f"{next(iter(options))}: " in refused("cloudn_vm", name="web1", **options)


# Destroyed names


def test_a_name_that_an_unseen_destroyed_machine_holds_is_an_error_that_says_so(make: Run, run_module: Run) -> None:
    make()
    run_module("cloudn_vm", name="web1", state="absent")
    done = run_module("cloudn_vm", name="web1", **NEW)
    assert done["failed"]
    assert "A destroyed VM that is not listed may hold 'web1' until the service has expunged it" in done["msg"]
    assert done["error_code"] == 431
    assert not done["changed"]


def test_an_administrator_sees_and_recovers_a_destroyed_machine(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(account="admin") as (run, emulator):
        made = run("cloudn_vm", name="web1", **NEW)["vm"]
        run("cloudn_vm", name="web1", state="absent")
        emulator.clear()
        told = run("cloudn_vm", name="web1", **NEW)["msg"]
        assert made["id"] in told
        assert "recover: true" in told
        assert run("cloudn_vm", name="web1", state="absent")["changed"] is False
        check = run("cloudn_vm", name="web1", recover=True, state="started", _check=True, _diff=True, **NEW)
        assert [r for r in emulator.requests if not r["command"].startswith("list")] == []
        done = run("cloudn_vm", name="web1", recover=True, state="started", _diff=True, **NEW)
        assert done["actions"] == check["actions"] == ["web1: recover", "web1: start"]
        assert done["diff"] == check["diff"]
        assert (done["vm"]["id"], done["vm"]["state"]) == (made["id"], "Running")
        assert run("cloudn_vm", name="web1", recover=True, state="started", **NEW)["changed"] is False


ONLY_4 = pytest.mark.generation("4", reason="no plain account of CloudStack 3 sees a destroyed machine")


@pytest.mark.parametrize("sees", ["false", pytest.param("true", marks=ONLY_4)])
def test_a_destroyed_machine_is_recovered_by_id_where_that_is_granted(
    run_module_as: Callable[..., Any], generation: str, sees: str
) -> None:
    """Also if the account does not see it. It had its password at its first start, so none is lost."""
    options = RECOVERING[generation]
    if generation == "4":
        options = {"server": {**options["server"], "allow.user.view.destroyed.vm": sees}}
    with run_module_as(**options) as (run, _emulator):
        made = run("cloudn_vm", name="web1", **NEW)["vm"]
        run("cloudn_vm", name="web1", state="absent")
        assert "recover: true" in run("cloudn_vm", name=made["id"])["msg"]
        done = run("cloudn_vm", name=made["id"], recover=True, state="started")
        assert (done["vm"]["name"], done["vm"]["state"]) == ("web1", "Running")
        assert done["warnings"] == []


# Many at once


def test_many_machines_are_made_changed_and_destroyed_together(beats: Run, emulator: Any, client: Client) -> None:
    names = [f"web{number}" for number in range(1, 13)]
    done = beats("cloudn_vm", ["deployVirtualMachine"] * 12, name=names, **NEW)
    assert [vm["name"] for vm in done["vms"]] == names
    assert "vm" not in done
    beats("cloudn_vm", ["stopVirtualMachine"] * 12, name=names, state="stopped")
    beats("cloudn_vm", ["startVirtualMachine"] * 12, name=names, state="started")
    beats("cloudn_vm", ["updateVirtualMachine"] * 12, name=names, group="front")
    beats("cloudn_vm", ["destroyVirtualMachine"] * 12, name=names, state="absent")
    assert client.list("listVirtualMachines") == []


def test_jobs_of_many_machines_overlap(run_module_as: Callable[..., Any], generation: str) -> None:
    with run_module_as(job_seconds=1.0) as (run, emulator):
        run("cloudn_vm", _patient=True, name=[f"web{number}" for number in range(10)], **NEW)
        times = {
            command: [r["time"] for r in emulator.requests if r["command"] == command]
            for command in ("deployVirtualMachine", "listAsyncJobs", "queryAsyncJobResult")
        }
        assert len(times["deployVirtualMachine"]) == 10
        assert max(times["deployVirtualMachine"]) < min(
            times["listAsyncJobs"] + times["queryAsyncJobResult"], default="z"
        )
        # CloudStack 4 lists pending jobs only, so each is asked for once when it has ended.
        assert len(times["listAsyncJobs"]) + len(times["queryAsyncJobResult"]) < {"3": 12, "4": 22}[generation]


def test_connections_do_not_exceed_max_parallel(run_module: Run, emulator: Any) -> None:
    run_module("cloudn_vm", name=[f"web{number}" for number in range(20)], max_parallel=3, **NEW)
    assert len({r["connection"] for r in emulator.requests}) <= 4


def test_only_missing_machines_are_made(beats: Run, make: Run) -> None:
    make("web2")
    done = beats("cloudn_vm", ["deployVirtualMachine"] * 2, name=["web1", "web2", "web3"], **NEW)
    assert [action.split(":")[0] for action in done["actions"]] == ["web1", "web3"]


def test_a_partial_failure_lists_every_machine(make: Run, run_module: Run) -> None:
    make("web2")
    run_module("cloudn_vm", name="web2", state="absent")  # its name stays taken
    done = run_module("cloudn_vm", name=["web1", "web2", "web3"], **NEW)
    assert done["failed"] and done["changed"]
    assert done["msg"].startswith("1 of 3 failed: web2: deployVirtualMachine: ")
    assert [vm["name"] for vm in done["vms"]] == ["web1", "web2", "web3"]
    assert ["error" in vm for vm in done["vms"]] == [False, True, False]
    assert [vm["state"] for vm in done["vms"]] == ["Running", None, "Running"]


def test_not_waiting_returns_jobs(run_module: Run, client: Client, emulator: Any) -> None:
    done = run_module("cloudn_vm", name=["web1", "web2"], wait=False, tags={"role": "web"}, **NEW)
    assert done["changed"]
    assert all(vm["id"] for vm in done["vms"])
    for job_id in done["jobs"]:
        client.wait(job_id, timeout=10)
    assert {vm["state"] for vm in client.list("listVirtualMachines")} == {"Running"}


# What it costs


@pytest.mark.parametrize("others", [0, 450])
def test_no_change_costs_one_request(run_module_as: Callable[..., Any], others: int) -> None:
    with run_module_as(vms=others) as (run, emulator):
        names = [f"zz-web{number}" for number in range(50)]
        run("cloudn_vm", name=names, tags={"a": "b"}, group="front", **NEW)
        for given in ("zz-web1", names):
            emulator.clear()
            assert run("cloudn_vm", name=given, tags={"a": "b"}, group="front", **NEW)["changed"] is False
            assert sent_to(emulator) == ["listVirtualMachines"]


def test_a_machine_is_made_changed_and_destroyed_in_xml(beats: Run, client: Client) -> None:
    """XML has no lists of one and no types. This must not look like drift."""
    client.call("createSecurityGroup", {"name": "web"})
    options = {
        "response_format": "xml",
        "security_groups": ["web"],
        "tags": {"a": "true", "b": "007"},
        "group": "1",
        **NEW,
    }
    beats("cloudn_vm", ["deployVirtualMachine", "createTags"], name="web1", disk_offering="Small", **options)
    beats("cloudn_vm", RESIZE, name="web1", **{**options, "service_offering": "v8", "allow_restart": True})
    beats(
        "cloudn_vm",
        ["detachVolume", "destroyVirtualMachine"],
        name="web1",
        state="absent",
        detach_volumes=True,
        response_format="xml",
    )


# Data disks of a machine that goes


@pytest.fixture
def disks(make: Run, run_module: Run, emulator: Any) -> None:
    """A machine with a data disk of its own and one that was attached."""
    make(disk_offering="Medium")
    run_module("cloudn_volume", name="data", state="attached", vm="web1", disk_offering="Small")
    emulator.clear()


def left(client: Client) -> list[str]:
    """The names of data disks. The root disk of a destroyed machine stays listed on CloudStack 4."""
    return sorted(volume["name"] for volume in client.list("listVolumes", {"type": "DATADISK"}))


@pytest.mark.generation("3", reason="CloudStack 4 detaches them and keeps them")
def test_data_disks_are_not_deleted_unasked(disks: None, refused: Callable[..., str], make: Run) -> None:
    make("web2")
    said = refused("cloudn_vm", name=["web1", "web2"], state="absent")
    assert said.startswith("web1 has data disks, which the service would hide for ever with the VM: ")
    assert "data (" in said and "5 GiB)" in said and "DATA-4 (" in said and "20 GiB)" in said
    assert "Set detach_volumes: true to detach and keep them, or delete_volumes: true" in said


def test_data_disks_are_kept(disks: None, beats: Run, client: Client) -> None:
    changes = ["detachVolume", "detachVolume", "destroyVirtualMachine"]
    done = beats("cloudn_vm", changes, name="web1", state="absent", detach_volumes=True)
    assert sorted(done["actions"]) == ["web1: destroy", "web1: detach volume DATA-4", "web1: detach volume data"]
    assert done["diff"]["before"]["web1"]["data_disks"] == ["DATA-4", "data"]
    assert left(client) == ["DATA-4", "data"]
    assert done["vm"]["state"] == "absent"


def test_data_disks_are_deleted(disks: None, beats: Run, client: Client) -> None:
    changes = ["detachVolume", "detachVolume", "destroyVirtualMachine", "deleteVolume", "deleteVolume"]
    done = beats("cloudn_vm", changes, name="web1", state="absent", delete_volumes=True)
    assert left(client) == []
    # While the machine is there, the next run knows which disks were to go with it.
    assert done["actions"][-1] == "web1: destroy"


def test_a_disk_that_is_being_attached_is_waited_for(
    disks: None, run_module: Run, emulator: Any, client: Client
) -> None:
    """The disk is not yet listed as the machine's, and would be destroyed with it."""
    run_module("cloudn_volume", name="late", disk_offering="Small", zone="jp-e1a")
    emulator.faults([{"kind": "job_hangs", "command": "attachVolume"}])
    begun = run_module("cloudn_volume", name="late", state="attached", vm="web1", wait=False)
    options = {"name": "web1", "state": "absent", "detach_volumes": True}
    emulator.clear()
    said = run_module("cloudn_vm", wait_timeout=0, **options)["msg"]
    assert f"attachVolume: job {begun['jobs'][0]}, which began before this run" in said
    assert "nothing was changed" in said and client.list("listVirtualMachines")[0]["state"] == "Running"
    emulator.release_jobs()
    done = run_module("cloudn_vm", **options)
    assert not done.get("failed"), done["msg"]
    assert left(client) == ["DATA-4", "data", "late"]


def test_disks_that_are_left_are_reported(disks: None, run_module: Run, emulator: Any, client: Client) -> None:
    """The task that fails must report them: the next run does not know that they were the machine's."""
    emulator.faults([{"kind": "unauthorized", "command": "deleteVolume"}])
    done = run_module("cloudn_vm", name="web1", state="absent", delete_volumes=True)
    assert done["failed"]
    for disk in client.list("listVolumes", {"type": "DATADISK"}):
        assert f"{disk['name']} ({disk['id']})" in done["msg"]
    assert "those that are detached and not deleted yet are left: delete them with cloudn_volume" in done["msg"]
    assert client.list("listVirtualMachines")[0]["state"] == "Running"


def test_delete_volumes_and_detach_volumes_exclude_each_other(refused: Callable[..., str]) -> None:
    said = refused("cloudn_vm", name="web1", state="absent", delete_volumes=True, detach_volumes=True)
    assert "mutually exclusive" in said


def test_destroying_costs_few_requests(make: Run, run_module: Run, emulator: Any) -> None:
    make(["web1", "web2"])
    run_module("cloudn_vm", name=["web1", "web2"], state="absent")
    reads = [request["command"] for request in emulator.requests if request["command"].startswith("list")]
    assert reads[:2] == ["listVirtualMachines", "listVolumes"]
    emulator.clear()
    run_module("cloudn_vm", name=["web1", "web2"], state="absent")
    assert sent_to(emulator) == ["listVirtualMachines"]


def test_a_machine_that_is_stopped_for_a_change_runs_again_also_when_that_fails(
    make: Run, run_module: Run, emulator: Any, client: Client, sent: Callable[[], list[str]]
) -> None:
    make()
    emulator.store.account.denied = frozenset(["changeServiceForVirtualMachine"])
    failed = run_module("cloudn_vm", name="web1", service_offering="v2", allow_restart=True)
    assert failed["command"] == "changeServiceForVirtualMachine"
    assert sent() == ["stopVirtualMachine", "changeServiceForVirtualMachine", "startVirtualMachine"]
    assert listed(client)["state"] == "Running"

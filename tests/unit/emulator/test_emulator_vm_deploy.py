# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""deployVirtualMachine of the emulator: its phases, names, parameters, disks, races."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

WITHOUT_ADDRESS = {"id", "networkid", "traffictype", "type", "isdefault"}
BARE = {"zone": "zone", "template": "template", "serviceoffering": "small"}
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


def test_a_vm_runs_before_its_job_has_ended(emulate):
    api = emulate(job_seconds=2)
    deployment = api.deployment("one")
    api.until(deployment["id"], "Running")
    assert api("queryAsyncJobResult", jobid=deployment["jobid"])["jobstatus"] == 0


def test_right_after_deployment_a_vm_is_still_stopped(emulate):
    api = emulate(job_seconds=60)
    deployment = api.deployment("one")
    assert api.state(deployment["id"]) == "Stopped"
    assert api("queryAsyncJobResult", jobid=deployment["jobid"])["jobstatus"] == 0


def test_update_waits_until_the_network_is_reserved(emulate):
    api = emulate(job_seconds=1)
    vm = api.deploy("one")
    api.until(vm, "Starting")
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


def test_only_a_template_that_takes_passwords_gets_one(api, refused):
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
        {"securitygroupids": "", "securitygroupnames": "default"},
        {"securitygroupnames": " default"},
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


def test_a_deployment_makes_a_root_disk_and_a_data_disk(api):
    vm = api.running("one", diskofferingid=api.vars["custom"], size=7)
    root, data = sorted(api("listVolumes", virtualmachineid=vm["id"])["volume"], key=lambda disk: disk["deviceid"])
    assert (root["type"], data["type"]) == ("ROOT", "DATADISK")
    assert data["size"] == 7 * 1024**3
    assert root["state"] == data["state"] == "Ready"
    assert data["name"] == root["name"].replace("ROOT", "DATA")
    assert "attached" not in data
    assert [disk["id"] for disk in api("listVolumes", type="root")["volume"]] == [root["id"]]


# --- parameters that the real server takes or refuses otherwise than one would think


@pytest.mark.parametrize("address", ["10.1.200.200", "", "no address"])
def test_an_address_at_deployment_fails(api, refused, address):
    with refused(530):
        api.deploy("one", ipaddress=address)
    assert api.vms() == []


@pytest.mark.parametrize("networks", ["", "-1", "{network}", "{network},{network}"])
def test_no_network_can_be_named(api, refused, networks):
    network = api.emulator.store.zones[api.vars["zone"]].network_id
    with refused(431):
        api.deploy("one", networkids=networks.format(network=network))


@pytest.mark.parametrize("network", ["no-such", "-1", "{network}", None])
def test_no_address_of_a_network_can_be_named(api, refused, network):
    known = api.emulator.store.zones[api.vars["zone"]].network_id
    named = {} if network is None else {"iptonetworklist__networkid": network.format(network=known)}
    with refused(431):
        api.deploy("one", iptonetworklist__ip="10.1.200.200", **named)


def test_the_parameter_id_is_a_number_that_means_nothing(api, refused):
    for value in (api.vars["zone"], "", "x"):
        with refused(431):
            api.deploy("one", id=value)
    assert len(api.deploy("one", id=7)) == 36


@pytest.mark.parametrize(
    "param", ["zoneid", "templateid", "serviceofferingid", "diskofferingid", "securitygroupids", "projectid"]
)
def test_the_id_of_no_object_is_refused(api, refused, param):
    with refused(431):
        api.deploy("one", **{param: -1})


def test_an_account_needs_a_domain_and_a_domain_alone_is_ignored(api, refused):
    with refused(431):
        api.deploy("one", account="flatuser")
    assert api.running("one", domainid=1)["account"] == "flatuser"


def disk_size(api, vm):
    """Size of a VM's data disk in GiB."""
    (size,) = [disk["size"] for disk in api("listVolumes", virtualmachineid=vm["id"], type="DATADISK")["volume"]]
    return size / 1024**3


@pytest.mark.parametrize(
    ("offering", "size", "made"), [("custom", 0, 0), ("custom", 1024, 1024), ("disk", 3, 5), ("disk", -1, 5)]
)
def test_the_size_of_a_data_disk_counts_for_custom_offerings_only(api, offering, size, made):
    assert disk_size(api, api.running("one", diskofferingid=api.vars[offering], size=size)) == made


@pytest.mark.parametrize("size", [-1, 2**33])
def test_less_than_no_size_fails_at_once(api, refused, size):
    with refused(530):  # 2**33 GiB are -2**63 bytes in Java
        api.deploy("one", diskofferingid=api.vars["custom"], size=size)
    assert api.vms() == []


def test_a_size_without_an_offering_makes_no_disk(api):
    vm = api.running("one", size=3)
    assert [disk["type"] for disk in api("listVolumes", virtualmachineid=vm["id"])["volume"]] == ["ROOT"]


def test_a_service_offering_makes_a_disk_as_a_custom_offering_does(api, refused):
    with refused(431):
        api.deploy("one", diskofferingid=api.vars["small"])
    vm = api.running("one", diskofferingid=api.vars["small"], size=2)
    assert disk_size(api, vm) == 2


@pytest.fixture
def too_big(api, refused):
    """The id of a VM whose data disk has no room anywhere."""
    deployment = api.deployment("big", diskofferingid=api.vars["custom"], size=2000)
    with refused(533):
        api.wait(deployment["jobid"])
    return deployment["id"]


def test_a_disk_without_room_leaves_the_vm_in_error(api, refused, too_big):
    vm = api.vm(too_big)
    assert (vm["state"], set(vm["nic"][0])) == ("Error", WITHOUT_ADDRESS)
    assert "volume" not in api("listVolumes", virtualmachineid=too_big)
    with refused(431):
        api.deploy("big")
    with refused(431):
        api("updateVirtualMachine", id=too_big, displayname="x")
    for command in ("startVirtualMachine", "stopVirtualMachine"):
        assert api.job(command, id=too_big)["virtualmachine"]["state"] == "Error"


def test_a_vm_in_error_goes_to_expunging(api, too_big):
    for _time in range(2):
        assert api.job("destroyVirtualMachine", id=too_big)["virtualmachine"]["state"] == "Expunging"
    assert api.vms() == []


def test_a_vm_that_was_not_to_start_finds_no_room_later(api, refused):
    vm = api.running("big", diskofferingid=api.vars["custom"], size=2000, startvm="false")["id"]
    with refused(533):
        api.job("startVirtualMachine", id=vm)
    assert api.state(vm) == "Stopped"


def test_a_plain_account_may_not_name_the_host(api, refused):
    host = next(iter(api.emulator.store.hosts))
    for wanted in (host, -1):
        deployment = api.deployment(f"on{wanted}"[:8].rstrip("-"), hostid=wanted)
        with refused(531):
            api.wait(deployment["jobid"])
        assert api.state(deployment["id"]) == "Error"
    vm = api.running("one", startvm="false", hostid=host)["id"]
    with refused(531):
        api.job("startVirtualMachine", id=vm, hostid=host)


def test_an_administrator_names_the_host(emulate, refused):
    api = emulate(job_seconds=0.02, account="admin")
    host = list(api.emulator.store.hosts.values())[1]
    assert api.running("one", hostid=host.id)["hostname"] == host.name
    with refused(431):
        api.running("two", hostid=-1)


@pytest.mark.parametrize("text", ["aGk=", "aGk", "aG\nk=", " aGk= ", "aG=k", "4-_="])
def test_user_data_is_base64_with_or_without_padding(api, text):
    api.deploy("one", userdata=text)


# One digit is no byte, and what follows the padding is not read.
@pytest.mark.parametrize("text", ["", " ", "=", "a", "a=Gk", "!!!", "あ"])
def test_text_that_is_no_base64_is_refused_as_user_data(api, refused, text):
    with refused(431):
        api.deploy("one", userdata=text)


def test_a_template_whose_file_is_not_there_yet_fails(api, refused):
    api.emulator.store.templates[api.vars["template"]].unready[api.vars["zone"]] = "50% Downloaded"
    with refused(530):
        api.deploy("one")
    assert api.vms() == []


def test_the_first_start_makes_the_password(api):
    vm = api.running("one", startvm="false")["id"]
    assert len(api.job("startVirtualMachine", id=vm)["virtualmachine"]["password"]) == 9
    api.job("stopVirtualMachine", id=vm)
    assert "password" not in api.job("startVirtualMachine", id=vm)["virtualmachine"]


def test_groups_of_machines_are_compared_as_the_database_does(api):
    group = api.running("one", group="Café")["groupid"]
    for name in ("CAFE", "café  "):
        vm = api.running(f"vm-{len(name)}", group=name)
        assert (vm["groupid"], vm["group"]) == (group, "Café")
    assert api.vm(api.deploy("two", group="部署"))["group"] == "部署"
    assert api.vm(api.deploy("three", group=""))["group"] == ""


def test_host_names_differ_by_case(api, refused):
    for name in ("Web1", "web1", "WEB1"):
        api.deploy(name)
    with refused(431):
        api.deploy("web1")
    assert len(api.vms(name="web1")) == 3


# --- two at one moment


def test_two_deployments_of_a_name_at_one_moment_make_two_machines(emulate, refused):
    api = emulate(job_seconds=0.02, race_ms=150, expunge_seconds=0.5)
    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda _number: api.deployment("same"), range(2)))
    first, second = [api.wait(deployment["jobid"])["virtualmachine"] for deployment in made]
    assert first["name"] == second["name"] == "same"
    assert first["id"] != second["id"]
    api.job("destroyVirtualMachine", id=first["id"])
    while first["id"] in api.emulator.store.vms:
        api.vms()
    with refused(431):  # the other has the name still
        api.deploy("same")
    api.job("destroyVirtualMachine", id=second["id"])
    while second["id"] in api.emulator.store.vms:
        api.vms()
    assert api.running("same")["state"] == "Running"


def test_machines_without_a_name_do_not_race(emulate):
    api = emulate(race_ms=10_000)
    api("deployVirtualMachine", **{f"{kind}id": api.vars[name] for kind, name in BARE.items()})

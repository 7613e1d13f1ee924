# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cs and libcloud, clients of others for CloudStack, work against the emulator of both generations of CloudStack."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cs
import pytest
from cloudn_emulator import Emulator
from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider


@pytest.fixture(scope="module")
def emulator(generation: str) -> Iterator[Emulator]:
    with Emulator(generation=generation, job_seconds=0.02) as running:
        yield running


@pytest.fixture
def client(emulator: Emulator) -> Any:
    return cs.CloudStack(endpoint=emulator.url, key=emulator.api_key, secret=emulator.api_secret, poll_interval=0.02)


@pytest.fixture
def driver(emulator: Emulator) -> Any:
    place = {"host": "127.0.0.1", "port": emulator.port, "path": "/client/api", "secure": False}
    made = get_driver(Provider.CLOUDSTACK)(emulator.api_key, secret=emulator.api_secret, **place)
    made.connection.poll_interval = 0.02
    return made


def of_zone(emulator: Emulator) -> dict[str, str]:
    seeded = emulator.vars
    return {
        "zoneid": seeded["zone"],
        "templateid": seeded["template"],
        "serviceofferingid": seeded["small"],
    }


def is_done(answer: Any) -> bool:
    """Whether an answer says that it went well. CloudStack 3 says so in a text."""
    return answer["success"] in (True, "true")


# --- cs


@pytest.mark.generation("4", reason="listApis came with CloudStack 4.1")
def test_cs_lists_the_commands_and_their_parameters(client: Any) -> None:
    apis = {api["name"]: api for api in client.listApis()["api"]}
    deploy = apis["deployVirtualMachine"]
    assert deploy["isasync"] and not apis["listZones"]["isasync"]
    params = {param["name"]: param for param in deploy["params"]}
    assert params["zoneid"]["required"] and params["zoneid"]["type"] == "uuid"
    assert params["keypairs"]["type"] == "list" and not params["keypairs"]["required"]
    assert "createAccount" not in apis
    (only,) = client.listApis(name="listZones")["api"]
    assert only == apis["listZones"]


def test_cs_makes_a_machine_waits_for_its_job_and_destroys_it(client: Any, emulator: Emulator) -> None:
    made = client.deployVirtualMachine(name="by-cs", **of_zone(emulator), fetch_result=True)["virtualmachine"]
    assert made["state"] == "Running"
    (listed,) = client.listVirtualMachines(name="by-cs", fetch_list=True)
    assert listed["id"] == made["id"]
    gone = client.destroyVirtualMachine(id=made["id"], fetch_result=True)["virtualmachine"]
    assert gone["state"] == "Destroyed"
    assert client.listVirtualMachines(name="by-cs", fetch_list=True) == []


def test_cs_makes_groups_with_rules_volumes_and_key_pairs(client: Any, emulator: Emulator) -> None:
    group = client.createSecurityGroup(name="by-cs")["securitygroup"]
    anybody = "::/0" if emulator.settings.generation == "4" else "0.0.0.0/0"
    rule = {"securitygroupid": group["id"], "protocol": "tcp", "startport": 22, "endport": 22, "cidrlist": anybody}
    (added,) = client.authorizeSecurityGroupIngress(**rule, fetch_result=True)["securitygroup"]["ingressrule"]
    assert added["cidr"] == anybody
    assert client.revokeSecurityGroupIngress(id=added["ruleid"], fetch_result=True)["success"] is True
    assert is_done(client.deleteSecurityGroup(id=group["id"]))

    zone, disk = emulator.vars["zone"], emulator.vars["disk"]
    made = client.createVolume(name="by-cs", zoneid=zone, diskofferingid=disk, fetch_result=True)["volume"]
    assert [one["id"] for one in client.listVolumes(name="by-cs", fetch_list=True)] == [made["id"]]
    assert is_done(client.deleteVolume(id=made["id"]))

    pair = client.createSSHKeyPair(name="by-cs")["keypair"]
    assert pair["privatekey"].startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert [one["fingerprint"] for one in client.listSSHKeyPairs(name="by-cs", fetch_list=True)] == [
        pair["fingerprint"]
    ]
    assert is_done(client.deleteSSHKeyPair(name="by-cs"))


def test_cs_tells_errors_and_failed_jobs(client: Any, emulator: Emulator) -> None:
    with pytest.raises(cs.CloudStackApiException) as refusal:
        client.listZones(id="no-such-zone")
    assert refusal.value.error.get("cserrorcode") == (9999 if emulator.settings.generation == "4" else None)
    assert "no-such-zone" in refusal.value.error["errortext"]
    made = client.deployVirtualMachine(name="twice", **of_zone(emulator), fetch_result=True)["virtualmachine"]
    (root,) = client.listVolumes(virtualmachineid=made["id"], fetch_list=True)
    with pytest.raises(cs.CloudStackException) as failure:
        client.attachVolume(id=root["id"], virtualmachineid=made["id"], fetch_result=True)
    assert "Please specify a valid data volume" in str(failure.value)
    client.destroyVirtualMachine(id=made["id"], fetch_result=True)


def test_cs_reads_all_pages(client: Any) -> None:
    assert len(client.listOsTypes(fetch_list=True, page_size=50)) == client.listOsTypes()["count"] > 100


# --- libcloud


def test_libcloud_lists_what_is_on_offer(driver: Any, emulator: Emulator) -> None:
    assert emulator.vars["zone"] in {location.id for location in driver.list_locations()}
    assert emulator.vars["small"] in {size.id for size in driver.list_sizes()}
    assert emulator.vars["template"] in {image.id for image in driver.list_images()}
    assert emulator.vars["disk"] in {offering.id for offering in driver.ex_list_disk_offerings()}
    assert [network.name for network in driver.ex_list_networks()] == ["guestNetworkForBasicZone"] * 2
    assert driver.ex_limits()["max_instances"] == 100_000


def test_libcloud_makes_a_machine_stops_and_destroys_it(driver: Any, emulator: Emulator) -> None:
    seeded = emulator.vars
    image = next(one for one in driver.list_images() if one.id == seeded["template"])
    (size,) = [one for one in driver.list_sizes() if one.id == seeded["small"]]
    (location,) = [one for one in driver.list_locations() if one.id == seeded["zone"]]
    node = driver.create_node(name="by-libcloud", size=size, image=image, location=location, ex_start_vm=True)
    assert node.state == NodeState.RUNNING and node.extra["affinity_group"] == []

    volume = driver.create_volume(5, "by-libcloud", location=location)
    assert driver.attach_volume(node, volume)
    assert {one.name for one in driver.list_volumes(node)} >= {"by-libcloud"}
    assert driver.detach_volume(volume)
    assert driver.destroy_volume(volume)

    assert driver.ex_stop(node) == "Stopped"
    assert driver.ex_start(node) == "Running"
    assert driver.destroy_node(node)
    assert "by-libcloud" not in {one.name for one in driver.list_nodes()}


def test_libcloud_makes_groups_and_key_pairs(driver: Any) -> None:
    group = driver.ex_create_security_group("by-libcloud")
    assert driver.ex_authorize_security_group_ingress("by-libcloud", "tcp", "0.0.0.0/0", 80)
    (found,) = [one for one in driver.ex_list_security_groups() if one["id"] == group["id"]]
    assert found["ingressrule"][0]["startport"] == 80
    assert driver.ex_delete_security_group("by-libcloud")

    pair = driver.create_key_pair("by-libcloud")
    assert pair.private_key.startswith("-----BEGIN RSA PRIVATE KEY-----")
    assert driver.get_key_pair("by-libcloud").fingerprint == pair.fingerprint
    driver.delete_key_pair(pair)  # it reads the answer as that of CloudStack 3, and says False
    assert driver.list_key_pairs() == []

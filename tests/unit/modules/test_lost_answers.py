# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that are lost on the way: the task finds out what was done. Nothing is done twice and nothing is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from ansible_collections.cloudn.compute.plugins.module_utils.resources.key_pair import fingerprint
from asked import changes_sent_to, command_of
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from samples import NEW, tags_of

Result = dict[str, Any]
Run = Callable[..., Result]
RULES = [{"ports": "80", "cidrs": ["192.0.2.0/24"]}, {"ports": "443", "cidrs": ["192.0.2.0/24"]}]


@pytest.fixture(params=["before", "after"])
def lose(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, int], None]]:
    """Return a function that loses the nth request of a command, before it is done or after, at the network's edge."""
    wanted: list[tuple[str, int]] = []
    seen: list[str] = []
    send = requests.adapters.HTTPAdapter.send

    def unreliable(self: Any, prepared: Any, **options: Any) -> Any:
        command = command_of(prepared)
        seen.append(command)
        if (command, seen.count(command)) in wanted:
            if request.param == "after":
                send(self, prepared, **options)
            raise requests.ConnectionError("connection reset")
        return send(self, prepared, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", unreliable)
    yield lambda command, nth=1: wanted.append((command, nth))
    assert all(seen.count(command) >= nth for command, nth in wanted), "nothing was lost"


def ssh_key() -> str:
    """Return a new public key in OpenSSH's form."""
    form = serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    return key.public_key().public_bytes(*form).decode()


def settle(run_module: Run, emulator: Any, module: str, **options: Any) -> Result:
    """Run once with the loss and once more; the second run must find nothing to do."""
    done = run_module(module, api_timeout=0.5, **options)
    assert not done.get("failed"), done["msg"]
    assert done["changed"]
    emulator.clear()
    again = run_module(module, **options)
    assert again["changed"] is False
    assert changes_sent_to(emulator) == []
    return done


@pytest.mark.parametrize("command", ["deployVirtualMachine", "createTags"])
def test_a_machine_is_made_once(lose: Any, run_module: Run, emulator: Any, client: Client, command: str) -> None:
    lose(command)
    done = settle(run_module, emulator, "cloudn_vm", name="web1", tags={"role": "web"}, **NEW)
    (machine,) = client.list("listVirtualMachines")
    assert machine["state"] == done["vm"]["state"] == "Running"
    assert tags_of(machine) == {"role": "web"}
    assert done["vm"]["id"] == machine["id"]
    assert done["vm"]["password"]


def test_a_machine_that_is_stopped_for_a_moment_is_waited_for(
    lose: Any, run_module_as: Callable[..., Any], request: pytest.FixtureRequest
) -> None:
    """Jobs are long here, so a test can see that a new machine is Stopped for a moment."""
    lose("deployVirtualMachine")
    with run_module_as(job_seconds=2) as (run, emulator):
        done = run("cloudn_vm", name="web1", state="started", **NEW)
        assert done["vm"]["state"] == "Running"
        assert changes_sent_to(emulator) == ["deployVirtualMachine"]


def test_many_machines_are_each_made_once(lose: Any, run_module: Run, emulator: Any, client: Client) -> None:
    for nth in (1, 3, 4):
        lose("deployVirtualMachine", nth)
    names = [f"web{number}" for number in range(6)]
    settle(run_module, emulator, "cloudn_vm", name=names, **NEW)
    assert sorted(vm["name"] for vm in client.list("listVirtualMachines")) == names


@pytest.mark.parametrize("command", ["stopVirtualMachine", "changeServiceForVirtualMachine", "startVirtualMachine"])
def test_a_resize_is_finished(lose: Any, run_module: Run, emulator: Any, client: Client, command: str) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    lose(command)
    resized = {"service_offering": "v2", "allow_restart": True, "state": "started"}
    settle(run_module, emulator, "cloudn_vm", name="web1", **resized)
    (machine,) = client.list("listVirtualMachines")
    assert (machine["serviceofferingname"], machine["state"]) == ("v2", "Running")


def test_a_destroyed_machine_stays_destroyed(lose: Any, run_module: Run, emulator: Any, client: Client) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    lose("destroyVirtualMachine")
    settle(run_module, emulator, "cloudn_vm", name="web1", state="absent")
    assert client.list("listVirtualMachines") == []


@pytest.mark.parametrize("command", ["detachVolume", "destroyVirtualMachine", "deleteVolume"])
@pytest.mark.parametrize(("option", "kept"), [("detach_volumes", ["data"]), ("delete_volumes", [])])
def test_data_disks_of_a_machine_that_goes_are_kept_or_deleted_as_asked(
    lose: Any, run_module: Run, emulator: Any, client: Client, command: str, option: str, kept: list[str]
) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    run_module("cloudn_volume", name="data", state="attached", vm="web1", disk_offering="Small")
    if command == "deleteVolume" and option == "detach_volumes":
        command = "detachVolume"  # nothing is deleted then
    lose(command)
    settle(run_module, emulator, "cloudn_vm", name="web1", state="absent", **{option: True})
    assert [volume["name"] for volume in client.list("listVolumes", {"type": "DATADISK"})] == kept
    assert client.list("listVirtualMachines") == []


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("createVolume", {"disk_offering": "Small", "zone": "jp-e1a"}),
        ("createTags", {"disk_offering": "Small", "zone": "jp-e1a", "tags": {"a": "b"}}),
        ("uploadVolume", {"url": "https://images.example.com/x.vhd", "format": "VHD", "zone": "jp-e1a"}),
        ("createVolume", {"disk_offering": "Small", "state": "attached", "vm": "web1"}),
        ("attachVolume", {"disk_offering": "Small", "state": "attached", "vm": "web1"}),
    ],
)
def test_a_volume_is_made_once(
    lose: Any, run_module: Run, emulator: Any, client: Client, command: str, options: Result
) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    lose(command)
    done = settle(run_module, emulator, "cloudn_volume", name="data", **options)
    (volume,) = client.list("listVolumes", {"type": "DATADISK"})
    assert done["volume"]["id"] == volume["id"]
    assert volume.get("vmname") == options.get("vm")


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("detachVolume", {"state": "detached"}),
        ("detachVolume", {"state": "absent", "force": True}),
        ("deleteVolume", {"state": "absent", "force": True}),
        ("detachVolume", {"state": "attached", "vm": "web2", "force": True}),
        ("attachVolume", {"state": "attached", "vm": "web2", "force": True}),
    ],
)
def test_a_volume_ends_where_it_should(
    lose: Any, run_module: Run, emulator: Any, client: Client, command: str, options: Result
) -> None:
    run_module("cloudn_vm", name=["web1", "web2"], **NEW)
    run_module("cloudn_volume", name="data", state="attached", vm="web1", disk_offering="Small")
    lose(command, 2 if command == "attachVolume" else 1)
    settle(run_module, emulator, "cloudn_volume", name="data", **options)
    disks = client.list("listVolumes", {"type": "DATADISK"})
    assert [disk.get("vmname") for disk in disks] == ([] if options["state"] == "absent" else [options.get("vm")])


@pytest.mark.parametrize("command", ["createSnapshot", "createTags", "deleteSnapshot"])
def test_a_snapshot_is_taken_once(lose: Any, run_module: Run, emulator: Any, client: Client, command: str) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    for days in (2, 1):
        old = run_module("cloudn_snapshot", vm="web1", max_age="0")["snapshot"]["id"]
        emulator.store.snapshots[old].created -= days * 86400
    lose(command, 3 if command == "createSnapshot" else 1)
    options = {"vm": "web1", "max_age": "1h", "keep": 2, "tags": {"a": "b"}}
    done = settle(run_module, emulator, "cloudn_snapshot", **options)
    snapshots = client.list("listSnapshots")
    assert {snapshot["id"] for snapshot in snapshots} == {old, done["snapshot"]["id"]}
    assert done["snapshot"]["state"] == "BackedUp"


@pytest.mark.parametrize("command", ["stopVirtualMachine", "createTemplate", "startVirtualMachine", "createTags"])
def test_a_template_is_taken_once(lose: Any, run_module: Run, emulator: Any, client: Client, command: str) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    lose(command)
    options = {"vm": "web1", "allow_restart": True, "tags": {"a": "b"}}
    done = settle(run_module, emulator, "cloudn_template", name="web", **options)
    (template,) = client.list("listTemplates", {"templatefilter": "self"})
    assert done["template"]["id"] == template["id"]
    (machine,) = client.list("listVirtualMachines")
    assert machine["state"] == "Running"


@pytest.mark.parametrize("command", ["uploadTemplate", "copyTemplate", "updateTemplatePermissions", "updateTemplate"])
def test_a_template_is_downloaded_and_copied_once(lose: Any, run_module_as: Callable[..., Any], command: str) -> None:
    with run_module_as(dialect="cloudn", neighbour=True) as (run, emulator):
        options = {
            "zone": "jp-e1a",
            "url": "https://images.example.com/x.vhd",
            "format": "VHD",
            "hypervisor": "XenServer",
            "os_type": "CentOS 5.6 (64-bit)",
            "zones": ["jp-e1a", "jp-e1b"],
            "accounts": ["neighbour"],
        }
        if command == "updateTemplate":
            run("cloudn_template", name="web", **options)
            options["display_text"] = "new"
        lose(command)
        done = settle(run, emulator, "cloudn_template", name="web", **options)
        (template,) = [one for one in emulator.store.templates.values() if one.name == "web"]
        assert (len(template.zone_ids), template.unready, template.launch) == (2, {}, ["neighbour"])
        assert done["template"]["id"] == template.id


def test_a_template_is_deleted(lose: Any, run_module: Run, emulator: Any, client: Client) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    run_module("cloudn_template", name="web", vm="web1", allow_restart=True)
    lose("deleteTemplate")
    settle(run_module, emulator, "cloudn_template", name="web", state="absent")
    assert client.list("listTemplates", {"templatefilter": "self"}) == []


@pytest.mark.parametrize("command", ["stopVirtualMachine", "resetPasswordForVirtualMachine", "startVirtualMachine"])
def test_a_password_is_made_once(
    lose: Any, run_module: Run, emulator: Any, client: Client, generation: str, command: str
) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    lose(command)
    emulator.clear()
    done = run_module("cloudn_vm_password", name="web1", allow_restart=True)
    assert not done.get("failed"), done["msg"]
    jobs = [one for one in emulator.store.jobs.values() if "ResetVMPassword" in one.command]
    assert done["vm"]["password"] == jobs[-1].result["virtualmachine"]["password"]
    # CloudStack 4 lists no job that has ended, so the password of one whose answer was lost is made again.
    assert len(jobs) == 1 or generation == "4"
    (machine,) = client.list("listVirtualMachines")
    assert machine["state"] == done["vm"]["state"] == "Running"


@pytest.mark.parametrize("command", ["registerSSHKeyPair", "deleteSSHKeyPair"])
def test_a_key_is_replaced(lose: Any, run_module: Run, emulator: Any, client: Client, command: str) -> None:
    keys = [ssh_key(), ssh_key()]
    run_module("cloudn_key_pair", name="mine", public_key=keys[0])
    lose(command, 2 if command == "registerSSHKeyPair" else 1)
    done = settle(run_module, emulator, "cloudn_key_pair", name="mine", public_key=keys[1], force=True)
    (pair,) = client.list("listSSHKeyPairs")
    assert pair["fingerprint"] == done["key_pair"]["fingerprint"] == fingerprint(keys[1])


def test_a_private_key_that_is_lost_is_reported(
    lose: Any, run_module: Run, client: Client, request: pytest.FixtureRequest
) -> None:
    lose("createSSHKeyPair")
    done = run_module("cloudn_key_pair", name="mine")
    (pair,) = client.list("listSSHKeyPairs")
    assert done["key_pair"]["fingerprint"] == pair["fingerprint"]
    if "after" in request.node.name:
        assert "the answer with its private key was lost" in done["msg"]
        assert done["changed"] is True
    else:
        assert done["key_pair"]["private_key"]


def test_a_reboot_is_never_sent_twice(lose: Any, run_module: Run, emulator: Any) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    emulator.clear()
    lose("rebootVirtualMachine")
    done = run_module("cloudn_vm", name="web1", state="restarted")
    assert done["failed"]
    assert "rebootVirtualMachine: the connection broke before the answer was complete" in done["msg"]
    assert changes_sent_to(emulator) in ([], ["rebootVirtualMachine"])


@pytest.mark.parametrize("command", ["createSecurityGroup", "authorizeSecurityGroupIngress", "createTags"])
def test_a_group_is_made_once(lose: Any, run_module: Run, emulator: Any, client: Client, command: str) -> None:
    lose(command)
    done = settle(run_module, emulator, "cloudn_security_group", name="web", ingress=RULES, tags={"tier": "front"})
    (group,) = client.list("listSecurityGroups", {"securitygroupname": "web"})
    assert sorted(rule["startport"] for rule in group["ingressrule"]) == [80, 443]
    assert sorted(rule["ports"] for rule in done["security_group"]["ingress"]) == ["443", "80"]
    assert done["security_group"]["tags"] == {"tier": "front"}


@pytest.mark.parametrize("command", ["revokeSecurityGroupIngress", "deleteSecurityGroup"])
def test_a_group_is_emptied_and_deleted(
    lose: Any, run_module: Run, emulator: Any, client: Client, command: str
) -> None:
    run_module("cloudn_security_group", name="web", ingress=RULES)
    lose(command)
    run_module("cloudn_security_group", name="web", ingress=RULES[:1])
    settle(run_module, emulator, "cloudn_security_group", name="web", state="absent")
    assert client.list("listSecurityGroups", {"securitygroupname": "web"}) == []


@pytest.mark.parametrize("command", ["listVirtualMachines", "listZones", "queryAsyncJobResult"])
def test_lost_answers_to_reads_are_asked_for_again(lose: Any, run_module: Run, emulator: Any, command: str) -> None:
    lose(command)
    settle(run_module, emulator, "cloudn_vm", name="web1", **NEW)


@pytest.mark.parametrize("command", ["stopVirtualMachine", "changeServiceForVirtualMachine", "updateVirtualMachine"])
def test_a_machine_that_ran_runs_again(lose: Any, run_module: Run, client: Client, command: str) -> None:
    """A task that asks for no state stops the machine for a change, and does not leave it stopped."""
    run_module("cloudn_vm", name="web1", **NEW)
    lose(command)
    done = run_module("cloudn_vm", name="web1", service_offering="v2", display_name="Web", allow_restart=True)
    assert done["vm"]["state"] == "Running"
    (machine,) = client.list("listVirtualMachines")
    assert (machine["state"], machine["serviceofferingname"], machine["displayname"]) == ("Running", "v2", "Web")

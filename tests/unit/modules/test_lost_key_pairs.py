# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service fails over a machine whose key pair is gone. Tasks on others go on, and warnings say what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import ApiError, Client
from samples import KEY, NEW

pytestmark = pytest.mark.generation("3", reason="on CloudStack 4 a machine stays listed without its key pair")

Result = dict[str, Any]
Run = Callable[..., Result]


class Site:
    """Machines web1, web2 and db1, of which web1 has lost its key pair. ``was`` is web1 as it was shown before."""

    def __init__(self, run: Run, client: Client) -> None:
        client.call("registerSSHKeyPair", {"name": "deploy", "publickey": KEY})
        run("cloudn_vm", name=["web2", "db1"], **NEW)
        tags = {"role": "web"}
        self.was = run("cloudn_vm", name="web1", key_pair="deploy", group="front", tags=tags, **NEW)["vm"]
        self.was.pop("password")
        self.id = self.was["id"]
        client.call("deleteSSHKeyPair", {"name": "deploy"})
        with pytest.raises(ApiError, match="530"):
            client.list("listVirtualMachines")


@pytest.fixture
def site(run_module: Run, client: Client, emulator: Any) -> Site:
    site = Site(run_module, client)
    emulator.clear()
    return site


def describes(text: str, site: Site) -> bool:
    """Return whether a text says which machine it is, why, and what to do."""
    words = ("web1", site.id, "key pair", "Register the same public key", "state: absent")
    return all(word in text for word in words)


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_all_machines_are_listed_and_a_warning_names_the_broken_one(
    site: Site, run_module: Run, response_format: str
) -> None:
    result = run_module("cloudn_vm_info", response_format=response_format)
    shown = {vm["name"]: vm for vm in result["vms"]}
    assert shown.keys() == {"web1", "web2", "db1"}
    assert len(result["warnings"]) == 1
    assert describes(result["warnings"][0], site)
    nics = [{**nic, "mac_address": None} for nic in site.was["nics"]]
    assert shown["web1"] == {**site.was, "key_pair": None, "key_pairs": [], "nics": nics}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"name": ["web1"]}, ["web1"]),
        ({"state": "Running", "zone": "jp-e1a"}, ["db1", "web1", "web2"]),
        ({"tags": {"role": "web"}}, ["web1"]),
        ({"group": "front"}, ["web1"]),
        ({"security_group": "default", "template": NEW["template"], "service_offering": "v1"}, ["db1", "web1", "web2"]),
        ({"group": "back"}, []),
    ],
)
def test_filters_go_on_beside_a_broken_machine(site: Site, run_module: Run, options: Result, names: list[str]) -> None:
    result = run_module("cloudn_vm_info", **options)
    assert sorted(vm["name"] for vm in result["vms"]) == names
    assert describes(result["warnings"][0], site)


def test_a_broken_machine_is_found_by_its_id(site: Site, run_module: Run) -> None:
    result = run_module("cloudn_vm_info", id=site.id)
    assert [vm["name"] for vm in result["vms"]] == ["web1"]
    assert describes(result["warnings"][0], site)


@pytest.mark.parametrize("name", ["web2", "db1", ["web2", "db1"], ["web2", "web3"]])
def test_a_task_on_other_machines_goes_on(site: Site, run_module: Run, name: Any) -> None:
    done = run_module("cloudn_vm", name=name, tags={"a": "b"}, **NEW)
    assert not done.get("failed"), done["msg"]
    assert [vm["tags"] for vm in done["vms"]] == [{"a": "b"}] * len(done["vms"])
    assert done["warnings"] == [] or describes(done["warnings"][0], site)


@pytest.mark.parametrize("options", [{}, {"state": "started"}, {"state": "stopped"}, {"state": "restarted"}])
@pytest.mark.parametrize("by", ["name", "id"])
def test_a_task_on_that_machine_fails_with_the_way_out(
    site: Site, refused: Callable[..., str], options: Result, by: str
) -> None:
    assert describes(refused("cloudn_vm", name=["web2", site.was[by]], **NEW, **options), site)


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("cloudn_vm_password", {"name": "web1", "allow_restart": True}),
        ("cloudn_volume", {"name": "data", "state": "attached", "vm": "web1", "disk_offering": "Small"}),
        ("cloudn_template", {"name": "image", "vm": "web1", "allow_restart": True}),
    ],
)
def test_other_modules_fail_with_the_way_out(
    site: Site, refused: Callable[..., str], module: str, options: Result
) -> None:
    assert describes(refused(module, **options), site)


@pytest.mark.parametrize(
    ("module", "options", "plural"),
    [
        ("cloudn_volume_info", {"vm": "web1"}, "volumes"),
        ("cloudn_security_group_info", {"vm": "web1"}, "security_groups"),
        ("cloudn_snapshot", {"vm": "web1"}, "snapshots"),
    ],
)
def test_modules_that_need_its_id_alone_work(
    site: Site, run_module: Run, module: str, options: Result, plural: str
) -> None:
    done = run_module(module, **options)
    assert len(done[plural]) == 1
    assert describes(done["warnings"][0], site)


@pytest.mark.parametrize("by", ["name", "id"])
def test_a_broken_machine_can_be_destroyed(site: Site, beats: Run, run_module: Run, client: Client, by: str) -> None:
    """The service says that the command failed, but it is done."""
    done = beats("cloudn_vm", ["destroyVirtualMachine"], name=site.was[by], state="absent")
    assert done["vm"]["state"] == "absent"
    assert {vm["name"] for vm in client.list("listVirtualMachines")} == {"web2", "db1"}
    assert run_module("cloudn_vm_info")["warnings"] == []


def test_a_broken_machine_that_cannot_be_destroyed_is_reported(run_module_as: Callable[..., Any]) -> None:
    faults = [{"kind": "job_fails", "command": "destroyVirtualMachine"}]
    with run_module_as(faults=faults) as (run, emulator):
        Site(run, Client(emulator.url, emulator.api_key, emulator.api_secret))
        failed = run("cloudn_vm", name="web1", state="absent")
        assert failed["failed"]
        assert failed["msg"].startswith("destroyVirtualMachine: job")


def test_the_same_public_key_mends_a_broken_machine(site: Site, run_module: Run, beats: Run) -> None:
    run_module("cloudn_key_pair", name="again", public_key=KEY)
    shown = run_module("cloudn_vm_info", name=["web1"])
    assert shown["warnings"] == []
    assert shown["vms"] == [{**site.was, "key_pair": "again", "key_pairs": ["again"]}]
    beats("cloudn_vm", ["stopVirtualMachine"], name="web1", state="stopped")


@pytest.fixture
def deleted_before(monkeypatch: pytest.MonkeyPatch, run_module: Run, client: Client) -> Callable[[str], None]:
    """Return a function that makes web1 with a key pair, which is deleted before the first command of a name is sent."""
    call = Client.call

    def before(command: str) -> None:
        client.call("registerSSHKeyPair", {"name": "deploy", "publickey": KEY})
        made = run_module("cloudn_vm", name="web1", key_pair="deploy", **NEW)
        assert not made.get("failed"), made
        done: list[str] = []

        def edge(self: Client, name: str, *arguments: Any, **more: Any) -> Any:
            if name == command and not done:
                done.append(name)
                call(client, "deleteSSHKeyPair", {"name": "deploy"})
            return call(self, name, *arguments, **more)

        monkeypatch.setattr(Client, "call", edge)

    return before


@pytest.mark.parametrize(
    ("command", "options", "state"),
    [
        ("stopVirtualMachine", {"state": "stopped"}, "Stopped"),
        ("startVirtualMachine", {"service_offering": "v2", "allow_restart": True}, "Running"),
        ("changeServiceForVirtualMachine", {"service_offering": "v2", "allow_restart": True}, "Running"),
        ("stopVirtualMachine", {"service_offering": "v2", "allow_restart": True}, "Running"),
        ("updateVirtualMachine", {"display_name": "Web"}, "Running"),
        ("destroyVirtualMachine", {"state": "absent"}, "absent"),
    ],
)
def test_a_command_that_fails_though_it_is_done_counts_as_done(
    deleted_before: Callable[[str], None], run_module: Run, command: str, options: Result, state: str
) -> None:
    deleted_before(command)
    done = run_module("cloudn_vm", name="web1", **options)
    assert not done.get("failed"), done["msg"]
    assert (done["changed"], done["vm"]["state"]) == (True, state)
    offering, shown = options.get("service_offering", "v1"), done["vm"]["service_offering"]
    assert state == "absent" or (shown, done["vm"]["display_name"]) == (offering, options.get("display_name", "web1"))


def test_a_template_is_made_though_stopping_seems_to_fail(
    deleted_before: Callable[[str], None], run_module: Run, client: Client
) -> None:
    deleted_before("stopVirtualMachine")
    done = run_module("cloudn_template", name="image", vm="web1", allow_restart=True)
    assert not done.get("failed"), done["msg"]
    assert [vm["state"] for vm in client.list("listVirtualMachines", {"details": "min"})] == ["Running"]


def test_a_plain_command_is_explained(site: Site, run_module: Run) -> None:
    failed = run_module("cloudn_api", command="listVirtualMachines")
    assert failed["msg"].startswith("listVirtualMachines: ")
    assert "Register the same public key again" in failed["msg"]


def test_the_users_of_a_group_are_reported_all_the_same(site: Site, run_module: Run) -> None:
    run_module("cloudn_security_group", name="front")
    run_module("cloudn_vm", name="web9", security_groups=["front"], **NEW)
    failed = run_module("cloudn_security_group", name="front", state="absent")
    assert "It is used by VMs web9" in failed["msg"]


def test_an_administrator_can_destroy_a_broken_machine(run_module_as: Callable[..., Any]) -> None:
    """It is still listed then, and the listing still fails over it."""
    with run_module_as(account="admin") as (run, emulator):
        site = Site(run, Client(emulator.url, emulator.api_key, emulator.api_secret))
        done = run("cloudn_vm", name="web1", state="absent")
        assert (done.get("msg"), done["changed"], done["vm"]["state"]) == (None, True, "absent")
        again = run("cloudn_vm", name=site.id, state="absent")
        assert (again.get("msg"), again["changed"]) == (None, False)

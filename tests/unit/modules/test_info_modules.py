# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The info modules: what they select from a listing. They never change anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, is_read
from asked import sent_to
from samples import UNKNOWN

Result = dict[str, Any]
Run = Callable[..., Result]
NEW = {"template": "CentOS 6.2 64bit", "service_offering": "v1"}


@pytest.fixture
def site(run_module: Run, client: Client, emulator: Any) -> dict[str, str]:
    """A few machines; return their ids by name."""
    for group in ("web", "db"):
        client.call("createSecurityGroup", {"name": group})
    made = [
        ("web1", {"zone": "jp-e1a", "security_groups": ["web"], "tags": {"role": "web", "env": "a"}, "group": "front"}),
        ("web10", {"zone": "jp-e1b", "security_groups": ["web"], "tags": {"role": "web"}, "display_name": "Web ten"}),
        ("db1", {"zone": "jp-e1a", "security_groups": ["db", "web"], "state": "stopped", "service_offering": "v2"}),
    ]
    ids = {name: run_module("cloudn_vm", name=name, **{**NEW, **options})["vm"]["id"] for name, options in made}
    emulator.clear()
    return ids


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["db1", "web1", "web10"]),
        ({"name": ["web1"]}, ["web1"]),
        ({"name": ["Web ten"]}, ["web10"]),
        ({"name": ["web1", "db1", "nope"]}, ["db1", "web1"]),
        ({"zone": "jp-e1a"}, ["db1", "web1"]),
        ({"zone": "91e59e5f-2971-48e7-adbe-e853ed875e76"}, ["web10"]),
        ({"state": "Stopped"}, ["db1"]),
        ({"state": "running", "zone": "jp-e1a"}, ["web1"]),
        ({"tags": {"role": "web"}}, ["web1", "web10"]),
        ({"tags": {"role": "web", "env": "a"}}, ["web1"]),
        ({"group": "front"}, ["web1"]),
        ({"service_offering": "v2"}, ["db1"]),
        ({"security_group": "db"}, ["db1"]),
        ({"template": "CentOS 6.2 64bit", "name": ["web10"]}, ["web10"]),
        ({"template": "nope"}, []),
        ({"id": UNKNOWN}, []),
        ({"name": ["web"]}, []),
    ],
)
def test_machines_are_found_by_options(
    site: dict[str, str], run_module: Run, emulator: Any, options: Result, names: list[str]
) -> None:
    done = run_module("cloudn_vm_info", **options)
    assert not done.get("failed"), done
    assert done["changed"] is False
    assert sorted(vm["name"] for vm in done["vms"]) == names
    assert all(is_read(request["command"]) for request in emulator.requests)


def test_a_machine_by_id_is_shown_as_its_module_shows_it(site: dict[str, str], run_module: Run) -> None:
    shown = run_module("cloudn_vm_info", id=site["web1"])["vms"]
    assert shown == [run_module("cloudn_vm", name="web1")["vm"]]


@pytest.mark.parametrize("module", ["cloudn_vm_info", "cloudn_template_info"])
def test_an_unknown_zone_is_an_error(run_module: Run, module: str) -> None:
    assert run_module(module, zone="nope")["msg"] == "zone: there is no 'nope'. There are: jp-e1a, jp-e1b"


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["db", "default", "web"]),
        ({"name": "web"}, ["web"]),
        ({"name": "we"}, []),
        ({"id": UNKNOWN}, []),
        ({"vm": "db1"}, ["db", "web"]),
        ({"vm": "nope"}, []),
        ({"vm": "db1", "name": "web"}, ["web"]),
    ],
)
def test_security_groups_are_found_by_options(
    site: dict[str, str], run_module: Run, options: Result, names: list[str]
) -> None:
    done = run_module("cloudn_security_group_info", **options)
    assert sorted(group["name"] for group in done["security_groups"]) == names
    assert done["changed"] is False


def test_a_security_group_is_shown_as_its_module_shows_it(run_module: Run) -> None:
    rule = {"ports": "80", "cidrs": ["192.0.2.0/24"]}
    made = run_module("cloudn_security_group", name="web", ingress=[rule], tags={"a": "b"})["security_group"]
    (shown,) = run_module("cloudn_security_group_info", id=made["id"])["security_groups"]
    assert shown == made
    assert run_module("cloudn_security_group_info", tags={"a": "b"})["security_groups"] == [shown]


@pytest.mark.parametrize(
    ("module", "plural", "name"),
    [
        ("cloudn_zone_info", "zones", "jp-e1b"),
        ("cloudn_service_offering_info", "service_offerings", "v4"),
        ("cloudn_disk_offering_info", "disk_offerings", "Medium"),
    ],
)
def test_zones_and_offerings_are_listed(run_module: Run, module: str, plural: str, name: str) -> None:
    everything = run_module(module)[plural]
    assert len(everything) > 1
    (one,) = run_module(module, name=name)[plural]
    assert one["name"] == name
    assert one in everything
    assert run_module(module, id=one["id"])[plural] == [one]
    assert run_module(module, id=one["id"], name="other")[plural] == []
    assert run_module(module, name=name[:-1])[plural] == []


def test_templates_are_found_by_options(run_module: Run, emulator: Any) -> None:
    everything = run_module("cloudn_template_info")["templates"]
    in_one = run_module("cloudn_template_info", zone="jp-e1a")["templates"]
    assert {template["zone"] for template in everything} == {"jp-e1a", "jp-e1b"}
    assert {template["zone"] for template in in_one} == {"jp-e1a"}
    assert {template["id"] for template in everything} == {template["id"] for template in in_one}
    (one,) = run_module("cloudn_template_info", zone="jp-e1a", name="CentOS 6.2 64bit")["templates"]
    assert one["id"] == emulator.vars["template"]
    assert run_module("cloudn_template_info", template_filter="self")["templates"] == []


@pytest.mark.parametrize(
    ("module", "options", "commands"),
    [
        ("cloudn_vm_info", {"name": ["web1"], "state": "Running", "group": "front"}, ["listVirtualMachines"]),
        ("cloudn_vm_info", {"zone": "jp-e1a"}, ["listZones", "listVirtualMachines"]),
        ("cloudn_security_group_info", {"name": "web"}, ["listSecurityGroups", "listTags"]),
        ("cloudn_security_group_info", {"vm": "web1"}, ["listVirtualMachines", "listSecurityGroups", "listTags"]),
        ("cloudn_volume_info", {"name": "data", "type": "DATADISK"}, ["listVolumes"]),
        ("cloudn_volume_info", {"zone": "jp-e1a"}, ["listZones", "listVolumes"]),
        ("cloudn_volume_info", {"vm": "web1"}, ["listVirtualMachines", "listVolumes"]),
        ("cloudn_snapshot_info", {"volume": "data"}, ["listSnapshots"]),
        ("cloudn_key_pair_info", {"name": "mine"}, ["listSSHKeyPairs"]),
        ("cloudn_job_info", {"status": "pending"}, ["listAsyncJobs"]),
        ("cloudn_template_info", {}, ["listTemplates"]),
        ("cloudn_template_info", {"zone": "jp-e1a"}, ["listZones", "listTemplates"]),
        ("cloudn_zone_info", {"name": "jp-e1a"}, ["listZones"]),
        ("cloudn_service_offering_info", {"name": "v1"}, ["listServiceOfferings"]),
        ("cloudn_disk_offering_info", {"name": "Medium"}, ["listDiskOfferings"]),
    ],
)
def test_requests_are_as_few_as_the_documentation_says(
    site: dict[str, str], run_module: Run, emulator: Any, module: str, options: Result, commands: list[str]
) -> None:
    assert not run_module(module, **options).get("failed")
    assert sent_to(emulator) == commands


def test_the_service_lists_no_more_than_is_wanted(site: dict[str, str], run_module: Run, emulator: Any) -> None:
    """The service needs time for every machine of a listing, so the module sends all filters that the service has."""
    run_module("cloudn_vm_info", name=["web1"], zone="jp-e1a", state="Running", tags={"role": "web"})
    params = emulator.requests[-1]["params"]
    assert params["keyword"] == "web1"
    assert params["zoneid"] == "1b02e74c-6c21-4aa3-b96c-51042de8fccd"
    assert params["state"] == "Running"
    assert (params["tags[0].key"], params["tags[0].value"]) == ("role", "web")


def test_every_page_is_read(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(vms=1200) as (run, emulator):
        assert len({vm["id"] for vm in run("cloudn_vm_info")["vms"]}) == 1200
        assert len(emulator.requests) <= 12


@pytest.mark.parametrize("module", ["cloudn_vm_info", "cloudn_vm"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"api_key": ""}, "api_key: is missing; set the option, or the environment variable CLOUDN_API_KEY"),
        ({"api_secret": ""}, "api_secret: is missing; set the option, or the environment variable CLOUDN_API_SECRET"),
        ({"api_secret": "wrong"}, "check api_key and api_secret"),
        ({"api_url": "ftp://example.com"}, "api_url: 'ftp://example.com' is no http or https address"),
        ({"api_timeout": 0}, "api_timeout: must be at least 0.1, not 0"),
        ({"api_retries": -1}, "api_retries: must be at least 0, not -1"),
        ({"account": "a"}, "account, domain_id: set both or neither"),
    ],
)
def test_bad_connection_options_are_errors(run_module: Run, module: str, options: Result, said: str) -> None:
    name = {"name": ["web1"]}
    done = run_module(module, **{**name, **options})
    assert done["failed"]
    assert said in done["msg"]


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_both_formats_give_the_same(site: dict[str, str], run_module: Run, response_format: str) -> None:
    shown = run_module("cloudn_vm_info", response_format=response_format)["vms"]
    assert sorted(shown, key=str) == sorted(run_module("cloudn_vm_info")["vms"], key=str)


def test_groups_without_rules_are_found_by_all_their_tags(run_module: Run, emulator: Any) -> None:
    """A listing shows no tags of a group without rules, and the service's filter finds those with any of them."""
    rule = {"ports": "80", "cidrs": ["192.0.2.0/24"]}
    run_module("cloudn_security_group", name="both", tags={"role": "web", "env": "a"})
    run_module("cloudn_security_group", name="one", tags={"role": "web"})
    run_module("cloudn_security_group", name="ruled", tags={"role": "web", "env": "a"}, ingress=[rule])
    emulator.clear()
    shown = run_module("cloudn_security_group_info", tags={"role": "web", "env": "a"})["security_groups"]
    assert {group["name"]: group["tags"] for group in shown} == {
        "both": {"env": "a", "role": "web"},
        "ruled": {"env": "a", "role": "web"},
    }
    assert sent_to(emulator) == ["listSecurityGroups", "listTags"]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["DATA", "ROOT", "ROOT", "ROOT", "data"]),
        ({"type": "DATADISK"}, ["DATA", "data"]),
        ({"vm": "db1"}, ["DATA", "ROOT"]),
        ({"vm": "nope"}, []),
        ({"name": "data"}, ["data"]),
        ({"name": "dat"}, []),
        ({"zone": "jp-e1b"}, ["ROOT"]),
        ({"tags": {"a": "b"}}, ["data"]),
        ({"tags": {"a": "b", "c": "d"}}, []),
        ({"id": UNKNOWN}, []),
    ],
)
def test_volumes_are_found_by_options(run_module: Run, options: Result, names: list[str]) -> None:
    run_module("cloudn_vm", name=["web1", "gone"], zone="jp-e1a", **NEW)
    run_module("cloudn_vm", name="web2", zone="jp-e1b", **NEW)
    run_module("cloudn_vm", name="db1", zone="jp-e1a", disk_offering="Medium", **NEW)
    run_module("cloudn_vm", name="gone", state="absent")
    run_module("cloudn_volume", name="data", zone="jp-e1a", disk_offering="Small", tags={"a": "b"})
    shown = run_module("cloudn_volume_info", **options)["volumes"]
    assert sorted(volume["name"].split("-")[0] for volume in shown) == names


def test_a_volume_is_shown_as_its_module_shows_it(run_module: Run) -> None:
    made = run_module("cloudn_volume", name="data", zone="jp-e1a", disk_offering="Small", tags={"a": "b"})["volume"]
    assert run_module("cloudn_volume_info", id=made["id"])["volumes"] == [made]


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_a_template_is_shown_as_its_module_shows_it(run_module: Run, response_format: str) -> None:
    """A template is listed once for each zone, and each time with all its zones."""
    form = {"response_format": response_format}
    source = {
        "url": "https://images.example.com/web.vhd",
        "format": "VHD",
        "hypervisor": "XenServer",
        "os_type": "CentOS 5.6 (64-bit)",
    }
    zones = ["jp-e1a", "jp-e1b"]
    made = run_module("cloudn_template", name="web", zone=zones[0], zones=zones, tags={"a": "b"}, **source, **form)
    options = {"template_filter": "self", "tags": {"a": "b"}, **form}
    here, there = run_module("cloudn_template_info", id=made["template"]["id"], **options)["templates"]
    assert here == made["template"]
    assert there == {**here, **{key: there[key] for key in ("zone", "zone_id")}}
    assert [here["zone"], there["zone"]] == here["zones"] == zones
    assert run_module("cloudn_template_info", zone="jp-e1b", **options)["templates"] == [there]


def test_a_key_pair_is_shown_as_its_module_shows_it(run_module: Run) -> None:
    made = run_module("cloudn_key_pair", name="mine")["key_pair"]
    del made["private_key"]
    assert run_module("cloudn_key_pair_info", name="mine")["key_pairs"] == [made]


@pytest.mark.parametrize(
    ("state", "near"),
    [
        ("Runing", "; did you mean 'Running'?"),
        ("stoped", "; did you mean 'Stopped'?"),
        ("started", "; did you mean 'Starting'?"),
        ("absent", ", Restoring"),
    ],
)
def test_a_state_that_no_machine_has_is_refused(
    vm_id: str, refused: Callable[..., str], emulator: Any, state: str, near: str
) -> None:
    """The service would find nothing, as if there were no such machines."""
    told = refused("cloudn_vm_info", state=state)
    assert told.startswith(f"state: {state!r} is no state of a VM. There are: Starting, Running, ")
    assert told.endswith(near)
    assert emulator.requests == []


@pytest.mark.parametrize("state", ["Running", "running", "RUNNING"])
def test_the_case_of_a_state_does_not_count(vm_id: str, run_module: Callable[..., Any], state: str) -> None:
    assert [machine["id"] for machine in run_module("cloudn_vm_info", state=state)["vms"]] == [vm_id]

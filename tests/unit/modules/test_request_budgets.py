# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks cost few requests, also in an account that holds much else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read
from ansible_collections.cloudn.compute.plugins.module_utils.api.paging import MOST
from asked import sent_to
from samples import NEW, POLLS

Run = Callable[..., dict[str, Any]]

OTHER_MACHINES = 600  # more than a page, each with a volume
NEW_FRONT = {**NEW, "security_groups": ["front"]}
MACHINE = {"name": "front1", **NEW_FRONT, "display_name": "Front", "group": "site", "tags": {"role": "front"}}
FIFTY = {"name": [f"node{number:02}" for number in range(50)], **NEW_FRONT}
UNLIKE = {"name": ["alpha", "node00", "zeta"], **NEW_FRONT}  # nothing in common to ask for
HUNDRED_RULES = {
    "name": "front",
    "ingress": [
        {"ports": str(8000 + number), "cidrs": ["192.0.2.0/24"], "groups": [{"name": "default"}]}
        for number in range(50)
    ],
}
TAGGED = {"name": "bare", "tags": {"tier": "none"}}
VOLUME = {"name": "data", "state": "attached", "vm": "front1", "disk_offering": "Small", "tags": {"keep": "yes"}}
POLICY = {"volume": "data", "interval": "daily", "time": "01:30", "keep": 7}
TEMPLATE = {"name": "image", "vm": "front1", "allow_restart": True, "tags": {"version": "7"}}


@pytest.fixture(scope="module")
def account(run_module_as: Any) -> Iterator[tuple[Run, Any]]:
    """A module runner and an emulator that holds all that is asked for below, and much more."""
    with run_module_as(vms=OTHER_MACHINES, job_seconds=0.02) as (run, emulator):
        for module, options in [
            ("cloudn_security_group", HUNDRED_RULES),
            ("cloudn_security_group", TAGGED),
            ("cloudn_vm", MACHINE),
            ("cloudn_vm", FIFTY),
            ("cloudn_vm", UNLIKE),
            ("cloudn_volume", VOLUME),
            ("cloudn_snapshot_policy", POLICY),
            ("cloudn_template", TEMPLATE),
        ]:
            done = run(module, **options)
            assert not done.get("failed"), done
        yield run, emulator


@pytest.mark.parametrize(
    ("module", "options", "requests"),
    [
        pytest.param("cloudn_vm", MACHINE, ["listVirtualMachines"], id="a machine"),
        pytest.param(
            "cloudn_vm",
            {**MACHINE, "os_type": "CentOS 6.0 (64-bit)"},
            ["listVirtualMachines", "listOsTypes"],
            id="a machine with an OS type, which machines show by its id",
        ),
        pytest.param(
            "cloudn_vm",
            {**MACHINE, "disk_offering": "Small"},
            ["listVirtualMachines", "listVolumes"],
            id="a machine with a data disk, which machines do not show",
        ),
        pytest.param("cloudn_vm", FIFTY, ["listVirtualMachines"], id="fifty machines"),
        pytest.param("cloudn_security_group", HUNDRED_RULES, ["listSecurityGroups"], id="a group with 100 rules"),
        pytest.param("cloudn_security_group", {"name": "bare"}, ["listSecurityGroups"], id="a group without rules"),
        pytest.param(
            "cloudn_security_group",
            TAGGED,
            ["listSecurityGroups", "listTags"],
            id="a group with tags, which listings do not show",
        ),
        pytest.param("cloudn_volume", VOLUME, ["listVolumes"], id="a volume"),
        pytest.param("cloudn_snapshot_policy", POLICY, ["listVolumes", "listSnapshotPolicies"], id="a snapshot policy"),
        pytest.param("cloudn_template", TEMPLATE, ["listTemplates"], id="a template"),
        pytest.param(
            "cloudn_template",
            {**TEMPLATE, "accounts": []},
            ["listTemplates", "listTemplatePermissions"],
            id="a template with who may launch it",
        ),
    ],
)
def test_a_task_that_changes_nothing_costs_one_or_two_requests(
    account: tuple[Run, Any], module: str, options: dict[str, Any], requests: list[str]
) -> None:
    run, emulator = account
    emulator.clear()
    done = run(module, **options)
    assert not done.get("failed"), done
    assert done["changed"] is False
    assert sent_to(emulator) == requests
    assert len(requests) <= 2


def test_machines_on_any_of_two_pages_cost_few_requests(account: tuple[Run, Any]) -> None:
    run, emulator = account
    emulator.clear()
    assert run("cloudn_vm", **UNLIKE)["changed"] is False
    commands = sent_to(emulator)
    assert set(commands) == {"listVirtualMachines"}
    assert 2 <= len(commands) <= 1 + MOST  # the second page, and those read ahead before it told that it is the last


def made(emulator: Any) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Return how often each command was sent, in three groups: changes, lookups, polls of jobs."""
    commands = sent_to(emulator)
    return (
        Counter(command for command in commands if not is_read(command)),
        Counter(command for command in commands if is_read(command) and command not in POLLS),
        Counter(command for command in commands if command in POLLS),
    )


def test_reinstalling_a_machine_costs_few_requests(account: tuple[Run, Any]) -> None:
    run, emulator = account
    emulator.clear()
    assert run("cloudn_vm", name="front1", state="reinstalled", confirm_reinstall="front1")["changed"]
    changing, looking, _polling = made(emulator)
    assert changing == {"restoreVirtualMachine": 1}
    assert 2 <= looking.pop("listVirtualMachines") <= 4  # before, and until it runs again
    assert looking == {"listVolumes": 1}  # its root disk


@pytest.mark.parametrize(
    ("ingress", "authorizations"),
    [
        pytest.param([{"ports": str(port), "cidrs": ["192.0.2.0/24"]} for port in range(1, 41)], 40, id="of 40 ports"),
        pytest.param(
            [{"ports": str(port), "cidrs": [f"192.0.2.{last}" for last in range(20)]} for port in (22, 80)],
            2,
            id="of two ports, each from 20 networks",
        ),
    ],
)
def test_a_new_group_with_40_rules_costs_few_requests(
    run_module: Run, emulator: Any, ingress: list[dict[str, Any]], authorizations: int
) -> None:
    done = run_module("cloudn_security_group", name="new", ingress=ingress)
    assert len(done["security_group"]["ingress"]) == 40
    changing, looking, polling = made(emulator)
    assert changing == {"createSecurityGroup": 1, "authorizeSecurityGroupIngress": authorizations}
    assert looking == {"listSecurityGroups": 2}  # before, and when it was made
    assert polling["listAsyncJobs"] == 0
    assert polling.total() <= 4 * authorizations + 5


def test_fifty_new_machines_cost_few_requests(run_module_as: Any, generation: str) -> None:
    with run_module_as(vms=OTHER_MACHINES, job_seconds=0.5) as (run, emulator):
        done = run("cloudn_vm", **{**FIFTY, "security_groups": ["default"]}, tags={"role": "node"})
        assert len(done["vms"]) == 50
        changing, looking, polling = made(emulator)
    assert changing == {"deployVirtualMachine": 50, "createTags": 1}
    looked_up = ["listZones", "listTemplates", "listServiceOfferings", "listSecurityGroups"]
    # Once before, and once when all jobs have ended, as another run may have made machines of the same names meanwhile.
    assert looking == {"listVirtualMachines": 2, **dict.fromkeys(looked_up, 1)}
    # CloudStack 4 lists pending jobs only, so each of the 51 jobs is asked for once when it has ended.
    assert polling["queryAsyncJobResult"] <= {"3": 3, "4": 53}[generation]
    assert polling["listAsyncJobs"] < 50

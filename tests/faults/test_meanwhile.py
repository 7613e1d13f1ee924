# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults that stay, other runs that act meanwhile, and accounts and proxies that let only a part through."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import (
    BadAnswer,
    Client,
    UnknownOutcome,
    transport,
)
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import duplicates, parts, recover
from asked import changes_sent_to
from samples import NEW, ZONE
from specs import good

Run = Callable[..., dict[str, Any]]


@pytest.mark.parametrize("kind", ["reset_before", "close"])
def test_a_command_that_fails_each_time_fails_the_task(run_module: Run, emulator: Any, kind: str) -> None:
    """A command that failed is never reported as done, however often it was tried."""
    good(run_module("cloudn_vm", name="web1", **NEW))
    emulator.faults([{"kind": kind, "command": "stopVirtualMachine"}])
    done = run_module("cloudn_vm", name="web1", state="stopped")
    assert done["failed"] and done["changed"] is False
    assert "stopVirtualMachine: " in done["msg"] and "It was tried 6 times" in done["msg"]
    emulator.faults([{"kind": kind, "command": "deployVirtualMachine"}])
    done = run_module("cloudn_vm", name="web2", api_timeout=0.5, **NEW)
    assert done["failed"] and "deployVirtualMachine: " in done["msg"]
    assert [vm.name for vm in emulator.store.vms.values()] == ["web1"]


def test_a_job_that_cannot_be_asked_for_does_not_hold_up_the_others(run_module_as: Any) -> None:
    """The run ends and reports both jobs, also where it must ask for each job by itself."""
    with run_module_as(denied=["listAsyncJobs"], job_seconds=0.02) as (run, emulator):
        emulator.faults([{"kind": "garbage", "command": "queryAsyncJobResult", "nth": [3, 4]}])
        began = time.monotonic()
        good(run("cloudn_vm", name=["web1", "web2"], wait_timeout=10, api_retries=0, _patient=True, **NEW))
        assert time.monotonic() - began < 10
        assert changes_sent_to(emulator).count("deployVirtualMachine") == 2


def test_an_account_that_cannot_list_jobs_does_without(run_module_as: Any) -> None:
    """The task skips the look at jobs under way."""
    with run_module_as(denied=["listAsyncJobs"]) as (run, emulator):
        good(run("cloudn_vm", name="web1", **NEW))
        good(run("cloudn_volume", name="data", disk_offering="Small", **ZONE))
        good(run("cloudn_snapshot", vm="web1", max_age="0"))
        emulator.faults([{"kind": "reset_after", "command": "stopVirtualMachine", "nth": 1}])
        good(run("cloudn_template", name="image", vm="web1", allow_restart=True))
        good(run("cloudn_vm", name="web1", state="absent"))
        assert len(emulator.store.templates) > 0


def test_a_gateway_that_answers_in_the_form_of_the_service_leaves_the_outcome_open(
    emulator: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 504 in JSON is no refusal of the service: the command may have been done behind it."""
    send = transport.Transport._send

    def gateway(self: Any, command: str, *args: Any) -> Any:
        answer = send(self, command, *args)
        body = json.dumps({"error": {"code": 504, "message": "upstream timed out"}}).encode()
        return answer._replace(status=504, body=body)

    monkeypatch.setattr(transport.Transport, "_send", gateway)
    with pytest.raises(UnknownOutcome):
        client.call("createSecurityGroup", {"name": "web"})
    assert "web" in [group.name for group in emulator.store.security_groups.values()]
    impatient = Client(emulator.url, emulator.api_key, emulator.api_secret, retries=0)
    with pytest.raises(
        BadAnswer,
        match="listZones: the answer can't be read: the root 'error' belongs to another command, or to another service",
    ):
        impatient.call("listZones")


@pytest.mark.parametrize("options", [{"state": "attached", "vm": "shown"}, {"state": "attached", "vm": "web1"}, {}])
def test_another_run_makes_the_volume_and_attaches_it(
    run_module: Run, emulator: Any, client: Client, monkeypatch: pytest.MonkeyPatch, options: dict[str, str]
) -> None:
    """The other run acts after this one has looked. One volume is left, whichever name the machine was given by."""
    good(run_module("cloudn_vm", name="web1", display_name="shown", **NEW))
    task = {"name": "data", "disk_offering": "Small", **ZONE, **options}
    apply = recover.apply_until_clear
    monkeypatch.setattr(duplicates, "LEAST", 0.3)

    def outrun(*args: Any) -> None:
        monkeypatch.setattr(recover, "apply_until_clear", apply)
        good(run_module("cloudn_volume", **{**task, "state": "attached", "vm": "web1"}))
        apply(*args)

    monkeypatch.setattr(recover, "apply_until_clear", outrun)
    good(run_module("cloudn_volume", **task))
    (left,) = [one for one in client.list("listVolumes") if one["name"] == "data"]
    assert left["vmname"] == "web1"
    assert changes_sent_to(emulator).count("createVolume") == 2


@pytest.mark.parametrize("mine", [{}, {"tags": {"by": "this run"}}])
def test_another_run_adds_the_rule_that_the_service_takes_twice(
    run_module: Run, emulator: Any, monkeypatch: pytest.MonkeyPatch, mine: dict[str, Any]
) -> None:
    """The service takes a rule again if the group has it in the other direction, too. One of the two is revoked."""
    rules = [{"ports": "80", "cidrs": ["192.0.2.0/24"]}]
    good(run_module("cloudn_security_group", name="web", ingress=rules))
    task = {"name": "web", "ingress": rules, "egress": rules}
    apply = recover.apply_until_clear

    def outrun(*args: Any) -> None:
        monkeypatch.setattr(recover, "apply_until_clear", apply)
        good(run_module("cloudn_security_group", **task))
        apply(*args)

    monkeypatch.setattr(recover, "apply_until_clear", outrun)
    done = good(run_module("cloudn_security_group", **task, **mine))
    (group,) = [one for one in emulator.store.security_groups.values() if one.name == "web"]
    assert [rule.direction for rule in group.rules.values()] == ["ingress", "egress"]
    assert [(len(done["security_group"][way])) for way in ("ingress", "egress")] == [1, 1]
    assert (done["security_group"]["tags"] or {}) == mine.get("tags", {})
    assert changes_sent_to(emulator).count("revokeSecurityGroupEgress") == 1
    assert good(run_module("cloudn_security_group", **task, **mine))["changed"] is False


def test_rules_that_cannot_be_doubled_cost_no_look(run_module: Run, emulator: Any) -> None:
    rules = [{"ports": "80", "cidrs": ["192.0.2.0/24"]}]
    good(run_module("cloudn_security_group", name="web"))
    emulator.clear()
    good(run_module("cloudn_security_group", name="web", ingress=rules))
    assert [one["command"] for one in emulator.requests].count("listSecurityGroups") == 1


def test_a_machine_waits_for_a_disk_that_is_being_attached_for_long(
    run_module: Run, emulator: Any, client: Client
) -> None:
    machine = good(run_module("cloudn_vm", name="web1", **NEW))["vm"]
    disk = good(run_module("cloudn_volume", name="data", disk_offering="Small", **ZONE))["volume"]
    emulator.faults([{"kind": "job_hangs", "command": "attachVolume"}])
    client.call("attachVolume", {"id": disk["id"], "virtualmachineid": machine["id"]})
    for job in emulator.store.jobs.values():
        job.created -= 60
    emulator.clear()
    done = run_module("cloudn_vm", name="web1", state="absent", wait_timeout=0)
    assert done["failed"] and "attachVolume: job " in done["msg"]
    emulator.release_jobs()
    done = run_module("cloudn_vm", name="web1", state="absent")
    assert done["failed"] and "data" in done["msg"] and "detach_volumes" in done["msg"]
    assert changes_sent_to(emulator) == []


def test_a_disk_that_was_attached_elsewhere_meanwhile_stays(
    run_module: Run, emulator: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk belongs to another machine when the run looks for the outcome of its lost command."""
    good(run_module("cloudn_vm", name=["web1", "web2"], **NEW))
    good(run_module("cloudn_volume", name="data", disk_offering="Small", state="attached", vm="web1", **ZONE))
    replan = parts._Parts._replan

    def taken(*args: Any) -> Any:
        monkeypatch.setattr(parts._Parts, "_replan", replan)
        good(run_module("cloudn_volume", name="data", state="attached", vm="web2"))
        return replan(*args)

    monkeypatch.setattr(parts._Parts, "_replan", taken)
    emulator.faults([{"kind": "reset_before", "command": "deleteVolume", "nth": 1}])
    good(run_module("cloudn_vm", name="web1", state="absent", delete_volumes=True))
    (left,) = [one for one in client.list("listVolumes") if one["name"] == "data"]
    assert left["vmname"] == "web2"
    assert [vm["name"] for vm in client.list("listVirtualMachines")] == ["web2"]


def test_a_lookup_that_fails_changes_nothing(run_module: Run, emulator: Any, client: Client) -> None:
    """The task reports no change when a second lookup succeeds."""
    good(run_module("cloudn_vm", name="web1", **NEW))
    emulator.faults([{"kind": "job_hangs", "seconds": 0.5, "command": "createSnapshot"}])
    client.call("createSnapshot", {"volumeid": client.list("listVolumes")[0]["id"]})
    emulator.faults([{"kind": "garbage", "command": "listSnapshots", "nth": 2}])
    emulator.clear()
    done = good(run_module("cloudn_snapshot", vm="web1", api_retries=0))
    assert (done["changed"], done["actions"], changes_sent_to(emulator)) == (False, [], [])


def test_a_jobs_result_may_be_a_text(run_module: Run, emulator: Any, client: Client) -> None:
    """Other services answer so."""
    good(run_module("cloudn_vm", name="web1", **NEW))
    for job in emulator.store.jobs.values():
        job.result = "done"
    emulator.faults([{"kind": "reset_after", "command": "stopVirtualMachine", "nth": 1}])
    good(run_module("cloudn_vm", name="web1", state="stopped"))
    assert changes_sent_to(emulator).count("stopVirtualMachine") == 1


@pytest.mark.parametrize("source", ["vm", "volume", "snapshot"])
def test_a_template_is_made_where_its_disk_is(run_module: Run, emulator: Any, client: Client, source: str) -> None:
    """A template in another zone would never be found, and each run would make another one."""
    machine = good(run_module("cloudn_vm", name="web1", **NEW))["vm"]["id"]
    root = client.list("listVolumes")[0]["id"]
    snapshot = good(run_module("cloudn_snapshot", vm="web1"))["snapshot"]["id"]
    given = {source: {"vm": machine, "volume": root, "snapshot": snapshot}[source]}
    emulator.clear()
    done = run_module(
        "cloudn_template", name="image", zone="jp-e1b", os_type="CentOS 5.6 (64-bit)", allow_restart=True, **given
    )
    assert done["failed"] and "zone: " in done["msg"] and "jp-e1b" in done["msg"]
    assert changes_sent_to(emulator) == []

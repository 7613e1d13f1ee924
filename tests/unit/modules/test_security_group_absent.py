# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deletion of security groups, and what holds them: rules, machines, and destroyed machines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, is_read
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import rescue
from asked import sent_to
from cloudn_emulator.seed import NEIGHBOUR_KEY, NEIGHBOUR_SECRET
from samples import NEW

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE = "cloudn_security_group"
DELETE, UN_IN, UN_OUT = "deleteSecurityGroup", "revokeSecurityGroupIngress", "revokeSecurityGroupEgress"
CIDR = {"ports": 22, "cidrs": ["192.0.2.0/24"]}
DESTROYED = "a destroyed VM, until the service has expunged it, or a rule in a group of another account"


def naming(*names: str) -> Result:
    return {"ports": 80, "groups": [{"name": name} for name in names]}


@pytest.fixture
def machine(run_module: Run) -> Callable[..., None]:
    """Return a function that makes a machine in a group, and destroys it if asked."""

    def make(group: str, name: str = "web1", destroyed: bool = False) -> None:
        assert run_module("cloudn_vm", name=name, security_groups=[group], **NEW)["changed"]
        if destroyed:
            assert run_module("cloudn_vm", name=name, state="absent")["changed"]

    return make


def names(client: Client) -> list[str]:
    return sorted(group["name"] for group in client.list("listSecurityGroups"))


def rules(client: Client, name: str) -> int:
    (group,) = client.list("listSecurityGroups", {"securitygroupname": name})
    return len(group.get("ingressrule", []) + group.get("egressrule", []))


# A rule that names its own group


def test_rules_that_name_the_group_itself_are_removed_before_it(beats: Run, run_module: Run, emulator: Any) -> None:
    run_module(MODULE, name="db", ingress=[naming("db"), CIDR], egress=[naming("db")])
    done = beats(MODULE, [UN_IN, UN_OUT, DELETE], name="db", state="absent")
    itself = f"group db ({emulator.vars['account']})"
    assert done["actions"] == [
        f"db: revoke ingress tcp 80 from {itself}",
        f"db: revoke egress tcp 80 to {itself}",
        "db: delete",
    ]
    assert done["left"] == []
    assert done["security_group"]["state"] == "absent"


def test_rules_that_name_another_group_stay_until_their_own_group_is_deleted(beats: Run, run_module: Run) -> None:
    run_module(MODULE, name="web")
    run_module(MODULE, name="db", ingress=[naming("web"), CIDR])
    beats(MODULE, [DELETE], name="db", state="absent")


@pytest.mark.parametrize("holder", ["machine", "rule"])
def test_its_own_rules_stay_where_something_else_holds_the_group(
    run_module: Run, machine: Run, client: Client, sent: Run, holder: str
) -> None:
    run_module(MODULE, name="db", ingress=[naming("db")])
    if holder == "machine":
        machine("db")
    else:
        run_module(MODULE, name="web", ingress=[naming("db")])
    sent()
    told = run_module(MODULE, name="db", state="absent")
    assert told["failed"] and not told["changed"]
    who = "VMs web1" if holder == "machine" else "rules of web"
    assert told["msg"] == f"deleteSecurityGroup: not sent, as db is used by {who}. Nothing was changed"
    assert sent() == []
    assert rules(client, "db") == 1


# What holds it is live


def test_an_error_names_the_users_of_a_group(run_module: Run, machine: Run, client: Client) -> None:
    run_module(MODULE, name="web")
    run_module(MODULE, name="db", ingress=[naming("WEB")])
    machine("web")
    run_module("cloudn_vm", name="web1", state="stopped")
    for wait in (False, True):
        told = run_module(MODULE, name="web", state="absent", wait_for_expunge=wait)
        assert told["failed"] and told["error_code"] == 536 and not told["changed"]
        assert "It is used by VMs web1 and by rules of db. It was not done; correct the cause" in told["msg"]
        assert told["left"] == []
    assert "web" in names(client)


@pytest.mark.parametrize("details", [None, ["min"]])
def test_a_machine_that_the_service_cannot_show_is_reported(
    run_module: Run, client: Client, monkeypatch: Any, details: list[str] | None
) -> None:
    """The service fails over a machine without its key pair; without details a machine comes without its groups."""
    if details:
        monkeypatch.setattr(rescue, "_WITHOUT_KEY_PAIR", (details, details))
    run_module(MODULE, name="web")
    client.call("createSSHKeyPair", {"name": "deploy"})
    run_module("cloudn_vm", name="web1", security_groups=["web"], key_pair="deploy", **NEW)
    client.call("deleteSSHKeyPair", {"name": "deploy"})
    told = run_module(MODULE, name="web", state="absent")
    assert told["failed"] and "It is used by VMs web1" in told["msg"]


def test_check_mode_warns_of_users(run_module: Run, machine: Run, emulator: Any) -> None:
    run_module(MODULE, name="web")
    run_module(MODULE, name="db", ingress=[naming("web")])
    machine("web")
    emulator.clear()
    told = run_module(MODULE, name="web", state="absent", _check=True)
    assert told["changed"] and told["actions"] == ["web: delete"]
    assert told["warnings"] == [
        "web is used by VMs web1 and by rules of db; the service deletes it only after these are gone"
    ]
    assert all(is_read(request["command"]) for request in emulator.requests)
    run_module("cloudn_vm", name="web1", state="absent")
    run_module(MODULE, name="db", state="absent")
    assert run_module(MODULE, name="web", state="absent", _check=True)["warnings"] == []


# What holds it is destroyed


@pytest.mark.parametrize("response_format", ["json", "xml"])
def test_a_group_that_a_destroyed_machine_holds_is_left(
    run_module: Run, machine: Run, client: Client, sent: Run, response_format: str
) -> None:
    group = run_module(MODULE, name="Web", ingress=[CIDR])["security_group"]
    machine("web", destroyed=True)
    for _again in range(2):
        sent()
        done = run_module(MODULE, name="web", state="absent", response_format=response_format)
        assert not done.get("failed"), done["msg"]
        assert done["changed"] is False
        assert sent() == [DELETE]
        assert done["left"] == [{"name": "Web", "id": group["id"], "held_by": DESTROYED}]
        (warning,) = done["warnings"]
        assert warning.startswith(f"Web was not deleted: it is held by {DESTROYED}. Run the task again")
        assert done["actions"] == []
        assert done["diff"]["before"] == done["diff"]["after"] == {"Web": {"state": "present", "id": group["id"]}}
        assert done["security_group"]["state"] == "present"
    assert rules(client, "web") == 1


def test_leaving_a_group_costs_few_requests(run_module: Run, machine: Run, emulator: Any) -> None:
    run_module(MODULE, name="web")
    machine("web", destroyed=True)
    emulator.clear()
    run_module(MODULE, name="web", state="absent")
    commands = sent_to(emulator)
    assert commands == ["listSecurityGroups", DELETE, "listSecurityGroups", "listVirtualMachines"]


def test_a_group_that_is_left_holds_no_other(run_module: Run, machine: Run, client: Client, emulator: Any) -> None:
    """The rules that name groups are removed. So groups that name each other can all be deleted without an error."""
    run_module(MODULE, name="web")
    run_module(MODULE, name="db", ingress=[naming("db", "web"), CIDR], egress=[naming("web")])
    machine("db", destroyed=True)
    done = run_module(MODULE, name="db", state="absent")
    account = emulator.vars["account"]
    assert not done.get("failed"), done["msg"]
    assert done["changed"] is True
    assert done["actions"] == [
        f"db: revoke ingress tcp 80 from group db ({account})",
        f"db: revoke ingress tcp 80 from group web ({account})",
        f"db: revoke egress tcp 80 to group web ({account})",
    ]
    assert [one["name"] for one in done["left"]] == ["db"]
    assert done["diff"]["before"]["db"]["ingress"] == [
        "tcp 22 192.0.2.0/24",
        f"tcp 80 group db ({account})",
        f"tcp 80 group web ({account})",
    ]
    assert done["diff"]["after"]["db"]["ingress"] == ["tcp 22 192.0.2.0/24"]
    assert (done["diff"]["before"]["db"]["egress"], done["diff"]["after"]["db"]["egress"]) == (
        [f"tcp 80 group web ({account})"],
        [],
    )
    assert [rule["cidr"] for rule in done["security_group"]["ingress"]] == ["192.0.2.0/24"]
    again = run_module(MODULE, name="db", state="absent")
    assert (again["changed"], again["actions"], len(again["left"])) == (False, [], 1)
    assert run_module(MODULE, name="web", state="absent")["left"] == []
    assert names(client) == ["db", "default"]


def test_a_rule_of_another_account_holds_it_too(run_module_as: Any) -> None:
    with run_module_as(job_seconds=0.02, neighbour=True) as (run, emulator):
        run(MODULE, name="web")
        theirs = Client(emulator.url, NEIGHBOUR_KEY, NEIGHBOUR_SECRET)
        rule = {"protocol": "tcp", "startport": 1, "endport": 1}
        source = {"usersecuritygrouplist": [{"account": emulator.vars["account"], "group": "web"}]}
        job = theirs.call("authorizeSecurityGroupIngress", {"securitygroupname": "default", **rule, **source})
        theirs.wait(job["jobid"])
        assert [one["held_by"] for one in run(MODULE, name="web", state="absent")["left"]] == [DESTROYED]


def test_an_account_that_sees_destroyed_machines_names_them(run_module_as: Any) -> None:
    with run_module_as(job_seconds=0.02, account="admin") as (run, _emulator):
        run(MODULE, name="web", ingress=[naming("default")])
        run("cloudn_vm", name="web1", security_groups=["web"], **NEW)
        run("cloudn_vm", name="web1", state="absent")
        told = run(MODULE, name="web", state="absent", _check=True)
        done = run(MODULE, name="web", state="absent")
        assert done["left"] == told["left"]
        assert done["left"][0]["held_by"] == "the destroyed VM web1, until the service has expunged it"
        assert done["actions"] == told["actions"] != []
        assert done["diff"] == told["diff"]
        assert done["changed"] is told["changed"] is True
        assert run(MODULE, name="web", state="absent", _check=True)["changed"] is False


def test_a_group_whose_holder_cannot_be_seen_is_an_error(run_module_as: Any) -> None:
    """A group that stays is an error, unless it is known that nothing live holds it."""
    with run_module_as(job_seconds=0.02, denied=["listVirtualMachines"]) as (run, emulator):
        run(MODULE, name="web")
        run(MODULE, name="db", ingress=[naming("web")])
        told = run(MODULE, name="web", state="absent")
        assert told["failed"] and told["error_code"] == 536
        assert "It is not known what uses it: listVirtualMachines" in told["msg"]
        assert emulator.requests[-1]["command"] == "listVirtualMachines"
        foreseen = run(MODULE, name="web", state="absent", _check=True)
        assert foreseen["changed"] and "It is not known what uses web: listVirtualMachines" in foreseen["warnings"][0]


# Waiting for it


def test_expunging_is_waited_for_where_that_is_asked_for(run_module_as: Any) -> None:
    with run_module_as(job_seconds=0.02, expunge_seconds=2) as (run, emulator):
        run(MODULE, name="web")
        run("cloudn_vm", name="web1", security_groups=["web"], **NEW)
        run("cloudn_vm", name="web1", state="absent")
        emulator.clear()
        done = run(MODULE, name="web", state="absent", wait_for_expunge=True)
        assert not done.get("failed"), done["msg"]
        assert (done["changed"], done["actions"], done["left"], done["warnings"]) == (True, ["web: delete"], [], [])
        assert done["security_group"]["state"] == "absent"
        assert 2 <= sent_to(emulator).count(DELETE) <= 4


def test_pauses_grow_and_waiting_ends(run_module: Run, machine: Run, emulator: Any, monkeypatch: Any) -> None:
    run_module(MODULE, name="web", ingress=[naming("default")])
    machine("web", destroyed=True)
    pauses: list[float] = []
    now = [0.0]

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        now[0] += seconds

    create = Client.__init__

    def patient(self: Client, *arguments: Any, **options: Any) -> None:
        create(self, *arguments, **options)
        self.sleep, self.clock = sleep, lambda: now[0]

    monkeypatch.setattr(Client, "__init__", patient)
    told = run_module(MODULE, name="web", state="absent", wait_for_expunge=True, wait_timeout=600)
    assert told["failed"] and told["error_code"] == 536 and told["changed"] is False
    assert "The task could not go on within 600 s (wait_timeout)" in told["msg"]
    assert f"It is held by {DESTROYED}" in told["msg"]
    assert pauses[:-1] == sorted(pauses[:-1])
    assert pauses[0] == 1 and max(pauses) == 60 and sum(pauses) == pytest.approx(600)
    assert len(pauses) < 25


def test_a_live_machine_ends_the_wait(run_module: Run, machine: Run, monkeypatch: Any) -> None:
    run_module(MODULE, name="web")
    machine("web", destroyed=True)
    create = Client.__init__

    def meanwhile(self: Client, *arguments: Any, **options: Any) -> None:
        create(self, *arguments, **options)
        self.sleep = lambda _seconds: (monkeypatch.undo(), machine("web", "web2"))[0]

    monkeypatch.setattr(Client, "__init__", meanwhile)
    told = run_module(MODULE, name="web", state="absent", wait_for_expunge=True)
    assert told["failed"] and "It is used by VMs web2" in told["msg"]


def test_check_mode_says_that_the_task_would_wait(run_module_as: Any) -> None:
    with run_module_as(job_seconds=0.02, account="admin") as (run, _emulator):
        run(MODULE, name="web")
        run("cloudn_vm", name="web1", security_groups=["web"], **NEW)
        run("cloudn_vm", name="web1", state="absent")
        told = run(MODULE, name="web", state="absent", wait_for_expunge=True, _check=True)
        assert (told["changed"], told["left"], len(told["warnings"])) == (True, [], 1)
        assert told["warnings"][0].startswith("web is held by the destroyed VM web1, until the service")

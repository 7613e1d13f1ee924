# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans that need a plan whose command got no answer go on when it is clear what became of that command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, CloudnError, Deadline
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import LeftOut, Plan, Progress, Step
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import plan as plan_module
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.recover import apply_until_clear
from small_site import plans_of, sent

LISTINGS = {"web": "listSecurityGroups", "web1": "listVirtualMachines", "data": "listVolumes"}


@pytest.fixture(autouse=True)
def no_lag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_module, "LAG", 0.0)


class Site:
    """The plans of a small site, and how they are made anew."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.plans = plans_of(client)
        del self.plans["tag"]
        self.progresses = {key: Progress(plan) for key, plan in self.plans.items()}
        self.replanned: list[str] = []

    def replan(self, progress: Progress) -> Plan | None:
        self.replanned.append(progress.name)
        self.client.await_pending("Volume", progress.id, Deadline(20, self.client.clock))
        found = next((one for one in self.client.list(LISTINGS[progress.name]) if one["name"] == progress.name), None)
        stages = self.plans[progress.plan.key].stages
        return Plan(progress.name, found, [] if (found or {}).get("vmname") else stages[1 if found else 0 :])

    def apply(self, seconds: float = 20, replan: Callable[[Progress], Plan | None] | None = None) -> None:
        deadline = Deadline(seconds, self.client.clock)
        apply_until_clear(self.client, list(self.progresses.values()), deadline, replan or self.replan)

    @property
    def errors(self) -> dict[str, str]:
        return {key: str(one.error) for key, one in self.progresses.items() if one.error}


@pytest.fixture
def site(client: Client, emulator: Any) -> Site:
    made = Site(client)
    emulator.clear()
    return made


@pytest.mark.parametrize("kind", ["reset_after", "reset_before"])
@pytest.mark.parametrize("command", ["createSecurityGroup", "deployVirtualMachine", "createVolume", "attachVolume"])
def test_a_lost_answer_leaves_nobody_behind(site: Site, emulator: Any, kind: str, command: str) -> None:
    emulator.faults([{"kind": kind, "command": command, "nth": 1}])
    site.apply()
    assert site.errors == {}
    commands = sent(emulator)
    done = ["attachVolume", "createSecurityGroup", "createVolume", "deployVirtualMachine"]
    assert sorted(set(commands)) == done
    assert len(commands) == len(done) + (kind == "reset_before")
    (machine,) = site.client.list("listVirtualMachines")
    assert [group["name"] for group in machine["securitygroup"]] == ["web"]
    assert site.progresses["volume"].object["vmname"] == "web1"


def test_only_the_plan_with_the_lost_answer_is_made_anew(site: Site, emulator: Any) -> None:
    """The machine and the attachment were left out before anything was sent for them: they are as good as before."""
    emulator.faults([{"kind": "reset_after", "command": "createSecurityGroup", "nth": 1}])
    site.apply()
    assert site.errors == {}
    assert site.replanned == ["web"]
    assert sent(emulator).count("createVolume") == 1


def test_what_was_undone_again_is_made_anew(site: Site, emulator: Any) -> None:
    """The volume's plan has cleaned up when it failed, so the rest of its old plan does not fit any more."""
    volume = site.plans["volume"]
    volume.stages.append([Step("clean up", "createSSHKeyPair", {"name": "a"}, cleanup=True)])
    emulator.faults([{"kind": "reset_after", "command": "createSecurityGroup", "nth": 1}])
    site.apply(replan=lambda one: site.replan(one) if one.name == "web" else Plan("data", one.object, []))
    assert site.errors == {}
    assert "createSSHKeyPair" in sent(emulator)
    assert "attachVolume" not in sent(emulator)


def test_a_step_that_is_sent_again_carries_the_id_of_an_object_whose_plan_has_ended(site: Site, emulator: Any) -> None:
    emulator.faults([{"kind": "reset_before", "command": "attachVolume", "nth": 1}])
    site.apply()
    assert site.errors == {}
    wanted = [one["params"].get("virtualmachineid") for one in emulator.requests if one["command"] == "attachVolume"]
    assert wanted == [site.progresses["machine"].id] * 2


def test_the_key_and_the_label_survive_a_new_plan(site: Site, emulator: Any) -> None:
    site.plans["group"].label = "security group web"
    emulator.faults([{"kind": "reset_after", "command": "createSecurityGroup", "nth": 1}])
    site.apply()
    assert site.progresses["group"].plan is not site.plans["group"]
    assert (site.progresses["group"].plan.key, site.progresses["group"].label) == ("group", "security group web")


def test_what_needs_a_plan_that_stays_failed_stays_left_out(site: Site, emulator: Any) -> None:
    site.client.call("createSecurityGroup", {"name": "web"})  # so the service refuses another one
    emulator.clear()
    site.plans["group"].label = "security group web"
    site.apply(replan=lambda _progress: None)
    assert sorted(site.errors) == ["group", "machine", "volume"]
    machine, volume = site.progresses["machine"].error, site.progresses["volume"].error
    assert isinstance(machine, LeftOut) and machine.because is site.progresses["group"]
    assert isinstance(volume, LeftOut) and volume.because is site.progresses["machine"]
    assert site.errors["machine"].startswith("deployVirtualMachine: not sent, as security group web failed: ")
    assert sorted(sent(emulator)) == ["createSecurityGroup", "createVolume"]


def test_a_rule_that_stays_refused_does_not_take_the_group_from_others(site: Site, emulator: Any) -> None:
    """In a later round the group counts for what it is: made, though its plan has failed."""
    rule = Step("rule", "authorizeSecurityGroupIngress", {"securitygroupid": "no-such-group"})
    site.plans["group"].stages.append([rule])
    emulator.faults([{"kind": "reset_before", "command": "deployVirtualMachine", "nth": 1}])

    def replan(progress: Progress) -> Plan | None:
        return None if progress.name == "web" else site.replan(progress)

    site.apply(replan=replan)
    assert list(site.errors) == ["group"]


def test_an_error_of_its_own_counts_more_than_that_of_another_plan(site: Site) -> None:
    one = site.progresses["machine"]
    one.fail(LeftOut("not sent", "a", site.progresses["group"]))
    own = CloudnError("refused", "b")
    one.fail(own)
    assert one.error is own

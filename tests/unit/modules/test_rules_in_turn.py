# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of one group change one after the other: the service locks the group for each change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from asked import changes_sent_to, sent_to
from samples import POLLS
from specs import good

Result = dict[str, Any]
Run = Callable[..., Result]
GROUP = "cloudn_security_group"
ALLOW, REVOKE = "authorizeSecurityGroupIngress", "revokeSecurityGroupIngress"

AMBIGUOUS = pytest.mark.generation("3", reason="CloudStack 4 says of an unknown command that the credentials are wrong")


def rules(*ports: int) -> list[Result]:
    return [{"ports": str(port), "cidrs": ["192.0.2.0/24"]} for port in ports]


def changes(emulator: Any) -> list[str]:
    """Return the commands since the last look that change something, in the order in which they came."""
    commands = changes_sent_to(emulator)
    emulator.clear()
    return commands


def ports(client: Client, direction: str = "ingress") -> list[int]:
    (group,) = client.list("listSecurityGroups", {"securitygroupname": "web"})
    return sorted(rule["startport"] for rule in group.get(f"{direction}rule", []))


@pytest.fixture
def under_way(emulator: Any) -> list[int]:
    """Return how many jobs were under way each time that one began."""
    seen: list[int] = []
    now = 0
    take = emulator.jobs.take

    async def counted(share: float) -> None:
        nonlocal now
        now += 1
        seen.append(now)
        try:
            await take(share)
        finally:
            now -= 1

    emulator.jobs.take = counted
    return seen


def test_one_change_is_under_way_at_a_time(
    run_module: Run, emulator: Any, client: Client, under_way: list[int]
) -> None:
    good(run_module(GROUP, name="web", ingress=rules(1, 2, 3), egress=rules(1, 2)))
    assert changes(emulator) == ["createSecurityGroup", *[ALLOW] * 3, *[ALLOW.replace("Ingress", "Egress")] * 2]
    good(run_module(GROUP, name="web", ingress=rules(3, 4, 5), egress=rules(2)))
    assert changes(emulator) == [ALLOW, ALLOW, REVOKE, REVOKE, REVOKE.replace("Ingress", "Egress")]
    assert under_way == [1] * 10
    assert (ports(client), ports(client, "egress")) == ([3, 4, 5], [2])


def test_nobody_waits_for_the_lock(run_module_as: Any) -> None:
    with run_module_as(job_seconds=0.02, group_lock_seconds=60) as (run, emulator):
        done = good(run(GROUP, name="web", ingress=rules(*range(1, 11)), wait_timeout=30))
        assert len(done["security_group"]["ingress"]) == 10
        assert changes(emulator).count(ALLOW) == 10


@pytest.mark.parametrize("fault", ["job_fails", pytest.param("unauthorized", marks=AMBIGUOUS)])
def test_a_refused_rule_does_not_keep_the_others_out(
    run_module: Run, emulator: Any, client: Client, fault: str
) -> None:
    good(run_module(GROUP, name="web", ingress=rules(9)))
    changes(emulator)
    nth = [2] if fault == "job_fails" else [2, 3]  # credentials that were accepted before are tried once more
    emulator.faults([{"kind": fault, "command": ALLOW, "nth": nth}])
    done = run_module(GROUP, name="web", ingress=rules(1, 2, 3))
    assert done["failed"] and done["changed"] and ALLOW in done["msg"]
    assert REVOKE not in changes(emulator)  # the old rule may be what the refused one was to replace
    assert ports(client) == [1, 3, 9]
    emulator.faults([])
    good(run_module(GROUP, name="web", ingress=rules(1, 2, 3)))
    assert changes(emulator) == [ALLOW, REVOKE]
    assert ports(client) == [1, 2, 3]


def test_after_a_job_that_does_not_end_nothing_is_sent(run_module: Run, emulator: Any) -> None:
    emulator.faults([{"kind": "job_hangs", "command": ALLOW, "nth": [2]}])
    done = run_module(GROUP, name="web", ingress=rules(1, 2, 3), wait_timeout=1)
    assert "is still pending, it did not end within 1 s" in done["msg"]
    assert changes(emulator) == ["createSecurityGroup", ALLOW, ALLOW]


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "job_lost"])
def test_after_a_lost_answer_each_rule_is_there_once(run_module: Run, emulator: Any, client: Client, kind: str) -> None:
    emulator.faults([{"kind": kind, "command": ALLOW, "nth": [2]}])
    good(run_module(GROUP, name="web", ingress=rules(1, 2, 3, 4), api_timeout=0.5))
    assert ports(client) == [1, 2, 3, 4]
    emulator.clear()
    assert good(run_module(GROUP, name="web", ingress=rules(1, 2, 3, 4)))["changed"] is False


# Without waiting


def test_without_waiting_all_that_needs_no_other_is_sent_at_once(
    run_module: Run, emulator: Any, client: Client
) -> None:
    """Jobs that never end do not hold up other commands."""
    emulator.faults([{"kind": "job_hangs", "command": ALLOW}])
    done = good(run_module(GROUP, name="web", ingress=rules(1, 2, 3), wait=False))
    assert changes(emulator) == ["createSecurityGroup", ALLOW, ALLOW, ALLOW]
    assert len(done["jobs"]) == 3
    emulator.faults([])
    emulator.release_jobs()
    good(run_module("cloudn_job", jobs=done["jobs"]))
    assert ports(client) == [1, 2, 3]


def test_without_waiting_old_rules_go_when_the_new_ones_are_there(
    run_module: Run, emulator: Any, client: Client, under_way: list[int]
) -> None:
    good(run_module(GROUP, name="web", ingress=rules(1, 2)))
    changes(emulator)
    under_way.clear()
    emulator.faults([{"kind": "job_hangs", "command": REVOKE}])
    done = good(run_module(GROUP, name="web", ingress=rules(3, 4), wait=False))
    assert changes(emulator) == [ALLOW, ALLOW, REVOKE, REVOKE]
    assert under_way == [1, 1]
    assert ports(client) == [1, 2, 3, 4]
    assert len(done["jobs"]) == 2
    emulator.faults([])
    emulator.release_jobs()
    good(run_module("cloudn_job", jobs=done["jobs"]))
    assert ports(client) == [3, 4]


def test_a_revocation_is_followed_whatever_group_its_job_names(run_module: Run, emulator: Any) -> None:
    """CloudStack 4 takes the number of the rule for that of a group: the first rule's job is about the first group."""
    run_module(GROUP, name="web", ingress=rules(80))
    emulator.clear()
    done = run_module(GROUP, name="web", ingress=[])
    assert not done.get("failed") and done["changed"]
    sent = [command for command in sent_to(emulator) if command not in POLLS]
    assert sent == ["listSecurityGroups", REVOKE]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules with IPv6: CloudStack 4 takes them, CloudStack 3 does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asked import changes_sent_to
from cloudn_emulator import Emulator

Result = dict[str, Any]


@pytest.fixture
def emulator() -> Iterator[Any]:
    """CloudStack 4 with short jobs and a plain account."""
    with Emulator(generation="4", job_seconds=0.05, group_lock_seconds=0.01) as running:
        yield running


def rule(*cidrs: str) -> Result:
    return {"ports": "80", "cidrs": list(cidrs)}


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize("cidrs", [["2001:db8::/32"], ["::/0"], ["10.0.0.0/8", "2001:db8::1"], ["2001:DB8:0::/48"]])
def test_networks_of_ipv6_are_taken(beats: Callable[..., Result], direction: str, cidrs: list[str]) -> None:
    command = f"authorizeSecurityGroup{direction.capitalize()}"
    done = beats("cloudn_security_group", ["createSecurityGroup", command], name="web", **{direction: [rule(*cidrs)]})
    assert len(done["security_group"][direction]) == len(cidrs)


def test_another_spelling_is_the_same_rule(beats: Callable[..., Result]) -> None:
    made = ["createSecurityGroup", "authorizeSecurityGroupIngress"]
    beats("cloudn_security_group", made, name="web", ingress=[rule("2001:db8::/32")])
    beats("cloudn_security_group", [], name="web", ingress=[rule("2001:0DB8:0::/32")])
    beats("cloudn_security_group", ["revokeSecurityGroupIngress"], name="web", ingress=[])


@pytest.mark.parametrize(
    ("cidr", "message"),
    [
        ("2001:db8::/129", "'2001:db8::/129' is no IP network such as 192.0.2.0/24, or 2001:db8::/32 on CloudStack 4"),
        ("2001:db8::1/0", "'2001:db8::1/0' is every address; give ::/0, or 2001:db8::1/128 for one"),
        ("2001:db8:::/32", "is no IP network"),
        ("fe80::1%eth0", "is no IP network"),
    ],
)
def test_what_is_no_network_is_refused(refused: Callable[..., str], cidr: str, message: str) -> None:
    assert message in refused("cloudn_security_group", name="web", ingress=[rule(cidr)])


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_cloudstack_3_has_none(run_module_as: Any, direction: str) -> None:
    with run_module_as(generation="3") as (run, emulator):
        for check in (True, False):
            entries = [rule("10.0.0.0/8"), rule("10.1.0.0/16", "2001:db8::/32")]
            failed = run("cloudn_security_group", name="web", _check=check, **{direction: entries})
            assert failed["msg"] == (
                f"{direction}[1].cidrs[1]: '2001:db8::/32': this service is CloudStack 3, which has no IPv6 in rules. "
                "Only CloudStack 4 has this; leave out this network"
            )
        assert changes_sent_to(emulator) == []

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of security groups are compared as the service does: case, accents and blanks at the end do not count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from ansible_collections.cloudn.compute.plugins.module_utils.resources.lookup import same_name
from samples import NEW

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE = "cloudn_security_group"
IN, UN_IN = "authorizeSecurityGroupIngress", "revokeSecurityGroupIngress"
NAME = "Café"
OTHERS = ["café", "CAFE", "cafe "]


@pytest.fixture
def group(client: Client) -> str:
    """Make a group by another client; return its id."""
    return str(client.call("createSecurityGroup", {"name": NAME})["securitygroup"]["id"])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("web", "Web", True),
        ("web", "web  ", True),
        ("web", " web", False),
        ("web", "web\t", False),
        ("café", "CAFE", True),
        ("straße", "STRASE", True),
        ("Ǖ", "u", True),
        ("ア", "あ", False),
        ("が", "か", False),
        ("Ａ", "A", False),
        ("ł", "l", False),
        ("web", "web1", False),
        (None, "web", False),
        ("web", None, False),
        (None, None, True),
    ],
)
def test_names_are_compared_as_the_database_does(emulator: Any, one: str | None, other: str | None, same: bool) -> None:
    assert same_name(one, other) is same
    assert same_name(other=one, one=other) is same


@pytest.mark.parametrize(
    ("one", "other"), [("Ab", "aB"), ("café", "CAFE "), ("straße", "STRASE"), ("µ", "Μ"), ("が", "か")]
)
def test_the_service_compares_names_alike(client: Client, one: str, other: str) -> None:
    client.call("createSecurityGroup", {"name": one})
    assert bool(client.list("listSecurityGroups", {"securitygroupname": other})) is same_name(one, other)


@pytest.mark.parametrize("name", OTHERS)
def test_a_group_is_found_and_shown_by_its_own_name(beats: Run, group: str, name: str) -> None:
    done = beats(MODULE, [], name=name)
    assert (done["security_group"]["id"], done["security_group"]["name"]) == (group, NAME)
    done = beats(MODULE, [IN], name=name, ingress=[{"ports": 80, "cidrs": ["192.0.2.1"]}])
    assert done["actions"] == [f"{NAME}: allow ingress tcp 80 from 192.0.2.1/32"]
    assert list(done["diff"]["after"]) == [NAME]
    gone = beats(MODULE, ["deleteSecurityGroup"], name=name, state="absent")
    assert gone["security_group"]["name"] == NAME


@pytest.mark.parametrize("name", OTHERS)
def test_the_info_module_finds_a_group_in_any_spelling(run_module: Run, group: str, name: str) -> None:
    (shown,) = run_module(f"{MODULE}_info", name=name)["security_groups"]
    assert (shown["id"], shown["name"]) == (group, NAME)


@pytest.mark.parametrize("name", OTHERS)
def test_sources_of_rules_are_known_in_any_spelling(beats: Run, group: str, emulator: Any, name: str) -> None:
    def rule(name: str, **more: str) -> Result:
        return {"ports": 80, "groups": [{"name": name, **more}]}

    done = beats(MODULE, ["createSecurityGroup", IN], name="db", ingress=[rule(name)])
    account = emulator.vars["account"]
    told = f"tcp 80 group {NAME} ({account})"
    assert done["diff"]["after"]["db"]["ingress"] == [told]
    assert done["security_group"]["ingress"][0]["group"] == {"name": NAME, "account": account}
    beats(MODULE, [], name="db", ingress=[rule(name.swapcase()), rule(NAME, account=account.upper())])
    beats(MODULE, [], name="db", ingress=[rule(name)], purge_rules=False)
    assert beats(MODULE, [UN_IN], name="db", ingress=[])["diff"]["before"]["db"]["ingress"] == [told]


def test_a_rule_can_name_its_own_group_in_other_letters(beats: Run) -> None:
    beats(MODULE, ["createSecurityGroup", IN], name="Db", ingress=[{"ports": 80, "groups": [{"name": "db"}]}])


def test_the_default_group_is_known_in_other_letters(refused: Run) -> None:
    assert "the group default can't be deleted" in refused(MODULE, name="DEFAULT", state="absent")


@pytest.mark.parametrize("name", OTHERS)
def test_a_machine_gets_a_group_in_any_spelling(
    beats: Run, run_module: Run, client: Client, group: str, name: str
) -> None:
    done = beats("cloudn_vm", ["deployVirtualMachine"], name="web1", security_groups=[name, NAME], **NEW)
    assert done["vm"]["security_groups"] == [NAME]
    assert done["diff"]["after"]["web1"]["security_groups"] == [NAME]
    beats("cloudn_vm", [], name="web1", security_groups=[name])
    assert [vm["name"] for vm in run_module("cloudn_vm_info", security_group=name)["vms"]] == ["web1"]


def test_a_machine_in_another_group_differs(refused: Run, run_module: Run, generation: str, group: str) -> None:
    """CloudStack 4 can mend it, while the machine is stopped."""
    run_module(MODULE, name="other")
    run_module("cloudn_vm", name="web1", security_groups=["other"], **NEW)
    told = refused("cloudn_vm", name="web1", security_groups=["cafe"])
    assert {"3": "are ['other'], not ['cafe']", "4": f"is ['other'], not [{NAME!r}]"}[generation] in told


def test_a_group_that_is_nowhere_is_still_refused(refused: Run, group: str) -> None:
    told = refused("cloudn_vm", name="web1", security_groups=["cafes"], **NEW)
    assert (
        told
        == f"security_groups: there is no security group 'cafes'. There are: {NAME}, default; did you mean {NAME!r}?"
    )

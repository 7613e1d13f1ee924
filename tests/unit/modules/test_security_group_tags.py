# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of security groups: a listing shows those of some machine, so the modules list a group's own tags apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from asked import sent_to
from samples import FORMATS, NEW

Result = dict[str, Any]
Run = Callable[..., Result]
MODULE, INFO = "cloudn_security_group", "cloudn_security_group_info"
RULE = [{"ports": 80, "cidrs": ["192.0.2.0/24"]}]


@pytest.fixture
def strange(run_module: Run, client: Client, generation: str) -> None:
    """A group with a rule whose listing shows the tags of a machine, as it has the machine's row number.

    CloudStack 4 does not mix them up.
    """
    for name in ("one", "two", "three"):  # the first machines of a service are its own
        client.call("createSecurityGroup", {"name": name})
    run_module(MODULE, name="web", ingress=RULE)
    for name in ("one", "two", "three"):
        client.call("deleteSecurityGroup", {"name": name})
    for number in range(4):
        run_module("cloudn_vm", name=f"vm{number}", tags={"whose": f"vm{number}"}, **NEW)
    (group,) = client.list("listSecurityGroups", {"securitygroupname": "web"})
    assert [tag["key"] for tag in group.get("tags", [])] == {"3": ["whose"], "4": []}[generation]


@FORMATS
def test_the_tags_of_a_machine_are_not_the_groups(strange: None, run_module: Run, response_format: str) -> None:
    options = {"name": "web", "response_format": response_format}
    assert run_module(MODULE, **options)["security_group"]["tags"] is None
    assert run_module(MODULE, **options, tags={"a": "b"}, purge_tags=False)["security_group"]["tags"] == {"a": "b"}
    (shown,) = run_module(INFO, **options)["security_groups"]
    assert shown["tags"] == {"a": "b"}
    assert {group["name"]: group["tags"] for group in run_module(INFO)["security_groups"]} == {
        "default": {},
        "web": {"a": "b"},
    }


def test_tags_are_set_changed_and_deleted(strange: None, beats: Run) -> None:
    beats(MODULE, ["createTags"], name="web", tags={"tier": "front", "env": "x"})
    beats(MODULE, ["deleteTags"], name="web", tags={"env": "x"})
    done = beats(MODULE, ["deleteTags", "createTags"], name="web", tags={"env": "y"}, ingress=RULE)
    assert done["diff"]["before"]["web"]["tags"] == {"env": "x"}
    assert done["security_group"]["tags"] == {"env": "y"}
    beats(MODULE, [], name="web", tags={"env": "y"}, ingress=RULE)
    beats(MODULE, ["deleteTags"], name="web", tags={})


def test_the_filter_by_tags_is_for_the_groups_own(strange: None, run_module: Run) -> None:
    run_module(MODULE, name="web", tags={"a": "b", "c": "d"})
    run_module(MODULE, name="db", tags={"a": "b"})
    found = {"web": {"a": "b", "c": "d"}, "db": {"a": "b"}}
    for wanted, names in (({"a": "b"}, ["db", "web"]), ({"a": "b", "c": "d"}, ["web"]), ({"whose": "vm0"}, [])):
        shown = run_module(INFO, tags=wanted)["security_groups"]
        assert {group["name"]: group["tags"] for group in shown} == {name: found[name] for name in names}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["db", "web"]),
        ({"name": "WEB"}, ["web"]),
        ({"name": "other"}, []),
        ({"id": "{db}"}, ["db"]),
        ({"id": "{other}"}, []),
        ({"tags": {"a": "b"}}, ["web"]),
        ({"tags": {"a": "c"}}, []),
    ],
)
def test_other_filters_count_beside_a_machine(run_module: Run, options: Result, names: list[str]) -> None:
    """The service ignores all other filters beside the one for a machine."""
    ids = {
        name: run_module(MODULE, name=name, tags={"a": "b"} if name != "db" else {})["security_group"]["id"]
        for name in ("web", "db", "other")
    }
    run_module("cloudn_vm", name="vm", security_groups=["web", "db"], **NEW)
    filled = {key: value.format(**ids) if isinstance(value, str) else value for key, value in options.items()}
    assert sorted(group["name"] for group in run_module(INFO, vm="vm", **filled)["security_groups"]) == names


@pytest.mark.parametrize(
    ("module", "options", "requests"),
    [
        (MODULE, {"name": "web"}, ["listSecurityGroups"]),
        (MODULE, {"name": "web", "ingress": RULE}, ["listSecurityGroups"]),
        (MODULE, {"name": "bare"}, ["listSecurityGroups"]),
        (MODULE, {"name": "web", "ingress": RULE, "tags": {"a": "b"}}, ["listSecurityGroups", "listTags"]),
        (MODULE, {"name": "bare", "tags": {}}, ["listSecurityGroups", "listTags"]),
        (INFO, {}, ["listSecurityGroups", "listTags"]),
        (INFO, {"name": "web"}, ["listSecurityGroups", "listTags"]),
        (INFO, {"tags": {"a": "b"}}, ["listSecurityGroups", "listTags"]),
        (INFO, {"name": "nope"}, ["listSecurityGroups"]),
    ],
)
def test_tags_cost_a_request_only_where_they_matter(
    run_module: Run, emulator: Any, module: str, options: Result, requests: list[str]
) -> None:
    run_module(MODULE, name="web", ingress=RULE, tags={"a": "b"})
    run_module(MODULE, name="bare")
    emulator.clear()
    assert run_module(module, **options)["changed"] is False
    assert sent_to(emulator) == requests


def test_only_the_tags_of_one_group_are_asked_for(run_module: Run, emulator: Any) -> None:
    group = run_module(MODULE, name="web")["security_group"]["id"]
    emulator.clear()
    run_module(MODULE, name="web", tags={})
    run_module(INFO, name="web")
    asked = [request["params"].get("resourceid") for request in emulator.requests if request["command"] == "listTags"]
    assert asked == [group, group]


def test_a_new_group_costs_no_list_of_tags(run_module: Run, emulator: Any) -> None:
    assert run_module(MODULE, name="web", tags={})["security_group"]["tags"] == {}
    assert run_module(MODULE, name="db", tags={"a": "b"})["security_group"]["tags"] == {"a": "b"}
    assert sent_to(emulator).count("listTags") == 0


def test_an_account_without_tags_manages_groups(run_module_as: Any) -> None:
    with run_module_as(denied=["createTags", "deleteTags", "listTags"]) as (run, _emulator):
        for options in ({"ingress": RULE}, {}, {"tags": {}}):
            done = run(MODULE, name="web", **options)
            assert not done.get("failed"), done["msg"]
        assert [group["tags"] for group in run(INFO)["security_groups"]] == [{}, {}]
        assert "leave out tags" in run(MODULE, name="web", tags={"a": "b"})["msg"]
        assert run(MODULE, name="web", state="absent")["changed"]

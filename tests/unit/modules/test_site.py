# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_site with state present: what it makes and changes, in which order, whose objects it takes, and how much it asks."""

from __future__ import annotations

import collections
from collections.abc import Callable
from typing import Any

import pytest
from asked import changes_sent_to, sent_to
from samples import KEY, NEW, POLLS, tags_of
from specs import good
from waiting import soon

Result = dict[str, Any]
Run = Callable[..., Result]
SITE = "cloudn_site"
TAG = "cloudn_site"
SHOP: Result = {"name": "shop", "zone": "jp-e1a"}
IMAGE = {"template": NEW["template"], "service_offering": "v1"}
SMALL = {"disk_offering": "Small"}
OPEN = {"ports": "80", "cidrs": ["0.0.0.0/0"]}


def naming(*names: str) -> Result:
    return {"ports": "22", "groups": [{"name": name} for name in names]}


# A site: three groups with three rules each, twelve machines with a tag, four disks.
LARGE: Result = {
    **SHOP,
    "security_groups": [
        {"name": name, "ingress": [OPEN, {"ports": "443", "cidrs": ["0.0.0.0/0"]}, naming(other)]}
        for name, other in (("web", "admin"), ("db", "web"), ("admin", "web"))
    ],
    "vms": [
        {"name": [f"web{n}" for n in range(1, 9)], "security_groups": ["web"], "tags": {"role": "web"}, **IMAGE},
        {"name": [f"db{n}" for n in range(1, 5)], "security_groups": ["db"], "tags": {"role": "web"}, **IMAGE},
    ],
    "volumes": [{"name": f"data{n}", "vm": f"db{n}", "disk_offering": "Medium"} for n in range(1, 5)],
}
KEYED: Result = {**LARGE, "key_pairs": [{"name": "deploy", "public_key": KEY}]}
KEYED["vms"] = [{**item, "key_pair": "deploy"} for item in LARGE["vms"]]


def outcomes(result: Result) -> dict[str, str]:
    """Return what became of each object, by kind and name."""
    kinds = ("key_pairs", "security_groups", "vms", "volumes")
    return {f"{kind} {one['name']}": one["outcome"] for kind in kinds for one in result[kind]}


# What is made, and in which order


def test_a_site_is_made_in_one_task(beats: Callable[..., Result], client: Any) -> None:
    rules = ["authorizeSecurityGroupIngress"] * 3
    changes = [
        *["registerSSHKeyPair", "createSecurityGroup", "createSecurityGroup", *rules, "createTags"],
        *["deployVirtualMachine", "deployVirtualMachine", "createTags", "createVolume", "createTags", "attachVolume"],
    ]
    done = beats(
        SITE,
        changes,
        **SHOP,
        key_pairs=[{"name": "deploy", "public_key": KEY}],
        security_groups=[
            {"name": "web", "ingress": [OPEN, naming("admin")]},
            {"name": "admin", "ingress": [naming("web")]},
        ],
        vms=[{"name": ["web1", "web2"], "security_groups": ["web"], "key_pair": "deploy", **IMAGE}],
        volumes=[{"name": "data", "vm": "web1", **SMALL}],
    )
    assert set(outcomes(done).values()) == {"done"}
    assert done["left"] == []
    (disk,) = client.list("listVolumes", {"type": "DATADISK"})
    machines = client.list("listVirtualMachines")
    assert disk["vmname"] == "web1"
    assert [tags_of(one) for one in (disk, *machines)] == [{TAG: "shop"}] * 3
    assert {tag["value"] for tag in client.list("listTags", {"resourcetype": "SecurityGroup"})} == {"shop"}


def test_steps_come_after_what_they_need(run_module: Run, emulator: Any) -> None:
    good(run_module(SITE, **KEYED))
    sent = sent_to(emulator)
    first = {command: sent.index(command) for command in {*sent}}
    last = {command: len(sent) - 1 - sent[::-1].index(command) for command in {*sent}}
    assert first["registerSSHKeyPair"] < first["deployVirtualMachine"]
    assert last["createSecurityGroup"] < last["authorizeSecurityGroupIngress"]
    assert first["deployVirtualMachine"] < first["attachVolume"]
    attached = [one for one in emulator.requests if one["command"] == "attachVolume"]
    assert {one["status"] for one in attached} == {200}


def test_actions_are_in_an_order_in_which_they_can_be_done(run_module: Run) -> None:
    """Objects are declared in the opposite order of their needs."""
    done = good(
        run_module(
            SITE,
            _check=True,
            **SHOP,
            security_groups=[
                {"name": "a", "ingress": [naming("b")]},
                {"name": "b", "ingress": [naming("c")]},
                {"name": "c"},
            ],
            vms=[{"name": ["x"], "security_groups": ["a"], **IMAGE}],
            volumes=[{"name": "data", "vm": "x", **SMALL}],
        )
    )
    about = list(dict.fromkeys(action.partition(":")[0] for action in done["actions"]))
    assert about == ["c", "b", "a", "x", "data"]


def test_rules_of_groups_may_name_each_other_in_a_circle(beats: Callable[..., Result]) -> None:
    beats(
        SITE,
        [*["createSecurityGroup"] * 3, *["authorizeSecurityGroupIngress"] * 4, "createTags"],
        **SHOP,
        security_groups=[
            {"name": "a", "ingress": [naming("b", "a")]},
            {"name": "b", "ingress": [naming("c")]},
            {"name": "c", "ingress": [naming("a"), {"ports": "1", "groups": [{"name": "default"}]}]},
        ],
    )


def test_objects_of_several_kinds_may_have_one_name(beats: Callable[..., Result], client: Any) -> None:
    beats(
        SITE,
        [
            "createSecurityGroup",
            "createTags",
            "deployVirtualMachine",
            "createTags",
            "createVolume",
            "createTags",
            "attachVolume",
        ],
        **SHOP,
        security_groups=[{"name": "web"}],
        vms=[{"name": ["web"], "security_groups": ["web"], **IMAGE}],
        volumes=[{"name": "web", "vm": "web", **SMALL}],
    )
    assert client.list("listVolumes", {"type": "DATADISK"})[0]["vmname"] == "web"


def test_the_group_default_can_be_declared_if_it_is_adopted(run_module: Run, refused: Callable[..., str]) -> None:
    site = {**SHOP, "security_groups": [{"name": "default", "ingress": [OPEN]}]}
    assert "carries no tag cloudn_site" in refused(SITE, **site)
    done = good(run_module(SITE, **site, adopt=True))
    assert outcomes(done) == {"security_groups default": "done"}
    assert not run_module(SITE, **site)["changed"]
    gone = good(run_module(SITE, name="shop", state="absent"))
    assert [(one["name"], one["reason"]) for one in gone["left"]] == [
        ("default", "the service keeps the group default in every account")
    ]


@pytest.mark.parametrize("group", ["default", "theirs"])
def test_a_machine_may_be_in_a_group_that_is_not_the_sites(
    run_module: Run, beats: Callable[..., Result], group: str
) -> None:
    if group != "default":
        run_module("cloudn_security_group", name=group)
    beats(
        SITE,
        ["deployVirtualMachine", "createTags"],
        **SHOP,
        vms=[{"name": ["web1"], "security_groups": [group], **IMAGE}],
    )


def test_names_of_groups_and_key_pairs_are_compared_as_the_service_does(
    run_module: Run, beats: Callable[..., Result]
) -> None:
    good(run_module("cloudn_key_pair", name="Deploy", public_key=KEY))
    beats(
        SITE,
        ["createSecurityGroup", "createTags", "authorizeSecurityGroupIngress", "deployVirtualMachine", "createTags"],
        **SHOP,
        key_pairs=[{"name": "Deploy", "public_key": KEY}],
        security_groups=[{"name": "Web", "ingress": [naming("WEB")]}],
        vms=[{"name": ["x"], "security_groups": ["web"], "key_pair": "Deploy", **IMAGE}],
    )


def test_several_changes_of_a_site_that_is_there(run_module: Run, beats: Callable[..., Result]) -> None:
    site = {
        **SHOP,
        "security_groups": [{"name": "web", "ingress": [OPEN]}],
        "vms": [{"name": ["a", "b"], "security_groups": ["web"], **IMAGE}],
        "volumes": [{"name": "data", "vm": "a", **SMALL}],
    }
    good(run_module(SITE, **site))
    site["security_groups"] = [{"name": "web", "ingress": [naming("web")], "tags": {"a": "b"}}]
    site["volumes"] = [{"name": "data", "vm": "b", "force": True, **SMALL}]
    site["vms"] = [{"name": ["a", "b"], "state": "stopped", "security_groups": ["web"], **IMAGE}]
    rules = ["authorizeSecurityGroupIngress", "revokeSecurityGroupIngress"]
    beats(SITE, [*rules, "createTags", *["stopVirtualMachine"] * 2, "detachVolume", "attachVolume"], **site)


def test_names_that_begin_alike_and_hard_names(beats: Callable[..., Result]) -> None:
    names = ["data", "data-1", "data 2", "data%", "da_ta", "d\\ata"]
    makes = [*["createVolume"] * len(names), "createTags"]
    done = beats(SITE, makes, **SHOP, volumes=[{"name": name, **SMALL} for name in names])
    assert {one["name"] for one in done["volumes"]} == {*names}


def test_machines_in_transition_are_waited_for(run_module: Run, emulator: Any) -> None:
    site = {**SHOP, "vms": [{"name": ["web1"], "state": "started", **IMAGE}]}
    good(run_module(SITE, **site))
    emulator.settings.job_seconds = 0.4
    good(run_module("cloudn_vm", name="web1", state="stopped", wait=False))
    soon(lambda: [vm.state for vm in emulator.store.vms.values()] == ["Stopping"])
    done = good(run_module(SITE, **site))
    assert done["actions"] == ["web1: start"]
    assert done["vms"][0]["state"] == "Running"


# Whose an object is


def volumes_of(client: Any) -> set[tuple[str, str]]:
    return {
        (one["id"], tags_of({"tags": [], **one}).get(TAG, ""))
        for one in client.list("listVolumes", {"type": "DATADISK"})
    }


def test_of_several_volumes_of_one_name_the_sites_is_meant(
    run_module: Run, emulator: Any, client: Any, beats: Callable[..., Result]
) -> None:
    site = {**SHOP, "vms": [{"name": ["web1"], **IMAGE}], "volumes": [{"name": "data", **SMALL}]}
    own = good(run_module(SITE, **site))["volumes"][0]["id"]
    other = good(run_module("cloudn_volume", name="x", zone="jp-e1a", **SMALL))["volume"]["id"]
    emulator.store.volumes[other].name = "data"
    site["volumes"] = [{"name": "data", "vm": "web1", "tags": {"a": "b"}, **SMALL}]
    done = beats(SITE, ["attachVolume", "createTags"], **site)
    assert done["volumes"][0]["id"] == own
    assert volumes_of(client) == {(own, "shop"), (other, "")}


FOREIGN = {
    "security_groups": ("cloudn_security_group", {"name": "one"}, {"name": "one"}),
    "vms": ("cloudn_vm", {"name": "one", **NEW}, {"name": ["one"], **IMAGE}),
    "volumes": ("cloudn_volume", {"name": "one", "zone": "jp-e1a", **SMALL}, {"name": "one", **SMALL}),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_an_object_of_another_site_is_an_error_that_names_both(
    run_module: Run, refused: Callable[..., str], kind: str
) -> None:
    module, options, item = FOREIGN[kind]
    good(run_module(module, **options, tags={TAG: "bakery"}))
    for adopt in (False, True):
        said = refused(SITE, **SHOP, **{kind: [item]}, adopt=adopt)
        assert f"{kind}[0].name" in said and "one" in said
        assert "'bakery'" in said and "'shop'" in said


@pytest.mark.parametrize("kind", FOREIGN)
def test_an_object_of_no_site_is_an_error_with_its_id_unless_it_is_adopted(
    run_module: Run, refused: Callable[..., str], beats: Callable[..., Result], kind: str
) -> None:
    module, options, item = FOREIGN[kind]
    made = good(run_module(module, **options))
    id = made[kind.removesuffix("s")]["id"]
    said = refused(SITE, **SHOP, **{kind: [item]})
    assert id in said and "adopt: true" in said and f"{kind}[0].name" in said
    done = beats(SITE, ["createTags"], **SHOP, **{kind: [item]}, adopt=True)
    assert (done[kind][0]["id"], done[kind][0]["tags"]) == (id, {TAG: "shop"})


def test_all_that_is_not_the_sites_is_told_in_one_error(run_module: Run, refused: Callable[..., str]) -> None:
    for module, options, _item in FOREIGN.values():
        good(run_module(module, **options))
    said = refused(SITE, **SHOP, **{kind: [item] for kind, (_module, _options, item) in FOREIGN.items()})
    assert all(f"{kind}[0].name" in said for kind in FOREIGN)


def test_what_is_adopted_may_lack_rules_and_tags_and_its_attachment(
    run_module: Run, beats: Callable[..., Result]
) -> None:
    good(run_module("cloudn_security_group", name="web"))
    good(run_module("cloudn_vm", name="web1", security_groups=["web"], **NEW))
    good(run_module("cloudn_volume", name="data", zone="jp-e1a", **SMALL))
    beats(
        SITE,
        ["authorizeSecurityGroupIngress", *["createTags"] * 3, "attachVolume"],
        **SHOP,
        adopt=True,
        security_groups=[{"name": "web", "ingress": [OPEN], "tags": {"a": "b"}}],
        vms=[{"name": ["web1"], "security_groups": ["web"], "tags": {"a": "b"}, **IMAGE}],
        volumes=[{"name": "data", "vm": "web1", **SMALL}],
    )


@pytest.mark.parametrize(
    ("kind", "more", "item", "said"),
    [
        ("security_groups", {"ingress": [OPEN]}, {"ingress": []}, "revoke ingress tcp 80"),
        ("security_groups", {"tags": {"a": "b"}}, {"tags": {}}, "remove tags a"),
        ("vms", {}, {"state": "stopped"}, "stop"),
        ("vms", {}, {"service_offering": "v2", "allow_restart": True}, "change service offering"),
        ("volumes", {"tags": {"a": "b"}}, {"tags": {}}, "remove tags a"),
    ],
)
def test_what_differs_otherwise_is_not_adopted(
    run_module: Run, refused: Callable[..., str], kind: str, more: Result, item: Result, said: str
) -> None:
    module, options, asked = FOREIGN[kind]
    good(run_module(module, **{**options, **more}))
    message = refused(SITE, **SHOP, **{kind: [{**asked, **item}]}, adopt=True)
    assert "can't be adopted" in message and said in message


def test_a_machine_of_that_display_name_is_not_taken_for_the_sites(
    run_module: Run, refused: Callable[..., str]
) -> None:
    other = good(run_module("cloudn_vm", name="other", display_name="web1", **NEW))["vm"]["id"]
    said = refused(SITE, **SHOP, vms=[{"name": ["web1"], **IMAGE}])
    assert other in said


def test_a_machine_of_the_site_is_meant_although_another_shows_its_name(run_module: Run, client: Any) -> None:
    site = {**SHOP, "vms": [{"name": ["web1"], **IMAGE}], "volumes": [{"name": "data", **SMALL}]}
    own = good(run_module(SITE, **site))["vms"][0]["id"]
    good(run_module("cloudn_vm", name="other", display_name="web1", **NEW))
    site["volumes"] = [{"name": "data", "vm": "web1", **SMALL}]
    good(run_module(SITE, **site))
    assert client.list("listVolumes", {"type": "DATADISK"})[0]["virtualmachineid"] == own


# Only a part


def test_only_brings_a_part_and_what_it_needs(run_module: Run, emulator: Any) -> None:
    done = good(run_module(SITE, **LARGE, only=["data1"]))
    assert {*outcomes(done)} == {
        *["security_groups db", "security_groups web", "security_groups admin", "vms db1", "volumes data1"]
    }
    done = good(run_module(SITE, **LARGE, only=["web1"]))
    assert outcomes(done)["vms web1"] == "done"
    assert collections.Counter(changes_sent_to(emulator))["deployVirtualMachine"] == 2
    done = good(run_module(SITE, **LARGE, only=["db1", "data1", "web"]))
    assert set(outcomes(done).values()) == {"unchanged"}


def test_one_machine_more_needs_no_more_than_its_own_steps(run_module: Run, emulator: Any) -> None:
    good(run_module(SITE, **LARGE))
    emulator.clear()
    more = {**LARGE, "vms": [*LARGE["vms"], {"name": ["web9"], "security_groups": ["web"], **IMAGE}]}
    done = good(run_module(SITE, **more))
    assert changes_sent_to(emulator) == ["deployVirtualMachine", "createTags"]
    assert [name for name, outcome in outcomes(done).items() if outcome == "done"] == ["vms web9"]
    assert len([command for command in sent_to(emulator) if command not in POLLS]) <= 17


# How much it asks


@pytest.mark.parametrize("site", [LARGE, KEYED], ids=["groups", "key-pairs"])
def test_an_unchanged_site_costs_at_most_six_requests(run_module: Run, emulator: Any, site: Result) -> None:
    good(run_module(SITE, **site))
    for name in ("other1", "other2"):
        good(run_module("cloudn_vm", name=name, **NEW))
    for check in (False, True):
        emulator.clear()
        done = good(run_module(SITE, _check=check, **site))
        assert not done["changed"]
        assert len(sent_to(emulator)) <= 6, sent_to(emulator)
    emulator.clear()
    assert not run_module(SITE, **site, prune=True)["changed"]
    assert len(sent_to(emulator)) <= 6, sent_to(emulator)


@pytest.mark.parametrize("site", [LARGE, KEYED], ids=["groups", "key-pairs"])
def test_a_site_from_nothing_costs_few_requests(run_module: Run, emulator: Any, site: Result) -> None:
    """The polls are left out: there are about 40 where each job takes 3 s."""
    done = good(run_module(SITE, **site))
    asked = collections.Counter(command for command in sent_to(emulator) if command not in POLLS)
    assert set(outcomes(done).values()) == {"done"}
    assert asked["createTags"] == 3, asked
    assert asked["authorizeSecurityGroupIngress"] == 9
    assert sum(asked.values()) <= 58, asked


def test_a_site_of_nothing_asks_nothing(run_module: Run, emulator: Any) -> None:
    done = good(run_module(SITE, **SHOP))
    assert (done["changed"], done["vms"], sent_to(emulator)) == (False, [], [])


# Failures


def test_a_failure_stops_only_what_needs_it(run_module: Run, emulator: Any) -> None:
    emulator.faults([{"kind": "job_fails", "command": "deployVirtualMachine", "nth": 1}])
    done = run_module(
        SITE,
        **SHOP,
        max_parallel=1,
        vms=[{"name": ["a"], **IMAGE}, {"name": ["b"], **IMAGE}],
        volumes=[{"name": "on-a", "vm": "a", **SMALL}, {"name": "on-b", "vm": "b", **SMALL}],
    )
    assert done["failed"]
    failed = next(one["name"] for one in done["vms"] if one["outcome"] == "failed")
    other = {"a": "b", "b": "a"}[failed]
    shown = outcomes(done)
    assert (shown[f"vms {other}"], shown[f"volumes on-{other}"]) == ("done", "done")
    (disk,) = (one for one in done["volumes"] if one["name"] == f"on-{failed}")
    assert disk["outcome"] in ("failed", "not tried")
    assert failed in disk["error"]
    assert disk["because"] == f"vm {failed}"


def test_a_failed_run_goes_on(run_module: Run, emulator: Any) -> None:
    emulator.faults([{"kind": "job_fails", "command": "createVolume", "times": 20}])
    site = {**SHOP, "vms": [{"name": ["a"], **IMAGE}], "volumes": [{"name": "data", "vm": "a", **SMALL}]}
    assert run_module(SITE, **site)["failed"]
    emulator.faults([])
    emulator.clear()
    done = good(run_module(SITE, **site))
    assert outcomes(done) == {"vms a": "unchanged", "volumes data": "done"}
    assert changes_sent_to(emulator) == ["createVolume", "createTags", "attachVolume"]


# The picture


def test_the_graph_shows_the_plan(run_module: Run) -> None:
    graph = good(run_module(SITE, _check=True, **KEYED, graph=True))["graph"]
    assert {"id", "label", "kind", "action"} <= {*graph["nodes"][0]}
    assert len(graph["nodes"]) == 20
    assert ["vm:db1", "volume:data1"] in graph["edges"]
    assert ["key_pair:DEPLOY", "vm:db1"] in graph["edges"]
    assert graph["mermaid"].startswith("flowchart LR") and graph["dot"].startswith("digraph site")

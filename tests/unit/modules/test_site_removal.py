# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_site with state absent, and with prune: what goes, in which order, and what stays."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from asked import changes_sent_to
from samples import KEY, NEW
from specs import good
from waiting import soon

Result = dict[str, Any]
Run = Callable[..., Result]
SITE = "cloudn_site"
SHOP: Result = {"name": "shop", "zone": "jp-e1a"}
GONE: Result = {"name": "shop", "state": "absent"}
IMAGE = {"template": NEW["template"], "service_offering": "v1"}
SMALL = {"disk_offering": "Small"}
WEB: Result = {"name": "web", "ingress": [{"ports": "22", "groups": [{"name": "admin"}, {"name": "web"}]}]}
ADMIN: Result = {"name": "admin", "ingress": [{"ports": "22", "groups": [{"name": "web"}]}]}
MACHINES: Result = {"name": ["web1", "web2"], "security_groups": ["web"], "key_pair": "deploy", **IMAGE}
WHOLE: Result = {
    **SHOP,
    "key_pairs": [{"name": "deploy", "public_key": KEY}],
    "security_groups": [WEB, ADMIN],
    "vms": [MACHINES],
    "volumes": [{"name": "data", "vm": "web1", **SMALL}],
}
PAIRS = {"key_pairs": WHOLE["key_pairs"]}
DESTROY = ["destroyVirtualMachine"] * 2


@pytest.fixture
def shop(run_module: Run, emulator: Any) -> Result:
    """A site that is there."""
    made = good(run_module(SITE, **WHOLE))
    emulator.clear()
    return made


@pytest.fixture
def there(emulator: Any) -> Callable[[], dict[str, list[str]]]:
    """Return a function that tells the names of what is there: machines, data disks, groups and key pairs."""

    def look() -> dict[str, list[str]]:
        store = emulator.store
        alive = [vm.name for vm in store.vms.values() if vm.state not in ("Destroyed", "Expunging")]
        disks = [one.name for one in store.volumes.values() if one.kind == "DATADISK" and one.state != "Destroy"]
        groups = [one.name for one in store.security_groups.values() if one.name != "default"]
        found = {
            "vms": alive,
            "volumes": disks,
            "groups": groups,
            "pairs": [one.name for one in store.key_pairs.values()],
        }
        return {kind: sorted(names) for kind, names in found.items()}

    return look


def expunge(emulator: Any) -> None:
    """Let the service forget destroyed machines."""
    store = emulator.store
    store.expunge_due(store.now() + store.settings.expunge_seconds + 1)


def why(result: Result) -> dict[str, str]:
    """Return the reasons why objects are left, by kind and name."""
    return {f"{one['kind']} {one['name']}": one["reason"] for one in result["left"]}


# The whole site


def test_a_site_goes_in_the_reverse_order(
    run_module: Run, shop: Result, emulator: Any, there: Callable[[], Result]
) -> None:
    planned = good(run_module(SITE, _check=True, _diff=True, **GONE, **PAIRS, delete_volumes=True))
    assert changes_sent_to(emulator) == []
    done = good(run_module(SITE, _diff=True, **GONE, **PAIRS, delete_volumes=True))
    assert (done["actions"], done["diff"]) == (planned["actions"], planned["diff"])
    sent = changes_sent_to(emulator)
    at = {command: sent.index(command) for command in {*sent}}
    last = {command: len(sent) - 1 - sent[::-1].index(command) for command in {*sent}}
    disk = shop["volumes"][0]["id"]
    (detached,) = (one for one in emulator.requests if one["command"] == "detachVolume")
    assert detached["params"]["id"] == disk
    machine = next(one["id"] for one in shop["vms"] if one["name"] == "web1")
    destroyed = [
        number
        for number, one in enumerate(emulator.requests)
        if one["command"] == "destroyVirtualMachine" and one["params"]["id"] == machine
    ]
    assert emulator.requests.index(detached) < destroyed[0]
    assert at["detachVolume"] < at["deleteVolume"]
    assert last["destroyVirtualMachine"] < at["deleteSSHKeyPair"]
    assert last["revokeSecurityGroupIngress"] < last["deleteSecurityGroup"]
    held = {"vms": [], "volumes": [], "groups": ["web"], "pairs": []}
    assert there() == held
    assert set(why(done)) == {"security_group web"}
    assert "destroyed VM" in why(done)["security_group web"]
    expunge(emulator)
    again = good(run_module(SITE, **GONE))
    assert (again["changed"], again["left"], there()["groups"]) == (True, [], [])
    emulator.clear()
    assert not good(run_module(SITE, **GONE, **PAIRS, delete_volumes=True))["changed"]
    assert changes_sent_to(emulator) == []


def test_the_graph_shows_what_goes_and_after_what(run_module: Run, shop: Result) -> None:
    graph = good(run_module(SITE, _check=True, name="shop", state="absent", graph=True))["graph"]
    actions = sorted((node["kind"], node["label"], node["action"]) for node in graph["nodes"])
    assert actions == [
        ("security_group", "admin", "remove"),
        ("security_group", "web", "keep"),  # the destroyed machines hold it
        ("vm", "web1", "remove"),
        ("vm", "web2", "remove"),
        ("volume", "data", "keep"),
    ]
    assert ["vm:web1", "security_group:WEB"] in graph["edges"]


def test_an_absent_site_without_items_is_found_by_its_tag(
    run_module: Run, shop: Result, there: Callable[[], Result]
) -> None:
    good(run_module(SITE, **GONE))
    assert there() == {"vms": [], "volumes": ["data"], "groups": ["web"], "pairs": ["deploy"]}


def test_data_disks_are_detached_and_stay_and_the_result_names_them(
    run_module: Run, shop: Result, emulator: Any, client: Any
) -> None:
    done = good(run_module(SITE, **GONE))
    (disk,) = client.list("listVolumes", {"type": "DATADISK"})
    assert (disk["id"], disk.get("virtualmachineid")) == (shop["volumes"][0]["id"], None)
    assert "delete_volumes: true" in why(done)["volume data"]
    assert "deleteVolume" not in changes_sent_to(emulator)


def test_groups_that_machines_hold_are_waited_for(run_module: Run, shop: Result, emulator: Any, there: Any) -> None:
    def refused() -> bool:
        asked = [(request["command"], request["status"]) for request in emulator.requests]
        return any(command == "deleteSecurityGroup" and status != 200 for command, status in asked)

    def forget() -> None:
        soon(refused, 60)
        expunge(emulator)

    service = threading.Thread(target=forget)
    service.start()
    done = good(run_module(SITE, **GONE, wait_for_expunge=True, wait_timeout=60))
    service.join()
    assert "security_group web" not in why(done)
    assert there()["groups"] == []


@pytest.mark.generation("3", reason="CloudStack 4 keeps the key in the machine")
def test_a_key_pair_in_use_stays(run_module: Run, shop: Result, emulator: Any, there: Callable[[], Result]) -> None:
    good(run_module("cloudn_vm", name="other", key_pair="deploy", **NEW))
    done = good(run_module(SITE, **GONE, **PAIRS))
    assert there()["pairs"] == ["deploy"]
    assert "other" in why(done)["key_pair deploy"]


def test_declared_objects_without_the_tag_stay_and_are_named(
    run_module: Run, shop: Result, emulator: Any, there: Callable[[], Result]
) -> None:
    good(run_module("cloudn_vm", name="web2", tags={}))  # as if a run had been killed before it set the tag
    good(run_module("cloudn_security_group", name="admin", tags={"cloudn_site": "bakery"}))
    done = good(run_module(SITE, **{**WHOLE, **GONE, "delete_volumes": True}))
    found = there()
    assert (found["vms"], found["volumes"], found["groups"]) == (["web2"], [], ["admin", "web"])
    reasons = why(done)
    assert "belongs to no site" in reasons["vm web2"]
    assert "belongs to the site 'bakery'" in reasons["security_group admin"]
    assert "web2" in reasons["security_group web"]


def test_nothing_of_others_goes(run_module: Run, shop: Result, emulator: Any, there: Callable[[], Result]) -> None:
    good(run_module("cloudn_vm", name="bakery1", tags={"cloudn_site": "bakery"}, **NEW))
    good(run_module("cloudn_vm", name="web10", tags={"cloudn_site": "shop2"}, **NEW))
    good(run_module("cloudn_volume", name="theirs", state="attached", vm="web1", **SMALL))
    good(run_module("cloudn_security_group", name="webs", tags={"cloudn_site": "Shop"}))
    good(run_module(SITE, **GONE, delete_volumes=True))
    found = there()
    assert (found["vms"], found["volumes"], found["groups"]) == (["bakery1", "web10"], ["theirs"], ["web", "webs"])


def test_a_disk_of_others_on_a_machine_that_goes_is_detached(run_module: Run, shop: Result, client: Any) -> None:
    good(run_module("cloudn_volume", name="theirs", state="attached", vm="web1", **SMALL))
    good(run_module(SITE, **GONE, delete_volumes=True))
    (disk,) = client.list("listVolumes", {"type": "DATADISK"})
    assert (disk["name"], disk.get("vmname")) == ("theirs", None)


def test_an_absent_site_that_is_not_there(run_module: Run, emulator: Any) -> None:
    done = good(run_module(SITE, **GONE, key_pairs=[{"name": "deploy"}]))
    assert (done["changed"], done["actions"], done["left"]) == (False, [], [])
    assert changes_sent_to(emulator) == []


# Prune


def pruned(run: Run, emulator: Any, **site: Any) -> Result:
    """Prune in check mode and then: check mode sends no change and tells the same."""
    emulator.clear()
    options = {**WHOLE, **site, "prune": True}
    planned = good(run(SITE, _check=True, _diff=True, **options))
    assert changes_sent_to(emulator) == []
    done = good(run(SITE, _diff=True, **options))
    assert (done["actions"], done["diff"], done["changed"]) == (planned["actions"], planned["diff"], planned["changed"])
    assert set(why(done)) == set(why(planned))
    return done


def test_without_prune_nothing_goes(run_module: Run, shop: Result, emulator: Any) -> None:
    assert not good(run_module(SITE, **SHOP, security_groups=[ADMIN, WEB]))["changed"]
    assert changes_sent_to(emulator) == []


def test_what_is_not_declared_any_more_goes(
    run_module: Run, shop: Result, emulator: Any, there: Callable[[], Result]
) -> None:
    good(run_module("cloudn_vm", name="other", **NEW))
    done = pruned(run_module, emulator, vms=[{**MACHINES, "name": ["web2"]}], volumes=[], delete_volumes=True)
    assert there() == {"vms": ["other", "web2"], "volumes": [], "groups": ["admin", "web"], "pairs": ["deploy"]}
    assert changes_sent_to(emulator) == ["detachVolume", "destroyVirtualMachine", "deleteVolume"]
    assert done["left"] == []


def test_disks_stay_without_delete_volumes(run_module: Run, shop: Result, emulator: Any, client: Any) -> None:
    done = pruned(run_module, emulator, volumes=[])
    assert not done["changed"]
    assert set(why(done)) == {"volume data"}
    done = pruned(run_module, emulator, vms=[{**MACHINES, "name": ["web2"]}], volumes=[])
    assert changes_sent_to(emulator) == ["detachVolume", "destroyVirtualMachine"]
    assert set(why(done)) == {"volume data"}
    assert client.list("listVolumes", {"type": "DATADISK"})[0].get("vmname") is None


def test_a_declared_disk_moves_from_a_machine_that_goes(
    run_module: Run, shop: Result, emulator: Any, client: Any
) -> None:
    volumes = [{"name": "data", "vm": "web2", "force": True, **SMALL}]
    pruned(run_module, emulator, vms=[{**MACHINES, "name": ["web2"]}], volumes=volumes, delete_volumes=True)
    assert changes_sent_to(emulator).count("detachVolume") == 1
    assert client.list("listVolumes", {"type": "DATADISK"})[0]["vmname"] == "web2"


def test_a_declared_disk_is_kept_when_its_machine_goes(
    run_module: Run, shop: Result, emulator: Any, client: Any
) -> None:
    pruned(
        run_module,
        emulator,
        vms=[{**MACHINES, "name": ["web2"]}],
        volumes=[{"name": "data", **SMALL}],
        delete_volumes=True,
    )
    (disk,) = client.list("listVolumes", {"type": "DATADISK"})
    assert (disk["id"], disk.get("vmname")) == (shop["volumes"][0]["id"], None)


def test_a_disk_that_moves_to_a_new_machine(run_module: Run, shop: Result, emulator: Any, client: Any) -> None:
    """A machine is renamed: the new one is made, the disk moves, and the old one goes."""
    volumes = [{"name": "data", "vm": "app1", "force": True, **SMALL}]
    pruned(run_module, emulator, vms=[{**MACHINES, "name": ["app1", "web2"]}], volumes=volumes)
    assert client.list("listVolumes", {"type": "DATADISK"})[0]["vmname"] == "app1"
    assert sorted(vm["name"] for vm in client.list("listVirtualMachines")) == ["app1", "web2"]


def test_a_group_that_a_destroyed_machine_holds_is_left(
    run_module: Run, shop: Result, emulator: Any, there: Callable[[], Result]
) -> None:
    done = pruned(
        run_module, emulator, security_groups=[ADMIN | {"ingress": []}], vms=[], volumes=[], delete_volumes=True
    )
    assert set(why(done)) == {"security_group web"}
    assert there()["groups"] == ["admin", "web"]
    expunge(emulator)
    good(run_module(SITE, **SHOP, security_groups=[ADMIN | {"ingress": []}], prune=True))
    assert there()["groups"] == ["admin"]


def test_a_group_that_others_use_is_left_with_its_rules(run_module: Run, shop: Result, emulator: Any) -> None:
    good(run_module("cloudn_vm", name="other", security_groups=["web"], **NEW))
    good(run_module("cloudn_security_group", name="theirs", ingress=[{"ports": "1", "groups": [{"name": "admin"}]}]))
    done = pruned(run_module, emulator, security_groups=[], vms=[], volumes=[])
    reasons = why(done)
    assert "other" in reasons["security_group web"]
    assert "theirs" in reasons["security_group admin"]
    rules = {one.name: len(one.rules) for one in emulator.store.security_groups.values()}
    assert (rules["web"], rules["admin"]) == (2, 1)


def test_a_group_that_a_rule_of_the_site_named_goes_in_the_same_run(
    run_module: Run, emulator: Any, there: Callable[[], Result]
) -> None:
    good(run_module(SITE, **SHOP, security_groups=[WEB, ADMIN]))
    good(run_module(SITE, **SHOP, security_groups=[{"name": "web", "ingress": []}], prune=True))
    assert there()["groups"] == ["web"]


def test_groups_that_name_each_other_go_together(run_module: Run, there: Callable[[], Result]) -> None:
    good(run_module(SITE, **SHOP, security_groups=[WEB, ADMIN]))
    done = good(run_module(SITE, **SHOP, prune=True))
    assert (there()["groups"], done["left"]) == ([], [])


def test_a_replaced_name_is_a_new_object(
    run_module: Run, shop: Result, emulator: Any, there: Callable[[], Result]
) -> None:
    pruned(run_module, emulator, vms=[{**MACHINES, "name": ["web1", "app2"]}])
    assert there()["vms"] == ["app2", "web1"]


@pytest.mark.parametrize("options", [{"prune": True}, {}], ids=["prune", "absent"])
def test_the_machines_of_a_site_go_although_others_show_their_names(
    run_module: Run, shop: Result, client: Any, options: Result
) -> None:
    good(run_module("cloudn_vm", name="other", display_name="web1", **NEW))
    good(run_module(SITE, **(SHOP if options else GONE), **options))
    assert [vm["name"] for vm in client.list("listVirtualMachines")] == ["other"]

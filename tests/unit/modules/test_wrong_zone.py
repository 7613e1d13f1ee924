# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A zone that does not fit: no second machine is made, and the error says where the object is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asked import sent_to
from samples import NEW

Run = Callable[..., dict[str, Any]]
Refused = Callable[..., str]
OTHER = {**NEW, "zone": "jp-e1b"}


@pytest.mark.parametrize("state", ["present", "started", "stopped", "restarted"])
@pytest.mark.parametrize("by", ["name", "id"])
def test_a_wrong_zone_makes_no_second_machine(
    vm_id: str, refused: Refused, run_module: Run, emulator: Any, state: str, by: str
) -> None:
    zone = next(one for one in emulator.store.zones.values() if one.name == "jp-e1b")
    options = {**NEW, "zone": zone.name if by == "name" else zone.id}
    told = refused("cloudn_vm", name="web1", state=state, **options)
    assert told == (
        f"zone: web1: not in jp-e1b, but in jp-e1a: {vm_id} (web1, jp-e1a). Correct the zone, or set same_name_elsewhere: true "
        "to create another one in jp-e1b"
    )
    assert set(sent_to(emulator)) <= {"listVirtualMachines", "listZones"}
    assert len(emulator.store.vms) == 1


def test_the_template_is_not_asked_for_first(vm_id: str, refused: Refused) -> None:
    """A task for an existing machine names no template. It is not to blame for that."""
    assert refused("cloudn_vm", name="web1", zone="jp-e1b", state="stopped").startswith("zone: web1: not in jp-e1b")


def test_each_of_several_machines_is_named(refused: Refused, run_module: Run, emulator: Any) -> None:
    ids = [one["id"] for one in run_module("cloudn_vm", name=["web1", "web2"], **NEW)["vms"]]
    run_module("cloudn_vm", name="web3", **OTHER)
    emulator.clear()
    told = refused("cloudn_vm", name=["web1", "web2", "web3", "web4"], **OTHER)
    assert told.startswith("zone: web1, web2: not in jp-e1b, but in jp-e1a: ")
    assert all(one in told for one in ids)
    assert len(emulator.store.vms) == 3


def test_the_option_allows_it(vm_id: str, beats: Run, run_module: Run, emulator: Any) -> None:
    done = beats("cloudn_vm", ["deployVirtualMachine"], name="web1", same_name_elsewhere=True, **OTHER)
    assert done["vm"]["zone"] == "jp-e1b"
    emulator.clear()
    for options in ({**NEW, "same_name_elsewhere": True}, NEW, OTHER):
        assert run_module("cloudn_vm", name="web1", **options)["changed"] is False
    assert sent_to(emulator) == ["listVirtualMachines"] * 3


@pytest.mark.parametrize(
    "existing",
    [
        {"name": "WEB1"},  # host names are compared exactly
        {"name": "web10"},
        {"name": "old", "display_name": "web1"},  # a display name is no host name
    ],
    ids=str,
)
def test_other_names_elsewhere_do_not_matter(run_module: Run, emulator: Any, existing: dict[str, Any]) -> None:
    assert run_module("cloudn_vm", **existing, **NEW)["changed"]
    assert run_module("cloudn_vm", name="web1", **OTHER)["changed"]
    assert len(emulator.store.vms) == 2


def test_a_machine_that_is_destroyed_there_does_not_matter(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(account="admin") as (run, emulator):
        run("cloudn_vm", name="web1", **NEW)
        run("cloudn_vm", name="web1", state="absent")
        assert run("cloudn_vm", name="web1", **OTHER)["changed"]


def test_a_missing_machine_is_absent_in_any_zone(vm_id: str, beats: Run) -> None:
    beats("cloudn_vm", [], name="web1", zone="jp-e1b", state="absent")


def test_a_zone_that_does_not_exist_is_told_first(vm_id: str, refused: Refused) -> None:
    assert refused("cloudn_vm", name="web1", **{**NEW, "zone": "jp-e1c"}).startswith("zone: there is no 'jp-e1c'")


@pytest.mark.parametrize(
    ("module", "options", "kind"),
    [
        ("cloudn_vm_password", {"name": "web1"}, "VM 'web1' (name)"),
        (
            "cloudn_vm",
            {"name": "web1", "state": "reinstalled", "confirm_reinstall": "web1"},
            "VM 'web1' (name)",
        ),
        (
            "cloudn_volume",
            {"name": "d", "disk_offering": "Small", "state": "attached", "vm": "web1"},
            "VM 'web1' (vm)",
        ),
        ("cloudn_volume", {"name": "data", "state": "extracted"}, "volume 'data' (name)"),
        ("cloudn_snapshot", {"vm": "web1"}, "VM 'web1' (vm)"),
        ("cloudn_snapshot", {"volume": "data"}, "volume 'data' (volume)"),
        (
            "cloudn_snapshot_policy",
            {"volume": "data", "interval": "daily", "time": "1:30", "keep": 1},
            "volume 'data' (volume)",
        ),
        ("cloudn_template", {"name": "x", "vm": "web1", "allow_restart": True}, "VM 'web1' (vm)"),
        ("cloudn_template", {"name": "x", "volume": "data"}, "volume 'data' (volume)"),
        ("cloudn_template", {"name": "image", "state": "extracted"}, "template 'image' (name)"),
    ],
    ids=str,
)
def test_an_object_in_another_zone_is_not_missing(
    run_module: Run, refused: Refused, module: str, options: dict[str, Any], kind: str
) -> None:
    made = [
        run_module("cloudn_vm", name="web1", **NEW),
        run_module("cloudn_volume", name="data", disk_offering="Small", state="attached", vm="web1"),
        run_module("cloudn_template", name="image", vm="web1", allow_restart=True),
    ]
    assert [one.get("msg") for one in made] == [None] * 3
    told = refused(module, zone="jp-e1b", **options)
    assert told.startswith(f"zone: the {kind} is in jp-e1a, not in jp-e1b: ")
    assert told.endswith(". Correct the zone, or leave the option zone out")
    assert "there is no" in refused(
        module, zone="jp-e1b", **{k: v if v not in ("web1", "data", "image") else "nope" for k, v in options.items()}
    )


def test_a_template_in_another_zone_is_not_missing(run_module: Run, refused: Refused, emulator: Any) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    assert run_module("cloudn_template", name="image", vm="web1", allow_restart=True)["changed"]
    told = refused("cloudn_vm", name="web2", **{**OTHER, "template": "image"})
    assert told.endswith(". 'image' is in jp-e1a: choose another zone, or copy it (zones of cloudn_template)")
    assert refused("cloudn_vm", name="web2", **{**OTHER, "template": "imago"}).startswith(
        "template: there is no template 'imago'"
    )


@pytest.mark.parametrize("check", [True, False])
def test_absent_warns_of_machines_in_another_zone(vm_id: str, run_module: Run, emulator: Any, check: bool) -> None:
    """They are in the listing that finds none in the zone, so no further request is needed."""
    names = ["web1", "web2"]
    done = run_module("cloudn_vm", _check=check, name=names, zone="jp-e1b", state="absent")
    assert done["changed"] is False
    assert done["warnings"] == [
        f"zone: web1: not in jp-e1b, but in jp-e1a: {vm_id} (web1, jp-e1a). Nothing is destroyed there. If it is the "
        "one that you mean, correct the zone"
    ]
    assert sent_to(emulator) == ["listVirtualMachines", "listZones"]
    assert run_module("cloudn_vm", name="web2", zone="jp-e1b", state="absent")["warnings"] == []
    assert run_module("cloudn_vm", name="web1", zone="jp-e1a", state="absent")["warnings"] == []


def test_absent_warns_of_other_objects_in_another_zone(run_module: Run) -> None:
    run_module("cloudn_vm", name="web1", **NEW)
    run_module("cloudn_volume", name="data", disk_offering="Small", state="attached", vm="web1")
    run_module("cloudn_template", name="image", vm="web1", allow_restart=True)
    policy = {"interval": "daily", "state": "absent"}
    for kind, module, options in (
        ("volume 'data' (name)", "cloudn_volume", {"name": "data", "state": "absent"}),
        ("volume 'data' (name)", "cloudn_volume", {"name": "data", "state": "detached"}),
        ("template 'image' (name)", "cloudn_template", {"name": "image", "state": "absent"}),
        ("volume 'data' (volume)", "cloudn_snapshot_policy", {"volume": "data", **policy}),
        ("VM 'web1' (vm)", "cloudn_snapshot_policy", {"vm": "web1", **policy}),
    ):
        done = run_module(module, zone="jp-e1b", **options)
        assert done["changed"] is False
        (warning,) = done["warnings"]
        assert warning.startswith(f"zone: the {kind} is in jp-e1a, not in jp-e1b: ")
        assert warning.endswith(". It is left as it is. If it is the one that you mean, correct the zone")

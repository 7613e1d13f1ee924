# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine whose template the service does not show, as it was deleted: every other option is compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asked import sent_to
from cloudn_emulator.commands import vm_view, vm_view_4
from samples import NEW, TEMPLATE

Run = Callable[..., dict[str, Any]]
MODULE = "cloudn_vm"


@pytest.fixture(autouse=True)
def machine(run_module: Run, emulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a machine, and have the service show no template from now on."""
    for name in ("web", "db"):
        run_module("cloudn_security_group", name=name)
    run_module("cloudn_key_pair", name="deploy")
    assert run_module(MODULE, name="web1", security_groups=["web"], tags={"role": "web"}, **NEW)["changed"]
    for view in (vm_view, vm_view_4):
        monkeypatch.setattr(view, "_template_fields", lambda _template: {})
    emulator.clear()


@pytest.mark.parametrize(
    ("options", "changes"),
    [
        ({"display_name": "Web"}, ["updateVirtualMachine"]),
        ({"group": "front"}, ["updateVirtualMachine"]),
        ({"os_type": "CentOS 5.6 (64-bit)"}, ["updateVirtualMachine"]),
        ({"tags": {"role": "db"}}, ["deleteTags", "createTags"]),
        ({"state": "stopped"}, ["stopVirtualMachine"]),
        (
            {"service_offering": "v2", "allow_restart": True},
            ["stopVirtualMachine", "changeServiceForVirtualMachine", "startVirtualMachine"],
        ),
    ],
    ids=str,
)
def test_differences_are_changed(beats: Run, options: dict[str, Any], changes: list[str]) -> None:
    beats(MODULE, changes, name="web1", **options)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"security_groups": ["db"]}, "security_groups are ['web'], not ['db']"),
        ({"key_pair": "deploy"}, "key_pair is none, not 'deploy'"),
        ({"disk_offering": "Small"}, "disk_offering of its data disks is none, not 'Small'"),
    ],
    ids=str,
)
@pytest.mark.generation("3", reason="CloudStack 4 changes some of them")
def test_what_no_command_changes_is_told(refused: Callable[..., str], options: dict[str, Any], said: str) -> None:
    assert said in refused(MODULE, name="web1", **options)


@pytest.mark.parametrize("drift", ["fail", "warn", "ignore"])
def test_the_template_itself_can_not_be_compared(run_module: Run, emulator: Any, drift: str) -> None:
    done = run_module(MODULE, name="web1", on_immutable_drift=drift, **NEW)
    assert (done.get("msg"), done["changed"]) == (None, False)
    told = [f"web1: the service shows no template of it. So it can't be compared with {TEMPLATE!r}"]
    assert [text.split(". The template")[0] for text in done["warnings"]] == (told if drift != "ignore" else [])
    assert sent_to(emulator) == ["listVirtualMachines"]


def test_a_hidden_machine_is_still_recognised(run_module: Run, run_module_as: Any) -> None:
    """A plain account does not see a destroyed machine. Only its id is known, so nothing but its state is compared."""
    gone = run_module(MODULE, name="web1", state="absent")["vm"]["id"]
    told = run_module(MODULE, name=gone, service_offering="v2", template="other")
    assert f"{gone} is Destroyed (id {gone}). Set recover: true" in told["msg"]

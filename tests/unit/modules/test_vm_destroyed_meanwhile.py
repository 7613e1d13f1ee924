# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual machine that somebody else destroys while a task changes it: the task does not call it well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client
from samples import NEW

Result = dict[str, Any]
CHANGES = {
    "tags": ({"tags": {"role": "db"}}, "createTags"),
    "display name": ({"display_name": "Web"}, "updateVirtualMachine"),
    "start": ({"state": "stopped"}, "stopVirtualMachine"),
    "offering": ({"service_offering": "v2", "allow_restart": True}, "changeServiceForVirtualMachine"),
    "start after the offering": ({"service_offering": "v2", "allow_restart": True}, "startVirtualMachine"),
}


@pytest.mark.parametrize(("options", "command"), CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
def test_the_task_fails(
    run_module: Callable[..., Result],
    emulator: Any,
    monkeypatch: pytest.MonkeyPatch,
    options: Result,
    command: str,
    many: bool,
) -> None:
    names = ["web1", "web2", "web3"] if many else ["web1"]
    assert not run_module("cloudn_vm", name=names, tags={"role": "web"}, **NEW).get("failed")
    call, done = Client.call, []

    def destroyed_before(self: Client, sent: str, *args: Any, **more: Any) -> Result:
        if sent == command and not done:
            done.append(sent)
            store = emulator.store
            store.mark_destroyed(next(vm for vm in store.vms.values() if vm.name == "web1"))
        return call(self, sent, *args, **more)

    monkeypatch.setattr(Client, "call", destroyed_before)
    ended = run_module("cloudn_vm", name=names, **options)
    assert done == [command]
    assert ended["failed"], ended
    assert ["error" in machine for machine in ended["vms"]] == [True] + [False] * (len(names) - 1)
    assert "web1" in ended["msg"]


def test_a_change_that_shows_the_machine_costs_no_look_more(run_module: Callable[..., Result], emulator: Any) -> None:
    assert not run_module("cloudn_vm", name="web1", **NEW).get("failed")
    emulator.clear()
    assert run_module("cloudn_vm", name="web1", display_name="Web", tags={"role": "web"})["changed"]
    assert [one["command"] for one in emulator.requests].count("listVirtualMachines") == 1


def test_a_last_look_that_fails_does_not_hide_what_was_changed(
    run_module: Callable[..., Result], emulator: Any
) -> None:
    """The first list shows the machine, the second one is the last look."""
    assert not run_module("cloudn_vm", name="web1", tags={"role": "web"}, **NEW).get("failed")
    emulator.faults([{"kind": "status", "status": 503, "command": "listVirtualMachines", "nth": [2, 3, 4]}])
    ended = run_module("cloudn_vm", name="web1", tags={"role": "db"})
    assert ended["failed"] and ended["changed"]
    assert ended["msg"].startswith("listVirtualMachines: ")
    assert "So it is not known whether web1 is still there: run the task again" in ended["msg"]
    emulator.faults([])
    again = run_module("cloudn_vm", name="web1", tags={"role": "db"})
    assert (again.get("failed"), again["changed"]) == (None, False)

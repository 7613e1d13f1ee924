# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A record with a bad member: who needs it gets an error, who does not goes on, and a list shows the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read
from asked import changes_sent_to
from rewriting import Rewriter
from samples import NEW

Result = dict[str, Any]
Run = Callable[..., Result]


@pytest.fixture
def site(run_module: Run, emulator: Any) -> None:
    run_module("cloudn_vm", name=["web1", "web2", "web3"], **NEW)
    emulator.clear()


@pytest.fixture
def spoil(rewriter: Rewriter) -> Callable[..., None]:
    """Return a function that makes members of one record bad in each answer to a command: ``spoil(command, name, x=[])``."""

    def spoil(command: str, name: str, /, **members: Any) -> None:
        def change(asked: str, _status: int, body: bytes) -> bytes:
            if asked != command:
                return body
            tree = json.loads(body)
            pending = [tree]
            while pending:
                value = pending.pop()
                if isinstance(value, dict):
                    if value.get("name") == name:
                        value.update(members)
                    pending += value.values()
                elif isinstance(value, list):
                    pending += value
            return json.dumps(tree).encode()

        rewriter.change = change

    return spoil


def test_info_shows_the_rest_and_names_the_bad_record(site: None, run_rewritten: Run, spoil: Any) -> None:
    spoil("listVirtualMachines", "web2", nic="none")
    done = run_rewritten("cloudn_vm_info")
    assert sorted(vm["name"] for vm in done["vms"]) == ["web1", "web3"]
    (warning,) = done["warnings"]
    assert "virtualmachine web2" in warning and "nic is 'none', not a list of objects" in warning


@pytest.mark.parametrize("state", ["present", "absent", "stopped"])
@pytest.mark.parametrize("member", ["name", "state", "zoneid", "id"])
def test_a_task_does_not_take_a_bad_record_for_a_missing_one(
    site: None, run_rewritten: Run, emulator: Any, spoil: Any, state: str, member: str
) -> None:
    """web2 might be anywhere, in any state, or have any name: nothing is made, and nothing is called gone."""
    spoil("listVirtualMachines", "web2", **{member: None})
    options = {**NEW, "tags": {"a": "b"}} if state == "present" else {"zone": "jp-e1a"}
    done = run_rewritten("cloudn_vm", name="web2", state=state, **options)
    assert done["failed"], done
    assert f"{member} is missing" in done["msg"] and ("web2" in done["msg"] or member == "name"), done["msg"]
    assert changes_sent_to(emulator) == []
    assert len(emulator.store.vms) == 3


def test_a_task_on_another_object_goes_on(site: None, run_rewritten: Run, emulator: Any, spoil: Any) -> None:
    spoil("listVirtualMachines", "web2", nic="none", memory="much")
    done = run_rewritten("cloudn_vm", name=["web1", "web3"], state="stopped")
    assert not done.get("failed"), done
    assert changes_sent_to(emulator) == ["stopVirtualMachine"] * 2
    done = run_rewritten("cloudn_vm", name="web2", state="stopped")
    assert done["failed"] and "web2" in done["msg"] and ("nic " in done["msg"] or "memory " in done["msg"])


def test_a_bad_result_of_a_job_is_looked_up(site: None, run_rewritten: Run, emulator: Any, spoil: Any) -> None:
    """The machine was stopped. Its record in the job's result can't be read, that in the list can."""
    spoil("queryAsyncJobResult", "web1", state=["Stopped"])
    done = run_rewritten("cloudn_vm", name="web1", state="stopped")
    assert not done.get("failed"), done
    assert done["changed"] and done["vm"]["state"] == "Stopped"
    assert changes_sent_to(emulator) == ["stopVirtualMachine"]


@pytest.mark.parametrize("result", [None, "x", [], {"virtualmachine": "x"}, {"virtualmachine": [["x"]]}, {}])
def test_a_job_without_its_object_in_the_result_is_looked_up(
    site: None, run_rewritten: Run, rewriter: Rewriter, emulator: Any, result: Any
) -> None:
    def change(asked: str, _status: int, body: bytes) -> bytes:
        if asked != "queryAsyncJobResult":
            return body
        tree = json.loads(body)
        (fields,) = tree.values()
        if fields.get("jobstatus") == 1:
            fields["jobresult"] = result
        return json.dumps(tree).encode()

    rewriter.change = change
    done = run_rewritten("cloudn_vm", name=["new1"], **NEW)
    assert not done.get("failed"), done
    assert done["changed"] and done["vm"]["state"] == "Running"
    assert [command for command in changes_sent_to(emulator) if not is_read(command)] == ["deployVirtualMachine"]
    assert sum(vm.name == "new1" for vm in emulator.store.vms.values()) == 1


def test_a_raw_answer_is_shown_as_it_is(site: None, run_rewritten: Run, spoil: Any) -> None:
    spoil("listVirtualMachines", "web2", nic="none", state=["x"])
    done = run_rewritten("cloudn_api", command="listVirtualMachines")
    shown = {vm["name"]: vm for vm in done["result"]["virtualmachine"]}
    assert (shown["web2"]["nic"], shown["web2"]["state"]) == ("none", ["x"])


def test_a_zone_that_is_asked_for_by_its_name_is_not_called_missing(site: None, run_rewritten: Run, spoil: Any) -> None:
    spoil("listZones", "jp-e1b", name=["jp-e1b"])
    done = run_rewritten("cloudn_vm_info", zone="jp-e1b")
    assert done["failed"] and "name is a list, not a text" in done["msg"]
    assert len(run_rewritten("cloudn_vm_info", zone="jp-e1b".replace("b", "a")).get("vms", [])) in (0, 3)
    shown = run_rewritten("cloudn_zone_info")
    assert [zone["name"] for zone in shown["zones"]] == ["jp-e1a"] and len(shown["warnings"]) == 1

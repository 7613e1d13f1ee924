# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With ``wait: false`` every result has ``jobs``, also if there are none, so that a play can hand them on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from samples import NEW

Run = Callable[..., dict[str, Any]]
TASKS = [
    ("cloudn_vm", {"name": "web1", **NEW}),
    ("cloudn_vm", {"name": "web1", "state": "absent"}),
    ("cloudn_security_group", {"name": "web", "ingress": [{"ports": 22, "cidrs": "192.0.2.1"}]}),
    ("cloudn_security_group", {"name": "web", "state": "absent"}),
    ("cloudn_key_pair", {"name": "deploy"}),
    ("cloudn_volume", {"name": "data", "zone": "jp-e1a", "disk_offering": "Small"}),
    ("cloudn_volume", {"name": "nothing", "state": "absent"}),
    ("cloudn_snapshot", {"name": "nothing", "state": "absent"}),
    ("cloudn_snapshot_policy", {"volume": "nothing", "interval": "daily", "state": "absent"}),
    ("cloudn_template", {"name": "nothing", "state": "absent"}),
    ("cloudn_api", {"command": "listZones"}),
    ("cloudn_api", {"command": "createSecurityGroup", "params": {"name": "db"}}),
]


@pytest.mark.parametrize(("module", "options"), TASKS, ids=[f"{module} {options}" for module, options in TASKS])
def test_jobs_are_there_without_waiting(run_module: Run, module: str, options: dict[str, Any]) -> None:
    for check in (True, False, False):
        done = run_module(module, _check=check, wait=False, **options)
        assert not done.get("failed") or module == "cloudn_api", done  # a second group of the name is refused
        assert isinstance(done["jobs"], list)


def test_jobs_are_there_after_a_failure(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(denied=["createTags"]) as (run, _emulator):
        run("cloudn_vm", name="web1", **NEW)
        done = run("cloudn_vm", name="web1", tags={"a": "b"}, wait=False)
        assert done["failed"]
        assert done["jobs"] == []


@pytest.mark.parametrize(
    "wrong",
    [{"zone": ""}, {"statee": "x"}, {"name": None}, {"state": "x"}, {"wait_timeout": -1}, {"api_secret": ""}],
    ids=str,
)
@pytest.mark.parametrize("wait", [False, "no", "False"], ids=repr)
def test_jobs_are_there_with_a_wrong_option(run_module: Run, wrong: dict[str, Any], wait: Any) -> None:
    done = run_module("cloudn_vm", **{"name": "web1", **NEW, **wrong}, wait=wait)
    assert done["failed"]
    assert done["jobs"] == []


@pytest.mark.parametrize("more", [{}, {"wait": True}, {"wait": None}, {"wait": "maybe"}], ids=str)
def test_a_task_that_waits_has_none_with_a_wrong_option(run_module: Run, more: dict[str, Any]) -> None:
    assert "jobs" not in run_module("cloudn_vm", name="web1", zone="", **more)
    assert "jobs" not in run_module("cloudn_zone_info", name="")


def test_there_are_none_where_the_task_waits(run_module: Run) -> None:
    assert "jobs" not in run_module("cloudn_vm", name="web1", **NEW)


def test_a_play_hands_them_on(run_module: Run) -> None:
    for _run in range(2):
        jobs = run_module("cloudn_vm", name="web1", wait=False, **NEW)["jobs"]
        assert not run_module("cloudn_job", jobs=jobs).get("failed")

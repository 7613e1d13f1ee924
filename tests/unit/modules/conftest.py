# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Four beats for a module: check mode, run, run again, read back. Each looks at the requests that were sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read
from ansible_collections.cloudn.compute.plugins.module_utils.api.errors import joined
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import duplicates
from asked import sent_to
from samples import NEW

Result = dict[str, Any]
MAY_BE_MADE = ". Check mode makes nothing. If an earlier task of this play makes it, this is no mistake: run the play without --check"


@pytest.fixture(autouse=True)
def no_other_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other run makes an object at the same moment, or deletes one of two that a test has made."""
    monkeypatch.setattr(duplicates, "GAP", 0.0)
    monkeypatch.setattr(duplicates, "PATIENCE", 0.1)


@pytest.fixture
def sent(emulator: Any) -> Callable[[], list[str]]:
    """Return the commands that changed something (or tried to) since the last look, in the order they came."""

    def look() -> list[str]:
        commands = sent_to(emulator)
        emulator.clear()
        return [command for command in commands if not is_read(command)]

    return look


@pytest.fixture
def beats(run_module: Callable[..., Result], emulator: Any, sent: Callable[[], list[str]]) -> Callable[..., Result]:
    """Return a function that runs a module in four beats and returns the result of the second.

    ``beats(module, changes, **options)``: in check mode nothing that changes is sent; the run sends exactly
    ``changes`` (in any order where a set of several is sent at once); it tells the same actions and the same diff as check
    mode did; a second run changes nothing and sends nothing that does.
    """

    def play(module: str, changes: list[str], /, **options: Any) -> Result:
        sent()
        planned = run_module(module, _check=True, _diff=True, **options)
        assert not planned.get("failed"), planned
        assert sent() == []
        done = run_module(module, _diff=True, **options)
        assert not done.get("failed"), done
        assert sorted(sent()) == sorted(changes)
        assert done["changed"] is planned["changed"] is bool(changes)
        assert done["actions"] == planned["actions"]
        assert done["diff"] == planned["diff"]
        again = run_module(module, _diff=True, **options)
        assert not again.get("failed"), again
        assert again["changed"] is False
        assert again["actions"] == []
        assert again["diff"]["before"] == again["diff"]["after"]
        assert sent() == []
        return done

    return play


@pytest.fixture
def refused(run_module: Callable[..., Result], sent: Callable[[], list[str]]) -> Callable[..., str]:
    """Return a function that runs a module which must fail, in check mode and really, before anything is changed.

    Where something is missing, check mode says beside that an earlier task may have to make it.
    """

    def play(module: str, /, **options: Any) -> str:
        sent()
        planned = run_module(module, _check=True, **options)
        done = run_module(module, **options)
        assert planned["failed"] and done["failed"]
        assert planned["msg"] in (done["msg"], joined(done["msg"], MAY_BE_MADE))
        assert "Traceback" not in done["msg"]
        assert sent() == []
        return str(done["msg"])

    return play


@pytest.fixture
def vm_id(run_module: Callable[..., Result], emulator: Any) -> str:
    """Make a machine; return its id."""
    made = run_module("cloudn_vm", name="web1", **NEW)["vm"]["id"]
    emulator.clear()
    return made


@pytest.fixture
def disk(run_module: Callable[..., Result], emulator: Any) -> str:
    """Make a data disk on a running machine; return its id."""
    run_module("cloudn_vm", name="db1", **NEW)
    made = run_module("cloudn_volume", name="data", state="attached", vm="db1", disk_offering="Small")
    emulator.clear()
    return made["volume"]["id"]

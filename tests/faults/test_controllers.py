# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of ansible-playbook: killed at some request and run again, or two of the same playbook at once."""

from __future__ import annotations

import json
import os
import pathlib
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from cases import sample
from holdings import holdings
from playbooks import SITE, VMS, Play, asked, wait_for_requests
from reaching import environment_of

SEED = int(os.environ.get("FAULTS_SEED", "1"))
JOB_SECONDS = 0.3
Start = Callable[..., Play]


@pytest.fixture
def start(tmp_path: pathlib.Path) -> Start:
    """Return a function that begins to run the site's playbook against an emulator."""
    path = tmp_path / "site.yml"
    path.write_text(yaml.safe_dump(SITE))
    return lambda emulator: Play(path, environment_of(emulator))


def well(play: Play) -> int:
    """Wait for the good end of a run; return how many tasks changed something."""
    code, output = play.end()
    assert code == 0, output
    return int(re.search(r"changed=(\d+)", output)[1])


def run_tasks(run: Callable[..., Any]) -> int:
    """Run the site's tasks in this process; return how many changed something."""
    changed = 0
    for entry in SITE[0]["tasks"]:
        ((name, options),) = [(key, value) for key, value in entry.items() if key != "loop"]
        for item in entry.get("loop", [""]):
            done = run(
                name.rpartition(".")[2], _patient=True, **json.loads(json.dumps(options).replace("{{ item }}", item))
            )
            assert not done.get("failed"), done["msg"]
            changed += done["changed"]
    return changed


@pytest.fixture
def calm(run_module_as: Any) -> tuple[dict[str, Any], int]:
    """What an undisturbed run leaves, and how many requests it makes, without those for jobs."""
    with run_module_as(job_seconds=0.02) as (run, emulator):
        assert run_tasks(run) == 8
        return holdings(emulator.store), asked(emulator)


@pytest.mark.parametrize("number", sample("killed", range(20), 1))
def test_after_a_killed_run_the_next_one_converges(run_module_as: Any, start: Start, calm: Any, number: int) -> None:
    """SIGKILL ends all its processes at some request. The next run converges and makes nothing twice."""
    wanted, requests = calm
    at = random.Random(f"{SEED} {number}").randint(1, requests - 1)
    with run_module_as(job_seconds=JOB_SECONDS) as (run, emulator):
        play = start(emulator)
        killed = wait_for_requests(emulator, play, at)
        play.kill()
        assert killed, f"it ended before request {at} of {requests}"
        assert list(play.processes()) == []
        well(start(emulator))
        assert holdings(emulator.store) == wanted, f"killed at request {at}"
        assert run_tasks(run) == 0


@pytest.mark.parametrize("number", sample("two", range(5), 1))
def test_two_runs_at_once_make_one_of_each(run_module_as: Any, start: Start, calm: Any, number: int) -> None:
    """The same playbook from two controllers that start together: both end well, and there is one of each."""
    wanted, _requests = calm
    with run_module_as(job_seconds=JOB_SECONDS) as (run, emulator):
        plays = [start(emulator), start(emulator)]
        changes = [well(play) for play in plays]
        assert holdings(emulator.store) == wanted
        assert sum(changes) >= 7
        assert run_tasks(run) == 0
        assert {vm.name for vm in emulator.store.vms.values()} == set(VMS)

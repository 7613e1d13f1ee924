# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode of a whole run tells what the run does, task by task, though nothing exists that its tasks would make.

``make test`` compares a sample of the random runs, ``FAULTS=all`` all of them. ``CHECK_RUNS_SEED`` chooses others.
"""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read
from check_runs import Chance, play, told

ALL = os.environ.get("FAULTS") == "all"
SEED = os.environ.get("CHECK_RUNS_SEED", "1")
RUNS = 50 if ALL else 3  # on each generation


@pytest.mark.parametrize("number", range(RUNS))
@pytest.mark.generation("3", "4", reason="each has runs of its own")
def test_a_random_run_does_what_its_check_mode_told(
    playbook: Callable[..., Any], emulator: Any, generation: str, number: int, tmp_path: pathlib.Path
) -> None:
    chance = Chance(f"{SEED} {generation} {number}", generation)
    before, tasks = chance.before(), chance.tasks()
    text = play([*before, *tasks], tmp_path / "results.json")
    if before:
        run(playbook, play(before, tmp_path / "before.json"))
        text = play(tasks, tmp_path / "results.json")
    emulator.clear()
    run(playbook, text, "--check", "--diff")
    changes = [request["command"] for request in emulator.requests if not is_read(request["command"])]
    planned = json.loads((tmp_path / "results.json").read_text())
    run(playbook, text)
    real = json.loads((tmp_path / "results.json").read_text())
    assert changes == []
    differing = [
        f"{number}: {task}\n   planned: {told(one)} {one.get('msg', '')}\n   real:    {told(other)} {other.get('msg', '')}"
        for number, (task, one, other) in enumerate(zip(tasks, planned, real, strict=True))
        if told(one) != told(other)
    ]
    assert not differing, "\n".join([*differing, "of the run:", *(f"{n}: {task}" for n, task in enumerate(tasks))])


def run(playbook: Callable[..., Any], text: str, *arguments: str) -> None:
    done = playbook(text, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr

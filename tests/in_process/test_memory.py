# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks inside Ansible cost its main process hardly any memory, and a worker less than a module's process."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import pytest
import ways
from samples import NEW

pytestmark = pytest.mark.generation("3", reason="memory is the same on both")
TASKS = 200
MOST = 5 * 1024  # KiB more in the main process than for so many `debug` tasks
# Python runs this at its start. Each worker of Ansible writes what it shares with nobody at its beginning and at its end, in
# KiB, and each process of a module what it had at most.
MEASURE = """
import atexit, multiprocessing.util, os, resource, sys

def write(*words):
    with open(os.environ["MEASURED"], "a") as file:
        file.write(" ".join(map(str, words)) + "\\n")

def alone():
    with open("/proc/self/smaps_rollup") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))

def begin(_none):
    began = alone()
    multiprocessing.util.Finalize(None, lambda: write("worker", began, alone()), exitpriority=1)

def end():
    if sys.argv[:1] in ([""], ["-"]):
        write("module", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

multiprocessing.util.register_after_fork(write, begin)
atexit.register(end)
"""


def test_many_tasks_leave_the_main_process_as_small_as_those_of_ansible_itself(
    run_module_as: Callable[..., Any], tmp_path: pathlib.Path
) -> None:
    with run_module_as(job_seconds=0.01) as (run, emulator):
        made = run("cloudn_vm", name="web1", **NEW)
        assert not made.get("failed")
        debug = "    - ansible.builtin.debug: {msg: x}"
        one = ways.task(1, "cloudn_vm", {"name": "web1", **NEW})
        grown = {}
        for name, task in (("debug", debug), ("ours", one)):
            _done, few = ways.run(emulator, tmp_path, ways.play([task]))
            done, many = ways.run(emulator, tmp_path, ways.play([task] * TASKS))
            assert done.returncode == 0, done.stdout + done.stderr
            assert len(many) == TASKS + 1
            grown[name] = many[-1]["memory"] - few[-1]["memory"]
        assert grown["ours"] <= grown["debug"] + MOST, grown


def test_a_worker_adds_less_than_a_process_of_a_module(emulator: Any, tmp_path: pathlib.Path) -> None:
    """What a worker adds is what it shares with nobody at its end, less what it shared with nobody at its beginning."""
    (tmp_path / "sitecustomize.py").write_text(MEASURE)
    # At the end of a run Ansible kills its workers, so the one that counts gets a second to end.
    last = "    - ansible.builtin.pause: {seconds: 1}"
    book = ways.play([ways.task(1, "cloudn_vm", {"name": "web1", **NEW}, check_mode=True), last])
    told = {}
    for way in (ways.INSIDE, ways.SENT):
        measured = tmp_path / f"measured-{way}"
        done, _lines = ways.run(
            emulator, tmp_path, book, CLOUDN_IN_PROCESS=way, PYTHONPATH=str(tmp_path), MEASURED=str(measured)
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told[way] = [line.split() for line in measured.read_text().splitlines()]
    began, ended = next(map(int, line[1:]) for line in told[ways.INSIDE] if line[0] == "worker")
    (peak,) = [int(line[1]) for line in told[ways.SENT] if line[0] == "module"]
    assert ended - began < peak, told

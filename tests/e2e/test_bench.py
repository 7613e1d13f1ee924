# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench works at its smallest size, without the peer. `make bench` measures the real figures."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from typing import Any

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "bench"))

from figures import Figure, table, times_ours, times_theirs

ROOT = pathlib.Path(__file__).parents[2]


def run(command: list[Any]) -> subprocess.CompletedProcess[str]:
    """Run a command in the checkout."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def test_the_bench_works_at_its_smallest(tmp_path: pathlib.Path) -> None:
    results = tmp_path / "results.json"
    command = [sys.executable, "bench", "--quick", "--without-peer", "--results", results, "--docs", tmp_path]
    done = run(command)
    assert done.returncode == 0, done.stdout + done.stderr
    kept = json.loads(results.read_text())
    assert kept["failures"] == {}
    assert kept["machine"]["cpus"] >= 1
    assert {"cloudn.compute", "ansible-core", "requests"} <= kept["versions"].keys()
    shown_everywhere(done.stdout, tmp_path, kept)
    by_work = {(one["work"], one["against"]): one for one in kept["figures"]}
    # What takes no time to say must be right at any size.
    for kind in ("a machine", "50 machines", "100 rules", "a volume", "a template"):
        assert by_work[f"unchanged, {kind}: requests", ""]["value"] == 1
    assert by_work["inventory of 10 from the cache: requests", ""]["reached"] is True
    assert by_work["a group with 3 rules from nothing: requests but polls", ""]["value"] == 6
    assert by_work["3 machines from nothing: time", "one machine"]["value"] < 3


def shown_everywhere(said: str, folder: pathlib.Path, kept: dict[str, Any]) -> None:
    """Check that each figure is on the screen and on the page, and that there is a drawing."""
    for one in kept["figures"]:
        assert f"| {one['work']} " in said
        assert f"| {one['work']} " in (folder / "speed.md").read_text()
    drawing = (folder / "bench.svg").read_text()
    assert drawing.startswith("<svg ")
    assert "inventory of 30: time" in drawing


def test_an_unknown_commit_is_reported() -> None:
    command = [sys.executable, "bench", "--quick", "--without-peer", "--row", "before", "--before", "no-such-commit"]
    done = run(command)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no-such-commit" in done.stdout


def test_the_emulator_does_not_grow() -> None:
    kept = ["--keep-jobs", "100", "--keep-events", "100", "--keep-requests", "1000"]
    options = [*kept, "--parts", "4", "--requests", "1500", "--most", "5"]
    command = [sys.executable, "bench/soak.py", *options]
    done = run(command)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("MiB\n") == 5


def test_a_soak_that_finds_growth_fails() -> None:
    options = ["--keep-jobs", "100000", "--parts", "3", "--fill", "100", "--requests", "1000", "--most", "5"]
    command = [sys.executable, "bench/soak.py", *options]
    done = run(command)
    assert done.returncode == 1, done.stdout + done.stderr


def test_a_bar_that_is_missed_is_shown() -> None:
    slow = times_theirs("work", "floor", [3.0, 2.0, 9.0], [1.0, 2.0, 3.0], most=1.2)
    assert (slow.value, slow.reached) == (1.5, False)
    fast = times_ours("work", "peer", [1.0], [6.0], least=5)
    assert (fast.value, fast.reached) == (6.0, True)
    told = table([slow, fast, Figure("work", "", 1.0)])
    assert told.count("MISSED") == 1
    assert told.count("reached") == 1

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How `.ci/run` ends: with pytest's summary, or with a line that counts, whatever failed."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).parents[2]
PASSED = "===== 20 passed, 1 skipped in 3.20s ====="
FAILED = "===== 2 failed, 20 passed, 1 error in 3.20s ====="
LEFT_OUT = 3


def program(folder: pathlib.Path, name: str, text: str) -> None:
    """Put a program into a folder."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("bare", "tests", "summary", "status", "last"),
    [
        (0, 0, PASSED, 0, PASSED),
        (LEFT_OUT, 0, PASSED, 0, PASSED),
        (0, 2, FAILED, 2, FAILED),
        (0, 2, "ruff found something", 2, "0 passed, 1 failed"),
        (1, 0, PASSED, 1, "20 passed, 1 failed"),
        (1, 2, FAILED, 1, "20 passed, 4 failed"),
        (1, 2, "ruff found something", 1, "0 passed, 2 failed"),
        (0, 2, f"{PASSED}\nthe machine went down", 2, PASSED),
    ],
)
def test_the_last_line_counts(
    tmp_path: pathlib.Path, bare: int, tests: int, summary: str, status: int, last: str
) -> None:
    """The machine is bare of all but these programs' doubles: what they do is not of interest here."""
    program(tmp_path, "id", "echo 1000")  # nobody installs anything then
    program(tmp_path, "python3", f'case "$*" in *bare_machine*) exit {bare} ;; esac')
    program(tmp_path, "make", f"printf '%s\\n' '{summary}'\ntest \"$1\" = test && exit {tests}")
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [ROOT / ".ci" / "run"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == status
    assert done.stdout.splitlines()[-1] == last
    assert (bare == 1) == ("FAILED: make demo, or the tests on a bare Debian" in done.stdout)

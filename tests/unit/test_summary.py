# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The end of a run of the tests names what failed, one line for each, and nothing else."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[2]
TESTS = """
import pytest

@pytest.fixture
def broken():
    raise RuntimeError("no fixture")

def test_right(): pass

def test_wrong(): assert "a\\n" * 500 == "b" * 500, "first line\\n" + "second line " * 50

def test_long(): raise ValueError("long " * 100)

def test_broken(broken): pass

def test_skipped(): pytest.skip("a reason that only who asks for it wants to read")
"""


def end_of_run(folder: pathlib.Path, *options: str) -> str:
    """What pytest says from the summary on, with the settings of the project, as on a CI machine."""
    (folder / "test_it.py").write_text(TESTS)
    settings = ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), "-p", "summary", "--noconftest"]
    command = [sys.executable, "-m", "pytest", *settings, *options, str(folder / "test_it.py")]
    environment = {**os.environ, "CI": "true", "PYTHONPATH": str(ROOT / "tests")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout[done.stdout.rindex("What failed") :]


def test_the_summary_names_failures_and_errors_in_one_line_each(tmp_path: pathlib.Path) -> None:
    _title, *lines, counts = end_of_run(tmp_path).splitlines()
    assert lines[0] == "FAILED test_it.py::test_wrong - AssertionError: first line"
    assert lines[1].startswith("FAILED test_it.py::test_long - ValueError: long long")
    assert lines[1].endswith(" ...")
    assert lines[2] == "ERROR test_it.py::test_broken - RuntimeError: no fixture"
    assert all(len(line) < 250 for line in lines)
    assert "2 failed, 1 passed, 1 skipped, 1 error" in counts


def test_the_reasons_of_skipped_tests_are_there_for_who_asks(tmp_path: pathlib.Path) -> None:
    assert "a reason that only who asks" not in end_of_run(tmp_path)
    assert "a reason that only who asks" in end_of_run(tmp_path, "-rs")

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oldest Python that a target of ansible-core 2.18 may have: all files compile there, and every module does its tasks.

A test is left out, with the reason, where there is no such Python or it can't get the libraries. ``make test`` takes one task
of each module, ``make test-faults`` (``FAULTS=all``) more.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
import virtual_environment
import ways
from copied import search_path
from drawn import Drawn, draw
from programs import Failed
from test_options import MODULES, built_for

ROOT = pathlib.Path(__file__).parents[2]
OLDEST = "python3.8"
COUNT = 12 if os.environ.get("FAULTS") == "all" else 1
# A task that failed there once.
COPIED = {"name": "copied", "vm": "web1", "allow_restart": True, "zones": ["jp-e1a"]}
WRITTEN = [Drawn("cloudn_template", COPIED, check=False, diff=False)]


@pytest.fixture(scope="session")
def oldest() -> str:
    """The oldest Python."""
    found = shutil.which(OLDEST, path=search_path())
    return found or pytest.skip(f"there is no {OLDEST} here")


@pytest.fixture(scope="session")
def with_libraries(oldest: str, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The oldest Python in an environment that has what modules need."""
    folder = tmp_path_factory.mktemp("oldest")
    python = folder / "bin" / "python"
    try:
        virtual_environment.create(folder, virtual_environment.run_quietly, oldest)
        install = ("-m", "pip", "install", "-q", "-r", ROOT / "requirements.txt")
        virtual_environment.run_quietly(python, *install)
    except Failed as failure:
        pytest.skip(f"{OLDEST} can't get the libraries of requirements.txt: {failure}")
    return python


def test_all_that_targets_run_compiles(oldest: str) -> None:
    files = [str(path) for name in ("modules", "module_utils") for path in (ROOT / "plugins" / name).rglob("*.py")]
    # It writes nothing beside the files.
    program = "import sys\nfor path in sys.argv[1:]: compile(open(path, encoding='utf-8').read(), path, 'exec')"
    done = subprocess.run([oldest, "-c", program, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("part", range(3))
def test_every_module_does_its_tasks_there(
    part: int, with_libraries: pathlib.Path, generation: str, run_module_as: Callable[..., Any], tmp_path: pathlib.Path
) -> None:
    """Whatever the outcome of a drawn task, no module ends with an error of Python."""
    several = [*WRITTEN, *(one for name in MODULES[part::3] for one in draw(name, COUNT, 3))]
    text = ways.play(
        [
            ways.task(number, one.module, one.options, check_mode=one.check, diff=one.diff)
            for number, one in enumerate(several)
        ]
    )
    with run_module_as(job_seconds=0.005) as (run, emulator):
        for module, options in built_for("cloudn_site").items():
            assert not run(module, **options).get("failed")
        # A variable, as the local host has one of its own for this Python.
        done, lines = ways.run(emulator, tmp_path, text, "-vvv", "-e", f"ansible_python_interpreter={with_libraries}")
    assert str(with_libraries) in done.stdout
    results = [line["result"] for line in lines[:-1]]
    assert len(results) == len(several), done.stdout + done.stderr
    for one, result in zip(several, results, strict=True):
        # Only a module that ends as it should tells its options.
        assert "invocation" in result and "Traceback" not in str(result), (one, result)

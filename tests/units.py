# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs `ansible-test units` on a copy of the checkout, and checks that it ran as many tests as pytest collects.

pytest runs all of these tests. Here a few files show that they also run as ansible-test runs them, in an environment with
nothing but tests/unit/requirements.txt. `--all` runs every file in the folders of tests/unit, `--seed` chooses others.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import random
import re
import subprocess
import sys
from xml.etree import ElementTree

from copied import ROOT, ansible_test, copied

# Small files, so that it stays quick: that many of them, of at most so many bytes.
FILES, BYTES = 6, 6000
# The last line of `pytest --collect-only -q`.
COLLECTED = re.compile(r"^(\d+)(?:/\d+)? tests? collected", re.MULTILINE)
# A test may be skipped, where a machine lacks something. One in so many, at most.
MAY_BE_SKIPPED = 10


def files_of(folder: pathlib.Path, seed: str, everything: bool) -> list[str]:
    """Return the test files to run, relative to the checkout."""
    # Those right in tests/unit are about the checkout and its programs, which ansible-test's environment lacks.
    found = sorted((folder / "tests" / "unit").glob("*/**/test_*.py"))
    if not everything:
        small = [path for path in found if path.stat().st_size <= BYTES]
        found = sorted(random.Random(seed).sample(small, FILES))
    return [str(path.relative_to(folder)) for path in found]


def collected(files: list[str]) -> int:
    """Return how many tests pytest alone finds in these files."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:xdist", *files]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    found = COLLECTED.search(said)
    if not found:
        raise RuntimeError(f"pytest does not say how many tests it has collected:\n{said}")
    return int(found[1])


def tests_run(folder: pathlib.Path) -> tuple[int, int]:
    """Return how many tests ansible-test ran, by what it wrote, and how many of them it skipped."""
    results = (folder / "tests" / "output" / "junit").glob("*-units.xml")
    cases = [case for path in results for case in ElementTree.parse(path).iter("testcase")]
    return len(cases), sum(case.find("skipped") is not None for case in cases)


def main() -> int:
    """Return 0 where all tests ran and passed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", dest="everything", help="run every file")
    parser.add_argument("--seed", default=os.environ.get("UNITS_SEED", "1"), help="chooses the files (%(default)s)")
    parser.add_argument("words", nargs="*", metavar="WORD", help="goes to ansible-test, after --")
    options = parser.parse_args()
    with copied() as folder:
        files = files_of(folder, options.seed, options.everything)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        workers = str(os.cpu_count() or 1)
        words = ["units", "--venv", "--python", version, "--num-workers", workers, *options.words, *files]
        status, _said = ansible_test(folder, *words)
        run, skipped = tests_run(folder)
    expected = collected(files)
    print(
        f"units: ansible-test ran {run} tests of {len(files)} files and skipped {skipped}; pytest collects {expected}"
    )
    left_out = run < expected or skipped * MAY_BE_SKIPPED > run
    if left_out:
        print("units: ansible-test left tests out", file=sys.stderr)
    return status or int(left_out)


if __name__ == "__main__":
    sys.exit(main())

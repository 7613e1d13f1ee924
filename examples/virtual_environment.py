# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a virtual environment with what files of requirements name and with projects of this checkout.

``python3 examples/virtual_environment.py FOLDER --requirements FILE --project FOLDER``. The demo, `make test`, the bench and
the tests use it. It needs Python with pip or with ensurepip, and nothing else. Debian has ensurepip in a package of its own.

An environment is made anew if it is half made, if it was made with another Python, or if it has been moved. If only what goes
into it has changed, pip brings it up to date.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

from programs import Failed, Word

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Folders of the checkout that hold nothing but what was made here.
OWN = (ROOT / ".venv", ROOT / ".demo", ROOT / ".bench")
MARK = "made-of.json"  # what an environment was made of; a half-made one has an empty object there
INDEX = "It needs a way to a package index."

Run = Callable[..., object]  # runs a command, given word by word; raises ``Failed`` if that fails
Made = dict[str, str]


def main() -> int:
    """Make the environment that the command line names; returns the exit status."""
    parser = argparse.ArgumentParser(description="Makes a virtual environment, unless it is there and up to date.")
    parser.add_argument("folder", type=pathlib.Path, help="where it is made")
    parser.add_argument("--requirements", type=pathlib.Path, action="append", default=[], help="a file for pip")
    parser.add_argument(
        "--project", type=pathlib.Path, action="append", default=[], help="a folder with pyproject.toml"
    )
    given = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    try:
        make(given.folder, given.requirements, given.project, run_shown)
    except Failed as failure:
        print(f"\nNo virtual environment: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The next run makes the virtual environment anew.", file=sys.stderr)
        return 128 + signal.SIGINT
    return 0


def make(
    folder: pathlib.Path, requirements: Sequence[pathlib.Path], projects: Sequence[pathlib.Path], run: Run
) -> bool:
    """Make an environment, or bring it up to date; return whether there was something to do.

    Raises ``Failed``. Then nothing of a new environment is left.
    """
    folder = pathlib.Path(os.path.realpath(folder))
    wanted = {"folder": str(folder), "python": f"{sys.version} {sys.base_prefix}", "of": digest(requirements, projects)}
    packages = [word for path in requirements for word in ("--requirement", str(path))] + [
        str(path.absolute()) for path in projects
    ]
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Failed(f"{folder.parent} can't be made: {error.strerror}.") from error
    with _alone(folder.parent):
        before = _made_of(folder)
        if before == wanted:
            return False
        if before == {**wanted, "of": before.get("of", "")}:
            _update(folder, packages, before, run)
        else:
            _make_anew(folder, packages, run)
        (folder / MARK).write_text(json.dumps(wanted))
    return True


def create(folder: pathlib.Path, run: Run, python: str | None = None) -> None:
    """Create an environment with pip and nothing else in it, for this Python or another one. Raises ``Failed``."""
    python = python or _lasting_python(folder)
    if not _has(python, "venv"):
        raise Failed(f"{python} has no module venv. On Debian or Ubuntu, `apt-get install python3` brings it.")
    if _has(python, "ensurepip"):
        run(python, "-m", "venv", folder)
        return
    installer = _lasting_python(folder)
    if not _has(installer, "pip"):
        raise Failed(
            f"{python} has no module ensurepip, and {installer} has no pip. One of them is needed. On Debian or Ubuntu, "
            "`apt-get install python3-pip` brings pip."
        )
    run(python, "-m", "venv", "--without-pip", folder)
    _pip(run, installer, "--python", str(folder / "bin" / "python"), "install", "--quiet", "pip")


def digest(requirements: Sequence[pathlib.Path], projects: Sequence[pathlib.Path]) -> str:
    """Return a digest of all files that decide what is installed. Raises ``Failed`` if one can't be read."""
    files = [file for path in requirements for file in _with_named(path)]
    for project in projects:
        files += [
            project / "pyproject.toml",
            *sorted(one for one in (project / "src").rglob("*.*") if one.suffix != ".pyc"),
        ]
    made = hashlib.sha256()
    for file in files:
        try:
            made.update(hashlib.sha256(file.read_bytes()).digest())
        except OSError as error:
            raise Failed(f"{file} can't be read: {error.strerror}.") from error
    return made.hexdigest()


def run_shown(*command: Word) -> None:
    """Run a command, and show it. Raises ``Failed``."""
    print(f"$ {shlex.join(map(str, command))}", flush=True)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise Failed(f"{command[0]} ended with exit status {done.returncode}. The output above says why.")


def run_quietly(*command: Word) -> None:
    """Run a command, and show nothing. Raises ``Failed`` with the end of what it says."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr or done.stdout).strip()[-300:]
        raise Failed(f"{shlex.join(map(str, command))} ended with exit status {done.returncode}: {last}")


def _with_named(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Give a file of requirements and the files that it names."""
    yield path
    with contextlib.suppress(OSError):
        for name in re.findall(r"^-[rc]\s+(\S+)", path.read_text(), re.MULTILINE):
            yield from _with_named(path.parent / name)


@contextlib.contextmanager
def _alone(folder: pathlib.Path) -> Iterator[None]:
    """Wait while another process makes an environment in this folder. The lock leaves no file behind."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system may have no locks
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _made_of(folder: pathlib.Path) -> Made:
    """Return what an environment was made of: nothing, if it is not there, half made or broken."""
    try:
        said = json.loads((folder / MARK).read_text())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) and (folder / "bin" / "python").exists() else {}


def _update(folder: pathlib.Path, packages: Sequence[str], before: Made, run: Run) -> None:
    """Install into an environment that is whole. If pip says that it can't, the environment counts as it was.

    If this is cut off, it counts as half made.
    """
    (folder / MARK).write_text("{}")
    try:
        _install(folder, packages, run)
    except Failed:
        (folder / MARK).write_text(json.dumps(before))
        raise


def _make_anew(folder: pathlib.Path, packages: Sequence[str], run: Run) -> None:
    """Replace what is there, if it may be replaced, by a new environment. Nothing is left if that fails."""
    if not _may_be_replaced(folder):
        raise Failed(
            f"{folder} is there, and was not made by this project. It stays as it is. Name another folder, for example "
            "`make VENV=.venv`, or delete it."
        )
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / MARK).write_text("{}")
        create(folder, run)
        _install(folder, ["--upgrade", "pip"], run)
        _install(folder, packages, run)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise Failed(f"{folder} can't be made: {error.strerror}.") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _may_be_replaced(folder: pathlib.Path) -> bool:
    """Tell whether a folder holds nothing of the user's: it is absent, empty, made here, or one of the checkout's own."""
    if not folder.exists() or any(folder == own or own in folder.parents for own in OWN):
        return True
    return folder.is_dir() and ((folder / MARK).exists() or not any(folder.iterdir()))


def _install(folder: pathlib.Path, packages: Sequence[str], run: Run) -> None:
    """Install packages. Raises ``Failed``."""
    _pip(run, str(folder / "bin" / "python"), "install", "--quiet", *packages)


def _pip(run: Run, python: str, *words: str) -> None:
    """Run a Python's pip. Raises ``Failed``."""
    try:
        run(python, "-m", "pip", "--disable-pip-version-check", *words)
    except Failed as failure:
        raise Failed(f"{failure} {INDEX}") from failure


def _lasting_python(folder: pathlib.Path) -> str:
    """Return the running Python, or what it was made from if it is that of the environment which is to be replaced."""
    inside = pathlib.Path(sys.prefix) == pathlib.Path(os.path.realpath(folder))
    return getattr(sys, "_base_executable", sys.executable) if inside else sys.executable


def _has(python: str, module: str) -> bool:
    """Tell whether a Python has a module."""
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())

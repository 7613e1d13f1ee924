# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes the virtual environments: when it makes one anew, what it leaves behind when it fails, what it never deletes."""

from __future__ import annotations

import concurrent.futures
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest
import virtual_environment
from copied import search_path
from programs import Failed

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = ROOT / "examples" / "virtual_environment.py"


class Commands:
    """In place of what runs commands: it notes them, and creates what the module venv would. ``meanwhile`` is called in each."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []
        self.meanwhile: Callable[[list[str]], None] = lambda _command: None

    def __call__(self, *command: object) -> None:
        words = [str(word) for word in command]
        self.seen.append(words)
        self.meanwhile(words)
        if "venv" in words:
            programs = pathlib.Path(words[-1]) / "bin"
            programs.mkdir(parents=True, exist_ok=True)
            (programs / "python").symlink_to(sys.executable)

    def kinds(self) -> list[str]:
        """Say what was run since the last time: ``venv`` or ``install``."""
        kinds = ["venv" if "venv" in words else "install" for words in self.seen]
        self.seen.clear()
        return list(dict.fromkeys(kinds))


class Place:
    """A folder for an environment, with a file of requirements that names another one, and a project."""

    def __init__(self, path: pathlib.Path) -> None:
        self.folder = path / "made here" / ".venv"
        self.named = path / "named.txt"
        self.named.write_text("requests\n")
        self.requirements = path / "requirements.txt"
        self.requirements.write_text("# a comment\n-r named.txt\nansible-core\n")
        self.project = path / "project"
        (self.project / "src").mkdir(parents=True)
        (self.project / "pyproject.toml").write_text("[project]\n")
        self.source = self.project / "src" / "one.py"
        self.source.write_text("ONE = 1\n")
        self.commands = Commands()

    def make(self) -> bool:
        """Make the environment, or bring it up to date."""
        return virtual_environment.make(self.folder, [self.requirements], [self.project], self.commands)


@pytest.fixture
def place(tmp_path: pathlib.Path) -> Place:
    return Place(tmp_path)


def test_an_environment_is_made_once(place: Place) -> None:
    assert place.make()
    install = place.commands.seen[-1]
    assert install[0] == str(place.folder / "bin" / "python")
    assert install[-3:] == ["--requirement", str(place.requirements), str(place.project)]
    assert place.commands.kinds() == ["venv", "install"]
    assert not place.make()
    assert place.commands.kinds() == []


@pytest.mark.parametrize("name", ["named", "requirements", "source"])
def test_a_change_of_what_goes_into_it_is_installed(place: Place, name: str) -> None:
    place.make()
    place.commands.kinds()
    getattr(place, name).write_text("# new\n")
    assert place.make()
    assert place.commands.kinds() == ["install"]
    assert not place.make()


def damages(folder: pathlib.Path) -> dict[str, Callable[[], object]]:
    """What may have become of an environment since it was made."""
    mark = folder / virtual_environment.MARK
    known = json.loads(mark.read_text())
    return {
        "another Python": lambda: mark.write_text(json.dumps({**known, "python": "3.9.2"})),
        "moved": lambda: mark.write_text(json.dumps({**known, "folder": "/elsewhere"})),
        "half made": lambda: mark.write_text("{}"),
        "half a mark": lambda: mark.write_text('{"fold'),
        "its Python is gone": (folder / "bin" / "python").unlink,
    }


@pytest.mark.parametrize("name", ["another Python", "moved", "half made", "half a mark", "its Python is gone"])
def test_what_can_not_be_used_is_made_anew(place: Place, name: str) -> None:
    place.make()
    damages(place.folder)[name]()
    (place.folder / "old").touch()
    place.commands.kinds()
    assert place.make()
    assert place.commands.kinds() == ["venv", "install"]
    assert not (place.folder / "old").exists()


def test_what_an_earlier_try_left_in_a_folder_of_the_checkout_is_made_anew(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`python3 -m venv` leaves such a folder on a Debian without python3-venv."""
    assert {ROOT / ".venv", ROOT / ".demo"} <= set(virtual_environment.OWN)
    monkeypatch.setattr(virtual_environment, "OWN", (place.folder.parent,))
    (place.folder / "bin").mkdir(parents=True)
    (place.folder / "bin" / "python3").symlink_to("/nowhere")
    (place.folder / "pyvenv.cfg").write_text("home = /nowhere\n")
    assert place.make()
    assert not (place.folder / "pyvenv.cfg").exists()


@pytest.mark.parametrize("name", ["notes.txt", "pyvenv.cfg"])
def test_a_folder_that_was_not_made_here_stays(place: Place, name: str) -> None:
    place.folder.mkdir(parents=True)
    (place.folder / name).write_text("mine")
    with pytest.raises(Failed, match=r"was not made by this project. It stays as it is"):
        place.make()
    assert (place.folder / name).read_text() == "mine"
    assert place.commands.kinds() == []


@pytest.mark.parametrize("error", [Failed("pip ended with exit status 1."), KeyboardInterrupt()])
@pytest.mark.parametrize("step", ["venv", "install"])
def test_nothing_is_left_of_a_new_one_that_fails(place: Place, error: BaseException, step: str) -> None:
    def fail(words: list[str]) -> None:
        assert place.folder.exists()
        if step in words:
            raise error

    place.commands.meanwhile = fail
    with pytest.raises(type(error)):
        place.make()
    assert not place.folder.exists()


def test_an_update_that_pip_refuses_leaves_the_environment_as_it_was(place: Place) -> None:
    """It is whole still: who takes the change back can go on, without a network."""

    def refuse(words: list[str]) -> None:
        raise Failed("pip ended with exit status 1.")

    place.make()
    before = place.named.read_text()
    place.named.write_text("no-such-package\n")
    place.commands.meanwhile = refuse
    with pytest.raises(Failed, match=r"exit status 1\. It needs a way to a package index\."):
        place.make()
    place.named.write_text(before)
    assert not place.make()


def test_an_update_that_is_cut_off_is_made_anew(place: Place) -> None:
    def interrupt(words: list[str]) -> None:
        raise KeyboardInterrupt

    place.make()
    place.named.write_text("another\n")
    place.commands.meanwhile = interrupt
    with pytest.raises(KeyboardInterrupt):
        place.make()
    place.commands = Commands()
    assert place.make()
    assert place.commands.kinds() == ["venv", "install"]


def test_of_two_at_one_moment_one_waits(place: Place) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait(words: list[str]) -> None:
        begun.set()
        assert go_on.wait(60)

    place.commands.meanwhile = wait
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(place.make)
        assert begun.wait(60)
        second = pool.submit(place.make)
        with pytest.raises(concurrent.futures.TimeoutError):
            second.result(0.3)
        assert len(place.commands.seen) == 1
        go_on.set()
        assert (first.result(60), second.result(60)) == (True, False)


def test_a_file_that_is_not_there_is_named(place: Place) -> None:
    place.named.unlink()
    with pytest.raises(Failed, match=r"named\.txt can't be read: No such file"):
        place.make()
    assert not place.folder.exists()


def started(folder: pathlib.Path, without: list[str], **variables: str) -> subprocess.Popen[str]:
    """Start the program for an empty environment, on a Python that lacks these modules."""
    hidden = folder.parent / "hidden"
    hidden.mkdir(exist_ok=True)
    for name in without:
        (hidden / f"{name}.py").write_text(f"raise ImportError('no {name} here')\n")
    nothing = folder.parent / "nothing.txt"
    nothing.touch()
    return subprocess.Popen(
        [sys.executable, "-B", str(PROGRAM), str(folder), "--requirements", str(nothing)],
        env={**os.environ, "PYTHONPATH": str(hidden), **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_without_ensurepip_the_pip_that_is_there_installs_pip(tmp_path: pathlib.Path) -> None:
    """As on a Debian without python3-venv. The path has a space."""
    folder = tmp_path / "with space" / "venv"
    folder.parent.mkdir()
    with started(folder, ["ensurepip"]) as process:
        said, _errors = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "--without-pip" in said
    shown = subprocess.run([folder / "bin" / "pip", "--version"], capture_output=True, text=True, check=True)
    assert str(folder) in shown.stdout


def test_without_a_network_it_says_so_and_leaves_nothing(tmp_path: pathlib.Path) -> None:
    with started(tmp_path / "venv", ["ensurepip"], PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path)) as process:
        said, _errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert said.splitlines()[-1].startswith("No virtual environment: ")
    assert said.splitlines()[-1].endswith("It needs a way to a package index.")
    assert not (tmp_path / "venv").exists()


def test_without_pip_and_ensurepip_it_names_the_package(tmp_path: pathlib.Path) -> None:
    with started(tmp_path / "venv", ["ensurepip", "pip"]) as process:
        said, _errors = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "has no module ensurepip" in said
    assert "apt-get install python3-pip" in said
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_one_that_is_interrupted_leaves_nothing(tmp_path: pathlib.Path, number: signal.Signals, status: int) -> None:
    folder = tmp_path / "venv"
    with started(folder, ["ensurepip"]) as process:
        deadline = time.monotonic() + 120
        while not (folder / "bin" / "python").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(process.pid, number)
        said, _errors = process.communicate(timeout=120)
    assert process.returncode == status, said
    assert not folder.exists()


@pytest.mark.parametrize("target", ["demo", "lint"])
def test_a_python_that_is_too_old_or_not_there_is_named(tmp_path: pathlib.Path, target: str) -> None:
    old = next(filter(None, (shutil.which(f"python3.{minor}", path=search_path()) for minor in (10, 9, 8, 7, 6))), None)
    for python, expected in (
        (old, "Python 3.11 or later is needed, and this is 3."),
        ("no such", "There is no no such here"),
    ):
        if python is None:
            continue  # nothing older is here
        command = ["make", target, f"PYTHON={python}", f"VENV={tmp_path / 'venv'}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 2
        assert expected in done.stderr
        assert "make PYTHON=..." in done.stderr
    assert not (tmp_path / "venv").exists()

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What measures: Ansible with one collection or the other, emulators, and commands with their time and memory."""

from __future__ import annotations

import contextlib
import datetime
import io
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "examples"))

from programs import API_KEY, API_SECRET, Failed, clean_environment, cloudn_variables, listening_emulator, with_programs

ROOT = pathlib.Path(__file__).resolve().parent.parent
MEASURE = ROOT / "bench" / "measure.py"
LONGEST_COMMAND = 600  # seconds
START_SECONDS = 60
# Not "collections": Ansible takes what is in a folder of that name beside a playbook before anything else.
INSTALLED = "installed"


class Run(NamedTuple):
    """What a command took: seconds by the clock, and at most so much memory, in MiB."""

    seconds: float
    peak: float


class Tool(NamedTuple):
    """Ansible with a collection: where its programs are, its environment, and what a playbook calls its interpreter."""

    programs: pathlib.Path
    environment: dict[str, str]


class Emulator:
    """A running emulator, a process of its own as a real service would be."""

    def __init__(self, url: str, log: pathlib.Path) -> None:
        self.url = url
        self._log = log

    def requests(self) -> list[dict[str, Any]]:
        """Return what it was asked since the last look, with ``start`` and ``end`` in seconds since the epoch."""
        lines = self._log.read_text().splitlines()
        os.truncate(self._log, 0)
        entries = [json.loads(line) for line in lines]
        for entry in entries:
            entry["end"] = datetime.datetime.fromisoformat(entry["time"]).timestamp()
            entry["start"] = entry["end"] - entry["ms"] / 1000
        return entries


class Stage:
    """What the rows of the bench need: both tools, a directory to write to, and how often to measure."""

    def __init__(self, work: pathlib.Path, repeat: int, ours: Tool, peer: Tool | None) -> None:
        self.work = work
        self.repeat = repeat
        self._numbers = itertools.count()
        self.ours = ours
        self.peer = peer

    @property
    def module_utils(self) -> pathlib.Path:
        """Where the installed collection has what can be used without Ansible."""
        return self.work / INSTALLED / "ansible_collections" / "cloudn" / "compute" / "plugins" / "module_utils"

    def write(self, name: str, content: Any) -> pathlib.Path:
        """Write a playbook or an inventory's configuration."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
        return path

    def playbook(self, name: str, tasks: list[dict[str, Any]]) -> pathlib.Path:
        """Write a playbook with one play of these tasks, on this machine."""
        return self.write(name, [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}])

    def run(
        self,
        tool: Tool,
        emulator: Emulator | None,
        program: str,
        *arguments: Any,
        output: pathlib.Path | None = None,
        measure: pathlib.Path = MEASURE,
    ) -> Run:
        """Run a program of Ansible as a user would and measure it. What it prints goes to ``output``, or nowhere.

        Raises ``Failed`` when it does not end well.
        """
        reach = reaching(emulator) if emulator else {}
        command = [str(tool.programs / program), *map(str, arguments)]
        result, errors = (self.work / f"{name}{next(self._numbers)}" for name in ("result", "stderr"))
        with open(output or os.devnull, "wb") as out, errors.open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", measure, result, *command],
                cwd=self.work,
                env={**tool.environment, **reach},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
            try:
                process.wait(LONGEST_COMMAND)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise Failed(f"{' '.join(command)} took more than {LONGEST_COMMAND} s") from None
        status, seconds, peak = result.read_text().split()
        if status != "0":
            said = errors.read_text(errors="replace") + (output.read_text(errors="replace") if output else "")
            raise Failed(f"{' '.join(command)} ended with {status}:\n{said[-2000:]}")
        result.unlink()
        errors.unlink()
        return Run(float(seconds), int(peak) / 1024)

    def alternate(self, **subjects: Callable[[], Run]) -> dict[str, list[Run]]:
        """Run each subject as often as is to be measured, in turns, every other turn in the reverse order."""
        runs: dict[str, list[Run]] = {name: [] for name in subjects}
        for turn in range(self.repeat):
            order = list(subjects)
            for name in order if turn % 2 == 0 else reversed(order):
                runs[name].append(subjects[name]())
        return runs

    @contextlib.contextmanager
    def emulator(self, *options: Any, source: pathlib.Path | None = None) -> Iterator[Emulator]:
        """Start an emulator with these options, the installed one or that of a source, and stop it at the end."""
        number = next(self._numbers)
        log, output = self.work / f"requests{number}.jsonl", self.work / f"emulator{number}.out"
        command = [sys.executable, "-m", "cloudn_emulator.cli", "--port", 0, "--log", log, *options]
        variables = os.environ | ({"PYTHONPATH": str(source)} if source else {})
        try:
            with listening_emulator(list(map(str, command)), variables, output, START_SECONDS) as url:
                yield Emulator(url, log)
        finally:
            log.unlink(missing_ok=True)


def reaching(emulator: Emulator) -> dict[str, str]:
    """Return the variables by which both collections reach an emulator."""
    peers = {"CLOUDSTACK_ENDPOINT": emulator.url, "CLOUDSTACK_KEY": API_KEY, "CLOUDSTACK_SECRET": API_SECRET}
    return cloudn_variables(emulator.url) | peers


def environment(work: pathlib.Path, programs: pathlib.Path, collections: pathlib.Path) -> dict[str, str]:
    """Return an environment with Ansible's defaults, one place of collections, and no real cloud."""
    empty = work / "ansible.cfg"
    empty.touch()
    return with_programs(clean_environment("CLOUDSTACK_", "PYTHON"), programs) | {
        "ANSIBLE_CONFIG": str(empty),
        "ANSIBLE_HOME": str(work / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_PYTHON_INTERPRETER": str(programs / "python"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
    }


def our_tool(work: pathlib.Path, source: pathlib.Path = ROOT) -> Tool:
    """Install the collection from its tarball, as a user does, and return it with the Ansible that the bench runs in."""
    work.mkdir(exist_ok=True)
    programs, collections, built = pathlib.Path(sys.executable).parent, work / INSTALLED, work / "tarball"
    variables = environment(work, programs, collections)
    galaxy = [str(programs / "ansible-galaxy"), "collection"]
    quietly([*galaxy, "build", "--output-path", built, source], variables)
    (tarball,) = built.glob("*.tar.gz")
    quietly([*galaxy, "install", tarball, "--offline", "-p", collections], variables)
    return Tool(programs, variables)


def checked_out(stage: Stage, commit: str) -> pathlib.Path:
    """Return where this project is as it was at a commit. Raises ``Failed`` where it can't be had."""
    place = stage.work / f"at-{commit}"
    if place.exists():
        return place
    command = ["git", "-C", str(ROOT), "archive", commit]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stderr.decode(errors='replace')}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(place, filter="data")
    return place


def quietly(command: list[Any], variables: dict[str, str] | None = None) -> str:
    """Run a command of the preparations and return what it says. Raises ``Failed``."""
    done = subprocess.run(
        list(map(str, command)),
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST_COMMAND,
    )
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout

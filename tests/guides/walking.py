# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follows a guide as a reader does: writes the files that it shows, runs its commands, and compares what they print.

A block of code whose first line is a comment with the name of a file is that file. A block `console` has commands after `$ `,
and what they print. A line `...` stands for any lines. A playbook without such a comment is run, and so
are tasks. A block `diff` changes the file that its
first line names. Blocks `sh` are not run: they install or start things.

`python tests/guides/walking.py docs/first-site.md` writes what the commands print into the guide, where it has no `...`.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"(?ms)^```(\w+)\n(.*?)^```$")
_NAME = re.compile(r"# ((?:[\w.-]+/)+[\w.-]+|[\w.-]+\.(?:yml|cfg|ini|py|j2|txt|json))\n")
_COMMAND = re.compile(r"(?m)^\$ ")
_KEEPS = ("export ", "unset ", "cd ")  # what such a command does, later commands see
_FAILS = re.compile(r"fatal: |ERROR|failed=[1-9]|unreachable=[1-9]")
SECONDS = 300
# What differs from run to run. The order counts: an address of a machine has no port.
MADE = (
    (re.compile(r"[0-9a-f]{8}([-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}"), "<id>"),
    (re.compile(r"127\.0\.0\.1:\d+"), "<emulator>"),
    (re.compile(r"\b10\.\d+\.\d+\.\d+\b"), "<address>"),
    (re.compile(r"\b[0-9a-f]{2}(:[0-9a-f]{2}){5,}\b"), "<octets>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+[+-]\d{4}"), "<time>"),
    (re.compile(r"\b\d+(\.\d+)?\s?m?s\b"), "<seconds>"),
    (re.compile(r"/\S*/(?=[\w.]+\b)"), "<folder>/"),
    (re.compile(r"\*{3,}"), "***"),
    (re.compile(r"[ \t]+"), " "),
)


class Step(NamedTuple):
    """A file to write or to change (``name`` and ``text``), tasks to run, or a command with what it prints. ``kind`` says which."""

    kind: str
    name: str
    text: str


def steps(guide: str) -> Iterator[Step]:
    """Yield the steps of a guide in order."""
    for language, code in BLOCK.findall(guide):
        named = _NAME.match(code)
        if language == "console":
            for told in _COMMAND.split(code)[1:]:
                command, rest = _parted(told)
                yield Step("command", command, rest)
        elif language == "diff":
            yield Step("change", *code.removeprefix("--- ").split("\n", 1))
        elif named:
            yield Step("file", named[1], code)
        elif language in ("yaml", "yml") and isinstance(yaml.safe_load(code), list):
            yield Step("tasks", "", code)


def _parted(told: str) -> tuple[str, str]:
    """Return a command, which goes on after a backslash at the end of a line, and what it prints."""
    lines = told.splitlines(keepends=True)
    last = next(number for number, line in enumerate(lines) if not line.endswith("\\\n"))
    return "".join(lines[: last + 1]).rstrip("\n"), "".join(lines[last + 1 :])


class Walk:
    """A reader's folder and environment."""

    def __init__(self, folder: pathlib.Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = {name: value for name, value in environment.items() if not name.startswith("PYTEST_")}
        self._url = environment["CLOUDN_API_URL"]
        self._kept: list[str] = []

    def take(self, step: Step) -> str:
        """Do a step. Return what it prints. Raises ``AssertionError`` if it ends as its text does not say."""
        if step.kind == "file":
            path = self.folder / step.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._here(step.text))
            return ""
        if step.kind == "change":
            path, lines = self.folder / step.name, step.text.splitlines(keepends=True)
            before, after = ("".join(line[1:] for line in lines if line[0] in signs) for signs in (" -", " +"))
            assert path.read_text().count(before) == 1, f"{step.name} does not have this once:\n{before}"
            path.write_text(path.read_text().replace(before, after))
            return ""
        if step.kind == "tasks":
            given = yaml.safe_load(step.text)
            play = given if "hosts" in given[0] else [{"hosts": "localhost", "gather_facts": False, "tasks": given}]
            (self.folder / ".tasks.yml").write_text(yaml.safe_dump(play))
            status, said = self.run("ansible-playbook .tasks.yml")
            assert status == 0, said
            return said
        status, said = self.run(step.name)
        if step.name.startswith(_KEEPS):
            self._kept.append(step.name)
        expected, failed = bool(_FAILS.search(step.text)), bool(status or _FAILS.search(said))
        assert expected == failed, f"{step.name}\n{said}"
        return said

    def run(self, command: str) -> tuple[int, str]:
        """Run a command of a shell; return its exit status and what it prints on both channels."""
        done = subprocess.run(
            ["bash", "-c", self._here("\n".join([*self._kept, command]))],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        return done.returncode, done.stdout

    def _here(self, text: str) -> str:
        """Return a text of a guide with the address of the emulator that runs here."""
        return text.replace("http://127.0.0.1:8080/client/api", self._url)


def plain(text: str) -> list[str]:
    """Return the lines of a screen, with words in place of what differs from run to run."""
    for pattern, word in MADE:
        text = pattern.sub(word, text)
    return [line.strip() for line in text.splitlines() if line.strip()]


def difference(shown: str, printed: str) -> str:
    """Return how a guide's screen differs from what a command prints. Empty: it does not."""
    expected, real = plain(shown), plain(printed)
    pattern = "".join(r"(?:.*\n)*?" if line == "..." else re.escape(line) + r"\n" for line in expected)
    if re.fullmatch(pattern, "".join(f"{line}\n" for line in real)):
        return ""
    return "\n".join(difflib.unified_diff(expected, real, "the guide", "the command", lineterm=""))


def written(guide: str, walk: Walk) -> str:
    """Return a guide with what its commands print."""
    done = ""
    for step in steps(guide):
        said = walk.take(step)
        if step.kind == "command":
            before, found, guide = guide.partition(f"$ {step.name}\n{step.text}")
            screen = step.text if "...\n" in step.text or not difference(step.text, said) else _screen(said, step.text)
            done += f"{before}$ {step.name}\n{screen}"
            assert found
    return done + guide


def _screen(said: str, before: str) -> str:
    """Return what a command prints, as a guide shows it: without blank lines, and with short lines of stars."""
    lines = [re.sub(r"[*]{20,}", "*" * 20, line.rstrip()) + "\n" for line in said.splitlines() if line.strip()]
    return "".join(lines) + ("\n" if before.endswith("\n\n") or before == "\n" else "")


@contextlib.contextmanager
def _alone() -> Iterator[Walk]:
    """Give a walk in a temporary folder, on an emulator of its own."""
    sys.path[:0] = [str(ROOT / "examples"), str(ROOT / "tests")]
    from cloudn_emulator import Emulator
    from programs import clean_environment
    from reaching import environment_of

    os.environ.update(clean_environment())
    with tempfile.TemporaryDirectory() as work, Emulator(job_seconds=0.05, neighbour=True) as emulator:
        compute = pathlib.Path(work) / "c" / "ansible_collections" / "cloudn" / "compute"
        compute.parent.mkdir(parents=True)
        compute.symlink_to(ROOT)
        folder = pathlib.Path(work) / "reader"
        folder.mkdir()
        yield Walk(folder, {**environment_of(emulator), "ANSIBLE_COLLECTIONS_PATH": f"{work}/c", "HOME": work})


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with _alone() as alone:
            text = written(pathlib.Path(name).read_text(), alone)
        pathlib.Path(name).write_text(text)

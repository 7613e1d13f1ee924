# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the emulator and other programs with no way to a real cloud: for the demo, the bench and the tests.

It needs nothing but Python: the demo uses it before anything is installed.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence

# The emulator's own, see its README.
API_KEY, API_SECRET = "cloudn-emulator-api-key", "cloudn-emulator-api-secret"
END_SECONDS = 10

Word = str | pathlib.Path


class Failed(Exception):
    """A program did not do what it should. The text says which one, and where to look."""


def clean_environment(*foreign: str) -> dict[str, str]:
    """Return this process's environment without a user's settings of Ansible, with no way to a real cloud.

    It also leaves out variables whose names start with a word of ``foreign``. No proxy is asked for this machine.
    """
    settings = ("ANSIBLE_", "CLOUDN_", "CLOUDSTACK_", *foreign)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    direct = ",".join(filter(None, ["127.0.0.1", os.environ.get("no_proxy") or os.environ.get("NO_PROXY")]))
    return {**kept, "NO_PROXY": direct, "no_proxy": direct}


def with_programs(environment: Mapping[str, str], programs: pathlib.Path) -> dict[str, str]:
    """Return an environment in which the programs of this folder come first."""
    return {**environment, "PATH": f"{programs}{os.pathsep}{environment.get('PATH', os.defpath)}"}


def cloudn_variables(url: str, key: str = API_KEY, secret: str = API_SECRET) -> dict[str, str]:
    """Return the variables by which the collection reaches an emulator."""
    return {"CLOUDN_API_URL": url, "CLOUDN_API_KEY": key, "CLOUDN_API_SECRET": secret}


@contextlib.contextmanager
def listening_emulator(
    command: Sequence[Word], environment: Mapping[str, str], output: pathlib.Path, seconds: float
) -> Iterator[str]:
    """Start an emulator with this command; give the address where it listens, and end it at last.

    ``output`` is the file for what it prints. Raises ``Failed`` when it does not listen after so many ``seconds``.
    """
    with output.open("w") as file:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with ended_at_last(process):
        deadline = time.monotonic() + seconds
        while not (listening := re.search(r"listens on (\S+)", output.read_text())):
            if process.poll() is not None:
                raise Failed(f"the emulator did not start (exit status {process.returncode}):\n{output.read_text()}")
            if time.monotonic() > deadline:
                raise Failed(f"the emulator does not listen after {seconds} s; see {output}")
            time.sleep(0.02)
        yield listening[1]


@contextlib.contextmanager
def ended_at_last(process: subprocess.Popen[str]) -> Iterator[None]:
    """End a program and all that it started, whatever happens."""
    try:
        yield
    finally:
        sessions = {process.pid}
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            _send(process, sessions, number)
        if process.stdout:
            process.stdout.close()


def _send(process: subprocess.Popen[str], sessions: set[int], number: signal.Signals) -> None:
    """Send a signal once to each process of these sessions, and wait until they have ended, but not for ever."""
    reached: set[int] = set()
    deadline = time.monotonic() + END_SECONDS
    while (process.poll() is None or _members(sessions)) and time.monotonic() < deadline:
        for pid in {process.pid, *_members(sessions)} - reached:
            reached.add(pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        time.sleep(0.05)


def _members(sessions: set[int]) -> set[int]:
    """Return the processes of these sessions, and of those that they began. Ansible's workers begin their own.

    The sessions that they began are added to ``sessions``. All is read from /proc; without one, nothing is known.
    """
    running = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent, _group, session = path.read_text(errors="replace").rpartition(")")[2].split()[:4]
            if state != "Z":
                running[int(path.parent.name)] = (int(parent), int(session))
    found: set[int] = set()
    while True:
        more = {pid for pid, (parent, session) in running.items() if session in sessions or parent in found}
        sessions |= {running[pid][1] for pid in more}
        if more == found:
            return found
        found = more

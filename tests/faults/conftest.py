# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs tasks while the emulator makes faults. The pauses between attempts are real and short."""

from __future__ import annotations

import collections
import contextlib
import functools
import json
import os
import pathlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from ansible_collections.cloudn.compute.plugins.module_utils import connection
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, ec2, paging
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import plan
from asked import command_of
from cases import LAG, LAG_WAITED, PAGE

REPORT = os.environ.get("FAULTS_REPORT")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients pause a twentieth of the time before retries, and look at jobs soon. All else takes its time."""

    def pause(seconds: float) -> None:
        time.sleep(LAG_WAITED if seconds == LAG else seconds / 20)

    monkeypatch.setattr(connection, "Client", functools.partial(Client, sleep=pause))
    monkeypatch.setattr(ec2, "Ec2Client", functools.partial(ec2.Ec2Client, sleep=pause))


@pytest.fixture(autouse=True)
def lists_may_lag(no_lag: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists lag in the matrix, by less than the modules wait for."""
    monkeypatch.setattr(plan, "LAG", LAG)


@pytest.fixture
def small_pages() -> Callable[[], contextlib.AbstractContextManager[None]]:
    """Return a context manager in which clients read lists in pages of some objects, however short they are."""

    @contextlib.contextmanager
    def read() -> Iterator[None]:
        whole = paging.read

        def in_small_pages(command: str, fetch: Any, _first: int, *more: Any) -> Iterator[list[dict[str, Any]]]:
            return whole(command, fetch, PAGE, *more)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(paging, "LARGEST", PAGE)
            patch.setattr(paging, "OVERLAP", 1)
            patch.setattr(paging, "read", in_small_pages)
            yield

    return read


@pytest.fixture
def before_sending(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], None]], None]:
    """Return a function that does something each time before a command is sent. Its own commands do not count."""
    actions: dict[str, Callable[[], None]] = {}
    send = requests.adapters.HTTPAdapter.send
    inside = threading.local()

    def watch(self: Any, prepared: Any, **options: Any) -> Any:
        command = command_of(prepared)
        action = actions.get(command)
        if action and not getattr(inside, "at", False):
            inside.at = True
            try:
                action()
            finally:
                inside.at = False
        return send(self, prepared, **options)

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", watch)
    return lambda command, action: actions.update({command: action})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many cases of the matrix were run, by module and by kind of fault, and what went wrong."""
    if not REPORT or "PYTEST_XDIST_WORKER" in os.environ or not pathlib.Path(REPORT).exists():
        return
    lines = [json.loads(line) for line in pathlib.Path(REPORT).read_text().splitlines()]
    terminalreporter.section(f"{len(lines)} cases of faults")
    for column in ("module", "kind"):
        counted = collections.Counter(line[column] for line in lines)
        terminalreporter.line(
            f"by {column}: " + ", ".join(f"{name} {number}" for name, number in sorted(counted.items()))
        )
    problems = [problem for line in lines for problem in line["problems"]]
    counts = {word: sum(problem.startswith(word) for problem in problems) for word in ("doubled", "lost", "leaked")}
    counts["other"] = len(problems) - sum(counts.values())
    terminalreporter.line(", ".join(f"{word}: {number}" for word, number in counts.items()))

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs tasks with the adversary before the emulator, on a clock on which waiting takes no time."""

from __future__ import annotations

import collections
import contextlib
import functools
import json
import os
import pathlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

# Holdings, sites and scenarios are those of the matrix.
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "faults"))

from ansible_collections.cloudn.compute.plugins.module_utils import connection
from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, ec2
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import plan
from clock import Clock
from judging import CATEGORIES, Trial
from proxy import Proxy
from sites import SECRETS, RunAs, Site
from tasks import Victim

LAG = plan.LAG  # as in life
REPORT = os.environ.get("ADVERSARY_REPORT")


@pytest.fixture
def trial(
    run_module_as: RunAs, no_lag: None, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., contextlib.AbstractContextManager[Trial]]:
    """Return a context manager: a site of its own for one task, beside its twin, and the adversary before it.

    The twin's task was done, and the answers to it are on the proxy's tape.
    """
    monkeypatch.setattr(plan, "LAG", LAG)

    @contextlib.contextmanager
    def begin(victim: Victim, response_format: str = "json", **settings: Any) -> Iterator[Trial]:
        clock = Clock()
        times = {"sleep": clock.sleep, "clock": clock.monotonic, "now": clock.now}
        monkeypatch.setattr(connection, "Client", functools.partial(Client, **times))
        monkeypatch.setattr(ec2, "Ec2Client", functools.partial(EC2, **times))
        with contextlib.ExitStack() as stack:
            run, emulator = stack.enter_context(run_module_as(job_seconds=0.02, **SECRETS, **settings))
            proxy = stack.enter_context(Proxy(emulator.port, clock.advance))
            clock.settings = emulator.settings
            for template in emulator.store.templates.values():
                template.password = True
            task, twin = (Site(scenario, run, emulator) for scenario in (victim.task, victim.twin))
            begun = Trial(victim, task, proxy, clock)
            task.response_format = twin.response_format = response_format
            twin.deadline = task.deadline
            with proxy.tape():
                done = begun.run(twin)
                assert not done.get("failed"), done
            twin.holds()
            proxy.clear()
            yield begun

    return begin


EC2 = ec2.Ec2Client


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many cases there were, by task and by kind of attack, and what went wrong."""
    if not REPORT or "PYTEST_XDIST_WORKER" in os.environ or not pathlib.Path(REPORT).exists():
        return
    lines = [json.loads(line) for line in pathlib.Path(REPORT).read_text().splitlines()]
    attacks = {(line["kind"], line["attack"]) for line in lines}
    terminalreporter.section(f"the adversary: {len(lines)} cases of three runs, {len(attacks)} attacks")
    for column in ("task", "kind"):
        counted = collections.Counter(line[column] for line in lines)
        terminalreporter.line(
            f"by {column}: " + ", ".join(f"{name} {number}" for name, number in sorted(counted.items()))
        )
    problems = collections.Counter(problem.partition(":")[0] for line in lines for problem in line["problems"])
    terminalreporter.line(", ".join(f"{category}: {problems[category]}" for category in CATEGORIES))

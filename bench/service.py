# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The row on the emulator itself: how soon it serves many machines, how fast it answers, and how fast it did before."""

from __future__ import annotations

import pathlib
import statistics
import time
from collections.abc import Callable, Iterator

from figures import Figure, times_theirs
from load import Load
from stage import API_KEY, API_SECRET, Emulator, Run, Stage, checked_out

SOURCE = pathlib.Path("emulator", "src")
MACHINES, START_SECONDS, SLOWER = 10_000, 2, 1.1


def emulator(stage: Stage, requests: int, before: str | None) -> Iterator[Figure]:
    """Measure the start with many machines, and mixed requests; those also against an earlier commit's emulator."""
    starts = [_start(stage) for _turn in range(stage.repeat)]
    yield Figure(
        f"the emulator starts with {MACHINES:,} machines",
        "",
        statistics.median(starts),
        "s",
        starts,
        most=START_SECONDS,
    )
    with stage.emulator(*OPTIONS) as now:
        subjects = {"now": _requests(now, requests)}
        if before is None:
            runs = stage.alternate(**subjects)["now"]
        else:
            with stage.emulator(*OPTIONS, source=checked_out(stage, before) / SOURCE) as earlier:
                both = stage.alternate(now=subjects["now"], before=_requests(earlier, requests))
            runs = both["now"]
            ours, theirs = ([run.seconds for run in both[name]] for name in ("now", "before"))
            work = f"{requests:,} mixed requests to the emulator: time"
            yield times_theirs(work, f"the emulator of {before}", ours, theirs, most=SLOWER)
    speed = statistics.median(requests / run.seconds for run in runs)
    yield Figure("mixed requests to the emulator", "", speed, "a second", note="on one connection, jobs take no time")


OPTIONS = ("--job-seconds", 0, "--expunge-seconds", 1)


def _start(stage: Stage) -> float:
    began = time.monotonic()
    with stage.emulator("--vms", MACHINES):
        return time.monotonic() - began


def _requests(emulator: Emulator, count: int) -> Callable[[], Run]:
    """Return what sends so many requests and measures the seconds, by the number that was really sent."""
    load = Load(emulator.url, API_KEY, API_SECRET)
    load.round()

    def run() -> Run:
        sent, began = load.sent, time.monotonic()
        load.requests(count)
        return Run((time.monotonic() - began) * count / (load.sent - sent), 0)

    return run

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The row on the collection of an earlier commit: the same work on the same emulator, in turns."""

from __future__ import annotations

import functools
import itertools
import statistics
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from figures import Figure, times_theirs
from inventories import listing, ours, seconds
from stage import ROOT, Emulator, Run, Stage, Tool, checked_out, our_tool
from tasks import NEW, POLLS, UNCHANGED, Task, group, play

SLOWER = 1.1
TAGS = {"tags": {"role": "bench"}}
# What there is to make, by the number that makes names differ.
FROM_NOTHING: dict[str, Callable[[str], Task]] = {
    "a machine": lambda name: {"cloudn.compute.cloudn_vm": {"name": name, **NEW}},
    "50 machines with tags": lambda name: {
        "cloudn.compute.cloudn_vm": {"name": [f"{name}-{number:02}" for number in range(50)], **NEW, **TAGS}
    },
    "a group with 10 rules": lambda name: group(name, 10),
    "a volume with tags": lambda name: {
        "cloudn.compute.cloudn_volume": {"name": name, "zone": "jp-e1a", "disk_offering": "Small", **TAGS}
    },
    "a key pair": lambda name: {"cloudn.compute.cloudn_key_pair": {"name": name}},
}
# What users do with the example site, and by which playbook.
EXAMPLE = {"made": "site.yml", "run again": "site.yml", "removed": "teardown.yml"}


class Against(NamedTuple):
    """The emulator, the collection as it is and as it was, and how the earlier one is called."""

    stage: Stage
    emulator: Emulator
    tools: dict[str, Tool]
    name: str


def collection(stage: Stage, commit: str | None, hosts: int, tasks: int, job_seconds: float) -> Iterator[Figure]:
    """Measure lists, tasks that change nothing or make something, and the example site. No commit: nothing."""
    if commit is None:
        return
    tools = {"now": stage.ours, "before": our_tool(stage.work / "earlier", checked_out(stage, commit))}
    name = f"the collection of {commit}"
    with stage.emulator("--vms", hosts) as emulator:
        file = ours(stage)
        against = Against(stage, emulator, tools, name)
        yield from _both(against, f"inventory of {hosts:,}", lambda tool: listing(stage, tool, emulator, file))
    with stage.emulator("--job-seconds", job_seconds) as emulator:
        against = Against(stage, emulator, tools, name)
        play(stage, stage.ours, emulator, "made", list(UNCHANGED.values()))()
        for kind, task in UNCHANGED.items():
            make = functools.partial(play, stage, emulator=emulator, name="again", tasks=[task] * tasks)
            yield from _both(against, f"unchanged, {kind}, {tasks} times", make)
        numbers = itertools.count()
        for kind, task_of in FROM_NOTHING.items():
            make = functools.partial(_made, stage, emulator, task_of, numbers)
            # Once more it is looked whether another run has made the same: docs/rely-on.md, "Two runs at once".
            note = "a second is waited before the look at others' pairs" if kind == "a key pair" else ""
            yield from _both(against, f"{kind} from nothing", make, 1, note)
    # A machine that is gone must free its name and its groups for the next turn.
    with stage.emulator("--job-seconds", job_seconds, "--expunge-seconds", 0.01) as emulator:
        yield from _example(Against(stage, emulator, tools, name), commit)


def _example(against: Against, commit: str) -> Iterator[Figure]:
    """Make the example site, run it again and remove it, with both collections in turns. Each has its own playbooks."""
    stage, tools = against.stage, against.tools
    examples = {"now": ROOT / "examples", "before": checked_out(stage, commit) / "examples"}
    took: dict[str, dict[str, list[float]]] = {work: {which: [] for which in tools} for work in EXAMPLE}

    def run(which: str) -> Run:
        runs = []
        for work, playbook in EXAMPLE.items():
            runs.append(stage.run(tools[which], against.emulator, "ansible-playbook", examples[which] / playbook))
            took[work][which].append(runs[-1].seconds)
        return Run(sum(run.seconds for run in runs), max(run.peak for run in runs))

    stage.alternate(**{which: functools.partial(run, which) for which in tools})
    for work, both in took.items():
        yield times_theirs(f"the example site {work}: time", against.name, both["now"], both["before"], most=SLOWER)


def _made(
    stage: Stage, emulator: Emulator, task_of: Callable[[str], Task], numbers: Iterator[int], tool: Tool
) -> Callable[[], Run]:
    """Return what makes another one each time."""

    def run() -> Run:
        make = play(stage, tool, emulator, "new", [task_of(f"new{next(numbers)}")])
        return make()

    return run


def _both(
    against: Against, work: str, subject: Callable[[Tool], Callable[[], Run]], more: int = 0, note: str = ""
) -> Iterator[Figure]:
    """Run the same work with both collections, in turns; give the times, and the numbers of requests that are no polls.

    So many requests ``more`` are right. A ``note`` tells why the time has no bar.
    """
    requests: dict[str, list[float]] = {name: [] for name in against.tools}

    def run(name: str) -> Run:
        against.emulator.requests()
        done = subject(against.tools[name])()
        requests[name].append(sum(request["command"] not in POLLS for request in against.emulator.requests()))
        return done

    runs = against.stage.alternate(**{name: functools.partial(run, name) for name in against.tools})
    limit: dict[str, Any] = {"note": note} if note else {"most": SLOWER}
    yield times_theirs(f"{work}: time", against.name, seconds(runs["now"]), seconds(runs["before"]), **limit)
    now, then = (statistics.median(requests[name]) for name in ("now", "before"))
    counts: dict[str, Any] = {"measured_in": "requests but polls", "most": more}
    yield Figure(f"{work}: requests", against.name, now - then, "more", requests["now"], requests["before"], **counts)

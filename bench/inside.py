# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The row on tasks inside Ansible: many tasks and a loop that change nothing, against as many pings and a peer."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from figures import Figure, times_theirs
from inventories import seconds
from stage import Stage
from tasks import MACHINE, PEERS_MACHINE, PING, Task, play

SHARE, SHARE_OF_LOOP = 0.25, 0.15  # of what as many pings take
DEBUG: Task = {"ansible.builtin.debug": {"msg": "x"}}


def inside(stage: Stage, tasks: int, latencies: tuple[float, ...]) -> Iterator[Figure]:
    """Measure plays of so many tasks, and a loop of so many items."""
    for latency in latencies:
        with stage.emulator("--latency-ms", latency, "--job-seconds", 0.1) as emulator:
            play(stage, stage.ours, emulator, "made", [MACHINE])()
            subjects = {
                "ping": play(stage, stage.ours, emulator, "ping", [PING] * tasks),
                "debug": play(stage, stage.ours, emulator, "debug", [DEBUG] * tasks),
                "ours": play(stage, stage.ours, emulator, "ours", [MACHINE] * tasks),
            }
            if stage.peer:
                subjects["peer"] = play(stage, stage.peer, emulator, "peer", [PEERS_MACHINE] * tasks)
            if latency == latencies[0]:
                items = {"loop": list(range(tasks))}
                subjects["loop of pings"] = play(stage, stage.ours, emulator, "pings", [{**PING, **items}])
                subjects["loop"] = play(stage, stage.ours, emulator, "loop", [{**MACHINE, **items}])
            took = {name: seconds(runs) for name, runs in stage.alternate(**subjects).items()}
            emulator.requests()
            subjects["ours"]()
            asked = emulator.requests()
        yield from _compared(took, tasks, latency, len(asked) / tasks)


def _compared(took: dict[str, list[float]], tasks: int, latency: float, requests: float) -> Iterator[Figure]:
    # A new connection takes no latency here: the emulator delays only answers.
    waited = tasks * requests * latency / 1000
    ping = statistics.median(took["ping"])
    most = (SHARE * ping + waited) / ping
    at = {"latency_ms": latency}
    work = f"{tasks} unchanged tasks"
    note = f"`debug`, which starts no process, took {statistics.median(took['debug']) / ping:.2g} ×"
    yield times_theirs(work, f"{tasks} pings", took["ours"], took["ping"], most=round(most, 3), note=note, **at)
    if "peer" in took:
        yield times_theirs(work, "the peer", took["ours"], took["peer"], **at)
    if "loop" in took:
        loops = took["loop"], took["loop of pings"]
        yield times_theirs(f"a loop of {tasks} unchanged items", "a loop of pings", *loops, most=SHARE_OF_LOOP, **at)

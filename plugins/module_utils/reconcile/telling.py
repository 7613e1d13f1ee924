# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of plans has done and does, in words, for a person who looks on."""

from __future__ import annotations

import re

from ..api.waits import seconds, some
from .graph import ENDED, Graph, Node
from .progress import Progress


def told(graph: Graph, progresses: list[Progress], now: float, title: str = "") -> str:
    """Return how many objects are done, which have failed, and what the others are doing.

    With a title, it tells how many steps are done: what is called so has few objects that go through many steps.
    """
    ended = [one for one in progresses if graph.is_ended(one)]
    failed = [one for one in ended if one.error]
    done = f"{title}: {_steps(graph, now)}" if title else f"{len(ended) - len(failed)} of {len(progresses)} done"
    texts = [done]
    if failed:
        names = [
            f"{one.label} (job {one.error.job_id})" if one.error.job_id else one.label for one in failed if one.error
        ]
        texts.append(f"failed: {some(names)}")
    if not title:
        doing = [_doing(node, now) for node in graph.under_way()]
        texts += [some(doing)] if doing else []
    return "; ".join(texts)


def _doing(node: Node, now: float) -> str:
    jobs = [job_id for job_id, step in node.progress.jobs.items() if step is node.step]
    what = node.step.text if node.step.until else f"{node.progress.label}: {node.step.command}"
    about = f" (job {jobs[-1]})" if jobs else ""
    return f"{what} {seconds(node.since, now)}{about}"


def _steps(graph: Graph, now: float) -> str:
    steps = [node for node in graph.nodes if not node.step.until]
    under_way = graph.under_way()
    running = [node for node in under_way if not node.step.until]
    doing = [f"{node.progress.label} {_verb(node.step.command)} {max(0.0, now - node.since):.0f} s" for node in running]
    looks = list(dict.fromkeys(f"waits for {node.step.text}" for node in under_way if node.step.until))
    text = f"{sum(node.state == ENDED for node in steps)} of {len(steps)} steps done"
    if doing:
        return f"{text}, {len(doing)} running: {some(doing)}"
    return f"{text}, {some(looks)}" if looks else text


def _verb(command: str) -> str:
    """Return what a command does, in a word: deployVirtualMachine is deploy."""
    return re.split("[A-Z]", command, maxsplit=1)[0]

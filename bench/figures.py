# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures as a table and as JSON: what was measured, what it is compared with, what it must reach."""

from __future__ import annotations

import dataclasses
import os
import platform
import statistics
from collections.abc import Sequence
from typing import Any

MISSED = "MISSED"


@dataclasses.dataclass
class Figure:
    """One figure: a number with its unit, most often how many times ``ours`` is ``theirs``, or the reverse.

    ``ours`` and ``theirs`` are what was measured in this run, in turns; where there is no ``theirs``, the figure is a number
    of its own. ``most`` or ``least`` is the bar; with neither, the figure is there for information.
    """

    work: str
    against: str
    value: float
    unit: str = "×"
    ours: Sequence[float] = ()
    theirs: Sequence[float] = ()
    measured_in: str = "s"
    latency_ms: float = 0
    most: float | None = None
    least: float | None = None
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Return whether the bar is reached, ``None`` if there is none."""
        if self.most is not None:
            return self.value <= self.most
        return None if self.least is None else self.value >= self.least

    @property
    def must(self) -> str:
        """The bar in words."""
        if self.most is not None:
            return f"at most {self.most:g}"
        return "" if self.least is None else f"at least {self.least:g}"

    def row(self) -> list[str]:
        """The figure as a row of the table."""
        verdict = {True: "reached", False: MISSED, None: ""}[self.reached]
        measured = " / ".join(f"{statistics.median(one):.3g}" for one in (self.ours, self.theirs) if self.theirs)
        return [
            self.work,
            f"{self.latency_ms:g} ms",
            self.against,
            f"{measured} {self.measured_in}" if measured else "",
            f"{self.value:.3g} {self.unit}",
            self.must,
            verdict,
        ]

    def record(self) -> dict[str, Any]:
        """The figure as it is kept."""
        return {**dataclasses.asdict(self), "reached": self.reached}


def times_theirs(work: str, against: str, ours: Sequence[float], theirs: Sequence[float], **more: Any) -> Figure:
    """How many times theirs ours is, by the medians: less is better."""
    return Figure(work, against, statistics.median(ours) / statistics.median(theirs), ours=ours, theirs=theirs, **more)


def times_ours(work: str, against: str, ours: Sequence[float], theirs: Sequence[float], **more: Any) -> Figure:
    """How many times ours theirs is, by the medians: more is better."""
    return Figure(work, against, statistics.median(theirs) / statistics.median(ours), ours=ours, theirs=theirs, **more)


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a table of text, in Markdown."""
    head = ["work", "latency", "against", "ours / theirs", "figure", "must be", ""]
    rows = [head, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def page(results: dict[str, Any], figures: Sequence[Figure]) -> str:
    """Return the page of the documentation with the figures of one run."""
    machine, versions = results["machine"], ", ".join(f"{name} {one}" for name, one in results["versions"].items())
    notes = "\n".join(f"- {one.work}: {one.note}" for one in figures if one.note)
    return f"""# How fast it is

`make bench` measured this on {results["date"][:10]}. `bench/README.md` says how it measures and what it compares with. The two sides of
a comparison took turns, {results["scale"]["repeat"]} times. The medians are compared. Latency is the delay of each request.

- {machine["cpus"]} CPUs ({machine["cpu"]}), {machine["memory_gib"]} GiB, load {machine["load_before"]} before it began; {results["seconds"]} s in all
- {versions}

![Seconds for the same work](bench.svg)

{table(figures)}

{notes}
"""


def machine() -> dict[str, Any]:
    """Return what the figures depend on of the machine, and how busy it was."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    return {
        "cpus": os.cpu_count(),
        "cpu": models[0] if models else platform.processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3, 1),
        "system": platform.platform(),
        "load_before": round(os.getloadavg()[0], 2),
    }

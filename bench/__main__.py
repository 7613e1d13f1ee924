# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bench (`make bench`): measures the collection against what Ansible alone takes and against a peer."""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import datetime
import importlib.metadata
import json
import pathlib
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

import before
import inside
import inventories
import peer
import plot
import service
import tasks
import whole_sites
import yaml
from figures import MISSED, Figure, machine, page, table
from stage import ROOT, Failed, Run, Stage, our_tool

Row = Callable[[Stage], Iterator[Figure]]
LONG, WAITING = "growth", ("ahead", "machines", "rules")


@dataclasses.dataclass(frozen=True)
class Scale:
    """How much is measured: sizes, and how often."""

    repeat: int
    hosts: int
    hosts_late: int
    latencies: tuple[float, ...]
    growth: tuple[int, ...]
    hosts_slow: int
    hosts_cached: int
    tasks: int
    tasks_inside: int
    machines: int
    rules: tuple[int, ...]
    job_seconds: float
    rule_seconds: float
    site: whole_sites.Size
    emulator_requests: int
    job_seconds_before: float


FULL = Scale(
    repeat=5,
    hosts=10_000,
    hosts_late=200,
    latencies=(0, 20, 100),
    growth=(100, 1_000, 10_000, 50_000),
    hosts_slow=2_000,
    hosts_cached=300,
    tasks=3,
    tasks_inside=20,
    machines=50,
    rules=(10, 40),
    job_seconds=10,
    rule_seconds=0.1,
    site=whole_sites.Size(machines=4, disks=4, many=200, many_disks=50, largest=500, job_seconds=3),
    emulator_requests=10_000,
    job_seconds_before=1,
)
# Shows that the bench works; its figures say nothing.
QUICK = Scale(
    repeat=1,
    hosts=30,
    hosts_late=10,
    latencies=(0,),
    growth=(5, 10, 20),
    hosts_slow=30,
    hosts_cached=10,
    tasks=1,
    tasks_inside=2,
    machines=3,
    rules=(3,),
    job_seconds=0.5,
    rule_seconds=0.1,
    site=whole_sites.Size(machines=1, disks=1, many=3, many_disks=1, largest=3, job_seconds=0.3),
    emulator_requests=100,
    job_seconds_before=0.1,
)


def rows(scale: Scale, commit: str | None = None) -> dict[str, Row]:
    """Return the rows of the bench by their names; ``commit`` is the earlier one that some compare with."""
    known: dict[int, list[Run]] = {}

    def inventory(stage: Stage) -> Iterator[Figure]:
        yield from inventories.against_floor_and_peer(stage, scale.hosts, True, known)
        for latency in scale.latencies[1:]:
            yield from inventories.against_floor_and_peer(stage, scale.hosts_late, False, known, latency)

    return {
        "inventory": inventory,
        "growth": lambda stage: inventories.growth(stage, scale.growth, known),
        "requests": lambda stage: inventories.requests(stage, scale.hosts),
        "ahead": lambda stage: inventories.ahead(stage, scale.hosts_slow),
        "cache": lambda stage: inventories.cache(stage, scale.hosts_cached),
        "unchanged": lambda stage: tasks.unchanged(stage, scale.tasks, scale.latencies),
        "inside": lambda stage: inside.inside(stage, scale.tasks_inside, (scale.latencies[0], scale.latencies[-1])),
        "machines": lambda stage: tasks.machines(stage, scale.machines, scale.job_seconds),
        "rules": lambda stage: tasks.rules(stage, scale.rules, scale.rule_seconds),
        "site": lambda stage: whole_sites.sites(stage, scale.site),
        "emulator": lambda stage: service.emulator(stage, scale.emulator_requests, commit),
        "before": lambda stage: before.collection(
            stage, commit, scale.hosts_slow, scale.tasks, scale.job_seconds_before
        ),
    }


def main() -> int:
    """Run the bench; returns the exit status: 1 where something could not be measured, 0 also where a bar is missed."""
    options = _options()
    scale, about, began = QUICK if options.quick else FULL, machine(), time.monotonic()
    if not options.quick and about["load_before"] > 0.5:
        print(f"The machine is busy (load {about['load_before']:g}): expect figures that are worse, and vary.")
    figures: list[Figure] = []
    failures: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="cloudn-bench-") as directory:
        work = pathlib.Path(directory)
        try:
            stage = Stage(work, scale.repeat, our_tool(work), peer.tool(work) if options.peer else None)
            warm_up(stage)
        except Failed as failure:
            print(f"The bench could not begin: {failure}", file=sys.stderr)
            return 1
        for name, some, failure, seconds in measured(stage, rows(scale, options.before), options.row):
            print(f"{name}: {seconds:.0f} s {failure}", flush=True)
            figures += some
            failures |= {name: failure} if failure else {}
    results = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": about,
        "versions": versions(options.peer),
        "scale": dataclasses.asdict(scale),
        "seconds": round(time.monotonic() - began),
        "figures": [figure.record() for figure in figures],
        "failures": failures,
    }
    keep(options, results, figures)
    missed = sum(figure.reached is False for figure in figures)
    print(f"\n{table(figures)}\n\nMedians of {scale.repeat}, in {results['seconds']} s. {missed or 'None'} {MISSED}.")
    return 1 if failures else 0


def keep(options: argparse.Namespace, results: dict[str, Any], figures: list[Figure]) -> None:
    """Write the results and the page where the options say; those of the whole bench have their places."""
    whole = options.peer and not options.quick and not options.row  # a part does not take the place of the whole
    kept, docs = (
        options.results or (whole and ROOT / "bench" / "results.json"),
        options.docs or (whole and ROOT / "docs"),
    )
    if kept:
        kept.write_text(json.dumps(results, indent=1) + "\n")
    if docs:
        (docs / "speed.md").write_text(page(results, figures))
        (docs / "bench.svg").write_text(plot.svg(results))


def measured(
    stage: Stage, rows: dict[str, Row], wanted: list[str] | None
) -> Iterator[tuple[str, list[Figure], str, float]]:
    """Measure rows; yield the name of each, its figures, why it could not be measured, and how many seconds it took.

    The largest inventories take one of two processors for minutes, and in some rows nearly all is waiting for the service, so these
    are measured beside each other.
    """

    def measure(name: str) -> tuple[str, list[Figure], str, float]:
        began, figures, failure = time.monotonic(), [], ""
        try:
            figures += rows[name](stage)
        except Failed as reason:
            failure = f"could not be measured: {reason}"
        return name, figures, failure, time.monotonic() - began

    chosen = [name for name in rows if not wanted or name in wanted]
    yield from (measure(name) for name in chosen if name not in (LONG, *WAITING))
    with concurrent.futures.ThreadPoolExecutor(1) as thread:
        long = [thread.submit(measure, LONG)] if LONG in chosen else []
        yield from (measure(name) for name in chosen if name in WAITING)
        yield from (one.result() for one in long)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the smallest sizes, once: only to see that it works")
    parser.add_argument("--without-peer", dest="peer", action="store_false", help="do not measure the peer")
    parser.add_argument("--row", action="append", choices=list(rows(QUICK)), help="only this row; may be given again")
    parser.add_argument("--before", metavar="COMMIT", help="measure this commit beside ours, in the rows that do")
    parser.add_argument("--results", type=pathlib.Path, metavar="FILE", help="bench/results.json, of the whole bench")
    parser.add_argument(
        "--docs", type=pathlib.Path, metavar="DIRECTORY", help="where the page goes; docs, of the whole bench"
    )
    return parser.parse_args()


def warm_up(stage: Stage) -> None:
    """Run everything once, so that what Python compiles at first use is there; see that both list the same hosts."""
    told = []
    with stage.emulator("--vms", 2) as emulator:
        for tool, file in ((stage.ours, inventories.ours(stage)), (stage.peer, inventories.theirs(stage))):
            if tool:
                output = stage.work / "warm.json"
                inventories.listing(stage, tool, emulator, file, output)()
                told.append(sorted(inventories.contents(output)[0]))
                tasks.play(stage, tool, emulator, "ping", [tasks.PING])()
    if any(hosts != told[0] for hosts in told):
        raise Failed(f"ours and the peer do not list the same hosts: {told}")


def versions(with_peer: bool) -> dict[str, str]:
    """Return the versions of all that is measured."""
    packages = ("ansible-core", "requests", "Jinja2", "PyYAML")
    return {
        "cloudn.compute": yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"],
        "Python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in packages},
        **(peer.versions() if with_peer else {}),
    }


if __name__ == "__main__":
    sys.exit(main())

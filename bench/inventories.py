# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows on the inventory: `ansible-inventory --list`, against hosts from memory, the peer, and a static file."""

from __future__ import annotations

import json
import marshal
import pathlib
import statistics
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from figures import Figure, times_ours, times_theirs
from stage import Emulator, Failed, Run, Stage, Tool

FLOOR = pathlib.Path(__file__).parent / "floor"
KEYS = ("zone", "template", "service_offering")
LISTING = "listVirtualMachines"
MOST_CONNECTIONS = 8


def ours(stage: Stage, **options: Any) -> pathlib.Path:
    """Write our configuration: all machines, default groups, three keyed groups on plain variables."""
    keyed = [{"key": f"cloudn_{key}", "prefix": f"by_{key}"} for key in KEYS]
    content = {"plugin": "cloudn.compute.cloudn", "states": [], "keyed_groups": keyed, **options}
    return stage.write("ours/cloudn.yml", content)


def theirs(stage: Stage) -> pathlib.Path:
    """Write the peer's configuration: the same, but for default groups, which it has not."""
    keyed = [{"key": key, "prefix": f"by_{key}"} for key in KEYS]
    content = {"plugin": "ngine_io.cloudstack.instance", "hostname": "v4_default_ip", "keyed_groups": keyed}
    return stage.write("peer/cloudstack-instances.yml", content)


def listing(
    stage: Stage, tool: Tool, emulator: Emulator | None, file: pathlib.Path, output: pathlib.Path | None = None
) -> Callable[[], Run]:
    """Return what runs `ansible-inventory --list` on a file."""
    return lambda: stage.run(tool, emulator, "ansible-inventory", "-i", file, "--list", output=output)


def floor(stage: Stage, emulator: Emulator, file: pathlib.Path) -> Callable[[], Run]:
    """Return what lists the hosts of our inventory from memory, with the same output. Raises ``Failed`` if it differs."""
    expected, same = stage.work / "ours.json", stage.work / "floor.json"
    listing(stage, stage.ours, emulator, file, expected)()
    hosts, groups = contents(expected)
    members: dict[str, list[str]] = {name: [] for name in hosts}
    for group, names in groups.items():
        for name in names:
            members[name].append(group)
    memory = stage.work / "memory"
    memory.write_bytes(marshal.dumps(([(name, hosts[name], members[name]) for name in hosts], list(groups))))
    tool = Tool(stage.ours.programs, {**stage.ours.environment, "ANSIBLE_INVENTORY_PLUGINS": str(FLOOR)})
    source = stage.write("floor.yml", {"plugin": "floor", "memory": str(memory)})
    listing(stage, tool, None, source, same)()
    if contents(same) != (hosts, groups):
        raise Failed("the floor's inventory is not ours")
    return listing(stage, tool, None, source)


def contents(output: pathlib.Path) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Return what `ansible-inventory --list` told: the variables of the hosts, and the hosts of each group, in order."""
    told = json.loads(output.read_text(), object_hook=_plain)
    hosts = told.pop("_meta")["hostvars"]
    told.pop("all")
    return hosts, {group: sorted(about.get("hosts", [])) for group, about in sorted(told.items())}


def _plain(value: dict[str, Any]) -> Any:
    """Take out what is put around values that are never templates."""
    return value["__ansible_unsafe"] if value.keys() == {"__ansible_unsafe"} else value


def seconds(runs: list[Run]) -> list[float]:
    return [run.seconds for run in runs]


def peaks(runs: list[Run]) -> list[float]:
    return [run.peak for run in runs]


def against_floor_and_peer(
    stage: Stage, hosts: int, with_bars: bool, known: dict[int, list[Run]], latency: float = 0
) -> Iterator[Figure]:
    """Measure ours against the floor and the peer, at one number of hosts and one latency.

    What ours took without latency is left in ``known``, by the number of hosts.
    """
    work, at = f"inventory of {hosts:,}", {"latency_ms": latency}
    # What `count` means in CloudStack 4: the peer's library takes it so, and lists no more than the first page elsewhere.
    with stage.emulator("--vms", hosts, "--latency-ms", latency, "--count", "all") as emulator:
        subjects = {
            "ours": listing(stage, stage.ours, emulator, ours(stage)),
            "floor": floor(stage, emulator, ours(stage)),
        }
        if stage.peer:
            output = stage.work / "peer.json"
            subjects["peer"] = listing(stage, stage.peer, emulator, theirs(stage), output)
        runs = stage.alternate(**subjects)
    if stage.peer and len(contents(output)[0]) != hosts:
        raise Failed(f"the peer does not list all {hosts:,} machines")
    if not latency:
        known[hosts] = runs["ours"]
    time, memory = ({"most": 1.2}, {"most": 1.15}) if with_bars else ({}, {})
    yield times_theirs(f"{work}: time", "floor", seconds(runs["ours"]), seconds(runs["floor"]), **time, **at)
    peak = {"measured_in": "MiB", **memory, **at}
    yield times_theirs(f"{work}: memory", "floor", peaks(runs["ours"]), peaks(runs["floor"]), **peak)
    if stage.peer:
        faster = {"least": 5} if with_bars else {}
        yield times_ours(f"{work}: time", "peer", seconds(runs["ours"]), seconds(runs["peer"]), **faster, **at)


def growth(stage: Stage, sizes: tuple[int, ...], known: dict[int, list[Run]]) -> Iterator[Figure]:
    """Measure how time and memory grow with the number of hosts: what a host more costs, at the end and before it.

    ``known`` is what was measured already in this run, by the number of hosts.
    """
    runs: dict[int, list[Run]] = {}
    for hosts in sizes:
        if hosts not in known:
            with stage.emulator("--vms", hosts) as emulator:
                known[hosts] = stage.alternate(ours=listing(stage, stage.ours, emulator, ours(stage)))["ours"]
        runs[hosts] = known[hosts]
        for what, read, unit in (("time", seconds, "s"), ("memory", peaks, "MiB")):
            measured = read(runs[hosts])
            work, value = f"inventory of {hosts:,}: {what}", statistics.median(measured)
            yield Figure(work, "", value, unit, ours=measured, measured_in=unit)
    small, middle, large = sizes[-3:]
    for what, read in (("time", seconds), ("memory", peaks)):
        medians = {hosts: statistics.median(read(runs[hosts])) for hosts in sizes}
        before = (medians[middle] - medians[small]) / (middle - small)
        last = (medians[large] - medians[middle]) / (large - middle)
        work = f"a host more, {middle:,} to {large:,}: {what}"
        yield Figure(work, f"{small:,} to {middle:,}", last / max(before, 1e-9), most=1.2)


def requests(stage: Stage, hosts: int) -> Iterator[Figure]:
    """Count the requests and connections of one listing."""
    with stage.emulator("--vms", hosts, "--latency-ms", 20) as emulator:
        listing(stage, stage.ours, emulator, ours(stage))()
        asked = [request for request in emulator.requests() if request["command"] == LISTING]
    largest = max(int(request["params"]["pagesize"]) for request in asked)
    beyond, connections = len(asked) + hosts // -largest, len({request["connection"] for request in asked})
    work, at = f"inventory of {hosts:,}", {"latency_ms": 20}
    note = f"{len(asked)} requests, pages of up to {largest}"
    most = {"unit": "more", "most": MOST_CONNECTIONS, "note": note}
    yield Figure(f"{work}: requests", "full pages", beyond, **most, **at)
    yield Figure(f"{work}: connections", "", connections, "", most=MOST_CONNECTIONS, **at)


def ahead(stage: Stage, hosts: int) -> Iterator[Figure]:
    """Measure how long the service is kept busy by a listing as costly as the real one's, and by page after page."""
    with stage.emulator("--vms", hosts, "--latency-ms", 20, "--list-ms-per-object", 8) as emulator:

        def took(program: Callable[[], Run]) -> Callable[[], Run]:
            def run() -> Run:
                emulator.requests()
                peak = program().peak
                asked = [request for request in emulator.requests() if request["command"] == LISTING]
                return Run(max(one["end"] for one in asked) - min(one["start"] for one in asked), peak)

            return run

        program = stage.ours.programs / "python"
        arguments = (pathlib.Path(__file__).parent / "page_after_page.py", stage.module_utils)
        runs = stage.alternate(
            ours=took(listing(stage, stage.ours, emulator, ours(stage))),
            pages=took(lambda: stage.run(stage.ours, emulator, program, *arguments)),
        )
    work = f"listing {hosts:,}, 8 ms for each"
    yield times_ours(work, "page after page", seconds(runs["ours"]), seconds(runs["pages"]), least=3, latency_ms=20)


def cache(stage: Stage, hosts: int) -> Iterator[Figure]:
    """Measure an inventory that is in the cache against a static file with the same hosts and variables."""
    static, told = stage.work / "static.yml", stage.work / "cached.json"
    caching = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(stage.work / "cache")}
    with stage.emulator("--vms", hosts) as emulator:
        cached = ours(stage, default_groups=False, keyed_groups=[], **caching)
        listing(stage, stage.ours, emulator, cached, told)()
        static.write_text(yaml.dump({"all": {"hosts": contents(told)[0]}}, Dumper=yaml.CSafeDumper))
        emulator.requests()
        runs = stage.alternate(
            ours=listing(stage, stage.ours, emulator, cached), static=listing(stage, stage.ours, emulator, static)
        )
        asked = len(emulator.requests())
    work = f"inventory of {hosts:,} from the cache"
    yield times_theirs(f"{work}: time", "static YAML", seconds(runs["ours"]), seconds(runs["static"]), most=1.1)
    yield Figure(f"{work}: requests", "", asked, "", most=0)

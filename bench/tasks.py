# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows on tasks: what one costs that changes nothing, and how long many machines and rules take to make."""

from __future__ import annotations

import concurrent.futures
import functools
import pathlib
import statistics
from collections.abc import Callable, Iterator
from typing import Any

from figures import Figure, times_ours, times_theirs
from inventories import seconds
from stage import Emulator, Failed, Run, Stage, Tool

Task = dict[str, Any]

POLLS = ("queryAsyncJobResult", "listAsyncJobs")
PING: Task = {"ansible.builtin.ping": {}}
NEW = {"zone": "jp-e1a", "template": "CentOS 6.2 64bit", "service_offering": "v1", "security_groups": ["default"]}
MACHINE: Task = {"cloudn.compute.cloudn_vm": {"name": "one", **NEW}}
FIFTY: Task = {"cloudn.compute.cloudn_vm": {"name": [f"node{number:02}" for number in range(50)], **NEW}}
VOLUME: Task = {"cloudn.compute.cloudn_volume": {"name": "data", "zone": "jp-e1a", "disk_offering": "Small"}}
TEMPLATE: Task = {"cloudn.compute.cloudn_template": {"name": "image", "vm": "one", "allow_restart": True}}
PEERS_MACHINE: Task = {"ngine_io.cloudstack.instance": {"name": "one", **NEW}}
# The peer takes minutes for what ours does at once; what it takes for so many is what it takes for each more.
PEERS_MACHINES, PEERS_RULES = 2, 2


def group(name: str, rules: int) -> Task:
    """A security group with so many rules, none of which can be made together with another."""
    ingress = [{"ports": str(8000 + number), "cidrs": ["192.0.2.0/24"]} for number in range(rules)]
    return {"cloudn.compute.cloudn_security_group": {"name": name, "ingress": ingress}}


UNCHANGED = {
    "a machine": MACHINE,
    "50 machines": FIFTY,
    "100 rules": group("hundred", 100),
    "a volume": VOLUME,
    "a template": TEMPLATE,
}


def play(stage: Stage, tool: Tool, emulator: Emulator | None, name: str, tasks: list[Task]) -> Callable[[], Run]:
    """Return what runs a playbook with these tasks."""
    path = stage.playbook(f"{name}.yml", tasks)
    return lambda: stage.run(tool, emulator, "ansible-playbook", path)


def unchanged(stage: Stage, tasks: int, latencies: tuple[float, ...]) -> Iterator[Figure]:
    """Measure what a task that changes nothing takes beyond ping: plays of several, the difference by their number."""
    for latency in latencies:
        with stage.emulator("--latency-ms", latency, "--job-seconds", 0.1) as emulator:
            play(stage, stage.ours, emulator, "made", list(UNCHANGED.values()))()
            kinds = UNCHANGED if latency == latencies[0] else {"a machine": MACHINE}
            plays = {name: (stage.ours, task) for name, task in {"ping": PING, **kinds}.items()}
            requests: dict[str, float] = {}
            subjects = {
                name: _again(stage, tool, emulator, name, [task] * tasks, requests)
                for name, (tool, task) in plays.items()
            }
            yield from _beyond_ping(stage.alternate(**subjects), requests, tasks, latency)


def _again(
    stage: Stage, tool: Tool, emulator: Emulator, name: str, tasks: list[Task], requests: dict[str, float]
) -> Callable[[], Run]:
    """Return what runs tasks that must change nothing, and notes how many requests each of them sent."""
    path, output = stage.playbook(f"{name}.yml", tasks), stage.work / "played"

    def run() -> Run:
        emulator.requests()
        measured = stage.run(tool, emulator, "ansible-playbook", path, output=output)
        if "changed=0" not in output.read_text():
            raise Failed(f"{name}: something was changed:\n{output.read_text()}")
        requests[name] = len(emulator.requests()) / len(tasks)
        return measured

    return run


def _beyond_ping(
    runs: dict[str, list[Run]], requests: dict[str, float], tasks: int, latency: float
) -> Iterator[Figure]:
    """Give the figures for plays of so many tasks, which were run in turns with as many pings."""
    ping = statistics.median(seconds(runs["ping"]))
    beyond = {kind: [(run.seconds - ping) / tasks for run in some] for kind, some in runs.items() if kind != "ping"}
    at = {"latency_ms": latency}
    limit = {} if latency else {"most": 0.12}
    for kind, ours in beyond.items():
        yield Figure(f"unchanged, {kind}: time", "ping", statistics.median(ours), "s more", ours=ours, **limit, **at)
        yield Figure(f"unchanged, {kind}: requests", "", requests[kind], "", most=2, **at)


def machines(stage: Stage, number: int, job_seconds: float) -> Iterator[Figure]:
    """Measure how long many machines take from nothing, against one, and against the peer's loop."""
    runs: dict[str, list[Run]] = {"ping": [], "one": [], "many": [], "peer": []}
    polls: dict[str, list[float]] = {"one": [], "many": []}
    late: dict[str, list[float]] = {"one": [], "many": []}
    service = ("--latency-ms", 20, "--job-seconds", job_seconds)
    with (
        stage.emulator(*service) as emulator,
        stage.emulator(*service) as other,
        concurrent.futures.ThreadPoolExecutor(1) as beside,
    ):
        for turn in range(stage.repeat):
            # A loop of the peer's sleeps nearly all the time, as our tasks do, so they are run beside each other.
            loop = beside.submit(_loop(stage, other, turn)) if stage.peer else None
            for kind, count in sorted({"one": 1, "many": number}.items(), reverse=bool(turn % 2)):
                names = [f"{kind}{turn}-{index:02}" for index in range(count)]
                task = {"cloudn.compute.cloudn_vm": {"name": names, **NEW}}
                emulator.requests()
                runs[kind].append(play(stage, stage.ours, emulator, kind, [task])())
                asked = emulator.requests()
                polled = [request["end"] for request in asked if request["command"] in POLLS]
                begun = [request["end"] for request in asked if request["command"] == "deployVirtualMachine"]
                polls[kind].append(len(polled))
                late[kind].append(max(polled) - (max(begun) + job_seconds))
            runs["ping"].append(play(stage, stage.ours, None, "ping", [PING])())
            if loop:
                runs["peer"].append(loop.result())
    yield from _many(runs, polls, late, number, job_seconds)


def _loop(stage: Stage, emulator: Emulator, turn: int) -> Callable[[], Run]:
    """Return what makes some machines as the peer's users do: in a loop."""
    names = [f"peer{turn}-{index:02}" for index in range(PEERS_MACHINES)]
    task = {"ngine_io.cloudstack.instance": {"name": "{{ item }}", **NEW}, "loop": names}
    assert stage.peer
    return play(stage, stage.peer, emulator, "loop", [task])


def _many(
    runs: dict[str, list[Run]],
    polls: dict[str, list[float]],
    late: dict[str, list[float]],
    number: int,
    job_seconds: float,
) -> Iterator[Figure]:
    work, at = f"{number} machines from nothing", {"latency_ms": 20}
    yield times_theirs(f"{work}: time", "one machine", seconds(runs["many"]), seconds(runs["one"]), most=1.3, **at)
    ping = statistics.median(seconds(runs["ping"]))
    ours = [run.seconds - ping for run in runs["many"]]
    yield times_theirs(f"{work}: beyond ping", "the job itself", ours, [job_seconds], **at)
    if runs["peer"]:
        peer = [(run.seconds - ping) / PEERS_MACHINES * number for run in runs["peer"]]
        note = f"the peer's loop of {PEERS_MACHINES}, as many times"
        yield times_ours(f"{work}: beyond ping", "peer", ours, peer, note=note, **at)
    yield times_theirs(
        f"{work}: polls", "one machine", polls["many"], polls["one"], measured_in="polls", most=1.25, **at
    )
    for kind, count in (("one", 1), ("many", number)):
        most = min(5, 0.1 * job_seconds + 0.5)
        value = statistics.median(late[kind])
        what = f"end of {count} job{'s'[: count > 1]} of {job_seconds:g} s noticed"
        yield Figure(what, "", value, "s late", ours=late[kind], most=most, **at)


def rules(stage: Stage, numbers: tuple[int, ...], job_seconds: float) -> Iterator[Figure]:
    """Measure how long security groups with many rules take from nothing, against the plain sequence, and the peer's loop.

    The service locks a group for each change of its rules, and a change that finds it locked sleeps for 5 seconds.
    """
    service = ("--latency-ms", 20, "--job-seconds", job_seconds, "--group-lock-seconds", 5)
    with stage.emulator(*service) as emulator:
        names = iter(range(10_000))
        counts: dict[int, int] = {}

        def make(number: int) -> Run:
            emulator.requests()
            run = play(stage, stage.ours, emulator, "group", [group(f"group{next(names)}", number)])()
            counts[number] = sum(request["command"] not in POLLS for request in emulator.requests())
            return run

        subjects: dict[str, Callable[[], Run]] = {"ping": play(stage, stage.ours, None, "ping", [PING])}
        for number in numbers:
            subjects[f"ours {number}"] = functools.partial(make, number)
            subjects[f"plain {number}"] = functools.partial(_in_sequence, stage, emulator, names, number)
        if stage.peer:
            subjects["peer"] = functools.partial(_loop_of_rules, stage, emulator, names)
        runs = stage.alternate(**subjects)
    ping = statistics.median(seconds(runs["ping"]))
    for number in numbers:
        work, at = f"a group with {number} rules from nothing", {"latency_ms": 20}
        ours, plain = [run.seconds - ping for run in runs[f"ours {number}"]], seconds(runs[f"plain {number}"])
        yield Figure(f"{work}: requests but polls", "", counts[number], "", most=number + 3, **at)
        yield times_theirs(f"{work}: beyond ping", "rule after rule", ours, plain, most=1.2, **at)
        if stage.peer and number == max(numbers):
            peer = [(run.seconds - ping) / PEERS_RULES * number for run in runs["peer"]]
            note = f"the peer's loop of {PEERS_RULES}, as many times"
            yield times_ours(f"{work}: beyond ping", "peer", ours, peer, note=note, **at)


def _in_sequence(stage: Stage, emulator: Emulator, names: Iterator[int], number: int) -> Run:
    """Make a group with so many rules by a plain script; what it takes to start Python is not counted."""
    output = stage.work / "sequence"
    script = pathlib.Path(__file__).parent / "rule_after_rule.py"
    arguments = (script, stage.module_utils, f"group{next(names)}", number)
    run = stage.run(stage.ours, emulator, "python", *arguments, output=output)
    return run._replace(seconds=float(output.read_text()))


def _loop_of_rules(stage: Stage, emulator: Emulator, names: Iterator[int]) -> Run:
    """Make a group with some rules as the peer's users do: in a loop."""
    name = f"group{next(names)}"
    rule = {"security_group": name, "protocol": "tcp", "cidr": "192.0.2.0/24"}
    ports = {"start_port": "{{ item }}", "end_port": "{{ item }}"}
    tasks = [
        {"ngine_io.cloudstack.security_group": {"name": name}},
        {
            "ngine_io.cloudstack.security_group_rule": {**rule, **ports},
            "loop": [8000 + index for index in range(PEERS_RULES)],
        },
    ]
    assert stage.peer
    return play(stage, stage.peer, emulator, "loop", tasks)()

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The row on whole sites: in one task, against one task for each kind, the chain of jobs and a plain client."""

from __future__ import annotations

import pathlib
import statistics
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from figures import Figure, times_ours, times_theirs
from inventories import seconds
from stage import Emulator, Failed, Run, Stage
from tasks import NEW, Task, play

BENCH = pathlib.Path(__file__).parent
GROUPS = ("front", "middle", "back")
# The bars. The most requests are for the site of 12 machines, unchanged ones for any.
CHAIN, REQUESTS, UNCHANGED_REQUESTS, UNCHANGED_SECONDS, MORE_SECONDS, RAW, MEMORY = 1.3, 110, 6, 0.6, 1.0, 1.2, 150
RULES = 3  # of each group: their jobs are the longest chain, as the service locks the group
LATENCY = 20
TURNS = 3  # at most; the tasks take so long that they have only one
NOTHING: Task = {"ansible.builtin.meta": "noop"}


class Size(NamedTuple):
    """How large the sites are: machines in each of the three groups, and disks; the same for a large one; machines for memory."""

    machines: int
    disks: int
    many: int
    many_disks: int
    largest: int
    job_seconds: float


class Counted(NamedTuple):
    """What a playbook took, and how many requests it sent."""

    run: Run
    requests: int


def groups() -> list[dict[str, Any]]:
    """Return three groups with three rules each. They name each other in a circle."""
    return [
        {
            "name": name,
            "ingress": [
                {"ports": "22", "cidrs": ["192.0.2.0/24"]},
                {"ports": "80", "groups": [{"name": GROUPS[number - 1]}]},
                {"ports": "8080", "cidrs": ["198.51.100.0/24"]},
            ],
        }
        for number, name in enumerate(GROUPS)
    ]


def machines(count: int) -> list[dict[str, Any]]:
    """Return an item for each group, with so many machines that have a tag."""
    new = {name: NEW[name] for name in ("template", "service_offering")}
    return [
        {
            "name": [f"{group}{number:02}" for number in range(count)],
            "security_groups": [group],
            "tags": {"role": group},
            **new,
        }
        for group in GROUPS
    ]


def disks(count: int) -> list[dict[str, Any]]:
    """Return so many disks for as many machines."""
    return [{"name": f"data{number:02}", "vm": f"back{number:02}", "disk_offering": "Small"} for number in range(count)]


def site(size: Size, **more: Any) -> Task:
    """Return the site as one task."""
    options = {"security_groups": groups(), "vms": machines(size.machines), "volumes": disks(size.disks), **more}
    return {"cloudn.compute.cloudn_site": {"name": "bench", "zone": NEW["zone"], **options}}


def in_tasks(size: Size) -> list[Task]:
    """Return the same site as its users write it without the module: a loop for each kind. A group must exist to be named."""
    item = "{{ item }}"
    first = {"cloudn.compute.cloudn_security_group": {"name": item}, "loop": list(GROUPS)}
    rules = {
        "cloudn.compute.cloudn_security_group": {"name": "{{ item.name }}", "ingress": "{{ item.ingress }}"},
        "loop": groups(),
    }
    vms = [{"cloudn.compute.cloudn_vm": {"zone": NEW["zone"], **one}} for one in machines(size.machines)]
    volumes = [{"cloudn.compute.cloudn_volume": {"state": "attached", **one}} for one in disks(size.disks)]
    return [first, rules, *vms, *volumes]


def sites(stage: Stage, size: Size) -> Iterator[Figure]:
    """Measure a site from nothing, unchanged, with one machine more and removed, then a large one, then memory."""
    took: dict[str, list[Counted]] = {}
    service = ("--latency-ms", LATENCY, "--job-seconds", size.job_seconds, "--group-lock-seconds", 5)
    for turn in range(min(stage.repeat, TURNS)):
        took.setdefault("empty", []).append(Counted(play(stage, stage.ours, None, "empty", [NOTHING])(), 0))
        for kind in ("site",) if turn else ("site", "tasks"):
            with stage.emulator(*service) as emulator:
                for name, run in _stages(stage, emulator, kind, size):
                    took.setdefault(f"{kind}: {name}", []).append(run)
    yield from _small(took, size)
    yield from _large(stage, size, took["empty"])
    yield from _memory(stage, size)


def _stages(stage: Stage, emulator: Emulator, kind: str, size: Size) -> Iterator[tuple[str, Counted]]:
    """Make a site, look at it again, change it and remove it. Yield the name of each and what it took."""
    if kind == "tasks":
        yield "made", _counted(stage, emulator, in_tasks(size))
        yield "unchanged", _counted(stage, emulator, in_tasks(size), unchanged=True)
        return
    yield "made", _counted(stage, emulator, [site(size)])
    yield "unchanged", _counted(stage, emulator, [site(size)], unchanged=True)
    more = machines(size.machines)
    more[0]["name"].append("front99")
    yield "one more", _counted(stage, emulator, [site(size, vms=more)])
    gone = {"name": "bench", "state": "absent", "delete_volumes": True}
    yield "absent", _counted(stage, emulator, [{"cloudn.compute.cloudn_site": gone}])


def _counted(stage: Stage, emulator: Emulator, tasks: list[Task], unchanged: bool = False) -> Counted:
    """Run a playbook and count its requests. Raises ``Failed`` if it changes something and must not."""
    emulator.requests()
    path, output = stage.playbook("site.yml", tasks), stage.work / "played"
    run = stage.run(stage.ours, emulator, "ansible-playbook", path, output=output)
    if ("changed=0" in output.read_text()) is not unchanged:
        raise Failed(f"the site must {'not ' if unchanged else ''}be changed:\n{output.read_text()}")
    return Counted(run, len(emulator.requests()))


def _seconds(counted: Sequence[Counted], beyond: float = 0) -> list[float]:
    return [one - beyond for one in seconds([each.run for each in counted])]


def _requests(counted: Sequence[Counted]) -> float:
    return statistics.median(each.requests for each in counted)


def _small(took: dict[str, list[Counted]], size: Size) -> Iterator[Figure]:
    """Give the figures of the site that is made, looked at again, changed and removed."""
    empty = statistics.median(_seconds(took["empty"]))
    made, tasks = took["site: made"], took["tasks: made"]
    work, at = f"a site of {size.machines * len(GROUPS)} machines", {"latency_ms": LATENCY}
    chain = [RULES * size.job_seconds]
    note = f"in tasks: {_requests(tasks):.0f} requests"
    yield times_theirs(
        f"{work} from nothing: beyond an empty playbook", "its chain of jobs", _seconds(made, empty), chain, most=CHAIN, **at
    )  # fmt: skip
    yield times_ours(f"{work} from nothing: time", "in tasks", _seconds(made), _seconds(tasks), **at)
    yield Figure(f"{work} from nothing: requests", "", _requests(made), "", most=REQUESTS, note=note, **at)
    again, tasks = took["site: unchanged"], took["tasks: unchanged"]
    beyond = _seconds(again, empty)
    note = f"in tasks: {_requests(tasks):.0f} requests"
    yield Figure(
        f"{work} unchanged: time", "an empty playbook", statistics.median(beyond), "s more", beyond, most=UNCHANGED_SECONDS, **at
    )  # fmt: skip
    yield times_ours(f"{work} unchanged: time", "in tasks", _seconds(again), _seconds(tasks), **at)
    yield Figure(f"{work} unchanged: requests", "", _requests(again), "", most=UNCHANGED_REQUESTS, note=note, **at)
    late = [one - size.job_seconds for one in _seconds(took["site: one more"], empty)]
    more = statistics.median(late)
    yield Figure(f"{work} and one more: time", "its chain of jobs", more, "s more", late, most=MORE_SECONDS, **at)
    # A disk is detached, its machine is destroyed, and a rule is revoked that names a group: rules outlive machines.
    gone, chain = _seconds(took["site: absent"], empty), [3 * size.job_seconds]
    note = f"{_requests(took['site: absent']):.0f} requests"
    yield times_theirs(f"{work} removed: beyond an empty playbook", "its chain of jobs", gone, chain, most=CHAIN, note=note, **at)  # fmt: skip


def _large(stage: Stage, size: Size, empty: list[Counted]) -> Iterator[Figure]:
    """Give the figure of a large site, against a plain client with as many requests at once. Both may have all jobs at once."""
    vms = [{**machines(size.many)[-1], "security_groups": ["default"]}]
    jobs = size.many + size.many_disks + len(GROUPS)
    task = site(size, security_groups=[], vms=vms, volumes=disks(size.many_disks), max_jobs=jobs)
    service = ("--latency-ms", LATENCY, "--job-seconds", size.job_seconds)
    ours, plain = [], []
    for turn in range(min(stage.repeat, TURNS)):
        for kind in ("ours", "plain") if turn % 2 == 0 else ("plain", "ours"):
            with stage.emulator(*service) as emulator:
                if kind == "ours":
                    ours.append(_counted(stage, emulator, [task]))
                else:
                    plain.append(_plain(stage, emulator, size))
    beyond = _seconds(ours, statistics.median(_seconds(empty)))
    work = f"{size.many} machines and {size.many_disks} disks from nothing"
    note = f"{_requests(ours):.0f} requests; the plain client: {_requests(plain):.0f}"
    yield times_theirs(
        f"{work}: beyond an empty playbook", "a plain client", beyond, _seconds(plain), most=RAW, latency_ms=LATENCY, note=note
    )  # fmt: skip


def _plain(stage: Stage, emulator: Emulator, size: Size) -> Counted:
    """Make a large site by a plain script; what it takes to start Python is not counted."""
    output = stage.work / "plain"
    emulator.requests()
    arguments = (BENCH / "raw_site.py", stage.module_utils, size.many, size.many_disks, 10)
    run = stage.run(stage.ours, emulator, "python", *arguments, output=output)
    return Counted(run._replace(seconds=float(output.read_text())), len(emulator.requests()))


def _memory(stage: Stage, size: Size) -> Iterator[Figure]:
    """Give the memory of all processes for the largest site, made and unchanged."""
    item = {**machines(size.largest)[0], "security_groups": ["default"]}
    task = site(size, security_groups=[], vms=[item], volumes=[], max_jobs=size.largest)
    path = stage.playbook("largest.yml", [task])
    with stage.emulator("--latency-ms", LATENCY, "--job-seconds", size.job_seconds) as emulator:
        for name in ("from nothing", "unchanged"):
            run = stage.run(stage.ours, emulator, "ansible-playbook", path, measure=BENCH / "proportional.py")
            work = f"a site of {size.largest} machines {name}: memory"
            note = f"of all processes, a shared page once; {run.seconds:.3g} s"
            yield Figure(work, "", run.peak, "MiB", most=MEMORY, latency_ms=LATENCY, note=note)

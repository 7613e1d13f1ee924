# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two or three runs of a task at one moment, on a service that looks whether a name is free and only then makes a row.

Each case is a number of races at once, each for a name of its own. The runs of a race begin together or some time after
each other, so that rows appear before, between and after the looks of the other runs.
"""

from __future__ import annotations

import collections
import json
import os
import pathlib
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api import CloudnError
from cases import SAMPLE, sample
from cloudn_emulator.commands import ssh_key
from controllers import Controller, at_once
from preparing import Task, filled, prepared
from samples import KEY, NEW, ZONE
from scenarios import DOWNLOAD, MACHINE, SNAPSHOT
from sites import RunAs

Result = dict[str, Any]
ALL = os.environ.get("FAULTS") == "all"
GAP_MS = 300
RACES = 20 if ALL else 2 * SAMPLE  # at once
OF_EACH = 200
DOZEN = 12
WAIT_TIMEOUT = 60


@dataclass(frozen=True)
class Kind:
    """A task that makes an object of a name (several, with ``names``), and where a store has such objects.

    ``size`` is how many races are run at once.
    """

    name: str
    module: str
    options: dict[str, Any]
    table: str
    before: tuple[Task, ...] = ()
    names: int = 1
    size: int = RACES

    @property
    def has_ids(self) -> bool:
        """Return whether two objects of one name differ by an id. Where they do not, no run can give way."""
        return self.table != "key_pairs"


RULES = [
    {"ports": "22", "cidrs": ["192.0.2.0/24", "198.51.100.0/24"]},
    {"ports": "80", "groups": [{"name": "default"}, {"name": "{name}"}]},
]
TAGS = {"tags": {"role": "race"}}
KINDS = (
    Kind("vm", "cloudn_vm", {"state": "started", "display_name": "Race", **TAGS, **NEW}, "vms"),
    Kind("vm-dozen", "cloudn_vm", {**TAGS, **NEW}, "vms", names=DOZEN, size=1),
    Kind("group", "cloudn_security_group", {"ingress": RULES, **TAGS}, "security_groups"),
    Kind("group-bare", "cloudn_security_group", {}, "security_groups"),
    Kind("key-pair", "cloudn_key_pair", {}, "key_pairs", size=RACES // 2),
    Kind("key-pair-registered", "cloudn_key_pair", {"public_key": KEY}, "key_pairs"),
    Kind("volume", "cloudn_volume", {"disk_offering": "Small", **ZONE, **TAGS}, "volumes"),
    Kind("volume-of-snapshot", "cloudn_volume", {"snapshot": "{snapshot}", **ZONE}, "volumes", (MACHINE, SNAPSHOT)),
    Kind(
        "template-of-snapshot",
        "cloudn_template",
        {"snapshot": "{snapshot}", "os_type": "CentOS 5.6 (64-bit)", **TAGS},
        "templates",
        (MACHINE, SNAPSHOT),
    ),
    Kind("template-downloaded", "cloudn_template", {**ZONE, **DOWNLOAD}, "templates"),
)
MAKES = re.compile("deploy|create(?!Tags)|register")
GONE = ("Destroyed", "Expunging", "Destroy")


@dataclass
class Race:
    """Runs of one task for the same names, each with the seconds after which it begins."""

    kind: Kind
    names: list[str]
    controllers: list[Controller]
    delays: list[float]

    def runs(self) -> list[Callable[[], Result]]:
        return [self._run(*pair) for pair in zip(self.controllers, self.delays, strict=True)]

    def _run(self, controller: Controller, delay: float) -> Callable[[], Result]:
        def run() -> Result:
            time.sleep(delay)
            try:
                return controller.run()
            except CloudnError as error:
                return {"all": [], "errors": [error.message], "not_found": self.names}

        return run


def raced(emulator: Any, races: list[Race]) -> bool:
    """Return whether more than one object of some name was made."""
    made = collections.Counter(
        request["params"].get("name")
        for request in emulator.requests
        if MAKES.match(request["command"]) and request["status"] == 200
    )
    return any(made[name] > 1 for race in races for name in race.names)


def left(store: Any, kind: Kind, name: str) -> list[str]:
    """Return the ids of the objects of a name that are there. Key pairs have no ids: return their fingerprints."""
    objects = [one for one in getattr(store, kind.table).values() if one.name == name]
    there = [one for one in objects if getattr(one, "state", "") not in GONE and getattr(one, "zone_ids", True)]
    return [one.id if kind.has_ids else one.fingerprint for one in there]


def problems(store: Any, race: Race, results: list[Result]) -> Iterator[str]:
    """Yield what is wrong. All runs should show the one object of a name, or fail and name all its objects."""
    errors = [" ".join(result["errors"]) for result in results]
    key = "id" if race.kind.has_ids else "fingerprint"
    for name in race.names:
        ids = left(store, race.kind, name)
        told = f"{name}: {ids}, after {race.delays}, errors {errors}"
        # A run that only finds the object, in the second in which it is made, can't know what comes.
        makers = [result for result in results if name in result["not_found"]]
        wrong = verdict(ids, [error for error in errors if name in error], len(makers), len(results))
        if wrong:
            yield f"{wrong} {told}"
        shown = {one[key] for result in makers for one in result["all"] if one["name"] == name}
        if len(ids) == 1 and shown != set(ids):
            yield f"shows another one, {shown}: {told}"


def verdict(ids: list[str], failed: list[str], makers: int, runs: int) -> str:
    """Return what is wrong with the objects and the errors of a name, or nothing."""
    if len(ids) > 1:
        # Of three runs at one moment one may end before the third object is there. The last run sees all.
        named = [sum(id in error for id in ids) for error in failed]
        return "" if len(failed) >= makers and min(named) > 1 and max(named) == len(ids) else "doubled"
    if ids:
        return "failed" if failed else ""
    return "lost" if len(failed) < runs else ""


def after(emulator: Any, race: Race) -> Iterator[str]:
    """Yield what is wrong with the next run. It changes nothing, or does what the errors say."""
    one = race.controllers[0]
    if not race.kind.has_ids and len(left(emulator.store, race.kind, race.names[0])) > 1:
        gone = Controller(race.kind.module, {**one.options, "public_key": None, "state": "absent"}, emulator).run()
        made = one.run()
        if gone["errors"] or made["errors"] or len(left(emulator.store, race.kind, race.names[0])) != 1:
            yield f"the way out: {gone}, {made}"
    again = one.run()
    if again["errors"] or again["changed"]:
        yield f"the run after it: {again}"


def delays(chance: random.Random, number: int) -> list[float]:
    """Return when the runs of a race begin: in half of the races at one moment, else within a few requests and jobs."""
    if chance.random() < 0.5:
        return [0.0] * number
    return [round(chance.uniform(0, 0.8), 2) for _number in range(number)]


def cases(kind: Kind) -> list[tuple[Kind, int]]:
    """Return the kind with the numbers of its cases: enough for a race for each of 200 names, or one of them."""
    every = [(kind, number) for number in range(-(-OF_EACH // (20 * kind.size * kind.names // RACES)))]
    return sample(f"race {kind.name}", every, 1)


ONE_KEY = pytest.mark.generation("3", reason="here all names have one public key, which CloudStack 4 takes only once")
CHOSEN = [case for kind in KINDS for case in cases(kind)]


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        pytest.param(
            kind, number, id=f"{kind.name}-{number}", marks=ONE_KEY if kind.name == "key-pair-registered" else ()
        )
        for kind, number in CHOSEN
    ],
)
def test_runs_at_one_moment_leave_one_object(
    run_module_as: RunAs, monkeypatch: pytest.MonkeyPatch, kind: Kind, number: int
) -> None:
    monkeypatch.setattr(ssh_key, "KEY_BITS", 1024)  # the emulator does nothing else while it makes a key
    chance = random.Random(f"{os.environ.get('FAULTS_SEED', '1')} {kind.name} {number}")
    order = ("first", "last", "random")[number % 3]
    rivals = 3 if number % 3 == chance.randrange(3) else 2
    settings = {"race_ms": GAP_MS, "race_order": order, "job_seconds": chance.uniform(0.05, 0.5)}
    with run_module_as(**settings) as (run, emulator):
        known = prepared(run, kind.before)
        starts = [delays(chance, rivals) if at else [0.0] * rivals for at in range(kind.size)]
        races = [race_of(kind, at, begins, known, emulator) for at, begins in enumerate(starts)]
        results = at_once([run for race in races for run in race.runs()], 2 * WAIT_TIMEOUT)
        wrong = []
        for race in races:
            of_race, results = results[:rivals], results[rivals:]
            found = list(problems(emulator.store, race, of_race))
            wrong += found
            report(race, order, found)
            wrong += after(emulator, race)
        assert wrong == []
        assert raced(emulator, races)


def race_of(kind: Kind, at: int, begins: list[float], known: dict[str, str], emulator: Any) -> Race:
    """Return the race with this number. Its runs begin after so many seconds each."""
    names = [f"race{at}x{one}" for one in range(kind.names)]
    options = {
        "wait_timeout": WAIT_TIMEOUT,
        **filled(kind.options, {**known, "name": names[0]}),
        "name": names if kind.module == "cloudn_vm" else names[0],
    }
    runners = [Controller(kind.module, options, emulator, timeout=20) for _delay in begins]
    return Race(kind, names, runners, begins)


def report(race: Race, order: str, found: list[str]) -> None:
    """Add a line for a race to the file of all cases."""
    path = os.environ.get("FAULTS_REPORT")
    if path:
        case = f"{len(race.controllers)} runs after {race.delays} s, row {order}"
        line = {"scenario": race.kind.name, "module": race.kind.module, "kind": "race", "case": case, "problems": found}
        with pathlib.Path(path).open("a") as file:
            file.write(json.dumps(line) + "\n")

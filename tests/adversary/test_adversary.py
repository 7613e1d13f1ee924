# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a network or a gateway answers: nothing is lost, doubled, hidden or leaked, and every run ends with a sentence.

By default each task meets a sample of the attacks, another one with another ``FAULTS_SEED``. With ``FAULTS=all`` it meets
each attack once, on a generation and at a request that are chosen by the seed. With ``FAULTS=everywhere`` it meets each attack
at every request on both generations, with another text those whose name holds it. ``ADVERSARY_REPORT`` names a file that gets a line for each case.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import time
import zlib
from typing import Any

import pytest
from attacks import ATTACKS, Attack
from generations import GENERATIONS
from judging import JOB, Position, Trial, role, shown, trouble
from proxy import Request
from tasks import VICTIMS, Victim

WANTED = os.environ.get("FAULTS", "")
SEED = os.environ.get("FAULTS_SEED", "1")
SAMPLE = int(os.environ.get("FAULTS_SAMPLE", "4"))  # attacks on each task
ONLY_3 = pytest.mark.generation("3", reason="CloudStack 4 has no EC2-compatible API")
VICTIM = pytest.mark.parametrize(
    "victim", [pytest.param(one, id=one.name, marks=ONLY_3 if one.only_3 else ()) for one in VICTIMS]
)


@VICTIM
def test_each_task_withstands_each_attack(victim: Victim, trial: Any, generation: str) -> None:
    with trial(victim) as calm:
        positions, wanted, told = undisturbed(calm)
    wrong = []
    for attack, position in chosen(victim, generation, positions):
        as_json = attack.only_json or zlib.crc32(f"{attack.name}{position}".encode()) % 2
        settings = {"race_ms": 30} if attack.race else {}
        with trial(victim, "json" if as_json else "xml", **settings) as attacked:
            began = time.monotonic()
            problems = list(dict.fromkeys(trouble(attacked, attack, position, wanted, told)))
            seconds = time.monotonic() - began
        name = f"{attack.kind}: {attack.name} at {position.command} {position.nth}, {'json' if as_json else 'xml'}"
        report(victim, attack, name, generation, problems, seconds)
        wrong += [f"{name}: {problem}" for problem in problems]
    assert not wrong, "\n".join(wrong)


def undisturbed(calm: Trial) -> tuple[list[Position], dict[str, Any], dict[str, Any]]:
    """Return the requests of an undisturbed run, what the service holds after it, and what it shows."""
    done = calm.run()
    assert not done.get("failed"), done["msg"]
    return positions_of(calm.proxy.clear()), calm.settled(), shown(done)


def positions_of(seen: list[Request]) -> list[Position]:
    """Return the positions of requests. How often a job is asked for is chance, so only the first time counts."""
    found: list[Position] = []
    for request in seen:
        nth = 1 + sum(one.command == request.command for one in found)
        if role(request.command) != JOB or nth == 1:
            found.append(Position(request.command, nth))
    return found


def chosen(victim: Victim, generation: str, positions: list[Position]) -> list[tuple[Attack, Position]]:
    """Return the attacks on a task, each with its request. The same seed gives the same ones."""
    attacks = [attack for attack in ATTACKS if not attack.name.startswith(victim.own or ("-",))]
    everything = [(attack, one) for attack in attacks for one in positions if attack.fits(one.command, one.role)]
    if WANTED == "everywhere":
        return everything
    if WANTED and WANTED != "all":
        return [(attack, one) for attack, one in everything if WANTED in f"{attack.kind}: {attack.name}"]
    cases = []
    for attack in attacks:
        chance = random.Random(f"{SEED} {victim.name} {attack.kind} {attack.name}")
        roles = sorted({one.role for fitting, one in everything if fitting is attack})
        if not roles or (chance.choice(GENERATIONS) != generation and not victim.only_3):
            continue
        wanted = chance.choice(roles)
        cases.append(
            (attack, chance.choice([one for found, one in everything if found is attack and one.role == wanted]))
        )
    if WANTED == "all":
        return cases
    return random.Random(f"{SEED} {victim.name} {generation}").sample(cases, min(SAMPLE, len(cases)))


def report(victim: Victim, attack: Attack, name: str, generation: str, problems: list[str], seconds: float) -> None:
    """Note a case for the summary."""
    path = os.environ.get("ADVERSARY_REPORT")
    if not path:
        return
    kind = attack.kind.split()[0] if attack.kind.startswith("status") else attack.kind
    line = {
        "task": victim.name,
        "kind": kind,
        "attack": attack.name,
        "case": name,
        "generation": generation,
        "problems": problems,
        "seconds": round(seconds, 2),
    }
    with pathlib.Path(path).open("a") as file:
        file.write(json.dumps(line) + "\n")

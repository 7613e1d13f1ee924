# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a state has all that the recorded scenarios leave: no change of any command is missed.

`make test` plays a sample, `make test-faults` (`FAULTS=all`) plays all. `FAULTS_SEED` draws other ones.
"""

from __future__ import annotations

import os
import pathlib
import random

import pytest
from cloudn_emulator import Emulator
from kept import held
from recorded import scenarios
from replay import IN_ONE_SECOND, OF_GENERATION, OWN_SETTINGS, RECORDED, SETTINGS, Server, play
from waiting import soon

ALL = os.environ.get("FAULTS") == "all"
SAMPLE = 4
_EACH = [(generation, name) for generation in RECORDED for name in scenarios(RECORDED[generation])]
_CHANCE = random.Random(int(os.environ.get("FAULTS_SEED", "1")))
EACH = _EACH if ALL else _CHANCE.sample(_EACH, SAMPLE)


@pytest.mark.parametrize(("generation", "name"), EACH, ids=[f"{name}-on-{generation}" for generation, name in EACH])
def test_a_restart_after_a_scenario_has_everything(generation: str, name: str, tmp_path: pathlib.Path) -> None:
    more = OF_GENERATION[generation] | OWN_SETTINGS.get(name, {})
    settings = {**SETTINGS, **more, "generation": generation, "state": tmp_path / "state"}
    with Emulator(**settings) as emulator:
        server = Server(emulator.url, emulator.api_key, emulator.api_secret)
        for _lines in play(scenarios(RECORDED[generation])[name], server, emulator.vars, IN_ONE_SECOND.get(name, 0)):
            pass
        soon(lambda: all(job.status for job in emulator.store.jobs.values()))
        soon(lambda: not any(template.downloading for template in emulator.store.templates.values()))
        soon(lambda: not any(volume.state == "Uploading" for volume in emulator.store.volumes.values()))
    before = held(emulator.store)
    with Emulator(**settings) as again:
        after = held(again.store)
    assert {table: rows for table, rows in after.items() if rows != before[table]} == {}

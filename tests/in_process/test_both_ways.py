# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task inside Ansible has the result of the module that is sent, member by member, and sends the same commands.

``make test`` compares a sample. ``make test-faults`` (``FAULTS=all``) compares 150 tasks of each module that changes something,
and 40 of each other. ``FAULTS_SEED`` draws other ones.
"""

from __future__ import annotations

import collections
import os
import pathlib
from collections.abc import Callable
from typing import Any

import pytest
import ways
from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read
from asked import changes_sent_to, sent_to
from drawn import Drawn, draw
from samples import POLLS
from test_options import MODULES, built_for

ALL = os.environ.get("FAULTS") == "all"
SEED = int(os.environ.get("FAULTS_SEED", "1"))
CHANGING = [name for name in MODULES if not name.endswith("_info") and name != "cloudn_job"]
COUNTS = {name: (150 if name in CHANGING else 40) if ALL else (9 if name in CHANGING else 4) for name in MODULES}
IN_TURN = dict.fromkeys(
    ["cloudn_vm", "cloudn_site"], {"max_parallel": 1}
)  # so that the service always has the machines in the same order
AT_ONCE = 40  # tasks of one playbook: they change the site more and more


def batches() -> list[list[Drawn]]:
    """Return all tasks, in lists for one playbook each, with tasks of many modules in each list."""
    drawn = [list(enumerate(draw(name, COUNTS[name], SEED))) for name in MODULES]
    spread = sorted((number / COUNTS[one.module], one.module, one) for several in drawn for number, one in several)
    mixed = [one for _place, _module, one in spread]
    return [mixed[at : at + AT_ONCE] for at in range(0, len(mixed), AT_ONCE)]


BATCHES = range(-(-sum(COUNTS.values()) // AT_ONCE))


@pytest.fixture(scope="module")
def drawn() -> list[list[Drawn]]:
    return batches()


@pytest.mark.generation("3", *(["4"] if ALL else []), reason="the sample is small: how a task runs is the same on both")
@pytest.mark.parametrize("batch", BATCHES)
def test_results_are_equal_and_the_same_is_sent(
    batch: int, drawn: list[list[Drawn]], run_module_as: Callable[..., Any], tmp_path: pathlib.Path
) -> None:
    several = drawn[batch] if batch < len(drawn) else []
    text = ways.play(
        [
            ways.task(
                number, one.module, {**IN_TURN.get(one.module, {}), **one.options}, check_mode=one.check, diff=one.diff
            )
            for number, one in enumerate(several)
        ]
    )
    results, sent = {}, {}
    for way in (ways.INSIDE, ways.SENT):
        with run_module_as(job_seconds=0.005) as (run, emulator):
            for module, options in built_for("cloudn_site").items():
                # Tags come later: whether the result of a deployment shows them is chance.
                for some in ({**options, "tags": None}, options) if "tags" in options else (options,):
                    made = run(module, **some, **IN_TURN.get(module, {}))
                    assert not made.get("failed"), made["msg"]
            emulator.clear()
            done, lines = ways.run(emulator, tmp_path / way, text, CLOUDN_IN_PROCESS=way, CLOUDN_CHECK_RUN="false")
            assert done.returncode == 0, done.stdout + done.stderr
            results[way] = list(ways.comparable(lines[:-1]))
            # How often a task looks again while it waits is chance.
            looks = [command for command in sent_to(emulator) if is_read(command) and command not in POLLS]
            sent[way] = sorted(set(looks)), collections.Counter(changes_sent_to(emulator))
    assert len(results[ways.INSIDE]) == len(several)
    for one, inside, as_module in zip(several, results[ways.INSIDE], results[ways.SENT], strict=True):
        assert not ways.differences(inside, as_module), one
    assert sent[ways.INSIDE] == sent[ways.SENT]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which generations of CloudStack each test runs on."""

from __future__ import annotations

import os
import random
from typing import Any

GENERATIONS = ("3", "4")
MARKER = "generation(*generations, reason): the test runs on these generations of CloudStack only, for this reason"
# Tests in these folders take long. All of them run on 3, and one in so many on 4. `make release-check` runs the others.
ONE_IN = {"property": 4, "faults": 4, "e2e": 4, "in_process": 4, "modules": 3}


def runs(item: Any) -> bool:
    """Return whether a test runs on the generation that it was made for. A test of no generation always runs."""
    generation = getattr(item, "callspec", None) and item.callspec.params.get("generation")
    if not generation:
        return True
    marker = item.get_closest_marker("generation")
    if marker:
        return generation in _wanted(marker)
    return generation == GENERATIONS[0] or chosen(item.nodeid, ONE_IN.get(item.path.parent.name, 1))


def _wanted(marker: Any) -> tuple[str, ...]:
    """Return the generations that a marker names. Raise ValueError for one that tells no reason or no generation."""
    if not marker.kwargs.get("reason") or not marker.args or not set(marker.args) <= set(GENERATIONS):
        raise ValueError(f"generation{marker.args} needs one of {', '.join(GENERATIONS)} and a reason")
    return tuple(marker.args)


def chosen(name: str, one_in: int) -> bool:
    """Return whether a test is in the sample of one in so many for the newer generation. The same seed gives the same sample.

    With ``GENERATIONS=all`` all of them are.
    """
    if os.environ.get("GENERATIONS") == "all":
        return True
    return random.Random(f"{os.environ.get('GENERATIONS_SEED', '1')} {name}").randrange(one_in) == 0

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks drawn by a seed: right ones, wrong ones, in check mode or not."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import hypothesis
from hypothesis import strategies as st
from specs import spec_of
from test_options import tasks

# A playbook has no names of more characters.
_LONG_KEY = r'"[^"]{500,}": '


class Drawn(NamedTuple):
    """A task: its module and options, and whether it is in check mode and shows a diff."""

    module: str
    options: dict[str, Any]
    check: bool
    diff: bool


def draw(module: str, count: int, seed: int) -> list[Drawn]:
    """Return so many tasks of a module. A seed draws the same ones each time."""
    found: list[Drawn] = []
    strategy = st.tuples(tasks(module, spec_of(module)), st.booleans(), st.booleans())

    @hypothesis.seed(f"{module} {seed}".encode())
    @hypothesis.settings(
        max_examples=count,
        phases=[hypothesis.Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def take(one: tuple[dict[str, Any], bool, bool]) -> None:
        hypothesis.assume(not re.search(_LONG_KEY, json.dumps(one[0])))
        found.append(Drawn(module, *one))

    take()
    return found

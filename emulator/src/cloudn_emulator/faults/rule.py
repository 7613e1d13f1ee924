# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rule of faults: the kinds there are, and the requests that go wrong."""

from __future__ import annotations

import fnmatch
import random
from dataclasses import dataclass, field
from typing import Any

Given = dict[str, Any]
# The kinds, with the settings of each and their defaults.
KINDS: dict[str, Given] = {
    # the command is not done
    "refuse": {"seconds": 0.2},
    "close": {},
    "reset_before": {},
    "status": {"status": 503},
    "too_many": {"retry_after": None},
    "unauthorized": {},
    # the command is done, its answer is spoiled
    "reset_after": {},
    "late": {"seconds": 60.0},
    "slow": {"seconds": 60.0},
    "status_after": {"status": 503},
    "cut": {},
    "garbage": {},
    "content_type": {},
    "other_format": {},
    # the command's job
    "job_fails": {"text": True, "result": True},
    "job_hangs": {"seconds": None},
    "job_lost": {},
    # listings
    "page": {"change": "appear", "name": "*"},
    "lag": {"seconds": 2.0},
}
NOT_DONE = ("refuse", "close", "reset_before", "status", "too_many", "unauthorized")
OF_JOBS = ("job_fails", "job_hangs", "job_lost")
OF_LISTS = ("page", "lag")
LISTINGS = ("list", "Describe")
ANY = "*"
WHEN = ("command", "nth", "every", "probability", "seed", "times")


@dataclass(slots=True)
class FaultRule:
    """One rule: which requests go wrong, and how. `seen` counts the requests that match, `fired` the faults made."""

    kind: str
    command: str = ANY
    nth: list[int] | None = None
    every: int | None = None
    probability: float | None = None
    seed: int = 1
    times: int | None = None
    settings: Given = field(default_factory=dict)
    seen: int = 0
    fired: int = 0
    chance: random.Random = field(default_factory=random.Random)

    @property
    def is_ahead(self) -> bool:
        """Whether the rule decides before a request is read. Only then can the connection be refused."""
        return self.kind == "refuse" and self.command == ANY

    def is_due(self, command: str) -> bool:
        """Count a request, and say whether it goes wrong."""
        if not fnmatch.fnmatchcase(command, self.command):
            return False
        self.seen += 1
        due = (
            (self.nth is None or self.seen in self.nth)
            and (self.every is None or self.seen % self.every == 0)
            and (self.probability is None or self.chance.random() < self.probability)
            and (self.times is None or self.fired < self.times)
        )
        self.fired += due
        return due

    def view(self) -> Given:
        """The rule as it was given, and how many faults it has made."""
        when = {name: getattr(self, name) for name in WHEN if getattr(self, name) is not None}
        return {"kind": self.kind, **when, **self.settings, "seen": self.seen, "fired": self.fired}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of faults in force, and the choice of one for a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .reading import BadRule, read_rule
from .rule import ANY, LISTINGS, OF_JOBS, OF_LISTS, FaultRule, Given


class Faults:
    """The rules in force. For a request the first one that is due counts."""

    def __init__(self, rules: Sequence[Given] = ()) -> None:
        self.rules: list[FaultRule] = []
        self._first = rules
        self.set(rules)

    def set(self, rules: Any) -> None:
        """Replace all rules by these. If one is wrong, raises BadRule and keeps the old ones."""
        if not isinstance(rules, (list, tuple)):
            raise BadRule("the rules are no list; give one, such as [{kind: slow}], or [] for no faults")
        self.rules = [read_rule(given) for given in rules]

    def start_over(self) -> None:
        """Put the rules in force with which the emulator was started. They have seen no request."""
        self.set(self._first)

    def due(self, command: str, has_job: bool) -> FaultRule | None:
        """The rule that makes a fault of a request, or None."""
        for rule in self.rules:
            if (rule.kind in OF_JOBS and not has_job) or (rule.kind in OF_LISTS and not command.startswith(LISTINGS)):
                continue
            if not rule.is_ahead and rule.is_due(command):
                return rule
        return None

    def refusal(self) -> float:
        """For how many seconds nobody is to listen, so that the next request is refused. 0: go on listening."""
        return max((rule.settings["seconds"] for rule in self.rules if rule.is_ahead and rule.is_due(ANY)), default=0.0)

    @property
    def lag(self) -> float:
        """The longest lag of a listing, in seconds."""
        return max((rule.settings["seconds"] for rule in self.rules if rule.kind == "lag"), default=0.0)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cases of the matrix. They are made from the requests of a task without faults: each fault at each request."""

from __future__ import annotations

import os
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.cloudn.compute.plugins.module_utils.api import is_read
from cloudn_emulator.catalogue import COMMANDS
from samples import POLLS

Rule = dict[str, Any]
TIMEOUT = 0.5  # api_timeout of the tasks; what is late or slow is so by more
# Seconds that are taken for what lists may lag, when looking at dates, which have no fractions, and when waiting.
LAG, LAG_WAITED = 3.0, 0.5
PAGE = 6  # objects on a page, where lists have several
SAMPLE = int(os.environ.get("FAULTS_SAMPLE", "3"))  # races of each kind; each scenario has one case less, in two ways
PAGES = ("listVirtualMachines", "listVolumes", "listSnapshots", "listTemplates")
EC2_JOBS = ("StopInstances", "RunInstances")  # of the actions that scenarios send

# Kinds of faults with their settings: for any request, ...
ANY: list[Rule] = [
    {"kind": "close"},
    {"kind": "reset_before"},
    {"kind": "reset_after"},
    {"kind": "late", "seconds": 1},
    {"kind": "slow", "seconds": 0.8},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 504},
    {"kind": "status_after", "status": 502},
    {"kind": "too_many"},
    {"kind": "too_many", "retry_after": 1},
    {"kind": "unauthorized"},
]
# ... for the answer's form, in both formats, ...
FORMS: list[Rule] = [{"kind": "cut"}, {"kind": "garbage"}, {"kind": "content_type"}, {"kind": "other_format"}]
# ... for what begins a job, ...
JOBS: list[Rule] = [
    {"kind": "job_fails"},
    {"kind": "job_fails", "text": False},
    {"kind": "job_fails", "result": False},
    {"kind": "job_hangs"},
    {"kind": "job_lost"},
]
# ... for lists, ...
LISTS: list[Rule] = [{"kind": "lag", "seconds": 0.3}]
# ... for lists of several pages, ...
CHANGES: list[Rule] = [
    {"kind": "page", "change": "appear", "name": "*filler*"},
    {"kind": "page", "change": "vanish", "name": "*filler*"},
]
# ... and what goes wrong from the time on when the answer to a change was lost.
THEN: dict[str, list[Rule]] = {
    "lag": [{"kind": "lag", "seconds": 0.4, "command": "list*"}],
    "unavailable": [{"kind": "status", "status": 503, "command": "list*", "nth": [1, 2]}],
    "outage": [{"kind": "status", "status": 503, "command": "[lq]*"}],
}


@dataclass(frozen=True)
class Case:
    """What goes wrong: rules of faults, told by the request (of the command, the nth) that they are about.

    ``paged`` says that lists come in small pages, with other objects among those of the task.
    """

    kind: str
    command: str
    nth: int
    rules: tuple[Rule, ...]
    response_format: str = "json"
    paged: bool = False

    @property
    def name(self) -> str:
        """The case in words."""
        settings = {name: value for name, value in self.rules[0].items() if name not in ("kind", "command", "nth")}
        return f"{self.kind} {settings or ''} at {self.command} {self.nth}, {self.response_format}"


def cases(sent: list[str], paged: bool) -> list[Case]:
    """Return the cases of a task that sends these commands, ``paged`` in small pages."""
    found = []
    seen: dict[str, int] = {}
    for position, command in enumerate(sent, 1):
        nth = seen[command] = seen.get(command, 0) + 1
        if command in POLLS and nth > 2:
            continue
        found += _paged(command, nth) if paged else _at(position, command, nth)
    if paged:
        return found
    return [*found, Case("lag", "list*", 0, ({"kind": "lag", "seconds": 0.3, "command": "list*"},))]


def _at(position: int, command: str, nth: int) -> list[Case]:
    """Return the cases of one request."""

    def case(rule: Rule, response_format: str = "", then: str = "") -> Case:
        rules = ({**rule, "command": command, "nth": nth}, *THEN.get(then, ()))
        kind = f"{rule['kind']}, then {then}" if then else rule["kind"]
        return Case(kind, command, nth, rules, response_format or _either(kind, command, nth))

    begins_job = (command in COMMANDS and COMMANDS[command].job_class) or command in EC2_JOBS
    simple = ANY + (LISTS if command.startswith("list") else []) + (JOBS if begins_job else [])
    found = [case(rule) for rule in simple]
    found += [case(rule, response_format) for rule in FORMS for response_format in ("json", "xml")]
    for name, seconds in (("refuse", 0.15), ("outage", 100)):
        rules = ({"kind": "refuse", "nth": position, "seconds": seconds},)
        found.append(Case(name, command, nth, rules, _either(name, command, nth)))
    if not is_read(command):
        found += [case({"kind": lost}, then=then) for lost in ("reset_after", "reset_before") for then in THEN]
    return found


def _paged(command: str, nth: int) -> list[Case]:
    if command not in PAGES:
        return []
    return [
        Case(f"page, {rule['change']}", command, nth, ({**rule, "command": command, "nth": nth},), paged=True)
        for rule in CHANGES
    ]


def _either(*what: Any) -> str:
    """Return one of the two formats, always the same one for the same request."""
    return ("json", "xml")[zlib.crc32(repr(what).encode()) % 2]


def chosen(name: str, found: list[Case]) -> list[Case]:
    """Return all cases, those whose name holds a text, or a sample. The same seed gives the same sample."""
    wanted = os.environ.get("FAULTS", "")
    if wanted not in ("", "all"):
        return [case for case in found if wanted in case.name]
    return sample(name, found, max(1, SAMPLE - 1))


def sample(name: str, everything: Sequence[Any], number: int) -> list[Any]:
    """Return a sample of so many; the same seed gives the same one. With ``FAULTS=all`` return all."""
    if os.environ.get("FAULTS") == "all":
        return list(everything)
    chance = random.Random(f"{os.environ.get('FAULTS_SEED', '1')} {name}")
    return chance.sample(everything, min(number, len(everything)))

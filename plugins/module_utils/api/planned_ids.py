# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids of objects that check mode has planned: they stand for what does not exist yet, and are never sent."""

from __future__ import annotations

import re
import typing as t

from .decode import Record
from .errors import UsageError

KINDS = (
    "virtual-machine",
    "volume",
    "snapshot",
    "template",
    "security-group",
    "rule",
    "key-pair",
    "snapshot-policy",
    "affinity-group",
)
_PLANNED = re.compile(rf"planned-({'|'.join(KINDS)})-([1-9]\d{{0,8}})\Z", re.ASCII)
# Parameters with ids, of the native API and of EC2's: `id`, `resourceids`, `InstanceId.1`.
_HOLDS_IDS = re.compile(r"ids?(\.\d+)*\Z", re.IGNORECASE)
# Options that take an id.
_OPTIONS = (
    "id",
    "name",
    "vm",
    "volume",
    "snapshot",
    "template",
    "security_group",
    "security_groups",
    "affinity_groups",
)


class Planned(t.Protocol):
    """What check mode has planned in this run, laid over what the service answers. A client in check mode may have one."""

    def pages(
        self, command: str, params: t.Mapping[str, t.Any], read: t.Iterator[t.List[Record]]
    ) -> t.Iterator[t.List[Record]]:
        """Yield the objects of a listing, as they would be after the planned changes. ``read`` yields those that are there."""

    def answer(self, command: str, params: t.Mapping[str, t.Any], send: t.Callable[[], Record]) -> Record:
        """Return the answer to a command, as it would be after the planned changes. ``send()`` asks the service."""

    def knows(self, text: str) -> bool:
        """Tell whether a task of this run has planned an object with this id."""

    def note(self, progresses: t.Sequence[t.Any]) -> None:
        """Keep what plans would change, see ``reconcile.progress.Progress``. The objects that they would make get ids."""

    def copied(self) -> Record:
        """Return a copy of what tasks of this run have planned, as plain data."""

    def holders(self, group_id: str) -> list[str]:
        """Return the names of the machines of a security group that tasks of this run would destroy."""


def make(kind: str, number: int) -> str:
    """Return the id of a planned object."""
    return f"planned-{kind}-{number}"


def parse(text: t.Any) -> tuple[str, int] | None:
    """Return the kind and the number of a planned object's id, ``None`` for any other text."""
    found = _PLANNED.match(text) if isinstance(text, str) else None
    return (found[1], int(found[2])) if found else None


def holds_ids(parameter: str) -> bool:
    """Tell whether a parameter takes ids."""
    return bool(_HOLDS_IDS.search(parameter))


def check_request(params: t.Mapping[str, str]) -> None:
    """Raise ``UsageError`` if a request has the id of a planned object."""
    for name, text in params.items():
        for one in text.split(",") if holds_ids(name) else []:
            if parse(one):
                raise _refusal(name, one)


def check_options(options: Record, planned: Planned | None) -> None:
    """Raise ``UsageError`` if options have the id of a planned object that no task of this run has planned."""
    for option in _OPTIONS:
        given = options.get(option)
        for one in given if isinstance(given, list) else [given]:
            if isinstance(one, str) and parse(one) and not (planned and planned.knows(one)):
                raise _refusal(option, one)


def _refusal(where: str, planned_id: str) -> UsageError:
    return UsageError(
        f"{where}: {planned_id!r} comes from check mode. It stands for an object that an earlier task would make, and is good "
        "only in check mode of the same run. Nothing was changed. Run the play without --check, or give the name or the id of "
        "an object that exists"
    )

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Duplicates of security groups: what ``settle`` has to know to leave one group of a name in an account."""

from __future__ import annotations

import typing as t

from ..api import Client, Deadline, Duplicates, Record
from ..duplicates import PATIENCE, Kind, alike_in
from ..plan import Step, Track
from ..settle import Resource, await_one
from . import rules, security_group
from .lookup import same_name

T = t.TypeVar("T")


def resource(client: Client, again: t.Callable[[Track], Track | None]) -> Resource:
    """Return what ``settle`` has to know of a group that is new; ``again(track)`` plans one anew."""

    def listed(tracks: t.Collection[Track]) -> list[Record]:
        return [group for track in tracks for group in security_group.search(client, {"securitygroupname": track.name})]

    def same(track: Track, record: Record) -> bool:
        owner = track.object.get("account")
        return same_name(record.get("name"), track.name) and owner in (None, record.get("account"))

    def find(group_id: str) -> Record | None:
        return next(iter(security_group.search(client, {"id": group_id})), None)

    return Resource(KIND, listed, same, find, list, lambda _rows: False, _removal, again, remakes=True)


def found(client: Client, look: t.Callable[[], T]) -> T:
    """Return what ``look`` returns. While it raises ``Duplicates`` of one account, wait for the runs that made them."""
    try:
        return look()
    except Duplicates as error:
        if len({(group.get("account"), group.get("domainid")) for group in error.records}) > 1:
            raise
    return await_one(client, look, KIND, Deadline(4 * PATIENCE, client.clock))


def _rules(record: Record) -> list[str]:
    return sorted(str(raw.get("ruleid")) for way in rules.DIRECTIONS for raw in rules.listed(record, way))


def _removal(track: Track, record: Record, other: str) -> list[list[Step]]:
    text = f"{track.name}: delete {record['id']} again, as another run made {other}"
    return [[Step(text, "deleteSecurityGroup", {"id": record["id"]})]]


# Groups can be used from the moment that they are listed, and have no date.
KIND = Kind("createSecurityGroup", lambda _record: True, alike_in("description"), _rules)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots of volumes: how they are shown, listed and found."""

from __future__ import annotations

from ...api import Client, Record, UsageError
from ...api.client import listing
from ...api.flawed import peek, sound
from .. import tags
from ..fields import fields, select_fields
from ..lookup import is_uuid, like_filter, not_there, pick

# The state in which a snapshot can be used and deleted, and those that lead to it. Source: CloudStack.
FINISHED = "BackedUp"
TRANSITIONAL = ("Creating", "CreatedOnPrimary", "BackingUp")


def is_good(snapshot: Record) -> bool:
    """Tell whether a snapshot is finished, or will be."""
    return snapshot.get("state") in (FINISHED, *TRANSITIONAL)


_FIELDS = fields(
    "id name volume=volumename volume_id volume_type state type=snapshottype interval_type account domain "
    "domain_id created"
)


def to_result(snapshot: Record) -> Record:
    """Return a snapshot as the user sees it.

    CloudStack 4 shows its type only in the answer that makes it, and in lists the interval, which is the same; measured on 4.23.
    """
    shown = select_fields(snapshot, _FIELDS)
    return {**shown, "type": shown["type"] or shown["interval_type"], "tags": tags.to_result(snapshot)}


def search(client: Client, query: Record) -> list[Record]:
    """Return the snapshots that the API's filters find, newest first. An unknown ``id`` finds nothing."""
    found = listing(client, "listSnapshots", query, "id", "volumeid")
    return sorted(found, key=lambda snapshot: str(peek(snapshot, "created")), reverse=True)


def select(client: Client, options: Record) -> list[Record]:
    """Return the snapshots that match all options of ``cloudn_snapshot_info``, newest first.

    ``volume`` is compared with the volume's name and id, so it finds those of a deleted volume too.
    """
    given = options.get("volume")
    query = {
        "id": options.get("id"),
        "name": like_filter(options.get("name")),
        "volumeid": given if given and is_uuid(given) else None,
        "tags": tags.query(options.get("tags")),
    }
    return [
        snapshot
        for snapshot in sound(search(client, query), client.warn)
        if options.get("name") in (None, snapshot.get("name"))
        and given in (None, snapshot.get("volumename"), snapshot.get("volumeid"))
        and options.get("state") in (None, snapshot.get("state"))
        and tags.has_all(snapshot, options.get("tags"))
    ]


def find(client: Client, name: str | None, snapshot_id: str | None, option: str = "name") -> Record | None:
    """Return the one snapshot with this id, or with this name (which may be an id too).

    Raises ``UsageError``, with the ids, if several have the name. ``option`` is the user's option that holds the name.
    """
    if snapshot_id is None and name is not None and is_uuid(name):
        snapshot_id = name
    if snapshot_id is not None:
        return next(iter(search(client, {"id": snapshot_id})), None)
    found = [snapshot for snapshot in search(client, {"name": like_filter(name)}) if snapshot.get("name") == name]
    return pick(found, name or "", option) if found else None


def source(client: Client, wanted: str) -> Record:
    """Return the finished snapshot with this name or id, to make something from. Raises ``UsageError`` if there is none."""
    found = find(client, wanted, None, "snapshot")
    if found is None:
        raise not_there("snapshot", "snapshot", wanted, "; cloudn_snapshot_info lists the existing ones")
    if found.get("state") != FINISHED:
        raise UsageError(f"snapshot: {wanted!r} is {found.get('state')}; it can be used when it is {FINISHED}")
    return found

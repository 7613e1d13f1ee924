# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones: listed, found and compared."""

from __future__ import annotations

import typing as t

from ..api import Client, Record, UsageError
from ..api.flawed import sound
from .fields import fields, select_fields
from .lookup import matches, named, pick

_FIELDS = fields(
    "id name description network_type security_groups_enabled allocation_state local_storage_enabled dhcp_provider"
)


def to_result(zone: Record) -> Record:
    """Return a zone as the user sees it."""
    return select_fields(zone, _FIELDS)


def search(client: Client, name: str | None = None, id: str | None = None) -> list[Record]:
    """Return the zones to show, or those with this exact name or id, as the API has them."""
    return named(sound(client.list("listZones"), client.warn), name, id)


def find(client: Client, wanted: str | None) -> Record:
    """Return the zone with this name or id. If none is given, return the only zone.

    Raises ``UsageError`` if there is no such zone, or if there are several and none is given.
    """
    zones = client.list("listZones")
    if wanted is not None:
        return pick(zones, wanted, "zone")
    if len(zones) == 1:
        return zones[0]
    names = ", ".join(sorted(str(zone.get("name")) for zone in zones))
    raise UsageError(f"zone: is needed, as there are {len(zones)} to choose from: {names}")


def holds(record: Record, wanted: str | None) -> bool:
    """Tell whether an object is in the zone that a user gave by name or id (``None``: any zone)."""
    return wanted is None or matches({"id": record.get("zoneid"), "name": record.get("zonename")}, wanted)


def is_named(name: str, zone_id: str) -> t.Callable[[Record], bool]:
    """Return a function that tells whether a record has this name and is in this zone."""
    return lambda record: (record.get("name"), record.get("zoneid")) == (name, zone_id)

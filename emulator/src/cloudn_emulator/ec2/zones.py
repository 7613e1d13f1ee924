# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Availability zones, the zones of the native API."""

from __future__ import annotations

from typing import Any

from .refusals import Failed
from .request import Request

Item = dict[str, Any]


async def _named(request: Request, names: list[str]) -> list[Item]:
    """The zones of these names in any case, or all zones if no name is given. Raises Failed."""
    zones = await request.listed("listZones", "zone", available="true")
    wanted = {name.lower() for name in names}
    return [zone for zone in zones if not wanted or zone["name"].lower() in wanted]


async def zone_id(request: Request, name: str | None) -> str:
    """The id of a zone, of the first one where no name is given. Raises Failed."""
    zones = await _named(request, [] if name is None else [name])
    if not zones:
        raise Failed(f"Unknown zoneName value - {name}")
    id: str = zones[0]["id"]
    return id


async def describe(request: Request) -> Item:
    """DescribeAvailabilityZones: ignores filters. An unknown name finds nothing."""
    zones = await _named(request, request.ids("ZoneName"))
    items = [
        {"zoneName": zone["name"], "zoneState": "available", "regionName": None, "messageSet": []} for zone in zones
    ]
    return {"availabilityZoneInfo": items}


async def describe_addresses(request: Request) -> Item:
    """DescribeAddresses: a Basic zone has none."""
    found = await request.listed("listPublicIpAddresses", "publicipaddress")
    return {
        "addressesSet": [{"publicIp": one["ipaddress"], "instanceId": one.get("virtualmachineid")} for one in found]
    }

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Service offerings (plans): what a virtual machine has of processors and memory."""

from __future__ import annotations

from ..api import Client, Record
from .lookup import named, pick


def shape(offering: Record) -> Record:
    """Return a service offering as the user sees it; memory in MiB, speed in MHz."""
    return {
        "id": offering["id"],
        "name": offering.get("name"),
        "display_text": offering.get("displaytext"),
        "cpu_number": offering.get("cpunumber"),
        "cpu_speed": offering.get("cpuspeed"),
        "memory": offering.get("memory"),
        "ha": offering.get("offerha"),
        "limit_cpu_use": offering.get("limitcpuuse"),
        "storage_type": offering.get("storagetype"),
        "created": offering.get("created"),
    }


def search(client: Client, name: str | None = None, id: str | None = None) -> list[Record]:
    """Return the service offerings, or those with this exact name or id, as the API has them."""
    return named(client.list("listServiceOfferings"), name, id)


def find(client: Client, wanted: str) -> Record:
    """Return the one service offering with this name or id. Raises ``UsageError`` when there is not exactly one."""
    return pick(client.list("listServiceOfferings"), wanted, "service_offering")

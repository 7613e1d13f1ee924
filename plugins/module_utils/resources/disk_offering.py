# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disk offerings: the sizes in which data disks come."""

from __future__ import annotations

from ..api import Client, Record
from .lookup import named, pick


def shape(offering: Record) -> Record:
    """Return a disk offering as the user sees it; the size in GiB, 0 where the user chooses it."""
    return {
        "id": offering["id"],
        "name": offering.get("name"),
        "display_text": offering.get("displaytext"),
        "size_gb": offering.get("disksize"),
        "customized": offering.get("iscustomized"),
        "storage_type": offering.get("storagetype"),
        "created": offering.get("created"),
    }


def search(client: Client, name: str | None = None, id: str | None = None) -> list[Record]:
    """Return the disk offerings, or those with this exact name or id, as the API has them."""
    return named(client.list("listDiskOfferings"), name, id)


def find(client: Client, wanted: str) -> Record:
    """Return the one disk offering with this name or id. Raises ``UsageError`` when there is not exactly one."""
    return pick_from(client.list("listDiskOfferings"), wanted)


def pick_from(offerings: list[Record], wanted: str) -> Record:
    """Return the one of these disk offerings with this name or id. Raises ``UsageError`` when there is not exactly one."""
    return pick(offerings, wanted, "disk_offering")

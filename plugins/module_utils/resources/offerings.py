# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Offerings: sizes of virtual machines, and of disks."""

from __future__ import annotations

import typing as t

from ..api import Client, Record
from ..api.flawed import sound
from .fields import fields, select_fields
from .lookup import named, pick


class Offering(t.NamedTuple):
    """A kind of offerings: the command that lists them, the user's option for one, and their fields."""

    command: str
    option: str
    names: t.Dict[str, str]

    def to_result(self, offering: Record) -> Record:
        """Return an offering as the user sees it."""
        return select_fields(offering, self.names)

    def search(self, client: Client) -> list[Record]:
        """Return the offerings, as the API has them."""
        return client.list(self.command)

    def select(self, client: Client, name: str | None = None, id: str | None = None) -> list[Record]:
        """Return the offerings to show, or those with this exact name or id, as the API has them."""
        return named(sound(self.search(client), client.warn), name, id)

    def find(self, client: Client, wanted: str) -> Record:
        """Return the one offering with this name or id. Raises ``UsageError`` if there is not exactly one."""
        return self.pick_from(client.list(self.command), wanted)

    def pick_from(self, offerings: list[Record], wanted: str) -> Record:
        """Return the one of these offerings with this name or id. Raises ``UsageError`` if there is not exactly one."""
        return pick(offerings, wanted, self.option)


# Memory in MiB, speed in MHz.
SERVICE = Offering(
    "listServiceOfferings",
    "service_offering",
    fields("id name display_text cpu_number cpu_speed memory ha=offerha limit_cpu_use storage_type created"),
)
# The size in GiB, 0 if the user chooses it.
DISK = Offering(
    "listDiskOfferings",
    "disk_offering",
    fields("id name display_text size_gb=disksize customized=iscustomized storage_type created"),
)

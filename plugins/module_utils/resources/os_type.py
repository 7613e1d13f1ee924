# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OS types: the operating system that the service expects in a virtual machine."""

from __future__ import annotations

from ..api import Client, Record
from .lookup import pick


def find(client: Client, wanted: str) -> Record:
    """Return the one OS type with this description or id. Raises ``UsageError`` if there is not exactly one."""
    return pick(client.list("listOsTypes"), wanted, "os_type", name="description")

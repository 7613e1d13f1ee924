# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines that the service can't show in full: their mark, and the warning about them."""

from __future__ import annotations

from ...api import Record

COMMAND = "listVirtualMachines"
# Marks the record of a machine that the service can't show in full. Only its key pair is missing.
LOST_KEY = "lostkeypair"


def describe(record: Record) -> str:
    """Return the warning about a marked machine: what is wrong with it, and what to do."""
    from ...advice import LOST_KEY_PAIR  # here, as few runs need it

    return f"the service can't show the VM {record.get('name')} ({record['id']}) in full: {LOST_KEY_PAIR}"

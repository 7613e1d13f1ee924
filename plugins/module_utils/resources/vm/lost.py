# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines that the service can't show in full: how they are marked, and what people are told of them."""

from __future__ import annotations

from ...api import Record

COMMAND = "listVirtualMachines"
# Marks the record of a machine that the service can't show in full; all is there but the key pair.
LOST_KEY = "lostkeypair"
INTERNAL = 530


def describe(record: Record) -> str:
    """Say what is wrong with a machine that is marked, and what to do."""
    from ...advice import LOST_KEY_PAIR  # here, as hardly any run needs it

    return f"the service can't show the virtual machine {record.get('name')} ({record['id']}) in full: {LOST_KEY_PAIR}"

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the store held a while ago, for listings that lag behind."""

from __future__ import annotations

import asyncio
import copy
import time
from dataclasses import replace

from .store import Store

# What changes; the rest (zones, offerings, ...) is the same at all times.
TABLES = (
    "templates",
    "vms",
    "volumes",
    "snapshots",
    "snapshot_policies",
    "rules",
    "security_groups",
    "instance_groups",
    "key_pairs",
    "jobs",
    "tags",
)


class History:
    """Copies of the store, kept for `seconds`; without any seconds none are made, since they take time."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seconds = 0.0
        self._copies: list[tuple[float, Store]] = []

    def keep(self, seconds: float) -> None:
        """Remember from now on what was there during these last seconds."""
        self.seconds = seconds
        self._copies.clear()
        self.note()

    def note(self) -> None:
        """Remember what is there now: called when something may have changed."""
        if not self.seconds:
            return
        now = time.monotonic()
        while len(self._copies) > 1 and self._copies[1][0] < now - self.seconds:
            del self._copies[0]
        self._copies.append((now, _frozen(self.store)))

    def before(self, seconds: float) -> tuple[Store, bool]:
        """What was there so many seconds ago, and whether that is known; if not, what was there first."""
        moment = time.monotonic() - seconds
        known = [store for noted, store in self._copies if noted <= moment]
        return (known[-1], True) if known else (self._copies[0][1], False)


def _frozen(store: Store) -> Store:
    still = copy.copy(store)
    tables = {name: dict(getattr(store, name)) for name in TABLES}
    # What waits for a change can't be copied, and nobody waits in the past.
    tables["vms"] = {id: replace(vm, transition=None, reserving=None) for id, vm in store.vms.items()}
    tables["jobs"] = {id: replace(job, ended=asyncio.Event()) for id, job in store.jobs.items()}
    still.events = store.events.copy()  # an event never changes
    for name, table in copy.deepcopy(tables).items():
        setattr(still, name, table)
    return still

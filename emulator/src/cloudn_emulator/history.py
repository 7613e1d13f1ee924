# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store as it was a while ago, for listings that lag."""

from __future__ import annotations

import asyncio
import copy
import time
from dataclasses import replace

from .store import Store

# The tables that change; the others (zones, offerings, ...) do not.
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
    """Copies of the store, kept for `seconds`. Copies take time, so there are none for 0 seconds."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seconds = 0.0
        self._copies: list[tuple[float, Store]] = []

    def keep(self, seconds: float) -> None:
        """Remember from now on the store of these last seconds."""
        self.seconds = seconds
        self._copies.clear()
        self.note()

    def note(self) -> None:
        """Remember the store as it is now. Called when something may have changed."""
        if not self.seconds:
            return
        now = time.monotonic()
        while len(self._copies) > 1 and self._copies[1][0] < now - self.seconds:
            del self._copies[0]
        self._copies.append((now, _frozen(self.store)))

    def before(self, seconds: float) -> tuple[Store, bool]:
        """The store as it was so many seconds ago, and whether that is known. If not, it is the oldest copy."""
        moment = time.monotonic() - seconds
        known = [store for noted, store in self._copies if noted <= moment]
        return (known[-1], True) if known else (self._copies[0][1], False)


def _frozen(store: Store) -> Store:
    still = copy.copy(store)
    tables = {name: dict(getattr(store, name)) for name in TABLES}
    # Futures can't be copied, and nobody waits for them in the past.
    tables["vms"] = {id: replace(vm, transition=None, reserving=None) for id, vm in store.vms.items()}
    tables["jobs"] = {id: replace(job, ended=asyncio.Event()) for id, job in store.jobs.items()}
    still.events = store.events.copy()  # an event never changes
    for name, table in copy.deepcopy(tables).items():
        setattr(still, name, table)
    return still

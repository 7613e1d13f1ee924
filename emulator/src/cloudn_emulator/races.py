# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two requests at one moment: the service looks whether a name is free, and inserts the row after that."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Hashable

from .settings import Settings


class Races:
    """The gap between the look and the row.

    Measured on CloudStack 3.0.5: two requests at one moment both find the name free.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._racers: dict[Hashable, list[asyncio.Future[None]]] = {}
        self._chance = random.Random(1)

    async def gap(self, name: Hashable) -> None:
        """Let the gap pass for a row of this name: call it after the look, and insert the row right after it.

        A request that comes into the gap of another may get its row first: `race_order` decides.
        """
        if not self.settings.race_ms:
            return
        racers = self._racers.setdefault(name, [])
        inserted = asyncio.get_running_loop().create_future()
        racers.append(inserted)
        try:
            await asyncio.sleep(self.settings.race_ms / 1000)
            behind = racers[racers.index(inserted) + 1 :]
            if behind and self._gives_way():
                await asyncio.wait(behind)
        finally:
            # The caller inserts the row in this step of the event loop. Those that wait for it go on in the next one.
            asyncio.get_running_loop().call_soon(self._leave, name, inserted)

    def _gives_way(self) -> bool:
        order = self.settings.race_order
        return order == "last" or (order == "random" and self._chance.random() < 0.5)

    def _leave(self, name: Hashable, inserted: asyncio.Future[None]) -> None:
        inserted.set_result(None)
        racers = self._racers[name]
        racers.remove(inserted)
        if not racers:
            del self._racers[name]

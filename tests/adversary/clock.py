# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clock on which waiting takes no time: clients and the emulator share it. Only a network that is silent takes real time."""

from __future__ import annotations

import threading
import time
from typing import Any

_REAL = 0.004  # the longest real pause: jobs of the emulator end in real time


class Clock:
    """A clock that is put forward by who waits. ``settings`` are those of an emulator, whose clock goes along."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ahead = 0.0
        self.settings: Any = None

    def sleep(self, seconds: float) -> None:
        """Wait so long on this clock."""
        real = min(max(seconds, 0.0), _REAL)
        self.advance(seconds - real)
        time.sleep(real)

    def advance(self, seconds: float) -> None:
        """Let time pass that nobody waits for."""
        with self._lock:
            self._ahead += max(0.0, seconds)
            if self.settings is not None:
                self.settings.clock_ahead = self._ahead

    def monotonic(self) -> float:
        """Return seconds that only grow."""
        return time.monotonic() + self._ahead

    def now(self) -> float:
        """Return the seconds since the epoch."""
        return time.time() + self._ahead

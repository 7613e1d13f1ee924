# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deadlines on the monotonic clock, and waiting: looking again and again until something has come or the time is over."""

from __future__ import annotations

import time
import typing as t

_SHORTEST_PAUSE = 0.2
# Less than 5 by the time of two answers, so that what is waited for is noticed within 5 seconds.
_LONGEST_PAUSE = 4.6
_SHARE_OF_WAITED = 0.1
# Seconds that a read has for its answer, and a list for all its pages, however near the deadline is.
LAST_LOOK = 5.0


class Waiter(t.Protocol):
    """What can wait: a client. ``clock`` tells seconds on the monotonic clock; ``sleep`` lets so many pass."""

    clock: t.Callable[[], float]
    sleep: t.Callable[[float], None]


class Deadline:
    """A moment on the monotonic clock, given as seconds from now. ``None`` seconds: never."""

    def __init__(self, seconds: float | None, clock: t.Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = None if seconds is None else clock() + seconds

    def remaining(self) -> float:
        """Return the seconds left, never less than 0; infinite where there is no deadline."""
        return float("inf") if self._end is None else max(0.0, self._end - self._clock())

    def end(self) -> None:
        """Bring it forward to now: other threads that keep to it do not try again what they are trying."""
        self._end = self._clock()


def pause(waited: float) -> float:
    """Return the seconds to let pass before asking again, after that many waited: a tenth of them, 0.2 to 4.6."""
    return min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited * _SHARE_OF_WAITED))


def poll(waiter: Waiter, deadline: Deadline, pause: t.Callable[[float], float] = pause) -> t.Iterator[None]:
    """Let a loop look at once and after each pause. It ends after the look that finds the deadline over.

    So a loop says what it looks for, and behind it stands what to do where that did not come in time. ``pause(waited)``
    returns the seconds to let pass before the next look.
    """
    began = waiter.clock()
    while True:
        yield
        if not deadline.remaining():
            return
        waiter.sleep(min(pause(waiter.clock() - began), deadline.remaining()))

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deadlines on the monotonic clock, and loops that look again until something has happened or the time is over."""

from __future__ import annotations

import time
import typing as t

if t.TYPE_CHECKING:
    from .waits import Describe, Waits

_SHORTEST_PAUSE = 0.2
# 5 seconds less the time of two answers, so an end is noticed within 5 seconds.
_LONGEST_PAUSE = 4.6
_SHARE_OF_WAITED = 0.1
# The least seconds for the answer to a read, and for all pages of a list, also near the deadline.
LAST_LOOK = 5.0


class Waiter(t.Protocol):
    """Something that can wait, such as a client.

    ``clock`` returns seconds on the monotonic clock. ``sleep`` waits seconds. ``waits`` says what it waits for.
    """

    clock: t.Callable[[], float]
    sleep: t.Callable[[float], None]
    waits: Waits


class AnswerTimeout(t.NamedTuple):
    """The seconds that an answer may take, and the option that sets them."""

    seconds: float
    option: str


class Deadline:
    """A moment on the monotonic clock, given in seconds from now. ``None`` means never."""

    def __init__(self, seconds: float | None, clock: t.Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = None if seconds is None else clock() + seconds

    def remaining(self) -> float:
        """Return the seconds left: at least 0, and infinite without a deadline."""
        return float("inf") if self._end is None else max(0.0, self._end - self._clock())

    def end(self) -> None:
        """Set the deadline to now. Other threads with this deadline then end their retries."""
        self._end = self._clock()


def pause(waited: float) -> float:
    """Return the seconds to wait before the next look: a tenth of the seconds waited so far, from 0.2 to 4.6."""
    return min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited * _SHARE_OF_WAITED))


def poll(
    waiter: Waiter,
    deadline: Deadline,
    pause: t.Callable[[float], float] = pause,
    describe: Describe | None = None,
) -> t.Iterator[None]:
    """Run the body of a loop at once and after each pause. The loop ends after a look when the deadline is over.

    The body looks, and leaves the loop when it has found something. The code after the loop handles the end of the time.
    ``pause(waited)`` returns the seconds to wait before the next look. ``describe()`` tells a person what the loop waits for.
    """
    began = waiter.clock()
    with waiter.waits.on(describe):
        while True:
            yield
            if not deadline.remaining():
                return
            waiter.sleep(min(pause(waiter.clock() - began), deadline.remaining()))

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads long lists whose order changes from call to call. It reads them again until it has seen all objects."""

from __future__ import annotations

import functools
import typing as t

from . import counted, paging
from .counted import pages, size
from .deadline import Deadline
from .decode import Record
from .errors import CloudnError
from .paging import Fetch, PageTooLarge, fresh, identity

# The service sorts these by a value that all objects share, so pages overlap and miss objects. Measured on CloudStack 3.0.5.
COMMANDS = frozenset(["listTemplates", "listIsos"])
# How often a list is read. Each reading misses at most about a third of the objects that were not seen before.
_MOST_TIMES = 40


def read(
    command: str, fetch: Fetch, clock: t.Callable[[], float], deadline: Deadline | None
) -> t.Iterator[list[Record]]:
    """Yield the objects of a listing command, each once, as they are found; see ``paging.read`` for the arguments.

    A list that fits on a page is one request. The pages of a longer list show the number of objects. The list is read until
    so many objects have been seen. If a reading has another number than the one before, objects have come or gone, and the
    count starts again. So every object that is there all the time is yielded, unless as many objects come as go meanwhile.
    If the service counts all objects, as CloudStack 4 does, the list is read as ``counted.read`` does.

    Raises what ``fetch`` raises, for any page. Raises ``CloudnError`` where objects come and go faster than the list can be
    read, or the list does not end before ``deadline``.
    """
    yielded: set[t.Any] = set()
    limit = Deadline(None if deadline is None else deadline.remaining(), clock)
    ask = functools.partial(paging.in_time(command, counted.watched(fetch), clock, deadline), limit=limit)
    try:
        yield from _read(command, ask, yielded)
    except counted.Counted as seen:
        yield from counted.go_on(command, fetch, seen, clock, deadline, yielded)


def _read(command: str, ask: Fetch, yielded: set[t.Any]) -> t.Iterator[list[Record]]:
    """Read a list until as many objects have been seen as there are on its pages."""
    census = _Census()
    largest, time = paging.LARGEST, 0
    while time < _MOST_TIMES:
        length = size(largest, time)
        count = 0
        found: set[t.Any] = set()
        try:
            for items in pages(command, ask, length, census.count):
                count += len(items)
                found.update(map(identity, items))
                yield fresh(items, yielded)
        except PageTooLarge as error:
            largest = error.largest
            continue
        if (count < length and not time) or census.is_complete(found, count):
            return
        time += 1
    raise CloudnError(
        f"{command}: the service changes the order of this list all the time, so it could not be read to its end; run this "
        "again, or ask for a part of the list",
        command,
    )


class _Census:
    """The objects that were seen in readings of one list. ``count`` is how many objects the last reading had."""

    def __init__(self) -> None:
        self.count = 0
        self._seen: set[t.Any] = set()

    def is_complete(self, found: set[t.Any], count: int) -> bool:
        """Add the objects of a reading, and tell whether all objects have been seen."""
        # A reading with another count may hold objects that are gone: its objects are not kept.
        self._seen = self._seen | found if count == self.count else set()
        self.count = count
        if len(self._seen) > count:
            self._seen = set()
        return len(self._seen) == count

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads long lists whose order changes from call to call. It reads them again until it has seen all objects."""

from __future__ import annotations

import functools
import typing as t

from . import paging
from .deadline import Deadline
from .decode import Record
from .errors import CloudnError
from .paging import Fetch, Page, identity

# The service sorts these by a value that all objects share, so pages overlap and miss objects. Measured on CloudStack 3.0.5.
COMMANDS = frozenset(["listTemplates", "listIsos"])
# How often a list is read. Each reading misses at most about a third of the objects that were not seen before.
_MOST_TIMES = 40
# Each reading has pages shorter by one, up to so many times, as a service may repeat the same objects for the same page.
_SIZES = 20


def read(
    command: str, fetch: Fetch, clock: t.Callable[[], float], deadline: Deadline | None
) -> t.Iterator[list[Record]]:
    """Yield the objects of a listing command, each once, as they are found; see ``paging.read`` for the arguments.

    A list that fits on a page is one request. The pages of a longer list show the number of objects. The list is read until
    so many objects have been seen. If a reading has another number than the one before, objects have come or gone, and the
    count starts again. So every object that is there all the time is yielded, unless as many objects come as go meanwhile.

    Raises what ``fetch`` raises, for any page. Raises ``CloudnError`` where objects come and go faster than the list can be
    read, or the list does not end before ``deadline``.
    """
    limit = Deadline(None if deadline is None else deadline.remaining(), clock)
    ask = functools.partial(paging.in_time(command, fetch, clock, deadline), limit=limit)
    yielded: set[t.Any] = set()
    census = _Census()
    for time in range(_MOST_TIMES):
        size = max(1, paging.LARGEST - time % min(_SIZES, paging.LARGEST))
        count = 0
        found: set[t.Any] = set()
        for items in _pages(ask, size, census.count):
            count += len(items)
            found.update(map(identity, items))
            fresh = {identity(item): item for item in items if identity(item) not in yielded}
            yielded.update(fresh)
            yield list(fresh.values())
        if (count < size and not time) or census.is_complete(found, count):
            return
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


def _pages(ask: Fetch, size: int, expected: int) -> t.Iterator[list[Record]]:
    """Yield all pages of this size. Several are read at once if the number of objects is known."""
    number = 0
    if expected > size:
        import concurrent.futures  # few lists are that long

        wanted = [Page(number + 1, size) for number in range(expected // size + 1)]
        with concurrent.futures.ThreadPoolExecutor(paging.MOST) as threads:
            for items in threads.map(ask, wanted):
                number += 1
                yield items
                if len(items) != size:
                    return
    while True:
        number += 1
        items = ask(Page(number, size))
        yield items
        if len(items) != size:
            return

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads long lists whose order may change from call to call, where the service counts all their objects."""

from __future__ import annotations

import functools
import itertools
import typing as t

from . import paging
from .deadline import Deadline
from .decode import Record
from .errors import CloudnError
from .paging import Fetch, Page, PageTooLarge, fresh, identity

# How often a list is read. Each reading misses at most about a third of the objects that were not seen before.
_MOST_TIMES = 40
# If so many readings of a list that stands still have proved nothing more, others won't.
_MOST_IN_VAIN = 12
# Each reading has pages shorter by one, up to so many times, as a service may repeat the same objects for the same page.
_SIZES = 20
# If so many pages in a row only repeat the page before, the service does not page this list. A page may be a single object, and
# the order of the list may change, so some pages may be alike by chance.
_REPEATED = 20
# So many pages are asked for before the first is there, however many objects the service counts.
_AT_ONCE = 10 * paging.MOST


class Counted(Exception):
    """The service counts all objects of the list, not those of a page. ``page`` has shown it, with its objects."""

    def __init__(self, page: Page, items: list[Record]) -> None:
        super().__init__(page)
        self.page = page
        self.items = items


def read(
    command: str, fetch: Fetch, first: int, clock: t.Callable[[], float], deadline: Deadline | None
) -> t.Iterator[list[Record]]:
    """Yield the objects of a listing command, each once, as they are found; see ``paging.read`` for the arguments.

    A list that fits on a page is one request. If the count in an answer is larger than the number of its objects, it is the
    number of all objects. CloudStack 4 tells it; its pages of volumes and tags overlap and miss objects (measured on 4.23).
    Then the list is read until it is proved that no object is missing, see ``_Sightings``. Otherwise the service is taken
    for CloudStack 3, whose order stands, and ``paging.read`` reads the list.

    Raises what ``fetch`` raises, for any page. Raises ``CloudnError`` where objects come and go faster than the list can be
    read, the service gives fewer objects than it counts, or the list does not end before ``deadline``.
    """
    yielded: set[t.Any] = set()
    try:
        yield from paging.read(command, watched(fetch), first, clock, deadline, yielded)
    except Counted as seen:
        yield from go_on(command, fetch, seen, clock, deadline, yielded)


def watched(fetch: Fetch) -> Fetch:
    """Return a ``fetch`` that raises ``Counted`` for a page that shows that the service counts all objects."""

    def watch(page: Page, limit: Deadline) -> list[Record]:
        items = fetch(page, limit=limit)
        if paging.count_of(items) > len(items):
            raise Counted(page, items)
        return items

    return watch


def go_on(
    command: str,
    fetch: Fetch,
    seen: Counted,
    clock: t.Callable[[], float],
    deadline: Deadline | None,
    yielded: set[t.Any],
) -> t.Iterator[list[Record]]:
    """Go on with a list after a page has shown that the service counts all objects; see ``read``.

    ``yielded`` holds the keys of the objects that were yielded, see ``paging.identity``.
    """
    limit = Deadline(None if deadline is None else deadline.remaining(), clock)
    ask = functools.partial(paging.in_time(command, fetch, clock, deadline), limit=limit)
    yield from _by_count(command, ask, seen, yielded)


def _by_count(command: str, ask: Fetch, seen: Counted, yielded: set[t.Any]) -> t.Iterator[list[Record]]:
    """Read a list whose answers count all objects until none is missing. The page of ``seen`` is not read again."""
    page, items = seen.page, seen.items
    largest = paging.LARGEST
    if items and page.number == 1 and len(items) < page.size:
        largest = len(items)  # the service has cut the page to a size of its own
        page = Page(1, largest)
    begun = {page: items}

    def ask_once(page: Page) -> list[Record]:
        return begun.pop(page) if page in begun else ask(page)

    sightings = _Sightings(paging.count_of(items))
    rows, in_vain = sightings.count, 0
    while sightings.readings < _MOST_TIMES and in_vain < _MOST_IN_VAIN:
        expected, rows = rows, 0
        try:
            for items in pages(command, ask_once, size(largest, sightings.readings), expected):
                rows += len(items)
                sightings.add(items)
                yield fresh(items, yielded)
        except PageTooLarge as error:
            largest, rows = error.largest, expected
            continue
        in_vain = 0 if sightings.end_reading(rows) else in_vain + 1
        if sightings.is_complete():
            return
    raise CloudnError(f"{command}: {paging.missing_text(max(sightings.held), sightings.count)}", command)


def size(largest: int, time: int) -> int:
    """Return the size of the pages of a reading."""
    return max(1, largest - time % min(_SIZES, largest))


def pages(command: str, ask: Fetch, size: int, expected: int) -> t.Iterator[list[Record]]:
    """Yield all pages of this size. Several are read at once if the number of objects is known.

    Raises ``CloudnError`` if many pages in a row have the same objects: the service does not page this list.
    """
    latest: set[t.Any] = set()
    repeated = 0
    for items in _pages(ask, size, expected):
        found = set(map(identity, items))
        repeated = repeated + 1 if found and found == latest else 0
        latest = found
        if repeated == _REPEATED:
            raise CloudnError(paging.unpaged_text(command), command)
        yield items


def _pages(ask: Fetch, size: int, expected: int) -> t.Iterator[list[Record]]:
    """Yield all pages of this size; see ``pages``."""
    number = 0
    if expected > size:
        from .threads import pool  # few lists are that long

        with pool(paging.MOST) as threads:
            while number <= expected // size:
                last = min(number + _AT_ONCE, expected // size + 1)
                for items in threads.map(ask, [Page(number, size) for number in range(number + 1, last + 1)]):
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


class _Sightings:
    """In which readings of one list each object was seen. ``count`` is how many objects the service counts now.

    An object that was seen before a reading, and in it or later, was there when the reading began. If there are as many such
    objects as the service counts all through this reading, they are the whole list at that moment. So no object that is
    there all the time is missing, also if others come and go and the service's count does not show it. ``held`` has for
    each reading how many objects were certainly there when it began.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self.readings = 0
        self.held: list[int] = []
        self._seen: dict[t.Any, tuple[int, int]] = {}
        self._numbers: list[int | None] = []
        self._counts: set[int] = set()
        self._known = 0

    def add(self, items: list[Record]) -> None:
        """Add the objects on a page of this reading."""
        for item in items:
            key = identity(item)
            first, _last = self._seen.get(key, (self.readings, 0))
            self._seen[key] = first, self.readings
        count = paging.count_of(items)
        if items or count:
            self.count = count
            self._counts.add(count)

    def end_reading(self, rows: int) -> bool:
        """End a reading with so many objects on its pages. Return whether it shows anything new about the list."""
        # The service may count something else, such as templates where it lists a template once for each zone.
        self._numbers.append(max(rows, *self._counts, 0) if len(self._counts) < 2 else None)
        self.readings += 1
        self._counts = set()
        changes = [0] * (self.readings + 1)
        for first, last in self._seen.values():
            if last > first:
                changes[first + 1] += 1
                changes[last + 1] -= 1
        before, self.held = self.held, list(itertools.accumulate(changes))[: self.readings]
        known, self._known = self._known, len(self._seen)
        has_changed = self._numbers[-1] is None or self._numbers[-1:] != self._numbers[-2:-1] or known < self._known
        return has_changed or any(now > then for then, now in zip(before, self.held))

    def is_complete(self) -> bool:
        """Tell whether all objects have been seen that there were when some reading began, after the first."""
        return any(there == number for there, number in zip(self.held[1:], self._numbers[1:]))

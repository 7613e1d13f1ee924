# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long lists whose order changes from call to call: read again and again, until as many were seen as there are."""

from __future__ import annotations

import functools
import typing as t

from . import paging
from .deadline import Deadline
from .decode import Record
from .errors import CloudnError
from .paging import Fetch, Page, identity

# The service sorts these by what is the same for all, so that pages overlap and miss some. Measured on CloudStack 3.0.5.
COMMANDS = frozenset(["listTemplates", "listIsos"])
# How often a list is read. Each time that it is, about a third of what was not seen yet stays unseen, at worst.
_MOST_TIMES = 40
# Pages get shorter by one each time, up to so many times, since a service may give the same objects for the same page.
_SIZES = 20


def read(
    command: str, fetch: Fetch, clock: t.Callable[[], float], deadline: Deadline | None
) -> t.Iterator[list[Record]]:
    """Yield the objects that a command lists, each once, as they are found; see ``paging.read`` for the arguments.

    A list that fits on a page is one request. The pages of a longer one tell how many objects there are. It is read until
    so many have been seen, each time with the same number as the time before: where that differs, some have come or gone,
    and it begins anew. So every object that is there all the time is yielded, unless just as many come as go meanwhile.

    Raises what ``fetch`` raises, for any page, and ``CloudnError`` where the objects come and go faster than the list can be
    read, or it does not end before ``deadline``.
    """
    limit = Deadline(None if deadline is None else deadline.remaining(), clock)
    ask = functools.partial(paging.in_time(command, fetch, clock, deadline), limit=limit)
    yielded: set[t.Any] = set()
    seen: set[t.Any] = set()
    expected = None
    for time in range(_MOST_TIMES):
        size = max(1, paging.LARGEST - time % min(_SIZES, paging.LARGEST))
        count = 0
        found: set[t.Any] = set()
        for items in _pages(ask, size, expected or 0):
            count += len(items)
            found.update(map(identity, items))
            fresh = {identity(item): item for item in items if identity(item) not in yielded}
            yielded.update(fresh)
            yield list(fresh.values())
        if count < size and not time:
            return
        seen = seen | found if count == expected else set()  # what was read while something went may hold that still
        expected = count
        if len(seen) == count:
            return
        if len(seen) > count:
            seen = set()
    raise CloudnError(
        f"{command}: the service gives this list in another order each time, and it could not be read to its end; run this "
        "again, or ask for less of it",
        command,
    )


def _pages(ask: Fetch, size: int, expected: int) -> t.Iterator[list[Record]]:
    """Yield all pages of this size: several are read at once where it is known how many to expect."""
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

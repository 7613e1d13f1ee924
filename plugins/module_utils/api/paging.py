# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long lists: pages read ahead over several connections, and made sure of that nothing fell between two of them."""

from __future__ import annotations

import collections
import functools
import json
import typing as t

from .deadline import LAST_LOOK, Deadline
from .decode import Record
from .errors import CloudnError

# The largest page that the service gives (a larger pagesize is a 431); measured on CloudStack 3.0.5.
LARGEST = 500
# How many objects each page shares with the one before. As many less one may vanish before a page is read, and it still
# joins on to the one before.
OVERLAP = 4
# Pages read at once, beside the connection that the first page came over: the longer that took, the more.
FEWEST, MOST = 2, 7
SECONDS_FOR_ONE_MORE = 0.025
# Where the service takes longer than this for each object, a page is at most half of what lies before it: the last
# page of a list of some hundred would else take as long as all others together. A CloudStack 3.0.5 takes 6 to 12 ms for a
# virtual machine, in several listings side by side; measured.
SLOW_SECONDS, SLOW_SHARE = 0.003, 2
# How often two pages that do not join are read again, and the whole list where they still do not.
_TRIES = 3
# How many pages in a row may be no more than the first before the service is taken for one that does not page.
_REPEATED = 5


class Page(t.NamedTuple):
    """A page as the service counts: objects from ``(number - 1) * size`` on, ``size`` of them."""

    number: int
    size: int


Fetch = t.Callable[..., t.List[Record]]


class _Gap(Exception):
    """Two pages do not join, though they were read again."""


def read(
    command: str, fetch: Fetch, first: int, clock: t.Callable[[], float], deadline: Deadline | None = None
) -> t.Iterator[list[Record]]:
    """Yield the objects that a command lists, page by page, each object once, in the service's order of pages.

    ``fetch(page, limit=...)`` returns the objects on a page; it is called in several threads, which end before this does: when
    what they still fetch is not needed, their ``limit`` is brought forward to now. How long the list is shows only where it
    ends: with a page that is not full. The first page, of ``first`` objects, is read alone, so that a short list is one
    request; others are read ahead, at most ``MOST`` less one in vain.

    Objects that come or go meanwhile move others from page to page. The service cuts a list into pages in an order that
    stands (virtual machines by their creation, oldest first; volumes newest first; measured on CloudStack 3.0.5), so a
    page holds everything between its first and its last object. Pages that share an object therefore have no gap
    between them: each page is chosen to share some with the one before. Where none is shared, both are read again, and
    where that does not help, the whole list. So every object that is there all the time is yielded.

    Raises what ``fetch`` raises, for any page, and ``CloudnError`` where the list changes faster than it can be read, the
    service gives the same page again and again, or the list does not end before ``deadline``. A list that is begun near
    the deadline has some seconds all the same.
    """
    known: set[t.Any] = set()
    ask = in_time(command, fetch, clock, deadline)
    for _try in range(_TRIES):
        try:
            limit = Deadline(None if deadline is None else deadline.remaining(), clock)
            yield from _read(command, functools.partial(ask, limit=limit), first, clock, limit, known)
            return
        except _Gap:
            continue
    raise CloudnError(f"{command}: objects come and go faster than the list can be read; run this again", command)


def in_time(command: str, fetch: Fetch, clock: t.Callable[[], float], deadline: Deadline | None) -> Fetch:
    """Return ``fetch`` so that it raises ``CloudnError`` after the deadline; some seconds are left near it all the same."""
    last = Deadline(None if deadline is None else max(LAST_LOOK, deadline.remaining()), clock)

    def ask(page: Page, limit: Deadline) -> list[Record]:
        if not last.remaining():
            raise CloudnError(
                f"{command}: the list could not be read to its end within the time for the task (wait_timeout); run the task "
                "again, with a longer wait_timeout if need be",
                command,
            )
        return fetch(page, limit=limit)

    return ask


def _read(
    command: str,
    fetch: Fetch,
    first: int,
    clock: t.Callable[[], float],
    limit: Deadline,
    known: set[t.Any],
) -> t.Iterator[list[Record]]:
    """Read a list once, and yield what is not among the ``known``; raises ``_Gap`` where it may be incomplete."""
    before = Page(1, first)
    began = clock()
    items = fetch(before)
    took = clock() - began
    ahead = min(MOST, FEWEST + int(took / SECONDS_FOR_ONE_MORE))
    share = SLOW_SHARE if took > SLOW_SECONDS * len(items) else 1
    yield _new(items, known)
    if len(items) != before.size:
        return
    joint = beginning = {identity(item) for item in items}
    repeated = 0
    for page, items in _ahead(fetch, before, ahead, share, limit):
        again: list[Record] = []
        if not joint.intersection(map(identity, items)):
            again, items = _join(fetch, before, joint, page)
        fresh = _new([*again, *items], known)
        yield fresh
        if len(items) != page.size:
            return
        before, joint = page, {identity(item) for item in items}
        repeated = repeated + 1 if not fresh and (joint <= beginning or beginning <= joint) else 0
        if repeated == _REPEATED:
            raise CloudnError(
                f"{command}: the service does not give this list page by page, so it can't be read", command
            )


def _new(items: list[Record], known: set[t.Any]) -> list[Record]:
    """Return the objects that are not among the known ones, and make them known."""
    fresh = []
    for item in items:
        key = identity(item)
        if key not in known:
            known.add(key)
            fresh.append(item)
    return fresh


def following(page: Page, share: int = 1) -> Page:
    """Return the page to read after another: it begins with some objects of that one, and is as long as can be.

    A page begins at a multiple of its size, so two of one size share nothing: sizes differ. A page can't be longer than
    what lies before it; with ``share`` it is at most that part of it, but not shorter for that than the one before.

    Where short pages of every size begin anew at one place (those of up to 4 at 60), the page that begins there shares nothing.
    """
    end = page.number * page.size
    latest = end - OVERLAP
    largest = min(LARGEST, latest, max(page.size, latest // share))
    reaching = {size: latest // size * size + size for size in range(1, largest + 1)}
    size = max(reaching, key=lambda size: reaching[size], default=0)
    if reaching.get(size, 0) > end:
        return Page(latest // size + 1, size)
    size = max(size for size in range(1, min(LARGEST, end) + 1) if end % size == 0)
    return Page(end // size + 1, size)


def identity(item: Record) -> t.Any:
    """Return what tells listed objects apart: a template is listed once for each zone that it is in; some have no id."""
    key = item.get("id", item.get("jobid"))
    return (key, item.get("zoneid")) if key is not None else json.dumps(item, sort_keys=True)


def _ahead(
    fetch: Fetch, latest: Page, count: int, share: int, limit: Deadline
) -> t.Iterator[tuple[Page, list[Record]]]:
    """Yield the pages after ``latest`` with their objects, in order, while the ``count - 1`` behind are being read."""
    import concurrent.futures  # few lists are that long

    with concurrent.futures.ThreadPoolExecutor(count) as threads:
        waiting: collections.deque[tuple[Page, concurrent.futures.Future[list[Record]]]] = collections.deque()
        try:
            while True:
                while len(waiting) < count and not any(_ends(page, answer) for page, answer in waiting):
                    latest = following(latest, share)
                    waiting.append((latest, threads.submit(fetch, latest)))
                page, answer = waiting.popleft()
                yield page, answer.result()
        finally:
            limit.end()
            for _page, answer in waiting:
                answer.cancel()


def _ends(page: Page, answer: t.Any) -> bool:
    """Tell whether a page is known to be the last, or behind it."""
    return answer.done() and (answer.exception() is not None or len(answer.result()) != page.size)


def _join(fetch: Fetch, before: Page, joint: set[t.Any], page: Page) -> tuple[list[Record], list[Record]]:
    """Read two pages again until they join, ``before`` also to what was read of it, ``joint``.

    Pages that are to share nothing join where the first of them is the same before and after the second is read.

    Returns their objects; of ``page`` none where the list now ends with ``before``. Raises ``_Gap``.
    """
    sharing = (page.number - 1) * page.size < before.number * before.size
    for _try in range(_TRIES):
        again = fetch(before)
        found = {identity(item) for item in again}
        if before.number > 1 and not found & joint:
            break
        if len(again) != before.size:
            return again, []
        items = fetch(page)
        if sharing:
            joined = not found.isdisjoint(map(identity, items))
        else:
            joined = found == {identity(item) for item in fetch(before)}
        if joined:
            return again, items
    raise _Gap

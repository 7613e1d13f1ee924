# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads long lists: pages are read ahead over several connections, and no object is lost between two pages."""

from __future__ import annotations

import collections
import functools
import typing as t

if t.TYPE_CHECKING:
    import concurrent.futures

from .deadline import LAST_LOOK, Deadline
from .decode import Record
from .errors import CloudnError
from .flawed import key_of, peek

# The largest page of a service as it is installed; measured on CloudStack 3.0.5 and 4.23. Its operator may have set another
# (default.page.size), see ``page_size``.
LARGEST = 500
# Each page of these lists has the objects that stand there in an order that does not change: oldest first, or newest first.
# Measured on CloudStack 3.0.5 and 4.23. Lists that are not known to be sound are read by ``counted.read``.
SOUND = frozenset(["listVirtualMachines", "listSecurityGroups", "listSSHKeyPairs", "listOsTypes", "listEvents"])
# How many objects each page shares with the page before. One less may vanish before a page is read, and the pages still
# join.
OVERLAP = 4
# Pages that are read at once, beside the connection of the first page. The longer the first page took, the more.
FEWEST, MOST = 2, 7
SECONDS_FOR_ONE_MORE = 0.025
# If the service takes longer than this for an object, a page is at most half as long as all pages before it. Otherwise the
# last page of a list of some hundred objects takes as long as all others together. CloudStack 3.0.5 takes 6 to 12 ms for a
# virtual machine, with several listings side by side; measured.
SLOW_SECONDS, SLOW_SHARE = 0.003, 2
# How often two pages that do not join are read again. If they still do not join, the whole list is read again as often.
_TRIES = 3
# If so many pages in a row only repeat the first page, the service does not page this list.
_REPEATED = 5


class Page(t.NamedTuple):
    """A page as the service counts: ``size`` objects, from ``(number - 1) * size`` on."""

    number: int
    size: int


# A list without a deadline has at least LEAST seconds, and as many as its task still has. Without a task it has LONGEST seconds.
# No list is read beyond so many objects: a service that gives new ones for ever must not fill the memory.
LEAST, LONGEST, MOST_OBJECTS = 30.0, 600.0, 200_000

Fetch = t.Callable[..., t.List[Record]]


class Objects(t.List[Record]):
    """The objects on a page. ``total`` is the count in the answer, ``None`` where it has none.

    CloudStack 3.0.5 counts the objects on the page, 4.23 counts all that match; measured.
    """

    total: int | None = None


class PageTooLarge(Exception):
    """The service does not give a page of this size. ``largest`` is the size to go on with."""

    def __init__(self, largest: int) -> None:
        super().__init__(largest)
        self.largest = largest


class _Gap(Exception):
    """Two pages do not join, also when they are read again."""

    text = "objects come and go faster than the list can be read; run this again"


class _Short(_Gap):
    """The list ends before the service's count of it."""

    def __init__(self, end: int, count: int) -> None:
        super().__init__(end, count)
        self.text = missing_text(end, count)


def list_field(answer: Record) -> str | None:
    """Return the name of the field with the objects of a listing's answer, ``None`` where it has none."""
    return next((name for name, value in answer.items() if isinstance(value, list)), None)


def objects(answer: Record) -> Objects:
    """Return the objects of a listing's answer, with its count. An empty page may have a count without a list."""
    found = Objects(answer.get(list_field(answer) or "", []))
    total = answer.get("count")
    found.total = total if isinstance(total, int) else None
    return found


def read(
    command: str,
    fetch: Fetch,
    first: int,
    clock: t.Callable[[], float],
    deadline: Deadline | None = None,
    known: set[t.Any] | None = None,
) -> t.Iterator[list[Record]]:
    """Yield the objects of a listing command, page by page in the service's order, each object once.

    ``fetch(page, limit=...)`` returns the objects on a page. Several threads call it, and all of them end before this does.
    When their pages are not needed any more, their ``limit`` is set to now. Only a page that is not full shows the end of
    the list. The first page, of ``first`` objects, is read alone, so a short list is one request. Further pages are read
    ahead, at most ``MOST`` less one in vain. ``fetch`` may raise ``PageTooLarge``; then the list is read in smaller pages.
    ``known`` holds the keys of the objects that were yielded, see ``identity``.

    Objects that come or go meanwhile move others to other pages. But the order of the list is fixed (virtual machines by
    their creation, oldest first; volumes newest first; measured on CloudStack 3.0.5). So a page holds all objects between
    its first and its last, and two pages that share an object have no gap between them. Each page is chosen to share
    some objects with the page before. If they share none, both are read again; if that does not help, the whole list is
    read again. So every object that is there all the time is yielded.

    Raises what ``fetch`` raises, for any page. Raises ``CloudnError`` where the list changes faster than it can be read, the
    service repeats one page, or the list does not end before ``deadline``. Near the deadline, a list still has some
    seconds.
    """
    known = set() if known is None else known
    ask = in_time(command, fetch, clock, deadline)
    largest, text = LARGEST, ""
    tries = 0
    while tries < _TRIES:
        try:
            limit = Deadline(None if deadline is None else deadline.remaining(), clock)
            yield from _read(command, functools.partial(ask, limit=limit), first, clock, limit, known, largest)
            return
        except PageTooLarge as error:
            largest = error.largest
        except _Gap as gap:
            text = gap.text
            tries += 1
    raise CloudnError(f"{command}: {text}", command)


def missing_text(found: int, count: int) -> str:
    """Return the reason why a list can't be shown: the service counts more objects than it gives."""
    if found >= count:
        return _Gap.text
    return (
        f"{found} of {count} objects could be read, so the list is not complete; run this again, or ask for a part of the "
        "list (by an id or a name)"
    )


def unpaged_text(command: str) -> str:
    """Return the message that the pages of a list only repeat each other."""
    return f"{command}: the service does not give this list page by page, so it can't be read"


def in_time(command: str, fetch: Fetch, clock: t.Callable[[], float], deadline: Deadline | None) -> Fetch:
    """Return a ``fetch`` that raises ``CloudnError`` after the deadline. Near the deadline it still has some seconds."""
    last = Deadline(None if deadline is None else max(LAST_LOOK, deadline.remaining()), clock)

    def ask(page: Page, limit: Deadline) -> list[Record]:
        if not last.remaining():
            raise CloudnError(
                f"{command}: the list could not be read to its end within the time for the task (wait_timeout); run the task "
                "again, with a longer wait_timeout if necessary",
                command,
            )
        return fetch(page, limit=limit)

    return ask


def last_moment(task: Deadline | None, clock: t.Callable[[], float]) -> Deadline:
    """Return when a list must have ended that has no deadline. ``task`` is the time for its task, ``None`` without one."""
    return Deadline(LONGEST if task is None else max(LEAST, task.remaining()), clock)


def check_limits(command: str, page: Page, last: Deadline) -> None:
    """Raise ``CloudnError`` if a page comes too late, or lies beyond any list that can be read."""
    reason = ""
    if not last.remaining():
        reason = f"it did not end within {last.seconds:g} s"
    elif (page.number - 1) * page.size >= MOST_OBJECTS:
        reason = f"it did not end after {MOST_OBJECTS} objects"
    if reason:
        text = f"the list could not be read to its end: {reason}. Run this again, or ask for a part of the list (by an id or a name)"
        raise CloudnError(f"{command}: {text}", command)


def _read(
    command: str,
    fetch: Fetch,
    first: int,
    clock: t.Callable[[], float],
    limit: Deadline,
    known: set[t.Any],
    largest: int,
) -> t.Iterator[list[Record]]:
    """Read a list once, and yield objects that are not ``known``. Raises ``_Gap`` where the list may be incomplete."""
    before = Page(1, min(first, largest))
    began = clock()
    items = fetch(before)
    ahead, share = _pace(clock() - began, len(items))
    yield fresh(items, known)
    if len(items) != before.size:
        _check_end(before, items)
        return
    joint = beginning = {identity(item) for item in items}
    repeated = 0
    for page, items in _ahead(fetch, before, ahead, functools.partial(following, share=share, largest=largest), limit):
        again: list[Record] = []
        if not joint.intersection(map(identity, items)):
            again, items = _join(fetch, before, joint, page)
        new = fresh([*again, *items], known)
        yield new
        if len(items) != page.size:
            _check_end(page, items)
            return
        before, joint = page, {identity(item) for item in items}
        repeated = repeated + 1 if not new and (joint <= beginning or beginning <= joint) else 0
        if repeated == _REPEATED:
            raise CloudnError(unpaged_text(command), command)


def count_of(items: list[Record]) -> int:
    """Return the count in the answer with a page, 0 where it has none."""
    return (items.total or 0) if isinstance(items, Objects) else 0


def _check_end(page: Page, items: list[Record]) -> None:
    """Raise ``_Short`` if the service counts more objects than there are up to the end of this page, its last one.

    Raises ``PageTooLarge`` for a first page: the service may cut pages to a size of its own.
    """
    end = (page.number - 1) * page.size + len(items)
    if count_of(items) <= end:
        return
    if items and page.number == 1:
        raise PageTooLarge(len(items))
    raise _Short(end, count_of(items))


def _pace(seconds: float, count: int) -> tuple[int, int]:
    """Return how many pages to read at once, and the share for ``following``, from the time of a page of ``count`` objects."""
    return min(MOST, FEWEST + int(seconds / SECONDS_FOR_ONE_MORE)), SLOW_SHARE if seconds > SLOW_SECONDS * count else 1


def fresh(items: list[Record], known: set[t.Any]) -> list[Record]:
    """Return the objects that are not known, each once, and add them to the known ones."""
    new = []
    for item in items:
        key = identity(item)
        if key not in known:
            known.add(key)
            new.append(item)
    return new


def following(page: Page, share: int = 1, largest: int | None = None) -> Page:
    """Return the page to read after another. It begins with some objects of that page, and is as long as possible.

    ``largest`` is the size of the service's largest page, ``LARGEST`` if it is not given.

    A page begins at a multiple of its size. Two pages of one size share nothing, so the sizes differ. A page can't be longer
    than all pages before it together. With ``share`` it is at most that part of them, unless the page before is longer.

    At some places short pages of every size begin anew (those of up to 4 at 60). A page that begins there shares nothing.
    """
    end = page.number * page.size
    latest = end - OVERLAP
    most = LARGEST if largest is None else largest
    longest = min(most, latest, max(page.size, latest // share))
    reaching = {size: latest // size * size + size for size in range(1, longest + 1)}
    size = max(reaching, key=lambda size: reaching[size], default=0)
    if reaching.get(size, 0) > end:
        return Page(latest // size + 1, size)
    size = max(size for size in range(1, min(most, end) + 1) if end % size == 0)
    return Page(end // size + 1, size)


def identity(item: Record) -> t.Any:
    """Return a key for a listed object. A template is listed once for each of its zones, and some objects have no id."""
    key = peek(item, "id") or peek(item, "jobid")
    return (key, peek(item, "zoneid")) if isinstance(key, str) and key else key_of(item)


def _ahead(
    fetch: Fetch, latest: Page, count: int, next_page: t.Callable[[Page], Page], limit: Deadline
) -> t.Iterator[tuple[Page, list[Record]]]:
    """Yield the pages after ``latest`` with their objects, in order, while ``count - 1`` later pages are being read.

    ``next_page`` returns the page after another.
    """
    from .threads import pool  # few lists are that long

    with pool(count) as threads:
        waiting: collections.deque[tuple[Page, concurrent.futures.Future[list[Record]]]] = collections.deque()
        try:
            while True:
                while len(waiting) < count and not any(_ends(page, answer) for page, answer in waiting):
                    latest = next_page(latest)
                    waiting.append((latest, threads.submit(fetch, latest)))
                page, answer = waiting.popleft()
                yield page, answer.result()
        finally:
            limit.end()
            for _page, answer in waiting:
                answer.cancel()


def _ends(page: Page, answer: t.Any) -> bool:
    """Tell whether a page is known to be the last one, or one after it."""
    return answer.done() and (answer.exception() is not None or len(answer.result()) != page.size)


def _join(fetch: Fetch, before: Page, joint: set[t.Any], page: Page) -> tuple[list[Record], list[Record]]:
    """Read two pages again until they join. ``before`` must also share an object with its first reading, ``joint``.

    Two pages that do not overlap join if the first is the same before and after the second is read.

    Returns the objects of both, and none of ``page`` if the list now ends with ``before``. Raises ``_Gap``.
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

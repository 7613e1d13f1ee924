# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the virtual machines over which a listing fails by halving it, and lists the others in full."""

from __future__ import annotations

from ...api import ApiError, Client, CloudnError, Deadline, Record, UnknownOutcome
from ...api.errors import INTERNAL, PARAMETER_ERROR
from ...api.flawed import altered
from ...api.paging import Page, PageTooLarge
from .lost import COMMAND, LOST_KEY, describe

# The largest block of positions for one request.
_LARGEST_BLOCK = 256
# The details of a machine without its key pair, over which the service fails; measured on CloudStack 3.0.5. The shorter
# list is for a service that also fails over another detail.
_WITHOUT_KEY_PAIR = (["group", "nics", "secgrp", "tmpl", "servoff", "volume"], ["min"])
# If at most so many machines have moved in the list meanwhile, each is asked for alone.
_FEW = 8
# The service must have failed over a machine so often.
_FAILURES = 2
# Outcomes for a block: its needed part was fetched; nothing is known; the service fails over its needed part.
_FINE, _UNCLEAR, _FAILS = range(3)


class Rescue:
    """Continues one listing after one of its pages was refused.

    It first asks for the page without key pairs, which shows the page's machines. Then it asks for the halves, the right one
    first. A half over which the service does not fail brings its machines. If the service does not fail over the right half, it
    must fail over the left one. So one machine among n is found with at most 2 log2 n requests, and one for the page without
    key pairs.

    The service lists machines by age (measured on CloudStack 3.0.5), so a machine moves only if an older one goes. Machines
    that the halves have missed for that reason are asked for by their ids.
    """

    def __init__(self, client: Client, query: Record) -> None:
        self._client = client
        self._query = query
        self._known: dict[str, Record] = {}
        self._searched: list[range] = []
        self._places: set[int] = set()

    def expects(self, page: Page) -> bool:
        """Tell whether the pages before show that a page will be refused."""
        return not self._places.isdisjoint(_positions(page))

    def page(self, page: Page, limit: Deadline, refused: bool) -> list[Record]:
        """Return the machines on a page that was refused, or that will be.

        Raises ``UnknownOutcome`` if the service fails over something else than a key pair.
        """
        held = self._without_key_pairs(page, limit)
        if not (refused or any(LOST_KEY in self._known.get(machine["id"], {}) for machine in held)):
            fetched = _fetch(self._client, self._query, page, limit)  # the expected machine has moved
            if fetched is not None:
                return fetched
        start, is_last = _positions(page).start, len(held) < page.size
        whole = range(start, start + len(held))
        needed = self._rest_of(whole)
        failing = refused and needed == whole
        halves = self._search(needed, failing, is_last, limit)
        if len(self._missing(held)) > len(halves.places) + _FEW:
            halves = self._search(whole, False, is_last, limit)  # too many have moved since the pages before
        self._settle(self._missing(held), failing + (halves.alone == 1), limit)
        return [self._known[machine["id"]] for machine in held]

    def _without_key_pairs(self, page: Page, limit: Deadline) -> list[Record]:
        """Return the machines on a page, without their key pairs."""
        for details in _WITHOUT_KEY_PAIR:
            held = _fetch(self._client, {**self._query, "details": details}, page, limit)
            if held is not None:
                return [_as_in_full(machine) for machine in held]
        message = f"{COMMAND}: the service fails over the list (error {INTERNAL}), even without key pairs"
        raise UnknownOutcome(message, COMMAND, INTERNAL, INTERNAL)

    def _rest_of(self, whole: range) -> range:
        """Return the positions that no search has covered yet."""
        start, stop = whole.start, whole.stop
        for searched in sorted(self._searched, key=lambda positions: positions.start):
            start = searched.stop if start in searched else start
        for searched in sorted(self._searched, key=lambda positions: positions.stop, reverse=True):
            stop = searched.start if stop - 1 in searched else stop
        return range(start, max(start, stop))

    def _search(self, needed: range, failing: bool, is_last: bool, limit: Deadline) -> _Halves:
        halves = _Halves(self._client, self._query, needed, is_last, limit, self._places)
        halves.search(failing)
        self._known.update(halves.found)
        self._places |= halves.places
        self._searched.append(needed)
        return halves

    def _missing(self, held: list[Record]) -> list[Record]:
        return [machine for machine in held if machine["id"] not in self._known]

    def _settle(self, missing: list[Record], failures: int, limit: Deadline) -> None:
        """Ask for each machine that the halves did not bring: the service fails over it, or it has moved, or it is gone.

        ``failures`` counts the failures so far; they count for a machine that is the only missing one. Each machine needs
        two, as a failure may be transient.
        """
        for machine in missing:
            left = _FAILURES - (failures if len(missing) == 1 else 0)
            found = None
            while found is None and left > 0:
                found = self._by_id(machine, limit)
                left -= 1
            if found is None:
                found = altered(machine, **{LOST_KEY: True})
                self._client.warn(describe(machine))
            self._known[machine["id"]] = found

    def _by_id(self, machine: Record, limit: Deadline) -> Record | None:
        """Return a machine in full, the old record if it is gone, and ``None`` if the service fails over it."""
        try:
            found = _fetch(self._client, {**self._query, "id": machine["id"]}, Page(1, 1), limit)
        except ApiError as error:
            if error.code != PARAMETER_ERROR:
                raise
            found = []
        return None if found is None else next(iter(found), machine)


def _as_in_full(machine: Record) -> Record:
    """Return a machine without the names of its networks.

    CloudStack 3 shows them in this form only, so a machine would be another one than in a full list.
    """
    nics = [altered(nic, networkname=None) for nic in machine.get("nic") or []]
    return altered(machine, nic=nics)


class _Halves:
    """A search by halves: ``found`` has the machines by their ids, ``places`` the positions over which the service fails.

    ``alone`` counts the positions over which the service failed when one was asked for alone.
    """

    def __init__(
        self, client: Client, query: Record, needed: range, is_last: bool, limit: Deadline, known: set[int]
    ) -> None:
        self.found: dict[str, Record] = {}
        self.places: set[int] = set()
        self.alone = 0
        self._client = client
        self._query = query
        self._needed = needed
        self._is_last = is_last
        self._limit = limit
        self._beyond = [place for place in known if place not in needed]

    def search(self, failing: bool) -> None:
        """Fetch all that is needed. ``failing`` says that the service fails over a part of it."""
        size = 1
        while size < self._needed.stop:
            size *= 2
        start, size = self._smallest(0, size)
        if size:
            self._split(start, size, _FAILS if failing else self._probe(start, size))

    def _probe(self, start: int, size: int) -> int:
        """Fetch the needed part of a block of positions if possible; return whether the service fails over that part."""
        start, size = self._smallest(start, size)
        if size == 0:
            return _FINE
        if size > _LARGEST_BLOCK or any(start <= place < start + size for place in self._beyond):
            return _UNCLEAR
        try:
            fetched = _fetch(self._client, self._query, Page(start // size + 1, size), self._limit)
        except PageTooLarge:
            return _UNCLEAR
        if fetched is not None:
            self.found.update((machine["id"], machine) for machine in fetched)
            return _FINE
        self.alone += size == 1
        # If the block is longer than the needed part, the service may fail over the rest.
        ends = self._is_last or start + size <= self._needed.stop
        return _FAILS if self._needed.start <= start and ends else _UNCLEAR

    def _split(self, start: int, size: int, outcome: int) -> None:
        """Fetch the needed part of a probed block by its halves."""
        if outcome == _FINE:
            return
        start, size = self._smallest(start, size)
        if size == 1:
            self.places.add(start)
            return
        half = size // 2
        right = self._probe(start + half, half)
        left = _FAILS if right == _FINE and outcome == _FAILS else self._probe(start, half)
        if left == _FINE and outcome == _FAILS:
            right = _FAILS
        self._split(start + half, half, right)
        self._split(start, half, left)

    def _smallest(self, start: int, size: int) -> tuple[int, int]:
        """Return the smallest block in this one that has its whole needed part. Its size is 0 if there is no such part.

        A block begins at a multiple of its size, as a page does. Its size is a power of two.
        """
        first, last = max(start, self._needed.start), min(start + size, self._needed.stop) - 1
        if first > last:
            return start, 0
        while size > 1 and (first < start + size // 2) == (last < start + size // 2):
            size //= 2
            start += size if first >= start + size else 0
        return start, size


def _positions(page: Page) -> range:
    return range((page.number - 1) * page.size, page.number * page.size)


def _fetch(client: Client, query: Record, page: Page, limit: Deadline) -> list[Record] | None:
    """Return the machines on a page, ``None`` if the service fails over it."""
    if not limit.remaining():
        raise CloudnError(f"{COMMAND}: the list is not needed any more, or its time is over", COMMAND)
    try:
        return client.page(COMMAND, query, page, limit)
    except ApiError as error:
        if error.code != INTERNAL:
            raise
        return None

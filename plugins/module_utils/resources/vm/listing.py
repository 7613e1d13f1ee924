# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists virtual machines page by page, even if the service fails over one of them."""

from __future__ import annotations

import threading
import typing as t

from ...api import ApiError, Client, Deadline, Record
from ...api.errors import INTERNAL
from ...api.paging import LARGEST, Page, read
from .lost import COMMAND

if t.TYPE_CHECKING:
    from .rescue import Rescue


def pages(client: Client, query: Record, first: int = LARGEST) -> t.Iterator[list[Record]]:
    """Yield the virtual machines that the API's own filters find, page by page, as ``Client.pages`` does.

    The service fails over a machine whose SSH key pair was deleted or replaced. It then fails on every page with such a
    machine; measured on CloudStack 3.0.5. Such a machine is found and marked ``LOST_KEY``, and a warning names it. The other
    machines are listed in full. Raises what ``Client.pages`` raises, also for another failure.
    """
    listing = _Pages(client, query)
    yield from client.laid(COMMAND, query, read(COMMAND, listing.fetch, first, listing.clock))


class _Pages:
    """The pages of one listing. Several threads fetch them."""

    def __init__(self, client: Client, query: Record) -> None:
        self._client = client
        self._query = query
        self._rescue: Rescue | None = None
        self._lock = threading.Lock()
        self._seconds = 0.0

    def clock(self) -> float:
        """Return the time that the listing takes without rescues. It decides how far the reader reads ahead."""
        return self._client.clock() - self._seconds

    def fetch(self, page: Page, limit: Deadline) -> list[Record]:
        """Return the machines on a page."""
        expected = self._rescue is not None and self._rescue.expects(page)
        if not expected:
            try:
                return self._client.page(COMMAND, self._query, page, limit)
            except ApiError as error:
                if error.code != INTERNAL:
                    raise
        with self._lock:  # a thread uses what the one before it has found
            if self._rescue is None:
                from .rescue import Rescue  # here, as few runs need it

                self._rescue = Rescue(self._client, self._query)
            began = self._client.clock()
            try:
                return self._rescue.page(page, limit, refused=not expected)
            finally:
                self._seconds += self._client.clock() - began

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of the service's largest page, which its operator may have set (default.page.size)."""

from __future__ import annotations

import threading
import typing as t

from . import paging
from .errors import INTERNAL, PARAMETER_ERROR, ApiError
from .paging import Page, PageTooLarge

if t.TYPE_CHECKING:
    from .decode import Record

# The error for a page that is too large; source: the list of CloudStack's error codes. CloudStack 3.0.5 and 4.23 answer
# PARAMETER_ERROR instead (measured), as to many other mistakes.
_PAGE_LIMIT = 433
# A successful listing with one of these shows that its page size is allowed. Other listings may ignore the page: listZones
# and the listings of offerings do on CloudStack 3.0.5, listHypervisors on 4.23; measured.
_PAGED = paging.SOUND | {"listVolumes", "listSnapshots", "listTemplates", "listTags", "listAsyncJobs"}
# With one of these in a query, the service may ignore the page.
_UNPAGED_BY = frozenset(["id", "virtualmachineid"])

# Sends the listing's request for a page, or without a page.
Send = t.Callable[[t.Optional[Page]], "Record"]


class PageSize:
    """What a client knows about the size of the largest page. Several threads use it.

    ``largest`` is the largest size to ask for. It is smaller than ``paging.LARGEST`` after the service has refused that.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._largest: int | None = None
        self._allowed = 0
        # The first refusal of the search for a size. Pages get smaller until one is allowed.
        self._refusal: ApiError | None = None

    @property
    def largest(self) -> int:
        """The largest size to ask for."""
        return paging.LARGEST if self._largest is None else self._largest

    def ask(self, command: str, params: t.Mapping[str, t.Any], page: Page, send: Send) -> Record:
        """Return the service's answer to a listing with this page.

        Raises ``PageTooLarge`` if the service does not give pages of this size; then it is to be asked for a smaller one.
        Raises what ``send`` raises. A refusal of another kind is one request more, until a size is known to be allowed.
        """
        if page.size > self.largest:
            raise PageTooLarge(self.largest)
        try:
            answer = send(page)
        except ApiError as error:
            self._check_size(page, error, send)
            raise
        with self._lock:
            if self._refusal or (command in _PAGED and _UNPAGED_BY.isdisjoint(params)):
                self._allowed = max(self._allowed, page.size)
                self._refusal = None
        return answer

    def _check_size(self, page: Page, error: ApiError, send: Send) -> None:
        """Raise ``PageTooLarge`` if a page was refused for its size, the first refusal if all sizes were refused."""
        with self._lock:
            if page.size > self.largest:  # another thread knows it by now
                raise PageTooLarge(self.largest)
            if error.code not in (_PAGE_LIMIT, PARAMETER_ERROR) or page.size <= self._allowed:
                return
            if page.size == 1:
                self._give_up(error)
                return
            shown = 0
            if error.code == PARAMETER_ERROR and not self._refusal:
                answer = _without_page(send)
                if answer is None:
                    return
                shown = len(answer) if paging.count_of(answer) > len(answer) else 0
            self._refusal = self._refusal or error
            # A list without a page ends at the size of the largest page; measured on CloudStack 4.23.
            self._largest = shown if 0 < shown < page.size else page.size // 2
            raise PageTooLarge(self._largest) from error

    def _give_up(self, error: ApiError) -> None:
        """End a search for a size that has found none, and raise its first refusal."""
        first, self._refusal, self._largest = self._refusal, None, None
        if first and first.command == error.command:
            raise first


def _without_page(send: Send) -> paging.Objects | None:
    """Return the objects of a listing without a page, ``None`` if the service refuses that too: the page is not its reason."""
    try:
        return paging.objects(send(None))
    except ApiError as error:
        if error.code == PARAMETER_ERROR:
            return None
        if error.code == INTERNAL:  # it fails over an object, so it has taken the parameters
            return paging.Objects()
        raise

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest requests, as the page shows them."""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from ..store import Store

KEPT = 200  # requests
LONGEST = 400  # characters of a request's parameters, and of its error
# Parameters that tell nothing of what is asked for, in lower case.
FORMAL = ("response", "expires", "timestamp", "version", "signatureversion", "signaturemethod")


class Recent:
    """Remembers the newest requests to one store, and calls `added` for each.

    An entry is one of the log, see `request_log`. After a reset there is another store, and no request to it yet.
    """

    def __init__(self) -> None:
        self._store: Callable[[], Store | None] = lambda: None
        self._entries: deque[tuple[int, dict[str, Any]]] = deque(maxlen=KEPT)
        self._numbers = count(1)
        self.added: Callable[[], None] = lambda: None

    def note(self, entry: dict[str, Any], store: Store) -> None:
        """Remember a request to a store."""
        if self._store() is not store:
            self._entries.clear()
            self._store = weakref.ref(store)
        self._entries.append((next(self._numbers), entry))
        self.added()

    def rows(self, store: Store) -> Iterator[tuple[str, dict[str, Any]]]:
        """The requests to a store, oldest first: the number of each, and what is shown of it."""
        for number, entry in list(self._entries) if self._store() is store else ():
            yield str(number), _row(entry)


def _row(entry: dict[str, Any]) -> dict[str, Any]:
    shown = (f"{name}={value}" for name, value in entry["params"].items() if name.lower() not in FORMAL)
    return {
        "time": entry["time"],
        "account": entry["account"],
        "command": _short(entry["command"] or "", LONGEST),
        "params": _short(" ".join(shown), LONGEST),
        "status": entry["status"],
        "ms": entry["ms"],
        "error": _short(entry.get("error", ""), LONGEST),
        "fault": entry.get("fault", ""),
    }


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"

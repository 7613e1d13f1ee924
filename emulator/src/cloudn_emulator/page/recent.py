# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The newest requests, as the page shows them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

KEPT = 200  # requests
LONGEST = 400  # characters of a request's parameters, and of its error
# Parameters that tell nothing of what is asked for, in lower case.
FORMAL = ("response", "expires", "timestamp", "version", "signatureversion", "signaturemethod")


class Recent:
    """Remembers the newest requests, and calls `added` for each. An entry is one of the log, see `request_log`."""

    def __init__(self) -> None:
        self._entries: deque[tuple[int, dict[str, Any]]] = deque(maxlen=KEPT)
        self._numbers = count(1)
        self.added: Callable[[], None] = lambda: None

    def note(self, entry: dict[str, Any]) -> None:
        """Remember a request."""
        self._entries.append((next(self._numbers), entry))
        self.added()

    def clear(self) -> None:
        """Forget all requests. The next ones go on with the numbers, so that no row is taken for another one."""
        self._entries.clear()
        self.added()

    def rows(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The requests, oldest first: the number of each, and what is shown of it."""
        for number, entry in list(self._entries):
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

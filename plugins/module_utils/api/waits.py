# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a client waits for, in words, for a person who looks at a task while it runs."""

from __future__ import annotations

import contextlib
import typing as t

Describe = t.Callable[[], str]
_NOUNS = {
    "listVirtualMachines": "VMs",
    "listVolumes": "volumes",
    "listSnapshots": "snapshots",
    "listTemplates": "templates",
    "listSecurityGroups": "security groups",
    "listTags": "tags",
    "listAsyncJobs": "jobs",
}


class Waits:
    """What a client waits for. The inner of two waits counts. Another thread may ask for it at any time.

    ``command`` is the last command that was sent.
    """

    def __init__(self) -> None:
        self.command = ""
        self._describe: list[Describe] = []
        self._listing = ""
        self._listed = self._total = 0

    def take(self, command: str, number: int, count: int, total: int | None) -> None:
        """Take in that a page of a listing has come: its number, its objects, and how many the service has, if it tells."""
        if number == 1:
            self._listing, self._listed, self._total = command, 0, 0
        if command == self._listing:
            self._listed += count
            self._total = max(self._total, total or 0)

    @contextlib.contextmanager
    def on(self, describe: Describe | None) -> t.Iterator[None]:
        """Wait, inside the ``with``, for what ``describe()`` tells. It reads what another thread changes."""
        if describe is None:
            yield
            return
        self._describe.append(describe)
        try:
            yield
        finally:
            self._describe.remove(describe)

    def text(self) -> str:
        """Return what the client waits for now. Empty if it has sent nothing yet."""
        for describe in reversed(list(self._describe)):
            try:
                said = describe()
            except (RuntimeError, LookupError, AttributeError, TypeError):
                continue  # it was being changed; an outer wait, or the command, is true as well
            if said:
                return said
        if self.command and self.command == self._listing:
            about = f" of about {self._total:,}" if self._total > self._listed else " so far"
            return f"reading {_NOUNS.get(self.command, self.command)}: {self._listed:,}{about}"
        return f"no answer to {self.command} yet" if self.command else ""


def seconds(since: float, now: float) -> str:
    """Return for how long something has lasted."""
    return f"for {max(0.0, now - since):.0f} s"


def some(texts: t.Sequence[str], most: int = 4) -> str:
    """Return texts in one line. Of many, it has the first ones, and says how many more there are."""
    left = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {left} more" if left > 0 else "")

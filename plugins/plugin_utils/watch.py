# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says on screen what a task, or the inventory, waits for."""

from __future__ import annotations

import os
import threading
import time
import typing as t

from ansible import constants as C
from ansible import context
from ansible.utils.display import Display
from ansible_collections.cloudn.compute.plugins.module_utils.visible import visible

# Seconds until the first line. The distance to each next line is twice the one before, up to a limit.
FIRST, LONGEST = 5.0, 60.0
TICK = 0.5  # seconds between two looks whether it is time for a line
# Callbacks that print one thing for each result, for a program or a narrow screen.
_TERSE = ("oneline", "minimal", "null", "json", "jsonl")


class Watch:
    """Says what somebody waits for, from another thread, while the body of ``with`` runs.

    Arguments:
        about: what waits: the beginning of each line.
        describe: ``describe()`` returns what it waits for. Nothing is said while that is empty.
        say: ``say(line)`` shows a line.
        clock: ``clock()`` returns seconds. For tests.
    """

    def __init__(
        self,
        about: str,
        describe: t.Callable[[], str],
        say: t.Callable[[str], None] | None = None,
        clock: t.Callable[[], float] = time.monotonic,
    ) -> None:
        self._about = about
        self._describe = describe
        self._say = say or _display
        self._clock = clock

    def __enter__(self) -> Watch:
        _watchman().begin(self)
        return self

    def __exit__(self, *_error: object) -> None:
        _watchman().end(self)

    def begin(self) -> None:
        """Count from now on."""
        self._distance = FIRST
        self._due = self._clock() + FIRST

    def look(self) -> None:
        """Say a line if it is time for one."""
        if self._clock() < self._due:
            return
        said = self._describe()
        if said:
            self._say(visible(f"{self._about}: {said}"))
        self._distance = min(LONGEST, self._distance * 2)
        self._due = self._clock() + self._distance


class _Watchman:
    """Looks at the watches of a process, from one thread.

    A loop has many tasks, and a busy machine takes longer to start a thread for each than a task takes. The thread ends when
    it finds no watch any more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watches: list[Watch] = []
        self._is_awake = False

    def begin(self, watch: Watch) -> None:
        """Look at a watch from now on."""
        with self._lock:
            if not self._is_awake:
                threading.Thread(target=self._run, name="cloudn-watch", daemon=True).start()
                self._is_awake = True
            watch.begin()
            self._watches.append(watch)

    def end(self, watch: Watch) -> None:
        """Say nothing of a watch any more. A line that is being said comes to its end first."""
        with self._lock:
            self._watches.remove(watch)

    def _run(self) -> None:
        while True:
            time.sleep(TICK)
            with self._lock:
                for watch in self._watches:
                    watch.look()
                if not self._watches:
                    self._is_awake = False
                    return


_watchmen: dict[int, _Watchman] = {}


def _watchman() -> _Watchman:
    """Return the one of this process. A process that was forked has no threads of the one before."""
    return _watchmen.setdefault(os.getpid(), _Watchman())


def is_terse() -> bool:
    """Tell whether results are printed for a program or a narrow screen. Nobody wants other lines there."""
    name = str(C.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2]
    # An ad hoc command prints in a minimal form unless the user wants another one.
    if context.CLIARGS.get("one_line") or (name == "default" and "module_name" in context.CLIARGS):
        return True
    return name in _TERSE


def _display(line: str) -> None:
    Display().display(line, stderr=True)

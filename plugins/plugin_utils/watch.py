# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Says on screen what a task, or the inventory, waits for."""

from __future__ import annotations

import threading
import typing as t

from ansible import constants as C
from ansible import context
from ansible.utils.display import Display
from ansible_collections.cloudn.compute.plugins.module_utils.visible import visible

# Seconds until the first line. The distance to each next line is twice the one before, up to a limit.
FIRST, LONGEST = 5.0, 60.0
# Callbacks that print one thing for each result, for a program or a narrow screen.
_TERSE = ("oneline", "minimal", "null", "json", "jsonl")


class Watch:
    """Says what somebody waits for, from a thread of its own, while the body of ``with`` runs.

    Arguments:
        about: what waits: the beginning of each line.
        describe: ``describe()`` returns what it waits for. Nothing is said while that is empty.
        say: ``say(line)`` shows a line.
        sleep: ``sleep(seconds)`` waits, and returns whether the body has ended meanwhile. For tests.
    """

    def __init__(
        self,
        about: str,
        describe: t.Callable[[], str],
        say: t.Callable[[str], None] | None = None,
        sleep: t.Callable[[float], bool] | None = None,
    ) -> None:
        self._about = about
        self._describe = describe
        self._say = say or _display
        self._ended = threading.Event()
        self._sleep = sleep or self._ended.wait
        self._thread = threading.Thread(target=self._run, name="cloudn-watch", daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        distance = FIRST
        while not self._sleep(distance):
            said = self._describe()
            if said:
                self._say(visible(f"{self._about}: {said}"))
            distance = min(LONGEST, distance * 2)


def is_terse() -> bool:
    """Tell whether results are printed for a program or a narrow screen. Nobody wants other lines there."""
    name = str(C.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2]
    # An ad hoc command prints in a minimal form unless the user wants another one.
    if context.CLIARGS.get("one_line") or (name == "default" and "module_name" in context.CLIARGS):
        return True
    return name in _TERSE


def _display(line: str) -> None:
    Display().display(line, stderr=True)

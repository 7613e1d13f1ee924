# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leads objects to what is asked for: applies plans where there is something to do."""

from __future__ import annotations

import typing as t

from .api import Client, Deadline
from .plan import Track


def converge(
    client: Client,
    tracks: list[Track],
    deadline: Deadline,
    again: t.Callable[[Track], Track | None],
    parallel: int = 10,
    wait: bool = True,
) -> None:
    """Apply plans as ``apply.converge`` does, which is imported only where there is something to do.

    Most runs find everything as it shall be, and what a module imports is compiled anew each time that it runs.
    """
    if any(track.stages for track in tracks):
        from .apply import converge as apply_until_clear

        apply_until_clear(client, tracks, deadline, again, parallel, wait)

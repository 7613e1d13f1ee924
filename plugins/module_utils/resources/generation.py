# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What services of CloudStack 3 lack: options that they can't fulfil are refused before anything is sent."""

from __future__ import annotations

from ..api import Client, Deadline, UsageError

FOUR = 4


def check(
    client: Client, wanted: dict[str, str], deadline: Deadline | None = None, way_out: str = "leave the option out"
) -> None:
    """Raise ``UsageError`` for options that need CloudStack 4, if the service is older.

    ``wanted`` are options, each with the words for what CloudStack 3 lacks. Without any, nothing is asked. ``way_out`` is what
    the user can do on CloudStack 3.
    """
    if wanted and client.generation(deadline) < FOUR:
        raise lacking(*next(iter(wanted.items())), way_out)


def lacking(option: str, what: str, way_out: str = "leave the option out") -> UsageError:
    """Return the error that the service is too old for an option."""
    return UsageError(
        f"{option}: this service is CloudStack 3, which has no {what}. Only CloudStack 4 has this; {way_out}"
    )

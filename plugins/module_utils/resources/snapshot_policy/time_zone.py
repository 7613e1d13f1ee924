# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of time zones that the service (Java) knows. It takes any other name for GMT, and does not say so."""

from __future__ import annotations

import re

from ...api import UsageError
from ...wrong_values import did_you_mean

# Short names that Java knows beside those of the time zone database.
_SHORT = "ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT PRT PST SST VST"
_OFFSET = re.compile(r"GMT([+-])(\d|[01]\d|2[0-3])(?::?([0-5]\d))?\Z", re.ASCII)
# Files among the zones of an operating system that are no zones for Java.
_NO_ZONE = re.compile(r"(posix|right)/|(posixrules|localtime|Factory)\Z")
_NAME = re.compile(r"[A-Za-z][\w+-]*(/[\w+-]+)*\Z", re.ASCII)


def checked(name: str, option: str) -> str:
    """Return a time zone's name as the service keeps it: an offset in its long form, such as GMT+09:00.

    Raises ``UsageError`` for a name that Java does not know. This is not certain: the database of Python may be missing, or
    newer than the service's.
    """
    offset = _OFFSET.match(name)
    if offset:
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        return f"GMT{offset[1]}{hours:02}:{minutes:02}" if hours or minutes else "GMT"
    if name in _SHORT.split() or (_NAME.match(name) and not _NO_ZONE.match(name) and _is_known(name)):
        return name
    near = did_you_mean(name, _known())
    text = f"{option}: {name!r} is no time zone that the service knows{near or '.'}"
    raise UsageError(f"{text} Give a name such as Asia/Tokyo or UTC, or an offset such as GMT+09:00")


def _known() -> list[str]:
    """Return the names of the time zone database, an empty list without a database."""
    try:
        from zoneinfo import available_timezones
    except ImportError:  # Python 3.8
        return []
    return [name for name in available_timezones() if not _NO_ZONE.match(name)]


def _is_known(name: str) -> bool:
    """Tell whether the time zone database has a name. Without a database the answer is yes."""
    try:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError
    except ImportError:  # Python 3.8
        return True
    for one in (name, "UTC"):
        try:
            ZoneInfo(one)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError for a folder of zones
            continue
        return one == name
    return True

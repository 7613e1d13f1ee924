# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of time zones that Java knows, as the service does: it takes any other for GMT, without a word."""

from __future__ import annotations

import re

from ...api import UsageError

# Three letters that Java knows beside the names of the time zone database.
_SHORT = "ACT AET AGT ART AST BET BST CAT CNT CST CTT EAT ECT IET IST JST MIT NET NST PLT PNT PRT PST SST VST"
_OFFSET = re.compile(r"GMT([+-])(\d|[01]\d|2[0-3])(?::?([0-5]\d))?\Z", re.ASCII)
# What lies among the zones of an operating system, and is none for Java.
_NO_ZONE = re.compile(r"(posix|right)/|(posixrules|localtime|Factory)\Z")
_NAME = re.compile(r"[A-Za-z][\w+-]*(/[\w+-]+)*\Z", re.ASCII)


def checked(name: str, option: str) -> str:
    """Return a time zone's name as the service keeps it: an offset in its long form, such as GMT+09:00.

    Raises ``UsageError`` for a name that Java does not know, as far as it can be told here: the database that Python looks
    into may lack, and may be newer than the service's.
    """
    offset = _OFFSET.match(name)
    if offset:
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        return f"GMT{offset[1]}{hours:02}:{minutes:02}" if hours or minutes else "GMT"
    if name in _SHORT.split() or (_NAME.match(name) and not _NO_ZONE.match(name) and _is_known(name)):
        return name
    raise UsageError(
        f"{option}: {name!r} is no time zone that the service knows, and it would take it for GMT. Give a name such as "
        "Asia/Tokyo or UTC, with capitals as there, or an offset such as GMT+09:00"
    )


def _is_known(name: str) -> bool:
    """Tell whether the time zone database has a name; where there is no database, it may have."""
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

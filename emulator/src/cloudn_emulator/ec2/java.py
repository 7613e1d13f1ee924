# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers, dates and split texts as Java reads them, with the errors of Java: the bridge leaves them to it."""

from __future__ import annotations

import re

from .. import java_dates

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FRACTION = re.compile(r"(.*:\s*\d+)\.(\d+)(.*)", re.DOTALL)
_SPELLED = re.compile(rf"\w{{3,}} ({'|'.join(MONTHS)})\w* (\d+) (\d+:\d+:\d+) (.+) (\d+)", re.IGNORECASE)
_WHOLE = re.compile(r"[+-]?[0-9]+")
_INT, _LONG = 2**31, 2**63
LONGEST_NUMBER = 1000  # digits, most of them zeros; Python reads no number of thousands of digits


class JavaError(Exception):
    """An error of Java for a wrong value: the class of the exception without its package, and its message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def parse_int(text: str, limit: int = _INT) -> int:
    """A whole number of 32 bits. Raises JavaError."""
    if len(text) > LONGEST_NUMBER or not _WHOLE.fullmatch(text) or not -limit <= int(text) < limit:
        raise JavaError("NumberFormatException", f'For input string: "{text}"')
    return int(text)


def parse_long(text: str) -> int:
    """A whole number of 64 bits. Raises JavaError."""
    return parse_int(text, _LONG)


def split(text: str, separator: str) -> list[str]:
    """The parts of a text; empty parts at the end are left out."""
    parts = text.split(separator)
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return parts


def part(parts: list[str], index: int) -> str:
    """One of the parts of a text. Raises JavaError."""
    if index >= len(parts):
        raise JavaError("ArrayIndexOutOfBoundsException", f"Index {index} out of bounds for length {len(parts)}")
    return parts[index]


def parse_date(text: str) -> float | None:
    """A moment in seconds since the epoch, or None for a text in another form. Without a time zone it is GMT.

    The forms are `2026-11-24T12:00:00`, with a fraction of a second (which Java reads as a number of milliseconds), and
    `Tue Nov 24 12:00:00 GMT 2026`. The time zone is as `java_dates` reads it, or a `Z` at the end. The bridge does not
    read the form of its own answers, with `+00:00`.
    """
    if text.endswith("Z"):
        text = text.replace("Z", "+0000")
    for read in (_with_zone, _without_zone, _with_fraction, _spelled_out):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _with_zone(text: str) -> float:
    return java_dates.moment(text, java_dates.EXPIRES)


def _without_zone(text: str) -> float:
    return _with_zone(f"{text}+0000")


def _with_fraction(text: str) -> float:
    match = _FRACTION.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return _with_zone(match[1] + match[3]) + int(match[2][:18]) / 1000


def _spelled_out(text: str) -> float:
    match = _SPELLED.fullmatch(text)
    if match is None:
        raise ValueError(text)
    month = MONTHS.index(match[1].capitalize()) + 1
    return _with_zone(f"{match[5]}-{month}-{match[2]}T{match[3]}{match[4]}")

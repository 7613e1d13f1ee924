# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dates as the service reads them. It uses Java's SimpleDateFormat, which takes more than its pattern says."""

from __future__ import annotations

import re

EXPIRES = "yyyy-MM-dd'T'HH:mm:ssZ"
JOBS_SINCE = "yyyy-MM-dd'T'HH:mm:ss'Z'Z"  # a literal Z before the offset: the real server's own form
_MOMENT, _DAY = "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd"
_ANY = (JOBS_SINCE, EXPIRES, "yyyy-MM-dd'T'HH:mm:ss", _MOMENT, _DAY)

_IS_MOMENT = re.compile(r"\d+-\d+-\d+ \d+:\d+:\d+")
_PIECE = re.compile(r"'([^']+)'|([A-Za-z])\2*|(.)")
_NUMBER = re.compile(r"[ \t]*(-?\d+)")
_ZONE = re.compile(r"[ \t]*(?:([+-])(\d\d)([0-5]\d)|(gmt)(?:([+-])(\d\d?):([0-5]\d)|(?![+-])))", re.IGNORECASE)
_UNIT = {"H": 3600, "m": 60, "s": 1}

# Names of time zones that Java knows in English, with their offsets in minutes; those of summer time are names of their own.
_ZONES = {
    "UTC": 0,
    "Coordinated Universal Time": 0,
    "Greenwich Mean Time": 0,
    "BST": 60,
    "British Summer Time": 60,
    "WET": 0,
    "WEST": 60,
    "CET": 60,
    "CEST": 120,
    "Central European Time": 60,
    "Central European Summer Time": 120,
    "EET": 120,
    "EEST": 180,
    "MSK": 180,
    "Moscow Standard Time": 180,
    "IST": 330,
    "India Standard Time": 330,
    "ICT": 420,
    "HKT": 480,
    "SGT": 480,
    "China Standard Time": 480,
    "JST": 540,
    "Japan Standard Time": 540,
    "KST": 540,
    "AEST": 600,
    "AEDT": 660,
    "NZST": 720,
    "NZDT": 780,
    "HST": -600,
    "AKST": -540,
    "AKDT": -480,
    "PST": -480,
    "PDT": -420,
    "Pacific Standard Time": -480,
    "Pacific Daylight Time": -420,
    "MST": -420,
    "MDT": -360,
    "Mountain Standard Time": -420,
    "Mountain Daylight Time": -360,
    "CST": -360,
    "CDT": -300,
    "Central Standard Time": -360,
    "Central Daylight Time": -300,
    "EST": -300,
    "EDT": -240,
    "Eastern Standard Time": -300,
    "Eastern Daylight Time": -240,
}
_LONGEST_FIRST = sorted(_ZONES, key=len, reverse=True)


def moment(text: str, pattern: str) -> float:
    """The moment of a text, in seconds since the epoch. The zone is UTC if the pattern has none.

    As in Java, numbers may be out of range (month 13 is the next January), shorter, longer or negative. Blanks may
    stand before them. The text behind the date is ignored. Raises ValueError.
    """
    numbers = {"y": 1970, "M": 1, "d": 1, "H": 0, "m": 0, "s": 0}
    offset, position = 0, 0
    pieces = list(_PIECE.finditer(pattern))
    for number, piece in enumerate(pieces):
        letter = piece[2]
        if letter is None:
            position = _after(piece[1] or piece[3], text, position)
        elif letter == "Z":
            offset, position = _zone(text, position)
        else:
            digits_follow = number + 1 < len(pieces) and pieces[number + 1][2] is not None
            numbers[letter], position = _number(text, position, len(piece[0]) if digits_follow else None)
    days = _days(numbers["y"], numbers["M"], numbers["d"])
    return float(days * 86400 + sum(numbers[letter] * unit for letter, unit in _UNIT.items()) - offset * 60)


def any_moment(text: str) -> float:
    """A moment in any of the forms that CloudStack 4 takes. What stands behind it is ignored. Raises ValueError."""
    for pattern in _ANY:
        try:
            return moment(text, pattern)
        except ValueError:
            continue
    raise ValueError(f"no date in {text!r}")


def any_end(text: str) -> float:
    """The end of a range in any of these forms; a day alone means its last second. Raises ValueError."""
    for pattern in _ANY[:-1]:
        try:
            return moment(text, pattern)
        except ValueError:
            continue
    return until(text)


def since(text: str) -> float:
    """The beginning of a range of events: a moment, or the first second of a day. Raises ValueError."""
    return moment(text, _MOMENT if _IS_MOMENT.fullmatch(text) else _DAY)


def until(text: str) -> float:
    """The end of a range of events: a moment, or the last second of a day. Raises ValueError."""
    return moment(text, _MOMENT) if _IS_MOMENT.fullmatch(text) else moment(text, _DAY) + 86399


def _after(literal: str, text: str, position: int) -> int:
    if not text.startswith(literal, position):
        raise ValueError(f"no {literal!r} at {position} in {text!r}")
    return position + len(literal)


def _number(text: str, position: int, width: int | None) -> tuple[int, int]:
    """A number and where it ends; with a width it lies in so many characters, the blanks before it among them."""
    end = len(text) if width is None else position + width
    match = _NUMBER.match(text, position, end)
    if match is None or end > len(text):
        raise ValueError(f"no number at {position} in {text!r}")
    return int(match[1][:18]), match.end()


def _zone(text: str, position: int) -> tuple[int, int]:
    """A zone's offset in minutes, and where it ends: `+0900`, `GMT`, `GMT+9:00`, a name; not `Z` and not `+09:00`."""
    match = _ZONE.match(text, position)
    if match is None:
        start = position + len(text[position:]) - len(text[position:].lstrip(" \t"))
        for name in _LONGEST_FIRST:
            if text[start : start + len(name)].lower() == name.lower():
                return _ZONES[name], start + len(name)
        raise ValueError(f"no time zone at {position} in {text!r}")
    sign, hours, minutes = match.group(1, 2, 3) if match[1] else match.group(5, 6, 7)
    if sign is None:
        return 0, match.end()
    if int(hours) > 23:
        raise ValueError(f"no time zone at {position} in {text!r}")
    return (1 if sign == "+" else -1) * (int(hours) * 60 + int(minutes)), match.end()


def _days(year: int, month: int, day: int) -> int:
    """Days since the epoch in the calendar that goes on for ever; any numbers will do."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    if month <= 2:
        year, month = year - 1, month + 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719469

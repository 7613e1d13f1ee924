# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a snapshot policy runs: its interval, schedule and time zone, as CloudStack 3.0's source reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

INTERVALS = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY")  # answers have their numbers, from 0
PARTS = {"HOURLY": 1, "DAILY": 2, "WEEKLY": 3, "MONTHLY": 3}  # of a schedule: minute, hour, day
LONGEST = {
    "HOURLY": timedelta(hours=1),
    "DAILY": timedelta(days=1),
    "WEEKLY": timedelta(days=7),
    "MONTHLY": timedelta(days=31),
}
LAST_DAY = {"WEEKLY": 7, "MONTHLY": 28}  # the first day of a week is Sunday
GMT = "GMT"
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")
_OFFSET = re.compile(r"GMT([+-])([0-9]|[01][0-9]|2[0-3])(?::?([0-5][0-9]))?")
# Short names that Java knows beside those of the time zone database.
_SHORT = """
ACT Australia/Darwin AET Australia/Sydney AGT America/Argentina/Buenos_Aires ART Africa/Cairo AST America/Anchorage
BET America/Sao_Paulo BST Asia/Dhaka CAT Africa/Harare CNT America/St_Johns CST America/Chicago CTT Asia/Shanghai
EAT Africa/Addis_Ababa ECT Europe/Paris IET America/Indiana/Indianapolis IST Asia/Kolkata JST Asia/Tokyo
MIT Pacific/Apia NET Asia/Yerevan NST Pacific/Auckland PLT Asia/Karachi PNT America/Phoenix PRT America/Puerto_Rico
PST America/Los_Angeles SST Pacific/Guadalcanal VST Asia/Ho_Chi_Minh
"""
SHORT = dict(zip(_SHORT.split()[::2], _SHORT.split()[1::2], strict=True))


def interval_named(text: str) -> str | None:
    """The interval of this name in any case, or None."""
    return text.upper() if text.upper() in INTERVALS else None


def time_zone(name: str) -> tuple[str, tzinfo]:
    """The name and the rules of a time zone. An unknown name means GMT, as in Java."""
    offset = _OFFSET.fullmatch(name)
    if offset:
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        ahead = timedelta(hours=hours, minutes=minutes)
        return f"{GMT}{offset[1]}{hours:02}:{minutes:02}", timezone(-ahead if offset[1] == "-" else ahead)
    try:
        return name, ZoneInfo(SHORT.get(name, name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return GMT, timezone.utc


def next_run(interval: str, schedule: str, zone: str, after: float) -> float:
    """The first moment of a schedule `minute[:hour[:day]]` after another, both in seconds since the epoch.

    Further parts of the schedule are ignored. Raises ValueError for a schedule that the interval cannot have.
    """
    minute, hour, day = _parts(interval, schedule)
    rules = time_zone(zone)[1]
    local = datetime.fromtimestamp(after, rules)
    run = local.replace(minute=minute, second=0, microsecond=0)
    if interval == "HOURLY":
        return run.timestamp() if run.timestamp() > after else run.timestamp() + 3600
    run = run.replace(hour=hour)
    if interval == "WEEKLY":
        run += timedelta(days=day - 1 - run.isoweekday() % 7)
    elif interval == "MONTHLY":
        run = run.replace(day=day)
    return next(moment for moment in (one.timestamp() for one in _repeated(run, interval)) if moment > after)


def _repeated(run: datetime, interval: str) -> Iterator[datetime]:
    """A run and those that follow it, at the same local time."""
    while True:
        yield run
        if interval == "MONTHLY":
            run = run.replace(year=run.year + run.month // 12, month=run.month % 12 + 1)
        else:
            run += LONGEST[interval]


def _parts(interval: str, schedule: str) -> tuple[int, int, int]:
    texts = schedule.split(":")[: PARTS[interval]]
    if len(texts) < PARTS[interval] or not all(_NUMBER.fullmatch(text) for text in texts):
        raise ValueError(f"not a schedule: {schedule}")
    numbers = [int(text) for text in texts]
    minute, hour, day = numbers + [0, 1][len(numbers) - 1 :]
    if not (0 <= minute < 60 and 0 <= hour < 24 and 1 <= day <= LAST_DAY.get(interval, day)):
        raise ValueError(f"out of range: {schedule}")
    return minute, hour, day

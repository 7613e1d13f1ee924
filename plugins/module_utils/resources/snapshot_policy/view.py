# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshot policies of volumes: how they are shown, listed, and written as the service's schedules."""

from __future__ import annotations

import re
import typing as t

from ...api import Client, Record, UsageError
from ...api.client import listing
from ...api.flawed import altered, peek, sound
from ...api.paging import MOST
from ...api.threads import pool
from ...wrong_values import did_you_mean
from ..fields import fields, select_fields
from ..lookup import is_uuid
from ..volume import view as volume

# The service numbers intervals in this order, from 0, and days of a week, from 1. Measured on CloudStack 3.0.5.
INTERVALS = ("hourly", "daily", "weekly", "monthly")
WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
LAST_DAY = 28
_PARTS = {"hourly": 1, "daily": 2, "weekly": 3, "monthly": 3}
_TIME = re.compile(r"(\d{1,2}):(\d{2})\Z", re.ASCII)
_MINUTE = re.compile(r"\d{1,2}\Z", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}\Z", re.ASCII)


_FIELDS = fields("id volume=volumename volume_id timezone keep=maxsnaps")


def to_result(policy: Record) -> Record:
    """Return a policy as the user sees it, in the words of the options."""
    interval = interval_of(policy)
    time, day = read_schedule(interval, policy.get("schedule"))
    return {**select_fields(policy, _FIELDS), "interval": interval, "time": time, "day": day, "state": "present"}


def interval_of(policy: Record) -> str | None:
    """Return the interval of a policy, or ``None`` if its number is not known here."""
    number = policy.get("intervaltype")
    return INTERVALS[number] if isinstance(number, int) and 0 <= number < len(INTERVALS) else None


def of_volume(client: Client, disk: Record) -> list[Record]:
    """Return the policies of one volume, shortest interval first, with its ``volumename``. A deleted volume has none."""
    found = listing(client, "listSnapshotPolicies", {"volumeid": disk["id"]}, "volumeid")
    named = [altered(policy, volumename=disk.get("name")) for policy in found]
    return sorted(named, key=lambda policy: (str(peek(policy, "intervaltype")), str(peek(policy, "id"))))


def select(client: Client, options: Record) -> list[Record]:
    """Return the policies that match all options of ``cloudn_snapshot_policy_info``, by the names of their volumes.

    The service lists the policies of one volume only, so each volume is asked for, several at a time.
    """
    wanted = options.get("volume")
    key = "id" if wanted and is_uuid(wanted) else "name"
    where = {key: wanted, "vm": options.get("vm"), "zone": options.get("zone")}
    usable = volume.all_of if wanted or options.get("vm") else volume.shown_of
    disks = [disk for disk in volume.select(client, where, usable) if disk.get("state") != volume.ALLOCATED]
    disks.sort(key=lambda disk: (str(disk.get("name")), str(disk["id"])))
    if len(disks) > 1:
        with pool(MOST) as threads:
            listed = list(threads.map(lambda disk: of_volume(client, disk), disks))
    else:
        listed = [of_volume(client, disk) for disk in disks]
    interval = options.get("interval")
    policies = sound([policy for found in listed for policy in found], client.warn)
    return [policy for policy in policies if interval in (None, interval_of(policy))]


# --- schedules


def schedule(interval: str, time: str, day: str | None) -> str:
    """Return the service's form of a time and a day: ``minute``, ``minute:hour`` or ``minute:hour:day``."""
    hour, _colon, minute = time.rpartition(":")
    number = str(WEEKDAYS.index(day) + 1) if day in WEEKDAYS else day
    parts = {"hourly": [minute], "daily": [minute, hour]}.get(interval, [minute, hour, number])
    return ":".join(str(part) for part in parts)


def read_schedule(interval: str | None, text: str | None) -> tuple[str | None, str | None]:
    """Return time and day of a service's schedule, in the forms of ``checked_time`` and ``checked_day``.

    Both are ``None`` if the schedule can't be read. The service ignores further parts.
    """
    parts = str(text).split(":")[: _PARTS.get(interval or "", 0)]
    if len(parts) < _PARTS.get(interval or "", 1) or not all(_NUMBER.match(part) for part in parts):
        return None, None
    minute, hour, day = [int(part) for part in parts] + [0, 0][: 3 - len(parts)]
    time = f"{minute:02}" if interval == "hourly" else f"{hour:02}:{minute:02}"
    if interval == "weekly":
        return time, WEEKDAYS[day - 1] if 1 <= day <= len(WEEKDAYS) else None
    return time, str(day) if interval == "monthly" else None


def checked_time(interval: str, given: t.Any) -> str:
    """Return a time in the form of the results: the minute in two digits for hourly, else ``HH:MM``. Raises ``UsageError``."""
    text = str(given).strip()
    if interval == "hourly":
        if _MINUTE.match(text) and int(text) < 60:
            return f"{int(text):02}"
        raise UsageError(f"time: with interval: hourly give a minute from 0 to 59, not {text!r}")
    match = _TIME.match(text)
    if match and int(match[1]) < 24 and int(match[2]) < 60:
        return f"{int(match[1]):02}:{match[2]}"
    hint = ""
    if _NUMBER.match(text) and 60 <= int(text) < 24 * 60:
        # YAML 1.1 reads 10:30 as a number of base 60.
        hint = f". Write it in quotes: time: '{int(text) // 60}:{int(text) % 60:02}'"
    raise UsageError(f"time: {text!r} is no time of a day from 00:00 to 23:59{hint}")


def checked_day(interval: str, given: t.Any) -> str:
    """Return a day in the form of the results: a weekday's name, or the number of a day of a month. Raises ``UsageError``."""
    text = str(given).strip().lower()
    if interval == "weekly":
        if text in WEEKDAYS:
            return text
        raise UsageError(
            f"day: with interval: weekly give the name of a day, such as sunday, not {text!r}{did_you_mean(text, WEEKDAYS)}"
        )
    if interval == "monthly":
        if _NUMBER.match(text) and 1 <= int(text) <= LAST_DAY:
            return str(int(text))
        raise UsageError(f"day: with interval: monthly give a day from 1 to {LAST_DAY}, not {text!r}")
    raise UsageError(f"day: goes only with interval: weekly or monthly, not with {interval}")

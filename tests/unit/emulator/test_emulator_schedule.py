# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The moments at which the emulator's snapshot policies run."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cloudn_emulator.schedule import next_run, time_zone


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("interval", "schedule", "zone", "after", "run"),
    [
        ("HOURLY", "30", "GMT", "2012-10-05 10:15:00", "2012-10-05 10:30:00"),
        ("HOURLY", "30", "GMT", "2012-10-05 10:30:00", "2012-10-05 11:30:00"),  # later, not at once
        ("HOURLY", "30:x", "GMT", "2012-10-05 23:45:00", "2012-10-06 00:30:00"),  # what follows is not read
        ("HOURLY", "+5", "Asia/Kolkata", "2012-10-05 10:00:00", "2012-10-05 10:35:00"),
        ("DAILY", "5:1", "GMT", "2012-10-05 00:00:00", "2012-10-05 01:05:00"),
        ("DAILY", "5:1", "GMT", "2012-10-31 02:00:00", "2012-11-01 01:05:00"),
        ("DAILY", "5:1", "Asia/Tokyo", "2012-10-05 00:00:00", "2012-10-05 16:05:00"),
        ("DAILY", "0:9", "Europe/Berlin", "2012-10-27 12:00:00", "2012-10-28 08:00:00"),  # the summer has ended
        ("WEEKLY", "0:12:1", "GMT", "2012-10-05 00:00:00", "2012-10-07 12:00:00"),  # a Sunday, after a Friday
        ("WEEKLY", "0:12:6", "GMT", "2012-10-05 00:00:00", "2012-10-05 12:00:00"),
        ("WEEKLY", "0:12:6", "GMT", "2012-10-05 13:00:00", "2012-10-12 12:00:00"),
        ("WEEKLY", "0:12:5", "GMT", "2012-10-05 00:00:00", "2012-10-11 12:00:00"),
        ("MONTHLY", "0:0:28", "GMT", "2012-10-05 00:00:00", "2012-10-28 00:00:00"),
        ("MONTHLY", "0:0:1", "GMT", "2012-12-05 00:00:00", "2013-01-01 00:00:00"),
        ("MONTHLY", "0:0:1", "Asia/Tokyo", "2012-10-31 16:00:00", "2012-11-30 15:00:00"),
    ],
)
def test_the_next_run_is_the_first_one_after_the_moment(
    interval: str, schedule: str, zone: str, after: str, run: str
) -> None:
    assert datetime.fromtimestamp(next_run(interval, schedule, zone, utc(after)), UTC).replace(
        tzinfo=None
    ) == datetime.fromisoformat(run)


@pytest.mark.parametrize(
    ("name", "id", "hours"),
    [
        ("GMT", "GMT", 0),
        ("UTC", "UTC", 0),
        ("Asia/Tokyo", "Asia/Tokyo", 9),
        ("JST", "JST", 9),
        ("EST", "EST", -5),
        ("GMT+9", "GMT+09:00", 9),
        ("GMT-0530", "GMT-05:30", -5.5),
        ("GMT+24:00", "GMT", 0),
        ("asia/tokyo", "GMT", 0),
        ("Asia", "GMT", 0),
        ("no-such", "GMT", 0),
        ("../UTC", "GMT", 0),
        ("", "GMT", 0),
    ],
)
def test_time_zones_are_read_as_java_does(name: str, id: str, hours: float) -> None:
    known, rules = time_zone(name)
    offset = datetime(2012, 10, 5, tzinfo=rules).utcoffset()
    assert offset is not None
    assert (known, offset.total_seconds() / 3600) == (id, hours)

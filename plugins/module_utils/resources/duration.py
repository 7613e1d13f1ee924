# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations as people write them."""

from __future__ import annotations

import re

from ..api import UsageError
from ..wrong_values import question

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_UNITS = ("s", "sec", "second", "m", "min", "minute", "h", "hr", "hour", "d", "day", "w", "week")
_PARTS = re.compile(r"(?:\d{1,9}[smhdw])+|0", re.ASCII)


def seconds(text: str, option: str) -> int:
    """Return the seconds of ``6h``, ``7d``, ``1d12h``, ``0``. Raises ``UsageError`` for anything else."""
    written = text.strip().lower()
    if not _PARTS.fullmatch(written):
        near = f"{question(_near(written))} Give" if _near(written) else "; give"
        raise UsageError(f"{option}: {text!r} is no duration{near} for example 90s, 30m, 6h, 7d, 2w or 1d12h")
    return sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([smhdw])", written))


def _near(written: str) -> str:
    """Return the duration that a wrong text may mean: units in words, blanks, a number of seconds without a unit."""
    parts = [(number, unit.rstrip("s") or "s") for number, unit in re.findall(r"(\d+)\s*([a-z]*)", written, re.ASCII)]
    return (
        "".join(f"{number}{unit[0]}" for number, unit in parts)
        if all(unit in _UNITS for _number, unit in parts)
        else ""
    )

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the texts of options of the command line. Raises ArgumentTypeError for a bad one."""

from __future__ import annotations

import argparse
import contextlib

from .guard import is_host


def port(text: str) -> int:
    """A port."""
    return int(_number(text, int, 65535))


def count(text: str) -> int:
    """How many of something there are."""
    return int(_number(text, int, 100_000))


def seconds(text: str) -> float:
    """A time."""
    return _number(text, float, 10**9)


def shift(text: str) -> float:
    """A time that may be negative."""
    return -seconds(text[1:]) if text.startswith("-") else seconds(text)


def host(text: str) -> str:
    """The name or the address of a host."""
    if is_host(text):
        return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is no name and no address of a host; give it without a scheme and a port"
    )


def _number(text: str, kind: type, limit: float) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= kind(text) <= limit:
            return kind(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {limit}")

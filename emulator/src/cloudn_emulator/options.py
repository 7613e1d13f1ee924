# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the texts of options of the command line. Raises ArgumentTypeError for a bad one."""

from __future__ import annotations

import argparse
import contextlib

from .guard import is_host

EMPTY = "is empty; give one, or leave it out"
_LONGEST = 10**9  # seconds


def port(text: str) -> int:
    """A port."""
    return int(_number(text, int, 65535))


def count(text: str) -> int:
    """How many of something there are."""
    return int(_number(text, int, 100_000))


def seconds(text: str) -> float:
    """A time."""
    return _number(text, float, _LONGEST)


def shift(text: str) -> float:
    """A time that may be negative."""
    return _number(text, float, _LONGEST, -_LONGEST)


def named(text: str) -> str:
    """A name, or another text that must not be empty."""
    if text.strip():
        return text
    raise argparse.ArgumentTypeError(EMPTY)


def host(text: str) -> str:
    """The name or the address of a host."""
    if is_host(text):
        return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is no name and no address of a host; give it without a scheme and a port"
    )


def _number(text: str, kind: type, limit: float, least: float = 0) -> float:
    with contextlib.suppress(ValueError):
        if least <= kind(text) <= limit:
            return kind(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {limit}")

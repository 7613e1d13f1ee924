# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the service's database compares texts."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable

from .wildcards import in_turn

_SPECIAL = re.compile(r"[%_\\]")


@functools.lru_cache(maxsize=4096)
def collated(text: str) -> str:
    """A text as the service's database compares it with `=`: case, accents and trailing blanks do not count.

    Measured on CloudStack 3.0.5 (MySQL's utf8_general_ci): `Case1` = `case1 `, `café` = `cafe`, but wide letters and the
    two kinds of kana are letters of their own. By MySQL's manual: `ß` = `s`.
    """
    return without_accents(text).rstrip(" ")


def without_accents(text: str) -> str:
    """The same for a part of a text (LIKE), in which trailing blanks count."""
    if text.isascii():
        return text.lower()
    return "".join(_base(char) for char in text)


@functools.lru_cache(maxsize=4096)
def _base(char: str) -> str:
    parts = unicodedata.decomposition(char).split()
    if len(parts) == 2 and not parts[0].startswith("<") and 0x300 <= int(parts[1], 16) < 0x370:
        return _base(chr(int(parts[0], 16)))
    # MySQL compares capitals; it takes ß for s.
    capital = "S" if char == "ß" else char.upper()
    return capital.lower() if len(capital) == 1 else char


def contains(text: str | None, part: str) -> bool:
    """Whether a filter's text is a part of a value, in the way of `finder`."""
    return finder(part)(text)


@functools.lru_cache(maxsize=256)
def finder(part: str) -> Callable[[str | None], bool]:
    """The test that a text has this part, without regard to case; `%` and `_` stand for any text and any character.

    The service's database compares so (LIKE). The service does not escape the text that it is given.
    """
    part = without_accents(part)
    if not _SPECIAL.search(part):
        return lambda text: text is not None and part in without_accents(text)
    like = _like(part)
    return lambda text: text is not None and like.match(without_accents(text)) is not None


def _like(part: str) -> re.Pattern[str]:
    """A part of a text as LIKE has it, with any text before and behind it. A backslash makes the next sign a plain one.

    A backslash at the end of the part does this to the service's own `%`: the text must end with this sign.
    """
    parts = ["", ""]
    for piece in re.findall(r"\\?.", part + "%", re.DOTALL):
        if piece == "%":
            parts.append("")
        else:
            parts[-1] += "." if piece == "_" else re.escape(piece[-1])
    return re.compile(in_turn(".*", parts), re.DOTALL)

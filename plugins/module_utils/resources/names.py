# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names as the service's database compares them. Imports nothing else, as an inventory from a cache uses it."""

from __future__ import annotations

import functools
import unicodedata


@functools.lru_cache(maxsize=None)
def folded(name: str) -> str:
    """Return one text for all names that the service takes as equal, see ``same_name``."""
    name = name.rstrip(" ")
    return name.upper() if name.isascii() else "".join(map(_plain, name))


def _plain(char: str) -> str:
    """Return a letter as a capital without accents. Kana and wide letters stay as they are (MySQL's utf8_general_ci)."""
    parts = unicodedata.decomposition(char).split()
    if len(parts) == 2 and not parts[0].startswith("<") and 0x300 <= int(parts[1], 16) < 0x370:
        return _plain(chr(int(parts[0], 16)))
    capital = "S" if char == "ß" else char.upper()
    return capital if len(capital) == 1 else char

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts for a terminal: characters that nobody sees are shown as escapes. Imports nothing else, as the inventory uses it."""

from __future__ import annotations

import re
import typing as t

# A terminal obeys control characters (C0, DEL, C1). Others change the order of the text beside them, begin a new line, or
# have no width. Half of a pair of surrogates is no character. These are ranges for a class of a regular expression.
UNSEEN = (
    "\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f"
)
_UNSEEN = re.compile(f"[{UNSEEN}]")
_UNSEEN_IN_LINES = re.compile(f"(?!\n)[{UNSEEN}]")


def visible(value: t.Any, lines: bool = False) -> t.Any:
    r"""Return a text in which escapes such as ``\x1b`` or ``\u202e`` stand for characters that nobody sees.

    In lists and dictionaries this is done with each text, keys too. Other values stay. With ``lines`` line feeds stay.
    """
    if isinstance(value, str):
        return (_UNSEEN_IN_LINES if lines else _UNSEEN).sub(_escaped, value)
    if isinstance(value, dict):
        return {visible(name, lines): visible(item, lines) for name, item in value.items()}
    return [visible(item, lines) for item in value] if isinstance(value, (list, tuple)) else value


def _escaped(match: t.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")

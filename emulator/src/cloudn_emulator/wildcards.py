# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patterns with wildcards as regular expressions that are fast for every pattern and every text."""

from __future__ import annotations

from collections.abc import Sequence


def in_turn(gap: str, parts: Sequence[str]) -> str:
    """An expression for parts that stand in a text in turn, the first at its start and the last at its end.

    `gap` is what stands between two of them, such as `.*`. A part between is taken where it comes first. So nothing is
    tried twice: plain gaps in a row would try all ways in which a text can be cut.
    """
    first, *rest = parts
    if not rest:
        return rf"{first}\Z"
    between = (f"(?=(?P<g{number}>{gap}?{part}))(?P=g{number})" for number, part in enumerate(rest[:-1]))
    return rf"{first}{''.join(between)}{gap}{rest[-1]}\Z"

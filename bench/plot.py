# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plot: bars of what ours and the other took for the same work, as SVG, drawn from the results."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

WIDTH, LABELS, LINE, GAP = 860, 330, 18, 12
BARS = WIDTH - LABELS - 130
OURS, THEIRS = "#1769aa", "#b0b6bc"


def svg(results: dict[str, Any]) -> str:
    """Return the figures that compare two times as a drawing: for each work a pair of bars, to its own scale."""
    pairs = [one for one in results["figures"] if one["ours"] and one["theirs"] and one["measured_in"] == "s"]
    height = 60 + len(pairs) * (2 * LINE + GAP)
    versions, machine = results["versions"], results["machine"]
    about = f"cloudn.compute {versions['cloudn.compute']}, ansible-core {versions['ansible-core']}, {machine['cpu']}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(10, 20, f"Seconds, medians of {results['scale']['repeat']}: less is better", "bold"),
        _text(10, 38, f"{about}, {results['date'][:10]}"),
    ]
    top = 56
    for one in pairs:
        lines += _pair(one, top)
        top += 2 * LINE + GAP
    return "\n".join([*lines, "</svg>", ""])


def _pair(figure: dict[str, Any], top: int) -> Iterator[str]:
    late = f", {figure['latency_ms']:g} ms" if figure["latency_ms"] else ""
    yield _text(10, top + LINE, f"{figure['work']}{late}")
    ours, theirs = statistics.median(figure["ours"]), statistics.median(figure["theirs"])
    longest = max(ours, theirs, 1e-9)
    for number, (name, seconds, colour) in enumerate((("", ours, OURS), (figure["against"], theirs, THEIRS))):
        above = top + number * LINE
        width = max(1.0, max(0.0, seconds) / longest * BARS)
        yield f'<rect x="{LABELS}" y="{above}" width="{width:.1f}" height="{LINE - 3}" fill="{colour}"/>'
        yield _text(round(LABELS + width) + 6, above + LINE - 6, f"{seconds:.3g} {name}")


def _text(x: int, y: int, text: str, weight: str = "normal") -> str:
    return f'<text x="{x}" y="{y}" font-weight="{weight}">{escape(text)}</text>'

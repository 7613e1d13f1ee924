# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws an inventory as SVG: a row for each group, a column for each host, and the host's name where it is in the group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

from ansible_collections.cloudn.compute.plugins.module_utils.site.picture import ACTIONS, Node, title
from drawing import MARGIN, STYLE, TITLE

ROW, CHIP, GAP = 30, 22, 10  # heights of a row and of a host in it, and the space between two hosts
MOST_COLUMNS = 30
LOOK = ACTIONS["keep"]


def svg(groups: Mapping[str, Sequence[str]]) -> str:
    """Return the picture of groups with their hosts. Both are in the order in which they come."""
    hosts = list(dict.fromkeys(host for members in groups.values() for host in members))
    left = MARGIN + max((TITLE * len(_short(name)) for name in groups), default=0) + GAP
    places: dict[str, tuple[float, float]] = {}
    for host in hosts:
        width = TITLE * len(_short(host)) + 16
        places[host] = (left, width)
        left += width + GAP
    width, height = left + MARGIN - GAP, ROW * len(groups) + 2 * MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>',
    ]
    for number, (name, members) in enumerate(groups.items()):
        lines += _row(MARGIN + ROW * number, name, [(host, *places[host]) for host in members])
    return "\n".join([*lines, "</svg>", ""])


def _row(top: float, name: str, members: list[tuple[str, float, float]]) -> Iterator[str]:
    yield f'<text class="word" x="{MARGIN}" y="{top + 19:.0f}">{escape(_short(name))}</text>'
    for host, left, width in members:
        yield (
            f'<rect x="{left:.0f}" y="{top + 4:.0f}" width="{width:.0f}" height="{CHIP}" rx="6" '
            f'fill="{LOOK.fill}" stroke="{LOOK.ink}"/>'
        )
        middle = left + width / 2
        yield f'<text x="{middle:.0f}" y="{top + 19:.0f}" text-anchor="middle" fill="{LOOK.ink}">{escape(_short(host))}</text>'


def _short(name: str) -> str:
    return title(Node(name, name, "", ""), MOST_COLUMNS)

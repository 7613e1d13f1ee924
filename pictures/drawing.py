# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws a plan as SVG, without Graphviz: boxes in columns, each to the right of all that it needs."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from xml.sax.saxutils import escape

from ansible_collections.cloudn.compute.plugins.module_utils.site.picture import (
    ACTIONS,
    Node,
    look_of,
    note,
    numbers,
    title,
    used,
)
from ansible_collections.cloudn.compute.plugins.module_utils.visible import visible

HEIGHT, GAP, BEND = 44, 14, 14  # of a box, between two of them, and of a place where an edge goes through a column
BETWEEN, MARGIN, LEGEND = 70, 20, 30  # between columns, around all, and of the line with the legend
TITLE, NOTE = 7.8, 6.2  # the widths of a character in both lines of a box
NARROWEST = 110
MOST_COLUMNS = 24
ENTRY = 105  # the width of an entry of the legend
SWEEPS = 8

# The paper is part of the picture, so it can be read wherever it is shown.
STYLE = """text{font-family:sans-serif;font-size:13px}
.note{font-size:11px}
.paper{fill:#ffffff}
.word{fill:#24292f}
.line{fill:none;stroke:#6e7781;stroke-width:1.3}
.tip{fill:#6e7781}
@media (prefers-color-scheme:dark){.paper{fill:#0d1117}.word{fill:#e6edf3}.line{stroke:#8b949e}.tip{fill:#8b949e}}"""

Link = tuple[int, int]


class Place(NamedTuple):
    """Where a box, or the bend of an edge, is: its left edge, its width, its top and its height."""

    left: float
    width: float
    top: float
    height: float

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


def svg(nodes: Iterable[Node], edges: Iterable[Sequence[str]]) -> str:
    """Return the picture of a plan. The edges go from what is needed to what needs it."""
    numbered, links = numbers(nodes, edges)
    boxes = {number: node for node, number in numbered.items()}
    columns, routes = layout(list(boxes), links)
    places = placed(columns, boxes)
    legend = [(action, f"{ACTIONS[action].sign} {action}") for action in used(boxes.values())]
    width = max([place.left + place.width for place in places.values()] + [ENTRY * len(legend), 200]) + MARGIN
    height = max([place.top + place.height for place in places.values()] + [LEGEND]) + MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>',
        f'<rect class="paper" width="{width:.0f}" height="{height:.0f}"/>',
        *_legend(legend),
        *(_edge([places[one] for one in route]) for route in routes.values()),
        *itertools.chain.from_iterable(_box(node, places[number]) for number, node in boxes.items()),
    ]
    return "\n".join([*lines, "</svg>", ""])


def layout(numbers: list[int], links: list[Link]) -> tuple[list[list[int]], dict[Link, list[int]]]:
    """Return the columns, from the left, and for each link the numbers of the places that it goes through.

    A bend has a number of its own, below zero. A link that would close a circle goes back, to the left.
    """
    forward = [tuple(reversed(link)) if is_back else link for link, is_back in _directed(numbers, links).items()]
    ranks = _ranks(numbers, forward)
    columns: list[list[int]] = [[] for _rank in range(max(ranks.values(), default=-1) + 1)]
    for number in numbers:
        columns[ranks[number]].append(number)
    routes: dict[Link, list[int]] = {}
    bends = itertools.count(-1, -1)
    for link, (one, other) in zip(links, forward, strict=True):
        between = list(range(ranks[one] + 1, ranks[other]))
        new = [next(bends) for _rank in between]
        for rank, bend in zip(between, new, strict=True):
            columns[rank].append(bend)
        routes[link] = [one, *new, other] if link == (one, other) else [other, *reversed(new), one]
    _untangle(columns, routes.values())
    return columns, routes


def _directed(numbers: list[int], links: list[Link]) -> dict[Link, bool]:
    """Return for each link whether it closes a circle with those before it."""
    after: dict[int, list[int]] = {number: [] for number in numbers}
    closes: dict[Link, bool] = {}
    for one, other in links:
        seen, todo = set(), [other]
        while todo and one not in seen:
            here = todo.pop()
            if here not in seen:
                seen.add(here)
                todo += after[here]
        closes[one, other] = one in seen
        after[other if one in seen else one].append(one if one in seen else other)
    return closes


def _ranks(numbers: list[int], links: Iterable[Sequence[int]]) -> dict[int, int]:
    """Return for each number the length of the longest way to it."""
    before: dict[int, list[int]] = {number: [] for number in numbers}
    for one, other in links:
        before[other].append(one)
    ranks: dict[int, int] = {}
    todo = list(numbers)
    while todo:
        ready = [one for one in todo if all(other in ranks for other in before[one])]
        ranks |= {one: 1 + max((ranks[other] for other in before[one]), default=-1) for one in ready}
        todo = [one for one in todo if one not in ranks]
    return ranks


def _untangle(columns: list[list[int]], routes: Iterable[list[int]]) -> None:
    """Sort each column by the means of the neighbours' places in the columns beside it, so that few edges cross."""
    rank = {number: place for place, column in enumerate(columns) for number in column}
    beside: dict[int, list[int]] = {number: [] for number in rank}
    for one, other in itertools.chain.from_iterable(map(itertools.pairwise, routes)):
        beside[one].append(other)
        beside[other].append(one)
    for sweep in range(SWEEPS):
        step = 1 if sweep % 2 == 0 else -1
        for place in range(len(columns))[::step]:
            share = {one: (at + 0.5) / len(column) for column in columns for at, one in enumerate(column)}
            means = {}
            for at, number in enumerate(columns[place]):
                near = [share[one] for one in beside[number] if rank[one] == place - step]
                means[number] = (sum(near) / len(near) if near else share[number], at)
            columns[place].sort(key=means.__getitem__)


def placed(columns: list[list[int]], boxes: dict[int, Node]) -> dict[int, Place]:
    """Return the places of all boxes and bends: columns side by side, each in the middle of the height."""
    heights = [sum((HEIGHT if one in boxes else BEND) + GAP for one in column) - GAP for column in columns]
    places: dict[int, Place] = {}
    left: float = MARGIN
    for column, height in zip(columns, heights, strict=True):
        width = max([NARROWEST, *(_width(boxes[one]) for one in column if one in boxes)])
        top = MARGIN + LEGEND + (max(heights) - height) / 2
        for one in column:
            own = HEIGHT if one in boxes else BEND
            places[one] = Place(left, width, top, own)
            top += own + GAP
        left += width + BETWEEN
    return places


def _width(node: Node) -> float:
    return max(TITLE * _columns(title(node, MOST_COLUMNS)), NOTE * _columns(note(node))) + 20


def _columns(text: str) -> int:
    """Return how many columns a text takes: some letters are twice as wide as others."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _legend(entries: list[tuple[str, str]]) -> Iterator[str]:
    left = MARGIN
    for action, text in entries:
        look = ACTIONS[action]
        yield f'<rect x="{left}" y="12" width="12" height="12" rx="2" fill="{look.fill}" stroke="{look.ink}"/>'
        yield f'<text class="word note" x="{left + 18}" y="22">{_safe(text)}</text>'
        left += ENTRY


def _box(node: Node, place: Place) -> Iterator[str]:
    look, middle = look_of(node), place.left + place.width / 2
    yield f"<g><title>{_safe(visible(node.label))}</title>"
    yield (
        f'<rect x="{place.left:.1f}" y="{place.top:.1f}" width="{place.width:.1f}" height="{HEIGHT}" rx="6" '
        f'fill="{look.fill}" stroke="{look.ink}"/>'
    )
    for text, top, more in ((title(node, MOST_COLUMNS), 18, ""), (note(node), 34, ' class="note"')):
        yield f'<text{more} x="{middle:.1f}" y="{place.top + top:.1f}" text-anchor="middle" fill="{look.ink}">{_safe(text)}</text>'
    yield "</g>"


def _edge(route: list[Place]) -> str:
    """Return a line through places, with a tip at its end. It may go to the left."""
    goes_on = route[0].left < route[-1].left
    start = route[0].left + (route[0].width if goes_on else 0)
    path = [f"M{start:.1f} {route[0].middle:.1f}"]
    here = (start, route[0].middle)
    for number, place in enumerate(route[1:], 2):
        near, far = (place.left, place.left + place.width)[:: 1 if goes_on else -1]
        half = (here[0] + near) / 2
        path.append(f"C{half:.1f} {here[1]:.1f} {half:.1f} {place.middle:.1f} {near:.1f} {place.middle:.1f}")
        here = (near, place.middle)
        if number < len(route):
            path.append(f"H{far:.1f}")
            here = (far, place.middle)
    return f'<path class="line" marker-end="url(#tip)" d="{" ".join(path)}"/>'


def _safe(text: str) -> str:
    """Return a text for XML, which knows no character whose number ends with FFFE or FFFF."""
    return escape("".join(f"\\u{ord(char):x}" if ord(char) & 0xFFFE == 0xFFFE else char for char in text))

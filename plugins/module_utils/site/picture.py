# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of a site's plan, as text: in the languages of Mermaid and of Graphviz (dot)."""

from __future__ import annotations

import re
import typing as t

from ..visible import visible

# The most columns of a name. Names may have 255 characters; a longer one keeps its two ends.
MOST_COLUMNS = 40
# Blanks are words here, as are single marks inside a word: ``web-1.example``.
_NO_WORDS = re.compile(r"(?<![^\W_])[-._]|[-._](?![^\W_])|[^\w .-]")


class Node(t.NamedTuple):
    """An object of the site.

    id: any text that no other node has. It is not shown.
    label: what people call the object. Any text.
    kind: ``key_pair``, ``security_group``, ``vm`` or ``volume``.
    action: what becomes of it: ``create``, ``change``, ``remove``, ``unchanged`` or ``keep`` (it would go with the others, but stays).
    """

    id: str
    label: str
    kind: str
    action: str


class Look(t.NamedTuple):
    """How an action looks. The ink can be read on the fill, whatever is behind the picture."""

    sign: str
    fill: str
    ink: str


# People who do not see the colours read the words.
ACTIONS: t.Mapping[str, Look] = {
    "create": Look("+", "#b7e4c7", "#0f3d26"),
    "change": Look("~", "#ffe8a3", "#4d3800"),
    "remove": Look("-", "#f7c1c1", "#5c0c0c"),
    "unchanged": Look("=", "#e3e6ea", "#24292f"),
    "keep": Look("=", "#cfe2ff", "#0b3565"),
}
# By kind: its words, its brackets in Mermaid, and its shape in dot.
_KINDS: t.Mapping[str, t.Tuple[str, str, str, str]] = {
    "key_pair": ("key pair", '>"', '"]', "cds"),
    "security_group": ("security group", '(["', '"])', "hexagon"),
    "vm": ("virtual machine", '["', '"]', "box"),
    "volume": ("volume", '[("', '")]', "cylinder"),
}

Edges = t.Iterable[t.Sequence[str]]


def mermaid(nodes: t.Iterable[Node], edges: Edges) -> str:
    """Return the picture as Mermaid's flowchart. The edges go from what is needed to what needs it."""
    numbered, links = numbers(nodes, edges)
    lines = ["flowchart LR"]
    for node, number in numbered.items():
        _words, begin, end, _shape = _KINDS.get(node.kind, _KINDS["vm"])
        text = f"{_for_mermaid(title(node))}<br/>{_for_mermaid(note(node))}"
        lines.append(f"  n{number}{begin}{text}{end}:::{_action(node)}")
    lines += [f"  n{one} --> n{other}" for one, other in links]
    for action in used(numbered):
        look = ACTIONS[action]
        lines.append(f"  classDef {action} fill:{look.fill},stroke:{look.ink},color:{look.ink}")
    return "\n".join([*lines, ""])


def dot(nodes: t.Iterable[Node], edges: Edges) -> str:
    """Return the picture in Graphviz's language. The edges go from what is needed to what needs it."""
    numbered, links = numbers(nodes, edges)
    lines = ["digraph site {", "  rankdir=LR;", '  node [style=filled, fontname="sans-serif"];']
    for node, number in numbered.items():
        look, shape = look_of(node), _KINDS.get(node.kind, _KINDS["vm"])[3]
        label = f"{_for_dot(title(node))}\\n{_for_dot(note(node))}"
        colours = f'fillcolor="{look.fill}", color="{look.ink}", fontcolor="{look.ink}"'
        lines.append(
            f'  n{number} [label="{label}", tooltip="{_for_dot(visible(node.label))}", shape={shape}, {colours}];'
        )
    lines += [f"  n{one} -> n{other};" for one, other in links]
    return "\n".join([*lines, "}", ""])


def numbers(nodes: t.Iterable[Node], edges: Edges) -> tuple[dict[Node, int], list[tuple[int, int]]]:
    """Return the nodes with numbers in place of their ids, and the edges between these numbers, each once.

    Of nodes with one id the first counts. Edges to what is not among the nodes, or from a node to itself, are left out.
    """
    by_id: dict[str, Node] = {}
    for node in nodes:
        by_id.setdefault(node.id, node)
    ids = {one: number for number, one in enumerate(by_id, 1)}
    links = [(ids[one], ids[other]) for one, other in edges if one in ids and other in ids and one != other]
    return {node: ids[one] for one, node in by_id.items()}, list(dict.fromkeys(links))


def title(node: Node, most: int = MOST_COLUMNS) -> str:
    """Return the node's name on one line, with its middle left out if it is too long."""
    text = visible(node.label)
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}…{text[half + 1 - most :]}"


def note(node: Node) -> str:
    """Return what the node is and what becomes of it."""
    words = _KINDS[node.kind][0] if node.kind in _KINDS else visible(node.kind)
    return f"{look_of(node).sign} {words}: {_action(node)}"


def look_of(node: Node) -> Look:
    """Return how the node looks."""
    return ACTIONS[_action(node)]


def _action(node: Node) -> str:
    return node.action if node.action in ACTIONS else "unchanged"


def used(nodes: t.Iterable[Node]) -> list[str]:
    """Return the actions that these nodes have."""
    used = set(map(_action, nodes))
    return [action for action in ACTIONS if action in used]


def _for_mermaid(text: str) -> str:
    """Return a text for a quoted label. What is no word is in codes, so nothing in a name is Mermaid's, Markdown or HTML."""
    return _NO_WORDS.sub(lambda match: f"#{ord(match[0])};", text)


def _for_dot(text: str) -> str:
    """Return a text for a quoted string. Graphviz knows backslashes, and the entities of HTML."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")

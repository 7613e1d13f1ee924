# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a site as a graph of objects: what becomes of each, and what needs what."""

from __future__ import annotations

import typing as t

from ..api import Record
from .link import Linked, needs_of
from .options import Site, text_of
from .picture import Node, dot, mermaid


def graph_of(site: Site, linked: t.Sequence[Linked], left: t.Sequence[Record]) -> Record:
    """Return the graph for people and programs: ``mermaid``, ``dot``, ``nodes`` and ``edges``."""
    kept = {_which(one["kind"], one): one for one in left}
    nodes = []
    for one in linked:
        # A group that something holds may lose rules, and stays.
        stays = kept.pop(_which(one.key[0], one.gone), None) if one.gone else None
        nodes.append(Node(one.plan.key, one.plan.name, one.key[0], "keep" if stays else _action(one)))
    known = {node.id for node in nodes}
    nodes += [Node(":".join(("left", *which)), str(one["name"]), one["kind"], "keep") for which, one in kept.items()]
    edges = [edge for edge in dict.fromkeys([*_declared(site), *_planned(linked)]) if set(edge) <= known]
    return {
        "mermaid": mermaid(nodes, edges),
        "dot": dot(nodes, edges),
        "nodes": [node._asdict() for node in nodes],
        "edges": [list(edge) for edge in edges],
    }


def _which(kind: str, record: Record) -> tuple[str, str]:
    """Return what tells an object from all others: a key pair of CloudStack 3 has no id."""
    return kind, str(record.get("id") or record.get("name"))


def _action(one: Linked) -> str:
    if one.goes:
        return "remove"
    if one.plan.creates:
        return "create"
    return "change" if one.plan.actions else "unchanged"


def _declared(site: Site) -> t.Iterator[tuple[str, str]]:
    """Yield what the declaration says: each object after those that it names."""
    for item in site.items:
        for key in item.keys:
            yield from ((text_of(other), text_of(key)) for other in item.references() if other != key)


def _planned(linked: t.Sequence[Linked]) -> t.Iterator[tuple[str, str]]:
    """Yield what the steps need."""
    for one in linked:
        yield from ((need, one.plan.key) for need in needs_of(one.plan) if need != one.plan.key)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawing of a plan: columns, edges, and that no name can break it."""

from __future__ import annotations

import json
import random
import xml.etree.ElementTree as ET

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.site.picture import Node
from hypothesis import given
from hypothesis import strategies as st
from picture_command import HEIGHT, command, layout, placed, svg

SVG = "{http://www.w3.org/2000/svg}"


def site() -> tuple[list[Node], list[tuple[str, str]]]:
    """A site: 3 groups, 12 machines, 4 disks, and a key pair."""
    groups = [Node(f"g{number}", f"group{number}", "security_group", "create") for number in range(3)]
    machines = [Node(f"m{number}", f"shop-web{number}", "vm", "create") for number in range(12)]
    disks = [Node(f"d{number}", f"data{number}", "volume", "unchanged") for number in range(4)]
    links = [("g0", "g1"), ("g1", "g2"), ("g2", "g0")]
    links += [(f"g{number % 3}", f"m{number}") for number in range(12)] + [("k", f"m{number}") for number in range(12)]
    links += [(f"m{number}", f"d{number}") for number in range(4)]
    return [Node("k", "deploy", "key_pair", "keep"), *groups, *machines, *disks], links


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text.encode())


def texts(text: str) -> list[str]:
    return [one.text or "" for one in parsed(text).iter(f"{SVG}text")]


def test_each_object_is_to_the_right_of_what_it_needs() -> None:
    columns, routes = layout([1, 2, 3, 4], [(1, 2), (2, 3), (1, 3), (1, 4)])
    assert [sorted(one for one in column if one > 0) for column in columns] == [[1], [2, 4], [3]]
    assert routes[1, 3][0] == 1 and routes[1, 3][1] in columns[1] and routes[1, 3][2] == 3
    assert routes[1, 2] == [1, 2]


def test_a_circle_has_one_edge_that_goes_back() -> None:
    columns, routes = layout([1, 2, 3], [(1, 2), (2, 3), (3, 1)])
    assert [[one for one in column if one > 0] for column in columns] == [[1], [2], [3]]
    assert routes[3, 1][0] == 3 and routes[3, 1][-1] == 1 and len(routes[3, 1]) == 3


def test_groups_that_name_each_other_are_drawn() -> None:
    nodes = [Node(name, name, "security_group", "create") for name in "ab"]
    text = svg(nodes, [("a", "b"), ("b", "a")])
    assert text.count('class="line"') == 2


def test_few_edges_cross() -> None:
    """Pairs in a mixed order come out side by side."""
    links = [(number, 10 + (number * 7) % 10) for number in range(10)]
    columns, _routes = layout(list(range(20)), links)
    assert [dict(links)[one] for one in columns[0]] == columns[1]


def test_a_site_of_twenty_objects_fits_on_a_page() -> None:
    nodes, links = site()
    picture = parsed(svg(nodes, links))
    assert float(picture.get("width", 0)) < 1200
    assert float(picture.get("height", 0)) < 1000
    shown = texts(svg(nodes, links))
    assert [node.label for node in nodes] == [text for text in shown if text in {node.label for node in nodes}]
    assert {"+ create", "= unchanged", "= keep"} <= set(shown) and "- remove" not in shown
    assert "+ virtual machine: create" in shown


def test_no_two_boxes_overlap() -> None:
    nodes, links = site()
    numbered = dict(enumerate(nodes, 1))
    ids = {node.id: number for number, node in numbered.items()}
    columns, _routes = layout(list(numbered), [(ids[one], ids[other]) for one, other in links])
    places = placed(columns, numbered)
    boxes = [places[number] for number in numbered]
    for one in boxes:
        for other in boxes:
            apart = one.left + one.width <= other.left or other.left + other.width <= one.left
            assert one is other or apart or abs(one.top - other.top) >= HEIGHT


def test_the_same_plan_is_the_same_picture() -> None:
    assert svg(*site()) == svg(*site())


def test_nothing_is_an_empty_picture() -> None:
    assert texts(svg([], [])) == []


def test_a_large_site_is_drawn_soon() -> None:
    chance = random.Random(1)
    nodes = [Node(str(number), f"vm{number}", "vm", "create") for number in range(300)]
    links = [tuple(map(str, sorted(chance.sample(range(300), 2)))) for _link in range(600)]
    assert len(texts(svg(nodes, links))) == 601


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</scrip…"),
        ("\"&amp;'", "\"&amp;'"),
        ("a\nb\x00\x1b", "a\\nb\\x00\\x1b"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800\uffff", "\\ud800\\uffff"),
        ("שלום", "שלום"),
        ("", None),
    ],
)
def test_a_hostile_name_is_only_a_name(name: str, shown: str | None) -> None:
    text = svg([Node("a", name, "vm", "create")], [])
    found = texts(text)[1]
    if name.startswith("<"):
        assert found.startswith("<script>") and "…" in found and "<script" not in text
    else:
        assert (found or None) == shown


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=5))
def test_no_name_breaks_the_picture(names: list[tuple[str, str, str]]) -> None:
    nodes = [Node(str(number), *more) for number, more in enumerate(names)]
    links = [(str(one), str(other)) for one in range(len(names)) for other in range(len(names))]
    assert len(list(parsed(svg(nodes, links)).iter(f"{SVG}g"))) == len(names)


def test_the_one_graph_of_a_playbook_is_drawn() -> None:
    nodes, links = site()
    graph = {"nodes": [node._asdict() for node in nodes], "edges": [list(link) for link in links]}
    assert command.graph_in([{"changed": False}, {"graph": json.loads(json.dumps(graph))}, {}]) == (nodes, links)
    for found in ([], [{"graph": graph}] * 2):
        with pytest.raises(command.Failed, match=f"{len(found)} of {len(found)} results have a graph"):
            command.graph_in(found)

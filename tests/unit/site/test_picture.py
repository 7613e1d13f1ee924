# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of a plan in the languages of Mermaid and dot: what they show, and that no name can break them."""

from __future__ import annotations

import re

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.site.picture import ACTIONS, Node, dot, mermaid
from hypothesis import given
from hypothesis import strategies as st

SITE = [
    Node("key_pair:deploy", "deploy", "key_pair", "unchanged"),
    Node("security_group:web", "web", "security_group", "change"),
    Node("vm:web", "web", "vm", "create"),
    Node("volume:data", "data", "volume", "remove"),
    Node("volume:old", "old", "volume", "keep"),
]
LINKS = [("key_pair:deploy", "vm:web"), ("security_group:web", "vm:web"), ("vm:web", "volume:data")]
HOSTILE = [
    "<script>alert(1)</script>",
    '"]; click n1 "javascript:alert(1)"',
    'quote " and \\',
    "line\nfeed\r\n  n1 --> n2",
    "\x00\x1b[31m\x7f",
    "%%{init: {}}%%",
    "style:#x;",
    "classDef create fill:#f00;",
    "&lt;b&gt; &amp; #quot; #35;",
    "\\N \\G \\l",
    "`**bold**`",
    "end",
    "1. one",
    "- one",
    "a--b __c__ .d.",
    "",
    " ",
    "שלום",
    "\u202egnp.exe",
    "名前",
    "\ud800 \ufffe",
    "x" * 255,
]
# One line of each language, as strict as what is written here: nothing but the label may differ from it.
MERMAID_LABEL = r"(?:[^\W_]| |(?<=[^\W_])[-._](?=[^\W_])|#\d+;|<br/>)*"
MERMAID_LINE = re.compile(
    rf"flowchart LR|  n\d+(?:\[\"{MERMAID_LABEL}\"\]|>\"{MERMAID_LABEL}\"\]|\(\[\"{MERMAID_LABEL}\"\]\)"
    rf"|\[\(\"{MERMAID_LABEL}\"\)\]):::[a-z]+|  n\d+ --> n\d+|  classDef [a-z]+ fill:#\w+,stroke:#\w+,color:#\w+"
)
QUOTED = r'"(?:[^"\\\n]|\\\\|\\"|\\n)*"'
DOT_LINE = re.compile(
    rf"digraph site {{|  rankdir=LR;|  node \[.*\];|  n\d+ \[(?:\w+=(?:\w+|{QUOTED})(?:, )?)*\];|  n\d+ -> n\d+;|}}"
)


def check(text: str, line_of: re.Pattern[str]) -> list[str]:
    lines = text.removesuffix("\n").split("\n")
    for line in lines:
        assert line_of.fullmatch(line), line
    return lines


def test_mermaid_shows_each_object_and_what_needs_it() -> None:
    assert mermaid(SITE, LINKS).splitlines() == [
        "flowchart LR",
        '  n1>"deploy<br/>#61; key pair#58; unchanged"]:::unchanged',
        '  n2(["web<br/>#126; security group#58; change"]):::change',
        '  n3["web<br/>#43; virtual machine#58; create"]:::create',
        '  n4[("data<br/>#45; volume#58; remove")]:::remove',
        '  n5[("old<br/>#61; volume#58; keep")]:::keep',
        "  n1 --> n3",
        "  n2 --> n3",
        "  n3 --> n4",
        *(f"  classDef {name} fill:{one.fill},stroke:{one.ink},color:{one.ink}" for name, one in ACTIONS.items()),
    ]


def test_dot_shows_each_object_and_what_needs_it() -> None:
    lines = check(dot(SITE, LINKS), DOT_LINE)
    assert lines[:3] == ["digraph site {", "  rankdir=LR;", '  node [style=filled, fontname="sans-serif"];']
    look = ACTIONS["create"]
    assert lines[5] == (
        '  n3 [label="web\\n+ virtual machine: create", tooltip="web", shape=box, '
        f'fillcolor="{look.fill}", color="{look.ink}", fontcolor="{look.ink}"];'
    )
    assert lines[8:] == ["  n1 -> n3;", "  n2 -> n3;", "  n3 -> n4;", "}"]


def test_usual_names_stay_readable() -> None:
    assert '["web-1.example_x<br/>' in mermaid([Node("a", "web-1.example_x", "vm", "create")], [])


def test_nothing_gives_an_empty_picture() -> None:
    assert mermaid([], []) == "flowchart LR\n"
    assert dot([], []).splitlines()[-1] == "}"
    assert mermaid([], [("a", "b")]) == mermaid([], [])


def test_only_colours_that_are_used_are_declared() -> None:
    assert mermaid(SITE[2:3], []).count("classDef") == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_only_a_name(name: str) -> None:
    nodes = [Node(name, name, "vm", "create"), Node("other", "other", name, name)]
    lines = check(mermaid(nodes, [(name, "other")]), MERMAID_LINE)
    assert len(lines) == 6 and lines[3] == "  n1 --> n2"
    assert len(check(dot(nodes, [(name, "other")]), DOT_LINE)) == 7
    (mermaid(nodes, []) + dot(nodes, [])).encode()


@given(st.lists(st.tuples(st.text(), st.text()), unique_by=lambda pair: pair[0]))
def test_no_name_breaks_a_picture(names: list[tuple[str, str]]) -> None:
    nodes = [Node(one, label, "volume", "keep") for one, label in names]
    assert len(check(mermaid(nodes, []), MERMAID_LINE)) == len(names) + 1 + bool(names)
    assert len(check(dot(nodes, []), DOT_LINE)) == len(names) + 4


def test_a_long_name_keeps_its_ends() -> None:
    text = mermaid([Node("a", "web" + "x" * 250 + "01", "vm", "create")], [])
    assert '["web' in text and "01<br/>" in text and "…" not in text and "#8230;" in text
    assert "x" * 40 not in text
    assert "x" * 250 in dot([Node("a", "x" * 250, "vm", "create")], [])


def test_an_edge_is_shown_once_and_only_between_objects_of_the_picture() -> None:
    links = [("a", "b"), ("b", "a"), ("a", "b"), ("a", "a"), ("a", "elsewhere")]
    nodes = [Node("a", "a", "security_group", "create"), Node("b", "b", "security_group", "create")]
    assert [line for line in mermaid(nodes, links).splitlines() if "-->" in line] == ["  n1 --> n2", "  n2 --> n1"]
    assert dot(nodes, links).count("->") == 2


def test_of_two_objects_with_one_id_the_first_is_shown() -> None:
    text = mermaid([Node("a", "one", "vm", "create"), Node("a", "two", "vm", "remove")], [])
    assert "one" in text and "two" not in text

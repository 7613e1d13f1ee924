# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Characters that nobody sees have escapes in texts for people, and all other characters stay."""

from __future__ import annotations

import unicodedata

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.visible import visible
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("char", "shown"),
    [
        ("\x00", r"\x00"),
        ("\x07", r"\x07"),
        ("\t", r"\t"),
        ("\n", r"\n"),
        ("\r", r"\r"),
        ("\x1b", r"\x1b"),
        ("\x7f", r"\x7f"),
        ("\x85", r"\x85"),
        ("\x9b", r"\x9b"),
        ("\u200e", r"\u200e"),
        ("\u2028", r"\u2028"),
        ("\u2029", r"\u2029"),
        *[(chr(code), f"\\u{code:04x}") for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))],
        ("\ufeff", r"\ufeff"),
        ("\ud800", r"\ud800"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_a_character_that_nobody_sees_is_an_escape(char: str, shown: str) -> None:
    assert visible(f"a{char}b") == f"a{shown}b"


@pytest.mark.parametrize(
    "text", ["", "web1", "ウェブ　サーバー", "é", "👨‍👩‍👧", "שלום", "C:\\x1b", "naïve – \u201cquoted\u201d"]
)
def test_other_characters_stay(text: str) -> None:
    assert visible(text) == text


def test_texts_are_found_at_any_depth() -> None:
    given_value = {"a\x1b": ["b\x1b", {"c": ("d\x1b", 1, None, True)}]}
    assert visible(given_value) == {r"a\x1b": [r"b\x1b", {"c": [r"d\x1b", 1, None, True]}]}


def test_lines_can_stay() -> None:
    assert visible("a\nb\x1b\r", lines=True) == "a\nb\\x1b\\r"


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    shown = visible(text)
    assert not {unicodedata.category(char) for char in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert not {unicodedata.bidirectional(char) for char in shown} & {
        "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "B",
    }  # fmt: skip
    assert visible(shown) == shown

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each guard that sabotage.py breaks is where it says; else it would break nothing."""

from __future__ import annotations

from sabotage import GUARDS, ROOT


def test_the_text_of_each_guard_is_in_its_file_once() -> None:
    found = {guard.name: (ROOT / guard.file).read_text().count(guard.old) for guard in GUARDS}
    assert {name: count for name, count in found.items() if count != 1} == {}


def test_the_tests_of_each_guard_exist() -> None:
    assert [guard.tests[0] for guard in GUARDS if not (ROOT / guard.tests[0]).is_file()] == []

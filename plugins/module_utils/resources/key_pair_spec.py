# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of cloudn_key_pair."""

from __future__ import annotations

import typing as t

from .spec import WAIT

SPEC: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "public_key": {"type": "str", "no_log": False},
    "force": {"type": "bool", "default": False},
    "break_machines": {"type": "bool", "default": False},
    **WAIT,
}

CONSTRAINTS: dict[str, t.Any] = {}

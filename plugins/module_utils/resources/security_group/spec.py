# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of cloudn_security_group."""

from __future__ import annotations

import typing as t

from ..spec import TAGS, WAIT
from . import rules

RULES: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "options": {
        "protocol": {"type": "str", "default": "tcp", "choices": list(rules.PROTOCOLS)},
        "ports": {"type": "str"},
        "icmp_type": {"type": "int"},
        "icmp_code": {"type": "int"},
        "cidrs": {"type": "list", "elements": "str"},
        "groups": {
            "type": "list",
            "elements": "dict",
            "options": {"name": {"type": "str", "required": True}, "account": {"type": "str"}},
        },
    },
}

SPEC: dict[str, t.Any] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "description": {"type": "str"},
    "ingress": RULES,
    "egress": RULES,
    "purge_rules": {"type": "bool", "default": True},
    "on_immutable_drift": {"type": "str", "default": "fail", "choices": ["fail", "warn", "ignore"]},
    "wait_for_expunge": {"type": "bool", "default": False},
    **TAGS,
    **WAIT,
}

CONSTRAINTS: dict[str, t.Any] = {}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of cloudn_vm."""

from __future__ import annotations

import typing as t

from ..lookup import TEMPLATE_FILTERS
from ..spec import TAGS, WAIT

KEYBOARDS = ["de", "de-ch", "es", "fi", "fr", "fr-be", "fr-ch", "is", "it", "jp", "nl-be", "no", "pt", "uk", "us"]

STATES = ["present", "started", "stopped", "restarted", "reinstalled", "absent"]

SPEC: dict[str, t.Any] = {
    "name": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "default": "present", "choices": STATES},
    "confirm_reinstall": {"type": "str"},
    "zone": {"type": "str"},
    "same_name_elsewhere": {"type": "bool", "default": False},
    "template": {"type": "str"},
    "template_filter": {"type": "str", "default": "executable", "choices": list(TEMPLATE_FILTERS)},
    "service_offering": {"type": "str"},
    "disk_offering": {"type": "str"},
    "display_name": {"type": "str"},
    "group": {"type": "str"},
    "security_groups": {"type": "list", "elements": "str"},
    "affinity_groups": {"type": "list", "elements": "str"},
    "networks": {"type": "list", "elements": "str"},
    "root_size_gb": {"type": "int"},
    "delete_protection": {"type": "bool"},
    "key_pair": {"type": "str", "no_log": False},
    "keyboard": {"type": "str", "choices": KEYBOARDS},
    "user_data": {"type": "str", "no_log": True},
    "user_data_encoding": {"type": "str", "default": "text", "choices": ["text", "base64"]},
    "ha": {"type": "bool"},
    "os_type": {"type": "str"},
    "allow_restart": {"type": "bool", "default": False},
    "force_stop": {"type": "bool", "default": False},
    "detach_volumes": {"type": "bool", "default": False},
    "delete_volumes": {"type": "bool", "default": False},
    "expunge": {"type": "bool", "default": False},
    "recover": {"type": "bool", "default": False},
    "on_immutable_drift": {"type": "str", "default": "fail", "choices": ["fail", "warn", "ignore"]},
    "max_parallel": {"type": "int", "default": 10},
    "max_jobs": {"type": "int", "default": 50},
    **TAGS,
    **WAIT,
}

CONSTRAINTS: dict[str, t.Any] = {"mutually_exclusive": [("detach_volumes", "delete_volumes")]}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of cloudn_volume."""

from __future__ import annotations

import typing as t

from .. import extraction
from ..spec import TAGS, WAIT

SPEC: dict[str, t.Any] = {
    "name": {"type": "str"},
    "id": {"type": "str"},
    "state": {
        "type": "str",
        "default": "present",
        "choices": ["present", "attached", "detached", "extracted", "absent"],
    },
    "zone": {"type": "str"},
    "disk_offering": {"type": "str"},
    "size_gb": {"type": "int"},
    "shrink": {"type": "bool", "default": False},
    "snapshot": {"type": "str"},
    "url": {"type": "str"},
    "format": {"type": "str", "choices": ["VHD", "QCOW2", "OVA", "RAW"]},
    "checksum": {"type": "str"},
    "vm": {"type": "str"},
    "device_id": {"type": "int"},
    "force": {"type": "bool", "default": False},
    "extract_mode": {"type": "str", "default": "http_download", "choices": list(extraction.MODES)},
    "extract_url": {"type": "str", "no_log": True},
    "on_immutable_drift": {"type": "str", "default": "fail", "choices": ["fail", "warn", "ignore"]},
    **TAGS,
    **WAIT,
}

CONSTRAINTS: dict[str, t.Any] = {
    "required_one_of": [("name", "id")],
    "required_if": [("state", "attached", ("vm",))],
    "required_by": {"url": "format", "format": "url", "checksum": "url"},
    "mutually_exclusive": [("disk_offering", "snapshot", "url")],
}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of requests, without anything secret."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime, timezone
from typing import IO, Any

SECRET = ("password", "userdata")
_USER = re.compile(r"//[^/@]*@")  # user and password in an address
Record = Callable[[dict[str, Any]], None]


def log_entry(
    name: str, params: dict[str, str], credentials: tuple[str, ...], status: int, milliseconds: float, connection: int
) -> dict[str, Any]:
    """The record of a request. It has no credentials, and only the lengths of secret values."""
    shown = {name: _shown(name, value) for name, value in params.items() if name.lower() not in credentials}
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "command": name or None,
        "params": shown,
        "status": status,
        "ms": round(milliseconds, 3),
        "connection": connection,
    }


def _shown(name: str, value: str) -> str:
    if name.lower() in SECRET:
        return f"({len(value)} characters)"
    return _USER.sub("//", value) if "//" in value else value


def to_file(file: IO[str]) -> Record:
    """A record that writes one JSON line for each request, at once."""
    encode = json.JSONEncoder(ensure_ascii=False).encode

    def write(entry: dict[str, Any]) -> None:
        file.write(encode(entry) + "\n")
        file.flush()

    return write

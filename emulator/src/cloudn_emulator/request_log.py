# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of requests, without anything secret."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from datetime import datetime, timezone
from typing import IO, Any

# Parameters whose names end so are secret. So is the value of an entry of a map whose key does.
_SECRET = re.compile(
    r"(password|passwd|passphrase|secret|secret_?key|user_?data|private_?key|token|session_?key|credentials?)\Z",
    re.IGNORECASE,
)
_USER = re.compile(r"//\S*@")  # user and password in an address
_QUERY = re.compile(r"(//[^\s?#]*[?#])\S+")  # what stands behind it may be a password, too
Record = Callable[[dict[str, Any]], None]


def log_entry(
    name: str,
    params: dict[str, str],
    credentials: tuple[str, ...],
    status: int,
    milliseconds: float,
    connection: int,
    secrets: Collection[str] = (),
) -> dict[str, Any]:
    """The record of a request. It has no credentials, and only the lengths of secret values.

    `secrets` are the secrets of the accounts. They are left out wherever they stand.
    """
    shown = {
        _clean(name, secrets): f"({len(value)} characters)" if _is_secret(name, params) else _clean(value, secrets)
        for name, value in params.items()
        if name.lower() not in credentials
    }
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "command": _clean(name, secrets) or None,
        "params": shown,
        "status": status,
        "ms": round(milliseconds, 3),
        "connection": connection,
    }


def clean_error(text: str, params: dict[str, str], secrets: Collection[str]) -> str:
    """The text of an error without secrets. It may quote the value of a parameter."""
    for name, value in params.items():
        if value and _is_secret(name, params):
            text = text.replace(value, f"({len(value)} characters)")
    return _clean(text, secrets)


def value_of(name: str, params: dict[str, str]) -> str:
    """The value of the parameter with this name in any case, given in lower case. Empty if there is none."""
    return params.get(name) or next((value for one, value in params.items() if one.lower() == name), "")


def is_secret_name(name: str) -> bool:
    """Whether what has this name is secret, by any part of it, such as `details[0].password`."""
    return any(map(_SECRET.search, re.split(r"[\[\].]", name)))


def _is_secret(name: str, params: dict[str, str]) -> bool:
    """Whether the value of a parameter is secret, by its name or by the key of the entry of a map."""
    if is_secret_name(name):
        return True
    entry, _dot, field = name.rpartition(".")
    return field.lower() == "value" and _SECRET.search(params.get(f"{entry}.key", "")) is not None


def _clean(text: str, secrets: Collection[str]) -> str:
    """A text without the secrets of accounts, and without users, passwords and queries in addresses."""
    for secret in secrets:
        text = text.replace(secret, "(secret)")
    return _QUERY.sub(r"\1...", _USER.sub("//", text)) if "//" in text else text


def to_file(file: IO[str]) -> Record:
    """A record that writes one JSON line for each request, at once. It is ASCII, so that a terminal can show it."""

    def write(entry: dict[str, Any]) -> None:
        file.write(json.dumps(entry) + "\n")
        file.flush()

    return write

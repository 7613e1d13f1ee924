# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares what an emulator holds with what the file of its state has: each object, each field, and their order."""

from __future__ import annotations

import pathlib
import sqlite3
from dataclasses import fields, is_dataclass
from typing import Any

from cloudn_emulator import Emulator
from cloudn_emulator.store import Store

# What belongs to a process: nobody waits for a job of another one. The rules of a group are a table of their own.
_OF_PROCESS = {"transition", "reserving", "ended", "locked", "rules", "job_ids"}
# What does not change after the start, and what follows from other tables.
_FIXED = {
    "zones",
    "hosts",
    "service_offerings",
    "disk_offerings",
    "os_categories",
    "os_types",
    "network_offerings",
    "counters",
}
_FIXED |= {"account", "settings", "generation", "races", "chance", "commands"}


def held(store: Store) -> dict[str, Any]:
    """Return all that a store holds as plain values, whatever code of the emulator stores it."""
    tables = {name: table for name, table in vars(store).items() if name not in _FIXED and not name.startswith("_")}
    return {name: [(key, _plain(row)) for key, row in table.items()] for name, table in tables.items()}


def _plain(one: Any) -> Any:
    if is_dataclass(one):
        return {field.name: _plain(getattr(one, field.name)) for field in fields(one) if field.name not in _OF_PROCESS}
    if isinstance(one, dict):
        return {key: _plain(value) for key, value in one.items()}
    return [_plain(value) for value in one] if isinstance(one, (list, tuple)) else one


def restarted(path: pathlib.Path, **settings: Any) -> dict[str, Any]:
    """Return what an emulator holds that starts with a file. It must have no job that was under way."""
    emulator = Emulator(state=path, **settings)
    with emulator:
        return held(emulator.store)


def lines_of(path: pathlib.Path) -> int:
    """Return how many objects a file has."""
    with sqlite3.connect(path) as file:
        return int(file.execute("SELECT count(*) FROM objects").fetchone()[0])

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the rows of a store are written in the file of the state, and read back: as JSON, object by object."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from .models import (
    Account,
    AffinityGroup,
    Event,
    InstanceGroup,
    Job,
    KeyPair,
    Nic,
    Rule,
    SecurityGroup,
    Snapshot,
    SnapshotPolicy,
    Tag,
    Template,
    Vm,
    Volume,
)

# Tables of objects, by the class of these.
_CLASSES: dict[str, type] = {
    "accounts": Account,
    "templates": Template,
    "host_isos": Template,
    "vms": Vm,
    "volumes": Volume,
    "snapshots": Snapshot,
    "snapshot_policies": SnapshotPolicy,
    "security_groups": SecurityGroup,
    "rules": Rule,
    "instance_groups": InstanceGroup,
    "affinity_groups": AffinityGroup,
    "key_pairs": KeyPair,
    "jobs": Job,
    "events": Event,
}
# What belongs to a process, or follows from other tables.
_TRANSIENT = {"transition", "reserving", "ended", "locked", "rules"}
_NAMES = {one: [field.name for field in fields(one) if field.name not in _TRANSIENT] for one in _CLASSES.values()}
_NAMES[Nic] = [field.name for field in fields(Nic)]


def _nic(given: Mapping[str, Any]) -> Nic:
    return Nic(**given)


# Fields whose values JSON can't hold.
_READ: dict[str, Callable[[Any], Any]] = {
    "nic": _nic,
    "more_nics": lambda given: [Nic(**one) for one in given],
    "volume": lambda given: Volume(**given),
    "downloading": frozenset,
    "grants": frozenset,
    "denied": frozenset,
}


def written_key(key: Any) -> str:
    """A key as text."""
    return key if isinstance(key, str) else json.dumps(key)


def written(table: str, row: Any) -> str:
    """A row as text."""
    if table == "tags":
        return json.dumps([[key, tag.key, tag.value, tag.customer] for key, tag in row.items()])
    return json.dumps(row, default=_plain) if table not in _CLASSES else json.dumps(_plain(row), default=_plain)


def _plain(one: Any) -> Any:
    """A value that JSON does not know, by ones that it knows."""
    for kind in type(one).__mro__:
        if kind in _NAMES:
            return {name: getattr(one, name) for name in _NAMES[kind]}
    if isinstance(one, (set, frozenset)):
        return sorted(one)
    raise TypeError(f"a row holds a {type(one).__name__}")


def read_key(table: str, text: str) -> Any:
    """The key that a text stands for."""
    if table == "tags":
        return tuple(json.loads(text))
    return int(text) if table == "deleted" else text


def read(table: str, text: str) -> Any:
    """The row that a text stands for."""
    given = json.loads(text)
    if table == "tags":
        return {key: Tag(*tag) for key, *tag in given}
    if table not in _CLASSES:
        return tuple(given)
    return _CLASSES[table](**{name: _READ[name](value) if name in _READ else value for name, value in given.items()})

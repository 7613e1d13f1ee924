# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of listings: one that lags, and one that changes while it is read."""

from __future__ import annotations

import fnmatch
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..models import GONE, Vm, new_id
from ..store import Store

# What changes on a page: the listings' names of objects, and the tables of the store.
_TABLES = {"virtualmachine": "vms", "volume": "volumes", "snapshot": "snapshots", "template": "templates"}


def without_young(body: dict[str, Any], since: float) -> dict[str, Any]:
    """A listing without the objects made after a moment of the service's clock."""
    shown: dict[str, Any] = {}
    for name, value in body.items():
        if isinstance(value, list):
            value = [item for item in value if not _is_younger(item, since)]
        if value or not isinstance(value, list):
            shown[name] = value
    items = next((value for value in shown.values() if isinstance(value, list)), None)
    return {**shown, "count": len(items)} if items else {}


def _is_younger(item: Any, since: float) -> bool:
    created = item.get("created") if isinstance(item, dict) else None
    return isinstance(created, str) and datetime.strptime(created, "%Y-%m-%dT%H:%M:%S%z").timestamp() > since


def change_page(store: Store, body: dict[str, Any], change: str, name: str) -> None:
    """After a page was read, let one of its objects vanish, or another like it appear."""
    kind = next((kind for kind in _TABLES if kind in body), None)
    if kind is None:
        return
    table = getattr(store, _TABLES[kind])
    ids = [item["id"] for item in body[kind] if fnmatch.fnmatchcase(str(item.get("name")), name)]
    one = next((table[id] for id in ids if _is_there(table.get(id))), None)
    if one is not None:
        change_table = _appear if change == "appear" else _vanish
        change_table(store, table, one)


def _is_there(one: Any) -> bool:
    """Whether an object has not vanished since its page was read."""
    return one is not None and getattr(one, "state", "") != GONE


def _appear(store: Store, table: dict[str, Any], like: Any) -> None:
    serial = store.next_serial()
    new = replace(like, id=new_id(), name=f"appeared-{serial}", created=store.now())
    if isinstance(new, Vm):
        store.add_vm(new)
    else:
        table[new.id] = new


def _vanish(store: Store, table: dict[str, Any], one: Any) -> None:
    if isinstance(one, Vm):
        store.mark_destroyed(one)
    else:
        del table[one.id]

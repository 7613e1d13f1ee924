# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notes which rows of a store change, for the file that keeps them. A store that nobody follows has plain tables and objects.

The tables become dictionaries that note what is put in and taken out. Their objects get a class that notes each assignment to
a field. Nothing else changes an object: its lists and mappings are replaced, not changed (models.py).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from .store import Store

# The tables of the store whose rows change. The other ones come from the settings.
TABLES = (
    "accounts",
    "templates",
    "host_isos",
    "vms",
    "volumes",
    "snapshots",
    "snapshot_policies",
    "extractions",
    "security_groups",
    "rules",
    "instance_groups",
    "affinity_groups",
    "key_pairs",
    "jobs",
    "events",
    "tags",
    "deleted",
)
Row = tuple[str, Any]  # a table and a key in it


class Changes:
    """The rows of one store that have changed and are not stored yet, and whether each is new in its table.

    New rows of a table are in the order in which they were put in.
    """

    def __init__(self) -> None:
        self.rows: dict[Row, bool] = {}
        self._classes: dict[tuple[str, type], type] = {}

    def follow(self, store: Store) -> None:
        """Note from now on what changes in the store."""
        for name in TABLES:
            setattr(store, name, _Table(self, name, getattr(store, name)))

    def adopt(self, table: str, one: Any) -> None:
        """Note from now on each assignment to a field of an object. Objects that can't change stay as they are."""
        plain = type(one)
        form = getattr(plain, "__dataclass_params__", None)
        if form is None or form.frozen:
            return
        if issubclass(plain, _Followed):  # like an object of the store that it was made of
            plain = plain.__bases__[0]
        place = table, plain
        if place not in self._classes:
            self._classes[place] = _followed(self.rows, table, plain)
        object.__setattr__(one, "__class__", self._classes[place])


class _Followed:
    """Marks the classes of objects whose fields are followed."""

    __slots__ = ()


def _followed(rows: dict[Row, bool], table: str, plain: type) -> type:
    """A class like a plain one, whose objects note the rows that they are. It has no slots of its own: the layout is the same."""
    key = "name" if table == "accounts" else "id"

    def note(self: Any, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        rows.setdefault((table, getattr(self, key, None)), False)

    return type(plain.__name__, (plain, _Followed), {"__slots__": (), "__setattr__": note})


class _Table(OrderedDict[Any, Any]):
    """A table that notes the keys of the rows that come, go or are replaced."""

    def __init__(self, changes: Changes, name: str, rows: Mapping[Any, Any]) -> None:
        self.changes, self.name = changes, name
        super().__init__()
        self.update(rows)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.changes.adopt(self.name, value)
        row = self.name, key
        if key not in self:
            self.changes.rows.pop(row, None)
            self.changes.rows[row] = True
        super().__setitem__(key, value)
        self.changes.rows.setdefault(row, False)

    def __delitem__(self, key: Any) -> None:
        super().__delitem__(key)
        self.changes.rows.setdefault((self.name, key), False)

    def pop(self, key: Any, *default: Any) -> Any:
        """Take out a row, as a dictionary does."""
        self.changes.rows.setdefault((self.name, key), False)
        return super().pop(key, *default)

    def popitem(self, last: bool = True) -> tuple[Any, Any]:
        """Take out the newest or the oldest row."""
        key = next(reversed(self) if last else iter(self))
        return key, self.pop(key)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """The row with a key, which is put in if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, *given: Any, **named: Any) -> None:
        """Put in rows."""
        for key, value in dict(*given, **named).items():
            self[key] = value

    def clear(self) -> None:
        """Take out all rows."""
        for key in list(self):
            del self[key]

    def copy(self) -> Any:
        """A copy that nobody follows."""
        return OrderedDict(self)

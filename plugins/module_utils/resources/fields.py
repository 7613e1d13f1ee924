# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fields of the service's records, under the names that users see."""

from __future__ import annotations

from ..api import Record

# The member of a record, and of a result, that marks an object that check mode has planned.
PLANNED = "planned"


def fields(text: str) -> dict[str, str]:
    """Return the service's fields by the names that users see, from words such as ``domain_id`` or ``zone=zonename``.

    Most names are the service's names with underscores (``domain_id`` is ``domainid``). A name that is another word is
    followed by its field.
    """
    pairs = [word.partition("=") for word in text.split()]
    return {name: field or name.replace("_", "") for name, _sign, field in pairs}


def select_fields(record: Record, names: dict[str, str]) -> Record:
    """Return a record's fields under the names that users see, see ``fields``; ``None`` for a missing one.

    An object that check mode has planned is marked.
    """
    return {**{name: record.get(field) for name, field in names.items()}, **mark(record)}


def mark(record: Record) -> Record:
    """Return the member that marks an object that check mode has planned. Other objects have none."""
    return {PLANNED: True} if record.get(PLANNED) else {}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds security groups that options name, also while two runs make one of the same name."""

from __future__ import annotations

import typing as t

from ...api import Client, Deadline, Duplicates, Record
from ..lookup import pick_each, same_name
from . import view as security_group
from .plan import kind

T = t.TypeVar("T")


def settled(client: Client, look: t.Callable[[], T]) -> T:
    """Return what ``look`` returns. If two runs make groups of one name at the same time, wait until one is left."""
    try:
        return look()
    except Duplicates:
        # Here, as few runs need it, and Ansible compiles each import in each run.
        from ...reconcile.creation import await_one
        from ...reconcile.duplicates import PATIENCE

    return await_one(client, look, kind(), Deadline(4 * PATIENCE, client.clock))


def find_all(client: Client, wanted: t.Iterable[str], option: str) -> list[Record]:
    """Return the security groups with these names or ids, each once. Raises ``UsageError`` for one that does not exist."""

    def look() -> list[Record]:
        return pick_each(security_group.search(client), wanted, option, same=same_name, kind="security group")

    return settled(client, look)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The security groups that rules name: looked up, and called as the service calls them."""

from __future__ import annotations

import typing as t

from ...api import Record
from ..lookup import pick, same_name
from ..names import folded
from . import rules
from .rules import DIRECTIONS

# A name and the account that owns the group.
Source = t.Tuple[str, str]


def resolve(options: Record, record: Record | None, groups: t.Callable[[], list[Record]]) -> Record:
    """Return the options. Groups that rules name get the names and accounts that the service has for them.

    ``record`` is the group that has the rules, if it exists. The groups that its rules name already are known from it. For
    others ``groups()`` lists the groups of the account. A group without an account belongs to the account of ``record``.
    Raises ``UsageError`` for a group of this account that does not exist, and ``Duplicates`` for a name that several have.
    Groups of other accounts can't be seen.
    """
    account = (record or {}).get("account", "")
    known = _known(_sources(record or {}))
    entries = {direction: options[direction] for direction in DIRECTIONS if options.get(direction)}
    named = {
        f"{direction}[{number}].groups[{place}]": group
        for direction, given in entries.items()
        for number, entry in enumerate(given)
        for place, group in enumerate(entry.get("groups") or [])
    }
    if record is None or any(_key(group, account) not in known for group in named.values()):
        own = (record or options)["name"]
        account = _look(own, account, named, groups(), known)
    called = {direction: [_called(entry, known, account) for entry in given] for direction, given in entries.items()}
    return {**options, **called}


def _sources(record: Record) -> list[Source]:
    return [rules.source(raw) for direction in DIRECTIONS for raw in rules.listed(record, direction)]


def _look(own: str, account: str, named: dict[str, Record], listed: list[Record], known: dict[Source, Source]) -> str:
    """Add the groups of a listing to ``known``. Return the account of the group ``own``."""
    account = account or next((group["account"] for group in listed if group.get("account")), "")
    known.update(_known((group["name"], str(group.get("account", account))) for group in listed))
    known.setdefault(_key({"name": own}, account), (own, account))  # it may name itself before it exists
    # Two groups may have its own name for a moment, until this run deletes one.
    _check_there({path: group for path, group in named.items() if not same_name(group["name"], own)}, listed, account)
    return account


def _check_there(named: dict[str, Record], listed: list[Record], account: str) -> None:
    """Raise ``UsageError`` for a group of this account that does not exist. ``named`` are groups by their paths in the options."""
    of_account = [one for one in listed if _is_of(one, account)]
    for path, group in named.items():
        if _is_of(group, account):
            pick(of_account, group["name"], path, same=same_name, kind="security group")


def _is_of(group: Record, account: str) -> bool:
    return same_name(group.get("account") or account, account)


def _key(group: Record, account: str) -> Source:
    """Return a key that is equal for all spellings of a group. ``account`` is the account of a group without one."""
    return folded(group["name"]), folded(group.get("account") or account)


def _known(sources: t.Iterable[Source]) -> dict[Source, Source]:
    return {(folded(name), folded(account)): (name, account) for name, account in sources}


def _called(entry: Record, known: dict[Source, Source], account: str) -> Record:
    """Return an entry with the known names of its groups. An unknown group keeps the name that was given."""
    groups = []
    for group in entry.get("groups") or []:
        name, owner = known.get(_key(group, account), (group["name"], group.get("account") or account))
        groups.append({"name": name, "account": owner})
    return {**entry, "groups": groups}

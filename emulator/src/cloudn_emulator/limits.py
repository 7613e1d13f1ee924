# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many things of a kind an account may have, and how many it has."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from .calls import Call
from .errors import RESOURCE, ApiError
from .settings import RESOURCES, UNLIMITED
from .store import Store

# Limits that are not set: large ones, or those of the real server.
DEFAULTS = {
    "instance": 100_000,
    "ip": 100_000,
    "volume": 100_000,
    "snapshot": 100_000,
    "template": 100_000,
    "project": UNLIMITED,
    "network": 2000,
    "vpc": 2000,
}


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of thing that is limited. `text` is its name in error texts. Without a table nobody has any of it."""

    text: str
    table: Callable[[Store], Collection[Any]] | None = None
    counts: Callable[[Any], bool] = lambda one: True


# Destroyed machines count until they are expunged, and so do their disks.
_RESOURCES = {
    "instance": Resource("user_vm", lambda store: store.vms.values()),
    "ip": Resource("public_ip"),
    "volume": Resource("volume", lambda store: store.volumes.values(), lambda volume: volume.state != "Destroy"),
    "snapshot": Resource("snapshot", lambda store: store.snapshots.values(), lambda one: one.state != "Destroyed"),
    "template": Resource("template", lambda store: store.templates.values(), lambda one: not one.removed),
    "project": Resource("project"),
    "network": Resource("network"),
    "vpc": Resource("vpc"),
}
assert tuple(_RESOURCES) == RESOURCES


def limit(store: Store, owner: str, word: str) -> int:
    """How many of a kind an account may have. Administrators have no limit."""
    if store.accounts[owner].admin:
        return UNLIMITED
    return store.settings.limits.get(word, DEFAULTS[word])


def used(store: Store, owner: str, word: str) -> int:
    """How many of a kind an account has."""
    resource = _RESOURCES[word]
    if resource.table is None:
        return 0
    return sum(one.owner == owner and resource.counts(one) for one in resource.table(store))


def check_limit(call: Call, owner: str, word: str) -> None:
    """Refuse (534) one more of a kind if the account has as many as it may have."""
    most, resource = limit(call.store, owner, word), _RESOURCES[word]
    # Counting takes time. It is needed only if all accounts together have so many.
    if most == UNLIMITED or (resource.table and len(resource.table(call.store)) < most):
        return
    if used(call.store, owner, word) + 1 > most:
        domain = call.store.accounts[owner].domain_id
        raise ApiError(
            RESOURCE,
            f"Maximum number of resources of type '{resource.text}' for account name={owner} in domain id={domain} "
            "has been exceeded.",
        )

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
class Kind:
    """A kind of thing that CloudStack 4 limits: its name, the word for it in a listing of accounts, its place there.

    `resource` is its word in the settings, for those that CloudStack 3 knows. The others have a limit of their own.
    """

    name: str
    word: str
    place: int
    most: int = UNLIMITED
    resource: str | None = None


# In the order of their numbers. Measured on CloudStack 4.23.
KINDS_4 = (
    Kind("user_vm", "vm", 0, resource="instance"),
    Kind("public_ip", "ip", 1, resource="ip"),
    Kind("volume", "volume", 2, resource="volume"),
    Kind("snapshot", "snapshot", 3, resource="snapshot"),
    Kind("template", "template", 6, resource="template"),
    Kind("project", "project", 7, resource="project"),
    Kind("network", "network", 8, resource="network"),
    Kind("vpc", "vpc", 9, resource="vpc"),
    Kind("cpu", "cpu", 10),
    Kind("memory", "memory", 11),
    Kind("primary_storage", "primarystorage", 13),
    Kind("secondary_storage", "secondarystorage", 14),
    Kind("backup", "backup", 4, 20),
    Kind("backup_storage", "backupstorage", 5, 400),
    Kind("bucket", "bucket", 15, 20),
    Kind("object_storage", "objectstorage", 16, 400),
    Kind("gpu", "gpu", 12, 20),
)


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


def limit_4(store: Store, owner: str, number: int) -> int:
    """How much of the kind with this number an account may have on CloudStack 4."""
    kind = KINDS_4[number]
    if kind.resource:
        return limit(store, owner, kind.resource)
    return UNLIMITED if store.accounts[owner].admin else kind.most


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

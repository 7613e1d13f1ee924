# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What accounts and users look like on CloudStack 4.23."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from ..fields import date_text
from ..limits import KINDS_4, Kind, limit_4, used
from ..models import GIB, GONE, Account, ServiceOffering
from ..settings import UNLIMITED
from ..store import Store

STATE = "enabled"
_UNLIMITED = "Unlimited"


def account_view(store: Store, account: Account) -> dict[str, Any]:
    """An account: how much it may have, has, and may still get of each kind. Only the second is a number."""
    vms = [vm for vm in store.vms.values() if vm.owner == account.name]
    states = [vm.state for vm in vms]
    amounts: dict[str, Any] = {}
    for number, kind in sorted(enumerate(KINDS_4), key=lambda pair: pair[1].place):
        amounts |= _amounts(kind.word, limit_4(store, account.name, number), _total(store, account, kind))
    return {
        "id": account.id,
        "name": account.name,
        "accounttype": type_of(account),
        **_role(account),
        "domainid": account.domain_id,
        "domain": account.domain,
        "domainpath": account.domain_path,
        **amounts,
        "vmstopped": states.count("Stopped"),
        "vmrunning": states.count("Running"),
        "state": STATE,
        "created": date_text(account.created),
        "user": [user_view(account)],
        "isdefault": account.admin,
        "groups": [],
    }


def _amounts(word: str, most: int, total: float) -> dict[str, Any]:
    if most == UNLIMITED:
        return {f"{word}limit": _UNLIMITED, f"{word}total": total, f"{word}available": _UNLIMITED}
    return {f"{word}limit": str(most), f"{word}total": total, f"{word}available": str(most - int(total))}


def _total(store: Store, account: Account, kind: Kind) -> float:
    """How much an account has of a kind. The emulator has no buckets, backups and GPUs."""
    if kind.resource:
        return used(store, account.name, kind.resource)
    count = _COUNTS.get(kind.word)
    return count(store, account) if count else 0


def _plans(store: Store, account: Account) -> list[ServiceOffering]:
    """The plan of each machine of an account that is not destroyed."""
    vms = (vm for vm in store.vms.values() if vm.owner == account.name and vm.state != GONE)
    return [store.service_offerings[vm.offering_id] for vm in vms]


def _bytes(table: dict[str, Any], account: Account) -> int:
    return sum(one.size for one in table.values() if one.owner == account.name)


# What is not counted by its number, by its word: cores, MiB and GiB.
_COUNTS: dict[str, Callable[[Store, Account], float]] = {
    "cpu": lambda store, account: sum(plan.cpus for plan in _plans(store, account)),
    "memory": lambda store, account: sum(plan.memory for plan in _plans(store, account)),
    "primarystorage": lambda store, account: _bytes(store.volumes, account) // GIB,
    "secondarystorage": lambda store, account: _bytes(store.snapshots, account) / GIB,
}


def type_of(account: Account) -> int:
    """The number of an account's type, as both generations show it."""
    return 1 if account.admin else 0


def user_fields(account: Account) -> dict[str, Any]:
    """What both generations show first of the one user of an account."""
    return {
        "id": account.user_id,
        "username": account.name,
        "firstname": account.name,
        "lastname": "user",
        "email": f"{account.name}@example.invalid",
        "created": date_text(account.created),
        "state": STATE,
        "account": account.name,
        "accounttype": type_of(account),
    }


def user_view(account: Account) -> dict[str, Any]:
    """The one user of an account. CloudStack 4 shows its key, but not its secret."""
    return {
        **user_fields(account),
        "usersource": "native",
        **_role(account),
        "domainid": account.domain_id,
        "domain": account.domain,
        **({"apikey": account.api_key} if account.api_key else {}),
        "accountid": account.id,
        "iscallerchilddomain": False,
        "isdefault": account.admin,
        "is2faenabled": False,
        "is2famandated": False,
    }


def _role(account: Account) -> dict[str, str]:
    kind, name = ("Admin", "Root Admin") if account.admin else ("User", "User")
    return {"roleid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"role {name}")), "roletype": kind, "rolename": name}

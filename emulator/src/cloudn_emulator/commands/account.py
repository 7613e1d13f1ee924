# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts, their users and limits, as measured on CloudStack 3.0.5."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from ..calls import Call, page_of
from ..collation import collated, contains
from ..errors import bad_parameter, internal
from ..fields import date_text, ownership
from ..filters import equals, has_part, matching
from ..limits import limit, used
from ..models import NO_OBJECT, Account
from ..owners import account_named, check_access, named_owner
from ..settings import RESOURCES, UNLIMITED
from ..store import Store
from ..wire import listing

SYSTEM = "system"  # the account that nobody finds
STATE = "enabled"
# The kinds in a listing of accounts: the word for it there, and the resource.
_FIRST = (("vm", "instance"), ("ip", "ip"), ("volume", "volume"), ("snapshot", "snapshot"), ("template", "template"))
_LAST = (("project", "project"), ("network", "network"))


def list_accounts(call: Call) -> dict[str, Any]:
    """listAccounts: a plain account finds its own. As on the real server, the keys of its user are in the clear."""
    p = call.params
    state, keyword, cleanup = call["state"], call["keyword"], call["iscleanuprequired"]
    tests = [
        _shown(call),
        equals(call, "name", "name"),
        (lambda one: _type(one) == p["accounttype"]) if "accounttype" in p else None,
        (lambda one: collated(state) == STATE) if state is not None else None,
        (lambda one: not cleanup) if cleanup is not None else None,
        (lambda one: contains(one.name, keyword) or contains(STATE, keyword)) if keyword is not None else None,
    ]
    found = matching(call.store.accounts.values(), tests)
    return listing("account", [_account_view(call.store, one) for one in page_of(call, found)])


def _shown(call: Call) -> Callable[[Account], bool]:
    """The test for the accounts that are shown.

    Raises ApiError: 431 for an unknown account, 530 for -1, 531 for another account.
    """
    wanted, domain = call["id"], call["domainid"]
    _check_wanted(call, wanted)
    _check_domain(call, domain)
    if wanted is not None:
        return lambda one: one is wanted
    if call.account.admin and (call["listall"] or domain is not None):
        return lambda one: one.name != SYSTEM
    return lambda one: one is call.account


def _check_wanted(call: Call, wanted: Any) -> None:
    if wanted is NO_OBJECT:
        raise internal()
    if wanted is not None:
        if wanted.name == SYSTEM:
            raise bad_parameter("Unable to find account by id")
        check_access(call, wanted.name, wanted.label)


def _check_domain(call: Call, domain: Any) -> None:
    if domain is NO_OBJECT:
        raise bad_parameter(f"Domain id={domain.id} doesn't exist")
    if domain is not None and call["name"] is not None:
        named = account_named(call, call["name"], f"Unable to find account {call['name']} in domain {domain.domain_id}")
        check_access(call, named.name, named.label)


def _type(account: Account) -> int:
    return 1 if account.admin else 0


def _account_view(store: Store, account: Account) -> dict[str, Any]:
    states = [vm.state for vm in store.vms.values() if vm.owner == account.name]
    view: dict[str, Any] = {"id": account.id, "name": account.name, "accounttype": _type(account)}
    view |= {"domainid": account.domain_id, "domain": account.domain, "receivedbytes": 0, "sentbytes": 0}
    for word, resource in _FIRST:
        view |= _amounts(store, account, word, resource)
    view |= {"vmstopped": states.count("Stopped"), "vmrunning": states.count("Running")}
    for word, resource in _LAST:
        view |= _amounts(store, account, word, resource)
    return view | {"state": STATE, "user": [_user_view(account)]}


def _amounts(store: Store, account: Account, word: str, resource: str) -> dict[str, Any]:
    """How many an account may have, has, and may still get. Only the second is a number."""
    most, total = limit(store, account.name, resource), used(store, account.name, resource)
    left = "Unlimited" if most == UNLIMITED else str(most - total)
    if resource == "ip":
        left = "0"  # the real server shows the free public addresses, and a Basic zone has none
    return {
        f"{word}limit": "Unlimited" if most == UNLIMITED else str(most),
        f"{word}total": total,
        f"{word}available": left,
    }


def _user_view(account: Account) -> dict[str, Any]:
    return {
        "id": account.user_id,
        "username": account.name,
        "firstname": account.name,
        "lastname": "user",
        "email": f"{account.name}@example.invalid",
        "created": date_text(account.created),
        "state": STATE,
        "account": account.name,
        "accounttype": _type(account),
        "domainid": account.domain_id,
        "domain": account.domain,
        **({"apikey": account.api_key, "secretkey": account.api_secret} if account.api_key else {}),
    }


def list_users(call: Call) -> dict[str, Any]:
    """listUsers, which plain accounts lack: the one user of each account, without the service's own."""
    p = call.params
    tests = [
        lambda one: one.name != SYSTEM,
        (lambda one: one.user_id == p["id"].user_id) if "id" in p else None,
        equals(call, "username", "name"),
        equals(call, "account", "name"),
        (lambda one: _type(one) == p["accounttype"]) if "accounttype" in p else None,
        has_part(call, "keyword", "name"),
    ]
    found = matching(call.store.accounts.values(), tests)
    return listing("user", [_user_view(one) for one in page_of(call, found)])


def cloud_identifier(call: Call) -> dict[str, Any]:
    """getCloudIdentifier: the installation's id, signed with the secret of a user."""
    account = call["userid"]
    if account is NO_OBJECT:
        raise bad_parameter("Could not find the user")
    check_access(call, account.name, account.label)
    name = "cloudn-emulator"
    mac = hmac.new(account.api_secret.encode(), name.encode(), hashlib.sha1).digest()
    view = {"userid": account.user_id, "cloudidentifier": name, "signature": base64.b64encode(mac).decode()}
    return {"cloudidentifier": view}


def list_resource_limits(call: Call) -> dict[str, Any]:
    """listResourceLimits. As on the real server, a plain account always gets its own limits, and no pages."""
    kind = call["resourcetype"]
    if kind is not None and not 0 <= kind < len(RESOURCES):
        raise bad_parameter("Please specify a valid resource type.")
    named = named_owner(call)
    owner = named if call.account.admin else call.account
    views = [
        {**ownership(call, owner.name), "resourcetype": str(number), "max": limit(call.store, owner.name, word)}
        for number, word in enumerate(RESOURCES)
        if kind in (None, number)
    ]
    return listing("resourcelimit", views)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts, their users and limits, as measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import Any, NamedTuple

from ..calls import Call, page_of
from ..collation import collated, contains
from ..errors import ACCOUNT, ApiError, bad_parameter, internal
from ..fields import ownership
from ..filters import equals, has_part, matching
from ..generation import Differs
from ..jobs import Work
from ..limits import KINDS_4, limit, limit_4, used
from ..models import NO_OBJECT, Account
from ..owners import account_named, check_access, check_domain, named_owner, owners
from ..settings import RESOURCES, UNLIMITED
from ..store import Store
from ..wire import listing
from . import account_view_4
from .account_view_4 import STATE, type_of, user_fields

SYSTEM = "system"  # the account that nobody finds
# The kinds in a listing of accounts: the word for it there, and the resource.
_FIRST = (("vm", "instance"), ("ip", "ip"), ("volume", "volume"), ("snapshot", "snapshot"), ("template", "template"))
_LAST = (("project", "project"), ("network", "network"))


def list_accounts(call: Call) -> dict[str, Any]:
    """listAccounts: a plain account finds its own. As on the real server, the keys of its user are in the clear.

    CloudStack 4 does not show the secret.
    """
    p = call.params
    state, keyword, cleanup = call["state"], call["keyword"], call["iscleanuprequired"]
    tests = [
        _shown(call),
        equals(call, "name", "name"),
        (lambda one: type_of(one) == p["accounttype"]) if "accounttype" in p else None,
        (lambda one: collated(state) == STATE) if state is not None else None,
        (lambda one: not cleanup) if cleanup is not None else None,
        (lambda one: contains(one.name, keyword) or contains(STATE, keyword)) if keyword is not None else None,
    ]
    found = matching(call.store.accounts.values(), tests)
    return listing("account", [call.of(_ACCOUNT_VIEW)(call.store, one) for one in page_of(call, found)])


def _shown(call: Call) -> Callable[[Account], bool]:
    """The test for the accounts that are shown.

    Raises ApiError: 431 for an unknown account, 530 for -1, 531 for another account.
    """
    wanted, domain = call["id"], call["domainid"]
    _check_wanted(call, wanted)
    call.of(_CHECK_DOMAIN)(call)
    if wanted is not None:
        return lambda one: one is wanted
    if call.account.admin and (call["listall"] or domain is not None):
        return lambda one: one.name != SYSTEM
    return lambda one: one is call.account


def _check_wanted(call: Call, wanted: Any) -> None:
    if wanted is NO_OBJECT:
        raise call.of(_NO_ACCOUNT)
    if wanted is not None:
        if wanted.name == SYSTEM:
            raise bad_parameter("Unable to find account by id")
        check_access(call, wanted.name, wanted.label)


_NO_ACCOUNT = Differs(internal(), bad_parameter("Unable to find account by id -1"))


def _check_domain_3(call: Call) -> None:
    domain = call["domainid"]
    if domain is NO_OBJECT:
        raise bad_parameter(f"Domain id={domain.id} doesn't exist")
    if domain is not None and call["name"] is not None:
        named = account_named(call, call["name"], f"Unable to find account {call['name']} in domain {domain.domain_id}")
        check_access(call, named.name, named.label)


_CHECK_DOMAIN = Differs(_check_domain_3, check_domain)


def _account_view(store: Store, account: Account) -> dict[str, Any]:
    states = [vm.state for vm in store.vms.values() if vm.owner == account.name]
    view: dict[str, Any] = {"id": account.id, "name": account.name, "accounttype": type_of(account)}
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
        **user_fields(account),
        "domainid": account.domain_id,
        "domain": account.domain,
        **({"apikey": account.api_key, "secretkey": account.api_secret} if account.api_key else {}),
    }


_ACCOUNT_VIEW = Differs(_account_view, account_view_4.account_view)
_USER_VIEW: Differs[Callable[[Account], dict[str, Any]]] = Differs(_user_view, account_view_4.user_view)


def list_users(call: Call) -> dict[str, Any]:
    """listUsers: the one user of each account, without the service's own. A plain account finds its own alone.

    On CloudStack 3 plain accounts lack it.
    """
    p = call.params
    is_shown = call.of(_SHOWS_USER)(call)
    tests = [
        lambda one: one.name != SYSTEM and is_shown(one),
        (lambda one: one.user_id == p["id"].user_id) if "id" in p else None,
        equals(call, "username", "name"),
        equals(call, "account", "name"),
        (lambda one: type_of(one) == p["accounttype"]) if "accounttype" in p else None,
        has_part(call, "keyword", "name"),
    ]
    found = matching(call.store.accounts.values(), tests)
    return listing("user", [call.of(_USER_VIEW)(one) for one in page_of(call, found)])


def _shows_user_3(call: Call) -> Callable[[Account], bool]:
    return lambda one: call.account.admin or one is call.account


def _shows_user_4(call: Call) -> Callable[[Account], bool]:
    """CloudStack 4 refuses (531) the user of another account. Source: its code."""
    wanted, state = call["id"], call["state"]
    if wanted is not None and wanted is not call.account and not call.account.admin:
        raise ApiError(ACCOUNT, "Calling user is not authorized to see the user requested by id")
    is_shown = owners(call)
    return lambda one: is_shown(_Owned(one.name)) and (state is None or collated(state) == STATE)


class _Owned(NamedTuple):
    """What a user is to the test for owners."""

    owner: str


_SHOWS_USER = Differs(_shows_user_3, _shows_user_4)


def register_keys(call: Call) -> Work:
    """registerUserKeys: new keys in place of those that a user has."""
    account = call["id"]
    if account is NO_OBJECT:
        raise bad_parameter("unable to find user by id")
    check_access(call, account.name, account.label)

    async def run() -> dict[str, Any]:
        await call.jobs.take(1)
        account.api_key, account.api_secret = secrets.token_urlsafe(64), secrets.token_urlsafe(64)
        return {"userkeys": {"apikey": account.api_key, "secretkey": account.api_secret}}

    return Work(run, "User", account.user_id)


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
    limits = call.of(_LIMITS)
    kind = call["resourcetype"] if call["resourcetypename"] is None else _number(call["resourcetypename"])
    if kind is not None and not 0 <= kind < len(limits):
        raise bad_parameter("Please specify a valid resource type.")
    named = named_owner(call)
    owner = named if call.account.admin else call.account
    views = [
        {**ownership(call, owner.name), "resourcetype": str(number), **look(call.store, owner.name)}
        for number, look in enumerate(limits)
        if kind in (None, number)
    ]
    return listing("resourcelimit", views)


def _number(name: str) -> int:
    """The number of a kind by its name, which CloudStack 4 takes. Source of the error: its code."""
    numbers = {kind.name: number for number, kind in enumerate(KINDS_4)}
    if name not in numbers:
        raise bad_parameter("Please specify a valid resource type name.")
    return numbers[name]


def _limit_3(word: str) -> Callable[[Store, str], dict[str, Any]]:
    return lambda store, owner: {"max": limit(store, owner, word)}


def _limit_4(number: int) -> Callable[[Store, str], dict[str, Any]]:
    return lambda store, owner: {"resourcetypename": KINDS_4[number].name, "max": limit_4(store, owner, number)}


# For each kind, by its number, what gives its limit.
_LIMITS = Differs([_limit_3(word) for word in RESOURCES], [_limit_4(number) for number in range(len(KINDS_4))])

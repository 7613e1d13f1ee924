# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts that objects belong to: who may use an object, who gets a new one, whose a listing shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .calls import Call
from .errors import ACCOUNT, ApiError, bad_parameter, internal
from .generation import Differs
from .models import NO_OBJECT, Account

Test = Callable[[Any], bool]


def no_permission(call: Call, resource: str) -> ApiError:
    """The error (531) for another account's object, which the text of CloudStack 3 calls `resource`."""
    return ApiError(ACCOUNT, call.of(_NO_PERMISSION)(call, resource))


_NO_PERMISSION: Differs[Callable[[Call, str], str]] = Differs(
    lambda call, resource: f"{call.account.label} does not have permission to operate with resource {resource}",
    lambda call, resource: "Caller does not have permission to operate with provided resource.",
)


def check_access(call: Call, owner: str, resource: str) -> None:
    """Refuse (531) another account's object. Administrators may use all objects."""
    if owner != call.account.name and not call.account.admin:
        raise no_permission(call, resource)


def check_at_once(call: Call, one: Any) -> None:
    """Refuse another account's object (531) before the job of a command begins: CloudStack 4 does, 3 does so in the job."""
    call.of(_AT_ONCE)(call, one)


def _at_once_4(call: Call, one: Any) -> None:
    if one is not None and one is not NO_OBJECT:
        check_access(call, one.owner, one.label)


_AT_ONCE: Differs[Callable[[Call, Any], None]] = Differs(lambda call, one: None, _at_once_4)


def check_in_job(call: Call, owner: str, resource: str) -> None:
    """Refuse another account's object in a job: with 531 on CloudStack 3, with 530 on 4."""
    if owner != call.account.name and not call.account.admin:
        raise of_job(call, no_permission(call, resource))


def of_job(call: Call, error: ApiError) -> ApiError:
    """The error for another account's object, as it is inside a job."""
    return call.of(_FOREIGN)(error)


_FOREIGN: Differs[Callable[[ApiError], ApiError]] = Differs(lambda error: error, lambda error: internal(error.text))


def owner_for(call: Call) -> Account:
    """The account that gets a new object: the one that asks, or the one that `account` and `domainid` name.

    Raises ApiError: 431 for a name without a domain and for an unknown one, 531 for another account.
    """
    owner = named_owner(call)
    check_access(call, owner.name, owner.label)
    return owner


def named_owner(call: Call) -> Account:
    """The owner of the object that a command names: who asks, or the account of `account` and `domainid`.

    The service checks the permission only after it has found the object. Raises ApiError (431).
    """
    name = call["account"]
    if name is not None and call["domainid"] is None:
        raise bad_parameter("Account must be specified with domainId parameter")
    if name is not None:
        return account_named(call, name, f"Unable to find account by name {name} in domain with specified id")
    if call["projectid"] is not None:
        raise bad_parameter("Unable to find project by id")
    return call.account


def owner_of_new(call: Call) -> Account:
    """The account that gets the object of a command without a job, such as a group or a key pair.

    `account` needs `domainid` (431). On CloudStack 3 `domainid` needs `account` too, on 4 it changes nothing alone: source
    is its code. A plain account may only name itself, letter by letter. It gets the same error (531) for an unknown
    account and for an existing one. An administrator gets a 431 for an unknown account.
    """
    name, domain = call["account"], call["domainid"]
    if call["projectid"] is not None:
        raise bad_parameter("Unable to find project by id")
    if (name is None) != (domain is None) and (name is not None or call.of(_NEEDS_ACCOUNT)):
        raise bad_parameter("AccountName and domainId must be specified together")
    if name is None:
        return call.account
    where = f"account {name} in domain {call.account.domain_id}"
    if call.account.admin:
        return account_named(call, name, f"Unable to find {where}")
    if name != call.account.name or domain is NO_OBJECT or domain.domain_id != call.account.domain_id:
        raise ApiError(ACCOUNT, f"Can't create/list resources for {where}, permission denied")
    return call.account


_NEEDS_ACCOUNT = Differs(True, False)  # whether `domainid` of a new object does


def account_named(call: Call, name: str, unknown: str) -> Account:
    """The account of this name, for any caller. Raises ApiError: 431 with the text `unknown`."""
    found, domain = call.store.account_named(name), call["domainid"]
    if found is None or domain is NO_OBJECT or (domain is not None and found.domain_id != domain.domain_id):
        raise bad_parameter(unknown)
    return found


def owners(call: Call) -> Test:
    """The test of a listing for the owner of an object: the account that asks, or the one that is named.

    Raises ApiError: 431 for an unknown account or domain, 531 for another's.
    """
    return call.of(_OWNERS)(call)


def _owners_3(call: Call) -> Test:
    """CloudStack 3: `domainid` without `account` shows the objects of all accounts of that domain, even to a plain account.

    This leak is the real server's.
    """
    name, domain = call["account"], call["domainid"]
    if domain is NO_OBJECT:
        raise bad_parameter("Unable to find domain by id")
    if name is not None:
        unknown = f"could not find account {name} in domain with specified id"
        account = account_named(call, name, unknown)
        check_access(call, account.name, account.label)
        return lambda one: one.owner == account.name
    if domain is not None or (call.account.admin and call["listall"]):
        return lambda one: True
    own = call.account.name
    return lambda one: one.owner == own


def _owners_4(call: Call) -> Test:
    """CloudStack 4: a plain account may name its own domain alone, which changes nothing.

    An administrator sees the objects of a domain, with `isrecursive` those of the domains below it too. Source of what
    an administrator sees: CloudStack 4's code.
    """
    caller, domain = call.account, call["domainid"]
    check_domain(call)
    if call["account"] is not None:
        return _named_4(call, domain or caller)
    if call["projectid"] is not None:  # only objects of projects, and there are none
        return lambda one: False
    if caller.admin and domain is not None:
        return _in_domain(call, domain)
    if caller.admin and (call["listall"] or call["id"] is not None):
        return lambda one: True
    return lambda one: one.owner == caller.name


def check_domain(call: Call) -> None:
    """Refuse an unknown domain (431), and one that is not the caller's (531). Administrators may name each domain."""
    domain = call["domainid"]
    if domain is NO_OBJECT:
        raise bad_parameter(f"Unable to find domain by id {domain.id}")
    if domain is not None and not call.account.admin and domain.domain_id != call.account.domain_id:
        where = f"domain id={domain.domain_id}"
        raise ApiError(ACCOUNT, f"Account {call.account.label} does not have permission to operate within {where}")


def _named_4(call: Call, domain: Account) -> Test:
    """The test for the account that `account` names in a domain."""
    name = call["account"]
    account = call.store.account_named(name)
    if account is None or account.domain_id != domain.domain_id:
        raise bad_parameter(f"Unable to find account by name {name} in domain {domain.domain_id}")
    check_access(call, account.name, account.label)
    return lambda one: one.owner == account.name


def _in_domain(call: Call, domain: Account) -> Test:
    """The test for the accounts of a domain, with `isrecursive` those below it too."""
    below = f"{domain.domain_path}/" if call["isrecursive"] else None
    names = {
        account.name
        for account in call.store.accounts.values()
        if account.domain_id == domain.domain_id or (below and account.domain_path.startswith(below))
    }
    return lambda one: one.owner in names


_OWNERS: Differs[Callable[[Call], Test]] = Differs(_owners_3, _owners_4)

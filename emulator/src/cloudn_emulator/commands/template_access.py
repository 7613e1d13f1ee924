# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may use and change a template, and the commands on that, as CloudStack 3.0.5 has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..calls import Call, done
from ..errors import ACCOUNT, ApiError, bad_parameter, internal
from ..generation import Differs
from ..models import NO_OBJECT, Account, Template
from ..wire import OnlyJson

OPERATIONS = ("add", "remove", "reset")


def is_usable(call: Call, template: Template) -> bool:
    """Whether the caller may launch machines of a template."""
    return template.public or call.account.admin or call.account.name in (template.owner, *template.launch)


def check_use(call: Call, template: Template) -> None:
    """Refuse (531) a template that the caller may not launch machines of."""
    if not is_usable(call, template):
        raise ApiError(
            ACCOUNT, f"{call.account.label} does not have permission to launch instances from {template.label}"
        )


def check_change(call: Call, template: Template) -> None:
    """Refuse (531) a template that the caller may not change: another account's public one, or one it may not launch.

    On the real server an account that may launch another's private template may also change it.
    """
    check_use(call, template)
    if template.public and template.owner != call.account.name and not call.account.admin:
        raise ApiError(ACCOUNT, "Domain Admin and regular users can modify only their own Public templates")


def existing(template: Any, unknown: str) -> Template:
    """A template that an id names. Raises ApiError (431, with this text) if it is deleted, or the id is -1."""
    if template is NO_OBJECT or template.removed:
        raise bad_parameter(unknown)
    return template


def _not_iso(template: Template) -> Template:
    if template.is_iso:
        raise bad_parameter("Please provide a valid template")
    return template


# --- permissions


def update_permissions(call: Call) -> dict[str, Any]:
    """updateTemplatePermissions: public, featured, and who may launch it (add, remove, reset, in any case)."""
    template = _not_iso(existing(call["id"], "unable to find  by template id"))
    names, op = call["accounts"], call["op"]
    _check_projects(call)
    check_change(call, template)
    if names is not None and (op is None or op.lower() not in OPERATIONS):
        raise bad_parameter(
            "Invalid operation on accounts, the operation must be either 'add' or 'remove' in order to modify launch "
            f"permissions.  Given operation is: '{'null' if op is None else op}'"
        )
    if call["isextractable"] is not None and not call.account.admin and call.of(_ONLY_ADMINISTRATORS_EXTRACT):
        raise bad_parameter("Only ROOT admins are allowed to modify this attribute.")
    _set_attributes(call, template)
    # As on the real server the attributes stay changed if this fails.
    _set_launch(call, template, (op or "").lower(), names)
    return done(call)


_ONLY_ADMINISTRATORS_EXTRACT = Differs(True, False)
# In XML CloudStack 3 leaves the accounts out.
_LISTED: Differs[Callable[[list[str]], list[str]]] = Differs(OnlyJson, list)


def _check_projects(call: Call) -> None:
    """Refuse projects: there are none."""
    if call["projectids"] is None:
        return
    if call["accounts"] is not None:
        raise bad_parameter("Accounts and projectIds can't be specified together")
    if call["projectids"]:
        raise bad_parameter("Unable to find project by id ")


def _set_attributes(call: Call, template: Template) -> None:
    if call["ispublic"] is not None:
        template.public = call["ispublic"]
    if call["isfeatured"] is not None:
        template.featured = call["isfeatured"]
    if call["isextractable"] is not None:
        template.extractable = call["isextractable"]


def _set_launch(call: Call, template: Template, op: str, names: list[str] | None) -> None:
    if op == "reset":
        template.public, template.featured, template.launch = False, False, []
    elif op in OPERATIONS:
        if names is None:
            raise internal()  # the real server does not check whether there are names
        change = _add_launch if op == "add" else _remove_launch
        change(call, template, names)


def _add_launch(call: Call, template: Template, names: list[str]) -> None:
    new = [_grantee(call, name) for name in names]
    template.launch = list(dict.fromkeys([*template.launch, *(one.name for one in new if one is not call.account)]))


def _grantee(call: Call, name: str) -> Account:
    account = call.store.account_named(name)
    if account is None or (account.domain_id != call.account.domain_id and not call.account.admin):
        raise bad_parameter(
            f"Unable to grant a launch permission to account {name}, account not found.  "
            "No permissions updated, please verify the account names and retry."
        )
    return account


def _remove_launch(call: Call, template: Template, names: list[str]) -> None:
    gone = [account.name for account in map(call.store.account_named, names) if account]
    template.launch = [name for name in template.launch if name not in gone]


def list_permissions(call: Call) -> dict[str, Any]:
    """listTemplatePermissions: the last account is the owner of a private one. XML leaves the accounts out.

    Everybody sees those of a public template: measured on CloudStack 3.0.5.
    """
    template = _not_iso(existing(call["id"], "unable to find template by template id"))
    check_use(call, template)
    view: dict[str, Any] = {"id": template.id, "ispublic": template.public}
    if call.account.admin:
        view["domainid"] = call.store.accounts[template.owner].domain_id
    names = [*template.launch] + ([] if template.public else [template.owner])
    if names:
        view["account"] = call.of(_LISTED)(names)
    return {"templatepermission": view}

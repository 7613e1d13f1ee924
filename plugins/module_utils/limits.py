# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Refusals for a limit: how many of something the account may have, has, and was to get, asked for after the refusal."""

from __future__ import annotations

import collections
import typing as t

from .api import ApiError, Client, CloudnError, Deadline, Record

# Error codes for limits, at once or of a job. Other commands than those below have 534 for other things too. Source:
# measured on CloudStack 3.0.5.
REFUSALS = (532, 534)
# Seconds for the question.
_FOR_A_LOOK = 10.0
_UNLIMITED = -1


class _Kind(t.NamedTuple):
    """What is limited: its name, the field of listAccounts, the number of listResourceLimits, and what else counts."""

    name: str
    field: str
    number: str
    also: str = ""


_MACHINES = _Kind("machine", "vm", "0", "Destroyed machines count until the service has expunged them. ")
_VOLUMES = _Kind("volume", "volume", "2", "Disks of destroyed machines count until the service has expunged these. ")
_SNAPSHOTS = _Kind("snapshot", "snapshot", "3")
_TEMPLATES = _Kind("template", "template", "4")
# What each command makes. A machine has a root disk, and a data disk where one is asked for.
_MADE = {
    "deployVirtualMachine": (_MACHINES, _VOLUMES),
    "createVolume": (_VOLUMES,),
    "uploadVolume": (_VOLUMES,),
    "createSnapshot": (_SNAPSHOTS,),
    "createTemplate": (_TEMPLATES,),
    "registerTemplate": (_TEMPLATES,),
    "uploadTemplate": (_TEMPLATES,),
    "copyTemplate": (_TEMPLATES,),
}


class _Amount(t.NamedTuple):
    """How many of a kind an account may have, and has, where that is known."""

    most: int
    used: int | None


def concerns(command: str | None, code: int | str | None) -> bool:
    """Tell whether a command may have been refused for a limit."""
    return code in REFUSALS and command in _MADE


def causes(client: Client, errors: t.Sequence[CloudnError]) -> dict[CloudnError, str]:
    """Return what the limit is of those errors that are refusals for one, in whole sentences, and what to do.

    Only after such a refusal one request is sent, for all of them, and a second one where the account lacks its command.
    Errors are left out where the answer does not show that a limit is reached, or there is none.
    """
    refused = [error for error in errors if isinstance(error, ApiError) and concerns(error.command, error.code)]
    amounts = _amounts(client) if refused else {}
    asked = collections.Counter((error.command, error.code) for error in refused)
    told = {error: _cause(error.command or "", asked[error.command, error.code], amounts) for error in refused}
    return {error: cause for error, cause in told.items() if cause}


def _cause(command: str, asked: int, amounts: t.Mapping[_Kind, _Amount]) -> str:
    """Return what is told of the first limit that the account has reached, of what a command makes."""
    for kind in _MADE[command]:
        amount = amounts.get(kind)
        disks = kind is _VOLUMES and command == "deployVirtualMachine"
        if amount is None or (amount.used is not None and amount.used + (2 if disks else 1) <= amount.most):
            continue
        used = "" if amount.used is None else f", {amount.used} {_is(amount.used)} used"
        wanted = "each machine takes one or two" if disks else f"{asked} more {_was(asked)} asked for"
        return (
            f"the account's limit is {amount.most} {_count(kind.name, amount.most)}{used}, and {wanted}. {kind.also}"
            f"Remove {kind.name}s, or ask who runs the service for a higher limit, and run the task again"
        )
    return ""


def _amounts(client: Client) -> dict[_Kind, _Amount]:
    """Return what the account may have and has. Nothing is kept of the rest of the answer, which holds its keys."""
    deadline = Deadline(_FOR_A_LOOK, client.clock)
    name, domain = client.scope["account"], client.scope["domainid"]
    try:
        found = client.call("listAccounts", {"name": name, "domainid": domain} if name else {}, deadline)
        return _of_account(next(iter(found.get("account", [])), {}))
    except ApiError:
        pass
    except CloudnError:
        return {}
    try:
        found = client.call("listResourceLimits", {"account": name, "domainid": domain} if name else {}, deadline)
    except CloudnError:
        return {}
    return _of_limits(found.get("resourcelimit", []))


def _of_account(account: Record) -> dict[_Kind, _Amount]:
    amounts = {}
    for kind in (_MACHINES, _VOLUMES, _SNAPSHOTS, _TEMPLATES):
        # Without a limit it is the word Unlimited.
        most, used = _number(account.get(f"{kind.field}limit")), _number(account.get(f"{kind.field}total"))
        if most is not None and used is not None and most != _UNLIMITED:
            amounts[kind] = _Amount(most, used)
    return amounts


def _of_limits(limits: t.Sequence[Record]) -> dict[_Kind, _Amount]:
    mosts = {str(limit.get("resourcetype")): _number(limit.get("max")) for limit in limits}
    known = {kind: mosts.get(kind.number) for kind in (_MACHINES, _VOLUMES, _SNAPSHOTS, _TEMPLATES)}
    return {kind: _Amount(most, None) for kind, most in known.items() if most is not None and most != _UNLIMITED}


def _number(value: t.Any) -> int | None:
    """Return a number, which the service writes as a text here and there; ``None`` for anything else."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _count(name: str, number: int) -> str:
    return name if number == 1 else f"{name}s"


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"

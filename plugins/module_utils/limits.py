# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits: asks how many objects the account may have and has, to explain a refusal, or before many are made."""

from __future__ import annotations

import collections
import typing as t

from .api import ApiError, Client, CloudnError, Deadline, Record
from .api.flawed import peek

# Error codes for limits, of a command or of its job. Commands that are not below have 534 for other reasons, too. Source:
# measured on CloudStack 3.0.5.
REFUSALS = (532, 534)
# Seconds for the request.
_FOR_A_LOOK = 10.0
_UNLIMITED = -1


class _Kind(t.NamedTuple):
    """Objects with a limit: their name, the prefix of their fields in listAccounts, their number in listResourceLimits.

    ``also`` tells which other objects count.
    """

    name: str
    field: str
    number: str
    also: str = ""


_MACHINES = _Kind("VM", "vm", "0", "Destroyed VMs count until the service has expunged them. ")
_VOLUMES = _Kind("volume", "volume", "2", "Disks of destroyed VMs count until the service has expunged these. ")
_SNAPSHOTS = _Kind("snapshot", "snapshot", "3")
_TEMPLATES = _Kind("template", "template", "4")
# The kinds of objects that each command makes. A machine has a root disk, and a data disk if the task wants one.
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
    """How many objects of a kind an account may have, and how many it has, if that is known."""

    most: int
    used: int | None

    def is_reached(self, more: int) -> bool:
        """Tell whether so many more objects are too many; also if it is not known how many there are."""
        return self.used is None or self.used + more > self.most


def concerns(command: str | None, code: int | str | None) -> bool:
    """Tell whether a limit may be the reason of a command's refusal."""
    return code in REFUSALS and command in _MADE


def causes(client: Client, errors: t.Sequence[CloudnError]) -> dict[CloudnError, str]:
    """Return a text for each error that is a refusal for a limit: the limit, and what to do.

    Without such errors no request is sent. Otherwise one request is for all of them, and a second one follows if the account
    lacks its command. Errors are left out if the answer shows no limit, or one that is not reached.
    """
    refused = [error for error in errors if isinstance(error, ApiError) and concerns(error.command, error.code)]
    amounts = _amounts(client) if refused else {}
    asked = collections.Counter((error.command, error.code) for error in refused)
    texts = {error: _cause(error.command or "", asked[error.command, error.code], amounts) for error in refused}
    return {error: text for error, text in texts.items() if text}


def check_room(client: Client, wanted: t.Mapping[str, int]) -> list[str]:
    """Return what the account has no room for: ``would need 12 VMs, 7 are free``. Empty: it has, or that is not known.

    ``wanted`` has commands that make objects, and how many of each are to be sent. Each machine counts as one disk, too: add a
    ``createVolume`` for each that is to have a data disk. Sends one request. An account that may not ask what it has
    (listAccounts) gets no text, as the limits alone do not say what is free.
    """
    needs: collections.Counter[_Kind] = collections.Counter()
    for command, number in wanted.items():
        needs.update(dict.fromkeys(_MADE.get(command, ()), number))
    amounts = (_account(client, Deadline(_FOR_A_LOOK, client.clock)) or {}) if any(needs.values()) else {}
    texts = []
    for kind, number in needs.items():
        amount = amounts.get(kind)
        if amount and amount.used is not None and amount.is_reached(number):
            free = max(0, amount.most - amount.used)
            nouns = kind.name if number == 1 else f"{kind.name}s"
            texts.append(f"would need {number} {nouns}, {free} {'is' if free == 1 else 'are'} free")
    return texts


def _cause(command: str, asked: int, amounts: t.Mapping[_Kind, _Amount]) -> str:
    """Return the text for the first limit of a command's objects that the account has reached."""
    for kind in _MADE[command]:
        amount = amounts.get(kind)
        disks = kind is _VOLUMES and command == "deployVirtualMachine"
        if amount and amount.is_reached(2 if disks else 1):
            more = f"{asked} more {'was' if asked == 1 else 'were'} asked for"
            return _describe(kind, amount, "each VM takes one or two" if disks else more)
    return ""


def _describe(kind: _Kind, amount: _Amount, wanted: str) -> str:
    """Return a limit, what the task wanted, and what to do."""
    noun = kind.name if amount.most == 1 else f"{kind.name}s"
    used = "" if amount.used is None else f", {amount.used} {'is' if amount.used == 1 else 'are'} used"
    return (
        f"the account's limit is {amount.most} {noun}{used}, and {wanted}. {kind.also}"
        f"Remove {kind.name}s, or ask the operator of the service for a higher limit, and run the task again"
    )


def _amounts(client: Client) -> dict[_Kind, _Amount]:
    """Return how many objects the account may have and, if that is known, has."""
    deadline = Deadline(_FOR_A_LOOK, client.clock)
    amounts = _account(client, deadline)
    if amounts is not None:
        return amounts
    name, domain = client.scope["account"], client.scope["domainid"]
    try:
        found = client.call("listResourceLimits", {"account": name, "domainid": domain} if name else {}, deadline)
    except CloudnError:
        return {}
    return _of_limits(found.get("resourcelimit", []))


def _account(client: Client, deadline: Deadline) -> dict[_Kind, _Amount] | None:
    """Return how many objects the account may have and has. ``None``: the service refuses to say.

    The rest of the answer is dropped, as it holds the account's keys.
    """
    name, domain = client.scope["account"], client.scope["domainid"]
    try:
        found = client.call("listAccounts", {"name": name, "domainid": domain} if name else {}, deadline)
    except ApiError:
        return None
    except CloudnError:
        return {}
    return _of_account(next(iter(found.get("account", [])), {}))


def _of_account(account: Record) -> dict[_Kind, _Amount]:
    amounts = {}
    for kind in (_MACHINES, _VOLUMES, _SNAPSHOTS, _TEMPLATES):
        # The word Unlimited stands for no limit.
        most, used = _number(account.get(f"{kind.field}limit")), _number(account.get(f"{kind.field}total"))
        if most is not None and used is not None and most != _UNLIMITED:
            amounts[kind] = _Amount(most, used)
    return amounts


def _of_limits(limits: t.Sequence[Record]) -> dict[_Kind, _Amount]:
    mosts = {str(peek(limit, "resourcetype")): _number(limit.get("max")) for limit in limits}
    known = {kind: mosts.get(kind.number) for kind in (_MACHINES, _VOLUMES, _SNAPSHOTS, _TEMPLATES)}
    return {kind: _Amount(most, None) for kind, most in known.items() if most is not None and most != _UNLIMITED}


def _number(value: t.Any) -> int | None:
    """Return a number, or ``None`` for anything else. The service writes some numbers as texts."""
    try:
        return int(value)
    except (TypeError, ValueError):
        return None

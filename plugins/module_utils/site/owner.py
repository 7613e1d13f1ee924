# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects belong to a site: only they are changed and removed."""

from __future__ import annotations

from ..api import Record, UsageError
from ..reconcile import Plan
from ..resources import tags
from ..resources.names import folded
from .options import KEY_PAIR, TAG, VM

# Steps that take nothing away from an object. An object may be adopted if its plan has no others: a run that was killed has
# left an object to which they are still to be done.
_ADDING = ("createTags", "authorizeSecurityGroupIngress", "authorizeSecurityGroupEgress", "attachVolume")


def owner_of(record: Record) -> str | None:
    """Return the name of the site that an object belongs to, ``None`` if it belongs to none."""
    own = {folded(key): value for key, value in tags.to_result(record).items()}
    return own.get(folded(TAG))


def check(kind: str, plan: Plan, site: str, adopt: bool) -> None:
    """Raise ``UsageError`` if a declared object exists and is not the site's. Key pairs have no tags: their names decide.

    ``plan`` is the plan for the object. With ``adopt``, an object of no site is taken if the plan takes nothing away from it.
    """
    record = plan.found
    if kind == KEY_PAIR or not isinstance(record, dict):
        return
    owner = owner_of(record)
    if owner == site:
        return
    which = f"the {'VM' if kind == VM else kind.replace('_', ' ')} {plan.name} ({record.get('id')})"
    if owner is not None:
        raise UsageError(
            f"name: {which} belongs to the site {owner!r} (tag {TAG}), not to {site!r}. Use another name, or remove it from that site"
        )
    if not adopt:
        raise UsageError(
            f"name: {which} exists, and carries no tag {TAG}, so it is not the site's. Use another name. If the site shall "
            "take it over, for example because a run was killed before it set the tag, set adopt: true"
        )
    others = [step.text for step in plan.steps if not (step.until or step.command in _ADDING)]
    if others:
        raise UsageError(
            f"name: {which} can't be adopted, as it differs from what is declared ({'; '.join(others)}). Correct the declaration "
            "or the object"
        )


def left(kind: str, record: Record, reason: str) -> Record:
    """Return what the result says of an object that stays."""
    return {"kind": kind, "name": record.get("name"), "id": record.get("id"), "reason": reason}


def described(record: Record, site: str) -> str:
    """Return why an object of a declared name is not removed."""
    owner = owner_of(record)
    whose = f"belongs to the site {owner!r}" if owner else "belongs to no site"
    return f"it carries no tag {TAG}={site}: it {whose}. If nobody needs it, remove it with its own module"

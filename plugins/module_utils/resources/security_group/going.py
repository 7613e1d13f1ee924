# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups that go together with other objects, as plans for the driver, and what remains to be done after it.

The caller knows what else goes. Before the run it asks ``users`` or ``foresee``, after it ``left`` or ``await_expunged``.
"""

from __future__ import annotations

import typing as t

from ...api import Client, CloudnError, Deadline, Record
from ...reconcile import THIS, Found, Plan, Progress, Resource, Step, Task, no_lookups
from ..lookup import check_text, same_name
from . import view as security_group
from .held import Going, Groups, Left, leave_planned, revoke_all, settle
from .plan import CLEAR, kind, to_result


def _find(task: Task) -> Found:
    """Return the group by its name or id."""
    name = task.options["name"]
    return {name: security_group.find(task.client, (task.failed and task.failed.id) or name)}


def _plan(task: Task, wanted: str, record: Record | None, _lookups: Record) -> Plan:
    """Return the plan that deletes a group, and before it all its rules that name groups.

    The service keeps the group ``default`` in every account, so its plan is empty.
    """
    made = _going(record, wanted)
    if record is not None and not made.stages:
        task.warnings.append(f"{made.name} was not deleted: the service keeps it in every account")
    return made


def _going(record: Record | None, wanted: str) -> Plan:
    if record is None:
        return Plan(wanted, None, [])
    name = record["name"]
    before = {"state": "present", "id": record["id"]}
    if same_name(name, "default"):
        return Plan(name, record, [], before, dict(before))
    clear = [step._replace(point=CLEAR) for step in revoke_all(record, name)]
    delete = Step(f"{name}: delete", "deleteSecurityGroup", {"id": THIS})
    return Plan(name, record, [clear, [delete]], before, {"state": "absent"})


GOING = Resource(check_text, _find, no_lookups, _plan, to_result, kind=kind)


def users(client: Client, plans: t.Iterable[Plan], going: Going) -> dict[str, str]:
    """Return, by the ids of groups, what uses them and does not go, as text. Groups that nothing else uses are left out.

    Their plans would take rules from a group in use, and then fail. Two listings serve for all groups. Raises
    ``CloudnError`` if it can't be known.
    """
    groups = _listings(client)
    found = {str(plan.found["id"]): groups.holders(plan.found, going).live for plan in _deleting(plans) if plan.found}
    return {group_id: text for group_id, text in found.items() if text}


def foresee(client: Client, plans: t.Iterable[Plan], going: Going, waits: bool = False) -> Left:
    """Change plans in check mode to what the service would do, and return what would be left.

    A group that only destroyed machines would hold keeps its place, and loses its rules that name groups, unless the run
    ``waits`` for them. Two listings serve for all groups.
    """
    groups, said = _listings(client), Left([], [])
    for plan in _deleting(plans):
        record = plan.found or {}
        try:
            holders = groups.holders(record, going)
        except CloudnError as error:
            said.not_known(plan.name, error)
            continue
        if client.planned:
            earlier = client.planned.holders(str(record["id"]))
            holders = holders._replace(destroyed=sorted({*holders.destroyed, *earlier}))
        said.foresee(plan.name, holders, waits)
        if holders.destroyed and not (holders.live or waits):
            leave_planned(plan, holders, said)
    return said


def left(client: Client, progresses: list[Progress], deadline: Deadline) -> Left:
    """Find out what holds the groups that the service did not delete (536). Live holders are added to their errors.

    A group that nothing live holds is left: that is no error, and its actions and its diff say that only its rules that name
    groups went.
    """
    said = Left([], [])
    settle(_listings(client, deadline), progresses, False, said)
    return said


def await_expunged(client: Client, progresses: list[Progress], deadline: Deadline) -> None:
    """Try to delete these groups again until the machines that hold them are expunged.

    A live holder, and the end of the time, are errors.
    """
    settle(_listings(client, deadline), progresses, True, Left([], []))


def _listings(client: Client, deadline: Deadline | None = None) -> Groups:
    return Groups(client, deadline or Deadline(None), _going)


def _deleting(plans: t.Iterable[Plan]) -> list[Plan]:
    return [plan for plan in plans if any(step.command == "deleteSecurityGroup" for step in plan.steps)]

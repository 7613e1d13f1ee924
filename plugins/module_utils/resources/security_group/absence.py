# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups that shall be absent: deletes them, and finds, reports or waits for what still holds them."""

from __future__ import annotations

from ...api import Client, CloudnError, Deadline, Record, UsageError
from ...reconcile import THIS, Plan, Progress, Report, Step
from ..lookup import same_name
from .held import Groups, Left, leave, naming, revoke, settle
from .named import settled
from .plan import to_result
from .view import find


def ensure(client: Client, options: Record, check: bool) -> Report:
    """Delete a security group, or with ``check`` report what would be done. ``left`` of the result: it can't be deleted yet.

    Raises ``UsageError`` if it can't be done.
    """
    groups = Groups(client, Deadline(options["wait_timeout"], client.clock), plan, options["wait"])
    record = find(client, options["name"]) if check else settled(client, lambda: find(client, options["name"]))
    progress = Progress(plan(record, options["name"]))
    said = Left([], [])
    if record is not None and check:
        _foresee(progress, options["wait_for_expunge"], groups, said)
    elif record is not None:
        # Rules that name the group itself serve its machines, so they are deleted only if nothing live holds it.
        live = groups.holders(record).live if len(progress.plan.stages) > 1 else ""
        if live:
            message = f"deleteSecurityGroup: not sent, as {progress.name} is used by {live}. Nothing was changed"
            progress.fail(CloudnError(message, "deleteSecurityGroup"))
        else:
            groups.apply([progress])
            groups.look_again()
            settle(groups, [progress], options["wait_for_expunge"], said)
    return Report([progress], to_result, check, said.warnings, {"left": said.left})


def _foresee(progress: Progress, waits: bool, groups: Groups, said: Left) -> None:
    """Report what holds the group now.

    If nothing live holds it, later tasks in check mode of this run see what would be left.
    """
    planned = groups.client.planned
    try:
        holders = groups.holders(progress.object)
    except CloudnError as error:
        said.not_known(progress.name, error)
        return
    if planned:
        holders = holders._replace(destroyed=sorted({*holders.destroyed, *planned.holders(str(progress.id))}))
    said.foresee(progress.name, holders, waits)
    if holders.destroyed and not (holders.live or waits):
        leave(progress, holders, said)
    if planned and not holders.live:
        planned.note([progress])


def plan(record: Record | None, wanted: str) -> Plan:
    """Return the plan that deletes a group, and before it the rules by which it holds itself.

    ``wanted`` is the name in the options. Raises ``UsageError`` for the group ``default``.
    """
    if record is None:
        return Plan(wanted, None, [])
    name = record["name"]
    if same_name(name, "default"):
        raise UsageError("name: the group default can't be deleted; the service keeps it in every account")
    delete = Step(f"{name}: delete", "deleteSecurityGroup", {"id": THIS})
    stages = [revoke(name, naming(record, record)), [delete]]
    return Plan(name, record, stages, {"state": "present", "id": record["id"]}, {"state": "absent"})

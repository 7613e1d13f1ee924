# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups that shall be absent: deletes them, and finds, reports or waits for what still holds them."""

from __future__ import annotations

import typing as t

from ...api import Client, CloudnError, Deadline, Record, UsageError
from ...api.deadline import poll
from ...reconcile import THIS, Plan, Progress, Report, Step
from ..lookup import same_name
from ..vm import lost as vm_lost
from ..vm import view as vm
from . import rules
from .named import settled
from .plan import revocations, texts, to_result
from .rules import DIRECTIONS
from .view import find, search

_IN_USE = 536
# Seconds between two tries to delete a group: half of the seconds waited so far, within these limits.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_UNSEEN = "a destroyed virtual machine, until the service has expunged it, or a rule in a group of another account"


class Holders(t.NamedTuple):
    """The names of what holds a group: live machines, other groups with rules for it, listed destroyed machines."""

    machines: list[str]
    groups: list[str]
    destroyed: list[str]

    @property
    def live(self) -> str:
        """The holders that a user can remove, as text. Empty: there are none."""
        users = [f"virtual machines {', '.join(self.machines)}"] if self.machines else []
        users += [f"rules of {', '.join(self.groups)}"] if self.groups else []
        return " and by ".join(users)

    @property
    def destroyed_text(self) -> str:
        """What holds a group without live holders, as text. A plain account does not see destroyed machines."""
        if not self.destroyed:
            return _UNSEEN
        return f"the destroyed virtual machine {', '.join(self.destroyed)}, until the service has expunged it"


class _Groups:
    """The groups of the last listing. One listing serves for the group and for those whose rules name it."""

    def __init__(self, client: Client, deadline: Deadline, wait: bool) -> None:
        self.client = client
        self.deadline = deadline
        self.listed: list[Record] | None = None
        self._wait = wait

    def apply(self, progress: Progress, replan: t.Callable[[Progress], Plan]) -> None:
        """Apply a plan, if it has steps."""
        if progress.plan.stages:
            # Here, as few runs need them.
            from ...reconcile.apply import Bounds
            from ...reconcile.recover import apply_until_clear

            apply_until_clear(self.client, [progress], self.deadline, replan, bounds=Bounds(wait=self._wait))

    def replan(self, progress: Progress) -> Plan:
        """List the groups again, and make a new plan."""
        self.listed = search(self.client)
        return plan(next((group for group in self.listed if group["id"] == progress.id), None), progress.name)

    def holders(self, record: Record) -> Holders:
        """Return what holds a group."""
        if self.listed is None:
            self.listed = search(self.client)
        holders: tuple[list[str], list[str], list[str]] = ([], [], [])
        machines, groups, destroyed = holders
        for machine in vm.search(self.client, {}):
            if any(group.get("id") == record["id"] for group in self._of(machine)):
                names = destroyed if machine.get("state") in vm.GONE else machines
                names.append(str(machine.get("name", machine["id"])))
        for group in self.listed:
            if group["id"] != record["id"] and any(_naming(group, record).values()):
                groups.append(str(group.get("name", group["id"])))
        return Holders(*map(sorted, holders))

    def _of(self, machine: Record) -> list[Record]:
        """Return the groups of a machine. A machine that the service can't show in full may lack them, see ``vm.lost``."""
        if "securitygroup" not in machine and vm_lost.LOST_KEY in machine:
            return search(self.client, {"virtualmachineid": machine["id"]})
        return machine.get("securitygroup") or []


def ensure(client: Client, options: Record, check: bool) -> Report:
    """Delete a security group, or with ``check`` report what would be done. ``left`` of the result: it can't be deleted yet.

    Raises ``UsageError`` if it can't be done.
    """
    groups = _Groups(client, Deadline(options["wait_timeout"], client.clock), options["wait"])
    record = find(client, options["name"]) if check else settled(client, lambda: find(client, options["name"]))
    progress = Progress(plan(record, options["name"]))
    warnings: list[str] = []
    left: list[Record] = []
    if record is not None and check:
        _foresee(progress, options, groups, warnings, left)
    elif record is not None:
        # Rules that name the group itself serve its machines, so they are deleted only if nothing live holds it.
        live = groups.holders(record).live if len(progress.plan.stages) > 1 else ""
        if live:
            message = f"deleteSecurityGroup: not sent, as {progress.name} is used by {live}. Nothing was changed"
            progress.fail(CloudnError(message, "deleteSecurityGroup"))
        else:
            _delete(progress, options, groups, warnings, left)
    return Report([progress], to_result, check, warnings, {"left": left})


def _foresee(progress: Progress, options: Record, groups: _Groups, warnings: list[str], left: list[Record]) -> None:
    """Report what holds the group now. It is no error, as a task before this one may change it.

    If nothing live holds it, later tasks in check mode of this run see what would be left.
    """
    planned = groups.client.planned
    try:
        holders = groups.holders(progress.object)
    except CloudnError as error:
        warnings.append(f"It is not known what uses {progress.name}: {error.message}")
        return
    if planned:
        holders = holders._replace(destroyed=sorted({*holders.destroyed, *planned.holders(str(progress.id))}))
    if holders.live:
        warnings.append(f"{progress.name} is used by {holders.live}; the service deletes it only after these are gone")
    elif holders.destroyed and options["wait_for_expunge"]:
        warnings.append(f"{progress.name} is held by {holders.destroyed_text}; the task waits for that")
    elif holders.destroyed:
        _leave(progress, holders, warnings, left)
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
    own = _naming(record, record)
    delete = Step(f"{name}: delete", "deleteSecurityGroup", {"id": THIS})
    stages = [_revoke(name, own), [delete]]
    return Plan(name, record, stages, {"state": "present", "id": record["id"]}, {"state": "absent"})


def _naming(group: Record, named: Record) -> dict[str, list[Record]]:
    """Return by direction the rules of a group that name the group ``named``, which may be itself."""

    def names_it(raw: Record) -> bool:
        name, account = rules.source(raw)
        return bool(name) and same_name(name, named.get("name")) and same_name(account, named.get("account"))

    return {direction: list(filter(names_it, rules.listed(group, direction))) for direction in DIRECTIONS}


def _revoke(name: str, some: dict[str, list[Record]]) -> list[Step]:
    return [step for direction, raws in some.items() for step in revocations(name, direction, raws)]


def _delete(progress: Progress, options: Record, groups: _Groups, warnings: list[str], left: list[Record]) -> None:
    """Apply the plan. If the service refuses it, find out what holds the group."""
    held_by = ""

    def describe() -> str:
        return f"{progress.name} is held by {held_by}" if held_by else ""

    for _look in poll(groups.client, groups.deadline, _pause, describe):
        if progress.error:
            progress.resume(plan(progress.object, progress.name))
        groups.apply(progress, groups.replan)
        if progress.error is None or progress.error.code != _IN_USE:
            return
        try:
            holders = groups.holders(progress.object)
        except CloudnError as error:
            progress.error.message += f". It is not known what uses it: {error.message}"
            return
        if holders.live:
            progress.error.message += f". It is used by {holders.live}"
            return
        if not options["wait_for_expunge"]:
            break
        held_by = holders.destroyed_text
    else:
        if progress.error:
            progress.error.message += f". It is held by {holders.destroyed_text}"
        return
    _leave(progress, holders, warnings, left)
    groups.apply(progress, lambda _progress: _rules_left(groups.client, progress))


def _pause(waited: float) -> float:
    return min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited / 2))


def _leave(progress: Progress, holders: Holders, warnings: list[str], left: list[Record]) -> None:
    """Leave a group that can't be deleted yet, but plan to revoke its rules that name groups: it shall hold no other group.

    Nothing live is in the group, so nobody misses these rules.
    """
    name = progress.name
    left.append({"name": name, "id": progress.id, "held_by": holders.destroyed_text})
    way_out = "Run the task again later, or set wait_for_expunge: true"
    warnings.append(f"{name} was not deleted: it is held by {holders.destroyed_text}. {way_out}")
    was, rest = progress.found or {}, _rest(progress.object, name)
    done = [action for action in progress.actions if action != f"{name}: delete"]
    progress.actions = done + [action for action in rest.actions if action not in done]
    progress.plan.after = dict(progress.plan.before)
    for direction in DIRECTIONS:
        before = [rules.parse(raw) for raw in rules.listed(was, direction)]
        if any(rule.group for rule in before):
            progress.plan.before[direction] = texts(before)
            progress.plan.after[direction] = texts(rule for rule in before if not rule.group)
    progress.resume(rest)


def _rest(group: Record, name: str) -> Plan:
    """Return the plan that revokes the rules of a group that name groups."""
    some = {way: [raw for raw in rules.listed(group, way) if rules.source(raw)[0]] for way in DIRECTIONS}
    return Plan(name, group, [_revoke(name, some)])


def _rules_left(client: Client, progress: Progress) -> Plan:
    """List the group again, and return the plan that revokes its rules that name groups. A deleted group has none."""
    found = search(client, {"id": progress.id})
    return _rest(found[0] if found else {"id": progress.id}, progress.name)

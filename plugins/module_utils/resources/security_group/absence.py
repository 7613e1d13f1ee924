# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups that shall go: what holds one is found, made to let go, told, or waited for."""

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
# Seconds between two tries to delete a group that is held: half of those waited so far, within these limits.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_UNSEEN = "a destroyed virtual machine, until the service has expunged it, or a rule in a group of another account"


class Holders(t.NamedTuple):
    """Who holds a group, by name: live machines, other groups that have rules for it, destroyed machines that are listed."""

    machines: list[str]
    groups: list[str]
    destroyed: list[str]

    @property
    def live(self) -> str:
        """The holders that somebody can do something about, for people; empty where there are none."""
        users = [f"virtual machines {', '.join(self.machines)}"] if self.machines else []
        users += [f"rules of {', '.join(self.groups)}"] if self.groups else []
        return " and by ".join(users)

    @property
    def passing(self) -> str:
        """What must hold a group that nothing live holds, for people. A plain account does not see destroyed machines."""
        if not self.destroyed:
            return _UNSEEN
        return f"the destroyed virtual machine {', '.join(self.destroyed)}, until the service has expunged it"


class _Groups:
    """The groups as they were last looked at, so that one listing serves for the group and for those whose rules name it."""

    def __init__(self, client: Client, deadline: Deadline, wait: bool) -> None:
        self.client = client
        self.deadline = deadline
        self.listed: list[Record] | None = None
        self._wait = wait

    def apply(self, progress: Progress, replan: t.Callable[[Progress], Plan]) -> None:
        """Do what a plan holds."""
        if progress.plan.stages:
            from ...reconcile.recover import apply_until_clear  # here, as few runs need it

            apply_until_clear(self.client, [progress], self.deadline, replan, wait=self._wait)

    def replan(self, progress: Progress) -> Plan:
        """Look again, and plan anew."""
        self.listed = search(self.client)
        return plan(next((group for group in self.listed if group["id"] == progress.id), None), progress.name)

    def holders(self, record: Record) -> Holders:
        """Return who holds a group."""
        if self.listed is None:
            self.listed = search(self.client)
        machines = [
            machine
            for machine in vm.search(self.client, {})
            if any(group.get("id") == record["id"] for group in self._of(machine))
        ]
        return Holders(
            sorted(str(one.get("name", one["id"])) for one in machines if one.get("state") not in vm.GONE),
            sorted(
                str(group.get("name", group["id"]))
                for group in self.listed
                if group["id"] != record["id"] and any(_naming(group, record).values())
            ),
            sorted(str(one.get("name", one["id"])) for one in machines if one.get("state") in vm.GONE),
        )

    def _of(self, machine: Record) -> list[Record]:
        """Return the groups of a machine. One that the service can't show in full may come without them, see ``vm_rescue``."""
        if "securitygroup" not in machine and vm_lost.LOST_KEY in machine:
            return search(self.client, {"virtualmachineid": machine["id"]})
        return machine.get("securitygroup") or []


def ensure(client: Client, options: Record, check: bool) -> Report:
    """Delete a security group, or with ``check`` tell what would be done. One that can't go yet is told as ``left``.

    Raises ``UsageError`` for what can't be done.
    """
    groups = _Groups(client, Deadline(options["wait_timeout"], client.clock), options["wait"])
    record = find(client, options["name"]) if check else settled(client, lambda: find(client, options["name"]))
    progress = Progress(plan(record, options["name"]))
    warnings: list[str] = []
    left: list[Record] = []
    if record is None:
        return _report(progress, check, warnings, left)
    if check:
        _foresee(progress, options, groups, warnings, left)
        return _report(progress, check, warnings, left)
    # Rules that name the group itself serve its machines, so they go only where nothing live holds it.
    live = groups.holders(record).live if len(progress.plan.stages) > 1 else ""
    if live:
        message = f"deleteSecurityGroup: not sent, as {progress.name} is used by {live}. Nothing was changed"
        progress.fail(CloudnError(message, "deleteSecurityGroup"))
    else:
        _delete(progress, options, groups, warnings, left)
    return _report(progress, check, warnings, left)


def _foresee(progress: Progress, options: Record, groups: _Groups, warnings: list[str], left: list[Record]) -> None:
    """Tell what can be known before: who holds the group now. A task before this one may change that, so it is no error."""
    try:
        holders = groups.holders(progress.object)
    except CloudnError as error:
        warnings.append(f"Who uses {progress.name} could not be looked at: {error.message}")
        return
    if holders.live:
        warnings.append(f"{progress.name} is used by {holders.live}; the service deletes it only when these are gone")
    elif holders.destroyed and not options["wait_for_expunge"]:
        _leave(progress, holders, warnings, left)


def _report(progress: Progress, check: bool, warnings: list[str], left: list[Record]) -> Report:
    return Report([progress], to_result, check, warnings, {"left": left})


def plan(record: Record | None, wanted: str) -> Plan:
    """Return the plan that deletes a group, and first the rules by which it holds itself.

    ``wanted`` is what it is called where it is not there. Raises ``UsageError`` for the group that the service keeps.
    """
    if record is None:
        return Plan(wanted, None, [])
    name = record["name"]
    if same_name(name, "default"):
        raise UsageError("name: the group default can't be deleted; the service keeps one in every account")
    own = _naming(record, record)
    delete = Step(f"{name}: delete", "deleteSecurityGroup", {"id": THIS})
    stages = [_revoke(name, own), [delete]]
    return Plan(name, record, stages, {"state": "present", "id": record["id"]}, {"state": "absent"})


def _naming(group: Record, named: Record) -> dict[str, list[Record]]:
    """Return the rules of a group that name another, or itself, by direction."""
    return {
        direction: [
            raw
            for raw in rules.listed(group, direction)
            if rules.parse(raw).group
            and same_name(rules.parse(raw).group, named.get("name"))
            and same_name(rules.parse(raw).account, named.get("account"))
        ]
        for direction in DIRECTIONS
    }


def _revoke(name: str, some: dict[str, list[Record]]) -> list[Step]:
    return [step for direction, raws in some.items() for step in revocations(name, direction, raws)]


def _delete(progress: Progress, options: Record, groups: _Groups, warnings: list[str], left: list[Record]) -> None:
    """Send what the plan holds, and where the service refuses it, find out what holds the group."""
    for _look in poll(groups.client, groups.deadline, _pause):
        if progress.error:
            progress.resume(plan(progress.object, progress.name))
        groups.apply(progress, groups.replan)
        if progress.error is None or progress.error.code != _IN_USE:
            return
        try:
            holders = groups.holders(progress.object)
        except CloudnError as error:
            progress.error.message += f". Who uses it could not be looked at: {error.message}"
            return
        if holders.live:
            progress.error.message += f". It is used by {holders.live}"
            return
        if not options["wait_for_expunge"]:
            break
    else:
        if progress.error:
            progress.error.message += f". It is held by {holders.passing}"
        return
    _leave(progress, holders, warnings, left)
    groups.apply(progress, lambda _progress: _rules_left(groups.client, progress))


def _pause(waited: float) -> float:
    return min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited / 2))


def _leave(progress: Progress, holders: Holders, warnings: list[str], left: list[Record]) -> None:
    """Let a group that can't go yet stay, but for its rules that name groups: it shall hold no other one.

    Nothing live is in it, so nobody misses these rules.
    """
    name = progress.name
    left.append({"name": name, "id": progress.id, "held_by": holders.passing})
    warnings.append(
        f"{name} was not deleted: it is held by {holders.passing}. Run the task again when that is over, or have it waited "
        "for (wait_for_expunge: true)"
    )
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
    some = {
        direction: [raw for raw in rules.listed(group, direction) if rules.parse(raw).group] for direction in DIRECTIONS
    }
    return Plan(name, group, [_revoke(name, some)])


def _rules_left(client: Client, progress: Progress) -> Plan:
    """Look again which rules of a group that stays name groups; one that has gone meanwhile has none."""
    found = search(client, {"id": progress.id})
    return _rest(found[0] if found else {"id": progress.id}, progress.name)

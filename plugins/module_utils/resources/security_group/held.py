# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups that the service does not delete: what holds them, how to wait for that, and what goes anyway."""

from __future__ import annotations

import typing as t

from ...api import Client, CloudnError, Deadline, Record
from ...api.deadline import poll
from ...reconcile import Plan, Progress, Step
from ..lookup import same_name
from ..vm import lost as vm_lost
from ..vm import view as vm
from . import rules
from .plan import revocations, texts
from .rules import DIRECTIONS
from .view import search

_IN_USE = 536
# Seconds between two tries to delete a group: half of the seconds waited so far, within these limits.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_UNSEEN = "a destroyed VM, until the service has expunged it, or a rule in a group of another account"


class Holders(t.NamedTuple):
    """The names of what holds a group: live machines, other groups with rules for it, listed destroyed machines."""

    machines: list[str]
    groups: list[str]
    destroyed: list[str]

    @property
    def live(self) -> str:
        """The holders that a user can remove, as text. Empty: there are none."""
        users = [f"VMs {', '.join(self.machines)}"] if self.machines else []
        users += [f"rules of {', '.join(self.groups)}"] if self.groups else []
        return " and by ".join(users)

    @property
    def destroyed_text(self) -> str:
        """What holds a group without live holders, as text. A plain account does not see destroyed machines."""
        if not self.destroyed:
            return _UNSEEN
        if len(self.destroyed) > 1:
            return f"the destroyed VMs {', '.join(self.destroyed)}, until the service has expunged them"
        return f"the destroyed VM {self.destroyed[0]}, until the service has expunged it"


class Going(t.NamedTuple):
    """What goes in the same run: the ids of groups, and those of machines that are destroyed or expunged."""

    groups: t.Collection[str] = ()
    destroyed: t.Collection[str] = ()
    expunged: t.Collection[str] = ()


class Left(t.NamedTuple):
    """What is said of groups that can't be deleted yet: an entry of the result's ``left`` for each, and warnings."""

    left: list[Record]
    warnings: list[str]

    def add(self, name: str, group_id: str | None, holders: Holders) -> None:
        """Say that a group is left."""
        self.left.append({"name": name, "id": group_id, "held_by": holders.destroyed_text})
        way_out = "Run the task again later, or set wait_for_expunge: true"
        self.warnings.append(f"{name} was not deleted: it is held by {holders.destroyed_text}. {way_out}")

    def not_known(self, name: str, error: CloudnError) -> None:
        """Say that nobody knows what uses a group."""
        self.warnings.append(f"It is not known what uses {name}: {error.message}")

    def foresee(self, name: str, holders: Holders, waits: bool) -> None:
        """Say what would keep a group from being deleted. It is no error, as a task before this one may change it."""
        if holders.live:
            self.warnings.append(f"{name} is used by {holders.live}; the service deletes it only after these are gone")
        elif holders.destroyed and waits:
            self.warnings.append(f"{name} is held by {holders.destroyed_text}; the task waits for that")


class Groups:
    """The groups and machines of the last listings. One listing serves for several groups, and for those whose rules name them.

    ``make_plan(record, name)`` returns the plan that deletes a group.
    """

    def __init__(
        self,
        client: Client,
        deadline: Deadline,
        make_plan: t.Callable[[Record | None, str], Plan],
        wait: bool = True,
    ) -> None:
        self.client = client
        self.deadline = deadline
        self.make_plan = make_plan
        self._wait = wait
        self._listed: list[Record] | None = None
        self._machines: list[tuple[Record, set[t.Any]]] | None = None

    def apply(self, progresses: list[Progress], replan: t.Callable[[Progress], Plan] | None = None) -> None:
        """Apply the plans that have steps."""
        pending = [one for one in progresses if one.plan.stages]
        if pending:
            # Here, as few runs need them.
            from ...reconcile.apply import Bounds
            from ...reconcile.recover import apply_until_clear

            bounds = Bounds(wait=self._wait)
            apply_until_clear(self.client, pending, self.deadline, replan or self._replan, bounds=bounds)

    def _replan(self, progress: Progress) -> Plan:
        """List the groups again, and make a new plan."""
        self._listed = search(self.client)
        found = next((group for group in self._listed if group["id"] == progress.id), None)
        return self.make_plan(found, progress.name)

    def holders(self, record: Record, going: Going = Going()) -> Holders:  # noqa: B008
        """Return what holds a group. What goes in the same run does not count as live."""
        if self._listed is None:
            self._listed = search(self.client)
        if self._machines is None:
            self._machines = [(one, self._groups_of(one)) for one in vm.search(self.client, {})]
        holders: tuple[list[str], list[str], list[str]] = ([], [], [])
        machines, groups, destroyed = holders
        for machine, own in self._machines:
            if record["id"] in own and machine["id"] not in going.expunged:
                is_gone = machine.get("state") in vm.GONE or machine["id"] in going.destroyed
                (destroyed if is_gone else machines).append(str(machine.get("name", machine["id"])))
        for group in self._listed:
            if group["id"] not in (record["id"], *going.groups) and any(naming(group, record).values()):
                groups.append(str(group.get("name", group["id"])))
        return Holders(*map(sorted, holders))

    def look_again(self) -> None:
        """List the machines anew when somebody asks for them next."""
        self._machines = None

    def _groups_of(self, machine: Record) -> set[t.Any]:
        """Return the ids of a machine's groups. A machine that the service can't show in full may lack them, see ``vm.lost``."""
        groups = machine.get("securitygroup") or []
        if "securitygroup" not in machine and vm_lost.LOST_KEY in machine:
            groups = search(self.client, {"virtualmachineid": machine["id"]})
        return {group.get("id") for group in groups}


def naming(group: Record, named: Record) -> dict[str, list[Record]]:
    """Return by direction the rules of a group that name the group ``named``, which may be itself."""

    def names_it(raw: Record) -> bool:
        name, account = rules.source(raw)
        return bool(name) and same_name(name, named.get("name")) and same_name(account, named.get("account"))

    return {direction: list(filter(names_it, rules.listed(group, direction))) for direction in DIRECTIONS}


def revoke(name: str, some: dict[str, list[Record]]) -> list[Step]:
    """Return the steps that revoke rules, which are given by direction."""
    return [step for direction, raws in some.items() for step in revocations(name, direction, raws)]


def revoke_all(group: Record, name: str) -> list[Step]:
    """Return the steps that revoke the rules of a group that name groups."""
    return revoke(name, {way: [raw for raw in rules.listed(group, way) if rules.source(raw)[0]] for way in DIRECTIONS})


def is_held(progress: Progress) -> bool:
    """Tell whether the service did not delete a group, as something holds it."""
    return progress.error is not None and progress.error.code == _IN_USE


def settle(groups: Groups, progresses: list[Progress], waits: bool, said: Left) -> None:
    """Find out what holds the groups that the service did not delete. Live holders are added to the errors.

    Other holders go by themselves. ``waits``: try again until they are gone, or the time is over. Else the groups are left.
    """
    held = [one for one in progresses if is_held(one)]
    held_by: dict[Progress, Holders] = {}

    def describe() -> str:
        texts = [f"{one.name} is held by {holders.destroyed_text}" for one, holders in held_by.items()]
        return "; ".join(texts)

    is_first = True
    for _look in poll(groups.client, groups.deadline, _pause, describe):
        if not is_first:
            held = _try_again(groups, held)
        is_first = False
        held_by = _without_live(groups, held)
        held = list(held_by)
        if not (held and waits):
            break
    else:
        for progress, holders in held_by.items():
            if progress.error:
                progress.error.message += f". It is held by {holders.destroyed_text}"
        return
    for progress, holders in held_by.items():
        leave(progress, holders, said)
    groups.apply(held, lambda progress: _rules_left(groups.client, progress))


def _pause(waited: float) -> float:
    return min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited / 2))


def _try_again(groups: Groups, held: list[Progress]) -> list[Progress]:
    """Try again to delete groups. Return those that something still holds."""
    for progress in held:
        progress.resume(groups.make_plan(progress.object, progress.name))
    groups.apply(held)
    groups.look_again()
    return [one for one in held if is_held(one)]


def _without_live(groups: Groups, held: list[Progress]) -> dict[Progress, Holders]:
    """Return the groups that nothing live holds, with their holders. The errors of the others say what holds them."""
    rest = {}
    for progress in held:
        try:
            holders = groups.holders(progress.object)
        except CloudnError as error:
            _add(progress, f"It is not known what uses it: {error.message}")
            continue
        if holders.live:
            _add(progress, f"It is used by {holders.live}")
        else:
            rest[progress] = holders
    return rest


def _add(progress: Progress, text: str) -> None:
    if progress.error:
        progress.error.message += f". {text}"


def leave(progress: Progress, holders: Holders, said: Left) -> None:
    """Leave a group that can't be deleted yet, but plan to revoke its rules that name groups: it shall hold no other group.

    Nothing live is in the group, so nobody misses these rules.
    """
    name = progress.name
    said.add(name, progress.id, holders)
    rest = _rest(progress.object, name)
    done = [action for action in progress.actions if action not in _removals(progress.plan)]
    progress.actions = done + [action for action in rest.actions if action not in done]
    _lose_rules(progress.plan, progress.found or {})
    progress.resume(rest)


def leave_planned(plan: Plan, holders: Holders, said: Left) -> None:
    """Take from a plan what the service would refuse, see ``leave``."""
    said.add(plan.name, (plan.found or {}).get("id"), holders)
    plan.stages = [stage for stage in plan.stages if stage[0].command != "deleteSecurityGroup"]
    _lose_rules(plan, plan.found or {})


def _removals(plan: Plan) -> list[str]:
    return [step.text for step in plan.steps if step.command == "deleteSecurityGroup"]


def _lose_rules(plan: Plan, was: Record) -> None:
    """Let the diff of a plan say that a group loses its rules that name groups, and that it stays."""
    plan.after = dict(plan.before)
    for direction in DIRECTIONS:
        before = [rules.parse(raw) for raw in rules.listed(was, direction)]
        if any(rule.group for rule in before):
            plan.before[direction] = texts(before)
            plan.after[direction] = texts(rule for rule in before if not rule.group)


def _rest(group: Record, name: str) -> Plan:
    """Return the plan that revokes the rules of a group that name groups."""
    return Plan(name, group, [revoke_all(group, name)])


def _rules_left(client: Client, progress: Progress) -> Plan:
    """List the group again, and return the plan that revokes its rules that name groups. A deleted group has none."""
    found = search(client, {"id": progress.id})
    return _rest(found[0] if found else {"id": progress.id}, progress.name)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links the plans of a site: what each step needs of other plans, beside the ids that it sends."""

from __future__ import annotations

import typing as t

from ..api import Record
from ..reconcile import IdOf, Plan, Step
from ..reconcile.graph import keys_of
from ..reconcile.plan import MADE
from ..resources.security_group.plan import CLEAR
from .options import KEY_PAIR, SECURITY_GROUP, VM, VOLUME, Key, key_of, text_of

_RULE = "authorizeSecurityGroup"


class Linked(t.NamedTuple):
    """A plan of a site, with the key of its object. ``gone`` is the record of an object that the plan removes."""

    key: Key
    plan: Plan
    gone: Record | None = None

    @property
    def goes(self) -> bool:
        """Whether the plan removes the object."""
        return self.gone is not None


def with_ids_of(value: t.Any, made: t.Mapping[str, str]) -> t.Any:
    """Return a step's parameters with an ``IdOf`` in place of the id of each planned object. ``made`` has the keys of plans."""
    if isinstance(value, str):
        return IdOf(made[value]) if value in made else value
    if isinstance(value, dict):
        return {name: with_ids_of(inner, made) for name, inner in value.items()}
    if isinstance(value, list):
        return [with_ids_of(inner, made) for inner in value]
    return value


def replace_ids(plan: Plan, made: t.Mapping[str, str]) -> None:
    """Put an ``IdOf`` in place of the ids of planned objects in the steps of a plan."""
    plan.stages = [[step._replace(params=with_ids_of(step.params, made)) for step in stage] for stage in plan.stages]


def tag_at_once(plan: Plan) -> None:
    """Let a security group get its tags beside everything else: they tell whose it is, and rules take long.

    Other objects get theirs so anyway. If a tag changes its value, the order stays: it goes before it comes.
    """
    if any(step.command == "deleteTags" for step in plan.steps):
        return
    tagging = [stage for stage in plan.stages if stage[0].command == "createTags"]
    others = [stage for stage in plan.stages if stage[0].command != "createTags"]
    made = sum(any(step.creates for step in stage) for stage in others[:1])
    aside = [[step._replace(aside=True) for step in stage] for stage in tagging]
    plan.stages = [*others[:made], *aside, *others[made:]]


class Links:
    """The needs of the steps of a site.

    A step needs what the service needs: a machine its key pair, a rule the groups that it names, an attachment its machine. Before
    an object is removed, what holds it is changed or removed.
    """

    def __init__(self, linked: t.Sequence[Linked]) -> None:
        self._by_key = {one.key: one for one in linked}
        self._going = [one for one in linked if one.goes]

    def link(self, key: Key, plan: Plan) -> None:
        """Add to the steps of a plan what they need of other plans."""
        gone = self._by_key[key].gone if key in self._by_key else None
        plan.stages = [
            [step._replace(needs=tuple(dict.fromkeys([*step.needs, *self._needs(key, step, gone)]))) for step in stage]
            for stage in plan.stages
        ]

    def _needs(self, key: Key, step: Step, gone: Record | None) -> t.Iterator[str]:
        if step.command == "deployVirtualMachine" and step.params.get("keypair"):
            yield from self._made(key_of(KEY_PAIR, step.params["keypair"]))
        elif step.command.startswith(_RULE):
            for group in step.params.get("usersecuritygrouplist") or []:
                other = key_of(SECURITY_GROUP, group["group"])
                if other != key:
                    yield from self._made(other)
        elif step.command == "attachVolume":
            yield from self._machine(step.params.get("virtualmachineid"))
        elif step.command == "detachVolume" and key[0] == VOLUME:
            yield from self._machine(self._place(key))
        elif gone is not None:
            yield from self._before_removal(key, step, gone)

    def _made(self, key: Key) -> t.Iterator[str]:
        if key in self._by_key and not self._by_key[key].goes:
            yield f"{text_of(key)}@{MADE}"

    def _place(self, key: Key) -> t.Any:
        """Return the id of the machine that a volume is attached to."""
        return _record(self._by_key[key].plan.found).get("virtualmachineid") if key in self._by_key else None

    def _machine(self, machine: t.Any) -> t.Iterator[str]:
        """Yield what attaching and detaching need: a new machine must run, and an existing one must have all its changes.

        The service does neither while a machine starts or stops.
        """
        if machine is None:
            return
        if isinstance(machine, IdOf) and machine.key:
            yield f"{machine.key}@{MADE}"
        for one in self._by_key.values():
            if one.key[0] == VM and one.plan.stages and not one.goes and (one.plan.found or {}).get("id") == machine:
                yield text_of(one.key)

    def _before_removal(self, key: Key, step: Step, gone: Record) -> t.Iterator[str]:
        """Yield what must come before a step that removes an object, ``gone``."""
        if step.command in ("destroyVirtualMachine", "expungeVirtualMachine"):
            yield from (text_of(one.key) for one in self._stay(VOLUME) if _leaves(one.plan, gone.get("id")))
        elif step.command == "deleteVolume":
            yield from (text_of(one.key) for one in self._go(VM) if _id(one) == gone.get("virtualmachineid"))
        elif step.command == "deleteSSHKeyPair":
            yield from (text_of(one.key) for one in self._go(VM))
        elif key[0] == SECURITY_GROUP:
            # The rules go after the machines, too: no machine that is left by a failure loses them.
            yield from (text_of(one.key) for one in self._go(VM) if _is_in(one.gone or {}, gone.get("id")))
        if step.command == "deleteSecurityGroup":
            yield from (f"{text_of(one.key)}@{CLEAR}" for one in self._go(SECURITY_GROUP) if one.key != key)
            yield from (text_of(one.key) for one in self._stay(SECURITY_GROUP) if one.plan.stages)
            yield from (text_of(one.key) for one in self._stay(VM) if one.plan.stages)

    def _go(self, kind: str) -> list[Linked]:
        return [one for one in self._going if one.key[0] == kind and one.plan.stages]

    def _stay(self, kind: str) -> list[Linked]:
        return [one for one in self._by_key.values() if one.key[0] == kind and not one.goes]


def _record(found: t.Any) -> Record:
    return found if isinstance(found, dict) else {}


def _id(one: Linked) -> t.Any:
    return (one.gone or {}).get("id")


def _leaves(plan: Plan, machine: t.Any) -> bool:
    """Tell whether a volume is taken from a machine."""
    was = _record(plan.found).get("virtualmachineid")
    return was is not None and was == machine and any(step.command == "detachVolume" for step in plan.steps)


def _is_in(machine: Record, group: t.Any) -> bool:
    return any(one.get("id") == group for one in machine.get("securitygroup") or [])


def needs_of(plan: Plan) -> list[str]:
    """Return the keys of the plans that the steps of a plan need."""
    keys = [key for step in plan.steps for key in (*keys_of(step.params), *step.needs)]
    return list(dict.fromkeys(key.partition("@")[0] for key in keys))

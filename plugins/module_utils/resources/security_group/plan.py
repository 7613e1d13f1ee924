# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups: plans the steps for a group, its rules and its tags, and returns their results."""

from __future__ import annotations

import typing as t

from ...api import Client, Record, UsageError
from ...reconcile import THIS, Changes, New, Outrun, Plan, Progress, Step, Task
from .. import tags
from ..drift import check_drift
from ..lookup import is_uuid, same_name
from . import rules
from . import view as security_group
from .rules import DIRECTIONS, Rule

if t.TYPE_CHECKING:
    from ...reconcile.duplicates import Kind

# The point after which a group that goes holds no other group. Groups that name each other need only this of each other.
CLEAR = "clear"
# Seconds for one change of a group's rules; measured on CloudStack 3.0.5.
_RULE_SECONDS = 0.1


def plan(task: Task, wanted: str, record: Record | None, lookups: Record) -> Plan:
    """Return the plan that brings the group to the desired state. ``lookups`` are the options, see ``lookup``.

    New rules are added before old ones are revoked, so a replaced rule leaves no gap. Rules change in turn: the service
    locks the group for each change, and a change that finds it locked sleeps for 5 seconds; measured on CloudStack 3.0.5.
    Raises ``UsageError`` for drift that no command can change.
    """
    options, name = lookups, (record or {"name": wanted})["name"]
    changes = Changes(record is None, state="present")
    create, allow, revoke, look = [], [], [], []
    wanted_rules: dict[str, list[Rule]] = {}
    if record is None:
        create = [_create(options, changes.after)]
    else:
        _check_description(record, options, changes, task.warnings)
    for direction in DIRECTIONS:
        current = rules.listed(record or {}, direction)
        if options.get(direction) is None:
            wanted_rules[direction] = [rules.parse(raw) for raw in current]
            continue
        given = rules.given(options[direction], direction, task.warnings)
        kept, spare, new = rules.compare(given, current)
        if not options["purge_rules"]:
            kept, spare = current, []
        allow += _allow(name, direction, new)
        revoke += revocations(name, direction, spare)
        wanted_rules[direction] = [*map(rules.parse, kept), *new]
        changes.note(direction, texts(map(rules.parse, current)), texts(wanted_rules[direction]))
    if allow and options["purge_rules"] and _can_be_doubled(wanted_rules):
        look = [_look_for_doubles(name)]
    stages = [create, allow, revoke, look]
    stages += tags.plan(tags.SECURITY_GROUP, name, record, options, changes, early=False)
    made = None if record else _new(name)
    return Plan(name, record, stages, changes.before, changes.after, new=made)


def _new(name: str) -> New:
    """Return what may be the same as the new group: any group of its name."""
    return New(kind(), {"securitygroupname": name}, lambda record: same_name(record.get("name"), name))


def kind() -> Kind:
    """Return the rules for groups that several runs make at the same time.

    A group can be used as soon as it is listed, and has no date.
    """
    from ...reconcile.duplicates import Kind, alike_in  # here, as few runs make groups

    return Kind(
        field="securitygroup",
        listing="listSecurityGroups",
        create="createSecurityGroup",
        delete="deleteSecurityGroup",
        usable=lambda _record: True,
        alike=alike_in("description"),
        unique=True,
        progress=_rule_ids,
        mistakes=_are_of_several_accounts,
        owner=lambda record: record.get("account"),
        search=security_group.search,
    )


def _rule_ids(record: Record) -> list[str]:
    return sorted(str(raw.get("ruleid")) for way in DIRECTIONS for raw in rules.listed(record, way))


def _are_of_several_accounts(_client: Client, records: list[Record]) -> bool:
    return len({(group.get("account"), group.get("domainid")) for group in records}) > 1


def _create(options: Record, after: Record) -> Step:
    name, description = options["name"], options.get("description")
    if is_uuid(name):
        raise UsageError(f"name: there is no security group with the id {name}")
    if description is not None:
        after["description"] = description
    text, params = f"{name}: create", {"name": name, "description": description}
    return Step(text, "createSecurityGroup", params, returns="securitygroup", yields=_created, creates=True)


def _check_description(record: Record, options: Record, changes: Changes, warnings: list[str]) -> None:
    given, current = options.get("description"), record.get("description") or ""
    if given is None:
        return
    changes.note("description", current, current)
    drift = [] if given == current else [f"description is {current!r}, not {given!r}"]
    check_drift(options["name"], drift, "security group", "leave the option out", options, warnings)


def _allow(name: str, direction: str, new: t.Iterable[Rule]) -> list[Step]:
    """Return the steps that add rules. Each protocol and range has one step for all CIDRs and one for all groups."""
    calls: dict[tuple[str, bool], list[Rule]] = {}
    for rule in sorted(new):
        calls.setdefault((rule.kind, bool(rule.cidr)), []).append(rule)
    steps = []
    for (kind, by_cidr), alike in calls.items():
        groups = [{"account": rule.account, "group": rule.group} for rule in alike]
        peers = {"cidrlist": [rule.cidr for rule in alike]} if by_cidr else {"usersecuritygrouplist": groups}
        params = {"securitygroupid": THIS, **alike[0].params(), **peers}
        text = f"{name}: allow {direction} {kind} {_way(direction)} {', '.join(rule.peer for rule in alike)}"
        steps.append(_rule_step(text, f"authorizeSecurityGroup{direction.capitalize()}", params, _added(direction)))
    return steps


def revocations(name: str, direction: str, old: list[Record]) -> list[Step]:
    """Return the steps that revoke rules."""
    command = f"revokeSecurityGroup{direction.capitalize()}"
    steps = []
    for raw in sorted(old, key=rules.parse):
        rule = rules.parse(raw)
        text = f"{name}: revoke {direction} {rule.kind} {_way(direction)} {rule.peer}"
        steps.append(_rule_step(text, command, {"id": raw["ruleid"]}, _revoked(direction, raw["ruleid"])))
    return steps


def _can_be_doubled(wanted: dict[str, list[Rule]]) -> bool:
    """Tell whether two runs at one moment can add one of the rules twice.

    The service refuses a rule that exists. But it compares a new rule with the oldest one that is alike in all but the
    direction. If that one has the other direction, the rule is added again; measured on CloudStack 3.0.5.
    """
    here, there = ({rule.meaning for rule in wanted[direction]} for direction in DIRECTIONS)
    return bool(here & there)


def _look_for_doubles(name: str) -> Step:
    text = f"{name} to have each rule once"
    return Step(text, "listSecurityGroups", {"id": THIS}, until=_has_no_doubles, search=security_group.search)


def _has_no_doubles(groups: list[Record], progress: Progress) -> Record | None:
    """Return once the group is listed. Raises ``Outrun`` if a rule is there twice: the new plan revokes one of them."""
    for group in groups:
        for direction in DIRECTIONS:
            listed = [rules.parse(raw).meaning for raw in rules.listed(group, direction)]
            if len({*listed}) < len(listed):
                command = f"authorizeSecurityGroup{direction.capitalize()}"
                raise Outrun(f"{command}: another run added a rule of {progress.name} at the same time", command)
    return {} if groups else None


def texts(some: t.Iterable[Rule]) -> list[str]:
    """Return rules as the diff shows them."""
    return [str(rule) for rule in sorted(some)]


def _way(direction: str) -> str:
    return "from" if direction == "ingress" else "to"


def _rule_step(text: str, command: str, params: Record, yields: t.Any) -> Step:
    returns = "securitygroup" if command.startswith("authorize") else ""
    return Step(text, command, params, returns=returns, yields=yields, in_turn=True, seconds=_RULE_SECONDS)


def _created(known: Record, group: Record) -> Record:
    return {**known, **group, "tags": []}


def _added(direction: str) -> t.Callable[[Record, Record], Record]:
    """Return a function that takes in an answer. A job's result lists only the rules that it added."""
    field = direction + "rule"

    def yields(known: Record, group: Record) -> Record:
        rest = {name: value for name, value in group.items() if name not in ("tags", "ingressrule", "egressrule")}
        return {**known, **rest, field: rules.listed(known, direction) + rules.listed(group, direction)}

    return yields


def _revoked(direction: str, rule_id: str) -> t.Callable[[Record, t.Any], Record]:
    def yields(known: Record, _record: t.Any) -> Record:
        kept = [raw for raw in rules.listed(known, direction) if raw.get("ruleid") != rule_id]
        return {**known, direction + "rule": kept}

    return yields


def to_result(progress: Progress, check: bool) -> Record:
    """Return the group as it is now or, in check mode, as far as it is known before."""
    shown, after = security_group.to_result({"name": progress.name, **progress.object}), progress.plan.after
    if after.get("state") != "present" and not progress.error:
        shown["state"] = "absent"
    if check:
        shown.update({key: after[key] for key in ("description", "tags") if key in after})
    return shown

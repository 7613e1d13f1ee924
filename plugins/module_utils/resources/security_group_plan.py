# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for security groups: steps for a group, its rules and its tags, and what their results show."""

from __future__ import annotations

import typing as t

from ..api import Record, UsageError
from ..plan import THIS, Step, Track
from . import rules, tags
from .drift import judge
from .lookup import is_uuid
from .rules import DIRECTIONS, Rule
from .security_group import shape

PARALLEL = 10  # requests at a time
# Seconds for one change of a group's rules; measured on CloudStack 3.0.5.
_RULE_SECONDS = 0.1


def plan(record: Record | None, options: Record, warnings: list[str]) -> Track:
    """Return the track that leads the group to what is asked for; looks at its arguments only.

    Groups that rules name are as ``rule_sources`` gives them. New rules are added before old ones go, so that a rule that is
    replaced leaves no gap. Rules change in turn: the service locks the group for each change, and a change that finds it
    locked sleeps for 5 seconds; measured on CloudStack 3.0.5. Appends to ``warnings``. Raises ``UsageError`` for drift that
    can't be mended.
    """
    name = (record or options)["name"]
    before: Record = {}
    after: Record = {"state": "present"}
    create, allow, revoke = [], [], []
    if record is None:
        create = [_create(options, after)]
    else:
        before["state"] = "present"
        _check_description(record, options, before, after, warnings)
    for direction in DIRECTIONS:
        if options.get(direction) is None:
            continue
        current = rules.listed(record or {}, direction)
        given = rules.given(options[direction], direction, warnings)
        kept, spare, new = rules.compare(given, current)
        if not options["purge_rules"]:
            kept, spare = current, []
        allow += _allow(name, direction, new)
        revoke += revocations(name, direction, spare)
        after[direction] = texts([*map(rules.parse, kept), *new])
        if record is not None:
            before[direction] = texts(map(rules.parse, current))
    stages = [create, allow, revoke]
    if options.get("tags") is not None:
        current_tags = tags.shape(record or {})
        after["tags"] = tags.wanted(current_tags, options["tags"], options["purge_tags"])
        if record is not None:
            before["tags"] = current_tags
        stages += tags.stages(tags.SECURITY_GROUP, name, current_tags, after["tags"])
    return Track(name, record, stages, before, after, absorb)


def _create(options: Record, after: Record) -> Step:
    name, description = options["name"], options.get("description")
    if is_uuid(name):
        raise UsageError(f"name: there is no security group with the id {name}")
    if description is not None:
        after["description"] = description
    return Step(f"{name}: create", "createSecurityGroup", {"name": name, "description": description})


def _check_description(record: Record, options: Record, before: Record, after: Record, warnings: list[str]) -> None:
    given, current = options.get("description"), record.get("description") or ""
    if given is None:
        return
    before["description"] = after["description"] = current
    drift = [] if given == current else [f"description is {current!r}, not {given!r}"]
    judge(options["name"], drift, "security group", "leave the option out", options, warnings)


def _allow(name: str, direction: str, new: t.Iterable[Rule]) -> list[Step]:
    """Return the steps that add rules: one for all CIDRs of a protocol and range, one for all groups of them."""
    calls: dict[tuple[str, bool], list[Rule]] = {}
    for rule in sorted(new):
        calls.setdefault((rule.kind, bool(rule.cidr)), []).append(rule)
    steps = []
    for (kind, by_cidr), alike in calls.items():
        params = {"securitygroupid": THIS, **alike[0].params()}
        if by_cidr:
            params["cidrlist"] = [rule.cidr for rule in alike]
        else:
            params["usersecuritygrouplist"] = [{"account": rule.account, "group": rule.group} for rule in alike]
        text = f"{name}: allow {direction} {kind} {_way(direction)} {', '.join(rule.peer for rule in alike)}"
        steps.append(
            Step(text, f"authorizeSecurityGroup{direction.capitalize()}", params, in_turn=True, brief=_RULE_SECONDS)
        )
    return steps


def revocations(name: str, direction: str, old: list[Record]) -> list[Step]:
    command = f"revokeSecurityGroup{direction.capitalize()}"
    steps = []
    for rule, raw in sorted(((rules.parse(raw), raw) for raw in old), key=lambda pair: pair[0]):
        text = f"{name}: revoke {direction} {rule.kind} {_way(direction)} {rule.peer}"
        steps.append(Step(text, command, {"id": raw["ruleid"]}, in_turn=True, brief=_RULE_SECONDS))
    return steps


def texts(some: t.Iterable[Rule]) -> list[str]:
    return [str(rule) for rule in sorted(some)]


def _way(direction: str) -> str:
    return "from" if direction == "ingress" else "to"


def absorb(track: Track, step: Step, result: Record) -> None:
    """Take a result into the group's track; a job's result lists only the rules that it added."""
    if step.command in ("createTags", "deleteTags"):
        tags.absorb(track, step)
        return
    known = track.object
    group = {field: value for field, value in (result.get("securitygroup") or {}).items() if field != "tags"}
    new: Record = {"tags": []} if step.command == "createSecurityGroup" else {}
    track.object = {**known, **group, **new}
    for direction in DIRECTIONS:
        kept = [raw for raw in rules.listed(known, direction) if not _revoked(raw, step)]
        track.object[direction + "rule"] = kept + rules.listed(group, direction)
    track.id = track.object.get("id")


def _revoked(raw: Record, step: Step) -> bool:
    return step.command.startswith("revoke") and raw.get("ruleid") == step.params["id"]


def show(track: Track, check: bool) -> Record:
    """Return the group of the result: as it is now or, in check mode, as far as it can be told before."""
    shown = shape({"name": track.name, **track.object})
    if track.after.get("state") != "present" and not track.error:
        shown["state"] = "absent"
    if check:
        shown.update({key: track.after[key] for key in ("description", "tags") if key in track.after})
    return shown

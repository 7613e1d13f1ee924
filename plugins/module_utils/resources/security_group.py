# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups: shown, found, planned, applied."""

from __future__ import annotations

import typing as t

from ..api import Client, Deadline, Duplicates, NotGranted, Record, UsageError
from ..plan import THIS, Step, Track, converge
from ..report import Report
from . import rules, tags, vm
from .drift import judge
from .lookup import check_text, is_uuid, listing, pick, same_name, told
from .rules import DIRECTIONS, Rule

T = t.TypeVar("T")
PARALLEL = 10  # requests at a time
# Seconds for one change of a group's rules; measured on CloudStack 3.0.5.
_RULE_SECONDS = 0.1


def shape(group: Record) -> Record:
    """Return a security group as the user sees it; its tags are ``None`` where they were not asked for."""
    return {
        "id": group.get("id"),
        "name": group.get("name"),
        "description": group.get("description"),
        "ingress": [rules.shape(rule) for rule in rules.listed(group, "ingress")],
        "egress": [rules.shape(rule) for rule in rules.listed(group, "egress")],
        "account": group.get("account"),
        "domain": group.get("domain"),
        "domain_id": group.get("domainid"),
        "tags": tags.shape(group) if "tags" in group else None,
        "state": "present",
    }


def search(client: Client, query: Record | None = None) -> list[Record]:
    """Return the security groups that the API's own filters find, as it has them. An unknown ``id`` finds nothing.

    They come without tags: those in the listing are some machine's, measured on CloudStack 3.0.5. See ``show_tags``.
    """
    found = listing(client, "listSecurityGroups", query or {}, "id")
    return [{field: value for field, value in group.items() if field != "tags"} for group in found]


def select(client: Client, options: Record) -> list[Record]:
    """Return the groups that all options of ``cloudn_security_group_info`` leave; one without its machine is none."""
    machine = vm.find_one(client, options["vm"]) if options.get("vm") else {}
    if machine is None:
        return []
    # With a machine the service ignores all other filters; as recorded of CloudStack 3.0.5.
    query = (
        {"virtualmachineid": machine["id"]}
        if machine
        else {
            "id": options.get("id"),
            "securitygroupname": options.get("name"),
            "tags": tags.query(options.get("tags")),
        }
    )
    found = [
        group
        for group in search(client, query)
        if options.get("id") in (None, group["id"])
        and (options.get("name") is None or same_name(options["name"], group.get("name")))
    ]
    show_tags(client, found)
    return [group for group in found if tags.has_all(group, options.get("tags"))]


def show_tags(client: Client, groups: list[Record]) -> None:
    """Give groups their own tags, by one request for all of them. An account that lacks it has no tags at all."""
    if not groups:
        return
    only = {"resourceid": groups[0]["id"]} if len(groups) == 1 else {}
    try:
        found = client.list("listTags", {"resourcetype": tags.SECURITY_GROUP, **only})
    except NotGranted:
        found = []
    own: dict[str, list[Record]] = {group["id"]: [] for group in groups}
    for tag in found:
        own.get(tag.get("resourceid", ""), []).append({"key": tag["key"], "value": tag.get("value", "")})
    for group in groups:
        group["tags"] = own[group["id"]]


def find(client: Client, wanted: str) -> Record | None:
    """Return the security group with this id or name. Raises ``Duplicates`` for a name that several of an account have.

    Names are unique in an account, see ``lookup.same_name``, unless two runs made groups at one moment.
    """
    found = search(client, {"id": wanted}) if is_uuid(wanted) else []
    found = found or search(client, {"securitygroupname": wanted})
    groups = [group for group in found if wanted == group.get("id") or same_name(wanted, group.get("name"))]
    alike = [group for group in groups if _owner(group) == _owner(groups[0])]
    if len(alike) > 1:
        raise Duplicates(
            f"name: {len(alike)} security groups are named {wanted!r}; name one by its id: {told(alike)}", alike
        )
    return next(iter(groups), None)


def _owner(group: Record) -> tuple[str | None, str | None]:
    return group.get("account"), group.get("domainid")


def settled(client: Client, look: t.Callable[[], T]) -> T:
    """Return what ``look`` returns. Where two runs are making groups of one name at this moment, wait until one is left."""
    try:
        return look()
    except Duplicates:
        # Here, as few runs need it: what is imported is compiled anew each time.
        from . import security_group_duplicates

        return security_group_duplicates.found(client, look)


def find_all(client: Client, wanted: t.Iterable[str], option: str) -> list[Record]:
    """Return the security groups with these names or ids, each once. Raises ``UsageError`` for one that does not exist."""

    def look() -> list[Record]:
        groups = search(client)
        return [pick(groups, one, option, same=same_name, kind="security group") for one in wanted]

    return list({group["id"]: group for group in settled(client, look)}.values())


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Bring one security group to the state that is asked for in ``options`` (the module's).

    Returns what was done, or with ``check`` what would be done. Raises ``UsageError`` for what can't be done, before
    anything is changed.
    """
    check_text(options)
    if not options["name"].strip():
        raise UsageError("name: must not be empty")
    for direction in DIRECTIONS:  # what is wrong in itself is told before the service is asked
        rules.given(options.get(direction) or [], direction, [])
    deadline = Deadline(options["wait_timeout"], client.clock)
    if options["state"] == "absent":
        from . import security_group_absence  # here, as few runs need it: what is imported is compiled anew each time

        return security_group_absence.ensure(client, options, deadline, check)
    warnings: list[str] = []
    record = _found(client, options["name"], options, check)
    track = plan(record, _with_sources(client, options, record), warnings)
    if not check:
        _apply(client, track, options, deadline)
    return Report([track], show, check, warnings)


def _apply(client: Client, track: Track, options: Record, deadline: Deadline) -> None:
    """Send what is to be done. A new group gets its rules and tags when it is the only one of its name."""

    def again(track: Track) -> Track:
        return _again(client, track, options)

    began = client.clock()
    is_new = track.found is None and options["wait"]
    stages = track.stages
    if is_new:
        track.stages = first = stages[:1]
    converge(client, [track], deadline, again, PARALLEL, options["wait"])
    if not is_new:
        return
    # Here, as few runs make groups: what is imported is compiled anew each time.
    from ..settle import settle
    from . import security_group_duplicates

    settle(client, [track], security_group_duplicates.resource(client, again), began, deadline)
    if track.stages is first and not track.error:
        track.stages = stages
        converge(client, [track], deadline, again, PARALLEL, options["wait"])


def _found(client: Client, wanted: str, options: Record, check: bool = False) -> Record | None:
    """Return the group, with its tags where they are to be changed or kept as given."""
    record = find(client, wanted) if check else settled(client, lambda: find(client, wanted))
    if record and options.get("tags") is not None:
        show_tags(client, [record])
    return record


def _again(client: Client, track: Track, options: Record) -> Track:
    record = _found(client, track.id or options["name"], options)
    return plan(record, {**_with_sources(client, options, record), "on_immutable_drift": "ignore"}, [])


def _with_sources(client: Client, options: Record, record: Record | None) -> Record:
    """Return the options with the groups that rules name as the service calls them, see ``rule_sources``."""
    named = [entry for direction in DIRECTIONS for entry in options.get(direction) or [] if entry.get("groups")]
    if not named:
        return options
    from . import rule_sources  # here, as few runs need it: what is imported is compiled anew each time

    return settled(client, lambda: rule_sources.resolve(options, record, lambda: search(client)))


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

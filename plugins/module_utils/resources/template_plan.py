# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates: the pure plan, from what is asked for and what is there to steps, and what their results say."""

from __future__ import annotations

from ..api import CloudnError, Record, UsageError
from ..plan import THIS, Step, Track
from . import extraction, permissions, tags, template, zone
from .download import has_failed
from .drift import judge
from .lookup import not_there, public
from .volume import ROOT

RUNNING, STOPPED = "Running", "Stopped"
# What can be changed later: by updateTemplate, and by updateTemplatePermissions; our names and the service's fields.
_UPDATED = {
    "name": "name",
    "display_text": "displaytext",
    "os_type_id": "ostypeid",
    "password_enabled": "passwordenabled",
}
_PERMITTED = {"public": "ispublic", "featured": "isfeatured", "extractable": "isextractable"}
_REFUSED, _FAILED = 431, 530
_OF_DATA_DISK = (
    "The service makes no template of a data disk that no machine has. Take a snapshot of {disk} (cloudn_snapshot), and make "
    "the template from that (snapshot), or make it from the root disk of a machine (vm)"
)


def plan(rows: list[Record], options: Record, facts: Record, warnings: list[str]) -> Track:
    """Return the track that leads a template to what is asked for; looks at its arguments only.

    ``rows`` are its records, one for each zone that it is in; ``facts`` what ``template_ensure.look_up`` found. Raises
    ``UsageError`` for what needs another option or can't be done. Appends to ``warnings``.
    """
    record = {**rows[0], "zones": {row["zoneid"]: row.get("zonename") for row in rows}} if rows else None
    name = str(options.get("name") or (record or {}).get("name") or options.get("id"))
    if options["state"] == "absent":
        return _plan_absence(name, record, options)
    if options["state"] == "extracted":
        return _plan_extraction(name, record, rows, options, facts)
    before: Record = {}
    after: Record = {"state": "present"}
    if record is None:
        stages = _creation(name, options, facts, after)
        present, ready = {facts["zone"]["id"]: facts["zone"].get("name")}, set()
    else:
        before["state"] = "present"
        _check_immutable(name, record, options, warnings)
        stages = _restart(name, facts) if facts.get("restart") and facts["machine"].get("state") == STOPPED else []
        stages += _update(name, record, options, facts, before, after)
        present, ready = record["zones"], {row["zoneid"] for row in rows if row.get("isready")}
    stages += _copies(name, present, ready, options, facts, before, after)
    stages += _permissions(name, record, options, facts, before, after)
    stages += _accounts(name, record, options, facts, before, after, warnings)
    stages += tags.plan(tags.TEMPLATE, name, record, options, before, after, early=False)
    return Track(name, record, stages, before, after, absorb)


def _plan_absence(name: str, record: Record | None, options: Record) -> Track:
    here = {
        zone_id: zone_name
        for zone_id, zone_name in (record or {}).get("zones", {}).items()
        if zone.holds({"zoneid": zone_id, "zonename": zone_name}, options.get("zone"))
    }
    if record is None or not here:
        return Track(name, None, [], {"state": "absent"}, {"state": "absent"}, absorb)
    only = len(here) < len(record["zones"])
    where = f" in {', '.join(map(str, here.values()))}" if only else ""
    params = {"id": THIS, "zoneid": next(iter(here)) if only else None}
    before: Record = {"state": "present", "id": record["id"], "zones": sorted(map(str, record["zones"].values()))}
    after: Record = {"state": "absent"}
    if only:
        after = {
            "state": "present",
            "id": record["id"],
            "zones": sorted(str(zone) for zone_id, zone in record["zones"].items() if zone_id not in here),
        }
    return Track(name, record, [[Step(f"{name}: delete{where}", "deleteTemplate", params)]], before, after, absorb)


def _plan_extraction(name: str, record: Record | None, rows: list[Record], options: Record, facts: Record) -> Track:
    if record is None:
        raise not_there("id" if options.get("id") else "name", "template", name, " to extract")
    wanted = options.get("zone")
    zones = [row for row in rows if zone.holds(row, wanted)]
    if not zones:
        raise UsageError(f"zone: {name} is not in {wanted!r}; it is in {', '.join(map(str, record['zones'].values()))}")
    step = extraction.of_template(name, zones[0], options, facts)
    return Track(name, record, [[step]], {"state": "present"}, {"state": "extracted"}, absorb)


# --- making


def _creation(name: str, options: Record, facts: Record, after: Record) -> list[list[Step]]:
    """Return the stages that make a template: the machine that has the disk is stopped, and started again."""
    zone_name = facts["zone"].get("name")
    text = options.get("display_text") or name
    after.update(zone=zone_name, display_text=text, os_type_id=facts["os_type_id"])
    params: Record = {
        "name": name,
        "displaytext": text,
        "ostypeid": facts["os_type_id"],
        "passwordenabled": options.get("password_enabled"),
        "ispublic": options.get("public"),
        "requireshvm": options.get("requires_hvm"),
        "bits": options.get("bits"),
    }
    if options.get("password_enabled") is not None:
        after["password_enabled"] = options["password_enabled"]
    if options.get("url"):
        after.update(url=public(options["url"]), format=options["format"], hypervisor=options["hypervisor"])
        params.update(
            url=options["url"],
            format=options["format"],
            hypervisor=options["hypervisor"],
            zoneid=facts["zone"]["id"],
            checksum=options.get("checksum"),
            isextractable=options.get("extractable"),
        )
        return [
            [Step(f"{name}: download in {zone_name} from {after['url']}", "registerTemplate", params)],
            *_alone(name, facts),
        ]
    if "snapshot" in facts:
        params["snapshotid"] = facts["snapshot"]["id"]
        what = f"snapshot {facts['snapshot'].get('name')}"
        return [[Step(f"{name}: create from {what}", "createTemplate", params)], *_alone(name, facts)]
    volume, machine = facts["volume"], facts.get("machine")
    params["volumeid"] = volume["id"]
    what = f"the disk {volume.get('name')}" + (f" of {machine.get('name')}" if machine else "")
    hints = {} if volume.get("type") == ROOT else {_FAILED: _OF_DATA_DISK.format(disk=volume.get("name"))}
    stages = [[Step(f"{name}: create from {what}", "createTemplate", params, hints=hints)], *_alone(name, facts)]
    if machine and machine.get("state") == RUNNING:
        stages.insert(0, [_stop(machine, options)])
    return stages + (_restart(name, facts) if facts.get("restart") else [])


def _alone(name: str, facts: Record) -> list[list[Step]]:
    return facts["twins"].alone(name) if "twins" in facts else []


def _stop(machine: Record, options: Record) -> Step:
    forced = {"forced": True} if options["force_stop"] else {}
    return Step(
        f"{machine.get('name')}: stop", "stopVirtualMachine", {"id": machine["id"], **forced}, expect=(STOPPED,)
    )


def _restart(name: str, facts: Record) -> list[list[Step]]:
    machine = facts["machine"]
    text = f"{machine.get('name')}: start"
    return [[Step(text, "startVirtualMachine", {"id": machine["id"]}, expect=(RUNNING,), amends=True)]]


# --- zones


class _Ready:
    """Looks at a template until it can be used in all of some zones, and raises when that will never be.

    A status that is no progress must be seen twice: it may be one that is not known here.
    """

    def __init__(self, name: str, zone_ids: set[str]) -> None:
        self._name = name
        self._zone_ids = zone_ids
        self._suspects: set[tuple[str, str]] = set()

    def __call__(self, records: list[Record], _track: Track) -> Record | None:
        rows = [row for row in records if row.get("zoneid") in self._zone_ids]
        suspects = {
            (str(row.get("zonename")), str(row.get("status")).strip())
            for row in rows
            if not row.get("isready") and has_failed(row.get("status"))
        }
        for zone_name, status in sorted(suspects & self._suspects):
            raise CloudnError(
                f"{self._name}: its download in {zone_name} failed: {status} (template {rows[0]['id']}). Delete it there "
                f"(state: absent, zone: {zone_name}), see that the service can reach the address, and run the task again",
                "listTemplates",
            )
        self._suspects = suspects
        if {row["zoneid"] for row in rows if row.get("isready")} == self._zone_ids:
            return {"ready": rows}
        return None


def _ready(name: str, zone_ids: set[str], where: str) -> list[list[Step]]:
    if not zone_ids:
        return []
    params = {"templatefilter": "self", "id": THIS}
    return [[Step(f"{name} to be ready in {where}", "listTemplates", params, until=_Ready(name, zone_ids))]]


def _copies(
    name: str, present: Record, ready: set[str], options: Record, facts: Record, before: Record, after: Record
) -> list[list[Step]]:
    """Return the stages that copy a template to the zones it lacks, all at once, and wait until it is ready in all.

    All are those that are asked for; where none is, those it is in.
    """
    wanted = facts.get("zones") or {}
    names = {**present, **wanted}
    missing = [zone_id for zone_id in wanted if zone_id not in present]
    if wanted:
        if before:  # there is one
            before["zones"] = sorted(map(str, present.values()))
        after["zones"] = sorted(map(str, names.values()))
    stages = []
    source = next(iter(sorted(ready) or present))
    if missing and not ready:  # a copy needs one that is ready
        stages += _ready(name, {source}, str(names[source]))
    stages.append(
        [
            Step(
                f"{name}: copy from {names[source]} to {names[zone_id]}",
                "copyTemplate",
                {"id": THIS, "sourcezoneid": source, "destzoneid": zone_id},
            )
            for zone_id in missing
        ]
    )
    here = {zone_id for zone_id in present if not wanted and zone.holds(_row(zone_id, names), options.get("zone"))}
    late = {zone_id for zone_id in {*wanted, *here} if zone_id not in ready}
    return stages + _ready(name, late, ", ".join(sorted(str(names[zone_id]) for zone_id in late)))


def _row(zone_id: str, names: Record) -> Record:
    return {"zoneid": zone_id, "zonename": names[zone_id]}


# --- what can be changed


def _update(
    name: str, record: Record, options: Record, facts: Record, before: Record, after: Record
) -> list[list[Step]]:
    wanted = {
        "name": options.get("name") if options.get("id") and options.get("name") != record["id"] else None,
        "display_text": options.get("display_text"),
        "os_type_id": facts.get("os_type_id"),
        "password_enabled": options.get("password_enabled"),
    }
    return _change(name, record, wanted, _UPDATED, "updateTemplate", before, after, {})


def _permissions(
    name: str, record: Record | None, options: Record, facts: Record, before: Record, after: Record
) -> list[list[Step]]:
    """Return the stage that changes who may see and download the template.

    Its owner may make it public and featured; measured on CloudStack 3.0.5. Raises ``UsageError`` for what only an
    administrator may change.
    """
    current = record or facts["made"]
    extractable = options.get("extractable")
    hints = {}
    if extractable not in (None, current.get("isextractable")):
        is_now = f"{'is' if record else 'will be'} {'not ' if extractable else ''}extractable"
        ways_out = f" {extraction.WAYS_OUT}" if extractable else ""
        if facts.get("administrator") is False:
            raise UsageError(
                f"extractable: {name} {is_now}, and only an administrator can change that: leave it out.{ways_out}"
            )
        hints = {_REFUSED: f"Where only an administrator can change extractable, leave it out.{ways_out}"}
    wanted = {option: options.get(option) for option in _PERMITTED}
    return _change(name, current, wanted, _PERMITTED, "updateTemplatePermissions", before, after, hints)


def _change(
    name: str,
    record: Record,
    wanted: Record,
    fields: Record,
    command: str,
    before: Record,
    after: Record,
    hints: dict[int, str],
) -> list[list[Step]]:
    """Return the stage, if one is needed, that changes the fields asked for."""
    given = {option: value for option, value in wanted.items() if value is not None}
    after.update(given)
    if before:
        before.update({option: record.get(fields[option]) for option in given})
    changed = {option: value for option, value in given.items() if record.get(fields[option]) != value}
    if not changed:
        return []
    text = ", ".join(f"{option}={_written(value)}" for option, value in changed.items())
    params = {"id": THIS, **{fields[option]: value for option, value in changed.items()}}
    return [[Step(f"{name}: set {text}", command, params, hints=hints)]]


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _accounts(
    name: str,
    record: Record | None,
    options: Record,
    facts: Record,
    before: Record,
    after: Record,
    warnings: list[str],
) -> list[list[Step]]:
    """Return the stages that give other accounts the right to launch the template, and take it from others.

    Where nothing tells who has it, it is given to all that are named, and taken from nobody.
    """
    if options.get("accounts") is None:
        return []
    current = facts.get("accounts", set())
    wanted = set(options["accounts"]) - {(record or {}).get("account")}
    after["accounts"] = sorted(wanted)
    if current is None:
        if not wanted:
            raise UsageError(
                "accounts: an empty list takes the right from all that have it, and the service does not tell which "
                "accounts these are; take it from each by cloudn_ec2, action: ModifyImageAttribute"
            )
        warnings.append(
            f"{name}: the service does not tell who may launch it; {', '.join(sorted(wanted))} may, and so may others that "
            "were given the right before"
        )
        before["accounts"] = None
        current = set()
    elif record is not None:
        before["accounts"] = sorted(current)
    return [
        [_grant(f"{name}: {text} {', '.join(sorted(names))}", op, names)]
        for text, op, names in (
            ("may be launched by", "add", wanted - current),
            ("may no more be launched by", "remove", current - wanted),
        )
        if names
    ]


def _grant(text: str, op: str, names: set[str]) -> Step:
    params = {"id": THIS, "op": op, "accounts": sorted(names)}
    return Step(text, "updateTemplatePermissions", params, instead=permissions.change_by_ec2)


def _check_immutable(name: str, record: Record, options: Record, warnings: list[str]) -> None:
    """Raise ``UsageError`` (or warn, or let pass, as asked for) for differences that no command can mend."""
    drift = [
        f"{option} is {record.get(option)!r}, not {options[option]!r}"
        for option in ("format", "hypervisor")
        if options.get(option) and str(record.get(option)).lower() != options[option].lower()
    ]
    judge(name, drift, "template", "make one of another name, correct the option", options, warnings)


# --- results


def absorb(track: Track, step: Step, result: Record) -> None:
    """Take a result into the template's track: what is known of it, and in which zones."""
    if step.command in ("createTags", "deleteTags"):
        tags.absorb(track, step)
        return
    known = track.object
    if step.command == "updateTemplatePermissions":
        fields = _PERMITTED.values()
        track.object = {**known, **{field: step.params[field] for field in fields if field in step.params}}
        return
    if "ready" in result:
        rows = result["ready"]
        zones = {**known.get("zones", {}), **{row["zoneid"]: row.get("zonename") for row in rows}}
        chosen = next((row for row in rows if row["zoneid"] == known.get("zoneid")), rows[0])
        track.object = {**known, **chosen, "zones": zones}
        return
    record = result.get("template")
    record = record[0] if isinstance(record, list) else record
    if not isinstance(record, dict):
        return
    if step.command == "extractTemplate":
        track.object = {**known, "extraction": record}
    elif step.command == "updateTemplate":  # its answer knows no zone, so it is wrong about what depends on one
        track.object = {
            **known,
            **{field: record[field] for field in ("name", "displaytext", "ostypeid", "ostypename") if field in record},
        }
        if "passwordenabled" in step.params:
            track.object["passwordenabled"] = step.params["passwordenabled"]
    elif step.command in ("createTemplate", "registerTemplate"):
        track.object = {**known, **record, "zones": {record.get("zoneid"): record.get("zonename")}}
        track.id = record.get("id", track.id)


def show(track: Track, check: bool) -> Record:
    """Return the template of the result: as it is now or, in check mode, as far as it can be told before."""
    known = track.object
    shown = template.shape({"id": None, "name": track.name, **known})
    shown["accounts"] = track.after.get("accounts") if not track.error else track.before.get("accounts")
    if track.after["state"] == "absent" and not track.error:
        shown["state"] = "absent"
        shown["zones"] = shown["zones"] if check else []
    elif "zones" in track.after and not track.error:
        shown["zones"] = track.after["zones"]
    if check:
        shown.update({key: track.after[key] for key in (*_UPDATED, *_PERMITTED, "tags", "zone") if key in track.after})
    if "extraction" in known:
        shown["extraction"] = extraction.shape(known["extraction"])
    return shown

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates: plans their changes, and returns their results."""

from __future__ import annotations

import typing as t

from ...api import CloudnError, Record, UsageError
from ...api.errors import PARAMETER_ERROR
from ...reconcile import THIS, Changes, New, Plan, Progress, Step, Task
from .. import extraction, tags, zone
from ..download import has_failed
from ..drift import check_drift
from ..lookup import like_filter, not_there, redact_url
from ..volume.view import ROOT
from . import permissions
from . import view as template

if t.TYPE_CHECKING:
    from ...reconcile.duplicates import Kind

_RUNNING, _STOPPED = "Running", "Stopped"
# Our names and the service's fields of what updateTemplate and updateTemplatePermissions change.
_UPDATED = {"name": "name", "display_text": "displaytext", "os_type_id": "ostypeid"}
_UPDATED["password_enabled"] = "passwordenabled"
_PERMITTED = {"public": "ispublic", "featured": "isfeatured", "extractable": "isextractable"}
_FAILED = 530
_OF_DATA_DISK = "CloudStack 3 makes no template of a detached data disk. Take a snapshot of {disk} (cloudn_snapshot) and use snapshot"


def plan(task: Task, wanted: str, rows: list[Record], lookups: Record) -> Plan:
    """Return the plan that brings a template to the desired state. ``rows`` are its records, one for each zone.

    Raises ``UsageError`` if the task needs another option, or can't be done.
    """
    options = task.options
    record = {**rows[0], "zones": {row["zoneid"]: row.get("zonename") for row in rows}} if rows else None
    name = str(options.get("name") or (record or {}).get("name") or wanted)
    if options["state"] == "absent":
        return _plan_absence(name, record, options)
    if options["state"] == "extracted":
        return _plan_extraction(name, record, rows, options, lookups)
    changes = Changes(record is None, state="present")
    if record is None:
        stages = _creation(name, options, lookups, changes)
        present = {lookups["zone"]["id"]: lookups["zone"].get("name")}
    else:
        _check_immutable(name, record, options, task.warnings)
        stages = [*_restart_left(lookups), *_update(name, record, options, lookups, changes)]
        present = record["zones"]
    ready = {row["zoneid"] for row in rows if row.get("isready")}
    stages += _copies(name, _Places(present, ready, lookups.get("zones") or {}, options.get("zone")), changes)
    stages += _permissions(name, record or lookups["made"], options, lookups, changes)
    stages += _accounts(task, name, record, lookups.get("accounts", set()), changes)
    stages += tags.plan(tags.TEMPLATE, name, record, options, changes, early=False)
    if record:
        return Plan(name, record, stages, changes.before, changes.after)
    query = {"templatefilter": "self", "name": like_filter(name)}
    new = New(kind(bool(options.get("url"))), query, zone.is_named(name, lookups["zone"]["id"]))
    return Plan(name, None, stages, changes.before, changes.after, new=new)


def kind(is_download: bool = False) -> Kind:
    """Return the rules for templates that several runs make at the same time."""
    from ...reconcile.duplicates import Kind, alike_in, are_apart  # here, as few runs make a template

    return Kind(
        field="template",
        listing="listTemplates",
        create="registerTemplate" if is_download else "createTemplate",
        delete="deleteTemplate",
        usable=_is_usable,
        alike=alike_in(),
        # A template of a disk is not listed before its job has ended. A download has no job.
        making="" if is_download else "CreateTemplate",
        hidden=not is_download,
        mistakes=are_apart,
    )


def _is_usable(record: Record) -> bool | None:
    if record.get("isready"):
        return True
    return False if has_failed(record.get("status")) else None


def _step(text: str, command: str, params: Record, yields: t.Any = None, **more: t.Any) -> Step:
    return Step(text, command, params, returns="template", yields=yields, **more)


def _plan_absence(name: str, record: Record | None, options: Record) -> Plan:
    zones: Record = (record or {}).get("zones", {})
    here = _within(zones, options.get("zone"))
    if record is None or not here:
        return Plan(name, None, [], {"state": "absent"}, {"state": "absent"})
    left = sorted(str(title) for key, title in zones.items() if key not in here)
    where = f" in {', '.join(map(str, here.values()))}" if left else ""
    params = {"id": THIS, "zoneid": next(iter(here)) if left else None}
    before: Record = {"state": "present", "id": record["id"], "zones": sorted(map(str, zones.values()))}
    after = {**before, "zones": left} if left else {"state": "absent"}
    return Plan(name, record, [[Step(f"{name}: delete{where}", "deleteTemplate", params)]], before, after)


def _within(zones: Record, wanted: str | None) -> Record:
    """Return the wanted one of ``zones`` (names by id), or all if none is wanted."""
    return {key: name for key, name in zones.items() if zone.holds({"zoneid": key, "zonename": name}, wanted)}


def _plan_extraction(name: str, record: Record | None, rows: list[Record], options: Record, lookups: Record) -> Plan:
    if record is None:
        raise not_there("id" if options.get("id") else "name", "template", name, " to extract")
    wanted = options.get("zone")
    zones = [row for row in rows if zone.holds(row, wanted)]
    if not zones:
        raise UsageError(f"zone: {name} is not in {wanted!r}; it is in {', '.join(map(str, record['zones'].values()))}")
    step = extraction.of_template(name, zones[0], options, lookups)
    return Plan(name, record, [[step]], {"state": "present"}, {"state": "extracted"})


# --- making


def _creation(name: str, options: Record, lookups: Record, changes: Changes) -> list[list[Step]]:
    """Return the stages that make a template. A running machine with the disk is stopped, and started again."""
    text, has_password = options.get("display_text") or name, options.get("password_enabled")
    changes.after.update(zone=lookups["zone"].get("name"), display_text=text, os_type_id=lookups["os_type_id"])
    params: Record = {"name": name, "displaytext": text, "ostypeid": lookups["os_type_id"], "bits": options.get("bits")}
    params.update(passwordenabled=has_password, ispublic=options.get("public"), requireshvm=options.get("requires_hvm"))
    if has_password is not None:
        changes.after["password_enabled"] = has_password
    if options.get("url"):
        return [[_download(name, options, lookups, changes, params)]]
    if "snapshot" in lookups:
        params["snapshotid"] = lookups["snapshot"]["id"]
        text = f"{name}: create from snapshot {lookups['snapshot'].get('name')}"
        return [[_step(text, "createTemplate", params, _made, creates=True)]]
    volume, machine = lookups["volume"], lookups.get("machine")
    params["volumeid"] = volume["id"]
    what = f"the disk {volume.get('name')}" + (f" of {machine.get('name')}" if machine else "")
    hints = {} if volume.get("type") == ROOT else {_FAILED: _OF_DATA_DISK.format(disk=volume.get("name"))}
    make = _step(f"{name}: create from {what}", "createTemplate", params, _made, creates=True, hints=hints)
    stop = [_stop(machine, options)] if machine and machine.get("state") == _RUNNING else []
    return [stop, [make], [_restart(machine)] if machine and lookups.get("restart") else []]


def _download(name: str, options: Record, lookups: Record, changes: Changes, params: Record) -> Step:
    changes.after.update(url=redact_url(options["url"]), format=options["format"], hypervisor=options["hypervisor"])
    params.update({option: options.get(option) for option in ("url", "format", "hypervisor", "checksum")})
    params.update(zoneid=lookups["zone"]["id"], isextractable=options.get("extractable"))
    text = f"{name}: download in {changes.after['zone']} from {changes.after['url']}"
    return _step(text, "registerTemplate", params, _made, creates=True)


def _made(known: Record, record: Record) -> Record:
    return {**known, **record, "zones": {record.get("zoneid"): record.get("zonename")}}


def _stop(machine: Record, options: Record) -> Step:
    params = {"id": machine["id"], **({"forced": True} if options["force_stop"] else {})}
    text = f"{machine.get('name')}: stop"
    return Step(text, "stopVirtualMachine", params, returns="virtualmachine", expect=(_STOPPED,))


def _restart_left(lookups: Record) -> list[list[Step]]:
    """Return the stage that starts a machine which an earlier plan of the task has stopped."""
    is_halted = lookups.get("restart") and lookups["machine"].get("state") == _STOPPED
    return [[_restart(lookups["machine"])]] if is_halted else []


def _restart(machine: Record) -> Step:
    text, params = f"{machine.get('name')}: start", {"id": machine["id"]}
    return Step(text, "startVirtualMachine", params, returns="virtualmachine", expect=(_RUNNING,), cleanup=True)


# --- zones


class _Ready:
    """Looks at a template until it is ready in all given zones. Raises ``CloudnError`` if it never will be.

    A status that looks like a failure must be seen twice: it may be one that is not known here.
    """

    def __init__(self, name: str, zone_ids: set[str]) -> None:
        self._name = name
        self._zone_ids = zone_ids
        self._suspects: set[tuple[str, str]] = set()

    def __call__(self, records: list[Record], _progress: Progress) -> Record | None:
        rows = [row for row in records if row.get("zoneid") in self._zone_ids]
        suspects = {
            (str(row.get("zonename")), str(row.get("status")).strip())
            for row in rows
            if not row.get("isready") and has_failed(row.get("status"))
        }
        for zone_name, status in sorted(suspects & self._suspects):
            reason = f"{self._name}: its download in {zone_name} failed: {status} (template {rows[0]['id']})"
            way_out = f"Delete it there (state: absent, zone: {zone_name}), check the url, and run the task again"
            raise CloudnError(f"{reason}. {way_out}", "listTemplates")
        self._suspects = suspects
        is_ready = {row["zoneid"] for row in rows if row.get("isready")} == self._zone_ids
        return {"template": rows} if is_ready else None


def _ready(name: str, zone_ids: set[str], where: str) -> list[list[Step]]:
    if not zone_ids:
        return []
    text, params = f"{name} to be ready in {where}", {"templatefilter": "self", "id": THIS}
    return [[_step(text, "listTemplates", params, _is_ready, until=_Ready(name, zone_ids))]]


def _is_ready(known: Record, rows: list[Record]) -> Record:
    zones = {**known.get("zones", {}), **{row["zoneid"]: row.get("zonename") for row in rows}}
    chosen = next((row for row in rows if row["zoneid"] == known.get("zoneid")), rows[0])
    return {**known, **chosen, "zones": zones}


class _Places(t.NamedTuple):
    """Where a template is (names of zones by id), where it is ready, where it shall be, and the zone in the options."""

    present: dict[str, t.Any]
    ready: set[str]
    wanted: dict[str, str]
    zone: str | None

    def awaited(self) -> set[str]:
        """Return the ids of the zones in which it shall be ready: the wanted ones, or else those it is in."""
        return {*self.wanted} or set(_within(self.present, self.zone))


def _copies(name: str, places: _Places, changes: Changes) -> list[list[Step]]:
    """Return the stages that copy a template to all missing zones at once, and wait until it is ready in all."""
    names = {**places.present, **places.wanted}
    missing = [zone_id for zone_id in places.wanted if zone_id not in places.present]
    if places.wanted:
        changes.note("zones", sorted(map(str, places.present.values())), sorted(map(str, names.values())))
    source = next(iter(sorted(places.ready) or places.present))
    stages = _ready(name, {source}, str(names[source])) if missing and not places.ready else []  # a copy needs one

    def copy(target: str) -> Step:
        params = {"id": THIS, "sourcezoneid": source, "destzoneid": target}
        return Step(f"{name}: copy from {names[source]} to {names[target]}", "copyTemplate", params)

    stages.append([copy(target) for target in missing])
    late = places.awaited() - places.ready
    return stages + _ready(name, late, ", ".join(sorted(str(names[zone_id]) for zone_id in late)))


# --- what can be changed


def _update(name: str, record: Record, options: Record, lookups: Record, changes: Changes) -> list[list[Step]]:
    desired = {
        "name": options.get("name") if options.get("id") and options.get("name") != record["id"] else None,
        "display_text": options.get("display_text"),
        "os_type_id": lookups.get("os_type_id"),
        "password_enabled": options.get("password_enabled"),
    }
    changed = _changed(record, desired, _UPDATED, changes)
    return [[_set(name, changed, _UPDATED, "updateTemplate", yields=_updated(changed))]] if changed else []


def _updated(changed: Record) -> t.Callable[[Record, Record], Record]:
    """Return a function that takes in an answer. The answer knows no zone, so it is wrong about what depends on one."""
    asked = {"passwordenabled": changed["password_enabled"]} if "password_enabled" in changed else {}

    def yields(known: Record, record: Record) -> Record:
        fields = [field for field in ("name", "displaytext", "ostypeid", "ostypename") if field in record]
        return {**known, **{field: record[field] for field in fields}, **asked}

    return yields


def _permissions(name: str, current: Record, options: Record, lookups: Record, changes: Changes) -> list[list[Step]]:
    """Return the stage that changes who may see and download the template.

    Its owner may make it public and featured; measured on CloudStack 3.0.5. Raises ``UsageError`` if only an
    administrator may do the change.
    """
    extractable = options.get("extractable")
    hints = {}
    if extractable not in (None, current.get("isextractable")):
        is_now = f"{'will be' if changes.is_new else 'is'} {'not ' if extractable else ''}extractable"
        ways_out = f"leave it out.{' ' + extraction.WAYS_OUT if extractable else ''}"
        if lookups.get("may_change_extractable") is False:
            raise UsageError(f"extractable: {name} {is_now}; only an administrator can change that: {ways_out}")
        hints = {PARAMETER_ERROR: f"If only an administrator can change extractable, {ways_out}"}
    changed = _changed(current, {option: options.get(option) for option in _PERMITTED}, _PERMITTED, changes)
    if not changed:
        return []
    new = {_PERMITTED[option]: value for option, value in changed.items()}
    step = _set(name, changed, _PERMITTED, "updateTemplatePermissions", hints=hints)
    return [[step._replace(returns="", yields=lambda known, _record: {**known, **new})]]


def _changed(record: Record, desired: Record, fields: Record, changes: Changes) -> Record:
    """Note the desired attributes. Return those that are to be changed."""
    given = {option: value for option, value in desired.items() if value is not None}
    return {option: value for option, value in given.items() if changes.note(option, record.get(fields[option]), value)}


def _set(name: str, changed: Record, fields: Record, command: str, **more: t.Any) -> Step:
    text = ", ".join(f"{option}={_written(value)}" for option, value in changed.items())
    params = {"id": THIS, **{fields[option]: value for option, value in changed.items()}}
    return _step(f"{name}: set {text}", command, params, **more)


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _accounts(
    task: Task, name: str, record: Record | None, current: set[str] | None, changes: Changes
) -> list[list[Step]]:
    """Return the stages that give accounts the right to launch the template, and take it from others.

    If nothing says who has it (``current`` is ``None``), all named accounts get it, and nobody loses it.
    """
    if task.options.get("accounts") is None:
        return []
    wanted = set(task.options["accounts"]) - {(record or {}).get("account")}
    changes.note("accounts", None if current is None else sorted(current), sorted(wanted))
    if current is None:
        if not wanted:
            raise UsageError(
                "accounts: the list is empty, but the service does not say who has the right; take it from each with cloudn_ec2, action: ModifyImageAttribute"
            )
        who = ", ".join(sorted(wanted))
        task.warnings.append(f"{name}: {who} may launch it; the service does not say who else may")
        current = set()
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
    """Report differences that no command can change: ``on_immutable_drift`` says how."""
    drift = [
        f"{option} is {record.get(option)!r}, not {options[option]!r}"
        for option in ("format", "hypervisor")
        if options.get(option) and str(record.get(option)).lower() != options[option].lower()
    ]
    check_drift(name, drift, "template", "make one of another name, correct the option", options, warnings)


# --- results


def to_result(progress: Progress, check: bool) -> Record:
    """Return the template as it is now or, in check mode, as far as it is known before."""
    known, after = progress.object, progress.plan.after
    shown = template.to_result({"id": None, "name": progress.name, **known})
    shown["accounts"] = (progress.plan.before if progress.error else after).get("accounts")
    if after["state"] == "absent" and not progress.error:
        shown["state"] = "absent"
        shown["zones"] = shown["zones"] if check else []
    elif "zones" in after and not progress.error:
        shown["zones"] = after["zones"]
    if check:
        shown.update({key: after[key] for key in (*_UPDATED, *_PERMITTED, "tags", "zone") if key in after})
    if "extraction" in known:
        shown["extraction"] = extraction.to_result(known["extraction"])
    return shown

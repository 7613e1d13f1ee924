# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Affinity groups, which CloudStack 3 lacks: listed, created and deleted. They decide which machines run on one host."""

from __future__ import annotations

import typing as t

from ..api import Client, NotGranted, Record, UsageError
from ..api.client import listing
from ..api.flawed import sound
from ..reconcile import THIS, Changes, Found, New, Plan, Progress, Resource, Step, Task, replace
from .drift import check_drift
from .fields import fields, select_fields
from .lookup import check_text, first, is_uuid, pick, same_name

if t.TYPE_CHECKING:
    from ..reconcile.duplicates import Kind

DEFAULT_TYPE = "host anti-affinity"
_FIELDS = fields("id name description type account domain domain_id")


def to_result(group: Record) -> Record:
    """Return an affinity group as the user sees it."""
    return {**select_fields(group, _FIELDS), "vm_ids": vm_ids_of(group), "state": "present"}


def vm_ids_of(group: Record) -> list[str]:
    """Return the ids of the machines in a group. The service shows none if there are none."""
    ids: list[str] = group.get("virtualmachineIds") or group.get("virtualmachineids") or []
    return ids if isinstance(ids, list) else [ids]


def search(client: Client, query: Record, where: str = "") -> list[Record]:
    """Return the affinity groups that the API's filters find. An unknown ``id`` finds nothing.

    Raises ``UsageError`` if the service has none, or does not grant them to the account. Its text begins with ``where``.
    """
    try:
        return listing(client, "listAffinityGroups", query, "id")
    except NotGranted as error:
        text = (
            f"{where}the service has no affinity groups, or the account may not use them. Only CloudStack 4 has "
            f"them: leave them out, or ask the operator of the service ({error.message})"
        )
        raise UsageError(text) from None


def select(client: Client, options: Record) -> list[Record]:
    """Return the affinity groups that match all options of ``cloudn_affinity_group_info``."""
    found = sound(search(client, {field: options.get(field) for field in ("id", "name", "type")}), client.warn)
    return [group for group in found if options.get("name") is None or same_name(options["name"], group.get("name"))]


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong whatever the service holds."""
    check_text(options)
    for option in ("name", "type"):
        if not options[option].strip():
            raise UsageError(f"{option}: must not be empty")


def find(task: Task) -> Found:
    """Return the group with the name or the id that the user gave, or the one that the task goes on with."""
    name = task.options["name"]
    known = (task.failed and task.failed.id) or (name if is_uuid(name) else None)
    if known:
        return {name: next(iter(search(task.client, {"id": known})), None)}
    groups = [group for group in search(task.client, {"name": name}) if same_name(name, group.get("name"))]
    return {name: pick(groups, name, "name", same=same_name) if groups else None}


def lookup(task: Task, found: Found) -> Record:
    """Return the machines of a group that would be deleted, under ``machines``.

    Destroyed machines do not count. A plain account does not see them.
    """
    options, record = task.options, found[task.options["name"]]
    ids = vm_ids_of(record) if record and options["state"] == "absent" and not options["force"] else []
    if not ids or task.failed:
        return {}
    from .vm import view as vm  # here, as few runs need it: each run compiles what it imports

    machines = vm.search(task.client, {"details": "min"})
    return {"machines": [one for one in machines if one["id"] in ids and one.get("state") not in vm.GONE]}


def plan(task: Task, wanted: str, record: Record | None, lookups: Record) -> Plan:
    """Return the plan that creates or deletes the group.

    Raises ``UsageError`` for drift, as nothing changes a group, and if machines use a group that is to be deleted: the service
    would delete it without a word. Measured on CloudStack 4.23.
    """
    options, name = task.options, (record or {"name": wanted})["name"]
    if options["state"] == "absent":
        return _plan_absence(name, record, lookups.get("machines", []))
    changes = Changes(record is None, state="present")
    given = {option: options[option] for option in ("type", "description") if options.get(option) is not None}
    if record is not None:
        current = {option: record.get(option) or "" for option in given}
        drift = [f"{key} is {current[key]!r}, not {value!r}" for key, value in given.items() if current[key] != value]
        check_drift(name, drift, "affinity group", "correct the option", options, task.warnings)
        for option in given:
            changes.note(option, current[option], current[option])
        return Plan(name, record, [], changes.before, changes.after)
    if is_uuid(wanted):
        raise UsageError(f"name: there is no affinity group with the id {wanted}")
    changes.after.update(given)
    create = Step(
        f"{name}: create",
        "createAffinityGroup",
        {"name": name, **given},
        returns="affinitygroup",
        yields=replace,
        creates=True,
    )
    new = New(kind(), {"name": name}, lambda one: same_name(one.get("name"), name))
    return Plan(name, None, [[create]], changes.before, changes.after, new=new)


def _plan_absence(name: str, record: Record | None, machines: list[Record]) -> Plan:
    if record is None:
        return Plan(name, None, [], {"state": "absent"}, {"state": "absent"})
    if machines:
        names = first(f"{one.get('name')} ({one['id']})" for one in machines)
        text = f"name: VMs are in the affinity group {name}: {names}. The service would delete it all the same"
        raise UsageError(f"{text}. Take them out first (affinity_groups of cloudn_vm), or set force: true")
    before = {"state": "present", "id": record["id"]}
    return Plan(
        name, record, [[Step(f"{name}: delete", "deleteAffinityGroup", {"id": THIS})]], before, {"state": "absent"}
    )


def kind() -> Kind:
    """Return the rules for groups that several runs make at the same time. A group can be used as soon as it is listed."""
    from ..reconcile.duplicates import Kind, alike_in  # here, as few runs make groups

    return Kind(
        field="affinitygroup",
        listing="listAffinityGroups",
        create="createAffinityGroup",
        delete="deleteAffinityGroup",
        usable=lambda _record: True,
        alike=alike_in("type", "description"),
        unique=True,
        owner=lambda record: record.get("account"),
        search=search,
    )


def result_of(progress: Progress, check: bool) -> Record:
    """Return the group as it is now or, in check mode, as far as it is known before."""
    after = progress.plan.after
    shown = to_result({"name": progress.name, **progress.object})
    if check:
        shown.update({key: after[key] for key in ("type", "description") if key in after})
    if progress.error:
        return {**shown, "state": "present" if progress.id else "absent"}
    return {**shown, "state": after["state"]}


RESOURCE = Resource(check_options, find, lookup, plan, result_of, jobs="AffinityGroup", kind=kind)

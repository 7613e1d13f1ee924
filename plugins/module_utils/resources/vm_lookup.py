# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan for virtual machines needs to know besides the machines: what their options name, and their data disks."""

from __future__ import annotations

import re
import typing as t

from ..api import Client, Missing, Record, UsageError
from . import vm, volume, zone
from .lookup import is_uuid
from .vm_plan import differs, is_whole, other_security_groups

_HOST_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")


class _Machines(t.NamedTuple):
    """The machines of a task.

    ``missing`` are the names of those to be made, in the zone ``zone_id``; ``existing`` the records of the others.
    ``compared`` are those of them whose differences count that no command can mend.
    """

    missing: list[str]
    existing: list[Record]
    compared: list[Record]
    zone_id: str | None


def look_up(client: Client, options: Record, found: dict[str, Record | None]) -> Record:
    """Return what the plan needs to know beyond the machines themselves, asking only for what is needed.

    The names in an answer about a machine are enough to see that nothing differs; what the options name is looked up
    where it is to be used, or where it differs and may be unknown. Keys of the result, all optional: ``zone``,
    ``template``, ``service_offering``, ``disk_offering``, ``os_type`` (one record each), ``security_groups`` (a
    list), ``offerings`` (service offerings by id), ``key_pairs`` (all, or ``None``), ``data_disks`` (volumes by the id of
    their machine), ``alive`` (machines that are to go, by id). Raises ``UsageError`` for what is not there.
    """
    existing = [
        record for record in found.values() if record and (record.get("state") not in vm.GONE or is_whole(record))
    ]
    if options["state"] == "absent":
        return _absence(client, options, existing)
    facts: Record = {}
    missing = [name for name, record in found.items() if record is None]
    if missing:
        _check_creation(missing, options)
        facts["zone"] = zone.find(client, options.get("zone"))
    compared = existing if options["on_immutable_drift"] != "ignore" else []
    machines = _Machines(missing, existing, compared, facts["zone"]["id"] if missing else None)
    for find in (_template, _service_offerings, _os_type, _security_groups, _disks, _key_pairs):
        facts.update(find(client, options, machines))
    return facts


def _absence(client: Client, options: Record, existing: list[Record]) -> Record:
    facts: Record = {}
    if options.get("zone") and not existing:
        facts["zone"] = zone.find(client, options["zone"])
    facts["alive"] = {record["id"]: record for record in existing if record.get("state") not in vm.GONE}
    if facts["alive"]:
        facts["data_disks"] = data_disks(client, facts["alive"])
    return facts


def _check_creation(missing: list[str], options: Record) -> None:
    for name in missing:
        if is_uuid(name):
            raise UsageError(f"name: there is no virtual machine with the id {name}")
        if not _HOST_NAME.match(name):
            raise UsageError(
                f"name: {name!r} can't be the host name of a new virtual machine; the service takes ASCII letters, "
                "digits and hyphens, a letter first, no hyphen last, at most 63 characters (display_name takes any text)"
            )
    lacking = [option for option in ("template", "service_offering") if not options.get(option)]
    if lacking:
        raise Missing(f"{', '.join(lacking)}: needed to create {', '.join(missing)}, which does not exist")


def _template(client: Client, options: Record, machines: _Machines) -> Record:
    """A template is another one in each zone: that of new machines, and those of machines that differ."""
    zone_ids = [machines.zone_id] if machines.missing else []
    differing = [record for record in machines.compared if differs(record, "template", options.get("template"))]
    zone_ids += [record.get("zoneid") for record in differing]
    if not zone_ids:
        return {}
    # Here and below, as few runs need them: what a module imports is compiled anew each time that it runs.
    from . import template

    wanted, only = options["template"], options["template_filter"]
    found = {zone_id: template.find(client, wanted, only, str(zone_id)) for zone_id in dict.fromkeys(zone_ids)}
    return {"template": found[zone_ids[0]]}


def _service_offerings(client: Client, options: Record, machines: _Machines) -> Record:
    """The one that is asked for, and all where it is to be seen which of them offer high availability."""
    wanted, existing = options.get("service_offering"), machines.existing
    is_used = wanted and (machines.missing or any(differs(record, "serviceoffering", wanted) for record in existing))
    is_asked = options.get("ha") and (machines.missing or any(not record.get("haenable") for record in existing))
    if not (is_used or is_asked):
        return {}
    from . import service_offering

    facts: Record = {}
    if is_used:
        facts["service_offering"] = service_offering.find(client, str(wanted))
    if is_asked:
        facts["offerings"] = {item["id"]: item for item in service_offering.search(client)}
    return facts


def _os_type(client: Client, options: Record, _machines: _Machines) -> Record:
    if not options.get("os_type"):
        return {}
    from . import os_type

    return {"os_type": os_type.find(client, options["os_type"])}


def _security_groups(client: Client, options: Record, machines: _Machines) -> Record:
    wanted = options.get("security_groups")
    if not wanted:
        return {}
    if not (machines.missing or any(other_security_groups(record, wanted) for record in machines.compared)):
        return {}
    from . import security_group_lookup

    return {"security_groups": security_group_lookup.find_all(client, wanted, "security_groups")}


def _disks(client: Client, options: Record, machines: _Machines) -> Record:
    """The offering of the first data disk of new machines, and the data disks of those that are there."""
    facts: Record = {}
    if not options.get("disk_offering"):
        return facts
    if machines.missing:
        from . import disk_offering

        facts["disk_offering"] = disk_offering.find(client, options["disk_offering"])
        if facts["disk_offering"].get("iscustomized"):
            raise UsageError(
                f"disk_offering: {options['disk_offering']!r} leaves its size open, which a virtual machine's "
                "first data disk can't; choose one with a size"
            )
    if machines.compared:
        facts["data_disks"] = data_disks(client, {record["id"]: record for record in machines.compared})
    return facts


def _key_pairs(client: Client, options: Record, machines: _Machines) -> Record:
    if not options.get("key_pair"):
        return {}
    from . import vm_key_pair

    return {"key_pairs": vm_key_pair.look_up(client, options["key_pair"], bool(machines.missing), machines.compared)}


def data_disks(client: Client, machines: t.Collection[str]) -> dict[str, list[Record]]:
    """Return the data disks of machines, given by their ids, by the id of their machine."""
    only = {"virtualmachineid": next(iter(machines))} if len(machines) == 1 else {}
    disks: dict[str, list[Record]] = {}
    for disk in volume.search(client, {"type": "DATADISK", **only}):
        disks.setdefault(disk.get("virtualmachineid", ""), []).append(disk)
    return disks

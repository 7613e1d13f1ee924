# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the options for virtual machines, and looks up what the plan needs: what the options name, and data disks."""

from __future__ import annotations

import os.path
import re
import typing as t

from ...api import Client, CloudnError, Missing, Record, UsageError
from ...reconcile import Found, Progress, Resource, Task
from ...wrong_values import item_path
from .. import generation, zone
from ..lookup import check_text, is_uuid, pick_each
from ..volume import view as volume
from . import mending, user_data
from . import view as vm
from .find import catch, conclude, confirm, find, remaining, tidy
from .plan import describe, differs, is_whole, kind, plan, to_result
from .view import RUNNING

_HOST_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for options that no service can fulfil."""
    if not options["name"]:
        raise UsageError("name: the list is empty; name at least one VM")
    check_text(options)
    user_data.check(options)
    if options["state"] == "reinstalled":
        from . import reinstall  # here, as few runs need it

        reinstall.check_options(options)
    if options.get("root_size_gb") is not None and options["root_size_gb"] < 1:
        raise UsageError(f"root_size_gb: must be at least 1, not {options['root_size_gb']}")
    if options["expunge"] and options["state"] != "absent":
        raise UsageError(f"expunge: goes with state: absent only, not with state: {options['state']}")
    for option in ("max_parallel", "max_jobs"):
        if options[option] < 1:
            raise UsageError(f"{option}: must be at least 1, not {options[option]}")


class _Machines(t.NamedTuple):
    """The machines of a task.

    ``missing`` are the names of those to make, in the ``zone``; ``existing`` are the records of the others.
    ``compared`` are the existing ones whose immutable differences count, ``mendable`` those that CloudStack 4 can change.
    """

    missing: list[str]
    existing: list[Record]
    compared: list[Record]
    mendable: list[Record]
    zone: Record | None

    @property
    def zone_id(self) -> str | None:
        return self.zone["id"] if self.zone else None


def lookup(task: Task, found: Found) -> Record:
    """Return what the plan needs besides the machines. Asks the service only for what is needed.

    The record of a machine has the names of its template and so on, which shows that nothing differs. An object that an option
    names is looked up only if it is used, or if it differs and may be unknown. Keys of the result, all optional:
    ``zone``, ``template``, ``service_offering``, ``disk_offering``, ``os_type`` (one record each), ``security_groups`` (a
    list), ``offerings`` (service offerings by id), ``key_pairs`` (all, or ``None``), ``keyword`` (the beginning of all new
    names), ``root_disk`` (of a machine to reinstall). If machines are to be destroyed: ``data_disks`` (volumes by the id of
    their machine), ``alive`` (records by id), ``left_disks`` (the disks of a machine after a failure). After a failure:
    ``ran`` (whether the machine ran), ``not_scaled`` (whether it did not get an offering while it ran). Raises
    ``UsageError`` if an object is missing.
    """
    client, options = task.client, task.options
    existing = [record for record in found.values() if record and _is_known(record)]
    if options["state"] == "absent":
        return _absence(task, existing)
    lookups = _restarted(task, found)
    missing = [name for name, record in found.items() if record is None]
    if missing:
        _check_creation([(task.failed and task.failed.id) or name for name in missing], options)
        lookups.update(zone=zone.find(client, options.get("zone")), keyword=os.path.commonprefix(missing) or None)
        _check_generation(task)
    compared = existing if options["on_immutable_drift"] != "ignore" else []
    mendable = [record for record in existing if mending.is_of_4(record)]
    machines = _Machines(missing, existing, compared, mendable, lookups.get("zone"))
    for look in (
        _template,
        _service_offerings,
        _os_type,
        _security_groups,
        _disks,
        _key_pairs,
        _affinity_groups,
        _networks,
    ):
        lookups.update(look(client, options, machines))
    return lookups


def _check_generation(task: Task) -> None:
    """Raise ``UsageError`` for options of new machines that the service can't fulfil. It is asked only for such options."""
    options, deadline = task.options, task.deadline
    generation.check(
        task.client, {name: mending.NEEDS_4[name] for name in mending.NEEDS_4 if options.get(name)}, deadline
    )
    user_data.check_length(task.client, options, deadline)


def _is_known(record: Record) -> bool:
    return record.get("state") not in vm.GONE or is_whole(record)


def _restarted(task: Task, found: Found) -> Record:
    """Return the lookups about a machine that a failed task may have stopped, or that is to be reinstalled."""
    if task.failed:
        step = task.failed.failed_step
        not_scaled = step is not None and step.command == "scaleVirtualMachine"
        return {"ran": (task.failed.found or {}).get("state") == RUNNING, "not_scaled": not_scaled}
    if task.options["state"] != "reinstalled":
        return {}
    from . import reinstall  # here, as few runs need it

    ((wanted, record),) = found.items()
    return reinstall.lookup(task.client, wanted, record, task.options)


def _absence(task: Task, existing: list[Record]) -> Record:
    """Return the lookups for machines to destroy. Except in check mode, wait for volumes that are being attached to them."""
    client, options = task.client, task.options
    lookups: Record = {}
    if options.get("zone") and not existing:
        lookups["zone"] = zone.find(client, options["zone"])
    if options["expunge"] and existing:
        generation.check(client, {"expunge": "way to expunge a VM at once"}, task.deadline)
    lookups["alive"] = {record["id"]: record for record in existing if record.get("state") not in vm.GONE}
    if lookups["alive"]:
        lookups["data_disks"] = volume.data_disks(client, lookups["alive"])
    if any(lookups.get("data_disks", {}).values()) and not (options["detach_volumes"] or options["delete_volumes"]):
        # CloudStack 4 detaches the disks of a machine that it destroys.
        lookups["keeps_disks"] = client.generation(task.deadline) >= generation.FOUR
    if task.failed:
        lookups["left_disks"] = _left_disks(task, task.failed)
    elif lookups["alive"] and not task.check:
        from .attachments import await_attached  # here, as few runs need it

        await_attached(client, lookups, task.deadline)
    lookups["delete_volumes"] = options["delete_volumes"]
    return lookups


def _left_disks(task: Task, failed: Progress) -> list[Record]:
    """Return the data disks that a failed task has left to detach or delete. Raises ``CloudnError`` for a hidden one."""
    disks = task.first.get("data_disks", {}).get(failed.id, [])
    left_disks = [left for disk in disks for left in volume.search(task.client, {"id": disk["id"]})]
    hidden = {disk["id"] for disk in disks} - {left["id"] for left in left_disks}
    if hidden and failed.failed_step and failed.failed_step.command == "detachVolume":
        # If it is still attached, it would be destroyed with the machine.
        raise CloudnError(f"the data disk {', '.join(sorted(hidden))} is not listed", "listVolumes")
    # A disk that somebody has attached to another machine meanwhile does not belong to this one.
    mine = (None, failed.id) if task.options["delete_volumes"] else (failed.id,)
    return [disk for disk in left_disks if disk.get("virtualmachineid") in mine]


def _check_creation(missing: list[str], options: Record) -> None:
    names = options["name"]
    paths = {name: item_path("name", names.index(name), names) if name in names else "name" for name in missing}
    ids = [name for name in missing if is_uuid(name)]
    if ids:
        where = ", ".join(paths[one] for one in ids)
        what = "is no VM with the id" if len(ids) == 1 else "are no VMs with the ids"
        raise UsageError(f"{where}: there {what} {', '.join(ids)}")
    wrong = [name for name in missing if not _HOST_NAME.match(name)]
    if wrong:
        where, what = ", ".join(paths[one] for one in wrong), "a host name" if len(wrong) == 1 else "host names"
        near = [near for near in map(_near_host_name, wrong) if near]
        raise UsageError(
            f"{where}: {', '.join(map(repr, wrong))} can't be {what}: use up to 63 ASCII letters, digits and hyphens, a letter "
            f"first, no hyphen last (or set display_name){f'; did you mean {str(near)[1:-1]}?' if near else ''}"
        )
    lacking = [option for option in ("template", "service_offering") if not options.get(option)]
    if lacking:
        do, names = ("does", "the name") if len(missing) == 1 else ("do", "the names")
        give = "Give it" if len(lacking) == 1 else "Give them"
        raise Missing(
            f"{', '.join(lacking)}: needed to create {', '.join(missing)}, which {do} not exist. {give}, or correct {names}"
        )


def _near_host_name(name: str) -> str | None:
    """Return the host name that is nearest to a wrong one, ``None`` if no part of it can be one."""
    near = re.sub(r"[^A-Za-z0-9]+", "-", name).lstrip("-0123456789")[:63].strip("-")
    return near if _HOST_NAME.match(near) else None


def _template(client: Client, options: Record, machines: _Machines) -> Record:
    """Look up the template in the zone of new machines, and in the zones of machines that have another one."""
    zone_ids = [machines.zone_id] if machines.missing else []
    differing = [record for record in machines.compared if differs(record, "template", options.get("template"))]
    zone_ids += [record.get("zoneid") for record in differing]
    if not zone_ids:
        return {}
    # Here and below, as few runs need them: each run compiles what it imports.
    from ..template import view as template

    wanted, only = options["template"], options["template_filter"]
    found = {zone_id: template.find(client, wanted, only, str(zone_id)) for zone_id in dict.fromkeys(zone_ids)}
    return {"template": found[zone_ids[0]]}


def _service_offerings(client: Client, options: Record, machines: _Machines) -> Record:
    """Look up the service offering, and all of them if high availability is asked for: not all have it."""
    wanted, existing = options.get("service_offering"), machines.existing
    is_used = wanted and (machines.missing or any(differs(record, "serviceoffering", wanted) for record in existing))
    is_asked = options.get("ha") and (machines.missing or any(not record.get("haenable") for record in existing))
    if not (is_used or is_asked):
        return {}
    from .. import offerings

    lookups: Record = {}
    if is_used:
        lookups["service_offering"] = offerings.SERVICE.find(client, str(wanted))
    if is_asked:
        lookups["offerings"] = {item["id"]: item for item in offerings.SERVICE.search(client)}
    return lookups


def _os_type(client: Client, options: Record, _machines: _Machines) -> Record:
    if not options.get("os_type"):
        return {}
    from .. import os_type

    return {"os_type": os_type.find(client, options["os_type"])}


def _security_groups(client: Client, options: Record, machines: _Machines) -> Record:
    wanted = options.get("security_groups")
    looked_at = [*machines.compared, *machines.mendable]
    is_used = machines.missing or any(mending.other_security_groups(record, wanted or []) for record in looked_at)
    if not (wanted and is_used):
        return {}
    from ..security_group import named

    return {"security_groups": named.find_all(client, wanted, "security_groups")}


def _disks(client: Client, options: Record, machines: _Machines) -> Record:
    """Look up the offering for the first data disk of new machines, and the data disks of existing ones."""
    lookups: Record = {}
    if options.get("root_size_gb") and machines.compared:
        roots = volume.search(client, {"type": "ROOT"})
        lookups["roots"] = {root["virtualmachineid"]: root for root in roots if root.get("virtualmachineid")}
    if not options.get("disk_offering"):
        return lookups
    if machines.missing:
        from .. import offerings

        lookups["disk_offering"] = offerings.DISK.find(client, options["disk_offering"])
        if lookups["disk_offering"].get("iscustomized"):
            raise UsageError(
                f"disk_offering: {options['disk_offering']!r} has no fixed size; choose another one, or create the disk with "
                "cloudn_volume and size_gb"
            )
    if machines.compared:
        lookups["data_disks"] = volume.data_disks(client, {record["id"]: record for record in machines.compared})
    return lookups


def _key_pairs(client: Client, options: Record, machines: _Machines) -> Record:
    if not options.get("key_pair"):
        return {}
    from . import key_pair as vm_key_pair

    wanted = options["key_pair"]
    differing = [record for record in machines.mendable if mending.other_key_pair(record, wanted, None)]
    is_needed = bool(machines.missing or differing)
    return {"key_pairs": vm_key_pair.lookup(client, wanted, is_needed, [*machines.compared, *differing])}


def _affinity_groups(client: Client, options: Record, machines: _Machines) -> Record:
    """Look up the affinity groups for new machines, and for existing ones that are in others."""
    wanted = options.get("affinity_groups")
    if wanted is None:
        return {}
    differing = [one for one in machines.existing if mending.other_affinity_groups(one, wanted)]
    if not (machines.missing and wanted) and not differing:
        return {}
    return {"affinity_groups": mending.find_affinity_groups(client, wanted)}


def _networks(client: Client, options: Record, machines: _Machines) -> Record:
    """Look up the networks of new machines, in an Advanced zone: a machine of a Basic zone is in the zone's one network."""
    wanted = options.get("networks")
    if not (wanted and machines.zone):
        return {}
    here = machines.zone
    if here.get("networktype") != "Advanced":
        text = f"networks: {here.get('name')} is a {here.get('networktype')} zone, where each VM is in the zone's one network; leave the option out"
        raise UsageError(text)
    known = client.list("listNetworks", {"zoneid": here["id"]})
    return {"networks": pick_each(known, wanted, "networks")}


RESOURCE = Resource(
    check_options,
    find,
    lookup,
    plan,
    to_result,
    describe,
    remaining,
    kind=kind,
    catch=catch,
    confirm=confirm,
    conclude=conclude,
    tidy=tidy,
)

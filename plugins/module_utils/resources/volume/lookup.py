# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: checks the options, finds the volume, and looks up what else its plan needs."""

from __future__ import annotations

from ...api import Missing, Record, UsageError
from ...reconcile import Found, Resource, Task
from .. import account, extraction, zone
from ..download import check_url
from ..lookup import check_text, is_uuid, left_alone
from ..offerings import DISK
from ..snapshot import view as snapshot
from ..vm import view as vm
from . import size
from . import view as volume
from .plan import kind, plan, to_result

# The states in which the size of a volume counts.
_SIZED = ("present", "attached", "detached")


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong whatever the service holds."""
    check_text(options)
    state = options["state"]
    if options.get("vm") and state not in ("attached", "detached"):
        raise UsageError(f"vm: goes only with state: attached or detached, not with {state}")
    check_url(options)
    if options.get("size_gb") is not None and options["size_gb"] < 1:
        raise UsageError(f"size_gb: must be at least 1, not {options['size_gb']}")
    device = options.get("device_id")
    if device is not None and state != "attached":
        raise UsageError(f"device_id: goes only with state: attached, not with {state}")
    if device is not None and (device < 1 or device == 3):
        raise UsageError(f"device_id: {device} can't be taken; 0 is the root disk and 3 the CD drive of every VM")
    extraction.check_options(options)


def find(task: Task) -> Found:
    """Return the volume, by the name or id that the user gave."""
    options = task.options
    volume_id = (task.failed and task.failed.id) or options.get("id")
    others: list[Record] = []
    found = volume.find(task.client, options.get("name"), volume_id, options.get("zone"), elsewhere=others)
    if options["state"] in ("absent", "detached") and found is None and others and not task.failed:
        task.warnings.append(left_alone("name", "volume", options.get("name"), options["zone"], others))
    return {options.get("name") or options["id"]: found}


def lookup(task: Task, found: Found) -> Record:
    """Return what else the plan needs to know. Asks only for what is needed.

    All keys are optional:
        vm, zone, disk_offering, snapshot: one record each.
        offerings: the disk offerings by id.
        can_resize: the service can give the volume the size that the options ask for.
        administrator: whether the account is an administrator, if only one may extract the volume. ``None``: nothing says.
    """
    ((_name, record),) = found.items()
    options, lookups = task.options, _machine(task, record)
    if record is None:
        if options["state"] in ("present", "attached"):
            _creation(task, lookups)
        elif options.get("zone"):
            zone.find(task.client, options["zone"])  # an unknown zone is an error, not a zone without the volume
            if options["state"] == "extracted" and options.get("name"):
                others: list[Record] = []
                volume.find(task.client, options["name"], None, options["zone"], elsewhere=others)
                raise volume.missing(options["name"], options["zone"], others, "name")
        return lookups
    if options["state"] == "extracted" and record.get("isextractable") is False:
        lookups["administrator"] = account.is_administrator(task.client)
    if options["state"] in _SIZED:
        lookups.update(size.lookup(task.client, record, options, task.deadline))
    _settle(task, record, "vm" in lookups)
    given = options.get("disk_offering")
    if given and options["on_immutable_drift"] != "ignore" and _has_other_offering(record, given):
        offerings = DISK.search(task.client)
        DISK.pick_from(offerings, given)
        lookups["offerings"] = {offering["id"]: offering for offering in offerings}
    return lookups


def _settle(task: Task, record: Record, moves: bool) -> None:
    """Wait until a machine that loses the volume is in a terminal state."""
    options = task.options
    leaves = options["state"] == "detached" or (options["force"] and (options["state"] == "absent" or moves))
    if leaves and record.get("vmstate") in vm.TRANSITIONAL:
        vm.settled_one(task.client, record["virtualmachineid"], None, task.deadline, task.check)


def _machine(task: Task, record: Record | None) -> Record:
    """Return the machine that gets or loses the volume, if the volume's record does not show it."""
    state, machine, zone_wanted = task.options["state"], task.options.get("vm"), task.options.get("zone")
    is_here = record is not None and machine is not None and volume.is_on(record, machine)
    if state == "attached" and not is_here:
        found = vm.settled_one(task.client, task.options["vm"], zone_wanted, task.deadline, task.check)
        if not task.failed:
            vm.check_shown(found, "vm")
        return {"vm": found}
    if state == "detached" and machine and not is_here and record and record.get("virtualmachineid"):
        return {"vm": vm.find_one(task.client, machine, zone_wanted)}  # it may be a display name
    return {}


def _creation(task: Task, lookups: Record) -> None:
    """Add what a new volume is made from, and where."""
    options, client = task.options, task.client
    name = options.get("name")
    if name is None or is_uuid(name):
        raise UsageError(
            f"{'id' if options.get('id') else 'name'}: there is no volume with the id {options.get('id') or name}"
        )
    if not any(options.get(source) for source in ("disk_offering", "snapshot", "url")):
        raise Missing(_without_source(task, name))
    if "vm" in lookups and not options.get("zone"):
        lookups["zone"] = {"id": lookups["vm"]["zoneid"], "name": lookups["vm"].get("zonename")}
    else:
        lookups["zone"] = zone.find(client, options.get("zone"))
    if options.get("snapshot"):
        lookups["snapshot"] = snapshot.source(client, options["snapshot"])
    if options.get("disk_offering"):
        lookups["disk_offering"] = DISK.find(client, options["disk_offering"])
    lookups.update(size.lookup_new(client, options, lookups, task.deadline))


def _without_source(task: Task, name: str) -> str:
    """Say what a new volume must be made from. A size alone is not enough."""
    text, size_gb = (
        f"disk_offering, snapshot or url: one of them is needed to create {name}, which does not exist. Give it, or correct the name",
        task.options.get("size_gb"),
    )
    if size_gb is None:
        return text
    free = [offering["name"] for offering in DISK.search(task.client) if offering.get("iscustomized")]
    choice = (
        f"the disk offerings without a fixed size are {', '.join(free)}"
        if free
        else "no disk offering is without a fixed size"
    )
    return f"{text}. size_gb: {size_gb} alone is not enough: {choice}"


def _has_other_offering(record: Record, given: str) -> bool:
    return given not in (record.get("diskofferingid"), record.get("diskofferingname"))


RESOURCE = Resource(check_options, find, lookup, plan, to_result, jobs="Volume", kind=kind)

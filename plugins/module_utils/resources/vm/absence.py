# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that destroys a virtual machine, and keeps or deletes its data disks first."""

from __future__ import annotations

from ...api import Record, UsageError
from ...api.errors import INTERNAL
from ...reconcile import THIS, Changes, Plan, Step, replace
from ..volume.view import GIB
from .view import DESTROYED, GONE

_NOT_EXPUNGED = (
    "If the account may not expunge VMs, this one is as it was: leave expunge out, or ask the operator for the setting "
    "allow.user.expunge.recover.vm"
)


def plan(name: str, record: Record | None, options: Record, lookups: Record) -> Plan:
    """Return the plan that detaches the data disks of a machine, deletes them if asked, and destroys the machine.

    CloudStack 3.0 would hide the disks with the machine. They go first: as long as the machine is there, the next run knows
    its disks. CloudStack 4 detaches them when it destroys the machine; measured on 4.23.
    """
    disks = lookups.get("left_disks") or lookups.get("data_disks", {}).get((record or {}).get("id"), [])
    changes = Changes(False)
    stages = _parting(name, disks, options, lookups, changes) if disks else []
    if record and record.get("state") not in GONE:
        changes.before.update(state=record.get("state"), id=record["id"])
        changes.after["state"] = "absent"
        stages += _unprotect(name, record, options, changes)
        stages.append([_destroy(name, options)])
    elif record and record.get("state") == DESTROYED and options["expunge"]:
        changes.before.update(state=DESTROYED, id=record["id"])
        changes.after["state"] = "absent"
        params = {"id": THIS}
        stages.append([Step(f"{name}: expunge", "expungeVirtualMachine", params, hints={INTERNAL: _NOT_EXPUNGED})])
    return Plan(name, record, stages, changes.before, changes.after)


def _destroy(name: str, options: Record) -> Step:
    command, params = "destroyVirtualMachine", {"id": THIS}
    if options["expunge"]:
        more = {"expunge": True}
        return Step(f"{name}: destroy and expunge", command, {**params, **more}, hints={INTERNAL: _NOT_EXPUNGED})
    return Step(f"{name}: destroy", command, params, returns="virtualmachine", yields=replace, expect=GONE)


def _unprotect(name: str, record: Record, options: Record, changes: Changes) -> list[list[Step]]:
    """Return the stage that removes the protection against deletion. Raises ``UsageError`` if the options don't ask for it."""
    if not record.get("deleteprotection"):
        return []
    if options.get("delete_protection") is not False:
        raise UsageError(
            f"{name} is protected against deletion. Set delete_protection: false beside state: absent to destroy it"
        )
    changes.note("delete_protection", True, False)
    params: Record = {"id": THIS, "deleteprotection": False}
    text = f"{name}: set delete_protection=false"
    return [[Step(text, "updateVirtualMachine", params, returns="virtualmachine", yields=replace)]]


def _parting(name: str, disks: list[Record], options: Record, lookups: Record, changes: Changes) -> list[list[Step]]:
    """Return the stages that detach the data disks of a machine, and delete them if asked."""
    is_asked = options["detach_volumes"] or options["delete_volumes"]
    if not (is_asked or lookups.get("keeps_disks")):
        names = ", ".join(f"{disk.get('name')} ({disk['id']}, {disk.get('size', 0) // GIB} GiB)" for disk in disks)
        raise UsageError(
            f"{name} has data disks, which the service would hide for ever with the VM: {names}. Set detach_volumes: "
            f"true to detach and keep them, or delete_volumes: true"
        )
    changes.note("data_disks", sorted(str(disk.get("name")) for disk in disks), [])
    if not is_asked:
        return []  # the service detaches them
    detach = [_disk_step(name, "detach", "detachVolume", disk) for disk in disks if disk.get("virtualmachineid")]
    delete = [_disk_step(name, "delete", "deleteVolume", disk) for disk in disks if options["delete_volumes"]]
    return [detach, delete]


def _disk_step(name: str, verb: str, command: str, disk: Record) -> Step:
    return Step(f"{name}: {verb} volume {disk.get('name')}", command, {"id": disk["id"]})

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reinstalls a virtual machine: makes its root disk anew from its template, once in a run and only if it is confirmed."""

from __future__ import annotations

import time

from ...api import Client, CloudnError, JobTimeout, Record, UnknownOutcome, UsageError
from ...api.deadline import poll
from ...reconcile import THIS, Progress, Step, Task, replace
from ...reconcile import plan as plans
from ..lookup import not_there
from ..volume import view as volume
from . import view as vm

_RESTORE = "restoreVirtualMachine"
# The commands of a plan before it. As long as one of them is not done, it has not been sent.
_BEFORE = ("stopVirtualMachine", "changeServiceForVirtualMachine", "updateVirtualMachine")
_RUNNING = "Running"


def check_options(options: Record) -> None:
    """Raise ``UsageError`` unless one machine is named and confirmed."""
    names = list(dict.fromkeys(options["name"]))
    if len(names) > 1:
        raise UsageError(f"name: state: reinstalled takes one VM, not {len(names)}: {', '.join(names)}")
    if not options.get("confirm_reinstall"):
        message = "confirm_reinstall: is needed for state: reinstalled, which deletes the root disk's data. Set it to the VM's host name"
        raise UsageError(message)


def lookup(client: Client, wanted: str, record: Record | None, options: Record) -> Record:
    """Return the current root disk for the plan.

    Raises ``UsageError`` if the machine is missing, or its host name is not the confirmed one.
    """
    if record is None:
        raise not_there("name", "VM", wanted, " to reinstall")
    if record.get("state") in vm.GONE:
        raise UsageError(f"name: {wanted} is {record['state']}; recover it first (state: present and recover: true)")
    given, host = options["confirm_reinstall"], record.get("name")
    if host != given:
        raise UsageError(f"confirm_reinstall: is {given!r}, but name: {wanted!r} is the VM {host!r}. Nothing was done")
    return {"root_disk": next(iter(_root_disks(client, record["id"])), None)}


def stages(name: str, record: Record, is_halted: bool) -> list[list[Step]]:
    """Return the stages that make the root disk anew, and wait until a machine that ran runs again.

    The service stops a running machine for this and starts it again. The job's result says Stopped even then; measured on
    CloudStack 3.0.5. ``is_halted`` says that the plan has stopped the machine before.
    """
    text = f"{name}: make the root disk anew from template {record.get('templatename')}"
    restore = Step(text, _RESTORE, {"virtualmachineid": THIS}, returns="virtualmachine", yields=replace)
    if is_halted or record.get("state") != _RUNNING:
        return [[restore]]
    text, until = f"{name} to run again", _RunsAgain(name)
    look = Step(text, "listVirtualMachines", {"id": THIS}, returns="virtualmachine", yields=replace, until=until)
    return [[restore], [look]]


class _RunsAgain:
    """Waits until a machine runs. Gives up if it is in another terminal state for longer than lists lag behind."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._since = 0.0

    def __call__(self, records: list[Record], _progress: Progress) -> Record | None:
        """Return the machine once it runs. Raises ``CloudnError`` if it will not."""
        record = next(iter(records), {})
        now = time.monotonic()
        self._since = self._since or now
        if record.get("state") == _RUNNING:
            return {"virtualmachine": record}
        if record.get("state") in vm.TRANSITIONAL or now - self._since < plans.LAG:
            return None
        raise CloudnError(
            f"{_RESTORE}: the root disk was made anew, but {self._name} is {record.get('state', 'gone')}; start it (state: started)",
            _RESTORE,
        )


def state_left(task: Task) -> str | None:
    """Return the state still to be reached after a failure, ``None`` if it is not known whether the machine was reinstalled.

    The first lookups remember that it was done, so that it is never done twice. The root disk then has another id.
    """
    failed, before = task.failed, task.first
    if failed is None:
        return None
    done = "started" if (failed.found or {}).get("state") == _RUNNING else "present"
    command = failed.failed_step.command if failed.failed_step else ""
    if before.get("reinstalled"):
        return done
    if command in _BEFORE:
        return "reinstalled"
    if command == _RESTORE and not _is_renewed(task, failed, before.get("root_disk")):
        _describe_stopped(task.client, failed, done)
        return None
    before["reinstalled"] = True
    return done


def _describe_stopped(client: Client, failed: Progress, left: str) -> None:
    """Add to the error that a machine that ran is stopped now, after a job that failed half-way."""
    record = vm.find(client, [str(failed.id)])[str(failed.id)] or {}
    if failed.error and left == "started" and record.get("state") == "Stopped":
        failed.error.message += f". {failed.name} is Stopped now: start it (state: started)"


def describe(progress: Progress) -> None:
    """Change the message if the disk is new and the machine did not run again in time: the same task would do it again."""
    if isinstance(progress.error, JobTimeout) and progress.failed_step and progress.failed_step.until:
        progress.error.message = (
            f"{_RESTORE}: the root disk of {progress.name} was made anew, but the VM did not run again within wait_timeout. "
            "Look at it before you run the task again, which would do it once more"
        )


def _is_renewed(task: Task, failed: Progress, old: Record | None) -> bool:
    """Tell whether the root disk is a new one. If the answer was lost, look for as long as an answer may take."""
    if old is None:
        return False
    client, began = task.client, task.client.clock()
    for _look in poll(client, task.deadline, describe=lambda: f"{failed.name} has its old root disk"):
        client.await_pending("VM", failed.id, task.deadline)
        disks = {disk["id"] for disk in _root_disks(client, str(failed.id))}
        if disks and old["id"] not in disks:
            client.await_pending("VM", failed.id, task.deadline)  # the disk is there before the machine runs again
            return True
        if not isinstance(failed.error, UnknownOutcome):
            return False
        waited = client.clock() - began
        if waited >= client.timeout:
            break
    if failed.error:
        failed.error.message += f". After {waited:.0f} s its root disk is still {old['id']}, as before. It was done if the id changes (cloudn_volume_info)"
    return False


def _root_disks(client: Client, vm_id: str) -> list[Record]:
    return volume.search(client, {"virtualmachineid": vm_id, "type": volume.ROOT})

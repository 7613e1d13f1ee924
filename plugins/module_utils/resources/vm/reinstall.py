# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reinstalling a virtual machine: its root disk made anew from its template, once in a run, only where it is confirmed."""

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
# What a plan does before it. While one of these is not done, it has not been sent.
_BEFORE = ("stopVirtualMachine", "changeServiceForVirtualMachine", "updateVirtualMachine")
_RUNNING = "Running"


def check_options(options: Record) -> None:
    """Raise ``UsageError`` unless one machine is named and confirmed."""
    names = list(dict.fromkeys(options["name"]))
    if len(names) > 1:
        raise UsageError(f"name: state: reinstalled takes one machine, not {len(names)}: {', '.join(names)}")
    if not options.get("confirm_reinstall"):
        raise UsageError(
            "confirm_reinstall: is needed for state: reinstalled, which deletes all that is on the root disk of the machine; set "
            "it to the machine's host name"
        )


def lookup(client: Client, wanted: str, record: Record | None, options: Record) -> Record:
    """Return the root disk that there is, as a fact for the plan, after the machine's name was found confirmed.

    Raises ``UsageError`` for a machine that is not there, or that has another host name.
    """
    if record is None:
        raise not_there("name", "virtual machine", wanted, " to reinstall")
    if record.get("state") in vm.GONE:
        raise UsageError(
            f"name: {wanted} is {record['state']}; have it back first (state: present and recover: true), then reinstall it"
        )
    if record.get("name") != options["confirm_reinstall"]:
        raise UsageError(
            f"confirm_reinstall: is {options['confirm_reinstall']!r}, but name: {wanted!r} is the machine "
            f"{record.get('name')!r}. All that is on its root disk would be deleted, so nothing was done"
        )
    return {"root_disk": next(iter(_root_disks(client, record["id"])), None)}


def stages(name: str, record: Record, is_halted: bool) -> list[list[Step]]:
    """Return the stages that make the root disk anew, and see that a machine that ran runs again.

    The service stops a running machine for it and starts it again. The job's result says Stopped also then; measured on
    CloudStack 3.0.5. ``is_halted`` says that the plan has stopped the machine before.
    """
    text = f"{name}: make the root disk anew from template {record.get('templatename')}"
    restore = Step(text, _RESTORE, {"virtualmachineid": THIS}, returns="virtualmachine", yields=replace)
    if is_halted or record.get("state") != _RUNNING:
        return [[restore]]
    return [
        [restore],
        [
            Step(
                f"{name} to run again",
                "listVirtualMachines",
                {"id": THIS},
                returns="virtualmachine",
                yields=replace,
                until=_RunsAgain(name),
            )
        ],
    ]


class _RunsAgain:
    """Waits until a machine runs; one that stays in another state for longer than lists lag will not."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._since = 0.0

    def __call__(self, records: list[Record], _progress: Progress) -> Record | None:
        """Return the machine once it runs; raise ``CloudnError`` when it will not."""
        record = next(iter(records), {})
        now = time.monotonic()
        self._since = self._since or now
        if record.get("state") == _RUNNING:
            return {"virtualmachine": record}
        if record.get("state") in vm.TRANSITIONAL or now - self._since < plans.LAG:
            return None
        raise CloudnError(
            f"{_RESTORE}: the root disk was made anew, but {self._name} is {record.get('state', 'gone')} and not {_RUNNING} "
            "as before; start it (state: started)",
            _RESTORE,
        )


def state_left(task: Task) -> str | None:
    """Return which state is still to be reached after a failure, ``None`` where it is not known whether it was reinstalled.

    The first lookups remember that it was done: it is never done twice. A root disk with another id than before tells it.
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
        _tell_stopped(task.client, failed, done)
        return None
    before["reinstalled"] = True
    return done


def _tell_stopped(client: Client, failed: Progress, left: str) -> None:
    """Say where a machine that ran is left stopped, by a job that has failed in the middle."""
    record = vm.find(client, [str(failed.id)])[str(failed.id)] or {}
    if failed.error and left == "started" and record.get("state") == "Stopped":
        failed.error.message += f". {failed.name} is Stopped now: start it (state: started)"


def describe(progress: Progress) -> None:
    """Say what is left where the disk is new, and the machine did not run again in time: not the same task once more."""
    if isinstance(progress.error, JobTimeout) and progress.failed_step and progress.failed_step.until:
        progress.error.message = (
            f"{_RESTORE}: the root disk of {progress.name} was made anew, but the machine did not run again within the time for "
            "the task (wait_timeout). Look at it before you run the task again, which would do it once more"
        )


def _is_renewed(task: Task, failed: Progress, old: Record | None) -> bool:
    """Tell whether the root disk is another one than before; where the answer was lost, look as long as one may take."""
    if old is None:
        return False
    client, began = task.client, task.client.clock()
    for _look in poll(client, task.deadline):
        client.await_pending("VM", failed.id, task.deadline)
        disks = {disk["id"] for disk in _root_disks(client, str(failed.id))}
        if disks and old["id"] not in disks:
            client.await_pending("VM", failed.id, task.deadline)  # the disk is there before the machine runs again
            return True
        if not isinstance(failed.error, UnknownOutcome):
            return False
        if client.clock() - began >= client.timeout:
            break
    if failed.error:
        failed.error.message += (
            f". After {client.clock() - began:.0f} s its root disk is still {old['id']}, as before; it was done if that becomes "
            f"another one (cloudn_volume_info with vm: {failed.id} and type: ROOT)"
        )
    return False


def _root_disks(client: Client, vm_id: str) -> list[Record]:
    return volume.search(client, {"virtualmachineid": vm_id, "type": volume.ROOT})

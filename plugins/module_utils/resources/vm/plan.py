# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for a virtual machine: steps from the options and the current machine, and its result."""

from __future__ import annotations

import re
import typing as t

from ...api import ApiError, Record, UsageError
from ...api.errors import INTERNAL, PARAMETER_ERROR
from ...reconcile import THIS, Changes, New, Plan, Progress, Step, Task, replace
from .. import tags
from ..drift import check_drift
from ..lookup import matches, same_name
from ..volume.view import GIB
from ..zone import is_named
from . import mending
from . import view as vm
from .user_data import encoded
from .view import RUNNING, STOPPED

if t.TYPE_CHECKING:
    from ...reconcile.duplicates import Kind

# The state that a machine gets, by the module's state. With any other it keeps its state.
_GOALS = {"started": RUNNING, "restarted": RUNNING, "stopped": STOPPED}
# What a new machine is made from, and its zone: names of options, of lookups and of parameters.
_FROM = ("zone", "template", "service_offering", "disk_offering")
# The attributes that updateVirtualMachine changes, with its parameters for them.
_UPDATED = {
    "display_name": "displayname",
    "group": "group",
    "ha": "haenable",
    "os_type_id": "ostypeid",
    "delete_protection": "deleteprotection",
}
_NO_COMMAND = 432
_SCALE = "The VM runs with its old offering. Set allow_restart: true to stop and start it for the change"
# Attributes of a new machine that are as the options say.
_GIVEN = ("display_name", "group", "key_pair", "ha", "root_size_gb", "delete_protection")
# Lists of objects that a new machine gets, with the parameters for their ids.
_LISTED = {"security_groups": "securitygroupids", "affinity_groups": "affinitygroupids", "networks": "networkids"}
# Characters beyond ASCII become these if text is read in another encoding: question marks, or characters of Latin-1 and
# Windows-1252.
_WRECKAGE = "[?\x80-\xff\ufffd" + bytes(range(0x80, 0xA0)).decode("cp1252", "ignore") + "]+"


def is_whole(record: Record) -> bool:
    """Tell whether the service showed the machine. It may hide a destroyed one, see ``vm.find``."""
    return vm.HIDDEN not in record


def differs(record: Record, field: str, given: str | None) -> bool:
    """Tell whether a machine's ``template`` or ``serviceoffering`` has another name and another id than the given.

    A machine may show neither, as its template was deleted. Then nobody knows.
    """
    return (
        given is not None
        and shows(record, field)
        and given not in (record.get(field + "name"), record.get(field + "id"))
    )


def shows(record: Record, field: str) -> bool:
    """Tell whether a machine shows the name or the id of its ``template`` or ``serviceoffering``."""
    return bool(record.get(field + "name") or record.get(field + "id"))


def plan(task: Task, name: str, record: Record | None, lookups: Record) -> Plan:
    """Return the plan that gives one machine what the options ask for.

    Raises ``UsageError`` for drift that no command can change, or only with an option that is not set.
    """
    options = task.options
    if options["state"] == "absent":
        from . import absence  # here, as other tasks don't need it

        return absence.plan(name, record, options, lookups)
    if record is None:
        return _plan_creation(name, options, lookups)
    state, stages = _usable(name, record, options)
    if not is_whole(record):
        # The service shows only that it is destroyed. The next run sees the other differences.
        options = {"state": options["state"], "force_stop": False}
    _check_immutable(name, record, options, lookups, task.warnings)
    changes = Changes(False)
    _compare(name, record, options, lookups, changes, task.warnings)
    mends = mending.compare(name, record, options, lookups, changes)
    goal = _GOALS.get(options["state"], state)
    if options["state"] == "reinstalled":
        goal = RUNNING if lookups.get("ran") else state  # it may have been stopped for a change
        changes.note("root_disk", (lookups.get("root_disk") or {}).get("id"), "(new)")
    changes.note("state", record.get("state"), goal)
    resize = changes.before.get("service_offering") != changes.after.get("service_offering")
    scale = resize and goal == RUNNING and mending.can_scale(record, lookups)
    if state == RUNNING and mends:
        mends = mending.allowed(name, mends, options, changes, task.warnings)
    halt = state == RUNNING and (goal == STOPPED or (resize and not scale) or bool(mends))
    if resize and halt and not scale:
        _check_restart(name, options, changes)
    scale = scale and not halt
    stages += _down(name, options, halt) + (_resize(name, lookups, changes, scale) if resize else [])
    stages += [[step] for step in mends.values()]
    # Another offering sets its own high availability. So the one that is asked for is always sent after it.
    stages += _update(name, {**changes.before, "ha": None} if resize else changes.before, changes.after)
    stages += _up(name, {**record, "state": state}, options, goal, halt)
    # After a failure it must be clear whether a machine was reinstalled. So nothing is sent beside that command.
    early = options["state"] != "reinstalled"
    stages += tags.plan(tags.VM, name, record, options, changes, early)
    return Plan(name, record, stages, changes.before, changes.after, _conditions(task, record))


def _conditions(task: Task, record: Record) -> Record:
    """Return what decides whether the service refuses to start a machine: its state.

    CloudStack 4 shows a machine as Running for a while after it has begun to stop it, and refuses to start it (431).
    Measured on 4.23.
    """
    failed = task.failed
    is_early = failed and failed.failed_step and failed.failed_step.command == "startVirtualMachine"
    if failed is None or (is_early and isinstance(failed.error, ApiError) and failed.error.code == PARAMETER_ERROR):
        return {record["id"]: record.get("state")}
    return {}


def _step(text: str, command: str, params: Record, expect: tuple[str, ...] = vm.ALIVE, **more: t.Any) -> Step:
    """Return a step about the machine. Its result holds the current machine, and a new password if there is one."""
    return Step(text, command, params, returns="virtualmachine", yields=replace, expect=expect, **more)


def _usable(name: str, record: Record, options: Record) -> tuple[str, list[list[Step]]]:
    """Return a state in which the machine takes commands, and the stages that lead to it.

    Raises ``UsageError`` if there are no such stages.
    """
    state, stages = str(record.get("state")), []
    if state in vm.GONE:
        if not options.get("recover"):
            raise UsageError(
                f"{name} is {state} (id {record['id']}). Set recover: true, choose another name, or wait until the service has expunged it"
            )
        stages = [[_step(f"{name}: recover", "recoverVirtualMachine", {"id": THIS}, expect=(STOPPED,))]]
        state = STOPPED
    if state not in (RUNNING, STOPPED):
        raise UsageError(f"{name} is in state {state}. It can only be destroyed (state: absent). {vm.HELD}")
    return state, stages


def _check_restart(name: str, options: Record, changes: Changes) -> None:
    """Raise ``UsageError`` if a running machine must be stopped for another offering and the options don't allow it."""
    if options["state"] in ("present", "started") and not options["allow_restart"]:
        raise UsageError(
            f"service_offering: {name} is running, and must be stopped for {changes.after['service_offering']!r}. Set allow_restart: true, or stop it first"
        )


def _down(name: str, options: Record, halt: bool) -> list[list[Step]]:
    forced = {"forced": True} if options["force_stop"] else {}
    stop = _step(f"{name}: stop", "stopVirtualMachine", {"id": THIS, **forced}, expect=(STOPPED,))
    return [[stop]] if halt else []


def _resize(name: str, lookups: Record, changes: Changes, scale: bool) -> list[list[Step]]:
    was, goal = changes.before["service_offering"], changes.after["service_offering"]
    params = {"id": THIS, "serviceofferingid": lookups["service_offering"]["id"]}
    text = f"{name}: change service offering from {was} to {goal}"
    if scale:
        hints = dict.fromkeys((PARAMETER_ERROR, _NO_COMMAND, INTERNAL), _SCALE)
        return [[_step(text, "scaleVirtualMachine", params, expect=(RUNNING,), hints=hints)]]
    return [[_step(text, "changeServiceForVirtualMachine", params)]]


def _up(name: str, record: Record, options: Record, goal: str, is_halted: bool) -> list[list[Step]]:
    """Return the stages that reinstall, start or restart a machine. The plan may stop it before them."""
    stages: list[list[Step]] = []
    if options["state"] == "reinstalled":
        from . import reinstall  # here, as few runs need it

        stages += reinstall.stages(name, record, is_halted)
    if goal == RUNNING and (is_halted or record["state"] == STOPPED):
        # A machine that was stopped for a change is started again even if the change failed.
        start = _step(f"{name}: start", "startVirtualMachine", {"id": THIS}, expect=(RUNNING,), cleanup=is_halted)
        stages.append([start])
    elif options["state"] == "restarted":
        # The service does not show a reboot, and a machine must not be rebooted twice.
        stages += [[_step(f"{name}: reboot", "rebootVirtualMachine", {"id": THIS}, expect=(RUNNING,), unseen=True)]]
    return stages


def _plan_creation(name: str, options: Record, lookups: Record) -> Plan:
    offering = lookups["service_offering"]
    if options.get("ha") and not offering.get("offerha"):
        raise UsageError(_no_ha(name, offering))
    goal = _goal(options, lookups)
    params = {
        **{option.replace("_", "") + "id": lookups.get(option, {}).get("id") for option in _FROM},
        "name": name,
        "displayname": options.get("display_name"),
        "group": options.get("group"),
        "keypair": options.get("key_pair"),
        "keyboard": options.get("keyboard"),
        "userdata": encoded(options),
        "startvm": False if goal["state"] == STOPPED else None,
        "rootdisksize": options.get("root_size_gb"),
        **{param: _ids(lookups.get(option)) for option, param in _LISTED.items()},
    }
    text = f"{name}: deploy in {goal['zone']} from template {goal['template']} with {goal['service_offering']}"
    stages = [[_step(text, "deployVirtualMachine", params, expect=(goal["state"],), creates=True)]]
    # deployVirtualMachine takes neither of these. High availability comes from the offering.
    made = {
        "ha": bool(offering.get("offerha")),
        "os_type_id": lookups["template"].get("ostypeid"),
        "delete_protection": False,
    }
    stages += _update(name, made, {option: goal[option] for option in made if option in goal})
    stages += tags.stages(tags.VM, name, {}, goal.get("tags", {}), early=True)
    return Plan(name, None, stages, {}, goal, new=_new(name, lookups["zone"]["id"], lookups.get("keyword")))


def _ids(records: list[Record] | None) -> list[str] | None:
    return [record["id"] for record in records] if records else None


def _goal(options: Record, lookups: Record) -> Record:
    """Return the attributes that the options ask for on a new machine."""
    goal = {
        "state": STOPPED if options["state"] == "stopped" else RUNNING,
        **{option: lookups.get(option, {}).get("name") for option in _FROM},
        **{option: options.get(option) for option in _GIVEN},
        **{option: mending.names_of(lookups[option]) for option in _LISTED if lookups.get(option)},
        "os_type_id": lookups.get("os_type", {}).get("id"),
        "tags": tags.desired({}, options["tags"], True) if options.get("tags") else None,
    }
    return {option: value for option, value in goal.items() if value is not None}


def _new(name: str, zone_id: str, keyword: str | None) -> New:
    """Return how duplicates of a new machine are found: machines with its host name in its zone.

    All names of the task begin with ``keyword``, so one listing shows all the machines.
    """
    is_here = is_named(name, zone_id)
    return New(kind(), {"keyword": keyword}, lambda record: is_here(record) and record.get("state") not in vm.GONE)


def kind() -> Kind:
    """Return how duplicates are settled if several runs make machines at the same moment."""
    from .kind import KIND  # here, as few runs make machines: each run compiles what it imports

    return KIND


def _compare(
    name: str, record: Record, options: Record, lookups: Record, changes: Changes, warnings: list[str]
) -> None:
    """Note the current and the wanted value of the attributes that the options name."""
    if options.get("service_offering") is not None:
        current, current_id = record.get("serviceofferingname"), record.get("serviceofferingid")
        new = lookups.get("service_offering", {"id": current_id})
        changes.note("service_offering", current, current if new["id"] == current_id else new.get("name"))
    if options.get("display_name") is not None:
        changes.note("display_name", record.get("displayname"), options["display_name"])
    if options.get("group") is not None:
        current, given = record.get("group"), options["group"]
        # CloudStack 4 keeps such names whole.
        is_left = not mending.is_of_4(record) and _is_garbled(current, given, warnings)
        is_same = same_name(current, given) or is_left
        changes.note("group", current, current if is_same else given)
    if options.get("ha") is not None:
        _compare_ha(name, record, options["ha"], lookups, changes)
    mending.compare_protection(record, options, changes)
    if "os_type" in lookups:
        changes.note("os_type_id", record.get("guestosid"), lookups["os_type"]["id"])


def _compare_ha(name: str, record: Record, wanted: bool, lookups: Record, changes: Changes) -> None:
    offering = lookups.get("service_offering") or lookups.get("offerings", {}).get(record.get("serviceofferingid"), {})
    if changes.note("ha", bool(record.get("haenable")), wanted) and wanted and not offering.get("offerha"):
        raise UsageError(_no_ha(name, offering))


def _update(name: str, before: Record, after: Record) -> list[list[Step]]:
    """Return the stage that updates what a machine takes in any state, or nothing if nothing differs."""
    changed = {key: after[key] for key in _UPDATED if key in after and before.get(key) != after[key]}
    if not changed:
        return []
    text = ", ".join(f"{key}={value}" for key, value in changed.items())
    params = {_UPDATED[key]: value for key, value in changed.items()}
    return [[_step(f"{name}: set {text}", "updateVirtualMachine", {"id": THIS, **params}, early=True)]]


def _no_ha(name: str, offering: Record) -> str:
    return f"ha: {name} has the service offering {offering.get('name')!r}, which offers no high availability"


def _is_garbled(current: str | None, given: str, warnings: list[str]) -> bool:
    """Tell whether a machine's group may be the given one, garbled by the service, and warn of it once.

    The real server garbles characters beyond ASCII in lists, so each run would change such a group again; measured on
    CloudStack 3.0.5.
    """
    if current is None or given.isascii():
        return False
    parts = re.split(r"[^\x00-\x7f]+", given.rstrip(" "))
    if not re.fullmatch(_WRECKAGE.join(map(re.escape, parts)), current.rstrip(" ")):
        return False
    warning = f"group: the service shows {current!r}, which may be {given!r}, and is left alone. It garbles names beyond ASCII: use ASCII letters"
    if warning not in warnings:
        warnings.append(warning)
    return True


def _check_immutable(name: str, record: Record, options: Record, lookups: Record, warnings: list[str]) -> None:
    """Refuse differences that no command can change, warn of them or ignore them, as ``on_immutable_drift`` says."""
    if options.get("on_immutable_drift", "ignore") == "ignore":
        return
    drift = []
    if options.get("template") and not shows(record, "template"):
        text = f"{name}: the service shows no template of it. So it can't be compared with {options['template']!r}"
        warnings.append(f"{text}. The template may have been deleted")
    if differs(record, "template", options.get("template")):
        drift.append(f"template is {record.get('templatename')!r}, not {options['template']!r}")
    if not mending.is_of_4(record):
        drift += _drift_of_3(name, record, options, lookups, warnings)
    drift += _drift_of_disks(record, options, lookups)
    networks = options.get("networks")
    if networks and not mending.is_in(networks, record):
        has = sorted(str(nic.get("networkname") or nic.get("networkid")) for nic in record.get("nic") or [])
        drift.append(f"networks are {has}, not {networks}")
    way_out = (
        "make one with another name (the name of a destroyed one stays taken until the service has expunged it, by default "
        "for a day), correct the option"
    )
    check_drift(name, drift, "VM", way_out, options, warnings)


def _drift_of_3(name: str, record: Record, options: Record, lookups: Record, warnings: list[str]) -> list[str]:
    """Return the differences that CloudStack 4 changes, and 3 does not."""
    drift = []
    if options.get("security_groups") and mending.other_security_groups(record, options["security_groups"]):
        current = mending.names_of(record.get("securitygroup") or [])
        drift.append(f"security_groups are {current}, not {sorted(options['security_groups'])}")
    if options.get("key_pair"):
        from . import key_pair

        other = key_pair.compare(name, record, options["key_pair"], lookups.get("key_pairs"), warnings)
        drift += [other] if other else []
    return drift


def _drift_of_disks(record: Record, options: Record, lookups: Record) -> list[str]:
    drift = []
    size, root = options.get("root_size_gb"), lookups.get("roots", {}).get(record["id"])
    if size and root and root.get("size") != size * GIB:
        has = root.get("size", 0) / GIB
        drift.append(f"root_size_gb is {has:g}, not {size} (cloudn_volume can change the size of {root.get('name')})")
    if options.get("disk_offering"):
        disks = lookups.get("data_disks", {}).get(record["id"], [])
        kinds = [{"id": disk.get("diskofferingid"), "name": disk.get("diskofferingname")} for disk in disks]
        if not any(matches(kind, options["disk_offering"]) for kind in kinds):
            has = sorted(str(kind["name"]) for kind in kinds) or "none"
            drift.append(f"disk_offering of its data disks is {has}, not {options['disk_offering']!r}")
    return drift


def to_result(progress: Progress, check: bool) -> Record:
    """Return one machine of the result: the current one, in check mode the expected one."""
    shown = vm.to_result({"name": progress.name, **progress.object})
    if check:
        shown.update({key: value for key, value in progress.plan.after.items() if key != "root_disk"})
    elif progress.plan.after.get("state") == "absent":
        shown["state"] = "absent" if not progress.error else shown["state"]
    if progress.object.get("password"):
        shown["password"] = progress.object["password"]
    return shown


def describe(progress: Progress, lookups: Record) -> None:
    """Add to the error the likely reason for a refused name, and the disks that are left."""
    error = progress.error
    if error is None:
        return
    from . import failed_deployment  # here, as few runs need it

    failed_deployment.describe(progress)
    # The service's words may change, so the code decides.
    if error.command == "deployVirtualMachine" and error.code == PARAMETER_ERROR and not progress.id:
        error.message += (
            f". A destroyed VM that is not listed may hold {progress.name!r} until the service has expunged it. So may a "
            "VM of another account, or a new one that the list did not show yet. If the name is the reason, use another one, or wait"
        )
    if "root_disk" in lookups:
        from . import reinstall  # here, as few runs need it

        reinstall.describe(progress)
    disks = lookups.get("data_disks", {}).get(progress.id, []) if lookups.get("delete_volumes") else []
    if disks:
        # The next run can't see that they were the machine's.
        names = ", ".join(f"{disk.get('name')} ({disk['id']})" for disk in disks)
        error.message += f". Of its data disks {names}, those that are detached and not deleted yet are left: delete them with cloudn_volume"

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines: the pure plan, from what is asked for and what is there to steps, and what their results say."""

from __future__ import annotations

import base64
import re

from ..api import Record, UsageError
from ..plan import THIS, Step, Track
from . import tags, vm
from .drift import judge
from .lookup import matches, same_name
from .volume import GIB

RUNNING, STOPPED, DESTROYED = "Running", "Stopped", "Destroyed"
# The states in which machines shall be, by the module's; with any other they shall be as they are.
_GOALS = {"started": RUNNING, "restarted": RUNNING, "stopped": STOPPED}
# What updateVirtualMachine changes, by the names of the attributes and of its parameters.
_UPDATED = {"display_name": "displayname", "group": "group", "ha": "haenable", "os_type_id": "ostypeid"}
# What characters beyond ASCII may become where text is read in another encoding: question marks, or signs of Latin-1 and
# Windows-1252.
_WRECKAGE = "[?\x80-\xff\ufffd" + bytes(range(0x80, 0xA0)).decode("cp1252", "ignore") + "]+"


def encoded(user_data: str | None) -> str | None:
    """Return user data in the Base64 form that the service takes."""
    return base64.b64encode(user_data.encode()).decode() if user_data else None


def is_whole(record: Record) -> bool:
    """Tell whether the service showed the machine; one that is destroyed it may hide, see ``vm.find``."""
    return "templateid" in record


def differs(record: Record, field: str, given: str | None) -> bool:
    """Tell whether a machine's ``template`` or ``serviceoffering`` is another than given, compared as it was given."""
    return given is not None and given not in (record.get(field + "name"), record.get(field + "id"))


def other_security_groups(record: Record, names: list[str]) -> bool:
    """Tell whether a machine's security groups are others than those given by name or id."""
    given, current = set(names), record.get("securitygroup") or []
    named = [[one for one in given if matches(group, one, same=same_name)] for group in current]
    return not all(named) or {one for names in named for one in names} != given


def plan(name: str, record: Record | None, options: Record, facts: Record, warnings: list[str]) -> Track:
    """Return the track that leads one machine to what is asked for; looks at its arguments only.

    Raises ``UsageError`` for drift that can't be mended, or not without an option that allows it. Appends to
    ``warnings``.
    """
    if options["state"] == "absent":
        return _plan_absence(name, record, options, facts)
    if record is None:
        return _plan_creation(name, options, facts)
    stages = []
    was = record.get("state")
    state = str(was)
    if state in vm.GONE:
        if not options.get("recover"):
            raise UsageError(
                f"{name} is {record['state']} (id {record['id']}), and its name stays taken until the service has "
                "expunged it; wait for that, choose another name, or set recover: true to have it back"
            )
        stages.append([Step(f"{name}: recover", "recoverVirtualMachine", {"id": THIS}, expect=(STOPPED,))])
        state = STOPPED
    if state not in (RUNNING, STOPPED):
        raise UsageError(f"{name} is in state {state}, in which nothing can be done but to destroy it (state: absent)")
    if not is_whole(record):
        # Nothing is known of it but that it is destroyed. What else differs, the next run sees.
        options = {"state": options["state"], "force_stop": False}
    _check_immutable(name, record, options, facts, warnings)
    before, after = _changes(name, record, options, facts, warnings)
    goal = _GOALS.get(options["state"], state)
    if options["state"] == "reinstalled":
        goal = RUNNING if facts.get("ran") else state  # it may have been stopped for a change
        before["root_disk"], after["root_disk"] = (facts.get("root_disk") or {}).get("id"), "(new)"
    before["state"], after["state"] = was, goal
    resize = before.get("service_offering") != after.get("service_offering")
    halt = state == RUNNING and (goal == STOPPED or resize)
    if resize and halt and options["state"] in ("present", "started") and not options["allow_restart"]:
        raise UsageError(
            f"service_offering: {name} has {before['service_offering']!r} and is running; a change to "
            f"{after['service_offering']!r} needs it stopped: set allow_restart: true, or stop it first (state: stopped)"
        )
    if halt:
        forced = {"forced": True} if options["force_stop"] else {}
        stages.append([Step(f"{name}: stop", "stopVirtualMachine", {"id": THIS, **forced}, expect=(STOPPED,))])
    if resize:
        offering = facts["service_offering"]
        text = f"{name}: change service offering from {before['service_offering']} to {after['service_offering']}"
        params = {"id": THIS, "serviceofferingid": offering["id"]}
        stages.append([Step(text, "changeServiceForVirtualMachine", params)])
    # Another offering brings its own high availability along, so what is asked for is set whatever it was.
    stages += _update(name, {**before, "ha": None} if resize else before, after)
    stages += _up(name, {**record, "state": state}, options, goal, halt)
    if options.get("tags") is not None:
        current = tags.shape(record)
        before["tags"], after["tags"] = current, tags.wanted(current, options["tags"], options["purge_tags"])
        # After a failure it must be known whether a machine was reinstalled, so nothing else is sent until that has ended.
        early = options["state"] != "reinstalled"
        stages += tags.stages(tags.VM, name, current, after["tags"], early)
    return Track(name, record, stages, before, after, absorb)


def _up(name: str, record: Record, options: Record, goal: str, is_halted: bool) -> list[list[Step]]:
    """Return the stages that reinstall, start or restart a machine, which the plan may have stopped before."""
    stages: list[list[Step]] = []
    if options["state"] == "reinstalled":
        from . import vm_reinstall  # here, as few runs need it

        stages += vm_reinstall.stages(name, record, is_halted)
    if goal == RUNNING and (is_halted or record["state"] == STOPPED):
        # What was stopped only for a change runs again also where that failed.
        start = Step(f"{name}: start", "startVirtualMachine", {"id": THIS}, expect=(RUNNING,), amends=is_halted)
        stages.append([start])
    elif options["state"] == "restarted":
        stages.append([Step(f"{name}: reboot", "rebootVirtualMachine", {"id": THIS}, expect=(RUNNING,))])
    return stages


def _plan_absence(name: str, record: Record | None, options: Record, facts: Record) -> Track:
    """Destroy a machine; its data disks, which the service would hide with it, are detached before, and deleted.

    They go before the machine does: while it is there, the next run knows which disks were to go with it.
    """
    gone = record is None or record.get("state") in vm.GONE
    disks = facts.get("left_disks") or facts.get("data_disks", {}).get((record or {}).get("id"), [])
    if disks and not (options["detach_volumes"] or options["delete_volumes"]):
        names = ", ".join(f"{disk.get('name')} ({disk['id']}, {disk.get('size', 0) // GIB} GiB)" for disk in disks)
        raise UsageError(
            f"{name} has data disks, which the service would hide with it: {names}. Set detach_volumes: true to detach and "
            "keep them, or delete_volumes: true to delete them too"
        )
    detach = [
        Step(f"{name}: detach volume {disk.get('name')}", "detachVolume", {"id": disk["id"]})
        for disk in disks
        if disk.get("virtualmachineid")
    ]
    destroy = [] if gone else [Step(f"{name}: destroy", "destroyVirtualMachine", {"id": THIS}, expect=vm.GONE)]
    delete = [
        Step(f"{name}: delete volume {disk.get('name')}", "deleteVolume", {"id": disk["id"]})
        for disk in disks
        if options["delete_volumes"]
    ]
    before: Record = {}
    after: Record = {}
    if record is not None and not gone:
        before.update(state=record.get("state"), id=record["id"])
        after["state"] = "absent"
    if disks:
        before["data_disks"] = sorted(str(disk.get("name")) for disk in disks)
        after["data_disks"] = []
    return Track(name, record, [detach, delete, destroy], before, after, absorb)


def _plan_creation(name: str, options: Record, facts: Record) -> Track:
    offering, groups = facts["service_offering"], facts.get("security_groups")
    if options.get("ha") and not offering.get("offerha"):
        raise UsageError(_no_ha(name, offering))
    stopped = options["state"] == "stopped"
    goal = {
        "state": STOPPED if stopped else RUNNING,
        "zone": facts["zone"].get("name"),
        "template": facts["template"].get("name"),
        "service_offering": offering.get("name"),
        "display_name": options.get("display_name"),
        "group": options.get("group"),
        "security_groups": sorted(str(group.get("name")) for group in groups) if groups else None,
        "disk_offering": facts["disk_offering"].get("name") if "disk_offering" in facts else None,
        "key_pair": options.get("key_pair"),
        "ha": options.get("ha"),
        "os_type_id": facts["os_type"]["id"] if "os_type" in facts else None,
        "tags": tags.wanted({}, options["tags"], True) if options.get("tags") else None,
    }
    after = {option: value for option, value in goal.items() if value is not None}
    params = {
        "zoneid": facts["zone"]["id"],
        "templateid": facts["template"]["id"],
        "serviceofferingid": offering["id"],
        "name": name,
        "displayname": options.get("display_name"),
        "group": options.get("group"),
        "securitygroupids": [group["id"] for group in groups] if groups else None,
        "diskofferingid": facts["disk_offering"]["id"] if "disk_offering" in facts else None,
        "keypair": options.get("key_pair"),
        "keyboard": options.get("keyboard"),
        "userdata": encoded(options.get("user_data")),
        "startvm": False if stopped else None,
    }
    text = f"{name}: deploy in {after['zone']} from template {after['template']} with {after['service_offering']}"
    stages = [[Step(text, "deployVirtualMachine", params, expect=(after["state"],))]]
    # Deploying takes neither of these; a machine has high availability from its offering.
    made = {"ha": bool(offering.get("offerha")), "os_type_id": facts["template"].get("ostypeid")}
    stages += _update(name, made, {option: after[option] for option in made if option in after})
    stages += tags.stages(tags.VM, name, {}, after.get("tags", {}), early=True)
    return Track(name, None, stages, {}, after, absorb)


def _changes(name: str, record: Record, options: Record, facts: Record, warnings: list[str]) -> tuple[Record, Record]:
    """Return the attributes asked for, as they are and as they shall be."""
    before: Record = {}
    after: Record = {}
    if options.get("service_offering") is not None:
        before["service_offering"] = after["service_offering"] = record.get("serviceofferingname")
        if "service_offering" in facts and facts["service_offering"]["id"] != record.get("serviceofferingid"):
            after["service_offering"] = facts["service_offering"].get("name")
    if options.get("display_name") is not None:
        before["display_name"], after["display_name"] = record.get("displayname"), options["display_name"]
    if options.get("group") is not None:
        before["group"], after["group"] = record.get("group"), options["group"]
        if same_name(before["group"], after["group"]) or _is_garbled(before["group"], after["group"], warnings):
            after["group"] = before["group"]
    if options.get("ha") is not None:
        before["ha"], after["ha"] = bool(record.get("haenable")), options["ha"]
        offering = facts.get("service_offering") or facts.get("offerings", {}).get(record.get("serviceofferingid"), {})
        if after["ha"] and not before["ha"] and not offering.get("offerha"):
            raise UsageError(_no_ha(name, offering))
    if "os_type" in facts:
        before["os_type_id"], after["os_type_id"] = record.get("guestosid"), facts["os_type"]["id"]
    return before, after


def _update(name: str, before: Record, after: Record) -> list[list[Step]]:
    """Return the stage, if one is needed, that updates what can be updated in any state."""
    changed = {key: after[key] for key in _UPDATED if key in after and before.get(key) != after[key]}
    if not changed:
        return []
    text = ", ".join(f"{key}={value}" for key, value in changed.items())
    params = {_UPDATED[key]: value for key, value in changed.items()}
    return [[Step(f"{name}: set {text}", "updateVirtualMachine", {"id": THIS, **params}, early=True)]]


def _no_ha(name: str, offering: Record) -> str:
    return f"ha: {name} has the service offering {offering.get('name')!r}, which offers no high availability"


def _is_garbled(current: str | None, given: str, warnings: list[str]) -> bool:
    """Tell whether a machine's group may be what the real server made of the one given, and warn of it once.

    The real server lists groups beyond ASCII garbled, and would be told to change such a one for ever; measured on
    CloudStack 3.0.5.
    """
    if current is None or given.isascii():
        return False
    parts = re.split(r"[^\x00-\x7f]+", given.rstrip(" "))
    if not re.fullmatch(_WRECKAGE.join(map(re.escape, parts)), current.rstrip(" ")):
        return False
    warning = (
        f"group: the service shows {current!r}, which may be what it has made of {given!r}, as it garbles characters beyond "
        "ASCII in the names of groups; left alone. Use letters of ASCII for the names of groups"
    )
    if warning not in warnings:
        warnings.append(warning)
    return True


def _check_immutable(name: str, record: Record, options: Record, facts: Record, warnings: list[str]) -> None:
    """Raise ``UsageError`` (or warn, or let pass, as asked for) for differences that no command can mend."""
    if options.get("on_immutable_drift", "ignore") == "ignore":
        return
    drift = []
    if differs(record, "template", options.get("template")):
        drift.append(f"template is {record.get('templatename')!r}, not {options['template']!r}")
    if options.get("security_groups") and other_security_groups(record, options["security_groups"]):
        current = sorted(str(group.get("name")) for group in record.get("securitygroup") or [])
        drift.append(f"security_groups are {current}, not {sorted(options['security_groups'])}")
    if options.get("key_pair"):
        from . import vm_key_pair

        other = vm_key_pair.compare(name, record, options["key_pair"], facts.get("key_pairs"), warnings)
        drift += [other] if other else []
    if options.get("disk_offering"):
        disks = facts.get("data_disks", {}).get(record["id"], [])
        kinds = [{"id": disk.get("diskofferingid"), "name": disk.get("diskofferingname")} for disk in disks]
        if not any(matches(kind, options["disk_offering"]) for kind in kinds):
            has = sorted(str(kind["name"]) for kind in kinds) or "none"
            drift.append(f"disk_offering of its data disks is {has}, not {options['disk_offering']!r}")
    way_out = "make a new one (state: absent, then present), correct the option"
    judge(name, drift, "virtual machine", way_out, options, warnings)


def absorb(track: Track, step: Step, result: Record) -> None:
    """Take a result into a machine's track: the machine as it is now, and a password that was just made."""
    if step.command in ("createTags", "deleteTags"):
        tags.absorb(track, step)
        return
    machine = result.get("virtualmachine")
    if not isinstance(machine, dict):
        return
    kept = {"password": track.object["password"]} if "password" in track.object else {}
    if track.object.get("tags"):  # set while the job was under way, or not shown by this answer
        kept["tags"] = track.object["tags"]
    track.object = {**machine, **kept, **({"password": machine["password"]} if machine.get("password") else {})}
    track.id = machine.get("id", track.id)


def show(track: Track, check: bool) -> Record:
    """Return one machine of the result: as it is now or, in check mode, as far as it can be told before."""
    shown = vm.shape({"name": track.name, **track.object})
    if check:
        shown.update({key: value for key, value in track.after.items() if key != "root_disk"})
    elif track.after.get("state") == "absent":
        shown["state"] = "absent" if not track.error else shown["state"]
    if track.object.get("password"):
        shown["password"] = track.object["password"]
    return shown

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines: what is asked for, what that takes, and doing it."""

from __future__ import annotations

import base64
import re
import typing as t

from ..api import ApiError, Client, CloudnError, Deadline, UsageError
from ..api.client import Record
from ..plan import THIS, Step, Track, converge
from ..report import Report
from . import disk_offering, os_type, security_group, service_offering, tags, template, vm, zone
from .lookup import check_text, is_uuid, matches

# What the service takes as user data, counted after encoding; measured on CloudStack 3.0.5.
LONGEST_USER_DATA = 2048
_HOST_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\Z")
_RUNNING, _STOPPED, _DESTROYED = "Running", "Stopped", "Destroyed"
_PARAMETER_ERROR, _NOT_GRANTED = 431, 432
# What updateVirtualMachine changes, by the names of the attributes and of its parameters.
_UPDATED = {"display_name": "displayname", "group": "group", "ha": "haenable", "os_type_id": "ostypeid"}


def ensure(client: Client, options: Record, check: bool = False) -> Report:
    """Bring the virtual machines named in ``options`` (the module's) to the state that is asked for.

    Returns what was done, or with ``check`` what would be done. Raises ``UsageError`` for what can't be done, before
    anything is changed.
    """
    check_options(options)
    deadline = Deadline(options["wait_timeout"], client.clock)
    names = list(dict.fromkeys(options["name"]))
    found = settled(client, names, options, deadline, check)
    twice = _same_machine_twice(found)
    if twice:
        raise UsageError(f"name: {' and '.join(twice)} are the same virtual machine")
    facts = look_up(client, options, found)
    warnings: list[str] = []
    tracks = [plan(name, found[name], options, facts, warnings) for name in names]
    if not check:
        converge(
            client,
            tracks,
            deadline,
            lambda track: _again(client, track, options, deadline),
            options["max_parallel"],
            options["wait"],
        )
        for track in tracks:
            _explain(track)
    return Report(tracks, show, check, warnings)


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for options that are wrong whatever the service holds."""
    if not options["name"]:
        raise UsageError("name: the list is empty; name at least one virtual machine")
    check_text(options)
    if not all(name.strip() for name in options["name"]):
        raise UsageError("name: a name is empty")
    if options.get("group") is not None and not options["group"].strip():
        raise UsageError("group: must not be empty; leave the option out to keep the group as it is")
    size = len(encoded(options.get("user_data")) or "")
    if size > LONGEST_USER_DATA:
        raise UsageError(
            f"user_data: is {len(options['user_data'].encode())} bytes, {size} after Base64 encoding; the service takes "
            f"at most {LONGEST_USER_DATA} encoded, which are {LONGEST_USER_DATA // 4 * 3} bytes"
        )
    if options["max_parallel"] < 1:
        raise UsageError(f"max_parallel: must be at least 1, not {options['max_parallel']}")


def encoded(user_data: str | None) -> str | None:
    """Return user data in the Base64 form that the service takes."""
    return base64.b64encode(user_data.encode()).decode() if user_data else None


def settled(
    client: Client, names: t.Sequence[str], options: Record, deadline: Deadline, check: bool
) -> dict[str, Record | None]:
    """Find the machines and wait until each is in a state that lasts; with ``check``, say what it will become.

    The service takes a second command badly while one is under way (measured on CloudStack 3.0.5: destroying a
    Starting machine is a failed job).
    """
    started = client.clock()
    while True:
        found = vm.find(client, names, options.get("zone"))
        passing = {name: record for name, record in found.items() if record and record.get("state") in vm.PASSING}
        if check:
            for record in passing.values():
                record["state"] = vm.PASSING[record["state"]]
        if check or not passing:
            return found
        if not deadline.remaining():
            name, record = next(iter(passing.items()))
            raise CloudnError(
                f"{name} is still {record['state']} after {deadline.seconds:g} s (wait_timeout); nothing was changed. "
                "Run the task again, with a longer wait_timeout if need be"
            )
        client.sleep(min(5.0, max(0.2, 0.1 * (client.clock() - started)), deadline.remaining()))


def _same_machine_twice(found: dict[str, Record | None]) -> list[str]:
    """Return two names that mean one machine, for example its host name and its id."""
    seen: dict[str, str] = {}
    for name, record in found.items():
        if record and record["id"] in seen:
            return [seen[record["id"]], name]
        if record:
            seen[record["id"]] = name
    return []


def look_up(client: Client, options: Record, found: dict[str, Record | None]) -> Record:
    """Return what the plan needs to know beyond the machines themselves, asking only for what is needed.

    The names in an answer about a machine are enough to see that nothing differs; what the options name is looked up
    where it is to be used, or where it differs and may be unknown. Keys of the result, all optional: ``zone``,
    ``template``, ``service_offering``, ``disk_offering``, ``os_type`` (one record each), ``security_groups`` (a
    list), ``offerings`` (service offerings by id), ``data_disks`` (volumes by the id of their machine).
    """
    facts: Record = {}
    existing = [
        record for record in found.values() if record and (record.get("state") not in vm.GONE or _whole(record))
    ]
    if options["state"] == "absent":
        if options.get("zone") and not existing:
            facts["zone"] = zone.find(client, options["zone"])
        return facts
    missing = [name for name, record in found.items() if record is None]
    if missing:
        _check_creation(missing, options)
        facts["zone"] = zone.find(client, options.get("zone"))
    immutable = options["on_immutable_drift"] != "ignore"
    if missing or (immutable and any(_differs(record, "template", options) for record in existing)):
        zone_id = facts["zone"]["id"] if missing else existing[0].get("zoneid")
        facts["template"] = template.find(client, options["template"], options["template_filter"], zone_id)
    if options.get("service_offering") and (
        missing or any(_differs(record, "serviceoffering", options) for record in existing)
    ):
        facts["service_offering"] = service_offering.find(client, options["service_offering"])
    if options.get("ha") and (missing or any(not record.get("haenable") for record in existing)):
        facts["offerings"] = {item["id"]: item for item in service_offering.search(client)}
    if options.get("os_type"):
        facts["os_type"] = os_type.find(client, options["os_type"])
    if options.get("security_groups") and (
        missing or (immutable and any(_other_security_groups(record, options) for record in existing))
    ):
        facts["security_groups"] = security_group.find_all(client, options["security_groups"], "security_groups")
    if options.get("disk_offering"):
        if missing:
            facts["disk_offering"] = disk_offering.find(client, options["disk_offering"])
            if facts["disk_offering"].get("iscustomized"):
                raise UsageError(
                    f"disk_offering: {options['disk_offering']!r} leaves its size open, which a virtual machine's "
                    "first data disk can't; choose one with a size"
                )
        if existing and immutable:
            facts["data_disks"] = _data_disks(client, existing)
    if missing and options.get("key_pair"):
        _check_key_pair(client, options["key_pair"])
    return facts


def _whole(record: Record) -> bool:
    """Tell whether the service showed the machine; one that is destroyed it may hide, see ``vm.find``."""
    return "templateid" in record


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
        raise UsageError(f"{', '.join(lacking)}: needed to create {', '.join(missing)}, which does not exist")


def _check_key_pair(client: Client, name: str) -> None:
    try:
        if not any(pair.get("name") == name for pair in client.list("listSSHKeyPairs", {"name": name})):
            raise UsageError(f"key_pair: there is no key pair {name!r}")
    except ApiError as error:
        if error.code != _NOT_GRANTED:  # an account that can't list them may still use them
            raise


def _data_disks(client: Client, existing: list[Record]) -> dict[str, list[Record]]:
    only = {"virtualmachineid": existing[0]["id"]} if len(existing) == 1 else {}
    disks: dict[str, list[Record]] = {}
    for volume in client.list("listVolumes", {"type": "DATADISK", **only}):
        disks.setdefault(volume.get("virtualmachineid", ""), []).append(volume)
    return disks


def _differs(record: Record, field: str, options: Record) -> bool:
    """Tell whether a machine has another template or service offering than given, compared as it was given."""
    given = options.get({"serviceoffering": "service_offering"}.get(field, field))
    return given is not None and given not in (record.get(field + "name"), record.get(field + "id"))


def _other_security_groups(record: Record, options: Record) -> bool:
    given, current = set(options["security_groups"]), record.get("securitygroup") or []
    named = [[one for one in given if matches(group, one)] for group in current]
    return not all(named) or {one for names in named for one in names} != given


def plan(name: str, record: Record | None, options: Record, facts: Record, warnings: list[str]) -> Track:
    """Return the track that leads one machine to what is asked for; looks at its arguments only.

    Raises ``UsageError`` for drift that can't be mended, or not without an option that allows it. Appends to
    ``warnings``.
    """
    if options["state"] == "absent":
        return _plan_absence(name, record)
    if record is None:
        return _plan_creation(name, options, facts)
    stages = []
    was = state = record.get("state")
    if state in vm.GONE:
        if not options.get("recover"):
            raise UsageError(
                f"{name} is {record['state']} (id {record['id']}), and its name stays taken until the service has "
                "expunged it; wait for that, choose another name, or set recover: true to have it back"
            )
        stages.append([Step(f"{name}: recover", "recoverVirtualMachine", {"id": THIS}, expect=(_STOPPED,))])
        state = _STOPPED
    if state not in (_RUNNING, _STOPPED):
        raise UsageError(f"{name} is in state {state}, in which nothing can be done but to destroy it (state: absent)")
    if not _whole(record):
        # Nothing is known of it but that it is destroyed. What else differs, the next run sees.
        options = {"state": options["state"], "force_stop": False}
    _check_immutable(name, record, options, facts, warnings)
    before, after = _changes(name, record, options, facts, warnings)
    goal = {"started": _RUNNING, "restarted": _RUNNING, "stopped": _STOPPED, "present": state}[options["state"]]
    before["state"], after["state"] = was, goal
    resize = before.get("service_offering") != after.get("service_offering")
    halt = state == _RUNNING and (goal == _STOPPED or resize)
    if resize and halt and options["state"] in ("present", "started") and not options["allow_restart"]:
        raise UsageError(
            f"service_offering: {name} has {before['service_offering']!r} and is running; a change to "
            f"{after['service_offering']!r} needs it stopped: set allow_restart: true, or stop it first (state: stopped)"
        )
    if halt:
        forced = {"forced": True} if options["force_stop"] else {}
        stages.append([Step(f"{name}: stop", "stopVirtualMachine", {"id": THIS, **forced}, expect=(_STOPPED,))])
    if resize:
        offering = facts["service_offering"]
        text = f"{name}: change service offering from {before['service_offering']} to {after['service_offering']}"
        params = {"id": THIS, "serviceofferingid": offering["id"]}
        stages.append([Step(text, "changeServiceForVirtualMachine", params)])
    stages += _update(name, before, after)
    if goal == _RUNNING and (halt or state == _STOPPED):
        stages.append([Step(f"{name}: start", "startVirtualMachine", {"id": THIS}, expect=(_RUNNING,))])
    elif options["state"] == "restarted":
        stages.append([Step(f"{name}: reboot", "rebootVirtualMachine", {"id": THIS}, expect=(_RUNNING,))])
    if options.get("tags") is not None:
        current = tags.shape(record)
        before["tags"], after["tags"] = current, tags.wanted(current, options["tags"], options["purge_tags"])
        stages += tags.stages(tags.VM, name, current, after["tags"], early=True)
    return Track(name, record, stages, before, after, absorb)


def _plan_absence(name: str, record: Record | None) -> Track:
    if record is None or record.get("state") in vm.GONE:
        return Track(name, record, [], {}, {}, absorb)
    step = Step(f"{name}: destroy", "destroyVirtualMachine", {"id": THIS}, expect=vm.GONE)
    before = {"state": record.get("state"), "id": record["id"]}
    return Track(name, record, [[step]], before, {"state": "absent"}, absorb)


def _plan_creation(name: str, options: Record, facts: Record) -> Track:
    offering, groups = facts["service_offering"], facts.get("security_groups")
    if options.get("ha") and not offering.get("offerha"):
        raise UsageError(_no_ha(name, offering))
    stopped = options["state"] == "stopped"
    goal = {
        "state": _STOPPED if stopped else _RUNNING,
        "zone": facts["zone"].get("name"),
        "template": facts["template"].get("name"),
        "service_offering": offering.get("name"),
        "display_name": options.get("display_name"),
        "group": options.get("group"),
        "security_groups": [group.get("name") for group in groups] if groups else None,
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
    for option, field in (("display_name", "displayname"), ("group", "group")):
        if options.get(option) is not None:
            before[option], after[option] = record.get(field), options[option]
    if _garbled(before.get("group"), after.get("group")):
        warnings.append(
            f"{name}: its group is {before['group']!r}, not {after['group']!r}; left alone, since the service garbles groups "
            "with characters beyond ASCII and would be told to change it for ever"
        )
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


def _garbled(current: str | None, given: str | None) -> bool:
    """Tell whether a group may be what the real service made of one beyond ASCII; measured on CloudStack 3.0.5."""
    if current is None or given is None or given == current or given.isascii():
        return False
    return not current.isascii() or "?" in current


def _check_immutable(name: str, record: Record, options: Record, facts: Record, warnings: list[str]) -> None:
    """Raise ``UsageError`` (or warn, or let pass, as asked for) for differences that no command can mend."""
    if options.get("on_immutable_drift", "ignore") == "ignore":
        return
    drift = []
    if _differs(record, "template", options):
        drift.append(f"template is {record.get('templatename')!r}, not {options['template']!r}")
    if options.get("security_groups") and _other_security_groups(record, options):
        current = sorted(str(group.get("name")) for group in record.get("securitygroup") or [])
        drift.append(f"security_groups are {current}, not {sorted(options['security_groups'])}")
    if options.get("key_pair") and record.get("keypair") not in (None, options["key_pair"]):
        drift.append(f"key_pair is {record['keypair']!r}, not {options['key_pair']!r}")
    if options.get("disk_offering"):
        disks = facts.get("data_disks", {}).get(record["id"], [])
        kinds = [{"id": disk.get("diskofferingid"), "name": disk.get("diskofferingname")} for disk in disks]
        if not any(matches(kind, options["disk_offering"]) for kind in kinds):
            has = sorted(str(kind["name"]) for kind in kinds) or "none"
            drift.append(f"disk_offering of its data disks is {has}, not {options['disk_offering']!r}")
    if not drift:
        return
    text = f"{name}: {'; '.join(drift)}. The service can't change that on an existing virtual machine"
    if options["on_immutable_drift"] == "warn":
        warnings.append(text)
        return
    raise UsageError(
        f"{text}: make a new one (state: absent, then present), correct the option, or set "
        "on_immutable_drift: warn or ignore"
    )


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


def _again(client: Client, track: Track, options: Record, deadline: Deadline) -> Track | None:
    """Find and plan a machine anew after a failure; its host name is unique, so it can only be the one asked for."""
    if track.error and track.error.command == "rebootVirtualMachine":
        return None  # whether it was rebooted can't be seen, and it must not be rebooted twice
    options = {**options, "on_immutable_drift": "ignore"}
    if options["state"] == "restarted":
        options["state"] = "started"
    found = settled(client, [track.id or track.name], options, deadline, check=False)
    record = next(iter(found.values()))
    fresh = plan(track.name, record, options, look_up(client, options, found), [])
    if record is None and track.id:
        fresh.object = {**track.object, "state": _DESTROYED}
    return fresh


def _explain(track: Track) -> None:
    """Say what a refused name most likely means; the service's words are not to be decided on."""
    error = track.error
    if error and error.command == "deployVirtualMachine" and error.code == _PARAMETER_ERROR and not track.id:
        error.message += (
            f". If the name {track.name!r} is taken without being listed, a destroyed virtual machine still holds it "
            "until the service has expunged it: wait for that, or choose another name"
        )


def show(track: Track, check: bool) -> Record:
    """Return one machine of the result: as it is now or, in check mode, as far as it can be told before."""
    shown = vm.shape({"name": track.name, **track.object})
    if check:
        shown.update(track.after)
    elif track.after.get("state") == "absent":
        shown["state"] = "absent" if not track.error else shown["state"]
    if track.object.get("password"):
        shown["password"] = track.object["password"]
    return shown

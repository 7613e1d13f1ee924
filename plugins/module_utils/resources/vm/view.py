# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows, lists and finds virtual machines."""

from __future__ import annotations

import os.path
import typing as t

from ...api import ApiError, Client, CloudnError, Deadline, Duplicates, Record, UsageError
from ...api.deadline import poll
from ...api.errors import PARAMETER_ERROR
from ...api.flawed import sound
from ...api.paging import LARGEST
from ...api.waits import some
from ...wrong_values import did_you_mean
from .. import tags
from ..fields import fields, select_fields
from ..lookup import describe, in_another_zone, is_uuid, matches, named, not_there, pick, same_name
from ..states import STATES
from ..zone import find as find_zone
from ..zone import holds
from . import listing as vm_list
from . import lost as vm_lost

RUNNING, STOPPED, DESTROYED, ERROR = "Running", "Stopped", "Destroyed", "Error"
# What people must know before they destroy a machine to make it anew.
HELD = "Its name stays taken until the service has expunged it, by default for a day: use another name until then"
# Marks the record of a destroyed machine that the service does not show. Only its id and its state are known.
HIDDEN = "hidden"
# States that end without a command, and the state after each; measured on CloudStack 3.0.5.
TRANSITIONAL = {"Starting": "Running", "Stopping": "Stopped", "Migrating": "Running"}
GONE = ("Destroyed", "Expunging")
# Every other state, for changes that leave a machine in its state.
ALIVE = tuple(state for state in STATES if state not in GONE)
# A new machine is Stopped for a moment before it is Starting. For so many seconds Stopped may mean that.
_YOUNG = 10.0
# The first page of a listing of all machines. The service takes 6 to 12 ms for each machine, and lists several pages at
# once; measured on CloudStack 3.0.5. A listing for names asks for the largest page: it takes one request.
_FIRST_PAGE = 50


_FIELDS = fields(
    "id name display_name state zone=zonename zone_id template=templatename template_id "
    "service_offering=serviceofferingname service_offering_id cpu_number cpu_speed memory group group_id "
    "ha=haenable os_type_id=guestosid hypervisor password_enabled root_device_id root_device_type "
    "account domain domain_id created delete_protection"
)


def to_result(vm: Record) -> Record:
    """Return a virtual machine as the user sees it: memory in MiB, CPU speed in MHz, tags as a dictionary."""
    nics = [select_fields(nic, _NIC_FIELDS) for nic in vm.get("nic") or []]
    pairs = key_pairs_of(vm)
    groups = vm.get("securitygroup") or []
    return {
        **select_fields(vm, _FIELDS),
        "security_groups": [group.get("name") for group in groups],
        "security_group_ids": [group.get("id") for group in groups],
        "key_pair": pairs[0] if pairs else None,
        "key_pairs": pairs,
        "affinity_groups": [group.get("name") for group in affinity_groups_of(vm)],
        "default_ip": default_ip(nics),
        "nics": nics,
        "tags": tags.to_result(vm),
    }


def key_pairs_of(vm: Record) -> list[str]:
    """Return the names of the key pairs that the service shows of a machine.

    CloudStack 3.0 shows one as ``keypair``. CloudStack 4 shows all as ``keypairs``, one text with commas; measured on 4.23.
    """
    shown = vm.get("keypairs") or vm.get("keypair") or ""
    return [name.strip() for name in (shown.split(",") if "keypairs" in vm else [shown]) if name.strip()]


def affinity_groups_of(vm: Record) -> list[Record]:
    """Return the affinity groups of a machine. CloudStack 3.0 has none."""
    groups: list[Record] = vm.get("affinitygroup") or []
    return groups


_NIC_FIELDS = fields("id network_id network_name ip_address netmask gateway mac_address type traffic_type is_default")


def default_ip(nics: list[Record]) -> str | None:
    """Return the address of the default NIC, else of the first NIC that has one, else ``None``."""
    addressed = [nic for nic in nics if nic.get("ip_address")]
    default = [nic for nic in addressed if nic.get("is_default")]
    return (default or addressed or [{}])[0].get("ip_address")


def search(client: Client, query: Record, first: int = LARGEST) -> list[Record]:
    """Return the records of the virtual machines that the API's own filters find; ``query`` has its parameters.

    An unknown ``id`` finds nothing; the API answers with an error. ``first`` is the size of the first page. A machine that
    the service can't show in full is marked, see ``vm_lost``.
    """
    try:
        return [machine for page in vm_list.pages(client, query, first) for machine in page]
    except ApiError as error:
        if error.code == PARAMETER_ERROR and query.get("id"):
            return []
        raise


def every(client: Client) -> list[Record]:
    """Return all virtual machines, in pages for which the service takes the least time."""
    return search(client, {}, _FIRST_PAGE)


def check_shown(record: Record | None, option: str = "name") -> None:
    """Raise ``UsageError`` for a machine that the service can't show in full: every command on it seems to fail."""
    if record and vm_lost.LOST_KEY in record:
        raise UsageError(f"{option}: {vm_lost.describe(record)}")


def select(client: Client, options: Record) -> list[Record]:
    """Return the machines that match all options of ``cloudn_vm_info``. The service filters if it can.

    Raises ``UsageError`` for an unknown zone or state. Leaves out destroyed machines unless the options name their state or an id.
    """
    check_state(options.get("state"))
    names = options.get("name") or []
    zone_id = find_zone(client, options["zone"])["id"] if options.get("zone") else None
    filters = {"id": options.get("id"), "zoneid": zone_id, "state": options.get("state")}
    query = {**filters, "tags": tags.query(options.get("tags")), "keyword": names[0] if len(names) == 1 else None}
    listed = sound(search(client, query, LARGEST if names else _FIRST_PAGE), client.warn)
    found = [vm for vm in listed if _is_wanted(vm, options) and _is_in_groups(vm, options)]
    hosts = {vm.get("name") for vm in found}
    return [vm for vm in found if not names or _is_named(vm, names, hosts)]


def check_state(state: str | None) -> None:
    """Raise ``UsageError`` for a state that no machine has: the service would find nothing. Case does not count there."""
    if state and state.lower() not in [known.lower() for known in STATES]:
        near = did_you_mean(state, STATES)
        raise UsageError(f"state: {state!r} is no state of a VM. There are: {', '.join(STATES)}{near}")


def _is_wanted(vm: Record, options: Record) -> bool:
    """Tell whether a machine is there and has the tags, the template and the offering that the options name."""
    is_there = options.get("state") or options.get("id") or vm.get("state") not in GONE
    return (
        bool(is_there)
        and tags.has_all(vm, options.get("tags"))
        and options.get("template") in (None, "", vm.get("templatename"), vm.get("templateid"))
        and options.get("service_offering") in (None, "", vm.get("serviceofferingname"), vm.get("serviceofferingid"))
    )


def _is_in_groups(vm: Record, options: Record) -> bool:
    """Tell whether a machine is in the group and in the security group that the options name."""
    group, given = {"id": vm.get("groupid"), "name": vm.get("group")}, options.get("security_group")
    security_groups = vm.get("securitygroup") or []
    return (not options.get("group") or matches(group, options["group"], same=same_name)) and (
        not given or any(matches(one, given, same=same_name) for one in security_groups)
    )


def _is_named(vm: Record, names: list[str], hosts: set[str | None]) -> bool:
    """Tell whether one of the names is the machine's host name, or its display name if no machine has that host name."""
    shown = vm.get("displayname")
    return vm.get("name") in names or (shown in names and shown not in hosts)


def inventory(client: Client, zones: t.Sequence[str], states: t.Sequence[str], filters: Record) -> list[Record]:
    """Return the results for the machines of an inventory, in any of the zones (names or ids) and of the states.

    ``filters`` are further parameters of the listing. The service filters by one zone or state; it has no filter for several.
    Without states, destroyed machines are left out. Raises ``UsageError`` for an unknown zone.
    """
    known = client.list("listZones") if zones else []
    zone_ids = {pick(known, zone, "zones")["id"] for zone in zones}
    query = {**filters, "tags": tags.query(filters.get("tags"))}
    if len(zone_ids) == 1:
        query["zoneid"] = next(iter(zone_ids))
    if len(states) == 1:
        query["state"] = states[0]
    in_states = {state.lower() for state in states}
    return [
        to_result(machine)
        for page in vm_list.pages(client, query, _FIRST_PAGE)
        for machine in sound(page, client.warn)
        if (not zone_ids or machine.get("zoneid") in zone_ids)
        and (str(machine.get("state")).lower() in in_states if states else machine.get("state") not in GONE)
        and tags.has_all(machine, filters.get("tags"))
    ]


def find(
    client: Client,
    wanted: t.Sequence[str],
    zone: str | None = None,
    option: str = "name",
    elsewhere: dict[str, list[Record]] | None = None,
) -> dict[str, Record | None]:
    """Return ``{wanted: virtual machine or None}`` for names or ids, with one listing if possible.

    A machine is found by its id, by its host name, or, if no machine has that host name, by a display name that only one
    machine has. ``zone`` (name or id) limits the search for names. A destroyed machine is returned only if no other machine
    has its name. A plain account does not see it: for its id the record has only the id, the state Destroyed and ``HIDDEN``; measured
    on CloudStack 3.0.5.

    Raises ``UsageError`` with the ids if several machines have a name; ``option`` is the user's option with the name. If they
    have one host name in one zone, it is ``Duplicates``. ``elsewhere`` takes, by the names of missing machines, those that have
    the host name in another zone.
    """
    if len(wanted) == 1 and is_uuid(wanted[0]):
        return {wanted[0]: _by_id(client, wanted[0])}
    names = [name for name in wanted if not is_uuid(name)]
    # `keyword` matches parts of host and display names. So one listing has all names with one beginning, and few others.
    common = os.path.commonprefix(names) if len(names) == len(wanted) else ""
    listed = search(client, {"keyword": common or None})
    found = {name: _choose(client, listed, name, zone, option) for name in wanted}
    if elsewhere is not None:
        there = {name: _alive(named(listed, name)) for name, record in found.items() if record is None}
        elsewhere.update({name: records for name, records in there.items() if records})
    return found


def find_one(client: Client, wanted: str, zone: str | None = None) -> Record | None:
    """Return the machine that a user names in an option ``vm``, see ``find``."""
    return find(client, [wanted], zone, "vm")[wanted]


def missing(
    wanted: str, zone: str | None, elsewhere: dict[str, list[Record]], option: str, more: str = ""
) -> UsageError:
    """Return the error that there is no machine of a name, or that it is in another zone (``elsewhere``, see ``find``)."""
    if zone is not None and elsewhere.get(wanted):
        return in_another_zone(option, "VM", wanted, zone, elsewhere[wanted])
    return not_there(option, "VM", wanted, more or "; cloudn_vm_info lists the existing ones")


def settled_one(client: Client, wanted: str, zone: str | None, deadline: Deadline, check: bool) -> Record:
    """Return the machine that a user names in an option ``vm``, in a terminal state, see ``settled``.

    Raises ``UsageError`` if there is none or it is destroyed.
    """
    elsewhere: dict[str, list[Record]] = {}
    found = settled(client, [wanted], zone, deadline, check, "vm", elsewhere)[wanted]
    if found is None or found.get("state") in GONE:
        raise missing(wanted, zone, elsewhere, "vm")
    return found


def settled(
    client: Client,
    names: t.Sequence[str],
    zone: str | None,
    deadline: Deadline,
    check: bool,
    option: str = "name",
    elsewhere: dict[str, list[Record]] | None = None,
) -> dict[str, Record | None]:
    """Find the machines and wait until each is in a terminal state. With ``check``, return the state to come instead.

    The service fails on a second command while one is under way (measured on CloudStack 3.0.5: destroying a Starting
    machine is a failed job).
    """
    transitional: dict[str, Record] = {}

    def describe() -> str:
        return some([f"{name} is {record.get('state')}" for name, record in list(transitional.items())])

    for _look in poll(client, deadline, describe=describe):
        found = find(client, names, zone, option, elsewhere)
        machines = {name: record for name, record in found.items() if record}
        with_starts(client, list(machines.values()))
        transitional = {name: record for name, record in machines.items() if record.get("state") in TRANSITIONAL}
        if check:
            for record in transitional.values():
                record["state"] = TRANSITIONAL[record["state"]]
        if check or not transitional:
            return found
    states = ", ".join(f"{name} is still {record['state']}" for name, record in transitional.items())
    text = f"{states} after {deadline.seconds:g} s (wait_timeout); nothing was changed. Run the task again or raise wait_timeout"
    raise CloudnError(text)


def with_starts(client: Client, records: list[Record]) -> list[Record]:
    """Return machines; set the state to Starting if a machine is Stopped only because the service has not started it yet.

    A machine does not show its jobs. A new one is Stopped for a moment before it is Starting; measured on CloudStack 3.0.5. The
    jobs are listed only if a machine may be such a one.
    """
    stopped = [vm for vm in records if vm.get("state") == "Stopped"]
    if not stopped:
        return records
    # Here, as few runs need it: each run compiles what it imports.
    from ...api import jobs

    young = [vm for vm in stopped if jobs.age(client, vm) < _YOUNG]
    if not young:
        return records
    deployments = jobs.listing(client, {"startdate": jobs.ago(client, _YOUNG), "keyword": "DeployVM"})
    pending = {job.get("jobinstanceid") for job in deployments if job.get("jobstatus") == jobs.PENDING}
    for vm in young:
        if vm["id"] in pending:
            vm["state"] = "Starting"
    return records


def _by_id(client: Client, vm_id: str) -> Record | None:
    try:
        found = [machine for page in vm_list.pages(client, {"id": vm_id}) for machine in page]
    except ApiError as error:
        if error.code != PARAMETER_ERROR:
            raise
        return None
    return found[0] if found else {"id": vm_id, "name": vm_id, "state": DESTROYED, HIDDEN: True}


def _choose(client: Client, listed: list[Record], wanted: str, zone: str | None, option: str) -> Record | None:
    """Return the listed machine that a user means by ``wanted``."""
    if is_uuid(wanted):
        return next((vm for vm in listed if vm["id"] == wanted), None) or _by_id(client, wanted)
    here = [vm for vm in listed if holds(vm, zone)]
    alive = _alive(here)
    hosts = named(alive, wanted)
    found = hosts or [vm for vm in alive if vm.get("displayname") == wanted]
    if len(found) > 1:
        raise _several(option, wanted, found, bool(hosts))
    return next(iter(found or named(here, wanted)), None)


def _alive(machines: list[Record]) -> list[Record]:
    return [vm for vm in machines if vm.get("state") not in GONE]


def _several(option: str, wanted: str, found: list[Record], is_host_name: bool) -> UsageError:
    """Return the error that several machines have a name. If it is one host name in one zone, several runs may have made them."""
    kind = "host" if is_host_name else "display"
    message = f"{option}: {len(found)} VMs have the {kind} name {wanted!r}; give the zone, or name one by its id: {describe(found)}"
    is_one_zone = len({vm.get("zoneid") for vm in found}) == 1
    return Duplicates(message, found) if is_host_name and is_one_zone else UsageError(message)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines: how they are shown, listed and found."""

from __future__ import annotations

import os.path
import typing as t

from ..api import ApiError, Client, CloudnError, Deadline, Duplicates, Record, UsageError
from ..api.deadline import poll
from ..api.errors import PARAMETER_ERROR
from ..api.paging import LARGEST
from . import tags, vm_list, vm_lost
from .lookup import is_uuid, matches, not_there, pick, same_name, told
from .zone import find as find_zone
from .zone import holds

# States that pass by themselves, and what they become; measured on CloudStack 3.0.5.
PASSING = {"Starting": "Running", "Stopping": "Stopped", "Migrating": "Running"}
GONE = ("Destroyed", "Expunging")
# Seconds for which a new machine that is Stopped may be one that is about to start: it is so for a moment.
_YOUNG = 10.0
# The first page where all machines are asked for. Listing costs the service 6 to 12 ms for each, and it lists several
# pages at once; measured on CloudStack 3.0.5. A named machine is looked for in the largest page, in one request.
_FIRST_PAGE = 50


def shape(vm: Record) -> Record:
    """Return a virtual machine as the user sees it: memory in MiB, CPU speed in MHz, tags as a dictionary."""
    nics = [_nic(nic) for nic in vm.get("nic") or []]
    groups = vm.get("securitygroup") or []
    return {
        "id": vm.get("id"),
        "name": vm.get("name"),
        "display_name": vm.get("displayname"),
        "state": vm.get("state"),
        "zone": vm.get("zonename"),
        "zone_id": vm.get("zoneid"),
        "template": vm.get("templatename"),
        "template_id": vm.get("templateid"),
        "service_offering": vm.get("serviceofferingname"),
        "service_offering_id": vm.get("serviceofferingid"),
        "cpu_number": vm.get("cpunumber"),
        "cpu_speed": vm.get("cpuspeed"),
        "memory": vm.get("memory"),
        "group": vm.get("group"),
        "group_id": vm.get("groupid"),
        "security_groups": [group.get("name") for group in groups],
        "security_group_ids": [group.get("id") for group in groups],
        "default_ip": default_ip(nics),
        "nics": nics,
        "key_pair": vm.get("keypair"),
        "ha": vm.get("haenable"),
        "os_type_id": vm.get("guestosid"),
        "hypervisor": vm.get("hypervisor"),
        "password_enabled": vm.get("passwordenabled"),
        "root_device_id": vm.get("rootdeviceid"),
        "root_device_type": vm.get("rootdevicetype"),
        "account": vm.get("account"),
        "domain": vm.get("domain"),
        "domain_id": vm.get("domainid"),
        "created": vm.get("created"),
        "tags": tags.shape(vm),
    }


def _nic(nic: Record) -> Record:
    return {
        "id": nic.get("id"),
        "network_id": nic.get("networkid"),
        "ip_address": nic.get("ipaddress"),
        "netmask": nic.get("netmask"),
        "gateway": nic.get("gateway"),
        "mac_address": nic.get("macaddress"),
        "type": nic.get("type"),
        "traffic_type": nic.get("traffictype"),
        "is_default": nic.get("isdefault"),
    }


def default_ip(nics: list[Record]) -> str | None:
    """Return the address of the default NIC, or of the first that has one; ``None`` while there is none."""
    addressed = [nic for nic in nics if nic.get("ip_address")]
    default = [nic for nic in addressed if nic.get("is_default")]
    return (default or addressed or [{}])[0].get("ip_address")


def search(client: Client, query: Record, first: int = LARGEST) -> list[Record]:
    """Return the virtual machines that the API's own filters find (``query`` as it takes them), as it has them.

    An ``id`` that does not exist finds nothing; for the API it would be an error. ``first`` is the size of the first page.
    Those that the service can't show in full are marked, see ``vm_lost``.
    """
    try:
        return [machine for page in vm_list.pages(client, query, first) for machine in page]
    except ApiError as error:
        if error.code == PARAMETER_ERROR and query.get("id"):
            return []
        raise


def every(client: Client) -> list[Record]:
    """Return all virtual machines, read in pages as it takes the service the least time."""
    return search(client, {}, _FIRST_PAGE)


def check_shown(record: Record | None, option: str = "name") -> None:
    """Raise ``UsageError`` for a machine that the service can't show in full, as whatever a task does to it seems to fail."""
    if record and vm_lost.LOST_KEY in record:
        raise UsageError(f"{option}: {vm_lost.told(record)}")


def select(client: Client, options: Record) -> list[Record]:
    """Return the machines that all options of ``cloudn_vm_info`` leave, filtered by the service where it can.

    Raises ``UsageError`` for an unknown zone. Destroyed machines are left out unless their state or id is asked for.
    """
    names = options.get("name") or []
    zone_id = find_zone(client, options["zone"])["id"] if options.get("zone") else None
    keyword = names[0] if len(names) == 1 else None
    query = {
        "id": options.get("id"),
        "zoneid": zone_id,
        "state": options.get("state"),
        "tags": tags.query(options.get("tags")),
    }
    listed = search(client, {**query, "keyword": keyword}, LARGEST if names else _FIRST_PAGE)
    found = [vm for vm in listed if tags.has_all(vm, options.get("tags"))]
    if not options.get("state") and not options.get("id"):
        found = [vm for vm in found if vm.get("state") not in GONE]
    for option, field in (("template", "template"), ("service_offering", "serviceoffering")):
        if options.get(option):
            given = options[option]
            found = [vm for vm in found if given in (vm.get(field + "name"), vm.get(field + "id"))]
    if options.get("group"):
        given = options["group"]
        found = [vm for vm in found if given == vm.get("groupid") or same_name(given, vm.get("group"))]
    if options.get("security_group"):
        given = options["security_group"]
        found = [
            vm for vm in found if any(matches(group, given, same=same_name) for group in vm.get("securitygroup") or [])
        ]
    if not names:
        return found
    hosts = {vm.get("name") for vm in found}
    return [
        vm
        for vm in found
        if vm.get("name") in names or (vm.get("displayname") in names and vm.get("displayname") not in hosts)
    ]


def inventory(client: Client, zones: t.Sequence[str], states: t.Sequence[str], filters: Record) -> list[Record]:
    """Return the machines of an inventory, shaped: in any of the zones (names or ids), in any of the states.

    ``filters`` are further parameters of the listing. One zone or state is left to the service, of several the service
    knows no way to ask at once. Without states, all but destroyed ones. Raises ``UsageError`` for an unknown zone.
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
        shape(machine)
        for page in vm_list.pages(client, query, _FIRST_PAGE)
        for machine in page
        if (not zone_ids or machine.get("zoneid") in zone_ids)
        and (str(machine.get("state")).lower() in in_states if states else machine.get("state") not in GONE)
        and tags.has_all(machine, filters.get("tags"))
    ]


def find(
    client: Client, wanted: t.Sequence[str], zone: str | None = None, option: str = "name"
) -> dict[str, Record | None]:
    """Return ``{wanted: virtual machine or None}`` for names or ids, in one listing wherever that is possible.

    A machine is found by its id, by its host name, or, when no machine has that host name, by a display name that
    only one has. ``zone`` (name or id) limits where names are looked for. One that is destroyed is returned only when
    no other has its name: a plain account does not see it, and then its id alone gives a record
    ``{"id": ..., "state": "Destroyed"}``; measured on CloudStack 3.0.5.

    Raises ``UsageError`` for a name that several machines have, with their ids; ``option`` is the user's that holds it. Where
    that is one host name in one zone it is ``Duplicates``.
    """
    if len(wanted) == 1 and is_uuid(wanted[0]):
        return {wanted[0]: _by_id(client, wanted[0])}
    names = [name for name in wanted if not is_uuid(name)]
    # `keyword` matches parts of host and display names, so one listing has all, and little else, of names that
    # begin alike.
    common = os.path.commonprefix(names) if len(names) == len(wanted) else ""
    listed = search(client, {"keyword": common or None})
    return {name: _choose(client, listed, name, zone, option) for name in wanted}


def find_one(client: Client, wanted: str, zone: str | None = None) -> Record | None:
    """Return the machine that a user names in an option ``vm``, see ``find``."""
    return find(client, [wanted], zone, "vm")[wanted]


def settled_one(client: Client, wanted: str, zone: str | None, deadline: Deadline, check: bool) -> Record:
    """Return the machine that a user names in an option ``vm``, in a state that lasts, see ``settled``.

    Raises ``UsageError`` where there is none, or where it is destroyed.
    """
    found = settled(client, [wanted], zone, deadline, check, "vm")[wanted]
    if found is None or found.get("state") in GONE:
        raise not_there("vm", "virtual machine", wanted)
    return found


def settled(
    client: Client, names: t.Sequence[str], zone: str | None, deadline: Deadline, check: bool, option: str = "name"
) -> dict[str, Record | None]:
    """Find the machines and wait until each is in a state that lasts; with ``check``, say what it will become.

    The service takes a second command badly while one is under way (measured on CloudStack 3.0.5: destroying a
    Starting machine is a failed job).
    """
    passing: dict[str, Record] = {}
    for _look in poll(client, deadline):
        found = find(client, names, zone, option)
        with_starts(client, [record for record in found.values() if record])
        passing = {name: record for name, record in found.items() if record and record.get("state") in PASSING}
        if check:
            for record in passing.values():
                record["state"] = PASSING[record["state"]]
        if check or not passing:
            return found
    name, record = next(iter(passing.items()))
    raise CloudnError(
        f"{name} is still {record['state']} after {deadline.seconds:g} s (wait_timeout); nothing was changed. Run the task again, "
        "with a longer wait_timeout if need be"
    )


def with_starts(client: Client, records: list[Record]) -> list[Record]:
    """Return machines, in state Starting those that are Stopped only because the service has not got to starting them.

    A machine does not show its jobs, and a new one is Stopped for a moment before it is Starting; measured on CloudStack 3.0.5.
    The jobs are asked for only where there is a machine that may be one.
    """
    stopped = [vm for vm in records if vm.get("state") == "Stopped"]
    if not stopped:
        return records
    # Here, as few runs need them: what a module imports is compiled anew each time that it runs.
    from ..api import jobs
    from . import duration

    young = [vm for vm in stopped if duration.age(client, vm) < _YOUNG]
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
    return found[0] if found else {"id": vm_id, "name": vm_id, "state": "Destroyed"}


def _choose(client: Client, listed: list[Record], wanted: str, zone: str | None, option: str) -> Record | None:
    """Return the machine among those listed that a user means by ``wanted``."""
    if is_uuid(wanted):
        return next((vm for vm in listed if vm["id"] == wanted), None) or _by_id(client, wanted)
    here = [vm for vm in listed if holds(vm, zone)]
    alive = [vm for vm in here if vm.get("state") not in GONE]
    for field, what in (("name", "host name"), ("displayname", "display name")):
        found = [vm for vm in alive if vm.get(field) == wanted]
        if len(found) > 1:
            message = (
                f"{option}: {len(found)} virtual machines have the {what} {wanted!r}; give the zone, or name one by its id: "
                f"{told(found)}"
            )
            one_zone = len({vm.get("zoneid") for vm in found}) == 1
            raise Duplicates(message, found) if field == "name" and one_zone else UsageError(message)
        if found:
            return found[0]
    return next((vm for vm in here if vm.get("name") == wanted), None)

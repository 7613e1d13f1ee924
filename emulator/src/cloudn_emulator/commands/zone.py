# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Zones, their capacity and their hypervisors, as measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

from typing import Any

from ..calls import Call, page_of
from ..collation import collated
from ..errors import bad_parameter
from ..filters import Test, equals, has_part, has_tags, matching, refers_to
from ..generation import Differs
from ..models import GIB, Zone
from ..store import Store
from ..wire import listing

# The hypervisors that the service can have: the answer to a call without a zone.
HYPERVISORS = Differs(
    ("KVM", "XenServer", "VMware", "BareMetal", "Ovm"),
    ("KVM", "VMware", "XenServer", "Hyperv", "BareMetal", "Ovm", "LXC", "Ovm3", "External"),
)

# The numbers of the kinds of capacity.
MEMORY, CPU, STORAGE, STORAGE_ALLOCATED, PRIVATE_ADDRESSES, SECONDARY_STORAGE, DIRECT_ADDRESSES = 0, 1, 2, 3, 5, 6, 8
HOST_MEMORY = 512 * GIB
HOST_CPU = 1024_000  # MHz
ZONE_STORAGE = 4096 * GIB
OVERPROVISIONING = 2
SECONDARY = 1024 * GIB
SYSTEM_ADDRESSES = (4, 90)  # of system machines: in use, all
MTU = 1500  # bytes


def list_zones(call: Call) -> dict[str, Any]:
    """listZones: CloudStack 3 has no pages; every page is the whole list.

    `domainid` finds only zones of a domain: there are none. `available=false` means the zones where the account has a
    router. In a Basic zone all routers are the service's own.
    """
    found = call.of(_FOUND)(call)
    shown = page_of(call, found) if call.store.generation.pages_all else found
    return listing("zone", [call.of(_VIEW)(call, zone) for zone in shown])


def _found_3(call: Call) -> list[Zone]:
    hidden = "domainid" in call.params or call["available"] is False
    tests = [refers_to(call, "id"), has_part(call, "keyword", "name")]
    return [] if hidden else matching(call.store.zones.values(), tests)


def _found_4(call: Call) -> list[Zone]:
    """On CloudStack 4 only these count besides an id or a name: the kind of network, ids, tags, groups of hosts."""
    network, ids = call["networktype"], {zone.id for zone in call["ids"] or ()}
    if ids and "id" in call.params:
        raise bad_parameter("Specify either id or ids but not both parameters")
    tests: list[Test | None] = [
        lambda zone: "storageaccessgroup" not in call.params,
        lambda zone: network is None or collated(network) == collated(zone.kind),
        (lambda zone: zone.id in ids) if ids else None,
        has_tags(call, "Zone"),
    ]
    if "id" in call.params:
        tests.append(refers_to(call, "id"))
    elif call["name"] is not None:
        tests.append(equals(call, "name", "name"))
    else:
        return matching(_found_3(call), tests)
    return matching(call.store.zones.values(), tests)


_FOUND = Differs(_found_3, _found_4)


def _view_3(call: Call, zone: Zone) -> dict[str, Any]:
    capacities = {"capacity": _capacities(call.store, zone)} if call["showcapacities"] else {}
    return {**_common(zone), **capacities, "localstorageenabled": False}


def _view_4(call: Call, zone: Zone) -> dict[str, Any]:
    """CloudStack 4 shows the capacity to administrators alone."""
    shown = call["showcapacities"] and call.account.admin
    return {
        **_common(zone),
        **({"capacity": _capacities(call.store, zone)} if shown else {}),
        "gputotal": 0,
        "gpuused": 0,
        "localstorageenabled": False,
        "tags": [],
        "allowuserspecifyvrmtu": False,
        "routerprivateinterfacemaxmtu": MTU,
        "routerpublicinterfacemaxmtu": MTU,
        "type": "Core",
        "isnsxenabled": False,
        "ismultiarch": False,
        "asnrange": "",
        "routedmodeenabled": True,
        "hasannotations": False,
    }


_VIEW = Differs(_view_3, _view_4)


def _common(zone: Zone) -> dict[str, Any]:
    return {
        "id": zone.id,
        "name": zone.name,
        "networktype": zone.kind,
        "securitygroupsenabled": True,
        "allocationstate": "Enabled",
        "zonetoken": zone.token,
        "dhcpprovider": "VirtualRouter",
    }


def _capacities(store: Store, zone: Zone) -> list[dict[str, Any]]:
    """How much of a zone is used: memory and storage in bytes, CPU in MHz, addresses in numbers."""
    hosts = sum(host.zone_id == zone.id for host in store.hosts.values())
    plans = [store.service_offerings[vm.offering_id] for vm in _in(zone, store.vms) if vm.host_id]
    stored = sum(volume.size for volume in _in(zone, store.volumes) if volume.state == "Ready")
    used = {
        MEMORY: (sum(plan.memory for plan in plans) * GIB // 1024, hosts * HOST_MEMORY),
        CPU: (sum(plan.cpus * plan.speed for plan in plans), hosts * HOST_CPU),
        STORAGE: (stored, ZONE_STORAGE),
        STORAGE_ALLOCATED: (stored, ZONE_STORAGE * OVERPROVISIONING),
        PRIVATE_ADDRESSES: SYSTEM_ADDRESSES,
        SECONDARY_STORAGE: (_copied(store, zone), SECONDARY),
        DIRECT_ADDRESSES: store.addresses(zone),
    }
    return [
        {"type": kind, "capacityused": part, "capacitytotal": total, "percentused": _percent(part, total)}
        for kind, (part, total) in used.items()
    ]


def _in(zone: Zone, table: dict[str, Any]) -> list[Any]:
    return [one for one in table.values() if one.zone_id == zone.id]


def _copied(store: Store, zone: Zone) -> int:
    """The bytes of a zone's templates and snapshots."""
    templates = sum(template.size for template in store.templates.values() if zone.id in template.zone_ids)
    return templates + sum(one.size for one in store.snapshots.values() if one.volume.zone_id == zone.id)


def _percent(part: int, total: int) -> str:
    return f"{100 * part / total:.2f}".rstrip("0").rstrip(".")


def list_hypervisors(call: Call) -> dict[str, Any]:
    """listHypervisors: those of a zone or, without a zone, those that the service knows. There are no pages."""
    zone = call["zoneid"]
    names: tuple[str, ...] = call.of(HYPERVISORS)
    if "zoneid" in call.params:
        names = zone.hypervisors if isinstance(zone, Zone) else ()
    return listing("hypervisor", [{"name": name} for name in names])

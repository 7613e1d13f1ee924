# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks, their offerings and addresses, and what a Basic zone has none of, as measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..calls import Call, page_of
from ..collation import collated, contains
from ..errors import ACCOUNT, ApiError, bad_parameter
from ..fields import date_text, ownership
from ..filters import Test, equals, has_part, has_tags, matching, named, refers_to
from ..generation import Differs
from ..models import NO_OBJECT, Vm, Zone
from ..network_offerings import OFFERINGS, Counter, NetworkOffering
from ..owners import check_access, owner_of_new, owners
from ..wire import listing
from . import network_offering_4, network_view_4
from .network_filters import asks_for, offers

DOMAIN = "cs1cloud.internal"
RESOLVER = "192.0.2.53"
OFFERING = OFFERINGS[0]
# Whether `networkfilter` finds the network of a Basic zone, which belongs to a domain.
FILTERS = {"all": True, "domain": True, "accountdomain": True, "account": False, "shared": False}
ADDRESS_STATES = ("allocating", "allocated", "releasing", "free", "reserved")


def list_networks(call: Call) -> dict[str, Any]:
    """listNetworks: each Basic zone has one, which all accounts share. `issystem` is for administrators only."""
    call.of(_CHECK_ASKER)(call)
    call.of(_CHECK_KIND)(call)
    fixed: dict[str, str | bool] = {
        "type": "Shared",
        "traffictype": "Guest",
        "acltype": "Domain",
        "restartrequired": False,
        "specifyipranges": True,
        "canusefordeploy": True,
        "forvpc": False,
    }
    keyword = call["keyword"]
    tests: list[Test | None] = [
        _id_test(call),
        refers_to(call, "zoneid"),
        refers_to(call, "physicalnetworkid"),
        lambda zone: "vpcid" not in call.params and all(asks_for(call, name, value) for name, value in fixed.items()),
        lambda zone: not (call["issystem"] and call.account.admin),
        (lambda zone: contains(zone.network_name, keyword)) if keyword is not None else None,
        offers(call, lambda zone: OFFERING.services),
        has_tags(call, "Network"),
        *call.of(_MORE)(call),
    ]
    found = matching((network for zone in call.store.zones.values() for network in zone.networks), tests)
    return listing("network", [call.of(_NETWORK_VIEW)(call, zone) for zone in page_of(call, found)])


def _id_test(call: Call) -> Test | None:
    network = call["id"]
    if network is None or network is NO_OBJECT:
        return refers_to(call, "id")
    return lambda zone: zone.network_id == network.network_id


def _check_kind(call: Call) -> None:
    """CloudStack 4 refuses a kind of network that it does not know."""
    kind = call["type"]
    if kind is not None and kind.lower() not in ("shared", "isolated", "l2"):
        raise bad_parameter(f"Unexpected Guest type : {kind}")


def _check_asker(call: Call) -> None:
    owners(call)  # only for its errors: all accounts see the networks


def _check_asker_4(call: Call) -> None:
    """CloudStack 4 passes over `account` without `domainid`. Source: its code."""
    if call["domainid"] is not None:
        owners(call)


def _more_4(call: Call) -> list[Test | None]:
    """The filters that CloudStack 4 has besides. Source: its code."""
    name, offering, kind = call["name"], call["networkofferingid"], (call["networkfilter"] or "all").lower()
    if kind not in FILTERS:
        raise bad_parameter(f"Invalid value of networkfilter: {call['networkfilter']}")
    return [
        lambda zone: FILTERS[kind] and "associatednetworkid" not in call.params,
        (lambda zone: collated(name) == collated(zone.network_name)) if name is not None else None,
        (lambda zone: offering.id == OFFERING.id) if offering is not None else None,
    ]


_CHECK_KIND: Differs[Callable[[Call], None]] = Differs(lambda call: None, _check_kind)
_CHECK_ASKER: Differs[Callable[[Call], None]] = Differs(_check_asker, _check_asker_4)
_MORE: Differs[Callable[[Call], list[Test | None]]] = Differs(lambda call: [], _more_4)


def _network_view(call: Call, zone: Zone) -> dict[str, Any]:
    dns = {"name": "AllowDnsSuffixModification", "value": "true", "canchooseservicecapability": False}
    return {
        "id": zone.network_id,
        "name": zone.network_name,
        "displaytext": zone.network_name,
        "broadcastdomaintype": "Vlan",
        "traffictype": "Guest",
        "zoneid": zone.id,
        "zonename": zone.name,
        "networkofferingid": OFFERING.id,
        "networkofferingname": OFFERING.name,
        "networkofferingdisplaytext": OFFERING.text,
        "networkofferingavailability": "Optional",
        "issystem": False,
        "state": "Setup",
        "related": zone.network_id,
        "dns1": RESOLVER,
        "type": OFFERING.kind,
        "acltype": "Domain",
        "subdomainaccess": True,
        "domainid": call.account.domain_id,
        "domain": call.account.domain,
        "service": [{"name": name, **({"capability": [dns]} if name == "Dns" else {})} for name in OFFERING.services],
        "networkdomain": DOMAIN,
        "physicalnetworkid": zone.physical_network_id,
        "restartrequired": False,
        "specifyipranges": True,
        "canusefordeploy": True,
        "tags": [],
    }


_NETWORK_VIEW = Differs(_network_view, network_view_4.network_view)


def list_network_offerings(call: Call) -> dict[str, Any]:
    """listNetworkOfferings: none of them can be used in a Basic zone, where nobody makes networks."""
    return call.of(_LIST_OFFERINGS)(call)


def _list_offerings_3(call: Call) -> dict[str, Any]:
    tests: list[Test | None] = [
        lambda one: _is_for_guests(call),
        refers_to(call, "id"),
        named(call),
        has_part(call, "displaytext", "text"),
        has_part(call, "keyword", "name", "text"),
        lambda one: asks_for(call, "availability", "Required" if one.required else "Optional"),
        lambda one: asks_for(call, "guestiptype", one.kind),
        lambda one: asks_for(call, "specifyvlan", one.vlan),
        lambda one: asks_for(call, "specifyipranges", one.vlan),
        lambda one: asks_for(call, "sourcenatsupported", "SourceNat" in one.services),
        lambda one: asks_for(call, "forvpc", one.vpc),
        offers(call, lambda one: one.services),
    ]
    found = page_of(call, matching(OFFERINGS, tests))
    return listing("networkoffering", [_offering_view(one) for one in found])


_LIST_OFFERINGS: Differs[Callable[[Call], dict[str, Any]]] = Differs(
    _list_offerings_3, network_offering_4.list_offerings
)


def _is_for_guests(call: Call) -> bool:
    """Whether the filters for fields that all offerings share leave any offering."""
    fixed = (("traffictype", "Guest"), ("state", "Enabled"), ("isdefault", True))
    return all(asks_for(call, *one) for one in fixed) and not (
        call.params.keys() & {"zoneid", "networkid"} or call["istagged"]
    )


def _offering_view(offering: NetworkOffering) -> dict[str, Any]:
    return {
        "id": offering.id,
        "name": offering.name,
        "displaytext": offering.text,
        "traffictype": "Guest",
        "isdefault": True,
        "specifyvlan": offering.vlan,
        "conservemode": not offering.vpc,
        "specifyipranges": offering.vlan,
        "availability": "Required" if offering.required else "Optional",
        "networkrate": 200,
        "state": "Enabled",
        "guestiptype": offering.kind,
        "serviceofferingid": "466aea6d-3bea-4b58-b5eb-01ab2b764738",  # of its routers
        "service": [_service_view(offering, service) for service in offering.services],
        "forvpc": offering.vpc,
    }


def _service_view(offering: NetworkOffering, service: str) -> dict[str, Any]:
    view: dict[str, Any] = {"name": service, "provider": [{"name": offering.provider_of(service)}]}
    able = [
        {"name": name, "value": value, "canchooseservicecapability": False}
        for name, value in offering.capabilities(service).items()
    ]
    return {**view, "capability": able} if able else view


def list_public_addresses(call: Call) -> dict[str, Any]:
    """listPublicIpAddresses: a Basic zone has none. `forvirtualnetwork=false` shows those of machines."""
    address = call["ipaddress"]
    tests: list[Test | None] = [
        owners(call),
        lambda vm: _is_for_machines(call) and vm.nic.ip is not None,
        refers_to(call, "zoneid", "zone_id"),
        refers_to(call, "physicalnetworkid", "zone_id"),
        refers_to(call, "associatednetworkid", "zone_id"),
        (lambda vm: vm.nic.ip == address) if address is not None else None,
        has_part(call, "keyword", "nic.ip"),
        call.of(_IS_ADDRESS)(call),
    ]
    found = matching(call.store.vms.values(), tests)
    return listing("publicipaddress", [_address_view(call, vm) for vm in page_of(call, found)])


def _is_address_4(call: Call) -> Test:
    """The test for what CloudStack 4 filters besides. Source: its code."""
    states = {state.strip().lower() for state in (call["state"] or "").split(",")} - {""}
    _check_states(call, states)
    if call["forvirtualnetwork"] is False:
        _check_direct(call)
    elif call["allocatedonly"] is False:
        owner_of_new(call)  # only for its errors
    network = call["networkid"]
    return lambda vm: (
        (not states or "allocated" in states) and (network is None or network.network_id == vm.nic.network_id)
    )


def _check_states(call: Call, states: set[str]) -> None:
    if not states <= set(ADDRESS_STATES):
        raise bad_parameter(f"Invalid state: {call['state']}")
    if call["allocatedonly"] and states & {"free", "reserved"}:
        raise bad_parameter("Conflict: allocatedonly is true but state is Free")


def _check_direct(call: Call) -> None:
    """Refuse (431) an address or a network that does not exist, for addresses of machines."""
    if call["networkid"] is NO_OBJECT:
        raise bad_parameter("Please specify a valid network id")
    if call["networkid"] is None and call["id"] is NO_OBJECT:
        raise bad_parameter("Please specify a valid ipaddress id")


_IS_ADDRESS: Differs[Callable[[Call], Test | None]] = Differs(lambda call: None, _is_address_4)


def _is_for_machines(call: Call) -> bool:
    """Whether the filters for fields that all addresses share leave those of machines."""
    kinds = (call["issourcenat"], call["isstaticnat"], call["forloadbalancing"])
    return call["forvirtualnetwork"] is False and not (call.params.keys() & {"id", "vlanid", "vpcid"} or any(kinds))


def _address_view(call: Call, vm: Vm) -> dict[str, Any]:
    zone = call.store.zones[vm.zone_id]
    return {
        "id": vm.nic.id,
        "ipaddress": vm.nic.ip,
        "allocated": date_text(vm.created),
        "zoneid": zone.id,
        "zonename": zone.name,
        "issourcenat": False,
        **ownership(call, vm.owner),
        "forvirtualnetwork": False,
        "isstaticnat": False,
        "issystem": False,
        "associatednetworkid": zone.network_id,
        "networkid": zone.network_id,
        "state": "Allocated",
        "physicalnetworkid": zone.physical_network_id,
        "tags": [],
    }


def list_counters(call: Call) -> dict[str, Any]:
    """listCounters."""
    tests: list[Test | None] = [
        refers_to(call, "id"),
        equals(call, "name", "name"),
        equals(call, "source", "source"),
        equals(call, "provider", "provider"),
        has_part(call, "keyword", "name"),
    ]
    found = page_of(call, matching(call.store.counters.values(), tests))
    return listing("counter", [call.of(_COUNTER_VIEW)(one) for one in found])


def _counter_3(one: Counter) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "source": one.source, "value": one.value}


_COUNTER_VIEW: Differs[Callable[[Counter], dict[str, Any]]] = Differs(_counter_3, network_view_4.counter_view)


# --- what a Basic zone, or the service, has none of


def list_nothing(call: Call) -> dict[str, Any]:
    """A listing that is always empty. Raises ApiError for an account or a machine that the caller may not name."""
    owners(call)
    vm = call["virtualmachineid"]
    if isinstance(vm, Vm):
        check_access(call, vm.owner, vm.label)
    return {}


def list_projects(call: Call) -> dict[str, Any]:
    """listProjects: there are none."""
    name = call["account"]
    if name is not None and not call.account.admin and name != call.account.name:
        raise ApiError(ACCOUNT, f"Can't list account {name} projects; unauthorized")
    call.of(_CHECK_PROJECTS)(call)
    return {}


def _check_projects_4(call: Call) -> None:
    """On CloudStack 4 a plain account may name its own domain and user alone. Source: its code."""
    domain, user, caller = call["domainid"], call["username"], call.account
    if caller.admin:
        if domain is None and call["account"] is not None:
            raise bad_parameter(f"could not find account {call['account']} because domain is not specified")
        owners(call)  # only for its errors
        return
    named = None if domain is None else domain.id if domain is NO_OBJECT else domain.domain_id
    if named not in (None, caller.domain_id):
        raise ApiError(ACCOUNT, f"Can't list domain ID = {named} projects; unauthorized")
    if user and user != caller.name:
        raise ApiError(ACCOUNT, f"Can't list user {user} projects; unauthorized")


_CHECK_PROJECTS: Differs[Callable[[Call], None]] = Differs(lambda call: None, _check_projects_4)


def list_vpns(call: Call) -> dict[str, Any]:
    """listRemoteAccessVpns of an address: no address can have one. CloudStack 4 lists those of all addresses too."""
    address = call["publicipid"]
    if address is None:
        return list_nothing(call)
    raise bad_parameter(f"Unable to list remote access vpns, IP address {address.id} not found")

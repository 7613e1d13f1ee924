# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks, what kinds of them there are, their addresses, and what a Basic zone has none of, as measured on CloudStack 3.0.5."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..calls import Call, check_access, contains, date_text, has_tags, matching, owners, ownership, page_of
from ..errors import ACCOUNT, ApiError, bad_parameter
from ..models import Vm, Zone
from ..network_offerings import OFFERINGS, SERVICES, NetworkOffering
from ..store import collated
from ..wire import listing

NAME = "guestNetworkForBasicZone"
DOMAIN = "cs1cloud.internal"
RESOLVER = "192.0.2.53"
OFFERING = OFFERINGS[0]
Test = Callable[[Any], bool] | None


def list_networks(call: Call) -> dict[str, Any]:
    """listNetworks: each Basic zone has one, shared by all accounts. `issystem` is for administrators only."""
    owners(call)  # for its refusals: the networks are everybody's
    fixed: dict[str, str | bool] = {
        "type": "Shared",
        "traffictype": "Guest",
        "acltype": "Domain",
        "restartrequired": False,
        "specifyipranges": True,
        "canusefordeploy": True,
        "forvpc": False,
    }
    p, keyword = call.params, call["keyword"]
    tests: list[Test] = [
        (lambda zone: zone is p["id"]) if "id" in p else None,
        (lambda zone: zone is p["zoneid"]) if "zoneid" in p else None,
        (lambda zone: zone is p["physicalnetworkid"]) if "physicalnetworkid" in p else None,
        (lambda zone: False)
        if "vpcid" in p or not all(_is(call, name, value) for name, value in fixed.items())
        else None,
        (lambda zone: not (call["issystem"] and call.account.admin)),
        (lambda zone: contains(NAME, keyword)) if keyword is not None else None,
        _offers(call, lambda zone: OFFERING.services),
        has_tags(call, "Network"),
    ]
    found = matching(call.store.zones.values(), tests)
    return listing("network", [_network_view(call, zone) for zone in page_of(call, found)])


def _is(call: Call, name: str, value: str | bool) -> bool:
    """Whether a filter, where it is given, asks for this value."""
    asked = call[name]
    if asked is None or isinstance(value, bool):
        return asked in (None, value)
    return collated(asked) == collated(value)


def _offers(call: Call, services: Callable[[Any], tuple[str, ...]]) -> Test:
    """The test for all the services that are asked for. Raises ApiError (431) for one that there is not."""
    asked = call["supportedservices"]
    if asked is None:
        return None
    known = {service.lower(): service for service in SERVICES}
    for word in asked:
        if word.lower() not in known:
            raise bad_parameter(f"Invalid service specified {word}")
    wanted = {known[word.lower()] for word in asked}
    return lambda one: wanted <= set(services(one))


def _network_view(call: Call, zone: Zone) -> dict[str, Any]:
    dns = {"name": "AllowDnsSuffixModification", "value": "true", "canchooseservicecapability": False}
    return {
        "id": zone.network_id,
        "name": NAME,
        "displaytext": NAME,
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


def list_network_offerings(call: Call) -> dict[str, Any]:
    """listNetworkOfferings: none that could be used in a Basic zone, where nobody makes networks."""
    p, keyword, name, text = call.params, call["keyword"], call["name"], call["displaytext"]
    nothing = not all(_is(call, *one) for one in (("traffictype", "Guest"), ("state", "Enabled"), ("isdefault", True)))
    tests: list[Test] = [
        (lambda one: False) if nothing or "zoneid" in p or "networkid" in p or call["istagged"] else None,
        (lambda one: one is p["id"]) if "id" in p else None,
        (lambda one: contains(one.name, name)) if name is not None else None,
        (lambda one: contains(one.text, text)) if text is not None else None,
        (lambda one: contains(one.name, keyword) or contains(one.text, keyword)) if keyword is not None else None,
        lambda one: _is(call, "availability", "Required" if one.required else "Optional"),
        lambda one: _is(call, "guestiptype", one.kind),
        lambda one: _is(call, "specifyvlan", one.vlan),
        lambda one: _is(call, "specifyipranges", one.vlan),
        lambda one: _is(call, "sourcenatsupported", "SourceNat" in one.services),
        lambda one: _is(call, "forvpc", one.vpc),
        _offers(call, lambda one: one.services),
    ]
    return listing("networkoffering", [_offering_view(one) for one in page_of(call, matching(OFFERINGS, tests))])


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
    """listPublicIpAddresses: a Basic zone has none, but with `forvirtualnetwork=false` there are those of the machines."""
    p, address, keyword = call.params, call["ipaddress"], call["keyword"]
    absent = ("id", "vlanid", "vpcid")
    nothing = call["forvirtualnetwork"] is not False or any(name in p for name in absent)
    nothing = nothing or bool(call["issourcenat"] or call["isstaticnat"] or call["forloadbalancing"])
    tests: list[Test] = [
        owners(call),
        (lambda vm: False) if nothing else None,
        (lambda vm: vm.nic.ip is not None),
        (lambda vm: vm.zone_id == p["zoneid"].id) if "zoneid" in p else None,
        (lambda vm: vm.zone_id == p["physicalnetworkid"].id) if "physicalnetworkid" in p else None,
        (lambda vm: vm.zone_id == p["associatednetworkid"].id) if "associatednetworkid" in p else None,
        (lambda vm: vm.nic.ip == address) if address is not None else None,
        (lambda vm: contains(vm.nic.ip, keyword)) if keyword is not None else None,
    ]
    found = matching(call.store.vms.values(), tests)
    return listing("publicipaddress", [_address_view(call, vm) for vm in page_of(call, found)])


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
    p, name, source, keyword = call.params, call["name"], call["source"], call["keyword"]
    tests: list[Test] = [
        (lambda one: one is p["id"]) if "id" in p else None,
        (lambda one: collated(one.name) == collated(name)) if name is not None else None,
        (lambda one: collated(one.source) == collated(source)) if source is not None else None,
        (lambda one: contains(one.name, keyword)) if keyword is not None else None,
    ]
    found = page_of(call, matching(call.store.counters.values(), tests))
    return listing("counter", [{"id": o.id, "name": o.name, "source": o.source, "value": o.value} for o in found])


# --- what a Basic zone, or the service, has none of


def list_nothing(call: Call) -> dict[str, Any]:
    """A listing of what there can't be. Raises ApiError for an account and for a machine that the caller may not name."""
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
    return {}


def list_vpns(call: Call) -> dict[str, Any]:
    """listRemoteAccessVpns: of an address, and there is none that could have one."""
    address = call["publicipid"]
    raise bad_parameter(f"Unable to list remote access vpns, IP address {address.id} not found")

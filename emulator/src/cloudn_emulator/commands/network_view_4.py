# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What networks, their offerings and the counters look like on CloudStack 4.23."""

from __future__ import annotations

import uuid
from typing import Any

from ..calls import Call
from ..fields import date_text
from ..models import Zone
from ..network_offerings import OFFERINGS, Counter, NetworkOffering

BEGINNING = 1325376000.0  # 2012-01-01, as other offers
MTU = 1500  # bytes
OFFERING = OFFERINGS[0]
# What the services of the network can do.
_OF_NETWORK = {
    "Dns": {"AllowDnsSuffixModification": "true"},
    "Dhcp": {"DhcpAccrossMultipleSubnets": "true"},  # the service spells it so
}


def network_view(call: Call, zone: Zone) -> dict[str, Any]:
    """The network of a Basic zone. It belongs to the domain of administrators."""
    owner = call.store.accounts["admin"]
    return {
        "id": zone.network_id,
        "name": zone.network_name,
        "displaytext": "guest",
        "broadcastdomaintype": "Native",
        "traffictype": "Guest",
        "gateway": f"10.{zone.subnet}.0.1",
        "netmask": "255.255.0.0",
        "cidr": f"10.{zone.subnet}.0.0/16",
        "zoneid": zone.id,
        "zonename": zone.name,
        "networkofferingid": OFFERING.id,
        "networkofferingname": OFFERING.name,
        "networkofferingdisplaytext": OFFERING.text,
        "networkofferingconservemode": True,
        "networkofferingavailability": "Optional",
        "issystem": False,
        "state": "Setup",
        "related": zone.network_id,
        "dns1": "192.0.2.53",
        "type": OFFERING.kind,
        "acltype": "Domain",
        "subdomainaccess": True,
        "domainid": owner.domain_id,
        "domain": owner.domain,
        "domainpath": owner.domain_path,
        "service": [_service(name, _OF_NETWORK.get(name, {})) for name in OFFERING.services],
        "networkdomain": "cs1cloud.internal",
        "physicalnetworkid": zone.physical_network_id,
        "restartrequired": False,
        "specifyvlan": True,
        "specifyipranges": True,
        "canusefordeploy": True,
        "ispersistent": False,
        "tags": [],
        "strechedl2subnet": False,  # the service spells it so
        "redundantrouter": False,
        "supportsvmautoscaling": False,
        "created": date_text(BEGINNING),
        "receivedbytes": 0,
        "sentbytes": 0,
        "publicmtu": MTU,
        "privatemtu": MTU,
        "hasannotations": False,
    }


def _service(name: str, able: dict[str, str]) -> dict[str, Any]:
    """A service of the network, with what it can do, if that is anything."""
    return {"name": name, "provider": [{"name": OFFERING.provider_of(name)}], "capability": _capabilities(able)}


def _capabilities(able: dict[str, str]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value, "canchooseservicecapability": False} for name, value in able.items()]


def _offered(offering: NetworkOffering, name: str) -> dict[str, Any]:
    """A service of an offering."""
    able = _capabilities(offering.capabilities(name))
    view: dict[str, Any] = {"name": name, "provider": [{"name": offering.provider_of(name)}]}
    return {**view, "capability": able} if able else view


def offering_view(offering: NetworkOffering) -> dict[str, Any]:
    """A network offering."""
    return {
        "id": offering.id,
        "name": offering.name,
        "displaytext": offering.text,
        "created": date_text(BEGINNING),
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
        "service": [_offered(offering, name) for name in offering.services],
        "forvpc": offering.vpc,
        "fornsx": False,
        "fortungsten": False,
        "ispersistent": False,
        "egressdefaultpolicy": False,
        "supportsstrechedl2subnet": False,
        "supportspublicaccess": False,
        "supportsinternallb": False,
        "internetprotocol": "IPv4",
        "specifyasnumber": False,
        "hasannotations": False,
    }


def counter_view(counter: Counter) -> dict[str, Any]:
    """A counter. CloudStack 4 has UUIDs for them."""
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"counter {counter.id}")),
        "name": counter.name,
        "source": counter.source.upper(),
        "value": counter.value,
        "provider": "Netscaler" if counter.source == "netscaler" else "VirtualRouter",
    }

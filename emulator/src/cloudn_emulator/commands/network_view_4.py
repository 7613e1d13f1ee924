# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What networks and the counters of autoscaling look like on CloudStack 4.23."""

from __future__ import annotations

from typing import Any

from ..calls import Call
from ..fields import date_text
from ..models import Zone
from ..network_offerings import Counter
from ..network_offerings_4 import OFFERINGS
from .network_offering_4 import BEGINNING, capabilities

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
    return {"name": name, "provider": [{"name": OFFERING.providers[name]}], "capability": capabilities(able)}


def counter_view(counter: Counter) -> dict[str, Any]:
    """A counter."""
    return {
        "id": counter.id,
        "name": counter.name,
        "source": counter.source,
        "value": counter.value,
        "provider": counter.provider,
    }

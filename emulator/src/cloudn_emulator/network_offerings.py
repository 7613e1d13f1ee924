# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network offerings that CloudStack 3.0.5 has from the beginning, and the counters of its autoscaling."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

ROUTER, VPC_ROUTER, NETSCALER = "VirtualRouter", "VpcVirtualRouter", "Netscaler"
# Services as offerings and networks name them.
SERVICES = (
    "Vpn",
    "Dhcp",
    "Dns",
    "Gateway",
    "Firewall",
    "Lb",
    "UserData",
    "SourceNat",
    "StaticNat",
    "PortForwarding",
    "SecurityGroup",
    "NetworkACL",
)
_PLAIN = ("Dhcp", "UserData", "Dns")
_VPC = ("NetworkACL", "SourceNat", "StaticNat", "Vpn", "PortForwarding", *_PLAIN)


@dataclass(frozen=True, slots=True)
class NetworkOffering:
    """A kind of network; `vlan` is true where the VLAN and the range of addresses are given when one is made."""

    name: str
    text: str
    kind: str
    services: tuple[str, ...]
    vlan: bool = True
    required: bool = False
    provider: str = ROUTER
    elastic: bool = False

    @property
    def id(self) -> str:
        """The id, which is made of the name."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"network offering {self.name}"))

    @property
    def vpc(self) -> bool:
        """Whether it is for the networks of a private cloud."""
        return self.provider == VPC_ROUTER

    def provider_of(self, service: str) -> str:
        """What does a service."""
        if service == "SecurityGroup":
            return "SecurityGroupProvider"
        return NETSCALER if self.elastic and service in ("Lb", "StaticNat") else self.provider

    def capabilities(self, service: str) -> dict[str, str]:
        """What a service can do, by the names of the capabilities."""
        elastic = str(self.elastic).lower()
        return {
            "Lb": {"SupportedLBIsolation": "shared" if self.elastic else "dedicated", "ElasticLb": elastic},
            "SourceNat": {"SupportedSourceNatTypes": "peraccount", "RedundantRouter": "false"},
            "StaticNat": {"ElasticIp": elastic},
        }.get(service, {})


OFFERINGS = (
    NetworkOffering(
        "DefaultSharedNetworkOfferingWithSGService",
        "Offering for Shared Security group enabled networks",
        "Shared",
        ("Dhcp", "UserData", "SecurityGroup", "Dns"),
    ),
    NetworkOffering("DefaultSharedNetworkOffering", "Offering for Shared networks", "Shared", _PLAIN),
    NetworkOffering(
        "DefaultIsolatedNetworkOfferingWithSourceNatService",
        "Offering for Isolated networks with Source Nat service enabled",
        "Isolated",
        ("Lb", "SourceNat", "StaticNat", "Vpn", "PortForwarding", "Dhcp", "UserData", "Firewall", "Dns"),
        vlan=False,
        required=True,
    ),
    NetworkOffering(
        "DefaultIsolatedNetworkOffering",
        "Offering for Isolated networks with no Source Nat service",
        "Isolated",
        _PLAIN,
    ),
    NetworkOffering(
        "DefaultSharedNetscalerEIPandELBNetworkOffering",
        "Offering for Shared networks with Elastic IP and Elastic LB capabilities",
        "Shared",
        ("Lb", "StaticNat", "Dhcp", "UserData", "SecurityGroup", "Dns"),
        elastic=True,
    ),
    NetworkOffering(
        "DefaultIsolatedNetworkOfferingForVpcNetworks",
        "Offering for Isolated Vpc networks with Source Nat service enabled",
        "Isolated",
        ("Lb", *_VPC),
        vlan=False,
        provider=VPC_ROUTER,
    ),
    NetworkOffering(
        "DefaultIsolatedNetworkOfferingForVpcNetworksNoLB",
        "Offering for Isolated Vpc networks with Source Nat service enabled and LB service Disabled",
        "Isolated",
        _VPC,
        vlan=False,
        provider=VPC_ROUTER,
    ),
)


@dataclass(frozen=True, slots=True)
class Counter:
    """Something that autoscaling can count."""

    id: str
    name: str
    source: str
    value: str
    provider: str = ""  # on CloudStack 4


COUNTERS = (
    Counter("1", "Linux User CPU - percentage", "snmp", "1.3.6.1.4.1.2021.11.9.0"),
    Counter("2", "Linux System CPU - percentage", "snmp", "1.3.6.1.4.1.2021.11.10.0"),
    Counter("3", "Linux CPU Idle - percentage", "snmp", "1.3.6.1.4.1.2021.11.11.0"),
    Counter("100", "Response Time - microseconds", "netscaler", "RESPTIME"),
)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The network offerings that CloudStack 4.23 has from the beginning, and the counters of its autoscaling."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from .network_offerings import NETSCALER, ROUTER, VPC_ROUTER, Counter

SHARED, ISOLATED, L2 = "Shared", "Isolated", "L2"
NAT, ROUTED = "NATTED", "ROUTED"
_HAS_AUTOSCALING = (ROUTER, VPC_ROUTER, NETSCALER, "Netris")  # of the providers of load balancers


@dataclass(frozen=True, slots=True)
class NetworkOffering4:
    """A kind of network; `vlan` and `ranges` say what is given when one is made.

    `providers` names what does each service, in the order of a listing. `mode` is that of networks with an external
    controller.
    """

    name: str
    text: str
    kind: str
    providers: dict[str, str]
    vlan: bool = False
    ranges: bool = False
    required: bool = False
    conserve: bool = True
    vpc: bool = False
    mode: str | None = None
    internal_lb: bool = False

    @property
    def id(self) -> str:
        """The id, which is made of the name, as that of CloudStack 3's offerings."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"network offering {self.name}"))

    @property
    def services(self) -> tuple[str, ...]:
        """The services of its networks."""
        return tuple(self.providers)

    def has_controller(self, name: str) -> bool:
        """Whether an external controller of this name does any of its services."""
        return name in self.providers.values()

    def capabilities(self, service: str) -> dict[str, str]:
        """What a service can do, by the names of the capabilities."""
        provider = self.providers[service]
        elastic = "true" if provider == NETSCALER else "false"
        return {
            "StaticNat": {"ElasticIp": elastic, "AssociatePublicIP": "true"},
            "Lb": {
                "SupportedLBIsolation": "shared" if provider == NETSCALER else "dedicated",
                "ElasticLb": elastic,
                "InlineMode": "false",
                "VmAutoScaling": "true" if provider in _HAS_AUTOSCALING else "false",
            },
            "SourceNat": {"SupportedSourceNatTypes": "peraccount", "RedundantRouter": "false"},
        }.get(service, {})


# The services in the order of a listing.
_ORDER = """
StaticNat PortForwarding UserData SecurityGroup NetworkACL Dns Connectivity Dhcp Firewall Lb SourceNat Vpn
"""


def _by(**services: str) -> dict[str, str]:
    """The provider of each service; `services` are the names of services by their provider."""
    providers = {service: provider for provider, names in services.items() for service in names.split()}
    return {service: providers[service] for service in _ORDER.split() if service in providers}


_BASIC = "UserData Dns Dhcp"
_VPC = f"StaticNat PortForwarding {_BASIC} NetworkACL SourceNat Vpn"
_WITH_GROUPS = {"VirtualRouter": _BASIC, "SecurityGroupProvider": "SecurityGroup"}
OFFERINGS = (
    NetworkOffering4(
        "DefaultSharedNetworkOfferingWithSGService",
        "Offering for Shared Security group enabled networks",
        SHARED,
        _by(**_WITH_GROUPS),
        vlan=True,
        ranges=True,
    ),
    NetworkOffering4(
        "DefaultSharedNetworkOffering",
        "Offering for Shared networks",
        SHARED,
        _by(VirtualRouter=_BASIC),
        vlan=True,
        ranges=True,
    ),
    NetworkOffering4(
        "DefaultTungstenSharedNetworkOfferingWithSGService",
        "Offering for Tungsten Shared Security group enabled networks",
        SHARED,
        _by(Tungsten="SecurityGroup Dns Connectivity Dhcp"),
        vlan=True,
        ranges=True,
    ),
    NetworkOffering4(
        "DefaultIsolatedNetworkOfferingWithSourceNatService",
        "Offering for Isolated networks with Source Nat service enabled",
        ISOLATED,
        _by(VirtualRouter=f"StaticNat PortForwarding {_BASIC} Firewall Lb SourceNat Vpn"),
        required=True,
    ),
    NetworkOffering4(
        "DefaultIsolatedNetworkOffering",
        "Offering for Isolated networks with no Source Nat service",
        ISOLATED,
        _by(VirtualRouter=_BASIC),
        vlan=True,
        ranges=True,
    ),
    NetworkOffering4(
        "DefaultSharedNetscalerEIPandELBNetworkOffering",
        "Offering for Shared networks with Elastic IP and Elastic LB capabilities",
        SHARED,
        _by(**_WITH_GROUPS, Netscaler="StaticNat Lb"),
        vlan=True,
        ranges=True,
    ),
    NetworkOffering4(
        "DefaultIsolatedNetworkOfferingForVpcNetworks",
        "Offering for Isolated Vpc networks with Source Nat service enabled",
        ISOLATED,
        _by(VpcVirtualRouter=f"{_VPC} Lb"),
        vpc=True,
    ),
    NetworkOffering4(
        "DefaultIsolatedNetworkOfferingForVpcNetworksNoLB",
        "Offering for Isolated Vpc networks with Source Nat service enabled and LB service Disabled",
        ISOLATED,
        _by(VpcVirtualRouter=_VPC),
        conserve=False,
        vpc=True,
    ),
    NetworkOffering4(
        "DefaultIsolatedNetworkOfferingForVpcNetworksWithInternalLB",
        "Offering for Isolated Vpc networks with Internal LB support",
        ISOLATED,
        _by(VpcVirtualRouter=f"{_BASIC} NetworkACL SourceNat", InternalLbVm="Lb"),
        conserve=False,
        vpc=True,
        internal_lb=True,
    ),
    NetworkOffering4("DefaultL2NetworkOffering", "Offering for L2 networks", L2, {}),
    NetworkOffering4("DefaultL2NetworkOfferingVlan", "Offering for L2 networks VLAN", L2, {}, vlan=True),
    NetworkOffering4(
        "DefaultL2NetworkOfferingConfigDrive",
        "Offering for L2 networks with config drive user data",
        L2,
        _by(ConfigDrive="UserData"),
    ),
    NetworkOffering4(
        "DefaultL2NetworkOfferingConfigDriveVlan",
        "Offering for L2 networks with config drive user data VLAN",
        L2,
        _by(ConfigDrive="UserData"),
        vlan=True,
    ),
    NetworkOffering4(
        "DefaultNATNSXNetworkOffering",
        "Offering for NSX enabled networks - NAT mode",
        ISOLATED,
        _by(VirtualRouter=_BASIC, Nsx="StaticNat PortForwarding Firewall Lb SourceNat"),
        conserve=False,
        mode=NAT,
    ),
    NetworkOffering4(
        "DefaultRoutedNSXNetworkOffering",
        "Offering for NSX enabled networks - ROUTED mode",
        ISOLATED,
        _by(VirtualRouter=_BASIC, Nsx="Firewall"),
        conserve=False,
        mode=ROUTED,
    ),
    NetworkOffering4(
        "DefaultNATNSXNetworkOfferingForVpc",
        "Offering for NSX enabled networks on VPCs - NAT mode",
        ISOLATED,
        _by(VpcVirtualRouter=_BASIC, Nsx="StaticNat PortForwarding NetworkACL Lb SourceNat"),
        conserve=False,
        vpc=True,
        mode=NAT,
    ),
    NetworkOffering4(
        "DefaultRoutedNSXNetworkOfferingForVpc",
        "Offering for NSX enabled networks on VPCs - ROUTED mode",
        ISOLATED,
        _by(VpcVirtualRouter=_BASIC, Nsx="NetworkACL"),
        conserve=False,
        vpc=True,
        mode=ROUTED,
    ),
    NetworkOffering4(
        "DefaultNATNSXNetworkOfferingForVpcWithInternalLB",
        "Offering for NSX enabled networks on VPCs with internal LB - NAT mode",
        ISOLATED,
        _by(VpcVirtualRouter=_BASIC, Nsx="StaticNat PortForwarding NetworkACL Lb SourceNat"),
        conserve=False,
        vpc=True,
        mode=NAT,
        internal_lb=True,
    ),
    NetworkOffering4(
        "DefaultRoutedNetrisNetworkOfferingForVpc",
        "Offering for Netris enabled networks on VPCs - ROUTED mode",
        ISOLATED,
        _by(VpcVirtualRouter=_BASIC, Netris="NetworkACL"),
        conserve=False,
        vpc=True,
        mode=ROUTED,
    ),
    NetworkOffering4(
        "DefaultNATNetrisNetworkOfferingForVpc",
        "Offering for Netris enabled networks on VPCs - NAT mode",
        ISOLATED,
        _by(VpcVirtualRouter=f"{_BASIC} Vpn", Netris="StaticNat PortForwarding NetworkACL Lb SourceNat"),
        conserve=False,
        vpc=True,
        mode=NAT,
    ),
    NetworkOffering4(
        "QuickCloudNoServices", "Offering for QuickCloud with no services", SHARED, {}, vlan=True, ranges=True
    ),
)

_OF_MACHINES = (
    ("VM CPU - average percentage", "CPU", "vm.cpu.average.percentage"),
    ("VM Memory - average percentage", "MEMORY", "vm.memory.average.percentage"),
)
_OF_ROUTERS = (
    *_OF_MACHINES,
    ("Public Network - mbps received per vm", "VIRTUALROUTER", "public.network.received.average.mbps"),
    ("Public Network - mbps transmit per vm", "VIRTUALROUTER", "public.network.transmit.average.mbps"),
    ("Load Balancer - average connections per vm", "VIRTUALROUTER", "virtual.network.lb.average.connections"),
)
_OF_NETSCALERS = (
    ("Linux User CPU - percentage", "SNMP", "1.3.6.1.4.1.2021.11.9.0"),
    ("Linux System CPU - percentage", "SNMP", "1.3.6.1.4.1.2021.11.10.0"),
    ("Linux CPU Idle - percentage", "SNMP", "1.3.6.1.4.1.2021.11.11.0"),
    ("Linux User CPU - percentage - native", "CPU", "1.3.6.1.4.1.2021.11.9.1"),
    ("Linux User RAM - percentage - native", "MEMORY", "1.3.6.1.4.1.2021.11.10.1"),
    ("Response Time - microseconds", "NETSCALER", "RESPTIME"),
)
_COUNTED = {
    "Netris": _OF_MACHINES,
    ROUTER: _OF_ROUTERS,
    VPC_ROUTER: _OF_ROUTERS,
    "None": _OF_MACHINES,
    NETSCALER: _OF_NETSCALERS,
}
COUNTERS = tuple(
    Counter(str(uuid.uuid5(uuid.NAMESPACE_OID, f"counter {name} of {provider}")), name, source, value, provider)
    for provider, counted in _COUNTED.items()
    for name, source, value in counted
)

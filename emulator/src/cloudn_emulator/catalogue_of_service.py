# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands about the service itself: what it offers, accounts and what they did, networks. See the catalogue."""

from __future__ import annotations

from .command import command, command_of_4
from .commands import account, api, capability, event, network, offer, os_type, zone

PAGED = " keyword page:int pagesize:int"
ANY_PAGE = " keyword page:int pagesize:anysize"  # the real server does not check the page
LISTED = " projectid:projects account listall:bool domainid:domain isrecursive:bool" + PAGED
OWNED = " account domainid:domain projectid:projects"
OFFERED = " state storagetype isrecursive:bool listall:bool" + OWNED  # of offerings on CloudStack 4
NAT = "id:firewall_rules ipaddressid:user_ip_address tags:{}"

COMMANDS = (
    # what is on offer
    command(
        "listZones",
        zone.list_zones,
        "id:data_center available:bool domainid:domain showcapacities:bool" + ANY_PAGE,
        on_4={"params": "name networktype ids:[data_center] tags:{} storageaccessgroup"},
    ),
    command(
        "listHypervisors",
        zone.list_hypervisors,
        "zoneid:data_center" + ANY_PAGE,
        on_4={"lacks": "keyword page pagesize"},
    ),
    command(
        "listServiceOfferings",
        offer.list_service_offerings,
        "id:disk_offering name virtualmachineid:vm_instance domainid:domain issystem:bool systemvmtype" + PAGED,
        on_4={
            "params": "id:service_offering zoneid:data_center cpunumber:int cpuspeed:int memory:int gpuenabled:bool"
            " encryptroot:bool vgpuprofileid:vgpu_profile templateid:vm_template" + OFFERED
        },
    ),
    command(
        "listDiskOfferings",
        offer.list_disk_offerings,
        "domainid:domain id:disk_offering name" + PAGED,
        on_4={
            "params": "id:data_disk_offering zoneid:data_center virtualmachineid:vm_instance volumeid:volumes"
            " storageid:storage_pool encrypt:bool" + OFFERED
        },
    ),
    command(
        "listOsTypes",
        os_type.list_os_types,
        "id:guest_os oscategoryid:guest_os_category description" + PAGED,
        on_4={"params": "ids:[guest_os]"},
    ),
    command(
        "listOsCategories",
        os_type.list_os_categories,
        "id:guest_os_category name" + PAGED,
        on_4={"params": "isfeatured:bool"},
    ),
    command("listCapabilities", capability.list_capabilities, on_4={"params": "domainid:domain"}),
    command_of_4("listApis", api.list_apis, "name"),
    command_of_4("listRegions", api.list_regions, "id:int name" + PAGED),
    # accounts and what they did
    command(
        "listAccounts",
        account.list_accounts,
        "accounttype:long id:account iscleanuprequired:bool name state domainid:domain isrecursive:bool listall:bool"
        + PAGED,
        on_4={"params": "accounttype:int"},
    ),
    command(
        "listUsers",
        account.list_users,
        "id:user username accounttype:long state account domainid:domain isrecursive:bool listall:bool" + PAGED,
        granted=False,
        on_4={"granted": True, "params": "accounttype:int"},
    ),
    command_of_4("registerUserKeys", account.register_keys, "id:user!", "admin.user.RegisterUserKeysCmd"),
    command("getCloudIdentifier", account.cloud_identifier, "userid:user!"),
    command(
        "listResourceLimits",
        account.list_resource_limits,
        "id:long resourcetype:int" + LISTED,
        on_4={"params": "resourcetypename"},
    ),
    command(
        "listEvents",
        event.list_events,
        "id:event type level startdate:since enddate:until entrytime:int duration:int" + LISTED,
        on_4={"params": "startdate:anydate enddate:anyend state archived:bool startid:event resourceid resourcetype"},
    ),
    command("listEventTypes", event.list_event_types),
    # networks, and what a Basic zone has none of
    command(
        "listNetworks",
        network.list_networks,
        "id:networks zoneid:data_center type issystem:bool acltype traffictype physicalnetworkid:physical_network"
        " supportedservices:[string] restartrequired:bool specifyipranges:bool vpcid:vpc canusefordeploy:bool"
        " forvpc:bool tags:{}" + LISTED,
        on_4={
            "params": "name networkofferingid:network_offerings networkfilter associatednetworkid:networks",
        },
    ),
    command(
        "listNetworkOfferings",
        network.list_network_offerings,
        "id:network_offerings name displaytext traffictype isdefault:bool specifyvlan:bool availability guestiptype"
        " state supportedservices:[string] networkid:networks sourcenatsupported:bool zoneid:data_center istagged:bool"
        " forvpc:bool specifyipranges:bool" + PAGED,
        on_4={"params": "domainid:domain routingmode tags"},
    ),
    command(
        "listPublicIpAddresses",
        network.list_public_addresses,
        "id:user_ip_address ipaddress vlanid:vlan zoneid:data_center physicalnetworkid:physical_network"
        " associatednetworkid:networks allocatedonly:bool forvirtualnetwork:bool forloadbalancing:bool"
        " issourcenat:bool isstaticnat:bool vpcid:vpc tags:{}" + LISTED,
        on_4={"params": "networkid:networks state"},
    ),
    command(
        "listCounters",
        network.list_counters,
        "id:counter name source" + PAGED,
        root="counterresponse",
        on_4={"params": "provider"},
    ),
    command(
        "listProjects",
        network.list_projects,
        "id:projects displaytext name state tags:{}" + LISTED,
        on_4={"params": "username", "lacks": "projectid"},
    ),
    command("listProjectInvitations", network.list_nothing, "id:project_invitations activeonly:bool state" + LISTED),
    command("listVPCs", network.list_nothing, "id:vpc name displaytext cidr state zoneid:data_center" + LISTED),
    command("listVpnUsers", network.list_nothing, "id:vpn_users username" + LISTED),
    command(
        "listRemoteAccessVpns",
        network.list_vpns,
        "publicipid:user_ip_address!" + LISTED,
        on_4={"params": "publicipid:user_ip_address"},
    ),
    command("listPortForwardingRules", network.list_nothing, NAT + LISTED),
    command("listIpForwardingRules", network.list_nothing, NAT + " virtualmachineid:vm_instance" + LISTED),
    command("listFirewallRules", network.list_nothing, NAT + LISTED),
    command(
        "listLoadBalancerRules",
        network.list_nothing,
        "id:firewall_rules name publicipid:user_ip_address virtualmachineid:vm_instance zoneid:data_center tags:{}"
        + LISTED,
    ),
)

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_vm_info: virtual machines, listed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_vm_info
short_description: List virtual machines
version_added: 1.0.0
description:
  - Lists all virtual machines (VMs) or those that the options select. The list is empty if nothing is found.
  - If several options are given, only VMs that fit all of them are listed.
  - Each VM has the same form as in M(cloudn.compute.cloudn_vm).
  - Destroyed VMs are listed only by O(state) or O(id). The account must be able to see them.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Only VMs with these names. Each is a host name. A display name counts if no VM has that host name. A name that no
        VM has is no error.
    type: list
    elements: str
  id:
    description:
      - Only the VM with this id.
    type: str
  zone:
    description:
      - Only VMs in this zone, given by name or id. An unknown zone is an error.
    type: str
  state:
    description:
      - Only VMs in this state, for example V(Running) or V(Stopped). Case does not count. A word that is no state is an
        error.
    type: str
  group:
    description:
      - Only VMs in this group, given by name or id. Case, accents and blanks at the end of a name do not count.
    type: str
  template:
    description:
      - Only VMs created from this template, given by name or id.
    type: str
  service_offering:
    description:
      - Only VMs with this service offering (plan), given by name or id.
    type: str
  security_group:
    description:
      - Only VMs in this security group, given by name or id. Case, accents and blanks at the end of a name do not
        count.
    type: str
  tags:
    description:
      - Only VMs with all of these tags, given as keys and values. Case, accents and blanks at the end of a key do not
        count.
    type: dict
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes.info
notes:
  - The module sends one request for fewer than 50 VMs. For more VMs it sends about one for every 450 and reads
    several at a time. O(zone) costs one more.
  - The service takes time for each VM that it lists. The service itself applies O(id), O(zone), O(state), O(tags) and
    a single O(name), to keep its lists short. The module applies the other options to what was listed.
  - The service fails on a VM whose SSH key pair was deleted or replaced, and on every list that would show it. The
    module finds such a VM with at most 2 log2 n + 2 more requests among n VMs. It shows the VM without its key pair
    and hardware addresses. A warning says which VM it is and what to do.
seealso:
  - module: cloudn.compute.cloudn_vm
  - plugin: cloudn.compute.cloudn
    plugin_type: inventory
"""

EXAMPLES = r"""
- name: List all VMs
  cloudn.compute.cloudn_vm_info:
  register: all

- name: List two VMs
  cloudn.compute.cloudn_vm_info:
    name: [web1, web2]

- name: List the running web servers of one zone
  cloudn.compute.cloudn_vm_info:
    zone: jp-e1a
    state: Running
    tags:
      role: web
  register: web

- name: Show their addresses
  ansible.builtin.debug:
    msg: "{{ web.vms | map(attribute='default_ip') }}"

- name: Show the VM with an id
  cloudn.compute.cloudn_vm_info:
    id: 7285508a-b8a6-4a2e-93c9-6e2f2627eeba

- name: List the VMs of a group
  cloudn.compute.cloudn_vm_info:
    group: workers

- name: List the VMs in a security group
  cloudn.compute.cloudn_vm_info:
    security_group: web

- name: List the VMs that were created from a template and have a given plan
  cloudn.compute.cloudn_vm_info:
    template: CentOS 6.2 64bit
    service_offering: v1
"""

RETURN = r"""
vms:
  description: The VMs. Every key is always there. A value is null if it does not apply or is not known.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 7285508a-b8a6-4a2e-93c9-6e2f2627eeba
    planned:
      description: V(true) if check mode has planned it. This task or an earlier one of the run would create it.
      returned: in check mode, for what does not exist yet
      type: bool
      sample: true
    name:
      description: Host name.
      type: str
      sample: web1
    display_name:
      description: Name for people.
      type: str
      sample: Web server 1
    state:
      description:
        - State in the service's words, for example V(Running), V(Stopped), V(Starting), V(Stopping) or V(Error).
      type: str
      sample: Running
    zone:
      description: Name of the zone.
      type: str
      sample: jp-e1a
    zone_id:
      description: Id of the zone.
      type: str
      sample: 1b02e74c-6c21-4aa3-b96c-51042de8fccd
    template:
      description: Name of the template that it was created from.
      type: str
      sample: CentOS 6.2 64bit
    template_id:
      description: Id of that template.
      type: str
      sample: 90ddbb8d-8652-4356-9fb7-ed3696cf4c3a
    service_offering:
      description: Name of the service offering (plan).
      type: str
      sample: v1
    service_offering_id:
      description: Id of the service offering.
      type: str
      sample: 88ce379e-a686-4ae4-946f-dc3358275276
    cpu_number:
      description: Number of processors.
      type: int
      sample: 1
    cpu_speed:
      description: Speed of each processor in MHz.
      type: int
      sample: 1000
    memory:
      description: Memory in MiB.
      type: int
      sample: 2048
    group:
      description: Group that it is in.
      type: str
      sample: front
    group_id:
      description: Id of that group.
      type: str
      sample: 57c366d2-50f7-4f14-8907-b1401d917fe1
    security_groups:
      description: Names of its security groups.
      type: list
      elements: str
      sample: [web]
    security_group_ids:
      description: Ids of its security groups.
      type: list
      elements: str
      sample: [67e9b4de-505e-41f0-9020-0f60bb0ac983]
    default_ip:
      description: Address of the default network interface. If that one has none, the address of the first interface
        that has one.
      type: str
      sample: 10.1.1.20
    nics:
      description: Network interfaces.
      type: list
      elements: dict
      contains:
        id:
          description: Id.
          type: str
          sample: 6010bfb0-7b59-4f86-902d-5023b84a8953
        network_id:
          description: Id of the network.
          type: str
          sample: 33b26fa8-82eb-4310-86d1-db4e01632af1
        network_name:
          description: Name of the network, if the service shows it. CloudStack 3.0 does not.
          type: str
          sample: guestNetworkForBasicZone
        ip_address:
          description: Address, once it has one.
          type: str
          sample: 10.1.1.20
        netmask:
          description: Netmask.
          type: str
          sample: 255.255.240.0
        gateway:
          description: Gateway.
          type: str
          sample: 10.1.0.1
        mac_address:
          description: Hardware address.
          type: str
          sample: 06:df:4c:00:01:05
        type:
          description: Kind of the network.
          type: str
          sample: Shared
        traffic_type:
          description: Kind of the traffic.
          type: str
          sample: Guest
        is_default:
          description: Whether it is the default interface.
          type: bool
          sample: true
    key_pair:
      description: Name of the SSH key pair, if the service shows it. It is the first of RV(vms[].key_pairs).
      type: str
      sample: ops
    key_pairs:
      description: Names of all SSH key pairs that the service shows. CloudStack 3.0 shows at most one.
      type: list
      elements: str
      sample: [ops]
    affinity_groups:
      description: Names of its affinity groups. CloudStack 3.0 has none.
      type: list
      elements: str
      sample: [apart]
    delete_protection:
      description: Whether the service refuses to destroy it, if the service shows that. CloudStack 3.0 does not.
      type: bool
      sample: false
    ha:
      description: Whether it is started on another host when its host fails.
      type: bool
      sample: false
    os_type_id:
      description: Id of the OS type.
      type: str
      sample: '144'
    hypervisor:
      description: Hypervisor.
      type: str
      sample: XenServer
    password_enabled:
      description: Whether its template sets passwords.
      type: bool
      sample: true
    root_device_id:
      description: Number of the root disk.
      type: int
      sample: 0
    root_device_type:
      description: Kind of the root disk.
      type: str
      sample: NetworkFilesystem
    account:
      description: Account that owns it.
      type: str
      sample: flatuser
    domain:
      description: Name of the account's domain.
      type: str
      sample: ROOT
    domain_id:
      description: Id of that domain.
      type: str
      sample: '1'
    created:
      description: Time of creation.
      type: str
      sample: '2026-11-23T14:59:50+0000'
    tags:
      description: Tags.
      type: dict
      sample: {role: web}
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm import view as vm

SPEC = {
    "name": {"type": "list", "elements": "str"},
    "id": {"type": "str"},
    "zone": {"type": "str"},
    "state": {"type": "str"},
    "group": {"type": "str"},
    "template": {"type": "str"},
    "service_offering": {"type": "str"},
    "security_group": {"type": "str"},
    "tags": {"type": "dict"},
}

DEFINITION = Definition(
    SPEC, lambda client, options, _check: {"vms": [vm.to_result(item) for item in vm.select(client, options)]}
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

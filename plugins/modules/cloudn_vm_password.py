#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_vm_password: resets the password of a virtual machine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_vm_password
short_description: Reset the password of a virtual machine
version_added: 0.1.0
description:
  - Has the service make a new password for a virtual machine, and returns it. That is done each time the task runs.
  - The machine takes the new password when it starts the next time, by a script of its template.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Virtual machine by id, host name or display name. It must be stopped, see O(allow_restart), and made from a template
        that takes passwords from the service.
    type: str
    required: true
  zone:
    description:
      - Zone by name or id in which it is looked for.
    type: str
  allow_restart:
    description:
      - Whether a running machine may be stopped for it. It is started again afterwards, also when resetting fails.
    type: bool
    default: false
  force_stop:
    description:
      - Whether to stop without waiting for the machine to shut down.
    type: bool
    default: false
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - With O(wait=false) the password is in what M(cloudn.compute.cloudn_job) returns of the job.
seealso:
  - module: cloudn.compute.cloudn_vm
  - module: cloudn.compute.cloudn_job
"""

EXAMPLES = r"""
- name: A new password for a machine, which is stopped and started again
  cloudn.compute.cloudn_vm_password:
    name: web1
    allow_restart: true
  register: result
  no_log: true # the result holds the password
"""

RETURN = r"""
vm:
  description: The virtual machine. Every key is always there; what does not apply or is not known is null.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 7285508a-b8a6-4a2e-93c9-6e2f2627eeba
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
        - State, as the service calls it, for example V(Running), V(Stopped), V(Starting), V(Stopping), V(Error).
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
      description: Name of the template that it was made from.
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
      description: Speed of each in MHz.
      type: int
      sample: 1000
    memory:
      description: Memory in MiB.
      type: int
      sample: 2048
    group:
      description: Group that it was put into.
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
      description: Address of the default network interface, or of the first that has one.
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
      description: Name of the SSH key pair, where the service shows it.
      type: str
      sample: ops
    ha:
      description: Whether it is started elsewhere when its host fails.
      type: bool
      sample: false
    os_type_id:
      description: Id of the OS type.
      type: str
      sample: '144'
    hypervisor:
      description: Kind of the hypervisor.
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
      description: When it was made.
      type: str
      sample: '2026-11-23T14:59:50+0000'
    tags:
      description: Tags.
      type: dict
      sample: {role: web}
    password:
      description: The password that was just made. It is not shown again; set C(no_log) on the task where the result must not
        be logged.
      type: str
      returned: unless in check mode
      sample: wS4nifujs
vms:
  description: A list with RV(vm) alone, of the form that M(cloudn.compute.cloudn_vm_info) returns.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: dict
actions:
  description: What was done, step by step, or in check mode would be.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: str
  sample: ["web1: stop", "web1: reset password", "web1: start"]
diff:
  description: What was and what is, or in check mode would be, of everything that the options manage.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    before:
      description: What was, by name. Empty for what did not exist.
      type: dict
      sample: {web1: {password: (old)}}
    after:
      description: What is, by name.
      type: dict
      sample: {web1: {password: (new)}}
jobs:
  description: Ids of jobs that were not waited for.
  returned: when there are any (O(wait=false))
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.module import WAIT, run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import vm_password

SPEC = {
    "name": {"type": "str", "required": True},
    "zone": {"type": "str"},
    "allow_restart": {"type": "bool", "default": False},
    "force_stop": {"type": "bool", "default": False},
    **WAIT,
}


def main() -> None:
    run(SPEC, vm_password.ensure, plural="vms", singular="vm")


if __name__ == "__main__":
    main()

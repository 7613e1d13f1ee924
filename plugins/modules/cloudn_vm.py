#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_vm: virtual machines, one or many at once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_vm
short_description: Make, change, start, stop and destroy virtual machines
version_added: 0.1.0
description:
  - Brings one or many virtual machines to the state that is asked for. Many are dealt with at the same time and waited
    for together.
  - Everything that can be checked is checked before anything is changed.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Virtual machines, each by host name, id, or display name.
      - A display name finds a machine only when no machine has that host name, and it must be the only one with it.
      - A machine that does not exist is made with this as its host name, which has ASCII letters, digits and hyphens,
        begins with a letter, does not end with a hyphen, and has at most 63 characters.
    type: list
    elements: str
    required: true
  state:
    description:
      - V(present), it exists. A new one is started, an existing one left running or stopped as it is.
      - V(started), it exists and runs.
      - V(stopped), it exists and is stopped. A new one is not started.
      - V(restarted), it runs and was started anew. This changes something in every run.
      - V(reinstalled), its root disk is made anew from its template, and all that is on the old one is lost. Data disks, snapshots,
        addresses and tags stay. A running machine is stopped for it and runs again afterwards, a stopped one stays stopped.
        Needs O(confirm_reinstall). This changes something in every run.
      - V(absent), it is destroyed. Its host name stays taken until the service has expunged it, by default a day later.
    type: str
    choices: [present, started, stopped, restarted, reinstalled, absent]
    default: present
  confirm_reinstall:
    description:
      - Host name of the machine that is to lose its root disk, written once more. Needed for O(state=reinstalled), and without
        meaning for other states.
      - Anything but exactly this host name is refused before anything is changed, also where O(name) has the machine's id or
        display name. O(name) takes one machine then.
    type: str
  zone:
    description:
      - Zone, by name or id. Names are looked for in this zone only.
      - Needed to make a machine where there are several zones.
    type: str
  template:
    description:
      - Template, by name or id. Needed to make a machine.
      - A template given by name is compared by name, so a renewed template of the same name is no difference.
    type: str
  template_filter:
    description:
      - Among which templates O(template) is looked up.
    type: str
    choices: [executable, featured, self, selfexecutable, sharedexecutable, community]
    default: executable
  service_offering:
    description:
      - Service offering (plan), by name or id. Needed to make a machine.
      - A change needs the machine stopped, see O(allow_restart).
    type: str
  disk_offering:
    description:
      - Disk offering of a first data disk, by name or id. It must have a fixed size.
    type: str
  display_name:
    description:
      - Name for people, free text.
    type: str
  group:
    description:
      - Group to put the machine into; it is made where it does not exist.
      - Case, accents and blanks at the end of its name do not count. Use letters of ASCII. CloudStack 3.0 garbles others when
        it shows a group, so that a group that may be the one given is left alone, with a warning.
    type: str
  security_groups:
    description:
      - Security groups, by name or id. They can be given to a new machine only; without any it gets C(default).
      - Case, accents and blanks at the end of a name do not count.
    type: list
    elements: str
  key_pair:
    description:
      - Name of the SSH key pair to put into a new machine. Case, accents and blanks at the end do not count.
      - The service shows of a machine the first pair that holds its public key, so another pair with the same key is no difference.
    type: str
  keyboard:
    description:
      - Keyboard of the console of a new machine.
    type: str
    choices: [de, de-ch, es, fi, fr, fr-be, fr-ch, is, it, jp, nl-be, 'no', pt, uk, us]
  user_data:
    description:
      - Text for a new machine to find at its first start, as it is. At most 1536 bytes, which are 2048 once they are
        encoded.
      - The service does not show it, so it is not compared on an existing machine.
      - It may hold secrets, so Ansible keeps it out of logs and results.
    type: str
  ha:
    description:
      - Whether the machine is started elsewhere when its host fails. Only with a service offering that offers it.
    type: bool
  os_type:
    description:
      - OS type, by description or id. A new machine has that of its template.
    type: str
  allow_restart:
    description:
      - Whether a running machine may be stopped and started again for a change that needs it stopped.
    type: bool
    default: false
  force_stop:
    description:
      - Whether to stop without waiting for the machine to shut down.
    type: bool
    default: false
  detach_volumes:
    description:
      - Whether data disks are detached, and kept, before a machine is destroyed.
      - A machine that has any is not destroyed without this or O(delete_volumes), as the service would hide them with it.
    type: bool
    default: false
  delete_volumes:
    description:
      - Whether data disks are deleted with a machine that is destroyed, which is done before it is. What is on them is lost.
    type: bool
    default: false
  recover:
    description:
      - Whether to have a destroyed machine back, where the account may do that.
      - An account that does not see destroyed machines can name one by its id.
    type: bool
    default: false
  on_immutable_drift:
    description:
      - What to do about differences that the service can't change on an existing machine, which are O(template),
        O(security_groups), O(disk_offering) and O(key_pair).
    type: str
    choices: [fail, warn, ignore]
    default: fail
  max_parallel:
    description:
      - How many requests are under way at the same time.
    type: int
    default: 10
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.tags
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - With O(state=reinstalled) the service makes no new password. M(cloudn.compute.cloudn_vm_password) does, where the template
    sets passwords.
  - The job of O(state=reinstalled) tells that the machine is stopped, also where the service has started it again. With
    O(wait=false) look at the machine, not at what M(cloudn.compute.cloudn_job) returns of it.
  - A task that changes nothing costs one request, for one machine as for many. Naming O(os_type) or O(disk_offering)
    costs one more, and so does a O(key_pair) that the machine shows by another name.
  - The service takes time for each machine that it lists, and it lists those whose names contain what all of O(name)
    begin with, 500 to a request. So machines whose names begin alike are found soonest.
  - Machines that need the same tags get them with one request for up to 100 machines. New machines get their tags when
    all of them have an id.
  - The service may take two machines of one name when two runs make them at the same moment. So a task that has made
    machines lists them once more when all their jobs have ended, with one request for all. Of two machines one is left,
    and both runs go on with that one. With O(wait=false) nobody looks.
seealso:
  - module: cloudn.compute.cloudn_vm_info
  - module: cloudn.compute.cloudn_security_group
"""

EXAMPLES = r"""
- name: A web server
  cloudn.compute.cloudn_vm:
    name: web1
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v1
    tags:
      role: web

- name: Ten workers at once
  cloudn.compute.cloudn_vm:
    name: "{{ query('ansible.builtin.sequence', 'start=1 end=10 format=worker%02d') }}"
    zone: jp-e1b
    template: CentOS 6.2 64bit
    service_offering: vQ
    group: workers
    state: started

- name: A security group for databases
  cloudn.compute.cloudn_security_group:
    name: db

- name: A database server in it, with a data disk and a name for people
  cloudn.compute.cloudn_vm:
    name: db1
    display_name: Orders database
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v4
    disk_offering: Medium
    security_groups: [db]
    tags:
      role: db
      env: production

- name: One more tag beside those that it has
  cloudn.compute.cloudn_vm:
    name: db1
    tags:
      backup: nightly
    purge_tags: false

- name: Reboot it
  cloudn.compute.cloudn_vm:
    name: db1
    state: restarted

- name: Make its root disk anew, which deletes all that is on it
  cloudn.compute.cloudn_vm:
    name: db1
    state: reinstalled
    confirm_reinstall: db1

- name: A larger plan for a running machine, which is stopped and started for it
  cloudn.compute.cloudn_vm:
    name: web1
    service_offering: v2
    allow_restart: true

- name: Stop two machines
  cloudn.compute.cloudn_vm:
    name: [worker01, worker02]
    state: stopped

- name: A machine that sets itself up, made without waiting for it
  cloudn.compute.cloudn_vm:
    name: batch1
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v1
    user_data: |
      #!/bin/sh
      echo ready > /etc/motd
    wait: false
  register: batch
  no_log: true # the result of a new machine may hold its password

- name: Destroy it
  cloudn.compute.cloudn_vm:
    name: batch1
    state: absent
"""

RETURN = r"""
vms:
  description:
    - The virtual machines, in the order they were named, each as it is now or, in check mode, as far as it can be told.
    - Every key is always there unless it says otherwise; what does not apply or is not known is null.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: dict
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
        - V(absent) after O(state=absent).
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
      description: Speed of each processor in MHz.
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
      description: Time of creation.
      type: str
      sample: '2026-11-23T14:59:50+0000'
    tags:
      description: Tags.
      type: dict
      sample: {role: web}
    password:
      description: Password that was just made. It is not shown again; set C(no_log) on the task where the result must
        not be logged.
      type: str
      returned: for a new machine from a template that sets passwords
      sample: wS4nifujs
    error:
      description: What went wrong with this machine.
      type: str
      returned: when it failed
      sample: 'startVirtualMachine: job 8b7e21ab-b840-4c55-9897-fad4d6b322da failed: insufficient capacity (error 533)'
vm:
  description: The virtual machine, as in RV(vms).
  returned: when one is named, as RV(vms)
  type: dict
actions:
  description: The steps that the task took. In check mode, the steps that it would take. After a failure, the steps
    that were planned.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: str
  sample: ["web1: stop", "web1: change service offering from v1 to v2", "web1: start"]
diff:
  description: The state before and after of everything that the options manage. In check mode the state after is the
    one that the run would lead to.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    before:
      description: What was, by name as it was given. Empty for one that did not exist.
      type: dict
      sample: {web1: {state: Running, service_offering: v1}}
    after:
      description: What is, by name as it was given.
      type: dict
      sample: {web1: {state: Running, service_offering: v2}}
jobs:
  description: Ids of jobs that the task did not wait for.
  returned: when there are any (O(wait=false))
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.module import TAGS, WAIT, run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import vm_ensure
from ansible_collections.cloudn.compute.plugins.module_utils.resources.lookup import TEMPLATE_FILTERS

KEYBOARDS = ["de", "de-ch", "es", "fi", "fr", "fr-be", "fr-ch", "is", "it", "jp", "nl-be", "no", "pt", "uk", "us"]

STATES = ["present", "started", "stopped", "restarted", "reinstalled", "absent"]

SPEC = {
    "name": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "default": "present", "choices": STATES},
    "confirm_reinstall": {"type": "str"},
    "zone": {"type": "str"},
    "template": {"type": "str"},
    "template_filter": {"type": "str", "default": "executable", "choices": list(TEMPLATE_FILTERS)},
    "service_offering": {"type": "str"},
    "disk_offering": {"type": "str"},
    "display_name": {"type": "str"},
    "group": {"type": "str"},
    "security_groups": {"type": "list", "elements": "str"},
    "key_pair": {"type": "str", "no_log": False},
    "keyboard": {"type": "str", "choices": KEYBOARDS},
    "user_data": {"type": "str", "no_log": True},
    "ha": {"type": "bool"},
    "os_type": {"type": "str"},
    "allow_restart": {"type": "bool", "default": False},
    "force_stop": {"type": "bool", "default": False},
    "detach_volumes": {"type": "bool", "default": False},
    "delete_volumes": {"type": "bool", "default": False},
    "recover": {"type": "bool", "default": False},
    "on_immutable_drift": {"type": "str", "default": "fail", "choices": ["fail", "warn", "ignore"]},
    "max_parallel": {"type": "int", "default": 10},
    **TAGS,
    **WAIT,
}


def main() -> None:
    run(
        SPEC,
        vm_ensure.ensure,
        plural="vms",
        singular="vm",
        mutually_exclusive=[("detach_volumes", "delete_volumes")],
    )


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_vm: virtual machines, one or many at once."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_vm
short_description: Create, change, start, stop and destroy virtual machines
version_added: 1.0.0
description:
  - Brings one or many virtual machines (VMs) to the requested state. The module acts on many VMs at the same time and
    waits for them together.
  - It checks everything that can be checked before it changes anything.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - VMs, each by host name, id or display name.
      - A display name finds a VM only if no VM has that host name. Only one VM may have the display name.
      - If the VM does not exist, it is created with this host name. So a host name with a mistake would create a VM. It
        does so only if the task has O(template) and O(service_offering). A host name has ASCII letters, digits and
        hyphens. It begins with a letter. It does not end with a hyphen. It has at most 63 characters.
    type: list
    elements: str
    required: true
  state:
    description:
      - With V(present) the VM exists. A new one is started. An existing one stays running or stopped.
      - With V(started) it exists and runs.
      - With V(stopped) it exists and is stopped. A new one is not started.
      - With V(restarted) it runs and was started again. Every run changes something.
      - With V(reinstalled) the service creates the root disk again from the VM's template. Everything on the old root
        disk is lost. Data disks, snapshots, addresses and tags stay. A running VM is stopped for it and runs again
        afterwards. A stopped VM stays stopped. Requires O(confirm_reinstall). Every run changes something.
      - With V(absent) it is destroyed. Its host name stays taken until the service has expunged it. By default that
        is a day later.
    type: str
    choices: [present, started, stopped, restarted, reinstalled, absent]
    default: present
  confirm_reinstall:
    description:
      - Host name of the VM that loses its root disk, written a second time. Required for O(state=reinstalled). It has
        no effect with other states.
      - Anything but exactly this host name is refused before anything is changed. This is also so if O(name) is the
        VM's id or display name. O(name) takes only one VM in this case.
    type: str
  zone:
    description:
      - Name or id of the zone. Names are looked up in this zone only.
      - Required to create a VM if there are several zones.
      - A VM is not created if another zone has a VM with its host name. See O(same_name_elsewhere).
      - With O(state=absent) a VM of this name in another zone is left alone. A warning says where it is. This costs no
        further request.
    type: str
  same_name_elsewhere:
    description:
      - Whether to create a VM although another zone has a VM with its host name.
      - Otherwise the task fails and names both zones, as the zone may be wrong. It looks there only if O(zone) does not have
        the VM.
    type: bool
    default: false
  template:
    description:
      - Name or id of the template. Required to create a VM. The template of an existing VM cannot be changed. See
        O(on_immutable_drift).
      - If you give the template by name, names are compared. A renewed template with the same name is no difference.
      - If the service shows no template of an existing VM, the template is not compared. The module warns of that.
    type: str
  template_filter:
    description:
      - The set of templates in which O(template) is looked up.
      - V(executable) has the public templates and the account's own, V(featured) the public ones that the service shows
        first, and V(community) the other public ones. V(self) has all of the account's own templates, V(selfexecutable)
        those of them that are ready. V(sharedexecutable) has those that other accounts share with the account.
    type: str
    choices: [executable, featured, self, selfexecutable, sharedexecutable, community]
    default: executable
  service_offering:
    description:
      - Name or id of the service offering (plan). Required to create a VM.
      - The VM must be stopped for a change. See O(allow_restart).
      - CloudStack 4 gives a larger one to a running VM if the VM is dynamically scalable.
    type: str
  disk_offering:
    description:
      - Name or id of the disk offering of a first data disk of a new VM. It must have a fixed size.
      - For an existing VM, one of its data disks must have this disk offering. Otherwise this is a difference that cannot
        be changed. See O(on_immutable_drift). M(cloudn.compute.cloudn_volume) adds data disks to an existing VM.
    type: str
  display_name:
    description:
      - Name for people. Free text. It can be changed. The default for a new VM is its host name.
    type: str
  group:
    description:
      - Group of the VM. A VM is in one group at most. The group is created if it does not exist.
      - Case, accents and blanks at the end of its name do not count. Use ASCII letters. CloudStack 3.0 garbles other
        letters when it shows a group. If a group may be the given one, the module leaves it as it is and warns.
    type: str
  security_groups:
    description:
      - Names or ids of security groups. A new VM without any gets C(default).
      - CloudStack 4 gives a stopped VM other groups. See O(allow_restart) for a running VM. CloudStack 3.0 gives groups
        to a new VM only.
      - Case, accents and blanks at the end of a name do not count.
    type: list
    elements: str
  affinity_groups:
    description:
      - Names or ids of affinity groups. They decide which VMs run on one host. Requires CloudStack 4.
      - An existing VM must be stopped for a change. See O(allow_restart). An empty list takes it out of all groups.
    type: list
    elements: str
  networks:
    description:
      - Names or ids of the networks of a new VM. Only in an Advanced zone.
      - In a Basic zone all VMs are in the one network of the zone.
    type: list
    elements: str
  root_size_gb:
    description:
      - Size of the root disk of a new VM in GiB. By default that is the size of the template. Requires CloudStack 4.
      - For an existing VM, M(cloudn.compute.cloudn_volume) changes the size of the root disk.
    type: int
  delete_protection:
    description:
      - Whether the service refuses to destroy the VM. Requires CloudStack 4.
      - With O(state=absent) V(false) removes the protection first.
    type: bool
  key_pair:
    description:
      - Name of the SSH key pair to put into a VM. Case, accents and blanks at the end do not count.
      - CloudStack 4 puts another pair into a stopped VM. See O(allow_restart) for a running VM. If the service then makes
        a new password, it is in the result. CloudStack 3.0 puts a pair into a new VM only.
      - For each VM the service shows the first pair that holds its public key. So another pair with the same key is
        no difference. A VM that shows no pair has none. That is a difference.
    type: str
  keyboard:
    description:
      - Keyboard of the console of a new VM. The service does not return it, so it is not compared on an existing VM.
    type: str
    choices: [de, de-ch, es, fi, fr, fr-be, fr-ch, is, it, jp, nl-be, 'no', pt, uk, us]
  user_data:
    description:
      - Text that a new VM finds at its first start, unchanged. CloudStack 3.0 takes at most 1536 bytes, CloudStack 4
        24576 bytes. These are 2048 and 32768 bytes when encoded.
      - A mapping or a list is refused. The filter P(ansible.builtin.to_json#filter) makes a text of data. Ansible itself
        may make data of a text, for example of JSON in a file. The filter P(ansible.builtin.string#filter) keeps the text.
      - Bytes that are not UTF-8, such as a compressed file, need O(user_data_encoding=base64).
      - The service does not return it, so it is not compared on an existing VM.
      - It may hold secrets, so Ansible keeps it out of logs and results.
    type: str
  user_data_encoding:
    description:
      - How O(user_data) is written.
      - With V(base64) it is the bytes in Base64, in one line or several. The VM finds the bytes. Use it for bytes that
        are not UTF-8. V(base64) without O(user_data) is an error.
    type: str
    choices: [text, base64]
    default: text
  ha:
    description:
      - Whether the VM is started on another host when its host fails (high availability). It can be changed. V(true) is
        possible only with a service offering that allows it. The default for a new VM is that of its service offering.
    type: bool
  os_type:
    description:
      - Description or id of the OS type, for example V(CentOS 6.0 (64-bit)). It can be changed. The default for a new VM
        is that of its template.
    type: str
  allow_restart:
    description:
      - Whether to stop and start a running VM for a change that requires it to be stopped. Without this option such a
        change is an error.
    type: bool
    default: false
  force_stop:
    description:
      - Whether to stop without waiting for the VM to shut down. This is like pulling its plug. What the VM has not
        written to its disks is lost.
      - It applies whenever the task stops a VM. It has no effect otherwise.
    type: bool
    default: false
  detach_volumes:
    description:
      - Whether to detach and keep data disks before a VM is destroyed. O(state=absent) only.
      - On CloudStack 3.0 a VM with data disks is not destroyed without this option or O(delete_volumes). The service
        would hide the disks with it.
      - CloudStack 4 detaches and keeps the disks in any case.
    type: bool
    default: false
  delete_volumes:
    description:
      - Whether to delete the data disks of a VM before it is destroyed. What is on them is lost. O(state=absent) only.
      - It excludes O(detach_volumes).
    type: bool
    default: false
  expunge:
    description:
      - Whether the VM is expunged at once, so that its host name is free again. O(state=absent) only. Requires
        CloudStack 4.
      - Often only administrators may do that. For other accounts the task then fails, and the VM stays.
    type: bool
    default: false
  recover:
    description:
      - Whether to recover a destroyed VM, if the account may do that. Without this option a destroyed VM that the
        account sees is an error. It has no effect on other VMs.
      - Give the id of the VM if the account does not see destroyed VMs.
    type: bool
    default: false
  on_immutable_drift:
    description:
      - What to do about differences that the service cannot change on an existing VM. V(fail) is an error, V(warn) a
        warning. V(ignore) leaves the VM as it is without a message. The differences are those in O(template),
        O(disk_offering), O(root_size_gb) and O(networks), and on CloudStack 3.0 O(security_groups) and O(key_pair).
      - It also says what to do if a running VM must be stopped for O(security_groups), O(affinity_groups) or O(key_pair)
        and O(allow_restart) is not set.
    type: str
    choices: [fail, warn, ignore]
    default: fail
  max_parallel:
    description:
      - Maximum number of requests at the same time, at least 1.
    type: int
    default: 10
  max_jobs:
    description:
      - Maximum number of jobs of this task that the service has to do at the same time, at least 1. The task sends the next change when
        a job has ended. Jobs that set tags come on top, each for up to 100 VMs, as tags follow at once.
      - If the service has no more room, or the account reaches a limit, the task does not begin any other VM. The error names
        the VMs that were not tried.
    type: int
    default: 50
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.tags
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - On an existing VM the module changes O(display_name), O(group), O(ha), O(os_type), O(delete_protection) and O(tags)
    in any state. For O(service_offering) the VM must be stopped, and on CloudStack 4 also for O(security_groups),
    O(affinity_groups) and O(key_pair). O(user_data) and O(keyboard) only count for a new VM.
  - A VM whose deployment failed is in state Error, and holds its host name until the service has expunged it. If the
    account may expunge VMs, the task expunges the VM that it has created itself. That is only so on CloudStack 4.
  - With O(state=reinstalled) the service does not create a new password. If the template sets passwords,
    M(cloudn.compute.cloudn_vm_password) creates one.
  - The job of O(state=reinstalled) says that the VM is stopped, even if the service has started it again. With
    O(wait=false) look at the VM and not at the job in M(cloudn.compute.cloudn_job).
  - A task that changes nothing costs one request, for one VM or many. O(os_type) or O(disk_offering) costs one more.
    O(key_pair) costs one more if the VM shows it under another name.
  - The service takes time for each VM that it lists. It lists the VMs whose names contain the common beginning of all
    names in O(name), with 500 in a request. So VMs whose names begin alike are found fastest.
  - VMs that need the same tags get them with one request for up to 100 VMs. New VMs get their tags when all of them
    have an id.
  - The service may take two VMs with one name when two runs create them at the same moment. So a task that has
    created VMs lists them once more when all their jobs have ended, with one request for all. One of the two VMs is
    left, and both runs go on with it. With O(wait=false) there is no such check.
seealso:
  - module: cloudn.compute.cloudn_vm_info
  - module: cloudn.compute.cloudn_security_group
  - module: cloudn.compute.cloudn_vm_password
  - module: cloudn.compute.cloudn_volume
  - module: cloudn.compute.cloudn_key_pair
  - module: cloudn.compute.cloudn_affinity_group
  - module: cloudn.compute.cloudn_template_info
  - module: cloudn.compute.cloudn_service_offering_info
  - module: cloudn.compute.cloudn_disk_offering_info
  - module: cloudn.compute.cloudn_zone_info
  - module: cloudn.compute.cloudn_job
"""

EXAMPLES = r"""
- name: Create a web server
  cloudn.compute.cloudn_vm:
    name: web1
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v1
    tags:
      role: web
  no_log: true # the result of a new VM may hold its password

- name: Create ten workers at once
  cloudn.compute.cloudn_vm:
    name: "{{ query('ansible.builtin.sequence', 'start=1 end=10 format=worker%02d') }}"
    zone: jp-e1b
    template: CentOS 6.2 64bit
    service_offering: vQ
    group: workers
    state: started
  no_log: true # the result of a new VM may hold its password

- name: Create a security group for databases
  cloudn.compute.cloudn_security_group:
    name: db

- name: Create a database server in it, with a data disk and a display name
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
  no_log: true # the result of a new VM may hold its password

- name: Add one tag and keep the others
  cloudn.compute.cloudn_vm:
    name: db1
    tags:
      backup: nightly
    purge_tags: false

- name: Reboot the VM
  cloudn.compute.cloudn_vm:
    name: db1
    state: restarted

- name: Reinstall the VM, which deletes everything on its root disk
  cloudn.compute.cloudn_vm:
    name: db1
    state: reinstalled
    confirm_reinstall: db1

- name: Give a running VM a larger plan, for which it is stopped and started
  cloudn.compute.cloudn_vm:
    name: web1
    service_offering: v2
    allow_restart: true

- name: Let the service generate a key pair
  cloudn.compute.cloudn_key_pair:
    name: ops
  no_log: true # the result of a new pair holds its private key

- name: Create a VM with this key pair, a Japanese keyboard, an OS type and high availability
  cloudn.compute.cloudn_vm:
    name: mail1
    zone: jp-e1a
    template: CentOS 6.2 64bit
    template_filter: executable
    service_offering: v4
    key_pair: ops
    keyboard: jp
    os_type: CentOS 6.0 (64-bit)
    ha: true
  no_log: true # the result of a new VM may hold its password

- name: Create two VMs, with one request at a time and one job at a time
  cloudn.compute.cloudn_vm:
    name: [node1, node2]
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: vQ
    state: stopped
    max_parallel: 1
    max_jobs: 1
  no_log: true # the result of a new VM may hold its password

- name: Create a VM in a zone although a VM in another zone has its host name
  cloudn.compute.cloudn_vm:
    name: node1
    zone: jp-e1b
    template: CentOS 6.2 64bit
    service_offering: vQ
    same_name_elsewhere: true
  no_log: true # the result of a new VM may hold its password

- name: Destroy the VM of this name in one zone
  cloudn.compute.cloudn_vm:
    name: node1
    zone: jp-e1b
    state: absent

- name: Ensure that a VM runs, and do not mind that it was created from another template
  cloudn.compute.cloudn_vm:
    name: db1
    state: started
    template: Ubuntu 10.04 64bit
    on_immutable_drift: ignore
  no_log: true # the result of a new VM may hold its password

- name: Stop two VMs
  cloudn.compute.cloudn_vm:
    name: [worker01, worker02]
    state: stopped

- name: Start a VM
  cloudn.compute.cloudn_vm:
    name: worker01
    state: started

- name: Stop a VM that does not shut down by itself
  cloudn.compute.cloudn_vm:
    name: worker01
    state: stopped
    force_stop: true

- name: Create a VM that sets itself up, without waiting for it
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
  no_log: true # the result of a new VM may hold its password

- name: Create a VM with compressed user data, which "gzip -c setup.sh | base64" has written
  cloudn.compute.cloudn_vm:
    name: batch2
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v1
    user_data: H4sIAAAAAAACA1NW1E/KzNMvzuBKTc7IVyhKTUypVLBT0E8tSdbPzS9J4QIAbAaexiEAAAA=
    user_data_encoding: base64
  no_log: true # the result of a new VM may hold its password

- name: Destroy the VM
  cloudn.compute.cloudn_vm:
    name: batch1
    state: absent

- name: Destroy a VM and keep its data disks
  cloudn.compute.cloudn_vm:
    name: db1
    state: absent
    detach_volumes: true

- name: Create a VM with a data disk
  cloudn.compute.cloudn_vm:
    name: scratch1
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v1
    disk_offering: Small
  register: scratch
  no_log: true # the result of a new VM may hold its password

- name: Destroy the VM and delete its data disks
  cloudn.compute.cloudn_vm:
    name: scratch1
    state: absent
    delete_volumes: true

- name: Recover the destroyed VM by its id, if the account may do that
  cloudn.compute.cloudn_vm:
    name: "{{ scratch.vm.id }}"
    state: started
    recover: true

- name: Create a group whose VMs never run on one host (CloudStack 4)
  cloudn.compute.cloudn_affinity_group:
    name: apart

- name: Create a VM in it, with a larger root disk and a protection against deletion (CloudStack 4)
  cloudn.compute.cloudn_vm:
    name: vault1
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v1
    affinity_groups: [apart]
    root_size_gb: 30
    delete_protection: true
  no_log: true # the result of a new VM may hold its password

- name: Destroy the protected VM at once, with its name (CloudStack 4)
  cloudn.compute.cloudn_vm:
    name: vault1
    state: absent
    delete_protection: false
    expunge: true
"""

RETURN = r"""
vms:
  description:
    - The VMs in the order of O(name) as they are now. In check mode they are shown as far as they
      are known.
    - Every key is always there unless its description says otherwise. A value is null if it does not apply or is not
      known.
  returned: always, unless the task fails before it changes anything
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
    password:
      description: Password that was just created. It is not shown again. Set C(no_log) on the task if the result must
        not be logged.
      type: str
      returned: for a new VM from a template that sets passwords, and if the service makes a new password for another O(key_pair)
      sample: wS4nifujs
    error:
      description: What went wrong with this VM.
      type: str
      returned: if it failed
      sample: 'startVirtualMachine: job 8b7e21ab-b840-4c55-9897-fad4d6b322da failed: insufficient capacity (error 533)'
vm:
  description: The VM, as in RV(vms).
  returned: if one VM is named, as RV(vms)
  type: dict
actions:
  description: The steps that the task took. In check mode these are the steps that it would take. After a failure
    these are the planned steps.
  returned: always, unless the task fails before it changes anything
  type: list
  elements: str
  sample: ["web1: stop", "web1: change service offering from v1 to v2", "web1: start"]
diff:
  description: The state before and after of everything that the options manage. In check mode the state after is the
    one that the run would lead to.
  returned: always, unless the task fails before it changes anything
  type: dict
  contains:
    before:
      description: The state before, by the name that was given. Empty if it did not exist.
      type: dict
      sample: {web1: {state: Running, service_offering: v1}}
    after:
      description: The state after, by the name that was given.
      type: dict
      sample: {web1: {state: Running, service_offering: v2}}
jobs:
  description: Ids of jobs that the task did not wait for.
  returned: with O(wait=false). Empty if there are none
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm.lookup import RESOURCE
from ansible_collections.cloudn.compute.plugins.module_utils.resources.vm.spec import CONSTRAINTS, SPEC

DEFINITION = Definition(SPEC, RESOURCE.ensure, plural="vms", singular="vm", constraints=CONSTRAINTS)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

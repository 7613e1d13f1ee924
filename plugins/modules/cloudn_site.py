#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_site: a whole site in one task, in the time of its longest chain."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_site
short_description: Create, change or remove a whole site in one task
version_added: 1.0.0
description:
  - Brings key pairs, security groups, VMs and volumes together to the state that is declared. The items have the options
    of the modules M(cloudn.compute.cloudn_key_pair), M(cloudn.compute.cloudn_security_group),
    M(cloudn.compute.cloudn_vm) and M(cloudn.compute.cloudn_volume).
  - The module reads what is there and makes one plan for all of it. Each step starts as soon as what it needs is done.
    So a site takes the time of its longest chain of steps, not the time of all steps together.
  - Groups, VMs and volumes that the module creates carry the tag C(cloudn_site) with the name of the site. Only what
    carries this tag is changed or removed. Key pairs cannot carry tags. Their names decide.
  - There is no state file. The module asks the service. So a run goes on where another one has ended, also after it was
    killed or an answer was lost.
  - Snapshots and templates are tasks of their own.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  name:
    description:
      - Name of the site. It is the value of the tag C(cloudn_site) of its objects.
    type: str
    required: true
  state:
    description:
      - With V(present) the module creates what is declared and changes what differs.
      - With V(absent) it removes all that carries the site's tag, and the key pairs that O(key_pairs) names. Items of
        VMs, groups and volumes need not be given. RV(left) names what stays.
    type: str
    choices: [present, absent]
    default: present
  zone:
    description:
      - Name or id of the zone of all VMs and volumes that have no zone of their own.
    type: str
  key_pairs:
    description:
      - SSH key pairs. The items have the options of M(cloudn.compute.cloudn_key_pair). C(public_key) is required.
      - The options C(wait) and C(wait_timeout) belong to the site. C(state=absent) is not possible in an item.
    type: list
    elements: dict
  security_groups:
    description:
      - Security groups with their rules. The items have the options of M(cloudn.compute.cloudn_security_group). Rules
        may name groups of the same site, also in a circle.
      - The options C(wait), C(wait_timeout) and C(wait_for_expunge) belong to the site. C(state=absent) is not possible
        in an item.
    type: list
    elements: dict
  vms:
    description:
      - Virtual machines. The items have the options of M(cloudn.compute.cloudn_vm). C(name) takes one or several.
      - The options C(wait), C(wait_timeout), C(max_parallel) and C(max_jobs) belong to the site. The states C(absent),
        C(restarted) and C(reinstalled) are not possible in an item.
    type: list
    elements: dict
  volumes:
    description:
      - Data disks. The items have the options of M(cloudn.compute.cloudn_volume). C(name) is required. An item with
        C(vm) has the state C(attached) unless it gives another one.
      - The options C(wait) and C(wait_timeout) belong to the site. The states C(absent) and C(extracted) are not
        possible in an item.
    type: list
    elements: dict
  only:
    description:
      - Names of objects of the site. The module brings only these to their state, and what they need of the site. For
        example a volume needs its VM, and the VM needs its groups.
    type: list
    elements: str
  prune:
    description:
      - Whether to remove what carries the site's tag and is not declared. Key pairs carry no tag and stay.
      - This is not possible with O(only).
    type: bool
    default: false
  adopt:
    description:
      - Whether to take over objects that have a declared name and carry no tag C(cloudn_site). Without it, such an
        object is an error. An object of another site is always an error.
      - An object is taken over only if nothing is taken away from it. Rules, tags and the attachment of a volume may be
        missing, for example because a run was killed. Any other difference is an error.
    type: bool
    default: false
  delete_volumes:
    description:
      - Whether data disks that carry the site's tag are deleted with O(state=absent) and O(prune).
      - With V(false) they stay, and RV(left) names them. The module detaches them from VMs that it removes.
    type: bool
    default: false
  wait_for_expunge:
    description:
      - Whether to wait for groups that a destroyed VM still holds, with O(state=absent) and O(prune). By default the
        service expunges a destroyed VM after a day.
      - With V(false) such a group stays without an error, and RV(left) names it. Its rules that name groups are revoked.
        Run the task again later.
    type: bool
    default: false
  ignore_limits:
    description:
      - Whether to go on if the account has not enough room for what the site needs. Then there is only a warning.
      - With V(false) that is an error before anything is changed.
    type: bool
    default: false
  graph:
    description:
      - Whether to return the plan as a picture in RV(graph).
    type: bool
    default: false
  wait_timeout:
    description:
      - Seconds to wait for everything together. After that the task fails and names the jobs. The jobs go on at the
        service. The next run goes on from there.
    type: int
    default: 600
  max_parallel:
    description:
      - Maximum number of requests at the same time.
    type: int
    default: 10
  max_jobs:
    description:
      - Maximum number of jobs of this task that the service has to do at the same time. Jobs that set tags come on top,
        each for up to 100 objects, as tags follow at once.
    type: int
    default: 50
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes
notes:
  - A site that is as declared costs at most one request for each kind of object and one for the tags of groups. The
    listings of VMs and volumes are filtered by the tag, so they do not grow with the account.
  - A failed step stops only what needs it. The C(outcome) of each object says what became of it. Run the task again to
    go on.
  - The module never replaces an object. A difference that no command can change is an error before anything is changed.
  - An object that is renamed in the declaration is a new object. The old one carries the tag and goes with O(prune).
  - The tag is set right after the request that creates an object was answered. A run that is killed between the two leaves
    an object without the tag. The next run names it and its id. O(adopt) takes it over.
seealso:
  - module: cloudn.compute.cloudn_key_pair
  - module: cloudn.compute.cloudn_security_group
  - module: cloudn.compute.cloudn_vm
  - module: cloudn.compute.cloudn_volume
  - module: cloudn.compute.cloudn_vm_info
"""

EXAMPLES = r"""
- name: Show what the site would be, and in which order it is made
  cloudn.compute.cloudn_site:
    name: shop
    zone: jp-e1a
    key_pairs: &pairs
      - name: shop
        public_key: "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDH7lNJg26VxcD8G/T53Tj9nxXLTuKXTPt1dytQybTMG2aMXCacJD\
          ZOEuXCSIliuPc2Cwk7XCHJnFwQfoC1X7R2QiPunAu8OHEwJSb2KjKi5EvM5tNQ2igxLh2T8r3O2VoxKKhknahBQR76d\
          MPKOheEWFw8/iKjrxFvRjTBzJpu9Q== me@example.com"
    security_groups: &groups
      - name: shop-web
        ingress:
          - {ports: "80", cidrs: [0.0.0.0/0]}
          - {ports: "22", groups: [{name: shop-admin}]}
      - name: shop-admin
    vms: &vms
      - name: [shop-web1, shop-web2, shop-web3]
        template: CentOS 6.2 64bit
        service_offering: v1
        security_groups: [shop-web]
        key_pair: shop
        tags: {role: web}
      - name: [shop-db1]
        template: CentOS 6.2 64bit
        service_offering: v1
        security_groups: [shop-admin]
    volumes: &volumes
      - {name: shop-data, vm: shop-db1, disk_offering: Small}
    graph: true
  check_mode: true
  register: planned

- name: The plan as a picture
  ansible.builtin.debug:
    msg: "{{ planned.graph.mermaid }}"

- name: Only the data disk and what it needs
  cloudn.compute.cloudn_site:
    name: shop
    zone: jp-e1a
    key_pairs: *pairs
    security_groups: *groups
    vms: *vms
    volumes: *volumes
    only: [shop-data]
  no_log: true # the result of a new VM may hold its password

- name: All of the site, and nothing else that carries its tag
  cloudn.compute.cloudn_site:
    name: shop
    zone: jp-e1a
    key_pairs: *pairs
    security_groups: *groups
    vms: *vms
    volumes: *volumes
    prune: true
  no_log: true # the result of a new VM may hold its password

- name: The same for a large site, with at most 20 requests and 100 jobs at a time and an hour to wait
  cloudn.compute.cloudn_site:
    name: shop
    zone: jp-e1a
    key_pairs: *pairs
    security_groups: *groups
    vms: *vms
    volumes: *volumes
    max_parallel: 20
    max_jobs: 100
    wait_timeout: 3600
    ignore_limits: true # try it even if the account seems to have no room for all of it
  no_log: true # the result of a new VM may hold its password

- name: Create a group by a task of its own
  cloudn.compute.cloudn_security_group:
    name: lab-web

- name: Take the existing group over into a site
  cloudn.compute.cloudn_site:
    name: lab
    security_groups:
      - name: lab-web
    adopt: true

- name: Remove this site, and wait up to a day if a destroyed VM still holds its group
  cloudn.compute.cloudn_site:
    name: lab
    state: absent
    wait_for_expunge: true
    wait_timeout: 90000

- name: Remove the site with its data disk and its key pair
  cloudn.compute.cloudn_site:
    name: shop
    state: absent
    key_pairs: *pairs
    delete_volumes: true
"""

RETURN = r"""
key_pairs:
  description:
    - The key pairs with the keys that M(cloudn.compute.cloudn_key_pair) returns, and with those below.
    - If the plan fails before anything is changed, the result has none of the lists.
  returned: unless the task fails before it changes anything
  type: list
  elements: dict
  sample: []
  contains: &outcome
    outcome:
      description:
        - What became of the object. V(not tried) says that another object has failed that this one needs. An object that
          has failed may be changed in part. RV(diff) and RV(actions) say what was done.
        - In check mode V(done) stands for what would be done.
      type: str
      choices: [done, unchanged, failed, not tried]
      sample: done
    error:
      description: Why the object failed or was not tried.
      returned: for an object that failed or was not tried
      type: str
      sample: "deployVirtualMachine: the job failed (530): Unable to create a deployment for VM"
    because:
      description: Kind and name of the object that failed, so that this one was not tried.
      returned: for an object that was not tried
      type: str
      sample: security_group web
security_groups:
  description: The security groups with the keys that M(cloudn.compute.cloudn_security_group) returns, and with those below.
  returned: unless the task fails before it changes anything
  type: list
  elements: dict
  sample: []
  contains: *outcome
vms:
  description: The VMs with the keys that M(cloudn.compute.cloudn_vm) returns, and with those below.
  returned: unless the task fails before it changes anything
  type: list
  elements: dict
  sample: [{name: shop-web1, state: Running, outcome: done}]
  contains: *outcome
volumes:
  description: The volumes with the keys that M(cloudn.compute.cloudn_volume) returns, and with those below.
  returned: unless the task fails before it changes anything
  type: list
  elements: dict
  sample: []
  contains: *outcome
left:
  description: What stays although it would go with the others, with the reason.
  returned: unless the task fails before it changes anything
  type: list
  elements: dict
  contains:
    kind:
      description: V(key_pair), V(security_group), V(vm) or V(volume).
      type: str
      sample: volume
    name:
      description: Name.
      type: str
      sample: shop-data
    id:
      description: Id. Null for a key pair without one.
      type: str
      sample: 109157b8-60df-4c7e-9a37-f429554e5497
    reason:
      description: Why it stays.
      type: str
      sample: "it is a data disk: set delete_volumes: true to delete it"
graph:
  description: The plan as a picture. Each object points to the objects that need it.
  returned: with O(graph=true)
  type: dict
  contains:
    mermaid:
      description: The picture in the language of Mermaid. GitHub and GitLab show it.
      type: str
      sample: "flowchart LR"
    dot:
      description: The picture in the language of Graphviz.
      type: str
      sample: "digraph site {}"
    nodes:
      description: The objects.
      type: list
      elements: dict
      sample: [{id: "vm:shop-web1", label: shop-web1, kind: vm, action: create}]
    edges:
      description: Pairs of ids. The second object needs the first one.
      type: list
      elements: list
      sample: [["security_group:WEB", "vm:shop-web1"]]
actions:
  description: What was done, or in check mode what would be done, in an order in which it can be done.
  returned: unless the task fails before it changes anything
  type: list
  elements: str
  sample: ["web: create", "shop-web1: deploy in jp-e1a from template CentOS 6.2 64bit with v1"]
diff:
  description: The managed attributes before and after, by kind and name.
  returned: unless the task fails before it changes anything
  type: dict
  contains:
    before:
      description: As they were.
      type: dict
      sample: {}
    after:
      description: As they are now.
      type: dict
      sample: {vm shop-web1: {state: Running}}
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.site.ensure import ensure
from ansible_collections.cloudn.compute.plugins.module_utils.site.items import ITEMS

ITEM = {"type": "list", "elements": "dict"}
SPEC = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "zone": {"type": "str"},
    "key_pairs": {**ITEM, "no_log": False},
    "security_groups": ITEM,
    "vms": ITEM,
    "volumes": ITEM,
    "only": {"type": "list", "elements": "str"},
    "prune": {"type": "bool", "default": False},
    "adopt": {"type": "bool", "default": False},
    "delete_volumes": {"type": "bool", "default": False},
    "wait_for_expunge": {"type": "bool", "default": False},
    "ignore_limits": {"type": "bool", "default": False},
    "graph": {"type": "bool", "default": False},
    "wait_timeout": {"type": "int", "default": 600},
    "max_parallel": {"type": "int", "default": 10},
    "max_jobs": {"type": "int", "default": 50},
}

DEFINITION = Definition(SPEC, ensure, items=ITEMS)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

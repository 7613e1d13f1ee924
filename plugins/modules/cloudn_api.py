#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_api: any command of the native API."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_api
short_description: Send any command of the native API
version_added: 1.0.0
description:
  - Sends one command of the native API and returns its answer. The fields have the service's names. Use it for what
    no other module does.
  - Commands that begin with C(list), C(query) or C(get) only read. They are sent in check mode too. Such a task is
    never changed. A task with any other command is changed each time that it runs. Other commands are not sent in
    check mode.
  - The module reads all pages of a listing. It waits for an asynchronous command.
  - A command that changes something is never sent again. If its answer is lost, the task fails and says so. Look at
    what became of it before you run the task again.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  command:
    description:
      - Name of the command in the service's spelling. Case matters.
    type: str
    required: true
  params:
    description:
      - Parameters by name. A parameter without a value is left out.
      - A value is text, a number, a truth value or a list of these. A truth value is sent as V(true) or V(false). A
        list is sent as text joined by commas.
      - A dictionary is sent as a map of keys and values (C(tags[0].key), C(tags[0].value)). A list of dictionaries is
        sent with their fields (C(usersecuritygrouplist[0].account)).
      - C(password), C(userdata) and C(privatekey) are refused here. Give them in O(secret_params).
      - Without C(page) and C(pagesize) all pages of a listing are read. With them only that page is read.
    type: dict
  secret_params:
    description:
      - Parameters with values that must not be shown or logged. Examples are a password and user data.
      - Ansible masks these values wherever they occur in the result. Put nothing else here.
    type: dict
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.wait
  - cloudn.compute.attributes
attributes:
  check_mode:
    support: full
    description: A command that only reads is sent. Any other command is not sent. RV(actions) names it and RV(result)
      is empty.
  diff_mode:
    support: none
    description: The module does not know what a command changes.
notes:
  - A listing costs one request for fewer than 500 objects. Longer listings cost about one request for every 450
    objects.
  - The result has what the service created and shows only once, for example a password or a private key. Set
    C(no_log) on the task if this must not be logged. Passwords of earlier jobs are left out of the answer of
    C(listAsyncJobs).
  - User data is sent as it is given. The service expects it in Base64.
seealso:
  - module: cloudn.compute.cloudn_job
  - module: cloudn.compute.cloudn_job_info
  - module: cloudn.compute.cloudn_ec2
"""

EXAMPLES = r"""
- name: List zones
  cloudn.compute.cloudn_api:
    command: listZones
  register: zones

- name: Show their names
  ansible.builtin.debug:
    msg: "{{ zones.result.zone | map(attribute='name') }}"

- name: Create a VM for the tasks below
  cloudn.compute.cloudn_vm:
    name: app1
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v1
  register: made
  no_log: true

- name: Add tags, given as a dictionary
  cloudn.compute.cloudn_api:
    command: createTags
    params:
      resourcetype: UserVm
      resourceids:
        - "{{ made.vm.id }}"
      tags:
        role: app
        env: test

- name: List VMs with a tag
  cloudn.compute.cloudn_api:
    command: listVirtualMachines
    params:
      state: Running
      tags:
        role: app
  register: machines

- name: Show their host names, of which there may be none
  ansible.builtin.debug:
    msg: "{{ machines.result.virtualmachine | default([]) | map(attribute='name') }}"

- name: Put a VM into a group
  cloudn.compute.cloudn_api:
    command: updateVirtualMachine
    params:
      id: "{{ made.vm.id }}"
      group: back

- name: Set new user data, which is secret
  cloudn.compute.cloudn_api:
    command: updateVirtualMachine
    params:
      id: "{{ made.vm.id }}"
    secret_params:
      userdata: "{{ '#cloud-config\nhostname: app1\n' | b64encode }}"

- name: Reboot the VM without waiting
  cloudn.compute.cloudn_api:
    command: rebootVirtualMachine
    params:
      id: "{{ made.vm.id }}"
    wait: false
  register: reboot

- name: Wait for the end of the reboot
  cloudn.compute.cloudn_job:
    jobs: "{{ reboot.jobs }}"
  no_log: true # a result may hold a password that a job created
"""

RETURN = r"""
result:
  description:
    - The fields of the answer with the service's names. Numbers and truth values have their types in both
      O(response_format)s.
    - A listing has the number of all objects in C(count). It has a list of the objects under the service's name for
      them. The list is empty when there are none.
    - An asynchronous command has the result of its job. It also has the id of a new object in C(id) if the service
      returned one. It has the first answer to the command with O(wait=false) or if the job failed.
    - Empty in check mode for a command that changes something.
  returned: always, unless the command was not sent or was refused or its answer was lost
  type: dict
  sample: {count: 1, zone: [{id: 1b02e74c-6c21-4aa3-b96c-51042de8fccd, name: jp-e1a}]}
actions:
  description:
    - The command that was sent if it changes something. In check mode this is the command that would be sent. Values
      of O(secret_params) are not shown.
  returned: as RV(result)
  type: list
  elements: str
  sample: ["updateVirtualMachine id=7285508a-b8a6-4a2e-93c9-6e2f2627eeba group=back userdata=***"]
jobs:
  description: The id of the job that goes on. M(cloudn.compute.cloudn_job) takes it.
  returned: with O(wait=false), and if waiting for the job failed. Empty for a command without a job
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.raw import native_command
from ansible_collections.cloudn.compute.plugins.module_utils.resources.spec import WAIT

SPEC = {
    "command": {"type": "str", "required": True},
    "params": {"type": "dict"},
    "secret_params": {"type": "dict", "no_log": True},
    **WAIT,
}

DEFINITION = Definition(SPEC, native_command.send, looks=False)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_api: any command of the native API."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_api
short_description: Send any command of the native API
version_added: 0.1.0
description:
  - Sends one command of the native API and returns its answer, with the fields as the service names them. It is for
    what no other module does.
  - Commands that begin with C(list), C(query) or C(get) only read. They are never changed, and sent in check mode as
    well. All others are changed, each time that the task runs, and are not sent in check mode.
  - A listing is read to its last page. An asynchronous command is waited for.
  - A command that changes something is never sent again. Where its answer is lost the task fails and says so; look what
    became of it before running the task again.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  command:
    description:
      - Name of the command, as the service spells it. Case matters.
    type: str
    required: true
  params:
    description:
      - Parameters by name. One without a value is left out.
      - A value is text, a number, a truth value (sent as V(true) or V(false)), or a list of these (sent joined by
        commas).
      - A dictionary is sent as a map of keys and values (C(tags[0].key), C(tags[0].value)), a list of dictionaries with
        the fields that they have (C(usersecuritygrouplist[0].account)).
      - C(password), C(userdata) and C(privatekey) are refused here; they belong in O(secret_params).
      - Without C(page) and C(pagesize), all pages of a listing are read. With them, that page alone.
    type: dict
  secret_params:
    description:
      - Parameters with values that must be neither shown nor logged, a password or user data for example.
      - Ansible masks these values wherever they occur in the result, so put nothing else here.
    type: dict
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.wait
  - cloudn.compute.attributes
attributes:
  check_mode:
    support: full
    description: A command that only reads is sent. Any other is not; RV(actions) tells it, and RV(result) is empty.
  diff_mode:
    support: none
    description: It is not known what a command changes.
notes:
  - A listing costs one request for fewer than 500 objects, for more about one for every 450.
  - The result has what the service just made and shows only once, such as a password or a private key. Set C(no_log)
    on the task where it must not be logged. Passwords of earlier jobs are left out of what C(listAsyncJobs) answers.
  - User data is sent as it is given. The service takes it in Base64.
seealso:
  - module: cloudn.compute.cloudn_job
"""

EXAMPLES = r"""
- name: Zones
  cloudn.compute.cloudn_api:
    command: listZones
  register: zones

- name: Their names
  ansible.builtin.debug:
    msg: "{{ zones.result.zone | map(attribute='name') }}"

- name: A machine to try the rest on
  cloudn.compute.cloudn_vm:
    name: app1
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v1
  register: made
  no_log: true

- name: Tags, as a dictionary
  cloudn.compute.cloudn_api:
    command: createTags
    params:
      resourcetype: UserVm
      resourceids:
        - "{{ made.vm.id }}"
      tags:
        role: app
        env: test

- name: Machines with a tag
  cloudn.compute.cloudn_api:
    command: listVirtualMachines
    params:
      state: Running
      tags:
        role: app
  register: machines

- name: Their host names; where there are none, the answer is empty
  ansible.builtin.debug:
    msg: "{{ machines.result.virtualmachine | default([]) | map(attribute='name') }}"

- name: Put a machine into a group
  cloudn.compute.cloudn_api:
    command: updateVirtualMachine
    params:
      id: "{{ made.vm.id }}"
      group: back

- name: New user data, which is secret
  cloudn.compute.cloudn_api:
    command: updateVirtualMachine
    params:
      id: "{{ made.vm.id }}"
    secret_params:
      userdata: "{{ '#cloud-config\nhostname: app1\n' | b64encode }}"

- name: Reboot it, and go on meanwhile
  cloudn.compute.cloudn_api:
    command: rebootVirtualMachine
    params:
      id: "{{ made.vm.id }}"
    wait: false
  register: reboot

- name: Wait for the end of it
  cloudn.compute.cloudn_job:
    jobs: "{{ reboot.jobs }}"
"""

RETURN = r"""
result:
  description:
    - The fields of the answer, as the service names them. Numbers and truth values are that, in either
      O(response_format).
    - Of a listing C(count), which is the number of all objects, and a list of them under the service's name for them.
      Where there are none it is empty.
    - Of an asynchronous command the result of its job, and C(id), the id of a new object, where the service tells it.
      With O(wait=false), or where the job did not end well, what the command was answered at first.
    - Empty in check mode, for a command that changes something.
  returned: always, except where the command was not sent, or was refused, or its answer was lost
  type: dict
  sample: {count: 1, zone: [{id: 1b02e74c-6c21-4aa3-b96c-51042de8fccd, name: jp-e1a}]}
actions:
  description:
    - The command that was sent, or in check mode would be, if it is one that changes something. Values of
      O(secret_params) are not told.
  returned: as RV(result)
  type: list
  elements: str
  sample: ["updateVirtualMachine id=7285508a-b8a6-4a2e-93c9-6e2f2627eeba group=back userdata=***"]
jobs:
  description: The id of the job that goes on, for M(cloudn.compute.cloudn_job).
  returned: with O(wait=false), if the command is asynchronous, and where the job could not be waited for to its end
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.module import WAIT, run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import native

SPEC = {
    "command": {"type": "str", "required": True},
    "params": {"type": "dict"},
    "secret_params": {"type": "dict", "no_log": True},
    **WAIT,
}


def main() -> None:
    run(SPEC, native.send, looks=False)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_job_info: jobs, listed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_job_info
short_description: List jobs
version_added: 0.1.0
description:
  - Lists the jobs that the service still knows, pending and ended ones, oldest first, or those that the options leave.
    Nothing found is an empty list.
  - Each is shown as M(cloudn.compute.cloudn_job) shows it, but for passwords, which are never shown here.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  id:
    description:
      - Only the one with this id.
    type: str
  status:
    description:
      - Only those that are pending, are done, or have failed.
    type: str
    choices: [pending, done, failed]
  command:
    description:
      - Only those with this in what the service calls their command, V(DeployVMCmd) or V(volume) for example. Case does
        not matter. These are not the names of the API's commands.
    type: str
  since:
    description:
      - Only those that began at this time or later. A time has its offset, V(2026-11-23T16:00:00Z) or
        V(2026-11-24T01:00:00+0900).
      - Or an age in seconds, minutes, hours, days or weeks, V(90s), V(30m), V(2h), V(7d), V(1w). It is counted by the
        clock of the machine on which the module runs.
    type: str
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes.info
notes:
  - It costs one request for fewer than 500 jobs, for more about one for every 450, and just one with O(id). O(since)
    and O(command) are left to the service, so that it lists few.
seealso:
  - module: cloudn.compute.cloudn_job
"""

EXAMPLES = r"""
- name: All jobs
  cloudn.compute.cloudn_job_info:

- name: What failed since yesterday
  cloudn.compute.cloudn_job_info:
    status: failed
    since: 24h
  register: failed

- name: Why
  ansible.builtin.debug:
    msg: "{{ failed.jobs | map(attribute='error_text') }}"

- name: Deployments since a given time
  cloudn.compute.cloudn_job_info:
    command: DeployVM
    since: '2026-11-23T16:00:00+0900'

- name: What goes on
  cloudn.compute.cloudn_job_info:
    status: pending
  register: pending

- name: Wait for it
  cloudn.compute.cloudn_job:
    jobs: "{{ pending.jobs | map(attribute='id') }}"
"""

RETURN = r"""
jobs:
  description: The jobs. Every key is always there; what does not apply or is not known is null.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 8b7e21ab-b840-4c55-9897-fad4d6b322da
    command:
      description: What it does, as the service calls it inside. That is not the name of the API's command.
      type: str
      sample: DeployVMCmd
    status:
      description: V(pending), V(done) or V(failed).
      type: str
      sample: done
    created:
      description: When it began.
      type: str
      sample: '2026-11-23T14:59:50+0000'
    object_id:
      description: Id of the object that it is about, where the service tells it.
      type: str
      sample: 7285508a-b8a6-4a2e-93c9-6e2f2627eeba
    result:
      description:
        - What a job that is done has led to, by the kind of the object, without passwords.
        - A virtual machine is C(vm), of the form that M(cloudn.compute.cloudn_vm_info) returns, as it was at the end
          of the job. A security group is C(security_group), of the form that
          M(cloudn.compute.cloudn_security_group_info) returns, with those rules only that the job added,
          and without tags.
        - A volume is C(volume), a snapshot C(snapshot), a template C(template), of the forms that their modules return;
          what was extracted is C(extraction). Anything else is as the service has it.
      type: dict
      sample: {vm: {id: 7285508a-b8a6-4a2e-93c9-6e2f2627eeba, name: web1, state: Running}}
    error_code:
      description: Code of the error with which it failed.
      type: int
      sample: 533
    error_text:
      description: What the service says about it.
      type: str
      sample: Unable to create a deployment for VM
"""

from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import job

SPEC = {
    "id": {"type": "str"},
    "status": {"type": "str", "choices": ["pending", "done", "failed"]},
    "command": {"type": "str"},
    "since": {"type": "str"},
}


def main() -> None:
    run(SPEC, lambda client, options, _check: {"jobs": job.select(client, options)})


if __name__ == "__main__":
    main()

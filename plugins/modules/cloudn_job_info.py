#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_job_info: jobs, listed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_job_info
short_description: List jobs
version_added: 1.0.0
description:
  - Lists pending and ended jobs that the service still knows. The oldest job is first. The options select some of
    them. If several are given, only jobs that fit all of them are listed. The list is empty if nothing is found.
  - Each job has the same form as in M(cloudn.compute.cloudn_job). Passwords are never shown here.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  id:
    description:
      - Only the job with this id.
    type: str
  status:
    description:
      - Only jobs with this state. A job is pending until it has ended. Then it is done or failed.
    type: str
    choices: [pending, done, failed]
  command:
    description:
      - Only jobs with this text in the service's name for their command. Examples are V(DeployVMCmd) and V(volume).
        Case does not matter. These names are not the names of the API's commands.
    type: str
  since:
    description:
      - Only jobs that began at this time or later. A time has its offset as in V(2026-11-23T16:00:00Z) or
        V(2026-11-24T01:00:00+0900).
      - It may also be an age in seconds, minutes, hours, days or weeks (V(90s), V(30m), V(2h), V(7d), V(1w)). The
        clock of the host that runs the module counts.
    type: str
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes.info
notes:
  - The module sends one request for fewer than 500 jobs. For more jobs it sends about one for every 450. With O(id)
    it sends just one. The service itself applies O(since) and O(command), to keep its lists short.
  - CloudStack 4 lists only pending jobs. It shows a job that has ended only for its O(id), for a day. If jobs may be
    missing for that reason, the module warns. To know that costs one more request.
seealso:
  - module: cloudn.compute.cloudn_job
"""

EXAMPLES = r"""
- name: List all jobs
  cloudn.compute.cloudn_job_info:

- name: List the jobs that failed since yesterday
  cloudn.compute.cloudn_job_info:
    status: failed
    since: 24h
  register: failed

- name: Show why they failed
  ansible.builtin.debug:
    msg: "{{ failed.jobs | map(attribute='error_text') }}"

- name: Show the job with an id, and what became of it
  cloudn.compute.cloudn_job_info:
    id: 8b7e21ab-b840-4c55-9897-fad4d6b322da

- name: List deployments since a given time
  cloudn.compute.cloudn_job_info:
    command: DeployVM
    since: '2026-11-23T16:00:00+0900'

- name: List the pending jobs
  cloudn.compute.cloudn_job_info:
    status: pending
  register: pending

- name: Wait for the pending jobs
  cloudn.compute.cloudn_job:
    jobs: "{{ pending.jobs | map(attribute='id') }}"
  no_log: true # the results hold the passwords that the jobs created
"""

RETURN = r"""
jobs:
  description: The jobs. Every key is always there. A value is null if it does not apply or is not known.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 8b7e21ab-b840-4c55-9897-fad4d6b322da
    command:
      description: The service's internal name for the work of the job. It is not the name of the API's command.
      type: str
      sample: DeployVMCmd
    status:
      description: V(pending), V(done) or V(failed).
      type: str
      sample: done
    created:
      description: Time when it began.
      type: str
      sample: '2026-11-23T14:59:50+0000'
    object_id:
      description: Id of the object of the job if the service returns it.
      type: str
      sample: 7285508a-b8a6-4a2e-93c9-6e2f2627eeba
    result:
      description:
        - Result of a job that is done. The key is the kind of the object. There are no passwords.
        - A VM is C(vm) in the form of M(cloudn.compute.cloudn_vm_info). It is as it was at the end of
          the job. A security group is C(security_group) in the form of M(cloudn.compute.cloudn_security_group_info).
          It has only the rules that the job added. It has no tags.
        - A volume is C(volume), a snapshot is C(snapshot) and a template is C(template). Each has the form of its
          module. An extraction is C(extraction). Anything else is as the service returns it.
      type: dict
      sample: {vm: {id: 7285508a-b8a6-4a2e-93c9-6e2f2627eeba, name: web1, state: Running}}
    error_code:
      description: Code of the error of a failed job.
      type: int
      sample: 533
    error_text:
      description: What the service says about it.
      type: str
      sample: Unable to create a deployment for VM
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import job

SPEC = {
    "id": {"type": "str"},
    "status": {"type": "str", "choices": ["pending", "done", "failed"]},
    "command": {"type": "str"},
    "since": {"type": "str"},
}

DEFINITION = Definition(SPEC, lambda client, options, _check: {"jobs": job.select(client, options)})


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_job: waits for jobs that go on at the service."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_job
short_description: Wait for jobs
version_added: 1.0.0
description:
  - Waits for jobs that go on at the service. Other modules return their ids in RV(ignore:jobs) when they do not wait
    themselves (O(ignore:wait=false)).
  - Fails when a job failed. Fails when the service does not know a job or no longer knows it. Fails when a job is
    still pending after O(wait_timeout). The result has all jobs in every case.
  - The task changes nothing. So it is never changed.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  jobs:
    description:
      - Ids of jobs, as other modules return them in RV(ignore:jobs). An id that is given twice is one job. With an empty
        list there is nothing to wait for.
    type: list
    elements: str
    required: true
    aliases: [id]
  wait:
    description:
      - Whether to wait until all jobs have ended.
      - With V(false) the service is asked once. The jobs are returned as they are. A failed job does not fail the
        task then.
    type: bool
    default: true
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.wait
  - cloudn.compute.attributes.info
notes:
  - The service is asked often at first and then at growing intervals of up to 5 seconds. One listing shows any number
    of pending jobs.
  - The service forgets jobs after some time. Then it no longer knows how they ended.
  - The result has the passwords that the jobs created. Set C(no_log) on the task if this must not be logged.
seealso:
  - module: cloudn.compute.cloudn_job_info
  - module: cloudn.compute.cloudn_vm
  - module: cloudn.compute.cloudn_api
"""

EXAMPLES = r"""
- name: Begin to create two VMs
  cloudn.compute.cloudn_vm:
    name: [web1, web2]
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v1
    wait: false
  register: begun
  no_log: true # the result of a new VM may hold its password

- name: See how far the jobs are
  cloudn.compute.cloudn_job:
    jobs: "{{ begun.jobs }}"
    wait: false
  no_log: true # the results hold the passwords that the jobs created

- name: Wait for both jobs
  cloudn.compute.cloudn_job:
    jobs: "{{ begun.jobs }}"
    wait_timeout: 1200
  register: done
  no_log: true

- name: Show the addresses of the VMs
  ansible.builtin.debug:
    msg: "{{ done.jobs | map(attribute='result.vm.default_ip') }}"

- name: Create VMs that may exist already, so there may be no jobs
  cloudn.compute.cloudn_vm:
    name: [web1, web2]
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v1
    wait: false
  register: again
  no_log: true # the result of a new VM may hold its password

- name: Wait for the jobs that there are
  cloudn.compute.cloudn_job:
    jobs: "{{ again.jobs }}" # empty if both VMs were there, so nothing is waited for
  no_log: true
"""

RETURN = r"""
jobs:
  description:
    - The jobs in the order of O(jobs).
    - Every key is always there. A value is null if it does not apply or is not known.
  returned: always, unless the task fails before it asks the service
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
      description: V(pending), V(done) or V(failed). V(unknown) if the service does not know the job or no longer
        knows it.
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
        - Result of a job that is done. The key is the kind of the object.
        - A VM is C(vm) in the form of M(cloudn.compute.cloudn_vm). It has its C(password) if the job
          created one. A security group is C(security_group) in the form of M(cloudn.compute.cloudn_security_group).
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
job:
  description: The job, as in RV(jobs).
  returned: if one job is given, as RV(jobs)
  type: dict
  sample: {id: 8b7e21ab-b840-4c55-9897-fad4d6b322da, command: StopVMCmd, status: pending}
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import job
from ansible_collections.cloudn.compute.plugins.module_utils.resources.spec import WAIT

SPEC = {
    "jobs": {"type": "list", "elements": "str", "required": True, "aliases": ["id"]},
    **WAIT,
}

DEFINITION = Definition(SPEC, job.collect)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_job: waits for jobs that go on at the service."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_job
short_description: Wait for jobs
version_added: 0.1.0
description:
  - Waits for jobs that go on at the service, by the ids that other modules return in RV(ignore:jobs) where they don't
    wait themselves (O(ignore:wait=false)).
  - Fails when a job failed, when the service does not know it (any more), and when it is still pending after
    O(wait_timeout). The result has all jobs in any case.
  - It changes nothing, so it is never changed.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  jobs:
    description:
      - Ids of jobs. One that stands there twice is one job. With an empty list there is nothing to wait for.
    type: list
    elements: str
    required: true
    aliases: [id]
  wait:
    description:
      - Whether to wait until all jobs have ended.
      - With V(false) the service is asked once, and the jobs are returned as they are. What failed is then no failure
        of the task.
    type: bool
    default: true
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.wait
  - cloudn.compute.attributes.info
notes:
  - The service is asked often at first and then at growing intervals of up to 5 seconds. One listing tells of all jobs
    that are pending, however many they are.
  - The service forgets jobs after some time. It then can't tell any more how they ended.
  - The result has the passwords that the jobs made. Set C(no_log) on the task where it must not be logged.
seealso:
  - module: cloudn.compute.cloudn_job_info
  - module: cloudn.compute.cloudn_vm
  - module: cloudn.compute.cloudn_api
"""

EXAMPLES = r"""
- name: Two virtual machines, begun
  cloudn.compute.cloudn_vm:
    name: [web1, web2]
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v1
    wait: false
  register: begun

- name: How far they are
  cloudn.compute.cloudn_job:
    jobs: "{{ begun.jobs | default([]) }}" # none where nothing was to be done
    wait: false
  no_log: true

- name: Wait for both
  cloudn.compute.cloudn_job:
    jobs: "{{ begun.jobs | default([]) }}" # none where nothing was to be done
    wait_timeout: 1200
  register: done
  no_log: true

- name: Their addresses
  ansible.builtin.debug:
    msg: "{{ done.jobs | map(attribute='result.vm.default_ip') }}"

- name: Machines that may be there already, so that there may be no jobs
  cloudn.compute.cloudn_vm:
    name: [web1, web2]
    zone: jp-e1a
    template: CentOS 6.2 64bit
    service_offering: v1
    wait: false
  register: again

- name: Wait for what there is
  cloudn.compute.cloudn_job:
    jobs: "{{ again.jobs | default([]) }}"
"""

RETURN = r"""
jobs:
  description:
    - The jobs, in the order of O(jobs).
    - Every key is always there; what does not apply or is not known is null.
  returned: always, except where the task fails before the service is asked
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
      description: V(pending), V(done), V(failed), or V(unknown) where the service does not know the job (any more).
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
        - What a job that is done has led to, by the kind of the object.
        - A virtual machine is C(vm), of the form that M(cloudn.compute.cloudn_vm) returns, with its C(password) where
          the job made one. A security group is C(security_group), of the form that
          M(cloudn.compute.cloudn_security_group) returns, with those rules only that the job added, and without tags.
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
job:
  description: The job, as in RV(jobs).
  returned: when one is given, as RV(jobs)
  type: dict
  sample: {id: 8b7e21ab-b840-4c55-9897-fad4d6b322da, command: StopVMCmd, status: pending}
"""

from ansible_collections.cloudn.compute.plugins.module_utils.module import WAIT, run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import job

SPEC = {
    "jobs": {"type": "list", "elements": "str", "required": True, "aliases": ["id"]},
    **WAIT,
}


def main() -> None:
    run(SPEC, job.collect)


if __name__ == "__main__":
    main()

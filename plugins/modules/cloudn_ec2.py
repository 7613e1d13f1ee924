#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_ec2: any action of the EC2-compatible API."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_ec2
short_description: Send any action of the EC2-compatible API
version_added: 1.0.0
description:
  - Sends one action of the EC2-compatible API and returns its answer. The fields have the service's names. Both APIs
    act on the same cloud. Use it for scripts that come from EC2 and for what only this API does.
  - Actions that begin with C(Describe) or C(Get) only read. Capital and small letters do not matter. They are sent in
    check mode too. Such a task is never changed. A task with any other action is changed each time that it runs.
    Other actions are not sent in check mode.
  - The service answers an action that changes something when it has done it. So the task waits for it.
  - Such an action is never sent again. The task fails if the answer is lost, or if the service stops waiting for its
    own job (after 10 minutes). The error then says that the outcome is not known and names the action that shows it.
    Look before you run the task again.
  - A refused action was not done. The service gives the same error to an action that failed after a part of it was
    done. So the error of an action on several things says that a part may be done.
  - C(CreateImage) stops a running instance. The service starts it again only if the image is created. The error says
    if an instance is left stopped. M(cloudn.compute.cloudn_template) starts it again.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  action:
    description:
      - Name of the action in EC2's spelling. With O(unlisted) other spellings are taken too.
      - The service lists C(DescribeInstances), C(RunInstances), C(RebootInstances), C(StartInstances),
        C(StopInstances), C(TerminateInstances), C(ModifyInstanceAttribute), C(CreateImage), C(DescribeImages),
        C(DeregisterImage), C(ModifyImageAttribute), C(CreateSnapshot), C(DeleteSnapshot), C(DescribeSnapshots),
        C(AttachVolume), C(DeleteVolume), C(DescribeVolumes) and C(DetachVolume). Any other needs O(unlisted).
    type: str
    required: true
  unlisted:
    description:
      - Whether O(action) may be an action that the service does not list.
    type: bool
    default: false
  params:
    description:
      - Parameters by name. A parameter without a value is left out.
      - A value is text, a number or a truth value. It may also be a list or dictionary of values. A truth value is
        sent as V(true) or V(false).
      - A list is sent in EC2's numbered form (C(InstanceId) as C(InstanceId.1) and C(InstanceId.2)). A dictionary is
        sent with its keys after dots (C(Placement.AvailabilityZone)). Lists and dictionaries may contain each other
        at any depth (C(BlockDeviceMapping.1.Ebs.SnapshotId)). An empty one is refused because it would mean all.
      - C(UserData) and C(Password) are refused here. Give them in O(secret_params).
    type: dict
  secret_params:
    description:
      - Parameters with values that must not be shown or logged. User data is an example.
      - Ansible masks these values wherever they occur in the result. Put nothing else here.
    type: dict
  wait_timeout:
    description:
      - Seconds to wait for the answer of an action that changes something. It has no effect if O(api_timeout) is
        more. After that the task fails. The action goes on at the service.
    type: int
    default: 600
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes
attributes:
  check_mode:
    support: full
    description: An action that only reads is sent. Any other action is not sent. RV(actions) names it and RV(result)
      is empty.
  diff_mode:
    support: none
    description: The module does not know what an action changes.
notes:
  - Ids are the same as in the native API. An instance is a VM. An image is a template. C(InstanceType) is the name of
    a service offering. An availability zone is a zone.
  - The service ignores the user data and the security groups of C(RunInstances). M(cloudn.compute.cloudn_vm) has
    both.
  - O(account), O(domain_id) and O(response_format) have no effect here. With O(signature_expires=0) a request has its
    time instead of an expiry.
  - C(error_code) of a failed task is text here, for example C(Client.Unsupported). It is missing if the service gives
    none. C(request_id) lets the service's operators find the request.
seealso:
  - module: cloudn.compute.cloudn_api
  - module: cloudn.compute.cloudn_vm
  - module: cloudn.compute.cloudn_template
  - name: Commands of ec2-api-tools and their tasks
    description: Each command in the service's manual with a task that does the same.
    link: https://github.com/cloudn-compute/cloudn.compute/blob/main/docs/ec2.md
"""

EXAMPLES = r"""
- name: List all images
  cloudn.compute.cloudn_ec2:
    action: DescribeImages
  register: images

- name: Run an instance of one of them
  cloudn.compute.cloudn_ec2:
    action: RunInstances
    params:
      ImageId: "{{ (images.result.imagesSet | selectattr('name', 'equalto', 'CentOS 6.2 64bit') | first).imageId }}"
      InstanceType: v1
      MinCount: 1
      MaxCount: 1
      Placement:
        AvailabilityZone: jp-e1a
  register: made

- name: Stop the instance
  cloudn.compute.cloudn_ec2:
    action: StopInstances
    params:
      InstanceId:
        - "{{ made.result.instancesSet[0].instanceId }}"

- name: List its volumes
  cloudn.compute.cloudn_ec2:
    action: DescribeVolumes
    params:
      Filter:
        - Name: attachment.instance-id
          Value:
            - "{{ made.result.instancesSet[0].instanceId }}"
  register: disks

- name: Take a snapshot of the first volume
  cloudn.compute.cloudn_ec2:
    action: CreateSnapshot
    params:
      VolumeId: "{{ disks.result.volumeSet[0].volumeId }}"

- name: Terminate the instance
  cloudn.compute.cloudn_ec2:
    action: TerminateInstances
    params:
      InstanceId:
        - "{{ made.result.instancesSet[0].instanceId }}"

- name: Run an instance with user data, and wait up to 20 minutes for it
  cloudn.compute.cloudn_ec2:
    action: RunInstances
    params:
      ImageId: "{{ (images.result.imagesSet | selectattr('name', 'equalto', 'CentOS 6.2 64bit') | first).imageId }}"
      InstanceType: v1
      MinCount: 1
      MaxCount: 1
    secret_params:
      UserData: "{{ '#cloud-config' | b64encode }}"
    wait_timeout: 1200

- name: Send an action that the service does not list
  cloudn.compute.cloudn_ec2:
    action: DescribeAvailabilityZones
    unlisted: true
"""

RETURN = r"""
result:
  description:
    - The fields of the answer with the service's names. Lists of any length are lists. Numbers and truth values have
      their types. Times are in ISO 8601. A missing value is null. If a user may choose the text, it is empty instead.
    - Empty in check mode for an action that changes something.
  returned: always, unless the action was refused or its answer was lost
  type: dict
  sample: {requestId: 5048cb5a-8b90-45d4-b10d-cc52ff605920, snapshotSet: []}
actions:
  description:
    - The action that was sent if it changes something. In check mode this is the action that would be sent. Values of
      O(secret_params) are not shown.
  returned: as RV(result)
  type: list
  elements: str
  sample: ["StopInstances InstanceId.1=7285508a-b8a6-4a2e-93c9-6e2f2627eeba"]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.raw import ec2_action
from ansible_collections.cloudn.compute.plugins.module_utils.resources.spec import WAIT

SPEC = {
    "action": {"type": "str", "required": True},
    "unlisted": {"type": "bool", "default": False},
    "params": {"type": "dict"},
    "secret_params": {"type": "dict", "no_log": True},
    "wait_timeout": WAIT["wait_timeout"],
}

DEFINITION = Definition(SPEC, ec2_action.send, looks=False)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

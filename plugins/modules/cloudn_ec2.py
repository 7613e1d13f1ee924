#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_ec2: any action of the EC2-compatible API."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_ec2
short_description: Send any action of the EC2-compatible API
version_added: 0.1.0
description:
  - Sends one action of the EC2-compatible API, which is the same cloud as the native one has, and returns its answer,
    with the fields as the service names them. It is for scripts that come from EC2, and for what only this API does.
  - Actions that begin with C(Describe) or C(Get), in capital or small letters, only read. They are never changed, and sent
    in check mode as well. All others are changed, each time that the task runs, and are not sent in check mode.
  - The service answers an action that changes something when it has done it, so the task waits for it.
  - Such an action is never sent again. Where its answer is lost, or the service does not wait for the end of its job (after
    10 minutes), the task fails and says that the outcome is not known, and which action to look by. Look before you run the
    task again.
  - A refused action was not done. The service gives the same error to one that failed after a part of it was done, so of
    an action on several things the error says that a part may be done.
  - C(CreateImage) stops a running instance, and the service starts it again only where the image is made. The error says
    where an instance is left stopped. M(cloudn.compute.cloudn_template) starts it again.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  action:
    description:
      - Name of the action, in EC2's letters. With O(unlisted) other letters are taken too.
      - The service lists C(DescribeInstances), C(RunInstances), C(RebootInstances), C(StartInstances),
        C(StopInstances), C(TerminateInstances), C(ModifyInstanceAttribute), C(CreateImage), C(DescribeImages),
        C(DeregisterImage), C(ModifyImageAttribute), C(CreateSnapshot), C(DeleteSnapshot), C(DescribeSnapshots),
        C(AttachVolume), C(DeleteVolume), C(DescribeVolumes) and C(DetachVolume). Any other needs O(unlisted).
    type: str
    required: true
  unlisted:
    description:
      - Whether O(action) may be one that the service does not list.
    type: bool
    default: false
  params:
    description:
      - Parameters by name. One without a value is left out.
      - A value is text, a number or a truth value (sent as V(true) or V(false)), or a list or dictionary of values.
      - A list is sent in EC2's numbered form (C(InstanceId) as C(InstanceId.1), C(InstanceId.2)), and a dictionary with
        its keys after dots (C(Placement.AvailabilityZone)), in each other as deep as need be
        (C(BlockDeviceMapping.1.Ebs.SnapshotId)). An empty one is refused, as it would mean all.
      - C(UserData) and C(Password) are refused here; they belong in O(secret_params).
    type: dict
  secret_params:
    description:
      - Parameters with values that must be neither shown nor logged, user data for example.
      - Ansible masks these values wherever they occur in the result, so put nothing else here.
    type: dict
  wait_timeout:
    description:
      - Seconds to wait for the answer of an action that changes something, if they are more than O(api_timeout). After
        that the task fails; the action goes on at the service.
    type: int
    default: 600
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes
attributes:
  check_mode:
    support: full
    description: An action that only reads is sent. Any other is not; RV(actions) tells it, and RV(result) is empty.
  diff_mode:
    support: none
    description: It is not known what an action changes.
notes:
  - Ids are those of the native API. An instance is a virtual machine, an image a template, C(InstanceType) the name of a
    service offering, and an availability zone a zone.
  - The service does not look at the user data and the security groups of C(RunInstances); M(cloudn.compute.cloudn_vm)
    has both.
  - O(account), O(domain_id) and O(response_format) have no meaning here. With O(signature_expires=0) a request has a
    time in place of an end.
  - C(error_code) of a failed task is a text here, such as C(Client.Unsupported), and not there where the service gives
    none; C(request_id) is by what the service's operators find the request.
seealso:
  - module: cloudn.compute.cloudn_api
  - name: Commands of ec2-api-tools and their tasks
    description: Each command that the service's manual lists, with a task that does the same.
    link: https://github.com/cloudn-compute/cloudn.compute/blob/main/docs/ec2.md
"""

EXAMPLES = r"""
- name: The images there are
  cloudn.compute.cloudn_ec2:
    action: DescribeImages
  register: images

- name: A machine of one of them
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

- name: Stop it
  cloudn.compute.cloudn_ec2:
    action: StopInstances
    params:
      InstanceId:
        - "{{ made.result.instancesSet[0].instanceId }}"

- name: Its disks
  cloudn.compute.cloudn_ec2:
    action: DescribeVolumes
    params:
      Filter:
        - Name: attachment.instance-id
          Value:
            - "{{ made.result.instancesSet[0].instanceId }}"
  register: disks

- name: A snapshot of the first
  cloudn.compute.cloudn_ec2:
    action: CreateSnapshot
    params:
      VolumeId: "{{ disks.result.volumeSet[0].volumeId }}"

- name: Terminate it
  cloudn.compute.cloudn_ec2:
    action: TerminateInstances
    params:
      InstanceId:
        - "{{ made.result.instancesSet[0].instanceId }}"
"""

RETURN = r"""
result:
  description:
    - The fields of the answer, as the service names them. Lists are lists, whatever their length, numbers and truth
      values are that, and moments are in ISO 8601. A missing value is null; text that a user may choose is empty then.
    - Empty in check mode, for an action that changes something.
  returned: always, except where the action was refused, or its answer was lost
  type: dict
  sample: {requestId: 5048cb5a-8b90-45d4-b10d-cc52ff605920, snapshotSet: []}
actions:
  description:
    - The action that was sent, or in check mode would be, if it is one that changes something. Values of
      O(secret_params) are not told.
  returned: as RV(result)
  type: list
  elements: str
  sample: ["StopInstances InstanceId.1=7285508a-b8a6-4a2e-93c9-6e2f2627eeba"]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.module import WAIT, run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import ec2

SPEC = {
    "action": {"type": "str", "required": True},
    "unlisted": {"type": "bool", "default": False},
    "params": {"type": "dict"},
    "secret_params": {"type": "dict", "no_log": True},
    "wait_timeout": WAIT["wait_timeout"],
}


def main() -> None:
    run(SPEC, ec2.send, looks=False)


if __name__ == "__main__":
    main()

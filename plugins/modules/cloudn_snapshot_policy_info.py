#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_snapshot_policy_info: snapshot policies, listed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_snapshot_policy_info
short_description: List snapshot policies
version_added: 1.0.0
description:
  - Lists the policies by which the service takes snapshots. They are in the order of the names of their volumes. For
    each volume the shortest interval is first. The list is empty if nothing is found.
  - If several options are given, only policies that fit all of them are listed.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  volume:
    description:
      - Only policies of this volume, given by name or id. All volumes with the name count.
    type: str
  vm:
    description:
      - Only policies of the volumes of this VM, given by id, host name or display name.
    type: str
  zone:
    description:
      - Only policies of volumes in this zone, given by name or id. An unknown zone is an error.
    type: str
  interval:
    description:
      - Only policies with this interval.
    type: str
    choices: [hourly, daily, weekly, monthly]
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes.info
notes:
  - The module sends one request for fewer than 500 volumes. It sends more with O(vm) and O(zone). Then it sends one
    request for each volume that is left and was attached once. The service lists the policies of only one volume at a
    time.
seealso:
  - module: cloudn.compute.cloudn_snapshot_policy
"""

EXAMPLES = r"""
- name: List the policies of one volume
  cloudn.compute.cloudn_snapshot_policy_info:
    volume: db1-data
  register: result

- name: List all daily policies
  cloudn.compute.cloudn_snapshot_policy_info:
    interval: daily

- name: List the policies of the disks of one VM
  cloudn.compute.cloudn_snapshot_policy_info:
    vm: web1

- name: List all policies of one zone
  cloudn.compute.cloudn_snapshot_policy_info:
    zone: jp-e1a
"""

RETURN = r"""
snapshot_policies:
  description: The policies. Every key is always there. A value is null if the service does not return it.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Id.
      type: str
      sample: c0f90937-c03a-42b3-ba99-2d3c7b98260f
    planned:
      description: V(true) if check mode has planned it. This task or an earlier one of the run would create it.
      returned: in check mode, for what does not exist yet
      type: bool
      sample: true
    volume:
      description: Name of the volume.
      type: str
      sample: db1-data
    volume_id:
      description: Id of that volume.
      type: str
      sample: 109157b8-60df-4c7e-9a37-f429554e5497
    interval:
      description: V(hourly), V(daily), V(weekly) or V(monthly).
      type: str
      sample: weekly
    time:
      description: Time of the day as C(HH:MM). For hourly snapshots this is the minute as C(MM).
      type: str
      sample: '01:30'
    day:
      description: Name of the day of the week or number of the day of the month. Null for hourly and daily snapshots.
      type: str
      sample: sunday
    timezone:
      description: Time zone of the time.
      type: str
      sample: Asia/Tokyo
    keep:
      description: Number of its snapshots that the service keeps.
      type: int
      sample: 4
    state:
      description: V(present) or V(absent).
      type: str
      sample: present
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.snapshot_policy import view as snapshot_policy

SPEC = {
    "volume": {"type": "str"},
    "vm": {"type": "str"},
    "zone": {"type": "str"},
    "interval": {"type": "str", "choices": list(snapshot_policy.INTERVALS)},
}

DEFINITION = Definition(
    SPEC,
    lambda client, options, _check: {
        "snapshot_policies": [snapshot_policy.to_result(item) for item in snapshot_policy.select(client, options)]
    },
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

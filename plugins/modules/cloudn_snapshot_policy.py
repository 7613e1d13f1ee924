#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_snapshot_policy: one of the schedules by which the service takes snapshots of a volume."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_snapshot_policy
short_description: Let the service take snapshots of a volume regularly
version_added: 1.0.0
description:
  - Brings one snapshot policy of a volume to the requested state. The service then takes snapshots by itself. It
    deletes the policy's oldest snapshots beyond the number in O(keep).
  - A volume has at most one policy for each O(interval). So volume and interval identify a policy. Use one task for
    each interval.
  - The policies of a volume are deleted with it. Their snapshots stay. They also stay when a policy is deleted.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  state:
    description:
      - With V(present) the module creates the policy or changes what differs. What is not given is left as it is.
      - With V(absent) the module deletes the policy. The other options are checked but have no effect.
    type: str
    choices: [present, absent]
    default: present
  volume:
    description:
      - Name or id of the volume. It must have been attached once. Before that a volume holds nothing.
      - Required without O(vm).
    type: str
  vm:
    description:
      - Id, host name or display name of the VM that the volume belongs to. Without O(volume) its root disk is meant.
    type: str
  zone:
    description:
      - Name or id of the zone that O(volume) or O(vm) is in.
      - With O(state=absent) a volume or VM of this name in another zone is left alone. A warning says where it is.
    type: str
  interval:
    description:
      - How often the service takes a snapshot.
    type: str
    choices: [hourly, daily, weekly, monthly]
    required: true
  time:
    description:
      - Time of the day in O(timezone) from V(00:00) to V(23:59). With O(interval=hourly) the minute from V(0) to
        V(59).
      - Write it in quotes. YAML takes V(10:30) without quotes for a number.
      - Required for a new policy.
    type: str
  day:
    description:
      - With O(interval=weekly) the name of the day, for example V(sunday).
      - With O(interval=monthly) the number of the day from V(1) to V(28).
      - Required for a new policy of these intervals. Refused for other intervals.
    type: str
  timezone:
    description:
      - Time zone of O(time). It is a name such as V(Asia/Tokyo) or an offset such as V(GMT+09:00).
      - The default for a new policy is V(UTC).
      - The service takes an unknown name for C(GMT). The module refuses such a name. It does so before it sends
        anything if Python knows the time zones too. Otherwise it does so after the service has answered.
    type: str
  keep:
    description:
      - Number of the policy's snapshots to keep, at least 1. The service deletes the oldest of them when there is one more.
      - The service has a maximum for each interval. It is 8 unless its administrators changed it.
      - Required for a new policy.
    type: int
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - A policy takes one more snapshot at the old time after its time was changed. That snapshot was due next.
    CloudStack works this way.
  - The snapshots have the interval as their RV(cloudn.compute.cloudn_snapshot_info#module:snapshots[].interval_type).
    O(cloudn.compute.cloudn_snapshot#module:keep) counts these snapshots too and deletes the oldest of all.
  - A task that changes nothing costs one request for the volume (two with O(vm)) and one for its policies.
  - Snapshot policies are not in the service's manual. The error says what to do instead if the account lacks them.
seealso:
  - module: cloudn.compute.cloudn_snapshot_policy_info
  - module: cloudn.compute.cloudn_snapshot
"""

EXAMPLES = r"""
- name: Take a snapshot each night and keep those of a week
  cloudn.compute.cloudn_snapshot_policy:
    volume: db1-data
    interval: daily
    time: '01:30'
    timezone: Asia/Tokyo
    keep: 7

- name: Take a snapshot of the root disk each Sunday
  cloudn.compute.cloudn_snapshot_policy:
    vm: db1
    interval: weekly
    day: sunday
    time: '03:00'
    keep: 4

- name: Keep fewer snapshots
  cloudn.compute.cloudn_snapshot_policy:
    vm: db1
    interval: weekly
    keep: 2

- name: Take a snapshot each hour, 15 minutes after the full hour
  cloudn.compute.cloudn_snapshot_policy:
    volume: db1-data
    zone: jp-e1a
    interval: hourly
    time: '15'
    keep: 8

- name: Take a snapshot on the first day of each month
  cloudn.compute.cloudn_snapshot_policy:
    volume: db1-data
    interval: monthly
    day: '1'
    time: '04:00'
    keep: 3

- name: Stop the nightly snapshots
  cloudn.compute.cloudn_snapshot_policy:
    volume: db1-data
    interval: daily
    state: absent
"""

RETURN = r"""
snapshot_policy:
  description:
    - The policy as it is now. In check mode it is shown as far as it is known. RV(snapshot_policy.state) is V(absent)
      if there is none.
    - Every key is always there. A value is null if it does not apply or is not known.
  returned: always, unless the task fails before it changes anything
  type: dict
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
snapshot_policies:
  description: A list that has only RV(snapshot_policy) in the form of M(cloudn.compute.cloudn_snapshot_policy_info).
  returned: always, unless the task fails before it changes anything
  type: list
  elements: dict
actions:
  description: The steps that the task took. In check mode these are the steps that it would take. After a failure
    these are the planned steps.
  returned: always, unless the task fails before it changes anything
  type: list
  elements: str
  sample: ["daily snapshots of db1-data: make a policy with time=01:30, timezone=Asia/Tokyo, keep=7"]
diff:
  description: The state before and after of everything that the options manage. In check mode the state after is the
    one that the run would lead to.
  returned: always, unless the task fails before it changes anything
  type: dict
  contains:
    before:
      description: The state before, by name. Empty if it did not exist.
      type: dict
      sample: {daily snapshots of db1-data: {state: present, time: '01:30', timezone: Asia/Tokyo, keep: 7}}
    after:
      description: The state after, by name.
      type: dict
      sample: {daily snapshots of db1-data: {state: present, time: '02:30', timezone: Asia/Tokyo, keep: 7}}
jobs:
  description: Ids of jobs that the task did not wait for.
  returned: with O(wait=false). Empty if there are none
  type: list
  elements: str
  sample: []
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.snapshot_policy.lookup import RESOURCE
from ansible_collections.cloudn.compute.plugins.module_utils.resources.snapshot_policy.view import INTERVALS
from ansible_collections.cloudn.compute.plugins.module_utils.resources.spec import WAIT

SPEC = {
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "volume": {"type": "str"},
    "vm": {"type": "str"},
    "zone": {"type": "str"},
    "interval": {"type": "str", "choices": list(INTERVALS), "required": True},
    "time": {"type": "str"},
    "day": {"type": "str"},
    "timezone": {"type": "str"},
    "keep": {"type": "int"},
    **WAIT,
}

DEFINITION = Definition(
    SPEC,
    RESOURCE.ensure,
    plural="snapshot_policies",
    singular="snapshot_policy",
    constraints={"required_one_of": [("volume", "vm")]},
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_snapshot_policy: one of the schedules by which the service takes snapshots of a volume."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_snapshot_policy
short_description: Have the service take snapshots of a volume regularly
version_added: 0.1.0
description:
  - Brings one snapshot policy of a volume to the state that is asked for. The service then takes snapshots by itself, and
    deletes the oldest of the policy's own beyond the number to O(keep).
  - A volume has at most one policy for each O(interval), so volume and interval say which one is meant; policies of
    several intervals are tasks of their own.
  - The policies of a volume go with it. Their snapshots stay, also where the policy goes.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  state:
    description:
      - V(present) makes the policy, or changes what differs from it. What is not given is left as it is.
      - V(absent) deletes it. The other options are checked, and have no effect.
    type: str
    choices: [present, absent]
    default: present
  volume:
    description:
      - Volume by name or id. It must have been attached once; before that it holds nothing.
      - This or O(vm) is needed.
    type: str
  vm:
    description:
      - Virtual machine by id, host name or display name whose volume it is. Without O(volume) it is the machine's root
        disk.
    type: str
  zone:
    description:
      - Zone by name or id in which O(volume) or O(vm) is looked for.
    type: str
  interval:
    description:
      - How often a snapshot is taken.
    type: str
    choices: [hourly, daily, weekly, monthly]
    required: true
  time:
    description:
      - Time of the day in O(timezone), from V(00:00) to V(23:59). With O(interval=hourly) the minute, from V(0) to V(59).
      - Write it in quotes. Without, YAML takes V(10:30) for a number.
      - Needed for a new policy.
    type: str
  day:
    description:
      - With O(interval=weekly) the day's name, such as V(sunday).
      - With O(interval=monthly) the number of the day, from V(1) to V(28).
      - Needed for a new policy of these intervals, and refused for others.
    type: str
  timezone:
    description:
      - Time zone of O(time), by a name such as V(Asia/Tokyo), or an offset such as V(GMT+09:00).
      - V(UTC) for a new policy where it is not given.
      - The service takes a name that it does not know for C(GMT). Such a name is refused, before anything is sent where
        Python knows the time zones too, else when the service has answered.
    type: str
  keep:
    description:
      - How many of the policy's snapshots to keep. When there is one more, the service deletes the oldest of them.
      - The service has a highest number for each interval, 8 unless its administrators changed it.
      - Needed for a new policy.
    type: int
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - A policy whose time is changed takes one more snapshot at the old time, the one that was due next. That is CloudStack's
    way.
  - The snapshots have the interval as their RV(cloudn.compute.cloudn_snapshot_info#module:snapshots[].interval_type).
    O(cloudn.compute.cloudn_snapshot#module:keep) counts them too, and deletes the oldest of all.
  - A task that changes nothing costs one request for the volume (two with O(vm)) and one for its policies.
  - Snapshot policies are not in the service's manual. An account that lacks them gets an error that says what to do
    instead.
seealso:
  - module: cloudn.compute.cloudn_snapshot_policy_info
  - module: cloudn.compute.cloudn_snapshot
"""

EXAMPLES = r"""
- name: A snapshot each night, those of a week
  cloudn.compute.cloudn_snapshot_policy:
    volume: db1-data
    interval: daily
    time: '01:30'
    timezone: Asia/Tokyo
    keep: 7

- name: One of the root disk each Sunday
  cloudn.compute.cloudn_snapshot_policy:
    vm: db1
    interval: weekly
    day: sunday
    time: '03:00'
    keep: 4

- name: Keep fewer of them
  cloudn.compute.cloudn_snapshot_policy:
    vm: db1
    interval: weekly
    keep: 2

- name: No more nightly ones
  cloudn.compute.cloudn_snapshot_policy:
    volume: db1-data
    interval: daily
    state: absent
"""

RETURN = r"""
snapshot_policy:
  description:
    - The policy, as it is now or, in check mode, as far as it can be told. RV(snapshot_policy.state) is V(absent) for one
      that is not there.
    - Every key is always there; what does not apply or is not known is null.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    id:
      description: Id.
      type: str
      sample: c0f90937-c03a-42b3-ba99-2d3c7b98260f
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
      description: Time of the day, as C(HH:MM); the minute, as C(MM), of hourly snapshots.
      type: str
      sample: '01:30'
    day:
      description: Day of the week by its name, or number of the day of the month; null for hourly and daily snapshots.
      type: str
      sample: sunday
    timezone:
      description: Time zone of the time.
      type: str
      sample: Asia/Tokyo
    keep:
      description: How many of its snapshots the service keeps.
      type: int
      sample: 4
    state:
      description: V(present) or V(absent).
      type: str
      sample: present
snapshot_policies:
  description: A list with RV(snapshot_policy) alone, of the form that M(cloudn.compute.cloudn_snapshot_policy_info) returns.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: dict
actions:
  description: What was done, step by step, or in check mode would be. Of a task that failed, what was to be done.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: str
  sample: ["daily snapshots of db1-data: make a policy with time=01:30, timezone=Asia/Tokyo, keep=7"]
diff:
  description: What was and what is, or in check mode would be, of everything that the options manage.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    before:
      description: What was, by name. Empty for what did not exist.
      type: dict
      sample: {daily snapshots of db1-data: {state: present, time: '01:30', timezone: Asia/Tokyo, keep: 7}}
    after:
      description: What is, by name.
      type: dict
      sample: {daily snapshots of db1-data: {state: present, time: '02:30', timezone: Asia/Tokyo, keep: 7}}
"""

from ansible_collections.cloudn.compute.plugins.module_utils.module import WAIT, run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import snapshot_policy_ensure
from ansible_collections.cloudn.compute.plugins.module_utils.resources.snapshot_policy import INTERVALS

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


def main() -> None:
    run(
        SPEC,
        snapshot_policy_ensure.ensure,
        plural="snapshot_policies",
        singular="snapshot_policy",
        required_one_of=[("volume", "vm")],
    )


if __name__ == "__main__":
    main()

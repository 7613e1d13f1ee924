#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_snapshot: snapshots of a volume, young enough and not too many."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_snapshot
short_description: Take and delete snapshots of a volume
version_added: 1.0.0
description:
  - Ensures that a volume has a snapshot. With O(max_age) the snapshot is not older than that. With O(keep) the module
    deletes snapshots beyond that number. It waits until the new snapshot is finished. After that it deletes, and it
    deletes only finished snapshots.
  - CloudStack 3.0 names snapshots itself. So the module finds them by their volume. With O(state=absent) it deletes one
    snapshot by id or name.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  state:
    description:
      - With V(present) the module takes a snapshot if none is young enough.
      - With V(absent) it deletes the snapshot with this O(id) or O(name).
    type: str
    choices: [present, absent]
    default: present
  volume:
    description:
      - Name or id of the volume. It must have been attached once. Before that a volume holds nothing.
      - O(state=present) requires O(volume) or O(vm), or both. They are an error with O(state=absent).
    type: str
  vm:
    description:
      - Id, host name or display name of the VM that the volume belongs to. Without O(volume) its root disk is meant.
    type: str
  zone:
    description:
      - Name or id of the zone that O(volume) or O(vm) is in. It is needed if their names are in several zones.
    type: str
  max_age:
    description:
      - Maximum age of the newest snapshot in seconds, minutes, hours, days and weeks, for example V(90s), V(30m), V(20h),
        V(7d), V(2w) or V(1d12h). V(0) takes a new one each time.
      - Without it a snapshot of any age is enough.
      - The service's clock counts for ages.
    type: str
  keep:
    description:
      - Number of snapshots of this volume to keep, at least 1. The newest one counts. Older ones are deleted. It does not matter
        who took them.
      - Without it no snapshot is deleted.
    type: int
  id:
    description:
      - Id of the snapshot to delete. O(state=absent) only.
    type: str
  name:
    description:
      - With O(state=absent) the name or id of the snapshot to delete.
      - With O(state=present) the name of the snapshot. Then O(max_age) and O(keep) count only snapshots of this volume
        with this name. The service allows several with one name. Requires CloudStack 4 for a new snapshot. CloudStack
        3.0 names snapshots itself.
    type: str
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.tags
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - O(tags) apply to the new snapshot. They apply to the newest snapshot if it is young enough.
  - Two runs that take a snapshot at the same time both go on with one snapshot. With O(max_age=0) or O(wait=false)
    each run takes its own.
  - A task that changes nothing costs one request for the volume (two with O(vm)) and one for its snapshots. Some
    services know the command only by CloudStack's name and not by the name in their manual. It costs one more request
    to find that out.
seealso:
  - module: cloudn.compute.cloudn_snapshot_info
  - module: cloudn.compute.cloudn_volume
  - module: cloudn.compute.cloudn_snapshot_policy
"""

EXAMPLES = r"""
- name: Take a snapshot each day and keep those of a week
  cloudn.compute.cloudn_snapshot:
    vm: db1
    volume: db1-data
    max_age: 20h
    keep: 7

- name: Take a snapshot of a root disk before a risky change
  cloudn.compute.cloudn_snapshot:
    vm: db1
    max_age: '0'
    tags:
      before: upgrade
  register: result

- name: Delete the snapshot again
  cloudn.compute.cloudn_snapshot:
    id: "{{ result.snapshot.id }}"
    state: absent

- name: Take a snapshot with a name of your choice (CloudStack 4)
  cloudn.compute.cloudn_snapshot:
    volume: db1-data
    zone: jp-e1a
    name: before-upgrade

- name: Delete the snapshot with this name
  cloudn.compute.cloudn_snapshot:
    name: before-upgrade
    state: absent
"""

RETURN = r"""
snapshot:
  description:
    - The new snapshot. The newest one if it is young enough. RV(snapshot.state) is V(absent) if there is none.
    - Every key is always there. A value is null if it does not apply or is not known. In check mode the values of a
      new snapshot are not known.
  returned: always, unless the task fails before it changes anything
  type: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 19d592a6-b169-4f6e-ab5c-c6b65c14de02
    planned:
      description: V(true) if check mode has planned it. This task or an earlier one of the run would create it.
      returned: in check mode, for what does not exist yet
      type: bool
      sample: true
    name:
      description: Name. By default the service forms it from the VM's name, the volume's name and the time.
      type: str
      sample: db1_db1-data_20261123150006
    volume:
      description: Name of the volume that it was taken of. The volume may no longer exist.
      type: str
      sample: db1-data
    volume_id:
      description: Id of that volume.
      type: str
      sample: 109157b8-60df-4c7e-9a37-f429554e5497
    volume_type:
      description: V(ROOT) or V(DATADISK).
      type: str
      sample: DATADISK
    state:
      description: State at the service. A finished snapshot has V(BackedUp).
      type: str
      sample: BackedUp
    type:
      description: V(MANUAL), or the schedule that took it.
      type: str
      sample: MANUAL
    interval_type:
      description: V(MANUAL), or the interval of the schedule.
      type: str
      sample: MANUAL
    account:
      description: Account that owns it.
      type: str
      sample: flatuser
    domain:
      description: Name of the account's domain.
      type: str
      sample: ROOT
    domain_id:
      description: Id of that domain.
      type: str
      sample: '1'
    created:
      description: Time when it was taken.
      type: str
      sample: '2026-11-23T15:00:06+0000'
    tags:
      description: Tags.
      type: dict
      sample: {kept: 'yes'}
snapshots:
  description: A list that has only RV(snapshot) in the form of M(cloudn.compute.cloudn_snapshot_info).
  returned: always, unless the task fails before it changes anything
  type: list
  elements: dict
actions:
  description: The steps that the task took. In check mode these are the steps that it would take. After a failure
    these are the planned steps.
  returned: always, unless the task fails before it changes anything
  type: list
  elements: str
  sample: ["db1-data: take a snapshot", "db1-data: delete snapshot db1_db1-data_20261116150006"]
diff:
  description: The state before and after of everything that the options manage. In check mode the state after is the
    one that the run would lead to.
  returned: always, unless the task fails before it changes anything
  type: dict
  contains:
    before:
      description: The state before, by name. Empty if it did not exist.
      type: dict
      sample: {db1-data: {snapshots: [db1_db1-data_20261116150006]}}
    after:
      description: The state after, by name.
      type: dict
      sample: {db1-data: {snapshots: [(new)]}}
jobs:
  description: Ids of jobs that the task did not wait for.
  returned: with O(wait=false). Empty if there are none
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.snapshot import lookup as snapshot
from ansible_collections.cloudn.compute.plugins.module_utils.resources.spec import TAGS, WAIT

SPEC = {
    "state": {"type": "str", "default": "present", "choices": ["present", "absent"]},
    "volume": {"type": "str"},
    "vm": {"type": "str"},
    "zone": {"type": "str"},
    "max_age": {"type": "str"},
    "keep": {"type": "int"},
    "id": {"type": "str"},
    "name": {"type": "str"},
    **TAGS,
    **WAIT,
}

DEFINITION = Definition(
    SPEC, snapshot.ensure, plural="snapshots", singular="snapshot", constraints={"mutually_exclusive": [("id", "name")]}
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_snapshot: snapshots of a volume, young enough and not too many."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_snapshot
short_description: Take and delete snapshots of a volume
version_added: 0.1.0
description:
  - Sees to it that a volume has a snapshot, not older than O(max_age) if that is given, and deletes those beyond the
    number to O(keep). It waits until the new snapshot is finished, and deletes only finished ones, and only after that.
  - The service names snapshots itself, so they are found by their volume. One snapshot is deleted by id or name with
    O(state=absent).
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  state:
    description:
      - V(present) takes a snapshot where none is young enough.
      - V(absent) deletes the one with this O(id) or O(name).
    type: str
    choices: [present, absent]
    default: present
  volume:
    description:
      - Volume by name or id. It must have been attached once; before that it holds nothing.
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
  max_age:
    description:
      - How old the newest snapshot may be, for example V(20h), V(7d) or V(1d12h). V(0) takes a new one each time.
      - Without it, one of any age will do.
      - Ages are by the service's clock.
    type: str
  keep:
    description:
      - How many snapshots of this volume to keep, counting the newest; older ones are deleted, whoever took them.
      - Without it none is deleted.
    type: int
  id:
    description:
      - Id of the snapshot to delete.
    type: str
  name:
    description:
      - Name of the snapshot to delete, or its id.
    type: str
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.tags
  - cloudn.compute.wait
  - cloudn.compute.attributes
notes:
  - O(tags) are those of the snapshot that is taken, or of the newest where that is young enough.
  - Of two runs that take a snapshot at the same time, both go on with one, unless O(max_age=0); with O(wait=false) each takes its
    own.
  - A task that changes nothing costs one request for the volume (two with O(vm)) and one for its snapshots. Where the service
    knows the command by CloudStack's name instead of the one in its manual, finding that out is one more.
seealso:
  - module: cloudn.compute.cloudn_snapshot_info
  - module: cloudn.compute.cloudn_volume
"""

EXAMPLES = r"""
- name: A snapshot of today, and those of a week
  cloudn.compute.cloudn_snapshot:
    vm: db1
    volume: db1-data
    max_age: 20h
    keep: 7

- name: One of a root disk, before something risky
  cloudn.compute.cloudn_snapshot:
    vm: db1
    max_age: '0'
    tags:
      before: upgrade
  register: result

- name: Delete it again
  cloudn.compute.cloudn_snapshot:
    id: "{{ result.snapshot.id }}"
    state: absent
"""

RETURN = r"""
snapshot:
  description:
    - The snapshot that was taken, or the newest, where it is young enough. RV(snapshot.state) is V(absent) for one that is
      not there.
    - Every key is always there; what does not apply or is not known, as in check mode for one to be taken, is null.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    id:
      description: Id.
      type: str
      sample: 19d592a6-b169-4f6e-ab5c-c6b65c14de02
    name:
      description: Name, which the service makes of the machine's and the volume's names and the time.
      type: str
      sample: db1_db1-data_20261123150006
    volume:
      description: Name of the volume that it was taken of, which need not exist any more.
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
      description: State at the service, V(BackedUp) when it is finished.
      type: str
      sample: BackedUp
    type:
      description: V(MANUAL), or by which schedule it was taken.
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
      description: When it was taken.
      type: str
      sample: '2026-11-23T15:00:06+0000'
    tags:
      description: Tags.
      type: dict
      sample: {kept: 'yes'}
snapshots:
  description: A list with RV(snapshot) alone, of the form that M(cloudn.compute.cloudn_snapshot_info) returns.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: dict
actions:
  description: What was done, step by step, or in check mode would be. Of a task that failed, what was to be done.
  returned: always, except where the task fails before anything is changed
  type: list
  elements: str
  sample: ["db1-data: take a snapshot", "db1-data: delete snapshot db1_db1-data_20261116150006"]
diff:
  description: What was and what is, or in check mode would be, of everything that the options manage.
  returned: always, except where the task fails before anything is changed
  type: dict
  contains:
    before:
      description: What was, by name. Empty for what did not exist.
      type: dict
      sample: {db1-data: {snapshots: [db1_db1-data_20261116150006]}}
    after:
      description: What is, by name.
      type: dict
      sample: {db1-data: {snapshots: [(new)]}}
jobs:
  description: Ids of jobs that were not waited for.
  returned: when there are any (O(wait=false))
  type: list
  elements: str
  sample: [8b7e21ab-b840-4c55-9897-fad4d6b322da]
"""

from ansible_collections.cloudn.compute.plugins.module_utils.module import TAGS, WAIT, run
from ansible_collections.cloudn.compute.plugins.module_utils.resources import snapshot_ensure

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


def main() -> None:
    run(SPEC, snapshot_ensure.ensure, plural="snapshots", singular="snapshot", mutually_exclusive=[("id", "name")])


if __name__ == "__main__":
    main()

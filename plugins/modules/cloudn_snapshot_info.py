#!/usr/bin/python
# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_snapshot_info: snapshots, listed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudn_snapshot_info
short_description: List snapshots
version_added: 1.0.0
description:
  - Lists snapshots. The newest one is first. Snapshots of deleted volumes are in the list too. The list is empty if
    nothing is found.
  - If several options are given, only snapshots that fit all of them are listed.
author:
  - The cloudn.compute authors (@cloudn-compute)
options:
  volume:
    description:
      - Only snapshots of this volume, given by name or id. The volume may no longer exist.
    type: str
  name:
    description:
      - Only snapshots with exactly this name.
    type: str
  id:
    description:
      - Only the snapshot with this id.
    type: str
  state:
    description:
      - Only snapshots in this state, for example V(BackedUp).
    type: str
  tags:
    description:
      - Only snapshots with all of these tags, given as keys and values. Case, accents and blanks at the end of a key do not
        count.
    type: dict
extends_documentation_fragment:
  - cloudn.compute.connection
  - cloudn.compute.attributes.info
notes:
  - The module sends one request for fewer than 500 snapshots. For more snapshots it sends about one for every 450.
    Some services know the command only by CloudStack's name and not by the name in their manual. It costs one more
    request to find that out.
seealso:
  - module: cloudn.compute.cloudn_snapshot
"""

EXAMPLES = r"""
- name: List the snapshots of one volume, newest first
  cloudn.compute.cloudn_snapshot_info:
    volume: db1-data
  register: result

- name: List the finished snapshots
  cloudn.compute.cloudn_snapshot_info:
    state: BackedUp

- name: List the snapshots with a tag
  cloudn.compute.cloudn_snapshot_info:
    tags:
      before: upgrade

- name: Find a snapshot by its name
  cloudn.compute.cloudn_snapshot_info:
    name: db1_db1-data_20261123150006

- name: Show the snapshot with an id
  cloudn.compute.cloudn_snapshot_info:
    id: 19d592a6-b169-4f6e-ab5c-c6b65c14de02
"""

RETURN = r"""
snapshots:
  description: The snapshots. Every key is always there. A value is null if the service does not return it.
  returned: success
  type: list
  elements: dict
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
"""

from ansible_collections.cloudn.compute.plugins.module_utils.definition import Definition
from ansible_collections.cloudn.compute.plugins.module_utils.module import run
from ansible_collections.cloudn.compute.plugins.module_utils.resources.snapshot import view as snapshot

SPEC = {
    "volume": {"type": "str"},
    "name": {"type": "str"},
    "id": {"type": "str"},
    "state": {"type": "str"},
    "tags": {"type": "dict"},
}

DEFINITION = Definition(
    SPEC,
    lambda client, options, _check: {
        "snapshots": [snapshot.to_result(item) for item in snapshot.select(client, options)]
    },
)


def main() -> None:
    run(DEFINITION)


if __name__ == "__main__":
    main()

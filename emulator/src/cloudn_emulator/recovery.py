# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of work that was under way when the process ended, after a restart with the same state.

As a real management server does, it fails the jobs. What they were at is brought to an end: no machine stays Starting.
"""

from __future__ import annotations

from .commands.template import download
from .commands.transfer import UPLOADING, upload
from .errors import INTERNAL
from .generation import Differs
from .jobs import Jobs
from .store import Store

# Source: AsyncJobManagerImpl of CloudStack 3.0 and 4.
CANCELLED = Differs(
    "job cancelled because of management server restart",
    "job cancelled because of management server restart or shutdown",
)
_UNFINISHED = ("Creating", "CreatedOnPrimary", "BackingUp")  # states of a snapshot


def settle(store: Store) -> None:
    """Fail the jobs, let machines that were started or stopped be Stopped, and remove snapshots and templates in the making."""
    for job in store.jobs.values():
        if not job.status:
            job.status, job.completed, job.hangs = 2, store.now(), False
            job.code = store.generation.job_code(INTERNAL)
            job.result = {"errorcode": INTERNAL, "errortext": store.generation.of(CANCELLED)}
    for vm in store.vms.values():
        vm.job_ids = []
        if vm.state in ("Starting", "Stopping"):
            vm.host_id = None
            store.set_state(vm, "Stopped")
    for snapshot in [one for one in store.snapshots.values() if one.state in _UNFINISHED]:
        store.take_back(snapshot.id)
    for template in [one for one in store.templates.values() if one.made_of and not one.zone_ids and not one.removed]:
        store.take_back(template.id)


def resume(store: Store, jobs: Jobs) -> None:
    """Begin anew the downloads of templates and volumes that were under way."""
    for template in store.templates.values():
        for zone_id in template.downloading:
            jobs.later(download(jobs, template, zone_id, template.url or ""))
    for volume in store.volumes.values():
        if volume.state == UPLOADING:
            jobs.later(upload(jobs, volume))

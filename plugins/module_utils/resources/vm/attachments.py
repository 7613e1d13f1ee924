# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes that are being attached to virtual machines that are to go."""

from __future__ import annotations

from ...api import Client, Deadline, JobTimeout, Record, jobs
from ...api.deadline import poll
from ...reconcile import plan as plans
from ..volume import view as volume


def _is_seen(job: Record, lookups: Record) -> bool:
    """Tell whether a job has ended, and what it attached to one of the machines that are to go is among their data disks."""
    disk = jobs.made_by(job.get("jobresult"), "volume")
    disks = lookups["data_disks"].get(disk.get("virtualmachineid"), [])
    elsewhere = disk.get("virtualmachineid") not in lookups["alive"]
    return bool(job.get("jobstatus")) and (elsewhere or disk.get("id") in {one["id"] for one in disks})


def await_attached(client: Client, lookups: Record, deadline: Deadline) -> None:
    """Wait for data disks that are being attached, or were just now and are not listed so yet; add them to the lookups.

    A machine takes its disks along when it is destroyed, so what its list does not show must not be overlooked.
    """
    query = {"startdate": jobs.ago(client, jobs.FORGOTTEN), "keyword": "AttachVolume"}
    pending_at: dict[str, float] = {}
    unlisted = ""
    for _look in poll(client, deadline):
        unseen = [job for job in jobs.listing(client, query, deadline) if not _is_seen(job, lookups)]
        if unseen:  # it may have ended between the two listings
            lookups["data_disks"] = volume.data_disks(client, lookups["alive"])
        unlisted = ""
        for job in unseen:
            pending = job.get("jobstatus") == jobs.PENDING
            if pending:
                pending_at[job["jobid"]] = client.clock()
            ended = client.clock() - pending_at.get(job["jobid"], float("-inf"))
            # What was attached a while ago and is not listed was detached again.
            just_now = not _is_seen(job, lookups) and min(ended, jobs.age(client, job)) < plans.LAG
            if pending or just_now:
                unlisted = job["jobid"]
        if not unlisted:
            return
    raise JobTimeout(
        f"attachVolume: job {unlisted}, which began before this run, may attach a volume to a machine that is to go, and with it "
        "would go the volume; nothing was changed. Run the task again, with a longer wait_timeout if need be",
        "attachVolume",
        job_id=unlisted,
    )

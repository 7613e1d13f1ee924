# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes that are being attached to virtual machines that a task will destroy."""

from __future__ import annotations

from ...api import Client, Deadline, JobTimeout, Record, jobs
from ...api.deadline import poll
from ...api.job_list import JobList
from ...reconcile import plan as plans
from ..volume import view as volume


def _is_seen(job: Record, lookups: Record) -> bool:
    """Tell whether a job has ended, and its volume is a known data disk or on a machine that stays."""
    disk = jobs.made_by(job.get("jobresult"), "volume")
    disks = lookups["data_disks"].get(disk.get("virtualmachineid"), [])
    elsewhere = disk.get("virtualmachineid") not in lookups["alive"]
    return bool(job.get("jobstatus")) and (elsewhere or disk.get("id") in {one["id"] for one in disks})


def await_attached(client: Client, lookups: Record, deadline: Deadline) -> None:
    """Wait for data disks that are being attached, or that are attached and not listed yet; add them to the lookups.

    The service destroys a machine with its disks, so a disk that is not listed yet must not be missed.
    """
    query = {"startdate": jobs.ago(client, jobs.FORGOTTEN), "keyword": "AttachVolume"}
    attachments = JobList(client, query, deadline)
    pending_at: dict[str, float] = {}
    unlisted = ""

    def describe() -> str:
        return f"job {unlisted} attaches a volume" if unlisted else ""

    for _look in poll(client, deadline, describe=describe):
        unseen = [job for job in attachments.look() if not _is_seen(job, lookups)]
        if unseen:  # the jobs may have ended between the two listings
            lookups["data_disks"] = volume.data_disks(client, lookups["alive"])
        unlisted = ""
        for job in unseen:
            pending = job.get("jobstatus") == jobs.PENDING
            if pending:
                pending_at[job["jobid"]] = client.clock()
            ended = client.clock() - pending_at.get(job["jobid"], float("-inf"))
            # A disk that was attached some time ago and is not listed was detached again.
            just_now = not _is_seen(job, lookups) and min(ended, jobs.age(client, job)) < plans.LAG
            if pending or just_now:
                unlisted = job["jobid"]
        if not unlisted:
            return
    raise JobTimeout(
        f"attachVolume: job {unlisted}, which began before this run, may attach a volume to a VM of the task; nothing was changed. Run the task again",
        "attachVolume",
        job_id=unlisted,
    )

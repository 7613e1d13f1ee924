# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for jobs, as measured on CloudStack 3.0.5."""

from __future__ import annotations

from typing import Any

from ..calls import Call, page_of
from ..errors import ACCOUNT, ApiError, bad_parameter
from ..fields import date_text
from ..filters import has_part, matching
from ..models import NO_OBJECT, Job
from ..owners import owners
from ..wire import listing


def query_job(call: Call) -> dict[str, Any]:
    """queryAsyncJobResult."""
    job = call["jobid"]
    if job is NO_OBJECT:
        raise bad_parameter(f"Unable to find a job by id {job.id}")
    if job.lost:
        raise bad_parameter(f"Object async_job(uuid: {job.id}) does not exist.")
    if job.owner != call.account.name and not call.account.admin:
        raise ApiError(ACCOUNT, f"Account {call.account.label} is not authorized to see job id={job.id}")
    return job_view(call, job)


def list_jobs(call: Call) -> dict[str, Any]:
    """listAsyncJobs: all jobs since `startdate`, pending ones too, oldest first. `keyword` is a part of the class."""
    since = call["startdate"]
    tests = [
        owners(call),
        lambda job: not job.lost,
        (lambda job: int(job.created) >= since) if since is not None else None,
        has_part(call, "keyword", "command"),
    ]
    found = matching(call.store.jobs.values(), tests)
    return listing("asyncjobs", [job_view(call, job) for job in page_of(call, found)])


def job_view(call: Call, job: Job) -> dict[str, Any]:
    """A job: a pending one shows its object, a finished one its result."""
    owner = call.store.accounts[job.owner]
    view: dict[str, Any] = {"accountid": owner.id, "userid": owner.user_id, "cmd": job.command}
    view |= {"jobstatus": job.status, "jobprocstatus": 0, "jobresultcode": job.code}
    if job.status:
        view |= {"jobresulttype": "object", "jobresult": job.result} if job.result is not None else {}
    elif job.instance_type is not None:
        view |= {"jobinstancetype": job.instance_type, "jobinstanceid": job.instance_id}
    view |= {"created": date_text(job.created), "jobid": job.id}
    return view

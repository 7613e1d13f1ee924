# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking for jobs, as measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..calls import Call, page_of
from ..errors import ACCOUNT, ApiError, bad_parameter
from ..fields import date_text
from ..filters import has_part, matching
from ..generation import Differs
from ..models import NO_OBJECT, Job
from ..owners import owners
from ..wire import listing

# The emulated management server: CloudStack 4 shows which one does a job.
MANAGEMENT_SERVER = {"managementserverid": "0d0d2f3e-6f5e-4a1c-8a53-6c1b5a0e0001", "managementservername": "localhost"}


def query_job(call: Call) -> dict[str, Any]:
    """queryAsyncJobResult. CloudStack 4 takes the object of a job in its place: the emulator does not."""
    job = call["jobid"]
    if job is None:
        raise bad_parameter("Expected parameter job id or parameters resource type and resource id")
    if job is NO_OBJECT:
        raise bad_parameter(f"Unable to find a job by id {job.id}")
    if job.lost:
        raise bad_parameter(f"Object async_job(uuid: {job.id}) does not exist.")
    if job.owner != call.account.name and not call.account.admin:
        raise ApiError(ACCOUNT, f"Account {call.account.label} is not authorized to see job id={job.id}")
    return job_view(call, job)


def list_jobs(call: Call) -> dict[str, Any]:
    """listAsyncJobs: jobs since `startdate`, oldest first. `keyword` is a part of the class.

    CloudStack 3 lists pending and ended ones, CloudStack 4 only those under way.
    """
    since = call["startdate"]
    tests = [
        owners(call),
        lambda job: not job.lost,
        call.of(_LISTED),
        (lambda job: int(job.created) >= since) if since is not None else None,
        has_part(call, "keyword", "command"),
    ]
    found = matching(call.store.jobs.values(), tests)
    return listing("asyncjobs", [job_view(call, job) for job in page_of(call, found)])


_LISTED: Differs[Callable[[Job], bool]] = Differs(lambda job: True, lambda job: not job.status)


def job_view(call: Call, job: Job) -> dict[str, Any]:
    """A job as the server's generation shows it."""
    return call.of(_JOB_VIEW)(call, job)


def _view_3(call: Call, job: Job) -> dict[str, Any]:
    """A pending job shows its object, a finished one its result."""
    owner = call.store.accounts[job.owner]
    view: dict[str, Any] = {"accountid": owner.id, "userid": owner.user_id, "cmd": job.command}
    view |= {"jobstatus": job.status, "jobprocstatus": 0, "jobresultcode": job.code}
    if job.status:
        view |= _result(job)
    else:
        view |= _object(job)
    view |= {"created": date_text(job.created), "jobid": job.id}
    return view


def _view_4(call: Call, job: Job) -> dict[str, Any]:
    """Each job shows its object, a finished one its result and its end too."""
    owner = call.store.accounts[job.owner]
    view: dict[str, Any] = {"accountid": owner.id, "account": owner.name, "domainid": owner.domain_id}
    view |= {"domainpath": owner.domain_path, "userid": owner.user_id, "cmd": job.command}
    view |= {"jobprocstatus": 0, "jobresultcode": job.code, **_result(job), **_object(job)}
    view["created"] = date_text(job.created)
    if job.status:
        view["completed"] = date_text(job.completed)
    else:
        view |= MANAGEMENT_SERVER
    return {**view, "jobid": job.id, "jobstatus": job.status}


_JOB_VIEW = Differs(_view_3, _view_4)


def _result(job: Job) -> dict[str, Any]:
    return {"jobresulttype": "object", "jobresult": job.result} if job.result is not None else {}


def _object(job: Job) -> dict[str, Any]:
    fields = {"jobinstancetype": job.instance_type, "jobinstanceid": job.instance_id}
    return {name: value for name, value in fields.items() if value is not None}

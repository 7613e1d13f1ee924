# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of jobs that is read again and again, and keeps the jobs that end meanwhile."""

from __future__ import annotations

import typing as t

from .decode import Record
from .jobs import PENDING, by_id, listing

if t.TYPE_CHECKING:
    from .client import Client
    from .deadline import Deadline


class JobList:
    """The jobs that listAsyncJobs lists with ``params``, and those that it has listed as pending before.

    CloudStack 4 lists pending jobs only; measured on 4.23. So a job that is not listed any more is asked for by its id, once.
    CloudStack 3 goes on listing it. Jobs that had ended before the first look are unknown on CloudStack 4.
    """

    def __init__(self, client: Client, params: Record, deadline: Deadline) -> None:
        self._client = client
        self._params = params
        self._deadline = deadline
        self._pending: set[str] = set()
        self._ended: dict[str, Record] = {}

    def look(self) -> list[Record]:
        """Return the jobs as they are now; none if the account lacks the command."""
        listed = listing(self._client, self._params, self._deadline)
        seen = {job["jobid"]: job for job in listed}
        for job_id in self._pending - seen.keys():
            seen.update((job["jobid"], job) for job in by_id(self._client, job_id, self._deadline))
        self._pending = {job_id for job_id, job in seen.items() if job.get("jobstatus") == PENDING}
        self._ended.update((job_id, job) for job_id, job in seen.items() if job_id not in self._pending)
        return list({**self._ended, **seen}.values())

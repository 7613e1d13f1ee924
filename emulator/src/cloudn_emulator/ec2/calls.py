# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One EC2 request: its parameters, and the native commands that it comes to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..catalogue import COMMANDS
from ..errors import ApiError
from ..faults import Rule
from ..jobs import Jobs
from ..models import Account
from ..store import Store
from .errors import UNEXPECTED, Failed, Refused
from .wire import page, plain


@dataclass(frozen=True, slots=True)
class Call:
    """A request for an action, by an account that may."""

    store: Store
    jobs: Jobs
    account: Account
    params: dict[str, str]
    fault: Rule | None = None

    def get(self, name: str) -> str | None:
        """A parameter, None where it is not given."""
        return self.params.get(name)

    def required(self, name: str) -> str:
        """A parameter; raises Refused (530) where it is not given."""
        if name not in self.params:
            raise Refused(page(530, f"Missing {name} parameter"))
        return self.params[name]

    def ids(self, name: str) -> list[str]:
        """The values of `name.1`, `name.2` and so on; the bridge takes whatever begins with the name."""
        return [value for key, value in self.params.items() if key.startswith(name)]

    def required_ids(self, name: str) -> list[str]:
        """The same; raises Refused (530) where there are none."""
        found = self.ids(name)
        if not found:
            raise Refused(page(530, f"Missing {name} parameter"))
        return found

    def integer(self, name: str) -> int:
        """A parameter that is a number; raises Refused with what Java says of another (500, a plain text)."""
        text = self.required(name)
        if not re.fullmatch(r"[+-]?[0-9]{1,10}", text) or not -(2**31) <= int(text) < 2**31:
            raise Refused(plain(500, f'java.lang.NumberFormatException: For input string: "{text}"'))
        return int(text)

    async def native(self, command: str, **params: str | None) -> dict[str, Any]:
        """Do a native command; returns its answer, or its job's result once the job has ended.

        The real bridge asks for the job every 2 s; here the answer comes with the job's end. What the account may not
        do natively (`--deny`) it may do here. Raises Failed.
        """
        given = {name: value for name, value in params.items() if value is not None}
        try:
            body = await COMMANDS[command].run(self.store, self.jobs, self.account, given, self.fault)
        except ApiError as error:
            raise Failed(error.text) from None
        if COMMANDS[command].job_class:
            return await self._result(body["jobid"])
        return body

    async def _result(self, job_id: str) -> dict[str, Any]:
        job = self.store.jobs[job_id]
        if not job.lost:
            await job.ended.wait()
        seen = await self.native("queryAsyncJobResult", jobid=job_id)
        result = seen.get("jobresult")
        if seen["jobstatus"] == 1:
            return result
        if not result or "errortext" not in result:
            raise Failed(UNEXPECTED)
        raise Failed(f"{result['errorcode']} {result['errortext']}")

    async def listed(self, command: str, name: str, **params: str | None) -> list[dict[str, Any]]:
        """The objects that a native listing gives under this name. Raises Failed."""
        return (await self.native(command, **params)).get(name, [])


def owner_of(view: dict[str, Any]) -> str:
    """Whose an object is, as EC2 has it: number of the domain and name of the account."""
    return f"{view['domainid']}:{view['account']}"


def moment(text: str) -> str:
    """A moment as EC2 writes it, of one as the native API does."""
    return f"{text[:19]}.000+00:00"


def gigabytes(size: int) -> int:
    """A size in whole GB."""
    return size >> 30


def tag_set(view: dict[str, Any]) -> list[dict[str, str]]:
    """The tags of an object; one without any has a tag without a name."""
    return view["tags"] or [{"key": "", "value": ""}]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One EC2 request: its parameters, and calls of native commands."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, overload

from ..catalogue import COMMANDS
from ..errors import ApiError
from ..faults import FaultRule
from ..jobs import Jobs
from ..models import Account
from ..store import Store
from .java import JavaError, parse_int
from .refusals import UNEXPECTED, Failed, Refused
from .replies import page, plain

GIVEN_UP = "Operation failed - async-job query timed out"


@dataclass(frozen=True, slots=True)
class Request:
    """A request for an action, from an account that may ask."""

    store: Store
    jobs: Jobs
    account: Account
    params: dict[str, str]
    fault: FaultRule | None = None

    @overload
    def get(self, name: str) -> str | None:
        """A parameter, or ``None``."""

    @overload
    def get(self, name: str, default: str) -> str:
        """A parameter, or this default."""

    def get(self, name: str, default: str | None = None) -> str | None:
        """A parameter, or this default."""
        return self.params.get(name, default)

    def required(self, name: str) -> str:
        """A parameter. Raises Refused (530) if it is missing."""
        if name not in self.params:
            raise Refused(page(530, f"Missing {name} parameter"))
        return self.params[name]

    def ids(self, name: str) -> list[str]:
        """The values of `name.1`, `name.2` and so on. The bridge takes each parameter that begins with the name."""
        return [value for key, value in self.params.items() if key.startswith(name)]

    def required_ids(self, name: str) -> list[str]:
        """The same. Raises Refused (530) if there are none."""
        found = self.ids(name)
        if not found:
            raise Refused(page(530, f"Missing {name} parameter"))
        return found

    def id_to_load(self, name: str) -> str:
        """A parameter that the bridge uses without a check. Raises Refused (500) if it is missing."""
        if name not in self.params:
            raise crashed(JavaError("NullPointerException", 'Cannot load from object array because "value" is null'))
        return self.params[name]

    def numbered(self, name: str) -> list[str]:
        """The values of a name with `{}` for a number, from 1 up to the first that is missing."""
        return list(self._numbered(name))

    def _numbered(self, name: str) -> Iterator[str]:
        number = 1
        while (value := self.get(name.format(number))) is not None:
            yield value
            number += 1

    def integer(self, name: str) -> int:
        """A parameter that is a number. Raises Refused: 530, or the error of Java for another text."""
        text = self.required(name)
        try:
            return parse_int(text)
        except JavaError as error:
            raise crashed(error) from None

    async def native(self, command: str, **params: str | None) -> dict[str, Any]:
        """Do a native command; returns its answer, or the result of its job once the job has ended.

        The real bridge asks for the job every 2 s. Here the answer comes with the end of the job. It gives up after 10
        minutes (`--ec2-give-up-seconds`), while the job goes on. An account may do here even what `--deny` takes from
        it in the native API. Raises Failed.
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
            try:
                await asyncio.wait_for(job.ended.wait(), self.store.settings.ec2_give_up_seconds)
            except asyncio.TimeoutError:
                raise Failed(GIVEN_UP) from None
        seen = await self.native("queryAsyncJobResult", jobid=job_id)
        result: dict[str, Any] = seen.get("jobresult") or {}
        if seen["jobstatus"] == 1:
            return result
        if "errortext" not in result:
            raise Failed(UNEXPECTED)
        raise Failed(f"{result['errorcode']} {result['errortext']}")

    async def listed(self, command: str, name: str, **params: str | None) -> list[dict[str, Any]]:
        """The objects that a native listing gives under this name. Raises Failed."""
        return (await self.native(command, **params)).get(name, [])


def crashed(error: JavaError) -> Refused:
    """The answer if the reading of a request crashes: the exception as a text (500)."""
    return Refused(plain(500, f"java.lang.{error.kind}: {error.message}"))


def owner_of(view: dict[str, Any]) -> str:
    """The owner of an object in EC2: number of the domain and name of the account."""
    return f"{view['domainid']}:{view['account']}"


def moment(text: str) -> str:
    """A moment of the native API, as EC2 writes it."""
    return f"{text[:19]}.000+00:00"


def gigabytes(size: int) -> int:
    """A size in whole GB."""
    return size >> 30


def tag_set(view: dict[str, Any]) -> list[dict[str, str]]:
    """The tags of an object. Without any it has one tag without a name."""
    return view["tags"] or [{"key": "", "value": ""}]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command, and how it is done: its parameters are read, its function is called, its job is started."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from .calls import Call, Param, declare, read_params
from .errors import UNABLE, internal
from .events import ACTIONS, Action, Journal
from .faults import FaultRule
from .faults.listings import change_page, without_young
from .jobs import Jobs
from .models import NO_OBJECT, Account
from .store import Store

# The beginnings of the names of commands that change nothing. Source: CloudStack 4's code.
_READS = ("list", "get", "query", "find")


@dataclass(frozen=True, slots=True)
class Command:
    """A command. Asynchronous ones have a `job_class`. A plain account has it if it is `granted`.

    `entity` names the parameter with the object of an asynchronous one. `action` says which events are noted.
    """

    name: str
    params: tuple[Param, ...]
    handler: Callable[[Call], Any]
    job_class: str | None
    root: str
    granted: bool
    entity: str = "id"
    action: Action | None = None

    @property
    def is_read(self) -> bool:
        """Whether the service takes it for a command that changes nothing."""
        return self.name.startswith(_READS)

    @property
    def label(self) -> str:
        """The command as error texts call it: its root without the last eight letters, which need not be `response`."""
        return self.root[:-8]

    async def run(
        self, store: Store, jobs: Jobs, account: Account, params: dict[str, str], fault: FaultRule | None = None
    ) -> dict[str, Any]:
        """Do the command for an account; returns the body of its answer, with its job's id if it has one.

        A fault of jobs is made in that job. A listing that lags shows what was there a while ago. One that changes while it
        is read changes after it. Raises ApiError.
        """
        if fault and fault.kind == "lag" and self.name.startswith("list"):
            return self._past(jobs, account, params, fault.settings["seconds"])
        call = Call(store, jobs, account, self._read(store, params))
        journal = Journal(call, self.action, self.job_class is not None) if self.action else None
        result = await self._handle(call, journal)
        if self.job_class:
            work = journal.watched(result) if journal else result
            job = jobs.start(self.job_class, account.name, work, fault)
            return {"id": work.created_id, "jobid": job.id} if work.created_id else {"jobid": job.id}
        if journal:
            journal.done(result)
        return _listed(call, result, fault)

    def _read(self, store: Store, params: dict[str, str]) -> dict[str, Any]:
        values = read_params(self.params, params, self.label, store)
        if self.job_class and values.get(self.entity) is NO_OBJECT and NO_OBJECT.id in params.values():
            raise internal(UNABLE)  # the real server looks for the object's owner and crashes
        return values

    async def _handle(self, call: Call, journal: Journal | None) -> Any:
        try:
            result = self.handler(call)
            return await result if inspect.isawaitable(result) else result
        except Exception:
            if journal:
                journal.refused()
            raise

    def _past(self, jobs: Jobs, account: Account, params: dict[str, str], seconds: float) -> dict[str, Any]:
        """A listing as it was a while ago.

        If there is no copy of the store from that time, it shows the oldest copy, without the objects that were made
        after that time. An id of an object that was made since is unknown, as it was then.
        """
        store, known = jobs.history.before(seconds)
        call = Call(store, jobs, account, self._read(store, params))
        body = self.handler(call)
        if not known:
            shown = without_young(body, store.now() - seconds)
            if call.total is not None:
                call.total -= body.get("count", 0) - shown.get("count", 0)
            body = shown
        return _listed(call, body, None)


def _listed(call: Call, body: dict[str, Any], fault: FaultRule | None) -> dict[str, Any]:
    """A listing with its count. A fault changes its objects after it was read."""
    if call.store.generation.counts_all or call.store.settings.count_all:
        body = _counted(call, body)
    if fault and fault.kind == "page":
        change_page(call.store, body, fault.settings["change"], fault.settings["name"])
    return body


def _counted(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """A listing whose count is that of all pages. On CloudStack 4 an empty page has it too."""
    if not call.total:
        return body
    if "count" in body:
        return {**body, "count": call.total}
    return {"count": call.total} if call.store.generation.counts_all and not body else body


class Otherwise(TypedDict, total=False):
    """What a command has otherwise in a generation. `params` are those that it has besides, or in another way.

    `lacks` names those that it does not have.
    """

    handler: Callable[[Call], Any]
    params: str
    lacks: str
    root: str
    granted: bool
    entity: str
    job_class: str


Versions = tuple[Command | None, Command | None]


def command(
    name: str,
    handler: Callable[[Call], Any],
    params: str = "",
    job_class: str | None = None,
    on_4: Otherwise | None = None,
    **given: Any,
) -> Versions:
    """Declare a command for each generation. `declare` reads its parameters.

    Its root comes from its name unless one is given. `job_class` is its class in CloudStack 4, without the beginning that
    all have; 3 has the same name. `on_4` has what CloudStack 4 has otherwise.
    """
    three = _version(name, handler, params, job_class, **given)
    other: Any = dict(on_4 or {})
    more, lacks = other.pop("params", ""), other.pop("lacks", "").split()
    four = _version(name, **{"handler": handler, "params": params, "job_class": job_class, **given, **other})
    merged = {param.name: param for param in (*four.params, *declare(more))}
    return three, replace(four, params=tuple(param for name, param in merged.items() if name not in lacks))


def command_of_4(
    name: str, handler: Callable[[Call], Any], params: str = "", job_class: str | None = None, **given: Any
) -> Versions:
    """Declare a command that CloudStack 3 lacks."""
    return None, _version(name, handler, params, job_class, **given)


def _version(
    name: str,
    handler: Callable[[Call], Any],
    params: str,
    job_class: str | None,
    root: str | None = None,
    granted: bool = True,
    entity: str = "id",
) -> Command:
    named = root or f"{name.lower()}response"
    return Command(name, declare(params), handler, job_class, named, granted, entity, ACTIONS.get(name))

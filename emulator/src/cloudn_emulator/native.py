# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The native API: finds the command of a request, and writes its answer in JSON or XML."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from . import wire
from .catalogue import FOR_ADMINISTRATORS, catalogue
from .command import Command
from .commands.snapshot_policy import run_due
from .errors import INTERNAL, UNAUTHORIZED, ApiError, internal
from .exchange import Asked, Reply
from .faults import FaultRule
from .generation import NOT_VERIFIED
from .jobs import Jobs
from .models import Account
from .settings import POST_ONLY
from .signature import is_signed
from .store import Store
from .throttle import Throttle

log = logging.getLogger("cloudn_emulator")
PATH = "/client/api"
REFUSED = "errorresponse"  # the root of an answer about no command
# The cost of listing an object by the number of words in `details`; 1 is a listing without words. Some words cost more
# than all of them together. Measured on CloudStack 3.0.5 with 203 virtual machines.
DETAILS_COST = {0: 1.0, 1: 1.6, 2: 2.0}
MORE_DETAILS_COST = 2.4
LEAST_DETAILS_COST = 0.5  # `min`
# With `enforce.post.requests.and.timestamps`; measured on CloudStack 4.23, where 900 s are taken and 960 s are not.
LONGEST_SIGNATURE = 900.0
BAD_REQUEST = 400
TOO_MANY = 429
THROTTLED = "The given user has reached his/her account api limit, please retry after [{}] ms."
NEEDS_POST = "State changing command {} needs to be sent using POST request"


class Native:
    """Answers requests of the native API over a store."""

    paths: tuple[str, ...] = (PATH, PATH + "/")
    methods: tuple[str, ...] = ("GET", "HEAD", "POST")
    credentials: tuple[str, ...] = ("apikey", "signature", "command")

    def __init__(self, store: Store, jobs: Jobs) -> None:
        self.store = store
        self.jobs = jobs
        self.generation = store.generation
        self.commands = store.commands = catalogue(store.generation, store.settings.dialect)
        # Seconds that a signature may live where the server takes changes by POST alone. `None`: for ever.
        is_post_only = store.settings.server_value(POST_ONLY) == "true"
        self.longest_signature = LONGEST_SIGNATURE if is_post_only else None
        self.throttle = Throttle(store.settings)
        self.object_cost = store.settings.list_ms_per_object / 1000

    def command(self, params: dict[str, str]) -> tuple[str, bool]:
        """The name of the command, and whether it has a job."""
        name = params.get("command", "")
        known = self.commands.get(name)
        return name, bool(known and known.job_class)

    async def reply(self, asked: Asked, fault: FaultRule | None) -> Reply:
        """Do the command."""
        root, status, body = await self.execute(asked.params, fault, asked.method)
        if self.object_cost and status == 200 and asked.params["command"].startswith("list"):
            await asyncio.sleep(listing_seconds(self.object_cost, body, asked.params.get("details", "")))
        other_format = fault is not None and fault.kind == "other_format"
        return self._render(root, status, body, asked.params, other_format)

    def unauthorized(self, params: dict[str, str]) -> Reply:
        """The answer to wrong credentials."""
        command = self.commands.get(params.get("command", ""))
        root = command.root if command else "errorresponse"
        return self._render(*self._error(root, ApiError(UNAUTHORIZED, NOT_VERIFIED)), params)

    def _render(
        self, root: str, status: int, body: dict[str, Any], params: dict[str, str], other_format: bool = False
    ) -> Reply:
        in_json = params.get("response", "").lower() == "json"
        # CloudStack 3 tells its version to all.
        known = not self.generation.cause or (status != UNAUTHORIZED and root != REFUSED)
        written = wire.render(root, body, in_json is not other_format, self.generation, known)
        return Reply(status, *written, body.get("errortext"))

    async def execute(
        self, params: dict[str, str], fault: FaultRule | None = None, method: str = "GET"
    ) -> tuple[str, int, dict[str, Any]]:
        """Do the command; returns the answer's root, HTTP status and body."""
        self.store.expunge_due()
        run_due(self.store, self.jobs)
        name = params.get("command", "")
        command = self.commands.get(name)
        if command is None and name not in self.generation.of(FOR_ADMINISTRATORS):
            # This is the answer even to a wrong signature: measured on CloudStack 3.0.5.
            return self._error(REFUSED, self.generation.no_command)
        account = self.store.account_with_key(_api_key(params))
        if account and self.generation.refuses_first and not _may(account, command):
            return self._error(REFUSED, self.generation.not_granted(name, account.name))
        if account is None or not is_signed(params, account.api_secret, self.store.time(), self.longest_signature):
            root = command.root if command else f"{name.lower()}response"
            return self._error(root, ApiError(UNAUTHORIZED, NOT_VERIFIED))
        if command is None or not _may(account, command):
            return self._error(REFUSED, self.generation.not_granted(name, account.name))
        return await self._run(account, command, params, fault, method)

    async def _run(
        self, account: Account, command: Command, params: dict[str, str], fault: FaultRule | None, method: str
    ) -> tuple[str, int, dict[str, Any]]:
        """Do a command of an account that may use it."""
        try:
            self._check_request(account, command, method)
            return command.root, 200, await command.run(self.store, self.jobs, account, params, fault)
        except ApiError as error:
            return self._error(command.root, error)
        except Exception:
            log.exception("%s", command.name)
            return self._error(command.root, internal())

    def _check_request(self, account: Account, command: Command, method: str) -> None:
        """Refuse one request too many (429), and a change that is not sent as POST where that is asked for (400)."""
        if self.throttle.is_over(account):
            seconds = self.throttle.seconds_left(account)
            raise ApiError(TOO_MANY, THROTTLED.format(int(seconds * 1000)))
        if self.longest_signature and method != "POST" and not command.is_read:
            raise ApiError(BAD_REQUEST, NEEDS_POST.format(command.name))

    def _error(self, root: str, error: ApiError) -> tuple[str, int, dict[str, Any]]:
        """The root, HTTP status and body of an error."""
        body = self.generation.error(error)
        if not 400 <= error.code < 600:
            body["errorcode"] = INTERNAL
        return root, body["errorcode"], body


def _may(account: Account, command: Command | None) -> bool:
    return command is not None and account.may(command.name, command.granted)


def _api_key(params: dict[str, str]) -> str:
    return params.get("apikey") or next((value for name, value in params.items() if name.lower() == "apikey"), "")


def listing_seconds(object_cost: float, body: dict[str, Any], details: str) -> float:
    """How long the service works on the answer of a listing: a cost for each object, which depends on `details`."""
    words = {word.strip() for word in details.split(",")} - {""}
    factor = DETAILS_COST.get(len(words), MORE_DETAILS_COST)
    if words == {"min"}:
        factor = LEAST_DETAILS_COST
    elif "all" in words:
        factor = DETAILS_COST[0]
    return object_cost * factor * sum(len(value) for value in body.values() if isinstance(value, list))

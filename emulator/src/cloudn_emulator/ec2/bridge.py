# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EC2 Query API: its actions, and how a request gets to one."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ..commands.snapshot_policy import run_due
from ..exchange import Asked, Reply
from ..faults import FaultRule
from ..jobs import Jobs
from ..store import Store
from . import groups, images, instances, key_pairs, snapshots, tags, volumes, zones
from .access import check
from .java import JavaError
from .refusals import UNEXPECTED, Failed, Refused
from .replies import INTERNAL, answer, error, page, plain
from .request import Request

log = logging.getLogger("cloudn_emulator")
PATH = "/awsapi"
METHODS = ("GET", "HEAD", "POST")
# The answers to methods of HTTP that the web server of the bridge knows, but refuses (Tomcat's source).
REFUSED = {"DELETE": 405, "PUT": 405, "TRACE": 405, "OPTIONS": 200}


@dataclass(frozen=True, slots=True)
class Action:
    """An action. `has_job` says whether it waits for a job of the native API."""

    name: str
    handler: Callable[[Request], Awaitable[dict[str, Any]]]
    has_job: bool


_ACTIONS = (
    Action("DescribeAvailabilityZones", zones.describe, False),
    Action("DescribeInstances", instances.describe, False),
    Action("DescribeInstanceAttribute", instances.describe_attribute, False),
    Action("RunInstances", instances.run, True),
    Action("RebootInstances", instances.reboot, True),
    Action("StartInstances", instances.start, True),
    Action("StopInstances", instances.stop, True),
    Action("TerminateInstances", instances.terminate, True),
    Action("CreateImage", images.create, True),
    Action("RegisterImage", images.register, False),
    Action("DescribeImages", images.describe, False),
    Action("DescribeImageAttribute", images.describe_attribute, False),
    Action("ResetImageAttribute", images.reset, False),
    Action("DeregisterImage", images.deregister, True),
    Action("CreateSnapshot", snapshots.create, True),
    Action("DeleteSnapshot", snapshots.delete, True),
    Action("DescribeSnapshots", snapshots.describe, False),
    Action("CreateVolume", volumes.create, True),
    Action("AttachVolume", volumes.attach, True),
    Action("DeleteVolume", volumes.delete, False),
    Action("DescribeVolumes", volumes.describe, False),
    Action("DetachVolume", volumes.detach, True),
    Action("CreateSecurityGroup", groups.create, False),
    Action("DeleteSecurityGroup", groups.delete, False),
    Action("DescribeSecurityGroups", groups.describe, False),
    Action("AuthorizeSecurityGroupIngress", groups.authorize, True),
    Action("RevokeSecurityGroupIngress", groups.revoke, True),
    Action("CreateKeyPair", key_pairs.create, False),
    Action("ImportKeyPair", key_pairs.register, False),
    Action("DeleteKeyPair", key_pairs.delete, False),
    Action("DescribeKeyPairs", key_pairs.describe, False),
    Action("CreateTags", tags.create, True),
    Action("DeleteTags", tags.delete, True),
    Action("DescribeTags", tags.describe, False),
    Action("DescribeAddresses", zones.describe_addresses, False),
)
# The actions that the measured bridge and the service's manual have in different ways, or the manual alone.
_DIALECTS = {
    "cloudstack": (Action("ModifyImageAttribute", images.modify_description, False),),
    "cloudn": (
        Action("ModifyImageAttribute", images.modify, False),
        Action("ModifyInstanceAttribute", instances.modify, False),
    ),
}


class Bridge:
    """Answers requests of the EC2-compatible API over a store."""

    paths: tuple[str, ...] = (PATH, PATH + "/{anywhere:.*}")
    methods: tuple[str, ...] = ("*",)
    credentials: tuple[str, ...] = ("awsaccesskeyid", "signature", "action")

    def __init__(self, store: Store, jobs: Jobs) -> None:
        self.store = store
        self.jobs = jobs
        self.actions = {action.name.lower(): action for action in (*_ACTIONS, *_DIALECTS[store.settings.dialect])}

    def command(self, params: dict[str, str]) -> tuple[str, bool]:
        """The name of the action, in any case, and whether it has a job."""
        name = params.get("Action", "")
        known = self.actions.get(name.lower())
        return (known.name, known.has_job) if known else (name, False)

    async def reply(self, asked: Asked, fault: FaultRule | None) -> Reply:
        """Do the action, to the end of its jobs."""
        try:
            return await self._done(asked, fault)
        except Refused as refusal:
            return refusal.reply
        except Failed as failure:
            return _failure(failure.text)
        except JavaError as error:
            return _failure(error.message)
        except Exception:
            log.exception("%s", asked.params.get("Action"))
            return _failure(UNEXPECTED)

    async def _done(self, asked: Asked, fault: FaultRule | None) -> Reply:
        if asked.method not in METHODS:
            raise Refused(_wrong_method(asked.method))
        self.store.expunge_due()
        run_due(self.store, self.jobs)
        if "Action" not in asked.params:
            raise Refused(page(500, "java.lang.NullPointerException"))
        account = check(asked, self.store)
        action = self.actions.get(asked.params["Action"].lower())
        if action is None:
            raise Refused(error(400, "Client.Unsupported", "This operation is not available"))
        body = await action.handler(Request(self.store, self.jobs, account, asked.params, fault))
        return answer(action.name, body, as_json=fault is not None and fault.kind == "other_format")

    def unauthorized(self, params: dict[str, str]) -> Reply:
        """The answer to wrong credentials."""
        return plain(403, "Access denied")


def _wrong_method(method: str) -> Reply:
    status = REFUSED.get(method, 501)
    if status == 200:
        return plain(200, "")
    if status == 405:
        return page(405, f"HTTP method {method} is not supported by this URL")
    return page(501, f"Method [{method}] is not implemented by this Servlet for this URI")


def _failure(text: str) -> Reply:
    return error(500, INTERNAL, text)

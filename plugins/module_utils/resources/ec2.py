# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any action of the EC2-compatible API, as a user gives it: checked, and sent."""

from __future__ import annotations

import datetime
import re
import typing as t

from ..api import Client, CloudnError, Deadline, Ec2Error, GivenUp, Record, UsageError, is_read
from ..api.ec2 import ACTIONS, flatten

if t.TYPE_CHECKING:
    from ..api.ec2 import Ec2Client

_ACTION = re.compile(r"[A-Za-z]+\Z")
_NAME = re.compile(r"[A-Za-z][\w-]*(\.[\w-]+)*\Z", re.ASCII)
_SET_BY_CLIENT = (
    "action",
    "awsaccesskeyid",
    "version",
    "signature",
    "signatureversion",
    "signaturemethod",
    "timestamp",
    "expires",
)
_SECRET = ("userdata", "password")
# The service stops a running instance for it, and starts it again only where the image is made. Source: CloudStack's.
_STOPS = "createimage"
# Seconds for a look at an instance.
_FOR_A_LOOK = 10.0


def send(client: Client, options: Record, check: bool = False) -> Record:
    """Send the action of ``options`` (the module's) and return the module's result. With ``check`` one that changes
    something is not sent.

    Raises ``UsageError`` for what can't be sent, before anything is sent, and what ``Ec2Client.call`` raises.
    """
    params, secrets = options.get("params") or {}, options.get("secret_params") or {}
    action = _checked_action(options["action"], options["unlisted"])
    shown = _checked("params", params)
    hidden = _checked("secret_params", secrets)
    twice = sorted(shown.keys() & hidden.keys())
    if twice:
        raise UsageError(f"params, secret_params: {', '.join(twice)} is in both")
    if client.ec2 is None:
        raise UsageError("ec2_url: is missing; set the option, or the environment variable CLOUDN_EC2_URL")
    if is_read(action):
        return {"actions": [], "result": _plain(client.ec2.call(action, {**shown, **hidden}))}
    told = [f"{name}={value}" for name, value in shown.items()] + [f"{name}=***" for name in hidden]
    outcome: Record = {"changed": True, "actions": [" ".join([action, *told])], "result": {}}
    if not check:
        outcome["result"] = _plain(_change(client.ec2, action, {**shown, **hidden}))
    return outcome


def _change(ec2: Ec2Client, action: str, params: Record) -> Record:
    """Send an action that changes something. An error tells of an instance that is left stopped."""
    try:
        return ec2.call(action, params)
    except (Ec2Error, GivenUp) as error:
        if action.lower() == _STOPS and (isinstance(error, GivenUp) or error.is_internal):
            _tell_of_the_instance(ec2, params, error)
        raise


def _tell_of_the_instance(ec2: Ec2Client, params: Record, error: CloudnError) -> None:
    """Look at the instance whose image was not made, and add to the error where it is stopped.

    An instance that runs, or is not there, shows that nothing was done, unless a job may still run.
    """
    try:
        ids = {"InstanceId": [params.get("InstanceId", "")]}
        found = ec2.call("DescribeInstances", ids, Deadline(_FOR_A_LOOK))["reservationSet"]
        state = found[0]["instancesSet"][0]["instanceState"]["name"]
    except Ec2Error:
        state = "not there"
    except (CloudnError, LookupError, TypeError):
        return
    if state in ("stopping", "stopped"):
        error.message += (
            f". The instance is {state} now: the service stops a running one for its image, and starts it again only "
            "where that is made. If it ran before, start it by StartInstances"
        )
    elif isinstance(error, Ec2Error):
        error.partly = False
    else:
        error.message += ". The service may still stop the instance for its image, and does not start it again then"


def _checked_action(action: str, unlisted: bool) -> str:
    """Return the name of an action, in EC2's letters where the service lists it. Raises ``UsageError`` for what is none."""
    if not _ACTION.match(action):
        raise UsageError(f"action: {action!r} is no name of an action, such as DescribeInstances")
    alike = next((one for one in ACTIONS if one.lower() == action.lower()), None)
    if action not in ACTIONS and not unlisted:
        meant = f"; is {alike} meant?" if alike else f", which are {', '.join(ACTIONS)};"
        raise UsageError(
            f"action: {action} is none of those that the service lists{meant} unlisted: true sends any other"
        )
    return alike or action


def _checked(option: str, given: Record) -> dict[str, str]:
    """Return parameters in EC2's form. Raises ``UsageError`` for what must not or can't be sent, without a word of what is
    secret.
    """
    try:
        flat = flatten(given)
    except UsageError as error:
        raise UsageError(f"{option}: {error.message}") from None
    for name in flat:
        if not _NAME.match(name):
            raise UsageError(f"{option}: {name!r} is no name of a parameter")
        words = name.lower().split(".")
        if words[0] in _SET_BY_CLIENT:
            raise UsageError(f"{option}: {name} can't be given, the module sets it itself")
        if option == "params" and any(word in _SECRET for word in words):
            raise UsageError(f"params: {name} is secret: put it into secret_params, whose values are not shown")
    return flat


def _plain(value: t.Any) -> t.Any:
    """Return an answer with its moments as texts, as a result of Ansible's holds no others."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime.datetime) else value

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any action of the EC2-compatible API, as the user gives it: checked and sent."""

from __future__ import annotations

import datetime
import re
import typing as t

from ..api import Client, CloudnError, Deadline, Ec2Error, GivenUp, Record, UsageError
from ..api.ec2 import ACTIONS, flatten
from ..wrong_values import nearest
from . import request

if t.TYPE_CHECKING:
    from ..api.ec2 import Ec2Client

_ACTION = re.compile(r"[A-Za-z]+\Z")
_NAMES = request.Names(
    pattern=re.compile(r"[A-Za-z][\w-]*(\.[\w-]+)*\Z", re.ASCII),
    split=lambda name: name.lower().split("."),
    set_by_client=(
        "action",
        "awsaccesskeyid",
        "version",
        "signature",
        "signatureversion",
        "signaturemethod",
        "timestamp",
        "expires",
    ),
    secret=("userdata", "password"),
)
# For this action the service stops a running instance. It starts the instance again only if it made the image. Source:
# CloudStack's source.
_STOPS = "createimage"
# Seconds for a look at an instance.
_FOR_A_LOOK = 10.0


def send(client: Client, options: Record, check: bool = False) -> Record:
    """Send the action of the module's options, and return the module's result.

    With ``check`` an action that changes something is not sent. Raises ``UsageError`` for what can't be sent, before
    anything is sent, and what ``Ec2Client.call`` raises.
    """
    action = _checked_action(options["action"], options["unlisted"])
    shown = _checked("params", options.get("params") or {})
    secrets = _checked("secret_params", options.get("secret_params") or {})
    request.check_once(shown, secrets)
    ec2 = client.ec2
    if ec2 is None:
        raise UsageError("ec2_url: is missing; set the option, or the environment variable CLOUDN_EC2_URL")
    both = {**shown, **secrets}
    return request.run(
        action,
        shown,
        secrets,
        check,
        lambda: _dates_as_text(ec2.call(action, both)),
        lambda: {"result": _dates_as_text(_change(ec2, action, both))},
    )


def _change(ec2: Ec2Client, action: str, params: Record) -> Record:
    """Send an action that changes something. The error says so where it leaves an instance stopped."""
    try:
        return ec2.call(action, params)
    except (Ec2Error, GivenUp) as error:
        if action.lower() == _STOPS and (isinstance(error, GivenUp) or error.is_internal):
            _add_state(ec2, params, error)
        raise


def _add_state(ec2: Ec2Client, params: Record, error: CloudnError) -> None:
    """Look at the instance whose image was not made, and add its state to the error where it is stopped.

    If the instance runs, or is not there, nothing was done, unless a job may still run.
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
    """Return the name of an action, in EC2's spelling where the service lists it. Raises ``UsageError`` for other names."""
    if not _ACTION.match(action):
        raise UsageError(f"action: {action!r} is no name of an action, such as DescribeInstances")
    alike = next((one for one in ACTIONS if one.lower() == action.lower()), None)
    if action not in ACTIONS and not unlisted:
        near = alike or nearest(action, ACTIONS)
        meant = f"; do you mean {near}?" if near else f", which are {', '.join(ACTIONS)};"
        raise UsageError(
            f"action: {action} is not an action that the service lists{meant} unlisted: true sends any other"
        )
    return alike or action


def _checked(option: str, given: Record) -> dict[str, str]:
    """Return parameters in EC2's form.

    Raises ``UsageError`` for what must not or can't be sent. Its message holds nothing secret.
    """
    try:
        flat = flatten(given)
    except UsageError as error:
        raise UsageError(f"{option}: {error.message}") from None
    for name in flat:
        _NAMES.check(option, name)
    return flat


def _dates_as_text(value: t.Any) -> t.Any:
    """Return an answer with its dates as texts: a result of Ansible's can't hold others."""
    if isinstance(value, dict):
        return {name: _dates_as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_dates_as_text(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime.datetime) else value

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adds advice to the messages of errors: what is known of the outcome, and what to do next."""

from __future__ import annotations

import typing as t

from . import limits
from .api import (
    ApiError,
    Client,
    CloudnError,
    Ec2Error,
    JobFailed,
    JobTimeout,
    Missing,
    NotGranted,
    NotSent,
    UnknownOutcome,
    is_read,
)
from .api.errors import INTERNAL, Throttled, joined
from .api.jobs import OR_AGAIN

# The error code of wrong credentials. The message has advice already.
_UNAUTHORISED = 401
_TAGS = "leave out tags; everything else works without them"
_KEY_PAIRS = "put public keys into VMs by user_data or by the template they are made from, and use no key pairs"
_PERMISSIONS = (
    "set ec2_url, if the service's EC2-compatible API has launch permissions, or leave out accounts; everything else works "
    "without it"
)
_POLICIES = "run cloudn_snapshot with max_age and keep as often as snapshots shall be taken"
_INSTEAD = {
    "createTags": _TAGS,
    "deleteTags": _TAGS,
    "listTags": _TAGS,
    "createSSHKeyPair": _KEY_PAIRS,
    "registerSSHKeyPair": _KEY_PAIRS,
    "deleteSSHKeyPair": _KEY_PAIRS,
    "listSSHKeyPairs": _KEY_PAIRS,
    "recoverVirtualMachine": (
        "leave out recover, and wait until the service has expunged the VM, or ask the service's support to recover it"
    ),
    "restoreVirtualMachine": (
        "destroy the VM (state: absent), and make a new one of another name, or of the same name when the service has "
        "expunged the old VM"
    ),
    "updateTemplatePermissions": _PERMISSIONS,
    "listTemplatePermissions": _PERMISSIONS,
    "listSnapshotPolicies": _POLICIES,
    "createSnapshotPolicy": _POLICIES,
    "deleteSnapshotPolicies": _POLICIES,
}


# Why the service fails to list a virtual machine. Source: measured on CloudStack 3.0.5.
LOST_KEY_PAIR = (
    "its SSH key pair was deleted or replaced. Register the same public key again, under any name (cloudn_key_pair with "
    "public_key), or destroy the VM by its id (cloudn_vm with state: absent)"
)

# Objects of EC2's actions. A Describe action shows each.
_EC2_OBJECTS = ("Instance", "Image", "Snapshot", "Volume")
# Inner error codes of jobs that were refused at once: wrong parameters, and objects of other accounts.
_NOT_BEGUN = (430, 431, 531)
_SETS_AGAIN = "which sets the same once more"
# Commands that a task sends each time it runs, whatever exists already.
_REPEATED = (
    "rebootVirtualMachine",
    "restoreVirtualMachine",
    "resetPasswordForVirtualMachine",
    "extractVolume",
    "extractTemplate",
)


class _Task(t.NamedTuple):
    """``looks``: it looks at what exists before it changes something. ``check``: it runs in check mode."""

    looks: bool
    check: bool


def advise_all(
    errors: t.Sequence[CloudnError], looks: bool = True, client: Client | None = None, check: bool = False
) -> None:
    """Add advice to the messages of the errors of one task.

    ``looks`` tells whether the task looks at what exists before it changes something, so that it can run again. ``client``
    is used to ask which limit was the reason of a refusal. ``check`` tells whether the task runs in check mode.
    """
    causes = limits.causes(client, errors) if client else {}
    for error in errors:
        error.cause = causes.get(error) or error.cause
        _advise(error, _Task(looks, check))


def _advise(error: CloudnError, task: _Task) -> None:
    command = error.command or ""
    if isinstance(error, JobTimeout) and (command in _REPEATED or not task.looks):
        error.message = error.message.replace(OR_AGAIN, ". Running the task again would do it once more")
    texts = (advice(error, command, task) for kind, advice in _ADVICE if isinstance(error, kind))
    error.message = joined(error.message, next(filter(None, texts), ""))


def _missing(_error: Missing, _command: str, task: _Task) -> str:
    if not task.check:
        return ""
    return (
        ". Check mode makes nothing. If an earlier task of this play makes it, this is no mistake: run the play "
        "without --check"
    )


def _not_granted(_error: NotGranted, command: str, task: _Task) -> str:
    if not command:
        return ""
    # Who sends a command by its name has none of the options that could be left out.
    instead = _INSTEAD.get(command) if task.looks else None
    instead = instead or "check the name, or ask the operator of the service to grant it"
    return f". The service does not know {command}, or does not grant it to this account: {instead}"


def _not_sent(error: NotSent, _command: str, _task: _Task) -> str:
    if isinstance(error, Throttled):
        return ". It was not done; run the task again later, or with more api_retries"
    return ". It was not done; run the task again when the service can be reached" if error.transient else ""


def _unknown_outcome(error: UnknownOutcome, command: str, task: _Task) -> str:
    if is_read(command):
        return ". That command only reads; run the task again when the service answers well"
    if error.way_out:
        return f". {error.way_out}"
    if command.lower().startswith("modify"):
        advice = f"run the task again, {_SETS_AGAIN}"
    elif task.looks and command not in _REPEATED:
        advice = "run the task again, it looks first and does only what is missing"
    else:
        advice = f"{_look(command)} before you run the task again, which would do it once more"
    return f". It is not known whether it was done: {advice}"


def _ec2_error(error: Ec2Error, command: str, _task: _Task) -> str:
    """Return how much was done, and what to do, for an error that the service calls its own."""
    if not error.is_internal or is_read(command):
        return ""
    again = "correct the cause, and run the task again"
    if command.lower().startswith("modify"):
        return f". It failed; {again}, {_SETS_AGAIN}"
    if error.partly:
        return f". It is not known whether a part of it was done: {_look(command)} before you run the task again"
    if error.job_code is None or error.job_code in _NOT_BEGUN:
        return f". It was not done; {again}"
    return f". It failed; correct the cause, and {_look(command)} before you run the task again"


def _refusal(error: ApiError, command: str, _task: _Task) -> str:
    if (command, error.code) == ("listVirtualMachines", INTERNAL):
        return f". On CloudStack 3 this error comes from a VM in the list: {LOST_KEY_PAIR}"
    if error.code in (None, _UNAUTHORISED) or is_read(command):
        return ""
    outcome = "failed" if isinstance(error, JobFailed) or error.code == INTERNAL else "was not done"
    if error.way_out:
        return f". It {outcome}" + (f": {error.cause}" if error.cause else "") + f". {error.way_out}"
    return f". It {outcome}" + (f": {error.cause}" if error.cause else "; correct the cause, and run the task again")


# Classes of errors, and the functions with their advice. The first text that is not empty is added.
_ADVICE: tuple[tuple[type[CloudnError], t.Callable[..., str]], ...] = (
    (Missing, _missing),
    (NotGranted, _not_granted),
    (NotSent, _not_sent),
    (UnknownOutcome, _unknown_outcome),
    (Ec2Error, _ec2_error),
    (ApiError, _refusal),
)


def _look(command: str) -> str:
    """Return how to find out the outcome of a command. A native command is never all in small letters."""
    name = command.lower() if command[:1].isupper() or command.islower() else ""
    about = [kind for kind in _EC2_OBJECTS if kind.lower() in name]
    return f"look by Describe{about[0]}s" if about else "look"

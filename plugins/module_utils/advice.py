# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do next, for who runs into an error: added to its message, in one place."""

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
from .api.jobs import OR_AGAIN

# Refusals that tell what to check, and failures of the service itself.
_UNAUTHORISED, _INTERNAL = 401, 530
_TAGS = "leave out tags; everything else works without them"
_KEY_PAIRS = "put public keys into machines by user_data or by the template they are made from, and leave out key_pair"
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
        "leave out recover, and wait until the service has expunged the machine, or ask the service's support to recover it"
    ),
    "restoreVirtualMachine": "destroy the machine and make a new one (state: absent, then present)",
    "updateTemplatePermissions": _PERMISSIONS,
    "listTemplatePermissions": _PERMISSIONS,
    "listSnapshotPolicies": _POLICIES,
    "createSnapshotPolicy": _POLICIES,
    "deleteSnapshotPolicies": _POLICIES,
}


# Why the service fails to list a virtual machine; measured on CloudStack 3.0.5.
LOST_KEY_PAIR = (
    "its SSH key pair was deleted or replaced. Register the same public key again, under any name (cloudn_key_pair with "
    "public_key), or destroy the machine by its id (cloudn_vm with state: absent)"
)

# What EC2's actions are about, and may be looked at by Describe.
_OF_EC2 = ("Instance", "Image", "Snapshot", "Volume")
# Inner error codes of jobs that were refused before they began: wrong parameters, and objects of others.
_NOT_BEGUN = (430, 431, 531)
_SETS_AGAIN = "which sets the same once more"
# What a task does each time it runs, whatever there is already.
_REPEATED = (
    "rebootVirtualMachine",
    "restoreVirtualMachine",
    "resetPasswordForVirtualMachine",
    "extractVolume",
    "extractTemplate",
)


def advise_all(
    errors: t.Sequence[CloudnError], looks: bool = True, client: Client | None = None, check: bool = False
) -> None:
    """Add to the messages of errors of one task what is known of the outcome, and what to do.

    ``looks`` tells whether a task looks what is there before it changes something, so that it can be run again. By
    ``client`` it is asked which limit a command was refused for; without one this is not told. ``check`` tells whether a task
    only tells what it would do.
    """
    causes = limits.causes(client, errors) if client else {}
    for error in errors:
        error.cause = causes.get(error, "")
        _advise(error, looks, check)


def _advise(error: CloudnError, looks: bool, check: bool) -> None:
    command = error.command or ""
    if isinstance(error, Missing) and check:
        error.message += (
            ". In check mode nothing is made: if an earlier task of this play makes it, this is no mistake: run the play "
            "without --check"
        )
    elif isinstance(error, NotGranted) and command:
        instead = _INSTEAD.get(command, "check the name, or ask who runs the service to grant it")
        error.message += f". The service does not know {command}, or does not grant it to this account: {instead}"
    elif isinstance(error, JobTimeout) and (command in _REPEATED or not looks):
        error.message = error.message.replace(OR_AGAIN, ". Running the task again would do it once more")
    elif isinstance(error, NotSent) and error.transient:
        error.message += ". It was not done; run the task again when the service can be reached"
    elif isinstance(error, ApiError) and (command, error.code) == ("listVirtualMachines", _INTERNAL):
        error.message += f". That is so where a virtual machine is to be shown and {LOST_KEY_PAIR}"
    elif isinstance(error, UnknownOutcome) and is_read(command):
        error.message += ". That command only reads; run the task again when the service answers well"
    elif isinstance(error, UnknownOutcome):
        error.message += ". Whether it was done is not known: "
        if command.lower().startswith("modify"):
            error.message += f"run the task again, {_SETS_AGAIN}"
        elif looks and command not in _REPEATED:
            error.message += "run the task again, it looks first and does only what is missing"
        else:
            error.message += f"{_look(command)} before you run the task again, which would do it once more"
    elif isinstance(error, Ec2Error) and error.is_internal and not is_read(command):
        error.message += _of_ec2(error, command)
    elif isinstance(error, ApiError) and error.code not in (None, _UNAUTHORISED) and not is_read(command):
        failed = isinstance(error, JobFailed) or error.code == _INTERNAL
        why = f": {error.cause}" if error.cause else "; see to the reason, and run the task again"
        error.message += f". It {'failed' if failed else 'was not done'}{why}"


def _of_ec2(error: Ec2Error, command: str) -> str:
    """Return what to add to an error that EC2's half calls its own: how much was done, and what to do."""
    again = "see to the reason, and run the task again"
    if command.lower().startswith("modify"):
        return f". It failed; {again}, {_SETS_AGAIN}"
    if error.partly:
        return f". Whether a part of it was done is not known: {_look(command)} before you run the task again"
    if error.job_code is None or error.job_code in _NOT_BEGUN:
        return f". It was not done; {again}"
    return f". It failed; see to the reason, and {_look(command)} before you run the task again"


def _look(command: str) -> str:
    """Return how to look what became of a command. No native command is all in small letters."""
    name = command.lower() if command[:1].isupper() or command.islower() else ""
    about = [kind for kind in _OF_EC2 if kind.lower() in name]
    return f"look by Describe{about[0]}s" if about else "look"

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do next, for who runs into an error: added to its message, in one place."""

from __future__ import annotations

from .api import ApiError, CloudnError, Ec2Error, JobFailed, NotGranted, NotSent, UnknownOutcome, is_read

# Refusals that tell what to check, and failures of the service itself.
_UNAUTHORISED, _INTERNAL = 401, 530
_TAGS = "leave out tags; everything else works without them"
_KEY_PAIRS = "put public keys into machines by user_data or by the template they are made from, and leave out key_pair"
_PERMISSIONS = (
    "set ec2_url, if the service's EC2-compatible API has launch permissions, or leave out accounts; everything else works "
    "without it"
)
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
    "updateTemplatePermissions": _PERMISSIONS,
    "listTemplatePermissions": _PERMISSIONS,
}


# What EC2's actions are about, and may be looked at by Describe.
_OF_EC2 = ("Instance", "Image", "Snapshot", "Volume")
# What a task does each time it runs, whatever there is already.
_REPEATED = ("rebootVirtualMachine", "resetPasswordForVirtualMachine", "extractVolume", "extractTemplate")


def advise(error: CloudnError, looks: bool = True) -> None:
    """Add to an error's message what is known of the outcome, and what to do.

    ``looks`` tells whether a task looks what is there before it changes something, so that it can be run again.
    """
    command = error.command or ""
    if isinstance(error, NotGranted) and command:
        instead = _INSTEAD.get(command, "check the name, or ask who runs the service to grant it")
        error.message += f". The service does not know {command}, or does not grant it to this account: {instead}"
    elif isinstance(error, NotSent) and error.passing:
        error.message += ". It was not done; run the task again when the service can be reached"
    elif isinstance(error, UnknownOutcome) and is_read(command):
        error.message += ". That command only reads; run the task again when the service answers well"
    elif isinstance(error, UnknownOutcome):
        error.message += ". Whether it was done is not known: "
        if command.startswith("Modify"):
            error.message += "run the task again, which sets the same once more"
        elif looks and command not in _REPEATED:
            error.message += "run the task again, it looks first and does only what is missing"
        else:
            error.message += f"{_look(command)} before you run the task again, which would do it once more"
    elif isinstance(error, Ec2Error) and str(error.code).startswith("Server") and not is_read(command):
        # Actions wait for jobs, so one that ends badly may have done something.
        error.message += (
            f". It failed, at the beginning or in the middle: {_look(command)} before you run the task again"
        )
    elif isinstance(error, ApiError) and error.code not in (None, _UNAUTHORISED) and not is_read(command):
        failed = isinstance(error, JobFailed) or error.code == _INTERNAL
        error.message += f". It {'failed' if failed else 'was not done'}; see to the reason, and run the task again"


def _look(command: str) -> str:
    """Return how to look what became of a command."""
    about = [kind for kind in _OF_EC2 if kind in command and command[0].isupper()]
    return f"look by Describe{about[0]}s" if about else "look"

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do instead, for who runs into a command that the account lacks."""

from __future__ import annotations

from .api import CloudnError

_NOT_GRANTED = 432
_TAGS = "leave out tags; everything else works without them"
_KEY_PAIRS = "put public keys into machines by user_data or by the template they are made from, and leave out key_pair"
_PERMISSIONS = "leave out accounts; everything else works without it"
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


def advise(error: CloudnError) -> None:
    """Add to the message of a 432 (no such command, or not for this account) what to use instead."""
    if error.code == _NOT_GRANTED and error.command:
        instead = _INSTEAD.get(error.command, "check the name, or ask who runs the service to grant it")
        error.message += f". The service does not know {error.command}, or does not grant it to this account: {instead}"

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who needs an SSH key pair: a machine whose pair is gone can't be shown any more by the service."""

from __future__ import annotations

from ..api import Client, Record, UsageError
from .lookup import same_name
from .vm import view as vm

_MOST_MACHINES_TOLD = 20


def check_unused(client: Client, name: str) -> None:
    """Raise ``UsageError``, with the machines, where machines show this key pair and no other pair holds its public key.

    The service shows of a machine the first pair that holds its public key, and fails over one without such a pair (530);
    measured on CloudStack 3.0.5. It costs a listing of the machines and, where some show the pair, one of the pairs.
    """
    users = [machine for machine in vm.every(client) if same_name(machine.get("keypair"), name)]
    if not users or _has_twin(client.list("listSSHKeyPairs"), name):
        return
    names = ", ".join(sorted(map(_told, users))[:_MOST_MACHINES_TOLD])
    more = f" and {len(users) - _MOST_MACHINES_TOLD} more" if len(users) > _MOST_MACHINES_TOLD else ""
    raise UsageError(
        f"name: virtual machines have the key pair {name}: {names}{more}. Without it the service fails over every list that would "
        "show one of them (error 530), and says that commands on them failed. Destroy them first, give another key another "
        "name, or set break_machines: true to have it so"
    )


def _told(machine: Record) -> str:
    gone = f", {machine['state']}" if machine.get("state") in vm.GONE else ""
    return f"{machine.get('name')} ({machine['id']}{gone})"


def _has_twin(pairs: list[Record], name: str) -> bool:
    """Tell whether pairs of other names hold the public keys of all pairs of this name: two runs may have made several."""
    own = {_print(pair) for pair in pairs if same_name(pair.get("name"), name)}
    return own <= {_print(pair) for pair in pairs if not same_name(pair.get("name"), name)}


def _print(pair: Record) -> str:
    return str(pair.get("fingerprint")).lower()

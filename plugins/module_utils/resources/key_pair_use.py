# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps an SSH key pair from being deleted: machines that need it, and a new key that another pair holds."""

from __future__ import annotations

from ..api import Client, Record, UsageError
from .lookup import first, same_name
from .vm import view as vm


def check_unused(client: Client, name: str) -> None:
    """Raise ``UsageError`` with the machines that show this key pair, unless another pair holds its public key.

    The service shows the first pair that holds a machine's public key, and fails over a machine without such a pair (530);
    measured on CloudStack 3.0.5. The check lists the machines and, if some show the pair, the pairs.
    """
    # CloudStack 4 shows `keypairs` in place of `keypair`, and goes on showing such a machine; measured on 4.23.
    users = [machine for machine in vm.every(client) if same_name(machine.get("keypair"), name)]
    if not users or _has_duplicates(client.list("listSSHKeyPairs"), name):
        return
    raise UsageError(
        f"name: VMs have the key pair {name}: {first(map(_describe, users))}. Without the pair the service fails on every list with one of "
        "them (error 530), and reports commands on them as failed. Destroy them first, use another name for another key, or set break_machines: true"
    )


def check_free(client: Client, name: str, fingerprint: str) -> None:
    """Raise ``UsageError`` if a pair of another name holds a public key: CloudStack 4 then refuses it (431); measured on 4.23.

    The old pair would be deleted before that.
    """
    holders = client.list("listSSHKeyPairs", {"fingerprint": fingerprint})
    others = [str(pair.get("name")) for pair in holders if not same_name(pair.get("name"), name)]
    if others:
        raise UsageError(
            f"public_key: the key pair {first(others)} holds this key already ({fingerprint}), and this service takes a key only once. "
            "Use that pair, or delete it first"
        )


def _describe(machine: Record) -> str:
    gone = f", {machine['state']}" if machine.get("state") in vm.GONE else ""
    return f"{machine.get('name')} ({machine['id']}{gone})"


def _has_duplicates(pairs: list[Record], name: str) -> bool:
    """Tell whether pairs of other names hold the public keys of all pairs of this name. Two runs may have made several."""
    own = {_print(pair) for pair in pairs if same_name(pair.get("name"), name)}
    return own <= {_print(pair) for pair in pairs if not same_name(pair.get("name"), name)}


def _print(pair: Record) -> str:
    return str(pair.get("fingerprint")).lower()

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key pair of a virtual machine: looked up for a new machine, compared by name and fingerprint on an existing one."""

from __future__ import annotations

from ...api import Client, NotGranted, Record
from ..lookup import not_there, same_name
from .view import key_pairs_of


def lookup(client: Client, wanted: str, is_new: bool, existing: list[Record]) -> list[Record] | None:
    """Return the account's key pairs, ``None`` if no comparison needs them or the account can't list them.

    ``is_new`` says that a machine is to be made with the pair ``wanted``. Then raises ``UsageError`` if there is no pair of
    this name.
    """
    differ = any(_differs(record, wanted) for record in existing)
    if not (differ or is_new):
        return None
    try:
        pairs = client.list("listSSHKeyPairs", {} if differ else {"name": wanted})
    except NotGranted:
        return None  # an account that can't list them may still use them
    if is_new and not _prints(pairs, wanted):
        raise not_there("key_pair", "key pair", wanted, "; cloudn_key_pair_info lists the existing ones")
    return pairs


def compare(name: str, record: Record, wanted: str, pairs: list[Record] | None, warnings: list[str]) -> str | None:
    """Return the difference between a machine's key pair and ``wanted``, ``None`` if there is none.

    A machine that shows no pair has none: ``vm.lost`` marks one whose pair the service can't show. The service keeps a
    machine's public key. It shows the name of the first pair that holds it, of any account; measured on CloudStack 3.0.5. So
    pairs of other names may hold the same key. Without ``pairs``, the names decide. Appends to ``warnings`` if nothing can
    decide.
    """
    shown = ", ".join(key_pairs_of(record))
    if not shown:
        return f"key_pair is none, not {wanted!r}"
    if not _differs(record, wanted):
        return None
    of_shown = set().union(*(_prints(pairs or [], name) for name in key_pairs_of(record)))
    of_wanted = _prints(pairs or [], wanted)
    if of_shown & of_wanted:
        return None
    if of_wanted and not of_shown:
        warnings.append(f"{name}: its key pair {shown!r} is not of this account and can't be compared with {wanted!r}")
        return None
    return f"key_pair is {shown!r}, not {wanted!r}"


def _differs(record: Record, wanted: str) -> bool:
    """Tell whether a machine shows key pairs, and none of this name."""
    shown = key_pairs_of(record)
    return bool(shown) and not any(same_name(name, wanted) for name in shown)


def _prints(pairs: list[Record], name: str) -> set[str]:
    """Return the fingerprints of the pairs of this name; two runs at once may have made several."""
    return {str(pair.get("fingerprint")).lower() for pair in pairs if same_name(pair.get("name"), name)}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account of a task: whether it is an administrator."""

from __future__ import annotations

from ..api import Client, NotGranted

_ROOT_ADMIN = 1


def is_administrator(client: Client) -> bool | None:
    """Tell whether the account is an administrator of the whole service; ``None`` if it may not ask.

    The answer holds the account's keys in plain text (measured on CloudStack 3.0.5), so the rest of it is not kept.
    """
    try:
        accounts = client.list("listAccounts")
    except NotGranted:
        return None
    return any(account.get("accounttype") == _ROOT_ADMIN for account in accounts) if accounts else None

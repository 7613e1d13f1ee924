# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many requests an account may send in an interval, where the operator limits that. Measured on CloudStack 4.23."""

from __future__ import annotations

import time

from .models import Account
from .settings import THROTTLING, THROTTLING_MOST, THROTTLING_SECONDS, Settings


class Throttle:
    """Counts the requests of each account. An interval begins with the first request after the one before.

    Administrators have no limit: CloudStack's source.
    """

    def __init__(self, settings: Settings) -> None:
        self.is_on = settings.server_value(THROTTLING) == "true"
        self.seconds = float(settings.server_value(THROTTLING_SECONDS))
        self.most = int(settings.server_value(THROTTLING_MOST))
        self._counts: dict[str, tuple[float, int]] = {}

    def is_over(self, account: Account) -> bool:
        """Count a request of an account, and tell whether it is one too many."""
        if not self.is_on or account.admin:
            return False
        now = time.monotonic()
        began, count = self._counts.get(account.name, (now, 0))
        if now - began >= self.seconds:
            began, count = now, 0
        self._counts[account.name] = began, count + 1
        return count >= self.most

    def seconds_left(self, account: Account) -> float:
        """How long the interval of an account still lasts."""
        began, _count = self._counts[account.name]
        return max(0.0, began + self.seconds - time.monotonic())

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The service's clock beside this machine's, by the dates of answers."""

from __future__ import annotations

import typing as t
from email.utils import parsedate_to_datetime

# Seconds. A smaller difference of the clocks does no harm; an answer's date may be as old as that, too.
_CLOCKS_AGREE = 60.0
_CREDENTIALS = "check api_key and api_secret"
_NOT_ACCEPTED = ": the service does not know the key, or the secret does not belong to it"


class ServiceClock:
    """Knows how far this machine's clock is ahead of the service's. ``now`` returns this machine's time."""

    def __init__(self, now: t.Callable[[], float]) -> None:
        self._now = now
        self._ahead: float | None = None

    def compare(self, date: str | None) -> None:
        """Take in the Date of an answer that has just come."""
        try:
            self._ahead = self._now() - parsedate_to_datetime(t.cast(str, date)).timestamp()
        except (TypeError, ValueError, OverflowError, IndexError):  # some texts break the parser
            return

    def time(self) -> float:
        """Return the service's time in seconds since the epoch. Before any date this machine's time stands for it."""
        return self._now() - (self._ahead or 0.0)

    def describe(self) -> str:
        """Return a text that tells the difference of the clocks; empty where they agree, or nothing is known."""
        ahead = self._ahead or 0.0
        if abs(ahead) <= _CLOCKS_AGREE:
            return ""
        return f"this machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the service's"

    def expires_on_the_way(self, signature_expires: int) -> bool:
        """Tell whether a signature with this life in seconds has expired when the service gets it. 0 never expires."""
        return bool(signature_expires) and -(self._ahead or 0.0) > signature_expires - _CLOCKS_AGREE

    def hint(self, signature_expires: int, advice: str = _CREDENTIALS) -> str:
        """Return a hint for a refusal of credentials: ``advice``, and the clock where that may be the reason."""
        if self.expires_on_the_way(signature_expires):
            return f"; {self.describe()}: set it right, as signatures that live {signature_expires} s have expired when they arrive"
        clock = ", and this machine's clock" if self._ahead is None and "clock" not in advice else ""
        if advice != _CREDENTIALS:
            return f"; {advice}{clock}"
        return f"; {advice}{clock}{_NOT_ACCEPTED}{', or the clocks differ' if clock else ''}"

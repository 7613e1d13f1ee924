# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator of Cloudn Compute (FLAT): a real HTTP server over a store in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .emulator import Emulator
else:

    def __getattr__(name: str) -> Any:
        """Import the emulator when it is used: pytest imports this package in each run, for its plugin."""
        if name == "Emulator":
            from .emulator import Emulator

            return Emulator
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = ["Emulator"]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page at `/`: it shows what the emulator holds and does, live. It changes nothing."""

from __future__ import annotations

from .recent import Recent
from .routes import Page

__all__ = ["Page", "Recent"]

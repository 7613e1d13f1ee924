# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An emulator of Cloudn Compute (FLAT): a real HTTP server over a store in memory."""

from __future__ import annotations

from .emulator import Emulator

__all__ = ["Emulator"]

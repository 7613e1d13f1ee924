# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: rules that say which requests go wrong, and how."""

from __future__ import annotations

from .choosing import Faults
from .reading import BadRule
from .rule import FaultRule, Given

__all__ = ["BadRule", "FaultRule", "Faults", "Given"]

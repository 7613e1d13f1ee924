# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version of the emulator that is installed."""

from __future__ import annotations

from functools import lru_cache
from importlib import metadata


@lru_cache(maxsize=1)
def version() -> str:
    """The version, or `unknown` where the package is used without being installed."""
    try:
        return metadata.version("cloudn-emulator")
    except metadata.PackageNotFoundError:
        return "unknown"

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the tests' own helpers importable."""

from __future__ import annotations

import pathlib
import sys

for _folder in ("property", "faults", "guides"):
    sys.path.append(str(pathlib.Path(__file__).parents[1] / _folder))

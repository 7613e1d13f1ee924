# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes what other tests have importable: servers and certificates, and the scripts of the documentation's site."""

from __future__ import annotations

import pathlib
import sys

for _folder in ("tests/unit/api", "docs/docsite", "pictures"):
    sys.path.append(str(pathlib.Path(__file__).parents[2] / _folder))

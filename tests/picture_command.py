# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that draws pictures, and its drawing. Both lie outside of all packages."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "pictures"))

from drawing import HEIGHT, layout, placed, svg

__all__ = ["HEIGHT", "command", "layout", "placed", "svg"]

PROGRAM = pathlib.Path(__file__).parent.parent / "pictures" / "__main__.py"
SPEC = importlib.util.spec_from_file_location("pictures", PROGRAM)
assert SPEC and SPEC.loader
command = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(command)

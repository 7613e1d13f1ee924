# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The EC2-compatible API, as the bridge of CloudStack 3.0.5 has it: it calls the native commands."""

from __future__ import annotations

from .bridge import PATH, Bridge

__all__ = ["PATH", "Bridge"]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hypervisors that CloudStack 3.0's code knows."""

from __future__ import annotations

KNOWN = ["Simulator", "XenServer", "KVM", "VMware", "Hyperv", "VirtualBox", "Parralels", "BareMetal", "Ovm", "Any"]
NONE = "None"


def hypervisor_of(text: str | None) -> str:
    """The hypervisor that a parameter means, in any case, or NONE for an unknown one."""
    wanted = (text or "").lower()
    return next((name for name in KNOWN if name.lower() == wanted), NONE)

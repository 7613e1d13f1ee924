# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How commands of Ansible, as processes of their own, reach an emulator."""

from __future__ import annotations

import os
import pathlib
import sys
from typing import Any


def environment_of(emulator: Any) -> dict[str, str]:
    """The environment in which commands of Ansible reach an emulator."""
    return {
        **os.environ,
        "PATH": f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CLOUDN_API_URL": emulator.url,
        "CLOUDN_EC2_URL": emulator.ec2_url,
        "CLOUDN_API_KEY": emulator.api_key,
        "CLOUDN_API_SECRET": emulator.api_secret,
        "ANSIBLE_NOCOLOR": "true",
    }

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How commands of Ansible, as processes of their own, reach an emulator, and how their listings are read."""

from __future__ import annotations

import os
import pathlib
import sys
from typing import Any

from programs import cloudn_variables, with_programs


def connection_to(emulator: Any) -> dict[str, Any]:
    """Return the options by which a module or the inventory reaches an emulator."""
    return {"api_url": emulator.url, "api_key": emulator.api_key, "api_secret": emulator.api_secret}


def environment_of(emulator: Any) -> dict[str, str]:
    """Return the environment in which commands of Ansible reach an emulator."""
    ours = cloudn_variables(emulator.url, emulator.api_key, emulator.api_secret)
    return {
        **with_programs(os.environ, pathlib.Path(sys.executable).parent),
        **ours,
        "CLOUDN_EC2_URL": emulator.ec2_url,
        "ANSIBLE_NOCOLOR": "true",
    }


def without_marks(value: Any) -> Any:
    """Return a value of a listing without the mark that older versions of ansible-inventory put around data."""
    if isinstance(value, dict):
        if value.keys() == {"__ansible_unsafe"}:
            return value["__ansible_unsafe"]
        return {key: without_marks(item) for key, item in value.items()}
    return [without_marks(item) for item in value] if isinstance(value, list) else value

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switches: what a user turns off for all tasks by a variable of Ansible, or in Ansible's environment."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean


def is_on(switch: str, variables: t.Mapping[str, t.Any], template: t.Callable[[t.Any], t.Any]) -> bool:
    """Tell whether a switch is on, such as ``cloudn_progress``. It is on unless somebody turns it off.

    ``variables`` are those of the task, and ``template(value)`` returns one with its templates replaced. The variable has the
    name of the switch and wins over the environment, which has it in capitals. An empty value counts as none.

    Raises ``AnsibleError`` for a value that is neither true nor false.
    """
    name, value = switch, template(variables[switch]) if switch in variables else None
    if value in (None, ""):
        name, value = switch.upper(), os.environ.get(switch.upper()) or True
    try:
        return bool(boolean(value))
    except TypeError as error:
        raise AnsibleError(f"{name}: must be true or false, not {value!r}") from error

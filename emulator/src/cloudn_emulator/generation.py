# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between generations of CloudStack for all commands.

A difference of one command stands in its entry of the catalogue.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .errors import INTERNAL, NO_COMMAND, ApiError


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation of CloudStack.

    `version` is in listCapabilities and in each answer in XML. `job_classes` is the beginning of the classes that jobs
    show as their commands. `success` is the answer of a command without a job that has nothing else to say.
    `no_command` is the error for a command that does not exist, `not_granted` for one that the account lacks, by its
    name. `job_code` gives the code of a failed job for the code of its error.
    """

    version: str
    json_type: str
    xml_type: str
    job_classes: str
    success: Any
    no_command: ApiError
    not_granted: Callable[[str], ApiError]
    job_code: Callable[[int], int]


CLOUDSTACK_3 = Generation(
    version="3.0.5.20121008162729",
    json_type="text/javascript;charset=UTF-8",
    xml_type="text/xml;charset=UTF-8",
    job_classes="com.cloud.api.commands.",
    success="true",  # a text; the result of a job has the boolean
    no_command=ApiError(NO_COMMAND, "The given command does not exist"),
    not_granted=lambda name: ApiError(NO_COMMAND, f"The given command:{name} does not exist"),
    job_code=lambda code: INTERNAL,  # for each reason; the result has the real code
)

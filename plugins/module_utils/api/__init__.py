# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Cloudn API from plain Python. This package knows nothing of Ansible. The EC2-compatible API is in ``ec2``."""

from __future__ import annotations

from .client import Client, is_read, sendable
from .deadline import Deadline
from .decode import Record
from .errors import (
    ApiError,
    BadAnswer,
    CloudnError,
    Duplicates,
    Ec2Error,
    GivenUp,
    JobFailed,
    JobLost,
    JobTimeout,
    Missing,
    NotGranted,
    NotSent,
    UnknownOutcome,
    UsageError,
)

__all__ = [
    "ApiError",
    "BadAnswer",
    "Client",
    "CloudnError",
    "Deadline",
    "Duplicates",
    "Ec2Error",
    "GivenUp",
    "JobFailed",
    "JobLost",
    "JobTimeout",
    "Missing",
    "NotGranted",
    "NotSent",
    "Record",
    "UnknownOutcome",
    "UsageError",
    "is_read",
    "sendable",
]

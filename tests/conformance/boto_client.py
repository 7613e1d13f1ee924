# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boto 2.49, a client of EC2 that was there before this project, on any Python that the tests run on."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
import warnings
from typing import Any
from urllib.parse import urlsplit

import six


def _import_boto() -> None:
    """boto is of 2018: its own copy of six does not run on Python 3.12, which has no `imp` (used for plugins) either."""
    spec = importlib.util.spec_from_file_location("boto.vendored.six", six.__file__)
    assert spec and spec.loader
    sys.modules["boto.vendored.six"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["boto.vendored.six"])
    if sys.version_info >= (3, 12):
        sys.modules.setdefault("imp", types.ModuleType("imp"))
    os.environ["BOTO_CONFIG"] = os.devnull  # not what a user has set


_import_boto()

with warnings.catch_warnings(action="ignore"):  # of its age
    from boto.ec2.connection import EC2Connection
    from boto.ec2.instance import Reservation
    from boto.ec2.regioninfo import RegionInfo
    from boto.exception import BotoServerError, EC2ResponseError

__all__ = ["BotoServerError", "EC2ResponseError", "Reservation", "connect"]


class _Connection(EC2Connection):
    """EC2 with signatures of version 2, as boto itself made them before Amazon asked for version 4."""

    def _required_auth_capability(self) -> list[str]:
        return ["ec2"]


def connect(emulator: Any, path: str = "/awsapi/") -> EC2Connection:
    """A connection to an emulator, as one to any bridge; an answer of 500 is an error, not a reason to try again."""
    connection = _Connection(
        emulator.api_key,
        emulator.api_secret,
        is_secure=False,
        port=emulator.port,
        region=RegionInfo(name="cloudn", endpoint=urlsplit(emulator.ec2_url).hostname),
        path=path,
        api_version="2010-11-15",
    )
    connection.num_retries = 0
    return connection

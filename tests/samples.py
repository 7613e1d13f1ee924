# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that many tests use: what a new machine needs, an id that nothing has, two public keys."""

from __future__ import annotations

from typing import Any

import pytest

ZONE = {"zone": "jp-e1a"}
TEMPLATE = "CentOS 6.2 64bit"
NEW = {**ZONE, "template": TEMPLATE, "service_offering": "v1"}
UNKNOWN = "0f8fad5b-d9cb-469f-a165-70867728950e"  # an id that nothing has
KEY = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDH7lNJg26VxcD8G/T53Tj9nxXLTuKXTPt1dytQybTMG2aMXCacJDZOEuXCSIliuPc2Cwk7XCHJnFwQ"
    "foC1X7R2QiPunAu8OHEwJSb2KjKi5EvM5tNQ2igxLh2T8r3O2VoxKKhknahBQR76dMPKOheEWFw8/iKjrxFvRjTBzJpu9Q=="
)
OTHER_KEY = (
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDq21fS4YqdcEk3AJ8ny3yyUZjvC6QVAy6Yva8SCbh7gzl4gYg28Y4IWGvMLyKEffNE3iIWbe"
    "T/K2zXwFz1jsucEIWXPNhrRv9dNO3AjATCX1s5jGp6H57bYhvW51v6fkUH4v/UhSXonbXDNdeom6KKy4bF5D8tOTqr8QU/aeLNXQ=="
)
POLLS = ("queryAsyncJobResult", "listAsyncJobs")  # how often a job is asked for is chance
FORMATS = pytest.mark.parametrize("response_format", ["json", "xml"])


def tags_of(record: dict[str, Any]) -> dict[str, str]:
    """Return the tags that a listing shows of an object. CloudStack 4 also shows whose each one is."""
    return {tag["key"]: tag["value"] for tag in record["tags"]}

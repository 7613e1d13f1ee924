# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads by the service for a user: their addresses, and whether one has failed."""

from __future__ import annotations

import re
import urllib.parse

from ..api import Record, UsageError
from .lookup import redact_url

# The progress of a download in the status of a template or volume. Any other status is the reason for a failure. Source:
# CloudStack's source; the last states are measured on CloudStack 3.0.5.
_PROGRESS = re.compile(r"|Processing|Installing.*|Successfully Installed|(Download|Upload) Complete|\d+% ?\w*")


def check_url(options: Record) -> None:
    """Raise ``UsageError`` for an address from which the service never downloads."""
    url = options.get("url")
    if url is not None and not re.match(r"https?://[^/]", url, re.IGNORECASE):
        raise UsageError(f"url: {redact_url(url)!r} is no http or https address")
    try:
        port = urllib.parse.urlsplit(url or "").port
    except ValueError:
        port = 0
    # The service shows this failure of an upload only in its job; measured on CloudStack 3.0.5.
    if port not in (None, 80, 443):
        raise UsageError(f"url: {redact_url(url)!r} has another port than 80 and 443; the service takes only these")


def has_failed(status: str | None) -> bool:
    """Tell whether the status of an object that is not ready is the reason for a failure."""
    return not _PROGRESS.fullmatch((status or "").strip())

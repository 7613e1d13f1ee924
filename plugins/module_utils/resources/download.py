# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the service downloads for a user: how far it is, and whether it has failed."""

from __future__ import annotations

import re
import urllib.parse

from ..api import Record, UsageError
from .lookup import redact_url

# How far a download is, as the status of a template or volume says it. Anything else there is why it failed. Source:
# CloudStack's source; the last states as measured on CloudStack 3.0.5.
_PROGRESS = re.compile(r"|Processing|Installing.*|Successfully Installed|(Download|Upload) Complete|\d+% ?\w*")


def check_url(options: Record) -> None:
    """Raise ``UsageError`` for an address that the service can't download from, whatever is there."""
    url = options.get("url")
    if url is not None and not re.match(r"https?://[^/]", url, re.IGNORECASE):
        raise UsageError(
            f"url: {redact_url(url)!r} is no http or https address, and the service downloads from no other"
        )
    try:
        port = urllib.parse.urlsplit(url or "").port
    except ValueError:
        port = 0
    # Of an upload only its job tells; measured on CloudStack 3.0.5.
    if port not in (None, 80, 443):
        raise UsageError(
            f"url: {redact_url(url)!r} has another port than 80 and 443, and the service downloads from no other"
        )


def has_failed(status: str | None) -> bool:
    """Tell whether the status of something that is not ready says why it never will be."""
    return not _PROGRESS.fullmatch((status or "").strip())

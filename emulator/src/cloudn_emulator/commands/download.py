# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks and templates that come from an address, and those that go to one. Nothing is really fetched."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import urlsplit

from ..calls import Call
from ..errors import bad_parameter
from ..models import Zone, new_id

GIB = 1024**3
SIZE = 8 * GIB  # of everything that is downloaded
PACKED = ("", ".zip", ".bz2", ".gz")
FORMATS = ("vhd", "qcow2", "ova", "raw")
DONE = "Download Complete"


def check_address(url: str, kind: str) -> None:
    """Refuse (431) an address that the service does not download from.

    Scheme and port as measured on CloudStack 3.0.5; that the name must end as the format does is in its source.
    """
    address = urlsplit(url)
    if address.scheme not in ("http", "https"):
        raise bad_parameter(f"Unsupported scheme for url: {url}")
    try:
        port = address.port
    except ValueError:
        raise bad_parameter(f"Invalid URL {url}") from None
    if port not in (None, 80, 443):
        raise bad_parameter("Only ports 80 and 443 are allowed")
    if kind.lower() not in FORMATS:
        raise bad_parameter(f"Please specify a valid format: {kind}")
    if not address.path.lower().endswith(tuple(f".{kind.lower()}{packed}" for packed in PACKED)):
        raise bad_parameter(f"Please specify a valid {kind.lower()}")


async def fetch(call: Call, url: str) -> str | None:
    """Let the time of a download pass; returns what failed, or None. What has `/missing/` in its path is not found."""
    await call.jobs.take(1)
    if "/missing/" in urlsplit(url).path:
        return "HTTP Server returned 404 (expected 200 OK) "
    return None


def checksum(content: str) -> str:
    """The MD5 sum of something that has no content here but its address or id."""
    return hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()


def check_extraction(call: Call) -> None:
    """Refuse (431) a mode that there is not, and an upload without an address; the first measured on CloudStack 3.0.5."""
    mode, url = call["mode"], call["url"]
    if mode not in ("HTTP_DOWNLOAD", "FTP_UPLOAD"):
        raise bad_parameter("Please specify a valid extract Mode ")
    if mode == "FTP_UPLOAD" and not (url or "").startswith("ftp://"):
        raise bad_parameter("Unsupported scheme for url: an FTP upload needs ftp://")


def extraction(call: Call, id: str, name: str, zone: Zone, suffix: str) -> dict[str, Any]:
    """The result of an extraction: an address to download from, or the one that was given."""
    view: dict[str, Any] = {"id": id, "name": name, "extractId": new_id(), "accountid": call.account.id}
    uploaded = call["mode"] == "FTP_UPLOAD"
    view["state"] = "UPLOADED" if uploaded else "DOWNLOAD_URL_CREATED"
    view |= {"zoneid": zone.id, "zonename": zone.name, "extractMode": call["mode"]}
    if uploaded:
        return {**view, "uploadpercentage": 100, "url": call["url"]}
    return {**view, "url": f"https://10-1-1-1.realhostip.com/userdata/{new_id()}.{suffix}"}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Getting volumes and templates out of the service: by an address to download from, or by an upload."""

from __future__ import annotations

from ..api import Record, UsageError
from ..plan import THIS, Step
from .lookup import public

MODES = {"http_download": "HTTP_DOWNLOAD", "ftp_upload": "FTP_UPLOAD"}


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for an upload without an FTP address, and for an address without an upload."""
    if options["state"] != "extracted":
        return
    url, upload = options.get("extract_url"), options["extract_mode"] == "ftp_upload"
    if upload and not (url or "").startswith("ftp://"):
        raise UsageError(f"extract_url: an upload by FTP needs an address that begins with ftp://, not {public(url)!r}")
    if url and not upload:
        raise UsageError(
            "extract_url: is only for extract_mode: ftp_upload; a download gets its address from the service"
        )


def step(name: str, command: str, options: Record, zone_id: str | None) -> Step:
    """Return the step that extracts the track's object out of a zone."""
    upload = options["extract_mode"] == "ftp_upload"
    text = (
        f"{name}: upload to {public(options['extract_url'])}"
        if upload
        else f"{name}: make an address to download it from"
    )
    params = {
        "id": THIS,
        "zoneid": zone_id,
        "mode": MODES[options["extract_mode"]],
        "url": options.get("extract_url"),
    }
    return Step(text, command, params)


def shape(extracted: Record) -> Record:
    """Return an extraction as the user sees it."""
    return {
        "id": extracted.get("extractId"),
        "mode": extracted.get("extractMode"),
        "state": extracted.get("state"),
        "url": public(extracted.get("url")),
        "upload_percentage": extracted.get("uploadpercentage"),
    }

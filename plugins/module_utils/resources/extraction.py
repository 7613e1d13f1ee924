# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Extracts volumes and templates from the service: by an address to download from, or by an upload."""

from __future__ import annotations

from ..api import Record, UsageError
from ..api.errors import INTERNAL, PARAMETER_ERROR
from ..reconcile import THIS, Step
from .fields import fields, select_fields
from .lookup import redact_url
from .vm.view import TRANSITIONAL

MODES = {"http_download": "HTTP_DOWNLOAD", "ftp_upload": "FTP_UPLOAD"}
# The codes of CloudStack 3 and of 4 for a disk that only an administrator can extract. CloudStack 4 calls each error of that
# job an internal one.
_NOT_ALLOWED = (531, INTERNAL)
# States of a volume that is not in the storage from which the service extracts; measured on CloudStack 3.0.5.
_NEVER_ATTACHED = ("Allocated", "Uploaded")
_NEEDS_STOPPED = ("Running", *TRANSITIONAL)
# How to download a template that is not extractable.
WAYS_OUT = (
    "A template is extractable if it was made from a url with extractable: true, or from a root disk whose template is. "
    "Any disk can be downloaded: take a snapshot, create a volume from it, and extract that volume (cloudn_volume with state: extracted)"
)


def check_options(options: Record) -> None:
    """Raise ``UsageError`` for an upload without an FTP address, and for an address without an upload."""
    if options["state"] != "extracted":
        return
    url, upload = options.get("extract_url"), options["extract_mode"] == "ftp_upload"
    if upload and not url:
        raise UsageError(
            "extract_url: is needed for extract_mode: ftp_upload; give the address of an FTP server, such as ftp://HOST/FILE"
        )
    if upload and not str(url).startswith("ftp://"):
        raise UsageError(f"extract_url: an upload by FTP needs an address with ftp://, not {redact_url(url)!r}")
    if url and not upload:
        raise UsageError("extract_url: is only for extract_mode: ftp_upload; for a download, leave extract_url out")


def of_volume(name: str, record: Record, options: Record, lookups: Record) -> Step:
    """Return the step that extracts a volume. Raises ``UsageError`` if the service can't extract it.

    ``lookups`` has ``administrator``, see ``volume.lookup``.
    """
    if record.get("state") in _NEVER_ATTACHED:
        once = "start its VM" if record.get("type") == "ROOT" else "attach it to a VM (state: attached)"
        raise UsageError(
            f"{name} is {record['state']}: no VM has used it yet. To extract it, {once} once, then stop the VM or detach the volume"
        )
    if record.get("vmstate") in _NEEDS_STOPPED:
        raise UsageError(
            f"{name} is attached to {record.get('vmname')}, which is {record['vmstate']}. Stop "
            f"{record.get('vmname')}, detach the volume, or extract a volume that is created from a snapshot of it"
        )
    made = _step(name, "extractVolume", options, record.get("zoneid"))
    if record.get("isextractable") is not False:
        return made
    way_out = "take a snapshot of it (cloudn_snapshot), and extract a volume that is created from it (cloudn_volume with snapshot)"
    if lookups.get("administrator") is False:
        raise UsageError(f"{name}: only an administrator can extract it, as its template is not extractable: {way_out}")
    return made._replace(hints=dict.fromkeys(_NOT_ALLOWED, f"If only an administrator can extract it, {way_out}"))


def of_template(name: str, record: Record, options: Record, lookups: Record) -> Step:
    """Return the step that extracts a template from the zone of its record.

    ``lookups`` has ``administrator`` and ``may_change_extractable``, see ``template.lookup``. Raises ``UsageError`` if it
    is not extractable.
    """
    made = _step(name, "extractTemplate", options, record["zoneid"])
    if record.get("isextractable") is not False:
        return made
    change_it = "Set extractable: true with state: present, then extract it"
    if lookups.get("administrator") is False and lookups.get("may_change_extractable"):
        raise UsageError(f"{name} is not extractable. {change_it}")
    if lookups.get("administrator") is False:
        raise UsageError(f"{name} is not extractable, and only an administrator can change that. {WAYS_OUT}")
    return made._replace(
        hints={
            PARAMETER_ERROR: f"The template is not extractable. {change_it if lookups.get('may_change_extractable') else WAYS_OUT}"
        }
    )


def _step(name: str, command: str, options: Record, zone_id: str | None) -> Step:
    """Return the step that extracts the plan's object from a zone."""
    mode, url = options["extract_mode"], options.get("extract_url")
    what = f"upload to {redact_url(url)}" if mode == "ftp_upload" else "make an address to download it from"
    params = {"id": THIS, "zoneid": zone_id, "mode": MODES[mode], "url": url}
    returns = "volume" if command == "extractVolume" else "template"
    # The service does not show an address again. The user decides whether to make another one.
    return Step(f"{name}: {what}", command, params, returns=returns, yields=_extracted, unseen=True)


def _extracted(known: Record, record: Record) -> Record:
    return {**known, "extraction": record}


_FIELDS = fields("id=extractId mode=extractMode state upload_percentage")


def to_result(extracted: Record) -> Record:
    """Return an extraction as the user sees it."""
    return {**select_fields(extracted, _FIELDS), "url": redact_url(extracted.get("url"))}

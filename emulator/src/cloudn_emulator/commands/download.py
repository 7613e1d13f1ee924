# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks and templates that are downloaded from an address or uploaded to one. Nothing is really fetched."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ..calls import Call
from ..errors import bad_parameter
from ..jobs import Jobs
from ..models import GIB, Zone, new_id

SIZE = 8 * GIB  # of everything that is downloaded
FORMATS = ("QCOW2", "RAW", "VHD", "ISO", "OVA", "BAREMETAL")
DONE = "Download Complete"
MOST_EXTRACTED = 1000  # addresses that are remembered
BEGUN = "0% Downloaded"
MODES = ("HTTP_DOWNLOAD", "FTP_UPLOAD")
_PACKED = ("", ".zip", ".bz2", ".gz")
# The endings of addresses for each format. The service does not ask for a dot before the ending.
_ENDINGS = {
    **{kind: tuple(kind.lower() + packed for packed in _PACKED) for kind in ("VHD", "QCOW2", "OVA")},
    "RAW": ("img", "raw"),
}
_ANY_ENDING = tuple(ending for endings in _ENDINGS.values() for ending in endings)
_NOWHERE = ("invalid", "test", "example")  # top level domains that are kept free of hosts (RFC 6761)


def check_address(url: str, kind: str, ports: tuple[int | None, ...] | None = (None, 80, 443)) -> None:
    """Refuse (431) an address that the service does not download from, with the checks in its order.

    Measured on CloudStack 3.0.5: `file:`, an unknown format, endings, scheme, port, host. No name is really looked up:
    a name without a dot, or of a domain that nobody may use, counts as one that cannot be resolved.
    """
    if "file://" in url.lower():
        raise bad_parameter("File:// type urls are currently unsupported")
    if kind.upper() not in FORMATS:
        raise bad_parameter(f"No enum constant com.cloud.storage.Storage.ImageFormat.{kind.upper()}")
    if not url.lower().endswith(_ANY_ENDING):
        raise bad_parameter(f"Please specify a valid {kind.lower()}")
    if not url.lower().endswith(_ENDINGS.get(kind.upper(), _ANY_ENDING)):
        raise bad_parameter(f"Please specify a valid URL. URL:{url} is an invalid for the format {kind.lower()}")
    address, port = _split(url)
    if address.scheme not in ("http", "https"):
        raise bad_parameter(f"Unsupported scheme for url: {url}")
    if ports is not None and port not in ports:
        raise bad_parameter("Only ports 80 and 443 are allowed")
    _check_host(address.hostname)


def _split(url: str) -> tuple[SplitResult, int | None]:
    try:
        address = urlsplit(url)
        return address, address.port
    except ValueError:
        raise bad_parameter(f"Invalid URL {url}") from None


def _check_host(host: str | None) -> None:
    try:
        ip = ipaddress.ip_address(host or "127.0.0.1")  # Java takes no host for this machine
    except ValueError:
        _check_name(str(host))
        return
    if ip.is_unspecified or ip.is_link_local or ip.is_loopback or ip.is_multicast:
        raise bad_parameter("Illegal host specified in url")
    if ip.version == 6:
        raise bad_parameter(f"IPV6 addresses not supported ({ip})")


def _check_name(host: str) -> None:
    labels = host.rstrip(".").split(".")
    if labels[-1] == "localhost":
        raise bad_parameter("Illegal host specified in url")
    if len(labels) < 2 or not all(labels) or labels[-1].isdigit() or labels[-1] in _NOWHERE:
        raise bad_parameter(f"Unable to resolve {host}")


async def fetch(jobs: Jobs, url: str) -> str | None:
    """Let the time of a download pass; returns an error text, or None. A path with `/missing/` is not found."""
    seconds = jobs.store.settings.download_seconds
    await asyncio.sleep(jobs.seconds if seconds is None else seconds)
    if "/missing/" in urlsplit(url).path:
        return "HTTP Server returned 404 (expected 200 OK) "
    return None


def checksum(content: str) -> str:
    """The MD5 sum of an object that has no content here: of its address or id."""
    return hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()


def check_extraction(call: Call, any_case: bool = False) -> None:
    """Refuse (431) an unknown mode, and an upload to an address that it cannot go to.

    The mode of a template may be in any case, that of a volume may not: CloudStack's source.
    """
    mode, url = call["mode"], call["url"] or ""
    if (mode.upper() if any_case else mode) not in MODES:
        raise bad_parameter("Please specify a valid extract Mode ")
    if mode.upper() == "FTP_UPLOAD":
        if not url.lower().startswith("ftp://"):
            raise bad_parameter(f"Unsupported scheme for url: {url}")
        _check_host(_split(url)[0].hostname)


def extraction(call: Call, id: str, name: str, zone: Zone, suffix: str) -> dict[str, Any]:
    """The result of an extraction: an address to download from, the same each time, or the given one."""
    uploaded = call["mode"].upper() == "FTP_UPLOAD"
    extract_id, path = (new_id(), "") if uploaded else _extracted(call, id)
    view: dict[str, Any] = {"id": id, "name": name, "extractId": extract_id, "accountid": call.account.id}
    view["state"] = "UPLOADED" if uploaded else "DOWNLOAD_URL_CREATED"
    view |= {"zoneid": zone.id, "zonename": zone.name, "extractMode": call["mode"]}
    if uploaded:
        return {**view, "uploadpercentage": 100, "url": call["url"]}
    return {**view, "url": f"https://10-1-1-1.realhostip.com/userdata/{path}.{suffix}"}


def _extracted(call: Call, id: str) -> tuple[str, str]:
    """The id of an object's extraction, and the name of its file."""
    known = call.store.extractions
    if id not in known:
        known[id] = (new_id(), new_id())
        if len(known) > MOST_EXTRACTED:
            del known[next(iter(known))]
    return known[id]

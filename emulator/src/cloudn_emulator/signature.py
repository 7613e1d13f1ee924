# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signature of a request, as the server checks it: made with the secret, and not expired."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime, timezone
from urllib.parse import quote

from . import java_dates

_PLAIN = re.compile("[A-Za-z0-9.*_-]*")


def string_to_sign(params: dict[str, str]) -> str:
    """The text that is signed: every parameter but `signature`, sorted by name, encoded as Java does, in lower case.

    Measured on CloudStack 3.0.5: names are not encoded, `*` stays, `~` becomes %7E.
    """
    pairs = (f"{name}={java_quote(params[name])}" for name in sorted(params) if name.lower() != "signature")
    return "&".join(pairs).lower()


def sign(params: dict[str, str], secret: str) -> str:
    """The signature (Base64 of HMAC-SHA1) of these parameters."""
    mac = hmac.new(secret.encode(), string_to_sign(params).encode(), hashlib.sha1)
    return base64.b64encode(mac.digest()).decode()


def is_signed(params: dict[str, str], secret: str, now: datetime | None = None, longest: float | None = None) -> bool:
    """Whether a request has a signature with this secret and, in version 3, an expiry in the future.

    With `longest`, each request needs an expiry, at most so many seconds ahead.
    """
    named = {name.lower(): value for name, value in params.items()}
    if "signature" not in named:
        return False
    if (longest or named.get("signatureversion") == "3") and not _lies_ahead(named.get("expires"), now, longest):
        return False
    return hmac.compare_digest(sign(params, secret).encode(), named["signature"].encode("utf-8", "replace"))


def java_quote(value: str) -> str:
    """Percent-encode a value as Java's URLEncoder does, but a space as %20."""
    return value if _PLAIN.fullmatch(value) else quote(value, safe="*").replace("~", "%7E")


def _lies_ahead(expires: str | None, now: datetime | None, longest: float | None) -> bool:
    """Whether a moment is in the future, and not too far. It may be written in every way that Java reads."""
    if expires is None:
        return False
    try:
        ahead = java_dates.moment(expires, java_dates.EXPIRES) - (now or datetime.now(timezone.utc)).timestamp()
        return 0 <= ahead <= (longest or float("inf"))
    except ValueError:
        return False

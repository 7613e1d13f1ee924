# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Cloudn request is signed: percent-encoding, string to sign, signature, expiry."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import typing as t
from urllib.parse import quote as _percent_encode


def quote(value: str) -> str:
    """Percent-encode a value as ``java.net.URLEncoder`` does, with ``%20`` for a space.

    Letters, digits and ``. - * _`` stay, everything else (also ``~``) is encoded as UTF-8.
    Source: measured on CloudStack 3.0.5, which accepted every encoding of this kind.
    """
    return _percent_encode(value, safe="*").replace("~", "%7E")


def query(params: t.Mapping[str, str]) -> str:
    """Join parameters as ``name=value&...``, sorted by name with upper case first, names left as they are."""
    return "&".join(f"{name}={quote(params[name])}" for name in sorted(params))


def string_to_sign(params: t.Mapping[str, str]) -> str:
    """What the signature is made of: the query of every parameter except ``signature``, in lower case."""
    return query({name: value for name, value in params.items() if name != "signature"}).lower()


def sign(params: t.Mapping[str, str], secret: str) -> str:
    """Return the signature (Base64 of HMAC-SHA1) of ``params``, not yet percent-encoded."""
    digest = hmac.new(secret.encode(), string_to_sign(params).encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def expiry(seconds: int, now: float) -> dict[str, str]:
    """Parameters that end a signature's life ``seconds`` after ``now`` (seconds since the epoch).

    Both parameters or neither: the service answers 401 when one of them is missing.
    """
    moment = time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(now + seconds))
    return {"signatureversion": "3", "expires": moment}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks a request for EC2: signed (version 2), not expired, of the right version. Measured on CloudStack 3.0.5.

Not measured but from its source: the order of the checks, and which text of a form is signed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import unquote_plus

from ..exchange import Asked
from ..models import Account
from ..signature import java_quote
from ..store import Store
from .java import parse_date
from .refusals import Refused
from .replies import page, plain

VERSION = "2010-11-15"
METHODS = {"HmacSHA256": hashlib.sha256, "HmacSHA1": hashlib.sha1}
EXPECTED = {
    "SignatureMethod": (tuple(METHODS), "HmacSHA256 or HmacSHA1"),
    "Version": ((VERSION,), VERSION),
    "SignatureVersion": (("2",), "2"),
}


def check(asked: Asked, store: Store) -> Account:
    """The account that asks. Raises Refused if the signature is not right.

    The time is that of the service's clock. A `Timestamp` may be any text. An `Expires` that cannot be read never
    comes.
    """
    params = asked.params
    for name in ("AWSAccessKeyId", "Signature", *EXPECTED):
        if name not in params:
            raise Refused(page(530, f"Missing {name} parameter"))
        values, expected = EXPECTED.get(name, ((params[name],), ""))
        if params[name] not in values:
            raise Refused(page(531, f"Unsupported {name} value: {params[name]} expecting: {expected}"))
    expires = params.get("Expires")
    if expires is None and "Timestamp" not in params:
        raise Refused(page(530, "Missing Timestamp and Expires parameter, one is required"))
    if expires is not None and is_past(expires, store.time()):
        raise Refused(page(531, f"Expires parameter indicates signature has expired: {expires}"))
    account = store.account_with_key(params["AWSAccessKeyId"])
    if account is None:
        raise Refused(plain(404, ""))
    given = params["Signature"].strip()
    if "%" in given:
        given = unquote_plus(given)
    if not hmac.compare_digest(sign(asked, account.api_secret).encode(), given.encode("utf-8", "replace")):
        raise Refused(plain(403, "Access denied"))
    return account


def is_past(text: str, now: datetime) -> bool:
    """Whether this moment has come. One that cannot be read never comes."""
    moment = parse_date(text)
    return moment is not None and moment <= now.timestamp()


def sign(asked: Asked, secret: str) -> str:
    """The signature (Base64) that a request with these parameters must have."""
    digest = METHODS[asked.params["SignatureMethod"]]
    return base64.b64encode(hmac.new(secret.encode(), string_to_sign(asked).encode(), digest).digest()).decode()


def string_to_sign(asked: Asked) -> str:
    """The text that is signed: method, host with port, path, and the parameters sorted by name, as they were sent.

    Parameters of a form are written again, as Java encodes them, but the first one is not encoded. A space becomes `+`,
    so a rightly signed form cannot have one.
    """
    parts = {}
    for part in (asked.query or _written(asked.params)).split("&"):
        if not part.startswith("Signature="):
            name, equals, _value = part.partition("=")
            parts[name] = part if equals else part + "="
    return "\n".join(
        [asked.method, asked.host.strip().lower(), asked.path, "&".join(parts[name] for name in sorted(parts))]
    )


def _written(params: dict[str, str]) -> str:
    """A form as the bridge writes it for the check: the first parameter as it is, the others as URLEncoder does."""
    pairs = [(name, value) for name, value in params.items() if name.lower() != "signature"]
    first = [f"{name}={value}" for name, value in pairs[:1]]
    return "&".join(first + [f"{name}={java_quote(value).replace('%20', '+')}" for name, value in pairs[1:]])

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public keys in OpenSSH's form."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re

from ..api import UsageError

_KINDS = re.compile(r"ssh-rsa|ssh-dss|ssh-ed25519|ecdsa-sha2-[a-z0-9-]+")
_PRIVATE = re.compile(r"PRIVATE KEY|PuTTY-User-Key-File")


def fingerprint(public_key: str) -> str:
    """Return the fingerprint of a public key in OpenSSH's form as the service makes it, ``aa:bb:...`` (MD5).

    Raises ``UsageError`` for another text than ``TYPE BASE64 [comment]`` on one line. The error does not quote the text.
    """
    blob, wrong = _read(public_key)
    if wrong:
        raise UsageError(f"public_key: {wrong}")
    try:
        digest = hashlib.md5(blob, usedforsecurity=False)
    except TypeError:  # Python 3.8
        digest = hashlib.md5(blob)
    pairs = digest.hexdigest()
    return ":".join(pairs[at : at + 2] for at in range(0, 32, 2))


def problem(public_key: str) -> str:
    """Return why a text is no public key in OpenSSH's form, without the text: it may be a private key. Empty: it is one."""
    return _read(public_key)[1]


def _read(public_key: str) -> tuple[bytes, str]:
    """Return the bytes of a public key, and what is wrong with it. Empty: nothing."""
    text = public_key.strip()
    words = text.split(None, 2)
    if len(words) < 2 or len(text.splitlines()) > 1 or not _KINDS.fullmatch(words[0]):
        if _PRIVATE.search(text):
            return b"", "this is a private key; give the public one (*.pub)"
        return b"", "is no public key in OpenSSH's form; give one line: type, key in Base64, comment"
    kind = words[0].encode()
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        blob = b""
    if not blob.startswith(len(kind).to_bytes(4, "big") + kind):
        return b"", f"what follows {words[0]} is no key of that type; it may be cut or changed"
    return blob, ""

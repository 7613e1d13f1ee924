# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH key pairs: real keys, with the MD5 of the public key's blob as fingerprint."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

from ..calls import Call, done, page_of
from ..collation import collated
from ..errors import bad_parameter, internal
from ..filters import equals, matching
from ..models import KeyPair, new_id
from ..owners import owner_of_new, owners
from ..wire import listing

KEY_BITS = 2048


async def create_key_pair(call: Call) -> dict[str, Any]:
    """createSSHKeyPair: no other answer ever has the private key."""
    owner = _check_free(call)
    private, public = _generate()
    await call.store.races.gap(("keypair", owner, collated(call["name"])))
    pair = _keep(call, owner, public)
    return {"keypair": {**_view(pair), "privatekey": private}}


async def register_key_pair(call: Call) -> dict[str, Any]:
    """registerSSHKeyPair: refuses (431) all but an RSA public key."""
    owner = _check_free(call)
    public = _public_key(call["publickey"])
    await call.store.races.gap(("keypair", owner, collated(call["name"])))
    return {"keypair": _view(_keep(call, owner, public))}


def delete_key_pair(call: Call) -> dict[str, Any]:
    """deleteSSHKeyPair: of several pairs of one name it deletes the oldest."""
    owner = owner_of_new(call).name
    pair = call.store.key_pair(call["name"], owner)
    if pair is None:
        raise bad_parameter(
            f"A key pair with name '{call['name']}' does not exist for account {owner} in specified domain id"
        )
    call.store.remove_key_pair(pair)
    return done(call)


def list_key_pairs(call: Call) -> dict[str, Any]:
    """listSSHKeyPairs: newest first. `name` and `fingerprint` are whole values; the real server ignores `keyword`."""
    tests = [owners(call), equals(call, "name", "name"), equals(call, "fingerprint", "fingerprint")]
    found = matching(reversed(call.store.key_pairs.values()), tests)
    return listing("sshkeypair", [_view(pair) for pair in page_of(call, found)])


def _check_free(call: Call) -> str:
    """The account that gets a pair of this name. Raises ApiError (431) if it has one already."""
    owner = owner_of_new(call).name
    if call.store.key_pair(call["name"], owner):
        raise bad_parameter(f"A key pair with name '{call['name']}' already exists.")
    return owner


def _keep(call: Call, owner: str, public_key: str) -> KeyPair:
    pair = KeyPair(new_id(), owner, call["name"], public_key, fingerprint(public_key))
    call.store.add_key_pair(pair)
    return pair


def _view(pair: KeyPair) -> dict[str, str]:
    return {"name": pair.name, "fingerprint": pair.fingerprint}


def _public_key(material: str) -> str:
    """Kind and blob of a key in OpenSSH's form, or of that form in Base64. Raises ApiError (431).

    By CloudStack 3.0's code: RSA only, and the blob is not checked.
    """
    text = material if " " in material else _decoded(material).decode("utf-8", "replace")
    words = text.rstrip(" ").split(" ")
    if not text.startswith("ssh-rsa") or len(words) < 2:
        raise bad_parameter("Public key is invalid")
    if not words[1]:  # two blanks: the real server finds no blob behind the first one and crashes
        raise internal()
    return f"{words[0]} {words[1]}"


def fingerprint(public_key: str) -> str:
    """The MD5 of a public key's blob, in pairs of digits."""
    digest = hashlib.md5(_decoded(public_key.split(" ")[1]), usedforsecurity=False).hexdigest()
    return ":".join(digest[at : at + 2] for at in range(0, 32, 2))


def _decoded(text: str) -> bytes:
    """Base64, read as leniently as the service does.

    It takes either alphabet, skips other signs, ends at the first `=`, and drops a last digit without a partner.
    """
    digits = re.sub(r"[^A-Za-z0-9+/]", "", text.partition("=")[0].replace("-", "+").replace("_", "/"))
    digits = digits[: len(digits) - (len(digits) % 4 == 1)]
    return base64.b64decode(digits + "=" * (-len(digits) % 4))


def _generate() -> tuple[str, str]:
    # Imported here: the import takes longer than the rest of a start, and few runs make keys.
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return private.decode(), public.decode()

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SSH key pairs: real keys, with the MD5 of the public key's blob as fingerprint. Measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Any

from ..calls import Call, done, page_of
from ..collation import collated
from ..errors import PARAMETER, ApiError, bad_parameter, internal
from ..fields import ownership
from ..filters import equals, has_part, matching, refers_to
from ..generation import Differs
from ..models import KeyPair, new_id
from ..owners import owner_of_new, owners
from ..wire import listing

KEY_BITS = 2048
# Public keys that the service takes, by CloudStack's code.
KINDS = Differs(("ssh-rsa",), ("ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp", "ssh-ed25519"))


async def create_key_pair(call: Call) -> dict[str, Any]:
    """createSSHKeyPair: no other answer ever has the private key."""
    owner = _check_free(call)
    private, public = _generate()
    await call.store.races.gap(("keypair", owner, collated(call["name"])))
    pair = _keep(call, owner, public)
    return {"keypair": {**_view(call, pair), "privatekey": private}}


async def register_key_pair(call: Call) -> dict[str, Any]:
    """registerSSHKeyPair: refuses (431) all but public keys, on CloudStack 3 all but RSA ones."""
    owner = _check_free(call)
    public = _public_key(call["publickey"], call.of(KINDS))
    call.of(_CHECK_NEW)(call, owner, public)
    await call.store.races.gap(("keypair", owner, collated(call["name"])))
    return {"keypair": _view(call, _keep(call, owner, public))}


def _check_new(call: Call, owner: str, public_key: str) -> None:
    """On CloudStack 4 an account has a public key only once (431)."""
    if any(one.owner == owner and one.public_key == public_key for one in call.store.key_pairs.values()):
        raise bad_parameter(f"A key pair with key '{call['publickey']}' already exists for this account.")


_CHECK_NEW: Differs[Callable[[Call, str, str], None]] = Differs(lambda call, owner, public_key: None, _check_new)


def delete_key_pair(call: Call) -> dict[str, Any]:
    """deleteSSHKeyPair: of several pairs of one name it deletes the oldest."""
    account = owner_of_new(call)
    pair = call.store.key_pair(call["name"], account.name)
    if pair is None:
        text = f"A key pair with name '{call['name']}' does not exist for account {account.name} in specified domain id"
        raise ApiError(PARAMETER, text, named={"domainId": account.domain_id})
    call.store.remove_key_pair(pair)
    return done(call)


def list_key_pairs(call: Call) -> dict[str, Any]:
    """listSSHKeyPairs: `name` and `fingerprint` are whole values."""
    tests = [owners(call), equals(call, "name", "name"), equals(call, "fingerprint", "fingerprint")]
    found = call.of(_LISTED)(call, matching(call.store.key_pairs.values(), tests))
    return listing("sshkeypair", [_view(call, pair) for pair in page_of(call, found)])


def _listed_3(call: Call, found: list[KeyPair]) -> list[KeyPair]:
    """CloudStack 3 lists the newest first, and ignores `keyword`."""
    return found[::-1]


def _listed_4(call: Call, found: list[KeyPair]) -> list[KeyPair]:
    """CloudStack 4 lists the oldest first."""
    return matching(found, [refers_to(call, "id"), has_part(call, "keyword", "name", "fingerprint")])


_LISTED = Differs(_listed_3, _listed_4)


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


def _view(call: Call, pair: KeyPair) -> dict[str, Any]:
    return call.of(_VIEW)(call, pair)


def _view_3(call: Call, pair: KeyPair) -> dict[str, Any]:
    return {"name": pair.name, "fingerprint": pair.fingerprint}


def _view_4(call: Call, pair: KeyPair) -> dict[str, Any]:
    whose = ownership(call, pair.owner)
    del whose["domainpath"]
    return {"id": pair.id, "name": pair.name, **whose, "fingerprint": pair.fingerprint, "hasannotations": False}


_VIEW = Differs(_view_3, _view_4)


def _public_key(material: str, kinds: tuple[str, ...]) -> str:
    """Kind and blob of a key in OpenSSH's form, or of that form in Base64. Raises ApiError (431).

    By CloudStack's code: the blob is not checked.
    """
    text = material if " " in material else _decoded(material).decode("utf-8", "replace")
    words = text.rstrip(" ").split(" ")
    if not text.startswith(kinds) or len(words) < 2:
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

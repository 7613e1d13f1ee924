# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions on key pairs."""

from __future__ import annotations

from typing import Any

from .java import JavaError
from .refusals import Refused
from .replies import page
from .request import Request, crashed
from .selection import Kind, like

Item = dict[str, Any]

FILTERS = Kind(
    {"fingerprint": (like, lambda pair: pair["fingerprint"]), "key-name": (like, lambda pair: pair["name"])},
    unknown=None,
    tagged=False,
)


def _item(pair: Item) -> Item:
    return {"keyName": pair["name"], "keyFingerprint": pair["fingerprint"]}


async def describe(request: Request) -> Item:
    """DescribeKeyPairs: names in any case. Unknown names and filters are ignored."""
    filters, names = FILTERS.given(request), {name.lower() for name in request.ids("KeyName")}
    pairs = await request.listed("listSSHKeyPairs", "sshkeypair")
    named = [pair for pair in pairs if not names or pair["name"].lower() in names]
    return {"keySet": [_item(pair) for pair in FILTERS.passing(named, filters)]}


async def create(request: Request) -> Item:
    """CreateKeyPair: no other answer ever shows the private key."""
    made = await request.native("createSSHKeyPair", name=request.required("KeyName"))
    return {**_item(made["keypair"]), "keyMaterial": made["keypair"]["privatekey"]}


async def register(request: Request) -> Item:
    """ImportKeyPair: one of its two parameters is enough.

    The real bridge calls a pair without a name `null`.
    """
    name, material = request.get("KeyName"), request.get("PublicKeyMaterial")
    if name is None and material is None:
        raise Refused(page(530, "Missing parameter"))
    if material is None:
        message = 'Cannot invoke "String.contains(java.lang.CharSequence)" because "publicKeyMaterial" is null'
        raise crashed(JavaError("NullPointerException", message))
    made = await request.native("registerSSHKeyPair", name="null" if name is None else name, publickey=material)
    return _item(made["keypair"])


async def delete(request: Request) -> Item:
    """DeleteKeyPair: an unknown one is an error."""
    await request.native("deleteSSHKeyPair", name=request.required("KeyName"))
    return {"return": True}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of objects that check mode plans: how they are listed, told apart, and found by the service's filters."""

from __future__ import annotations

import typing as t

from ..api import Record
from ..api.flawed import peek
from ..resources.names import folded

VM, VOLUME, SNAPSHOT, TEMPLATE = "listVirtualMachines", "listVolumes", "listSnapshots", "listTemplates"
GROUP, PAIR, POLICY, AFFINITY = "listSecurityGroups", "listSSHKeyPairs", "listSnapshotPolicies", "listAffinityGroups"
TAG = "listTags"


class Kind(t.NamedTuple):
    """A kind of objects.

    word: the word for it in the ids of planned objects, see ``planned_ids``. Empty: its objects have no ids.
    unique: the fields that tell what a user means by an object. Of two objects with the same, one is enough. Empty: none do.
    texts: the filters that find a part of a text, each with the fields that it looks at.
    folded: the filters that compare as the service's database does, each with its field.
    """

    word: str
    unique: tuple[str, ...] = ()
    texts: t.Mapping[str, tuple[str, ...]] = {}
    folded: t.Mapping[str, str] = {}


_NAMED: t.Mapping[str, tuple[str, ...]] = {"name": ("name",), "keyword": ("name", "displayname")}
# What pages a list, says how much of an object is shown, or says whose it is: each account has a file of its own.
_FEATURED = "isfeatured"
# The words of `templatefilter` that find the account's own templates.
_OWN_TEMPLATES = ("self", "selfexecutable", "executable")
_IGNORED = ("page", "pagesize", "details", "account", "domainid", "listall", "isrecursive", "response")

KINDS: t.Mapping[str, Kind] = {
    VM: Kind("virtual-machine", ("name", "zoneid"), _NAMED),
    VOLUME: Kind("volume", ("name", "zoneid"), _NAMED),
    SNAPSHOT: Kind("snapshot", (), _NAMED),
    TEMPLATE: Kind("template", ("name", "zoneid", "account"), _NAMED),
    GROUP: Kind("security-group", ("name", "account"), {}, {"securitygroupname": "name"}),
    PAIR: Kind("key-pair", ("name",), {}, {"name": "name", "fingerprint": "fingerprint"}),
    POLICY: Kind("snapshot-policy", ("volumeid", "intervaltype")),
    AFFINITY: Kind("affinity-group", ("name",), {}, {"name": "name"}),
    TAG: Kind("", ("resourceid", "key")),
}

# The listing commands of the objects in results.
PLURALS: t.Mapping[str, str] = {
    "vms": VM,
    "volumes": VOLUME,
    "snapshots": SNAPSHOT,
    "templates": TEMPLATE,
    "security_groups": GROUP,
    "key_pairs": PAIR,
    "snapshot_policies": POLICY,
    "affinity_groups": AFFINITY,
}


def key_of(command: str, record: Record) -> str:
    """Return what tells a record from all others of its kind.

    A template has a record for each zone. A key pair of CloudStack 3 and a tag have no id.
    """
    if command == TAG:
        return f"{peek(record, 'resourceid')} {folded(str(peek(record, 'key')))}"
    if command == PAIR:
        return folded(str(peek(record, "name")))
    if command == TEMPLATE:
        return f"{peek(record, 'id')} {peek(record, 'zoneid')}"
    return str(peek(record, "id"))


def meaning_of(command: str, record: Record) -> tuple[str, ...] | None:
    """Return what is equal for objects of which one is enough, ``None`` if each object is one of its own."""
    values = [peek(record, field) for field in KINDS[command].unique]
    return tuple(folded(str(value)) for value in values) if values else None


def is_found(
    command: str, record: Record, query: t.Mapping[str, t.Any], about: t.Collection[str] | None = None
) -> bool:
    """Tell whether the service's filters would find a record. A part of a text is enough, as on CloudStack 3.

    ``about`` are the fields that count. ``None``: all do.
    """
    kind = KINDS[command]
    filters = {name: value for name, value in query.items() if value is not None and name not in _IGNORED}
    if command == TEMPLATE and filters.get("id"):
        filters = {"id": filters["id"]}  # with an id no other filter counts
    return all(
        _passes(kind, record, name, value)
        for name, value in filters.items()
        if about is None or not _fields_of(kind, name).isdisjoint(about)
    )


def touches(command: str, query: t.Mapping[str, t.Any], fields: t.Collection[str]) -> bool:
    """Tell whether a query has a filter that looks at any of the fields."""
    kind = KINDS[command]
    given = [name for name, value in query.items() if value is not None and name not in _IGNORED]
    return any(field in fields for name in given for field in _fields_of(kind, name))


def _fields_of(kind: Kind, name: str) -> set[str]:
    """Return the fields of a record that a filter looks at."""
    if name in kind.folded:
        return {kind.folded[name]}
    return set(kind.texts.get(name) or ([_FEATURED] if name == "templatefilter" else [name]))


def _passes(kind: Kind, record: Record, name: str, value: t.Any) -> bool:
    if name in kind.texts:
        return any(str(value).lower() in str(peek(record, field) or "").lower() for field in kind.texts[name])
    if name in kind.folded:
        return folded(str(peek(record, kind.folded[name]))) == folded(str(value))
    if name == "tags":
        own = {folded(str(tag.get("key"))): tag.get("value") for tag in peek(record, "tags") or []}
        return any(own.get(folded(key)) == text for key, text in value.items())
    if name == "templatefilter":
        return value in _OWN_TEMPLATES or (value == "featured" and bool(peek(record, _FEATURED)))
    return str(peek(record, name)).lower() == str(value).lower()

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security groups: how they are shown, listed and found."""

from __future__ import annotations

import typing as t

from ...api import Client, Duplicates, NotGranted, Record
from ...api.client import listing
from ...api.flawed import altered, sound
from .. import tags
from ..fields import fields, select_fields
from ..lookup import describe, is_uuid, same_name
from ..vm import view as vm
from . import rules

_FIELDS = fields("id name description account domain domain_id")


def to_result(group: Record) -> Record:
    """Return a security group as the user sees it. Its tags are ``None`` if they were not asked for."""
    return {
        **select_fields(group, _FIELDS),
        "ingress": [rules.to_result(rule) for rule in rules.listed(group, "ingress")],
        "egress": [rules.to_result(rule) for rule in rules.listed(group, "egress")],
        "tags": tags.to_result(group) if "tags" in group else None,
        "state": "present",
    }


def search(client: Client, query: Record | None = None) -> list[Record]:
    """Return the security groups that the API's filters find. An unknown ``id`` finds nothing.

    They have no tags: the listing shows those of some machine, measured on CloudStack 3.0.5. See ``show_tags``.
    """
    found = listing(client, "listSecurityGroups", query or {}, "id")
    return [altered(group, tags=None) for group in found]


def select(client: Client, options: Record) -> list[Record]:
    """Return the groups that match all options of ``cloudn_security_group_info``. A missing machine has none."""
    machine = vm.find_one(client, options["vm"]) if options.get("vm") else {}
    if machine is None:
        return []
    # With a machine the service ignores all other filters; as recorded of CloudStack 3.0.5.
    group_id, name = options.get("id"), options.get("name")
    query = {"id": group_id, "securitygroupname": name, "tags": tags.query(options.get("tags"))}
    # With a machine the service ignores all other filters; as recorded of CloudStack 3.0.5.
    found = sound(search(client, {"virtualmachineid": machine["id"]} if machine else query), client.warn)
    found = [one for one in found if group_id in (None, one["id"])]
    found = [one for one in found if name is None or same_name(name, one.get("name"))]
    show_tags(client, found, lambda listed: sound(listed, client.warn))
    return [group for group in found if tags.has_all(group, options.get("tags"))]


def show_tags(
    client: Client, groups: list[Record], usable: t.Callable[[list[Record]], list[Record]] = lambda listed: listed
) -> None:
    """Give groups their own tags, by one request for all of them. An account that lacks the command has no tags.

    ``usable`` returns the tags that count, of all that are listed.
    """
    if not groups:
        return
    found = list_tags(client, groups[0]["id"] if len(groups) == 1 else None)
    own: dict[str, list[Record]] = {group["id"]: [] for group in groups}
    for tag in usable(found):
        if "key" in tag:
            own.get(tag.get("resourceid", ""), []).append({"key": tag["key"], "value": tag.get("value", "")})
    for group in groups:
        group["tags"] = own[group["id"]]


def list_tags(client: Client, group_id: str | None = None) -> list[Record]:
    """Return the tags of one security group, or of all. An account that lacks the command has no tags."""
    try:
        return client.list("listTags", {"resourcetype": tags.SECURITY_GROUP, "resourceid": group_id})
    except NotGranted:
        return []


def find(client: Client, wanted: str) -> Record | None:
    """Return the security group with this id or name. Raises ``Duplicates`` if several groups of an account have the name.

    Names are unique in an account, see ``lookup.same_name``, unless two runs made groups at the same time.
    """
    found = search(client, {"id": wanted}) if is_uuid(wanted) else []
    found = found or search(client, {"securitygroupname": wanted})
    groups = [group for group in found if wanted == group.get("id") or same_name(wanted, group.get("name"))]
    alike = [group for group in groups if _owner(group) == _owner(groups[0])]
    if len(alike) > 1:
        text = f"name: {len(alike)} security groups are named {wanted!r}; name one by its id: {describe(alike)}"
        raise Duplicates(text, alike)
    return next(iter(groups), None)


def _owner(group: Record) -> tuple[str | None, str | None]:
    return group.get("account"), group.get("domainid")

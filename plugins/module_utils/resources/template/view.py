# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates: how they are shown, listed and found."""

from __future__ import annotations

import typing as t

from ...api import ApiError, Client, Duplicates, Record, UsageError
from ...api.client import listing
from ...api.flawed import sound
from .. import tags, zone
from ..fields import fields, select_fields
from ..lookup import describe, is_uuid, like_filter, matches, named, pick

_OF_ANOTHER_ACCOUNT = 531


_FIELDS = fields(
    "id name display_text zone=zonename zone_id ready=isready status public=ispublic featured=isfeatured "
    "extractable=isextractable cross_zones=crossZones password_enabled format hypervisor os_type=ostypename "
    "os_type_id type=templatetype size_bytes=size source_template_id account domain created"
)


def to_result(template: Record) -> Record:
    """Return a template as the user sees it. Sizes are in bytes, and ``accounts`` is not known here.

    The record's ``zones``, if it has them, are the names by id of all zones that the template is in.
    """
    zones = template.get("zones") or {template.get("zoneid"): template.get("zonename")}
    return {
        **select_fields(template, _FIELDS),
        "checksum": template.get("checksum") or None,
        "tags": tags.to_result(template),
        "zones": sorted(str(name) for name in zones.values() if name is not None),
        "accounts": None,
        "state": "present",
    }


def select(client: Client, options: Record) -> list[Record]:
    """Return the templates that match all options of ``cloudn_template_info``: a record for each zone of each template.

    Names and ids match exactly. Raises ``UsageError`` for an unknown zone.
    """
    zone_id = zone.find(client, options["zone"])["id"] if options.get("zone") else None
    query = {"templatefilter": options["template_filter"], "tags": tags.query(options.get("tags"))}
    listed = sound(client.list("listTemplates", query), client.warn)
    found = named(listed, options.get("name"), options.get("id"))
    zones: dict[str, dict[str, t.Any]] = {}
    for template in found:
        zones.setdefault(template["id"], {})[template.get("zoneid", "")] = template.get("zonename")
    return [
        {**template, "zones": zones[template["id"]]}
        for template in found
        if zone_id in (None, template.get("zoneid")) and tags.has_all(template, options.get("tags"))
    ]


def find(client: Client, wanted: str, template_filter: str, zone_id: str) -> Record:
    """Return the one template of a zone with this name or id. Raises ``UsageError`` when there is not exactly one."""
    templates = client.list("listTemplates", {"templatefilter": template_filter, "zoneid": zone_id})
    try:
        return pick(templates, wanted, "template", kind="template")
    except UsageError as error:
        if not any(matches(row, wanted) for row in templates):
            everywhere = client.list("listTemplates", {"templatefilter": template_filter})
            there = {str(row["zonename"]) for row in everywhere if matches(row, wanted) and row.get("zonename")}
            if there:
                way_out = "choose another zone, or copy it (zones of cloudn_template)"
                error.message += f". {wanted!r} is in {' and '.join(sorted(there))}: {way_out}"
        raise


def search(client: Client, template_filter: str, query: Record) -> list[Record]:
    """Return the templates that the API's filters find: a record for each zone of each. An unknown ``id`` finds nothing."""
    return listing(client, "listTemplates", {"templatefilter": template_filter, **query}, "id")


def find_own(
    client: Client,
    name: str | None,
    template_id: str | None,
    zone_wanted: str | None = None,
    elsewhere: list[Record] | None = None,
) -> list[Record]:
    """Return the account's own template with this id, or with this name (which may be an id too): a record for each zone.

    If a zone is given, only templates in it are found by name. ``elsewhere`` takes those in other zones only. Names are not
    unique. Raises ``Duplicates``, with ids and zones, if several templates have the name, and ``UsageError`` if the id belongs to somebody else.
    """
    if template_id is None and name is not None and is_uuid(name):
        template_id = name
    if template_id is not None:
        return _own(client, template_id, "name" if name == template_id else "id")
    rows = [row for row in search(client, "self", {"name": like_filter(name)}) if row.get("name") == name]
    ids = {row["id"] for row in rows if zone.holds(row, zone_wanted)}
    if elsewhere is not None:
        elsewhere += [row for row in rows if row["id"] not in ids]
    if len(ids) > 1:
        several = sorted((row for row in rows if row["id"] in ids), key=lambda row: str(row["id"]))
        message = f"name: {len(ids)} templates are named {name!r}; choose one by its id: {describe(several)}"
        raise Duplicates(message, several)
    return [row for row in rows if row["id"] in ids]


def _own(client: Client, template_id: str, option: str) -> list[Record]:
    """Return the account's own template with this id. ``option`` is the user's option that holds the id.

    With an id the service applies no filter. So it shows somebody else's public template too, and refuses a private one.
    It shows the status only to the owner and to administrators. Measured on CloudStack 3.0.5. If there is no status, the
    account's own templates of that name are listed. Raises ``UsageError`` if the template belongs to somebody else.
    """
    owner = "another account"
    try:
        rows = search(client, "self", {"id": template_id})
    except ApiError as error:
        if error.code != _OF_ANOTHER_ACCOUNT:
            raise
    else:
        if not rows or any("status" in row for row in rows):
            return rows
        own = search(client, "self", {"name": like_filter(rows[0].get("name"))})
        if any(row["id"] == rows[0]["id"] for row in own):
            return rows
        owner = f"{rows[0].get('account')} ({rows[0].get('name')})"
    raise UsageError(f"{option}: {template_id} belongs to {owner}; only its owner can change or extract it")

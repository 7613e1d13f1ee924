# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates: what virtual machines are made from."""

from __future__ import annotations

from ..api import Client, Record
from . import tags, zone
from .lookup import named, pick

# The service refuses any other word; measured on CloudStack 3.0.5, except for `selfexecutable`, `sharedexecutable`
# and `community`, which its documentation declares.
FILTERS = ("executable", "featured", "self", "selfexecutable", "sharedexecutable", "community")


def shape(template: Record) -> Record:
    """Return a template as the user sees it; sizes in bytes."""
    return {
        "id": template["id"],
        "name": template.get("name"),
        "display_text": template.get("displaytext"),
        "zone": template.get("zonename"),
        "zone_id": template.get("zoneid"),
        "ready": template.get("isready"),
        "status": template.get("status"),
        "public": template.get("ispublic"),
        "featured": template.get("isfeatured"),
        "extractable": template.get("isextractable"),
        "cross_zones": template.get("crossZones"),
        "password_enabled": template.get("passwordenabled"),
        "format": template.get("format"),
        "hypervisor": template.get("hypervisor"),
        "os_type": template.get("ostypename"),
        "os_type_id": template.get("ostypeid"),
        "type": template.get("templatetype"),
        "size_bytes": template.get("size"),
        "checksum": template.get("checksum") or None,
        "account": template.get("account"),
        "domain": template.get("domain"),
        "created": template.get("created"),
        "tags": tags.shape(template),
    }


def select(client: Client, options: Record) -> list[Record]:
    """Return the templates that all options of ``cloudn_template_info`` leave, one for each zone that a template is in.

    Names and ids match exactly. Raises ``UsageError`` for an unknown zone.
    """
    zone_id = zone.find(client, options["zone"])["id"] if options.get("zone") else None
    query = {"templatefilter": options["template_filter"], "zoneid": zone_id, "tags": tags.query(options.get("tags"))}
    found = named(client.list("listTemplates", query), options.get("name"), options.get("id"))
    return [template for template in found if tags.has_all(template, options.get("tags"))]


def find(client: Client, wanted: str, template_filter: str, zone_id: str) -> Record:
    """Return the one template of a zone with this name or id. Raises ``UsageError`` when there is not exactly one."""
    templates = client.list("listTemplates", {"templatefilter": template_filter, "zoneid": zone_id})
    return pick(templates, wanted, "template")

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates: what virtual machines are made from."""

from __future__ import annotations

from ..api import Client
from ..api.client import Record
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


def search(
    client: Client,
    template_filter: str = "executable",
    zone_id: str | None = None,
    name: str | None = None,
    id: str | None = None,
    given_tags: dict[str, str] | None = None,
) -> list[Record]:
    """Return templates as the API has them, one for each zone that a template is in; names and ids match exactly."""
    query = {"templatefilter": template_filter, "zoneid": zone_id, "tags": given_tags or None}
    return named(client.list("listTemplates", query), name, id)


def select(client: Client, options: Record) -> list[Record]:
    """Return the templates that all options of ``cloudn_template_info`` leave. Raises ``UsageError`` for an unknown zone."""
    zone_id = zone.find(client, options["zone"])["id"] if options.get("zone") else None
    return search(client, options["template_filter"], zone_id, options["name"], options["id"], options["tags"])


def find(client: Client, wanted: str, template_filter: str, zone_id: str) -> Record:
    """Return the one template of a zone with this name or id. Raises ``UsageError`` when there is not exactly one."""
    return pick(search(client, template_filter, zone_id), wanted, "template")

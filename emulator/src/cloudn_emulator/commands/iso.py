# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""listIsos: the account's ISOs and what comes with the hosts. Measured on CloudStack 3.0.5; the rest is from its source."""

from __future__ import annotations

from typing import Any

from ..calls import Call, page_of
from ..filters import has_tags, matching
from ..models import Template, Zone
from ..wire import listing
from .template_list import (
    ONLY_READY,
    ZonedTemplate,
    by_id,
    checked_filter,
    common_view,
    copy_view,
    filter_test,
    in_changing_order,
    in_order,
    in_zones,
    name_test,
    os_view,
    permitted_accounts,
)

DEFAULT_FILTER = "selfexecutable"
ABOUT_OWNERS = ("self", "selfexecutable", "sharedexecutable")
INSTALLED = "Successfully Installed"


def list_isos(call: Call) -> dict[str, Any]:
    """listIsos: ISOs of the hosts are in no zone. All filters but `community` and `self` show them."""
    wanted = checked_filter(call, DEFAULT_FILTER if call["isofilter"] is None else call["isofilter"])
    permitted = permitted_accounts(call, wanted)
    if call["id"] is not None:
        found: list[tuple[Template, Zone | None]] = [*by_id(call, iso=True)]
        if call["id"].perhost:
            found = [(call["id"], None)]
    else:
        found = page_of(call, [*_in_zones(call, wanted, permitted), *_of_hosts(call, wanted, permitted)])
    return listing("iso", [_view(call, iso, zone) for iso, zone in found])


def _in_zones(call: Call, wanted: str, permitted: set[str]) -> list[ZonedTemplate]:
    tests = [
        lambda iso: iso.is_iso,
        (lambda iso: iso.bootable == call["bootable"]) if call["bootable"] is not None else None,
        name_test(call),
        has_tags(call, "ISO"),
        filter_test(wanted, permitted),
    ]
    only_ready = wanted in ONLY_READY or wanted == "executable"
    return in_changing_order(call, in_zones(call, matching(call.store.templates.values(), tests), only_ready))


def _of_hosts(call: Call, wanted: str, permitted: set[str]) -> list[tuple[Template, None]]:
    if wanted == "community" or (wanted == "self" and not call.account.admin):
        return []
    if wanted in ABOUT_OWNERS and not permitted:
        return []
    part = call["name"] if call["keyword"] is None else call["keyword"]
    tests = [
        (lambda iso: iso.bootable == call["bootable"]) if call["bootable"] is not None else None,
        (lambda iso: part in iso.name) if part is not None else None,  # here case counts
        has_tags(call, "ISO"),
    ]
    return [(iso, None) for iso in matching(call.store.host_isos.values(), tests)]


def _view(call: Call, iso: Template, zone: Zone | None) -> dict[str, Any]:
    view = {
        **common_view(call, iso, "ISO"),
        "bootable": iso.bootable,
        "isextractable": iso.extractable and not iso.perhost,
        "checksum": iso.checksum,
    }
    if zone is None:
        return in_order({**view, "isready": True, "passwordenabled": False})
    return in_order({**view, **os_view(call, iso), **copy_view(call, iso, zone, INSTALLED)})

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of guest systems and their categories, as measured on CloudStack 3.0.5."""

from __future__ import annotations

from typing import Any

from ..calls import Call, contains, matching, page_of
from ..wire import listing


def list_os_types(call: Call) -> dict[str, Any]:
    """listOsTypes."""
    p = call.params
    description, keyword = p.get("description"), p.get("keyword")
    tests = [
        (lambda os: os.id == p["id"].id) if "id" in p else None,
        (lambda os: os.category == p["oscategoryid"].id) if "oscategoryid" in p else None,
        (lambda os: contains(os.description, description)) if description is not None else None,
        (lambda os: contains(os.description, keyword)) if keyword is not None else None,
    ]
    found = matching(call.store.os_types.values(), tests)
    views = [{"id": os.id, "oscategoryid": os.category, "description": os.description} for os in page_of(call, found)]
    return listing("ostype", views)


def list_os_categories(call: Call) -> dict[str, Any]:
    """listOsCategories."""
    p = call.params
    name, keyword = p.get("name"), p.get("keyword")
    tests = [
        (lambda category: category.id == p["id"].id) if "id" in p else None,
        (lambda category: contains(category.name, name)) if name is not None else None,
        (lambda category: contains(category.name, keyword)) if keyword is not None else None,
    ]
    found = matching(call.store.os_categories.values(), tests)
    return listing("oscategory", [{"id": one.id, "name": one.name} for one in page_of(call, found)])

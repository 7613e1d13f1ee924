# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of guest systems and their categories, as measured on CloudStack 3.0.5."""

from __future__ import annotations

from typing import Any

from ..calls import Call, page_of
from ..filters import has_part, matching, named, refers_to
from ..wire import listing


def list_os_types(call: Call) -> dict[str, Any]:
    """listOsTypes."""
    tests = [
        refers_to(call, "id"),
        refers_to(call, "oscategoryid", "category"),
        has_part(call, "description", "description"),
        has_part(call, "keyword", "description"),
    ]
    found = matching(call.store.os_types.values(), tests)
    views = [{"id": os.id, "oscategoryid": os.category, "description": os.description} for os in page_of(call, found)]
    return listing("ostype", views)


def list_os_categories(call: Call) -> dict[str, Any]:
    """listOsCategories."""
    tests = [refers_to(call, "id"), named(call), has_part(call, "keyword", "name")]
    found = matching(call.store.os_categories.values(), tests)
    return listing("oscategory", [{"id": one.id, "name": one.name} for one in page_of(call, found)])

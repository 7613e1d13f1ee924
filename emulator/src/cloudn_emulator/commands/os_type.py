# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of guest systems and their categories, as measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

from typing import Any

from ..calls import Call, page_of
from ..filters import has_part, matching, refers_to
from ..generation import Differs
from ..models import OsCategory, OsType
from ..wire import listing


def list_os_types(call: Call) -> dict[str, Any]:
    """listOsTypes."""
    ids = {os.id for os in call["ids"] or ()}
    tests = [
        refers_to(call, "id"),
        (lambda os: os.id in ids) if ids else None,
        refers_to(call, "oscategoryid", "category"),
        has_part(call, "description", "description"),
        has_part(call, "keyword", "description"),
    ]
    found = matching(call.store.os_types.values(), tests)
    return listing("ostype", [call.of(_TYPE_VIEW)(call, os) for os in page_of(call, found)])


def _type_3(call: Call, os: OsType) -> dict[str, Any]:
    return {"id": os.id, "oscategoryid": os.category, "description": os.description}


def _type_4(call: Call, os: OsType) -> dict[str, Any]:
    return {
        "id": os.id,
        "oscategoryid": os.category,
        "oscategoryname": call.store.os_categories[os.category].name,
        "name": os.description,
        "description": os.description,
        "isuserdefined": False,
        "fordisplay": True,
    }


_TYPE_VIEW = Differs(_type_3, _type_4)


def list_os_categories(call: Call) -> dict[str, Any]:
    """listOsCategories."""
    tests = [
        refers_to(call, "id"),
        has_part(call, "name", "name"),  # a part on CloudStack 4 too: source is its code
        has_part(call, "keyword", "name"),
        (lambda one: call["isfeatured"]) if call["isfeatured"] is not None else None,
    ]
    found = matching(call.store.os_categories.values(), tests)
    return listing("oscategory", [call.of(_CATEGORY_VIEW)(one) for one in page_of(call, found)])


def _category_3(one: OsCategory) -> dict[str, Any]:
    return {"id": one.id, "name": one.name}


def _category_4(one: OsCategory) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "isfeatured": True}


_CATEGORY_VIEW = Differs(_category_3, _category_4)

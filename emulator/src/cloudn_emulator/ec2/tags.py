# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions on tags. An object is named by its kind and id: `instance:ID`."""

from __future__ import annotations

from typing import Any

from .java import split
from .refusals import Refused
from .replies import error, page
from .request import Request
from .selection import Kind, like

Item = dict[str, Any]
# What EC2 calls the kinds of objects that the native API calls otherwise; the others have one name in both.
NATIVE = {"image": "template", "instance": "userVm"}
EC2 = {native.lower(): name for name, native in NATIVE.items()}


def _kind(tag: Item) -> str:
    kind: str = tag["resourcetype"].lower()
    return EC2.get(kind, kind)


FILTERS = Kind(
    {
        "key": (like, lambda tag: tag["key"]),
        "resource-id": (like, lambda tag: tag["resourceid"]),
        "resource-type": (like, _kind),
        "value": (like, lambda tag: tag["value"]),
    },
    unknown=None,
    tagged=False,
)


async def create(request: Request) -> Item:
    """CreateTags."""
    return await _change(request, "createTags")


async def delete(request: Request) -> Item:
    """DeleteTags."""
    return await _change(request, "deleteTags")


async def _change(request: Request, command: str) -> Item:
    """One job for each kind of object, in the order of the kinds; what is done before one fails stays."""
    objects = _objects(request)
    tags = _tags(request)
    for kind, ids in objects.items():
        native = NATIVE.get(kind.lower(), kind)
        await request.native(command, resourcetype=native, resourceids=",".join(ids), **tags)
    return {"return": True}


def _objects(request: Request) -> dict[str, list[str]]:
    """The ids that are given, by kind. Raises Refused."""
    given = request.numbered("ResourceId.{}")
    if not given:
        raise Refused(page(530, "At least one Resource is required"))
    objects: dict[str, list[str]] = {}
    for text in given:
        parts = split(text, ":")
        if len(parts) != 2:
            said = "Invalid Format. ResourceId format is resource-type:resource-uuid"
            raise Refused(error(400, "Client.InvalidResourceId.Format", said))
        objects.setdefault(parts[0], []).append(parts[1])
    return objects


def _tags(request: Request) -> dict[str, str]:
    """The tags that are given, as parameters of the native commands. Raises Refused."""
    keys = request.numbered("Tag.{}.Key")
    if not keys:
        raise Refused(page(530, "At least one Tag is required"))
    values = {key: request.get(f"Tag.{number}.Value") for number, key in enumerate(keys, 1)}
    params: dict[str, str] = {}
    for number, (key, value) in enumerate(values.items()):
        params |= {f"tags[{number}].key": key} | ({} if value is None else {f"tags[{number}].value": value})
    return params


async def describe(request: Request) -> Item:
    """DescribeTags: ignores unknown filters."""
    filters = FILTERS.given(request)
    tags = FILTERS.passing(await request.listed("listTags", "tag", listall="true"), filters)
    items = [
        {"resourceId": tag["resourceid"], "resourceType": _kind(tag), "key": tag["key"], "value": tag["value"]}
        for tag in tags
    ]
    return {"tagSet": items}

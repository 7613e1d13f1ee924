# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions on images, the templates of the native API."""

from __future__ import annotations

from typing import Any

from .instances import lookup
from .java import JavaError, part, split
from .refusals import Failed, Refused
from .replies import page
from .request import Request, crashed, owner_of, tag_set
from .zones import zone_id

Item = dict[str, Any]
FILTERS = ("selfexecutable", "featured", "sharedexecutable", "community")
EVERYBODY = "all"


def _item(template: Item) -> Item:
    return {
        "imageId": template["id"],
        "imageLocation": None,
        "imageState": "available" if template["isready"] else "unavailable",
        "imageOwnerId": owner_of(template),
        "isPublic": template["ispublic"],
        "productCodes": [{"productCode": None}],
        "architecture": None,
        "imageType": "machine",
        "kernelId": None,
        "ramdiskId": None,
        "platform": None,
        "stateReason": {"code": None, "message": None},
        "imageOwnerAlias": None,
        "name": template["name"],
        "description": template["displaytext"],
        "rootDeviceType": None,
        "rootDeviceName": None,
        "blockDeviceMapping": [
            {"deviceName": None, "ebs": {"snapshotId": None, "volumeSize": 0, "deleteOnTermination": False}}
        ],
        "tagSet": tag_set(template),
    }


async def _listed(request: Request, templatefilter: str, id: str | None = None) -> list[Item]:
    return await request.listed("listTemplates", "template", templatefilter=templatefilter, id=id)


async def describe(request: Request) -> Item:
    """DescribeImages: ignores all but ids. An image is there once for each zone that has it."""
    ids = request.ids("ImageId")
    wanted: list[tuple[str, str | None]] = [("executable", id) for id in ids] or [(word, None) for word in FILTERS]
    found = [template for word, id in wanted for template in await _listed(request, word, id)]
    return {"imagesSet": [_item(template) for template in found]}


async def create(request: Request) -> Item:
    """CreateImage of the root disk: stops a running machine for it and starts it again.

    If the image cannot be made after that stop, nothing starts the machine (CloudStack's source).
    """
    id, name = request.required("InstanceId"), request.required("Name")
    disks = await request.listed("listVolumes", "volume", virtualmachineid=id)
    root = next((disk for disk in disks if disk["type"] == "ROOT"), None)
    restart = root is not None and root["vmstate"] in ("Running", "Starting")
    if restart:
        await request.native("stopVirtualMachine", id=id)
    machine = await lookup(request, id)
    template = await _first(request, machine["templateid"])
    made = await request.native(
        "createTemplate",
        name=name,
        displaytext=request.get("Description") or "",
        ostypeid=template["ostypeid"],
        volumeid=root["id"] if root else None,
    )
    if restart:
        await request.native("startVirtualMachine", id=id)
    return {"imageId": made["template"]["id"]}


async def deregister(request: Request) -> Item:
    """DeregisterImage: deletes the template."""
    await request.native("deleteTemplate", id=request.required("ImageId"))
    return {"return": True}


async def modify_description(request: Request) -> Item:
    """ModifyImageAttribute as the measured bridge has it: only the description."""
    return await _set_description(request, request.required("ImageId"), request.required("Description"))


async def reset(request: Request) -> Item:
    """ResetImageAttribute: removes the description, for each attribute."""
    return await _set_description(request, request.required("ImageId"), "")


async def _set_description(request: Request, id: str, text: str) -> Item:
    template = await _first(request, id)
    await request.native("updateTemplate", id=id, name=template["name"], displaytext=text)
    return {"return": True}


async def _first(request: Request, id: str) -> Item:
    """An image by its id. Raises Failed; where there is none, with what Java says of an empty array."""
    found = await _listed(request, "executable", id)
    if not found:
        raise Failed("Index 0 out of bounds for length 0")
    return found[0]


async def describe_attribute(request: Request) -> Item:
    """DescribeImageAttribute: only the description, and only where a parameter of that name is given."""
    if request.get("Description") is None:
        raise Refused(page(501, "Unsupported - only description supported"))
    found = await _listed(request, "executable", request.id_to_load("ImageId"))
    return {"imageId": found[0]["id"], "description": {"value": found[0]["displaytext"]}} if found else {}


async def register(request: Request) -> Item:
    """RegisterImage: `Architecture` is `format:zone:OS type:hypervisor`, with a part of the OS type's name.

    The real bridge passes on the text `null` for a missing part.
    """
    location, described = request.required("ImageLocation"), split(request.required("Architecture"), ":")
    try:
        kind, zone, os_type, hypervisor = (
            [part(described, index) for index in range(4)] if len(described) > 2 else [None] * 4
        )
    except JavaError as error:
        raise crashed(error) from None
    name = request.get("Name")
    if name is None:
        raise Failed("Missing parameter - name")
    made = await request.native(
        "registerTemplate",
        displaytext=request.get("Description", name),
        format=kind or "null",
        hypervisor=hypervisor or "null",
        name=name,
        ostypeid=await _os_type(request, os_type),
        url=location,
        zoneid=await zone_id(request, zone),
    )
    return {"imageId": made["template"][0]["id"]}


async def _os_type(request: Request, name: str | None) -> str:
    if name is None:
        raise JavaError("NullPointerException", 'Cannot invoke "String.toLowerCase()" because "osTypeName" is null')
    types = await request.listed("listOsTypes", "ostype")
    return next((one["id"] for one in types if name.lower() in one["description"].lower()), "null")


async def modify(request: Request) -> Item:
    """ModifyImageAttribute as the service's manual has it: who may launch the image, or its description.

    It takes the form of later EC2 (`LaunchPermission.Add.1.UserId`, `.Group`) and the older one (`OperationType`,
    `UserId.1`, `UserGroup.1`). The group `all` means everybody.
    """
    id = request.required("ImageId")
    text = request.get("Description") or request.get("Description.Value")
    operations = _launch_operations(request)
    if text is None and not operations:
        raise Refused(page(530, "Missing Attribute parameter - Description/LaunchPermission should be provided"))
    for op, names, everybody in operations:
        public = str(op == "add").lower() if everybody else None
        launch = {"op": op, "accounts": ",".join(names)} if names else {}
        await request.native("updateTemplatePermissions", id=id, ispublic=public, **launch)
    if text is not None:
        await request.native("updateTemplate", id=id, displaytext=text)
    return {"return": True}


def _launch_operations(request: Request) -> list[tuple[str, list[str], bool]]:
    """What is asked for of launch permissions: operation, accounts, and whether everybody is meant too."""
    older = (request.get("OperationType") or "").lower()
    operations = []
    for op in ("add", "remove"):
        prefix = f"LaunchPermission.{op.capitalize()}."
        names = [value for name, value in request.params.items() if name.startswith(prefix)]
        if older == op:
            names += request.ids("UserId") + request.ids("UserGroup")
        if names:
            accounts = [name for name in names if name.lower() != EVERYBODY]
            operations.append((op, accounts, len(accounts) < len(names)))
    return operations

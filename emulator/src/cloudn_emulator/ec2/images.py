# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions on images, the templates of the native API."""

from __future__ import annotations

from typing import Any

from .calls import Call, crashed, owner_of, tag_set
from .errors import Failed, Refused
from .instances import lookup
from .java import JavaError, part, split
from .wire import page
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


async def _listed(call: Call, templatefilter: str, id: str | None = None) -> list[Item]:
    return await call.listed("listTemplates", "template", templatefilter=templatefilter, id=id)


async def describe(call: Call) -> Item:
    """DescribeImages: all but ids is ignored. An image is shown once for each zone that has it."""
    ids = call.ids("ImageId")
    wanted: list[tuple[str, str | None]] = [("executable", id) for id in ids] or [(word, None) for word in FILTERS]
    found = [template for word, id in wanted for template in await _listed(call, word, id)]
    return {"imagesSet": [_item(template) for template in found]}


async def create(call: Call) -> Item:
    """CreateImage of the root disk: a running machine is stopped for it and started again.

    Where the image can't be made after that stop, nothing starts the machine (CloudStack's source).
    """
    id, name = call.required("InstanceId"), call.required("Name")
    disks = await call.listed("listVolumes", "volume", virtualmachineid=id)
    root = next((disk for disk in disks if disk["type"] == "ROOT"), None)
    restart = root is not None and root["vmstate"] in ("Running", "Starting")
    if restart:
        await call.native("stopVirtualMachine", id=id)
    machine = await lookup(call, id)
    template = await _first(call, machine["templateid"])
    made = await call.native(
        "createTemplate",
        name=name,
        displaytext=call.get("Description") or "",
        ostypeid=template["ostypeid"],
        volumeid=root["id"] if root else None,
    )
    if restart:
        await call.native("startVirtualMachine", id=id)
    return {"imageId": made["template"]["id"]}


async def deregister(call: Call) -> Item:
    """DeregisterImage: deletes the template."""
    await call.native("deleteTemplate", id=call.required("ImageId"))
    return {"return": True}


async def modify_description(call: Call) -> Item:
    """ModifyImageAttribute as the measured bridge has it: the description and nothing else."""
    return await _describe_anew(call, call.required("ImageId"), call.required("Description"))


async def reset(call: Call) -> Item:
    """ResetImageAttribute: takes the description away, whichever attribute is named."""
    return await _describe_anew(call, call.required("ImageId"), "")


async def _describe_anew(call: Call, id: str, text: str) -> Item:
    template = await _first(call, id)
    await call.native("updateTemplate", id=id, name=template["name"], displaytext=text)
    return {"return": True}


async def _first(call: Call, id: str) -> Item:
    """An image by its id. Raises Failed; where there is none, with what Java says of an empty array."""
    found = await _listed(call, "executable", id)
    if not found:
        raise Failed("Index 0 out of bounds for length 0")
    return found[0]


async def describe_attribute(call: Call) -> Item:
    """DescribeImageAttribute: only the description, and only where a parameter of that name is given."""
    if call.get("Description") is None:
        raise Refused(page(501, "Unsupported - only description supported"))
    found = await _listed(call, "executable", call.id_to_load("ImageId"))
    return {"imageId": found[0]["id"], "description": {"value": found[0]["displaytext"]}} if found else {}


async def register(call: Call) -> Item:
    """RegisterImage: `Architecture` is `format:zone:OS type:hypervisor`, a part of the OS type's name is enough.

    What is missing goes on as the text `null` (the real bridge's).
    """
    location, described = call.required("ImageLocation"), split(call.required("Architecture"), ":")
    try:
        kind, zone, os_type, hypervisor = (
            [part(described, index) for index in range(4)] if len(described) > 2 else [None] * 4
        )
    except JavaError as error:
        raise crashed(error) from None
    name = call.get("Name")
    if name is None:
        raise Failed("Missing parameter - name")
    made = await call.native(
        "registerTemplate",
        displaytext=call.get("Description", name),
        format=kind or "null",
        hypervisor=hypervisor or "null",
        name=name,
        ostypeid=await _os_type(call, os_type),
        url=location,
        zoneid=await zone_id(call, zone),
    )
    return {"imageId": made["template"][0]["id"]}


async def _os_type(call: Call, name: str | None) -> str:
    if name is None:
        raise JavaError("NullPointerException", 'Cannot invoke "String.toLowerCase()" because "osTypeName" is null')
    types = await call.listed("listOsTypes", "ostype")
    return next((one["id"] for one in types if name.lower() in one["description"].lower()), "null")


async def modify(call: Call) -> Item:
    """ModifyImageAttribute as the service's manual has it: who may launch the image, or its description.

    In the form of later EC2 (`LaunchPermission.Add.1.UserId`, `.Group`) or of older (`OperationType`, `UserId.1`,
    `UserGroup.1`); the group `all` is everybody.
    """
    id = call.required("ImageId")
    text = call.get("Description") or call.get("Description.Value")
    operations = _launch_operations(call)
    if text is None and not operations:
        raise Refused(page(530, "Missing Attribute parameter - Description/LaunchPermission should be provided"))
    for op, names, everybody in operations:
        public = str(op == "add").lower() if everybody else None
        launch = {"op": op, "accounts": ",".join(names)} if names else {}
        await call.native("updateTemplatePermissions", id=id, ispublic=public, **launch)
    if text is not None:
        await call.native("updateTemplate", id=id, displaytext=text)
    return {"return": True}


def _launch_operations(call: Call) -> list[tuple[str, list[str], bool]]:
    """What is asked for of launch permissions: operation, accounts, and whether everybody is meant too."""
    older = (call.get("OperationType") or "").lower()
    operations = []
    for op in ("add", "remove"):
        prefix = f"LaunchPermission.{op.capitalize()}."
        names = [value for name, value in call.params.items() if name.startswith(prefix)]
        if older == op:
            names += call.ids("UserId") + call.ids("UserGroup")
        if names:
            accounts = [name for name in names if name.lower() != EVERYBODY]
            operations.append((op, accounts, len(accounts) < len(names)))
    return operations

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions on images, the templates of the native API."""

from __future__ import annotations

from typing import Any

from .calls import Call, owner_of, tag_set
from .errors import Failed, Refused
from .instances import lookup
from .wire import page

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
    wanted = [("executable", id) for id in ids] or [(word, None) for word in FILTERS]
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
    (machine,) = await lookup(call, id)
    templates = await _listed(call, "executable", machine["templateid"])
    if root is None or not templates:
        raise Failed("Index: 0, Size: 0")
    made = await call.native(
        "createTemplate",
        name=name,
        displaytext=call.get("Description") or "",
        ostypeid=templates[0]["ostypeid"],
        volumeid=root["id"],
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
    id, text = call.required("ImageId"), call.required("Description")
    templates = await _listed(call, "executable", id)
    if not templates:
        raise Failed("Index: 0, Size: 0")
    await call.native("updateTemplate", id=id, name=templates[0]["name"], displaytext=text)
    return {"return": True}


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
        await call.native("updateTemplatePermissions", id=id, op=op, accounts=",".join(names) or None, ispublic=public)
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

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions on instances, the machines of the native API."""

from __future__ import annotations

from typing import Any

from ..models import GONE
from .calls import Call, moment, owner_of, tag_set
from .errors import Failed
from .filters import Filters, given, like, passing, same_number, tag_params

Item = dict[str, Any]
# The states of the native API, as CloudStack's source maps them; any other is running.
STATES = {
    "Starting": (0, "pending"),
    "Running": (16, "running"),
    "Destroyed": (48, "terminated"),
    "Expunging": (48, "terminated"),
    "Stopping": (64, "stopping"),
    "Stopped": (80, "stopped"),
    "Error": (1, "error"),
}


def _instance(item: Item) -> Item:
    return item["instancesSet"][0]


FILTERS: Filters = {
    "availability-zone": (like, lambda item: _instance(item)["placement"]["availabilityZone"]),
    "hypervisor": (like, lambda item: _instance(item)["hypervisor"]),
    "image-id": (like, lambda item: _instance(item)["imageId"]),
    "instance-id": (like, lambda item: _instance(item)["instanceId"]),
    "instance-state-code": (same_number, lambda item: _instance(item)["instanceState"]["code"]),
    "instance-state-name": (like, lambda item: _instance(item)["instanceState"]["name"]),
    "instance-type": (like, lambda item: _instance(item)["instanceType"]),
    "ip-address": (like, lambda item: None),  # a public address, which no machine has
    "owner-id": (like, lambda item: item["ownerId"]),
    "private-ip-address": (like, lambda item: _instance(item)["privateIpAddress"]),
    "root-device-name": (like, lambda item: None),  # only data disks have device names to compare
}


# --- what they look like


def state(name: str) -> Item:
    """A state by number and name."""
    code, shown = STATES.get(name, STATES["Running"])
    return {"code": code, "name": shown}


def _reservation(vm: Item) -> Item:
    item = _item(vm, {"availabilityZone": vm["zonename"], "groupName": None}, str(vm["rootdeviceid"]), {})
    return {
        "reservationId": vm["id"],
        "ownerId": owner_of(vm),
        "groupSet": _groups(vm),
        "instancesSet": [{**item, "tagSet": tag_set(vm), "hypervisor": vm["hypervisor"]}],
        "requesterId": None,
    }


def _launched(vm: Item) -> Item:
    more = {"virtualizationType": None, "clientToken": None, "tagSet": tag_set({"tags": []})}
    return {**_item(vm, {"availabilityZone": vm["zonename"]}, None, more), "hypervisor": vm["hypervisor"]}


def _item(vm: Item, placement: Item, root_device: str | None, more: Item) -> Item:
    nic = next((nic for nic in vm["nic"] if nic["isdefault"]), {})
    return {
        "instanceId": vm["id"],
        "imageId": vm["templateid"],
        "instanceState": state(vm["state"]),
        "privateDnsName": None,
        "dnsName": None,
        "reason": None,
        "amiLaunchIndex": None,
        "productCodes": [{"productCode": None}],
        "instanceType": vm["serviceofferingname"],
        "launchTime": moment(vm["created"]),
        "placement": placement,
        "kernelId": None,
        "ramdiskId": None,
        "platform": None,
        "monitoring": {"state": None},
        "subnetId": None,
        "vpcId": None,
        "privateIpAddress": nic.get("ipaddress"),
        "stateReason": {"code": None, "message": None},
        "architecture": None,
        "rootDeviceType": None,
        "rootDeviceName": root_device,
        "instanceLifecycle": None,
        "spotInstanceRequestId": None,
        **more,
    }


def _groups(vm: Item) -> list[Item]:
    return [{"groupId": group["name"]} for group in vm["securitygroup"]] or [{"groupId": None}]


# --- the actions


async def lookup(call: Call, id: str, **params: str) -> list[Item]:
    """The machine of this id as the native API shows it; raises Failed where it is not seen (any more)."""
    found = await call.listed("listVirtualMachines", "virtualmachine", id=id, **params)
    if not found:
        raise Failed(f"Instance:{id} not found")
    return found


async def _lookup_all(call: Call, ids: list[str]) -> list[Item]:
    return [vm for id in ids for vm in await lookup(call, id)]


async def describe(call: Call) -> Item:
    """DescribeInstances: each in a reservation of its own; one unknown id fails the whole call."""
    filters = given(call, FILTERS)
    tags = tag_params(filters)
    ids = call.ids("InstanceId")
    if ids:
        machines = [vm for id in ids for vm in await lookup(call, id, **tags)]
    else:
        machines = await call.listed("listVirtualMachines", "virtualmachine", **tags)
    return {"reservationSet": passing([_reservation(vm) for vm in machines], filters, FILTERS)}


async def run(call: Call) -> Item:
    """RunInstances: one after the other, each up to its job's end. User data and security groups are ignored."""
    image = call.required("ImageId")
    least, most = call.integer("MinCount"), call.integer("MaxCount")
    if call.get("size") is not None:
        call.integer("size")
    if most < least:
        raise Failed(f"Only {most} instance(s) left to allocate")
    wanted = call.get("InstanceType") or "m1.small"
    plan = next((plan for plan in call.store.service_offerings.values() if plan.name == wanted), None)
    if plan is None:
        raise Failed(f"instanceType: [{wanted}] not found!")
    zone = await _zone(call, call.get("Placement.AvailabilityZone"))
    made = []
    for _number in range(most):
        result = await call.native(
            "deployVirtualMachine",
            serviceofferingid=plan.id,
            templateid=image,
            zoneid=zone["id"],
            keypair=call.get("KeyName"),
            size=call.get("size"),
        )
        made.append(result["virtualmachine"])
    if not made:
        raise Failed("Insufficient Instance Capacity")
    return {
        "reservationId": None,
        "ownerId": owner_of(made[0]),
        "groupSet": _groups(made[-1]),
        "instancesSet": [_launched(vm) for vm in made],
        "requesterId": None,
    }


async def _zone(call: Call, name: str | None) -> Item:
    zones = await call.listed("listZones", "zone")
    for zone in zones:
        if name is None or zone["name"].lower() == name.lower():
            return zone
    raise Failed(f"Unknown zoneName value - {name}")


async def reboot(call: Call) -> Item:
    """RebootInstances."""
    for vm in await _lookup_all(call, call.required_ids("InstanceId")):
        if vm["state"] != GONE:
            await call.native("rebootVirtualMachine", id=vm["id"])
    return {"return": True}


async def start(call: Call) -> Item:
    """StartInstances."""
    return await _move(call, "startVirtualMachine", ("Running", GONE))


async def stop(call: Call) -> Item:
    """StopInstances."""
    return await _take_down(call, "stopVirtualMachine", ("Stopped", GONE))


async def terminate(call: Call) -> Item:
    """TerminateInstances: they are gone at once for a plain account."""
    return await _take_down(call, "destroyVirtualMachine", (GONE,))


async def _take_down(call: Call, command: str, done: tuple[str, ...]) -> Item:
    try:
        return await _move(call, command, done)
    except Failed as failure:
        raise Failed(f"{failure.text}, might already be destroyed") from None


async def _move(call: Call, command: str, done: tuple[str, ...]) -> Item:
    """Do a command to each that is not in one of these states, one after the other; tells the states before and after."""
    changes = []
    for vm in await _lookup_all(call, call.required_ids("InstanceId")):
        after = vm["state"]
        if after not in done:
            after = (await call.native(command, id=vm["id"]))["virtualmachine"]["state"]
        changes.append({"instanceId": vm["id"], "currentState": state(after), "previousState": state(vm["state"])})
    return {"instancesSet": changes}


async def modify(call: Call) -> Item:
    """ModifyInstanceAttribute: only the plan, by name. The measured bridge does not have it, the service's manual does."""
    id = call.required("InstanceId")
    wanted = call.get("InstanceType.Value")
    if wanted is None and (call.get("Attribute") or "").lower() == "instancetype":
        wanted = call.get("Value")
    if wanted is None:
        wanted = call.required("InstanceType.Value")
    plan = next((plan for plan in call.store.service_offerings.values() if plan.name == wanted), None)
    if plan is None:
        raise Failed(f"instanceType: [{wanted}] not found!")
    await call.native("changeServiceForVirtualMachine", id=id, serviceofferingid=plan.id)
    return {"return": True}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions on instances, the machines of the native API."""

from __future__ import annotations

from typing import Any

from ..collation import collated
from ..models import GONE, ServiceOffering
from .refusals import Failed, Refused
from .replies import page
from .request import Request, moment, owner_of, tag_set
from .selection import Kind, is_device, like, same_number
from .zones import zone_id

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


def state(name: str) -> Item:
    """A state by number and name."""
    code, shown = STATES.get(name, STATES["Running"])
    return {"code": code, "name": shown}


def _address(vm: Item) -> str | None:
    return next((nic.get("ipaddress") for nic in vm["nic"] if nic["isdefault"]), None)


def _group_names(vm: Item) -> tuple[str, ...]:
    return tuple(group["name"] for group in vm["securitygroup"])


FILTERS = Kind(
    {
        "availability-zone": (like, lambda vm: vm["zonename"]),
        "dns-name": (like, lambda vm: vm["name"]),  # though the answer shows none
        "group-id": (like, _group_names),
        "hypervisor": (like, lambda vm: vm["hypervisor"]),
        "image-id": (like, lambda vm: vm["templateid"]),
        "instance-id": (like, lambda vm: vm["id"]),
        "instance-state-code": (same_number, lambda vm: state(vm["state"])["code"]),
        "instance-state-name": (like, lambda vm: state(vm["state"])["name"]),
        "instance-type": (like, lambda vm: vm["serviceofferingname"]),
        "ip-address": (like, lambda vm: None),  # a public address, which no machine has
        "owner-id": (like, owner_of),
        "private-ip-address": (like, _address),
        "root-device-name": (is_device, lambda vm: vm["rootdeviceid"]),
    },
    unknown="Unsupported filter [{}]",
)


# --- what they look like


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
    return {
        "instanceId": vm["id"],
        "imageId": vm["templateid"],
        "instanceState": state(vm["state"]),
        "privateDnsName": None,
        "dnsName": None,
        "reason": None,
        **({"keyName": vm["keypair"]} if "keypair" in vm else {}),
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
        "privateIpAddress": _address(vm),
        "stateReason": {"code": None, "message": None},
        "architecture": None,
        "rootDeviceType": None,
        "rootDeviceName": root_device,
        "instanceLifecycle": None,
        "spotInstanceRequestId": None,
        **more,
    }


def _groups(vm: Item) -> list[Item]:
    return [{"groupId": name} for name in _group_names(vm) or (None,)]


# --- the actions


async def lookup(request: Request, id: str) -> Item:
    """The machine of this id as the native API shows it. Raises Failed if it is not shown (any more)."""
    found = await request.listed("listVirtualMachines", "virtualmachine", id=id, listall="true")
    if not found:
        raise Failed(f"Instance:{id} not found")
    return found[0]


async def _lookup_all(request: Request, ids: list[str]) -> list[Item]:
    return [await lookup(request, id) for id in ids]


async def _all(request: Request) -> list[Item]:
    return await request.listed("listVirtualMachines", "virtualmachine", listall="true")


async def describe(request: Request) -> Item:
    """DescribeInstances: each in a reservation of its own. One unknown id fails the whole call."""
    filters = FILTERS.given(request)
    ids = request.ids("InstanceId")
    machines = await _lookup_all(request, ids) if ids else await _all(request)
    return {"reservationSet": [_reservation(vm) for vm in FILTERS.passing(machines, filters)]}


async def describe_attribute(request: Request) -> Item:
    """DescribeInstanceAttribute: only the plan's name."""
    if not any(value.lower() == "instancetype" for value in request.ids("Attribute")):
        raise Refused(page(501, "Unsupported - only instanceType supported"))
    vm = await lookup(request, request.id_to_load("InstanceId"))
    return {"instanceId": vm["id"], "instanceType": {"value": vm["serviceofferingname"]}}


async def run(request: Request) -> Item:
    """RunInstances: one after the other, each to the end of its job. User data and security groups are ignored."""
    image = request.required("ImageId")
    least, most = request.integer("MinCount"), request.integer("MaxCount")
    if request.get("size") is not None:
        request.integer("size")
    count = await _count(request, least, most)
    plan = _plan(request, request.get("InstanceType", "m1.small"))
    zone = await zone_id(request, request.get("Placement.AvailabilityZone"))
    made = []
    for _number in range(count):
        result = await request.native(
            "deployVirtualMachine",
            serviceofferingid=plan.id,
            templateid=image,
            zoneid=zone,
            keypair=request.get("KeyName"),
            size=request.get("size"),
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


async def _count(request: Request, least: int, most: int) -> int:
    """How many machines to make: the most that are asked for, or the least where the account has not so many left.

    So a least above the most is no error. Raises Failed where not even the least are left.
    """
    left = most if request.account.admin else await _left(request, most)
    if left < least:
        raise Failed(f"Only {left} instance(s) left to allocate")
    return least if left < most else most


async def _left(request: Request, most: int) -> int:
    """How many machines the account may still make; `most` where it has no limit."""
    (limit,) = await request.listed("listResourceLimits", "resourcelimit", resourcetype="0")
    allowed: int = limit["max"]
    return most if allowed == -1 else allowed - len(await _all(request))


def _plan(request: Request, name: str) -> ServiceOffering:
    """The plan of this name, as the database compares names. Raises Failed."""
    plans = request.store.service_offerings.values()
    plan = next((plan for plan in plans if collated(plan.name) == collated(name)), None)
    if plan is None:
        raise Failed(f"instanceType: [{name}] not found!")
    return plan


async def reboot(request: Request) -> Item:
    """RebootInstances."""
    for vm in await _lookup_all(request, request.required_ids("InstanceId")):
        if vm["state"] != GONE:
            await request.native("rebootVirtualMachine", id=vm["id"])
    return {"return": True}


async def start(request: Request) -> Item:
    """StartInstances."""
    return await _move(request, "startVirtualMachine", ("Running", GONE))


async def stop(request: Request) -> Item:
    """StopInstances."""
    return await _take_down(request, "stopVirtualMachine", ("Stopped", GONE))


async def terminate(request: Request) -> Item:
    """TerminateInstances: a plain account does not see them any more."""
    return await _take_down(request, "destroyVirtualMachine", (GONE,))


async def _take_down(request: Request, command: str, done: tuple[str, ...]) -> Item:
    try:
        return await _move(request, command, done)
    except Failed as failure:
        raise Failed(f"{failure.text}, might already be destroyed") from None


async def _move(request: Request, command: str, done: tuple[str, ...]) -> Item:
    """Do a command to each that is not in one of these states, in turn; returns the states before and after."""
    changes = []
    for vm in await _lookup_all(request, request.required_ids("InstanceId")):
        after = vm["state"]
        if after not in done:
            after = (await request.native(command, id=vm["id"]))["virtualmachine"]["state"]
        changes.append({"instanceId": vm["id"], "currentState": state(after), "previousState": state(vm["state"])})
    return {"instancesSet": changes}


async def modify(request: Request) -> Item:
    """ModifyInstanceAttribute: only the plan, by name.

    Only the manual of the service has it, not the measured bridge.
    """
    id = request.required("InstanceId")
    wanted = request.get("InstanceType.Value")
    if wanted is None and (request.get("Attribute") or "").lower() == "instancetype":
        wanted = request.get("Value")
    if wanted is None:
        wanted = request.required("InstanceType.Value")
    plan = _plan(request, wanted)
    await request.native("changeServiceForVirtualMachine", id=id, serviceofferingid=plan.id)
    return {"return": True}

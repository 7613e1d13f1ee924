# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one store: what the emulated cloud holds, in memory. Only the server's event loop changes it."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from .errors import CAPACITY, ApiError

GONE, EXPUNGING = "Destroyed", "Expunging"


def new_id() -> str:
    """A fresh id, as the service makes them."""
    return str(uuid.uuid4())


@dataclass(slots=True)
class Account:
    """Who asks; `grants` are commands it may use beyond those of its kind, `denied` those it may not."""

    name: str
    id: str
    user_id: str
    number: int
    admin: bool
    api_key: str
    api_secret: str
    grants: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    domain_id: str = "1"
    domain: str = "ROOT"

    def may(self, command: str, granted: bool) -> bool:
        """Whether it has a command, which is `granted` to all or not."""
        return command not in self.denied and (granted or self.admin or command in self.grants)


@dataclass(slots=True)
class Zone:
    """A Basic zone with its one shared network; `subnet` is the second number of its addresses (10.N.0.0/16)."""

    id: str
    name: str
    token: str
    network_id: str
    subnet: int


@dataclass(slots=True)
class Host:
    """A hypervisor; only administrators see it."""

    id: str
    name: str
    zone_id: str


@dataclass(slots=True)
class ServiceOffering:
    """A plan: CPU speed in MHz, memory in MiB."""

    id: str
    name: str
    text: str
    cpus: int
    speed: int
    memory: int
    created: float
    ha: bool


@dataclass(slots=True)
class DiskOffering:
    """A kind of data disk: size in GiB, 0 where the size is given when a disk is made."""

    id: str
    name: str
    text: str
    size: int
    created: float
    custom: bool


@dataclass(slots=True)
class OsType:
    """A kind of guest system."""

    id: str
    category: str
    description: str


@dataclass(slots=True)
class Template:
    """An image: size in bytes, the zones that have it, and the accounts that may launch it.

    `unready` holds the status of each zone whose copy can't be used (yet). A deleted template is in no zone.
    """

    id: str
    name: str
    text: str
    os_type_id: str
    owner: str
    zone_ids: list[str]
    created: float
    size: int
    password: bool
    public: bool = True
    featured: bool = True
    extractable: bool = True
    builtin: bool = False
    format: str = "VHD"
    hypervisor: str = "Simulator"
    checksum: str | None = None
    source_id: str | None = None
    launch: list[str] = field(default_factory=list)
    unready: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Nic:
    """The network card of a VM; it has no address before its network is reserved."""

    id: str
    network_id: str
    mac: str
    ip: str | None = None


@dataclass(slots=True)
class Vm:
    """A virtual machine. `transition` is open while a job moves it, `reserving` until its network is reserved."""

    serial: int
    id: str
    name: str
    displayname: str
    zone_id: str
    template_id: str
    offering_id: str
    os_type_id: str
    nic: Nic
    security_group_ids: list[str]
    created: float
    state: str = "Stopped"
    ha: bool = False
    group_id: str | None = None
    host_id: str | None = None
    keypair: str | None = None
    userdata: str | None = None
    root_device: str = "Not created"
    destroyed_at: float | None = None
    transition: asyncio.Future[None] | None = None
    reserving: asyncio.Future[None] | None = None


@dataclass(slots=True)
class Volume:
    """A disk: size in bytes; `attached` only where it was attached by a command of its own.

    `disk_offering_id` is a service offering's id for a disk made from a snapshot of a root disk; `status` tells how far
    an upload is. A deleted disk stays, in state Destroy.
    """

    serial: int
    id: str
    name: str
    zone_id: str
    kind: str
    size: int
    created: float
    state: str = "Allocated"
    storage: str = "none"
    vm_id: str | None = None
    device: int | None = None
    disk_offering_id: str | None = None
    offering_id: str | None = None
    template_id: str | None = None
    attached: float | None = None
    status: str | None = None


@dataclass(slots=True)
class Snapshot:
    """A copy of a disk, which outlives it: size in bytes. A deleted one stays, in state Destroyed."""

    id: str
    name: str
    volume: Volume
    size: int
    created: float
    state: str = "Creating"


@dataclass(slots=True)
class Rule:
    """One rule of a security group: from or to a CIDR or another group. For icmp, start and end are type and code."""

    id: str
    group_id: str
    direction: str
    protocol: str
    start: int
    end: int
    cidr: str | None = None
    source_id: str | None = None


@dataclass(slots=True)
class SecurityGroup:
    """A security group with its rules, by id."""

    id: str
    name: str
    description: str | None
    rules: dict[str, Rule] = field(default_factory=dict)


@dataclass(slots=True)
class InstanceGroup:
    """The display group of VMs."""

    id: str
    name: str


@dataclass(slots=True)
class KeyPair:
    """A public SSH key under a name."""

    name: str
    public_key: str
    fingerprint: str


@dataclass(slots=True)
class Job:
    """An asynchronous job: status 0 pending, 1 done, 2 failed; the result stays as it was when the job ended.

    One that `hangs` never ends, one that is `lost` is not known any more to who asks for it. `ended` is set at its end.
    """

    id: str
    command: str
    created: float
    instance_type: str | None
    instance_id: str | None
    status: int = 0
    code: int = 0
    result: dict[str, Any] | None = None
    hangs: bool = False
    lost: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Store:
    """Everything there is. Names compare without regard to case, as the service's database does.

    `ahead` are the seconds by which the service's clock is ahead of this machine's; `counts_all` says that a listing's `count`
    is that of all pages, as in CloudStack 4, instead of the one in the answer.
    """

    def __init__(self, account: Account, expunge_seconds: float) -> None:
        self.ahead = 0.0
        self.counts_all = False
        self.account = account
        self.expunge_seconds = expunge_seconds
        self.accounts = {account.name, "admin", "system"}
        self.zones: dict[str, Zone] = {}
        self.hosts: dict[str, Host] = {}
        self.service_offerings: dict[str, ServiceOffering] = {}
        self.disk_offerings: dict[str, DiskOffering] = {}
        self.os_types: dict[str, OsType] = {}
        self.templates: dict[str, Template] = {}
        self.vms: dict[str, Vm] = {}
        self.volumes: dict[str, Volume] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.security_groups: dict[str, SecurityGroup] = {}
        self.rules: dict[str, Rule] = {}
        self.instance_groups: dict[str, InstanceGroup] = {}
        self.key_pairs: dict[str, KeyPair] = {}
        self.jobs: dict[str, Job] = {}
        self.tags: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
        self._host_names: set[tuple[str, str]] = set()
        self._addresses: dict[str, deque[int]] = {}
        self._next_address: dict[str, int] = {}
        self._destroyed: deque[tuple[float, str]] = deque()
        self._serial = 0

    def now(self) -> float:
        """The time by the service's clock, in seconds since the epoch."""
        return time.time() + self.ahead

    def time(self) -> datetime:
        """The same as a moment."""
        return datetime.fromtimestamp(self.now(), timezone.utc)

    def next_serial(self) -> int:
        """The next number of the service's own counting (VM and disk names carry it)."""
        self._serial += 1
        return self._serial

    # --- what parameters refer to, by the name of the service's table

    def find(self, table: str, id: str) -> Any:
        """The object of this table and id, or None; destroyed machines are found, expunged ones are not."""
        if table == "disk_offering":  # both kinds of offerings share a table (measured on CloudStack 3.0.5)
            return self.service_offerings.get(id) or self.disk_offerings.get(id)
        if table == "domain":
            return self.account if id == self.account.domain_id else None
        if table == "networks":
            return next((zone for zone in self.zones.values() if zone.network_id == id), None)
        rows = self._tables().get(table)
        return rows.get(id) if rows else None

    def _tables(self) -> dict[str, dict[str, Any]]:
        return {
            "async_job": self.jobs,
            "data_center": self.zones,
            "guest_os": self.os_types,
            "host": self.hosts,
            "instance_group": self.instance_groups,
            "security_group": self.security_groups,
            "security_group_rule": self.rules,
            "snapshots": self.snapshots,
            "vm_instance": self.vms,
            "vm_template": self.templates,
            "volumes": self.volumes,
        }

    # --- virtual machines

    def host_name_taken(self, zone: Zone, name: str) -> bool:
        """Whether a VM of the zone's network has this host name; destroyed ones keep theirs until expunged."""
        return (zone.network_id, name) in self._host_names

    def add_vm(self, vm: Vm) -> None:
        """Take a new VM in, and its host name with it."""
        self.vms[vm.id] = vm
        self._host_names.add((vm.nic.network_id, vm.name))

    def mark_destroyed(self, vm: Vm, now: float | None = None) -> None:
        """Make a VM Destroyed; it is expunged when its time is up."""
        vm.state, vm.host_id = GONE, None
        vm.destroyed_at = self.now() if now is None else now
        self._destroyed.append((vm.destroyed_at, vm.id))

    def expunge_due(self, now: float | None = None) -> None:
        """Remove the VMs that were destroyed long enough ago."""
        due = (self.now() if now is None else now) - self.expunge_seconds
        while self._destroyed and self._destroyed[0][0] <= due:
            destroyed_at, vm_id = self._destroyed.popleft()
            vm = self.vms.get(vm_id)
            if vm and vm.destroyed_at == destroyed_at:
                self._expunge(vm)

    def _expunge(self, vm: Vm) -> None:
        del self.vms[vm.id]
        self._host_names.discard((vm.nic.network_id, vm.name))
        self.tags.pop(("UserVm", vm.id), None)
        if vm.nic.ip:
            self._addresses.setdefault(vm.zone_id, deque()).append(_number(vm.nic.ip))
        for volume in self.volumes_of(vm):
            if volume.kind == "ROOT":
                del self.volumes[volume.id]
                self.tags.pop(("Volume", volume.id), None)
            else:
                volume.vm_id = volume.device = volume.attached = None

    def reserve_address(self, vm: Vm) -> None:
        """Give the VM's card an address of its zone, where it has none.

        Raises ApiError (533) when the zone has none left.
        """
        if vm.nic.ip:
            return
        zone = self.zones[vm.zone_id]
        free = self._addresses.get(zone.id)
        number = self._next_address.get(zone.id, 258)
        if number <= 65534:
            self._next_address[zone.id] = number + 1
        elif free:
            number = free.popleft()
        else:
            raise ApiError(CAPACITY, f"Unable to get a free address in zone {zone.name}")
        vm.nic.ip = f"10.{zone.subnet}.{number >> 8}.{number & 255}"

    def volumes_of(self, vm: Vm) -> list[Volume]:
        """The disks attached to a VM, oldest first."""
        return [volume for volume in self.volumes.values() if volume.vm_id == vm.id]

    def instance_group(self, name: str) -> InstanceGroup:
        """The display group of this name; made where there is none."""
        found = by_name(self.instance_groups.values(), name)
        if found is None:
            found = InstanceGroup(new_id(), name)
            self.instance_groups[found.id] = found
        return found

    # --- security groups

    def add_security_group(self, name: str, description: str | None, id: str | None = None) -> SecurityGroup:
        """Make a group without rules."""
        group = SecurityGroup(id or new_id(), name, description)
        self.security_groups[group.id] = group
        return group

    def add_rule(self, rule: Rule) -> None:
        """Take a rule into its group."""
        self.rules[rule.id] = rule
        self.security_groups[rule.group_id].rules[rule.id] = rule

    def remove_rule(self, rule: Rule) -> None:
        """Take a rule out of its group."""
        self.rules.pop(rule.id, None)
        group = self.security_groups.get(rule.group_id)
        if group:
            group.rules.pop(rule.id, None)

    # --- tags

    def tags_of(self, kind: str, id: str) -> list[tuple[str, str]]:
        """Key and value of each tag of an object, oldest first."""
        return list(self.tags.get((kind, id), {}).values())


def by_name(objects: Iterable[Any], name: str) -> Any:
    """The first object of this name, or None."""
    return next((one for one in objects if one.name.lower() == name.lower()), None)


def _number(ip: str) -> int:
    third, fourth = ip.split(".")[2:]
    return (int(third) << 8) + int(fourth)

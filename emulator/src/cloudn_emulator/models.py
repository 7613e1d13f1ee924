# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of the emulated cloud: one data class for each kind.

A list or a mapping in an object is never changed in place. A new one is put in its place, so that whoever follows the
object's fields sees each change.
"""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .errors import internal

GONE, EXPUNGING, FAILED = "Destroyed", "Expunging", "Error"
DELETED_VOLUME, DELETED_SNAPSHOT = "Destroy", "Destroyed"
GIB = 1024**3  # bytes


def new_id() -> str:
    """A fresh id, as the service makes them: a random UUID (version 4)."""
    digits = os.urandom(16).hex()
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{'89ab'[int(digits[16], 16) % 4]}{digits[17:20]}-{digits[20:]}"
    )


@dataclass(frozen=True, slots=True)
class NoObject:
    """The object of the id `-1`, which is none. As a filter it finds nothing, or is ignored.

    Its other fields raise an error (530): the real server has a null pointer there and crashes.
    """

    id: str = "-1"

    def __getattr__(self, name: str) -> Any:
        raise internal()


NO_OBJECT = NoObject()


@dataclass(slots=True)
class Account:
    """An account that may ask. `grants` are commands that it has besides those of its kind, `denied` those it lacks.

    An account without a key cannot ask: it only owns things.
    """

    name: str
    id: str
    user_id: str
    number: int
    admin: bool = False
    api_key: str = ""
    api_secret: str = ""
    grants: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()
    domain_id: str = "1"
    domain: str = "ROOT"
    domain_path: str = "ROOT"
    domain_row: str = "1"
    created: float = field(default_factory=time.time)

    @property
    def label(self) -> str:
        """The account as error texts call it."""
        return f"Acct[{self.number}-{self.name}]"

    def may(self, command: str, granted: bool) -> bool:
        """Whether the account may use a command, which all accounts have if it is `granted`."""
        return command not in self.denied and (granted or self.admin or command in self.grants)


@dataclass(slots=True)
class Zone:
    """A zone with its shared network, or with one of its networks. `subnet` is the second number of its addresses (10.N.0.0/16).

    `hypervisors` are those of its hosts.
    """

    id: str
    name: str
    token: str
    network_id: str
    subnet: int
    hypervisors: tuple[str, ...] = ("Simulator",)
    kind: str = "Basic"
    network_name: str = "guestNetworkForBasicZone"

    @property
    def networks(self) -> tuple[Zone, ...]:
        """The zone as it is seen from each of its networks: a Basic zone has one, an Advanced zone two."""
        if self.kind == "Basic":
            return (self,)
        other = str(uuid.uuid5(uuid.NAMESPACE_OID, f"second network {self.id}"))
        return (self, replace(self, network_id=other, network_name=f"{self.name}-net2"))

    @property
    def physical_network_id(self) -> str:
        """The id of the physical network below the zone's network."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"physical network {self.id}"))

    @property
    def storage(self) -> str:
        """The name of the storage that its disks are on."""
        return f"primary-{self.name}"


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
    """A kind of data disk: its size in GiB, or 0 if each disk is given its own size."""

    id: str
    name: str
    text: str
    size: int
    created: float
    custom: bool


@dataclass(slots=True)
class OsCategory:
    """A family of guest systems."""

    id: str
    name: str


@dataclass(slots=True)
class OsType:
    """A kind of guest system."""

    id: str
    category: str
    description: str


@dataclass(slots=True)
class Template:
    """An image or an ISO: its size in bytes, the zones that have it, and the accounts that may launch it.

    `unready` has the status of each copy that cannot be used, by its zone. `downloading` has the zones whose copy is
    under way. A deleted template stays, `removed`. An ISO that is `perhost` comes with the hosts and is in no zone.
    """

    id: str
    name: str
    text: str
    os_type_id: str
    owner: str
    zone_ids: Sequence[str]
    created: float
    size: int
    password: bool
    public: bool = True
    featured: bool = True
    extractable: bool = True
    builtin: bool = False
    perhost: bool = False
    removed: bool = False
    bootable: bool = True
    format: str = "VHD"
    hypervisor: str = "Simulator"
    checksum: str | None = None
    source_id: str | None = None
    sort_key: int = 0
    tag: str | None = None
    details: Mapping[str, str] | None = None
    # What only CloudStack 4 shows.
    url: str | None = None
    bits: int = 0
    hvm: bool = False
    ssh_keys: bool = False
    made_of: str = ""
    launch: Sequence[str] = field(default_factory=list)
    unready: Mapping[str, str] = field(default_factory=dict)
    downloading: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        """The object as error texts call it."""
        return f"Tmpl[{self.id}-{self.format}-{self.name}]"

    @property
    def is_iso(self) -> bool:
        """Whether it is an ISO. The commands on templates do not know ISOs."""
        return self.format == "ISO"


def mac_address(serial: int) -> str:
    """The hardware address of the machine with this number."""
    return "06:" + ":".join(f"{(serial >> shift) & 255:02x}" for shift in (32, 24, 16, 8, 0))


@dataclass(frozen=True, slots=True)
class Nic:
    """The network card of a VM. It has no address before its network is reserved."""

    id: str
    network_id: str
    mac: str
    ip: str | None = None


@dataclass(slots=True)
class Vm:
    """A virtual machine of an account. `serial` is the number of its row.

    It has a public key, not the name of a pair: the pair may be deleted, or get another name. `password_due` is set
    until the machine is first started. `transition` is open while a job changes its state, `reserving` until its
    network is reserved.
    """

    serial: int
    id: str
    owner: str
    name: str
    displayname: str
    zone_id: str
    template_id: str
    offering_id: str
    os_type_id: str
    nic: Nic
    security_group_ids: Sequence[str]
    created: float
    state: str = "Stopped"
    ha: bool = False
    group_id: str | None = None
    host_id: str | None = None
    public_key: str | None = None
    userdata: str | None = None
    root_device: str = "Not created"
    more_nics: Sequence[Nic] = field(default_factory=list)
    # What only CloudStack 4 has.
    updated: float | None = None
    key_pairs: Sequence[str] = field(default_factory=list)
    affinity_group_ids: Sequence[str] = field(default_factory=list)
    keyboard: str | None = None
    protected: bool = False
    scalable: bool = False
    has_sealed_password: bool = False
    password: str | None = None
    freed: bool = False
    job_ids: Sequence[str] = field(default_factory=list)
    destroyed_at: float | None = None
    password_due: bool = False
    transition: asyncio.Future[None] | None = None
    reserving: asyncio.Future[None] | None = None

    @property
    def label(self) -> str:
        """The object as error texts call it."""
        return f"VM[User|{self.name}]"


@dataclass(slots=True)
class AffinityGroup:
    """A group of machines that run on different hosts, or on one. Only CloudStack 4 has such groups."""

    id: str
    owner: str
    name: str
    kind: str
    description: str | None = None

    @property
    def label(self) -> str:
        """The object as error texts call it."""
        return f"AffinityGroup[{self.name}]"


@dataclass(slots=True)
class Volume:
    """A disk: size in bytes. `attached` is set only if a command of its own attached it.

    A disk that was made from a snapshot of a root disk has the id of a service offering as its `disk_offering_id`.
    `status` is how far an upload is, `url` where it comes from. A deleted disk stays for a time, in state Destroy.
    """

    serial: int
    id: str
    owner: str
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
    url: str | None = None

    @property
    def label(self) -> str:
        """The object as error texts call it."""
        return f"Vol[{self.serial}|vm={self.vm_id or 'null'}|{self.kind}]"


@dataclass(slots=True)
class Snapshot:
    """A copy of a disk, which outlives it: size in bytes.

    `kind` is MANUAL, or the interval of the policy that made it. A deleted snapshot stays for a time, in state
    Destroyed.
    """

    id: str
    owner: str
    name: str
    volume: Volume
    size: int
    created: float
    state: str = "Creating"
    kind: str = "MANUAL"

    @property
    def label(self) -> str:
        """The object as error texts call it."""
        return "com.cloud.storage.SnapshotVO"


@dataclass(slots=True)
class SnapshotPolicy:
    """When snapshots of a disk are made, and how many of them are kept; `next_run` is in seconds since the epoch."""

    id: str
    volume: Volume
    interval: str
    schedule: str
    timezone: str
    kept: int
    next_run: float


@dataclass(slots=True)
class Rule:
    """One rule of a security group, for a CIDR or for another group. For icmp, start and end are type and code.

    `row` is the number of its row.
    """

    id: str
    group_id: str
    direction: str
    protocol: str
    start: int
    end: int
    cidr: str | None = None
    source_id: str | None = None
    row: int = 0


@dataclass(slots=True)
class SecurityGroup:
    """A security group of an account with its rules, by id. `row` is the number of its row.

    It is `locked` while a command changes its rules.
    """

    row: int
    id: str
    owner: str
    name: str
    description: str | None
    rules: dict[str, Rule] = field(default_factory=dict)
    locked: bool = False

    @property
    def label(self) -> str:
        """The object as error texts call it."""
        return "com.cloud.network.security.SecurityGroupVO"


@dataclass(slots=True)
class InstanceGroup:
    """The display group of an account's VMs. A `removed` one is known for a while and holds no VM."""

    id: str
    owner: str
    name: str
    created: float
    removed: bool = False

    @property
    def label(self) -> str:
        """The object as error texts call it."""
        return "com.cloud.vm.InstanceGroupVO"


@dataclass(slots=True)
class KeyPair:
    """A public SSH key of an account, under a name. No answer of CloudStack 3 shows its `id`."""

    id: str
    owner: str
    name: str
    public_key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Event:
    """An event: whose object it is about (`owner`), who did something to it, and how far it was (`state`).

    `parent` is the id of the event that began the action, or `0`.
    """

    id: str
    owner: str
    username: str
    type: str
    level: str
    description: str
    created: float
    state: str
    parent: str = "0"


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of an object. Its key may be missing or empty."""

    key: str | None
    value: str
    customer: str | None = None


@dataclass(slots=True)
class Job:
    """An asynchronous job: status 0 pending, 1 done, 2 failed. The result stays as it was when the job ended.

    A job that `hangs` never ends. Nobody can ask for a job that is `lost`. `ended` is set at its end.
    """

    id: str
    owner: str
    command: str
    created: float
    instance_type: str | None
    instance_id: str | None
    status: int = 0
    code: int = 0
    result: Mapping[str, Any] | None = None
    hangs: bool = False
    lost: bool = False
    completed: float = 0.0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The store: everything in the emulated cloud, in memory. Only the event loop of the server changes it."""

from __future__ import annotations

import random
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from . import network_offerings, network_offerings_4, os_types
from .collation import collated
from .errors import CAPACITY, ApiError
from .generation import GENERATIONS, Differs, Generation
from .models import (
    DELETED_SNAPSHOT,
    DELETED_VOLUME,
    FAILED,
    GONE,
    NO_OBJECT,
    Account,
    AffinityGroup,
    DiskOffering,
    Event,
    Host,
    InstanceGroup,
    Job,
    KeyPair,
    OsCategory,
    OsType,
    Rule,
    SecurityGroup,
    ServiceOffering,
    Snapshot,
    SnapshotPolicy,
    Tag,
    Template,
    Vm,
    Volume,
    Zone,
    new_id,
)
from .races import Races
from .settings import Settings

if TYPE_CHECKING:
    from .command import Command

# The tables of objects that commands delete, by kind. Kinds that have tags have the names that tags use.
TABLES = {"InstanceGroup": "instance_groups", "Snapshot": "snapshots", "Template": "templates", "Volume": "volumes"}
FIRST_ADDRESS, LAST_ADDRESS = 258, 65534  # of a zone, as one number: the third and fourth part of an address
# What the service has from the beginning.
_NETWORK_OFFERINGS: Differs[tuple[Any, ...]] = Differs(network_offerings.OFFERINGS, network_offerings_4.OFFERINGS)
_COUNTERS = Differs(network_offerings.COUNTERS, network_offerings_4.COUNTERS)
SYSTEM_VMS = 3  # the service's own virtual machines have the first rows


class Store:
    """Everything that exists, of all accounts.

    `account` is the account that the emulator was started for, `settings` are its settings, `generation` is the
    generation of the service. `chance` makes the random choices of the service, the same in each run.
    """

    def __init__(self, account: Account, settings: Settings) -> None:
        self.account = account
        self.settings = settings
        self.generation = GENERATIONS[settings.generation]
        self.races = Races(settings)
        self.chance = random.Random(1)
        self.commands: dict[str, Command] = {}  # of the native API
        self.accounts: dict[str, Account] = {}
        self.zones: dict[str, Zone] = {}
        self.hosts: dict[str, Host] = {}
        self.service_offerings: dict[str, ServiceOffering] = {}
        self.disk_offerings: dict[str, DiskOffering] = {}
        self.os_categories: dict[str, OsCategory] = {}
        self.os_types: dict[str, OsType] = {}
        self.templates: dict[str, Template] = {}
        self.host_isos: dict[str, Template] = {}
        self.vms: dict[str, Vm] = {}
        self.volumes: dict[str, Volume] = {}
        self.snapshots: dict[str, Snapshot] = {}
        self.snapshot_policies: dict[str, SnapshotPolicy] = {}
        self.extractions: dict[str, tuple[str, str]] = {}
        self.security_groups: dict[str, SecurityGroup] = {}
        self.rules: dict[str, Rule] = {}
        self.instance_groups: dict[str, InstanceGroup] = {}
        self.affinity_groups: dict[str, AffinityGroup] = {}
        self.key_pairs: dict[str, KeyPair] = {}
        self.jobs: dict[str, Job] = {}
        self.events: OrderedDict[str, Event] = OrderedDict()
        self.network_offerings: dict[str, Any] = {one.id: one for one in self.generation.of(_NETWORK_OFFERINGS)}
        self.counters = {counter.id: counter for counter in self.generation.of(_COUNTERS)}
        self.tags: dict[tuple[str, str], Mapping[str | int, Tag]] = {}
        # What was deleted, when, and of which kind: in the order of time.
        self.deleted: OrderedDict[int, tuple[float, str, str]] = OrderedDict()
        self._host_names: Counter[tuple[str, str]] = Counter()
        self._addresses: dict[str, deque[int]] = {}
        self.next_address: dict[str, int] = {}
        self._vm_rows: dict[int, str] = {}
        self.rows = Counter(vm_instance=SYSTEM_VMS)
        for one in (Account("system", "1", "1", 1, admin=True), Account("admin", "2", "2", 2, admin=True), account):
            self.add_account(one)

    def now(self) -> float:
        """The time by the service's clock, in seconds since the epoch."""
        return time.time() + self.settings.clock_ahead

    def time(self) -> datetime:
        """The time as a datetime."""
        return datetime.fromtimestamp(self.now(), timezone.utc)

    def next_serial(self) -> int:
        """The next row number of a disk."""
        return self.next_row("volumes")

    def next_row(self, table: str) -> int:
        """The number of a new row in a table of the service's database. The names of disks of VMs have it."""
        self.rows[table] += 1
        return self.rows[table]

    # --- accounts

    def add_account(self, account: Account) -> None:
        """Add an account. It replaces one of the same name."""
        self.accounts[account.name] = account

    def account_with_key(self, api_key: str) -> Account | None:
        """The account that asks with this key."""
        return next((one for one in self.accounts.values() if one.api_key and one.api_key == api_key), None)

    @property
    def secrets(self) -> list[str]:
        """The secrets of all accounts."""
        return [one.api_secret for one in self.accounts.values() if one.api_secret]

    def account_named(self, name: str) -> Account | None:
        """The account of this name."""
        wanted = collated(name)
        return next((one for one in self.accounts.values() if collated(one.name) == wanted), None)

    def in_domain(self, id: str) -> Account | None:
        """The first account in the domain of this id. In the recordings of CloudStack 4 the number of its row is taken."""
        rows = (id,) if self.generation.takes_rows else ()
        return next((one for one in self.accounts.values() if id == one.domain_id or one.domain_row in rows), None)

    # --- what parameters refer to, by the name of the service's table

    def find(self, table: str, id: str) -> Any:
        """The object of this table and id, or None. Destroyed machines are found, expunged ones are not.

        The real server's database compares ids without regard to case and trailing blanks. `-1` means no object:
        NO_OBJECT.
        """
        id = id.rstrip(" ")
        if id == NO_OBJECT.id:
            return NO_OBJECT
        look = _FINDERS.get(table)
        return look(self, id) if look else None

    # --- virtual machines

    def host_name_taken(self, zone: Zone, name: str) -> bool:
        """Whether a VM in the zone's network has this host name. Destroyed VMs keep theirs until they are expunged."""
        return self._host_names[zone.network_id, name] > 0

    def add_vm(self, vm: Vm) -> None:
        """Add a new VM and its host name. After a race another VM may have the same name."""
        self.vms[vm.id] = vm
        self._vm_rows[vm.serial] = vm.id
        self._host_names[vm.nic.network_id, vm.name] += 1

    def rename(self, vm: Vm, name: str) -> None:
        """Give a VM another host name."""
        self._host_names[vm.nic.network_id, vm.name] -= 1
        vm.name = name
        self._host_names[vm.nic.network_id, name] += 1

    def index(self) -> None:
        """Find again what follows from the tables, after they were filled: names, rows, free addresses, rules of groups."""
        self._host_names.clear()
        self._vm_rows.clear()
        for vm in self.vms.values():
            self._vm_rows[vm.serial] = vm.id
            self._host_names[vm.nic.network_id, vm.name] += 1
        for zone in self.zones.values():
            used = {_number(vm.nic.ip) for vm in self.vms.values() if vm.zone_id == zone.id and vm.nic.ip}
            given = range(FIRST_ADDRESS, self.next_address.get(zone.id, FIRST_ADDRESS))
            self._addresses[zone.id] = deque(number for number in given if number not in used)
        for group in self.security_groups.values():
            group.rules.clear()
        for rule in self.rules.values():
            if rule.group_id in self.security_groups:
                self.security_groups[rule.group_id].rules[rule.id] = rule

    def vm_of_row(self, row: int) -> Vm | None:
        """The VM with this row number. An expunged one is not found."""
        return self.vms.get(self._vm_rows.get(row, ""))

    def set_state(self, vm: Vm, state: str) -> None:
        """Give a VM another state, and note when."""
        vm.state, vm.updated = state, self.now()

    def mark_destroyed(self, vm: Vm, now: float | None = None) -> None:
        """Make a VM Destroyed. It is expunged when its time is over."""
        vm.state, vm.host_id = GONE, None
        vm.updated = self.now()
        vm.destroyed_at = self.now() if now is None else now
        self._note_deleted(vm.destroyed_at, "UserVm", vm.id)

    def mark_failed(self, vm: Vm) -> None:
        """Leave a VM whose deployment failed in state Error, without its disks. It is expunged like a destroyed one."""
        vm.state, vm.host_id, vm.destroyed_at = FAILED, None, self.now()
        self._note_deleted(vm.destroyed_at, "UserVm", vm.id)
        for volume in self.volumes_of(vm):
            self.delete_volume(volume)

    def mark_deleted(self, kind: str, id: str) -> None:
        """Remove the tags of an object that was deleted. `kind` is one of TABLES.

        The object is still known as a deleted one until its time is over, as that of a VM.
        """
        self.tags.pop((kind, id), None)
        self._note_deleted(self.now(), kind, id)

    def _note_deleted(self, moment: float, kind: str, id: str) -> None:
        self.deleted[self.next_row("deleted")] = (moment, kind, id)

    def expunge_due(self, now: float | None = None) -> None:
        """Remove the VMs that were destroyed long enough ago, and forget the other objects that were deleted then."""
        now = self.now() if now is None else now
        due = now - self.settings.expunge_seconds
        shown, expunged = [], set()
        while self.deleted and next(iter(self.deleted.values()))[0] <= due:
            moment, kind, id = self.deleted.popitem(last=False)[1]
            if kind == "UserVm":
                vm = self.vms.get(id)
                if vm and vm.destroyed_at == moment:
                    self._expunge(vm)
                    expunged.add(id)
            elif kind == "Template" and self._is_shown(id):
                shown.append((now, kind, id))
            else:
                getattr(self, TABLES[kind]).pop(id, None)
        for one in shown:
            self._note_deleted(*one)
        if expunged:
            self._expunge_disks(expunged)

    def _is_shown(self, template_id: str) -> bool:
        """Whether a VM still shows a deleted template, or a late copy has put it into a zone again."""
        template = self.templates.get(template_id)
        if template is None:
            return False
        return bool(template.zone_ids) or any(vm.template_id == template_id for vm in self.vms.values())

    def expunge(self, vm: Vm) -> None:
        """Remove a VM and its root disk at once."""
        self._expunge(vm)
        self._expunge_disks({vm.id})

    def _expunge(self, vm: Vm) -> None:
        del self.vms[vm.id]
        self._vm_rows.pop(vm.serial, None)
        self._host_names[vm.nic.network_id, vm.name] -= 1
        if not self._host_names[vm.nic.network_id, vm.name]:
            del self._host_names[vm.nic.network_id, vm.name]
        self.tags.pop(("UserVm", vm.id), None)
        if vm.nic.ip:
            self._addresses.setdefault(vm.zone_id, deque()).append(_number(vm.nic.ip))

    def _expunge_disks(self, vm_ids: set[str]) -> None:
        """Remove the root disks of expunged VMs and detach their data disks.

        It goes through the disks only once, since there may be many disks and many VMs.
        """
        for volume in [one for one in self.volumes.values() if one.vm_id in vm_ids]:
            if volume.kind == "ROOT":
                del self.volumes[volume.id]
                self.tags.pop(("Volume", volume.id), None)
                self.remove_policies(volume)
            else:
                volume.vm_id = volume.device = volume.attached = None

    def reserve_address(self, vm: Vm) -> None:
        """Give a VM's card an address of its zone, if it has none.

        Raises ApiError (533) if the zone has no free address.
        """
        if vm.more_nics:
            further = f"10.{self.zones[vm.zone_id].subnet + 100}.{vm.serial // 250}.{vm.serial % 250 + 2}"
            vm.more_nics = [replace(nic, ip=nic.ip or further) for nic in vm.more_nics]
        if vm.nic.ip:
            return
        zone = self.zones[vm.zone_id]
        free = self._addresses.get(zone.id)
        number = self.next_address.get(zone.id, FIRST_ADDRESS)
        if number <= LAST_ADDRESS:
            self.next_address[zone.id] = number + 1
        elif free:
            number = free.popleft()
        else:
            raise ApiError(CAPACITY, f"Unable to get a free address in zone {zone.name}")
        vm.nic = replace(vm.nic, ip=f"10.{zone.subnet}.{number >> 8}.{number & 255}")

    def addresses(self, zone: Zone) -> tuple[int, int]:
        """How many addresses of a zone are in use, and how many there are."""
        given = self.next_address.get(zone.id, FIRST_ADDRESS) - FIRST_ADDRESS
        return given - len(self._addresses.get(zone.id, ())), LAST_ADDRESS - FIRST_ADDRESS + 1

    def vm_of(self, volume: Volume) -> Vm | None:
        """The VM that a disk is attached to."""
        return self.vms.get(volume.vm_id or "")

    def volumes_of(self, vm: Vm) -> list[Volume]:
        """The disks attached to a VM, oldest first."""
        return [volume for volume in self.volumes.values() if volume.vm_id == vm.id]

    # --- instance groups

    def instance_group_named(self, name: str, owner: str) -> InstanceGroup | None:
        """The account's display group of this name."""
        return _by_name((one for one in self.instance_groups.values() if not one.removed), name, owner)

    def instance_group(self, name: str, owner: str, id: str | None = None) -> InstanceGroup:
        """The account's display group of this name. It is made if there is none, with this id if one is given."""
        found = self.instance_group_named(name, owner)
        if found is None:
            found = InstanceGroup(id or new_id(), owner, name, self.now())
            self.instance_groups[found.id] = found
        return found

    def remove_instance_group(self, group: InstanceGroup) -> None:
        """Remove a group and take its VMs out of it. It is forgotten when its time is over."""
        group.removed = True
        for vm in self.vms.values():
            if vm.group_id == group.id:
                vm.group_id = None
        self.mark_deleted("InstanceGroup", group.id)

    # --- disks and snapshots

    def delete_volume(self, volume: Volume) -> None:
        """Make a disk Destroy, and remove its tags and its snapshot policies. Its snapshots stay."""
        volume.state = DELETED_VOLUME
        self.remove_policies(volume)
        self.mark_deleted("Volume", volume.id)

    def delete_snapshot(self, snapshot: Snapshot) -> None:
        """Make a snapshot Destroyed, and remove its tags."""
        snapshot.state = DELETED_SNAPSHOT
        self.mark_deleted("Snapshot", snapshot.id)

    def policies_of(self, volume: Volume) -> list[SnapshotPolicy]:
        """The snapshot policies of a disk, oldest first."""
        return [policy for policy in self.snapshot_policies.values() if policy.volume.id == volume.id]

    def remove_policies(self, volume: Volume) -> None:
        """Remove the snapshot policies of a disk."""
        for policy in self.policies_of(volume):
            del self.snapshot_policies[policy.id]

    def take_back(self, id: str) -> None:
        """Remove what a command made at once, after its job has failed. A machine stays, in state Error."""
        for table in (self.volumes, self.snapshots, self.templates):
            table.pop(id, None)
        if id in self.vms:
            self.mark_failed(self.vms[id])

    # --- security groups

    def security_group_named(self, name: str, owner: str) -> SecurityGroup | None:
        """The account's security group of this name. After a race there may be several: the oldest counts."""
        return _by_name(self.security_groups.values(), name, owner)

    def add_security_group(
        self, name: str, owner: str, description: str | None, id: str | None = None
    ) -> SecurityGroup:
        """Make a group without rules for an account. There may be others of the same name."""
        group = SecurityGroup(self.next_row("security_group"), id or new_id(), owner, name, description)
        self.security_groups[group.id] = group
        return group

    def groups_of(self, vm: Vm) -> list[SecurityGroup]:
        """The groups of a VM that are still there."""
        groups = (self.security_groups.get(id) for id in vm.security_group_ids)
        return [group for group in groups if group]

    def add_rule(self, rule: Rule) -> None:
        """Add a rule to its group."""
        rule.row = self.next_row("security_group_rule")
        self.rules[rule.id] = rule
        self.security_groups[rule.group_id].rules[rule.id] = rule

    def remove_rule(self, rule: Rule) -> None:
        """Remove a rule from its group."""
        self.rules.pop(rule.id, None)
        group = self.security_groups.get(rule.group_id)
        if group:
            group.rules.pop(rule.id, None)

    def group_of_row(self, row: int) -> SecurityGroup | None:
        """The security group with this row number."""
        return next((one for one in self.security_groups.values() if one.row == row), None)

    # --- key pairs

    def key_pair(self, name: str, owner: str) -> KeyPair | None:
        """The account's key pair of this name. After a race there may be several: the oldest counts."""
        return _by_name(self.key_pairs.values(), name, owner)

    def key_pair_of(self, public_key: str) -> KeyPair | None:
        """The first key pair of any account with this public key."""
        return next((one for one in self.key_pairs.values() if one.public_key == public_key), None)

    def add_key_pair(self, pair: KeyPair) -> None:
        """Add a key pair. There may be others of the same name."""
        self.key_pairs[pair.id] = pair

    def remove_key_pair(self, pair: KeyPair) -> None:
        """Remove a key pair."""
        del self.key_pairs[pair.id]

    # --- events

    def add_event(self, event: Event) -> None:
        """Add an event. Only the newest events are kept."""
        self.events[event.id] = event
        if len(self.events) > self.settings.keep_events:
            self.events.popitem(last=False)

    # --- tags

    def network(self, id: str) -> Zone | None:
        """The zone as it is seen from the network with this id, or None."""
        networks = (network for zone in self.zones.values() for network in zone.networks)
        return next((network for network in networks if network.network_id == id.lower()), None)

    def tagged(self, kind: str, id: str) -> Any:
        """The object with this id of a kind that may have tags, or None."""
        return self.find(_TAGGED.get(kind, ""), id)


def _by_name(objects: Iterable[Any], name: str, owner: str) -> Any:
    """The account's first object of this name, or None."""
    wanted = collated(name)
    return next((one for one in objects if one.owner == owner and collated(one.name) == wanted), None)


def _in(table: str) -> Callable[[Store, str], Any]:
    """Looks for an object by its id in a table of the store."""
    rows = attrgetter(table)
    return lambda store, id: rows(store).get(id) or rows(store).get(id.lower())


def _in_both(first: str, second: str) -> Callable[[Store, str], Any]:
    """Looks for an object by its id in two tables of the store, which are one table of the service."""
    in_first, in_second = _in(first), _in(second)
    return lambda store, id: in_first(store, id) or in_second(store, id)


def _of_row(table: str, id_of: Callable[[str, Generation], str]) -> Callable[[Store, str], Any]:
    """Looks for an object by its id or, where the service takes it, by the number of its row."""
    look = _in(table)
    return lambda store, id: look(store, id) or (look(store, id_of(id, store.generation)) if id.isdigit() else None)


def _with(table: str, field: str, in_lower_case: bool = False) -> Callable[[Store, str], Any]:
    """Looks for the object of a table that has the id in this field."""

    def look(store: Store, id: str) -> Any:
        wanted = id.lower() if in_lower_case else id
        return next((one for one in getattr(store, table).values() if getattr(one, field) == wanted), None)

    return look


# How an object is found by its id, for each table of the service's database.
_TAGGED = {
    "UserVm": "vm_instance",
    "Volume": "volumes",
    "Template": "vm_template",
    "ISO": "vm_template",
    "Snapshot": "snapshots",
    "SecurityGroup": "security_group",
}
_FINDERS: dict[str, Callable[[Store, str], Any]] = {
    "account": _with("accounts", "id"),
    "affinity_group": _in("affinity_groups"),
    "async_job": _in("jobs"),
    "counter": _in("counters"),
    "data_center": _in("zones"),
    "disk_offering": _in_both("service_offerings", "disk_offerings"),  # measured on CloudStack 3.0.5
    "domain": lambda store, id: store.in_domain(id),
    "event": _in("events"),
    "guest_os": _of_row("os_types", os_types.os_type_id),
    "guest_os_category": _of_row("os_categories", os_types.os_category_id),
    "host": _in("hosts"),
    "instance_group": _in("instance_groups"),
    "network_offerings": _in("network_offerings"),
    "networks": lambda store, id: store.network(id),
    "physical_network": _with("zones", "physical_network_id", in_lower_case=True),
    "data_disk_offering": _in("disk_offerings"),
    "service_offering": _in("service_offerings"),
    "security_group": _in("security_groups"),
    "security_group_rule": _in("rules"),
    "snapshot_policy": _in("snapshot_policies"),
    "ssh_keypair": _in("key_pairs"),
    "snapshots": _in("snapshots"),
    "user": _with("accounts", "user_id"),
    "vm_instance": _in("vms"),
    "vm_template": _in_both("templates", "host_isos"),
    "volumes": _in("volumes"),
}


def _number(ip: str) -> int:
    third, fourth = ip.split(".")[2:]
    return (int(third) << 8) + int(fourth)

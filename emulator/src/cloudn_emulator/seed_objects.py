# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the objects that a file describes into a new store: what `--seed` does. The file's keys are those of the collection's options."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from .collation import collated
from .commands.ssh_key import KINDS, fingerprint
from .commands.volume import NO_STORAGE
from .models import (
    GIB,
    Account,
    AffinityGroup,
    DiskOffering,
    KeyPair,
    Nic,
    Rule,
    ServiceOffering,
    Snapshot,
    SnapshotPolicy,
    Tag,
    Template,
    Vm,
    Volume,
    Zone,
    mac_address,
)
from .schedule import INTERVALS, next_run, time_zone
from .seed_file import BadSeed, Item, hint, refer, shown
from .settings import SHORTEST_SECRET, Settings
from .store import Store

SECTIONS = (
    "zones service_offerings disk_offerings templates accounts key_pairs affinity_groups security_groups vms volumes snapshots "
    "snapshot_policies"
)
STATES = (
    "Running",
    "Stopped",
    "Starting",
    "Stopping",
    "Destroyed",
    "Error",
    "Expunging",
    "Migrating",
    "Unknown",
)
_WITHOUT_HOST = ("Stopped", "Destroyed", "Error", "Expunging")
VOLUME_STATES = ("Allocated", "Ready")
SNAPSHOT_STATES = ("BackedUp", "Creating", "BackingUp", "Error")
AFFINITY = ("host anti-affinity", "host affinity")
MOST_ZONES = 99
_MOST = 10**6
_RULE = "protocol ports icmp_type icmp_code cidrs groups"
_HOST_NAME = re.compile(r"[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_PORTS = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")


def _id(*words: str) -> str:
    """An id that is the same after each start."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "seed " + "/".join(words)))


def zones_of(settings: Settings) -> list[Zone]:
    """The zones of the file, or an empty list if it has none. Raises BadSeed."""
    zones: list[Zone] = []
    for item in _file_of(settings).items("zones", "id name network_type hypervisors"):
        name = item.text("name")
        id = item.text("id", _id("zone", name))
        _check_new(item, name, id, zones)
        kind = item.one_of("network_type", ("Basic", "Advanced"), "Basic")
        hypervisors = tuple(text for _place, text in item.texts("hypervisors", ["Simulator"]))
        zone = Zone(id, name, _id("token", name), _id("network", name), len(zones) + 1, hypervisors, kind)
        if kind == "Advanced":
            zone.network_name = f"{name}-net1"
        zones.append(zone)
    if len(zones) > MOST_ZONES:
        raise BadSeed(f"zones: there are {len(zones)}, at most {MOST_ZONES} can be")
    return zones


def _file_of(settings: Settings) -> Item:
    """The whole file."""
    return Item("", settings.seed or {}, SECTIONS)


def _check_new(item: Item, name: str, id: str, others: Any) -> None:
    """Refuse a name or an id that another object of its kind has."""
    for one in others:
        if collated(one.name) == collated(name):
            raise item.fail("name", f"{shown(name)} is there already; give another name")
    _check_id(item, id, others)


def _check_id(item: Item, id: str, others: Any) -> None:
    if any(one.id == id for one in others):
        if "id" not in item.given:  # it was made of the name
            raise item.fail("name", f"{shown(item.given.get('name'))} is there already; give another name, or an `id`")
        raise item.fail("id", f"{shown(id)} is there already; give another id")


def fill(store: Store, add_account: Callable[[Account], None]) -> None:
    """Put in the objects of the file. `add_account` puts in an account with what each account has. Raises BadSeed."""
    _Filling(store, _file_of(store.settings), add_account).run()


class _Filling:
    """The store, the file, and what the sections share."""

    def __init__(self, store: Store, file: Item, add_account: Callable[[Account], None]) -> None:
        self.store = store
        self.file = file
        self.add_account = add_account
        self.now = store.now()

    def run(self) -> None:
        """Put in one section after the other: each refers to those before it."""
        self.service_offerings()
        self.disk_offerings()
        self.accounts()
        self.templates()
        self.key_pairs()
        self.affinity_groups()
        self.security_groups()
        self.vms()
        self.volumes()
        self.snapshots()
        self.snapshot_policies()

    def owner(self, item: Item) -> str:
        """The name of the account that owns an object: the emulator's own unless another one is named."""
        if "account" not in item.given:
            return self.store.account.name
        return str(item.found("account", self.store.accounts, "account").name)

    def owned(self, table: Mapping[str, Any], owner: str) -> list[Any]:
        """The objects of an account in a table."""
        return [one for one in table.values() if one.owner == owner]

    def tags(self, item: Item, kind: str, id: str) -> None:
        """Put in the tags of an object."""
        tags: dict[str | int, Tag] = {
            collated(key): Tag(key, value) for key, value in item.texts_by_name("tags").items()
        }
        if tags:
            self.store.tags[kind, id] = tags

    # --- what an operator has

    def service_offerings(self) -> None:
        """Service offerings in place of the service's own."""
        found: dict[str, ServiceOffering] = {}
        for item in self.file.items("service_offerings", "id name display_text cpus cpu_mhz memory_mb ha"):
            name = item.text("name")
            id = item.text("id", _id("service offering", name))
            _check_new(item, name, id, found.values())
            size = (item.whole("cpus", 1, _MOST, 1), item.whole("cpu_mhz", 1, _MOST, 1000))
            memory = item.whole("memory_mb", 1, _MOST * 1000)
            text = item.text("display_text", name)
            found[id] = ServiceOffering(id, name, text, *size, memory, self.now, item.flag("ha"))
        self.store.service_offerings = found or self.store.service_offerings

    def disk_offerings(self) -> None:
        """Disk offerings in place of the service's own."""
        found: dict[str, DiskOffering] = {}
        for item in self.file.items("disk_offerings", "id name display_text size_gb"):
            name = item.text("name")
            id = item.text("id", _id("disk offering", name))
            _check_new(item, name, id, found.values())
            size = item.whole("size_gb", 0, _MOST, 0)
            found[id] = DiskOffering(id, name, item.text("display_text", name), size, self.now, custom=size == 0)
        self.store.disk_offerings = found or self.store.disk_offerings

    def accounts(self) -> None:
        """Further accounts. One without a key owns things and can't ask."""
        for item in self.file.items("accounts", "id name api_key api_secret admin"):
            name, store = item.text("name"), self.store
            id = item.text("id", _id("account", name))
            _check_new(item, name, id, store.accounts.values())
            key, secret = item.maybe("api_key"), item.maybe("api_secret")
            if (key is None) is not (secret is None):
                raise item.fail("api_key", "and api_secret belong together; give both, or none")
            if secret is not None and len(secret) < SHORTEST_SECRET:
                raise item.fail("api_secret", f"is too short; give {SHORTEST_SECRET} characters or more")
            if key is not None and store.account_with_key(key):
                raise item.fail("api_key", f"{shown(key)} is another account's; give another one")
            number = max(one.number for one in store.accounts.values()) + 1
            self.add_account(Account(name, id, _id("user", name), number, item.flag("admin"), key or "", secret or ""))

    def templates(self) -> None:
        """Templates in place of the service's own."""
        items = self.file.items(
            "templates",
            "id name display_text account os_type size_gb zones public featured extractable password_enabled created tags",
        )
        found: dict[str, Template] = {}
        for item in items:
            name, owner = item.text("name"), item.maybe("account")
            id = item.text("id", _id("template", owner or "", name))
            _check_id(item, id, found.values())
            os_type = self.os_type(item)
            zones = [refer(place, text, self.store.zones.values(), "zone").id for place, text in item.texts("zones")]
            template = Template(
                id,
                name,
                item.text("display_text", name),
                os_type,
                self.owner(item) if owner else "admin",
                zones or list(self.store.zones),
                item.moment("created", self.now),
                item.whole("size_gb", 1, _MOST, 10) * GIB,
                item.flag("password_enabled"),
            )
            template.public, template.featured = item.flag("public", not owner), item.flag("featured", not owner)
            template.extractable = item.flag("extractable", True)
            found[id] = template
            self.tags(item, "Template", id)
        self.store.templates = found or self.store.templates

    def os_type(self, item: Item) -> str:
        """The id of the guest system that a template names."""
        wanted = item.text("os_type", "Other Linux (64-bit)")
        types = self.store.os_types.values()
        found = next((one.id for one in types if wanted in (one.id, one.description)), None)
        if found is None:
            names = [one.description for one in types]
            raise item.fail("os_type", f"there is no guest system {shown(wanted)}; {hint(wanted, names)}")
        return str(found)

    # --- what an account has

    def key_pairs(self) -> None:
        """Public keys."""
        for item in self.file.items("key_pairs", "id name account public_key"):
            name, owner, key = item.text("name"), self.owner(item), item.text("public_key")
            id = item.text("id", _id("key pair", owner, name))
            _check_new(item, name, id, self.owned(self.store.key_pairs, owner))
            kinds, words = self.store.generation.of(KINDS), key.split()
            if len(words) < 2 or not key.startswith(kinds):
                raise item.fail("public_key", f"{shown(key)} is no public key of the kind {' or '.join(kinds)}")
            key = f"{words[0]} {words[1]}"
            self.store.add_key_pair(KeyPair(id, owner, name, key, fingerprint(key)))

    def affinity_groups(self) -> None:
        """Affinity groups, which only CloudStack 4 has."""
        for item in self.file.items("affinity_groups", "id name account type description"):
            if self.store.settings.generation == "3":
                raise BadSeed(
                    f"{item.place}: CloudStack 3 has no affinity groups; use --generation 4, or take them out"
                )
            name, owner = item.text("name"), self.owner(item)
            id = item.text("id", _id("affinity group", owner, name))
            _check_new(item, name, id, self.owned(self.store.affinity_groups, owner))
            kind = item.one_of("type", AFFINITY, AFFINITY[0])
            self.store.affinity_groups[id] = AffinityGroup(id, owner, name, kind, item.maybe("description"))

    def security_groups(self) -> None:
        """Security groups with their rules. A rule may name a group that stands below it."""
        made = []
        for item in self.file.items("security_groups", "id name account description ingress egress tags"):
            name, owner = item.text("name"), self.owner(item)
            known = self.store.security_group_named(name, owner)
            id = item.text("id", _id("security group", owner, name))
            if known is not None and known.name == "default" and "id" not in item.given and not known.rules:
                group = known  # each account has it from the start
            else:
                _check_new(item, name, id, self.owned(self.store.security_groups, owner))
                group = self.store.add_security_group(name, owner, item.maybe("description"), id)
            made.append((item, group))
            self.tags(item, "SecurityGroup", group.id)
        for item, group in made:
            for direction in ("ingress", "egress"):
                for rule in item.items(direction, _RULE):
                    self.rules(rule, group, direction)

    def rules(self, item: Item, group: Any, direction: str) -> None:
        """The rules of an entry: one for each CIDR and each group."""
        protocol = item.one_of("protocol", ("tcp", "udp", "icmp", "all"), "tcp")
        start, end = _range(item, protocol)
        origins: list[tuple[str | None, str | None]] = [(self.cidr(*one), None) for one in item.texts("cidrs")]
        for source in item.items("groups", "name account"):
            owner = self.owner(source) if "account" in source.given else group.owner
            found = source.found(
                "name", {one.id: one for one in self.owned(self.store.security_groups, owner)}, "group"
            )
            origins.append((None, found.id))
        if not origins:
            raise BadSeed(
                f"{item.place}: names neither cidrs nor groups; say who may connect, such as cidrs: [0.0.0.0/0]"
            )
        for cidr, source_id in origins:
            id = _id("rule", group.id, direction, protocol, str(start), str(end), cidr or "", source_id or "")
            if id in self.store.rules:
                raise BadSeed(f"{item.place}: is there already; take it out")
            self.store.add_rule(Rule(id, group.id, direction, protocol, start, end, cidr, source_id))

    def cidr(self, place: str, text: str) -> str:
        """A network that a rule may name. CloudStack 3 has only IPv4."""
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise BadSeed(f"{place}: {shown(text)} is no network; write it as 192.0.2.0/24") from None
        if network.version == 6 and self.store.settings.generation == "3":
            raise BadSeed(f"{place}: CloudStack 3 takes no IPv6; use --generation 4, or take it out")
        if "/" not in text:
            raise BadSeed(f"{place}: {shown(text)} has no length; write it as {network}")
        return text

    def vms(self) -> None:
        """Virtual machines with their root disks."""
        keys = (
            "id name account display_name state zone template service_offering security_groups affinity_groups key_pair group "
            "user_data tags root_size_gb delete_protection created"
        )
        for item in self.file.items("vms", keys):
            self.vm(item)

    def vm(self, item: Item) -> None:
        """One virtual machine."""
        store, name, owner = self.store, item.text("name"), self.owner(item)
        if not _HOST_NAME.fullmatch(name):
            raise item.fail("name", f"{shown(name)} is no host name; take letters, digits and hyphens, a letter first")
        zone = self.zone(item)
        id = item.text("id", _id("vm", owner, zone.id, name))
        if store.host_name_taken(zone, name):
            raise item.fail("name", f"{shown(name)} is there already in zone {zone.name}; give another name")
        _check_id(item, id, store.vms.values())
        template = item.found("template", store.templates, "template")
        if zone.id not in template.zone_ids:
            raise item.fail("template", f"{template.name} is not in zone {zone.name}; name the zone in its `zones`")
        offering = item.found("service_offering", store.service_offerings, "service offering")
        groups = [
            refer(place, text, self.owned(store.security_groups, owner), "security group").id
            for place, text in item.texts("security_groups", ["default"])
        ]
        affine = [
            refer(place, text, self.owned(store.affinity_groups, owner), "affinity group").id
            for place, text in item.texts("affinity_groups")
        ]
        pair = None
        if "key_pair" in item.given:
            pair = item.found("key_pair", {one.id: one for one in self.owned(store.key_pairs, owner)}, "key pair")
        state, serial, group = (
            item.one_of("state", STATES, "Running"),
            store.next_row("vm_instance"),
            item.maybe("group"),
        )
        vm = Vm(
            serial=serial,
            id=id,
            owner=owner,
            name=name,
            displayname=item.text("display_name", name),
            zone_id=zone.id,
            template_id=template.id,
            offering_id=offering.id,
            os_type_id=template.os_type_id,
            nic=Nic(_id("nic", id), zone.network_id, mac_address(serial)),
            security_group_ids=groups,
            created=item.moment("created", self.now),
            ha=offering.ha,
            group_id=self.display_group(group, owner) if group else None,
            userdata=item.maybe("user_data"),
            root_device="NetworkFilesystem",
            affinity_group_ids=affine,
            protected=item.flag("delete_protection"),
        )
        if pair:
            vm.public_key, vm.key_pairs = pair.public_key, [pair.name] if store.settings.generation == "4" else []
        self.started(
            vm, item.whole("root_size_gb", 1, _MOST, 1) * GIB if "root_size_gb" in item.given else template.size
        )
        self.tags(item, "UserVm", id)
        self.set_state(vm, state)

    def zone(self, item: Item) -> Zone:
        """The zone of an object. Only where there is one zone, it need not be named."""
        zones = self.store.zones
        if "zone" not in item.given and len(zones) == 1:
            return next(iter(zones.values()))
        found: Zone = item.found("zone", zones, "zone")
        return found

    def display_group(self, name: str, owner: str) -> str:
        """The id of an account's display group, which is made if there is none. It is the same after each start."""
        known = self.store.instance_group_named(name, owner)
        return (known or self.store.instance_group(name, owner, _id("group", owner, name))).id

    def started(self, vm: Vm, size: int) -> None:
        """Take in a machine that was started before: it has an address and a root disk."""
        store = self.store
        store.add_vm(vm)
        vm.updated = vm.created
        store.reserve_address(vm)
        root = Volume(
            vm.serial, _id("root", vm.id), vm.owner, f"ROOT-{vm.serial}", vm.zone_id, "ROOT", size, vm.created
        )
        root.state, root.vm_id, root.device = "Ready", vm.id, 0
        root.storage, root.offering_id, root.template_id = (
            store.zones[vm.zone_id].storage,
            vm.offering_id,
            vm.template_id,
        )
        store.volumes[root.id] = root

    def set_state(self, vm: Vm, state: str) -> None:
        """Give a machine the state of the file."""
        vm.state = state
        if state not in _WITHOUT_HOST:
            hosts = [host.id for host in self.store.hosts.values() if host.zone_id == vm.zone_id]
            vm.host_id = hosts[vm.serial % len(hosts)] if hosts else None
        if state == "Destroyed":
            self.store.mark_destroyed(vm)
        if state == "Error":
            self.store.mark_failed(vm)

    def volumes(self) -> None:
        """Data disks, attached or not."""
        for item in self.file.items("volumes", "id name account zone vm disk_offering size_gb state created tags"):
            self.volume(item)

    def volume(self, item: Item) -> None:
        """One data disk."""
        store, name, owner = self.store, item.text("name"), self.owner(item)
        vm = self.machine(item, owner) if "vm" in item.given else None
        if vm and "zone" in item.given and self.zone(item).id != vm.zone_id:
            raise item.fail("zone", f"is not the zone of {vm.name}; leave it out")
        zone = store.zones[vm.zone_id] if vm else self.zone(item)
        id = item.text("id", _id("volume", owner, zone.id, name))
        _check_id(item, id, store.volumes.values())
        offering = item.found("disk_offering", store.disk_offerings, "disk offering")
        if "size_gb" in item.given and not offering.custom:
            raise item.fail("size_gb", f"is not for {offering.name}, whose disks have {offering.size} GB; leave it out")
        size = item.whole("size_gb", 1, _MOST) if offering.custom else offering.size
        created = item.moment("created", self.now)
        state = item.one_of("state", VOLUME_STATES, "Ready" if vm else "Allocated")
        if vm and state != "Ready":
            raise item.fail("state", f"{state} can't be, as the disk hangs on {vm.name}; leave it out")
        volume = Volume(store.next_serial(), id, owner, name, zone.id, "DATADISK", size * GIB, created, state)
        volume.storage = zone.storage if state == "Ready" else NO_STORAGE
        volume.disk_offering_id = offering.id
        if vm:
            used = {one.device for one in store.volumes_of(vm)}
            volume.vm_id, volume.attached = vm.id, created
            volume.device = next(device for device in range(1, 1000) if device != 3 and device not in used)
        store.volumes[id] = volume
        self.tags(item, "Volume", id)

    def machine(self, item: Item, owner: str) -> Vm:
        """The machine of an account that an object names."""
        found: Vm = item.found("vm", {one.id: one for one in self.owned(self.store.vms, owner)}, "VM")
        return found

    def disk(self, item: Item, owner: str) -> Volume:
        """The disk that an object names: a volume, or the root disk of a VM."""
        if ("volume" in item.given) is ("vm" in item.given):
            raise BadSeed(f"{item.place}: name either its volume, or the vm whose root disk it is of")
        if "volume" in item.given:
            owned = {one.id: one for one in self.owned(self.store.volumes, owner)}
            found: Volume = item.found("volume", owned, "volume")
            return found
        vm = self.machine(item, owner)
        return next(one for one in self.store.volumes.values() if one.id == _id("root", vm.id))

    def snapshots(self) -> None:
        """Snapshots of volumes and of root disks."""
        for number, item in enumerate(
            self.file.items("snapshots", "id name account volume vm state interval created tags")
        ):
            owner = self.owner(item)
            volume = self.disk(item, owner)
            name = item.text("name")
            id = item.text("id", _id("snapshot", owner, name, str(number)))
            _check_id(item, id, self.store.snapshots.values())
            kind = item.one_of("interval", ("MANUAL", *INTERVALS), "MANUAL")
            state = item.one_of("state", SNAPSHOT_STATES, "BackedUp")
            created = item.moment("created", self.now)
            self.store.snapshots[id] = Snapshot(id, owner, name, volume, volume.size, created, state, kind)
            self.tags(item, "Snapshot", id)

    def snapshot_policies(self) -> None:
        """Policies that take snapshots of disks."""
        for item in self.file.items(
            "snapshot_policies", "id account volume vm interval schedule time_zone max_snapshots"
        ):
            volume = self.disk(item, self.owner(item))
            interval = item.one_of("interval", INTERVALS, "")
            if any(one.interval == interval for one in self.store.policies_of(volume)):
                raise item.fail("interval", f"{volume.name} has a policy for {interval} already; take one out")
            schedule, zone = item.text("schedule"), time_zone(item.text("time_zone", "GMT"))[0]
            try:
                first = next_run(interval, schedule, zone, self.now)
            except ValueError:
                raise item.fail(
                    "schedule", f"{shown(schedule)} can't be; write minute:hour:day, such as 30:2"
                ) from None
            id = item.text("id", _id("snapshot policy", volume.id, interval))
            kept = item.whole("max_snapshots", 1, _MOST, 8)
            self.store.snapshot_policies[id] = SnapshotPolicy(id, volume, interval, schedule, zone, kept, first)


def _range(item: Item, protocol: str) -> tuple[int, int]:
    """Start and end port of a rule, or type and code."""
    if protocol == "icmp" and "ports" in item.given:
        raise item.fail("ports", "is not for icmp; leave it out, or give icmp_type and icmp_code")
    if protocol == "icmp":
        return item.whole("icmp_type", -1, 255, -1), item.whole("icmp_code", -1, 255, -1)
    for name in ("icmp_type", "icmp_code"):
        if name in item.given:
            raise item.fail(name, f"is not for {protocol}; leave it out, or take protocol: icmp")
    if protocol == "all":
        if "ports" in item.given:
            raise item.fail("ports", "is not for all protocols; leave it out, or name the protocol")
        return 0, 0
    given = item.given.get("ports")
    text = str(given) if isinstance(given, int) and not isinstance(given, bool) else item.text("ports")
    match = _PORTS.fullmatch(text.replace(" ", ""))
    start, end = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if not start <= end <= 65535:
        raise item.fail("ports", f"{shown(given)} is no port and no range of ports; write it as 22 or 8000-8010")
    return start, end

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists at the start: zones and plans under the service's ids, offerings, templates, machines on request."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from . import os_types, seed_objects
from .generation import GENERATIONS, Differs
from .models import (
    GIB,
    Account,
    DiskOffering,
    Event,
    Host,
    Job,
    Nic,
    Rule,
    ServiceOffering,
    Snapshot,
    Tag,
    Template,
    Vm,
    Volume,
    Zone,
    mac_address,
)
from .settings import Settings
from .store import Store

BEGINNING = 1325376000.0  # 2012-01-01: offerings and templates are older than any machine

ZONE_A = "1b02e74c-6c21-4aa3-b96c-51042de8fccd"
ZONE_B = "91e59e5f-2971-48e7-adbe-e853ed875e76"
# The service's own zones take templates of XenServer, besides those of the simulator of the recorded server.
_SIMULATED = ("Simulator",)
_HYPERVISORS = (*_SIMULATED, "XenServer")
ZONES = (
    Zone(
        ZONE_A,
        "jp-e1a",
        "5c4a1b1e-66f5-3b52-8a39-0a1f86f0d101",
        "7d7a2c1c-0a51-4d0c-93d5-6c6f5a1d1a01",
        1,
        _HYPERVISORS,
    ),
    Zone(
        ZONE_B,
        "jp-e1b",
        "9f0c7d6a-2b1d-3f6e-9c41-4f5f2f3a2b02",
        "c0a5de57-77b4-45a0-8b37-12c4f9d4e302",
        2,
        _HYPERVISORS,
    ),
)
MOST_ZONES = 9
HOSTS = (
    Host("0f5f3c80-5c6e-4a55-9a0c-0d0f4f0a1a11", "host-a1", ZONE_A),
    Host("0f5f3c80-5c6e-4a55-9a0c-0d0f4f0a1a12", "host-a2", ZONE_A),
    Host("0f5f3c80-5c6e-4a55-9a0c-0d0f4f0a1b21", "host-b1", ZONE_B),
    Host("0f5f3c80-5c6e-4a55-9a0c-0d0f4f0a1b22", "host-b2", ZONE_B),
)

# id, name, CPUs, MHz, MiB, high availability
PLANS = (
    ("200c6378-8ae9-4718-9b25-b8c4f6c1dfc8", "vQ", 1, 500, 512, False),
    ("88ce379e-a686-4ae4-946f-dc3358275276", "v1", 1, 1000, 2048, False),
    ("0b41ab6e-696e-4a91-b623-5b880e3be7a6", "v2", 2, 2000, 4096, False),
    ("3164027a-3636-4cd5-a8be-f76d51d93a1a", "v4", 4, 2000, 16384, True),
    ("a40f2dba-e51d-4175-a41d-8c0047e589b7", "v8", 8, 2000, 32768, True),
)

# id, name, text, GiB
DISKS = (
    ("4f2f6a0e-5d0c-4c53-8d1b-9a3b3e6f0005", "Small", "Small Disk, 5 GB", 5),
    ("4f2f6a0e-5d0c-4c53-8d1b-9a3b3e6f0020", "Medium", "Medium Disk, 20 GB", 20),
    ("4f2f6a0e-5d0c-4c53-8d1b-9a3b3e6f0100", "Large", "Large Disk, 100 GB", 100),
    ("4f2f6a0e-5d0c-4c53-8d1b-9a3b3e6f0000", "Custom", "Custom Disk", 0),
)

# id, name, OS type, password-enabled, GiB, built in
TEMPLATES = (
    ("b7b50a4e-30c4-4b0f-8c5b-6d1f0a5c0054", "Windows Server 2008 R2", "54", False, 40, False),
    ("b7b50a4e-30c4-4b0f-8c5b-6d1f0a5c0144", "CentOS 6.2 64bit", "144", True, 15, False),
    ("b7b50a4e-30c4-4b0f-8c5b-6d1f0a5c0126", "Ubuntu 10.04 64bit", "126", True, 15, False),
    ("11", "CentOS 5.3(64-bit) no GUI", "12", False, 2, True),
)
CENTOS = TEMPLATES[1][0]
XS_TOOLS = ("b7b50a4e-30c4-4b0f-8c5b-6d1f0a5c0001", "xs-tools.iso", "xen-pv-drv-iso")  # id, name, text

USER_DEFAULT_GROUP = "2c0c5f6e-8e5a-4b57-9d3e-5b7b0d9a0001"
ADMIN_DEFAULT_GROUP = "1"
DEFAULT_TEXT = "Default Security Group"


# Whether the hosts come with an ISO of tools.
_HAS_TOOLS = Differs(True, False)
# Whether a template that a plain account made can be extracted.
_EXTRACTABLE = Differs(True, False)


def _id_of(text: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, text))


NEIGHBOUR_KEY, NEIGHBOUR_SECRET = "cloudn-emulator-neighbour-key", "cloudn-emulator-neighbour-secret"
# The neighbour's objects, by their names in recorded scenarios, where `foreign` stands before them.
NEIGHBOUR = {
    "account": "neighbour",
    "sgname": "neighbour-group",
    "vmname": "neighbour-vm",
    **{kind: _id_of(f"neighbour {kind}") for kind in ("vm", "vol", "tmpl", "snap", "sg", "rule", "job")},
}


# The domain of plain accounts: its id, name, path and the number of its row. The recorded servers had them in ROOT, and
# in one of their own.
_ROOT = ("1", "ROOT", "ROOT", "1")
_DOMAIN = Differs(_ROOT, ("c9f0b1de-7a52-4d0e-9d0c-2f6d3b8a0004", "cloudn", "ROOT/cloudn", "2"))
_ADMINISTRATORS_DOMAIN = Differs(_ROOT, ("1e175218-0c54-4d7b-8a55-3d0f6c2a0001", "ROOT", "ROOT", "1"))
# The id of a seeded object whose id in CloudStack 3 is the number of its row.
_SEEDED_ID: Differs[Callable[[str], str]] = Differs(lambda row: row, lambda row: _id_of(f"row {row}"))


def account_of(settings: Settings) -> Account:
    """The account of whoever uses the emulator: a plain one (flatuser), or admin."""
    generation = GENERATIONS[settings.generation]
    key, secret = settings.api_key, settings.api_secret
    grants, denied = frozenset(settings.grants), frozenset(settings.denied)
    if settings.account == "admin":
        domain = generation.of(_ADMINISTRATORS_DOMAIN)
        return Account("admin", "2", "2", 2, True, key, secret, grants, denied, *domain)
    ids = ("5a0c1c1b-6f0e-4d84-9b0c-3f6f6d2a0003", "d0d7ba0c-44b8-4a4e-bd6c-9a6c1f1e0003")
    return Account("flatuser", *ids, 3, False, key, secret, grants, denied, *generation.of(_DOMAIN))


def _put_into(account: Account, domain: tuple[str, str, str, str]) -> None:
    account.domain_id, account.domain, account.domain_path, account.domain_row = domain


def variables(kind: str, generation: str = "3") -> dict[str, str]:
    """The seeded ids by their names in recorded scenarios. The names of the neighbour begin with `foreign`."""
    return {
        "zone": ZONE_A,
        "template": CENTOS,
        "small": PLANS[0][0],
        "medium": PLANS[1][0],
        "disk": DISKS[0][0],
        "custom": DISKS[3][0],
        "ostype": os_types.os_type_id("142", GENERATIONS[generation]),
        "account": "admin" if kind == "admin" else "flatuser",
        "defaultsg": GENERATIONS[generation].of(_SEEDED_ID)(ADMIN_DEFAULT_GROUP)
        if kind == "admin"
        else USER_DEFAULT_GROUP,
        **{f"foreign{name}": value for name, value in NEIGHBOUR.items()},
    }


def seeded(settings: Settings) -> Store:
    """A store with everything that exists at the start."""
    account = account_of(settings)
    store = Store(account, settings)
    for one in store.accounts.values():
        if one.admin:
            _put_into(one, store.generation.of(_ADMINISTRATORS_DOMAIN))
    own = seed_objects.zones_of(settings)
    zones = own or [_of_kind(zone, settings.advanced_zone) for zone in _zones(settings.zones)]
    store.zones = {zone.id: zone for zone in zones}
    store.hosts = {host.id: host for host in _hosts(store)}
    _add_offerings(store)
    _add_templates(store)
    _log_in(store, account.name)
    store.add_security_group("default", "admin", DEFAULT_TEXT, store.generation.of(_SEEDED_ID)(ADMIN_DEFAULT_GROUP))
    if not account.admin:
        store.add_security_group("default", account.name, DEFAULT_TEXT, USER_DEFAULT_GROUP)
    if settings.neighbour:
        _add_neighbour(store)
    if settings.vms:
        _add_machines(store, settings.vms)
    if settings.seed is not None:
        seed_objects.fill(store, partial(_add_account, store))
    return store


def _add_account(store: Store, account: Account) -> None:
    """A further account, with its first event and its default group."""
    _put_into(account, store.generation.of(_ADMINISTRATORS_DOMAIN if account.admin else _DOMAIN))
    store.add_account(account)
    _log_in(store, account.name)
    store.add_security_group("default", account.name, DEFAULT_TEXT, _id_of(f"default group of {account.name}"))


def _of_kind(zone: Zone, is_advanced: bool) -> Zone:
    return replace(zone, kind="Advanced", network_name=f"{zone.name}-net1") if is_advanced else zone


def _zones(names: Sequence[str]) -> list[Zone]:
    """The service's zones, or zones of these names. The first two of them have the ids of the service's."""
    if not names:
        return list(ZONES)
    own = [replace(zone, name=name, hypervisors=_SIMULATED) for zone, name in zip(ZONES, names, strict=False)]
    return own + [_further_zone(number, name) for number, name in enumerate(names) if number >= len(ZONES)]


def _further_zone(number: int, name: str) -> Zone:
    """A zone beyond those that the service has."""
    return Zone(_id_of(f"zone {name}"), name, _id_of(f"token {name}"), _id_of(f"network {name}"), number + 1)


def _hosts(store: Store) -> list[Host]:
    further = [zone for zone in store.zones.values() if zone.id not in (ZONE_A, ZONE_B)]
    return [
        *(host for host in HOSTS if host.zone_id in store.zones),
        *(Host(_id_of(f"host {n} {zone.name}"), f"host-{zone.name}{n}", zone.id) for zone in further for n in (1, 2)),
    ]


def _add_offerings(store: Store) -> None:
    store.service_offerings = {
        id: ServiceOffering(id, name, name, cpus, speed, memory, BEGINNING, ha)
        for id, name, cpus, speed, memory, ha in PLANS
    }
    store.disk_offerings = {
        id: DiskOffering(id, name, text, size, BEGINNING, custom=size == 0) for id, name, text, size in DISKS
    }
    store.os_categories, store.os_types = os_types.categories(store.generation), os_types.types(store.generation)


def _add_templates(store: Store) -> None:
    for row, name, os_row, password, size, builtin in TEMPLATES:
        owner, os_type = "system" if builtin else "admin", os_types.os_type_id(os_row, store.generation)
        id = store.generation.of(_SEEDED_ID)(row) if row.isdigit() else row
        template = Template(id, name, name, os_type, owner, list(store.zones), BEGINNING, size * GIB, password)
        template.builtin, template.checksum = builtin, "" if builtin else None
        store.templates[id] = template
    if store.generation.of(_HAS_TOOLS):
        store.host_isos[XS_TOOLS[0]] = Template(
            *XS_TOOLS,
            os_types.os_type_id("103", store.generation),
            "system",
            [],
            BEGINNING,
            0,
            False,
            perhost=True,
            bootable=False,
            format="ISO",
        )


# The first event of an account: who did it, its type, text and state. The recorded accounts of CloudStack 4 got their
# keys without a login.
_FIRST_EVENT: Differs[Callable[[str], tuple[str, str, str, str]]] = Differs(
    lambda name: (name, "USER.LOGIN", "user has logged in", "Completed"),
    lambda name: ("system", "REGISTER.USER.KEY", "Registering API keypair for user", "Scheduled"),
)


def _log_in(store: Store, name: str) -> None:
    """The first event of an account, in which its user got its keys."""
    user, kind, text, state = store.generation.of(_FIRST_EVENT)(name)
    store.add_event(Event(_id_of(f"login {name}"), name, user, kind, "INFO", text, store.now(), state))


# --- the neighbour


def _add_neighbour(store: Store) -> None:
    """A second plain account with one of each kind of object."""
    name, zone, created = NEIGHBOUR["account"], next(iter(store.zones.values())), time.time()
    ids = (_id_of("neighbour"), _id_of("neighbour user"))
    neighbour = Account(name, *ids, store.account.number + 1, False, NEIGHBOUR_KEY, NEIGHBOUR_SECRET)
    _put_into(neighbour, store.generation.of(_DOMAIN))
    store.add_account(neighbour)
    _log_in(store, name)
    default = store.add_security_group("default", name, DEFAULT_TEXT, _id_of("neighbour default"))
    group = store.add_security_group(NEIGHBOUR["sgname"], name, "of the neighbour", NEIGHBOUR["sg"])
    store.add_rule(Rule(NEIGHBOUR["rule"], group.id, "ingress", "tcp", 22, 22, "0.0.0.0/0"))
    template, serial = store.templates[CENTOS], store.next_row("vm_instance")
    vm = Vm(
        serial=serial,
        id=NEIGHBOUR["vm"],
        owner=name,
        name=NEIGHBOUR["vmname"],
        displayname=NEIGHBOUR["vmname"],
        zone_id=zone.id,
        template_id=template.id,
        offering_id=PLANS[0][0],
        os_type_id=template.os_type_id,
        nic=Nic(_id_of("neighbour nic"), zone.network_id, mac_address(serial)),
        security_group_ids=[default.id],
        created=created,
        root_device="NetworkFilesystem",
    )
    root = _add_started(store, vm, _id_of("neighbour root"))
    disk = Volume(
        store.next_serial(), NEIGHBOUR["vol"], name, "neighbour-volume", zone.id, "DATADISK", 5 * GIB, created
    )
    disk.disk_offering_id = DISKS[0][0]
    store.volumes[disk.id] = disk
    snapshot = Snapshot(NEIGHBOUR["snap"], name, f"{vm.name}_{root.name}_20121001000000", root, root.size, created)
    snapshot.state = "BackedUp"
    store.snapshots[snapshot.id] = snapshot
    store.templates[NEIGHBOUR["tmpl"]] = Template(
        NEIGHBOUR["tmpl"],
        "neighbour-template",
        "of the neighbour",
        template.os_type_id,
        name,
        [zone.id],
        created,
        template.size,
        password=True,
        public=False,
        featured=False,
        extractable=store.generation.of(_EXTRACTABLE),
        format="QCOW2",
    )
    job = Job(
        NEIGHBOUR["job"],
        name,
        store.generation.classes("user.securitygroup.RevokeSecurityGroupIngressCmd", False),
        created,
        None,
        None,
        status=1,
    )
    job.result = {"success": True}
    store.jobs[job.id] = job


# --- machines


def _add_started(store: Store, vm: Vm, root_id: str) -> Volume:
    """Take in a machine that was started before: it has an address. Returns its root disk."""
    store.add_vm(vm)
    vm.updated = vm.created
    store.reserve_address(vm)
    name, size, created = f"ROOT-{vm.serial}", store.templates[vm.template_id].size, vm.created
    root = Volume(vm.serial, root_id, vm.owner, name, vm.zone_id, "ROOT", size, created, "Ready", vm_id=vm.id, device=0)
    root.storage, root.offering_id, root.template_id = store.zones[vm.zone_id].storage, vm.offering_id, vm.template_id
    store.volumes[root.id] = root
    return root


ROLES = ("web", "app", "db", "cache", "batch")
SHOWN = {"web": "Web サーバ", "app": "アプリ", "db": "データベース", "cache": "Cache", "batch": "夜間バッチ"}
ENVIRONMENTS = ("prod", "stage", "dev")
PORTS = {"web": (80, 443), "app": (8080,), "db": (5432,), "cache": (6379,), "batch": ()}


def _add_machines(store: Store, count: int) -> None:
    """Varied machines, always the same for the same number: one a minute, the last one just made."""
    chance = random.Random(1)
    groups = {role: _add_role_group(store, role, chance) for role in ROLES}
    first = time.time() - 60 * count
    for number in range(count):
        _add_machine(store, number, groups, chance, first + 60 * number)


def _display_group(store: Store, name: str) -> str:
    """The id of a display group, the same after each start."""
    return store.instance_group(name, store.account.name, _id_of(f"group {name}")).id


def _seed_id(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _add_role_group(store: Store, role: str, chance: random.Random) -> str:
    group = store.add_security_group(role, store.account.name, f"{role} servers", _seed_id(chance))
    for port in (22, *PORTS[role]):
        cidr = "192.0.2.0/24" if port == 22 else "0.0.0.0/0"
        store.add_rule(Rule(_seed_id(chance), group.id, "ingress", "tcp", port, port, cidr))
    return group.id


def _add_machine(store: Store, number: int, groups: dict[str, str], chance: random.Random, created: float) -> None:
    role = ROLES[number % len(ROLES)]
    environment = ENVIRONMENTS[number // 7 % len(ENVIRONMENTS)]
    zones = list(store.zones.values())
    zone = zones[number // 3 % len(zones)]
    template = list(store.templates.values())[number // 11 % len(TEMPLATES)]
    serial = store.next_row("vm_instance")
    vm = Vm(
        serial=serial,
        id=_seed_id(chance),
        owner=store.account.name,
        name=f"{role}-{number + 1:05d}",
        displayname=f"{SHOWN[role]} {number + 1}" if number % 4 else f"{role}-{number + 1:05d}",
        zone_id=zone.id,
        template_id=template.id,
        offering_id=PLANS[number // 2 % len(PLANS)][0],
        os_type_id=template.os_type_id,
        nic=Nic(_seed_id(chance), zone.network_id, mac_address(serial)),
        security_group_ids=[groups[role]],
        created=created,
        state="Stopped" if number % 10 == 9 else "Running",
        group_id=_display_group(store, environment) if number % 6 else None,
        root_device="NetworkFilesystem",
    )
    vm.ha = store.service_offerings[vm.offering_id].ha
    if vm.state == "Running":
        vm.host_id = [host.id for host in store.hosts.values() if host.zone_id == zone.id][number % 2]
    _add_started(store, vm, _seed_id(chance))
    if number % 8:
        store.tags["UserVm", vm.id] = {"role": Tag("role", role), "env": Tag("env", environment)}

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of virtual machines: how a job starts or stops one, as measured on CloudStack 3.0.5 and 4.23."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Awaitable, Callable

from ..calls import Call
from ..errors import CAPACITY, ApiError, bad_parameter, internal
from ..generation import Differs
from ..models import GIB, Vm, Volume

LARGEST_DISK = 1024 * GIB  # no storage of the emulated zones has room for more

# The phases of a start as shares of its job: without an address, with one, with its disk, already Running.
NETWORK, DISK, RUNNING = 0.13, 0.05, 0.05
STARTED = 1 - NETWORK - DISK - RUNNING
# On CloudStack 4 a deployment shows a Stopped machine for this share of its time before. Measured on 4.23.
STOPPED_FIRST = 0.55
# For this share of a stop the machine is still Running there.
STILL_RUNNING = 0.5


async def bring_up(call: Call, vm: Vm, deploying: bool = False) -> bool:
    """Start a Stopped machine. Joins a start under way. A machine that is Running, Destroyed or in Error stays so.

    Returns whether it started the machine. Raises ApiError: 530 while the machine is Stopping, 533 if there is no room.
    """
    has_waited = await call.of(_JOIN_START)(vm)
    if vm.state != "Stopped":
        await call.jobs.moment()
        return has_waited or call.of(_NOT_STARTED)(call, vm)
    if deploying:
        vm.reserving = asyncio.get_running_loop().create_future()
    work, disks = call.of(_BEGIN_START)(call, vm, deploying), call.store.volumes_of(vm)
    try:
        if any(disk.size > LARGEST_DISK for disk in disks):
            await call.jobs.moment()
            raise ApiError(CAPACITY, f"Unable to create a deployment for {vm.label}")
        await call.of(_NETWORK)(call, vm, deploying)
        _check_own(vm, work)
        call.store.reserve_address(vm)
        _reserved(vm)
        share = call.of(_SHARE)(deploying)
        await call.jobs.take(DISK * share)
        _make_disks(call, vm, disks)
        await call.jobs.take(STARTED * share)
        _check_own(vm, work)
        vm.host_id = _host_for(call, vm)
        call.store.set_state(vm, "Running")
    finally:
        _end(vm, work)
    await call.jobs.take(RUNNING * share)
    return True


# --- how a start joins others


async def _join_start_3(vm: Vm) -> bool:
    while vm.state == "Starting" and vm.transition:
        await settled(vm)
    return False


async def _join_start_4(vm: Vm) -> bool:
    """Wait for a start or a deployment. A machine that has just been told to stop is Running for a while."""
    is_joined = vm.state in ("Starting", "Stopped") and vm.transition is not None
    if is_joined:
        await settled(vm)
    return is_joined and vm.state == "Running"


_JOIN_START: Differs[Callable[[Vm], Awaitable[bool]]] = Differs(_join_start_3, _join_start_4)


def _not_started_3(call: Call, vm: Vm) -> bool:
    if vm.state == "Stopping":
        raise internal()
    return False


def _not_started_4(call: Call, vm: Vm) -> bool:
    if vm.state == "Running":
        raise bad_parameter(f"The virtual machine {vm.id} ({vm.name}) is already running")
    raise internal(f"Unable to orchestrate the start of {vm.label}.")


_NOT_STARTED = Differs(_not_started_3, _not_started_4)


def _begin_start_3(call: Call, vm: Vm, deploying: bool) -> asyncio.Future[None]:
    return _begin(vm, "Starting")


def _begin_start_4(call: Call, vm: Vm, deploying: bool) -> asyncio.Future[None]:
    """A machine that is deployed stays Stopped for the first half of its job."""
    if deploying:
        return _begin(vm, "Stopped")
    work = _begin(vm, "Starting")
    call.store.set_state(vm, "Starting")
    return work


# The share of a job's time that is left for the phases of a start.
_SHARE: Differs[Callable[[bool], float]] = Differs(
    lambda deploying: 1.0, lambda deploying: 1 - STOPPED_FIRST if deploying else 1.0
)
_BEGIN_START = Differs(_begin_start_3, _begin_start_4)


async def _network_3(call: Call, vm: Vm, deploying: bool) -> None:
    await call.jobs.take(NETWORK)


async def _network_4(call: Call, vm: Vm, deploying: bool) -> None:
    if deploying:
        await call.jobs.take(STOPPED_FIRST)
        call.store.set_state(vm, "Starting")
        _reserved(vm)
    await call.jobs.take(NETWORK)
    if not vm.security_group_ids:
        default = call.store.security_group_named("default", vm.owner)
        vm.security_group_ids = [default.id] if default else []


_NETWORK: Differs[Callable[[Call, Vm, bool], Awaitable[None]]] = Differs(_network_3, _network_4)


def _make_disks(call: Call, vm: Vm, disks: list[Volume]) -> None:
    vm.root_device = "NetworkFilesystem"
    for volume in disks:
        if volume.state == "Allocated":
            volume.state, volume.storage = "Ready", call.store.zones[vm.zone_id].storage


def _host_for(call: Call, vm: Vm) -> str | None:
    if call["hostid"]:
        return call["hostid"].id
    hosts = [host.id for host in call.store.hosts.values() if host.zone_id == vm.zone_id]
    return hosts[vm.serial % len(hosts)] if hosts else None


async def take_down(call: Call, vm: Vm, forced: bool = False) -> None:
    """Stop a Running machine. Joins a stop under way.

    While the machine is Starting, CloudStack 3 raises ApiError (530), unless it is forced. CloudStack 4 waits.
    """
    await call.of(_TAKE_DOWN)(call, vm, forced)


async def _take_down_4(call: Call, vm: Vm, forced: bool) -> None:
    await settled(vm)
    if vm.state != "Running":
        await call.jobs.moment()
        return
    work = _begin(vm, "Running")
    try:
        await call.jobs.take(STILL_RUNNING)
        call.store.set_state(vm, "Stopping")
        await call.jobs.take(1 - STILL_RUNNING)
        vm.host_id, vm.freed = None, True
        call.store.set_state(vm, "Stopped")
    finally:
        _end(vm, work)


async def _take_down_3(call: Call, vm: Vm, forced: bool) -> None:
    await network_reserved(vm)
    while vm.state == "Stopping" and vm.transition:
        await settled(vm)
    if vm.state == "Starting":
        await call.jobs.moment()
        if not forced:
            raise internal()
        # The real server stops it at once. The start under way then fails, and a deployment ends in Error.
        vm.state = "Stopped"
        _end(vm, vm.transition)
        return
    if vm.state != "Running":
        await call.jobs.moment()
        return
    work = _begin(vm, "Stopping")
    try:
        await call.jobs.take(1)
        vm.state, vm.host_id = "Stopped", None
    finally:
        _end(vm, work)


_TAKE_DOWN: Differs[Callable[[Call, Vm, bool], Awaitable[None]]] = Differs(_take_down_3, _take_down_4)


def _begin(vm: Vm, state: str) -> asyncio.Future[None]:
    """Begin a job's change of a VM's state. Others can wait for its end."""
    vm.state = state
    vm.transition = asyncio.get_running_loop().create_future()
    return vm.transition


def _end(vm: Vm, work: asyncio.Future[None] | None) -> None:
    """End a job's change of a VM's state, unless another job has taken the VM. A start that fails leaves it Stopped."""
    _open(work)
    if vm.transition is not work:
        return
    vm.transition = None
    _reserved(vm)
    if vm.state == "Starting":
        vm.state = "Stopped"


def _check_own(vm: Vm, work: asyncio.Future[None]) -> None:
    """Fail (530) the job if another has taken its VM."""
    if vm.transition is not work:
        raise internal()


async def settled(vm: Vm) -> None:
    """Wait until no job changes the state of the VM."""
    while vm.transition is not None:
        await asyncio.shield(vm.transition)


async def network_reserved(vm: Vm) -> None:
    """Wait while the network of a new VM is reserved: its row is locked then."""
    while vm.reserving is not None:
        await asyncio.shield(vm.reserving)


async def row_free(call: Call, vm: Vm) -> None:
    """Wait while the row of a new VM is locked. CloudStack 4 locks it for no time that matters."""
    await call.of(_ROW_FREE)(vm)


async def _at_once(vm: Vm) -> None:
    """Wait for nothing."""


_ROW_FREE: Differs[Callable[[Vm], Awaitable[None]]] = Differs(network_reserved, _at_once)


def _reserved(vm: Vm) -> None:
    _open(vm.reserving)
    vm.reserving = None


def _open(gate: asyncio.Future[None] | None) -> None:
    if gate is not None and not gate.done():
        gate.set_result(None)


async def power_on(call: Call, vm: Vm, deploying: bool = False) -> str | None:
    """Start a VM; returns the password that its first start makes."""
    was_busy = vm.transition is not None
    started = await bring_up(call, vm, deploying)
    if not (started and vm.password_due):
        return vm.password if started and was_busy else None
    vm.password_due = False
    vm.password = new_password() if call.store.templates[vm.template_id].password else None
    return vm.password


def new_password() -> str:
    """A password as the service makes them: a small and a capital letter, a digit, six small letters."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, "23456789", *[string.ascii_lowercase] * 6)
    return "".join(secrets.choice(kind) for kind in kinds)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of virtual machines: how a job starts or stops one, as measured on CloudStack 3.0.5."""

from __future__ import annotations

import asyncio
import secrets
import string

from ..calls import Call
from ..errors import CAPACITY, ApiError, internal
from ..models import GIB, Vm, Volume

LARGEST_DISK = 1024 * GIB  # no storage of the emulated zones has room for more

# The phases of a start as shares of its job: without an address, with one, with its disk, already Running.
NETWORK, DISK, RUNNING = 0.13, 0.05, 0.05
STARTED = 1 - NETWORK - DISK - RUNNING


async def bring_up(call: Call, vm: Vm, deploying: bool = False) -> bool:
    """Start a Stopped machine. Joins a start under way. A machine that is Running, Destroyed or in Error stays so.

    Returns whether it started the machine. Raises ApiError: 530 while the machine is Stopping, 533 if there is no room.
    """
    while vm.state == "Starting" and vm.transition:
        await settled(vm)
    if vm.state == "Stopping":
        await call.jobs.moment()
        raise internal()
    if vm.state != "Stopped":
        await call.jobs.moment()
        return False
    if deploying:
        vm.reserving = asyncio.get_running_loop().create_future()
    work, disks = _begin(vm, "Starting"), call.store.volumes_of(vm)
    try:
        if any(disk.size > LARGEST_DISK for disk in disks):
            await call.jobs.moment()
            raise ApiError(CAPACITY, f"Unable to create a deployment for {vm.label}")
        await call.jobs.take(NETWORK)
        _check_own(vm, work)
        call.store.reserve_address(vm)
        _reserved(vm)
        await call.jobs.take(DISK)
        _make_disks(call, vm, disks)
        await call.jobs.take(STARTED)
        _check_own(vm, work)
        vm.state, vm.host_id = "Running", _host_for(call, vm)
    finally:
        _end(vm, work)
    await call.jobs.take(RUNNING)
    return True


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

    Raises ApiError (530) while the machine is Starting, unless it is forced.
    """
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


def _reserved(vm: Vm) -> None:
    _open(vm.reserving)
    vm.reserving = None


def _open(gate: asyncio.Future[None] | None) -> None:
    if gate is not None and not gate.done():
        gate.set_result(None)


async def power_on(call: Call, vm: Vm, deploying: bool = False) -> str | None:
    """Start a VM; returns the password that its first start makes."""
    started = await bring_up(call, vm, deploying)
    if not (started and vm.password_due):
        return None
    vm.password_due = False
    return new_password() if call.store.templates[vm.template_id].password else None


def new_password() -> str:
    """A password as the service makes them: a small and a capital letter, a digit, six small letters."""
    kinds = (string.ascii_lowercase, string.ascii_uppercase, "23456789", *[string.ascii_lowercase] * 6)
    return "".join(secrets.choice(kind) for kind in kinds)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on virtual machines that CloudStack 3 lacks, as measured on 4.23: scaling, new key pairs, network cards."""

from __future__ import annotations

from typing import Any

from ..calls import Call, page_of
from ..errors import bad_parameter, internal
from ..jobs import Work
from ..models import NO_OBJECT, Vm
from ..owners import check_access
from ..wire import listing
from .vm import result, service_offering, stopped_only
from .vm_deploy import keep_keys, key_names, pairs_named
from .vm_view_4 import nic_view


def _own(call: Call, name: str = "id") -> Vm:
    vm = call[name]
    if vm is NO_OBJECT:
        raise bad_parameter("unable to find a virtual machine with id -1")
    check_access(call, vm.owner, vm.label)
    return vm


def scale(call: Call) -> Work:
    """scaleVirtualMachine: of a Stopped machine, or of a Running one where the operator allows it, to a larger offering."""
    vm = call["id"]

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        _own(call)
        offering = service_offering(call["serviceofferingid"])
        if vm.offering_id == offering.id:
            raise bad_parameter(f"Not upgrading vm {vm.label} since it already has the requested service offering")
        if vm.state == "Running":
            old = call.store.service_offerings[vm.offering_id]
            if (offering.cpus, offering.speed, offering.memory) < (old.cpus, old.speed, old.memory):
                raise bad_parameter("Scaling down is not supported while the VM is running.")
            if not vm.scalable:
                raise internal("Dynamically scaling Instances is disabled for this zone, please contact your admin.")
        await call.jobs.take(1)
        vm.offering_id, vm.ha = offering.id, offering.ha
        return result(call, vm)

    return Work(run, "VirtualMachine", vm.id)


def reset_key_pair(call: Call) -> Work:
    """resetSSHKeyForVirtualMachine: of a Stopped machine. A template with passwords makes a new one at the next start."""
    vm = call["id"]

    async def run() -> dict[str, Any]:
        await call.jobs.moment()
        _own(call)
        names = key_names(call)
        if not names:
            raise bad_parameter("'keypair' or 'keypairs' must be specified")
        pairs = pairs_named(call, call.store.accounts[vm.owner], names)
        await stopped_only(call, vm)
        await call.jobs.take(1)
        keep_keys(vm, names, pairs)
        vm.has_sealed_password = False
        return result(call, vm)

    return Work(run, "VirtualMachine", vm.id)


def list_nics(call: Call) -> dict[str, Any]:
    """listNics: the card of a machine."""
    vm = _own(call, "virtualmachineid")
    views = [{**nic_view(call, vm.nic), "virtualmachineid": vm.id}]
    return listing("nic", page_of(call, views))

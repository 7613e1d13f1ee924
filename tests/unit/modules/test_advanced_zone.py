# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines in the networks of an Advanced zone with security groups, as CloudStack's documentation describes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.inventory.hosts import default_groups
from cloudn_emulator import Emulator
from samples import NEW

Result = dict[str, Any]


@pytest.fixture
def emulator() -> Iterator[Any]:
    with Emulator(generation="4", advanced_zone=True, job_seconds=0.05) as running:
        yield running


def names(machine: Result) -> list[str]:
    return [nic["network_name"] for nic in machine["nics"]]


@pytest.mark.parametrize("wanted", [["jp-e1a-net2"], ["jp-e1a-net2", "jp-e1a-net1"]])
def test_a_new_machine_is_in_its_networks(
    beats: Callable[..., Result], refused: Callable[..., str], wanted: list[str]
) -> None:
    done = beats("cloudn_vm", ["deployVirtualMachine"], name="web1", networks=wanted, **NEW)
    assert names(done["vm"]) == wanted
    assert [nic["is_default"] for nic in done["vm"]["nics"]] == [True, False][: len(wanted)]
    groups = default_groups(done["vm"])
    assert {f"network_{name.replace('-', '_')}" for name in wanted} <= set(groups)
    message = refused("cloudn_vm", name="web1", networks=["jp-e1a-net1"])
    assert f"networks are {sorted(wanted)}, not ['jp-e1a-net1']" in message
    assert "networks: " in refused("cloudn_vm", name="web2", networks=["nowhere"], **NEW)


def test_a_network_by_its_id(run_module: Callable[..., Result], client: Any) -> None:
    (network,) = [one for one in client.list("listNetworks") if one["name"] == "jp-e1a-net2"]
    made = run_module("cloudn_vm", name="web1", networks=[network["id"]], **NEW)
    assert names(made["vm"]) == ["jp-e1a-net2"]


def test_without_networks_the_service_chooses(run_module: Callable[..., Result]) -> None:
    assert names(run_module("cloudn_vm", name="web1", **NEW)["vm"]) == ["jp-e1a-net1"]

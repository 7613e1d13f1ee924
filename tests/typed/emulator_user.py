# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A program of a user of the emulator, which mypy checks with `make lint`: the package shows its types to others."""

from __future__ import annotations

from typing import assert_type

import pytest
from cloudn_emulator import Emulator
from cloudn_emulator.models import Vm


@pytest.mark.cloudn_emulator(vms=3)
def test_of_a_user(cloudn_emulator: Emulator) -> None:
    assert_type(cloudn_emulator.environment, dict[str, str])
    assert_type(cloudn_emulator.store.vms, dict[str, Vm])
    names: list[str] = [vm.name for vm in cloudn_emulator.store.vms.values()]
    cloudn_emulator.faults([{"kind": "slow", "seconds": 1}])
    cloudn_emulator.reset()
    assert len(names) == 3 and cloudn_emulator.requests == []


def addresses() -> tuple[str, str]:
    """The addresses of an emulator."""
    with Emulator(seed={"vms": []}, state="cloud.state", job_seconds=0.1) as emulator:
        return emulator.url, emulator.ec2_url

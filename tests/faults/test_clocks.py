# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clocks of client and service differ by fifteen minutes: what fails, and which errors and warnings say so."""

from __future__ import annotations

import re
from typing import Any

import pytest
from samples import NEW
from sites import inventory

APART = 900
ABOUT = r"(899|90\d)"  # dates have no fractions


@pytest.mark.parametrize("response_format", ["json", "xml"])
@pytest.mark.generation("3", reason="CloudStack 4 does not say what time it is")
def test_a_clock_that_is_behind_brings_an_error_that_says_why(run_module_as: Any, response_format: str) -> None:
    """The signature has expired when it arrives. Nothing is done, and the error says why."""
    with run_module_as(clock_ahead=APART) as (run, emulator):
        done = run("cloudn_vm", name="web1", response_format=response_format, **NEW)
        assert done["failed"] and done["error_code"] == 401
        assert re.search(rf"this machine's clock is {ABOUT} s behind the service's: set it right", done["msg"])
        assert [request["status"] for request in emulator.requests] == [401]
        shown = inventory(emulator, {})
        assert re.search(rf"this machine's clock is {ABOUT} s behind the service's", shown["msg"])
        # A signature that lives longer, or without an end, is taken.
        for life in (2000, 0):
            assert not run("cloudn_vm_info", signature_expires=life).get("failed")


@pytest.mark.generation("3", reason="CloudStack 4 does not say what time it is")
def test_a_clock_that_is_ahead_brings_a_warning(run_module_as: Any) -> None:
    """Signatures live longer than they should. The service accepts them, and a warning says so."""
    with run_module_as(clock_ahead=-APART) as (run, emulator):
        done = run("cloudn_vm", name="web1", **NEW)
        assert not done.get("failed"), done["msg"]
        (warning,) = done["warnings"]
        assert re.search(rf"this machine's clock is {ABOUT} s ahead of the service's", warning)
        assert len(emulator.store.vms) == 1
        done = run("cloudn_vm", name="web1", signature_expires=0, **NEW)
        assert (done["changed"], done["warnings"]) == (False, [])  # there is nothing that the clock matters for


@pytest.mark.parametrize("ahead", [APART, -APART])
@pytest.mark.generation("3", reason="CloudStack 4 does not say what time it is")
def test_ages_are_measured_by_the_services_clock(run_module_as: Any, ahead: int) -> None:
    """An object is as old as the service's clock says: a snapshot of now is not a quarter of an hour old."""
    with run_module_as(clock_ahead=ahead) as (run, emulator):
        patient = {"signature_expires": 2000}
        assert not run("cloudn_vm", name="web1", **NEW, **patient).get("failed")
        for changed in (True, False):
            done = run("cloudn_snapshot", vm="web1", max_age="10m", **patient)
            assert not done.get("failed"), done["msg"]
            assert done["changed"] is changed
        for snapshot in emulator.store.snapshots.values():
            snapshot.created -= 601
        assert run("cloudn_snapshot", vm="web1", max_age="10m", **patient)["changed"] is True


def test_without_the_services_time_the_error_names_all_causes(
    run_module_as: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy may take the date away."""
    from ansible_collections.cloudn.compute.plugins.module_utils.api.service_clock import ServiceClock

    monkeypatch.setattr(ServiceClock, "compare", lambda _clock, _date: None)
    with run_module_as(clock_ahead=APART) as (run, _emulator):
        done = run("cloudn_zone_info")
        assert "check api_key and api_secret, and this machine's clock" in done["msg"]

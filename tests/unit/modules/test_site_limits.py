# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cloudn_site asks for the account's limits before it makes anything, and only then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asked import changes_sent_to, sent_to
from samples import NEW
from specs import good

SITE: dict[str, Any] = {
    "name": "shop",
    "zone": NEW["zone"],
    "security_groups": [{"name": "web"}],
    "vms": [{"name": ["w1", "w2", "w3"], "template": NEW["template"], "service_offering": "v1"}],
}
LACKS = "the site shop would need 3 VMs, 1 is free"


@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
def test_a_site_that_the_account_has_no_room_for_is_an_error_before_anything_is_sent(
    run_module_as: Callable[..., Any], check: bool
) -> None:
    with run_module_as(limits={"instance": 1}) as (run, emulator):
        text = run("cloudn_site", _check=check, **SITE)["msg"]
        assert text.startswith(LACKS)
        assert "ignore_limits: true" in text
        assert changes_sent_to(emulator) == []
        assert sent_to(emulator).count("listAccounts") == 1


def test_the_error_becomes_a_warning(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(limits={"instance": 1}) as (run, _emulator):
        done = run("cloudn_site", ignore_limits=True, **SITE)
        assert any(LACKS in warning for warning in done["warnings"])
        assert sorted(one["outcome"] for one in done["vms"]) == ["done", "failed", "failed"]
        assert done["security_groups"][0]["outcome"] == "done"


def test_nothing_is_asked_if_nothing_is_made(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(limits={"instance": 3}) as (run, emulator):
        good(run("cloudn_site", **SITE))
        emulator.clear()
        good(run("cloudn_site", **SITE))
        assert "listAccounts" not in sent_to(emulator)


def test_a_machine_without_a_data_disk_takes_room_for_one_disk(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(limits={"volume": 3}) as (run, _emulator):
        good(run("cloudn_site", **SITE))


def test_a_data_disk_of_a_machine_takes_room_too(run_module_as: Callable[..., Any]) -> None:
    with run_module_as(limits={"volume": 3}) as (run, _emulator):
        machines = [{**SITE["vms"][0], "name": ["w1", "w2"], "disk_offering": "Small"}]
        assert "would need 4 volumes, 3 are free" in run("cloudn_site", **{**SITE, "vms": machines})["msg"]

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of check mode say when an earlier task may make the missing object, and only then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from samples import NEW, UNKNOWN, ZONE

Run = Callable[..., dict[str, Any]]
HINT = "Check mode makes nothing"
DISK = {"name": "data", "disk_offering": "Small", **ZONE}
OTHERS_GROUP = [{"ports": "80", "groups": [{"name": "nope"}]}]


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("cloudn_vm", {"name": "web1", **NEW, "security_groups": ["nope"]}),
        ("cloudn_vm", {"name": "web1", **NEW, "key_pair": "nope"}),
        ("cloudn_vm", {"name": "web1", **NEW, "template": "nope"}),
        ("cloudn_vm", {"name": "web1", "state": "restarted"}),
        ("cloudn_vm_password", {"name": "web1"}),
        ("cloudn_security_group", {"name": "web", "ingress": OTHERS_GROUP}),
        ("cloudn_security_group", {"name": "web", "egress": OTHERS_GROUP}),
        ("cloudn_volume", {"name": "data", "state": "attached", "vm": "web1", "disk_offering": "Small"}),
        ("cloudn_volume", {"name": "data", "state": "extracted"}),
        ("cloudn_volume", {"name": "data", **ZONE}),
        ("cloudn_volume", {"name": "data", **ZONE, "snapshot": "nope"}),
        ("cloudn_snapshot", {"volume": "nope"}),
        ("cloudn_snapshot", {"vm": "web1"}),
        ("cloudn_snapshot", {"vm": "there", "volume": "data"}),
        ("cloudn_snapshot_policy", {"volume": "nope", "interval": "daily"}),
        ("cloudn_snapshot_policy", {"vm": "there", "interval": "daily", "keep": 2}),
        ("cloudn_template", {"name": "image", "vm": "web1"}),
        ("cloudn_template", {"name": "image", "volume": "data"}),
        ("cloudn_template", {"name": "image", "snapshot": "nope"}),
        ("cloudn_template", {"name": "image", "state": "extracted"}),
        ("cloudn_template", {"name": "image"}),
    ],
)
def test_check_mode_says_where_an_earlier_task_may_make_what_is_missing(
    run_module: Run, module: str, options: dict[str, Any]
) -> None:
    if options.get("vm") == "there":
        run_module("cloudn_vm", name="there", **NEW)
    told, done = run_module(module, _check=True, **options), run_module(module, **options)
    assert told["failed"] and done["failed"]
    assert told["msg"].startswith(f"{done['msg']}. {HINT}. If an earlier task of this play makes it")
    assert HINT not in done["msg"]


@pytest.mark.parametrize(
    ("module", "options"),
    [
        ("cloudn_vm", {"name": "web1", **NEW, "zone": "nope"}),
        ("cloudn_vm", {"name": "web1", **NEW, "service_offering": "nope"}),
        ("cloudn_vm", {"name": "web1", **NEW, "disk_offering": "nope"}),
        ("cloudn_vm", {"name": "web1", **NEW, "os_type": "nope"}),
        ("cloudn_vm", {"name": "web1", **NEW, "template": UNKNOWN}),
        ("cloudn_vm", {"name": UNKNOWN, **NEW}),
        ("cloudn_vm", {"name": "web_1", **NEW}),
        ("cloudn_vm_password", {"name": UNKNOWN}),
        ("cloudn_volume", {**DISK, "zone": "nope"}),
        ("cloudn_volume", {"id": UNKNOWN, "state": "extracted"}),
        ("cloudn_snapshot", {"volume": UNKNOWN}),
        ("cloudn_template", {"name": "image", "snapshot": UNKNOWN}),
        ("cloudn_template_info", {"zone": "nope"}),
    ],
)
def test_check_mode_does_not_say_so_of_what_no_task_makes(
    run_module: Run, module: str, options: dict[str, Any]
) -> None:
    told = run_module(module, _check=True, **options)
    assert told["failed"]
    assert HINT not in told["msg"]

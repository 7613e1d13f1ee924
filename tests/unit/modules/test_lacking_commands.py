# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts that lack commands: an error says so and what to do instead. Everything else works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from samples import NEW

Result = dict[str, Any]
RunAs = Callable[..., Any]
TAGS = ["createTags", "deleteTags", "listTags"]
KEY_PAIRS = ["createSSHKeyPair", "registerSSHKeyPair", "deleteSSHKeyPair", "listSSHKeyPairs"]
PERMISSIONS = ["updateTemplatePermissions", "listTemplatePermissions"]
# A life without tags, key pairs, permissions and recovery.
LIFE: list[tuple[str, Result]] = [
    ("cloudn_security_group", {"name": "web", "ingress": [{"ports": "80", "cidrs": ["0.0.0.0/0"]}]}),
    ("cloudn_security_group", {"name": "web", "ingress": []}),
    ("cloudn_security_group_info", {}),
    ("cloudn_vm", {"name": "web1", "security_groups": ["web"], **NEW}),
    ("cloudn_vm_info", {"name": ["web1"]}),
    ("cloudn_volume", {"name": "data", "state": "attached", "vm": "web1", "disk_offering": "Small"}),
    ("cloudn_snapshot", {"volume": "data", "max_age": "1h", "keep": 1}),
    ("cloudn_template", {"name": "image", "vm": "web1", "allow_restart": True, "public": False}),
    ("cloudn_template", {"name": "image", "state": "absent"}),
    ("cloudn_vm", {"name": "web1", "state": "absent", "delete_volumes": True}),
]


def test_an_account_that_lacks_commands_can_do_everything_else(run_module_as: RunAs) -> None:
    with run_module_as(denied=[*TAGS, *KEY_PAIRS, *PERMISSIONS]) as (run, _emulator):
        for module, options in LIFE:
            done = run(module, **options)
            assert not done.get("failed"), done["msg"]


@pytest.mark.parametrize(
    ("module", "options", "command", "instead"),
    [
        ("cloudn_vm", {"name": "web1", "tags": {"a": "b"}, **NEW}, "createTags", "leave out tags"),
        ("cloudn_security_group", {"name": "web", "tags": {"a": "b"}}, "createTags", "leave out tags"),
        ("cloudn_key_pair", {"name": "mine"}, "listSSHKeyPairs", "user_data"),
        ("cloudn_key_pair_info", {}, "listSSHKeyPairs", "user_data"),
        pytest.param(
            *("cloudn_vm", {"name": "gone", "recover": True, **NEW}, "recoverVirtualMachine", "leave out recover"),
            marks=pytest.mark.generation(
                "3", reason="CloudStack 4 knows the command, and refuses it by another code (531)"
            ),
        ),
        (
            "cloudn_template",
            {"name": "image", "accounts": ["admin"], "ec2_url": None},
            "listTemplatePermissions",
            "leave out accounts",
        ),
        (
            "cloudn_api",
            {"command": "rebootEverything"},
            "rebootEverything",
            "check the name, or ask the operator of the service",
        ),
    ],
)
def test_a_task_that_needs_a_lacking_command_says_so(
    run_module_as: RunAs, generation: str, module: str, options: Result, command: str, instead: str
) -> None:
    with run_module_as(denied=[*TAGS, *KEY_PAIRS, *PERMISSIONS]) as (run, _emulator):
        run("cloudn_vm", name="web1", **NEW)
        gone = run("cloudn_vm", name="gone", **NEW)["vm"]["id"]
        run("cloudn_vm", name="gone", state="absent")
        if module == "cloudn_template":
            run("cloudn_vm", name="web1", state="stopped")
            run("cloudn_template", name="image", vm="web1")
        if options.get("recover"):
            options = {**options, "name": gone}
        failed = run(module, **options)
        assert failed["command"] == command
        # CloudStack 4 tells a command that it does not know (401) from one that it does not grant.
        assert failed["error_code"] == (401 if (generation, command) == ("4", "rebootEverything") else 432)
        assert f"The service does not know {command}, or does not grant it to this account" in failed["msg"]
        assert instead in failed["msg"]


def test_a_machine_with_a_key_pair_needs_no_list_of_them(run_module_as: RunAs) -> None:
    with run_module_as(denied=["listSSHKeyPairs"]) as (run, emulator):
        run("cloudn_api", command="createSSHKeyPair", params={"name": "mine"})
        done = run("cloudn_vm", name="web1", key_pair="mine", **NEW)
        assert done["vm"]["key_pair"] == "mine"

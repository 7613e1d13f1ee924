# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task sends each command of the service's manual, and the page about it is up to date."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.cloudn.compute.plugins.module_utils.api.ec2 import ACTIONS
from commands import BEYOND, PAGE, SECTIONS, Row, page
from preparing import filled, prepared

ROWS = [row for rows in SECTIONS.values() for row in rows]
# The native commands of the manual, version 1.1, in its order.
MANUAL = [
    "queryAsyncJobResult",
    "listAsyncJobs",
    "listVirtualMachines",
    "deployVirtualMachine",
    "destroyVirtualMachine",
    "rebootVirtualMachine",
    "startVirtualMachine",
    "stopVirtualMachine",
    "resetPasswordForVirtualMachine",
    "changeServiceForVirtualMachine",
    "updateVirtualMachine",
    "recoverVirtualMachine",
    "listSecurityGroups",
    "createSecurityGroup",
    "deleteSecurityGroup",
    "authorizeSecurityGroupIngress",
    "revokeSecurityGroupIngress",
    "authorizeSecurityGroupEgress",
    "revokeSecurityGroupEgress",
    "listServiceOfferings",
    "listDiskOfferings",
    "listZones",
    "listTemplates",
    "createTemplate",
    "uploadTemplate",
    "copyTemplate",
    "deleteTemplate",
    "extractTemplate",
    "listSnapshot",
    "createSnapshot",
    "deleteSnapshot",
    "listVolumes",
    "attachVolume",
    "detachVolume",
    "createVolume",
    "uploadVolume",
    "deleteVolume",
    "extractVolume",
]
# Its commands of ec2-api-tools, in its order.
MANUAL_EC2 = [
    "ec2-describe-instances",
    "ec2-run-instances",
    "ec2-reboot-instances",
    "ec2-start-instances",
    "ec2-stop-instances",
    "ec2-terminate-instances",
    "ec2-modify-instance-attribute",
    "ec2-create-image",
    "ec2-describe-images",
    "ec2-deregister",
    "ec2-modify-image-attribute",
    "ec2-create-snapshot",
    "ec2-delete-snapshot",
    "ec2-describe-snapshots",
    "ec2-attach-volume",
    "ec2-delete-volume",
    "ec2-describe-volumes",
    "ec2-detach-volume",
]


def test_every_command_of_the_manual_has_its_row() -> None:
    assert [row.command for row in ROWS if not row.tool] == MANUAL
    assert [row.tool for row in ROWS if row.tool] == MANUAL_EC2
    assert sorted(row.command for row in ROWS if row.tool) == sorted(ACTIONS)
    assert (len(MANUAL), len(MANUAL_EC2)) == (38, 18)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page()


@pytest.mark.parametrize("row", [*ROWS, *BEYOND], ids=[row.command for row in [*ROWS, *BEYOND]])
@pytest.mark.generation("3", reason="the manual is that of a service of CloudStack 3")
def test_command_is_sent(row: Row, run_module_as: Callable[..., Any]) -> None:
    """The task of the row sends the command to a service that knows the manual's names, and the service accepts it."""
    with run_module_as(dialect="cloudn", grants=row.grants) as (run, emulator):
        known = prepared(run, row.before)
        emulator.clear()
        done = run(row.module, **filled(row.options, known))
        assert not done.get("failed"), done["msg"]
        assert row.command in [request["command"] for request in emulator.requests if request["status"] == 200]

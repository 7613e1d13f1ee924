# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small site, and what applying plans to it sends."""

from __future__ import annotations

from typing import Any

from ansible_collections.cloudn.compute.plugins.module_utils.api import Client, Deadline
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile import (
    THIS,
    IdOf,
    Plan,
    Progress,
    Step,
    replace,
)
from ansible_collections.cloudn.compute.plugins.module_utils.reconcile.apply import Bounds, apply
from asked import changes_sent_to as sent

__all__ = ["applied", "keyed", "made", "named", "plans_of", "sent"]

Record = dict[str, Any]


def named(client: Client, command: str, name: str) -> str:
    """The id of what the emulator has under a name."""
    return next(one["id"] for one in client.list(command, {"templatefilter": "executable"}) if one["name"] == name)


def made(command: str, params: Record, returns: str) -> Step:
    return Step(command, command, params, returns=returns, yields=replace, creates=True)


def keyed(key: str, plan: Plan) -> Plan:
    plan.key = key
    return plan


def plans_of(client: Client) -> dict[str, Plan]:
    """A group, a machine in it, a volume that is attached to the machine, and its tag."""
    zone = named(client, "listZones", "jp-e1a")
    deploy = {
        "name": "web1",
        "zoneid": zone,
        "templateid": named(client, "listTemplates", "CentOS 6.2 64bit"),
        "serviceofferingid": named(client, "listServiceOfferings", "v1"),
        "securitygroupids": [IdOf("group")],
    }
    volume = {"name": "data", "zoneid": zone, "diskofferingid": named(client, "listDiskOfferings", "Small")}
    attach = {"id": THIS, "virtualmachineid": IdOf("machine")}
    tag = {"resourceids": [IdOf("machine")], "resourcetype": "UserVm", "tags": {"role": "web"}}
    plans = {
        "group": Plan("web", None, [[made("createSecurityGroup", {"name": "web"}, "securitygroup")]]),
        "machine": Plan("web1", None, [[made("deployVirtualMachine", deploy, "virtualmachine")]]),
        "volume": Plan(
            "data",
            None,
            [
                [made("createVolume", volume, "volume")],
                [Step("attach", "attachVolume", attach, returns="volume", yields=replace, needs=("machine",))],
            ],
        ),
        "tag": Plan("tag", None, [[Step("tag", "createTags", tag)]]),
    }
    return {key: keyed(key, plan) for key, plan in plans.items()}


def applied(client: Client, plans: list[Plan], wait: bool = True, seconds: float = 60) -> dict[str, Progress]:
    progresses = {one.key: Progress(one) for one in plans}
    apply(client, list(progresses.values()), Deadline(seconds, client.clock), bounds=Bounds(wait=wait))
    return progresses

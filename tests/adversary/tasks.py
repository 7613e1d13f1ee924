# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tasks that the adversary disturbs. Each has a twin: the same task for another object, whose answers are foreign ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from preparing import Task
from samples import NEW, ZONE
from scenarios import RULES, USER_DATA, Scenario

OS_TYPE = {"os_type": "CentOS 5.6 (64-bit)"}
STARTED = {"state": "started"}
DATA = {"disk_offering": "Small"}


@dataclass(frozen=True)
class Victim:
    """A task and its twin.

    Attributes:
        secret: the field of the result's object that the service shows only once, with the object's name.
        late: what a request may change that is delivered after the task has ended, and that no later run of the task looks
            at. docs/rely-on.md says so.
        own: beginnings of the names of attacks that look like the API's own refusals, so nothing can tell them from those.
        only_3: CloudStack 4 lacks the API.
    """

    task: Scenario
    twin: Scenario
    secret: tuple[str, str] = ("", "")
    late: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    only_3: bool = False

    @property
    def name(self) -> str:
        """The name of the task."""
        return self.task.name


def _victim(name: str, module: str, options: dict[str, Any], *before: Task, **more: Any) -> Victim:
    """Return a task and its twin: the twin's objects have ``9`` where those of the task have ``1``."""
    reads, action = more.pop("reads", False), more.pop("action", False)
    task = Scenario(name, module, options, before, reads=reads, action=action)
    twin = Scenario(f"{name}-twin", module, _renamed(options), tuple((to, _renamed(given)) for to, given in before))
    return Victim(task, twin, **more)


def _renamed(value: Any) -> Any:
    if isinstance(value, str) and value[-1:] == "1" and value[:3] in ("web", "dat", "ima", "min"):
        return value[:-1] + "9"
    if isinstance(value, dict):
        return {key: _renamed(one) for key, one in value.items()}
    return [_renamed(one) for one in value] if isinstance(value, list) else value


def _machine(**options: Any) -> Task:
    return "cloudn_vm", {"name": "web1", **NEW, **options}


STOPPED: Task = ("cloudn_vm", {"name": "web1", "state": "stopped"})
ATTACHED: Task = ("cloudn_volume", {"name": "data1", **DATA, "state": "attached", "vm": "web1"})

VICTIMS = (
    _victim(
        "vm-present",
        "cloudn_vm",
        {"name": "web1", **STARTED, "tags": {"r": "w"}, "group": "front", "user_data": USER_DATA, **NEW},
        secret=("vm", "password"),
    ),
    _victim(
        "vm-absent", "cloudn_vm", {"name": "web1", "state": "absent", "detach_volumes": True}, _machine(), ATTACHED
    ),
    _victim(
        "vm-resized",
        "cloudn_vm",
        {"name": "web1", **STARTED, "service_offering": "v2", "allow_restart": True},
        _machine(),
    ),
    _victim("vm-started", "cloudn_vm", {"name": "web1", **STARTED}, _machine(), STOPPED),
    _victim("vm-tagged", "cloudn_vm", {"name": "web1", "tags": {"a": "c", "d": "e"}}, _machine(tags={"a": "b"})),
    _victim("group-present", "cloudn_security_group", {"name": "web1", "ingress": RULES, "tags": {"a": "b"}}),
    _victim("key-made", "cloudn_key_pair", {"name": "mine1"}, secret=("key_pair", "private_key")),
    _victim(
        "volume-attached",
        "cloudn_volume",
        {"name": "data1", **ZONE, **DATA, "state": "attached", "vm": "web1"},
        _machine(),
    ),
    _victim("snapshot-present", "cloudn_snapshot", {"vm": "web1", "tags": {"a": "b"}}, _machine(), late=("snapshots",)),
    _victim(
        "template-of-vm",
        "cloudn_template",
        {"name": "image1", "vm": "web1", **ZONE, "allow_restart": True},
        _machine(),
        late=("machines",),
    ),
    _victim("inventory", "inventory", {}, _machine(tags={"a": "b"}), reads=True),
    _victim("vm-info", "cloudn_vm_info", {"name": ["web1"]}, _machine(tags={"a": "b"}), ATTACHED, reads=True),
    _victim(
        "ec2-stopped",
        "cloudn_ec2",
        {"action": "StopInstances", "params": {"InstanceId": ["{vm}"]}},
        _machine(),
        action=True,
        own=("404 empty",),
        only_3=True,
    ),
)

# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random runs of tasks, and what two runs of the same tasks have in common: one in check mode, one for real."""

from __future__ import annotations

import itertools
import json
import pathlib
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

from samples import KEY, OTHER_KEY, TEMPLATE

Result = dict[str, Any]
Task = dict[str, Any]
NEW = {"zone": "jp-e1a", "service_offering": "v1"}
UPLOADED = "d4"
OS_TYPE = "CentOS 5.6 (64-bit)"
CIDRS = ["0.0.0.0/0", "192.0.2.0/24", "198.51.100.7/32"]
# Ids, placeholders, names that the service makes (of snapshots and disks), dates and addresses.
_MADE = re.compile(
    r"planned-[a-z-]+-\d+|[^\s:'\"]+_\d{14}|(?:ROOT|DATA)-\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|\d{4}-\d\d-\d\dT[\d:]+\+0000"
)
# Of several disks or snapshots, the service shows those of one second in any order.
_OF_ONE_STAGE = re.compile(r"[^:]+: (detach|delete) (volume|snapshot) ")
# What an info module must show alike in both runs, of each object.
_SHOWN = {
    "vms": "name state display_name group template service_offering security_groups key_pair affinity_groups tags ha",
    "volumes": "name type state vm vm_state size_gb disk_offering zone tags device_id",
    "security_groups": "name description tags",
    "snapshots": "name state volume volume_type tags",
    "templates": "name display_text ready public zones tags os_type password_enabled extractable",
    "key_pairs": "name",
    "snapshot_policies": "volume interval time day timezone keep",
    "affinity_groups": "name type description",
}


def is_alike(task: Task, planned: Result, real: Result) -> bool:
    """Tell whether a task did what it told in check mode.

    Check mode only warns of what holds a security group: the service refuses to delete it then.
    """
    if told(planned) == told(real):
        return True
    options = task.get("cloudn.compute.cloudn_security_group", {})
    is_warned = options.get("state") == "absent" and any("is used by" in text for text in planned.get("warnings", []))
    return bool(is_warned and real.get("failed") and planned["actions"] == real["actions"])


def unmade(value: Any) -> Any:
    """Return a value with one word for all that the service makes: ids, names, dates."""
    if isinstance(value, str):
        return _MADE.sub("(made)", value)
    if isinstance(value, dict):
        return {name: unmade(inner) for name, inner in value.items()}
    return [unmade(inner) for inner in value] if isinstance(value, list) else value


def told(result: Result) -> Any:
    """Return what a task told, as far as check mode can know it: that it failed, its actions, or the objects that it showed."""
    if "results" in result:
        return [told(one) for one in result["results"]]
    if result.get("failed"):
        return "failed"
    if "actions" in result:
        return _ordered(unmade(result["actions"]))
    shown = {}
    for plural, fields in _SHOWN.items():
        listed = [_without_sizes(one) if plural == "volumes" else one for one in result.get(plural, [])]
        objects = [{field: unmade(one.get(field)) for field in fields.split()} for one in listed]
        rules = [_rules(one) for one in result.get(plural, [])] if plural == "security_groups" else []
        shown[plural] = [sorted(json.dumps(one, sort_keys=True) for one in objects), sorted(rules)]
    return {plural: shown[plural] for plural in shown if plural in result}


def _without_sizes(volume: Result) -> Result:
    """Return a volume without what nobody knows before it is made: the size and the offering of what the service downloads.

    It downloads ``d4`` and ``t3``. So only disks that are made from an offering are compared in these.
    """
    is_known = volume.get("disk_offering") in ("Small", "Custom") and volume.get("name") != UPLOADED
    return volume if is_known else {**volume, "size_gb": None, "disk_offering": None}


def _ordered(actions: list[str]) -> list[str]:
    """Return actions with those sorted that go together, and whose order is chance."""

    def stage(text: str) -> str:
        found = _OF_ONE_STAGE.match(text)
        return found[0] if found else text

    return [text for _key, some in itertools.groupby(actions, stage) for text in sorted(some)]


def _rules(group: Result) -> str:
    ways = {way: sorted(json.dumps({**rule, "id": ""}) for rule in group[way]) for way in ("ingress", "egress")}
    return json.dumps([group["name"], ways])


def play(tasks: Sequence[Task], out: pathlib.Path) -> str:
    """Return a playbook that goes on after errors and writes all results into a file, as its text."""
    lines: list[Task] = [
        {**task, "register": task.get("register", f"result{number}"), "ignore_errors": True}
        for number, task in enumerate(tasks)
    ]
    results = ", ".join(line["register"] for line in lines)
    last = {
        "ansible.builtin.copy": {"content": "{{ [" + results + "] | to_json }}", "dest": str(out)},
        "check_mode": False,
        "diff": False,
    }
    return json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [*lines, last]}])


class Chance:
    """Makes random tasks for one run. It knows roughly what is there, so that most tasks can be done."""

    def __init__(self, seed: str, generation: str) -> None:
        self.chance = random.Random(seed)
        self.is_4 = generation == "4"
        self.made: dict[str, list[str]] = {
            kind: [] for kind in ("vm", "group", "volume", "pair", "template", "affinity", "snapshot")
        }
        self.gone: set[str] = set()  # the names of destroyed machines stay taken
        self.number = 0

    def tasks(self) -> list[Task]:
        """Return 5 to 15 tasks."""
        return [self._task() for _number in range(self.chance.randint(5, 15))]

    def before(self) -> list[Task]:
        """Return tasks that make what is there before, for some of the runs."""
        return [self._task() for _number in range(self.chance.choice([0, 0, 4, 7]))]

    def _task(self) -> Task:
        makers: list[tuple[int, Callable[[], Task | None]]] = [
            (4, self._group),
            (6, self._machines),
            (3, self._state),
            (2, self._machine_gone),
            (4, self._attached),
            (2, self._detached),
            (2, self._volume_gone),
            (2, self._volume),
            (4, self._snapshot),
            (2, self._snapshot_gone),
            (3, self._template),
            (1, self._template_gone),
            (2, self._pair),
            (1, self._pair_gone),
            (2, self._policy),
            (2, self._group_gone),
            (1, self._password),
            (2, self._download),
            (1, self._upload),
            (1, self._permission),
            (1, self._extraction),
            (4, self._info),
            *([(2, self._affinity), (1, self._affinity_gone)] if self.is_4 else []),
        ]
        weights = [weight for weight, _maker in makers]
        while True:
            (_weight, maker), *_rest = self.chance.choices(makers, weights)
            task = maker()
            if task is not None:
                return task

    def _often(self) -> bool:
        return self.chance.random() < 0.6

    def _one(self, kind: str) -> str | None:
        return self.chance.choice(self.made[kind]) if self.made[kind] else None

    def _named(self, kind: str, names: Sequence[str]) -> str:
        name = self.chance.choice([one for one in names if one not in self.gone])
        if name not in self.made[kind]:
            self.made[kind].append(name)
        return name

    def _some(self, **options: Any) -> Task:
        """Return some of the options."""
        return {name: value for name, value in options.items() if value and self.chance.random() < 0.4}

    def _tags(self) -> Task:
        keys = self.chance.sample(["role", "env", "site"], self.chance.randint(0, 2))
        return {key: self.chance.choice(["a", "b", "c"]) for key in keys}

    def _group(self) -> Task:
        others = [{"name": name} for name in [*self.made["group"], "default"]]
        name = self._named("group", ["g1", "g2", "g3", "g4"])
        rules: list[Task] = []
        for _rule in range(self.chance.randint(0, 3)):
            peers = {"cidrs": self.chance.sample(CIDRS, self.chance.randint(1, 2))}
            peers = peers if self._often() else {"groups": [self.chance.choice([*others, {"name": name}])]}
            kind = {"ports": self.chance.choice(["22", "80", "8000-8100"])}
            rules.append({**(kind if self._often() else {"protocol": "icmp"}), **peers})
        more = self._some(egress=rules[:1], tags=self._tags(), purge_rules=False)
        return {"cloudn.compute.cloudn_security_group": {"name": name, "ingress": rules, **more}}

    def _group_gone(self) -> Task | None:
        name = self._one("group")
        if name is None:
            return None
        self.made["group"].remove(name)
        return {"cloudn.compute.cloudn_security_group": {"name": name, "state": "absent"}}

    def _machines(self) -> Task:
        names = sorted(
            {self._named("vm", [f"web{n}" for n in range(1, 12)]) for _n in range(self.chance.randint(1, 3))}
        )
        template = self._one("template") if self.chance.random() < 0.15 else TEMPLATE
        groups = self.chance.sample(self.made["group"], min(len(self.made["group"]), self.chance.randint(0, 2)))
        options = {
            **NEW,
            "template": template or TEMPLATE,
            "on_immutable_drift": "ignore",
            "state": self.chance.choice(["present", "started", "started", "stopped"]),
            **self._some(
                security_groups=groups,
                key_pair=self._one("pair"),
                tags=self._tags(),
                display_name="Web",
                group=self.chance.choice(["front", "back"]),
                disk_offering="Small",
                allow_restart=True,
                service_offering=self.chance.choice(["v1", "v2"]),
            ),
        }
        if self.is_4:
            options.update(self._some(affinity_groups=self.made["affinity"][:2], root_size_gb=20))
            options.update(
                {"delete_protection": self.chance.choice([True, False])} if self.chance.random() < 0.1 else {}
            )
        return {"cloudn.compute.cloudn_vm": {"name": names, **options}}

    def _state(self) -> Task | None:
        name = self._one("vm")
        if name is None:
            return None
        state = self.chance.choice(["started", "stopped", "restarted", "reinstalled"])
        more = {"confirm_reinstall": name} if state == "reinstalled" else {}
        return {"cloudn.compute.cloudn_vm": {"name": name, "state": state, **more}}

    def _machine_gone(self) -> Task | None:
        name = self._one("vm")
        if name is None:
            return None
        self.made["vm"].remove(name)
        self.gone.add(name)
        way = self.chance.choice(["detach_volumes", "delete_volumes", "detach_volumes"])
        return {"cloudn.compute.cloudn_vm": {"name": name, "state": "absent", way: True}}

    def _volume_options(self) -> Task:
        options: Task = {"name": self._named("volume", ["d1", "d2", "d3"])}
        if self._often():
            return {**options, "disk_offering": "Small"}
        snapshot = self._one("snapshot")
        if snapshot is not None and self._often():
            return {**options, "snapshot": "{{ " + snapshot + ".snapshot.id }}"}
        return {**options, "disk_offering": "Custom", "size_gb": self.chance.choice([5, 7, 9])}

    def _volume(self) -> Task:
        options = {**self._volume_options(), "zone": "jp-e1a", "on_immutable_drift": "ignore"}
        return {"cloudn.compute.cloudn_volume": {**options, **self._some(tags=self._tags(), shrink=True)}}

    def _attached(self) -> Task | None:
        name = self._one("vm")
        if name is None:
            return None
        options = {**self._volume_options(), "state": "attached", "vm": name, "on_immutable_drift": "ignore"}
        return {"cloudn.compute.cloudn_volume": {**options, **self._some(tags=self._tags(), force=True)}}

    def _detached(self) -> Task | None:
        name = self._one("volume")
        return name and {"cloudn.compute.cloudn_volume": {"name": name, "state": "detached"}}

    def _volume_gone(self) -> Task | None:
        name = self._one("volume")
        return name and {"cloudn.compute.cloudn_volume": {"name": name, "state": "absent", **self._some(force=True)}}

    def _of_disk(self) -> Task | None:
        """Return the options that name a disk: the root disk of a machine, or a volume."""
        machine, name = self._one("vm"), self._one("volume")
        if machine and (self._often() or not name):
            return {"vm": machine}
        return {"volume": name} if name else None

    def _snapshot(self) -> Task | None:
        disk = self._of_disk()
        if disk is None:
            return None
        self.number += 1
        register = f"snapshot{self.number}"
        self.made["snapshot"].append(register)
        more = self._some(max_age=self.chance.choice(["1h", "0"]), keep=self.chance.choice([1, 2]), tags=self._tags())
        return {"cloudn.compute.cloudn_snapshot": {**disk, **more}, "register": register}

    def _snapshot_gone(self) -> Task | None:
        register = self._one("snapshot")
        options = {"id": "{{ " + str(register) + ".snapshot.id }}", "state": "absent"}
        return {"cloudn.compute.cloudn_snapshot": options} if register else None

    def _template(self) -> Task | None:
        register, machine, name = self._one("snapshot"), self._one("vm"), self._named("template", ["t1", "t2"])
        source: Task = {"vm": machine, **self._some(allow_restart=True)}
        if register and (self._often() or not machine):
            source = {"snapshot": "{{ " + register + ".snapshot.id }}", "os_type": OS_TYPE, "zone": "jp-e1a"}
        elif not machine:
            return None
        more = self._some(display_text="Image", tags=self._tags(), password_enabled=True)
        more.update(
            self._some(zones=["jp-e1a", "jp-e1b"]) if "zone" not in source and self.chance.random() < 0.3 else {}
        )
        return {"cloudn.compute.cloudn_template": {"name": name, **source, **more}}

    def _download(self) -> Task:
        name = self._named("template", ["t3"])
        source = {"url": "http://images.example.com/t3.vhd", "format": "VHD", "hypervisor": "Simulator"}
        options = {
            "name": name,
            **source,
            "os_type": OS_TYPE,
            "zone": "jp-e1a",
            **self._some(public=True, extractable=True),
        }
        return {"cloudn.compute.cloudn_template": {**options, **self._some(tags=self._tags())}}

    def _upload(self) -> Task:
        name = self._named("volume", [UPLOADED])
        options = {"name": name, "url": "http://images.example.com/d4.vhd", "format": "VHD", "zone": "jp-e1a"}
        return {"cloudn.compute.cloudn_volume": {**options, **self._some(tags=self._tags())}}

    def _permission(self) -> Task | None:
        name = self._one("template")
        options = self._some(public=True, featured=True, display_text="Shared", tags=self._tags())
        return name and {"cloudn.compute.cloudn_template": {"name": name, **options}}

    def _extraction(self) -> Task | None:
        kind = self.chance.choice(["template", "volume"])
        name = self._one(kind)
        return name and {f"cloudn.compute.cloudn_{kind}": {"name": name, "state": "extracted"}}

    def _template_gone(self) -> Task | None:
        name = self._one("template")
        return name and {"cloudn.compute.cloudn_template": {"name": name, "state": "absent"}}

    def _pair(self) -> Task:
        key = {"k1": KEY, "k2": OTHER_KEY, "k3": None}
        name = self._named("pair", list(key))
        return {"cloudn.compute.cloudn_key_pair": {"name": name, **({"public_key": key[name]} if key[name] else {})}}

    def _pair_gone(self) -> Task | None:
        name = self._one("pair")
        return name and {"cloudn.compute.cloudn_key_pair": {"name": name, "state": "absent"}}

    def _policy(self) -> Task | None:
        disk = self._of_disk()
        options = {
            "interval": self.chance.choice(["daily", "hourly"]),
            "time": "01:30",
            "keep": self.chance.choice([2, 3]),
        }
        if options["interval"] == "hourly":
            options["time"] = "30"
        if self.chance.random() < 0.3:
            options["state"] = "absent"
        return disk and {"cloudn.compute.cloudn_snapshot_policy": {**disk, **options}}

    def _affinity(self) -> Task:
        return {"cloudn.compute.cloudn_affinity_group": {"name": self._named("affinity", ["a1", "a2"])}}

    def _affinity_gone(self) -> Task | None:
        name = self._one("affinity")
        if name is None:
            return None
        self.made["affinity"].remove(name)
        options = {"name": name, "state": "absent", **self._some(force=True)}
        return {"cloudn.compute.cloudn_affinity_group": options}

    def _password(self) -> Task | None:
        name = self._one("vm")
        return name and {"cloudn.compute.cloudn_vm_password": {"name": name, **self._some(allow_restart=True)}}

    def _info(self) -> Task:
        kind = self.chance.choice(
            ["vm", "vm", "volume", "volume", "security_group", "snapshot", "template", "key_pair"]
        )
        options = {"template_filter": "self"} if kind == "template" else {}
        if kind == "volume" and self.made["vm"] and self._often():
            options = {"vm": self._one("vm")}
        return {f"cloudn.compute.cloudn_{kind}_info": options}

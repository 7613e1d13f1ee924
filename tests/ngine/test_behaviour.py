# Copyright: (c) 2026, the cloudn.compute authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each line of the guide's "What behaves differently", shown on both collections; and values that must be the same."""

from __future__ import annotations

import datetime
import itertools
import json
import pathlib
import re
from collections.abc import Callable
from typing import Any

import pytest
from cloudn_emulator import Emulator
from guide import MODULES, covered
from pairs import TEXT
from samples import KEY, NEW, OTHER_KEY
from sides import Side, Task, compared

WHERE = {"zone": "jp-e1a"}
GROUP: Task = ("security_group", {"name": "web"})
DISK = {"name": "data", "disk_offering": "Small", **WHERE}
ATTACHED = {"state": "attached", "vm": "web1"}
POLLS = ("queryAsyncJobResult", "listAsyncJobs")
# The lines of the table, each with its test.
SHOWN: dict[str, Callable[..., None]] = {}


def shows(line: str, generation: str = "4", **settings: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Say which line of the table a function shows, on which generation of CloudStack."""

    def mark(function: Callable[..., None]) -> Callable[..., None]:
        def run(theirs: Side, ours: Side, folder: pathlib.Path) -> None:
            with Emulator(**{"generation": generation, "job_seconds": 0.05, **settings}) as emulator:
                function(Both(theirs, ours, emulator, folder))

        SHOWN[line] = run
        return run

    return mark


class Both:
    """Both sides on one emulator."""

    def __init__(self, theirs: Side, ours: Side, emulator: Any, folder: pathlib.Path) -> None:
        self._theirs = theirs
        self._ours = ours
        self.emulator = emulator
        self.folder = folder

    def theirs(self, *tasks: Task, check: bool = False) -> tuple[Any, list[str]]:
        """Run tasks of ngine_io.cloudstack. Return the result of the last one, and the commands that changed something."""
        done = self._theirs.tasks(self.emulator, self.folder, *tasks, check=check)
        return done.results[-1], done.sent

    def ours(self, *tasks: Task, check: bool = False) -> tuple[Any, list[str]]:
        """Run tasks of this collection in the same way."""
        done = self._ours.tasks(self.emulator, self.folder, *tasks, check=check)
        return done.results[-1], done.sent

    def hosts(self) -> tuple[set[str], set[str]]:
        """Return the hosts of both inventories with no options."""
        found = []
        for side, file, plugin in (
            (self._theirs, "cloudstack-instances.yml", "ngine_io.cloudstack.instance"),
            (self._ours, "cloudn.yml", "cloudn.compute.cloudn"),
        ):
            (self.folder / file).write_text(f"plugin: {plugin}\n")
            done = side.run(self.emulator, self.folder, "ansible-inventory", "-i", file, "--list")
            assert done.returncode == 0, done.stderr
            found.append(set(json.loads(done.stdout)["_meta"]["hostvars"]))
        return found[0], found[1]

    def pauses(self) -> list[float]:
        """Return the seconds between the polls of the last run."""
        asked = [request["time"] for request in self.emulator.requests if request["command"] in POLLS]
        times = [datetime.datetime.fromisoformat(time).timestamp() for time in asked]
        return [later - earlier for earlier, later in itertools.pairwise(times)]

    def commands(self) -> list[str]:
        """Return the commands of the last run in their order."""
        return [request["command"] for request in self.emulator.requests]


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path


def instance(name: str = "web1", **options: Any) -> Task:
    """A task of theirs on a VM."""
    return ("instance", {"name": name, **NEW, **options})


def vm(name: Any = "web1", **options: Any) -> Task:
    """A task of ours on a VM."""
    return ("cloudn_vm", {"name": name, **NEW, **options})


def rule(**options: Any) -> Task:
    """A task of theirs on a rule of the group."""
    return ("security_group_rule", {"security_group": "web", "start_port": 80, **options})


def group(**options: Any) -> Task:
    """A task of ours on the group."""
    return ("cloudn_security_group", {"name": "web", **options})


def ports(emulator: Any) -> list[int]:
    """The ports that are open."""
    return sorted(one.start for one in emulator.store.rules.values())


@shows("Several VMs")
def _several(both: Both) -> None:
    both.theirs(instance("web1"), instance("web2"))
    calls = [command for command in both.commands() if command in ("deployVirtualMachine", *POLLS)]
    first, second = [number for number, command in enumerate(calls) if command == "deployVirtualMachine"]
    assert set(calls[first + 1 : second]) & set(POLLS)
    both.ours(vm(["web3", "web4"]))
    calls = [command for command in both.commands() if command in ("deployVirtualMachine", *POLLS)]
    assert calls[:2] == ["deployVirtualMachine"] * 2


@shows("Check mode of a new site")
def _check_mode(both: Both) -> None:
    assert "'web' not found" in both.theirs(GROUP, rule(), check=True)[0]["msg"]
    ingress = [{"ports": "80", "cidrs": ["0.0.0.0/0"]}]
    result, sent = both.ours(group(ingress=ingress), vm(security_groups=["web"]), check=True)
    assert (result["changed"], result.get("failed", False), sent) == (True, False, [])
    assert result["vm"]["security_groups"] == ["web"]


@shows("Check mode of a reinstallation")
def _reinstallation(both: Both) -> None:
    both.theirs(instance())
    assert both.theirs(instance(state="restored"), check=True)[1] == ["restoreVirtualMachine"]
    assert "confirm_reinstall" in both.ours(vm(state="reinstalled"), check=True)[0]["msg"]
    result, sent = both.ours(vm(state="reinstalled", confirm_reinstall="web1"), check=True)
    assert (result["changed"], sent) == (True, [])


@shows("`--diff`")
def _diff(both: Both) -> None:
    nothing = {"before": {}, "after": {}}
    assert both.theirs(instance())[0]["diff"] == nothing
    changed, _sent = both.theirs(instance(display_name="Web", force=True))
    assert (changed["changed"], changed["diff"]) == (True, nothing)
    made = both.ours(vm("web2"))[0]["diff"]
    assert (made["before"], made["after"]["web2"]["service_offering"]) == ({"web2": {}}, "v1")
    changed = both.ours(vm(display_name="Site"))[0]["diff"]
    assert [changed[when]["web1"]["display_name"] for when in ("before", "after")] == ["Web", "Site"]


@shows("A change for which a VM must stop")
def _stop(both: Both) -> None:
    both.theirs(instance())
    result, sent = both.theirs(instance(service_offering="v2"))
    assert (result["changed"], sent, len(result["warnings"])) == (False, [], 1)
    result, sent = both.ours(vm(service_offering="v2"))
    assert (result["failed"], sent) == (True, [])
    assert "allow_restart" in result["msg"]
    assert both.ours(vm(service_offering="v2", allow_restart=True))[0]["vm"]["service_offering"] == "v2"


@shows("Rules of a security group")
def _rules(both: Both) -> None:
    both.theirs(GROUP, rule(), rule(start_port=443))
    both.theirs(rule(start_port=22))
    assert ports(both.emulator) == [22, 80, 443]
    both.ours(group(ingress=[{"ports": "25", "cidrs": ["0.0.0.0/0"]}], purge_rules=False))
    assert ports(both.emulator) == [22, 25, 80, 443]
    both.ours(group(ingress=[{"ports": "25", "cidrs": ["0.0.0.0/0"]}]))
    assert ports(both.emulator) == [25]


@shows("Rules without `cidr`")
def _everybody(both: Both) -> None:
    both.theirs(GROUP, rule())
    assert [one.cidr for one in both.emulator.store.rules.values()] == ["0.0.0.0/0"]
    result, sent = both.ours(group(ingress=[{"ports": "22"}]))
    assert (result["failed"], sent) == (True, [])
    assert "cidrs" in result["msg"]


@shows("Waiting", job_seconds=3)
def _waiting(both: Both) -> None:
    both.theirs(instance())
    assert min(both.pauses()) >= 1.9
    both.ours(vm("web2"))
    assert min(both.pauses()) < 1.9
    result, _sent = both.ours(vm("web3", wait_timeout=1))
    assert result["failed"]
    assert set(re.findall(r"[0-9a-f-]{36}", result["msg"])) & set(both.emulator.store.jobs)


@shows("`poll_async: false`", job_seconds=1)
def _jobs(both: Both) -> None:
    result, _sent = both.theirs(instance(poll_async=False))
    (begun,) = both.emulator.store.jobs
    assert begun not in json.dumps(result)
    result, _sent = both.ours(vm("web2", wait=False))
    (job,) = result["jobs"]
    result, _sent = both.ours(("cloudn_job", {"jobs": [job]}))
    assert not result.get("failed")
    assert both.emulator.store.jobs[job].status == 1


@shows("Names of VMs")
def _names(both: Both) -> None:
    both.theirs(instance())
    result, sent = both.theirs(instance("WEB1"))
    assert (result["changed"], result["name"], sent) == (False, "web1", [])
    assert both.ours(vm("WEB1"), check=True)[0]["actions"] != []
    assert both.ours(vm("web1"), check=True)[0]["actions"] == []


@shows("No `service_offering`")
def _offering(both: Both) -> None:
    without = {name: value for name, value in NEW.items() if name != "service_offering"}
    result, _sent = both.theirs(("instance", {"name": "web1", **without}))
    first = next(iter(both.emulator.store.service_offerings.values()))
    assert result["service_offering"] == first.name
    result, sent = both.ours(("cloudn_vm", {"name": "web2", **without}))
    assert (result["failed"], sent) == (True, [])
    assert "service_offering" in result["msg"]


@shows("`ssh_key` with another public key", generation="3")
def _key(both: Both) -> None:
    both.ours(("cloudn_key_pair", {"name": "deploy", "public_key": KEY}), vm(key_pair="deploy"))
    other = {"name": "deploy", "public_key": OTHER_KEY}
    assert "force" in both.ours(("cloudn_key_pair", other))[0]["msg"]
    assert "break_machines" in both.ours(("cloudn_key_pair", {**other, "force": True}))[0]["msg"]
    result, sent = both.theirs(("ssh_key", other))
    assert (result["changed"], sent) == (True, ["deleteSSHKeyPair", "registerSSHKeyPair"])
    assert "530" in both.theirs(("instance_info", {}))[0]["msg"]


@shows("SSH keys on CloudStack 3.0", generation="3")
def _keys(both: Both) -> None:
    both.theirs(("ssh_key", {"name": "deploy", "public_key": KEY}), instance(ssh_keys=["deploy"]))
    both.ours(vm("web2", key_pair="deploy"))
    assert {one.name: bool(one.public_key) for one in both.emulator.store.vms.values()} == {"web1": False, "web2": True}
    assert "key_pair is none" in both.ours(vm(key_pair="deploy"))[0]["msg"]
    result, sent = both.ours(vm(key_pair="deploy", on_immutable_drift="ignore"))
    assert (result["changed"], sent) == (False, [])


@shows("A VM with data disks on CloudStack 3.0", generation="3")
def _disks(both: Both) -> None:
    both.theirs(instance(), ("volume", {**DISK, **ATTACHED}))
    result, sent = both.ours(("cloudn_vm", {"name": "web1", "state": "absent"}))
    assert (result["failed"], sent) == (True, [])
    assert "detach_volumes" in result["msg"]
    assert both.theirs(instance(state="absent"))[1] == ["destroyVirtualMachine"]
    assert both.ours(("cloudn_volume_info", {}))[0]["volumes"] == []


@shows("Password of a running VM")
def _password(both: Both) -> None:
    both.theirs(instance())
    result, sent = both.theirs(("instance_password_reset", {"vm": "web1", **WHERE}))
    assert (result["failed"], sent) == (True, ["resetPasswordForVirtualMachine"])
    assert both.ours(("cloudn_vm_password", {"name": "web1"}))[1] == []
    result, sent = both.ours(("cloudn_vm_password", {"name": "web1", "allow_restart": True}))
    assert sent == ["stopVirtualMachine", "resetPasswordForVirtualMachine", "startVirtualMachine"]
    assert result["vm"]["password"]


@shows("Two volumes with one name")
def _volumes(both: Both) -> None:
    both.theirs(("volume", DISK))
    (one,) = both.emulator.store.volumes.values()
    params = {"name": one.name, "diskofferingid": one.disk_offering_id, "zoneid": one.zone_id}
    both.ours(("cloudn_api", {"command": "createVolume", "params": params}))
    ids = set(both.emulator.store.volumes)
    result, _sent = both.theirs(("volume", DISK))
    assert (len(ids), result["changed"], result["id"] in ids) == (2, False, True)
    result, _sent = both.ours(("cloudn_volume", DISK))
    assert result["failed"]
    assert set(re.findall(r"[0-9a-f-]{36}", result["msg"])) >= ids


@shows("Results")
def _results(both: Both) -> None:
    result, _sent = both.theirs(instance())
    assert (result["name"], result["api_key"]) == ("web1", both.emulator.api_key)
    result, _sent = both.ours(vm())
    assert result["vm"]["name"] == "web1"
    assert both.emulator.api_key not in json.dumps(result)


@shows("Hosts of the inventory")
def _hosts(both: Both) -> None:
    both.ours(vm(["web1", "web2"]), ("cloudn_vm", {"name": "web2", "state": "stopped"}))
    assert both.hosts() == ({"web1", "web2"}, {"web1"})


def test_every_line_of_the_table_has_its_test() -> None:
    section = TEXT.split("## What behaves differently")[1].split("\n## ")[0]
    lines = re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", section, re.MULTILINE)
    assert [line for line in lines if line != "---"] == list(SHOWN)


@pytest.mark.parametrize("line", SHOWN)
def test_it_behaves_differently(line: str, theirs: Side, ours: Side, folder: pathlib.Path) -> None:
    SHOWN[line](theirs, ours, folder)


# What makes an object with theirs, and what shows it with ours.
READ: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ssh_key": ({"name": "deploy", "public_key": KEY}, {"name": "deploy", "public_key": KEY}),
    "affinity_group": ({"name": "apart", "affinity_type": "host anti-affinity"}, {"name": "apart"}),
    "security_group": ({"name": "web", "description": "Web"}, {"name": "web"}),
    "security_group_rule": (
        {"security_group": "web", "start_port": 80},
        {"name": "web", "ingress": [{"ports": "80", "cidrs": ["0.0.0.0/0"]}]},
    ),
    "instance": (
        {
            "name": "web1",
            **NEW,
            "ssh_keys": ["deploy"],
            "group": "workers",
            "security_groups": ["web"],
            "affinity_groups": ["apart"],
            "tags": [{"key": "role", "value": "web"}],
        },
        {"name": "web1"},
    ),
    "instance_info": ({"name": "web1"}, {"name": "web1"}),
    "instance_group": ({"name": "workers"}, {"name": "web1"}),
    "volume": ({**DISK, **ATTACHED}, {"name": "data"}),
    "volume_snapshot_policy": (
        {"volume": "data", "vm": "web1", "schedule": "30:03"},
        {"volume": "data", "interval": "daily"},
    ),
    "zone_info": ({"zone": "jp-e1a"}, {"name": "jp-e1a"}),
}


def test_return_values_have_the_same_values(theirs: Side, ours: Side, folder: pathlib.Path) -> None:
    """What the tables call the counterpart of a return value has its value."""
    with Emulator(generation="4", job_seconds=0.05) as emulator:
        before = theirs.tasks(emulator, folder, *[(module, old) for module, (old, _new) in READ.items()])
        after = ours.tasks(emulator, folder, *[(MODULES[module]["to"], new) for module, (_old, new) in READ.items()])
        assert after.sent == []
        for module, old, new in zip(READ, before.results, after.results, strict=True):
            assert not old.get("failed"), (module, old)
            assert not new.get("failed"), (module, new)
            about = MODULES[module]
            place = about.get("shown", about["in"])
            pairs = compared(covered(module, "returns"), old, new, f"{place}.")
            assert len(pairs) >= 2, module
            for name, theirs_say, ours_say in pairs:
                assert theirs_say == ours_say, (module, name)
